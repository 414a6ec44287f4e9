"""A profile that is open in a window: a command says what to do there instead."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from messenger.cli.app import app
from messenger.cli.exits import Exit
from messenger.cli.kept import kept
from messenger.control import has_window
from messenger.text import terminal as words
from tests.helpers.engines import prepare
from tests.helpers.gui import PATIENCE_MS
from tests.helpers.terminal import Piped, run

PROFILELESS = {"relay", "demo", "import"}
"""Commands that use no profile, or one that is not there yet."""


@pytest.fixture
def alice(tmp_path: Path) -> Path:
    return prepare(tmp_path / "alice", "alice")


@contextmanager
def window(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The program on a profile, with a window that draws into memory."""
    command = [sys.executable, "-m", "messenger", "--profile", str(folder)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_window_is_named_and_what_it_does(alice: Path, qtbot: QtBot) -> None:
    with window(alice) as process:
        qtbot.waitUntil(lambda: has_window(alice), timeout=PATIENCE_MS)
        for command in (("contacts",), ("history", "Bob"), ("relays", "list")):
            done = run(*command, "--profile", str(alice))
            assert (done.code, done.sentence()) == (Exit.FAILED, words.in_use(command[0], window=True))
        process.kill()
        process.wait()
        assert not has_window(alice), "what a window left that was killed is none"


def test_a_terminal_is_not_taken_for_a_window(alice: Path) -> None:
    with Piped("listen", "--profile", str(alice)) as listening:
        listening.said(words.LISTENING)
        assert not has_window(alice)
        done = run("contacts", "--profile", str(alice))
    assert (done.code, done.sentence()) == (Exit.FAILED, words.in_use("contacts", window=False))


def test_every_command_on_a_profile_says_something_of_its_own() -> None:
    names = {command.name or "" for command in (*app.registered_commands, *kept.registered_commands)}
    said = [words.in_use(name, window=True) for name in sorted(names - PROFILELESS | {"relays"})]
    assert len(said) > 10
    assert words.in_use("", window=True) not in said
