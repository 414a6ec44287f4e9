"""A relay of the demonstration's own, in a process of its own."""

import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import messenger
from messenger.core import relay_limits
from messenger.core.errors import ConnectError, Reason

_LINK: Final = re.compile(r"sotto://relay/\S+")
_LINE_MAX: Final = 64 * 1024
"""Most bytes of a line that it prints: an envelope's in hexadecimal, and what is said of it."""


class RelayProcess:
    """`sotto relay` on a folder; make one with `relay_in`.

    Args:
        output: What it prints.
    """

    def __init__(self, output: asyncio.StreamReader) -> None:
        self._output = output
        self._news = asyncio.Event()
        self._ended = False
        self.lines: list[str] = []
        """All that it has printed."""
        self.on_line: Callable[[str], None] = lambda _line: None
        """Called with what it prints from now on, line by line."""

    @property
    def link(self) -> str:
        """By which people use it; empty before it is up."""
        return next((found.group() for line in self.lines if (found := _LINK.search(line))), "")

    @property
    def envelopes(self) -> list[tuple[int, bytes]]:
        """What came in: how many bytes each has, and as much of it as is printed."""
        told = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [(each["bytes"], bytes.fromhex(each["hex"])) for each in told if each["event"] == "in"]

    async def read(self) -> None:
        """Take what it prints, until it ends."""
        while line := await self._output.readline():
            self.lines.append(line.decode(errors="replace"))
            self.on_line(self.lines[-1])
            self._news.set()
        self._ended = True
        self._news.set()

    async def up(self) -> None:
        """Wait until people can use it.

        Raises:
            ConnectError: It has ended instead.
        """
        while not self.link:
            await self._more()

    async def holds(self, count: int) -> list[tuple[int, bytes]]:
        """Wait until more than so many envelopes have come in; those behind them."""
        while len(self.envelopes) <= count:
            await self._more()
        return self.envelopes[count:]

    async def _more(self) -> None:
        if self._ended:
            raise ConnectError(Reason.NOBODY)
        self._news.clear()
        await self._news.wait()


@asynccontextmanager
async def relay_in(folder: Path) -> AsyncIterator[RelayProcess]:
    """A relay that is up, on this computer alone; it ends with the block, and with this process.

    Args:
        folder: For its keys, which are made now, and its database.

    Raises:
        ConnectError: It does not start.
    """
    flags = ["--data", str(folder), "--host", "127.0.0.1", "--port", "0", "--until-input-ends"]
    flags += ["--show-traffic", "--traffic-bytes", str(relay_limits.TRAFFIC_HEX_MAX)]
    process = await asyncio.create_subprocess_exec(
        *_command(), *flags,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=_environment(), limit=_LINE_MAX,
    )  # fmt: skip
    relay = RelayProcess(process.stdout or asyncio.StreamReader())
    reading = asyncio.create_task(relay.read())
    try:
        await relay.up()
        yield relay
    finally:
        if not reading.done():  # else it is on its way out, and a signal takes its exit status from asyncio
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await process.wait()
        await reading


def _command() -> list[str]:
    """The program again: packaged, or this very package, wherever we were started."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "relay"]
    return [sys.executable, "-P", "-m", "messenger", "relay"]


def _environment() -> dict[str, str]:
    paths = [str(Path(messenger.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
