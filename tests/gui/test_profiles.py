"""Other profiles: found, made by their names, and opened by a program of their own."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from messenger.core.errors import InputError
from messenger.core.profiles import DATABASE, default_folder, folder_for, others_folder
from messenger.engine.events import Event, RaiseWindow
from messenger.gui.first_run import FirstRunPage
from messenger.gui.profiles import ProfilesSheet, known, open_in_another
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.theme import Theme
from tests.gui.conftest import Desks
from tests.helpers.gui import Desk, Hands
from tests.helpers.mouse import Mouse


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


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
@pytest.mark.parametrize("stage", ["name", "passphrase", "unlock", "failed"])
def test_every_first_page_leads_to_the_profiles(desks: Desks, stage: str, way: str) -> None:
    desk = first_page(desks, stage)
    page = desk.window.pages.currentWidget()
    assert page is not None
    (press,) = [
        part for part in page.findChildren(QPushButton) if part.isVisible() and "Profiles" in part.text()
    ]
    if way == "mouse":
        Mouse(desk.hands).click(press)
    else:
        while desk.hands.focus() is not press:
            desk.hands.press(Qt.Key.Key_Tab)
        desk.hands.press(Qt.Key.Key_Return)
    sheet = desk.sheet(ProfilesSheet)
    desk.hands.press(Qt.Key.Key_Escape, widget=sheet)
    desk.hands.until(lambda: desk.no_sheet(ProfilesSheet))
    assert desk.window.pages.currentWidget() is page


def first_page(desks: Desks, stage: str) -> Desk:
    """A window at one of its first pages."""
    if stage == "unlock":
        return desks("alice", passphrase="correct horse").front()
    if stage == "failed":
        alice = desks("alice", start=False)
        (alice.folder / DATABASE).write_bytes(b"no database at all" * 1_000)
        alice.start()
        assert alice.window.start_page.error()
        return alice.front()
    new = desks(None).front()
    if stage == "passphrase":
        page = new.window.pages.currentWidget()
        assert isinstance(page, FirstRunPage)
        new.hands.type("Alice", page.name)
        new.hands.press(Qt.Key.Key_Return, widget=page.name)
    return new


def test_while_keys_are_made_nothing_leads_away(desks: Desks) -> None:
    new = desks(None)
    page = new.window.pages.currentWidget()
    assert isinstance(page, FirstRunPage)
    parts = page._work_page.findChildren(QPushButton)
    assert [part.text() for part in parts] == []
    assert not new.window.start_page.profiles_button.isVisible()
