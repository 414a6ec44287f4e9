"""Lanes: streams for bulk data, opened on the engine's loop and then pumped by a thread of their own.

The opening reads exactly as many bytes as its messages have, on a bare socket; so nothing is left in a
buffer when the thread takes over, whatever loop is used.
"""

import asyncio
import contextlib
import select
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from messenger.core import limits, transfer_limits
from messenger.core.address import Address
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.net.dial import dial_bare, read_exactly
from messenger.protocol.channel import Channel, ChannelState
from messenger.protocol.lane import (
    HEADER_SIZE,
    ID_SIZE,
    LaneAcceptor,
    LaneMessage,
    LaneOpener,
    Ticket,
    TicketBook,
    size_of,
)
from messenger.protocol.records import OUTER_HEADER, RecordBuffer, RecordReader

Buffer = bytes | bytearray | memoryview
Socket = socket.socket

_LOOK_AGAIN: Final = 0.02
"""Seconds between two looks at a stream, on loops that cannot wait for it without reading."""

LANE_BYTE: Final = int(LaneMessage.B1)
"""First byte of a stream that is a lane."""

_ROOM: Final = transfer_limits.PIECES_AT_ONCE * (OUTER_HEADER + limits.RECORD_CIPHERTEXT_MAX)
"""Bytes that are taken from a stream with one call, at most."""


class Pipe(Protocol):
    """The stream under a lane, as a thread uses it: a socket, or whatever behaves like one."""

    def recv_into(self, buffer: memoryview, /) -> int:
        """Wait for bytes; how many came, 0 at the end. OSError if it broke, or nothing came for too long."""

    def sendall(self, data: Buffer, /) -> None:
        """Send all of it. OSError if it broke, or the other end took nothing for too long."""

    def readable(self) -> bool:
        """Whether `recv_into` would not wait."""

    def abort(self) -> None:
        """From any thread: whoever waits in the methods above gets an OSError, or the end."""

    def close(self) -> None:
        """Give it back; once its thread has ended."""


class SocketPipe:
    """A TCP connection as a `Pipe`.

    Args:
        sock: Connected; closed by `close`.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(True)  # noqa: FBT003 -- the name of the method says it
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            sock.setsockopt(socket.SOL_SOCKET, option, _patience())
        self._sock = sock
        self.recv_into: Callable[[memoryview], int] = sock.recv_into
        self.sendall: Callable[[Buffer], None] = sock.sendall
        self._poll = select.poll() if hasattr(select, "poll") else None  # Windows has none
        if self._poll is not None:
            self._poll.register(sock, select.POLLIN)

    def readable(self) -> bool:
        """Whether bytes, or the end, have come."""
        if self._poll is not None:
            return bool(self._poll.poll(0))
        return bool(select.select([self._sock], [], [], 0)[0])

    def abort(self) -> None:
        """End it for both ends."""
        with contextlib.suppress(OSError):  # it has ended already
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()


def _patience() -> bytes:
    """How long the system waits in one call, as it wants it told.

    A time-out of Python's own would ask before each call whether it may be made.
    """
    seconds = transfer_limits.LANE_SILENCE
    if sys.platform == "win32":
        return struct.pack("L", round(seconds * 1000))
    return struct.pack("ll", int(seconds), round(seconds % 1 * 1_000_000))


class Line:
    """An open lane, used by one thread at a time; only `abort` may be called by others meanwhile.

    Every method raises OSError when the stream has broken, and RemoteProtocolError when it ended without a
    goodbye or the other end breaks the rules of a channel, in which case nothing more may be sent.

    Args:
        pipe: The stream, behind the opening.
        channel: The channel that the opening has made.
    """

    def __init__(self, pipe: Pipe, channel: Channel) -> None:
        self._pipe = pipe
        self._channel = channel
        self._out = RecordBuffer()
        self._in = memoryview(bytearray(_ROOM))
        self._have = 0
        self._taken = 0
        self._look = 0.0
        self._head: bytes | None = None
        self._size = 0
        """Header and length of the record that came last: most are alike."""
        channel.begin(time.monotonic())

    @property
    def room(self) -> memoryview:
        """Where `send_piece` takes its content from."""
        return self._out.content

    @property
    def ended(self) -> bool:
        """The other end has said goodbye."""
        return self._channel.state is ChannelState.CLOSED

    def send(self, content: bytes) -> None:
        """Send a word."""
        self._channel.advance(time.monotonic())
        self._channel.send(content)
        self._flush()
        self._wait_for_keys()

    def send_piece(self, size: int) -> None:
        """Send what lies at the beginning of `room`, which is overwritten.

        What has come meanwhile is looked after now and then.

        Args:
            size: Bytes of it.
        """
        if self._tell_time():
            self._attend()
            if not self._channel.ready:
                self.send(bytes(self._out.content[:size]))
                return
        self._pipe.sendall(self._channel.send_in_place(self._out, size))

    def receive(self) -> memoryview | None:
        """Wait for a word or a piece.

        Returns:
            Its content, until the next call of any method but `at_hand`; None if the other end has said
            goodbye.
        """
        content = self.at_hand()
        while content is None and not self.ended:
            self._read()
            content = self.at_hand()
        return content

    def at_hand(self) -> memoryview | None:
        """The next word or piece if all of it has come: nothing is read, and contents before it stay.

        Returns:
            Its content, until the next call of any other method; None if there is nothing more here.
        """
        channel = self._channel
        while channel.state is not ChannelState.CLOSED and (record := self._next()) is not None:
            content = channel.receive_in_place(record)
            if content is not None:
                return content
            self._flush()
        return None

    def goodbye(self) -> None:
        """Say goodbye, and wait for theirs; what comes before it is not looked at."""
        self._channel.close()
        self._flush()
        while self.receive() is not None:
            pass

    def leave(self) -> None:
        """Say goodbye if that is possible without waiting, and break off."""
        with contextlib.suppress(OSError, LocalProtocolError):
            if not self.ended:
                self._channel.close()
                self._flush()
        self._pipe.abort()

    def abort(self) -> None:
        """Break off; from any thread."""
        self._pipe.abort()

    def close(self) -> None:
        """Give the stream back, once no thread uses it."""
        self._pipe.close()

    def _attend(self) -> None:
        """Look after what has come meanwhile, without waiting, at an end that only sends."""
        while not self.ended:
            if self.at_hand() is not None:
                raise RemoteProtocolError("a word out of turn")
            if not self._pipe.readable():
                return
            self._read()

    def _wait_for_keys(self) -> None:
        """After a long silence what was sent waits for fresh keys."""
        while self._channel.state is ChannelState.OPEN and not self._channel.ready:
            record = self._next()
            if record is None:
                self._read()
            elif self._channel.receive_in_place(record) is not None:
                raise RemoteProtocolError("a word out of turn")
            else:
                self._flush()

    def _tell_time(self) -> bool:
        """Now and then, and whether it was now; with every record it would cost as much as all the rest."""
        now = time.monotonic()
        if now < self._look:
            return False
        self._look = now + transfer_limits.LOOK_EVERY
        self._channel.advance(now)
        self._flush()
        return True

    def _flush(self) -> None:
        data = self._channel.data_to_send()
        if data:
            self._pipe.sendall(data)

    def _next(self) -> memoryview | None:
        """The next record if all of it is here."""
        start = self._taken
        head = bytes(self._in[start : min(start + OUTER_HEADER, self._have)])
        if head != self._head:
            size = RecordReader.measure(memoryview(head))
            if size is None:
                return None
            self._head, self._size = head, size
        end = start + self._size
        if end > self._have:
            return None
        self._taken = end
        return self._in[start:end]

    def _read(self) -> None:
        """Wait for bytes; what is here of a record moves to the front."""
        view, start = self._in, self._taken
        if start:
            left = self._have - start
            view[:left] = view[start : self._have]
            self._have, self._taken = left, 0
        came = self._pipe.recv_into(view[self._have :])
        if not came:
            self._channel.receive_eof()
        self._have += came
        self._tell_time()


async def open_lane(address: Address, ticket: Ticket) -> Line:
    """Open the stream of a lane over TCP and show a ticket.

    Args:
        address: IP address and port of the other end.
        ticket: Not used before.

    Raises:
        ConnectError: Nobody answers there.
        OSError, RemoteProtocolError: As for `open_lane_on`.
    """
    return await open_lane_on(await dial_bare(address), ticket)


async def open_lane_on(sock: socket.socket, ticket: Ticket) -> Line:
    """Show a ticket on a stream that is there already: to a listener, or through the circuit of a relay.

    Args:
        sock: Connected, not blocking; closed if this fails.
        ticket: Not used before.

    Raises:
        OSError: They hung up, or were too slow.
        RemoteProtocolError: They do not hold the ticket.
    """
    try:
        lane = LaneOpener(ticket)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(transfer_limits.LANE_STEP):
            await loop.sock_sendall(sock, lane.data_to_send())
            lane.receive_data(await read_exactly(sock, size_of(LaneMessage.B2)))
            await loop.sock_sendall(sock, lane.data_to_send())
        return _line(sock, lane.channel)
    except BaseException:
        sock.close()
        raise


async def accept_lane(
    sock: socket.socket, book: TicketBook, expected: Callable[[bytes], Awaitable[None]]
) -> tuple[Line, Ticket]:
    """Let in whoever has opened the stream of a lane, and find their ticket.

    Args:
        sock: Not blocking, nothing read from it; closed if this fails.
        book: The tickets that were given out.
        expected: Called with the id that is shown; waits a little for a ticket that is on its way.

    Raises:
        OSError: They hung up, or were too slow.
        RemoteProtocolError: They have no ticket.
    """
    try:
        lane = LaneAcceptor(book)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(transfer_limits.LANE_STEP):
            shown = await read_exactly(sock, size_of(LaneMessage.B1))
            await expected(shown[HEADER_SIZE : HEADER_SIZE + ID_SIZE])
            lane.receive_data(shown)
            await loop.sock_sendall(sock, lane.data_to_send())
        async with asyncio.timeout(transfer_limits.LANE_STEP):
            lane.receive_data(await read_exactly(sock, size_of(LaneMessage.B3)))
        if lane.ticket is None:
            raise LocalProtocolError("a lane without a ticket")
        return _line(sock, lane.channel), lane.ticket
    except BaseException:
        sock.close()
        raise


async def first_byte(sock: socket.socket) -> int | None:
    """Wait for the first byte of a stream, which stays in it; None if it ended.

    Args:
        sock: Not blocking.

    Raises:
        OSError: It broke.
    """
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    while True:
        try:
            data = sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            came.clear()
            try:
                loop.add_reader(sock, came.set)
            except NotImplementedError:  # pragma: no cover -- asyncio's own loop on Windows
                await asyncio.sleep(_LOOK_AGAIN)
                continue
            try:
                await came.wait()
            finally:
                loop.remove_reader(sock)
        else:
            return data[0] if data else None


def _line(sock: socket.socket, channel: Channel | None) -> Line:
    if channel is None:
        raise LocalProtocolError("a lane that is not open")
    return Line(SocketPipe(sock), channel)
