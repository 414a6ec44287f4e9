"""Other profiles: found, made by their names, and opened by a program of their own."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from messenger.core.errors import InputError
from messenger.core.profiles import DATABASE, default_folder, folder_for, others_folder
from messenger.engine.events import Event, RaiseWindow
from messenger.gui.profiles import ProfilesSheet, known, open_in_another
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.theme import Theme
from tests.gui.conftest import Desks
from tests.helpers.gui import Desk, Hands


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def made(folder: Path) -> Path:
    """A folder that looks like a profile."""
    folder.mkdir(parents=True)
    (folder / DATABASE).touch()
    return folder


def profiles(desk: Desk) -> ProfilesSheet:
    desk.front()
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    desk.hands.press(Qt.Key.Key_P, both, desk.window)
    return desk.sheet(ProfilesSheet)


def test_where_they_are() -> None:
    assert known(Path("/nowhere")) == []
    usual, work = made(Path(default_folder())), made(Path(folder_for("Work")))
    (Path(others_folder()) / "no profile").mkdir()
    assert [folder for _name, folder in known(Path("/nowhere"))] == [usual, work]
    assert known(usual) == [("Work", work)]


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "CON", "\u202ework", ".hidden"])
def test_a_name_leads_nowhere_else(name: str) -> None:
    folder, around = Path(folder_for(name)), Path(others_folder())
    assert folder.parent == around
    assert folder.resolve().parent == around.resolve()
    assert not folder.name.startswith(".")


@pytest.mark.parametrize("name", ["", "   ", "x" * 65])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(InputError):
        folder_for(name)


def test_one_that_is_there_and_one_that_is_made(hands: Hands, theme: Theme, desks: Desks) -> None:
    alice, work = desks("alice"), made(Path(folder_for("Work")))
    asked: list[Path] = []

    def opener(folder: Path) -> bool:
        asked.append(folder)
        return True

    sheet = ProfilesSheet(alice.window, theme, alice.folder, opener)
    sheet.open()
    hands.until(lambda: bool(sheet.buttons))
    (one,) = sheet.buttons
    assert isinstance(one, QPushButton)
    assert one.text() == "Work"
    hands.click(one)
    assert asked == [work]
    again = ProfilesSheet(alice.window, theme, alice.folder, opener)
    again.open()
    hands.until(lambda: bool(again.buttons))
    again.name.setText("Club")
    hands.press(Qt.Key.Key_Return, widget=again.name)
    assert asked == [work, Path(folder_for("Club"))]
    assert not again.isVisible()


def test_what_cannot_be_opened_is_said(hands: Hands, theme: Theme, desks: Desks) -> None:
    alice = desks("alice")
    sheet = ProfilesSheet(alice.window, theme, Path(folder_for("Here")), lambda _folder: False)
    sheet.open()
    for typed in ("", "Here", "Club"):
        sheet.error.hide()
        sheet.name.setText(typed)
        hands.click(sheet.go_button)
        assert sheet.error.isVisible()
        assert sheet.isVisible()
    sheet.reject()


def test_another_program_is_started_on_it(desks: Desks) -> None:
    """Here on a profile that is open already, so that its window comes to the front and nothing stays."""
    alice = desks("alice")
    alice.hands.run(alice.thread.answer_second_starts())
    seen: list[Event] = []
    alice.bridge.events.connect(seen.extend)
    assert open_in_another(alice.folder)
    alice.hands.until(lambda: any(isinstance(event, RaiseWindow) for event in seen))


def test_the_ways_there(desks: Desks) -> None:
    alice = desks("alice", passphrase="correct horse", start=False)
    alice.start()
    profiles(alice).reject()  # while it is locked
    bob = desks("bob")
    bob.front()
    bob.hands.press(Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier, bob.window)
    settings = bob.sheet(SettingsSheet)
    settings.pages.setCurrentRow(settings.pages.count() - 2)
    bob.hands.click(settings.advanced.profiles_button)
    assert not settings.isVisible()
    bob.sheet(ProfilesSheet).reject()
