"""Programs that try what keeps history safe where the disk does not play along.

``python -m tests.helpers.full_disk PROGRAM FOLDER KEY`` runs one of `PROGRAMS` under ``unshare -rm``: each
mounts a small file system of its own over the folder, and prints one line for each thing that it tried.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from messenger.core.models import SearchQuery
from messenger.storage import backup
from messenger.storage.files import written
from messenger.storage.store import Store
from tests.helpers import old_databases
from tests.helpers.storage import (
    DATABASE,
    add_contact,
    add_theirs,
    file_system,
    remount_read_only,
    report,
    report_outcome,
)

_NOW: Final = 1_760_000_000_000
_DAY: Final = 86_400_000


def _fill(folder: Path) -> Path:
    """Take all room that is left."""
    filling = folder / "filling"
    with filling.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            report("full")
    return filling


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix in (".new", ".part"))


def back_up(folder: Path, key: bytes) -> None:
    """Backups, a written file, and forgetting, on a disk that becomes full."""
    with file_system(folder, "size=16m"):
        store = Store.open(folder / DATABASE, key)
        contact = add_contact(store)
        for number in range(1, 501):
            add_theirs(store, contact.id, number, f"word {number} " + "x" * 500)
        report_outcome("first backup", lambda: _back_up(folder, key, 0))
        filling = _fill(folder)
        report_outcome("second backup", lambda: _back_up(folder, key, 1))
        report_outcome("written file", lambda: _write(folder / "chat.html"))
        report(f"left over {_names(folder)} {_names(folder / backup.FOLDER)}")
        report_outcome("restoring", lambda: backup.restore(folder / DATABASE, key, _first(folder), _NOW))
        report(f"found {len(store.find(SearchQuery(text='word'), None, 500).messages)}")
        filling.unlink()
        report_outcome("third backup", lambda: _back_up(folder, key, 2))
        report(f"backups {len(backup.backups(folder / DATABASE))}")
        store.integrity_check()
        store.close()


def _back_up(folder: Path, key: bytes, day: int) -> None:
    backup.make(folder / DATABASE, key, _NOW + day * _DAY)


def _first(folder: Path) -> str:
    return backup.backups(folder / DATABASE)[-1].name


def _write(path: Path) -> None:
    with written(path) as file:
        file.write(bytes(100_000))


def migrate(folder: Path, key: bytes) -> None:
    """An old database on a disk without room for the copy that must be made first."""
    with file_system(folder, "size=2m"):
        path = folder / DATABASE
        old_databases.make(path, key, 1)
        before = path.read_bytes()
        filling = _fill(folder)
        report_outcome("migrating", lambda: Store.open(path, key).close())
        report(f"as before {path.read_bytes() == before}, left over {_names(folder)}")
        filling.unlink()
        report_outcome("migrating", lambda: Store.open(path, key).close())
        store = Store.open(path, key)
        report(f"kept {len(store.find(SearchQuery(text='cafe'), None, 9).messages)}")
        store.close()


def only_read(folder: Path, key: bytes) -> None:
    """Everything that writes, on a file system that is mounted read-only."""
    with file_system(folder, "size=4m"):
        path = folder / DATABASE
        old_databases.make(folder / "old.db", key, 1)
        Store.open(path, key).close()
        backup.make(path, key, _NOW)
        remount_read_only(folder)
        report_outcome("migrating", lambda: Store.open(folder / "old.db", key).close())
        report_outcome("backup", lambda: _back_up(folder, key, 1))
        report_outcome("restoring", lambda: backup.restore(path, key, _first(folder), _NOW))
        report_outcome("removing", lambda: backup.keep(path, 0, _NOW))
        report_outcome("written file", lambda: _write(folder / "chat.html"))
        report(f"backups {len(backup.backups(path))}")


PROGRAMS: Final[dict[str, Callable[[Path, bytes], None]]] = {
    function.__name__: function for function in (back_up, migrate, only_read)
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](Path(sys.argv[2]), bytes.fromhex(sys.argv[3]))
