"""Terms of texts and of questions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import store_limits
from messenger.core.words import Phrase, folded, occurring, phrases_of, terms_of


def flat(text: str) -> list[str]:
    return [term for terms in terms_of(text) for term in terms]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("Élève ÉLÈVE e\u0301le\u0300ve", ["eleve"] * 3),
        ("Straße STRASSE ﬁn ＡＢＣ①", ["strasse", "strasse", "fin", "abc1"]),
        ("Ærø Łódź Đặng İstanbul ıd", ["aero", "lodz", "dang", "istanbul", "id"]),
        ("Αθήνα ΑΘΉΝΑΣ Ёлка", ["αθηνα", "αθηνασ", "елка"]),
        ("don't x_y a1-b2 3.14", ["don", "t", "x", "y", "a1", "b2", "3", "14"]),
        ("שָׁלוֹם العَرَبِيّة أحمد ـــمدـــ", ["שלום", "العربية", "احمد", "مد"]),
        ("हिन्दी में कि", ["हिन्दी", "में", "कि"]),
        ("می\u200cخواهم soft\u00adware", ["میخواهم", "software"]),
        ("日本語", ["日本", "本語", "語"]),
        ("日", ["日"]),
        ("ｶﾞｷﾞ がき", ["ガギ", "ギ", "がき", "き"]),
        ("手机iPhone15手", ["手机", "机", "iphone15", "手"]),
        ("학교에서 먹다", ["학교", "교에", "에서", "서", "먹다", "다"]),
        ("ดีครับ", ["ดี", "ีค", "คร", "รั", "ับ", "บ"]),
        ("👍🏽👩\u200d👧 ❤\ufe0f", ["👍", "👩", "👧", "❤"]),
        ("「東京」・「大阪」", ["東京", "京", "大阪", "阪"]),
        ("\x00 \n\t … — !", []),
        ("a" * 100, ["a" * 64]),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert flat(text) == terms


@pytest.mark.parametrize(
    ("query", "phrases"),
    [
        ("", []),
        ("  ?! ", []),
        ("two words", [(("two",), True), (("words",), True)]),
        ("a 7 ab", [(("a",), False), (("7",), False), (("ab",), True)]),
        ('say "Good Morning" now', [(("say",), True), (("good", "morning"), False), (("now",), True)]),
        ('"not closed', [(("not", "closed"), False)]),
        ('""', []),
        ("don't", [(("don", "t"), False)]),
        ("example.org", [(("example", "org"), True)]),
        ("日本語", [(("日本", "本語"), False)]),
        ("日", [(("日",), True)]),
        ('"日"', [(("日",), True)]),
        ("same same", [(("same",), True)]),
        ("x" * 100, [(("x" * 64,), False)]),
    ],
)
def test_questions(query: str, phrases: list[tuple[tuple[str, ...], bool]]) -> None:
    assert phrases_of(query) == [Phrase(*phrase) for phrase in phrases]


def test_a_long_question_is_cut() -> None:
    assert len(phrases_of(" ".join(f"word{n}" for n in range(1000)))) == store_limits.SEARCH_PHRASES_MAX
    assert phrases_of("x " * store_limits.SEARCH_QUERY_MAX + "last") == [Phrase(("x",), prefix=False)]


@pytest.mark.parametrize(
    ("text", "query", "there"),
    [
        ("The quick brown fox", "FOX qui", True),
        ("The quick brown fox", '"quick brown"', True),
        ("The quick brown fox", '"brown quick"', False),
        ("The quick brown fox", '"quick bro"', False),
        ("The quick brown fox", "quack", False),
        ("今日は東京で会議です", "東京", True),
        ("今日は東京で会議です", "会", True),
        ("今日は東京で会議です", "す", True),
        ("今日は東京で会議です", "京都", False),
        ("今日は東京で会議です", "東京会議", False),
        ("新しいiPhone15を買った", "いiPhone15を", True),
        ("write to me@example.org", "example.org", True),
        ("write to me@example.org", "example.com", False),
    ],
)
def test_what_is_in_a_text(text: str, query: str, there: bool) -> None:
    assert all(occurring(text, phrases_of(query))) is there


def test_each_phrase_is_told_apart() -> None:
    assert occurring("The quick brown fox", phrases_of('quick "brown dog" f')) == [True, False, False]
    assert occurring("", phrases_of("a bc")) == [False, False]


@given(st.text())
def test_case_and_composition_do_not_matter(text: str) -> None:
    assert flat(folded(text)) == flat(text)
    assert all(term and '"' not in term and len(term) <= store_limits.SEARCH_TERM_MAX for term in flat(text))


@given(st.text(min_size=1, max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_a_word_is_found_where_it_stands(word: str, before: str, after: str) -> None:
    phrases = phrases_of(word.replace('"', " "))
    assert all(occurring(f"{before} {word} {after}", phrases))
