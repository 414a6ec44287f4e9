"""What the two ends of a lane do with a file, each on a thread of its own (SPEC.md section 17.3).

All here blocks. While a job runs, the engine's loop only reads the numbers that it tells, takes what is fresh
for the journal, and may `stop` it.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from messenger.core import transfer_limits as limits
from messenger.core.errors import ConnectError, Reason, StorageError
from messenger.core.offering import Offering
from messenger.core.ranges import Ranges
from messenger.crypto.hashing import chunk_hasher
from messenger.net.lanes import Line
from messenger.protocol import lane_files
from messenger.protocol.lane_files import ChunkReader, Have, ManifestReader, Refused


class Reader(Protocol):
    """Where a stream comes from; see `messenger.storage.outgoing.OutgoingReader`."""

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer with what is in the stream from an offset on."""


class Writer(Protocol):
    """Where a stream goes; see `messenger.storage.landing.Landing`."""

    def write(self, offset: int, *pieces: memoryview) -> None:
        """Write a part of the stream, which is in one or more pieces."""


class Throttle:
    """Bounds the speed of all who share it; any thread may use it.

    Args:
        rate: Bytes a second; 0 for no bound.
    """

    def __init__(self, rate: int = 0) -> None:
        self.rate = rate
        self._turn = threading.Lock()
        self._next = 0.0

    def delay(self, size: int) -> float:
        """Count some bytes; how many seconds to wait before they are moved."""
        rate = self.rate
        if not rate:
            return 0.0
        with self._turn:
            now = time.monotonic()
            at = max(self._next, now)
            self._next = at + size / rate
            return at - now

    @property
    def piece(self) -> int:
        """How many bytes to move at once, so that they do not come in jolts."""
        most = int(self.rate * limits.PIECE_FAST) if self.rate else limits.PIECE_MAX
        return min(max(most, limits.PIECE_LEAST), limits.PIECE_MAX)


class Job:
    """One end of one lane.

    Args:
        line: The lane.
        throttles: Bound its speed.
    """

    def __init__(self, line: Line, throttles: tuple[Throttle, ...] = ()) -> None:
        self.line = line
        self.moved = 0
        """Bytes of files that this lane has carried."""
        self._throttles = throttles
        self._stopped = threading.Event()

    def stop(self) -> None:
        """From another thread: end soon; whoever waits for the other end is woken."""
        if not self._stopped.is_set():
            self._stopped.set()
            self.line.abort()

    @property
    def stopped(self) -> bool:
        """It was told to end."""
        return self._stopped.is_set()

    def _pace(self, size: int) -> None:
        for throttle in self._throttles:
            if throttle.rate:
                self._stopped.wait(throttle.delay(size))
        self._check()

    def _check(self) -> None:
        if self._stopped.is_set():
            raise ConnectError(Reason.STOPPING)


class Sending(Job):
    """The end that has the files.

    Args:
        line: The lane.
        transfer: Id by which both know the transfer, 16 bytes.
        offering: What was offered.
        reader: The files.
        known: Chunks whose hashes are in the journal.
        throttles: Bound the speed.
    """

    def __init__(
        self,
        line: Line,
        transfer: bytes,
        offering: Offering,
        reader: Reader,
        known: Ranges,
        throttles: tuple[Throttle, ...] = (),
    ) -> None:
        super().__init__(line, throttles)
        self._transfer = transfer
        self._offering = offering
        self._reader = reader
        self._known = known
        self.fresh: list[tuple[int, bytes]] = []
        """Number and hash of chunks that were read, for the journal, which takes them out."""
        self.done = 0
        """Bytes that are at the other end as far as is known here."""
        self._size = limits.PIECE_FIRST

    def begin(self) -> Have:
        """Say what this is about, and hear what is there.

        Raises:
            OSError, ProtocolError: The lane has broken. Refused: They do not keep to the rules.
            ConnectError: It was stopped, or they said goodbye.
        """
        self.line.send(lane_files.begin(self._transfer))
        told = self.line.receive()
        if told is None:
            raise ConnectError(Reason.CLOSED)
        have = lane_files.read_have(told, self._offering)
        missing = sum(
            self._offering.chunk_size(end - 1) + (end - 1 - first) * limits.CHUNK
            for first, end in have.held.gaps(self._offering.chunks)
        )
        self.done = self._offering.size - missing + have.begun
        return have

    def run(self, have: Have, manifest: Callable[[], bytes]) -> None:
        """Send all that they lack, and read again what is not in the journal here.

        Raises:
            OSError, ProtocolError, ConnectError: As for `begin`.
            FileError: A file is not what was offered.
        """
        if not have.manifest:
            for piece in lane_files.manifest_pieces(manifest()):
                self._check()
                self.line.send(piece)
        for first, end in have.held.common(self._known).gaps(self._offering.chunks):
            for index in range(first, end):
                if index in have.held:
                    self._hash(index)
                else:
                    self._send(index, have.begun if index == have.partial else 0)

    def finish(self, root: bytes) -> None:
        """Tell what proves all of it, and say goodbye.

        Raises:
            OSError, ProtocolError: The lane broke before their goodbye came: perhaps not all is there.
        """
        self.line.send(lane_files.finish(root))
        self.line.goodbye()

    def _send(self, index: int, start: int) -> None:
        size, offset = self._offering.chunk_size(index), index * limits.CHUNK
        hasher, line, room, at = chunk_hasher(), self.line, self.line.room, 0
        while at < start:
            piece = room[: min(limits.PIECE_MAX, start - at)]
            self._reader.read_into(offset + at, piece)
            hasher.update(piece)
            at += len(piece)
        line.send(lane_files.chunk(index, start))
        read_into, update, clock = self._reader.read_into, hasher.update, time.monotonic
        paced = any(throttle.rate for throttle in self._throttles)
        self._check()
        while at < size:
            most = self._size if not paced else min(self._size, *(t.piece for t in self._throttles))
            piece = room[: min(most, size - at)]
            length = len(piece)
            if paced:
                self._pace(length)
            read_into(offset + at, piece)
            update(piece)
            began = clock()
            line.send_piece(length)
            took = clock() - began
            if self._size < limits.PIECE_MAX or took > limits.PIECE_SLOW:
                self._adapt(took)
            at += length
            self.moved += length
            self.done += length
        hash_ = hasher.digest()
        line.send(lane_files.end(hash_))
        if index not in self._known:
            self.fresh.append((index, hash_))

    def _adapt(self, took: float) -> None:
        """A slow line gets small records, so that each is there in time."""
        if took < limits.PIECE_FAST:
            self._size = min(self._size * 2, limits.PIECE_MAX)
        elif took > limits.PIECE_SLOW:
            self._size = max(self._size // 2, limits.PIECE_LEAST)

    def _hash(self, index: int) -> None:
        """They have a chunk whose hash was lost here before it was noted."""
        size, offset = self._offering.chunk_size(index), index * limits.CHUNK
        hasher, room, at = chunk_hasher(), self.line.room, 0
        while at < size:
            self._check()
            piece = room[: min(limits.PIECE_MAX, size - at)]
            self._reader.read_into(offset + at, piece)
            hasher.update(piece)
            at += len(piece)
        self.fresh.append((index, hasher.digest()))


class Receiving(Job):
    """The end that gets the files.

    Args:
        line: The lane.
        throttles: Bound the speed.
    """

    def manifest(self, have: Have, size: int) -> bytes:
        """Tell what is here, which is no list of files, and wait for it.

        Raises:
            OSError, ProtocolError, ConnectError: As for `Sending.begin`.
        """
        self.line.send(lane_files.have(have))
        reader = ManifestReader(size)
        while True:
            whole = reader.take(self._word())
            if whole is not None:
                return whole

    def tell(self, have: Have) -> None:
        """Tell what is here."""
        self.line.send(lane_files.have(have))

    def run(self, chunks: ChunkReader, writer: Writer) -> bytes:
        """Take all that comes, to its end; returns what the sender says to prove all of it.

        Raises:
            OSError, ProtocolError, ConnectError: As for `Sending.begin`.
            StorageError: The disk refused.
        """
        while chunks.root is None:
            if chunks.left:
                self._pieces(chunks, writer)
            else:
                chunks.word(self._word())
        if self.line.receive() is not None:
            raise Refused("more after the end")
        return chunks.root

    def _pieces(self, chunks: ChunkReader, writer: Writer) -> None:
        """Take what has come of a chunk, and write it with one call.

        What has been counted is written, whatever happens between: the next lane goes on behind it.
        """
        content = self._word()
        offset, pieces, size = chunks.data(content), [content], len(content)
        most = 1 if any(throttle.rate for throttle in self._throttles) else limits.PIECES_AT_ONCE
        try:
            while len(pieces) < most and chunks.left and (more := self.line.at_hand()) is not None:
                chunks.data(more)
                pieces.append(more)
                size += len(more)
        finally:
            try:
                writer.write(offset, *pieces)
            except StorageError:
                chunks.forget_part()
                raise
        self.moved += size
        self._pace(size)

    def _word(self) -> memoryview:
        self._check()
        content = self.line.receive()
        if content is None:
            raise ConnectError(Reason.CLOSED)
        return content
