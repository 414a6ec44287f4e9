"""What one transfer is made of: files and folders in the order in which their contents travel.

The contents follow each other in one stream of bytes, without anything between them; folders and
empty files have none. A list that breaks a rule of `check` is refused as a whole: no program of
ours makes one, and no system has such names. Names that only this system does not take are not
refused; `messenger.core.file_names` gives them others.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Annotated, Final, NamedTuple

import msgspec

from messenger.core import file_limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError

_FORBIDDEN: Final = frozenset(("", ".", ".."))
_SLASH: Final = "/"
_NUL: Final = "\0"

NameField = Annotated[str, msgspec.Meta(min_length=1, max_length=file_limits.WIRE_NAME_MAX)]
PathField = Annotated[tuple[NameField, ...], msgspec.Meta(min_length=1, max_length=file_limits.DEPTH_MAX)]
SizeField = Annotated[int, msgspec.Meta(ge=0, le=file_limits.FILE_SIZE_MAX)]
ModifiedField = Annotated[int, msgspec.Meta(ge=0, le=file_limits.MODIFIED_MAX)]


class Entry(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One file or folder."""

    path: PathField
    """Its names from the outermost folder to itself, as the sender's system has them."""
    size: SizeField
    """Bytes of the file; 0 for a folder."""
    modified_ms: ModifiedField
    """When it was last changed, Unix milliseconds by the sender's clock."""
    executable: bool
    """Whether the sender's system would run it; false for a folder."""
    folder: bool

    def __repr__(self) -> str:
        return f"Entry({'folder' if self.folder else 'file'}, {self.size} bytes)"


_DECODER: Final = msgspec.msgpack.Decoder(
    Annotated[list[Entry], msgspec.Meta(min_length=1, max_length=file_limits.ENTRIES_MAX)]
)
_ENCODER: Final = msgspec.msgpack.Encoder()


def encode(entries: Sequence[Entry]) -> bytes:
    """The one form of a list: a MessagePack array of entries, each an array of its fields in order.

    Raises:
        LocalProtocolError: The list breaks a rule of `check`, or is longer than
            `file_limits.MANIFEST_MAX` bytes.
    """
    try:
        check(entries)
        data = _ENCODER.encode(entries)
    except (RemoteProtocolError, UnicodeEncodeError) as e:
        raise LocalProtocolError("a list of files that must not be sent") from e
    if len(data) > file_limits.MANIFEST_MAX:
        raise LocalProtocolError("a list of files that is too long")
    return data


def decode(data: bytes | memoryview) -> tuple[Entry, ...]:
    """Read what `encode` wrote, and nothing else.

    Raises:
        RemoteProtocolError: It is longer than `file_limits.MANIFEST_MAX`, malformed, not in the one
            form that `encode` writes, or breaks a rule of `check`.
    """
    if len(data) > file_limits.MANIFEST_MAX:
        raise RemoteProtocolError("list of files too long")
    try:
        entries = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise RemoteProtocolError("malformed list of files") from e
    check(entries)
    if _ENCODER.encode(entries) != data:
        raise RemoteProtocolError("list of files in another form")
    return tuple(entries)


def check(entries: Sequence[Entry]) -> None:
    """Refuse a list that cannot be of a real tree, or is larger than allowed.

    The rules: 1 to `file_limits.ENTRIES_MAX` entries; 1 to `DEPTH_MAX` names in a path; no name is
    empty, ``.`` or ``..``, has a slash, a NUL or more than `WIRE_NAME_MAX` bytes of UTF-8; no path
    twice; what is in a folder comes after the folder itself, which is an entry too; folders have
    no size and are not executable; all together at most `FILE_SIZE_MAX` bytes.

    Raises:
        RemoteProtocolError: One of them is broken.
    """
    if not 1 <= len(entries) <= file_limits.ENTRIES_MAX:
        raise RemoteProtocolError("too few or too many files")
    folders: dict[tuple[str, ...], bool] = {(): True}
    names: set[str] = set()
    size = 0
    for entry in entries:
        path = entry.path
        if not 1 <= len(path) <= file_limits.DEPTH_MAX or not folders.get(path[:-1], False):
            raise RemoteProtocolError("a file in no folder")
        if path in folders:
            raise RemoteProtocolError("two files with one path")
        if entry.folder and (entry.size or entry.executable):
            raise RemoteProtocolError("a folder with content")
        folders[path] = entry.folder
        names.add(path[-1])  # those before it are the last names of folders
        size += entry.size
    if size > file_limits.FILE_SIZE_MAX:
        raise RemoteProtocolError("too many bytes")
    for name in names:
        _check_name(name)


def _check_name(name: str) -> None:
    if name in _FORBIDDEN or _SLASH in name or _NUL in name:
        raise RemoteProtocolError("a name that no file has")
    try:
        size = len(name) if name.isascii() else len(name.encode())
    except UnicodeEncodeError as e:
        raise RemoteProtocolError("a name that is no text") from e
    if size > file_limits.WIRE_NAME_MAX:
        raise RemoteProtocolError("a name that is too long")


def total(entries: Sequence[Entry]) -> int:
    """Bytes of the whole stream."""
    return sum(entry.size for entry in entries)


class Span(NamedTuple):
    """The part of one file in a part of the stream."""

    entry: int
    """Its place in the list."""
    inside: int
    """Where it begins in the file."""
    begin: int
    """Where it begins in the part of the stream."""
    end: int
    """Where it ends in the part of the stream."""


def starts(sizes: Iterable[int]) -> list[int]:
    """Where in the stream each file begins, and at the end where the stream ends."""
    return list(accumulate(sizes, initial=0))


def spans(begins: Sequence[int], offset: int, length: int) -> Iterator[Span]:
    """The files, or parts of them, that make up a part of the stream; empty ones are not among them.

    Args:
        begins: What `starts` returned.
        offset: Place in the stream.
        length: Bytes; the part ends within the stream.
    """
    index = bisect_right(begins, offset) - 1
    done = 0
    while done < length:
        at = offset + done
        end = min(length, begins[index + 1] - offset)
        if end > done:
            yield Span(index, at - begins[index], done, end)
            done = end
        index += 1
