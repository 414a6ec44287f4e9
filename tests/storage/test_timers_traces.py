"""What is left of messages that have disappeared, or will: on the disk, in copies, of the clock."""

from pathlib import Path

from messenger.core.chained import ChainKind
from messenger.core.models import Draft
from messenger.storage import backup, database
from messenger.storage.database import Database
from messenger.storage.schema import MIGRATIONS, copy_name, open_current
from messenger.storage.store import Store
from tests.helpers.storage import add_contact, check_index, message_id
from tests.storage.test_timers import (
    DELIVERED,
    HOUR,
    NOW,
    SECRET,
    Clocks,
    clocks,
    gone,
    ours,
    running,
    take,
    theirs,
)

__all__ = ["clocks"]


def plain(path: Path, key: bytes) -> bytes:
    """The pages of a database and its log, decrypted."""
    opened = Database.open(path, key)
    try:
        return bytes(opened._connection.serialize("main"))
    finally:
        opened.close()


def frames(path: Path) -> int:
    """Bytes of the log of a database."""
    log, _ = database.side_files(path)
    return log.stat().st_size if log.exists() else 0


def test_nothing_is_left_on_the_disk(store: Store, clocks: Clocks, path: Path, key: bytes) -> None:
    contact = add_contact(store)
    store.timers.change(contact.id, message_id(9), HOUR, NOW)
    message = take(store, contact.id, theirs(1, f"{SECRET} one"))
    own = ours(store, contact.id, 2, f"{SECRET} two")
    store.messages.take(
        contact.id, theirs(3, f"{SECRET} edit", 0, kind=ChainKind.EDIT, about=message.id), NOW
    )
    store.actions.add_outgoing(contact.id, ChainKind.EDIT, message_id(4), own.id, f"{SECRET} changed", NOW)
    store.messages.mark_seen(contact.id, message.position)
    store.messages.advance(contact.id, [own.id, message_id(4)], DELIVERED)
    backup.make(path, key, NOW)
    assert SECRET.encode() in plain(path, key)
    clocks.pass_by(HOUR)
    assert set(gone(store)) == {message.id, own.id}
    assert frames(path) == 0
    assert SECRET.encode() not in plain(path, key)
    assert all(
        SECRET.encode() not in plain(path.parent / backup.FOLDER / each.name, key)
        for each in backup.backups(path)
    )


def test_what_disappears_is_in_no_copy(store: Store, path: Path, key: bytes) -> None:
    """Seen or not, waiting or not; what stays is there, and nothing waits in vain."""
    contact = add_contact(store)
    kept = take(store, contact.id, theirs(1, "stays", 0))
    unread, seen = take(store, contact.id, theirs(2)), take(store, contact.id, theirs(3, order=NOW - 9))
    store.messages.mark_seen(contact.id, seen.position)
    ours(store, contact.id, 20, "ours that stays")
    store.timers.change(contact.id, message_id(21), HOUR, NOW)
    own = ours(store, contact.id, 22)
    store.actions.add_outgoing(contact.id, ChainKind.EDIT, message_id(23), own.id, f"{SECRET} changed", NOW)
    early = theirs(5, f"{SECRET} early", 0, kind=ChainKind.EDIT, about=message_id(4))
    store.messages.take(contact.id, early, NOW)
    store.drafts.set(contact.id, Draft("", unread.id))
    backup.make(path, key, NOW)
    copied = path.parent / backup.FOLDER / backup.backups(path)[0].name
    assert SECRET.encode() not in plain(copied, key)
    copy = Store.open(copied, key)
    assert [message.text for message in copy.messages.page(contact.id)] == ["stays", "ours that stays", ""]
    assert [item.chained.id for item in copy.messages.to_send(contact.id, 0, 9)] == [
        message_id(20),
        message_id(21),
    ]
    assert copy._database.number("SELECT count(*) FROM outbox") == 2
    assert copy.drafts.get(contact.id) == Draft()
    assert not copy.messages.take(contact.id, theirs(2), NOW).new, "it does not come back by a second copy"
    assert copy.timers.get(contact.id) == HOUR
    check_index(copy)
    copy.close()
    assert len(store.messages.page(contact.id)) == 6
    assert kept.id in [message.id for message in store.messages.page(contact.id)]


def test_the_copy_before_a_migration_has_none_either(store: Store, path: Path, key: bytes) -> None:
    running(store)
    store.close()
    open_current(path, key, (*MIGRATIONS, "CREATE TABLE later (a INTEGER) STRICT")).close()
    assert SECRET.encode() not in plain(copy_name(path, len(MIGRATIONS)), key)


def test_no_trace_of_the_clock_when_nothing_runs(store: Store, clocks: Clocks) -> None:
    running(store)
    assert store._database.number("SELECT count(*) FROM meta") == 1
    clocks.pass_by(HOUR)
    assert gone(store)
    assert store._database.number("SELECT count(*) FROM meta") == 0
