"""Where SQLite's errors and the system's end: each becomes one of ours here."""

import errno
from typing import Final

import apsw

from messenger.core.errors import (
    DatabaseDamaged,
    DiskFull,
    DiskReadOnly,
    StorageBug,
    StorageError,
)

FAULTS: Final = (apsw.Error, OSError, OverflowError, UnicodeEncodeError)
"""What may come out of a call into SQLite or the file system, for an ``except`` clause.

The last two come from values that SQLite cannot hold: a number beyond 63 bits, half of a
surrogate pair.
"""

_FULL_ERRNO: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_READ_ONLY_ERRNO: Final = frozenset(
    {errno.EROFS, errno.EACCES, errno.EPERM, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}
)
_DAMAGED_CODES: Final = frozenset(
    {apsw.SQLITE_IOERR_SHORT_READ, apsw.SQLITE_IOERR_DATA, apsw.SQLITE_IOERR_CORRUPTFS}
)
_KINDS: Final[tuple[tuple[type[apsw.Error], type[StorageError]], ...]] = (
    (apsw.FullError, DiskFull),
    (apsw.ReadOnlyError, DiskReadOnly),
    # What else keeps a file from being opened (missing, no rights) is met as an OSError before.
    (apsw.CantOpenError, DiskReadOnly),
    (apsw.PermissionsError, DiskReadOnly),
    (apsw.CorruptError, DatabaseDamaged),
    (apsw.NotADBError, DatabaseDamaged),
    (apsw.IOError, StorageError),
    (apsw.BusyError, StorageError),
    (apsw.LockedError, StorageError),
    (apsw.ProtocolError, StorageError),
    (apsw.InterruptError, StorageError),
)


def translated(fault: Exception) -> StorageError:
    """Turn a fault into the error that the rest of the program knows; to be raised ``from`` it.

    Its text names the kind of the fault only: SQLite's own text may quote what was searched for.
    Everything that is not the world's doing is a `StorageBug`.

    Args:
        fault: One of `FAULTS`.
    """
    if isinstance(fault, OSError):
        return _kind_of_os_error(fault)(f"{type(fault).__name__} {errno.errorcode.get(fault.errno or 0, '')}")
    if not isinstance(fault, apsw.Error):
        return StorageBug(type(fault).__name__)
    code = getattr(fault, "extendedresult", 0)
    return _kind_of_sqlite_error(fault, code)(f"{type(fault).__name__} {code}")


def _kind_of_os_error(fault: OSError) -> type[StorageError]:
    if fault.errno in _FULL_ERRNO:
        return DiskFull
    return DiskReadOnly if fault.errno in _READ_ONLY_ERRNO else StorageError


def _kind_of_sqlite_error(fault: apsw.Error, code: int) -> type[StorageError]:
    if code == apsw.SQLITE_IOERR_SHMSIZE:  # the index of the log could not grow
        return DiskFull
    if code in _DAMAGED_CODES:
        return DatabaseDamaged
    for theirs, ours in _KINDS:
        if isinstance(fault, theirs):
            return ours
    return StorageBug
