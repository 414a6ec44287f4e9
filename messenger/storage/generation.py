"""Whether a database is the one that was used last, or an older copy that somebody has put in its place.

A count of openings and closings stands in the database and in a file beside the key files. A database that
counts less than the file is an older one, and so is one whose profile folder was copied as a whole: its lock
file, which nobody ever writes to, is younger than the database says. Such a database is treated as a restored
backup. What nobody can see: a copy made and put back while the same program is open and then killed.
"""

import contextlib
from pathlib import Path
from typing import Final

import msgspec

from messenger.core import store_limits
from messenger.core.errors import StorageError
from messenger.storage.faults import translated
from messenger.storage.files import written
from messenger.storage.store import Store

GENERATION_NAME: Final = "generation"
"""The file, in the profile folder."""

_COUNT: Final = "generation"
_PLACE: Final = "place"
"""Names of single values."""

_LOCK: Final = "lock"


class Generation(msgspec.Struct, frozen=True, array_like=True):
    """What stands in the file."""

    count: int
    epoch: int
    """The last with which chains have begun anew."""


def begin(store: Store, database: Path, now_ms: int, *, new: bool) -> None:
    """After a database was opened: see whether it is an older one, and count.

    Chains begin anew in one that is (`Store.begin_chains`), and it is marked for what else must change.

    Args:
        store: The database, open.
        database: Its file; the count stands beside it.
        now_ms: Unix milliseconds.
        new: It was made just now.

    Raises:
        StorageError: It is an older one, and the disk refused what must change.
    """
    path, place = database.with_name(GENERATION_NAME), _place(database)
    kept, count = _read(path), _number(store, _COUNT)
    if not new:
        if _older(store, kept, count, place):
            store.sealed.mark_restored()
        if store.sealed.restored():
            least = 0 if kept is None else kept.epoch + 1
            epoch = store.begin_chains(max(now_ms // 1000, least))
            kept = Generation(0 if kept is None else kept.count, epoch)
    with contextlib.suppress(StorageError):  # a full disk keeps nobody from reading; the end counts again
        store.meta.put(_PLACE, str(place).encode())
        _write(store, path, kept, count)


def end(store: Store, database: Path) -> None:
    """Before a database is closed: count, so that a copy made until now is known to be older.

    What fails is left: the next opening counts too.
    """
    path = database.with_name(GENERATION_NAME)
    with contextlib.suppress(StorageError):
        _write(store, path, _read(path), _number(store, _COUNT))


def _older(store: Store, kept: Generation | None, count: int | None, place: int) -> bool:
    """Whether a database was in use before the one that was used last."""
    if count is None:
        return kept is not None
    stood = _number(store, _PLACE)
    if kept is None or stood is None or count < kept.count:
        return True
    return abs(place - stood) > store_limits.PLACE_SLACK


def _write(store: Store, path: Path, kept: Generation | None, count: int | None) -> None:
    """Count up; the database first, so that it is never behind the file after a crash."""
    higher = 1 + max(count or 0, 0 if kept is None else kept.count)
    store.meta.put(_COUNT, str(higher).encode())
    with written(path) as file:
        file.write(msgspec.json.encode(Generation(higher, 0 if kept is None else kept.epoch)))


def _read(path: Path) -> Generation | None:
    """What stands in the file; None if it is missing or cannot be read as what we wrote."""
    try:
        with path.open("rb") as file:
            found = msgspec.json.decode(file.read(store_limits.GENERATION_MAX), type=Generation)
    except FileNotFoundError:
        return None
    except OSError as e:
        raise translated(e) from e
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    sound = 0 < found.count <= store_limits.COUNT_MAX and 0 <= found.epoch <= store_limits.EPOCH_MAX
    return found if sound else None


def _place(database: Path) -> int:
    """When the lock file came to stand where it stands (seconds); no copy of it has the same time."""
    try:
        return int(database.with_name(_LOCK).stat().st_ctime)
    except FileNotFoundError:  # a test, or a tool, without a lock
        return 0
    except OSError as e:
        raise translated(e) from e


def _number(store: Store, name: str) -> int | None:
    value = (store.meta.get(name) or b"").decode("ascii", "replace")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= len(str(2**63)) else None
