"""Files that come: written where nobody sees them, and moved to their place when they are whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from messenger.core.file_entries import Entry


def room(destination: Path) -> int:
    """Bytes that transfers may still write into a folder: what is free, without what is to be kept free.

    Raises:
        DestinationGone: There is no such folder.
        StorageError: The disk refused.
    """
    raise NotImplementedError


def discard(destination: Path, transfer: bytes) -> None:
    """Remove what has come of a transfer, or what is left of it after `Landing.finish`; nothing else.

    Does nothing if nothing is there. Files that `finish` has put in their place stay.

    Args:
        destination: The folder that was given to `Landing.create`.
        transfer: Id of the transfer, 16 bytes.

    Raises:
        StorageError: The disk refused.
    """
    raise NotImplementedError


class Landing:
    """The files of one transfer while they come.

    `write`, `read_into`, `finish` and `close` are called by one thread at a time; `sync` may run in
    another thread meanwhile. The order of things:

    1. `create`, then the transfer is put into the journal.
    2. `write` for whatever comes, in any order; then `sync`, then what was written goes into the journal.
    3. `finish`, then the end goes into the journal, then `discard`.

    After a crash `reopen` goes on from what the journal has; `finish` may be repeated, and says the same.
    """

    size: int
    """Bytes of the stream."""

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
        raise NotImplementedError

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
        raise NotImplementedError

    def write(self, offset: int, data: memoryview) -> None:
        """Write a part of the stream; no copy is made, and blocks of zeros take no room.

        Args:
            offset: Place in the stream; the data must end within `size`.
            data: Bytes.

        Raises:
            StorageBug: It is not within the stream.
            DiskFull, DiskReadOnly, StagingLost, StorageError: The disk refused. What `sync` has made durable
                stays; the same may be written again.
        """
        raise NotImplementedError

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer with what has been written from an offset on.

        Raises:
            StagingLost: It is not there.
            StorageError: The disk refused.
        """
        raise NotImplementedError

    def sync(self) -> None:
        """Make durable all that `write` wrote before this call.

        Raises:
            DiskFull, StorageError: The disk refused; it is not known what is durable since the last `sync`.
        """
        raise NotImplementedError

    def finish(self) -> tuple[Path, ...]:
        """Put the files in their place, durably, with rights and times, and marked as from elsewhere.

        Nothing that is there is replaced: what has the name of something else gets " (2)". Each
        outermost folder arrives whole, in one step. May be repeated, also after a crash.

        Returns:
            The outermost files and folders, in the order of the list.

        Raises:
            DestinationGone, DiskFull, DiskReadOnly, StagingLost, StorageError: The disk refused; what has
                not arrived yet can arrive when this is repeated.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Close all files; nothing is removed. A second call does nothing."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
