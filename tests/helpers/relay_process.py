"""A relay in a process of its own, to be killed, looked into, and told to stop."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from messenger.core.ids import Fingerprint
from tests.helpers.keys import identity
from tests.helpers.patience import PATIENCE
from tests.helpers.relays import Visitor

ROOT: Final = Path(__file__).parent.parent.parent


class RelayProcess:
    """`python -m messenger.relay` on a folder that `tests.helpers.relays.prepare` made."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port
        self.fingerprint: Fingerprint = identity("bob").fingerprint
        self.told: list[str] = []
        """Lines of its standard output so far."""

    async def line(self, part: str) -> str:
        """Wait for a line of its output."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while True:
                line = (await self.process.stdout.readline()).decode()
                assert line, f"the relay has ended: {await self._last_words()}"
                self.told.append(line)
                if part in line:
                    return line

    async def _last_words(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    async def visitor(self) -> Visitor:
        """Somebody whose link is up."""
        return await (await Visitor.call(self.port, self.fingerprint)).up()

    async def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal and wait; returns exit code and what was said on standard error."""
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            _, error = await self.process.communicate()
        return self.process.returncode or 0, error.decode()


@asynccontextmanager
async def process_in(folder: Path, port: int, *flags: str) -> AsyncIterator[RelayProcess]:
    """A relay that is up; killed at the end if it still is."""
    arguments = ["--data", str(folder), "--host", "127.0.0.1", "--port", str(port), *flags]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "messenger.relay", *arguments,
        stdout=PIPE, stderr=PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    relay = RelayProcess(process, port)
    try:
        await relay.line("sotto://relay/")
        yield relay
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
