"""What a person chose to send, before it is offered: how much it is, and what cannot be sent."""

from enum import StrEnum

import msgspec


class WhyNot(StrEnum):
    """Why something that a person chose is not sent."""

    LINK = "link"
    """A symbolic link inside a chosen folder."""
    SPECIAL = "special"
    """A socket, pipe or device."""
    UNREADABLE = "unreadable"
    GONE = "gone"


class LeftOut(msgspec.Struct, frozen=True):
    """Something that is not sent."""

    name: str
    """Its path as the list would have it, with slashes, to be cleaned before it is shown."""
    why: WhyNot


class Choice(msgspec.Struct, frozen=True):
    """What would be sent."""

    names: tuple[str, ...]
    """Of the first files and folders at its top, cleaned; see `transfer_limits.NAMES_SHOWN`."""
    tops: int
    """Files and folders at its top."""
    files: int
    folders: int
    size: int
    """Bytes in all."""
    left_out: tuple[LeftOut, ...]
