"""What is said on a lane that carries files (SPEC.md section 17.3), and what may be said when.

The content of each PACKET is one byte of kind and fixed fields, except that after a CHUNK exactly as many
bytes as are left of that chunk follow, as they are, in records of any size.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final

import msgspec

from messenger.core import limits, transfer_limits
from messenger.core.errors import RemoteProtocolError
from messenger.core.ids import MESSAGE_ID_SIZE
from messenger.core.offering import Offering
from messenger.core.ranges import Ranges
from messenger.crypto.aead import Buffer
from messenger.crypto.hashing import HASH_SIZE, Hasher, chunk_hasher
from messenger.crypto.hkdf import equal
from messenger.protocol.wire import Fields

_NONE: Final = 2**32 - 1
"""In place of the number of a chunk: none."""

_COUNT: Final = 4
_PAIR: Final = 2 * _COUNT


class LaneKind(IntEnum):
    """First byte of what is said on a lane."""

    BEGIN = 1
    HAVE = 2
    MANIFEST = 3
    CHUNK = 4
    END = 5
    FINISH = 6


class Refused(RemoteProtocolError):
    """The other side, whoever holds its keys, breaks the rules of a transfer: it is not tried again."""


class Have(msgspec.Struct, frozen=True):
    """What the receiver has."""

    manifest: bool
    """It has the list of files."""
    held: Ranges
    """Whole chunks that it has."""
    partial: int | None = None
    """A chunk of which it has the beginning …"""
    begun: int = 0
    """… and how many bytes of it."""


def begin(transfer: bytes) -> bytes:
    """The first word of whoever sends files: which transfer this lane is for, by its 16-byte id."""
    return bytes((LaneKind.BEGIN,)) + transfer


def read_begin(content: Buffer) -> bytes:
    """Read what `begin` wrote.

    Raises:
        Refused: It is something else.
    """
    return _fields(content, LaneKind.BEGIN, MESSAGE_ID_SIZE).fixed(MESSAGE_ID_SIZE)


def have(told: Have) -> bytes:
    """The answer of whoever receives them; of too many runs of chunks only the first are told."""
    runs = list(told.held)[: transfer_limits.RANGES_MAX]
    partial = _NONE if told.partial is None else told.partial
    head = bytes((LaneKind.HAVE, told.manifest)) + _u32(partial) + _u32(told.begun)
    return head + b"".join(_u32(first) + _u32(end) for first, end in runs)


def read_have(content: Buffer, offering: Offering) -> Have:
    """Read what `have` wrote.

    Raises:
        Refused: It is something else, or does not fit to what was offered.
    """
    count = max(len(content) - 2 - _PAIR, 0) // _PAIR
    fields = _fields(content, LaneKind.HAVE, 1 + _PAIR + count * _PAIR)
    manifest, partial, begun = fields.number(1), fields.number(_COUNT), fields.number(_COUNT)
    if manifest > 1 or count > transfer_limits.RANGES_MAX:
        raise Refused("malformed HAVE")
    runs, last = [], -1
    for _ in range(count):
        first, end = fields.number(_COUNT), fields.number(_COUNT)
        if not last < first < end <= offering.chunks:
            raise Refused("chunks that do not exist, or in disorder")
        runs.append((first, end))
        last = end
    held = Ranges(runs)
    if partial == _NONE:
        if begun:
            raise Refused("a part of no chunk")
        return Have(bool(manifest), held)
    if partial >= offering.chunks or partial in held or not 0 < begun <= offering.chunk_size(partial):
        raise Refused("a part of a chunk that cannot be")
    return Have(bool(manifest), held, partial, begun)


def manifest_pieces(data: bytes) -> Iterator[bytes]:
    """The list of files, in pieces."""
    most = limits.RECORD_CONTENT_MAX - 1
    for start in range(0, len(data), most):
        yield bytes((LaneKind.MANIFEST,)) + data[start : start + most]


def chunk(index: int, start: int) -> bytes:
    """What comes before the bytes of a chunk.

    Args:
        index: Its number.
        start: How many of its bytes are left out at its beginning.
    """
    return bytes((LaneKind.CHUNK,)) + _u32(index) + _u32(start)


def end(hash_: bytes) -> bytes:
    """What comes after the bytes of a chunk: its hash, those at its beginning included."""
    return bytes((LaneKind.END,)) + hash_


def finish(root: bytes) -> bytes:
    """Everything has been sent; the hash over the hashes of all chunks."""
    return bytes((LaneKind.FINISH,)) + root


class ManifestReader:
    """Collects the list of files.

    Args:
        size: Bytes that it has by the offer.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._data = bytearray()

    def take(self, content: Buffer) -> bytes | None:
        """Take a piece; the whole list when it is there.

        Raises:
            Refused: It is no piece of a list, or more than was offered.
        """
        if len(content) < 2 or content[0] != LaneKind.MANIFEST or len(self._data) >= self._size:
            raise Refused("no piece of a list of files")
        self._data += content[1:]
        if len(self._data) > self._size:
            raise Refused("a longer list of files than was offered")
        return bytes(self._data) if len(self._data) == self._size else None


class ChunkReader:
    """What a receiver takes, and from where; it goes on with the same one on the next lane.

    Args:
        offering: What was offered.
        held: Chunks that are here already; those that come are added.
    """

    def __init__(self, offering: Offering, held: Ranges) -> None:
        self._offering = offering
        self.held = held
        self.fresh: list[tuple[int, bytes]] = []
        """Number and hash of chunks that have come, for the journal, which takes them out."""
        self.left = 0
        """Bytes that must come before the next word."""
        self.root: bytes | None = None
        """What FINISH said."""
        self._index: int | None = None
        self._at = 0
        self._open = False
        self._hash: Hasher = chunk_hasher()

    @property
    def done(self) -> int:
        """Bytes that are here, the begun chunk included."""
        last = self._offering.chunks - 1
        missing = transfer_limits.CHUNK - self._offering.chunk_size(last) if last in self.held else 0
        return len(self.held) * transfer_limits.CHUNK - missing + (self._at if self._index is not None else 0)

    def resume(self, *, manifest: bool) -> Have:
        """A lane begins: what is here. What a lane before has not ended is gone on with."""
        self.left, self._open, self.root = 0, False, None
        if self._index is None or not self._at:
            self.forget_part()
            return Have(manifest, self.held)
        return Have(manifest, self.held, self._index, self._at)

    def forget_part(self) -> None:
        """What has come of a chunk that is not whole does not count."""
        self._index, self._at, self.left, self._open = None, 0, 0, False

    def data(self, content: memoryview) -> int:
        """Take bytes of a chunk, while `left` is not 0.

        Returns:
            Where in the stream they belong; write them there.

        Raises:
            Refused: None, or more than are left.
        """
        size = len(content)
        if not 0 < size <= self.left or self._index is None:
            raise Refused("more bytes than the chunk has")
        self._hash.update(content)
        offset = self._index * transfer_limits.CHUNK + self._at
        self._at += size
        self.left -= size
        return offset

    def word(self, content: Buffer) -> None:
        """Take a CHUNK, an END or a FINISH, while `left` is 0; see `root`.

        Raises:
            Refused: It is none of them, or not one that may come now.
        """
        if not content:
            raise Refused("an empty word")
        match content[0]:
            case LaneKind.CHUNK:
                self._on_chunk(_fields(content, LaneKind.CHUNK, _PAIR))
            case LaneKind.END:
                self._on_end(_fields(content, LaneKind.END, HASH_SIZE))
            case LaneKind.FINISH:
                self._on_finish(_fields(content, LaneKind.FINISH, HASH_SIZE))
            case _:
                raise Refused("not a word of this lane")

    def _on_chunk(self, fields: Fields) -> None:
        index, start = fields.number(_COUNT), fields.number(_COUNT)
        if self._open or self.root is not None or index >= self._offering.chunks or index in self.held:
            raise Refused("a chunk that was not asked for")
        if start and (index, start) != (self._index, self._at):
            raise Refused("a part of a chunk that was not asked for")
        if not start:
            self._hash, self._at = chunk_hasher(), 0
        self._index, self._open = index, True
        self.left = self._offering.chunk_size(index) - start

    def _on_end(self, fields: Fields) -> None:
        hash_ = fields.fixed(HASH_SIZE)
        index, own = self._index, self._hash.digest()
        if index is None or not self._open:
            raise Refused("the end of no chunk")
        self.forget_part()
        if not equal(own, hash_):
            raise Refused("a chunk with another hash")
        self.held.add(index)
        self.fresh.append((index, own))

    def _on_finish(self, fields: Fields) -> None:
        root = fields.fixed(HASH_SIZE)
        if self._open or self.root is not None or len(self.held) != self._offering.chunks:
            raise Refused("an end before everything is here")
        self.root = root


def _fields(content: Buffer, kind: LaneKind, size: int) -> Fields:
    data = bytes(content)
    if len(data) != 1 + size or data[0] != kind:
        raise Refused("another word than was to come")
    return Fields(data[1:])


def _u32(number: int) -> bytes:
    return number.to_bytes(_COUNT, "big")
