"""What an offer says of its files: what both people see at once, and keep for ever as it is."""

from typing import Annotated, Final

import msgspec

from messenger.core import file_limits
from messenger.core import transfer_limits as limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError

ROOT_SIZE: Final = 32
"""A BLAKE3 hash."""

MEDIA: Final = ("file", "picture", "sound", "film", "folder")
"""What kinds of files there are, by number; a number beyond them means a file."""

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARS_MAX)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=file_limits.ENTRIES_MAX)]


class Offering(msgspec.Struct, frozen=True, array_like=True):
    """The files of an offer. Whatever a peer says is bounded; names are theirs as they are."""

    names: Annotated[tuple[_Name, ...], msgspec.Meta(min_length=1, max_length=limits.NAMES_MAX)]
    """Of the first files and folders at the top."""
    tops: Annotated[int, msgspec.Meta(ge=1, le=file_limits.ENTRIES_MAX)]
    """Files and folders at the top."""
    files: _Count
    """Files in all."""
    folders: _Count
    """Folders in all."""
    size: Annotated[int, msgspec.Meta(ge=0, le=file_limits.FILE_SIZE_MAX)]
    """Bytes of all files."""
    root: Annotated[bytes, msgspec.Meta(min_length=ROOT_SIZE, max_length=ROOT_SIZE)]
    """BLAKE3 of the list of files (SPEC.md section 17)."""
    manifest: Annotated[int, msgspec.Meta(ge=1, le=file_limits.MANIFEST_MAX)]
    """Bytes of the list of files."""
    media: Annotated[int, msgspec.Meta(ge=0, le=255)]
    """A place in `MEDIA`."""
    thumbnail: Annotated[bytes, msgspec.Meta(max_length=limits.THUMBNAIL_MAX)] = b""
    """A small picture; opaque here, and to be decoded by nobody but who is made for hostile ones."""

    @property
    def chunks(self) -> int:
        """How many chunks the files have together."""
        return -(-self.size // limits.CHUNK)

    def chunk_size(self, index: int) -> int:
        """Bytes of one chunk; all are full but the last."""
        return min(limits.CHUNK, self.size - index * limits.CHUNK)

    def __repr__(self) -> str:
        return f"Offering({self.files} files, {self.size} bytes)"


_DECODER: Final = msgspec.msgpack.Decoder(Offering)


def encode(offering: Offering) -> bytes:
    """The body of an offer, a MessagePack array of the fields in order.

    Raises:
        LocalProtocolError: It is one that `decode` would refuse.
    """
    data = msgspec.msgpack.encode(offering)
    try:
        decode(data)
    except RemoteProtocolError as e:
        raise LocalProtocolError("not an offer that could be sent") from e
    return data


def decode(data: bytes) -> Offering:
    """Read what `encode` wrote.

    Raises:
        RemoteProtocolError: It is something else, or out of bounds.
    """
    if len(data) > limits.OFFER_MAX:
        raise RemoteProtocolError("offer too long")
    try:
        offering = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise RemoteProtocolError("malformed offer") from e
    whole = offering.files + offering.folders
    if not len(offering.names) <= offering.tops <= whole <= file_limits.ENTRIES_MAX:
        raise RemoteProtocolError("an offer whose numbers do not fit together")
    if offering.size and not offering.files:
        raise RemoteProtocolError("an offer of bytes without files")
    return offering
