"""Which command lines open a window without the parser, and which are left to it."""

from pathlib import Path

import pytest

from messenger.cli.exits import Exit
from messenger.cli.window import run_plain
from messenger.core import limits
from messenger.core.profiles import default_folder
from messenger.text import terminal as words

LINK = "sotto:connect#abc"


class Opened:
    """Windows that are not there."""

    def __init__(self, missing: str = "") -> None:
        self.missing = missing
        self.asked: list[tuple[Path, str]] = []

    def prepare(self) -> None:
        """Nothing to be done."""

    def load(self) -> None:
        """Say what is missing, if something is."""
        if self.missing:
            raise ImportError(self.missing, name="PySide6")

    def open(self, folder: Path, link: str) -> int:
        """Note what was asked."""
        self.asked.append((folder, link))
        return 7

    def demonstrate(self) -> int:
        """Nobody asks for that."""
        raise AssertionError


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("display")
@pytest.mark.parametrize("link", ["", LINK])
def test_a_window_and_nothing_else(link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    usual, named = Path(default_folder()), tmp_path / "p"
    for before, folder in (
        ([], usual),
        (["--profile", str(named)], named),
        ([f"--profile={named}"], named),
        (["--profile", "p"], named),
        (["--profile", "~/p"], named),
    ):
        windows = Opened()
        assert run_plain([*before, *([link] if link else [])], windows) == 7
        assert windows.asked == [(folder, link)]


@pytest.mark.usefixtures("display")
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["listen"],
        ["chat", LINK],
        ["--profile"],
        ["--profile="],
        ["--profile", ""],
        ["--profile", "--help"],
        ["--profile", "p", "listen"],
        ["--profile", "p", "--profile", "q"],
        ["--profile", "~nobody-of-that-name/p"],
        ["--profile", "\udcff"],
        ["--profile=p", "contacts"],
        [LINK, LINK],
        ["sotto:" + "x" * limits.INVITE_TEXT_MAX],
    ],
)
def test_the_rest_is_for_the_parser(arguments: list[str]) -> None:
    windows = Opened()
    assert run_plain(arguments, windows) is None
    assert windows.asked == []


@pytest.mark.usefixtures("display")
def test_what_is_missing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_plain([], Opened("libEGL.so.1: cannot open shared object file")) == Exit.USAGE
    assert capsys.readouterr().err.strip() == words.no_qt("libEGL.so.1")
