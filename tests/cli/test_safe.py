"""No character of a message commands the terminal, and none disappears."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.cli.safe import safe_text


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = safe_text(text)
    left = {unicodedata.category(c) for c in shown if c != "\n"}
    assert not left & {"Cc", "Cs"}
    assert "\u202e" not in shown


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])))
def test_what_can_be_shown_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x9b31m", "\ufffd31m"),
        ("a\tb", "a    b"),
        ("one\ntwo\u2028three\x85four", "one\ntwo\nthree\nfour"),
        ("over\rwritten", "over␍written"),
        ("back\x08\x7f", "back␈␡"),
        ("abc\u202edcb\u2066x\u2069", "abc\ufffddcb\ufffdx\ufffd"),
        ("\ud800", "\ufffd"),
        ("👩\u200d👧 שלום\u200f", "👩\u200d👧 שלום\u200f"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert safe_text(text) == shown
