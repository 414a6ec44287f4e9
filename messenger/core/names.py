"""Names and texts from outside, made safe to show."""

import unicodedata
from typing import Final

from messenger.core import deed_limits, limits, relay_limits
from messenger.core.errors import InputError, InputProblem

_JOINER: Final = "\u200d"
_TAGS: Final = range(0xE0020, 0xE0080)
"""Format characters that emoji are made of: those of flags, and what joins several into one."""


def clean_name(text: str) -> str:
    """Make a name from anywhere safe to show in one line.

    Normalises to NFC, drops control, format (bidirectional and zero-width), surrogate and
    unassigned characters, folds white space and cuts to `limits.NAME_MAX` characters and
    `limits.NAME_BYTES_MAX` UTF-8 bytes. The result may be empty.
    """
    return _clean_line(text, limits.NAME_MAX, limits.NAME_BYTES_MAX)


def clean_about(text: str) -> str:
    """As `clean_name`, for words about oneself, of at most `relay_limits.ABOUT_MAX` UTF-8 bytes."""
    return _clean_line(text, relay_limits.ABOUT_MAX, relay_limits.ABOUT_MAX)


def _clean_line(text: str, most: int, octets: int) -> str:
    kept = "".join(
        " " if c.isspace() else c
        for c in unicodedata.normalize("NFC", text)
        if c.isspace() or unicodedata.category(c)[0] != "C"
    )
    line = " ".join(kept.split())[:most]
    while len(line.encode()) > octets:
        line = line[:-1]
    return line.strip()


def own_name(text: str) -> str:
    """Check a name that a person chooses for themselves.

    Raises:
        InputError: It is empty or has nothing that can be shown, or it is too long.
    """
    if len(text) > limits.NAME_MAX or len(text.encode("utf-8", "surrogatepass")) > limits.NAME_BYTES_MAX:
        raise InputError(InputProblem.TOO_LONG, str(limits.NAME_MAX))
    name = clean_name(text)
    if not name:
        raise InputError(InputProblem.EMPTY)
    return name


def clean_text(text: str) -> str:
    r"""Check the text of a message that a person wants to send.

    Line ends become ``\n``, white space around the whole is dropped; nothing else is changed,
    so that right-to-left marks and joined emoji arrive as they were typed.

    Raises:
        InputError: Nothing is left, it is longer than `limits.TEXT_MAX` bytes of UTF-8, or it
            holds half of a surrogate pair.
    """
    cleaned = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not cleaned:
        raise InputError(InputProblem.EMPTY)
    try:
        size = len(cleaned.encode())
    except UnicodeEncodeError as e:
        raise InputError(InputProblem.BAD_VALUE) from e
    if size > limits.TEXT_MAX:
        raise InputError(InputProblem.TOO_LONG, str(limits.TEXT_MAX))
    return cleaned


def clean_emoji(text: str) -> str:
    """Make a reaction from anywhere safe to show: what could move or break the text around it is dropped.

    The result may be empty, and is cut to `deed_limits.EMOJI_MAX` bytes of UTF-8.
    """
    kept = "".join(
        c for c in text if unicodedata.category(c)[0] not in "CZ" or c == _JOINER or ord(c) in _TAGS
    )
    while len(kept.encode()) > deed_limits.EMOJI_MAX:
        kept = kept[:-1]
    return kept
