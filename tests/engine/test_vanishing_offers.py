"""Offers with a timer that nobody answers: gone at both ends like a text, and nobody waits for them."""

from pathlib import Path

import pytest

from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId
from messenger.core.models import Message, MessageState
from messenger.core.transfers import Transfer, TransferState, Wish
from messenger.engine.events import TransferChanged
from messenger.storage.store import Store
from tests.engine.test_files import names, runs, stands
from tests.engine.test_vanishing import HOUR, hits, pass_by, seen, vanished
from tests.helpers.carrier import context_of
from tests.helpers.engines import DATABASE, People, Person, friends

MIB = 1024 * 1024
NAME = "elderberry wine"


@pytest.fixture
async def pair(people: People) -> tuple[Person, Person]:
    """Alice and Bob, whose messages disappear after an hour."""
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    await alice.engine.set_timer(here, HOUR)
    return alice, bob


async def offered(
    alice: Person, bob: Person, folder: Path, size: int = 5
) -> tuple[Message, Transfer, ConversationId]:
    """Alice offers a file: the message, and the transfer and conversation as Bob sees them."""
    (folder / NAME).write_bytes(bytes(size))
    message, _ = await alice.engine.offer_files(await alice.with_(bob), [folder / NAME])
    return message, await stands(bob, TransferState.OFFERED), await bob.with_(alice)


async def left(person: Person) -> int:
    """Rows about transfers in somebody's database, when the program has ended."""
    key = person.engine._profile.db_key
    await person.engine.stop()
    store = Store.open(person.folder / DATABASE, key)
    count = store._database.number("SELECT (SELECT count(*) FROM transfers) + (SELECT count(*) FROM chunks)")
    store.close()
    return count


async def test_one_that_nobody_answers_is_gone_at_both_ends(
    pair: tuple[Person, Person], tmp_path: Path
) -> None:
    alice, bob = pair
    message, offer, there = await offered(alice, bob, tmp_path)
    await seen(bob, there, NAME)
    pass_by(alice, bob, seconds=2 * HOUR)
    for person in pair:
        await vanished(person, message.id)
        await stands(person, TransferState.CANCELLED)  # whoever waits for its end, as `sotto send` does
        assert await person.engine.transfers() == []
        assert await hits(person) == 0
        assert NAME not in await person.texts(await person.with_(pair[person is alice]))
    with pytest.raises(InputError) as caught:
        await bob.engine.accept_files(offer.id, tmp_path / "there")
    assert caught.value.problem is InputProblem.UNKNOWN
    assert [await left(person) for person in pair] == [0, 0]


async def test_one_that_was_not_seen_is_taken_back(pair: tuple[Person, Person], tmp_path: Path) -> None:
    """The author's time runs first. Bob sees that something was offered, and that it is not any more."""
    alice, bob = pair
    message, offer, _ = await offered(alice, bob, tmp_path)
    await alice.sees(message.id, MessageState.DELIVERED)
    pass_by(alice, seconds=2 * HOUR)
    await vanished(alice, message.id)
    gone = await stands(bob, TransferState.CANCELLED)
    assert (gone.id, gone.theirs) == (offer.id, Wish.CANCELLED)


@pytest.mark.parametrize("accepts", [True, False])
async def test_whoever_was_away_learns_that_it_is_gone(
    pair: tuple[Person, Person], tmp_path: Path, accepts: bool
) -> None:
    """Also if he accepts it when there is nobody who could hear that: he does not wait for ever."""
    alice, bob = pair
    message, offer, there = await offered(alice, bob, tmp_path)
    await seen(bob, there, NAME)
    key = alice.engine._profile.db_key
    await alice.engine.stop()
    if accepts:
        await bob.engine.accept_files(offer.id, tmp_path / "there")
    store = Store.open(alice.folder / DATABASE, key)
    store.timers.clock = lambda: message.sent_ms + 2 * HOUR * 1000
    assert [gone.ids for gone in store.timers.expire()] == [(message.id,)]
    store.close()
    since = bob.mark
    await alice.start()
    assert await alice.engine.transfers() == []
    await stands(bob, TransferState.CANCELLED, since=since)
    pass_by(bob, seconds=2 * HOUR)
    await vanished(bob, message.id)
    assert await bob.engine.transfers() == []


async def test_nobody_is_told_of_what_was_never_here(pair: tuple[Person, Person], tmp_path: Path) -> None:
    """Only who remembers that an offer has disappeared says so: an old copy takes nothing back."""
    alice, bob = pair
    message, offer, _ = await offered(alice, bob, tmp_path)
    key = alice.engine._profile.db_key
    await alice.engine.stop()
    store = Store.open(alice.folder / DATABASE, key)
    store._database.rows("UPDATE transfers SET mine = 4")
    store._database.rows("DELETE FROM messages WHERE transfer IS NOT NULL")
    assert store.transfers.unfinished() == []
    store.close()
    since = (0, bob.mark)
    await alice.start()
    await bob.online(await bob.with_(alice), since=since[1])
    await bob.engine.send_text(await bob.with_(alice), "after the wish")
    await alice.hears("after the wish")
    await alice.engine.send_text(await alice.with_(bob), "after its answer")
    await bob.hears("after its answer")
    assert not bob.count(TransferChanged, lambda e: e.transfer.id == offer.id and e.transfer.theirs > 3)
    assert message.timer == HOUR


async def test_going_back_to_a_backup_leaves_no_hidden_folder(
    pair: tuple[Person, Person], tmp_path: Path
) -> None:
    """A backup has nothing that disappears: what had come of it must not stay where nobody looks."""
    alice, bob = pair
    await alice.engine.change_settings({"send_limit": 4096})
    _, offer, _ = await offered(alice, bob, tmp_path, 12 * MIB)
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    await runs(bob, 5 * MIB)
    await alice.engine.change_settings({"send_limit": 1})  # the rest does not come, however long this takes
    made = await bob.engine.back_up()
    await bob.engine.stop()
    assert [name.startswith(".sotto-") for name in names(tmp_path / "there")] == [True]
    await bob.engine.restore(made.name)
    assert names(tmp_path / "there") == []
    await bob.engine.open()
    assert await bob.engine.transfers() == []


async def test_going_back_to_a_backup_keeps_what_it_goes_on_with(people: People, tmp_path: Path) -> None:
    """What has no timer is in the backup, and so is where it had come to."""
    alice, bob = await people("alice", send_limit=4096), await people("bob")
    await friends(alice, bob)
    _, offer, _ = await offered(alice, bob, tmp_path, 12 * MIB)
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    await runs(bob, 5 * MIB)
    await alice.engine.change_settings({"send_limit": 1})  # the rest does not come, however long this takes
    made = await bob.engine.back_up()
    await bob.engine.stop()
    (hidden,) = names(tmp_path / "there")
    await bob.engine.restore(made.name)
    assert names(tmp_path / "there") == [hidden]
    await alice.engine.change_settings({"send_limit": 0})
    await bob.engine.open()
    done = await stands(bob, TransferState.DONE)
    assert done.id == offer.id
    assert names(tmp_path / "there") == [NAME]
    assert context_of(bob).store.transfers.unfinished() == []
