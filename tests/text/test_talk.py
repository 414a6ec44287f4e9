"""Presence, messages and steps in words."""

import msgspec
import pytest

from messenger.core.errors import Reason
from messenger.core.ids import ConversationId, Fingerprint, MessageId
from messenger.core.models import (
    Connecting,
    Contact,
    Conversation,
    FailReason,
    Message,
    MessageState,
    Offline,
    Online,
    Reaction,
    Route,
    Standing,
)
from messenger.engine.events import ConnectStep, SetupStep
from messenger.text import (
    CONNECT_STEPS,
    SETUP_STEPS,
    STATES,
    conversation_sentence,
    failure,
    marks,
    message_sentence,
    one_line,
    presence_words,
    shown_text,
    unread_words,
)

NOW = 1_700_000_000_000


def message(text: str, state: MessageState) -> Message:
    return Message(
        id=MessageId(bytes(16)),
        conversation=ConversationId(1),
        position=1,
        outgoing=state not in {MessageState.UNREAD, MessageState.SEEN},
        state=state,
        text=text,
        sent_ms=NOW,
        stored_ms=NOW,
    )


def test_every_step_has_words_in_the_order_of_its_declaration() -> None:
    assert list(CONNECT_STEPS) == [step.value for step in ConnectStep]
    assert list(SETUP_STEPS) == [step.value for step in SetupStep]


def test_every_state_and_failure_has_words() -> None:
    assert set(STATES) == set(MessageState)
    assert all(failure(reason).endswith(".") for reason in FailReason)


@pytest.mark.parametrize("route", Route)
def test_online_names_the_way(route: Route) -> None:
    assert presence_words(Online(since_ms=NOW, route=route), NOW).startswith("Online · ")


def test_offline_says_why_and_when_it_is_tried_again() -> None:
    presence = Offline(retry_ms=NOW + 11_500, reason=Reason.NOBODY)
    assert presence_words(presence, NOW) == "Offline · not running there · next try in 12 s"
    assert presence_words(presence, NOW + 20_000) == "Offline · not running there · trying now"
    assert presence_words(Offline(), NOW) == "Offline"
    assert "last seen" in presence_words(Offline(), NOW, NOW - 60_000)
    assert presence_words(Connecting(), NOW) == "Connecting…"


@pytest.mark.parametrize("reason", Reason)
def test_offline_has_words_for_every_reason(reason: Reason) -> None:
    assert presence_words(Offline(reason=reason), NOW).startswith("Offline")


def test_a_message_reads_as_one_sentence() -> None:
    sentence = message_sentence(message("Hello", MessageState.DELIVERED), "You", NOW)
    assert sentence.startswith("You, ")
    assert sentence.endswith(": Hello, delivered")
    assert message_sentence(message("Hi", MessageState.SEEN), "Bob", NOW).endswith(": Hi")


def test_a_conversation_reads_as_one_sentence() -> None:
    contact = Contact(
        id=ConversationId(1),
        fingerprint=Fingerprint(bytes(32)),
        name="Bob",
        standing=Standing.ACCEPTED,
        verified=True,
        created_ms=NOW,
    )
    row = Conversation(contact=contact, last=message("See\nyou", MessageState.UNREAD), unread=2)
    sentence = conversation_sentence(row, Online(since_ms=NOW, route=Route.LOCAL), NOW)
    assert sentence.startswith("Bob, Online · local network, verified, 2 unread messages, ")
    assert sentence.endswith(": See you")


def test_counting_and_shortening() -> None:
    assert unread_words(1) == "1 unread message"
    assert unread_words(5) == "5 unread messages"
    assert one_line("  a\n\tb  ") == "a b"
    assert len(one_line("x" * 1000)) == 120


def test_what_was_done_to_a_message_in_words() -> None:
    plain = message("hello", MessageState.READ)
    done = msgspec.structs.replace(plain, edited_ms=1, reactions=(Reaction(outgoing=False, emoji="👍"),))
    assert (marks(plain, "12:00"), marks(done, "12:00")) == ("12:00", "👍 · edited · 12:00")
    assert message_sentence(plain, "You", NOW).endswith(": hello, read")
    assert message_sentence(done, "You", NOW).endswith(": hello, 👍 · edited, read")
    gone = msgspec.structs.replace(plain, text="", deleted=True)
    assert shown_text(gone) == "You deleted this message"
    assert shown_text(msgspec.structs.replace(gone, outgoing=False)) == "This message was deleted"
    assert shown_text(plain) == "hello"
