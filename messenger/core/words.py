"""Words as search sees them: one way to cut a text into terms, used for what is stored and what is asked.

A term has no case and no accents ("Élève" is "eleve", "ＡＢＣ" is "abc", "Straße" is "strasse").
Scripts that put no spaces between words (Chinese, Japanese, Thai, Khmer …) and Korean, which glues
endings to words, are cut into pairs of neighbouring characters, so that any part of a sentence is
found. An emoji is a term of its own.

What the terms of a text are is part of the database: whoever changes it must add a migration that
makes the index anew (`messenger.storage.schema`).
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from messenger.core import store_limits

Terms = tuple[str, ...]
"""The terms at one place of a text: one, or two where a run of unspaced characters ends."""

_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff"  # Thai, Lao, Burmese, Hangul letters, Khmer
    "\u3005-\u3007\u3041-\u30fa\u30fc-\u312f\u31f0-\u31ff"  # kana, Bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
    "\uac00-\ud7a3"  # Hangul
)
_SYMBOLS: Final = "\u2600-\u27bf\U0001f000-\U0001f3fa\U0001f400-\U0001faff"
_MARKS: Final = "\u0300-\u036f\u0900-\u0963\u0966-\u0dff\u0f71-\u0fbc"  # vowel signs that no \w matches
_TERM: Final = re.compile(
    rf"(?P<run>[{_UNSPACED}]+)|(?P<symbol>[{_SYMBOLS}])|(?:[^\W_{_UNSPACED}]|[{_MARKS}])+"
)
_ASCII_TERM: Final = re.compile(r"[a-z0-9]+")
_QUOTED: Final = re.compile(r'"([^"]*)"?|([^\s"]+)')
_ALONE: Final = str.maketrans(
    {
        **dict(zip("øłđħŧıð", "oldhtid", strict=True)),  # letters that Unicode does not take apart
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        # joiners, soft hyphen, byte order mark, Arabic tatweel: drawn or not, nobody types them
        **dict.fromkeys("\u00ad\u0640\u200b\u200c\u200d\u2060\ufeff", None),
    }
)
_ACCENTS: Final = 200
"""Combining classes from here on are accents; those below belong to the letter (Indic, kana, Thai)."""
_POINTS: Final = range(10, 36)
"""Combining classes of the vowel points of Hebrew and Arabic, which are hardly ever written."""


class Phrase(NamedTuple):
    """Terms that must stand next to each other."""

    terms: Terms
    prefix: bool
    """The last term may go on."""


def folded(text: str) -> str:
    """Take case, accents and compatibility forms from a text."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(c for c in apart if (k := unicodedata.combining(c)) < _ACCENTS and k not in _POINTS)
    return unicodedata.normalize("NFKC", bare.translate(_ALONE))


def terms_of(text: str) -> Iterator[Terms]:
    """The terms of a text in its order.

    Args:
        text: As it was written.
    """
    flat = folded(text)
    if flat.isascii():
        for term in _ASCII_TERM.findall(flat):
            yield (term[: store_limits.SEARCH_TERM_MAX],)
        return
    for match in _TERM.finditer(flat):
        found = match[0]
        if match.lastgroup != "run":
            yield (found[: store_limits.SEARCH_TERM_MAX],)
        elif len(found) == 1:
            yield (found,)
        else:
            for start in range(len(found) - 2):
                yield (found[start : start + 2],)
            yield found[-2:], found[-1]  # so that every character begins a term


def phrases_of(query: str) -> list[Phrase]:
    """What somebody looks for: every phrase must occur, in any order.

    Each word may be the beginning of one, unless it has a single letter. What stands in double
    quotes must occur word for word.

    Args:
        query: As it was typed; what is longer than `store_limits.SEARCH_QUERY_MAX` is not looked at.
    """
    phrases: list[Phrase] = []
    for quoted, word in _QUOTED.findall(query[: store_limits.SEARCH_QUERY_MAX]):
        terms = tuple(group[0] for group in terms_of(quoted or word))
        if terms:
            unspaced = re.fullmatch(f"[{_UNSPACED}]+", terms[-1]) is not None
            if unspaced:  # a single character is stored as the beginning of a pair
                goes_on = len(terms[-1]) == 1
            else:
                goes_on = not quoted and 1 < len(terms[-1]) < store_limits.SEARCH_TERM_MAX
            phrases.append(Phrase(terms, goes_on))
    return list(dict.fromkeys(phrases))[: store_limits.SEARCH_PHRASES_MAX]


def occurring(text: str, phrases: Sequence[Phrase]) -> list[bool]:
    """Whether each phrase occurs in a text; all say the same of a message as the index does."""
    groups = list(terms_of(text))
    return [_occurs(groups, phrase) for phrase in phrases]


def _occurs(groups: list[Terms], phrase: Phrase) -> bool:
    *first, last = phrase.terms
    for start in range(len(groups) - len(first)):
        here = groups[start : start + len(phrase.terms)]
        if all(term in group for term, group in zip(first, here, strict=False)) and (
            any(term.startswith(last) for term in here[-1]) if phrase.prefix else last in here[-1]
        ):
            return True
    return False
