"""The database of a relay: what is kept, for how long, and what goes with what."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from messenger.core.errors import DatabaseDamaged
from messenger.storage.relay_messages import Put
from messenger.storage.relay_queues import QueueRow
from messenger.storage.relay_store import RelayStore

DAY = 86400
NOW = 1_800_000_000
KEY = bytes(32)
QUOTA = (3, 100, 10**6)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "relay.db"


@pytest.fixture
def store(path: Path) -> Iterator[RelayStore]:
    store = RelayStore.open(path, KEY)
    yield store
    store.close()


def queue(store: RelayStore, name: bytes = b"a", now: int = NOW) -> QueueRow:
    ids = name * 24, name.upper() * 24
    return store.queues.add(QueueRow(0, 2, *ids, name * 32, name.upper() * 32), now)


def put(store: RelayStore, row: QueueRow, number: int, now: int = NOW, size: int = 10) -> Put:
    return store.messages.put(row.number, bytes([number]) * 32, bytes(size), now, QUOTA, now - 21 * DAY)


def waiting(store: RelayStore, row: QueueRow, after: int = 0) -> list[int]:
    return [hash_[0] for _, hash_, _ in store.messages.after(row.number, after, 10, 1000, NOW - 21 * DAY)]


def test_a_queue_is_found_by_either_id_and_never_by_the_wrong_one(store: RelayStore) -> None:
    row = queue(store)
    assert store.queues.by_recv(b"a" * 24) == store.queues.by_send(b"A" * 24) == row
    assert store.queues.by_recv(b"A" * 24) is None
    assert store.queues.by_send(b"a" * 24) is None
    assert "aaaa" not in repr(row)


def test_quotas(store: RelayStore) -> None:
    row = queue(store)
    assert [put(store, row, number) for number in (1, 2, 3, 4, 1)] == [Put.STORED] * 3 + [
        Put.FULL,
        Put.STORED,
    ]
    other = queue(store, b"b")
    assert put(store, other, 1, size=60) is Put.STORED
    assert put(store, other, 2, size=60) is Put.FULL
    store.messages.forget(row.number, [bytes([2]) * 32, bytes(32)])
    assert put(store, row, 5) is Put.STORED
    assert waiting(store, row) == [1, 3, 5]


def test_what_is_out_of_date_does_not_count_and_goes(store: RelayStore) -> None:
    row = queue(store)
    old = NOW - 21 * DAY - 1
    assert [put(store, row, number, old) for number in (1, 2, 3)] == [Put.STORED] * 3
    assert waiting(store, row) == []
    assert put(store, row, 4) is Put.STORED
    assert store.messages.expire(NOW - 21 * DAY, 1, 1000) == 1
    assert store.messages.expire(NOW - 21 * DAY, 9, 5) == 1
    assert store.messages.octets(row.number) == 20
    assert store.messages.expire(NOW - 21 * DAY, 9, 1000) == 1
    assert store.messages.total() == (1, 10)


def test_what_is_out_of_date_and_comes_again_is_there_again(store: RelayStore) -> None:
    row = queue(store)
    assert put(store, row, 1, NOW - 21 * DAY - 1) is Put.STORED
    assert put(store, row, 1) is Put.STORED
    assert waiting(store, row) == [1]
    assert store.messages.expire(NOW - 21 * DAY, 10, 1000) == 0
    assert store.messages.total() == (1, 10)


def test_room_on_the_disk_is_bounded_and_comes_back(store: RelayStore, path: Path) -> None:
    row, big = queue(store), 40_000
    bound = 10**6
    before = store.room(bound, 0)
    assert 500_000 < before < bound
    for number in range(10):
        bounds = (100, 10**7, store.room(bound, 0))
        hash_ = bytes([number]) * 32
        assert store.messages.put(row.number, hash_, bytes(big), NOW, bounds, 0) is Put.STORED
    after = store.room(bound, 0)
    assert 10 * big <= before - after <= 12 * big
    grown = path.stat().st_size
    store.messages.forget(row.number, [bytes([number]) * 32 for number in range(10)])
    assert store.room(bound, 0) > after + 10 * big
    assert store.room(0, 2**60) >= 10 * big, (
        "what the file has already may be used, however little else there is"
    )
    assert store.room(0, 2**60) < 15 * big
    assert store.room(0, 0) > store.room(0, 2**20) > 15 * big
    store.shred()
    assert path.stat().st_size >= grown


def test_without_room_nothing_is_stored_and_what_is_there_is_known(store: RelayStore) -> None:
    row = queue(store)
    assert put(store, row, 1) is Put.STORED
    assert store.messages.put(row.number, bytes([2]) * 32, bytes(10), NOW, (3, 100, 9), 0) is Put.NO_ROOM
    assert store.messages.put(row.number, bytes([1]) * 32, bytes(10), NOW, (3, 100, 0), 0) is Put.STORED
    assert waiting(store, row) == [1]


def test_with_a_queue_goes_all_that_is_in_it(store: RelayStore) -> None:
    row = queue(store)
    put(store, row, 1)
    assert store.prekeys.replace(row.number, 1, b"list", [(b"h" * 32, True, b"prekey")])
    assert store.entries.put(b"f" * 32, row.number, 1, NOW + DAY, b"entry")
    assert store.queues.delete(row.number)
    assert store.messages.total() == (0, 0)
    assert store.prekeys.take(row.number) is None
    assert store.entries.count() == 0
    assert put(store, row, 2) is Put.GONE
    assert not store.prekeys.replace(row.number, 2, b"list", [(b"h" * 32, True, b"prekey")])
    assert not store.entries.put(b"f" * 32, row.number, 2, NOW + DAY, b"entry")
    assert queue(store, b"b").number > row.number


def test_queues_that_nobody_uses_are_found(store: RelayStore) -> None:
    old, used = queue(store, b"a", NOW - 100 * DAY), queue(store, b"b", NOW - 100 * DAY)
    store.queues.use(used.number, NOW)
    store.queues.use(used.number, NOW - 50 * DAY)
    assert store.queues.unused(NOW - 90 * DAY, 10) == [old.number]


def test_a_time_in_which_nobody_can_have_used_a_queue_does_not_count(store: RelayStore) -> None:
    older, newer = queue(store, b"a", NOW - 250 * DAY), queue(store, b"b", NOW - 200 * DAY)
    store.queues.forgive(NOW)
    assert store.queues.unused(NOW - 49 * DAY, 10) == [older.number]
    assert store.queues.unused(NOW + DAY, 10) == [older.number, newer.number]
    store.queues.forgive(NOW + DAY)
    assert store.queues.unused(NOW, 10) == [older.number], "a day without anybody is nothing"


def test_nothing_can_have_been_used_where_there_is_nothing(store: RelayStore) -> None:
    store.queues.forgive(NOW)
    assert store.queues.count() == 0


def test_entries_that_are_out_of_date_are_not_shown(store: RelayStore) -> None:
    row, other = queue(store), queue(store, b"b")
    assert store.entries.put(b"f" * 32, row.number, 5, NOW - 1, b"old")
    assert store.entries.put(b"e" * 32, other.number, 5, NOW + 1, b"new")
    assert store.entries.get(b"f" * 32, NOW) is None
    assert store.entries.page(b"", 5, NOW) == [(other.number, b"e" * 32, b"new")]
    assert store.entries.page(b"e" * 32, 5, NOW) == []
    assert not store.entries.put(b"e" * 32, other.number, 5, NOW + 9, b"again")
    assert store.entries.expire(NOW, 10) == 1
    assert store.entries.put(b"e" * 32, row.number, 2**64 - 1, NOW + 9, b"moved")
    assert store.entries.count() == 1


def test_what_is_read_at_once_is_bounded(store: RelayStore) -> None:
    row = queue(store)
    for number in (1, 2, 3):
        put(store, row, number, size=30)
    found = store.messages.after(row.number, 0, 10, 65, 0)
    assert [hash_[0] for _, hash_, _ in found] == [1, 2]
    assert [each[1][0] for each in store.messages.after(row.number, found[-1][0], 10, 1, 0)] == [3]


def test_another_key_opens_nothing(path: Path, store: RelayStore) -> None:
    queue(store)
    store.close()
    with pytest.raises(DatabaseDamaged):
        RelayStore.open(path, b"x" * 32)
