import hashlib
from itertools import product

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.errors import DatabaseDamaged, InputError, InputProblem, StorageBug
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import AFTER, FailReason, Message, MessageState
from messenger.storage import actions, chain, moves, rows, traffic
from messenger.storage.chain import chain_hash
from messenger.storage.store import Outgoing, Store
from tests.helpers.storage import ZEROS, add_contact, add_theirs, message_id

NOBODY = ConversationId(4711)
OURS = [
    MessageState.QUEUED,
    MessageState.SENT,
    MessageState.DELIVERED,
    MessageState.READ,
    MessageState.FAILED,
]
WAITING = {MessageState.QUEUED, MessageState.SENT}
"""The states in which a message has its row in the outbox."""
TEXTS = [
    "hi",
    "two\nlines",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "שלום عليكم",
    "\u202ereversed\u202c",
    "a\x00b",
    "x" * limits.TEXT_MAX,
]


def add_ours(store: Store, conversation: ConversationId, number: int, text: str = "ours") -> Outgoing:
    return store.messages.add_outgoing(conversation, message_id(number), text, number, number)


def outbox(store: Store) -> list[int]:
    return [row[0] for row in store._database.rows("SELECT position FROM outbox ORDER BY position")]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_both_directions_come_back_as_they_were(store: Store, text: str) -> None:
    contact = add_contact(store)
    ours = store.messages.add_outgoing(contact.id, message_id(1), text, 1_700_000_000_000, 1_700_000_000_001)
    theirs = store.messages.add_incoming(contact.id, message_id(2), 1, ZEROS, text, 5, 6)
    assert ours.message == Message(
        id=message_id(1),
        conversation=contact.id,
        position=ours.message.position,
        outgoing=True,
        state=MessageState.QUEUED,
        text=text,
        sent_ms=1_700_000_000_000,
        stored_ms=1_700_000_000_001,
    )
    assert theirs == Message(
        id=message_id(2),
        conversation=contact.id,
        position=(ours.order + 1) * 2**limits.ORDER_TIE_BITS + 2,
        outgoing=False,
        state=MessageState.UNREAD,
        text=text,
        sent_ms=5,
        stored_ms=6,
    )
    assert store.messages.page(contact.id) == [ours.message, theirs]
    assert store.messages.get(contact.id, message_id(1)) == ours.message
    assert store.messages.get(contact.id, message_id(2)) == theirs
    assert store.messages.last(contact.id) == theirs


def test_an_empty_conversation(store: Store) -> None:
    contact = add_contact(store)
    assert store.messages.page(contact.id) == []
    assert store.messages.last(contact.id) is None
    assert store.messages.get(contact.id, message_id(1)) is None
    assert store.messages.unread(contact.id) == 0
    assert store.messages.incoming_count(contact.id) == 0
    assert store.messages.seen_seq(contact.id) == 0
    assert store.messages.pending(contact.id, 0, 10) == []
    assert store.messages.pending_conversations() == []
    assert store.messages.mark_seen(contact.id, 10) == []


def test_the_chain(store: Store) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    prev = ZEROS
    for seq, text in enumerate(["one", "two 👋", "three"], start=1):
        outgoing = store.messages.add_outgoing(contact.id, message_id(seq), text, 1000 + seq, 0)
        assert (outgoing.seq, outgoing.prev) == (seq, prev)
        add_theirs(store, contact.id, 100 + seq)  # has no place in our chain
        numbers = b"".join(n.to_bytes(8, "big") for n in (seq, 1000 + seq, outgoing.order))
        data = b"\x02" + prev + message_id(seq) + numbers + bytes(4 + 2) + text.encode("utf-8")
        prev = hashlib.sha256(data).digest()
    assert (add_ours(store, other.id, 1).seq, add_ours(store, other.id, 2).seq) == (1, 2)


def written(seq: int, sent_ms: int, text: str, about: bytes = b"") -> Chained:
    """The first text of a chain."""
    return Chained(
        kind=ChainKind.TEXT,
        id=MessageId(b"\x11" * 16),
        seq=seq,
        prev=ZEROS,
        sent_ms=sent_ms,
        order=2000,
        about=about,
        content=text,
    )


def test_the_chain_hash_is_what_its_definition_says() -> None:
    # SHA-256 of 02, 32 zero bytes, 16 bytes 0x11, then 00..01, 00..03e8, 00..07d0, 00000000, 0000, "hi".
    numbers = bytes.fromhex("000000000000000100000000000003e800000000000007d0")
    start = b"\x02" + bytes(32) + b"\x11" * 16 + numbers
    first = written(1, 1000, "hi")
    assert chain_hash(first) == hashlib.sha256(start + b"\0\0\0\0\0\0hi").digest()
    reply = written(1, 1000, "hi", b"\x22" * 16)
    assert chain_hash(reply) == hashlib.sha256(start + bytes(4) + b"\0\x10" + b"\x22" * 16 + b"hi").digest()
    edit = msgspec.structs.replace(reply, kind=ChainKind.EDIT)
    rest = start[1:] + bytes(4) + b"\0\x10" + b"\x22" * 16 + b"hi"
    assert chain_hash(edit) == hashlib.sha256(b"\x0b" + rest).digest()
    timed = msgspec.structs.replace(first, timer=3600)
    assert chain_hash(timed) == hashlib.sha256(start + b"\0\0\x0e\x10" + b"\0\0hi").digest()


@pytest.mark.parametrize(("seq", "sent_ms", "text"), [(-1, 0, ""), (0, 2**64, ""), (0, 0, "\ud800")])
def test_the_chain_hash_of_what_cannot_be(seq: int, sent_ms: int, text: str) -> None:
    with pytest.raises(StorageBug):
        chain_hash(written(seq, sent_ms, text))


@pytest.mark.parametrize(("id_", "text", "sent_ms"), [(1, "ours", -1), (1, "\ud800", 0), (0, "same id", 0)])
def test_what_cannot_be_stored_leaves_nothing(store: Store, id_: int, text: str, sent_ms: int) -> None:
    contact = add_contact(store)
    first = add_ours(store, contact.id, 0)
    with pytest.raises(StorageBug):
        store.messages.add_outgoing(contact.id, message_id(id_), text, sent_ms, 0)
    assert store.messages.page(contact.id) == [first.message]
    assert outbox(store) == [first.message.position]
    assert add_ours(store, contact.id, 2).seq == 2


def test_a_conversation_that_is_not_there(store: Store) -> None:
    for action in (
        lambda: store.messages.add_outgoing(NOBODY, message_id(1), "x", 0, 0),
        lambda: store.messages.add_incoming(NOBODY, message_id(1), 1, ZEROS, "x", 0, 0),
    ):
        with pytest.raises(InputError) as caught:
            action()
        assert caught.value.problem is InputProblem.UNKNOWN
    assert store.messages.advance(NOBODY, [message_id(1)], MessageState.READ) == []
    assert store.messages.advance_through(NOBODY, 5, MessageState.READ) == []
    assert store.messages.page(NOBODY) == []


def test_theirs_are_stored_once(store: Store) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    first = store.messages.add_incoming(contact.id, message_id(1), 1, ZEROS, "text", 1, 2)
    assert first is not None
    assert store.messages.add_incoming(contact.id, message_id(1), 1, ZEROS, "text", 1, 9) is None
    assert store.messages.add_incoming(contact.id, message_id(1), 7, ZEROS, "another text", 5, 9) is None
    assert store.messages.page(contact.id) == [first]
    # The same id from somebody else is another message.
    assert store.messages.add_incoming(other.id, message_id(1), 1, ZEROS, "text", 1, 2) is not None


def test_they_cannot_touch_ours_by_taking_its_id(store: Store) -> None:
    contact = add_contact(store)
    ours = add_ours(store, contact.id, 1)
    theirs = store.messages.add_incoming(contact.id, message_id(1), 1, ZEROS, "fake", 1, 2)
    assert theirs is not None
    assert store.messages.get(contact.id, message_id(1)) == ours.message
    moved = store.messages.advance(contact.id, [message_id(1)], MessageState.READ)
    assert [message.position for message in moved] == [ours.message.position]
    assert store.messages.mark_seen(contact.id, theirs.position) == [(message_id(1), 1)]


def test_pending_is_what_is_queued_oldest_first(store: Store) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    outgoing = [add_ours(store, contact.id, number, f"text {number}") for number in range(1, 8)]
    add_theirs(store, contact.id, 99)
    add_ours(store, other.id, 1)
    pending = store.messages.pending
    assert pending(contact.id, 0, 100) == outgoing
    assert pending(contact.id, 0, 2) == outgoing[:2]
    assert pending(contact.id, 3, 2) == outgoing[3:5]
    assert pending(contact.id, 7, 2) == []
    assert pending(contact.id, 0, 0) == []
    assert pending(contact.id, 0, -1) == []
    store.messages.advance(contact.id, [message_id(2)], MessageState.DELIVERED)
    store.messages.advance(contact.id, [message_id(4)], MessageState.SENT)
    assert [each.seq for each in pending(contact.id, 0, 100)] == [1, 3, 5, 6, 7]


def test_pending_conversations(store: Store) -> None:
    contacts = [add_contact(store, number) for number in range(1, 5)]
    for contact in contacts[1:]:
        add_ours(store, contact.id, 1)
    store.messages.advance(contacts[2].id, [message_id(1)], MessageState.DELIVERED)
    add_theirs(store, contacts[0].id, 1)
    assert store.messages.pending_conversations() == [contacts[1].id, contacts[3].id]
    store.messages.advance(contacts[1].id, [message_id(1)], MessageState.SENT)
    assert store.messages.pending_conversations() == [contacts[3].id]


def way_to(state: MessageState) -> list[MessageState]:
    """The states that a queued message passes until it has a state."""
    return [] if state is MessageState.QUEUED else [state]


@pytest.mark.parametrize(("start", "target"), list(product(OURS, MessageState)))
def test_every_change_is_made_or_refused_as_the_table_says(
    store: Store, start: MessageState, target: MessageState
) -> None:
    contact = add_contact(store)
    message = add_ours(store, contact.id, 1).message
    for state in way_to(start):
        (message,) = store.messages.advance(contact.id, [message.id], state)
    assert message.state is start

    moved = store.messages.advance(contact.id, [message.id], target)
    stored = store.messages.get(contact.id, message.id)
    assert stored is not None
    if target in AFTER[start]:
        assert moved == [stored]
        assert stored.state is target
    else:
        assert moved == []
        assert stored == message
    assert outbox(store) == ([message.position] if stored.state in WAITING else [])


@pytest.mark.parametrize(
    ("start", "target"), list(product([MessageState.UNREAD, MessageState.SEEN], MessageState))
)
def test_receipts_cannot_move_theirs(store: Store, start: MessageState, target: MessageState) -> None:
    contact = add_contact(store)
    position = add_theirs(store, contact.id, 1)
    if start is MessageState.SEEN:
        store.messages.mark_seen(contact.id, position)
    assert store.messages.advance(contact.id, [message_id(1)], target) == []
    assert store.messages.advance_through(contact.id, 10, target) == []
    stored = store.messages.get(contact.id, message_id(1))
    assert stored is not None
    assert stored.state is start


def test_advance_takes_what_it_can(store: Store) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    for number in range(1, 5):
        add_ours(store, contact.id, number)
    add_ours(store, other.id, 1)
    ids = [message_id(number) for number in (4, 99, 2, 2)]
    moved = store.messages.advance(contact.id, ids, MessageState.DELIVERED)
    assert [(message.id, message.state) for message in moved] == [
        (message_id(2), MessageState.DELIVERED),
        (message_id(4), MessageState.DELIVERED),
    ]
    assert store.messages.advance(contact.id, ids, MessageState.DELIVERED) == []
    assert store.messages.advance(contact.id, [], MessageState.DELIVERED) == []
    assert [message.state for message in store.messages.page(other.id)] == [MessageState.QUEUED]


def test_advance_through(store: Store) -> None:
    contact = add_contact(store)
    for number in range(1, 7):
        add_ours(store, contact.id, number)
    store.messages.advance(contact.id, [message_id(1)], MessageState.READ)
    store.messages.advance(contact.id, [message_id(2)], MessageState.DELIVERED)
    store.messages.advance(contact.id, [message_id(3)], MessageState.FAILED, FailReason.BLOCKED)
    moved = store.messages.advance_through(contact.id, 4, MessageState.READ)
    assert [(message.id, message.state) for message in moved] == [(message_id(2), MessageState.READ)]
    assert [each.seq for each in store.messages.pending(contact.id, 0, 9)] == [4, 5, 6]
    assert len(outbox(store)) == 3
    moved = store.messages.advance_through(contact.id, 2**63 - 1, MessageState.FAILED, FailReason.BLOCKED)
    assert [(message.id, message.reason) for message in moved] == [
        (message_id(4), FailReason.BLOCKED),
        (message_id(5), FailReason.BLOCKED),
        (message_id(6), FailReason.BLOCKED),
    ]
    assert outbox(store) == []


def test_a_failed_message_can_be_queued_again(store: Store) -> None:
    contact = add_contact(store)
    outgoing = add_ours(store, contact.id, 1)
    (failed,) = store.messages.advance(contact.id, [message_id(1)], MessageState.FAILED, FailReason.BLOCKED)
    assert failed.reason is FailReason.BLOCKED
    assert store.messages.pending(contact.id, 0, 9) == []
    (queued,) = store.messages.advance(contact.id, [message_id(1)], MessageState.QUEUED, FailReason.BLOCKED)
    assert queued.reason is FailReason.NONE
    assert store.messages.pending(contact.id, 0, 9) == [outgoing]  # with its old place in the chain
    assert store.messages.pending_conversations() == [contact.id]


def test_what_was_seen(store: Store) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    positions = [add_theirs(store, contact.id, number) for number in range(1, 6)]
    add_ours(store, contact.id, 50)
    add_theirs(store, other.id, 77)
    assert store.messages.unread(contact.id) == 5
    assert store.messages.mark_seen(contact.id, positions[0] - 1) == []
    assert store.messages.mark_seen(contact.id, positions[2]) == [(message_id(n), n) for n in (1, 2, 3)]
    assert store.messages.mark_seen(contact.id, positions[2]) == []
    assert store.messages.unread(contact.id) == 2
    assert store.messages.seen_seq(contact.id) == 3
    assert store.messages.incoming_count(contact.id) == 5
    assert store.messages.mark_seen(contact.id, 2**62) == [(message_id(n), n) for n in (4, 5)]
    assert store.messages.unread(contact.id) == 0
    assert store.messages.seen_seq(contact.id) == 5
    assert store.messages.unread(other.id) == 1
    assert store.messages.seen_seq(other.id) == 0
    again = store.messages.add_incoming(contact.id, message_id(100), 2, ZEROS, "counts anew", 1, 1)
    assert again is not None
    assert store.messages.seen_seq(contact.id) == 1
    store.messages.mark_seen(contact.id, again.position)
    assert store.messages.seen_seq(contact.id) == 5


@pytest.mark.parametrize("damage", ["state = 99", "reason = 'because'"])
def test_values_that_nobody_wrote(store: Store, damage: str) -> None:
    contact = add_contact(store)
    add_ours(store, contact.id, 1)
    store._database.rows(f"UPDATE messages SET {damage}")  # noqa: S608
    with pytest.raises(DatabaseDamaged):
        store.messages.page(contact.id)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    owners=st.lists(st.integers(1, 3), max_size=40),
    count=st.integers(1, 9),
    step=st.integers(1, 5),
)
def test_pages_make_up_the_whole(store: Store, owners: list[int], count: int, step: int) -> None:
    contacts = {number: add_contact(store, number) for number in (1, 2, 3)}
    expected: dict[int, list[Message]] = {1: [], 2: [], 3: []}
    for number, owner in enumerate(owners):
        if number % (step + 1):
            expected[owner].append(add_ours(store, contacts[owner].id, number).message)
        else:
            add_theirs(store, contacts[owner].id, number)
            last = store.messages.last(contacts[owner].id)
            assert last is not None
            expected[owner].append(last)
    for owner, contact in contacts.items():
        pages: list[Message] = []
        while page := store.messages.page(contact.id, pages[0].position if pages else None, count):
            assert len(page) <= count
            pages = page + pages
        assert pages == expected[owner]
        store.contacts.remove(contact.id)  # the next example begins with nothing


def test_a_page_costs_the_same_at_any_depth(store: Store) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    positions = [
        add_theirs(store, (contact if number % 2 else other).id, number) for number in range(1, 1001)
    ]
    steps = 0

    def count() -> bool:
        nonlocal steps
        steps += 1
        return False

    store.messages.page(contact.id, None, 10)  # prepares the statement
    store._database._connection.set_progress_handler(count, 1)
    costs = []
    for before in (positions[20], positions[500], positions[-1], None):
        steps = 0
        assert len(store.messages.page(contact.id, before, 10)) == 10
        costs.append(steps)
    store._database._connection.set_progress_handler(None)
    assert len(set(costs)) == 1, costs
    assert 0 < costs[0] < 500


def test_no_query_reads_a_whole_table(store: Store) -> None:
    plans: dict[str, tuple[int | str | bytes, ...]] = {
        rows._PAGE_BACK: (1, 10, 0, 5),
        rows._PAGE_ON: (1, 10, 0, 5),
        traffic._PENDING: (1, 0, 2, 5),
        moves.ADVANCE: (2, "", 1, "[1]", bytes(16)),
        moves.ADVANCE_THROUGH: (2, "", 1, "[1]", 5),
        moves.MARK_SEEN: (1, 5),
        moves.SEEN_SEQ: (1,),
        rows._BY_ID: (1, bytes(16)),
        traffic._KNOWN: (1, bytes(16)),
        traffic._PENDING_ACTIONS: (1, 0, 2, 5),
        actions._OF_AUTHOR: (1, 0, bytes(16)),
        actions._WAITING: (1, bytes(16)),
        actions._COUNT_WAITING: (1,),
        chain._NEIGHBOURS: (1, 5),
        chain._LAST: (1, 21),
        chain._TAKEN: (5,),
    }
    for sql, values in plans.items():
        plan = [row[3] for row in store._database.rows(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert any(step.startswith("SEARCH") for step in plan)
        plan = [step for step in plan if step != "SCAN CONSTANT ROW"]  # a SELECT of subqueries alone
        slow = [step for step in plan if "SCAN" in step or "TEMP B-TREE" in step]
        assert all("json_each" in step for step in slow), (sql, plan)
