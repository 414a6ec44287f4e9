"""One link: the handshake, then records, over any byte stream (SPEC.md sections 4 and 5).

A link is a value. Feed it (`receive_data`, `receive_eof`), tell it the time (`advance`),
send what `data_to_send` returns, handle its `events`, and use `send`, `ping` and `close`.
It never waits and never touches a socket, a disk or a clock.
"""

from enum import Enum, auto

import msgspec

from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.crypto.aead import Buffer
from messenger.crypto.identity import Bundle
from messenger.protocol import keyschedule, packets
from messenger.protocol.channel import Channel, ChannelState, CloseCode
from messenger.protocol.handshake import (
    Established,
    Handshake,
    PeerAnonymous,
    PeerIdentified,
    PuzzleNeeded,
    Role,
    SignNeeded,
    UnwrapNeeded,
)
from messenger.protocol.rekey import Epoch

__all__ = [
    "CloseCode",
    "ContentReceived",
    "Link",
    "LinkEvent",
    "LinkState",
    "LinkUp",
    "PacketReceived",
    "PeerAnonymous",
    "PeerClosed",
    "PeerIdentified",
    "PuzzleNeeded",
    "SignNeeded",
    "UnwrapNeeded",
]  # fmt: skip


class LinkState(Enum):
    """The life of a link."""

    GREETING = auto()
    OPEN = auto()
    CLOSING = auto()
    """We said goodbye and still listen for theirs."""
    CLOSED = auto()


_STATES = {
    ChannelState.OPEN: LinkState.OPEN,
    ChannelState.CLOSING: LinkState.CLOSING,
    ChannelState.CLOSED: LinkState.CLOSED,
}


class LinkUp(msgspec.Struct, frozen=True):
    """Both sides have proved what they must; packets may be sent."""

    peer: Bundle | None
    """Who it is; None for the anonymous client of a relay."""


class PacketReceived(msgspec.Struct, frozen=True):
    """An application packet arrived."""

    packet: packets.Packet


class ContentReceived(msgspec.Struct, frozen=True):
    """The content of a PACKET arrived on a link that does not look into them."""

    content: bytes

    def __repr__(self) -> str:
        return f"ContentReceived({len(self.content)} bytes)"


class PeerClosed(msgspec.Struct, frozen=True):
    """The other side said goodbye; nothing more will arrive."""

    code: int


LinkEvent = (
    SignNeeded
    | UnwrapNeeded
    | PuzzleNeeded
    | PeerIdentified
    | PeerAnonymous
    | LinkUp
    | PacketReceived
    | ContentReceived
    | PeerClosed
)


class Link:
    """A handshake and the records after it.

    Args:
        handshake: An `Initiator` or a `Responder`, fresh.
        raw: Whether the contents of PACKETs are passed on as they are: a link with a relay.
    """

    def __init__(self, handshake: Handshake, *, raw: bool = False) -> None:
        self._handshake = handshake
        self._raw = raw
        self._channel: Channel | None = None
        self._exporter = b""
        self._now = 0.0
        self._refused = False
        self._events: list[LinkEvent] = []
        self.role: Role = handshake.role

    @property
    def state(self) -> LinkState:
        """Where the link stands."""
        if self._refused:
            return LinkState.CLOSED
        return LinkState.GREETING if self._channel is None else _STATES[self._channel.state]

    def advance(self, now: float) -> None:
        """Tell the time, at least every second or so while the link is open; then send `data_to_send()`.

        Args:
            now: Seconds from any starting point, never less than before.

        Raises:
            RemoteProtocolError: The peer has not answered a key exchange for too long.
        """
        self._now = now
        if self._channel is not None:
            self._channel.advance(now)

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer. After this, send `data_to_send()` and handle `events()`.

        Raises:
            RemoteProtocolError: They break the rules. The link is closed; close the stream
                without a word. Events from before the fault are still there.
        """
        if self.state is LinkState.CLOSED:
            return
        if self._channel is not None:
            self._read_channel(self._channel, data)
            return
        try:
            self._handshake.receive_data(data)
        except RemoteProtocolError:
            self._refused = True
            raise
        self._after_handshake()

    def receive_eof(self) -> None:
        """The stream has ended.

        Raises:
            RemoteProtocolError: It ended before the other side said goodbye.
        """
        if self._channel is not None:
            self._channel.receive_eof()
        elif not self._refused:
            self._refused = True
            self._handshake.receive_eof()

    def data_to_send(self) -> Buffer:
        """Bytes for the peer; each is returned once. Whoever is refused hears nothing more."""
        if self._refused:
            return b""
        greeting = self._handshake.data_to_send()
        if self._channel is None:
            return greeting
        records = self._channel.data_to_send()
        return greeting + records if greeting else records

    def events(self) -> list[LinkEvent]:
        """What happened and what is needed; each is returned once."""
        events, self._events = self._events, []
        return events

    @property
    def record_in_progress(self) -> int | None:
        """Number of the record that has begun to arrive and is not complete, for a deadline."""
        return self._channel.record_in_progress if self._channel else None

    @property
    def was_open(self) -> bool:
        """Whether the handshake succeeded, whatever came later."""
        return self._channel is not None

    def accept(self) -> None:
        """Go on with the peer that `PeerIdentified` named.

        This and the other answers change nothing when they come after the end.
        """
        if self.state is LinkState.CLOSED:
            return
        self._handshake.accept()
        self._after_handshake()

    def signed(self, signature: bytes) -> None:
        """Give the signature that `SignNeeded` asked for."""
        if self.state is LinkState.CLOSED:
            return
        self._handshake.signed(signature)
        self._after_handshake()

    def unwrapped(self, secret: bytes) -> None:
        """Give the secret that `UnwrapNeeded` asked for.

        Raises:
            RemoteProtocolError: It shows that the peer is not who they claim; close the stream.
        """
        if self.state is LinkState.CLOSED:
            return
        try:
            self._handshake.unwrapped(secret)
        except RemoteProtocolError:
            self._refused = True
            raise
        self._after_handshake()

    def solved(self, counter: int) -> None:
        """Give the counter that `PuzzleNeeded` asked for."""
        if self.state is LinkState.CLOSED:
            return
        self._handshake.solved(counter)
        self._after_handshake()

    def send(self, packet: packets.Packet) -> None:
        """Queue a packet; after this, send `data_to_send()`.

        Raises:
            LocalProtocolError: The link is not open.
        """
        self._open_channel().send(packets.encode(packet))

    def send_content(self, content: bytes) -> None:
        """Queue the content of a PACKET, as for `send`; `relay_wire.contents` makes them.

        Raises:
            LocalProtocolError: The link is not open.
        """
        self._open_channel().send(content)

    def ping(self) -> None:
        """Queue a question for a sign of life.

        Raises:
            LocalProtocolError: The link is not open.
        """
        self._open_channel().ping()

    def close(self, code: CloseCode = CloseCode.BYE) -> None:
        """Queue a goodbye. Nothing can be sent after it; the peer's goodbye is still awaited.

        In a link that is not open this only closes it: strangers hear nothing.
        """
        if self._channel is None:
            self._refused = True
        else:
            self._channel.close(code)

    def export(self, label: str, context: bytes) -> bytes:
        """A 32-byte secret bound to this link.

        Raises:
            LocalProtocolError: The handshake is not done.
        """
        self._open_channel()
        return keyschedule.export(self._exporter, label, context)

    def _open_channel(self) -> Channel:
        if self._channel is None:
            raise LocalProtocolError("the link is not open yet")
        return self._channel

    def _after_handshake(self) -> None:
        for event in self._handshake.events():
            if isinstance(event, Established):
                self._open(event)
            else:
                self._events.append(event)

    def _open(self, event: Established) -> None:
        secrets = event.secrets
        epoch = Epoch(secrets.from_initiator, secrets.from_responder)
        self._channel = Channel(epoch, secrets.rekey, initiator=self.role is Role.INITIATOR)
        self._channel.begin(self._now)
        self._exporter = secrets.exporter
        self._events.append(LinkUp(event.peer))
        self._read_channel(self._channel, self._handshake.trailing())

    def _read_channel(self, channel: Channel, data: bytes) -> None:
        try:
            for content in channel.receive_data(data):
                if self._raw:
                    self._events.append(ContentReceived(bytes(content)))
                elif (packet := packets.decode(bytes(content))) is not None:
                    self._events.append(PacketReceived(packet))
        except RemoteProtocolError:
            self._refused = True
            channel.refuse()
            raise
        if channel.close_code is not None:
            self._events.append(PeerClosed(channel.close_code))
