"""Words for messages that disappear."""

import pytest

from messenger.core import deed_limits
from messenger.core.chained import ChainKind
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Message, MessageState
from messenger.text import marks, message_sentence, shown_text
from messenger.text.timers import CHOICES, life_words, line_words, short_timer, timer_words, typed_timer


def message(*, outgoing: bool, timer: int, kind: ChainKind = ChainKind.TIMER, text: str = "") -> Message:
    return Message(
        id=MessageId(bytes(16)),
        conversation=ConversationId(1),
        position=1,
        outgoing=outgoing,
        state=MessageState.SEEN,
        text=text,
        sent_ms=1_800_000_000_000,
        stored_ms=1_800_000_000_000,
        kind=kind,
        timer=timer,
    )


@pytest.mark.parametrize(
    ("seconds", "whole", "short"),
    [
        (5, "5 seconds", "5 seconds"),
        (60, "1 minute", "1 minute"),
        (90, "1 minute 30 seconds", "2 minutes"),
        (5400, "1 hour 30 minutes", "2 hours"),
        (86_400, "1 day", "1 day"),
        (604_800, "1 week", "1 week"),
        (2_419_199, "3 weeks 6 days 23 hours 59 minutes 59 seconds", "4 weeks"),
    ],
)
def test_how_long(seconds: int, whole: str, short: str) -> None:
    assert (timer_words(seconds), short_timer(seconds)) == (whole, short)


def test_what_is_offered_can_be_chosen() -> None:
    assert CHOICES[0] == 0
    assert all(deed_limits.TIMER_MIN <= each <= deed_limits.TIMER_MAX for each in CHOICES[1:])
    assert timer_words(0) == "Off"


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("off", 0),
        (" OFF ", 0),
        ("30s", 30),
        ("5 m", 300),
        ("1H", 3600),
        ("1d", 86_400),
        ("4w", 2_419_200),
        ("4s", None),
        ("5w", None),
        ("0s", None),
        ("-1h", None),
        ("1", None),
        ("h", None),
        ("1x", None),
        ("1h30m", None),
        ("٣h", None),
        ("99999999s", None),
        ("", None),
    ],
)
def test_what_is_typed(typed: str, seconds: int | None) -> None:
    assert typed_timer(typed) == seconds


def test_the_line_in_the_conversation() -> None:
    assert line_words(message(outgoing=True, timer=86_400)) == "You set messages to disappear after 1 day"
    assert line_words(message(outgoing=True, timer=0)) == "You turned disappearing messages off"
    theirs = message(outgoing=False, timer=86_400)
    assert line_words(theirs, "Bob") == "Bob set messages to disappear after 1 day"
    assert shown_text(theirs) == "They set messages to disappear after 1 day"
    assert line_words(message(outgoing=False, timer=0), "Bob") == "Bob turned disappearing messages off"
    said = message_sentence(theirs, "Bob", 1_800_000_000_000)
    assert said.endswith(": Bob set messages to disappear after 1 day")
    assert said.count("Bob") == 1


def test_a_message_says_how_long_it_stays() -> None:
    timed = message(outgoing=False, timer=5400, kind=ChainKind.TEXT, text="hello")
    assert marks(timed, "12:00") == "2 hours · 12:00"
    assert life_words(timed) == "disappears after 1 hour 30 minutes"
    said = message_sentence(timed, "Bob", 1_800_000_000_000)
    assert said.endswith("hello, disappears after 1 hour 30 minutes")
    assert life_words(message(outgoing=False, timer=5400)) == ""
    assert life_words(message(outgoing=False, timer=0, kind=ChainKind.TEXT)) == ""
