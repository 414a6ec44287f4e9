import logging
import os
import re
import shutil
import stat
import subprocess
import traceback
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from messenger.core.errors import DatabaseDamaged, DiskReadOnly, StorageBug, StorageError
from messenger.storage.database import CIPHER, Database, _restrict, new_file, put_in_place, side_files
from messenger.storage.store import Store
from tests.helpers.storage import add_contact, message_id

PAGE = 4096


def filled(path: Path, key: bytes, messages: int = 200) -> bytes:
    """Make a database of many pages and return the bytes of its file."""
    store = Store.open(path, key)
    contact = add_contact(store)
    for number in range(messages):
        store.messages.add_outgoing(contact.id, message_id(number), "x" * 1000, number, number)
    store.close()
    assert not any(file.exists() for file in side_files(path))
    return path.read_bytes()


def read_all(path: Path, key: bytes) -> None:
    store = Store.open(path, key)
    try:
        store.integrity_check()
    finally:
        store.close()


def test_the_file_is_encrypted_with_the_cipher_that_notices_tampering(database: Database) -> None:
    assert CIPHER == "chacha20"
    assert database.row("PRAGMA cipher") == ("chacha20",)


def test_how_a_connection_is_set_up(database: Database, path: Path, key: bytes) -> None:
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "fullfsync": 1,
        "foreign_keys": 1,
        "secure_delete": 1,
        "temp_store": 2,  # MEMORY
        "trusted_schema": 0,
        "mmap_size": 0,
        "busy_timeout": 5000,
        "page_size": PAGE,
        "query_only": 0,
    }
    assert {name: database.rows(f"PRAGMA {name}")[0][0] for name in expected} == expected
    reading = Database.open(path, key, read_only=True)
    assert reading.row("PRAGMA query_only") == (1,)
    assert reading.row("PRAGMA temp_store") == (2,)
    reading.close()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
def test_only_the_owner_has_access(path: Path, key: bytes) -> None:
    old = os.umask(0)
    try:
        store = Store.open(path, key)
        add_contact(store)
        files = (path, *side_files(path))
        assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * 3
        for file in files:
            file.chmod(0o666)
        second = Store.open(path, key)
        assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * 3
        second.close()
        store.close()
    finally:
        os.umask(old)


def test_rights_that_cannot_be_changed_are_told(caplog: pytest.LogCaptureFixture) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("needs a file whose rights nobody can change")
    with caplog.at_level(logging.WARNING):
        _restrict(Path("/proc/self/status"))
    assert "may have access to status: PermissionError" in caplog.text


def test_a_file_that_can_only_be_read(tmp_path: Path, key: bytes) -> None:
    program = Path(shutil.copy(shutil.which("cat") or pytest.skip("needs a program that waits"), tmp_path))
    with subprocess.Popen([program], stdin=subprocess.PIPE) as running:  # nobody, not even root, may write it
        try:
            program.open("rb+").close()
        except OSError:
            with pytest.raises(DiskReadOnly):
                Database.open(program, key)
        else:
            pytest.skip("this system lets a running program be changed")
        finally:
            running.communicate()


def test_a_file_system_without_shared_memory(path: Path, key: bytes) -> None:
    usual, lacking = apsw.vfs_names()[0], "unix-dotfile"
    if lacking not in apsw.vfs_names():
        pytest.skip("needs a file system layer of SQLite that cannot share memory")
    new_file(path)
    encrypting = f"multipleciphers-{lacking}"  # exists once it was asked for
    apsw.Connection(str(path), vfs=encrypting).close()
    apsw.set_default_vfs(encrypting)
    try:
        with pytest.raises(StorageError, match="shared memory"):
            Database.open(path, key)
    finally:
        apsw.set_default_vfs(usual)
    Database.open(path, key).close()


def test_another_key_does_not_open_it_and_changes_nothing(path: Path, key: bytes) -> None:
    before = filled(path, key, 5)
    for wrong in (bytes(32), bytes([key[0] ^ 1]) + key[1:]):
        with pytest.raises(DatabaseDamaged):
            Store.open(path, wrong)
        with pytest.raises(DatabaseDamaged):
            Database.open(path, wrong, read_only=True)
    assert path.read_bytes() == before
    read_all(path, key)


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_key_of_another_length_is_a_bug(path: Path, size: int) -> None:
    new_file(path)
    with pytest.raises(StorageBug):
        Database.open(path, bytes(size))
    assert path.read_bytes() == b""


def everything_told(error: BaseException) -> str:
    """Message, representation and traceback of an error and of all that are linked to it.

    The values of the variables of SQLite's own frames are told, too, which hold the SQL.
    """
    told = [repr(error), *traceback.format_exception(error)]
    linked: BaseException | None = error
    while linked is not None:
        told.append(repr(vars(linked)))
        frame = linked.__traceback__
        while frame is not None:
            if frame.tb_frame.f_code.co_filename.startswith("src/"):
                told.append(repr(frame.tb_frame.f_locals))
            frame = frame.tb_next
        linked = linked.__cause__ or linked.__context__
    return "\n".join(told)


def test_the_key_is_in_no_error(
    path: Path, key: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    read_all(path, key)

    def refuse_keys(connection: apsw.Connection) -> None:
        def authorise(action: int, name: str | None, *_: str | None) -> int:
            keyed = action == apsw.SQLITE_PRAGMA and name == "key"
            return apsw.SQLITE_DENY if keyed else apsw.SQLITE_OK

        connection.authorizer = authorise

    def failure(key: bytes) -> str:
        with pytest.raises(StorageError) as caught:
            Database.open(path, key)
        return everything_told(caught.value)

    told = failure(bytes(32))
    with monkeypatch.context() as patch:
        patch.setattr(apsw, "connection_hooks", [refuse_keys])
        told += failure(key)
    assert "could not be set" in told
    assert key.hex() not in told.lower()
    assert bytes(32).hex() not in told
    assert "raw:" not in told
    assert caplog.text == ""


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[: len(data) // 2], id="half of it"),
        pytest.param(lambda data: data[:-PAGE], id="the last page is missing"),
        pytest.param(lambda data: data[: len(data) // 2 + 77], id="in the middle of a page"),
        pytest.param(lambda data: data[:100], id="100 bytes"),
        pytest.param(lambda _: b"x", id="1 byte"),
        pytest.param(lambda _: b"", id="nothing"),
        pytest.param(lambda data: os.urandom(len(data)), id="noise"),
        pytest.param(lambda data: data[PAGE:] + data[:PAGE], id="pages in another order"),
        pytest.param(lambda _: b"<html>not a database</html>" * 500, id="another file"),
    ],
)
def test_a_damaged_file_is_refused_and_left_as_it_is(
    path: Path, key: bytes, damage: Callable[[bytes], bytes]
) -> None:
    damaged = damage(filled(path, key))
    path.write_bytes(damaged)
    with pytest.raises(DatabaseDamaged):
        read_all(path, key)
    assert path.read_bytes() == damaged


def test_a_changed_byte_in_any_page_is_noticed(path: Path, key: bytes) -> None:
    whole = filled(path, key, 40)
    for page in range(len(whole) // PAGE):
        for offset in (0, 1000, PAGE - 33, PAGE - 32, PAGE - 16, PAGE - 1):  # content, then nonce and tag
            place = page * PAGE + offset
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
            with pytest.raises(DatabaseDamaged):
                read_all(path, key)
    path.write_bytes(whole)
    read_all(path, key)


def test_a_page_of_another_place_is_noticed(path: Path, key: bytes) -> None:
    whole = filled(path, key, 40)
    path.write_bytes(whole[: 3 * PAGE] + whole[2 * PAGE : 3 * PAGE] + whole[4 * PAGE :])
    with pytest.raises(DatabaseDamaged):
        read_all(path, key)


@pytest.mark.parametrize("cipher", [None, "aes128cbc", "aes256cbc", "rc4", "sqlcipher"])
def test_another_cipher_is_refused(path: Path, key: bytes, cipher: str | None) -> None:
    connection = apsw.Connection(str(path))
    if cipher:
        connection.pragma("cipher", cipher)
        connection.pragma("key", f"raw:{key.hex()}")
    connection.execute("CREATE TABLE contacts (id)")
    connection.close()
    with pytest.raises(DatabaseDamaged):
        Store.open(path, key)


def test_a_logically_broken_database_is_noticed(store: Store) -> None:
    contact = add_contact(store)
    store.messages.add_outgoing(contact.id, message_id(1), "x", 1, 1)
    store.integrity_check()
    store._database.rows("PRAGMA foreign_keys = OFF; DELETE FROM contacts")
    with pytest.raises(DatabaseDamaged):
        store.integrity_check()


def test_write_is_all_or_nothing(database: Database) -> None:
    database.rows("CREATE TABLE t (a INTEGER UNIQUE) STRICT")

    def two(second: int) -> None:
        with database.write():
            database.rows("INSERT INTO t VALUES (1)")
            database.rows("INSERT INTO t VALUES (?)", (second,))

    def interrupted() -> None:
        with database.write():
            database.rows("DELETE FROM t")
            raise KeyboardInterrupt

    with pytest.raises(StorageBug):
        two(1)
    assert database.rows("SELECT a FROM t") == []
    two(2)
    assert database.rows("SELECT a FROM t ORDER BY a") == [(1,), (2,)]
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert database.number("SELECT count(*) FROM t") == 2


def test_a_transaction_that_sqlite_ended_by_itself(database: Database) -> None:
    database.rows("CREATE TABLE t (a INTEGER UNIQUE ON CONFLICT ROLLBACK) STRICT")
    with pytest.raises(StorageBug), database.write():
        database.rows("INSERT INTO t VALUES (1), (1)")
    assert database.rows("SELECT a FROM t") == []


def test_two_writers_wait_for_each_other_and_not_for_ever(database: Database, path: Path, key: bytes) -> None:
    other = Database.open(path, key)
    other._connection.set_busy_timeout(0)
    with database.write():
        with pytest.raises(StorageError) as caught, other.write():
            pass
        assert "Busy" in str(caught.value)
    with other.write():
        pass
    other.close()


def test_small_reads(database: Database) -> None:
    database.rows("CREATE TABLE t (a INTEGER) STRICT")
    assert database.row("SELECT a FROM t") is None
    assert database.number("SELECT a FROM t") == 0
    assert database.number("SELECT max(a) FROM t") == 0
    assert database.change("INSERT INTO t VALUES (5), (6)") == 2
    assert database.number("SELECT max(a) FROM t") == 6
    assert database.change("DELETE FROM t WHERE a > 9") == 0


def test_what_is_closed_cannot_be_used(path: Path, key: bytes) -> None:
    new_file(path)
    database = Database.open(path, key)
    database.close()
    database.close()
    for use in (
        lambda: database.rows("SELECT 1"),
        lambda: database.set_version(2),
        database.empty_log,
    ):
        with pytest.raises(StorageBug):
            use()


def test_close_in_the_middle_of_a_query(database: Database) -> None:
    refused = list[StorageError]()

    def close() -> bool:
        try:
            database.close()
        except StorageError as e:
            refused.append(e)
        return False

    database._connection.set_progress_handler(close, 1)
    assert database.rows("SELECT 1") == [(1,)]
    database._connection.set_progress_handler(None)
    assert refused
    assert database.rows("SELECT 2") == [(2,)]


def test_places_where_no_file_can_be(tmp_path: Path, path: Path, key: bytes) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "file" / "profile.db", tmp_path / "folder"):
        with pytest.raises(DiskReadOnly):
            new_file(place)
        with pytest.raises(DiskReadOnly):
            Database.open(place, key)
    for place in (tmp_path / "none" / "profile.db", path):
        with pytest.raises(StorageError, match="ENOENT"):
            Database.open(place, key)
    with pytest.raises(StorageError, match="ENOENT"):
        put_in_place(tmp_path / "not there", path)


def test_deleted_words_are_overwritten(path: Path, key: bytes) -> None:
    store = Store.open(path, key)
    contact = add_contact(store)
    store.messages.add_outgoing(contact.id, message_id(1), "findable words", 1, 1)
    store.contacts.remove(contact.id)
    copy = path.with_name("plain.db")
    store.close()
    plain = apsw.Connection(str(path))
    plain.pragma("cipher", CIPHER)
    plain.pragma("key", f"raw:{key.hex()}")
    plain.pragma("journal_mode", "delete")
    plain.pragma("rekey", "")  # the same pages, decrypted
    plain.close()
    path.rename(copy)
    pages = copy.read_bytes()
    assert pages.startswith(b"SQLite format 3")
    assert b"CREATE TABLE contacts" in pages
    assert not re.search(b"findable|Contact 1", pages)
