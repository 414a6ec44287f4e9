"""What is done to messages: every state and event, every order of arrival, and nothing left behind."""

import itertools
from typing import Final

import msgspec
import pytest

from messenger.core import deed_limits, limits, store_limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.errors import DatabaseDamaged, InputError, InputProblem
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import FailReason, Message, MessageState, Reaction, SearchQuery
from messenger.storage.store import Store
from tests.helpers.storage import ZEROS, add_contact, message_id

EDIT, DELETE, REACT, TEXT = ChainKind.EDIT, ChainKind.DELETE, ChainKind.REACTION, ChainKind.TEXT
TARGET: Final = message_id(1)
NOW: Final = 1_000_000
"""When everything is stored, Unix milliseconds."""

_numbers = itertools.count(1000)


def theirs(kind: ChainKind, order: int, content: str = "", target: bytes = TARGET, seq: int = 2) -> Chained:
    """Something that they did."""
    id_ = message_id(next(_numbers))
    return Chained(
        kind=kind, id=id_, seq=seq, prev=ZEROS, sent_ms=order, order=order, about=target, content=content
    )


def text(content: str = "as it was", id_: MessageId = TARGET, order: int = 10) -> Chained:
    """A text of theirs."""
    return Chained(kind=TEXT, id=id_, seq=1, prev=ZEROS, sent_ms=order, order=order, content=content)


def by_them(emoji: str) -> Reaction:
    return Reaction(outgoing=False, emoji=emoji)


def by_us(emoji: str) -> Reaction:
    return Reaction(outgoing=True, emoji=emoji)


def looks(message: Message | None) -> tuple[object, ...]:
    """What a person sees of a message; nothing if there is none."""
    if message is None:
        return ()
    return message.text, message.edited_ms, message.deleted, message.reactions


def hits(store: Store, words: str) -> int:
    return len(store.find(SearchQuery(text=words), None, 10).messages)


WRITTEN = ("as it was", None, False, ())
EDITED = ("edited", 50, False, ())
LATER = ("later", 60, False, ())
DELETED = ("", None, True, ())
REACTED = ("as it was", None, False, (by_them("👍"),))
"""What they see of their own text to which they have reacted."""

EVENTS: dict[str, Chained] = {
    "an earlier edit": theirs(EDIT, 40, "too late"),
    "a later edit": theirs(EDIT, 60, "later"),
    "a deletion": theirs(DELETE, 45),
    "an earlier reaction": theirs(REACT, 40, "👎"),
    "a later reaction": theirs(REACT, 60, "🎉"),
    "a reaction taken back": theirs(REACT, 60, ""),
}
PARTY = (by_them("🎉"),)
THUMB = (by_them("👎"),)
TABLE: dict[str, tuple[list[Chained], list[tuple[object, ...]]]] = {
    # state: how it came about, and what it becomes by each of the events
    "not here": ([], [()] * 6),
    "as it was written": (
        [text()],
        [
            ("too late", 40, False, ()),
            LATER,
            DELETED,
            (*WRITTEN[:3], THUMB),
            (*WRITTEN[:3], PARTY),
            WRITTEN,
        ],
    ),
    "edited": (
        [text(), theirs(EDIT, 50, "edited")],
        [EDITED, LATER, DELETED, (*EDITED[:3], THUMB), (*EDITED[:3], PARTY), EDITED],
    ),
    "reacted": (
        [text(), theirs(REACT, 50, "👍")],
        [
            ("too late", 40, False, (by_them("👍"),)),
            ("later", 60, False, (by_them("👍"),)),
            DELETED,
            REACTED,
            (*WRITTEN[:3], PARTY),
            WRITTEN,
        ],
    ),
    "deleted": ([text(), theirs(DELETE, 50)], [DELETED] * 6),
}


@pytest.mark.parametrize(("state", "number"), [*itertools.product(TABLE, range(len(EVENTS)))])
def test_every_state_and_every_event(store: Store, state: str, number: int) -> None:
    """As the table of SPEC.md 8.3; what comes before its text has the same effect as right after it."""
    contact = add_contact(store)
    before, after = TABLE[state]
    for chained in before:
        store.messages.take(contact.id, chained, NOW)
    was = looks(store.messages.get(contact.id, TARGET))
    arrival = store.messages.take(contact.id, list(EVENTS.values())[number], NOW)
    assert arrival.new
    assert looks(store.messages.get(contact.id, TARGET)) == after[number]
    if after[number] != was:
        assert looks(arrival.changed) == after[number]
    if state == "not here":
        arrival = store.messages.take(contact.id, text(), NOW)
        assert looks(arrival.added) == TABLE["as it was written"][1][number]
        assert looks(store.messages.get(contact.id, TARGET)) == looks(arrival.added)


@pytest.mark.parametrize("kind", [EDIT, DELETE])
def test_nobody_changes_what_others_wrote(store: Store, kind: ChainKind) -> None:
    contact = add_contact(store)
    ours = store.messages.add_outgoing(contact.id, TARGET, "ours", 5, 5).message
    store.messages.take(contact.id, theirs(kind, 50, "forged"), NOW)
    assert store.messages.get(contact.id, TARGET) == ours
    store.messages.take(contact.id, text("theirs", message_id(2)), NOW)
    with pytest.raises(InputError) as caught:
        store.actions.add_outgoing(contact.id, kind, message_id(3), message_id(2), "forged", NOW)
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    assert [item.chained.id for item in store.messages.to_send(contact.id, 0, 9)] == [TARGET]


@pytest.mark.parametrize("kind", [EDIT, DELETE, REACT])
def test_what_cannot_be_done(store: Store, kind: ChainKind) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    store.messages.add_outgoing(contact.id, TARGET, "ours", 5, 5)
    for conversation, target in (
        (contact.id, message_id(9)),
        (other.id, TARGET),
        (ConversationId(99), TARGET),
    ):
        with pytest.raises(InputError) as caught:
            store.actions.add_outgoing(conversation, kind, message_id(3), target, "x", NOW)
        assert caught.value.problem is InputProblem.UNKNOWN
    store.actions.add_outgoing(contact.id, DELETE, message_id(4), TARGET, "", NOW)
    with pytest.raises(InputError) as caught:
        store.actions.add_outgoing(contact.id, kind, message_id(5), TARGET, "x", NOW)
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    assert len(store.messages.to_send(contact.id, 0, 9)) == 2


def test_a_reaction_is_for_the_text_of_its_author_first(store: Store) -> None:
    """If they took the id of ours for theirs, their reaction is for theirs and ours for ours."""
    contact = add_contact(store)
    store.messages.add_outgoing(contact.id, TARGET, "ours", 5, 5)
    store.messages.take(contact.id, text("theirs"), NOW)
    store.messages.take(contact.id, theirs(REACT, 50, "👍"), NOW)
    store.actions.add_outgoing(contact.id, REACT, message_id(9), TARGET, "🎉", NOW)
    reactions = {message.text: message.reactions for message in store.messages.page(contact.id)}
    assert reactions == {"ours": (by_us("🎉"),), "theirs": (by_them("👍"),)}


def test_reactions_show_no_tricks(store: Store) -> None:
    contact = add_contact(store)
    store.messages.take(contact.id, text(), NOW)
    for order, (sent, shown) in enumerate(
        [("\u202e👍\n", "👍"), ("👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"), ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"), ("\u200b \u2066", "")],
        start=50,
    ):
        arrival = store.messages.take(contact.id, theirs(REACT, order, sent), NOW)
        assert arrival.changed is not None
        assert arrival.changed.reactions == ((by_them(shown),) if shown else ())


def test_ours_are_done_at_once_and_sent_as_they_were(store: Store) -> None:
    """The chain holds every text as it was written, until it is delivered; then nothing of it is left."""
    contact = add_contact(store)
    sent = [store.messages.add_outgoing(contact.id, message_id(n), f"secret {n}", n, n) for n in (1, 2)]
    reply = store.messages.add_outgoing(contact.id, message_id(3), "reply", 3, 3, message_id(1))
    edited = store.actions.add_outgoing(contact.id, EDIT, message_id(11), message_id(1), "harmless", NOW)
    assert (looks(edited), edited.state) == (("harmless", NOW, False, ()), MessageState.QUEUED)
    gone = store.actions.add_outgoing(contact.id, DELETE, message_id(12), message_id(3), "", NOW + 1)
    assert (looks(gone), gone.reply_to) == (DELETED, None)
    store.actions.add_outgoing(contact.id, EDIT, message_id(13), message_id(1), "harmless too", NOW + 2)

    waiting = store.messages.to_send(contact.id, 0, 99)
    assert [(item.chained.kind, item.chained.content) for item in waiting] == [
        (TEXT, "secret 1"),
        (TEXT, "secret 2"),
        (TEXT, "reply"),
        (EDIT, "harmless"),
        (DELETE, ""),
        (EDIT, "harmless too"),
    ]
    assert [item.chained for item in waiting[:3]] == [item.chained for item in (*sent, reply)]
    assert waiting[2].chained.about == message_id(1)
    assert [item.chained.seq for item in waiting] == [1, 2, 3, 4, 5, 6]
    assert [item.chained.seq for item in store.messages.to_send(contact.id, 3, 2)] == [4, 5]
    assert store.messages.to_send(contact.id, 0, -1) == []
    assert hits(store, "secret") == 1
    assert hits(store, "harmless") == 1

    for item in waiting:
        store.messages.advance(contact.id, [item.chained.id], MessageState.DELIVERED)
    assert store.messages.to_send(contact.id, 0, 99) == []
    assert store._database.rows("SELECT * FROM outbox") == store._database.rows("SELECT * FROM actions") == []
    assert store._database.rows("SELECT 1 FROM messages WHERE original IS NOT NULL") == []
    assert [looks(message) for message in store.messages.page(contact.id)] == [
        ("harmless too", NOW + 2, False, ()),
        ("secret 2", None, False, ()),
        DELETED,
    ]


def test_what_has_failed_is_sent_as_it_was_unless_it_is_deleted(store: Store) -> None:
    contact = add_contact(store)
    first, second = (
        store.messages.add_outgoing(contact.id, message_id(n), f"text {n}", n, n) for n in (1, 2)
    )
    store.actions.add_outgoing(contact.id, EDIT, message_id(11), message_id(1), "edited", NOW)
    store.actions.add_outgoing(contact.id, DELETE, message_id(12), message_id(2), "", NOW)
    ids = [message_id(n) for n in (1, 2, 11, 12)]
    failed = store.messages.advance(contact.id, ids, MessageState.FAILED, FailReason.BLOCKED)
    assert [message.id for message in failed] == ids[:2]
    assert [item.chained.id for item in store.messages.to_send(contact.id, 0, 9)] == ids[2:], "they wait"
    assert store._database.rows("SELECT original FROM messages ORDER BY position") == [("text 1",), (None,)]
    queued = store.messages.advance(contact.id, ids, MessageState.QUEUED)
    assert [message.id for message in queued] == [message_id(1)], "nobody sends what was deleted"
    assert store.messages.to_send(contact.id, 0, 9)[0].chained == first.chained
    assert second.message.text == "text 2"


def test_actions_with_a_carrier_wait_again_with_the_texts(store: Store) -> None:
    contact = add_contact(store)
    store.messages.add_outgoing(contact.id, TARGET, "text", 1, 1)
    store.actions.add_outgoing(contact.id, REACT, message_id(11), TARGET, "👍", NOW)
    ids = [TARGET, message_id(11)]
    assert [message.id for message in store.messages.advance(contact.id, ids, MessageState.SENT)] == [TARGET]
    assert store.messages.to_send(contact.id, 0, 9) == []
    assert store.messages.pending_conversations() == []
    assert [message.id for message in store.sealed.replaced(contact.id, bytes(32))] == [TARGET]
    assert [item.chained.id for item in store.messages.to_send(contact.id, 0, 9)] == ids
    store.messages.advance(contact.id, [TARGET], MessageState.DELIVERED)
    assert store.messages.pending_conversations() == [contact.id], "an action alone is worth a call"
    waiting = store.sealed.waiting(contact.id, message_id(11))
    assert waiting == store.messages.to_send(contact.id, 0, 9)[0]


@pytest.mark.parametrize("state", MessageState)
def test_an_action_leaves_the_outbox_when_it_is_there_and_not_before(
    store: Store, state: MessageState
) -> None:
    contact = add_contact(store)
    store.messages.add_outgoing(contact.id, TARGET, "text", 1, 1)
    store.actions.add_outgoing(contact.id, REACT, message_id(11), TARGET, "👍", NOW)
    assert store.messages.advance(contact.id, [message_id(11)], state) == []
    gone = state in (MessageState.DELIVERED, MessageState.READ)
    assert (store.sealed.waiting(contact.id, message_id(11)) is None) == gone
    on_way = state is MessageState.SENT
    assert len(store.messages.to_send(contact.id, 0, 9)) == 2 - (gone or on_way)


def test_the_same_twice(store: Store) -> None:
    contact = add_contact(store)
    edit = theirs(EDIT, 50, "edited")
    for chained in (edit, text(), edit, text()):
        store.messages.take(contact.id, chained, NOW)
    assert not store.messages.take(contact.id, edit, NOW).new
    clash = msgspec.structs.replace(text("same id as the edit"), id=edit.id)
    assert not store.messages.take(contact.id, clash, NOW).new
    assert [looks(message) for message in store.messages.page(contact.id)] == [EDITED]


def test_what_was_deleted_is_in_no_table(store: Store) -> None:
    """Not as text, and not as a word of the index."""
    contact = add_contact(store)
    store.messages.take(contact.id, text("unspeakable words"), NOW)
    store.messages.take(contact.id, text("other words", message_id(5), 11), NOW)
    store.messages.take(contact.id, theirs(EDIT, 50, "unbelievable words"), NOW)
    assert (hits(store, "unspeakable"), hits(store, "unbelievable"), hits(store, "words")) == (0, 1, 2)
    arrival = store.messages.take(contact.id, theirs(DELETE, 60), NOW)
    assert arrival.erased
    store.shred()
    store._database.rows("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    assert (hits(store, "unbelievable"), hits(store, "words")) == (0, 1)
    index = b"".join(bytes(row[0]) for row in store._database.rows("SELECT block FROM search_data"))
    tables = [str(store._database.rows(f"SELECT * FROM {table}")) for table in ("messages", "actions")]  # noqa: S608
    pages = index + "".join(tables).encode()
    assert b"other" in pages
    assert b"unspeakable" not in pages
    assert b"unbelievable" not in pages


def test_a_message_deleted_here_alone_does_not_come_back(store: Store) -> None:
    contact = add_contact(store)
    waiting = store.messages.add_outgoing(contact.id, message_id(2), "ours", 5, 5).message
    store.messages.take(contact.id, text(), NOW)
    with pytest.raises(InputError) as caught:
        store.actions.remove(contact.id, waiting.id, NOW)
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    store.messages.advance(contact.id, [waiting.id], MessageState.DELIVERED)
    for id_ in (waiting.id, TARGET):
        store.actions.remove(contact.id, id_, NOW)
        with pytest.raises(InputError) as caught:
            store.actions.remove(contact.id, id_, NOW)
        assert caught.value.problem is InputProblem.UNKNOWN
    for chained in (text(), theirs(EDIT, 50, "edited"), theirs(REACT, 60, "👍", waiting.id)):
        arrival = store.messages.take(contact.id, chained, NOW)
        assert (arrival.added, arrival.changed) == (None, None)
    assert store.messages.page(contact.id) == []
    assert store._database.rows("SELECT 1 FROM actions WHERE waiting = 1") == []
    assert hits(store, "as it was") == 0


def test_what_waits_in_vain_is_bounded_and_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deed_limits, "ACTIONS_WAITING_MAX", 3)
    contact = add_contact(store)
    for number in range(2, 7):
        target = message_id(number)
        assert store.messages.take(contact.id, theirs(EDIT, 50, "edited", target, number), NOW).new
    for number in range(2, 7):
        store.messages.take(contact.id, text(f"text {number}", message_id(number), number), NOW)
    assert [message.edited_ms for message in store.messages.page(contact.id)] == [50, 50, 50, None, None]
    store.messages.take(contact.id, theirs(EDIT, 50, "edited", message_id(9), 9), NOW)
    store.retention.expire(0, NOW + store_limits.FORGOTTEN_KEPT * 1000)
    assert len(store._database.rows("SELECT 1 FROM actions")) == 6
    store.retention.expire(0, NOW + store_limits.FORGOTTEN_KEPT * 1000 + 1)
    assert store._database.rows("SELECT 1 FROM actions") == []


def test_a_waiting_edit_keeps_no_words_once_its_text_is_deleted(store: Store) -> None:
    contact = add_contact(store)
    store.messages.take(contact.id, theirs(EDIT, 50, "words"), NOW)
    store.messages.take(contact.id, theirs(DELETE, 60), NOW)
    assert {row[0] for row in store._database.rows("SELECT content FROM actions")} == {""}
    arrival = store.messages.take(contact.id, text(), NOW)
    assert (looks(arrival.added), arrival.erased) == (DELETED, True)


def test_a_wild_clock_moves_the_conversation_no_further_than_a_day(store: Store) -> None:
    contact = add_contact(store)
    store.messages.take(contact.id, text(), NOW)
    store.messages.take(contact.id, theirs(REACT, limits.ORDER_MAX, "👍"), NOW)
    ours = store.messages.add_outgoing(contact.id, message_id(5), "ours", NOW, NOW)
    assert ours.order == NOW + limits.CLOCK_AHEAD * 1000 + 1


def test_two_changes_of_ours_are_ordered_though_the_first_has_left_no_trace(store: Store) -> None:
    """With a clock that stands still and lags behind, the second still holds."""
    contact = add_contact(store)
    store.messages.take(contact.id, text(order=NOW), NOW)
    orders = []
    for number in (30, 20):
        store.actions.add_outgoing(contact.id, REACT, message_id(number), TARGET, f"{number}", 5)
        orders.append(store.messages.to_send(contact.id, 0, 1)[0].chained.order)
        store.messages.advance(contact.id, [message_id(number)], MessageState.DELIVERED)
    assert orders == [NOW + 1, NOW + 2]
    message = store.messages.get(contact.id, TARGET)
    assert message is not None
    assert message.reactions == (by_us("20"),)


@pytest.mark.parametrize("damage", ["reactions = x'c1'", "reactions = x'9193a0a0a0'"])
def test_reactions_that_nobody_wrote(store: Store, damage: str) -> None:
    contact = add_contact(store)
    store.messages.take(contact.id, text(), NOW)
    store._database.rows(f"UPDATE messages SET {damage}")  # noqa: S608
    with pytest.raises(DatabaseDamaged):
        store.messages.page(contact.id)


def test_actions_of_a_kind_that_nobody_wrote(store: Store) -> None:
    contact = add_contact(store)
    store.messages.add_outgoing(contact.id, TARGET, "text", 1, 1)
    store.actions.add_outgoing(contact.id, DELETE, message_id(2), TARGET, "", NOW)
    store._database.rows("UPDATE actions SET kind = 99")
    with pytest.raises(DatabaseDamaged):
        store.messages.to_send(contact.id, 0, 9)
