"""An X server of a test's own, which may die."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class XServer:
    """Draws into memory.

    Args:
        process: The server.
        display: What programs get as ``DISPLAY``.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", display: str) -> None:
        self._process = process
        self.display = display

    def die(self) -> None:
        """End without a word to anybody."""
        self._process.kill()
        self._process.wait()


@contextmanager
def x_server(folder: Path) -> Iterator[XServer]:
    """A server that is up; its log goes into a folder."""
    reading, writing = os.pipe()
    with (folder / "xvfb.log").open("wb") as log, os.fdopen(reading) as told:
        command = [
            "Xvfb",
            "-displayfd",
            str(writing),
            "-screen",
            "0",
            "1600x1000x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ]
        process = subprocess.Popen(command, pass_fds=[writing], stdout=log, stderr=log)
        os.close(writing)
        server = XServer(process, f":{told.readline().strip()}")
        try:
            yield server
        finally:
            server.die()
