"""One link: the handshake, then records, over any byte stream (SPEC.md sections 4 and 5).

A link is a value with five verbs. Feed it (`receive_data`, `receive_eof`), send what
`data_to_send` returns, handle its `events`, and use `send`, `ping` and `close`. It never
waits and never touches a socket, a disk or a clock.
"""

from enum import Enum, IntEnum, auto
from typing import Final

import msgspec

from messenger.core.errors import LocalProtocolError, Reason, RemoteProtocolError
from messenger.crypto.identity import Bundle
from messenger.protocol import keyschedule, packets
from messenger.protocol.handshake import (
    Established,
    Handshake,
    PeerIdentified,
    Role,
    SignNeeded,
    UnwrapNeeded,
)
from messenger.protocol.records import RecordReader, RecordType, RecordWriter

_PING_MAX: Final = 8


class LinkState(Enum):
    """The life of a link."""

    GREETING = auto()
    OPEN = auto()
    CLOSING = auto()
    """We said goodbye and still listen for theirs."""
    CLOSED = auto()


class CloseCode(IntEnum):
    """The content of a CLOSE record."""

    BYE = 0
    """The program or the conversation is being closed."""
    DUPLICATE = 1
    """Another link between the same two people is kept instead."""
    LIMIT = 2
    """Too many of something."""


class LinkUp(msgspec.Struct, frozen=True):
    """Both sides are proved; packets may be sent."""

    peer: Bundle


class PacketReceived(msgspec.Struct, frozen=True):
    """An application packet arrived."""

    packet: packets.Packet


class PongReceived(msgspec.Struct, frozen=True):
    """The answer to a ping arrived."""


class PeerClosed(msgspec.Struct, frozen=True):
    """The other side said goodbye; nothing more will arrive."""

    code: int


LinkEvent = SignNeeded | UnwrapNeeded | PeerIdentified | LinkUp | PacketReceived | PongReceived | PeerClosed

RECEIVES: Final[dict[LinkState, frozenset[RecordType]]] = {
    LinkState.GREETING: frozenset(),
    LinkState.OPEN: frozenset(RecordType),
    LinkState.CLOSING: frozenset(RecordType),
    LinkState.CLOSED: frozenset(),
}
"""The records that each state takes; any other is refused."""


class Link:
    """A handshake and the records after it.

    Args:
        handshake: An `Initiator` or a `Responder`, fresh.
    """

    def __init__(self, handshake: Handshake) -> None:
        self._handshake = handshake
        self._reader: RecordReader | None = None
        self._writer: RecordWriter | None = None
        self._exporter = b""
        self._out: list[bytes] = []
        self._events: list[LinkEvent] = []
        self.state = LinkState.GREETING
        self.role: Role = handshake.role

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer. After this, send `data_to_send()` and handle `events()`.

        Raises:
            RemoteProtocolError: They break the rules. The link is closed; close the stream
                without a word. Events from before the fault are still there.
        """
        if self.state is LinkState.CLOSED:
            return
        try:
            if self._reader is None:
                self._handshake.receive_data(data)
                self._after_handshake()
            else:
                self._read_records(self._reader, data)
        except RemoteProtocolError:
            self.state = LinkState.CLOSED
            raise

    def receive_eof(self) -> None:
        """The stream has ended.

        Raises:
            RemoteProtocolError: It ended before the other side said goodbye.
        """
        if self.state is LinkState.CLOSED:
            return
        self.state, before = LinkState.CLOSED, self.state
        if before is LinkState.GREETING:
            self._handshake.receive_eof()
        raise RemoteProtocolError("the stream ended without a goodbye", Reason.INTERRUPTED)

    def data_to_send(self) -> bytes:
        """Bytes for the peer; each is returned once."""
        data = self._handshake.data_to_send() + b"".join(self._out)
        self._out.clear()
        return data

    def events(self) -> list[LinkEvent]:
        """What happened and what is needed; each is returned once."""
        events, self._events = self._events, []
        return events

    @property
    def record_in_progress(self) -> int | None:
        """Number of the record that has begun to arrive and is not complete, for a deadline."""
        if self._reader is None or not self._reader.begun:
            return None
        return self._reader.count

    @property
    def was_open(self) -> bool:
        """Whether the handshake succeeded, whatever came later."""
        return self._writer is not None

    def accept(self) -> None:
        """Go on with the peer that `PeerIdentified` named."""
        self._handshake.accept()
        self._after_handshake()

    def signed(self, signature: bytes) -> None:
        """Give the signature that `SignNeeded` asked for."""
        self._handshake.signed(signature)
        self._after_handshake()

    def unwrapped(self, secret: bytes) -> None:
        """Give the secret that `UnwrapNeeded` asked for."""
        self._handshake.unwrapped(secret)
        self._after_handshake()

    def send(self, packet: packets.Packet) -> None:
        """Queue a packet; after this, send `data_to_send()`.

        Raises:
            LocalProtocolError: The link is not open.
        """
        self._write(RecordType.PACKET, packets.encode(packet))

    def ping(self) -> None:
        """Queue a ping; the peer answers and `PongReceived` follows."""
        self._write(RecordType.PING, b"")

    def close(self, code: CloseCode = CloseCode.BYE) -> None:
        """Queue a goodbye. Nothing can be sent after it; the peer's goodbye is still awaited.

        In a link that is not open this only closes it: strangers hear nothing.
        """
        if self.state is LinkState.OPEN:
            self._write(RecordType.CLOSE, bytes((code,)))
            self.state = LinkState.CLOSING
        elif self.state is LinkState.GREETING:
            self.state = LinkState.CLOSED

    def export(self, label: str, context: bytes) -> bytes:
        """A 32-byte secret bound to this link.

        Raises:
            LocalProtocolError: The handshake is not done.
        """
        if not self._exporter:
            raise LocalProtocolError("no link yet")
        return keyschedule.export(self._exporter, label, context)

    def _after_handshake(self) -> None:
        for event in self._handshake.events():
            if isinstance(event, Established):
                self._open(event)
            else:
                self._events.append(event)

    def _open(self, event: Established) -> None:
        secrets, initiator = event.secrets, self.role is Role.INITIATOR
        ours, theirs = secrets.from_initiator, secrets.from_responder
        if not initiator:
            ours, theirs = theirs, ours
        self._writer, self._reader = RecordWriter(ours), RecordReader(theirs)
        self._exporter = secrets.exporter
        self._out.append(self._handshake.data_to_send())
        self.state = LinkState.OPEN
        self._events.append(LinkUp(event.peer))
        self._read_records(self._reader, self._handshake.trailing())

    def _read_records(self, reader: RecordReader, data: bytes) -> None:
        for kind, content in reader.feed(data):
            if kind not in RECEIVES[self.state]:
                raise RemoteProtocolError(f"{kind.name} at {self.state.name}")
            self._on_record(kind, content)

    def _on_record(self, kind: RecordType, content: bytes) -> None:
        match kind:
            case RecordType.PACKET:
                packet = packets.decode(content)
                if packet is not None:
                    self._events.append(PacketReceived(packet))
            case RecordType.PING:
                if len(content) > _PING_MAX:
                    raise RemoteProtocolError("ping too long")
                if self.state is LinkState.OPEN:
                    self._write(RecordType.PONG, content)
            case RecordType.PONG:
                self._events.append(PongReceived())
            case RecordType.CLOSE:
                self._on_close(content)
            case RecordType.PADDING:
                if content:
                    raise RemoteProtocolError("padding with content")

    def _on_close(self, content: bytes) -> None:
        if len(content) != 1:
            raise RemoteProtocolError("bad goodbye")
        self.close()
        self.state = LinkState.CLOSED
        self._events.append(PeerClosed(content[0]))

    def _write(self, kind: RecordType, content: bytes) -> None:
        if self._writer is None or self.state is not LinkState.OPEN:
            raise LocalProtocolError(f"{kind.name} at {self.state.name}")
        self._out.append(self._writer.seal(kind, content))
