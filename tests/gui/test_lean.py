"""What a started window has loaded, and what it shows before it does anything else."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from pytestqt.qtbot import QtBot

from messenger.control import raise_running
from tests.helpers.engines import prepare
from tests.helpers.gui import PATIENCE_MS
from tests.helpers.patience import PATIENCE

SCRIPT: Final = """
import atexit, builtins, json, sys
from messenger import __main__ as program

told = {"import": builtins.__import__.__module__, "painted": False, "before": []}
load = program._Windows.load

def watched(self):
    load(self)
    from messenger.gui import app, engine_thread
    told["same import"] = builtins.__import__ is own
    shown, begin = app.MainWindow.__init__, engine_thread.EngineThread.begin

    def watch(window, *arguments, **named):
        shown(window, *arguments, **named)
        window.painted.connect(lambda: told.update(painted=True))

    async def begun(thread):
        told["before"] = told["before"] or [told["painted"], sorted(sys.modules)]
        await begin(thread)

    app.MainWindow.__init__, engine_thread.EngineThread.begin = watch, begun

own = builtins.__import__
program._Windows.load = watched
atexit.register(lambda: print(json.dumps({**told, "after": sorted(sys.modules)})))
program.main()
"""

NEVER: Final = frozenset(
    {
        "_hashlib",
        "_ssl",
        "ssl",
        "html.entities",
        "plistlib",
        "mimetypes",
        "http",
        "email",
        "importlib.metadata",
    }
    | {f"messenger.gui.{name}" for name in ("emoji_picker", "message_sheets", "send_sheet")}
    | {"PySide6.QtNetwork", "PySide6.QtDBus", "PySide6.QtOpenGL", "typer", "rich", "prompt_toolkit"}
)
"""What a window that is open, and has no link yet, has no use for."""

LINKS: Final = frozenset({"cryptography", "_cffi_backend", "Crypto", "zeroconf", "segno", "blake3"})
"""What is loaded with the first link, or when it is asked for."""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_a_window_loads_what_it_shows_and_shows_it_before_all_else(qtbot: QtBot, tmp_path: Path) -> None:
    folder = prepare(tmp_path / "alice", "alice")
    command = [sys.executable, "-c", SCRIPT, "--profile", str(folder)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            qtbot.waitUntil(lambda: raise_running(folder), timeout=PATIENCE_MS)
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0
    told = json.loads(said)
    painted, before = told["before"]
    assert painted, "the engine was started before the window was painted"
    assert "messenger.engine.engine" in before
    for loaded in (before, told["after"]):
        assert sorted((NEVER | LINKS) & set(loaded)) == []
    assert told["same import"], "every import would read the source of what it imports"
