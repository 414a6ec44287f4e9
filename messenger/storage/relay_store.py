"""The database of a relay: queues, what lies in them, prekeys, the directory.

Times are Unix seconds. All that lies in queues is sealed between people whom the relay does not know;
the file is encrypted all the same, so that a stolen disk tells nothing of who uses the relay.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage
from typing import Final, Self

from messenger.storage.database import Database
from messenger.storage.faults import translated
from messenger.storage.relay_entries import EntryTable
from messenger.storage.relay_messages import MessageTable
from messenger.storage.relay_prekeys import PrekeyTable
from messenger.storage.relay_queues import QueueTable
from messenger.storage.schema import open_current

_VERSION_1: Final = """
CREATE TABLE queues (
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- never given to another queue
    kind INTEGER NOT NULL,
    recv_id BLOB NOT NULL UNIQUE CHECK (length(recv_id) = 24),
    send_id BLOB NOT NULL UNIQUE CHECK (length(send_id) = 24),
    recv_key BLOB NOT NULL CHECK (length(recv_key) = 32),
    send_key BLOB NOT NULL CHECK (length(send_key) = 32),
    used INTEGER NOT NULL -- when it had a subscription last, to the day
) STRICT;
CREATE INDEX queues_by_use ON queues (used);

CREATE TABLE messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which they came
    queue INTEGER NOT NULL REFERENCES queues ON DELETE CASCADE,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    size INTEGER NOT NULL,
    came INTEGER NOT NULL,
    envelope BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX messages_by_hash ON messages (queue, hash);
CREATE INDEX messages_by_queue ON messages (queue, number, came, size); -- quotas, without the envelopes
CREATE INDEX messages_by_time ON messages (came);

CREATE TABLE prekey_lists (
    queue INTEGER PRIMARY KEY REFERENCES queues ON DELETE CASCADE,
    serial BLOB NOT NULL CHECK (length(serial) = 8), -- u64, so that bytes compare as numbers do
    list BLOB NOT NULL
) STRICT;

CREATE TABLE prekeys (
    queue INTEGER NOT NULL REFERENCES prekey_lists ON DELETE CASCADE,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    last_resort INTEGER NOT NULL,
    given INTEGER NOT NULL, -- handed out
    prekey BLOB NOT NULL,
    PRIMARY KEY (queue, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries ( -- the directory
    fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),
    queue INTEGER NOT NULL UNIQUE REFERENCES queues ON DELETE CASCADE,
    serial BLOB NOT NULL CHECK (length(serial) = 8),
    not_after INTEGER NOT NULL,
    entry BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX entries_by_time ON entries (not_after);
"""

MIGRATIONS: Final = (_VERSION_1,)


class RelayStore:
    """All tables of one relay over one connection.

    Methods block, and are called on one thread. Those that write do so in a transaction of their own,
    or in the one that is open. All may raise StorageError or one of its kinds; then nothing was written.
    """

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._folder = path.absolute().parent
        self._page = database.number("PRAGMA page_size")
        self.queues = QueueTable(database)
        self.messages = MessageTable(database)
        self.prekeys = PrekeyTable(database)
        self.entries = EntryTable(database)

    @classmethod
    def open(cls, path: Path, key: bytes) -> Self:
        """Open the database of a relay, made if need be; its folder must be locked.

        Args:
            path: The file; its folder exists.
            key: 32 bytes.

        Raises:
            DatabaseTooNew: A later version of the program wrote it; it was not touched.
            DatabaseDamaged: It is damaged, or the key does not fit; it was not touched.
            DiskFull, DiskReadOnly, StorageError: The disk refused.
        """
        return cls(open_current(path, key, MIGRATIONS), path)

    def room(self, most: int, leave: int) -> int:
        """How many bytes more may be kept, as nearly as pages tell; below 0 if there are too many.

        What was deleted leaves its place in the file, which does not shrink but uses that before it grows.

        Args:
            most: Bytes that everything together may take; 0 for as many as there are.
            leave: Bytes of the disk that stay free.

        Raises:
            StorageError: Or one of its kinds.
        """
        pages = self._database.number("PRAGMA page_count") * self._page
        unused = self._database.number("PRAGMA freelist_count") * self._page
        try:
            there = disk_usage(self._folder).free
        except OSError as e:
            raise translated(e) from e
        room = unused + max(there - leave, 0)
        return min(room, most - (pages - unused)) if most else room

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block is on disk after it, or nothing."""
        with self._database.write():
            yield

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part of a transaction that leaves nothing behind if it fails."""
        with self._database.attempt():
            yield

    def shred(self) -> None:
        """After a deletion: take what was deleted out of the log of the database too."""
        self._database.shred()

    def close(self) -> None:
        """Close the database; nothing else may be called afterwards."""
        self._database.close()
