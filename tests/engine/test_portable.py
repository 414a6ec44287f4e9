"""A whole profile in one file: out of one machine, into another."""

import asyncio
import os
from pathlib import Path

import pytest

from messenger.core.errors import (
    ConnectError,
    DatabaseTooNew,
    DiskReadOnly,
    InputError,
    InputProblem,
    KeyFileError,
    LocalProtocolError,
    Reason,
    StorageError,
    WrongPassphrase,
)
from messenger.core.models import MessageState, ProfileStatus, SearchQuery
from messenger.crypto import archive, export
from messenger.crypto.keycontent import KeyContent
from messenger.engine import portable
from messenger.engine.events import ArchiveProgress
from messenger.storage.database import Database
from messenger.storage.store import Store
from tests.helpers.engines import DATABASE, People, Person, friends
from tests.helpers.keys import CHEAP, identity
from tests.helpers.storage import add_contact

WORDS = "correct horse"


@pytest.fixture
async def exported(people: People, tmp_path: Path) -> tuple[Person, Path]:
    """Alice, who has a friend and a history, and her export; she runs."""
    alice = await people("alice")
    running = alice.engine._running
    assert running is not None
    store = running.context.store
    contact = await running.context.stored(add_contact, store)
    await alice.engine.send_text(contact.id, "Rendez-vous au café")
    await alice.engine.change_settings({"read_receipts": False})
    path = tmp_path / "alice.sotto"
    await alice.engine.export_profile(path, WORDS)
    return alice, path


def left(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()} - {"lock"} if folder.exists() else set()


async def test_moving_to_a_new_machine_without_contacts_noticing(people: People, tmp_path: Path) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    sent = await alice.engine.send_text(here, "from the old machine")
    await alice.sees(sent.id, MessageState.DELIVERED)
    await alice.engine.set_verified(here, verified=True)
    path = tmp_path / "alice.sotto"
    await alice.engine.export_profile(path, WORDS)
    alice.folder.rename(tmp_path / "old")
    await alice.engine.stop()
    await bob.offline(there)
    new = people.in_folder(tmp_path / "new", "alice")
    assert await new.engine.status() is ProfileStatus.NEW
    mark = bob.mark
    await new.engine.import_profile(path, WORDS, "new words")
    me = await new.engine.me()
    assert (me.name, me.fingerprint, me.protection) == ("Alice", alice.fingerprint, "passphrase")
    assert (await new.contact(bob)).verified
    assert await new.texts(here) == ["from the old machine"]
    assert len((await new.engine.find(SearchQuery(text="machine"))).messages) == 1
    await bob.online(there, since=mark)
    message = await new.engine.send_text(here, "from the new one")
    assert (await bob.hears("from the new one")).conversation == there
    await new.sees(message.id, MessageState.DELIVERED)
    await new.engine.stop()
    with pytest.raises(WrongPassphrase):
        await new.engine.open(WORDS)
    await new.engine.open("new words")


async def test_everything_is_there(exported: tuple[Person, Path], people: People, tmp_path: Path) -> None:
    alice, path = exported
    new = people.in_folder(tmp_path / "new", "alice")
    await new.engine.import_profile(path, WORDS)
    assert (await new.engine.me()).protection == "file", "there is no keyring in tests"
    assert await new.engine.settings() == await alice.engine.settings()
    theirs, ours = await new.engine.conversations(), await alice.engine.conversations()
    assert theirs == ours
    assert left(tmp_path / "new") >= {"root.key", "identity.key", DATABASE}
    assert not [name for name in left(tmp_path / "new") | left(alice.folder) if name.startswith(".")]
    assert new.engine._profile.db_key != alice.engine._profile.db_key, "its keys are its own"
    last = [event for event in new.events if isinstance(event, ArchiveProgress)][-1]
    assert 0 < last.done <= last.total


async def test_the_file_shows_nothing(exported: tuple[Person, Path]) -> None:
    alice, path = exported
    content = path.read_bytes()
    keys = identity("alice")
    hidden = [b"Rendez", b"Contact 1", b"SQLite", b"CREATE", alice.fingerprint, alice.engine._profile.db_key]
    hidden += [keys.signing.to_bytes()[10:60], keys.exchange.to_bytes()[10:60], WORDS.encode()]
    for secret in hidden:
        assert secret not in content
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("where", ["magic", "version", "cost", "salt", "keys", "checksum", "first", "last"])
async def test_a_changed_byte_anywhere(
    exported: tuple[Person, Path], people: People, tmp_path: Path, where: str
) -> None:
    _, path = exported
    data = bytearray(path.read_bytes())
    size = export.head_size(bytes(data[: export.HEADER_SIZE]))
    places = {"magic": 0, "version": 12, "cost": 13, "salt": 30, "keys": 100, "checksum": size - 1}
    places |= {"first": size + 10, "last": len(data) - 1}
    data[places[where]] ^= 0x40
    path.write_bytes(data)
    new = people.in_folder(tmp_path / "new", "alice")
    with pytest.raises(InputError) as caught:
        await new.engine.import_profile(path, WORDS)
    expected = InputProblem.EXPORT_VERSION if where == "version" else InputProblem.NOT_EXPORT
    assert caught.value.problem is expected
    assert left(tmp_path / "new") == set()


@pytest.mark.parametrize("cut", ["nothing", "header", "head", "first piece", "last byte", "one more"])
async def test_a_file_that_was_cut(
    exported: tuple[Person, Path], people: People, tmp_path: Path, cut: str
) -> None:
    _, path = exported
    data = path.read_bytes()
    size = export.head_size(data[: export.HEADER_SIZE])
    ends = {"nothing": 0, "header": 20, "head": size, "first piece": size + 100, "last byte": len(data) - 1}
    path.write_bytes(data[: ends[cut]] if cut in ends else data + b"x")
    new = people.in_folder(tmp_path / "new", "alice")
    with pytest.raises(InputError) as caught:
        await new.engine.import_profile(path, WORDS)
    assert caught.value.problem is InputProblem.NOT_EXPORT
    assert left(tmp_path / "new") == set()


async def test_a_wrong_passphrase_and_then_the_right_one(
    exported: tuple[Person, Path], people: People, tmp_path: Path
) -> None:
    _, path = exported
    new = people.in_folder(tmp_path / "new", "alice")
    for wrong in ("", "Correct horse", "x" * 2000):
        with pytest.raises(WrongPassphrase):
            await new.engine.import_profile(path, wrong)
    with pytest.raises(InputError) as caught:
        await new.engine.import_profile(path, WORDS, "x" * 2000)
    assert caught.value.problem is InputProblem.TOO_LONG
    assert left(tmp_path / "new") == set()
    assert await new.engine.status() is ProfileStatus.NEW
    await new.engine.import_profile(path, WORDS)


async def test_somebody_is_there_already(exported: tuple[Person, Path], people: People) -> None:
    alice, path = exported
    bob = people.asleep("bob")
    before = (bob.folder / DATABASE).read_bytes()
    with pytest.raises(KeyFileError):
        await bob.engine.import_profile(path, WORDS)
    assert (bob.folder / DATABASE).read_bytes() == before
    with pytest.raises((KeyFileError, LocalProtocolError)):
        await alice.engine.import_profile(path, WORDS)
    assert (await alice.engine.me()).name == "Alice"


async def test_a_database_without_keys_is_set_aside(
    exported: tuple[Person, Path], people: People, tmp_path: Path
) -> None:
    """What an import that was killed before its last step left behind, or whatever else it is."""
    _, path = exported
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / DATABASE).write_bytes(b"whatever it is")
    (folder / ".import-00000000.db").write_bytes(b"left over")
    new = people.in_folder(folder, "alice")
    await new.engine.import_profile(path, WORDS)
    assert len(await new.engine.conversations()) == 1
    assert [file.read_bytes() for file in folder.glob(f"{DATABASE}.aside-*")] == [b"whatever it is"]
    assert not list(folder.glob(".import*"))


async def test_a_passphrase_is_needed(people: People, tmp_path: Path) -> None:
    alice = await people("alice")
    with pytest.raises(InputError) as caught:
        await alice.engine.export_profile(tmp_path / "a.sotto", "")
    assert caught.value.problem is InputProblem.EMPTY
    assert not (tmp_path / "a.sotto").exists()


async def test_what_cannot_be_written_leaves_nothing(people: People, tmp_path: Path) -> None:
    alice = await people("alice")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DiskReadOnly):
        await alice.engine.export_profile(tmp_path / "folder", WORDS)
    with pytest.raises(StorageError):
        await alice.engine.export_profile(tmp_path / "nowhere" / "a.sotto", WORDS)
    assert list((tmp_path / "folder").iterdir()) == []
    assert not [name for name in left(alice.folder) if name.startswith(".")]


async def test_stopping_gives_up_an_import(
    exported: tuple[Person, Path], people: People, tmp_path: Path
) -> None:
    _, path = exported
    new = people.in_folder(tmp_path / "new", "alice")
    importing = asyncio.create_task(new.engine.import_profile(path, WORDS))
    await new.wait_for(ArchiveProgress)
    await new.engine.stop()
    with pytest.raises(ConnectError) as caught:
        await importing
    assert caught.value.reason is Reason.STOPPING
    assert not list((tmp_path / "new").glob(".import*"))
    again = people.in_folder(tmp_path / "new", "alice")
    if await again.engine.status() is ProfileStatus.NEW:
        await again.engine.import_profile(path, WORDS)
    else:
        await again.engine.open()
    assert len(await again.engine.conversations()) == 1


def forged(tmp_path: Path, spoil: str) -> Path:
    """An export whose database somebody who knows the passphrase has prepared."""
    keys = identity("alice")
    content = KeyContent(keys.signing, keys.exchange, keys.bundle())
    head, opened = export.seal(content, WORDS, CHEAP)
    database = tmp_path / "forged.db"
    Store.open(database, opened.db_key).close()
    connection = Database.open(database, opened.db_key)
    connection.rows(spoil)
    connection.empty_log()
    connection.close()
    path = tmp_path / "forged.sotto"
    with database.open("rb") as source, path.open("wb") as sink:
        sink.write(head)
        archive.seal(opened.stream, source, sink, lambda _: None)
    return path


@pytest.mark.parametrize(
    "spoil",
    [
        "CREATE TRIGGER evil AFTER INSERT ON messages BEGIN DELETE FROM contacts; END",
        "CREATE VIEW evil AS SELECT 1",
        "DROP TRIGGER message_added",
        "CREATE TABLE evil (a)",
        "ALTER TABLE meta ADD COLUMN evil TEXT",
        "PRAGMA user_version = 1",
        "PRAGMA user_version = 0",
    ],
)
async def test_a_prepared_database_is_refused(people: People, tmp_path: Path, spoil: str) -> None:
    path = forged(tmp_path, spoil)
    new = people.in_folder(tmp_path / "new", "alice")
    with pytest.raises(InputError) as caught:
        await new.engine.import_profile(path, WORDS)
    assert caught.value.problem is InputProblem.NOT_EXPORT
    assert left(tmp_path / "new") == set()


async def test_an_export_of_a_later_version(people: People, tmp_path: Path) -> None:
    path = forged(tmp_path, "PRAGMA user_version = 4711")
    new = people.in_folder(tmp_path / "new", "alice")
    with pytest.raises(DatabaseTooNew):
        await new.engine.import_profile(path, WORDS)
    assert left(tmp_path / "new") == set()


async def test_the_head_alone_is_read_before_the_passphrase_is_tried(tmp_path: Path) -> None:
    path = forged(tmp_path, "SELECT 1")
    head = portable.read_head(path)
    assert len(head) == export.head_size(head[: export.HEADER_SIZE])
    assert path.read_bytes().startswith(head)
