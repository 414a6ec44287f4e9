"""Files that come: written where nobody sees them, and moved to their place when they are whole.

They grow in a hidden folder inside the one that they are for, so that a move is all that is left:
``.sotto-ID.part/files``. When everything is durable there, the names that the outermost ones will
have are written beside it (``names``), and only then they move. Whoever comes after a crash finds
there what was meant, and finishes it.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from messenger.core import file_limits
from messenger.core.errors import DestinationGone, StagingLost, StorageBug, StorageError
from messenger.core.file_entries import Entry, spans
from messenger.core.file_names import LocalName, folded, numbered, safe_name
from messenger.storage.faults import translated
from messenger.storage.landing_disk import sync_file
from messenger.storage.landing_place import Place, write_at
from messenger.storage.landing_tree import Tree

_FILES: Final = "files"
_NAMES: Final = "names"
_NEW_NAMES: Final = "names.new"
_ALL: Final = 0o777
_MISSING: Final = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.ENOTEMPTY,
        errno.ELOOP,
        errno.EMLINK,
        errno.ENXIO,
        errno.ESTALE,
    }
)
"""What is met where something of ours was taken away, or something else put in its place."""
_TRIES: Final = 1000
_DECODER: Final = msgspec.msgpack.Decoder(list[str])


def room(destination: Path) -> int:
    """Bytes that transfers may still write into a folder: what is free, without what is to be kept free.

    Raises:
        DestinationGone: There is no such folder.
        StorageError: The disk refused.
    """
    with _faults(destination):
        usage = shutil.disk_usage(destination)
    kept = min(file_limits.ROOM_KEPT, usage.total // file_limits.ROOM_KEPT_PART)
    return max(0, usage.free - kept)


def discard(destination: Path, transfer: bytes) -> None:
    """Remove what has come of a transfer, or what is left of it after `Landing.finish`; nothing else.

    Does nothing if nothing is there. Files that `finish` has put in their place stay.

    Args:
        destination: The folder that was given to `Landing.create`.
        transfer: Id of the transfer, 16 bytes.

    Raises:
        StorageError: The disk refused.
    """
    missing = contextlib.suppress(FileNotFoundError, NotADirectoryError)
    with _faults(destination), missing, Place.at(destination) as place:
        place.remove(_hidden(transfer))


class Landing:
    """The files of one transfer while they come.

    `write`, `read_into`, `finish` and `close` are called by one thread at a time; `sync` may run in
    another thread while `write` or `read_into` does. The order of things:

    1. `create`, then the transfer is put into the journal.
    2. `write` for whatever comes, in any order; then `sync`, then what was written goes into the journal.
    3. `finish`, then the end goes into the journal, then `close` and `discard`.

    After a crash `reopen` goes on from what the journal has; `finish` may be repeated, and says the same.
    """

    def __init__(self, destination: Path, target: Place, staging: Place, files: Place, tree: Tree) -> None:
        self._destination = destination
        self._target = target
        self._staging = staging
        self._files = files
        self._tree = tree
        self._names: list[str] | None = None

    @property
    def size(self) -> int:
        """Bytes of the stream."""
        return self._tree.starts[-1]

    @classmethod
    def create(cls, destination: Path, transfer: bytes, entries: Sequence[Entry]) -> Self:
        """Make the hidden folder in which the files of a transfer grow; one that is left over goes.

        Args:
            destination: The folder that they will be in.
            transfer: Id of the transfer, 16 bytes; the name of the hidden folder is made of it.
            entries: A checked list; see `messenger.core.file_entries`.

        Raises:
            DestinationGone, DiskFull, DiskReadOnly, StorageError: The disk refused.
        """
        discard(destination, transfer)
        with _faults(destination), Place.at(destination) as target:
            target.make_folder(_hidden(transfer))
            with target.folder(_hidden(transfer)) as staging:
                staging.make_folder(_FILES, _ALL)  # without what the user's mask takes away
                staging.sync()
            target.sync()
        with _faults(destination):
            return cls._opened(destination, transfer, entries, found=False)

    @classmethod
    def reopen(
        cls, destination: Path, transfer: bytes, entries: Sequence[Entry], done: Sequence[tuple[int, int]]
    ) -> Self:
        """Go on after a restart or a cut.

        Args:
            destination: As it was given to `create`.
            transfer: As it was given to `create`.
            entries: As they were given to `create`.
            done: What the journal has: parts of the stream, each from an offset to another, that were
                written before a `sync` that returned. What else is there counts for nothing.

        Raises:
            StagingLost: What the journal has is not there; the transfer must begin anew, with `create`.
            DestinationGone, DiskFull, DiskReadOnly, StorageError: The disk refused.
        """
        with _faults(destination), contextlib.ExitStack() as stack:
            landing = cls._opened(destination, transfer, entries, found=True)
            stack.callback(landing.close)
            landing._resume(done)  # noqa: SLF001 -- its own class
            stack.pop_all()
        return landing

    @classmethod
    def _opened(cls, destination: Path, transfer: bytes, entries: Sequence[Entry], *, found: bool) -> Self:
        with contextlib.ExitStack() as stack:
            target = stack.enter_context(Place.at(destination))
            staging = stack.enter_context(target.folder(_hidden(transfer)))
            files = stack.enter_context(staging.folder(_FILES))
            landing = cls(destination, target, staging, files, Tree(files, entries, found=found))
            stack.pop_all()
        return landing

    def write(self, offset: int, *pieces: memoryview) -> None:
        """Write a part of the stream; no copy is made, and blocks of zeros take no room.

        Args:
            offset: Place in the stream; the pieces must end within `size`.
            pieces: Bytes, one piece behind the other; written with one call if they go into one file.

        Raises:
            StorageBug: It is not within the stream.
            DiskFull, DiskReadOnly, StagingLost, StorageError: The disk refused. What `sync` has made durable
                stays; the same may be written again.
        """
        size = sum(map(len, pieces))
        try:
            if self._tree.write_on(offset, pieces, size):
                return
            self._check_bounds(offset, size)
            for data in pieces:
                for span in spans(self._tree.starts, offset, len(data)):
                    self._tree.write(span, data[span.begin : span.end])
                offset += len(data)
        except OSError as e:
            raise _refusal(e, self._destination) from e

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer with what has been written from an offset on.

        Raises:
            StagingLost: It is not there.
            StorageBug: It is not within the stream.
            StorageError: The disk refused.
        """
        self._check_bounds(offset, len(buffer))
        try:
            for span in spans(self._tree.starts, offset, len(buffer)):
                self._tree.read(span, buffer[span.begin : span.end])
        except OSError as e:
            raise _refusal(e, self._destination) from e

    def sync(self) -> None:
        """Make durable all that `write` wrote before this call.

        Raises:
            DiskFull, StorageError: The disk refused; it is not known what is durable since the last `sync`.
        """
        with _faults(self._destination):
            self._tree.sync()

    def finish(self) -> tuple[Path, ...]:
        """Put the files in their place, durably, with rights and times, and marked as from elsewhere.

        Nothing that is there is replaced: what has the name of something else gets " (2)". Each
        outermost folder arrives whole, in one step. May be repeated, also after a crash.

        Returns:
            The outermost files and folders, in the order of the list.

        Raises:
            StorageBug: Not everything has been written.
            DestinationGone, DiskFull, DiskReadOnly, StagingLost, StorageError: The disk refused; what has
                not arrived yet can arrive when this is repeated.
        """
        tops = self._tree.tops()
        with _faults(self._destination):
            if not self._target.is_at(self._destination):
                raise DestinationGone("another folder")
            if self._names is None:
                self._tree.complete()
                self._tree.sync()
                self._names = self._plan(tops)
            self._tree.close()
            for place, (name, is_folder) in enumerate(tops):
                self._arrive(place, name, is_folder=is_folder)
            self._target.sync()
            self._files.sync()
        return tuple(self._destination / name for name in self._names)

    def close(self) -> None:
        """Close all files; nothing is removed. A second call does nothing."""
        self._tree.close()
        for place in (self._files, self._staging, self._target):
            place.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _resume(self, done: Sequence[tuple[int, int]]) -> None:
        """Find out how far it had come.

        Raises:
            StagingLost: Less far than the journal says.
        """
        self._names = _read_names(self._staging, self._tree.tops())
        if self._names is not None:  # all was there, and perhaps moved away since
            return
        for begin, end in done:
            self._check_bounds(begin, end - begin)
            if not all(map(self._tree.holds, spans(self._tree.starts, begin, end - begin))):
                raise StagingLost("less than was written")

    def _check_bounds(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise StorageBug("outside of the stream")

    def _plan(self, tops: Sequence[tuple[LocalName, bool]]) -> list[str]:
        """Choose the names that the outermost ones will have, and write them down."""
        taken = {folded(name) for name in self._target.names()}
        names: list[str] = []
        for name, is_folder in tops:
            names.append(_free(name, taken, is_folder=is_folder))
            taken.add(folded(names[-1]))
        self._write_names(names)
        return names

    def _write_names(self, names: list[str]) -> None:
        if self._staging.has(_NEW_NAMES):
            self._staging.remove(_NEW_NAMES)
        file = self._staging.new_file(_NEW_NAMES)
        try:
            data = memoryview(msgspec.msgpack.encode(names))
            while data:
                data = data[write_at(file, data, os.lseek(file, 0, os.SEEK_END)) :]
            sync_file(file)
        finally:
            os.close(file)
        self._staging.replace(_NEW_NAMES, _NAMES)
        self._staging.sync()

    def _arrive(self, place: int, name: LocalName, *, is_folder: bool) -> None:
        """Move one of the outermost to its place, if it is not there yet."""
        names = self._names or []
        for _ in range(_TRIES):
            if not self._files.has(name):
                return
            try:
                self._files.move(name, self._target, names[place], is_folder=is_folder)
            except FileExistsError:  # somebody was faster, or the system takes two names for one
                taken = {folded(each) for each in (*self._target.names(), *names)}
                names[place] = _free(name, taken, is_folder=is_folder)
                self._write_names(names)
            else:
                return
        raise StorageError("no name is free")


def _free(name: LocalName, taken: set[str], *, is_folder: bool) -> str:
    """The first name of its kind that is not taken."""
    free, number = name, 1
    while folded(free) in taken:
        number += 1
        free = numbered(name, number, folder=is_folder)
    return free


def _hidden(transfer: bytes) -> str:
    return f".sotto-{transfer.hex()}.part"


def _read_names(staging: Place, tops: Sequence[tuple[LocalName, bool]]) -> list[str] | None:
    """The names that were chosen before a crash, if it had come so far."""
    try:
        file = staging.file(_NAMES)
    except FileNotFoundError:
        return None
    with os.fdopen(file, "rb") as content:
        try:
            names = _DECODER.decode(content.read(file_limits.MANIFEST_MAX))
        except (msgspec.DecodeError, UnicodeDecodeError) as e:
            raise StagingLost("names that cannot be read") from e
    if len(names) != len(tops) or any(safe_name(name) != name for name in names):
        raise StagingLost("names that were never chosen")
    return names


@contextlib.contextmanager
def _faults(destination: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise _refusal(e, destination) from e


def _refusal(fault: OSError, destination: Path) -> StorageError:
    """What a fault of the system means for files that come; its own text may hold a name."""
    if fault.errno in _MISSING:
        kind = StagingLost if destination.is_dir() else DestinationGone
        return kind(errno.errorcode.get(fault.errno or 0, ""))
    return translated(fault)
