"""A cable with a tap: forwards TCP connections unchanged and keeps a copy of every byte.

The demonstration puts it between two people to show what somebody on the network sees, and tests
look for things in the copy that must not be there. It knows the outer framing of the protocol
(SPEC.md sections 4 and 5) and no keys, so it reads exactly what an eavesdropper can read.
"""

import asyncio
import logging
import time
from typing import Final, Self

import msgspec

from messenger.core.address import Address
from messenger.core.errors import ConnectError, Reason
from messenger.net.dial import Stream, dial
from messenger.net.listen import Listener, Slot
from messenger.protocol.messages import HEADER_SIZE, MessageType, read_header
from messenger.protocol.records import OUTER_HEADER, OUTER_TYPE

_log: Final = logging.getLogger(__name__)

_LOOPBACK: Final = "127.0.0.1"
_PIECE: Final = 64 * 1024


class Frame(msgspec.Struct, frozen=True):
    """One handshake message or record, as it was on the cable."""

    from_dialler: bool
    message: MessageType | None
    """Which handshake message; None for a record."""
    data: bytes
    """Header and body."""
    at: float
    """When its last byte passed, `time.monotonic` seconds."""


class Recording:
    """What passed on one connection, in both directions."""

    def __init__(self) -> None:
        self._pieces: list[tuple[bool, float, bytes]] = []

    def add(self, *, from_dialler: bool, data: bytes) -> None:
        """Note a piece that passes now."""
        self._pieces.append((from_dialler, time.monotonic(), data))

    def sent(self, *, from_dialler: bool) -> bytes:
        """All bytes of one direction."""
        return b"".join(data for theirs, _, data in self._pieces if theirs is from_dialler)

    def frames(self) -> list[Frame]:
        """The handshake messages and records of both directions, in the order in which they were complete.

        An unfinished one at the end of a direction is left out.

        Raises:
            RemoteProtocolError: Something else than Sotto was spoken.
        """
        frames: list[Frame] = []
        buffers = {True: bytearray(), False: bytearray()}
        for from_dialler, at, data in self._pieces:
            buffer = buffers[from_dialler]
            buffer += data
            while (size := _frame_size(buffer)) and len(buffer) >= size:
                message = None if buffer[0] == OUTER_TYPE else MessageType(buffer[0])
                frames.append(Frame(from_dialler, message, bytes(buffer[:size]), at))
                del buffer[:size]
        return frames


class Wiretap:
    """Listens on this computer and forwards each connection to one target. Make one with `open`.

    Args:
        target: Where the connections go.
    """

    def __init__(self, target: Address) -> None:
        self._target = target
        self._listener: Listener | None = None
        self._carriers: set[asyncio.Task[None]] = set()
        self.recordings: list[Recording] = []
        """One for each connection, in the order in which they were opened."""

    @classmethod
    async def open(cls, target: Address) -> Self:
        """Begin to forward from a free port.

        Raises:
            ConnectError: There is no free port.
        """
        tap = cls(target)
        tap._listener = await Listener.open(tap._serve, 0, host=_LOOPBACK)
        return tap

    @property
    def address(self) -> Address:
        """Where to connect to reach the target over the tapped cable; ConnectError once it is closed."""
        if self._listener is None:
            raise ConnectError(Reason.STOPPING)
        return Address(_LOOPBACK, self._listener.port)

    def seen(self) -> bytes:
        """Every byte of every connection, the two directions of each after one another."""
        return b"".join(tape.sent(from_dialler=side) for tape in self.recordings for side in (True, False))

    async def close(self) -> None:
        """Cut every connection; what was recorded stays."""
        if self._listener is not None:
            await self._listener.close()
            self._listener = None
        for carrier in self._carriers:
            carrier.cancel()
        await asyncio.gather(*self._carriers, return_exceptions=True)

    async def _serve(self, caller: Stream, slot: Slot) -> None:
        slot.release()  # no handshake is at stake here; whoever is called counts their own
        carrier = asyncio.create_task(self._carry(caller))
        self._carriers.add(carrier)
        carrier.add_done_callback(self._carriers.discard)

    async def _carry(self, caller: Stream) -> None:
        """Forward one connection until both directions have ended, or one has broken."""
        ends = [caller]
        try:
            callee = await dial(self._target)
            ends.append(callee)
            tape = Recording()
            self.recordings.append(tape)
            await asyncio.gather(
                _forward(caller, callee, tape, from_dialler=True),
                _forward(callee, caller, tape, from_dialler=False),
            )
            for end in ends:
                end.writer.close()
        except (ConnectError, OSError):
            _log.debug("x a tapped connection broke")
        finally:
            for end in ends:
                if not end.writer.is_closing():
                    end.abort()


async def _forward(source: Stream, sink: Stream, tape: Recording, *, from_dialler: bool) -> None:
    """Pass one direction on, and its end too."""
    while data := await source.reader.read(_PIECE):
        tape.add(from_dialler=from_dialler, data=data)
        sink.writer.write(data)
        await sink.writer.drain()
    if sink.writer.can_write_eof():
        sink.writer.write_eof()


def _frame_size(buffer: bytearray) -> int:
    """Bytes of the frame that begins a buffer, header included; 0 while the header is incomplete."""
    if buffer[:1] == bytes((OUTER_TYPE,)):
        header = OUTER_HEADER
        size = int.from_bytes(buffer[1:header], "big")
    else:
        header = HEADER_SIZE
        _, size = read_header(bytes(buffer[:header])) if len(buffer) >= header else (None, 0)
    return header + size if len(buffer) >= header else 0
