"""The list of keys (Ctrl+/) and the keys themselves: neither knows one that the other does not."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from messenger.gui.chat_window import ChatWindow
from messenger.gui.shortcuts_sheet import KEYS, ShortcutsSheet
from tests.gui.conftest import Desks
from tests.gui.test_chat import meet
from tests.helpers.gui import Desk

CONTROL = Qt.KeyboardModifier.ControlModifier
NATIVE = QKeySequence.SequenceFormat.NativeText


def listed(desk: Desk) -> list[tuple[str, str]]:
    """The list: keys, and what they do."""
    desk.hands.press(Qt.Key.Key_Slash, CONTROL, desk.window)
    sheet = desk.sheet(ShortcutsSheet)
    lines = [line.split(": ", 1) for line in sheet.lines]
    desk.hands.press(Qt.Key.Key_Escape, widget=sheet)
    desk.hands.until(lambda: desk.no_sheet(ShortcutsSheet))
    return [(keys, words) for keys, words in lines]


def real(root: QWidget) -> dict[str, str]:
    """Every key that Qt knows in a window: keys, and what they do."""
    found: dict[str, str] = {}
    for action in [*root.actions(), *root.findChildren(QAction)]:
        for keys in action.shortcuts():
            text = action.text().rstrip("…")
            assert found.setdefault(keys.toString(NATIVE), text) == text, f"{keys.toString()} does two things"
    for shortcut in root.findChildren(QShortcut):
        found[shortcut.key().toString(NATIVE)] = shortcut.whatsThis()
    return found


def test_every_key_of_the_window_is_listed_with_what_it_does_and_no_other(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    lines = listed(alice.front())
    places = [
        (QKeySequence(keys).toString(NATIVE) or keys, words) for _title, rows in KEYS for keys, words in rows
    ]
    assert lines[-len(places) :] == places
    anywhere = lines[: -len(places)]
    assert len(dict(anywhere)) == len(anywhere)
    assert dict(anywhere) == real(alice.window)


def test_the_list_tells_what_it_always_told(desks: Desks) -> None:
    lines = listed(desks("alice").front())
    for line in (
        ("Ctrl+K", "Go to conversation"),
        ("Ctrl++", "Everything larger"),
        ("Ctrl+=", "Everything larger"),
        ("Ctrl+Q", "Quit"),
        ("Ctrl+/", "Keyboard shortcuts"),
    ):
        assert line in lines


def test_the_keys_of_a_window_of_its_own_are_listed_too(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    lines = dict(listed(alice.front()))
    alice.page.windows.take_shown()
    conversation = alice.chat.conversation or alice.page.sidebar.shown
    assert conversation is not None
    window = alice.page.windows.window(conversation)
    assert isinstance(window, ChatWindow)
    missing = {keys: words for keys, words in real(window).items() if keys not in lines}
    assert missing == {}
    differs = {
        keys: (words, lines[keys])
        for keys, words in real(window).items()
        if words not in {lines[keys], "Close"}  # in such a window it closes that one
    }
    assert differs == {}


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_it_closes_again(desks: Desks, way: str) -> None:
    alice = desks("alice").front()
    alice.hands.press(Qt.Key.Key_Slash, CONTROL, alice.window)
    sheet = alice.sheet(ShortcutsSheet)
    if way == "mouse":
        alice.hands.click(sheet.close_button)
    else:
        alice.hands.press(Qt.Key.Key_Return)
    alice.hands.until(lambda: alice.no_sheet(ShortcutsSheet))
