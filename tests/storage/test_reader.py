import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messenger.core.errors import DatabaseDamaged, DiskReadOnly, StorageError
from messenger.core.ids import ConversationId
from messenger.core.models import Conversation, Draft, MessageState, Moments
from messenger.storage.reader import Reader
from messenger.storage.store import Store
from tests.helpers.storage import ZEROS, add_contact, add_theirs, message_id

NOBODY = ConversationId(4711)


@pytest.fixture
def reader(store: Store, path: Path, key: bytes) -> Iterator[Reader]:
    assert store.contacts.all() == []
    reader = Reader.open(path, key)
    yield reader
    reader.close()


def test_nothing_yet(reader: Reader) -> None:
    assert reader.conversations() == []
    assert reader.conversation(NOBODY) is None
    assert reader.messages(NOBODY, count=5) == []
    assert reader.first_unread(NOBODY) is None


def test_a_conversation_without_messages(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    assert reader.conversations() == [Conversation(contact=contact)]
    assert reader.conversation(contact.id) == Conversation(contact=contact)


def test_the_last_message_and_the_unread_ones(store: Store, reader: Reader) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    positions = [add_theirs(store, contact.id, number) for number in range(1, 4)]
    ours = store.messages.add_outgoing(contact.id, message_id(9), "ours", 9, 9).message
    add_theirs(store, other.id, 1)
    expected = Conversation(contact=contact, last=ours, unread=3, forked=True)  # none names the one before
    assert reader.conversation(contact.id) == expected
    assert expected in reader.conversations()
    assert store.conversations() == reader.conversations()
    store.messages.mark_seen(contact.id, positions[1])
    changed = reader.conversation(contact.id)
    assert changed is not None
    assert changed.unread == 1


def test_the_latest_conversation_stands_first(store: Store, reader: Reader) -> None:
    contacts = [add_contact(store, number) for number in (10, 20, 30)]  # made at these times
    ids = [contact.id for contact in contacts]
    assert [each.id for each in reader.conversations()] == ids[::-1]
    store.messages.add_outgoing(ids[0], message_id(1), "x", sent_ms=5, now_ms=25)
    assert [each.id for each in reader.conversations()] == [ids[2], ids[0], ids[1]]
    store.messages.add_incoming(ids[1], message_id(1), 1, ZEROS, "x", 5, 40)
    assert [each.id for each in reader.conversations()] == [ids[1], ids[2], ids[0]]


def test_the_first_unread(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    store.messages.add_outgoing(contact.id, message_id(9), "ours", 9, 9)
    assert reader.first_unread(contact.id) is None
    positions = [add_theirs(store, contact.id, number) for number in range(1, 4)]
    assert reader.first_unread(contact.id) == positions[0]
    store.messages.mark_seen(contact.id, positions[1])
    assert reader.first_unread(contact.id) == positions[2]
    store.messages.mark_seen(contact.id, positions[2])
    assert reader.first_unread(contact.id) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.none() | st.integers(-1, 45),
    after=st.none() | st.integers(-1, 45),
    count=st.integers(-1, 45),
)
def test_any_part_of_a_conversation(
    store: Store, reader: Reader, before: int | None, after: int | None, count: int
) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    while store.messages.incoming_count(contact.id) < 20:  # the first example fills it
        number = store.messages.incoming_count(contact.id) + 1
        add_theirs(store, contact.id, number)
        add_theirs(store, other.id, number)
    low = -1 if after is None else after
    high = 2**62 if before is None else before
    whole = [m for m in store.messages.page(contact.id, None, 100) if low < m.position < high]
    count_ = max(count, 0)
    expected = whole[:count_] if after is not None else whole[max(len(whole) - count_, 0) :]
    assert reader.messages(contact.id, before=before, after=after, count=count) == expected


def test_sees_what_is_committed_and_nothing_else(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    with store._database.write():
        store._database.rows("UPDATE contacts SET name = 'half done'")
        assert reader.conversations()[0].contact.name == contact.name
    assert reader.conversations()[0].contact.name == "half done"


def test_is_never_kept_waiting_by_the_writer(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    reader._database._connection.set_busy_timeout(0)  # any lock in the way is an error at once
    stop, wrong = threading.Event(), list[str]()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            store.messages.add_outgoing(contact.id, message_id(number), "ours", number, number)
            store.messages.advance(contact.id, [message_id(number)], MessageState.DELIVERED)
            if number % 100 == 0:  # more than happens by itself
                store._database._connection.wal_checkpoint()

    writer = threading.Thread(target=write)
    writer.start()
    seen = 0
    try:
        while seen < 400:
            page = reader.messages(contact.id, count=50)
            positions = [message.position for message in page]
            if positions != sorted(set(positions)) or (page and page[-1].position < seen):
                wrong.append(str(positions))
            conversation = reader.conversation(contact.id)
            assert conversation is not None
            if page and (conversation.last is None or conversation.last.position < page[-1].position):
                wrong.append("the last message is older than one seen before")
            seen = page[-1].position if page else 0
    finally:
        stop.set()
        writer.join()
    assert wrong == []


def test_cannot_write(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    with pytest.raises(DiskReadOnly), reader._database.write():
        reader._database.rows("DELETE FROM contacts")
    assert store.contacts.all() == [contact]


def test_keeps_its_statements_prepared(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    for _ in range(5):
        reader.messages(contact.id, count=5)
    assert reader._database._connection.cache_stats()["hits"] >= 4


def test_what_cannot_be_opened(tmp_path: Path, path: Path, key: bytes) -> None:
    with pytest.raises(StorageError):
        Reader.open(tmp_path / "nothing here", key)
    assert list(tmp_path.iterdir()) == []
    Store.open(path, key).close()
    with pytest.raises(DatabaseDamaged):
        Reader.open(path, bytes(32))


def test_all_drafts_at_once(store: Store, reader: Reader) -> None:
    one, two = add_contact(store, 1), add_contact(store, 2)
    assert reader.drafts() == {}
    store.drafts.set(one.id, Draft("half", message_id(7)))
    store.drafts.set(two.id, Draft("other"))
    assert reader.drafts() == {one.id: Draft("half", message_id(7)), two.id: Draft("other")}


def test_when_receipts_came(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    before = time.time_ns() // 1_000_000
    mine = store.messages.add_outgoing(contact.id, message_id(1), "mine", 5, 5).message
    assert reader.moments(contact.id, mine.id) == Moments()
    store.messages.advance(contact.id, [mine.id], MessageState.DELIVERED)
    delivered = reader.moments(contact.id, mine.id)
    assert delivered.delivered_ms is not None
    assert delivered.read_ms is None
    assert before <= delivered.delivered_ms <= time.time_ns() // 1_000_000
    store.messages.advance(contact.id, [mine.id], MessageState.READ)
    read = reader.moments(contact.id, mine.id)
    assert read.delivered_ms == delivered.delivered_ms
    assert read.read_ms is not None
    store.messages.mark_seen(contact.id, add_theirs(store, contact.id, 2))
    seen = reader.moments(contact.id, message_id(2))
    assert seen.delivered_ms is None
    assert seen.read_ms is not None
    assert reader.moments(NOBODY, mine.id) == Moments()
