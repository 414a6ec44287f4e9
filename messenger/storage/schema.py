"""The tables, and how a database of an earlier version becomes one of this version."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from messenger.core.errors import DatabaseDamaged, DatabaseTooNew, StorageError
from messenger.storage.database import PAGE_MIN, Database, new_file, put_in_place, side_files
from messenger.storage.faults import translated
from messenger.storage.sealed import mark_copy
from messenger.storage.timers import leave_out
from messenger.storage.told import CHECKED, COPIED, Tell, Told
from messenger.storage.version_3 import VERSION_3
from messenger.storage.version_4 import VERSION_4
from messenger.storage.version_5 import VERSION_5
from messenger.storage.version_6 import VERSION_6

_VERSION_1: Final = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given to another contact
    fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    name TEXT NOT NULL,
    alias TEXT NOT NULL,
    standing INTEGER NOT NULL,
    awaiting INTEGER NOT NULL,
    verified INTEGER NOT NULL,
    addresses BLOB NOT NULL, -- MessagePack: array of texts
    created_ms INTEGER NOT NULL,
    seen_ms INTEGER,
    peer_not_before INTEGER NOT NULL DEFAULT 0, -- highest start of their exchange certificate
    peer_version INTEGER NOT NULL DEFAULT 0, -- highest protocol version they spoke
    knock BLOB NOT NULL DEFAULT (zeroblob(0)), -- secret of the last link, which spares us puzzles
    next_seq INTEGER NOT NULL DEFAULT 1, -- of our next message
    last_hash BLOB NOT NULL DEFAULT (zeroblob(32)), -- of our last message
    succession INTEGER NOT NULL DEFAULT 0, -- number of the statement by which they came to this key
    prekey_serial INTEGER NOT NULL DEFAULT 0, -- of the newest list of prekeys that was seen of them
    told INTEGER NOT NULL DEFAULT 0 -- number of the last statement of ours that they have confirmed
) STRICT;

CREATE TABLE retired_keys ( -- fingerprints that contacts have given up
    fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),
    contact INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX retired_keys_by_contact ON retired_keys (contact);

CREATE TABLE successions ( -- our own
    serial INTEGER PRIMARY KEY,
    statement BLOB NOT NULL,
    made_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    outgoing INTEGER NOT NULL,
    seq INTEGER NOT NULL, -- the author's count
    prev BLOB NOT NULL CHECK (length(prev) = 32), -- hash of the author's message before
    state INTEGER NOT NULL,
    reason TEXT NOT NULL,
    text TEXT NOT NULL,
    sent_ms INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL
) STRICT;

-- The position is part of every index as its last column, so pages are read in order from the first two.
CREATE INDEX messages_of_conversation ON messages (conversation);
CREATE INDEX messages_unread ON messages (conversation) WHERE state = 6;
CREATE INDEX messages_by_state ON messages (conversation, outgoing, state, seq);
CREATE UNIQUE INDEX messages_by_id ON messages (conversation, outgoing, id);

CREATE TABLE outbox (
    position INTEGER PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
    conversation INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX outbox_by_seq ON outbox (conversation, seq);

CREATE TABLE invites (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given to another invite
    secret BLOB NOT NULL CHECK (length(secret) = 16),
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE sealed_sessions ( -- with one contact; only the engine can read them
    conversation INTEGER PRIMARY KEY REFERENCES contacts ON DELETE CASCADE,
    own BLOB NOT NULL CHECK (length(own) = 32), -- who we are in them
    state BLOB NOT NULL
) STRICT;

CREATE TABLE sealed_ids ( -- of the sessions in each state
    sid BLOB PRIMARY KEY CHECK (length(sid) = 32),
    conversation INTEGER NOT NULL REFERENCES sealed_sessions ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX sealed_ids_by_conversation ON sealed_ids (conversation);

CREATE TABLE sealed_outbox ( -- what waits in the outbox, as it was sealed
    position INTEGER PRIMARY KEY REFERENCES outbox ON DELETE CASCADE,
    sid BLOB NOT NULL CHECK (length(sid) = 32), -- of the session
    kind INTEGER NOT NULL, -- of the envelope
    content BLOB NOT NULL
) STRICT;

CREATE TABLE sealed_receipts ( -- due for what came sealed
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    PRIMARY KEY (conversation, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE first_contacts ( -- that were taken, so that none is taken twice
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32), -- of the sender
    id BLOB NOT NULL CHECK (length(id) = 16), -- of the message
    until INTEGER NOT NULL, -- Unix seconds
    PRIMARY KEY (fingerprint, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE prekeys ( -- our own; never part of a backup
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    own BLOB NOT NULL CHECK (length(own) = 32), -- who we are to those who use it
    made INTEGER NOT NULL, -- Unix seconds
    secret BLOB NOT NULL
) STRICT;

CREATE TABLE prekey_lists ( -- the newest that was signed
    own BLOB PRIMARY KEY CHECK (length(own) = 32),
    serial INTEGER NOT NULL,
    list BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""

_VERSION_2: Final = """
CREATE VIRTUAL TABLE search USING fts5( -- the terms of `messenger.core.words`
    conversation, text, content = 'messages', content_rowid = 'position', tokenize = 'sotto', columnsize = 0
);
INSERT INTO search (search, rank) VALUES ('secure-delete', 1); -- overwrite what is deleted
INSERT INTO search (search) VALUES ('rebuild');

CREATE TABLE calendar ( -- the messages of each day
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    day INTEGER NOT NULL, -- on which they were stored: Unix milliseconds / 86400000
    last INTEGER NOT NULL, -- none has a larger position
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL, -- of their texts in UTF-8
    PRIMARY KEY (conversation, day)
) STRICT, WITHOUT ROWID;
INSERT INTO calendar
SELECT conversation, stored_ms / 86400000, max(position), count(*), sum(octet_length(text))
FROM messages GROUP BY 1, 2;

CREATE TABLE retention ( -- where it differs from the settings
    conversation INTEGER PRIMARY KEY REFERENCES contacts ON DELETE CASCADE,
    days INTEGER NOT NULL -- 0 for ever
) STRICT;

CREATE TABLE forgotten ( -- messages of theirs that were too old, and may be sent again
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    until INTEGER NOT NULL, -- Unix milliseconds
    PRIMARY KEY (conversation, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
    INSERT INTO search (rowid, conversation, text) VALUES (new.position, new.conversation, new.text);
    INSERT INTO calendar VALUES (
        new.conversation, new.stored_ms / 86400000, new.position, 1, octet_length(new.text)
    ) ON CONFLICT DO UPDATE SET
        last = max(last, excluded.last), messages = messages + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER message_removed AFTER DELETE ON messages BEGIN
    INSERT INTO search (search, rowid, conversation, text)
    VALUES ('delete', old.position, old.conversation, old.text);
    UPDATE calendar SET messages = messages - 1, bytes = bytes - octet_length(old.text)
    WHERE conversation = old.conversation AND day = old.stored_ms / 86400000;
    DELETE FROM calendar
    WHERE conversation = old.conversation AND day = old.stored_ms / 86400000 AND messages = 0;
END;

CREATE TRIGGER message_changed AFTER UPDATE OF conversation, text, stored_ms ON messages BEGIN
    INSERT INTO search (search, rowid, conversation, text)
    VALUES ('delete', old.position, old.conversation, old.text);
    UPDATE calendar SET messages = messages - 1, bytes = bytes - octet_length(old.text)
    WHERE conversation = old.conversation AND day = old.stored_ms / 86400000;
    DELETE FROM calendar
    WHERE conversation = old.conversation AND day = old.stored_ms / 86400000 AND messages = 0;
    INSERT INTO search (rowid, conversation, text) VALUES (new.position, new.conversation, new.text);
    INSERT INTO calendar VALUES (
        new.conversation, new.stored_ms / 86400000, new.position, 1, octet_length(new.text)
    ) ON CONFLICT DO UPDATE SET
        last = max(last, excluded.last), messages = messages + 1, bytes = bytes + excluded.bytes;
END;
"""

MIGRATIONS: Final = (_VERSION_1, _VERSION_2, VERSION_3, VERSION_4, VERSION_5, VERSION_6)
"""SQL that brings a database from version n to version n + 1, by n. Only ever appended to."""


def open_current(
    path: Path, key: bytes, migrations: Sequence[str] = MIGRATIONS, tell: Tell | None = None
) -> Database:
    """Open a database for writing and bring it to the current version; make it if there is none.

    A new database gets its name only when it is complete, so a file that exists and is empty
    was damaged. Before anything is changed in an existing one, a copy of it is made beside it
    and checked (`copy_name`).

    Args:
        path: The file.
        key: 32 bytes.
        migrations: As `MIGRATIONS`.
        tell: Told how far it is, each percent once, if anything has to be changed.

    Raises:
        DatabaseTooNew: A later version of the program wrote it; it was not touched.
        DatabaseDamaged: See `Database.open`.
        DiskFull, DiskReadOnly, StorageError: The disk refused; the database is as it was.
    """
    if not _exists(path):
        _make(path, key, migrations)
    database = Database.open(path, key)
    try:
        _migrate(database, path, key, migrations, tell or _nobody)
    except StorageError:
        database.close()
        raise
    return database


def copy_name(path: Path, version: int) -> Path:
    """Where the copy of a database stands that was made before it left a version.

    Args:
        path: The database.
        version: The version that it had.
    """
    return path.with_name(f"{path.name}.version-{version}")


def _exists(path: Path) -> bool:
    """Whether there is a database.

    SQLite itself would take a file of no or one byte for a new database, and delete its log.
    """
    log, _ = side_files(path)
    try:
        if path.exists():
            if path.stat().st_size < PAGE_MIN:
                raise DatabaseDamaged("the file is shorter than one page")
            return True
        if log.exists():
            raise DatabaseDamaged("the file is missing and its log is there")
    except OSError as e:
        raise translated(e) from e
    return False


def _make(path: Path, key: bytes, migrations: Sequence[str]) -> None:
    with finished(path) as made:
        database = Database.open(made, key)
        try:
            _apply(database, migrations)
            database.empty_log()  # the log does not move with the file
        finally:
            database.close()


def _nobody(_percent: int) -> None:
    """Nobody wants to know."""


def _migrate(database: Database, path: Path, key: bytes, migrations: Sequence[str], tell: Tell) -> None:
    version = database.version()
    if version > len(migrations):
        raise DatabaseTooNew(f"version {version}, known are those up to {len(migrations)}")
    if version < 1:
        raise DatabaseDamaged("the database has no version")
    if version < len(migrations):
        told = Told(tell, database.number("SELECT count(*) FROM messages"))
        told.reach(0)
        _copy(database, copy_name(path, version), key, told)
        with database.counted(told.changing(version)):
            _apply(database, migrations)
        told.reach(100)


def _apply(database: Database, migrations: Sequence[str]) -> None:
    for number in range(database.version(), len(migrations)):
        with database.write():
            database.rows(migrations[number])
            database.set_version(number + 1)


def _copy(database: Database, target: Path, key: bytes, told: Told) -> None:
    """Copy the database under the same key, without messages that disappear one day, and check the copy."""
    with finished(target) as made:
        with database.counted(told.copying()):
            database.rows("VACUUM INTO ?", (str(made.absolute()),))
        told.reach(COPIED)
        copy = Database.open(made, key)
        try:
            mark_copy(copy)
            leave_out(copy)
            copy.empty_log()  # it does not move with the file
            copy.counted_check(told.checking())
            told.reach(CHECKED)
        finally:
            copy.close()


@contextmanager
def finished(path: Path) -> Iterator[Path]:
    """Give an empty file to the block, and the file its name when the block is done; else remove it.

    Args:
        path: The name; what has it is replaced.

    Raises:
        DiskFull, DiskReadOnly, StorageError: The disk refused.
    """
    made = path.with_name(f"{path.name}.new")
    discard(made)  # what an earlier attempt left unfinished
    new_file(made)
    try:
        yield made
        put_in_place(made, path)
    except StorageError:
        discard(made)
        raise


def discard(path: Path) -> None:
    """Remove a database that is not whole, or that nobody can open, with the files beside it.

    Raises:
        StorageError: The disk refused.
    """
    try:
        for file in (path, *side_files(path), path.with_name(f"{path.name}-journal")):
            file.unlink(missing_ok=True)
    except OSError as e:
        raise translated(e) from e
