"""Lanes: further streams between two people who have a link (SPEC.md section 6).

A ticket travels inside the link. Whoever opens the stream shows it once, both make fresh
keys, and a channel follows. No RSA: the link has proved who they are.
"""

import os
from collections.abc import Callable, Mapping
from enum import Enum, IntEnum, auto
from typing import Final, Protocol

import msgspec

from messenger.core import limits
from messenger.core.errors import CryptoError, ProtocolError, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto import xwing
from messenger.crypto.hkdf import digest, equal, expand, extract, mac
from messenger.protocol.channel import Channel
from messenger.protocol.handshake import Role
from messenger.protocol.rekey import Epoch
from messenger.protocol.wire import Fields

Entropy = Callable[[int], bytes]

HEADER_SIZE: Final = 4
ID_SIZE: Final = 16
SECRET_SIZE: Final = 32
_MAC_SIZE: Final = 32


class LaneMessage(IntEnum):
    """First byte of each lane message; none is that of a handshake message or a record."""

    B1 = 0x21
    B2 = 0x22
    B3 = 0x23


_SIZES: Final = {
    LaneMessage.B1: ID_SIZE + limits.NONCE_SIZE + limits.XWING_PUBLIC_SIZE + _MAC_SIZE,
    LaneMessage.B2: limits.NONCE_SIZE + limits.XWING_CIPHERTEXT_SIZE + _MAC_SIZE,
    LaneMessage.B3: _MAC_SIZE,
}
"""Every message has one size."""


def size_of(kind: LaneMessage) -> int:
    """How long a message is, its header included: always the same."""
    return HEADER_SIZE + _SIZES[kind]


class LaneStep(Enum):
    """What the opening of a lane waits for."""

    AWAIT_B1 = auto()
    AWAIT_B2 = auto()
    AWAIT_B3 = auto()
    OPEN = auto()
    FAILED = auto()


TRANSITIONS: Final[dict[tuple[LaneStep, LaneMessage], LaneStep]] = {
    (LaneStep.AWAIT_B1, LaneMessage.B1): LaneStep.AWAIT_B3,
    (LaneStep.AWAIT_B2, LaneMessage.B2): LaneStep.OPEN,
    (LaneStep.AWAIT_B3, LaneMessage.B3): LaneStep.OPEN,
}
"""What may arrive; every other pair is refused."""


class Ticket(msgspec.Struct, frozen=True):
    """The right to open one lane, known to the two ends of a link."""

    id: bytes
    """16 random bytes; the only part that is seen on the wire."""
    key: bytes
    """32 bytes, derived at both ends."""
    expires: float
    """On the clock of whoever holds it, seconds."""

    def __repr__(self) -> str:
        return f"Ticket({self.id.hex()})"


def ticket_key(
    exported: bytes, secret: bytes, id_: bytes, initiator: Fingerprint, responder: Fingerprint, opener: Role
) -> bytes:
    """The key of a ticket, 32 bytes.

    Args:
        exported: `Link.export("lane", b"")` of the link that the ticket travels in.
        secret: 32 random bytes from the ticket.
        id_: 16 random bytes from the ticket.
        initiator: Fingerprint of the link's initiator.
        responder: Fingerprint of the link's responder.
        opener: Which of the two opens the lane's stream.
    """
    context = id_ + initiator + responder + opener.value.encode("ascii")
    return expand(extract(exported, secret), "lane", context, SECRET_SIZE)


class TicketBook(Protocol):
    """Where an acceptor finds tickets."""

    def find(self, id_: bytes) -> Ticket | None:
        """The ticket with an id, if there is one that has not expired; it stays valid."""

    def use(self, id_: bytes) -> bool:
        """Take a ticket out for good; False if somebody was faster."""


Handlers = Mapping[LaneMessage, Callable[[bytes], None]]


class Lane:
    """The opening of a lane; the roles derive from it.

    Feed it (`receive_data`), send `data_to_send()`; when `channel` is there, use that, beginning
    with the bytes of `trailing`.
    """

    def __init__(self, first: LaneStep, handlers: Handlers, entropy: Entropy) -> None:
        self.step = first
        self._handlers = handlers
        self.channel: Channel | None = None
        """The channel, once the lane is open."""
        self._entropy = entropy
        self._buffer = bytearray()
        self._out: list[bytes] = []

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the other end.

        Raises:
            RemoteProtocolError: They break the rules; close the stream without a word.
        """
        self._buffer += data
        try:
            while self.step is not LaneStep.OPEN and len(self._buffer) >= HEADER_SIZE:
                kind, step = self._header()
                end = HEADER_SIZE + _SIZES[kind]
                if len(self._buffer) < end:
                    return
                body = bytes(self._buffer[HEADER_SIZE:end])
                del self._buffer[:end]
                self._handlers[kind](body)
                self.step = step
        except CryptoError as e:
            self._fail()
            raise RemoteProtocolError(str(e)) from e
        except ProtocolError:
            self._fail()
            raise

    def data_to_send(self) -> bytes:
        """Bytes for the other end; each is returned once."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def trailing(self) -> bytes:
        """Bytes after the last message of the opening: the first records."""
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def _header(self) -> tuple[LaneMessage, LaneStep]:
        try:
            kind = LaneMessage(self._buffer[0])
        except ValueError as e:
            raise RemoteProtocolError("not a lane message") from e
        step = TRANSITIONS.get((self.step, kind))
        if step is None or int.from_bytes(self._buffer[1:HEADER_SIZE], "big") != _SIZES[kind]:
            raise RemoteProtocolError(f"{kind.name} at {self.step.name}, or of a wrong size")
        return kind, step

    def _fail(self) -> None:
        """Whoever is refused hears nothing more, whatever was about to be said."""
        self.step = LaneStep.FAILED
        self._buffer.clear()
        self._out.clear()

    def _send(self, kind: LaneMessage, body: bytes) -> None:
        self._out.append(bytes((kind,)) + len(body).to_bytes(3, "big") + body)

    def _open(self, key: bytes, shared: bytes, transcript: bytes, *, initiator: bool) -> bytes:
        """Derive the channel; returns the finished MAC that B3 carries."""
        master = extract(key, shared + transcript)
        epoch = Epoch(expand(master, "ap I", b"", SECRET_SIZE), expand(master, "ap R", b"", SECRET_SIZE))
        rekey = expand(master, "rekey", b"", SECRET_SIZE)
        self.channel = Channel(epoch, rekey, initiator=initiator, entropy=self._entropy)
        return mac(expand(master, "b3", b"", SECRET_SIZE), transcript)


class LaneOpener(Lane):
    """The end that opens the stream.

    After construction send `data_to_send()`: B1 is in it.

    Args:
        ticket: Not used before.
        entropy: Source of random bytes.
    """

    def __init__(self, ticket: Ticket, entropy: Entropy = os.urandom) -> None:
        super().__init__(LaneStep.AWAIT_B2, {LaneMessage.B2: self._on_b2}, entropy)
        self._ticket = ticket
        self._ephemeral = xwing.KeyPair.from_seed(entropy(xwing.SEED_SIZE))
        body = ticket.id + entropy(limits.NONCE_SIZE) + self._ephemeral.public
        self._b1 = body + _mac(ticket.key, "b1", body)
        self._send(LaneMessage.B1, self._b1)

    def _on_b2(self, body: bytes) -> None:
        fields = Fields(body)
        nonce, ciphertext = fields.fixed(limits.NONCE_SIZE), fields.fixed(limits.XWING_CIPHERTEXT_SIZE)
        if not equal(
            fields.fixed(_MAC_SIZE), _mac(self._ticket.key, "b2", digest(self._b1 + nonce + ciphertext))
        ):
            raise RemoteProtocolError("the other end does not hold the ticket")
        shared = self._ephemeral.decapsulate(ciphertext)
        finished = self._open(self._ticket.key, shared, digest(self._b1 + body), initiator=True)
        self._send(LaneMessage.B3, finished)


class LaneAcceptor(Lane):
    """The end that was connected to.

    Args:
        book: The tickets that were given out.
        entropy: Source of random bytes.
    """

    def __init__(self, book: TicketBook, entropy: Entropy = os.urandom) -> None:
        handlers = {LaneMessage.B1: self._on_b1, LaneMessage.B3: self._on_b3}
        super().__init__(LaneStep.AWAIT_B1, handlers, entropy)
        self._book = book
        self._finished = b""
        self._pending: Channel | None = None
        self.ticket: Ticket | None = None
        """The ticket that was shown, once it is used."""

    def _on_b1(self, b1: bytes) -> None:
        """A ticket is used up by the first B1 with a valid MAC, so that knowing its id burns nothing."""
        fields = Fields(b1)
        id_ = fields.fixed(ID_SIZE)
        fields.fixed(limits.NONCE_SIZE)
        public, proof = fields.fixed(limits.XWING_PUBLIC_SIZE), fields.fixed(_MAC_SIZE)
        ticket = self._book.find(id_)
        if ticket is None or not equal(proof, _mac(ticket.key, "b1", b1[:-_MAC_SIZE])):
            raise RemoteProtocolError("no such ticket")
        ciphertext, shared = xwing.encapsulate(public)
        if not self._book.use(id_):
            raise RemoteProtocolError("the ticket was used before")
        self.ticket = ticket
        body = self._entropy(limits.NONCE_SIZE) + ciphertext
        b2 = body + _mac(ticket.key, "b2", digest(b1 + body))
        self._finished = self._open(ticket.key, shared, digest(b1 + b2), initiator=False)
        self._pending, self.channel = self.channel, None
        self._send(LaneMessage.B2, b2)

    def _on_b3(self, body: bytes) -> None:
        if not equal(body, self._finished):
            raise RemoteProtocolError("the opener does not hold the keys")
        self.channel = self._pending


def _mac(key: bytes, label: str, data: bytes) -> bytes:
    return mac(expand(key, label, b"", SECRET_SIZE), data)
