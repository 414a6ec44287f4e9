"""Texts from others, made safe for a terminal."""

import unicodedata
from typing import Final

_PICTURES: Final = 0x2400
"""Pictures of the control characters begin here, in their order."""
_DELETE: Final = 0x7F
_DELETE_PICTURE: Final = "\u2421"
_UNSHOWABLE: Final = "\ufffd"
_TAB_WIDTH: Final = 4

_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates: they could show a line in another order than it has."""

_LINE_ENDS: Final = frozenset("\n\x85\u2028\u2029")


def safe_text(text: str) -> str:
    r"""Make every character of a text harmless to a terminal, and visible if it was not.

    Escape sequences fall apart because ESC becomes its picture; so do all other control
    characters, in seven bits and in eight. Line ends stay, as ``\n``; tabs become spaces;
    characters that reorder a whole line become a replacement mark. Marks inside a word
    (joiners, left-to-right and right-to-left marks, variation selectors) stay.
    """
    return "".join(_shown(c) for c in text)


def _shown(character: str) -> str:
    if character in _LINE_ENDS:
        return "\n"
    if character == "\t":
        return " " * _TAB_WIDTH
    code = ord(character)
    if code < ord(" "):
        return chr(_PICTURES + code)
    if code == _DELETE:
        return _DELETE_PICTURE
    if character in _REORDERING or unicodedata.category(character) in ("Cc", "Cs"):
        return _UNSHOWABLE
    return character
