"""Every dialog there is: opened and left by mouse alone, and by keyboard alone; Esc closes each of them."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCompleter,
    QFileDialog,
    QLineEdit,
    QMenu,
    QWidget,
)

import messenger.gui
from messenger.gui.add_relay_sheet import AddRelaySheet
from messenger.gui.chat_window import ChatWindow
from messenger.gui.connect_sheet import ConnectSheet
from messenger.gui.contact_panel import PanelSheet
from messenger.gui.directory_sheet import DirectorySheet
from messenger.gui.first_run import FirstRunPage
from messenger.gui.host_sheet import HostSheet
from messenger.gui.invite_sheet import InviteSheet
from messenger.gui.keep_sheet import KeepSheet
from messenger.gui.message_sheets import DateSheet, DeleteSheet, InfoSheet, LinkSheet
from messenger.gui.new_key_sheet import NewKeySheet
from messenger.gui.profiles import ProfilesSheet
from messenger.gui.relay_sheet import RelaySheet
from messenger.gui.relays_sheet import RelaysSheet
from messenger.gui.safe_sheets import (
    ArchiveSheet,
    ExportSheet,
    ImportSheet,
    PassphraseSheet,
    RestoreSheet,
    SafeSheet,
)
from messenger.gui.send_sheet import SendSheet
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.sheet import ConfirmSheet, RenameSheet, Sheet, TextSheet
from messenger.gui.shortcuts_sheet import ShortcutsSheet
from messenger.gui.switcher import Switcher
from messenger.gui.timer_menu import TimerSheet
from messenger.gui.transfers_sheet import TransfersSheet
from messenger.gui.verify_sheet import VerifySheet
from tests.gui.conftest import Desks
from tests.gui.test_access import told
from tests.gui.test_chat import meet
from tests.gui.test_deeds import say
from tests.gui.test_files import file
from tests.gui.test_first_run import first_run
from tests.helpers.gui import Desk
from tests.helpers.mouse import Mouse

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
RIGHT = Qt.MouseButton.RightButton
LONG = ("word " * 2_000).strip()
LINK = "https://boats.example/list"
STEPS = 80
"""Most presses of Tab or an arrow that lead anywhere."""
LEAVING = ("Close", "Cancel", "Done", "Not now")
"""What buttons say that leave a dialog as it was."""

New, More, Message = "New conversation", "Conversation menu", "Menu of the message"

WAYS: dict[type[Sheet], tuple[str, ...]] = {
    ConnectSheet: (New, "Connect…"),
    InviteSheet: (New, "Show my invite…"),
    TransfersSheet: (New, "Transfers…"),
    DirectorySheet: (New, "Find people at a relay…"),
    RelaySheet: (New, "Host a relay…"),
    HostSheet: ("Host: how others reach you",),
    SettingsSheet: ("Settings",),
    VerifySheet: ("Not verified: compare the safety number",),
    RenameSheet: (More, "Rename…"),
    TimerSheet: (More, "Disappearing messages: Off", "Other time…"),
    KeepSheet: (More, "Keep messages…"),
    DateSheet: (More, "Jump to a date…"),
    ConfirmSheet: (More, "Delete conversation…"),
    InfoSheet: (Message, "Info"),
    DeleteSheet: (Message, "Delete…"),
    TextSheet: (Message, "Show all"),
    LinkSheet: (Message, f"Open {LINK}"),
    SendSheet: ("Send files", "Files…", "FILE"),
    NewKeySheet: ("Settings", "PAGE Profile", "Make a new key…"),
    RelaysSheet: ("Settings", "PAGE Network", "Relays…"),
    AddRelaySheet: ("Settings", "PAGE Network", "Relays…", "Add"),
    PassphraseSheet: ("Settings", "PAGE Privacy", "Set a passphrase…"),
    RestoreSheet: ("Settings", "PAGE Storage and backup", "Go back to it…"),
    ExportSheet: ("Settings", "PAGE Storage and backup", "Export the profile…", "FILE"),
    ProfilesSheet: ("Settings", "PAGE Advanced", "Profiles…"),
    ShortcutsSheet: ("Settings", "PAGE Advanced", "Keyboard shortcuts"),
}
"""Each dialog of the main window, with the buttons and entries that lead to it."""

ELSEWHERE: frozenset[type[Sheet]] = frozenset({ImportSheet, PanelSheet, Switcher})
"""Dialogs with tests of their own below."""
COMMON: frozenset[type[Sheet]] = frozenset({Sheet, SafeSheet, ArchiveSheet})
"""What others are made of."""


def kinds() -> set[type[Sheet]]:
    """Every dialog that the source has."""
    found: set[type[Sheet]] = set()
    for module in pkgutil.iter_modules(messenger.gui.__path__):
        for _name, thing in inspect.getmembers(importlib.import_module(f"messenger.gui.{module.name}")):
            if inspect.isclass(thing) and issubclass(thing, Sheet):
                found.add(thing)
    return found


def test_the_list_is_whole() -> None:
    assert kinds() == set(WAYS) | ELSEWHERE | COMMON


class Person:
    """Somebody who goes from one control to the next; by mouse or by keyboard, never by both.

    Args:
        desk: Where.
        path: A file, for dialogs that ask for one.
    """

    def __init__(self, desk: Desk, path: Path) -> None:
        self.desk, self.hands, self._path = desk, desk.hands, path

    def go(self, *way: str) -> None:
        """Follow a way."""
        for step in way:
            where = QApplication.activeModalWidget() or self.desk.window
            menu = QApplication.activePopupWidget()
            if isinstance(menu, QMenu):
                self.entry(menu, step)
            elif step == Message:
                self.message_menu()
            elif step == "FILE":
                self.give_file()
            elif step.startswith("PAGE "):
                self.page(where, step.removeprefix("PAGE "))
            else:
                self.button(where, step)

    def entry(self, menu: QMenu, words: str) -> None:
        """Choose an entry of the menu that is open."""
        raise NotImplementedError

    def message_menu(self) -> None:
        """Open the menu of the last message."""
        raise NotImplementedError

    def page(self, where: QWidget, name: str) -> None:
        """Turn to a page of the settings."""
        raise NotImplementedError

    def button(self, where: QWidget, words: str) -> None:
        """Press a button."""
        raise NotImplementedError

    def confirm(self, dialog: QFileDialog, name: QLineEdit) -> None:
        """Take what is written in the field of a file dialog."""
        raise NotImplementedError

    def leave(self, sheet: Sheet) -> None:
        """Close a dialog and change nothing."""
        raise NotImplementedError

    def give_file(self) -> None:
        """Write the path of a file into the dialog that asks for one."""
        dialog = self.desk.sheet(QFileDialog)
        name = dialog.findChild(QLineEdit, "fileNameEdit")
        assert isinstance(name, QLineEdit)
        name.setCompleter(QCompleter())  # the list of the other one may lie on the button
        name.selectAll()
        saves = dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave
        self.hands.type(str(self._path.with_name("new") if saves else self._path), name)
        self.confirm(dialog, name)

    def listed(self, where: QWidget) -> QWidget:
        assert isinstance(where, SettingsSheet)
        self.hands.until(lambda: bool(where.storage.sizes.text()))
        return where.pages


class ByMouse(Person):
    """Presses what can be seen."""

    def __init__(self, desk: Desk, path: Path) -> None:
        super().__init__(desk, path)
        self.mouse = Mouse(desk.hands)

    def entry(self, menu: QMenu, words: str) -> None:  # noqa: ARG002 -- it is the one in front
        self.mouse.choose(words.replace("&&", "&"))

    def message_menu(self) -> None:
        view = self.desk.chat.view
        view.scrollToBottom()
        view.executeDelayedItemsLayout()
        at = view.visualRect(self.desk.chat.model.index(self.desk.chat.model.rowCount() - 1)).bottomLeft()
        spot = view.viewport().mapTo(self.desk.window, at + QPoint(40, -12))
        QTest.mouseClick(self.desk.window.windowHandle(), RIGHT, Qt.KeyboardModifier.NoModifier, spot)
        self.hands.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))

    def page(self, where: QWidget, name: str) -> None:
        self.listed(where)
        assert isinstance(where, SettingsSheet)
        row = next(row for row in range(where.pages.count()) if where.pages.item(row).text() == name)
        self.mouse.click_row(where.pages, where.pages.model().index(row, 0))

    def button(self, where: QWidget, words: str) -> None:
        self.mouse.click(found(where, words))

    def confirm(self, dialog: QFileDialog, name: QLineEdit) -> None:  # noqa: ARG002 -- it is written already
        presses = [one for one in dialog.findChildren(QAbstractButton) if one.text() in {"&Open", "&Save"}]
        self.mouse.click(presses[0])

    def leave(self, sheet: Sheet) -> None:
        self.mouse.click(next(found(sheet, words) for words in LEAVING if has(sheet, words)))


class ByKeyboard(Person):
    """Goes with Tab and arrows, presses with Enter, leaves with Esc."""

    def entry(self, menu: QMenu, words: str) -> None:
        for _step in range(STEPS):
            action = menu.activeAction()
            if action is not None and action.text() == words:
                into = action.menu() is not None
                self.hands.press(Qt.Key.Key_Right if into else Qt.Key.Key_Return, widget=menu)
                return
            self.hands.press(Qt.Key.Key_Down, widget=menu)
        raise AssertionError(f"arrows do not lead to {words!r}")

    def message_menu(self) -> None:
        self.tab_to("Messages")
        self.hands.press(Qt.Key.Key_End)
        self.hands.press(Qt.Key.Key_F10, SHIFT)
        self.hands.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))

    def page(self, where: QWidget, name: str) -> None:
        self.listed(where)
        assert isinstance(where, SettingsSheet)
        self.tab_to("Pages of the settings")
        for _step in range(where.pages.count()):
            if where.pages.currentItem().text() == name:
                return
            self.hands.press(Qt.Key.Key_Down)
        raise AssertionError(f"arrows do not lead to {name!r}")

    def button(self, where: QWidget, words: str) -> None:
        self.hands.until(lambda: (now := QApplication.focusWidget()) is not None and now.window() is where)
        self.tab_to(words)
        self.hands.press(Qt.Key.Key_Return)

    def confirm(self, dialog: QFileDialog, name: QLineEdit) -> None:  # noqa: ARG002 -- the cursor is there
        self.hands.press(Qt.Key.Key_Return, widget=name)

    def leave(self, sheet: Sheet) -> None:
        self.hands.until(lambda: sheet.isAncestorOf(QApplication.focusWidget() or self.desk.window))
        self.hands.press(Qt.Key.Key_Escape)

    def tab_to(self, name: str) -> None:
        for _step in range(STEPS):
            if told(self.hands.focus()) == name:
                return
            self.hands.press(Qt.Key.Key_Tab)
        raise AssertionError(f"Tab does not lead to {name!r}")


def called(one: QAbstractButton, words: str) -> bool:
    return one.isVisible() and words in {one.accessibleName(), one.text().replace("&", "")}


def has(where: QWidget, words: str) -> bool:
    return any(called(one, words) for one in where.findChildren(QAbstractButton) if one.window() is where)


def found(where: QWidget, words: str) -> QAbstractButton:
    """The button that says this, in one window."""
    parts = where.findChildren(QAbstractButton)
    return next(one for one in parts if one.window() is where and called(one, words))


Maker = Callable[[Desk, Path], Person]


@pytest.mark.parametrize("maker", [ByMouse, ByKeyboard])
def test_every_dialog_is_opened_and_left(desks: Desks, tmp_path: Path, maker: Maker) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    alice.call(alice.bridge.engine.back_up)
    person = maker(alice, file(tmp_path / "plan.bin", 10))
    say(bob, alice, LINK)
    for kind, way in sorted(WAYS.items(), key=lambda entry: entry[0] is TextSheet):  # another message
        if kind is TextSheet:
            say(bob, alice, LONG)
        alice.front()
        alice.chat.composer.box.setFocus()
        person.go(*way)
        alice.hands.until(lambda kind=kind: not alice.no_sheet(kind))  # type: ignore[misc]
        sheet = alice.sheet(kind)
        person.leave(sheet)
        alice.hands.until(lambda kind=kind: alice.no_sheet(kind))  # type: ignore[misc]
        while (above := QApplication.activeModalWidget()) is not None:
            assert isinstance(above, Sheet)
            above.activateWindow()  # as window managers do
            alice.hands.until(above.isActiveWindow)
            person.leave(above)
            alice.hands.until(lambda above=above: QApplication.activeModalWidget() is not above)  # type: ignore[misc]
    contact = alice.contact("Bob")
    assert contact is not None
    assert not contact.verified, "nothing was changed"


@pytest.mark.parametrize("maker", [ByMouse, ByKeyboard])
def test_the_import_of_a_profile_is_opened_and_left(desks: Desks, tmp_path: Path, maker: Maker) -> None:
    new = desks(None).front()
    person = maker(new, file(tmp_path / "profile.sotto-profile", 10))
    person.go("I have an exported profile…", "FILE")
    new.hands.until(lambda: not new.no_sheet(ImportSheet))
    person.leave(new.sheet(ImportSheet))
    new.hands.until(lambda: new.no_sheet(ImportSheet))
    assert isinstance(first_run(new), FirstRunPage)


@pytest.mark.parametrize("maker", [ByMouse, ByKeyboard])
def test_the_panel_of_a_window_of_its_own_is_opened_and_left(
    desks: Desks, tmp_path: Path, maker: Maker
) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    person = maker(alice.front(), tmp_path)
    person.go(More, "Open in a window of its own")
    [window] = [one for one in QApplication.topLevelWidgets() if isinstance(one, ChatWindow)]
    alice.hands.until(window.isActiveWindow)
    person.button(window, "Contact info")
    [sheet] = window.findChildren(PanelSheet)
    alice.hands.until(sheet.isActiveWindow)
    person.leave(sheet)
    alice.hands.until(lambda: not any(one.isVisible() for one in window.findChildren(PanelSheet)))
    assert window.isVisible(), "Esc closed the dialog alone"


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_somebody_is_chosen_in_the_switcher_and_it_is_left(desks: Desks, way: str) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    alice.front().page.leave_conversation()
    for chooses in (False, True):
        alice.hands.press(Qt.Key.Key_K, CONTROL, alice.front().window)
        sheet = alice.sheet(Switcher)
        alice.hands.until(lambda sheet=sheet: sheet.list.model().rowCount() > 0)  # type: ignore[misc]
        if not chooses:
            alice.hands.press(Qt.Key.Key_Escape)
        elif way == "mouse":
            Mouse(alice.hands).click_row(sheet.list, sheet.list.model().index(0, 0))
        else:
            alice.hands.press(Qt.Key.Key_Return)
        alice.hands.until(lambda: alice.no_sheet(Switcher))
        assert (alice.chat.conversation is not None) is chooses


def test_a_dialog_gives_the_cursor_back_to_where_it_was(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    box = alice.front().chat.composer.box
    box.setFocus()
    alice.hands.press(Qt.Key.Key_H, CONTROL)
    alice.sheet(HostSheet)
    alice.hands.press(Qt.Key.Key_Escape)
    alice.hands.until(lambda: alice.no_sheet(HostSheet))
    alice.hands.until(alice.front().window.isActiveWindow)
    assert alice.window.focusWidget() is box
