"""What storage tests share, and the programs that some of them start and stop.

``python -m tests.helpers.storage PROGRAM FOLDER KEY`` runs one of `PROGRAMS`. Each prints one line
for each thing that is safely on disk, so that a test which kills it knows what must be there.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from messenger.core.errors import StorageError
from messenger.core.ids import ConversationId, Fingerprint, MessageId
from messenger.core.models import Contact, MessageState, Standing
from messenger.storage.database import CIPHER, side_files
from messenger.storage.lock import ProfileLock
from messenger.storage.store import Store

DATABASE: Final = "profile.db"
ZEROS: Final = bytes(32)


def fingerprint(number: int) -> Fingerprint:
    """A fingerprint that belongs to nobody, another for each number."""
    return Fingerprint(number.to_bytes(32, "big"))


def message_id(number: int) -> MessageId:
    """A message id, another for each number."""
    return MessageId(number.to_bytes(16, "big"))


def add_contact(store: Store, number: int = 1, *, standing: Standing = Standing.ACCEPTED) -> Contact:
    """Add the contact with `fingerprint` of a number."""
    return store.contacts.add(fingerprint(number), name=f"Contact {number}", standing=standing, now_ms=number)


def add_theirs(store: Store, conversation: ConversationId, number: int, text: str = "theirs") -> int:
    """Store a message of theirs and return its position."""
    message = store.messages.add_incoming(
        conversation, message_id(number), number, ZEROS, text, number, number
    )
    assert message is not None
    return message.position


def check_index(store: Store) -> None:
    """The index, the calendar and the messages say the same."""
    store.integrity_check()
    store._database.rows("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    counted = store._database.rows(
        "SELECT conversation, stored_ms / 86400000, count(*), sum(octet_length(text)) FROM messages"
        " GROUP BY 1, 2"
    )
    assert store._database.rows("SELECT conversation, day, messages, bytes FROM calendar") == counted
    last = "SELECT conversation, stored_ms / 86400000, max(position) FROM messages GROUP BY 1, 2"
    bounds = {(row[0], row[1]): row[2] for row in store._database.rows(last)}
    days = store._database.rows("SELECT conversation, day, last FROM calendar")
    assert all(bounds[conversation, day] <= last for conversation, day, last in days)


def leave_damaged_log(path: Path, key: bytes) -> None:
    """Leave a database as a crash does, three messages of contact 1 in its log, and spoil the log."""
    store = Store.open(path, key)
    contact = add_contact(store)
    store.shred()
    for number in range(1, 4):
        add_theirs(store, contact.id, number)
    files = (path, side_files(path)[0])
    whole, log = (file.read_bytes() for file in files)
    store.close()
    path.write_bytes(whole)
    files[1].write_bytes(bytes(8) + log[8:])


def decrypted(path: Path, key: bytes) -> bytes:
    """The pages of a database as the cipher sees them, freed ones too, without what is in the log alone."""
    copy = path.with_name("decrypted.db")
    copy.write_bytes(path.read_bytes())
    plain = apsw.Connection(str(copy))
    plain.pragma("cipher", CIPHER)
    plain.pragma("key", f"raw:{key.hex()}")
    plain.pragma("journal_mode", "delete")
    plain.pragma("rekey", "")
    plain.close()
    pages = copy.read_bytes()
    copy.unlink()
    assert pages.startswith(b"SQLite format 3")
    return pages


def program(
    name: str, folder: Path, key: bytes, *prefix: str, module: str = "tests.helpers.storage"
) -> subprocess.Popen[str]:
    """Start one of `PROGRAMS` with its output in a pipe.

    Args:
        name: Which.
        folder: Where it finds or makes its database.
        key: Of the database.
        prefix: A command that starts it, with its arguments.
        module: Whose programs.
    """
    command = [*prefix, sys.executable, "-m", module, name, str(folder), key.hex()]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def report(line: str) -> None:
    """Print a line at once, in one piece, whatever happens to this process next."""
    os.write(1, f"{line}\n".encode())


def write_messages(folder: Path, key: bytes) -> None:
    """Write without end, each step reported after it returned; meant to be killed."""
    report("start")
    store = Store.open(folder / DATABASE, key)
    report("open")
    contact = add_contact(store)
    number = store.messages.incoming_count(contact.id)
    while True:
        number += 1
        ours = message_id(int.from_bytes(os.urandom(16), "big"))
        store.messages.add_outgoing(contact.id, ours, f"ours {number}", number, number)
        report(f"queued {ours.hex()}")
        add_theirs(store, contact.id, number)
        report(f"stored {message_id(number).hex()}")
        if number % 3 == 0:
            store.messages.advance(contact.id, [ours], MessageState.DELIVERED)
            report(f"delivered {ours.hex()}")


def fill_disk(folder: Path, key: bytes) -> None:
    """Write into a small file system of its own until it is full, make room, and look what is there."""
    with file_system(folder, "size=1500k"):
        room = folder / "room"
        room.write_bytes(bytes(400 * 1024))
        store = Store.open(folder / DATABASE, key)
        contact = add_contact(store)
        stored = 0
        try:
            while True:
                store.messages.add_outgoing(contact.id, message_id(stored), "x" * 2000, stored, stored)
                stored += 1
        except StorageError as e:
            report(f"writing {type(e).__name__}")
        report(f"kept {len(store.messages.page(contact.id, None, stored + 1)) - stored}")
        store.close()
        report_outcome("making", lambda: Store.open(folder / "second.db", key).close())
        report(f"left over {[path.name for path in folder.glob('second*')]}")
        room.unlink()
        store = Store.open(folder / DATABASE, key)
        store.integrity_check()
        report(f"kept {len(store.messages.page(contact.id, None, stored + 1)) - stored}")
        report(f"pending {len(store.messages.pending(contact.id, 0, stored + 1)) - stored}")
        store.messages.add_outgoing(contact.id, message_id(stored), "x" * 2000, 0, 0)
        report("goes on")
        store.close()


def read_only(folder: Path, key: bytes) -> None:
    """Try everything on a file system that is mounted read-only."""
    with file_system(folder, "size=2m"):
        Store.open(folder / DATABASE, key).close()
        (folder / "wide.db").write_bytes((folder / DATABASE).read_bytes())
        (folder / "wide.db").chmod(0o644)
        remount_read_only(folder)
        report_outcome("opening", lambda: Store.open(folder / DATABASE, key).close())
        report_outcome("restricting", lambda: Store.open(folder / "wide.db", key).close())
        report_outcome("making", lambda: Store.open(folder / "new.db", key).close())
        report_outcome("locking", lambda: ProfileLock(folder).release())
        report_outcome("new folder", lambda: ProfileLock(folder / "new").release())


def hold_lock(folder: Path, _key: bytes) -> None:
    """Lock a profile and wait to be killed."""
    with ProfileLock(folder):
        report("locked")
        sys.stdin.read()


@contextmanager
def file_system(folder: Path, options: str) -> Iterator[None]:
    """A small file system in memory; seen by this process only, which runs under ``unshare -rm``."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True)
    yield


def remount_read_only(folder: Path) -> None:
    """Let nobody write to a `file_system` any more."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)


def report_outcome(what: str, action: Callable[[], None]) -> None:
    """Try something, and say how it went."""
    try:
        action()
    except StorageError as e:
        report(f"{what} {type(e).__name__}")
    else:
        report(f"{what} fine")


PROGRAMS: Final[dict[str, Callable[[Path, bytes], None]]] = {
    function.__name__: function for function in (write_messages, fill_disk, read_only, hold_lock)
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](Path(sys.argv[2]), bytes.fromhex(sys.argv[3]))
