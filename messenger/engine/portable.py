"""A whole profile in one file under a passphrase: identity, contacts, history (SPEC.md section 16).

The file is the head that the vault makes (`messenger.crypto.export`), then the database as one stream
(`messenger.crypto.archive`). Private keys leave the vault only inside the head. On its way the database
is always encrypted, under a key that belongs to this one export.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from messenger.core.errors import DatabaseDamaged, InputError, InputProblem
from messenger.crypto import archive, export
from messenger.crypto.vault import ExportKeys
from messenger.storage import backup
from messenger.storage.faults import translated
from messenger.storage.files import written
from messenger.storage.foreign import check_foreign

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all (0 of 0: not known), from another thread than the engine's; raises
StorageError to give it up."""

_STEMS: Final = (".export", ".import")


def write_export(database: Path, db_key: bytes, keys: ExportKeys, path: Path, progress: Progress) -> None:
    """Write an export; blocks.

    Args:
        database: The database, which may be in use.
        db_key: Its key, 32 bytes.
        keys: From `Vault.export`.
        path: The file; replaced when the new one is whole.
        progress: Told how far it is.

    Raises:
        StorageError: Or one of its kinds; what was at `path` is as it was.
    """
    copy = _passing_name(database, _STEMS[0])
    try:
        backup.duplicate(database, db_key, copy, keys.db_key, going_on(progress))
        with written(path) as file, copy.open("rb") as source:
            size = copy.stat().st_size
            file.write(keys.head)
            archive.seal(keys.stream, source, file, lambda done: progress(done, size))
    except OSError as e:
        raise translated(e) from e
    finally:
        clear_passing(database)


def going_on(progress: Progress) -> Callable[[], bool]:
    """What `messenger.storage.backup.duplicate` asks now and then."""

    def asked() -> bool:
        progress(0, 0)
        return True

    return asked


def read_head(path: Path) -> bytes:
    """Read the head of an export, for `Vault.read_export`; blocks.

    Raises:
        InputError: NOT_EXPORT, EXPORT_VERSION.
        StorageError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            header = file.read(export.HEADER_SIZE)
            return header + file.read(export.head_size(header) - export.HEADER_SIZE)
    except OSError as e:
        raise translated(e) from e


def unpack(path: Path, head_size: int, keys: ExportKeys, database: Path, progress: Progress) -> Path:
    """Decrypt the database of an export beside its future place, and check it; blocks.

    Args:
        path: The export.
        head_size: Length of its head.
        keys: From `Vault.read_export`.
        database: Where the database will be.
        progress: Told how far it is.

    Returns:
        Where it is; the caller removes it with `clear_passing`.

    Raises:
        InputError: NOT_EXPORT, it was changed, cut, or holds no database of ours.
        DatabaseTooNew: A later version of the program made it.
        StorageError: Or one of its kinds: the disk refused.
    """
    copy = _passing_name(database, _STEMS[1])
    try:
        with path.open("rb") as file, written(copy) as target:
            size = os.fstat(file.fileno()).st_size
            file.seek(head_size)
            archive.unseal(keys.stream, file, target, lambda done: progress(done, size))
    except OSError as e:
        raise translated(e) from e
    try:
        check_foreign(copy, keys.db_key)
    except DatabaseDamaged as e:
        raise InputError(InputProblem.NOT_EXPORT) from e
    return copy


def clear_passing(database: Path) -> None:
    """Remove copies that were on their way into or out of a file; blocks.

    Raises:
        StorageError: The disk refused.
    """
    try:
        for stem in _STEMS:
            for file in database.parent.glob(f"{stem}-*"):
                file.unlink(missing_ok=True)
    except OSError as e:
        raise translated(e) from e


def _passing_name(database: Path, stem: str) -> Path:
    return database.with_name(f"{stem}-{secrets.token_hex(4)}.db")
