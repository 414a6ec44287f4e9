"""A database that came from elsewhere: is it one of ours, whole, and nothing besides?"""

from pathlib import Path

import apsw

from messenger.core.errors import DatabaseDamaged, DatabaseTooNew
from messenger.storage.database import Database
from messenger.storage.schema import MIGRATIONS
from messenger.storage.tokenizer import register

_SCHEMA = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY 1, 2"


def check_foreign(path: Path, key: bytes) -> None:
    """Check a database before anything of it is used.

    Besides damage it looks for tables, triggers, views and indexes that no version of this program
    makes: what runs by itself in a database must be ours.

    Args:
        path: The file.
        key: 32 bytes.

    Raises:
        DatabaseTooNew: A later version of the program wrote it.
        DatabaseDamaged: It does not hold, or is not ours.
        StorageError: The disk refused.
    """
    database = Database.open(path, key, read_only=True)
    try:
        version = database.version()
        if version > len(MIGRATIONS):
            raise DatabaseTooNew(f"version {version}, known are those up to {len(MIGRATIONS)}")
        if version < 1 or database.rows(_SCHEMA) != _schema(version):
            raise DatabaseDamaged("the schema is not one of ours")
        database.integrity_check()
    finally:
        database.close()


def _schema(version: int) -> list[tuple[object, ...]]:
    """What `_SCHEMA` says of a new database of a version."""
    connection = apsw.Connection(":memory:")
    register(connection)
    fresh = Database(connection)
    for step in MIGRATIONS[:version]:
        fresh.rows(step)
    found = fresh.rows(_SCHEMA)
    fresh.close()
    return found
