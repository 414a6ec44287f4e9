"""Names and texts from outside."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.names import clean_name, clean_text, own_name

any_text = st.text(st.characters(exclude_categories=()), max_size=200)


@given(any_text)
@example("a\u202eb\u200b\x00\ufeff")
@example("👩‍👩‍👧" * 70)
@example("é" * 300)
def test_a_cleaned_name_is_safe_to_show(text: str) -> None:
    name = clean_name(text)
    assert len(name) <= limits.NAME_MAX
    assert len(name.encode()) <= limits.NAME_BYTES_MAX
    assert name == name.strip()
    assert "  " not in name
    assert not [c for c in name if unicodedata.category(c)[0] == "C" or (c.isspace() and c != " ")]
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Alice", "Alice"),
        ("  Alice \t\n B ", "Alice B"),
        ("A\u202elice\u200b", "Alice"),
        ("e\u0301", "é"),
        ("עליזה", "עליזה"),
        ("\x00\x1b[31m", "[31m"),
        ("\u2028", ""),
        ("<b>x</b>", "<b>x</b>"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert clean_name(text) == name


def test_own_name() -> None:
    assert own_name(" Bob ") == "Bob"
    assert own_name("x" * limits.NAME_MAX) == "x" * limits.NAME_MAX


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", InputProblem.EMPTY),
        (" \n", InputProblem.EMPTY),
        ("\u200b\u202e", InputProblem.EMPTY),
        ("x" * (limits.NAME_MAX + 1), InputProblem.TOO_LONG),
        ("\U0001f600" * limits.NAME_MAX + "é", InputProblem.TOO_LONG),
    ],
)
def test_no_name(text: str, problem: InputProblem) -> None:
    with pytest.raises(InputError) as caught:
        own_name(text)
    assert caught.value.problem is problem


@given(any_text)
def test_own_names_are_names_or_input_errors(text: str) -> None:
    try:
        name = own_name(text)
    except InputError:
        return
    assert name
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (" a\r\nb\rc\n ", "a\nb\nc"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("\u200fשלום\u200e", "\u200fשלום\u200e"),
        ("e\u0301", "e\u0301"),
        ("x" * limits.TEXT_MAX, "x" * limits.TEXT_MAX),
    ],
)
def test_texts(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", InputProblem.EMPTY),
        (" \r\n\t ", InputProblem.EMPTY),
        ("x" * (limits.TEXT_MAX + 1), InputProblem.TOO_LONG),
        ("é" * (limits.TEXT_MAX // 2 + 1), InputProblem.TOO_LONG),
        ("a\ud800", InputProblem.BAD_VALUE),
    ],
)
def test_no_text(text: str, problem: InputProblem) -> None:
    with pytest.raises(InputError) as caught:
        clean_text(text)
    assert caught.value.problem is problem


def test_ten_thousand_characters_of_any_script_fit() -> None:
    for character in "aя語😀":
        assert clean_text(character * 10_000) == character * 10_000


def test_no_error_quotes_a_text() -> None:
    with pytest.raises(InputError) as caught:
        clean_text("secret words" * 10_000)
    assert "secret" not in f"{caught.value!r} {caught.value}"
