"""Files that a person chose a place for, and copies of files: whole or not there at all."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from messenger.storage.database import put_in_place
from messenger.storage.faults import translated

TIME: Final = "%Y%m%d-%H%M%S"
"""How a time is written in the name of a file."""

_PIECE: Final = 1024 * 1024
_FLAGS: Final = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)


@contextlib.contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """A new file for the block, which gets its name, durably, when the block is done; mode 0600.

    What had the name is replaced then. If the block fails, what had the name is as it was.

    Args:
        path: The name that it will have.

    Raises:
        DiskFull, DiskReadOnly, StorageError: The disk refused.
    """
    part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, _FLAGS, 0o600), "wb") as file:
            yield file
            file.flush()
        put_in_place(part, path)
    except OSError as e:
        raise translated(e) from e
    finally:
        with contextlib.suppress(OSError):  # in place already, or the first error matters more
            part.unlink(missing_ok=True)


def copied(source: Path, target: Path) -> None:
    """Copy a file, durably; the target is replaced when the copy is whole.

    Raises:
        DiskFull, DiskReadOnly, StorageError: The disk refused.
    """
    with written(target) as file:
        try:
            with source.open("rb") as content:
                while piece := content.read(_PIECE):
                    file.write(piece)
        except OSError as e:
            raise translated(e) from e


def mark_of(now_ms: int) -> str:
    """A time as a part of a name.

    Args:
        now_ms: Unix milliseconds.
    """
    return datetime.fromtimestamp(now_ms // 1000, UTC).strftime(TIME)


def set_aside(path: Path, mark: str) -> Path | None:
    """Give a file that cannot be used another name, so that nothing is lost.

    Args:
        path: The file.
        mark: Tells it from others of the kind, for example a time.

    Returns:
        Its new name, or None if there was no such file.

    Raises:
        DiskReadOnly, StorageError: The disk refused.
    """
    for number in range(1, 1000):
        aside = path.with_name(f"{path.name}.aside-{mark}{f'-{number}' if number > 1 else ''}")
        try:
            if not path.exists():
                return None
            if not aside.exists():
                return path.rename(aside)
        except OSError as e:
            raise translated(e) from e
    return None  # pragma: no cover -- nobody sets a thousand files aside in one second


def made_folder(path: Path) -> Path:
    """Make a folder that a person chose, and those above it, if they are not there.

    Returns:
        Its absolute path.

    Raises:
        DiskFull, DiskReadOnly, StorageError: The disk refused, or something else has its name.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        return path.absolute()
    except OSError as e:
        raise translated(e) from e
