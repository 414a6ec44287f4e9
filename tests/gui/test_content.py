"""What is found in the text of a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core.words import phrases_of
from messenger.gui import content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://example.org/a?b=c#d now", ["https://example.org/a?b=c#d"]),
        ("(https://example.org).", ["https://example.org"]),
        ("https://en.example.org/wiki/Sotto_(voice), yes", ["https://en.example.org/wiki/Sotto_(voice)"]),
        ("HTTP://EXAMPLE.ORG!", ["HTTP://EXAMPLE.ORG"]),
        ("write to mailto:bob@example.org.", ["mailto:bob@example.org"]),
        ("take sotto:abc, or Sotto: the program", ["sotto:abc"]),
        ("xmailto:bob@example.org", []),
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


@pytest.mark.parametrize(
    ("text", "expected", "codes"),
    [
        ("plain", "plain", []),
        ("run `ls -l` now", "run ls -l now", ["ls -l"]),
        ("`a` and `b`", "a and b", ["a", "b"]),
        ("one ` alone", "one ` alone", []),
        ("``two``", "``two``", []),
        ("```\nx = 1\ny\n```", "x = 1\ny", ["x = 1\ny"]),
        ("see ```python\nx = `1`\n``` there", "see \nx = `1`\n there", ["x = `1`"]),
        ("``` never closed", "``` never closed", []),
        ("``` ```", "``` ```", []),
    ],
)
def test_the_marks_of_code_are_taken_out(text: str, expected: str, codes: list[str]) -> None:
    shown, spans = content.formatted(text)
    assert shown == expected
    assert [shown[start:end] for start, end in spans] == codes


@given(st.text("`a \n", max_size=60))
def test_code_stands_within_the_text(text: str) -> None:
    shown, spans = content.formatted(text)
    assert shown.replace("`", "").split() == text.replace("`", "").split() or "```" in text
    assert all(0 <= start < end <= len(shown) for start, end in spans)


def test_words_that_are_sought_are_found_without_case_and_accents() -> None:
    text = "Élève, the boats and 東京で会う"

    def marked(query: str) -> list[str]:
        return [text[start:end] for start, end in content.sought(text, phrases_of(query))]

    assert marked("eleve") == ["Élève"]
    assert marked("boat") == ["boat"]
    assert marked('"boat"') == []
    assert marked("京で") == ["京で"]


@given(st.text(), st.text(min_size=1, max_size=10))
def test_anything_can_be_sought_in_anything(text: str, query: str) -> None:
    for start, end in content.sought(text, phrases_of(query)):
        assert 0 <= start < end <= len(text)
