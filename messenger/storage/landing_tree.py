"""The files of a transfer in the hidden folder where they grow."""

import errno
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from messenger.core import file_limits
from messenger.core.errors import StagingLost, StorageBug
from messenger.core.file_entries import Entry, Span, starts
from messenger.core.file_names import LocalName, folded, local_paths
from messenger.storage.landing_disk import sync_all, sync_file
from messenger.storage.landing_place import Place, read_at, write_all_at, write_at

_TOP: Final = -1
_NOTHING: Final = (0, -1, -1, -1)
_ZEROS: Final = bytes(1024 * 1024)
_HOLE_MIN: Final = 4096
"""Shorter runs of zeros are written: no file system has holes as small."""
_OPEN_MODE: Final = 0o644
_RUN_MODE: Final = 0o755
_OWNER_FILE: Final = 0o600
_OWNER_FOLDER: Final = 0o700


class Tree:
    """Folders and files by the number of their entry.

    Used by one thread at a time, but for `sync`. At most `file_limits.FILES_OPEN` files, and as many
    folders, are open. Where nothing else is said, what is raised is `OSError`.

    Args:
        top: The open folder that the tree is in; its rights say what others may do with the files.
        entries: A checked list.
        found: Whether what is there already belongs to it.
    """

    def __init__(self, top: Place, entries: Sequence[Entry], *, found: bool) -> None:
        self.paths: Final = local_paths(entries)
        """Where each entry is."""
        self.starts: Final = starts(entry.size for entry in entries)
        """Where in the stream the content of each begins, and where the stream ends."""
        self._top = top
        self._entries = entries
        numbers = {path: number for number, path in enumerate(self.paths)}
        self._parents = [numbers.get(path[:-1], _TOP) for path in self.paths]
        self._places: OrderedDict[int, Place] = OrderedDict()
        self._files: OrderedDict[int, int] = OrderedDict()
        self._there = bytearray(len(entries))
        self._settled = bytearray(len(entries))
        self._rights = top.rights()
        self._lock = threading.Lock()
        self._dirty: set[int] = set()
        self._grown: set[int] = set()
        self._last = _NOTHING
        """Where in the stream the file that was written last begins and ends, its number, and it, open."""
        if found:
            self._look()

    def tops(self) -> list[tuple[LocalName, bool]]:
        """The outermost ones in the order of the list, and whether each is a folder."""
        pairs = zip(self.paths, self._entries, strict=True)
        return [(path[0], entry.folder) for path, entry in pairs if len(path) == 1]

    def holds(self, span: Span) -> bool:
        """Whether there is as much of a file as this part of it needs."""
        number = span.entry
        if not self._there[number]:
            return False
        file = self._file(number)
        return os.fstat(file).st_size >= span.inside + span.end - span.begin

    def write(self, span: Span, data: memoryview) -> None:
        """Write a part of a file; the file is made when nothing of it is there."""
        number, size = span.entry, self._entries[span.entry].size
        if len(data) == size and not self._there[number]:
            file = self._new_file(number)
            try:
                _put(file, data, 0)
                self._settle(number, file)
            except OSError:
                self._keep(number, file)
                raise
            os.close(file)  # who has it whole is done with it
        else:
            self._settled[number] = False
            file = self._file(number)
            _put(file, data, span.inside)
            begin = self.starts[number]
            self._last = (begin, begin + size, number, file)
        with self._lock:
            self._dirty.add(number)

    def write_on(self, offset: int, pieces: Sequence[memoryview], size: int) -> bool:
        """Write more of the file that was written last, with one call.

        Args:
            offset: Place in the stream.
            pieces: Bytes, one piece behind the other.
            size: Bytes of all of them.

        Returns:
            False if a closer look is needed: not all was written, or nothing.
        """
        begin, end, number, file = self._last
        if not (begin <= offset and offset + size <= end) or not all(map(_is_plain, pieces)):
            return False
        whole = write_all_at(file, pieces, offset - begin) == size
        with self._lock:
            self._dirty.add(number)
        return whole

    def read(self, span: Span, buffer: memoryview) -> None:
        """Read a part of a file.

        Raises:
            StagingLost: It is not there.
        """
        if not self._there[span.entry]:
            raise StagingLost("no file")
        file, at = self._file(span.entry), span.inside
        while buffer:
            count = read_at(file, buffer, at)
            if not count:
                raise StagingLost("a file is too short")
            at, buffer = at + count, buffer[count:]

    def complete(self) -> None:
        """Make what the stream has no bytes of, and give everything its rights and times.

        Raises:
            StorageBug: Not everything has been written.
            StagingLost: A file has not the size that it should have.
        """
        for number, entry in enumerate(self._entries):
            if entry.folder:
                self._place(number)
            elif not self._settled[number]:
                if entry.size and not self._there[number]:
                    raise StorageBug("a file was never written")
                file = self._file(number)
                if os.fstat(file).st_size != entry.size:
                    raise StagingLost("a file has another size")
                self._settle(number, file)
                with self._lock:
                    self._dirty.add(number)
        for number in reversed(range(len(self._entries))):
            entry = self._entries[number]
            if entry.folder:  # what is in it is done by now and changes its time no more
                mode = _RUN_MODE & self._rights | _OWNER_FOLDER
                self._place(number).settle_itself(mode, entry.modified_ms)
                self._grown.add(number)

    def sync(self) -> None:
        """Make durable all that was written before; if it fails, it is not known what is."""
        with self._lock:
            files, self._dirty = self._dirty, set()
            folders, self._grown = self._grown, set()
        try:
            if len(files) + len(folders) <= file_limits.SYNC_EACH or not sync_all(self._top.handle):
                self._sync_each(files, folders)
        except OSError:
            with self._lock:
                self._dirty |= files
                self._grown |= folders
            raise

    def close(self) -> None:
        """Close all but the top; going on opens them again."""
        self._last = _NOTHING
        while self._files:
            os.close(self._files.popitem()[1])
        while self._places:
            self._places.popitem()[1].close()

    def _look(self) -> None:
        """Find out what is there; a system may spell a name in another form."""
        names = {_TOP: frozenset(map(folded, self._top.names()))}
        for number, entry in enumerate(self._entries):
            if folded(self.paths[number][-1]) in names.get(self._parents[number], ()):
                self._there[number] = True
                if entry.folder:
                    names[number] = frozenset(map(folded, self._place(number).names()))

    def _place(self, number: int) -> Place:
        """An open folder; made if it is not there."""
        if number == _TOP:
            return self._top
        place = self._places.get(number)
        if place is not None:
            self._places.move_to_end(number)
            return place
        parent, name = self._place(self._parents[number]), self.paths[number][-1]
        if not self._there[number]:
            parent.make_folder(name)
            self._made(number)
        place = self._places[number] = parent.folder(name)
        if len(self._places) > file_limits.FILES_OPEN:
            self._places.popitem(last=False)[1].close()
        return place

    def _file(self, number: int) -> int:
        """An open file; made if it is not there."""
        file = self._files.get(number)
        if file is not None:
            self._files.move_to_end(number)
            return file
        if self._there[number]:
            file = self._place(self._parents[number]).file(self.paths[number][-1])
        else:
            file = self._new_file(number)
        return self._keep(number, file)

    def _keep(self, number: int, file: int) -> int:
        self._files[number] = file
        self._last = _NOTHING  # it may be the one that is closed for this one
        if len(self._files) > file_limits.FILES_OPEN:
            os.close(self._files.popitem(last=False)[1])
        return file

    def _new_file(self, number: int) -> int:
        file = self._place(self._parents[number]).new_file(self.paths[number][-1])
        self._made(number)
        return file

    def _made(self, number: int) -> None:
        self._there[number] = True
        with self._lock:
            self._grown.add(self._parents[number])

    def _settle(self, number: int, file: int) -> None:
        entry = self._entries[number]
        mode = (_RUN_MODE if entry.executable else _OPEN_MODE) & self._rights | _OWNER_FILE
        place = self._place(self._parents[number])
        place.settle(self.paths[number][-1], file, mode, entry.modified_ms)
        self._settled[number] = True
        self._last = _NOTHING  # what is written to it after this unsettles it

    def _sync_each(self, files: Iterable[int], folders: Iterable[int]) -> None:
        """One after another, each found anew from the top, because the others are not this thread's."""
        for number in files:
            with _Way(self._top, self.paths[number][:-1]) as place:
                file = place.file(self.paths[number][-1])
            try:
                sync_file(file)
            finally:
                os.close(file)
        for number in folders:
            with _Way(self._top, self.paths[number] if number != _TOP else ()) as place:
                place.sync()


class _Way:
    """Opens a folder by its path below another, and closes it."""

    def __init__(self, top: Place, path: Sequence[str]) -> None:
        self._place = top
        self._top = top
        for name in path:
            try:
                place = self._place.folder(name)
            finally:
                self._close()
            self._place = place

    def _close(self) -> None:
        if self._place is not self._top:
            self._place.close()

    def __enter__(self) -> Place:
        return self._place

    def __exit__(self, *_: object) -> None:
        self._close()


def _put(file: int, data: memoryview, at: int) -> None:
    """Write all of something, unless it is zeros and so is what is there: a hole takes no room."""
    if len(data) >= _HOLE_MIN and _is_zeros(data) and _is_hole(file, at, len(data)):
        if os.fstat(file).st_size < at + len(data):
            os.ftruncate(file, at + len(data))
        return
    while data:
        count = write_at(file, data, at)
        at, data = at + count, data[count:]


def _is_plain(data: memoryview) -> bool:
    """Whether something cannot be all zeros, by a look at its ends; true of nearly everything else."""
    return bool(data and (data[0] or data[-1]))


def _is_zeros(data: memoryview) -> bool:
    if _is_plain(data):  # the rest of this costs more than it looks
        return False
    step = len(_ZEROS)
    return all(_ZEROS.startswith(data[at : at + step]) for at in range(0, len(data), step))


def _is_hole(file: int, at: int, length: int) -> bool:
    """Whether nothing has been written to a part of a file; False where a system does not know."""
    if not hasattr(os, "SEEK_DATA"):  # pragma: no cover -- Windows
        return False
    try:
        return os.lseek(file, at, os.SEEK_DATA) >= at + length
    except OSError as e:
        return e.errno == errno.ENXIO  # nothing but a hole, or the end, from there on
