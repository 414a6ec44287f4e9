"""What a profile keeps about spelling: the languages that are written in, and the words of one's own."""

import re
import unicodedata
from typing import Final

import msgspec

from messenger.core import window_limits as limits
from messenger.core.errors import InputError, InputProblem

_TAG: Final = re.compile(r"[a-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,3}", re.ASCII)


class Spelling(msgspec.Struct, frozen=True):
    """As it is stored with the profile, in the encrypted database; nowhere else."""

    languages: tuple[str, ...] = ()
    """Tags of dictionaries, as ``en_GB``; none for the languages of the program and of the system."""
    words: tuple[str, ...] = ()
    """What the person has added, oldest first."""

    def __repr__(self) -> str:
        return f"Spelling({len(self.words)} words)"  # they are secrets


def clean_word(word: str) -> str:
    """A word as it is compared and kept: composed (NFC), with straight apostrophes.

    Raises:
        InputError: EMPTY, TOO_LONG (`window_limits.SPELLED_WORD_MAX` characters), or BAD_VALUE: it is
            no single word.
    """
    cleaned = plain_word(word.strip())
    if not cleaned:
        raise InputError(InputProblem.EMPTY)
    if len(cleaned) > limits.SPELLED_WORD_MAX:
        raise InputError(InputProblem.TOO_LONG)
    if not cleaned.isprintable() or any(sign.isspace() for sign in cleaned):
        raise InputError(InputProblem.BAD_VALUE)
    return cleaned


def plain_word(word: str) -> str:
    """A word as dictionaries write it: composed (NFC), with straight apostrophes."""
    return unicodedata.normalize("NFC", word).replace("’", "'")


def clean_languages(languages: tuple[str, ...]) -> tuple[str, ...]:
    """The languages as they are kept: each once, in their order.

    Raises:
        InputError: BAD_VALUE: more than `window_limits.SPELLED_LANGUAGES_MAX`, or one is no tag.
    """
    cleaned = tuple(dict.fromkeys(languages))
    if len(cleaned) > limits.SPELLED_LANGUAGES_MAX or not all(map(is_tag, cleaned)):
        raise InputError(InputProblem.BAD_VALUE)
    return cleaned


def is_tag(language: str) -> bool:
    """Whether something names a dictionary, as ``de``, ``en_GB`` or ``de_DE_frami``."""
    return _TAG.fullmatch(language) is not None


def wanted_languages(available: tuple[str, ...], chosen: tuple[str, ...], own: tuple[str, ...]) -> list[str]:
    """Which dictionaries to check with.

    Args:
        available: Tags of all that there are.
        chosen: Tags that the person has chosen; none to follow `own`.
        own: Languages of the program and of the system, most important first, as ``de`` or ``de_AT``.
            For one without a country, a dictionary of the country where most speak it should
            follow in the list.

    Returns:
        At most `window_limits.SPELLED_LANGUAGES_MAX` tags, each of `available`.
    """
    if chosen:
        return [tag for tag in chosen if tag in available][: limits.SPELLED_LANGUAGES_MAX]
    found: dict[str, str] = {}
    for language in own:
        short = _short(language)
        if language in available and (short not in found or found[short] == short):
            found[short] = language
    for language in own:
        short = _short(language)
        others = sorted(tag for tag in available if _short(tag) == short)
        if short not in found and others:
            found[short] = others[0]
    return list(found.values())[: limits.SPELLED_LANGUAGES_MAX]


def _short(language: str) -> str:
    return re.split("[_-]", language, maxsplit=1)[0]
