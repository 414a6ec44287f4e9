"""Damage of every kind, and the way back from it: nothing is deleted, and what was there can be had again."""

import os
from pathlib import Path

import pytest

from messenger.core.errors import (
    DatabaseDamaged,
    KeyFileError,
    StorageError,
)
from messenger.core.models import ProfileStatus, SearchQuery
from messenger.engine.events import EngineFault
from messenger.storage import backup
from messenger.storage.database import Database
from tests.helpers.engines import DATABASE, People, Person
from tests.helpers.storage import add_contact, add_theirs

COUNT = 300
KEYS = ("root.key", "identity.key")


async def with_history(person: Person) -> str:
    """A conversation with nobody, and a backup of it; its engine is stopped then."""
    running = person.engine._running
    assert running is not None
    store = running.context.store

    def fill() -> None:
        contact = add_contact(store)
        with store.transaction():
            for number in range(1, COUNT + 1):
                add_theirs(store, contact.id, number, f"text {number} " + "x" * 500)

    await running.context.stored(fill)
    made = await person.engine.back_up()
    await person.engine.stop()
    return made.name


async def whole(person: Person) -> None:
    """Everything is there and sound."""
    await person.engine.open()
    (conversation,) = await person.engine.conversations()
    assert len(await person.engine.messages(conversation.id, count=COUNT + 1)) == COUNT
    assert (await person.engine.find(SearchQuery(text='"text 7"'))).messages
    await person.engine.back_up()


def spoil(path: Path, key: bytes, table: str) -> None:
    """Spoil the page in the middle of a table or index."""
    database = Database.open(path, key, read_only=True)
    pages = [row[0] for row in database.rows("SELECT pageno FROM dbstat WHERE name = ? ORDER BY 1", (table,))]
    database.close()
    with path.open("rb+") as file:
        file.seek((pages[len(pages) // 2] - 1) * 4096)
        file.write(os.urandom(4096))


@pytest.mark.parametrize("table", ["search_data", "search_idx"])
async def test_damage_in_the_index_alone(people: People, table: str) -> None:
    """Messages can be read, what needs the index says why it cannot, and the backup has everything."""
    alice = await people("alice")
    key = alice.engine._profile.db_key
    name = await with_history(alice)
    spoil(alice.folder / DATABASE, key, table)
    await alice.start()
    (conversation,) = await alice.engine.conversations()
    assert len(await alice.engine.messages(conversation.id, count=COUNT + 1)) == COUNT
    for command in (
        alice.engine.find(SearchQuery(text='"text 1"')),
        alice.engine.back_up(),
    ):
        with pytest.raises(DatabaseDamaged):
            await command
    await alice.engine.delete_conversation(conversation.id)
    assert await alice.engine.conversations() == []
    await alice.wait_for(EngineFault, lambda e: (e.where, e.error) == ("removal", "DatabaseDamaged"))
    assert [each.name for each in await alice.engine.backups()] == [name]
    await alice.engine.stop()
    await alice.engine.restore(name)
    await whole(alice)


@pytest.mark.parametrize("size", [0, 1, 511, 4095, 4096, 40_960])
async def test_a_database_that_was_cut(people: People, size: int) -> None:
    alice = await people("alice")
    name = await with_history(alice)
    os.truncate(alice.folder / DATABASE, size)
    with pytest.raises(DatabaseDamaged):
        await alice.start()
    assert (alice.folder / DATABASE).stat().st_size == size, "it was not touched"
    await alice.engine.restore(name)
    (aside,) = alice.folder.glob(f"{DATABASE}.aside-*")
    assert aside.stat().st_size == size
    await whole(alice)


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("size", [0, 1, 84, 163, None])
async def test_a_key_file_that_was_cut_or_is_gone(people: People, name: str, size: int | None) -> None:
    alice = await people("alice")
    await with_history(alice)
    if size is None:
        (alice.folder / name).unlink()
    else:
        os.truncate(alice.folder / name, size)
    with pytest.raises(KeyFileError):
        await alice.start()
    with pytest.raises(KeyFileError):
        await alice.engine.create("Somebody else", keyring=False)
    await alice.engine.restore_keys()
    await whole(alice)


async def test_keys_that_are_gone_are_not_replaced_by_those_of_somebody_new(
    people: People, tmp_path: Path
) -> None:
    """They would take the place of the copies that open the backups."""
    alice = await people("alice")
    await with_history(alice)
    for name in KEYS:
        (alice.folder / name).unlink()
    before = {path: path.read_bytes() for path in alice.folder.rglob("*") if path.is_file()}
    for command in (
        alice.engine.status(),
        alice.engine.open(),
        alice.engine.create("Somebody else", keyring=False),
        alice.engine.import_profile(tmp_path / "none", "words"),
    ):
        with pytest.raises(KeyFileError):
            await command
    assert {path: path.read_bytes() for path in alice.folder.rglob("*") if path.is_file()} == before
    await alice.engine.restore_keys()
    assert await alice.engine.status() is ProfileStatus.READY
    await whole(alice)


async def test_copies_of_keys_follow_though_the_program_ended(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the copy beside the backups would open them without the passphrase that was set."""
    alice = await people("alice")
    await alice.engine.back_up()

    def refuse(_database: Path, _names: tuple[str, ...]) -> None:
        raise StorageError("a fault")

    with monkeypatch.context() as patch:
        patch.setattr(backup, "keep_keys", refuse)
        await alice.engine.set_passphrase("words")
        await alice.engine.stop()
    copy = alice.folder / backup.FOLDER / "root.key"
    assert copy.read_bytes() != (alice.folder / "root.key").read_bytes()
    await alice.start("words")
    running = alice.engine._running
    assert running is not None
    await running.housekeeping.tidy()
    assert copy.read_bytes() == (alice.folder / "root.key").read_bytes()


async def test_a_place_for_backups_that_cannot_be_used(people: People) -> None:
    """Everything else goes on; the backup that is missing is told."""
    alice = await people("alice")
    (alice.folder / backup.FOLDER).write_text("in the way")
    running = alice.engine._running
    assert running is not None
    with pytest.raises(StorageError):
        await alice.engine.back_up()
    await running.housekeeping.tidy()
    await alice.wait_for(EngineFault, lambda e: e.where == "backup")
    contact = await running.context.stored(add_contact, running.context.store)
    await alice.engine.send_text(contact.id, "goes on")
    assert await alice.texts(contact.id) == ["goes on"]
    await alice.restart()
    assert await alice.texts(contact.id) == ["goes on"]
