"""What a profile keeps about spelling, and which dictionaries that means."""

import pytest

from messenger.core import window_limits as limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.spelling import Spelling, clean_languages, clean_word, is_tag, wanted_languages

AVAILABLE = ("de_AT", "de_CH", "de_DE", "en", "en_GB", "en_US", "fr_FR")


def test_a_word_is_kept_as_it_is_compared() -> None:
    assert clean_word("  re\u0301sume\u0301 ") == "résumé"
    assert clean_word("l’été") == "l'été"


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("  ", InputProblem.EMPTY),
        ("x" * (limits.SPELLED_WORD_MAX + 1), InputProblem.TOO_LONG),
        ("two words", InputProblem.BAD_VALUE),
        ("a\x00b", InputProblem.BAD_VALUE),
        ("a\nb", InputProblem.BAD_VALUE),
        ("a\ud800", InputProblem.BAD_VALUE),
    ],
)
def test_what_is_no_word_is_not_kept(word: str, problem: InputProblem) -> None:
    with pytest.raises(InputError) as refused:
        clean_word(word)
    assert refused.value.problem is problem
    assert word not in str(refused.value)


def test_languages_are_kept_once_each() -> None:
    assert clean_languages(("de_DE", "en_GB", "de_DE")) == ("de_DE", "en_GB")
    for bad in (("../x",), ("",), ("en_GB,de",), ("EN",), tuple(f"a{sign}" for sign in "abcde")):
        with pytest.raises(InputError):
            clean_languages(bad)
    assert is_tag("de_DE_frami")
    assert is_tag("zh_Hans_CN")


@pytest.mark.parametrize(
    ("chosen", "own", "wanted"),
    [
        ((), ("de", "de_DE", "en_GB"), ["de_DE", "en_GB"]),
        ((), ("de_AT", "de", "de_DE"), ["de_AT"]),
        ((), ("de_LU",), ["de_AT"]),
        ((), ("en", "en_US", "en_GB"), ["en_US"]),
        ((), ("ja", "ja_JP"), []),
        (("fr_FR", "xx"), ("de",), ["fr_FR"]),
        (("xx",), ("de",), []),
        (AVAILABLE, (), list(AVAILABLE[: limits.SPELLED_LANGUAGES_MAX])),
    ],
)
def test_the_dictionaries_that_are_wanted(
    chosen: tuple[str, ...], own: tuple[str, ...], wanted: list[str]
) -> None:
    assert wanted_languages(AVAILABLE, chosen, own) == wanted


def test_words_are_in_no_log() -> None:
    assert "secret" not in repr(Spelling(("en",), ("secret",)))
