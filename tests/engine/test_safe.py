"""Passphrase, app lock, and backups, as a window asks for them."""

import asyncio
import os
from pathlib import Path

import pytest

from messenger.core import store_limits
from messenger.core.errors import (
    DatabaseDamaged,
    DatabaseTooNew,
    InputError,
    InputProblem,
    KeyFileError,
    LocalProtocolError,
    ProfileInUse,
    RecoveryNeeded,
    StorageError,
    WrongPassphrase,
)
from messenger.core.models import Backup, MessageState, ProfileStatus, SearchQuery
from messenger.crypto.protection import Protection
from messenger.engine.events import EngineFault, Locked, MeChanged
from messenger.engine.running import Running
from messenger.storage import backup
from messenger.storage.database import Database
from messenger.storage.store import Store
from messenger.text import explain
from tests.helpers.engines import DATABASE, People, Person, friends
from tests.helpers.keys import make_profile
from tests.helpers.storage import add_contact, add_theirs

DAY = 86_400_000


def running(person: Person) -> Running:
    assert person.engine._running is not None
    return person.engine._running


async def protection(person: Person) -> str:
    return (await person.engine.me()).protection


def vault_pid(person: Person) -> int:
    return running(person).context.vault._child.pid


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_passphrase_is_set_changed_and_removed(people: People) -> None:
    alice = await people("alice")
    key = alice.engine._profile.db_key
    with pytest.raises(InputError) as caught:
        await alice.engine.set_passphrase("")
    assert caught.value.problem is InputProblem.EMPTY
    assert await protection(alice) == "file"
    await alice.engine.set_passphrase("first words")
    assert await protection(alice) == "passphrase"
    await alice.wait_for(MeChanged, lambda e: e.me.protection == "passphrase")
    with pytest.raises(WrongPassphrase):
        await alice.engine.set_passphrase("second words", "wrong")
    await alice.engine.set_passphrase("second words", "first words")
    await alice.engine.stop()
    for wrong in (None, "first words"):
        with pytest.raises(WrongPassphrase):
            await alice.engine.open(wrong)
    await alice.engine.open("second words")
    assert alice.engine._profile.db_key == key, "nothing had to be written anew"
    with pytest.raises(WrongPassphrase):
        await alice.engine.remove_passphrase("first words")
    await alice.engine.remove_passphrase("second words")
    assert await protection(alice) == "file", "there is no keyring in tests"
    await alice.restart()


async def test_an_old_passphrase_opens_no_copy(people: People) -> None:
    """Key files beside the backups follow each change."""
    alice = await people("alice")
    await alice.engine.set_passphrase("first words")
    await alice.engine.back_up()
    await alice.engine.set_passphrase("second words", "first words")
    copies = {file.name: file for file in (alice.folder / backup.FOLDER).iterdir()}
    assert copies["root.key"].read_bytes() == (alice.folder / "root.key").read_bytes()
    assert not [file for file in alice.folder.rglob("*") if file.name.startswith("root.key.")]


async def test_copies_that_could_not_follow_are_tried_again(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await people("alice")
    await alice.engine.back_up()

    def refuse(_database: Path, _names: tuple[str, ...]) -> None:
        raise StorageError("a fault")

    with monkeypatch.context() as patch:
        patch.setattr(backup, "keep_keys", refuse)
        await alice.engine.set_passphrase("words")
        await alice.wait_for(EngineFault, lambda e: e.where == "backup")
    copy = alice.folder / backup.FOLDER / "root.key"
    assert copy.read_bytes() != (alice.folder / "root.key").read_bytes()
    await running(alice).housekeeping.tidy()
    assert copy.read_bytes() == (alice.folder / "root.key").read_bytes()


async def test_a_keyring_that_goes_away(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "keyring.json"
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.helpers.keyrings.FileKeyring")
    monkeypatch.setenv("SOTTO_TEST_KEYRING", str(kept))
    folder = tmp_path / "profile"
    keys = make_profile(folder, "alice", protection=Protection.KEYRING)
    Store.open(folder / DATABASE, keys.db_key).close()
    alice = people.in_folder(folder, "alice")
    await alice.start()
    assert await protection(alice) == "keyring"
    assert await alice.engine.has_recovery_passphrase() is False
    await alice.engine.back_up()
    await alice.engine.set_recovery_passphrase("way back")
    assert await alice.engine.has_recovery_passphrase() is True
    assert (folder / backup.FOLDER / "recovery.key").exists()
    await alice.engine.stop()
    kept.write_text("{}")
    with pytest.raises(RecoveryNeeded):
        await alice.engine.open()
    with pytest.raises(WrongPassphrase):
        await alice.engine.open("wrong")
    await alice.engine.open("way back")
    await alice.engine.set_passphrase("new words", "way back")
    assert await alice.engine.has_recovery_passphrase() is False
    assert not (folder / backup.FOLDER / "recovery.key").exists()
    await alice.engine.stop()
    await alice.start("new words")


async def test_a_locked_profile_holds_no_key(people: People) -> None:
    alice, bob = people.asleep("alice", "correct horse"), await people("bob")
    await alice.start("correct horse")
    here, there = await friends(alice, bob)
    pid = vault_pid(alice)
    await alice.engine.lock()
    await alice.wait_for(Locked)
    assert not alive(pid)
    assert alice.engine._profile.db_key == b""
    for command in (alice.engine.me, alice.engine.conversations, alice.engine.lock, alice.engine.back_up):
        with pytest.raises(LocalProtocolError):
            await command()
    with pytest.raises(LocalProtocolError):
        alice.engine.reader()
    assert await alice.engine.status() is ProfileStatus.LOCKED
    await bob.offline(there)
    message = await bob.engine.send_text(there, "while you were away")
    for wrong in (None, "Correct horse"):
        with pytest.raises(WrongPassphrase):
            await alice.engine.open(wrong)
    other = people.in_folder(alice.folder, "alice")
    with pytest.raises(ProfileInUse):
        await other.engine.open("correct horse")
    await alice.engine.open("correct horse")
    await alice.hears_or_has(here, "while you were away")
    await bob.sees(message.id, MessageState.DELIVERED)


async def test_nothing_is_locked_without_a_passphrase(people: People) -> None:
    alice = await people("alice", lock_after=1)
    with pytest.raises(InputError) as caught:
        await alice.engine.lock()
    assert caught.value.problem is InputProblem.NO_PASSPHRASE
    await alice.engine._lock_if_possible()
    assert (await alice.engine.me()).name == "Alice"
    assert alice.count(Locked) == 0


async def test_it_locks_itself_when_nobody_is_there(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_limits, "IDLE_LOOK", 0.01)
    alice = people.asleep("alice", "correct horse", lock_after=5)
    await alice.start("correct horse")
    now = running(alice).context.now_ms()
    clock = {"now": now}
    running(alice).context.now_ms = lambda: clock["now"]
    housekeeping = running(alice).housekeeping
    await alice.engine.used()
    for later in (4 * 60_000 + 59_000, -1000, 0):
        clock["now"] = now + later
        assert not housekeeping.idle()
    clock["now"] = now + 4 * 60_000
    await alice.engine.used()
    clock["now"] = now + 8 * 60_000
    assert not housekeeping.idle()
    set_back = now - 3_600_000
    for later, gone in ((0, False), (299_999, False), (300_000, True)):
        clock["now"] = set_back + later
        assert housekeeping.idle() is gone, "counted from when the clock was set back"
    await alice.wait_for(Locked)
    await alice.engine.open("correct horse")
    assert (await alice.engine.me()).name == "Alice"


async def test_stopping_what_is_just_being_locked(people: People) -> None:
    alice = people.asleep("alice", "correct horse")
    await alice.start("correct horse")
    alice.engine._run(running(alice).context).housekeeping._lock()
    await alice.engine.stop()
    await alice.start("correct horse")


async def test_the_backup_of_the_day(people: People) -> None:
    alice = await people("alice", backups_kept=2)
    context, housekeeping = running(alice).context, running(alice).housekeeping
    now = context.now_ms() // 1000 * 1000
    clock = {"now": now}
    context.now_ms = lambda: clock["now"]
    for hours in (0, 1, 23.9, 24, 47, 48, 60, 72):
        clock["now"] = now + int(hours * 3_600_000)
        await housekeeping.tidy()
    made = [each.made_ms for each in await alice.engine.backups()]
    assert made == [now + 72 * 3_600_000, now + 48 * 3_600_000]
    await alice.engine.change_settings({"backups_kept": 0})
    clock["now"] = now + 30 * DAY
    await housekeeping.tidy()
    assert [each.made_ms for each in await alice.engine.backups()] == made, "none is made, none is taken away"
    assert alice.count(EngineFault) == 0


async def test_a_backup_that_cannot_be_made_is_told(people: People) -> None:
    alice = await people("alice")
    (alice.folder / backup.FOLDER).write_text("in the way")
    await running(alice).housekeeping.tidy()
    await alice.wait_for(EngineFault, lambda e: e.where == "backup")
    with pytest.raises(StorageError):
        await alice.engine.back_up()


async def test_stopping_gives_up_a_backup(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_limits, "BACKUP_STEP", 1)
    alice = await people("alice")
    making = asyncio.create_task(alice.engine.back_up())
    await asyncio.sleep(0)
    await alice.engine.stop()
    results = await asyncio.gather(making, return_exceptions=True)
    assert isinstance(results[0], StorageError | Backup)
    assert not list((alice.folder / backup.FOLDER).glob("*.new"))
    await alice.start()


async def test_the_way_back_from_a_damaged_database(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    kept = await bob.engine.send_text(there, "before the backup")
    await bob.sees(kept.id, MessageState.DELIVERED)
    made = await alice.engine.back_up()
    with pytest.raises(LocalProtocolError):
        await alice.engine.restore(made.name)
    await alice.engine.stop()
    damaged = os.urandom(50_000)
    (alice.folder / DATABASE).write_bytes(damaged)
    with pytest.raises(DatabaseDamaged):
        await alice.engine.open()
    assert [each.name for each in await alice.engine.backups()] == [made.name]
    with pytest.raises(InputError):
        await alice.engine.restore("nothing")
    await alice.engine.restore(made.name)
    await alice.engine.open()
    assert await alice.texts(here) == ["before the backup"]
    assert damaged in [file.read_bytes() for file in alice.folder.glob(f"{DATABASE}.aside-*")]
    message = await alice.engine.send_text(here, "back again")
    await bob.hears("back again")
    await alice.sees(message.id, MessageState.DELIVERED)


async def test_a_database_that_vanished_is_not_replaced_by_an_empty_one(people: People) -> None:
    alice = await people("alice")
    made = await alice.engine.back_up()
    await alice.engine.stop()
    (alice.folder / DATABASE).unlink()
    with pytest.raises(DatabaseDamaged):
        await alice.engine.open()
    assert not (alice.folder / DATABASE).exists()
    await alice.engine.restore(made.name)
    await alice.engine.open()
    assert (await alice.engine.me()).name == "Alice"


async def test_restoring_needs_the_passphrase(people: People) -> None:
    alice = people.asleep("alice", "correct horse")
    await alice.start("correct horse")
    made = await alice.engine.back_up()
    await alice.engine.stop()
    before = (alice.folder / DATABASE).read_bytes()
    with pytest.raises(WrongPassphrase):
        await alice.engine.restore(made.name, "wrong")
    assert (alice.folder / DATABASE).read_bytes() == before
    await alice.engine.restore(made.name, "correct horse")
    await alice.engine.open("correct horse")


async def test_the_way_back_from_damaged_keys(people: People) -> None:
    alice = people.asleep("alice", "correct horse")
    await alice.start("correct horse")
    with pytest.raises(LocalProtocolError):
        await alice.engine.restore_keys()
    await alice.engine.back_up()
    await alice.engine.stop()
    for name in ("root.key", "identity.key"):
        (alice.folder / name).write_bytes(b"damaged")
        with pytest.raises(KeyFileError):
            await alice.engine.open("correct horse")
        await alice.engine.restore_keys()
        await alice.engine.open("correct horse")
        assert (await alice.engine.me()).fingerprint == alice.fingerprint
        await alice.engine.stop()
    assert len(list(alice.folder.glob("*.key.aside-*"))) == 4


async def with_history(person: Person) -> str:
    """A long conversation with nobody, and a backup of it; its engine is stopped then."""
    context = running(person).context
    store = context.store

    def write() -> None:
        with store.transaction():  # one wait for the disk: after half a minute the backup of the day is made
            contact = add_contact(store)
            for number in range(1, 301):
                add_theirs(store, contact.id, number, f"text {number} " + "x" * 500)

    await context.stored(write)
    made = await person.engine.back_up()
    await person.engine.stop()
    return made.name


def damage_messages(path: Path, key: bytes) -> None:
    """Spoil a page in the middle of the messages; whoever opens the database does not see it."""
    database = Database.open(path, key, read_only=True)
    pages = [row[0] for row in database.rows("SELECT pageno FROM dbstat WHERE name = 'messages' ORDER BY 1")]
    database.close()
    with path.open("rb+") as file:
        file.seek((pages[len(pages) // 2] - 1) * 4096)
        file.write(os.urandom(4096))


async def test_a_damaged_page_is_met_while_it_is_used(people: People) -> None:
    """A clear error, a backup that was made before, and the way back to it."""
    alice = await people("alice")
    key = alice.engine._profile.db_key
    name = await with_history(alice)
    damage_messages(alice.folder / DATABASE, key)
    damaged = (alice.folder / DATABASE).read_bytes()
    await alice.engine.open()
    (conversation,) = await alice.engine.conversations()
    with pytest.raises(DatabaseDamaged):
        await alice.engine.messages(conversation.id, count=300)
    with pytest.raises(DatabaseDamaged):
        await alice.engine.back_up()
    assert [each.name for each in await alice.engine.backups()] == [name]
    await alice.engine.stop()
    await alice.engine.restore(name)
    await alice.engine.open()
    assert len(await alice.engine.messages(conversation.id, count=300)) == 300
    (aside,) = alice.folder.glob(f"{DATABASE}.aside-*")
    assert len(aside.read_bytes()) == len(damaged)


async def open_and_check(person: Person) -> None:
    """Damage shows at once, or at the latest when the backup of the day is made."""
    await person.engine.open()
    await person.engine.back_up()


async def test_a_file_that_was_cut(people: People) -> None:
    alice = await people("alice")
    name = await with_history(alice)
    whole = (alice.folder / DATABASE).read_bytes()
    for length in (0, 100, 4096 * 3 + 17, len(whole) // 2):
        (alice.folder / DATABASE).write_bytes(whole[:length])
        with pytest.raises(DatabaseDamaged):
            await open_and_check(alice)
        await alice.engine.stop()
        assert (alice.folder / DATABASE).read_bytes()[:length] == whole[:length]
        await alice.engine.restore(name)
        await alice.engine.open()
        assert len((await alice.engine.find(SearchQuery(text="text"), count=400)).messages) == 300
        await alice.engine.stop()


async def test_a_database_of_a_later_program(people: People) -> None:
    alice = await people("alice")
    key = alice.engine._profile.db_key
    await with_history(alice)
    database = Database.open(alice.folder / DATABASE, key)
    database.set_version(4711)
    database.close()
    before = {file: file.read_bytes() for file in alice.folder.rglob("*") if file.is_file()}
    with pytest.raises(DatabaseTooNew):
        await alice.engine.open()
    await alice.engine.stop()
    assert {file: file.read_bytes() for file in alice.folder.rglob("*") if file.is_file()} == before


def test_the_words_for_damage_name_the_way_back() -> None:
    assert "backup" in explain(DatabaseDamaged())
    assert "backup" in explain(KeyFileError())
    assert "recovery passphrase" in explain(RecoveryNeeded())
