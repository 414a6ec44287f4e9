"""Backups of the database: made while it is used, checked before they count, put back when it is damaged.

A backup is a whole database under the same key, in the folder `backups` beside it, named by the time
at which it was made. The key files lie beside it, as they are now. Nothing is ever deleted to make
room for a restored one: what was there is set aside.
"""

import contextlib
import re
from collections.abc import Callable, Set
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from messenger.core import store_limits
from messenger.core.errors import DatabaseDamaged, InputError, InputProblem, StorageError
from messenger.core.models import Backup
from messenger.storage.database import PAGE_MIN, Database, put_in_place, side_files
from messenger.storage.faults import translated
from messenger.storage.files import TIME, copied, mark_of, set_aside
from messenger.storage.landing import discard
from messenger.storage.log import forget, set_copy_aside
from messenger.storage.schema import MIGRATIONS, finished
from messenger.storage.sealed import mark_copy
from messenger.storage.timers import leave_out
from messenger.storage.transfers import staged

FOLDER: Final = "backups"
"""Beside the database."""

_NAME: Final = re.compile(r"\d{8}-\d{6}\.db")
_FOLDER_MODE: Final = 0o700


def duplicate(
    source: Path, key: bytes, target: Path, target_key: bytes, going_on: Callable[[], bool] = lambda: True
) -> None:
    """Copy a database as it is at one moment, under another key if need be, and check the copy.

    Writers are not held up. The copy has no prekeys and is marked (`messenger.storage.sealed`), and has none
    of the messages that disappear one day.

    Args:
        source: The database.
        key: Its key, 32 bytes.
        target: Gets its name, in place of what has it, when the copy is whole.
        target_key: The key of the copy, 32 bytes.
        going_on: Asked now and then; False gives the copy up.

    Raises:
        StorageError: Or one of its kinds: the copy could not be made, or does not hold. Or it was given up.
    """
    with finished(target) as made:
        copy = Database.open(made, target_key)
        try:
            original = Database.open(source, key, read_only=True)
            try:
                original.copy_into(copy, going_on)
            finally:
                original.close()
            mark_copy(copy)
            leave_out(copy)
            copy.empty_log()  # it does not move with the file
            copy.integrity_check(going_on)
        finally:
            copy.close()


def make(database: Path, key: bytes, now_ms: int, going_on: Callable[[], bool] = lambda: True) -> Backup:
    """Make a backup beside a database that may be in use.

    Args:
        database: The database.
        key: Its key, 32 bytes.
        now_ms: Unix milliseconds, part of its name.
        going_on: As for `duplicate`.

    Raises:
        DiskFull, DiskReadOnly, DatabaseDamaged, StorageError: It was not made; the others are as they were.
    """
    folder = database.parent / FOLDER
    try:
        folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
    except OSError as e:
        raise translated(e) from e
    name = f"{mark_of(now_ms)}.db"
    duplicate(database, key, folder / name, key, going_on)
    return Backup(name=name, made_ms=now_ms // 1000 * 1000, bytes=_size(folder / name))


def keep(database: Path, count: int, now_ms: int) -> None:
    """Remove all but the newest backups, and what is old: copies from before a change of version, of logs.

    Args:
        database: The database.
        count: So many stay.
        now_ms: Unix milliseconds.

    Raises:
        StorageError: One cannot be removed.
    """
    try:
        for backup in backups(database)[count:]:
            (database.parent / FOLDER / backup.name).unlink(missing_ok=True)
        for version in range(1, len(MIGRATIONS)):
            copy = database.with_name(f"{database.name}.version-{version}")
            if copy.exists() and copy.stat().st_mtime < now_ms / 1000 - store_limits.COPY_KEPT:
                copy.unlink()
    except OSError as e:
        raise translated(e) from e
    forget(database, now_ms)


def backups(database: Path) -> list[Backup]:
    """The backups that are there, the newest first.

    Raises:
        StorageError: The folder cannot be read.
    """
    folder = database.parent / FOLDER
    try:
        names = sorted((path.name for path in folder.iterdir() if _NAME.fullmatch(path.name)), reverse=True)
    except FileNotFoundError:
        return []
    except OSError as e:
        raise translated(e) from e
    found = []
    for name in names:
        with contextlib.suppress(ValueError):  # a name that looks like a time and is none
            made = datetime.strptime(name, f"{TIME}.db").replace(tzinfo=UTC)
            found.append(Backup(name=name, made_ms=int(made.timestamp()) * 1000, bytes=_size(folder / name)))
    return found


def restore(database: Path, key: bytes, name: str, now_ms: int) -> None:
    """Put a backup in the place of a database that nobody has open.

    The backup is checked first and stays where it is; the database that was there is set aside with its
    log, whatever state it is in. If it can be read, it is left without messages that disappear one day, and
    what has come of files that the backup does not know is removed.

    Args:
        database: The database.
        key: Its key, 32 bytes.
        name: One of `backups`.
        now_ms: Unix milliseconds, part of the name of what is set aside.

    Raises:
        InputError: UNKNOWN, there is no such backup.
        DatabaseDamaged: The backup is damaged, or belongs to other keys; nothing was changed.
        DiskFull, DiskReadOnly, StorageError: The disk refused. The database is there, or beside it under
            its other name.
    """
    source = database.parent / FOLDER / name
    if name not in {backup.name for backup in backups(database)}:
        raise InputError(InputProblem.UNKNOWN)
    duplicate(source, key, _ready(database), key)
    kept = _staged(source, key)
    mark = mark_of(now_ms)
    log, index = side_files(database)
    whole = set_aside(log, mark) is None  # it was closed as it should be
    set_copy_aside(database, mark)
    aside = set_aside(database, mark)
    try:
        index.unlink(missing_ok=True)  # SQLite makes it anew from the log
    except OSError as e:
        raise translated(e) from e
    finish_restore(database)
    if whole and aside is not None:
        _forget_in(aside, key, kept)


def _staged(source: Path, key: bytes) -> set[bytes]:
    """The names of the places where files grow that a backup will go on with."""
    copy = Database.open(source, key, read_only=True)
    try:
        return {staging for staging, _ in staged(copy)}
    finally:
        copy.close()


def _forget_in(aside: Path, key: bytes, kept: Set[bytes]) -> None:
    """Take what disappears one day out of a database that was set aside, unless it is damaged.

    What has come of files that nobody goes on with is removed: whoever knew of it is this database alone.

    Args:
        aside: The database.
        key: Its key, 32 bytes.
        kept: Names of places where files grow that the one in its place knows.
    """
    if _size(aside) < PAGE_MIN:  # it would become a database
        return
    with contextlib.suppress(StorageError):
        old = Database.open(aside, key)
        try:
            for staging, folder in staged(old):
                if staging not in kept:
                    with contextlib.suppress(StorageError):  # it harms nobody
                        discard(Path(folder), staging)
            leave_out(old)
            old.empty_log()
        finally:
            old.close()


def finish_restore(database: Path) -> None:
    """Finish a `restore` that was cut off before the backup, which was checked, had its place.

    Raises:
        StorageError: The disk refused.
    """
    try:
        waits = _ready(database).exists() and not any(p.exists() for p in (database, *side_files(database)))
    except OSError as e:
        raise translated(e) from e
    if waits:
        put_in_place(_ready(database), database)


def settle(database: Path) -> None:
    """Before a database is opened that should be there: finish a `restore`, and see that it is there.

    A missing one is not silently replaced by an empty one while there is a backup of it.

    Raises:
        DatabaseDamaged: It is missing, and there are backups.
        StorageError: The disk refused.
    """
    finish_restore(database)
    if not database.exists() and backups(database):
        raise DatabaseDamaged("the database is missing, and there are backups")


def set_unowned_aside(database: Path, now_ms: int) -> None:
    """Before a new profile is made: set a database aside for which there are no keys, whatever it is.

    Args:
        database: Where the new database will be.
        now_ms: Unix milliseconds, part of the new name.

    Raises:
        StorageError: The disk refused.
    """
    for path in (*side_files(database), database):
        set_aside(path, mark_of(now_ms))
    set_copy_aside(database, mark_of(now_ms))


def keep_keys(database: Path, names: tuple[str, ...]) -> None:
    """Put copies of the key files beside the backups, in place of those that are there.

    Older ones must not stay: with them an old passphrase would open the backups.

    Args:
        database: The database.
        names: The key files; one that is not there is removed from the backups too.

    Raises:
        StorageError: The disk refused.
    """
    folder = database.parent / FOLDER
    if not folder.exists():
        return
    for name in names:
        source, target = database.parent / name, folder / name
        try:
            if not source.exists():
                target.unlink(missing_ok=True)
            elif not target.exists() or source.read_bytes() != target.read_bytes():
                copied(source, target)
        except OSError as e:
            raise translated(e) from e


def has_keys(database: Path, names: tuple[str, ...]) -> bool:
    """Whether there are copies of key files that `restore_keys` can put back.

    Args:
        database: The database.
        names: The key files; the first two are needed.

    Raises:
        StorageError: The disk refused.
    """
    try:
        return all((database.parent / FOLDER / name).exists() for name in names[:2])
    except OSError as e:
        raise translated(e) from e


def restore_keys(database: Path, names: tuple[str, ...], now_ms: int) -> None:
    """Put the key files from beside the backups in the place of those of the profile, which are set aside.

    Args:
        database: The database.
        names: The key files; the first two must be among the backups.
        now_ms: Unix milliseconds, part of the name of what is set aside.

    Raises:
        InputError: UNKNOWN, there are none.
        StorageError: The disk refused.
    """
    folder = database.parent / FOLDER
    if not has_keys(database, names):
        raise InputError(InputProblem.UNKNOWN)
    mark = mark_of(now_ms)
    for name in names:
        set_aside(database.with_name(name), mark)
        if (folder / name).exists():
            copied(folder / name, database.with_name(name))


def database_size(database: Path) -> int:
    """Bytes of a database and its log."""
    log, _ = side_files(database)
    return _size(database) + _size(log)


def backups_size(database: Path) -> int:
    """Bytes of everything that is kept of a database beside it."""
    beside = [path for path in database.parent.glob(f"{database.name}.*") if path.is_file()]
    folder = database.parent / FOLDER
    return sum(_size(path) for path in (*beside, *(folder.iterdir() if folder.exists() else ())))


def _ready(database: Path) -> Path:
    """Where a backup that was checked waits for its place."""
    return database.with_name(f"{database.name}.restored")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
    except OSError as e:
        raise translated(e) from e
