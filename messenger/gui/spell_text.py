"""Which words of a text have a spelling: no links, addresses, code, numbers or names in capitals."""

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import Final, NamedTuple

from messenger.core import window_limits as limits

_FENCE: Final = "```"
_INLINE: Final = re.compile(r"(?<!`)`[^`]+`(?!`)")
_CHUNK: Final = re.compile(r"\S+")
_ODD: Final = re.compile(r"[@\\_\d]|://|^\W*[/~#]|/[^/]*/|\w[.:]\w|^\W*(?:mailto|sotto):|`", re.IGNORECASE)
"""What makes a chunk between spaces an address, a path, a name in a program, a number, or code."""
_LETTER: Final = "[^\\W\\d_][\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u064b-\u065f\u0670]*"
_WORD: Final = re.compile(rf"(?:{_LETTER})+(?:['’](?:{_LETTER})+)*")

_LATIN: Final = "LATIN"
_SCRIPTS: Final = {
    **dict.fromkeys(("be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "tt", "uk"), "CYRILLIC"),
    **dict.fromkeys(("ar", "ckb", "fa", "ps", "ug", "ur"), "ARABIC"),
    **dict.fromkeys(("he", "yi"), "HEBREW"),
    "el": "GREEK",
    "hy": "ARMENIAN",
    "ka": "GEORGIAN",
}
"""The letters that languages are written in, as Unicode names them; Latin where nothing is said."""
_UNSPACED: Final = frozenset(
    {"am", "bn", "gu", "hi", "ja", "km", "kn", "ko", "lo", "ml", "mr", "my", "ne", "or"}
)
_UNCHECKED: Final = _UNSPACED | {"pa", "sa", "si", "ta", "te", "th", "zh"}
"""Languages whose words are not found by letters and spaces alone: nothing of theirs is checked."""


class Checkable(NamedTuple):
    """What of a line can be checked."""

    spans: list[tuple[int, int]]
    """Start and end of words, in characters."""
    fenced: bool
    """The next line begins within lines of code."""


def checkable(line: str, *, fenced: bool = False) -> Checkable:
    """Find the words of a line that have a spelling.

    Args:
        line: Without a line break.
        fenced: It begins within lines of code.
    """
    parts = line.split(_FENCE)
    masked = _FENCE.join(
        " " * len(part) if (place % 2 == 1) != fenced else _INLINE.sub(lambda code: " " * len(code[0]), part)
        for place, part in enumerate(parts)
    )
    spans = [
        (chunk.start() + word.start(), chunk.start() + word.end())
        for chunk in _CHUNK.finditer(masked.replace(_FENCE, " " * len(_FENCE)))
        if not _ODD.search(chunk[0])
        for word in _WORD.finditer(chunk[0])
        if _is_plain(word[0])
    ]
    return Checkable(spans, (len(parts) % 2 == 0) != fenced)


def script_of(word: str) -> str:
    """The letters that a word is written in, as Unicode names them; empty if they are of several kinds."""
    scripts = {_script(sign) for sign in word if sign.isalpha()}
    return scripts.pop() if len(scripts) == 1 else ""


def scripts_of(languages: Collection[str]) -> frozenset[str]:
    """The letters whose words can be checked with the dictionaries of some languages.

    Args:
        languages: Their tags, as ``de_DE``.
    """
    short = {re.split("[_-]", language, maxsplit=1)[0] for language in languages}
    return frozenset(_SCRIPTS.get(language, _LATIN) for language in short - _UNCHECKED)


@lru_cache(maxsize=1024)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _is_plain(word: str) -> bool:
    return 1 < len(word) <= limits.SPELLED_WORD_MAX and word[1:] == word[1:].lower()
