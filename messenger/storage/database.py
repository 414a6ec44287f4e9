"""One connection to the encrypted database file."""

import logging
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import apsw

from messenger.core import limits, store_limits
from messenger.core.errors import DatabaseDamaged, DiskReadOnly, StorageBug, StorageError
from messenger.storage.faults import FAULTS, translated
from messenger.storage.tokenizer import register

CIPHER: Final = "chacha20"
"""ChaCha20-Poly1305 on every page (sqleet): pages that were tampered with are refused.

The ciphers ``aes128cbc``, ``aes256cbc`` and ``rc4`` of the same library do not notice tampering.
"""

Value = None | int | float | str | bytes
"""What a statement can be given."""

Row = tuple[Any, ...]
"""One row of a result; the columns have the types that the STRICT tables declare."""

PAGE_MIN: Final = 512
"""Smallest page that SQLite knows, in bytes; of a file with no or one byte it would make a new database."""

_log: Final = logging.getLogger(__name__)
_FILE_MODE: Final = 0o600
_CHECK_STEPS: Final = 10_000
"""Steps of SQLite's machine between two looks whether a check goes on: some milliseconds."""
_COUNT_STEPS: Final = 5_000
"""The same between two counts."""
_WRITER_PRAGMAS: Final = (
    ("synchronous", "FULL"),
    ("fullfsync", 1),  # macOS: without it a commit only reaches the disk's own cache
    ("wal_autocheckpoint", store_limits.WAL_PAGES),
    ("journal_size_limit", store_limits.WAL_KEPT),
    ("secure_delete", 1),
    ("foreign_keys", 1),
    ("cache_size", -limits.DATABASE_CACHE_KIB),
)
_READER_PRAGMAS: Final = (("query_only", 1), ("cache_size", -limits.READER_CACHE_KIB))
_COMMON_PRAGMAS: Final = (
    ("temp_store", "MEMORY"),
    ("mmap_size", 0),  # an encrypted page cannot be used where it lies
    ("trusted_schema", 0),
    ("cell_size_check", 1),
)


class Database:
    """An open database file: SQL in, rows out, our errors instead of SQLite's.

    Used by one thread at a time. Statements are kept prepared by their text.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path, key: bytes, *, read_only: bool = False) -> Self:
        """Open a file that exists (see `new_file`); an empty one becomes a database.

        Args:
            path: The file.
            key: 32 random bytes, used as they are.
            read_only: Open a connection that cannot write and hardly ever waits.

        Raises:
            DatabaseDamaged: It is no database, it is damaged, or the key does not fit.
            DiskReadOnly: It cannot be written to (and is not opened for reading only).
            DiskFull: There is no room for the files that SQLite keeps beside it.
            StorageError: Another fault of the disk.
            StorageBug: The key has another length than 32 bytes.
        """
        if len(key) != limits.DATABASE_KEY_SIZE:  # the cipher would take it for a passphrase
            raise StorageBug("the database key has a wrong length")
        try:
            path.stat()
        except OSError as e:  # says more than SQLite, for which all that cannot be opened is alike
            raise translated(e) from e
        if not read_only:
            for file in (path, *side_files(path)):
                _restrict(file)
        flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE
        try:
            connection = apsw.Connection(os.fspath(path.absolute()), flags=flags)
        except apsw.Error as e:
            raise translated(e) from e
        try:
            if connection.readonly("main") and not read_only:  # SQLite opens what it can
                raise DiskReadOnly("the database file")
            _unlock(connection, key)
            _configure(connection, read_only=read_only)
        except apsw.Error as e:
            connection.close()
            raise translated(e) from e
        except StorageError:
            connection.close()
            raise
        return cls(connection)

    def close(self) -> None:
        """Close the connection; the last one to close moves the log into the database."""
        try:
            self._connection.close()
        except apsw.Error as e:
            raise translated(e) from e

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """Run one or more statements and return all rows.

        Raises:
            StorageError: Or one of its kinds; see `messenger.storage.faults`.
        """
        try:
            return self._connection.execute(sql, values).fetchall()
        except FAULTS as e:
            raise translated(e) from e

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        """Run a statement and return its first row, or None.

        Raises:
            StorageError: Or one of its kinds.
        """
        rows = self.rows(sql, values)
        return rows[0] if rows else None

    def number(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Run a statement and return the number in its first row, 0 if there is none or it is NULL.

        Raises:
            StorageError: Or one of its kinds.
        """
        row = self.row(sql, values)
        return int(row[0] or 0) if row else 0

    def change(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Run an INSERT, UPDATE or DELETE and return how many rows it changed.

        Raises:
            StorageError: Or one of its kinds.
        """
        self.rows(sql, values)
        return self._connection.changes()

    def changes(self) -> int:
        """How many rows were changed since the connection was opened, by triggers and tables within too."""
        return self._connection.total_changes()

    @contextmanager
    def write(self) -> Iterator[None]:
        """Make everything in the block one transaction: all of it is on disk after it, or nothing.

        A block within a block is part of the outer one: what leaves it as an exception must leave that too.

        Raises:
            StorageError: Or one of its kinds; nothing was written.
        """
        try:
            within = self._connection.in_transaction
        except apsw.Error as e:  # it is closed
            raise translated(e) from e
        if within:
            yield
            return
        self.rows("BEGIN IMMEDIATE")
        try:
            yield
            self.rows("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite may have rolled back by itself
                self.rows("ROLLBACK")
            raise

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Within a transaction: what fails in the block is taken back, and the transaction goes on.

        Raises:
            StorageError: Or one of its kinds; SQLite may have given up the whole transaction.
        """
        self.rows("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self.rows("ROLLBACK TO attempt")
                self.rows("RELEASE attempt")
            raise
        self.rows("RELEASE attempt")

    def version(self) -> int:
        """The number of the schema that the file has; 0 for a new one."""
        return self.number("PRAGMA user_version")

    def set_version(self, version: int) -> None:
        """Write the number of the schema; belongs into the transaction that changes it."""
        try:
            self._connection.pragma("user_version", version)
        except apsw.Error as e:
            raise translated(e) from e

    def integrity_check(self, going_on: Callable[[], bool] = lambda: True) -> None:
        """Read every page and check all of it; takes as long as reading the file.

        Args:
            going_on: Asked now and then; False gives the check up.

        Raises:
            DatabaseDamaged: Something does not hold.
            StorageError: The check was given up.
        """
        self._connection.set_progress_handler(lambda: not going_on(), _CHECK_STEPS)
        try:
            self._check()
        finally:
            self._connection.set_progress_handler(None)

    def counted_check(self, tell: Callable[[int], None]) -> None:
        """As `integrity_check`, and tell as `counted`."""
        with self.counted(tell):
            self._check()

    def _check(self) -> None:
        sound = self.rows("PRAGMA integrity_check") == [("ok",)]
        if not sound or self.rows("PRAGMA foreign_key_check"):
            raise DatabaseDamaged("integrity check")

    @contextmanager
    def counted(self, tell: Callable[[int], None]) -> Iterator[None]:
        """While the block runs, tell now and then how many steps SQLite's machine has done in it."""
        steps = 0

        def step() -> bool:
            nonlocal steps
            steps += _COUNT_STEPS
            tell(steps)
            return False

        self._connection.set_progress_handler(step, _COUNT_STEPS)
        try:
            yield
        finally:
            self._connection.set_progress_handler(None)

    def copy_into(self, target: "Database", going_on: Callable[[], bool]) -> None:
        """Copy everything, as it is at one moment, into an empty database; writers are not held up.

        Args:
            target: Open for writing; its key may be another one.
            going_on: Asked now and then; False gives the copy up.

        Raises:
            StorageError: Or one of its kinds; or the copy was given up. The target is not to be used then.
        """
        source, made = self._connection, target._connection  # noqa: SLF001
        try:
            source.execute("BEGIN; SELECT count(*) FROM sqlite_schema").fetchall()  # this moment
            try:
                with made.backup("main", source, "main") as backup:
                    while not backup.step(store_limits.BACKUP_STEP):
                        if not going_on():
                            raise StorageError("the copy was given up")
            finally:
                source.execute("ROLLBACK")
        except apsw.Error as e:
            raise translated(e) from e

    def log_frames(self) -> int:
        """How many frames of the log hold up to its last commit; nothing is written."""
        try:
            frames, _ = self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
        except apsw.Error as e:
            raise translated(e) from e
        return frames

    def empty_log(self) -> None:
        """Move everything from the log into the database, so that what was deleted is gone from both.

        Raises:
            StorageError: Somebody is in the middle of a query, or the disk refused (one of its
                kinds). Nothing is lost then: the log is emptied another time.
        """
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as e:
            raise translated(e) from e

    def shred(self) -> None:
        """After a deletion: `empty_log`, or a warning if encrypted pages stay in the log for a while."""
        try:
            self.empty_log()
        except StorageError as e:
            _log.warning("the log of the database could not be emptied: %s", type(e).__name__)


def new_file(path: Path) -> None:
    """Make an empty file that only its owner can read; SQLite gives its other files the same rights.

    Raises:
        DiskReadOnly: It cannot be made, or something is there already.
        DiskFull: There is no room.
        StorageError: Another fault of the disk.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE_MODE))
    except OSError as e:
        raise translated(e) from e


def side_files(path: Path) -> tuple[Path, Path]:
    """The files that SQLite keeps beside a database: its log, and the index of the log."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def put_in_place(made: Path, path: Path) -> None:
    """Give a finished, closed database file its name, replacing what has it; survives a power cut.

    Raises:
        DiskFull, DiskReadOnly, StorageError: The disk refused.
    """
    try:
        with made.open("rb+") as file:
            os.fsync(file.fileno())
        made.replace(path)
        if os.name != "posix":  # pragma: no cover -- Windows has no handle on a folder
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as e:
        raise translated(e) from e


def _restrict(path: Path) -> None:
    """Take the rights on a file from everybody but its owner, where the file system lets us."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & ~_FILE_MODE:
            path.chmod(_FILE_MODE)
    except FileNotFoundError:  # SQLite removes its log when the last one closes
        return
    except OSError as e:
        _log.warning("others may have access to %s: %s", path.name, type(e).__name__)


def _unlock(connection: apsw.Connection, key: bytes) -> None:
    """Give a new connection its key and read the first page with it."""
    connection.set_busy_timeout(round(limits.DATABASE_BUSY * 1000))
    chosen = connection.pragma("cipher", CIPHER)
    # No exception may be linked to the one raised here: its traceback holds the PRAGMA, key and all.
    try:
        accepted = connection.pragma("key", f"raw:{key.hex()}") == "ok"
    except apsw.Error:
        accepted = False
    if not accepted or chosen != CIPHER or connection.pragma("cipher") != CIPHER:
        raise StorageBug("the database cipher could not be set")
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()


def _configure(connection: apsw.Connection, *, read_only: bool) -> None:
    register(connection)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
    for name, value in _COMMON_PRAGMAS:
        connection.pragma(name, value)
    if read_only:
        connection.set_busy_timeout(round(limits.READER_BUSY * 1000))
        for name, value in _READER_PRAGMAS:
            connection.pragma(name, value)
        return
    if connection.pragma("journal_mode", "wal") != "wal":
        raise StorageError("the file system has no shared memory for the log")
    for name, value in _WRITER_PRAGMAS:
        connection.pragma(name, value)
