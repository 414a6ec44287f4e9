"""Standard input becomes lines, however it is cut, and however long or odd a line is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.cli.screen import LineSplitter
from messenger.core import limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.names import clean_text


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])), st.integers(1, 9))
def test_lines_do_not_depend_on_the_pieces(text: str, size: int) -> None:
    data = text.encode()
    splitter, lines = LineSplitter(), []
    for at in range(0, len(data), size):
        lines += splitter.feed(data[at : at + size])
    assert [*lines, splitter.finish()] == text.split("\n")


def test_line_ends_of_windows_are_line_ends() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"one\r\ntwo\r\n") == ["one", "two"]


def test_bytes_that_are_no_text_are_marked() -> None:
    assert LineSplitter().feed(b"a\xffb\n") == ["a\ufffdb"]


def test_of_a_line_that_is_too_long_enough_is_kept_to_refuse_it() -> None:
    splitter = LineSplitter()
    assert not splitter.feed(b"x" * limits.TEXT_MAX)
    for _ in range(10):
        assert not splitter.feed(b"y" * limits.TEXT_MAX)
    (line, after) = splitter.feed(b"\nshort\n")
    assert len(line) == limits.TEXT_MAX + 1
    assert after == "short"
    with pytest.raises(InputError) as caught:
        clean_text(line)
    assert caught.value.problem is InputProblem.TOO_LONG


def test_the_longest_message_is_not_cut() -> None:
    longest = "x" * limits.TEXT_MAX
    assert LineSplitter().feed(longest.encode() + b"\r\n") == [longest]
