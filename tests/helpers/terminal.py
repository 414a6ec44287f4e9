"""Starts the program as a person at a terminal or a shell pipeline would, and waits for what it says."""

import fcntl
import json
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from messenger.core.models import Standing
from messenger.crypto import keystore
from messenger.storage.store import Store
from tests.helpers.engines import DATABASE
from tests.helpers.keys import identity
from tests.helpers.patience import LIMITS, PATIENCE

ROOT: Final = Path(__file__).parent.parent.parent

_LIMITS: Final = "SOTTO_TEST_LIMITS"
_AT_START: Final = Path(__file__).parent / "at_start"
"""Python runs what is in there before a program: see `limited`."""

PATIENT: Final = dict.fromkeys(LIMITS, 2 * PATIENCE)
"""Of every program that is started; no test waits so long."""

_CONTROL_TERMINAL: Final = (
    "import fcntl, os, sys, termios;"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)
"""Makes the terminal on standard input the one that controls the program, as a login does."""

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?>=]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78]|\x1b\][^\x07]*\x07")
_COLUMNS: Final = 160
_ROWS: Final = 50


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a started program: no display, no keyring, time limits that are `PATIENT`."""
    kept = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    return {
        **kept,
        **limited(**PATIENT),
        "PYTHONWARNINGS": "error",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
        **(extra or {}),
    }


def limited(**values: float) -> dict[str, str]:
    """Environment of a started program in which these `core.limits` are other ones than usual."""
    return {
        "PYTHONPATH": os.pathsep.join((str(_AT_START), str(ROOT))),
        _LIMITS: json.dumps(values),
    }


def sotto(*arguments: str) -> list[str]:
    """The command line of the program."""
    return [sys.executable, "-P", "-m", "messenger", *arguments]


@dataclass(frozen=True)
class Result:
    """How a program without a terminal ended."""

    code: int
    out: str
    err: str

    def sentence(self) -> str:
        """The one line that it said on standard error; nothing else may have been said."""
        assert not self.out, self.out
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


def run(
    *arguments: str, typed: bytes = b"", extra: Mapping[str, str] | None = None, prefix: Sequence[str] = ()
) -> Result:
    """Run the program to its end, without a terminal.

    Args:
        arguments: Of the program.
        typed: Its standard input.
        extra: Further environment variables.
        prefix: A command that starts it, with its arguments.
    """
    done = subprocess.run(
        [*prefix, *sotto(*arguments)],
        input=typed,
        capture_output=True,
        env=environment(extra),
        timeout=2 * PATIENCE,
        check=False,
        start_new_session=True,  # no terminal of whoever runs the tests
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


class Piped:
    """The program in a pipeline; leaving the ``with`` block ends it.

    Args:
        arguments: Of the program.
        prefix: A command that starts it, with its arguments.
    """

    def __init__(self, *arguments: str, prefix: Sequence[str] = ()) -> None:
        pipe, command = subprocess.PIPE, [*prefix, *sotto(*arguments)]
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(), start_new_session=True
        )

    def write(self, data: bytes) -> None:
        """Write to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def line(self) -> str:
        """Wait for the next line of its standard output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().removesuffix("\n")

    def said(self, wanted: str) -> str:
        """Wait for a line of its standard error that holds a text."""
        assert self.process.stderr is not None
        lines = []
        while line := self.process.stderr.readline().decode():
            lines.append(line)
            if wanted in line:
                return line.removesuffix("\n")
        raise AssertionError(f"no {wanted!r} in:\n{''.join(lines)}")

    def end(self) -> Result:
        """Close its input and wait until it ends; what was read before is not in the result."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return Result(self.process.returncode, out.decode(), err.decode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def acquaint(one: Path, two: Path) -> None:
    """Make two profiles that `prepare` wrote, one named alice and one named bob, contacts of each other."""
    for folder, other in ((one, "bob"), (two, "alice")):
        store = Store.open(folder / DATABASE, keystore.unlock(folder, "").db_key)
        store.contacts.add(
            identity(other).fingerprint, name=other.capitalize(), standing=Standing.ACCEPTED, now_ms=1
        )
        store.close()


class Program:
    """The program at a terminal of its own; leaving the ``with`` block ends it.

    Args:
        arguments: Of the program.
        extra: Further environment variables.
    """

    def __init__(self, *arguments: str, extra: Mapping[str, str] | None = None) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        command: Sequence[str] = [sys.executable, "-c", _CONTROL_TERMINAL, *sotto(*arguments)[1:]]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment(extra), start_new_session=True
        )
        os.close(slave)
        self.raw = b""
        """Everything that reached the terminal."""
        self._looked = 0

    @property
    def text(self) -> str:
        """Everything that reached the terminal, without the program's own escape sequences."""
        return _ESCAPES.sub("", self.raw.decode(errors="replace")).replace("\r", "")

    def expect(self, wanted: str) -> str:
        """Wait until a text appears after the last one that was waited for.

        Returns:
            The line that it stands in.
        """
        deadline = time.monotonic() + PATIENCE
        while (at := self.text.find(wanted, self._looked)) < 0:
            assert self._read(deadline - time.monotonic()), f"no {wanted!r} in:\n{self.text}"
        self._looked = at + len(wanted)
        text = self.text
        while "\n" not in text[at:] and self._read(0.0):
            text = self.text
        return text[text.rfind("\n", 0, at) + 1 :].partition("\n")[0]

    def answer(self, text: str) -> None:
        """Type a line and press Enter."""
        self.press(text + "\r")

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def wait(self) -> int:
        """Wait until the program ends; returns its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline - time.monotonic()):
            pass
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def _read(self, patience: float) -> bool:
        """Read what there is; False when nothing came in time or the program has ended."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, patience))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the last process has closed its end
            return False
        self.raw += data
        return bool(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
