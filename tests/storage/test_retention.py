import pytest

from messenger.core import store_limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId
from messenger.core.models import MessageState, SearchQuery
from messenger.storage.store import Store
from tests.helpers.storage import ZEROS, add_contact, message_id

DAY = 86_400_000
NOW = 1000 * DAY
NOBODY = ConversationId(4711)


def add(
    store: Store, conversation: ConversationId, number: int, days_ago: float, *, seen: bool = True
) -> int:
    at = NOW - int(days_ago * DAY)
    message = store.messages.add_incoming(
        conversation, message_id(number), number, ZEROS, f"text{number}", at, at
    )
    assert message is not None
    if seen:
        store.messages.mark_seen(conversation, message.position)
    return message.position


def left(store: Store, conversation: ConversationId) -> list[int]:
    return sorted(message.position for message in store.messages.page(conversation))


def expire(store: Store, days: int) -> list[ConversationId]:
    changed = []
    while (one := store.retention.expire(days, NOW)) is not None:
        changed.append(one)
    return changed


def test_nothing_is_deleted_unless_somebody_wants_it(store: Store) -> None:
    contact = add_contact(store)
    position = add(store, contact.id, 1, 900)
    assert expire(store, 0) == []
    assert left(store, contact.id) == [position]


def test_what_is_older_goes_and_what_is_younger_stays(store: Store) -> None:
    bob, carol = add_contact(store), add_contact(store, 2)
    positions = [add(store, bob.id, number, ago) for number, ago in enumerate((30, 7.01, 7, 6.99, 0))]
    other = add(store, carol.id, 1, 6)
    assert expire(store, 7) == [bob.id]
    assert left(store, bob.id) == positions[2:]
    assert left(store, carol.id) == [other]
    assert store.find(SearchQuery(text="text0"), None, 9).messages == ()
    store._database.rows("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")


def test_a_conversation_may_differ(store: Store) -> None:
    bob, carol, dora = (add_contact(store, number) for number in (1, 2, 3))
    old = {contact.id: add(store, contact.id, 1, 20) for contact in (bob, carol, dora)}
    store.retention.set(bob.id, 0)
    store.retention.set(carol.id, 10)
    assert expire(store, 30) == [carol.id]
    assert left(store, bob.id) == [old[bob.id]]
    assert left(store, dora.id) == [old[dora.id]]
    assert expire(store, 10) == [dora.id]
    assert (store.retention.get(bob.id), store.retention.get(carol.id), store.retention.get(dora.id)) == (
        0,
        10,
        None,
    )
    store.retention.set(bob.id, None)
    assert expire(store, 10) == [bob.id]
    assert store.retention.get(bob.id) is None


def test_what_waits_or_was_not_seen_is_never_too_old(store: Store) -> None:
    contact, at = add_contact(store), NOW - 90 * DAY
    unread = add(store, contact.id, 1, 90, seen=False)
    states = {}
    for number, state in enumerate(
        (
            MessageState.QUEUED,
            MessageState.SENT,
            MessageState.DELIVERED,
            MessageState.READ,
            MessageState.FAILED,
        ),
        10,
    ):
        message = store.messages.add_outgoing(contact.id, message_id(number), "ours", at, at).message
        if state is not MessageState.QUEUED:
            store.messages.advance(contact.id, [message.id], state)
        states[state] = message.position
    assert expire(store, 1) == [contact.id]
    assert left(store, contact.id) == [unread, states[MessageState.QUEUED], states[MessageState.SENT]]
    assert len(store.messages.pending(contact.id, 0, 9)) == 1
    store.messages.mark_seen(contact.id, unread)
    assert expire(store, 1) == [contact.id]
    assert unread not in left(store, contact.id)


def test_what_was_deleted_does_not_come_back(store: Store) -> None:
    """A receipt was lost, so they send it again: it is acknowledged, and stays away."""
    contact, other = add_contact(store), add_contact(store, 2)
    add(store, contact.id, 1, 30)
    expire(store, 7)
    again = (message_id(1), 1, ZEROS, "text1", NOW, NOW)
    assert store.messages.add_incoming(contact.id, *again) is None
    assert left(store, contact.id) == []
    assert store.messages.add_incoming(other.id, *again) is not None, "somebody else's message"
    assert store.retention.expire(7, NOW + store_limits.FORGOTTEN_KEPT * 1000 - 1) is None
    assert store.messages.add_incoming(contact.id, *again) is None
    assert store.retention.expire(0, NOW + store_limits.FORGOTTEN_KEPT * 1000) is None
    assert store.messages.add_incoming(contact.id, *again) is not None


@pytest.mark.parametrize("bulk", [1, 10**9])
def test_many_go_in_steps(store: Store, bulk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_limits, "EXPIRE_BATCH", 10)
    monkeypatch.setattr(store_limits, "SEARCH_BULK", bulk)
    contact = add_contact(store)
    for number in range(25):
        add(store, contact.id, number, 30)
    kept = add(store, contact.id, 99, 0)
    assert expire(store, 7) == [contact.id] * 3
    assert left(store, contact.id) == [kept]
    blocks = store._database.rows("SELECT block FROM search_data")
    assert not any(b"text1" in bytes(row[0]) for row in blocks)
    store._database.rows("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")


@pytest.mark.parametrize("days", [-1, store_limits.KEEP_DAYS_MAX + 1])
def test_numbers_of_days_that_cannot_be(store: Store, days: int) -> None:
    contact = add_contact(store)
    with pytest.raises(InputError) as caught:
        store.retention.set(contact.id, days)
    assert caught.value.problem is InputProblem.BAD_VALUE
    assert store.retention.get(contact.id) is None


def test_somebody_who_is_not_there(store: Store) -> None:
    assert store.retention.get(NOBODY) is None
    with pytest.raises(InputError) as caught:
        store.retention.set(NOBODY, 5)
    assert caught.value.problem is InputProblem.UNKNOWN
    contact = add_contact(store)
    store.retention.set(contact.id, 5)
    store.contacts.remove(contact.id)
    assert store._database.rows("SELECT * FROM retention") == []
