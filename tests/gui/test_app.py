"""The program as it is started: one window a profile, and an orderly end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from messenger.control import raise_running
from tests.helpers.engines import prepare
from tests.helpers.gui import PATIENCE_MS
from tests.helpers.patience import PATIENCE


@contextmanager
def program(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program on a profile, in a process of its own, drawing into memory."""
    command = [sys.executable, "-m", "messenger", "--profile", str(folder)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_second_start_raises_the_first_and_a_signal_ends_it(
    qtbot: QtBot, tmp_path: Path, end: signal.Signals
) -> None:
    folder = prepare(tmp_path / "alice", "alice")
    with program(folder) as first:
        qtbot.waitUntil(lambda: raise_running(folder), timeout=PATIENCE_MS)
        with program(folder) as second:
            assert second.wait(PATIENCE) == 0
        assert first.poll() is None
        first.send_signal(end)
        assert first.wait(PATIENCE) == 0
        assert first.stderr is not None
        assert b"Traceback" not in first.stderr.read()
    assert not raise_running(folder)
