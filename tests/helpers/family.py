"""The processes that a program has started, and what became of them (Linux)."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.helpers.patience import PATIENCE


class Family:
    """All that a program has started so far, and what these have started.

    Args:
        handles: Of each process that can be waited for, by its command line.
    """

    def __init__(self, handles: dict[int, str]) -> None:
        self._handles = handles

    @property
    def commands(self) -> list[str]:
        """Their command lines."""
        return sorted(self._handles.values())

    def left(self) -> list[str]:
        """Wait until all have ended; the command lines of those that do not, which are killed."""
        living = [handle for handle in self._handles if not _ended(handle)]
        for handle in living:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        return [self._handles[handle] for handle in living]


@contextmanager
def family_of(program: int) -> Iterator[Family]:
    """Look at what a process has started; its children are found later too, when it is gone."""
    with ExitStack() as stack:
        handles = {}
        for process in _below(program):
            try:
                handle = os.pidfd_open(process)
            except ProcessLookupError:
                continue
            stack.callback(os.close, handle)
            handles[handle] = _command(process)
        yield Family(handles)


def _below(program: int) -> list[int]:
    """All processes that a process has started, directly or not."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                status = (folder / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents.setdefault(int(status.rpartition(")")[2].split()[1]), []).append(int(folder.name))
    found, todo = [], [program]
    while todo:
        below = parents.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _command(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _ended(handle: int) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(1000 * PATIENCE))
