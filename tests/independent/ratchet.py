"""Sections 10.3 and 10.4: the messages of a session, and the ratchet that seals and opens them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.independent.primitives import (
    MLKEM_PUBLIC,
    XWING_CIPHERTEXT,
    XWING_PUBLIC,
    Chance,
    H,
    Reader,
    Refused,
    agree,
    check,
    expand,
    extract,
    gcm_open,
    gcm_seal,
    number,
    xwing_decapsulate,
    xwing_public,
)

PAYLOAD_MAX: Final = 196608
OVERHEAD: Final = 2416
COUNTER_MAX: Final = 2**31 - 1
IN_EPOCH: Final = 1000
SKIPPED_MAX: Final = 5000
SKIPPED_LIFE: Final = 30 * 86400.0
SOME_SCALAR: Final = bytes(range(32))


class Waits(Exception):
    """Nothing can be sealed in this session now."""


def check_kem_key(pk: bytes) -> None:
    """Refuse a key that nobody can encapsulate to."""
    check(len(pk) == XWING_PUBLIC, "size of a key")
    try:
        MLKEM768PublicKey.from_public_bytes(pk[:MLKEM_PUBLIC])
    except ValueError as error:
        raise Refused("ML-KEM modulus check") from error
    agree(X25519PrivateKey.from_private_bytes(SOME_SCALAR), pk[MLKEM_PUBLIC:])


@dataclass(frozen=True)
class Header:
    """The header of a message, in order."""

    epoch: int
    key_id: int
    number: int
    previous: int
    ack: int
    pk: bytes
    ct: bytes
    nonce: bytes

    def write(self) -> bytes:
        """2368 bytes."""
        counters = (self.epoch, self.key_id, self.number, self.previous, self.ack)
        return b"".join(number(counter, 4) for counter in counters) + self.pk + self.ct + self.nonce


def read_message(message: bytes) -> tuple[bytes, Header, bytes, bytes]:
    """sid, header, the header's bytes, body; checked against the bounds of 10.3."""
    check(OVERHEAD <= len(message) <= OVERHEAD + PAYLOAD_MAX, "size of a message")
    reader = Reader(message)
    sid = reader.take(32)
    epoch, key_id, count, previous, ack = (reader.number(4) for _ in range(5))
    pk, ct, nonce = reader.take(XWING_PUBLIC), reader.take(XWING_CIPHERTEXT), reader.take(12)
    header = Header(epoch, key_id, count, previous, ack, pk, ct, nonce)
    check(1 <= header.epoch <= COUNTER_MAX, "epoch")
    check(max(header.key_id, header.ack) <= COUNTER_MAX, "key_id or ack")
    check(header.number < IN_EPOCH and header.previous <= IN_EPOCH, "number or previous")
    return sid, header, message[32 : 32 + 2368], reader.rest()


@dataclass
class Ratchet:
    """One side of a session; every value keeps the name that it has in 10.4."""

    sid: bytes
    own: bytes
    peer: bytes
    root_s: bytes
    root_r: bytes
    keys: dict[int, bytes] = field(default_factory=dict)
    pk_r: bytes | None = None
    e_s: int = 0
    n_s: int = 0
    p_s: int = 0
    ck_s: bytes = b""
    k_s: int = 0
    pk_s: bytes = b""
    ct_s: bytes = b""
    acked: bool = False
    e_r: int = 0
    n_r: int = 0
    ck_r: bytes = b""
    skipped: dict[tuple[int, int], tuple[float, bytes]] = field(default_factory=dict)
    receive_only: bool = False

    def _mix(self, root: bytes, ss: bytes, sender: bytes, epoch: int, key_id: int, ct: bytes) -> bytes:
        said = self.sid + sender + number(epoch, 4) + number(key_id, 4) + ct
        return extract(root, ss + H(said))

    # --- seal

    @property
    def begins(self) -> bool:
        """Whether the next message begins an epoch."""
        return (self.e_s == 0 and self.pk_r is not None) or (self.acked and self.e_r > self.k_s)

    @property
    def can_seal(self) -> bool:
        """Whether a payload need not wait."""
        if self.receive_only:
            return False
        if self.begins:
            return self.e_s < COUNTER_MAX
        return self.e_s > 0 and self.n_s < IN_EPOCH

    def seal(self, payload: bytes, chance: Chance) -> bytes:
        """The next message."""
        if not self.can_seal:
            raise Waits
        check(len(payload) <= PAYLOAD_MAX, "payload")
        if self.begins:
            self._begin(chance)
        return self.seal_regardless(payload, chance)

    def seal_regardless(self, payload: bytes, chance: Chance) -> bytes:
        """A message of the present epoch, whatever the limits say: how tests forge authentic ones."""
        mk, self.ck_s = expand(self.ck_s, "mk"), expand(self.ck_s, "ck")
        counters = (self.e_s, self.k_s, self.n_s, self.p_s, self.e_r)
        header = Header(*counters, self.pk_s, self.ct_s, chance.random(12))
        self.n_s += 1
        aad = self.sid + self.own + self.peer + header.write()
        return self.sid + header.write() + gcm_seal(mk, header.nonce, payload, aad)

    def _begin(self, chance: Chance) -> None:
        assert self.pk_r is not None
        self.ct_s, ss = chance.encapsulate(self.pk_r)
        t = self._mix(self.root_s, ss, self.own, self.e_s + 1, self.e_r, self.ct_s)
        self.root_s, self.ck_s = expand(t, "root"), expand(t, "chain")
        seed = chance.random(32)
        self.pk_s = xwing_public(seed)
        self.keys[self.e_s + 1] = seed
        self.p_s, self.n_s, self.k_s = self.n_s, 0, self.e_r
        self.e_s, self.acked = self.e_s + 1, False
        assert len(self.keys) <= 2

    # --- open

    def open(self, message: bytes, now: float) -> bytes:
        """The payload; a message that is dropped changes nothing."""
        copy = replace(self, keys=dict(self.keys), skipped=dict(self.skipped))
        payload = copy._open(message, now)
        self.__dict__.update(copy.__dict__)
        return payload

    def _open(self, message: bytes, now: float) -> bytes:
        sid, header, raw, body = read_message(message)
        check(sid == self.sid, "another session")
        self.skipped = {place: kept for place, kept in self.skipped.items() if now - kept[0] <= SKIPPED_LIFE}
        if header.epoch == self.e_r + 1:
            self._follow(header, now)
        if header.epoch == self.e_r and header.number >= self.n_r:
            self._skip(header.number, now)
            mk = self._next_mk()
        else:
            check((header.epoch, header.number) in self.skipped, "no key")
            _, mk = self.skipped.pop((header.epoch, header.number))
        payload = gcm_open(mk, header.nonce, body, self.sid + self.peer + self.own + raw)
        if self.e_s > 0 and header.ack == self.e_s:
            self.acked = True
        while len(self.skipped) > SKIPPED_MAX:
            del self.skipped[min(self.skipped)]
        return payload

    def _follow(self, header: Header, now: float) -> None:
        check(header.previous >= self.n_r, "previous")
        check(self.e_r > 0 or header.previous == 0, "previous of the first epoch")
        check(header.key_id in self.keys, "key_id")
        check_kem_key(header.pk)
        ss = xwing_decapsulate(self.keys[header.key_id], header.ct)
        self._skip(header.previous, now)
        t = self._mix(self.root_r, ss, self.peer, header.epoch, header.key_id, header.ct)
        self.root_r, self.ck_r = expand(t, "root"), expand(t, "chain")
        self.pk_r, self.e_r, self.n_r = header.pk, header.epoch, 0
        self.keys = {id_: seed for id_, seed in self.keys.items() if id_ > header.key_id}

    def _skip(self, until: int, now: float) -> None:
        while self.n_r < until:
            place = self.e_r, self.n_r
            self.skipped[place] = now, self._next_mk()

    def _next_mk(self) -> bytes:
        mk, self.ck_r = expand(self.ck_r, "mk"), expand(self.ck_r, "ck")
        self.n_r += 1
        return mk


# --- where sessions come from (10.5)

Export = Callable[[str], bytes]
"""The exporter of a link, or that of a first contact: label to 32 bytes."""


def session_of_link(
    export: Export, own: bytes, peer: bytes, seed: bytes, pk: bytes, *, initiator: bool
) -> Ratchet:
    """The session of a link: the seed of one's own SEED, the key in the other's."""
    check_kem_key(pk)
    return _session(export, own, peer, a=initiator, keys={0: seed}, pk_r=pk)


def session_of_writer(k0: bytes, own: bytes, peer: bytes, seed: bytes) -> Ratchet:
    """The session of a first contact for whoever wrote it."""
    return _session(lambda label: expand(k0, label), own, peer, a=True, keys={0: seed}, pk_r=None)


def session_of_reader(k0: bytes, own: bytes, peer: bytes, pk: bytes) -> Ratchet:
    """The session of a first contact for whoever received it."""
    return _session(lambda label: expand(k0, label), own, peer, a=False, keys={}, pk_r=pk)


def _session(
    export: Export, own: bytes, peer: bytes, *, a: bool, keys: dict[int, bytes], pk_r: bytes | None
) -> Ratchet:
    there, back = export("seal A>B"), export("seal B>A")
    root_s, root_r = (there, back) if a else (back, there)
    return Ratchet(export("seal sid"), own, peer, root_s, root_r, keys, pk_r)
