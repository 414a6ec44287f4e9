"""Section 10.7: the first contact, written with a prekey and read with its seed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.independent.identity import (
    BUNDLE_MAX,
    DAY,
    Bundle,
    Identity,
    check_modulus,
    fingerprint,
    read_bundle,
)
from tests.independent.prekeys import ID, LIFE, Prekey
from tests.independent.primitives import (
    HMAC,
    XWING_CIPHERTEXT,
    XWING_PUBLIC,
    Chance,
    H,
    Reader,
    Refused,
    box,
    check,
    extract,
    number,
    oaep_open,
    same,
    unbox,
    v,
    verify,
    xwing_decapsulate,
    xwing_public,
)
from tests.independent.ratchet import (
    PAYLOAD_MAX,
    Ratchet,
    check_kem_key,
    session_of_reader,
    session_of_writer,
)

RANK_MAX: Final = 2**53
OW_SIZES: Final = (384, 512)
AHEAD: Final = DAY
AGE_MAX: Final = 43 * DAY
STRANGER_PAYLOAD_MAX: Final = 5120


@dataclass(frozen=True)
class Letter:
    """What the writer says."""

    payload: bytes
    msg_id: bytes
    sent_ms: int
    rank: int
    secret: bytes | None = None


def write_first(
    me: Identity, whom: Bundle, prekey: Prekey, letter: Letter, chance: Chance
) -> tuple[bytes, Ratchet]:
    """A first contact, and the writer's side of the session that it begins."""
    ct, ss = chance.encapsulate(prekey.pk)
    s = chance.random(32)
    ow = chance.oaep(whom.exchange, "oaep seal", H(prekey.id + ct), s)
    th = H(prekey.id + ct + ow)
    k0 = extract(ss, s + th)
    seed = chance.random(32)
    ratchet_pk = xwing_public(seed)
    proof = HMAC(letter.secret, th) if letter.secret else b""
    fields = [me.fingerprint, whom.fingerprint, prekey.id, prekey.hash, H(ct), H(ow), H(ratchet_pk)]
    fields += [letter.msg_id, number(letter.sent_ms, 8), number(letter.rank, 8), H(letter.payload)]
    content = v(me.bundle) + ratchet_pk + letter.msg_id + number(letter.sent_ms, 8) + number(letter.rank, 8)
    content += v(proof) + number(len(letter.payload), 4) + letter.payload
    content += v(chance.sign(me.signing, "seal init", *fields))
    session = session_of_writer(k0, me.fingerprint, whom.fingerprint, seed)
    return prekey.id + ct + v(ow) + box(k0, "seal", th, content), session


@dataclass
class Held:
    """A prekey of one's own."""

    prekey: Prekey
    seed: bytes
    made_at: float


@dataclass(frozen=True)
class Opened:
    """A first contact that holds. What one does with it is policy."""

    writer: Bundle
    letter: Letter
    th: bytes
    proof: bytes
    session: Ratchet

    def proves(self, secret: bytes) -> bool:
        """Whether the writer holds the invite with this secret."""
        return bool(self.proof) and same(self.proof, HMAC(secret, self.th))


@dataclass
class Mailbox:
    """Somebody who has published prekeys.

    Args:
        me: Who reads.
        exchange_keys: The present exchange key, then older ones.
    """

    me: Identity
    exchange_keys: Sequence[rsa.RSAPrivateKey]
    held: dict[bytes, Held] = field(default_factory=dict)
    seen: set[tuple[bytes, bytes]] = field(default_factory=set)

    def take(self, contact: bytes, now: float) -> Opened | None:
        """Receive a first contact, which uses its prekey up; None for one that was received before."""
        opened = self.judge(contact, now)
        if (opened.writer.fingerprint, opened.letter.msg_id) in self.seen:
            return None
        self.seen.add((opened.writer.fingerprint, opened.letter.msg_id))
        if not self.held[contact[:ID]].prekey.last_resort:
            del self.held[contact[:ID]]
        return opened

    def judge(self, contact: bytes, now: float) -> Opened:
        """Steps 1 to 5; changes nothing."""
        reader = Reader(contact)
        id_, ct = reader.take(ID), reader.take(XWING_CIPHERTEXT)
        ow = reader.v(512)
        sealed = reader.rest()
        check(len(ow) in OW_SIZES, "ow")
        held = self.held.get(id_)
        if held is None or now - held.made_at > LIFE:
            raise Refused("prekey")
        ss = xwing_decapsulate(held.seed, ct)
        th = H(id_ + ct + ow)
        k0, content = self._unbox(H(id_ + ct), th, ow, ss, sealed)
        return self._judge_content(held.prekey, ct, ow, th, k0, content, now)

    def _unbox(self, label: bytes, th: bytes, ow: bytes, ss: bytes, sealed: bytes) -> tuple[bytes, bytes]:
        for exchange in self.exchange_keys:
            k0 = extract(ss, oaep_open(exchange, "oaep seal", label, ow) + th)
            try:
                return k0, unbox(k0, "seal", th, sealed)
            except Refused:
                continue
        raise Refused("box")

    def _judge_content(
        self, prekey: Prekey, ct: bytes, ow: bytes, th: bytes, k0: bytes, content: bytes, now: float
    ) -> Opened:
        reader = Reader(content)
        bundle, ratchet_pk, msg_id = reader.v(BUNDLE_MAX), reader.take(XWING_PUBLIC), reader.take(16)
        sent_ms, rank, proof = reader.number(8), reader.number(8), reader.v(32)
        size = reader.number(4)
        check(size <= PAYLOAD_MAX, "payload")
        payload, signature = reader.take(size), reader.v(512)
        reader.done()
        check(rank <= RANK_MAX and len(proof) in {0, 32}, "rank or proof")
        check(fingerprint(check_modulus(Reader(bundle).v(512))) != self.me.fingerprint, "oneself")
        check(now - AGE_MAX <= sent_ms // 1000 <= now + AHEAD, "sent_ms")
        writer = read_bundle(bundle, sent_ms // 1000, {})
        fields = [writer.fingerprint, self.me.fingerprint, prekey.id, prekey.hash, H(ct), H(ow)]
        fields += [H(ratchet_pk), msg_id, number(sent_ms, 8), number(rank, 8), H(payload)]
        check(len(signature) == len(writer.signing), "length of the signature")
        verify(writer.signing, "seal init", signature, *fields)
        check_kem_key(ratchet_pk)
        session = session_of_reader(k0, self.me.fingerprint, writer.fingerprint, ratchet_pk)
        return Opened(writer, Letter(payload, msg_id, sent_ms, rank), th, proof, session)
