"""An open folder: what is done in it stays in it, whatever is done to its path or put into it meanwhile."""

import errno
import io
import os
import shutil
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from messenger.storage import landing_disk

BY_HANDLE: Final = os.open in os.supports_dir_fd
"""Whether this system lets programs name a file by an open folder; Windows does not."""

_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_FILE: Final = os.O_RDWR | _NO_LINK | getattr(os, "O_BINARY", 0)
_CLOSED: Final = -1
_LINK_TAGS: Final = frozenset(
    {getattr(stat, "IO_REPARSE_TAG_SYMLINK", 0), getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", 0)} - {0}
)
_LONG: Final = "\\\\?\\"


class Place:
    """An open folder, or on Windows its path; what its methods raise is `OSError`."""

    def __init__(self, path: str, handle: int | None) -> None:
        self.path = path
        """For Windows, and to be shown; elsewhere nothing is found by it."""
        self.handle = handle

    @classmethod
    def at(cls, path: Path) -> Self:
        """Open a folder that a person chose; links on the way to it are theirs."""
        whole = os.path.abspath(path)  # noqa: PTH100 -- keeps links
        if BY_HANDLE:
            return cls(whole, os.open(whole, _FOLDER))
        if not os.path.isdir(whole):  # noqa: PTH112
            raise NotADirectoryError(errno.ENOTDIR, "no folder")
        return cls(whole if whole.startswith("\\\\") or os.sep != "\\" else _LONG + whole, None)

    def folder(self, name: str) -> "Place":
        """Open a folder in this one, never through a link."""
        path = self._path(name)
        if self.handle is not None:
            return Place(path, os.open(name, _FOLDER | _NO_LINK, dir_fd=self.handle))
        state = os.lstat(path)
        if not stat.S_ISDIR(state.st_mode) or is_link(state):
            raise NotADirectoryError(errno.ENOTDIR, "no folder")
        return Place(path, None)

    def make_folder(self, name: str, mode: int = 0o700) -> None:
        """Make a folder in this one, which must not exist."""
        os.mkdir(self._name(name), mode, dir_fd=self.handle)

    def new_file(self, name: str) -> int:
        """Make and open a file that did not exist, for its owner only."""
        return os.open(self._name(name), _FILE | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=self.handle)

    def file(self, name: str) -> int:
        """Open a file, never through a link, and none that has another name elsewhere."""
        file = os.open(self._name(name), _FILE, dir_fd=self.handle)
        state = os.fstat(file)
        if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1:
            os.close(file)
            raise NotADirectoryError(errno.ENOTDIR, "no file of its own")
        return file

    def state(self, name: str) -> os.stat_result:
        """What is known of something in this folder; a link is looked at itself."""
        return os.stat(self._name(name), dir_fd=self.handle, follow_symlinks=False)

    def is_at(self, path: Path) -> bool:
        """Whether this is still the folder that a path leads to."""
        if self.handle is None:
            return path.is_dir()
        return os.path.samestat(os.fstat(self.handle), path.stat())

    def has(self, name: str) -> bool:
        """Whether there is anything of this name."""
        try:
            self.state(name)
        except FileNotFoundError:
            return False
        return True

    def rights(self) -> int:
        """The rights of the folder itself."""
        state = os.stat(self.path) if self.handle is None else os.fstat(self.handle)  # noqa: PTH116
        return stat.S_IMODE(state.st_mode)

    def names(self) -> list[str]:
        """What is in this folder."""
        return os.listdir(self.path if self.handle is None else self.handle)  # noqa: PTH208

    def settle(self, name: str, file: int, mode: int, modified_ms: int) -> None:
        """Give an open file in this folder its rights, its time, and the mark of one from elsewhere."""
        if landing_disk.MARKS:
            landing_disk.mark_foreign(file, self._path(name))
        _settle(self._path(name) if self.handle is None else file, mode, modified_ms)

    def settle_itself(self, mode: int, modified_ms: int) -> None:
        """Give the folder itself its rights and time."""
        _settle(self.path if self.handle is None else self.handle, mode, modified_ms)

    def replace(self, name: str, new: str) -> None:
        """Rename something in this folder, in place of what has the new name."""
        os.replace(self._name(name), self._name(new), src_dir_fd=self.handle, dst_dir_fd=self.handle)

    def move(self, name: str, target: "Place", new: str, *, is_folder: bool) -> None:
        """Move something into another folder.

        Raises:
            FileExistsError: Something there has that name.
        """
        if self.handle is None or target.handle is None:
            if target.has(new):
                raise FileExistsError(errno.EEXIST, "taken")
            os.rename(self._path(name), target._path(new))  # noqa: PTH104, SLF001 -- Windows replaces nothing
        else:
            landing_disk.move(self.handle, name, target.handle, new, is_folder=is_folder)

    def remove(self, name: str) -> None:
        """Remove something with all that is in it; nothing is followed out of it."""
        if stat.S_ISDIR(self.state(name).st_mode):
            shutil.rmtree(self._name(name), dir_fd=self.handle)
        else:
            os.unlink(self._name(name), dir_fd=self.handle)

    def sync(self) -> None:
        """Make the names in this folder durable; Windows does so by itself."""
        if self.handle is not None:
            landing_disk.sync_file(self.handle)

    def close(self) -> None:
        """Let go of it; a second call does nothing."""
        if self.handle is not None and self.handle != _CLOSED:
            os.close(self.handle)
            self.handle = _CLOSED

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _path(self, name: str) -> str:
        return os.path.join(self.path, name)  # noqa: PTH118 -- on Windows with a head that paths do not keep

    def _name(self, name: str) -> str:
        return self._path(name) if self.handle is None else name


def is_link(state: os.stat_result) -> bool:
    """Whether something is a symbolic link, or what Windows has for one."""
    return stat.S_ISLNK(state.st_mode) or getattr(state, "st_reparse_tag", 0) in _LINK_TAGS


def _settle(file: int | str, mode: int, modified_ms: int) -> None:
    """Give an open file or folder its rights and time, as far as the file system has such.

    Args:
        file: A descriptor, or on Windows a path.
        mode: Rights.
        modified_ms: Unix milliseconds.
    """
    ns = modified_ms * 1_000_000
    try:
        os.chmod(file, mode)  # noqa: PTH101
    except OSError as e:
        _let_be(e)
    try:
        os.utime(file, ns=(ns, ns))
    except (OSError, OverflowError) as e:
        _let_be(e)


def _let_be(fault: Exception) -> None:
    """Go on if a file system has no such rights or times."""
    if isinstance(fault, OSError) and fault.errno not in landing_disk.REFUSED and fault.errno != errno.EACCES:
        raise fault


if sys.platform == "win32":  # pragma: no cover

    def write_at(file: int, data: memoryview, at: int) -> int:  # noqa: D103
        os.lseek(file, at, os.SEEK_SET)
        return os.write(file, data)

    def write_all_at(file: int, pieces: Sequence[memoryview], at: int) -> int:  # noqa: D103
        os.lseek(file, at, os.SEEK_SET)
        return os.write(file, b"".join(pieces))

    def read_at(file: int, buffer: memoryview, at: int) -> int:  # noqa: D103
        os.lseek(file, at, os.SEEK_SET)
        return io.FileIO(file, closefd=False).readinto(buffer) or 0

else:

    def write_at(file: int, data: memoryview, at: int) -> int:
        """Write into an open file at an offset; how many bytes were written."""
        return os.pwrite(file, data, at)

    def write_all_at(file: int, pieces: Sequence[memoryview], at: int) -> int:
        """Write pieces one behind the other at an offset with one call; how many bytes were written."""
        return os.pwritev(file, pieces, at)

    def read_at(file: int, buffer: memoryview, at: int) -> int:
        """Read from an open file at an offset; how many bytes were read, 0 at its end."""
        return os.preadv(file, [buffer], at)
