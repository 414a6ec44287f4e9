"""Links that were opened outside of the window."""

import asyncio
from pathlib import Path

import pytest

from messenger.cli import app as command_line
from messenger.cli.exits import Exit
from messenger.cli.window import take_link
from messenger.control import raise_running
from messenger.gui.connect_sheet import ConnectSheet
from tests.gui.conftest import Desks
from tests.gui.test_window import unlock

LINK = "sotto://invite/AAAA"


class Opened:
    """Windows that only note what they are asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Path, str]] = []

    def prepare(self) -> None:
        """Nothing to be done."""

    def load(self) -> None:
        pass

    def open(self, folder: Path, link: str) -> int:
        self.asked.append((folder, link))
        return 0

    def demonstrate(self) -> int:
        raise AssertionError


def test_a_second_start_hands_its_link_over(desks: Desks) -> None:
    alice = desks("alice")
    alice.hands.run(alice.thread.answer_second_starts())
    assert alice.hands.run(asyncio.to_thread(raise_running, alice.folder, LINK))
    alice.hands.until(lambda: not alice.no_sheet(ConnectSheet))
    assert alice.sheet(ConnectSheet).field.text() == LINK


def test_a_link_that_comes_early_waits_for_the_passphrase(desks: Desks) -> None:
    alice = desks("alice", passphrase="correct horse", start=False)
    alice.window.follow(LINK)
    alice.start()
    assert alice.no_sheet(ConnectSheet)
    unlock(alice, "correct horse")
    alice.hands.until(lambda: not alice.no_sheet(ConnectSheet))
    assert alice.sheet(ConnectSheet).field.text() == LINK


@pytest.mark.parametrize(
    "before", [[], ["--profile", "FOLDER"], ["--profile=FOLDER"]], ids=["plain", "profile", "profile="]
)
def test_the_command_line_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: list[str]
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    opened = Opened()
    arguments = [word.replace("FOLDER", str(tmp_path / "mine")) for word in before]
    assert command_line.run([*arguments, LINK], opened) == Exit.OK
    ((folder, link),) = opened.asked
    assert link == LINK
    assert folder == (tmp_path / "mine" if before else tmp_path / "sotto")


def test_a_link_after_a_command_is_its_own() -> None:
    assert take_link(["chat", LINK]) == (["chat", LINK], "")
    assert take_link(["--profile", LINK])[1] in {"", LINK}


def test_a_link_that_is_too_long_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    opened = Opened()
    assert command_line.run(["sotto://" + "a" * 5_000], opened) == Exit.USAGE
    assert not opened.asked
    assert "too long" in capsys.readouterr().err


def test_the_desktop_file_says_that_links_are_opened() -> None:
    text = (Path(__file__).parents[2] / "resources" / "sotto.desktop").read_text(encoding="utf-8")
    assert "\nMimeType=x-scheme-handler/sotto;\n" in text
    assert "\nExec=sotto-window %u\n" in text
