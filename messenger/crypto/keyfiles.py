"""Small secret files on disk: bounded reading, atomic and durable replacing, errors of our own."""

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

from messenger.core import limits
from messenger.core.errors import DiskFull, DiskReadOnly, KeyFileError, StorageError

_WRITE_FLAGS: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_TRUNC
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY: Final = (errno.EROFS, errno.EACCES, errno.EPERM)


def read(path: Path) -> bytes:
    """Read a key file.

    Raises:
        KeyFileError: It is missing, not a plain file, longer than limits.KEY_FILE_MAX, or unreadable.
    """
    try:
        if not path.is_file():
            raise KeyFileError(f"{path.name} is missing")
        with path.open("rb") as file:
            data = file.read(limits.KEY_FILE_MAX + 1)
    except OSError as e:
        raise KeyFileError(f"{path.name} cannot be read: {e.strerror}") from e
    if len(data) > limits.KEY_FILE_MAX:
        raise KeyFileError(f"{path.name} is too long")
    return data


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter.

    Raises:
        StorageError: It cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as e:
        raise storage_error(e) from e


def replace(path: Path, data: bytes) -> None:
    """Write a file so that after a crash at any moment either the old or the new one is there, whole.

    Raises:
        StorageError: It could not be written; the old one is untouched.
    """
    stage(path, data)
    commit(path)


def staged(path: Path) -> Path:
    """Where the next version of a file is written before it takes its place."""
    return path.with_name(path.name + ".new")


def stage(path: Path, data: bytes) -> None:
    """Write the next version of a file beside it, durably, mode 0600.

    Raises:
        StorageError: It could not be written.
    """
    new = staged(path)
    try:
        descriptor = os.open(new, _WRITE_FLAGS, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            new.chmod(0o600)  # it may have been left over from another time
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as e:
        discard(path)
        raise storage_error(e) from e


def commit(path: Path) -> None:
    """Let the staged version take the place of the file, durably.

    Raises:
        StorageError: It could not be done; the old one is untouched.
    """
    try:
        staged(path).replace(path)
        sync_folder(path.parent)
    except OSError as e:
        discard(path)
        raise storage_error(e) from e


def discard(path: Path) -> None:
    """Remove the staged version of a file, if there is one."""
    with contextlib.suppress(OSError):  # a left-over is overwritten next time; the first error matters more
        staged(path).unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove a file and its staged version after a failure, as far as the disk allows."""
    discard(path)
    with contextlib.suppress(OSError):  # the failure that brought us here is the one to report
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a renaming durable, where folders can be synced (not on Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage_error(error: OSError) -> StorageError:
    """Translate an error of the operating system into one of ours."""
    text = error.strerror or type(error).__name__
    if error.errno in _FULL:
        return DiskFull(text)
    if error.errno in _READ_ONLY:
        return DiskReadOnly(text)
    return StorageError(text)
