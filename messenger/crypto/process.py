"""How the processes of the vault are started, and what each of them does first."""

import os
import signal
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn

import messenger

BUG_EXIT: Final = 70
"""Exit code of a vault process that met a bug (EX_SOFTWARE of sysexits.h)."""

_PR_SET_DUMPABLE: Final = 4


def command(*arguments: str) -> list[str]:
    """The command line of a vault process.

    A packed program starts itself with ``--vault``; otherwise the interpreter runs the
    module, with ``-P`` so that nothing in the current folder can pose as a library.
    """
    if getattr(sys, "frozen", False):
        return [sys.executable, "--vault", *arguments]
    return [sys.executable, "-P", "-m", "messenger.crypto.vault_process", *arguments]


def environment() -> dict[str, str]:
    """The environment of a vault process: ours, and the folder that this very package came from."""
    paths = [str(Path(messenger.__file__).parent.parent)]
    if inherited := os.environ.get("PYTHONPATH"):
        paths.append(inherited)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def no_core_dumps() -> None:
    """Leave no copy of this process's memory on the disk when it crashes.

    All that the program itself does: it stays open to its own user's debuggers, for portals of
    the desktop, which open files on its behalf, refuse to serve a process that they cannot look at.
    """
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def harden() -> None:
    """Make this process a poor place to look for keys; call it first.

    No core dumps, no attaching of debuggers or reading of its memory by other programs of
    the same user (Linux), no traceback text that could hold values, and Ctrl-C in a
    terminal is the business of the parent, whose end closes our standard input.
    """
    no_core_dumps()
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.excepthook = _redacted


def claim_channel() -> tuple[int, int]:
    """Take standard input and output for ourselves.

    Afterwards anything that prints goes to standard error, and anything that reads finds
    an empty file, so that no library can speak into the channel.

    Returns:
        Descriptors to read from and to write to.
    """
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


def die_of_bug(error: BaseException) -> NoReturn:
    """End the process at once after an error that should not exist, without its message."""
    _redacted(type(error), error, error.__traceback__)
    os._exit(BUG_EXIT)


class Deadly:
    """A piece of work after which, if it raises anything, the process ends as by `die_of_bug`."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is not None:
            die_of_bug(error)


def _redacted(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
    """An excepthook that prints where and what kind, never the values in the message."""
    sys.stderr.write("".join(traceback.format_tb(trace)) + kind.__name__ + "\n")
    sys.stderr.flush()
