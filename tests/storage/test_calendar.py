from collections.abc import Iterator
from pathlib import Path

import pytest

from messenger.core.ids import ConversationId
from messenger.core.models import ConversationSize
from messenger.storage.reader import Reader
from messenger.storage.store import Store
from tests.helpers.storage import ZEROS, add_contact, message_id

DAY = 86_400_000
NOBODY = ConversationId(4711)


@pytest.fixture
def reader(store: Store, path: Path, key: bytes) -> Iterator[Reader]:
    assert store.contacts.all() == []
    reader = Reader.open(path, key)
    yield reader
    reader.close()


def add(store: Store, conversation: ConversationId, number: int, at_ms: int, text: str = "x") -> int:
    id_ = message_id(number)
    message = store.messages.add_incoming(conversation, id_, number, ZEROS, text, at_ms, at_ms, max(at_ms, 1))
    assert message is not None
    return message.position


def test_the_first_message_from_a_time_on(store: Store, reader: Reader) -> None:
    bob, carol = add_contact(store), add_contact(store, 2)
    times = [5, 5, 10, DAY - 1, DAY, DAY + 7, 3 * DAY + 9, 9 * DAY]
    positions = []
    for number, at in enumerate(times):
        positions.append(add(store, bob.id, number, at))
        add(store, carol.id, number, at + 1)
    asked = [0, 1, 5, 6, 10, 11, DAY - 1, DAY, DAY + 1, DAY + 8, 2 * DAY, 3 * DAY + 10, 9 * DAY, 9 * DAY + 1]
    for wanted in asked:
        expected = next((p for p, at in zip(positions, times, strict=True) if at >= wanted), None)
        assert reader.position_at(bob.id, wanted) == expected == store.position_at(bob.id, wanted), wanted
    assert reader.position_at(NOBODY, 0) is None
    assert reader.position_at(bob.id, -5) == positions[0]
    assert reader.position_at(bob.id, 2**80) is None


def test_a_day_of_which_the_messages_are_gone(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    positions = [add(store, contact.id, number, DAY + number) for number in range(6)]
    positions += [add(store, contact.id, 9, 2 * DAY)]
    store._database.rows("DELETE FROM messages WHERE position <= ?", (positions[2],))
    assert reader.position_at(contact.id, 0) == positions[3]
    store._database.rows("DELETE FROM messages WHERE position < ?", (positions[6],))
    assert reader.position_at(contact.id, 0) == positions[6]
    assert store._database.rows("SELECT day FROM calendar") == [(2,)], (
        "no row stays for a day without messages"
    )


def test_jumping_takes_the_same_steps_at_any_depth(store: Store, reader: Reader) -> None:
    """Counted in steps of SQLite's machine."""
    contact = add_contact(store)
    for number in range(1000):
        add(store, contact.id, number, DAY + number * 10)
    steps = 0

    def count() -> bool:
        nonlocal steps
        steps += 1
        return False

    connection = reader._database._connection
    connection.set_progress_handler(count, 1)
    costs = set()
    for wanted in (0, 1, 500, 999):
        steps = 0
        assert reader.position_at(contact.id, DAY + wanted * 10) is not None
        reader.messages(contact.id, after=reader.position_at(contact.id, DAY + wanted * 10), count=1)
        costs.add(steps)
    connection.set_progress_handler(None)
    assert max(costs) < 300, "a walk takes thousands"


def test_how_large_conversations_are(store: Store, reader: Reader) -> None:
    bob, carol = add_contact(store), add_contact(store, 2)
    add_contact(store, 3)
    assert reader.sizes() == []
    add(store, bob.id, 1, 5, "äöü")
    add(store, bob.id, 2, 2 * DAY, "xyz")
    add(store, carol.id, 1, 5, "a" * 100)
    expected = [
        ConversationSize(conversation=carol.id, messages=1, bytes=100),
        ConversationSize(conversation=bob.id, messages=2, bytes=9),
    ]
    assert reader.sizes() == expected == store.sizes()
    store._database.rows("UPDATE messages SET text = 'b' WHERE conversation = ?", (carol.id,))
    store._database.rows("DELETE FROM messages WHERE text = 'xyz'")
    assert [(size.messages, size.bytes) for size in reader.sizes()] == [(1, 6), (1, 1)]


def test_a_view_that_jumps_somewhere(store: Store, reader: Reader) -> None:
    bob, carol = add_contact(store), add_contact(store, 2)
    positions = []
    for number in range(20):
        positions.append(add(store, bob.id, number, number + 1))
        add(store, carol.id, number, number + 1)

    def around(position: int, count: int) -> list[int]:
        return [message.position for message in reader.around(bob.id, position, count)]

    assert around(positions[10], 6) == positions[7:13]
    assert around(positions[10], 5) == positions[8:13]
    assert around(positions[0], 6) == positions[:3]
    assert around(positions[19], 6) == positions[14:]
    assert around(positions[10] + 1, 4) == positions[9:13], "between two"
    assert around(positions[-1] + 10**6, 4) == positions[-4:]
    assert around(positions[3], 1) == [positions[3]]
    assert reader.around(NOBODY, 5, 10) == []
