import os
import stat
from pathlib import Path

import pytest

from messenger.core.errors import DatabaseDamaged, DatabaseTooNew, DiskReadOnly, StorageBug, StorageError
from messenger.core.models import MessageState
from messenger.storage import rows
from messenger.storage.database import Database, new_file, side_files
from messenger.storage.schema import MIGRATIONS, copy_name, open_current
from messenger.storage.store import Store
from tests.helpers.storage import add_contact, message_id

ONE_MORE = (
    "ALTER TABLE contacts ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'; UPDATE contacts SET name = 'moved'"
)
CURRENT = len(MIGRATIONS)
NEXT = (*MIGRATIONS, ONE_MORE)
LATER = (*NEXT, "CREATE TABLE later (a INTEGER) STRICT")
BROKEN = (*MIGRATIONS, "UPDATE contacts SET name = 'half done'; SELEKT")


def filled(path: Path, key: bytes) -> None:
    store = Store.open(path, key)
    contact = add_contact(store)
    for number in range(50):
        store.messages.add_outgoing(contact.id, message_id(number), f"text {number}" * 100, number, number)
    store.close()


def names(path: Path, key: bytes) -> list[str]:
    database = Database.open(path, key, read_only=True)
    found = [row[0] for row in database.rows("SELECT name FROM contacts")]
    database.close()
    return found


def files(path: Path) -> set[str]:
    return {file.name for file in path.parent.iterdir()}


def test_a_new_database(path: Path, key: bytes) -> None:
    database = open_current(path, key)
    assert database.version() == CURRENT
    database.integrity_check()
    tables = {row[0] for row in database.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    expected = {"meta", "contacts", "messages", "outbox", "invites", "retired_keys", "successions"}
    expected |= {"sealed_sessions", "sealed_ids", "sealed_outbox", "sealed_receipts", "first_contacts"}
    expected |= {"prekeys", "prekey_lists", "calendar", "retention", "forgotten"}
    expected |= {"actions", "heard", "drafts", "transfers", "chunks"}
    expected |= {"relays", "queues", "prekey_queues", "places", "first_places", "portraits", "endings"}
    index = {table for table in tables if table.split("_")[0] == "search"}
    assert tables - {"sqlite_sequence"} - index == expected
    strict = database.rows("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0")
    assert {row[0] for row in strict} <= {"sqlite_schema", "sqlite_sequence", *index}
    database.close()
    assert files(path) == {path.name}


def test_the_numbers_in_the_schema_are_those_of_the_states() -> None:
    assert "WHERE state = 6;" in MIGRATIONS[0]
    assert MessageState.UNREAD.value == 6
    assert MessageState.SEEN.value == 7
    assert MessageState.QUEUED.value == 1


def test_opening_again_changes_nothing(path: Path, key: bytes) -> None:
    filled(path, key)
    before = path.read_bytes()
    open_current(path, key).close()
    assert path.read_bytes() == before
    assert files(path) == {path.name}


def test_a_migration_keeps_everything_and_leaves_a_copy(path: Path, key: bytes) -> None:
    filled(path, key)
    database = open_current(path, key, NEXT)
    assert database.version() == CURRENT + 1
    database.integrity_check()
    assert database.row("SELECT name, colour FROM contacts") == ("moved", "grey")
    assert (
        len(rows.page(database, rows.conversations(database)[0].id, before=None, after=None, count=99)) == 50
    )
    database.close()
    copy = copy_name(path, CURRENT)
    assert files(path) == {path.name, copy.name}
    if os.name == "posix":
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert not copy.read_bytes().startswith(b"SQLite")
    before = Store.open(copy, key)  # as version 1 left it
    assert [contact.name for contact in before.contacts.all()] == ["Contact 1"]
    assert len(before.messages.pending(before.contacts.all()[0].id, 0, 99)) == 50
    before.close()


def test_several_steps_at_once(path: Path, key: bytes) -> None:
    filled(path, key)
    database = open_current(path, key, LATER)
    assert database.version() == CURRENT + 2
    assert database.rows("SELECT a FROM later") == []
    database.close()
    assert files(path) == {path.name, copy_name(path, CURRENT).name}


def test_a_migration_that_fails_changes_nothing(path: Path, key: bytes) -> None:
    filled(path, key)
    with pytest.raises(StorageBug):
        open_current(path, key, BROKEN)
    assert names(path, key) == ["Contact 1"]
    open_current(path, key, NEXT).close()  # a better version comes
    assert names(path, key) == ["moved"]
    assert names(copy_name(path, CURRENT), key) == ["Contact 1"]


def test_steps_before_a_failing_one_are_kept(path: Path, key: bytes) -> None:
    filled(path, key)
    with pytest.raises(StorageBug):
        open_current(path, key, (*NEXT, "SELEKT"))
    assert names(path, key) == ["moved"]
    open_current(path, key, LATER).close()
    assert files(path) == {path.name, copy_name(path, CURRENT).name, copy_name(path, CURRENT + 1).name}


def test_a_damaged_database_is_not_migrated(path: Path, key: bytes) -> None:
    filled(path, key)
    database = Database.open(path, key, read_only=True)
    end = 4096 * database.number("SELECT max(pageno) FROM dbstat WHERE name = 'messages'")
    database.close()
    whole = path.read_bytes()
    damaged = whole[: end - 100] + bytes(100) + whole[end:]
    path.write_bytes(damaged)
    with pytest.raises(DatabaseDamaged):
        open_current(path, key, NEXT)
    assert path.read_bytes() == damaged
    assert files(path) == {path.name}


def test_without_a_copy_nothing_is_migrated(path: Path, key: bytes) -> None:
    filled(path, key)
    before = path.read_bytes()
    in_the_way = copy_name(path, CURRENT)
    in_the_way.mkdir()
    with pytest.raises(DiskReadOnly):
        open_current(path, key, NEXT)
    assert path.read_bytes() == before
    in_the_way.rmdir()
    (path.parent / f"{in_the_way.name}.new").mkdir()
    with pytest.raises(DiskReadOnly):
        open_current(path, key, NEXT)
    assert path.read_bytes() == before


def test_what_an_interrupted_attempt_left_is_replaced(path: Path, key: bytes) -> None:
    unfinished = path.with_name(f"{path.name}.new")
    for file in (unfinished, *side_files(unfinished)):
        file.write_bytes(b"unfinished")
    filled(path, key)
    unfinished_copy = copy_name(path, CURRENT).with_name(f"{copy_name(path, CURRENT).name}.new")
    unfinished_copy.write_bytes(b"unfinished")
    copy_name(path, CURRENT).write_bytes(b"of an earlier attempt")
    open_current(path, key, NEXT).close()
    assert files(path) == {path.name, copy_name(path, CURRENT).name}
    assert names(copy_name(path, CURRENT), key) == ["Contact 1"]


def test_a_database_of_a_later_version_is_not_touched(path: Path, key: bytes) -> None:
    filled(path, key)
    open_current(path, key, LATER).close()
    before, there = path.read_bytes(), files(path)
    with pytest.raises(DatabaseTooNew):
        open_current(path, key, NEXT)
    with pytest.raises(DatabaseTooNew):
        Store.open(path, key)
    assert path.read_bytes() == before
    assert files(path) == there


def test_a_database_without_a_version(path: Path, key: bytes) -> None:
    new_file(path)
    Database.open(path, key).close()
    with pytest.raises(DatabaseDamaged):
        open_current(path, key)


def test_a_missing_or_empty_file_with_a_log_is_not_taken_for_a_new_one(path: Path, key: bytes) -> None:
    store = Store.open(path, key)
    add_contact(store)
    whole, log = path.read_bytes(), side_files(path)[0]
    entries = log.read_bytes()
    store.close()
    for content in (None, b"", b"x"):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        log.write_bytes(entries)
        with pytest.raises(DatabaseDamaged):
            Store.open(path, key)
        assert log.read_bytes() == entries
        path.write_bytes(whole)
    store = Store.open(path, key)
    assert len(store.contacts.all()) == 1
    store.close()


def test_no_folder_to_make_it_in(tmp_path: Path, key: bytes) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DiskReadOnly):
        Store.open(tmp_path / "file" / "profile.db", key)
    with pytest.raises(DatabaseDamaged):
        Store.open(tmp_path / "file", key)


def test_a_name_that_the_system_refuses(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(StorageError):
        Store.open(tmp_path / ("x" * 300), key)
