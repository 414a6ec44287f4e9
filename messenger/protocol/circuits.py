"""Circuits: two streams that a relay joins (SPEC.md section "Circuits").

Each end opens a stream of its own and shows a pass, which came to it inside its link with the relay.
From the relay's answer on, bytes are passed on as they are: a link or a lane between the two ends.
"""

from enum import Enum, IntEnum, auto
from typing import Final

import msgspec

from messenger.core import relay_limits
from messenger.core.address import Address, is_near, parse_address
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol.relay_wire import put_number
from messenger.protocol.wire import Fields

HEADER_SIZE: Final = 4

C1: Final = 0x31
"""First byte of an end's message, by which a relay's listener knows it; none that a link or lane uses."""

C2: Final = 0x32
"""First byte of the relay's."""

ANSWER_SIZE: Final = HEADER_SIZE + 1 + 8 + 4
"""Bytes of the relay's answer, header included."""

_C1_HEAD: Final = bytes((C1,)) + relay_limits.PASS_SIZE.to_bytes(3, "big")
_C2_SIZE: Final = 1 + 8 + 4
_C2_HEAD: Final = bytes((C2,)) + _C2_SIZE.to_bytes(3, "big")


class JoinCode(IntEnum):
    """What a relay answers to a pass."""

    JOINED = 0
    ABSENT = 1
    """The other end did not come; so do all codes of later versions say."""
    LIMIT = 2
    """Too many circuits."""


class Joined(msgspec.Struct, frozen=True):
    """What a relay answered."""

    code: JoinCode
    octets: int = 0
    """Bytes that may pass in both directions together."""
    seconds: int = 0
    """How long the circuit may last."""

    def encode(self) -> bytes:
        """The message as it travels.

        Raises:
            LocalProtocolError: A number is out of bounds.
        """
        return _C2_HEAD + bytes((self.code,)) + put_number(self.octets, 8) + put_number(self.seconds, 4)


def stream_address(told: str, relay: Address) -> Address | None:
    """Where to open the stream of a circuit; None if a relay tries to send us into our own network.

    Args:
        told: `address` of a `Pass` or a `Ring`.
        relay: The IP address and port at which the link with the relay goes.
    """
    if not told:
        return relay
    address = parse_address(told)
    return None if is_near(address.host) and not is_near(relay.host) else address


class CircuitEnd:
    """One end of a circuit, until it is joined.

    After construction send `data_to_send()`. Feed what comes; once `joined` is there, what
    follows (`trailing` first) belongs to what is inside.

    Args:
        secret: The pass, 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) != relay_limits.PASS_SIZE:
            raise LocalProtocolError("a pass has 32 bytes")
        self._out = _C1_HEAD + secret
        self._buffer = bytearray()
        self._refused = False
        self.joined: Joined | None = None
        """What the relay answered; unless its code is JOINED, close the stream."""

    def receive_data(self, data: bytes) -> None:
        """Take bytes.

        Raises:
            RemoteProtocolError: They are not a relay's answer; close the stream.
        """
        if self._refused:
            return
        self._buffer += data
        if self.joined is not None:
            return
        head = bytes(self._buffer[:HEADER_SIZE])
        if not _C2_HEAD.startswith(head):
            self._refused = True
            self._buffer.clear()
            raise RemoteProtocolError("not the answer of a relay to a pass")
        end = HEADER_SIZE + _C2_SIZE
        if len(self._buffer) >= end:
            fields = Fields(bytes(self._buffer[HEADER_SIZE:end]))
            del self._buffer[:end]
            code = fields.number(1)
            known = JoinCode(code) if code in set(JoinCode) else JoinCode.ABSENT
            self.joined = Joined(known, fields.number(8), fields.number(4))

    def data_to_send(self) -> bytes:
        """Bytes for the relay; each is returned once."""
        data, self._out = self._out, b""
        return data

    def trailing(self) -> bytes:
        """Bytes after the answer: the first of the other end."""
        data = bytes(self._buffer) if self.joined is not None else b""
        self._buffer.clear()
        return data


class CircuitEntrance:
    """A relay's side of a stream that begins with C1.

    Feed what comes; once `secret` is there, look it up, wait for the other end, and `answer`.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._refused = False
        self.secret: bytes | None = None
        """The pass that was shown."""

    def receive_data(self, data: bytes) -> None:
        """Take bytes, until the answer.

        Raises:
            RemoteProtocolError: They are not a pass, or more than one; close the stream without a word.
        """
        if self._refused:
            return
        self._buffer += data
        head = bytes(self._buffer[:HEADER_SIZE])
        if not _C1_HEAD.startswith(head) or len(self._buffer) > HEADER_SIZE + relay_limits.PASS_SIZE:
            self._refused = True
            self.secret = None
            self._buffer.clear()
            raise RemoteProtocolError("not a pass, or something after it")
        if len(self._buffer) == HEADER_SIZE + relay_limits.PASS_SIZE:
            self.secret = bytes(self._buffer[HEADER_SIZE:])

    def __repr__(self) -> str:
        return "CircuitEntrance()"


class Side(Enum):
    """The two ends of a joined circuit."""

    CALLER = auto()
    CALLED = auto()

    @property
    def other(self) -> "Side":
        """The end across."""
        return Side.CALLED if self is Side.CALLER else Side.CALLER


class Over(Enum):
    """Why a relay ends a circuit."""

    OCTETS = auto()
    """It has carried as much as it may."""
    TIME = auto()
    """It has lasted as long as it may."""
    IDLE = auto()
    STALLED = auto()
    """An end takes nothing of what waits for it."""


class Splice:
    """The account of a joined circuit at the relay: how much may be read, and when it is over.

    It holds no bytes: whoever moves them tells what was read from an end and what the other took.

    Args:
        octets: Bytes that may pass in both directions together.
        seconds: How long it may last.
        now: Seconds from any starting point.
    """

    def __init__(self, octets: int, seconds: float, now: float) -> None:
        self._left = octets
        self._ends = now + seconds
        self._now = self._heard = now
        self._waiting = dict.fromkeys(Side, 0)
        self._moved = dict.fromkeys(Side, now)

    def room(self, side: Side) -> int:
        """Most bytes that may be read from an end now; 0 stops the reading."""
        return min(self._left, relay_limits.CIRCUIT_WINDOW - self._waiting[side])

    def read(self, side: Side, size: int) -> None:
        """Bytes were read from an end.

        Raises:
            LocalProtocolError: More than there was `room` for.
        """
        if not 0 <= size <= self.room(side):
            raise LocalProtocolError("more was read than there is room for")
        if self._waiting[side] == 0:
            self._moved[side] = self._now
        self._left -= size
        self._waiting[side] += size
        self._heard = self._now

    def written(self, side: Side, size: int) -> None:
        """Bytes of an end were taken by the other.

        Raises:
            LocalProtocolError: More than waited.
        """
        if not 0 <= size <= self._waiting[side]:
            raise LocalProtocolError("more was written than there was")
        if size:
            self._waiting[side] -= size
            self._moved[side] = self._now

    def waiting(self, side: Side) -> int:
        """Bytes of an end that the other has not taken."""
        return self._waiting[side]

    def advance(self, now: float) -> Over | None:
        """Tell the time.

        Returns:
            Why the circuit is over, or None. One that is over by OCTETS is closed when nothing waits.
        """
        self._now = now
        if now >= self._ends:
            return Over.TIME
        stall = relay_limits.CIRCUIT_STALL
        if any(self._waiting[side] and now - self._moved[side] > stall for side in Side):
            return Over.STALLED
        if not self._left:
            return Over.OCTETS
        return Over.IDLE if now - self._heard > relay_limits.CIRCUIT_IDLE else None
