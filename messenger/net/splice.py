"""Moves bytes between pairs of sockets, on a thread of its own: the inside of circuits at a relay.

On Linux the bytes stay in the kernel (`splice` through a pipe for each direction); elsewhere they are
read and written. `protocol.circuits.Splice` keeps the account: how much may be read, and when it is over.
"""

import contextlib
import os
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from messenger.core import relay_limits
from messenger.protocol.circuits import Over, Side, Splice

Ended = Callable[[Over | None, int], None]
"""Told why a splice is over (None: an end has closed its stream), and how many bytes passed."""

_ROUNDS: Final = 16
"""Windows of bytes that one circuit moves in a turn."""

_LOOK: Final = 1.0
"""Seconds between two looks at the time limits."""


class _Way:
    """Bytes of one end on their way to the other."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self.source = source
        self.target = target
        self.over = False
        """The source has ended."""
        self.full = False
        """Nothing more fits in before something has left, however little it is."""

    def fill(self, most: int) -> int:
        """Read at most so many bytes; 0 if the source has ended.

        Raises:
            BlockingIOError: There are none now.
            OSError: The stream is broken.
        """
        raise NotImplementedError

    def drain(self, most: int) -> int:
        """Write at most so many of the bytes that wait; raises as `fill`."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back what it holds."""


class _Copied(_Way):
    """Through a buffer of this process."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        super().__init__(source, target)
        self._data = bytearray(relay_limits.CIRCUIT_WINDOW)
        self._view = memoryview(self._data)
        self._from = self._to = 0

    def fill(self, most: int) -> int:
        """See `_Way`."""
        if self._from == self._to:
            self._from = self._to = 0
        room = self._view[self._to : self._to + most]
        if not room:
            raise BlockingIOError
        size = self.source.recv_into(room)
        self._to += size
        return size

    def drain(self, most: int) -> int:
        """See `_Way`."""
        size = self.target.send(self._view[self._from : min(self._to, self._from + most)])
        self._from += size
        return size


class _Piped(_Way):
    """Through a pipe, without leaving the kernel."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        super().__init__(source, target)
        self._out, self._in = os.pipe()
        if sys.platform == "linux":
            import fcntl

            with contextlib.suppress(OSError):  # one's share of such memory is used up: less does too
                fcntl.fcntl(self._in, fcntl.F_SETPIPE_SZ, relay_limits.CIRCUIT_WINDOW)

    def fill(self, most: int) -> int:
        """See `_Way`."""
        return _splice(self.source.fileno(), self._in, most)

    def drain(self, most: int) -> int:
        """See `_Way`."""
        return _splice(self._out, self.target.fileno(), most)

    def close(self) -> None:
        """See `_Way`."""
        os.close(self._in)
        os.close(self._out)


def _splice(source: int, target: int, most: int) -> int:
    if sys.platform != "linux":
        raise OSError("no splice here")
    return os.splice(source, target, most, flags=_FLAGS)


_FLAGS: Final = 0x01 | 0x02  # SPLICE_F_MOVE, SPLICE_F_NONBLOCK (splice(2)); Python 3.11 has no names for them


class _Pair:
    """Two sockets that are spliced."""

    def __init__(
        self, ends: tuple[socket.socket, socket.socket], first: bytes, rules: tuple[int, int], ended: Ended
    ) -> None:
        self.ends = dict(zip((Side.CALLER, Side.CALLED), ends, strict=True))
        self.first = dict.fromkeys(Side, first)
        """What is sent before anything else to each end."""
        self.octets = rules[0]
        self.account = Splice(rules[0], rules[1], time.monotonic())
        self.ended = ended
        self.passed = 0
        self.told = False
        """It is over, and what waits is still passed on."""
        way = _Piped if hasattr(os, "splice") else _Copied
        self.ways: dict[Side, _Way] = {}
        try:
            for side in Side:
                self.ways[side] = way(self.ends[side], self.ends[side.other])
        except OSError:
            for made in self.ways.values():
                made.close()
            raise

    def move(self) -> bool:
        """Move what can be moved now; returns whether it goes on.

        Raises:
            OSError: A stream is broken.
        """
        self.account.advance(time.monotonic())
        for _ in range(_ROUNDS):  # then it is the turn of others
            moved = False
            for side in Side:
                if self._greet(side):
                    moved = self._fill(side) or moved
                    moved = self._drain(side) or moved
            if not moved:
                break
        ended = self.told or any(way.over for way in self.ways.values())
        return not ended or any(self.account.waiting(side) for side in Side)

    def wanted(self, side: Side) -> int:
        """What the selector is to tell of an end."""
        events = 0
        way = self.ways[side]
        if not (way.over or way.full or self.told) and self.account.room(side) > 0:
            events |= selectors.EVENT_READ
        if self.first[side] or self.account.waiting(side.other):
            events |= selectors.EVENT_WRITE
        return events

    def close(self) -> None:
        """Close both streams."""
        for side in Side:
            self.ways[side].close()
            with contextlib.suppress(OSError):
                self.ends[side].shutdown(socket.SHUT_RDWR)
            self.ends[side].close()

    def _greet(self, side: Side) -> bool:
        """Whether both ends have had their first bytes; nothing passes before."""
        for each in (side, side.other):
            if self.first[each]:
                try:
                    sent = self.ends[each].send(self.first[each])
                except BlockingIOError:
                    return False
                self.first[each] = self.first[each][sent:]
        return not any(self.first.values())

    def _fill(self, side: Side) -> bool:
        way, room = self.ways[side], self.account.room(side)
        if way.over or self.told or room <= 0:
            return False
        try:
            size = way.fill(room)
        except BlockingIOError:
            way.full = self.account.waiting(side) > 0
            return False
        if not size:
            way.over = True
            return False
        self.account.read(side, size)
        self.passed += size
        return True

    def _drain(self, side: Side) -> bool:
        waiting = self.account.waiting(side)
        if not waiting:
            return False
        try:
            size = self.ways[side].drain(waiting)
        except BlockingIOError:
            return False
        self.account.written(side, size)
        self.ways[side].full = False
        return size > 0


class SplicePump:
    """All splices of a program, on one thread that starts with the first.

    Args:
        call: Called from the thread with what is to run on the loop: `loop.call_soon_threadsafe`.
    """

    def __init__(self, call: Callable[..., object]) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._new: list[_Pair] = []
        self._pairs: set[_Pair] = set()
        self._thread: threading.Thread | None = None
        self._selector: selectors.BaseSelector
        self._wake: tuple[socket.socket, socket.socket]
        self._stopping = False

    def join(self, ends: tuple[int, int], first: bytes, rules: tuple[int, int], ended: Ended) -> None:
        """Splice two sockets.

        Args:
            ends: Their file descriptors, which are the pump's from now on: the caller's, the called one's.
            first: Sent to both before anything else.
            rules: Bytes in both directions together, and seconds.
            ended: Called on the loop when it is over and both are closed.

        Raises:
            OSError: There are too many open files; both are closed.
        """
        one, other = (socket.socket(fileno=end) for end in ends)
        try:
            for sock in (one, other):
                sock.setblocking(False)  # noqa: FBT003 -- the name of the method says it
            pair = _Pair((one, other), first, rules, ended)
        except OSError:
            one.close()
            other.close()
            raise
        try:
            self._start()
        except OSError:
            pair.close()
            raise
        with self._lock:
            self._new.append(pair)
        self._rouse()

    def close(self) -> None:
        """End all splices; blocks until they have ended."""
        if self._thread is not None:
            self._stopping = True
            self._rouse()
            self._thread.join()
            self._selector.close()
            for sock in self._wake:
                sock.close()

    def _start(self) -> None:
        """Start the thread, if it does not run yet."""
        if self._thread is not None:
            return
        with contextlib.ExitStack() as unless_started:
            selector = unless_started.enter_context(selectors.DefaultSelector())
            wake = socket.socketpair()
            for sock in wake:
                unless_started.callback(sock.close)
                sock.setblocking(False)  # noqa: FBT003 -- the name of the method says it
            selector.register(wake[0], selectors.EVENT_READ)
            unless_started.pop_all()
        self._selector, self._wake = selector, wake
        self._thread = threading.Thread(target=self._run, name="circuits")
        self._thread.start()

    def _rouse(self) -> None:
        with contextlib.suppress(BlockingIOError):  # then it has been roused already
            self._wake[1].send(b"x")

    def _run(self) -> None:
        looked = time.monotonic()
        while not self._stopping:
            ready = {key.data for key, _ in self._selector.select(_LOOK)}
            if None in ready:
                self._wake[0].recv(4096)
                with self._lock:
                    new, self._new = self._new, []
                for pair in new:
                    self._begin(pair)
                    ready.add(pair)
            for pair in ready - {None}:
                if pair in self._pairs:
                    self._move(pair)
            now = time.monotonic()
            if now - looked >= _LOOK:
                looked = now
                for pair in list(self._pairs):
                    self._look(pair, now)
        for pair in [*self._pairs, *self._new]:
            self._end(pair, None)

    def _begin(self, pair: _Pair) -> None:
        self._pairs.add(pair)
        for side in Side:
            self._selector.register(pair.ends[side], selectors.EVENT_READ, pair)

    def _move(self, pair: _Pair) -> None:
        try:
            going = pair.move()
        except OSError:
            self._end(pair, None)
            return
        if not going:
            self._end(pair, Over.OCTETS if pair.passed >= pair.octets else None)
            return
        if pair.passed >= pair.octets:
            pair.told = True
            if not any(pair.account.waiting(side) for side in Side):
                self._end(pair, Over.OCTETS)
                return
        self._arm(pair)

    def _arm(self, pair: _Pair) -> None:
        """Let the selector tell what is wanted now, and no more."""
        known = self._selector.get_map()
        for side in Side:
            sock, events = pair.ends[side], pair.wanted(side)
            armed = known.get(sock)
            if armed is None:
                if events:
                    self._selector.register(sock, events, pair)
            elif not events:
                self._selector.unregister(sock)
            elif armed.events != events:
                self._selector.modify(sock, events, pair)

    def _look(self, pair: _Pair, now: float) -> None:
        over = pair.account.advance(now)
        if over is Over.OCTETS:
            pair.told = True
        elif over is not None:
            self._end(pair, over)

    def _end(self, pair: _Pair, over: Over | None) -> None:
        self._pairs.discard(pair)
        known = self._selector.get_map()
        for side in Side:
            if pair.ends[side] in known:
                self._selector.unregister(pair.ends[side])
        pair.close()
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._call(pair.ended, over, pair.passed)
