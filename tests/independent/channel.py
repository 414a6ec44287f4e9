"""Section 5: records, goodbye, fresh keys and signs of life, over the stream of a link or of a lane."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.independent.primitives import (
    XWING_CIPHERTEXT,
    XWING_PUBLIC,
    Chance,
    H,
    Reader,
    check,
    expand,
    extract,
    gcm_open,
    gcm_seal,
    number,
    xwing_decapsulate,
    xwing_public,
)
from tests.independent.stream import Steps

PADDING, PACKET, PING, PONG, CLOSE, OFFER, ACCEPT, DONE = range(8)
RECORD: Final = 0x17
PARTED: Final = 3
CONTENT_MAX: Final = 262144
TAG: Final = 16
CIPHERTEXT_MOST: Final = 262416
PAD: Final = 256
PING_MAX: Final = 8
PADDING_IN_A_ROW: Final = 32
RECORDS_MAX, BYTES_MAX = 2**22, 2**34
RECORDS_DUE, BYTES_DUE = 2**20, 2**32
OFFER_SPACING, OFFER_PATIENCE = 1.0, 30.0
DUE_INITIATOR, DUE_RESPONDER, QUIET = 5.0, 6.0, 60.0
PING_EVERY, SILENCE = 10.0, 25.0


class Direction:
    """One direction under one traffic secret."""

    def __init__(self, ts: bytes) -> None:
        self._key, self._iv = expand(ts, "key"), expand(ts, "iv", n=12)
        self.records = self.bytes = 0

    def _nonce(self, size: int) -> bytes:
        check(self.records < RECORDS_MAX and self.bytes + size <= BYTES_MAX, "too much under one key")
        nonce = number(int.from_bytes(self._iv, "big") ^ self.records, 12)
        self.records, self.bytes = self.records + 1, self.bytes + size
        return nonce

    def seal(self, inside: bytes) -> bytes:
        """A whole record around this inside."""
        head = number(RECORD, 1) + number(len(inside) + TAG, 3)
        return head + gcm_seal(self._key, self._nonce(len(inside)), inside, head)

    def open(self, head: bytes, ciphertext: bytes) -> bytes:
        """The inside of a record."""
        return gcm_open(self._key, self._nonce(len(ciphertext) - TAG), ciphertext, head)


@dataclass(frozen=True)
class Secrets:
    """What each exchange replaces."""

    ts_i: bytes
    ts_r: bytes
    rk: bytes

    def fresh(self, ss: bytes, generation: int, pk: bytes, ct: bytes) -> "Secrets":
        """The secrets after one more exchange."""
        root = extract(self.rk, ss + H(number(generation, 4) + pk + ct))
        return Secrets(expand(root, "ap I"), expand(root, "ap R"), expand(root, "rekey"))


class Channel:
    """One side of a channel that writes to `out` and reads what `reading` asks for."""

    def __init__(
        self,
        secrets: Secrets,
        initiator: bool,
        out: bytearray,
        chance: Chance,
        clock: Callable[[], float],
    ) -> None:
        self.initiator, self._out, self._chance, self._clock = initiator, out, chance, clock
        self.secrets = secrets
        self._sending = Direction(secrets.ts_i if initiator else secrets.ts_r)
        self._receiving = Direction(secrets.ts_r if initiator else secrets.ts_i)
        self.packets: list[bytes] = []
        self.pongs: list[bytes] = []
        self.sent_code: int | None = None
        self.peer_code: int | None = None
        self.g = 0
        self.state = "idle"
        self._seed = self._pk = b""
        self._next = secrets
        self._padding = 0
        self._offered_at = self._their_offer_at = float("-inf")
        self._changed_at = self._heard_at = self._flowed_at = self._pinged_at = clock()
        self._flowed_since = False
        self._waiting: list[bytes] = []

    # --- sending

    def _send(self, kind: int, content: bytes = b"") -> None:
        check(len(content) <= CONTENT_MAX and self.sent_code is None, "nothing of this may be sent")
        inside = number(kind, 1) + number(len(content), 3) + content
        self._out += self._sending.seal(inside + bytes(-len(inside) % PAD))

    def send_packet(self, packet: bytes) -> None:
        """Send a packet; after 60 s without one it waits for fresh keys."""
        quiet = self._clock() - self._flowed_at >= QUIET
        if self._waiting or (quiet and self.state != "accepted"):
            self._waiting.append(packet)
            if self.state == "idle":
                self.offer()
            return
        self._send(PACKET, packet)
        self._flowed()

    def pad(self) -> None:
        """Send a record of padding."""
        self._send(PADDING)

    def ping(self, content: bytes = b"") -> None:
        """Ask for a sign of life."""
        self._send(PING, content)
        self._pinged_at = self._clock()

    def close(self, code: int = 0) -> None:
        """Say goodbye; nothing is sent after it, and what waited for fresh keys before it."""
        self._release()
        self._send(CLOSE, number(code, 1))
        self.sent_code = code

    def offer(self) -> None:
        """Offer an exchange of keys."""
        check(self.state == "idle", "an exchange is under way")
        check(self._clock() - self._offered_at >= OFFER_SPACING, "too soon")
        self._seed = self._chance.random(32)
        self._pk = xwing_public(self._seed)
        self._send(OFFER, number(self.g + 1, 4) + self._pk)
        self.state, self._offered_at = "offered", self._clock()

    def tick(self) -> None:
        """Do what is due at this time."""
        now = self._clock()
        check(now - self._heard_at < SILENCE, "silence")
        check(self.state == "idle" or now - self._offered_at <= OFFER_PATIENCE, "no answer to an offer")
        if self.sent_code is not None:
            return
        if now - self._pinged_at >= PING_EVERY:
            self.ping()
        wait = DUE_INITIATOR if self.initiator else DUE_RESPONDER
        used = self._sending.records >= RECORDS_DUE or self._sending.bytes >= BYTES_DUE
        if self.state == "idle" and (used or (self._flowed_since and now - self._changed_at >= wait)):
            self.offer()

    def _flowed(self) -> None:
        self._flowed_at, self._flowed_since = self._clock(), True

    # --- receiving

    def reading(self) -> Steps[None]:
        """Read records until both have said goodbye."""
        while True:
            head = yield 4
            size = int.from_bytes(head[1:], "big")
            check(head[0] == RECORD and TAG < size <= CIPHERTEXT_MOST and size % PAD == TAG, "no record")
            inside = self._receiving.open(head, (yield size))
            reader = Reader(inside)
            kind, content = reader.number(1), reader.take(reader.number(3))
            check(len(content) <= CONTENT_MAX and not any(reader.rest()), "content or padding")
            self._heard_at = self._clock()
            self._handle(kind, content)
            if self.peer_code is not None:
                return

    def _handle(self, kind: int, content: bytes) -> None:
        check(kind <= DONE, "unknown type")
        self._padding = self._padding + 1 if kind == PADDING else 0
        handlers = (
            self._on_padding,
            self._on_packet,
            self._on_ping,
            self._on_pong,
            self._on_close,
            self._on_offer,
            self._on_accept,
            self._on_done,
        )
        handlers[kind](content)

    def _on_padding(self, content: bytes) -> None:
        check(not content and self._padding <= PADDING_IN_A_ROW, "padding")

    def _on_packet(self, content: bytes) -> None:
        self.packets.append(content)
        self._flowed()

    def _on_ping(self, content: bytes) -> None:
        check(len(content) <= 8, "ping")
        if self.sent_code is None:
            self._send(PONG, content)

    def _on_pong(self, content: bytes) -> None:
        check(len(content) <= 8, "pong")
        self.pongs.append(content)

    def _on_close(self, content: bytes) -> None:
        check(len(content) == 1, "close")
        if self.sent_code is None:
            self.close()
        self.peer_code = content[0] if content[0] <= PARTED else 0

    def _generation(self, content: bytes, size: int) -> bytes:
        reader = Reader(content)
        check(reader.number(4) == self.g + 1, "generation")
        rest = reader.take(size)
        reader.done()
        return rest

    def _on_offer(self, content: bytes) -> None:
        if self.sent_code is not None:
            return
        now = self._clock()
        check(self.state != "accepted" and now - self._their_offer_at >= OFFER_SPACING, "offer now")
        pk = self._generation(content, XWING_PUBLIC)
        self._their_offer_at = now
        if self.state == "offered" and self.initiator:
            return
        ct, ss = self._chance.encapsulate(pk)
        self._next = self.secrets.fresh(ss, self.g + 1, pk, ct)
        self._send(ACCEPT, number(self.g + 1, 4) + ct)
        self.state, self._offered_at = "accepted", now
        self._switch_sending()

    def _on_accept(self, content: bytes) -> None:
        check(self.state == "offered", "accept now")
        ct = self._generation(content, XWING_CIPHERTEXT)
        self._next = self.secrets.fresh(xwing_decapsulate(self._seed, ct), self.g + 1, self._pk, ct)
        self._switch_receiving()
        if self.sent_code is None:
            self._send(DONE, number(self.g, 4))
            self._switch_sending()

    def _on_done(self, content: bytes) -> None:
        check(self.state == "accepted", "done now")
        self._generation(content, 0)
        self._switch_receiving()

    def _switch_sending(self) -> None:
        self._sending = Direction(self._next.ts_i if self.initiator else self._next.ts_r)
        self._release()

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, []
        for packet in waiting:
            self._send(PACKET, packet)
            self._flowed()

    def _switch_receiving(self) -> None:
        self._receiving = Direction(self._next.ts_r if self.initiator else self._next.ts_i)
        self.secrets, self._seed = self._next, b""
        self.g, self.state = self.g + 1, "idle"
        self._changed_at, self._flowed_since = self._clock(), False
