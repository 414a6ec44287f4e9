"""The lock that keeps two programs from using one profile."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from messenger.core.errors import ProfileInUse
from messenger.storage.faults import translated

if sys.platform == "win32":  # pragma: no cover
    import msvcrt
else:
    import fcntl

_NAME: Final = "lock"
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600


class ProfileLock:
    """Holds a profile folder from its making until `release`, or until the process dies in any way.

    The file stays: removing it would let two programs hold a lock of the same name.

    Args:
        folder: The profile folder; made, for its owner only, if it is missing.

    Raises:
        ProfileInUse: Another program (or another lock in this one) holds it.
        DiskFull, DiskReadOnly, StorageError: The folder or file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._file: int | None = None
        try:
            folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            with ExitStack() as unless_taken:
                file = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT, _FILE_MODE)
                unless_taken.callback(os.close, file)
                if not _try_lock(file):
                    raise ProfileInUse(str(folder))
                unless_taken.pop_all()
        except OSError as e:
            raise translated(e) from e
        self._file = file

    def release(self) -> None:
        """Let others have the profile; a second call does nothing."""
        if self._file is not None:
            os.close(self._file)  # the lock goes with it
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


if sys.platform == "win32":  # pragma: no cover

    def _try_lock(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
