"""What is found in the text of a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.gui import content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://example.org/a?b=c#d now", ["https://example.org/a?b=c#d"]),
        ("(https://example.org).", ["https://example.org"]),
        ("https://en.example.org/wiki/Sotto_(voice), yes", ["https://en.example.org/wiki/Sotto_(voice)"]),
        ("HTTP://EXAMPLE.ORG!", ["HTTP://EXAMPLE.ORG"]),
        ("two: http://a.example, http://b.example", ["http://a.example", "http://b.example"]),
        ("file:///etc/passwd javascript:alert(1) ftp://x", []),
        ("https:// and http://", []),
    ],
)
def test_links(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in content.links(text)] == expected


@pytest.mark.parametrize("text", ["👍", "👍🏽", "👨‍👩‍👧‍👦 ❤️", "🇩🇪🇫🇷", "☕☕☕☕☕", "1️⃣"])
def test_only_emoji(text: str) -> None:
    assert content.only_emoji(text)


@pytest.mark.parametrize("text", ["", "a", "👍 ok", "12", "👍👍👍👍👍👍", "…", "שלום", "👍\u200d"])
def test_not_only_emoji(text: str) -> None:
    assert not content.only_emoji(text)


def test_a_long_message_is_cut_in_its_bubble() -> None:
    assert content.shown("short") == ("short", False)
    part, cut = content.shown("x" * 10_000)
    assert cut
    assert len(part) == content.SHOWN_CHARACTERS + 1
    part, cut = content.shown("\n".join("line" for _ in range(1_000)))
    assert cut
    assert part.count("\n") == content.SHOWN_LINES - 1
    whole = "x" * content.SHOWN_CHARACTERS
    assert content.shown(whole) == (whole, False)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.data())
def test_counting_as_qt_does(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text)))
    assert content.characters(text, content.units(text, place)) == place


@given(st.text())
def test_anything_can_be_looked_at(text: str) -> None:
    content.only_emoji(text)
    for start, end in content.links(text):
        assert text[start:end].lower().startswith(("http", "mailto:", "sotto:"))
