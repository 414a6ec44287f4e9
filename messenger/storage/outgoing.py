"""Files that a person chose to send: what they are, and their contents as one stream.

A symbolic link that a person chose by itself is followed, and sent under its own name. One that is
inside a chosen folder is left out and named: followed, it could lead out of the folder, or round in
it. Sockets, pipes and devices are left out too.

A source is the same as long as size and time of change are. Its number on the disk counts too, but
not where times are coarse: file systems of cards and sticks (FAT, exFAT) make up new numbers.
"""

import errno
import os
import re
import stat
from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final, Self

import msgspec

from messenger.core import file_limits
from messenger.core.errors import (
    FileError,
    LocalProtocolError,
    SourceChanged,
    SourceGone,
    SourceUnreadable,
    StorageBug,
    TooManyFiles,
)
from messenger.core.file_choice import LeftOut, WhyNot
from messenger.core.file_entries import Entry, Span, encode, spans, starts
from messenger.core.file_names import LocalName, numbered
from messenger.storage.landing_place import is_link, read_at

_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that took the name must not make us wait
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
_OTHER: Final = frozenset({errno.ELOOP, errno.EMLINK, errno.ENXIO})
"""A link or a socket is there, where a file was."""
_COARSE: Final = 10_000_000
"""Nanoseconds in which exFAT counts; FAT counts in 2 s."""
_BLOCK: Final = 512
"""What `st_blocks` counts in, on every system."""
_HOLES_FROM: Final = 1024 * 1024
"""Files are looked through for holes if so much of them seems to be missing."""
_HOLES_MAX: Final = 10_000
_UNDECODED: Final = re.compile("[\ud800-\udfff]")
_INSTEAD: Final = "\ufffd"
_DISK: Final = "disk"


class Source(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where the content of an entry is, and what it was when it was offered."""

    path: bytes
    """In the form of `os.fsencode`; empty for a folder."""
    size: int
    modified_ns: int
    inode: int

    def __repr__(self) -> str:
        return f"Source({self.size} bytes)"


class Outgoing(msgspec.Struct, frozen=True):
    """What `gather` found."""

    entries: tuple[Entry, ...]
    sources: tuple[Source, ...]
    """One for each entry."""
    left_out: tuple[LeftOut, ...]
    stored: int
    """Bytes that the files take up without their holes: what the other side needs room for."""


_DECODER: Final = msgspec.msgpack.Decoder(list[Source])
_FOLDER: Final = Source(b"", 0, 0, 0)


def gather(paths: Sequence[Path]) -> Outgoing:
    """List what a person chose: files and folders with all that is in them, always in the same order.

    Two of the same name get " (2)". What cannot be sent is left out and named; there may be nothing else.

    Raises:
        TooManyFiles: More than `file_limits` allows for one transfer.
    """
    search = _Search()
    for path in dict.fromkeys(path.absolute() for path in paths):
        search.choose(path)
    return search.found()


def encode_sources(sources: Sequence[Source]) -> bytes:
    """Sources as they are kept in the database; `decode_sources` reads them."""
    return msgspec.msgpack.encode(sources)


def decode_sources(data: bytes) -> tuple[Source, ...]:
    """Read what `encode_sources` wrote.

    Raises:
        StorageBug: It is something else.
    """
    try:
        return tuple(_DECODER.decode(data))
    except msgspec.DecodeError as e:
        raise StorageBug("sources that cannot be read") from e


class OutgoingReader:
    """The contents of a list of sources as one stream; used by one thread at a time.

    At most `file_limits.FILES_OPEN` files are open.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._starts = starts(source.size for source in sources)
        self._open: OrderedDict[int, int] = OrderedDict()
        self._last = (0, 0, -1)
        """Where in the stream the file that was read last begins and ends, and the open file."""

    @property
    def size(self) -> int:
        """Bytes of the stream."""
        return self._starts[-1]

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer with what is in the stream from an offset on; no copy is made on the way.

        A source is compared with what was offered when it is opened, and again when its last byte
        has been read.

        Args:
            offset: Place in the stream; offset and length of the buffer lie within `size`.
            buffer: Bytes that can be written to.

        Raises:
            SourceChanged, SourceGone, SourceUnreadable: The buffer may be partly filled.
            StorageBug: It is not within the stream.
        """
        begin, end, file = self._last
        if begin <= offset and offset + len(buffer) < end:  # in the middle of the file that was read last
            try:
                if read_at(file, buffer, offset - begin) == len(buffer):
                    return
            except OSError as e:
                raise _refusal(e) from e
        if offset < 0 or offset + len(buffer) > self.size:
            raise StorageBug("outside of the stream")
        for span in spans(self._starts, offset, len(buffer)):
            try:
                self._read_span(span, buffer)
            except OSError as e:
                raise _refusal(e) from e

    def close(self) -> None:
        """Close all files; reading goes on with opening them again."""
        self._last = (0, 0, -1)
        while self._open:
            os.close(self._open.popitem()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_span(self, span: Span, buffer: memoryview) -> None:
        source, file = self._sources[span.entry], self._file(span.entry)
        at, part = span.inside, buffer[span.begin : span.end]
        while part:
            count = read_at(file, part, at)
            if not count:
                raise SourceChanged("shorter than it was")
            at, part = at + count, part[count:]
        begin = self._starts[span.entry]
        self._last = (begin, begin + source.size, file)
        if at == source.size:
            self._last = (0, 0, -1)
            _compare(source, os.fstat(file))
            os.close(self._open.pop(span.entry))  # who reads in order is done with it

    def _file(self, index: int) -> int:
        file = self._open.get(index)
        if file is not None:
            self._open.move_to_end(index)
            return file
        self._last = (0, 0, -1)  # it may be the one that is closed for this one
        source = self._sources[index]
        file = os.open(source.path, _FLAGS)
        try:
            _compare(source, os.fstat(file))
        except FileError:
            os.close(file)
            raise
        self._open[index] = file
        if len(self._open) > file_limits.FILES_OPEN:
            os.close(self._open.popitem(last=False)[1])
        return file


class _Search:
    """Walks through what was chosen and collects it."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._sources: list[Source] = []
        self._left_out: list[LeftOut] = []
        self._tops: dict[str, int] = {}
        self._size = 0
        self._stored = 0

    def found(self) -> Outgoing:
        if self._entries:
            try:
                encode(self._entries)
            except LocalProtocolError as e:
                raise TooManyFiles("too much to list") from e
        return Outgoing(tuple(self._entries), tuple(self._sources), tuple(self._left_out), self._stored)

    def choose(self, path: Path) -> None:
        """Take one thing that a person chose; a link is followed."""
        name = _told(path.name or path.drive.rstrip(":\\") or _DISK)
        try:
            real = os.path.realpath(path, strict=True)
            state = os.lstat(real)
        except OSError as e:
            self._leave((name,), _why(e))
            return
        self._take(os.fsencode(real), (), _unique(name, self._tops, state), state)

    def _take(self, real: bytes, parent: tuple[str, ...], name: str, state: os.stat_result) -> None:
        path = (*parent, name)
        if is_link(state):
            self._leave(path, WhyNot.LINK)
        elif stat.S_ISDIR(state.st_mode):
            self._take_folder(real, path, state)
        elif stat.S_ISREG(state.st_mode):
            self._take_file(real, path, state)
        else:
            self._leave(path, WhyNot.SPECIAL)

    def _take_file(self, real: bytes, path: tuple[str, ...], state: os.stat_result) -> None:
        try:
            file = os.open(real, _FLAGS)
        except OSError as e:
            self._leave(path, _why(e))
            return
        try:
            self._stored += _stored(file, state)
        finally:
            os.close(file)
        runs = os.name == "posix" and bool(state.st_mode & stat.S_IXUSR)
        entry = Entry(path, state.st_size, _modified(state), executable=runs, folder=False)
        self._add(entry, Source(real, state.st_size, state.st_mtime_ns, state.st_ino))

    def _take_folder(self, real: bytes, path: tuple[str, ...], state: os.stat_result) -> None:
        try:
            inside = _names(real)
        except OSError as e:
            self._leave(path, _why(e))
            return
        if inside and len(path) == file_limits.DEPTH_MAX:
            raise TooManyFiles("too deep")
        self._add(Entry(path, 0, _modified(state), executable=False, folder=True), _FOLDER)
        names: dict[str, int] = {}
        for raw in inside:
            name, each = _told(os.fsdecode(raw)), os.path.join(real, raw)  # noqa: PTH118 -- bytes
            try:
                inner = os.lstat(each)
            except OSError as e:
                self._leave((*path, name), _why(e))
            else:
                self._take(each, path, _unique(name, names, inner), inner)

    def _add(self, entry: Entry, source: Source) -> None:
        self._size += entry.size
        if len(self._entries) == file_limits.ENTRIES_MAX or self._size > file_limits.FILE_SIZE_MAX:
            raise TooManyFiles("too many")
        self._entries.append(entry)
        self._sources.append(source)

    def _leave(self, path: tuple[str, ...], why: WhyNot) -> None:
        if len(self._left_out) == file_limits.ENTRIES_MAX:
            raise TooManyFiles("too many")
        self._left_out.append(LeftOut("/".join(path), why))


def _names(folder: bytes) -> list[bytes]:
    """What is in a folder, in the order of the bytes."""
    with os.scandir(folder) as inside:
        names = [each.name for each in islice(inside, file_limits.ENTRIES_MAX + 1)]
    if len(names) > file_limits.ENTRIES_MAX:
        raise TooManyFiles("too many")
    return sorted(names)


def _told(name: str) -> str:
    """A name as text; what is no text in it cannot be told."""
    return _UNDECODED.sub(_INSTEAD, name)


def _unique(name: str, taken: dict[str, int], state: os.stat_result) -> str:
    """A name that is not taken yet, and take it."""
    number, free = taken.get(name, 0), name
    while number:
        number += 1
        free = numbered(LocalName(name), number, folder=stat.S_ISDIR(state.st_mode))
        if free not in taken:
            taken[name] = number
            break
    taken[free] = 1
    return free


def _modified(state: os.stat_result) -> int:
    return min(max(state.st_mtime_ns // 1_000_000, 0), file_limits.MODIFIED_MAX)


def _stored(file: int, state: os.stat_result) -> int:
    """Bytes of an open file without its holes."""
    size = state.st_size
    if size - getattr(state, "st_blocks", size) * _BLOCK < _HOLES_FROM or not hasattr(os, "SEEK_DATA"):
        return size
    data = at = 0
    try:
        for _ in range(_HOLES_MAX):
            begin = os.lseek(file, at, os.SEEK_DATA)
            at = os.lseek(file, begin, os.SEEK_HOLE)
            data += at - begin
    except OSError as e:  # nothing but a hole from there on, or a system that does not know holes
        return data if e.errno == errno.ENXIO else size
    return data + size - at


def _compare(source: Source, state: os.stat_result) -> None:
    """Refuse an open file that is not what was offered.

    Raises:
        SourceChanged: It is not.
    """
    if not stat.S_ISREG(state.st_mode):
        raise SourceChanged("no file any more")
    if (state.st_size, state.st_mtime_ns) != (source.size, source.modified_ns):
        raise SourceChanged("another size or time")
    if state.st_ino != source.inode and source.modified_ns % _COARSE:
        raise SourceChanged("another file")


def _why(fault: OSError) -> WhyNot:
    return WhyNot.GONE if fault.errno in _GONE else WhyNot.UNREADABLE


def _refusal(fault: OSError) -> FileError:
    """What a fault of the system means for a source; the system's text may hold its name."""
    kind = errno.errorcode.get(fault.errno or 0, "")
    if fault.errno in _GONE:
        return SourceGone(kind)
    return SourceChanged(kind) if fault.errno in _OTHER else SourceUnreadable(kind)
