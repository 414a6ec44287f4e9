"""Damage in the write-ahead log, which SQLite passes over in silence, is noticed before a database is opened.

After an unclean end, what was committed last stands in the log alone. SQLite takes from it what holds up to
the first damage, and forgets the rest. So the log is copied first, and what SQLite took is compared with what
stands there (https://www.sqlite.org/fileformat2.html#the_write_ahead_log): the cipher leaves the header and
the heads of frames as they are.

A commit returns when all of it is on the disk. So a power cut can tear the last transaction and no other, and
leaves blocks of it as they were: empty, or with frames of earlier logs. Nothing is lost then.
"""

import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from messenger.core import store_limits
from messenger.storage.database import PAGE_MIN, Database, new_file, put_in_place, side_files
from messenger.storage.faults import translated
from messenger.storage.files import mark_of, set_aside
from messenger.storage.sealed import SealedTable
from messenger.storage.timers import used

_HEADER: Final = struct.Struct(">8I")
"""Magic, version, page size, number of the log, two salts, two sums over what stands before them."""
_HEAD: Final = struct.Struct(">6I")
"""Of a frame: page, size of the database after a commit or 0, two salts, two sums."""
_MAGIC: Final = {0x377F0682: "<", 0x377F0683: ">"}
"""The first four bytes, and in which order the sums take the bytes of a number."""
_PAGE_MAX: Final = 65536
_LEAST: Final = _HEADER.size + _HEAD.size + PAGE_MIN
"""Bytes of the shortest log with a frame."""
_SECTOR: Final = 512
"""The smallest piece that a disk writes whole."""
_PIECE: Final = 1024 * 1024


class Loss(NamedTuple):
    """Something that was committed could not be read from the log."""

    kept: str
    """Name of the file, beside the database, in which the log as it was met is kept; empty for none."""


def look_after(database: Path, key: bytes, now_ms: int) -> Loss | None:
    """Before a database is opened: take in its log if there is one, and see whether all of it could be read.

    If something is lost, the rest is checked and treated as an older database (`SealedTable.mark_restored`);
    the log is kept as it was, unless messages that disappear may stand in it.

    Args:
        database: The database; nobody has it open.
        key: Its key, 32 bytes.
        now_ms: Unix milliseconds, part of the name of what is kept.

    Returns:
        What was lost, or None.

    Raises:
        DatabaseDamaged: What is left does not hold, or the key does not fit; the copy of the log stays.
        DiskFull, DiskReadOnly, StorageError: The disk refused.
    """
    copy, (log, _) = _copy_of(database), side_files(database)
    try:
        if _size(database) < PAGE_MIN or not (_size(log) >= _LEAST or copy.exists()):
            return None
        if _size(log) >= _LEAST and not _same(copy, log):
            set_aside(copy, mark_of(now_ms))
            _copied(log, copy)
        # A copy without a log is left by an opening that was cut off: SQLite has let go of the log meanwhile.
        opened = Database.open(database, key)
        try:
            with copy.open("rb") as file:
                lost = _lost(file, opened.log_frames())
            kept = set_aside(copy, mark_of(now_ms)) if lost and _may_be_kept(opened) else None
            copy.unlink(missing_ok=True)  # before SQLite removes the log, which would look as if it were lost
        finally:
            opened.close()
    except OSError as e:
        raise translated(e) from e
    if not lost:
        return None
    forget(database, now_ms)
    return Loss(kept.name if kept is not None else "")


def set_copy_aside(database: Path, mark: str) -> None:
    """Before another database takes the place of this one: keep a copy of its log that was not judged yet.

    Raises:
        StorageError: The disk refused.
    """
    set_aside(_copy_of(database), mark)


def forget(database: Path, now_ms: int) -> None:
    """Remove logs that were kept, but for the newest, and those not older than they may become.

    Raises:
        StorageError: One cannot be removed.
    """
    copy, oldest = _copy_of(database), mark_of(now_ms - store_limits.COPY_KEPT * 1000)
    try:
        copy.with_name(f"{copy.name}.new").unlink(missing_ok=True)  # of a program that was killed
        kept = sorted(copy.parent.glob(f"{copy.name}.aside-*"), reverse=True)  # by the time in the name
        for number, path in enumerate(kept):
            if number >= store_limits.LOGS_KEPT or path.name < f"{copy.name}.aside-{oldest}":
                path.unlink(missing_ok=True)
    except OSError as e:
        raise translated(e) from e


def _may_be_kept(database: Database) -> bool:
    """Check and mark what is left; whether the log may be kept, too."""
    database.integrity_check()
    SealedTable(database).mark_restored()
    return not used(database)


def _copied(log: Path, copy: Path) -> None:
    """Copy a log, durably, through a name that the next attempt finds again."""
    made = copy.with_name(f"{copy.name}.new")
    made.unlink(missing_ok=True)
    new_file(made)
    with log.open("rb") as source, made.open("wb") as target:
        shutil.copyfileobj(source, target, _PIECE)
    put_in_place(made, copy)


def _lost(log: BinaryIO, accepted: int) -> bool:
    """Whether a log has commits behind the frames that SQLite has accepted, as far as that can be seen."""
    header = _header(log)
    if header is None:
        return True
    page, salt = header
    heads = list(_heads(log, page))[accepted:]
    if any(_foreign(head, salt) for head in heads):
        return True
    commits = [number for number, head in enumerate(heads) if head[1] and head[2:4] == salt]
    if len(commits) != 1:
        return bool(commits)
    last = commits[0] + 1
    size = page + _HEAD.size
    begin = _HEADER.size + accepted * size
    torn = any(head[2:4] != salt for head in heads[:last]) or _has_gap(log, begin, begin + last * size)
    return not torn


def _header(log: BinaryIO) -> tuple[int, tuple[int, int]] | None:
    """Size of a page and salts, or None if the header is spoiled."""
    log.seek(0)
    data = log.read(_HEADER.size)
    magic, _, page, _, *rest = _HEADER.unpack(data)
    if magic not in _MAGIC or not PAGE_MIN <= page <= _PAGE_MAX or page & (page - 1):
        return None
    one = two = 0
    values = struct.unpack(f"{_MAGIC[magic]}6I", data[:24])
    for even, odd in zip(values[::2], values[1::2], strict=True):
        one = (one + even + two) & 0xFFFFFFFF
        two = (two + odd + one) & 0xFFFFFFFF
    return (page, (rest[0], rest[1])) if [one, two] == rest[2:] else None


def _heads(log: BinaryIO, page: int) -> Iterator[tuple[int, ...]]:
    """The heads of all frames that are whole."""
    end = log.seek(0, os.SEEK_END)
    for at in range(_HEADER.size, end - page - _HEAD.size + 1, page + _HEAD.size):
        log.seek(at)
        yield _HEAD.unpack(log.read(_HEAD.size))


def _foreign(head: tuple[int, ...], salt: tuple[int, int]) -> bool:
    """Whether nobody has ever written this: neither a frame of this log nor of an earlier one, nor empty."""
    first, second = head[2:4]
    if first == salt[0]:
        return second != salt[1]
    return any((first, second)) and (salt[0] - first) % 2**32 > store_limits.LOGS_BEFORE


def _has_gap(log: BinaryIO, begin: int, end: int) -> bool:
    """Whether there is an empty sector: nothing encrypted looks like that."""
    empty = bytes(_SECTOR)
    for at in range(-(-begin // _SECTOR) * _SECTOR, end - _SECTOR + 1, _SECTOR):
        log.seek(at)
        if log.read(_SECTOR) == empty:
            return True
    return False


def _copy_of(database: Path) -> Path:
    return database.with_name(f"{database.name}.log")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _same(one: Path, other: Path) -> bool:
    return _size(one) == _size(other) and one.read_bytes() == other.read_bytes()
