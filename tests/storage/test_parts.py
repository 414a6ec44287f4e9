"""Parts of a chain: who went back to an older copy goes on without a gap, a fork, or a number used twice."""

import itertools
from pathlib import Path

import pytest

from messenger.core import store_limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.models import MessageState
from messenger.storage import generation
from messenger.storage.chain import chain_hash
from messenger.storage.lock import ProfileLock
from messenger.storage.store import Store
from tests.helpers.storage import ZEROS, add_contact, message_id
from tests.storage.test_chain import chain, runs, state, take

PART = 1 << store_limits.PART_BITS
NOW = 1_760_000_000_000


def text(seq: int, prev: bytes = ZEROS, word: str = "x") -> Chained:
    id_ = message_id(hash((seq, prev, word)) % 2**64)
    return Chained(
        kind=ChainKind.TEXT, id=id_, seq=seq, prev=prev, sent_ms=1, order=1, about=b"", content=word
    )


@pytest.mark.parametrize("order", [*itertools.permutations(range(6))][::37])
def test_parts_are_counted_on_their_own_whatever_order_they_come_in(
    store: Store, order: tuple[int, ...]
) -> None:
    contact = add_contact(store)
    messages = [*chain(2), *chain(2, "second", 7 * PART + 1), *chain(2, "third", 9 * PART + 1)]
    for place in order:
        take(store, contact.id, messages[place])
        missing, forked = state(store, contact.id)
        assert 0 <= missing <= 3
        assert not forked
    assert state(store, contact.id) == (0, False)
    assert runs(store) == 3


def test_what_is_missing_in_each_part(store: Store) -> None:
    contact, old, new = add_contact(store), chain(5), chain(5, "new", 3 * PART + 1)
    assert take(store, contact.id, old[0], old[3]) == [False, True]
    assert take(store, contact.id, new[2]) == [True]
    assert state(store, contact.id) == (2 + 2, False)
    take(store, contact.id, new[0], new[1], old[1], old[2])
    assert state(store, contact.id) == (0, False)


@pytest.mark.parametrize(
    "bad",
    [
        text(5 * PART + 1, b"\x07" * 32),  # it says that something was before it
        text(5 * PART),  # nothing counts from 0
    ],
)
def test_parts_that_cannot_be(store: Store, bad: Chained) -> None:
    contact = add_contact(store)
    take(store, contact.id, *chain(2), bad)
    missing, forked = state(store, contact.id)
    assert forked
    assert missing == 0


def test_two_numbers_of_different_parts_are_no_neighbours(store: Store) -> None:
    """The last that a part could have, and the one after it, whichever comes first."""
    last, first = text(PART - 1, b"\x01" * 32), text(PART, b"\x02" * 32)
    for pair in ((last, first), (first, last)):
        contact = add_contact(store, number=runs(store) + 5)
        take(store, contact.id, *pair)
        assert state(store, contact.id) == (PART - 2, True)
    assert runs(store) == 4


def test_a_number_used_twice_is_a_fork_in_every_part(store: Store) -> None:
    contact = add_contact(store)
    take(store, contact.id, text(2 * PART + 1), text(2 * PART + 1, word="another"))
    assert state(store, contact.id) == (0, True)


def test_a_new_chain_forgets_the_parts_too(store: Store) -> None:
    contact = add_contact(store)
    take(store, contact.id, *chain(3), text(2 * PART + 3, b"\x01" * 32))
    assert state(store, contact.id) == (2, False)
    take(store, contact.id, text(1, word="they have deleted the conversation"))
    assert state(store, contact.id) == (0, False)


def test_our_chain_begins_anew(store: Store) -> None:
    contact, other = add_contact(store), add_contact(store, number=2)
    for number in range(3):
        store.messages.add_outgoing(contact.id, message_id(number), "old", 1, 1)
    epoch = store.begin_chains(1_000)
    assert epoch == 1_000
    waiting = [item.seq for item in store.messages.pending(contact.id, 0, 9)]
    assert waiting == [1, 2, 3], "what waits keeps its numbers"
    first = store.messages.add_outgoing(contact.id, message_id(9), "new", 1, 1)
    second = store.messages.add_outgoing(contact.id, message_id(10), "newer", 1, 1)
    assert (first.seq, first.prev) == (1_000 * PART + 1, ZEROS)
    assert (second.seq, second.prev) == (1_000 * PART + 2, chain_hash(first.chained))
    assert [item.seq for item in store.messages.pending(contact.id, 0, 9)] == [1, 2, 3, first.seq, second.seq]
    assert store.begin_chains(1_000) == 1_001, "no part twice, whatever the clock says"
    assert store.begin_chains(2**40) == store_limits.EPOCH_MAX
    assert store.messages.add_outgoing(other.id, message_id(11), "x", 1, 1).seq == (
        store_limits.EPOCH_MAX * PART + 1
    )


def test_the_largest_number_can_be_stored_and_read(store: Store) -> None:
    contact = add_contact(store)
    top = text(2**63 - 1, b"\x01" * 32)
    take(store, contact.id, top, text(1))
    assert state(store, contact.id) == (PART - 2, False)
    messages = store.messages.page(contact.id)
    store.messages.mark_seen(contact.id, messages[-1].position)
    assert store.messages.seen_seq(contact.id) == top.seq
    assert {message.state for message in store.messages.page(contact.id)} == {MessageState.SEEN}


# --- whether a database is an older one ---


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a database is, in a folder with a lock."""
    ProfileLock(tmp_path).release()
    return tmp_path / "sotto.db"


def used(file: Path, key: bytes, *, new: bool = False, ended: bool = True) -> bool:
    """Open a database as the program does, close it; whether it was taken for an older one."""
    store = Store.open(file, key)
    try:
        generation.begin(store, file, NOW, new=new)
        restored = store.sealed.restored()
        store.sealed.settle_restored()
        if ended:
            generation.end(store, file)
        return restored
    finally:
        store.close()


def test_a_database_that_is_used_again_and_again(file: Path, key: bytes) -> None:
    assert not used(file, key, new=True)
    assert not any(used(file, key) for _ in range(3))
    assert not used(file, key, ended=False), "and one whose program was killed"
    assert not used(file, key)


def test_a_database_of_before_there_was_a_count(file: Path, key: bytes) -> None:
    Store.open(file, key).close()
    assert not used(file, key)
    assert not used(file, key)


@pytest.mark.parametrize("ended", [True, False])
def test_a_copy_that_was_put_back(file: Path, key: bytes, *, ended: bool) -> None:
    used(file, key, new=True)
    copy = file.read_bytes()
    used(file, key, ended=ended)
    file.write_bytes(copy)
    assert used(file, key)
    assert not used(file, key), "it is the one in use now"


def test_a_copy_that_was_made_while_it_was_open(file: Path, key: bytes) -> None:
    used(file, key, new=True, ended=False)
    copy = file.read_bytes()
    store = Store.open(file, key)
    generation.end(store, file)
    store.close()
    file.write_bytes(copy)
    assert used(file, key)


def test_a_database_of_before_there_was_a_count_that_was_put_back(file: Path, key: bytes) -> None:
    Store.open(file, key).close()
    copy = file.read_bytes()
    used(file, key)
    file.write_bytes(copy)
    assert used(file, key)


@pytest.mark.parametrize(
    "content",
    [None, b"", b"x" * 5_000, b"[1]", b"[-5,0]", b"[1,-1]", b'["1",2]', b"[99999999999999999999,1]"],
)
def test_a_count_that_is_gone_or_damaged(file: Path, key: bytes, content: bytes | None) -> None:
    """Then nobody knows, and it is treated as an older one: that costs nothing but a new part."""
    used(file, key, new=True)
    count = file.with_name(generation.GENERATION_NAME)
    count.unlink()
    if content is not None:
        count.write_bytes(content)
    assert used(file, key)
    assert not used(file, key)


def test_a_folder_that_was_copied_whole(file: Path, key: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The count agrees; but the lock file was made later."""
    used(file, key, new=True)
    here = generation._place(file)
    monkeypatch.setattr(generation, "_place", lambda _: here + 1)
    assert not used(file, key), "some disks keep time less exactly"
    monkeypatch.setattr(generation, "_place", lambda _: here + 60)
    assert used(file, key)
    assert not used(file, key)


def test_parts_rise_although_the_clock_stands_still(file: Path, key: bytes) -> None:
    used(file, key, new=True)
    store = Store.open(file, key)
    contact = add_contact(store)
    store.close()
    copy, seen = file.read_bytes(), set[int]()
    for _ in range(3):
        used(file, key)
        file.write_bytes(copy)
        assert used(file, key)
        store = Store.open(file, key)
        seen.add(store.messages.add_outgoing(contact.id, message_id(1), "x", 1, 1).seq)
        store.close()
    assert len(seen) == 3
    assert min(seen) >= NOW // 1000 * PART
