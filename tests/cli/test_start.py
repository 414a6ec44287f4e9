"""What happens before anything happens: help, version, no display, no Qt, a second start, the vault."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import messenger
from messenger.cli.exits import Exit
from messenger.control import ControlServer
from messenger.crypto import keystore
from messenger.engine.events import Event, RaiseWindow
from messenger.text import log_damaged
from messenger.text import terminal as words
from tests.helpers.engines import DATABASE, fresh_port, prepare
from tests.helpers.storage import leave_damaged_log
from tests.helpers.terminal import ROOT, environment, run, sotto

HEAVY = ("PySide6", "qasync", "messenger.gui", "prompt_toolkit", "rich", "apsw", "messenger.engine.engine")


def test_the_version() -> None:
    done = run("--version")
    assert (done.code, done.out, done.err) == (Exit.OK, f"sotto {messenger.__version__}\n", "")


@pytest.mark.parametrize("command", ["listen", "chat", "demo"])
def test_every_command_has_help(command: str) -> None:
    done = run(command, "--help")
    assert done.code == Exit.OK
    assert f"sotto {command}" in done.out


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("chat",), ("listen", "--port", "x"), ("listen", "--expect", "abc")]
)
def test_wrong_usage_is_said(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.code == Exit.USAGE
    assert "Traceback" not in done.err
    assert done.err


def _loaded(program: str) -> list[str]:
    """Which of the heavy modules a program has loaded at its end."""
    look = f"import sys\n{program}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", look], env=environment(), capture_output=True, text=True, check=True
    )
    found: list[str] = eval(done.stdout.splitlines()[-1])  # noqa: S307 -- our own list
    return found


def test_the_command_line_loads_nothing_heavy() -> None:
    assert not _loaded("import messenger.__main__, messenger.cli.app, messenger.crypto.process")


@pytest.mark.parametrize("command", ["listen", "chat", "demo"])
def test_no_terminal_command_loads_qt(command: str) -> None:
    assert not {"PySide6", "qasync", "messenger.gui"} & set(
        _loaded(f"import messenger.cli.{command}, messenger.cli.runner, messenger.cli.talk")
    )


def test_without_a_display_one_sentence_says_what_works(tmp_path: Path) -> None:
    done = run("--profile", str(tmp_path / "profile"))
    assert done.code == Exit.USAGE
    assert done.sentence() == words.NO_DISPLAY
    assert not (tmp_path / "profile").exists()


@pytest.mark.parametrize(
    "display",
    [
        {"DISPLAY": ":4711"},
        {"WAYLAND_DISPLAY": "wayland-4711"},
        {"DISPLAY": ":4711", "WAYLAND_DISPLAY": "/nowhere", "QT_QPA_PLATFORM": "wayland;xcb"},
    ],
)
def test_a_display_that_does_not_answer_is_none(display: dict[str, str], tmp_path: Path) -> None:
    """As after a log-in over SSH, or by another user: Qt itself would end the process with a core dump."""
    done = run("--profile", str(tmp_path / "profile"), extra=display)
    assert done.code == Exit.USAGE
    assert done.sentence() == words.NO_DISPLAY
    assert not (tmp_path / "profile").exists()


@pytest.mark.parametrize("platform", ["xcb", "wayland", "wayland;xcb"])
def test_a_platform_that_needs_a_display_does_not_replace_it(platform: str, tmp_path: Path) -> None:
    done = run("--profile", str(tmp_path), extra={"QT_QPA_PLATFORM": platform})
    assert done.sentence() == words.NO_DISPLAY


@pytest.mark.parametrize(
    ("error", "what"),
    [
        ("libEGL.so.1: cannot open shared object file: No such file or directory", "libEGL.so.1"),
        ("No module named 'PySide6'", "PySide6"),
    ],
)
def test_a_missing_library_is_one_sentence(error: str, what: str, tmp_path: Path) -> None:
    broken = tmp_path / "PySide6"
    broken.mkdir()
    (broken / "__init__.py").write_text(f"raise ImportError({error!r}, name='PySide6')\n")
    path = {"PYTHONPATH": f"{tmp_path}:{environment()['PYTHONPATH']}", "QT_QPA_PLATFORM": "offscreen"}
    done = run("--profile", str(tmp_path / "profile"), extra=path)
    assert done.code == Exit.USAGE
    assert done.sentence() == words.no_qt(what)


async def test_a_second_start_raises_the_window_that_is_open(tmp_path: Path) -> None:
    events: list[Event] = []
    server = ControlServer(tmp_path, events.append)
    await server.start()
    done = await asyncio.to_thread(run, "--profile", str(tmp_path))
    await server.close()
    assert done.code == Exit.OK
    assert done.sentence() == words.RAISED
    assert events == [RaiseWindow()]


def test_the_packed_program_is_its_own_vault() -> None:
    greeting = b"\x92\xa5Ready\x00"
    done = subprocess.run(sotto("--vault"), input=b"", env=environment(), capture_output=True, check=True)
    assert done.stdout == len(greeting).to_bytes(4, "big") + greeting


@pytest.mark.skipif(sys.platform == "win32", reason="Windows writes no core files")
def test_a_crash_leaves_no_copy_of_the_memory() -> None:
    program = (
        "import resource, sys\n"
        "most = resource.getrlimit(resource.RLIMIT_CORE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (most, most))\n"
        "from messenger.__main__ import main\n"
        "sys.argv = ['sotto', '--version']\n"
        "try:\n    main()\n"
        "except SystemExit:\n    print(resource.getrlimit(resource.RLIMIT_CORE))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "(0, 0)"


def test_a_damaged_log_is_told(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "alice", "alice")
    leave_damaged_log(folder / DATABASE, keystore.unlock(folder, "").db_key)
    done = run("chat", f"127.0.0.1:{fresh_port()}", "--profile", str(folder))
    (kept,) = folder.glob(f"{DATABASE}.log.aside-*")
    assert done.code == Exit.UNREACHABLE
    assert done.err.splitlines()[0] == log_damaged(kept.name)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_that_cannot_be_written(option: str) -> None:
    done = run(option, prefix=("sh", "-c", 'exec "$@" >/dev/full', "sh"))
    assert done.code == Exit.FAILED
    assert done.sentence() == words.output_failed(os.strerror(errno.ENOSPC))


DEFAULT = ("env", "--default-signal=INT")
"""Whoever runs the tests in the background has them ignore interrupts."""


@pytest.mark.parametrize("ignored", [False, True])
def test_an_interrupt_while_the_program_loads(tmp_path: Path, *, ignored: bool) -> None:
    """It ends the program without a word, unless whoever started it wants interrupts to be ignored."""
    (tmp_path / "typer.py").write_text(
        "import importlib, os, signal, sys\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.path.remove(os.path.dirname(__file__))\n"
        "del sys.modules['typer']\n"
        "sys.modules['typer'] = importlib.import_module('typer')\n"
    )
    path = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    trap = "trap '' INT; " if ignored else ""
    done = run("--version", extra=path, prefix=(*DEFAULT, "sh", "-c", trap + 'exec "$@"', "sh"))
    assert done.err == ""
    assert done.code == (Exit.OK if ignored else -signal.SIGINT)
