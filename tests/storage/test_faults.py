import errno

import apsw
import pytest

from messenger.core.errors import (
    DatabaseDamaged,
    DiskFull,
    DiskReadOnly,
    StorageBug,
    StorageError,
)
from messenger.storage.database import Database
from messenger.storage.faults import FAULTS, translated

SQLITE_CASES = [
    (apsw.SQLITE_FULL, DiskFull),
    (apsw.SQLITE_IOERR_SHMSIZE, DiskFull),
    (apsw.SQLITE_READONLY, DiskReadOnly),
    (apsw.SQLITE_READONLY_DIRECTORY, DiskReadOnly),
    (apsw.SQLITE_CANTOPEN, DiskReadOnly),
    (apsw.SQLITE_PERM, DiskReadOnly),
    (apsw.SQLITE_CORRUPT, DatabaseDamaged),
    (apsw.SQLITE_CORRUPT_INDEX, DatabaseDamaged),
    (apsw.SQLITE_NOTADB, DatabaseDamaged),
    (apsw.SQLITE_IOERR_SHORT_READ, DatabaseDamaged),
    (apsw.SQLITE_IOERR_DATA, DatabaseDamaged),
    (apsw.SQLITE_IOERR_CORRUPTFS, DatabaseDamaged),
    (apsw.SQLITE_IOERR, StorageError),
    (apsw.SQLITE_IOERR_FSYNC, StorageError),
    (apsw.SQLITE_BUSY, StorageError),
    (apsw.SQLITE_LOCKED, StorageError),
    (apsw.SQLITE_PROTOCOL, StorageError),
    (apsw.SQLITE_INTERRUPT, StorageError),
    (apsw.SQLITE_ERROR, StorageBug),
    (apsw.SQLITE_CONSTRAINT_UNIQUE, StorageBug),
    (apsw.SQLITE_MISUSE, StorageBug),
    (apsw.SQLITE_TOOBIG, StorageBug),
    (apsw.SQLITE_MISMATCH, StorageBug),
]


@pytest.mark.parametrize(("code", "kind"), SQLITE_CASES)
def test_errors_of_sqlite(code: int, kind: type[StorageError]) -> None:
    fault = apsw.exception_for(code)
    assert isinstance(fault, FAULTS)
    error = translated(fault)
    assert type(error) is kind
    assert str(code) in str(error)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EROFS, DiskReadOnly),
        (errno.EACCES, DiskReadOnly),
        (errno.EPERM, DiskReadOnly),
        (errno.ENOTDIR, DiskReadOnly),
        (errno.EEXIST, DiskReadOnly),
        (errno.EISDIR, DiskReadOnly),
        (errno.EIO, StorageError),
        (errno.ENOENT, StorageError),
        (errno.EMFILE, StorageError),
    ],
)
def test_errors_of_the_system(number: int, kind: type[StorageError]) -> None:
    error = translated(OSError(number, "text of the system", "/home/someone/secret"))
    assert type(error) is kind
    assert errno.errorcode[number] in str(error)
    assert "secret" not in str(error)


def test_an_error_of_the_system_without_a_number() -> None:
    assert type(translated(OSError("nothing known"))) is StorageError


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, "half of a pair: \ud800"])
def test_values_that_sqlite_cannot_hold(database: Database, value: int | str) -> None:
    with pytest.raises(StorageBug) as caught:
        database.rows("SELECT ?", (value,))
    assert "pair" not in str(caught.value)


def test_sql_that_cannot_be_right(database: Database) -> None:
    for sql in ("SELEKT 1", "SELECT * FROM nowhere", 'SELECT "no such column"'):
        with pytest.raises(StorageBug):
            database.rows(sql)
    with pytest.raises(StorageBug):
        database.rows("SELECT ?")
