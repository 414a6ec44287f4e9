"""Who goes back to an older copy of their profile: others see no gap and no fork, and nobody gets lost."""

import asyncio
import shutil
from pathlib import Path

import pytest

from messenger.core import store_limits
from messenger.core.ids import ConversationId
from messenger.core.models import Backup, MessageState
from messenger.engine.events import ChainChanged, EngineFault, KeyChanged, Locked, LogDamaged
from messenger.storage import generation
from messenger.storage.database import side_files
from messenger.storage.successions import STATEMENTS_NAME, read_kept, write_kept
from tests.helpers import spare_keys
from tests.helpers.engines import DATABASE, People, Person, friends
from tests.helpers.moving import both_ways, contact_of, untold, who


async def goes_back(person: Person, backup: Backup) -> None:
    """Restore a backup, and go on; what was published before is forgotten."""
    await person.engine.stop()
    await person.engine.restore(backup.name)
    person.events.clear()
    await person.engine.open()


async def says(person: Person, conversation: ConversationId, *texts: str) -> None:
    """Write, and wait until the last has arrived."""
    sent = [await person.engine.send_text(conversation, text) for text in texts]
    await person.sees(sent[-1].id, MessageState.DELIVERED)


async def sound(person: Person, conversation: ConversationId) -> None:
    """Nothing is missing and nothing contradicts itself, and nobody was ever told anything else."""
    (row,) = [row for row in await person.engine.conversations() if row.id == conversation]
    assert (row.missing, row.forked) == (0, False)
    assert person.count(ChainChanged, lambda e: e.forked or e.missing > 0) == 0


@pytest.mark.parametrize("way", ["backup", "copied back", "whole folder"])
async def test_others_see_no_gap_and_no_fork(
    people: People, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await says(alice, here, "one", "two")
    backup = await alice.engine.back_up()
    if way != "backup":
        await alice.engine.stop()
        shutil.copytree(alice.folder, tmp_path / "copy")
        await alice.start()
    await says(alice, here, "three", "four", "five")
    if way == "backup":
        await goes_back(alice, backup)
    await alice.engine.stop()
    if way == "copied back":
        shutil.copy(tmp_path / "copy" / DATABASE, alice.folder / DATABASE)
    elif way == "whole folder":
        place = generation._place(alice.folder / DATABASE)
        monkeypatch.setattr(generation, "_place", lambda _: place + 60)
        shutil.rmtree(alice.folder)
        shutil.copytree(tmp_path / "copy", alice.folder)
    await alice.start()
    assert await alice.texts(here) == ["one", "two"]
    await says(alice, here, "six", "seven", "eight", "nine")
    assert await bob.texts(there) == ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    await sound(bob, there)
    await bob.engine.send_text(there, "still there?")
    await alice.hears("still there?")
    await sound(alice, here)
    assert alice.count(EngineFault) == bob.count(EngineFault) == 0


async def test_a_log_that_was_damaged_is_told_and_others_see_no_fork(people: People) -> None:
    """After a crash the end of the log cannot be read: others have what is lost here."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await says(alice, here, "one", "two")
    running = alice.engine._running
    assert running is not None
    await running.context.stored(running.context.store.shred)
    await says(alice, here, "three", "four", "five")
    database = alice.folder / DATABASE
    files = (database, side_files(database)[0], database.with_name(generation.GENERATION_NAME))
    crashed = [file.read_bytes() for file in files]
    await alice.engine.stop()
    for file, content in zip(files, crashed, strict=True):
        file.write_bytes(content)
    with files[1].open("rb+") as log:
        log.write(bytes(8))
    await alice.start()
    kept = (await alice.wait_for(LogDamaged)).kept
    assert database.with_name(kept).read_bytes()[8:] == crashed[1][8:]
    assert await alice.texts(here) == ["one", "two"]
    await says(alice, here, "six", "seven")
    assert await bob.texts(there) == ["one", "two", "three", "four", "five", "six", "seven"]
    await sound(bob, there)
    await bob.engine.send_text(there, "still there?")
    await alice.hears("still there?")
    await sound(alice, here)
    await alice.restart()
    assert alice.count(LogDamaged) == 0


async def test_what_was_read_before_is_not_taken_for_what_comes_after(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await says(alice, here, "one")
    backup = await alice.engine.back_up()
    await says(alice, here, "two", "three", "four")
    last = (await bob.engine.messages(there))[-1]
    await bob.engine.mark_read(there, last.position)
    await goes_back(alice, backup)
    await says(alice, here, "five", "six")
    await alice.restart()  # with a greeting that says how far he has read
    await bob.engine.send_text(there, "after that greeting")
    await alice.hears("after that greeting")
    assert await alice.states(here) == [
        MessageState.READ,
        MessageState.DELIVERED,
        MessageState.DELIVERED,
        MessageState.UNREAD,
    ]


async def test_what_waited_when_the_backup_was_made_arrives_once(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await says(alice, here, "one")
    await bob.engine.stop()
    await alice.offline(here)
    waited = await alice.engine.send_text(here, "waited")
    backup = await alice.engine.back_up()
    await bob.start()
    await alice.sees(waited.id, MessageState.DELIVERED)
    await says(alice, here, "later")
    await goes_back(alice, backup)
    await says(alice, here, "latest")
    assert (await alice.states(here)) == [MessageState.DELIVERED] * 3
    assert await bob.texts(there) == ["one", "waited", "later", "latest"]
    await sound(bob, there)


async def test_back_to_the_same_backup_again_and_again(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await says(alice, here, "one")
    backup = await alice.engine.back_up()
    for number in range(3):
        await says(alice, here, f"{number}a", f"{number}b")
        await goes_back(alice, backup)
    await says(alice, here, "last")
    await sound(bob, there)
    assert len(await bob.texts(there)) == 1 + 6 + 1


async def test_a_restart_is_no_going_back(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await says(alice, here, "one")
    await alice.restart()
    await says(alice, here, "two")
    running = alice.engine._running
    assert running is not None
    count = running.context.store._database.number
    assert await running.context.stored(count, "SELECT max(next_seq) FROM contacts") == 3
    await sound(bob, there)


# --- keys do not go back ---


@pytest.fixture
def new_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spare_keys.use(monkeypatch, tmp_path / "taken")


@pytest.mark.usefixtures("new_keys")
@pytest.mark.parametrize("told", [True, False])
async def test_a_backup_older_than_a_move_to_a_new_key(people: People, *, told: bool) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await says(alice, here, "before")
    backup = await alice.engine.back_up()
    if not told:
        await bob.engine.stop()
        await alice.offline(here)
    await alice.engine.move_to_new_identity()
    new = await who(alice)
    if told:
        await bob.wait_for(KeyChanged)
    await goes_back(alice, backup)
    assert await who(alice) == new, "keys do not go back"
    if not told:
        await bob.start()
        assert (await bob.wait_for(KeyChanged)).contact.fingerprint == new
    await both_ways(alice, here, bob, there, "after")
    assert (await contact_of(bob, there)).fingerprint == new
    assert [row.id for row in await bob.engine.conversations()] == [there]
    assert await untold(alice, here) == 0
    assert bob.count(KeyChanged) == 1


@pytest.mark.usefixtures("new_keys")
async def test_a_contact_who_goes_back_to_before_our_move_is_told_again(people: People) -> None:
    """He has confirmed the statement and does not know it any more."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await says(alice, here, "before")
    backup = await bob.engine.back_up()
    await alice.engine.move_to_new_identity()
    await bob.wait_for(KeyChanged)
    await both_ways(alice, here, bob, there, "between")
    mark = alice.mark
    await goes_back(bob, backup)
    event = await bob.wait_for(KeyChanged)
    assert event.contact.fingerprint == await who(alice)
    await alice.online(here, since=mark)
    await both_ways(alice, here, bob, there, "after")
    assert [row.id for row in await bob.engine.conversations()] == [there]


@pytest.mark.usefixtures("new_keys")
async def test_statements_beside_the_keys(people: People) -> None:
    """What is not a statement of ours there changes nothing; a file that is gone is written again."""
    alice = await people("alice")
    await alice.engine.move_to_new_identity()
    kept = alice.folder / STATEMENTS_NAME
    (one,) = read_kept(kept)
    await alice.engine.stop()
    forged = type(one)(one.serial + 1, one.statement, one.made_ms)
    damaged = type(one)(one.serial + 2, one.statement[:-1] + b"\x00", one.made_ms)
    for content in ([one, forged, damaged], []):
        write_kept(kept, content)
        await alice.start()
        assert read_kept(kept) == [one]
        await alice.engine.stop()
    kept.write_bytes(b"\xff" * 100)
    assert read_kept(kept) == []
    kept.unlink()
    await alice.start()
    assert read_kept(kept) == [one]


# --- the lock ---


async def test_a_passphrase_that_is_set_later_locks_too(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_limits, "IDLE_LOOK", 0.02)
    alice = await people("alice", lock_after=1)
    running = alice.engine._running
    assert running is not None
    running.housekeeping._used_ms -= 3_600_000
    looks, idle = asyncio.Semaphore(0), running.housekeeping.idle

    def looked() -> bool:
        looks.release()
        return idle()

    monkeypatch.setattr(running.housekeeping, "idle", looked)
    for _ in range(3):
        await looks.acquire()
    assert alice.count(Locked) == 0, "there is nothing to keep anybody out"
    await alice.engine.set_passphrase("correct horse")
    await alice.wait_for(Locked)
    await alice.engine.open("correct horse")
