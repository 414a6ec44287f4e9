import os
import stat
from pathlib import Path

import pytest

from messenger.core import store_limits
from messenger.core.errors import (
    DatabaseDamaged,
    DiskReadOnly,
    InputError,
    InputProblem,
    StorageError,
)
from messenger.core.ids import ConversationId
from messenger.core.models import SearchQuery
from messenger.storage import backup, database
from messenger.storage.database import Database, side_files
from messenger.storage.schema import copy_name
from messenger.storage.store import Store
from tests.helpers.storage import add_contact, add_theirs

NOW = 1_760_000_000_000
NAME = "20251009-085320.db"
DAY = 86_400_000


def folder(path: Path) -> Path:
    return path.parent / backup.FOLDER


def texts(path: Path, key: bytes) -> list[str]:
    store = Store.open(path, key)
    found = [message.text for contact in store.contacts.all() for message in store.messages.page(contact.id)]
    store.integrity_check()
    store.close()
    return found


def filled(store: Store, count: int = 20) -> ConversationId:
    contact = add_contact(store)
    for number in range(1, count + 1):
        add_theirs(store, contact.id, number, f"text {number}")
    return contact.id


def test_a_backup_while_the_database_is_used(store: Store, path: Path, key: bytes) -> None:
    conversation = filled(store)
    made = backup.make(path, key, NOW)
    file = folder(path) / NAME
    assert (made.name, made.made_ms, made.bytes) == (NAME, NOW, file.stat().st_size)
    assert backup.backups(path) == [made]
    assert [each.name for each in folder(path).iterdir()] == [NAME]
    add_theirs(store, conversation, 99, "later")
    copy = Database.open(file, key, read_only=True)
    copy.integrity_check()
    assert copy.number("SELECT count(*) FROM messages") == 20
    assert copy.row("SELECT value FROM meta WHERE name = 'restored'") == (b"\x01",)
    copy.close()
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder(path).stat().st_mode) == 0o700


def test_a_backup_shows_nothing_and_opens_with_its_key_alone(store: Store, path: Path, key: bytes) -> None:
    filled(store)
    backup.make(path, key, NOW)
    content = (folder(path) / NAME).read_bytes()
    for word in (b"text 1", b"Contact", b"SQLite", b"CREATE"):
        assert word not in content
    with pytest.raises(DatabaseDamaged):
        Database.open(folder(path) / NAME, bytes(32))


def test_a_copy_under_another_key(store: Store, path: Path, key: bytes) -> None:
    filled(store)
    other = os.urandom(32)
    target = path.with_name("copy.db")
    backup.duplicate(path, key, target, other)
    with pytest.raises(DatabaseDamaged):
        Database.open(target, key)
    assert len(texts(target, other)) == 20


def test_writers_go_on_while_a_backup_is_made(
    store: Store, path: Path, key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_limits, "BACKUP_STEP", 1)
    conversation = filled(store, 50)
    number = 1000

    def write() -> bool:
        nonlocal number
        number += 1
        add_theirs(store, conversation, number, "meanwhile")
        return True

    backup.make(path, key, NOW, write)
    assert number > 1010
    copied = texts(folder(path) / NAME, key)
    assert copied == [f"text {n}" for n in range(1, 51)], "as it was at one moment"
    assert len(store.messages.page(conversation, None, 10**6)) == 50 + number - 1000


def test_a_backup_that_is_given_up_leaves_nothing(
    store: Store, path: Path, key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_limits, "BACKUP_STEP", 1)
    filled(store)
    with pytest.raises(StorageError):
        backup.make(path, key, NOW, lambda: False)
    assert list(folder(path).iterdir()) == []
    backup.make(path, key, NOW)


def test_a_backup_can_be_given_up_while_it_is_checked(
    store: Store, path: Path, key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_CHECK_STEPS", 100)
    filled(store, 200)
    asked = 0

    def going_on() -> bool:
        nonlocal asked
        asked += 1
        return asked < 5

    with pytest.raises(StorageError) as caught:
        backup.make(path, key, NOW, going_on)
    assert "Interrupt" in str(caught.value)
    assert list(folder(path).iterdir()) == []


def test_a_damaged_database_gives_no_backup(path: Path, key: bytes) -> None:
    store = Store.open(path, key)
    filled(store, 300)
    store.close()
    backup.make(path, key, NOW)
    place = path.stat().st_size // 2
    with path.open("rb+") as file:
        file.seek(place)
        file.write(os.urandom(4096))
    with pytest.raises(DatabaseDamaged):
        backup.make(path, key, NOW + DAY)
    assert [each.name for each in backup.backups(path)] == [NAME]
    assert len(texts(folder(path) / NAME, key)) == 200


def test_a_logically_broken_database_gives_no_backup(store: Store, path: Path, key: bytes) -> None:
    filled(store)
    backup.make(path, key, NOW)
    store._database.rows("PRAGMA foreign_keys = OFF; DELETE FROM contacts")
    with pytest.raises(DatabaseDamaged):
        backup.make(path, key, NOW + DAY)
    assert [each.name for each in backup.backups(path)] == [NAME]


def test_so_many_are_kept(store: Store, path: Path, key: bytes) -> None:
    filled(store)
    for day in range(5):
        backup.make(path, key, NOW + day * DAY)
    (folder(path) / "letters.txt").write_text("not ours")
    (folder(path) / "99999999-999999.db").write_text("not ours either")
    old, new = copy_name(path, 1), path.with_name("other.db.version-1")
    for file in (old, new):
        file.write_bytes(b"copy")
    os.utime(old, (NOW / 1000 - store_limits.COPY_KEPT, NOW / 1000 - store_limits.COPY_KEPT))
    backup.keep(path, 2, NOW + 5 * DAY)
    assert [each.made_ms for each in backup.backups(path)] == [NOW + 4 * DAY, NOW + 3 * DAY]
    assert {"letters.txt", "99999999-999999.db"} <= {each.name for each in folder(path).iterdir()}
    assert (old.exists(), new.exists()) == (False, True)


def test_a_young_copy_of_an_old_version_stays(path: Path) -> None:
    copy = copy_name(path, 1)
    copy.write_bytes(b"copy")
    os.utime(copy, (NOW / 1000, NOW / 1000))
    backup.keep(path, 1, NOW + DAY)
    assert copy.exists()


@pytest.mark.parametrize("damage", [b"", b"x" * 50_000, None], ids=["empty", "noise", "missing"])
def test_the_way_back(path: Path, key: bytes, damage: bytes | None) -> None:
    store = Store.open(path, key)
    filled(store)
    backup.make(path, key, NOW)
    store.close()
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
        with pytest.raises(DatabaseDamaged):
            Store.open(path, key)
    backup.restore(path, key, NAME, NOW + DAY)
    assert len(texts(path, key)) == 20
    aside = path.with_name(f"{path.name}.aside-20251010-085320")
    assert (aside.read_bytes() if aside.exists() else None) == damage
    assert (folder(path) / NAME).exists(), "the backup stays"
    store = Store.open(path, key)
    assert store.sealed.restored()
    assert len(store.find(SearchQuery(text="text"), None, 50).messages) == 20
    store.close()


def test_the_log_of_a_damaged_database_goes_aside_with_it(path: Path, key: bytes) -> None:
    store = Store.open(path, key)
    filled(store)
    backup.make(path, key, NOW)
    log = side_files(path)[0].read_bytes()
    store.close()
    whole = path.read_bytes()
    side_files(path)[0].write_bytes(log)
    backup.restore(path, key, NAME, NOW)
    mark = "aside-20251009-085320"
    assert path.with_name(f"{path.name}-wal.{mark}").read_bytes() == log
    assert path.with_name(f"{path.name}.{mark}").read_bytes() == whole
    backup.restore(path, key, NAME, NOW)
    assert path.with_name(f"{path.name}.{mark}-2").exists(), "nothing is overwritten"
    assert len(texts(path, key)) == 20


def test_a_backup_that_does_not_hold_is_not_put_back(store: Store, path: Path, key: bytes) -> None:
    filled(store)
    backup.make(path, key, NOW)
    store.close()
    whole = path.read_bytes()
    with pytest.raises(DatabaseDamaged):
        backup.restore(path, bytes(32), NAME, NOW)
    with (folder(path) / NAME).open("rb+") as file:
        file.seek(20_000)
        file.write(os.urandom(100))
    with pytest.raises(DatabaseDamaged):
        backup.restore(path, key, NAME, NOW)
    for name in ("20251009-000000.db", "../profile.db", "", "/etc/passwd"):
        with pytest.raises(InputError) as caught:
            backup.restore(path, key, name, NOW)
        assert caught.value.problem is InputProblem.UNKNOWN
    assert path.read_bytes() == whole
    assert not list(path.parent.glob("*aside*"))


def test_a_restoring_that_was_cut_off_is_finished(path: Path, key: bytes) -> None:
    """Killed when the old database was aside and the backup not in its place."""
    store = Store.open(path, key)
    filled(store)
    backup.make(path, key, NOW)
    store.close()
    path.rename(path.with_name("aside"))
    with pytest.raises(DatabaseDamaged):
        backup.settle(path)
    backup.duplicate(folder(path) / NAME, key, path.with_name(f"{path.name}.restored"), key)
    backup.settle(path)
    assert len(texts(path, key)) == 20


def test_what_waits_does_not_replace_what_is_there(store: Store, path: Path, key: bytes) -> None:
    waiting = path.with_name(f"{path.name}.restored")
    waiting.write_bytes(b"of an earlier attempt")
    filled(store)
    store.close()
    backup.settle(path)
    assert len(texts(path, key)) == 20


def test_nothing_is_settled_for_somebody_new(path: Path) -> None:
    backup.settle(path)
    assert backup.backups(path) == []
    assert list(path.parent.iterdir()) == []


def test_key_files_beside_the_backups(store: Store, path: Path, key: bytes) -> None:
    names = ("root.key", "identity.key", "recovery.key")
    backup.keep_keys(path, names)
    assert not folder(path).exists(), "without backups there are no copies"
    filled(store)
    backup.make(path, key, NOW)
    with pytest.raises(InputError):
        backup.restore_keys(path, names, NOW)
    for name in names:
        path.with_name(name).write_bytes(name.encode())
    backup.keep_keys(path, names)
    path.with_name("recovery.key").unlink()
    backup.keep_keys(path, names)
    assert {file.name for file in folder(path).iterdir()} == {NAME, "root.key", "identity.key"}
    path.with_name("root.key").write_bytes(b"damaged")
    path.with_name("identity.key").unlink()
    backup.restore_keys(path, names, NOW)
    assert path.with_name("root.key").read_bytes() == b"root.key"
    assert path.with_name("identity.key").read_bytes() == b"identity.key"
    assert path.with_name("root.key.aside-20251009-085320").read_bytes() == b"damaged"
    assert backup.backups_size(path) == sum(file.stat().st_size for file in folder(path).iterdir())


def test_where_no_backup_can_be(path: Path, key: bytes) -> None:
    Store.open(path, key).close()
    folder(path).write_text("in the way")
    with pytest.raises(DiskReadOnly):
        backup.make(path, key, NOW)
    with pytest.raises(StorageError):
        backup.backups(path)
