"""Somebody who sits before a real window in another process (see `tests.helpers.hand`)."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from messenger.engine.engine import Engine
from tests.helpers.engines import fresh_port
from tests.helpers.keys import make_profile
from tests.helpers.patience import PATIENCE


class Person:
    """A window on a profile.

    Args:
        folder: The profile folder; see `prepare`.
        log: Where the error output of the window goes; it must stay empty.
    """

    def __init__(self, folder: Path, log: Path) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._window = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tests.helpers.hand", str(folder)],
                env=os.environ | {"QT_QPA_PLATFORM": "xcb"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._window.poll() is None:
            self._window.kill()
        self._window.communicate()

    def do(self, what: str, *args: str, patience: float = PATIENCE) -> Any:  # noqa: ANN401 -- depends on the command
        """Do something and return what came of it; waits until it can be done.

        Raises:
            AssertionError: It could not be done within so many seconds, or the window ended.
        """
        if self._window.stdin is None or self._window.stdout is None:
            raise AssertionError
        self._window.stdin.write(json.dumps({"do": what, "args": args, "patience": patience}) + "\n")
        self._window.stdin.flush()
        line = self._window.stdout.readline()
        assert line, f"the window is gone: {self._log.read_text()}"
        result = json.loads(line)["result"]
        assert not (isinstance(result, dict) and "error" in result), f"{result}\n{self._log.read_text()}"
        return result

    @property
    def pid(self) -> int:
        """Of the window."""
        return self._window.pid

    def ended(self) -> int:
        """Wait until the window has ended by itself; its exit code."""
        self._window.communicate(timeout=PATIENCE)
        return self._window.returncode

    def leave(self) -> None:
        """Close the window and wait for its end, which must be a clean one."""
        self.do("close")
        self._window.communicate(timeout=PATIENCE)
        assert self._window.returncode == 0, self._log.read_text()
        assert self._log.read_text() == ""


def prepare(folder: Path, who: str, name: str) -> None:
    """Make the profile of a test identity who has a name already, and a port that nobody else takes."""
    make_profile(folder, who)

    async def set_name() -> None:
        engine = Engine(folder, lambda _event: None)
        await engine.open()
        await engine.set_name(name)
        await engine.change_settings({"port": fresh_port()})
        await engine.stop()

    asyncio.run(set_name())
