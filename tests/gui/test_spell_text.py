"""Which words of a text are checked at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import window_limits as limits
from messenger.gui.spell_text import checkable, script_of, scripts_of


def words(line: str, *, fenced: bool = False) -> list[str]:
    return [line[start:end] for start, end in checkable(line, fenced=fenced).spans]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Hello, wrold!", ["Hello", "wrold"]),
        ("(don't) “l’été” – well-knwon", ["don't", "l’été", "well", "knwon"]),
        ("the re\u0301sume\u0301 of Zoë", ["the", "re\u0301sume\u0301", "of", "Zoë"]),
        ("and/or", ["and", "or"]),
        ("see https://exmaple.org/wrold now", ["see", "now"]),
        ("(www.exmaple.org), exmaple.org:80", []),
        ("write to bbo@exmaple.org or mailto:bbo", ["write", "to", "or"]),
        ("sotto:invitte and Sotto:invitte", ["and"]),
        ("in /usr/lcoal, ~/fiels, C:\\fiels and a/b/c", ["in", "and"]),
        ("#wrold @bbo", []),
        ("3rd 2nd v1 wrold2 12:30 5kg", []),
        ("my_vraiable and __init__", ["and"]),
        ("NASA, EU’s GmbH and iPhnoe", ["and"]),
        ("a I x", []),
        ("use `wrold()` and `a b` here", ["use", "and", "here"]),
        ("one ` tick wrold", ["one", "tick", "wrold"]),
        ("before ```wrold hlelo``` after", ["before", "after"]),
        ("😀 wrold 😀", ["wrold"]),
        ("x" * (limits.SPELLED_WORD_MAX + 1), []),
        ("", []),
    ],
)
def test_only_words_that_have_a_spelling_are_found(line: str, found: list[str]) -> None:
    assert words(line) == found


def test_code_goes_on_over_lines_until_it_ends() -> None:
    assert checkable("see ```python").fenced
    assert checkable("see ```python").spans == [(0, 3)]
    assert words("wrold", fenced=True) == []
    assert checkable("wrold", fenced=True).fenced
    assert words("wrold``` after", fenced=True) == ["after"]
    assert not checkable("wrold``` after", fenced=True).fenced


@pytest.mark.parametrize(
    ("word", "script"),
    [
        ("wrold", "LATIN"),
        ("Straße’s", "LATIN"),
        ("привет", "CYRILLIC"),
        ("שָׁלוֹם", "HEBREW"),
        ("γεια", "GREEK"),
        ("pаypal", ""),
        ("世界", "CJK"),
    ],
)
def test_words_of_other_letters_are_left_to_other_dictionaries(word: str, script: str) -> None:
    assert script_of(word) == script


def test_the_letters_of_languages() -> None:
    assert scripts_of(("de_DE", "ru_RU", "en")) == {"LATIN", "CYRILLIC"}
    assert scripts_of(("th_TH", "ja")) == frozenset()


@given(st.text(max_size=300), st.booleans())
def test_whatever_is_written_the_words_are_words(line: str, fenced: bool) -> None:
    last = 0
    for start, end in checkable(line, fenced=fenced).spans:
        assert last <= start < end <= len(line)
        assert not set(line[start:end]) & set("`@/\\_0123456789 ")
        last = end
