"""What Python's `os` lacks for files that come: many made durable at once, moves that replace nothing, marks.

Each has a way that works everywhere and a better one where the system offers it.
"""

import ctypes
import errno
import os
import sys
import time
from collections.abc import Callable
from typing import Final

_PROGRAM: Final = "Sotto"
_ZONE: Final = b"[ZoneTransfer]\r\nZoneId=3\r\n"
"""Zone 3 is the internet: Windows asks before it runs such a file, and Office opens it protected."""
MARKS: Final = sys.platform in ("win32", "darwin")
"""Whether this system knows files from elsewhere by a mark."""
_QUARANTINE: Final = b"com.apple.quarantine"
REFUSED: Final = frozenset(
    {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM, errno.EMLINK, errno.EXDEV}
)
"""What a system or file system answers that does not have a function, or not for this kind of file."""
_WHOLE_SYNC: Final = frozenset(
    {
        0xEF53,  # ext2, 3, 4
        0x58465342,  # XFS
        0x9123683E,  # Btrfs
        0xF2F52010,  # F2FS
        0x2FC12FC1,  # ZFS
        0xCA451A4E,  # bcachefs
        0x794C7630,  # overlay
        0x01021994,  # tmpfs
    }
)
"""File systems of Linux that write all they have when they are asked to; one in a process of its own (FUSE)
is not even told."""
_STATFS_SIZE: Final = 256
_RENAME_EXCLUSIVE: Final = {"linux": ("renameat2", 1), "darwin": ("renameatx_np", 4)}


def _library(name: str) -> Callable[..., int] | None:
    """A function of the system's C library, or None if it has none of this name."""
    if os.name != "posix":  # pragma: no cover
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), name, None)


_NAME, _FLAG = _RENAME_EXCLUSIVE.get(sys.platform, ("", 0))
_rename_exclusive: Final = _library(_NAME) if _NAME else None
_syncfs: Final = _library("syncfs") if sys.platform == "linux" else None
_fstatfs: Final = _library("fstatfs") if sys.platform == "linux" else None


def sync_file(file: int) -> None:
    """Make an open file durable, through the disk's own cache."""
    if sys.platform == "darwin":
        import fcntl

        try:
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
        except OSError:  # a network disk has none
            os.fsync(file)
    else:
        os.fsync(file)


def sync_all(folder: int | None) -> bool:
    """Make all durable that is in the file system of an open folder.

    Returns:
        False if that cannot be relied on here, and nothing was done.
    """
    if folder is None or _syncfs is None or _fstatfs is None:
        return False
    state = ctypes.create_string_buffer(_STATFS_SIZE)
    if _fstatfs(folder, state):
        return False
    if ctypes.c_long.from_buffer(state).value & 0xFFFFFFFF not in _WHOLE_SYNC:
        return False
    if _syncfs(folder):
        raise OSError(ctypes.get_errno(), "syncfs")
    return True


def mark_foreign(file: int, path: str) -> None:
    """Mark an open file as one from elsewhere, where the system has `MARKS`.

    Args:
        file: Its descriptor.
        path: Its whole path on Windows, where the mark is a file of its own.
    """
    if sys.platform == "win32":  # pragma: no cover
        with open(f"{path}:Zone.Identifier", "wb") as mark:  # noqa: PTH123 -- no path has a stream
            mark.write(_ZONE)
    elif sys.platform == "darwin":
        value = f"0081;{int(time.time()):08x};{_PROGRAM};".encode()
        set_mark = _library("fsetxattr")
        if set_mark is not None:  # a disk without such marks refuses, and can do no better
            set_mark(file, _QUARANTINE, value, ctypes.c_size_t(len(value)), 0, 0)


def move(folder: int, name: str, target: int, new: str, *, is_folder: bool) -> None:
    """Give a file or folder another place in the same file system; nothing is ever replaced.

    Args:
        folder: Open folder that it is in.
        name: Its name there.
        target: Open folder that it goes into.
        new: Its name there.
        is_folder: What it is.

    Raises:
        FileExistsError: Something has that name.
        OSError: The disk refused.
    """
    if _rename_exclusive is not None:
        if not _rename_exclusive(folder, os.fsencode(name), target, os.fsencode(new), _FLAG):
            return
        number = ctypes.get_errno()
        if number not in REFUSED:
            raise OSError(number, _NAME)
    move_plainly(folder, name, target, new, is_folder=is_folder)


def move_plainly(folder: int, name: str, target: int, new: str, *, is_folder: bool) -> None:
    """Do what `move` does where the system has no function for it.

    An empty folder can be replaced by a folder, so a new empty one keeps the name; a file gets a
    second name. Only where files cannot have two is there a moment in which another program could
    lose a file that it puts there.
    """
    if is_folder:
        os.mkdir(new, 0o700, dir_fd=target)
        try:
            os.rename(name, new, src_dir_fd=folder, dst_dir_fd=target)
        except OSError:
            os.rmdir(new, dir_fd=target)
            raise
        return
    try:
        os.link(name, new, src_dir_fd=folder, dst_dir_fd=target, follow_symlinks=False)
    except FileExistsError:
        ours = os.stat(name, dir_fd=folder, follow_symlinks=False)
        theirs = os.stat(new, dir_fd=target, follow_symlinks=False)
        if not os.path.samestat(ours, theirs):  # else it was moved half-way before
            raise
    except OSError as e:
        if e.errno not in REFUSED:
            raise
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=target))
        os.replace(name, new, src_dir_fd=folder, dst_dir_fd=target)
        return
    os.unlink(name, dir_fd=folder)
