"""Files that a person chose to send: what they are, and their contents as one stream."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self

import msgspec

from messenger.core.file_entries import Entry


class WhyNot(StrEnum):
    """Why something that a person chose is not sent."""

    LINK = "link"
    """A symbolic link inside a chosen folder; what a person chose by itself is followed."""
    SPECIAL = "special"
    """A socket, pipe or device."""
    UNREADABLE = "unreadable"
    GONE = "gone"


class LeftOut(msgspec.Struct, frozen=True):
    """Something that is not sent."""

    name: str
    """Its path as the list would have it, with slashes, to be cleaned before it is shown."""
    why: WhyNot


class Source(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where the content of an entry is, and what it was when it was offered."""

    path: bytes
    """In the form of `os.fsencode`; empty for a folder."""
    size: int
    modified_ns: int
    inode: int


class Outgoing(msgspec.Struct, frozen=True):
    """What `gather` found."""

    entries: tuple[Entry, ...]
    sources: tuple[Source, ...]
    """One for each entry."""
    left_out: tuple[LeftOut, ...]
    stored: int
    """Bytes that the files take up without their holes: what the other side needs room for."""


def gather(paths: Sequence[Path]) -> Outgoing:
    """List what a person chose: files and folders with all that is in them, always in the same order.

    Two of the same name get " (2)". What cannot be sent is left out and named; there may be nothing else.

    Raises:
        TooManyFiles: More than `file_limits` allows for one transfer.
    """
    raise NotImplementedError


def encode_sources(sources: Sequence[Source]) -> bytes:
    """Sources as they are kept in the database; `decode_sources` reads them."""
    raise NotImplementedError


def decode_sources(data: bytes) -> tuple[Source, ...]:
    """Read what `encode_sources` wrote.

    Raises:
        StorageBug: It is something else.
    """
    raise NotImplementedError


class OutgoingReader:
    """The contents of a list of sources as one stream; used by one thread at a time.

    At most `file_limits.FILES_OPEN` files are open.
    """

    size: int
    """Bytes of the stream."""

    def __init__(self, sources: Sequence[Source]) -> None:
        raise NotImplementedError

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer with what is in the stream from an offset on; no copy is made on the way.

        A source is compared with what was offered when it is opened, and again when its last byte
        has been read.

        Args:
            offset: Place in the stream; offset and length of the buffer lie within `size`.
            buffer: Bytes that can be written to.

        Raises:
            SourceChanged, SourceGone, SourceUnreadable: The buffer may be partly filled.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Close all files; reading goes on with opening them again."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
