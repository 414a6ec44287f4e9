"""What a running program and a second start of it say to each other, and where they meet.

Each message is a u32 length (big-endian) and that many bytes of MessagePack, a map with the
name of the message under ``type``. The meeting point stands in one file of the profile
folder, which only its owner may read.
"""

from pathlib import Path
from typing import Annotated, Final

import msgspec

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError

LENGTH_SIZE: Final = 4

MEETING_POINT: Final = "control.json"
"""File in the profile folder that holds an `Endpoint`."""

SOCKET: Final = "control.sock"
"""Name of the socket in the profile folder, or in a folder of its own where that path is too long."""

TOKEN_SIZE: Final = 32
"""Random bytes that a caller over TCP must know from the file; a Unix socket checks its user instead."""


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a running program can be reached: a path, or a port of this computer and its token."""

    path: str = ""
    port: int = 0
    token: bytes = b""

    def __repr__(self) -> str:
        return f"Endpoint({self.path!r}, {self.port})"


class Show(msgspec.Struct, frozen=True, tag="show", forbid_unknown_fields=True, omit_defaults=True):
    """Raise the window: answered by `Ok`, or by `Refused` if the token is wrong."""

    token: bytes = b""
    link: Annotated[str, msgspec.Meta(max_length=limits.INVITE_TEXT_MAX)] = ""
    """A link to follow there, or nothing."""

    def __repr__(self) -> str:
        return "Show()"


class Ok(msgspec.Struct, frozen=True, tag="ok", forbid_unknown_fields=True):
    """Done."""


class Refused(msgspec.Struct, frozen=True, tag="refused", forbid_unknown_fields=True):
    """Not done; the connection is closed."""


Request = Show
"""Everything that can be asked."""

Reply = Ok | Refused
"""Everything that can be answered."""

_ENCODER: Final = msgspec.msgpack.Encoder()
_REQUESTS: Final = msgspec.msgpack.Decoder(Request)
_REPLIES: Final = msgspec.msgpack.Decoder(Reply)


def frame(message: Request | Reply) -> bytes:
    """A message as it travels."""
    data = _ENCODER.encode(message)
    return len(data).to_bytes(LENGTH_SIZE, "big") + data


def frame_size(header: bytes) -> int:
    """The length that the four bytes before a message tell.

    Raises:
        RemoteProtocolError: It is nothing, or more than `limits.CONTROL_MESSAGE_MAX`.
    """
    size = int.from_bytes(header, "big")
    if not 0 < size <= limits.CONTROL_MESSAGE_MAX:
        raise RemoteProtocolError("bad length on the control socket")
    return size


def read_request(data: bytes) -> Request:
    """Read what `frame` wrote, without its length.

    Raises:
        RemoteProtocolError: It is no request.
    """
    try:
        return _REQUESTS.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise RemoteProtocolError("not a request") from e


def read_reply(data: bytes) -> Reply:
    """Read what `frame` wrote, without its length.

    Raises:
        RemoteProtocolError: It is no reply.
    """
    try:
        reply: Reply = _REPLIES.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise RemoteProtocolError("not a reply") from e
    return reply


def read_endpoint(folder: Path) -> Endpoint | None:
    """Where the program that runs on a profile said that it can be reached; it may have died since.

    Args:
        folder: The profile folder.

    Returns:
        None if the file is missing, unreadable, damaged, or longer than `limits.CONTROL_MESSAGE_MAX`.
    """
    try:
        with (folder / MEETING_POINT).open("rb") as file:
            return msgspec.json.decode(file.read(limits.CONTROL_MESSAGE_MAX), type=Endpoint)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
