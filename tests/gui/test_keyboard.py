"""Everything by keyboard, and everything named for those who cannot see it."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from messenger.gui.add_relay_sheet import AddRelaySheet
from messenger.gui.connect_sheet import ConnectSheet
from messenger.gui.directory_sheet import DirectorySheet
from messenger.gui.host_sheet import HostSheet
from messenger.gui.invite_sheet import InviteSheet
from messenger.gui.keep_sheet import KeepSheet
from messenger.gui.relays_sheet import RelaysSheet
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.sheet import ConfirmSheet, RenameSheet, Sheet
from messenger.gui.shortcuts_sheet import ShortcutsSheet
from messenger.gui.switcher import Switcher
from messenger.gui.verify_sheet import VerifySheet
from tests.gui.conftest import Desks
from tests.gui.test_chat import choose, knock, meet
from tests.helpers.gui import Desk

CONTROLS = (QAbstractButton, QLineEdit, QPlainTextEdit, QAbstractItemView)

EVERYWHERE = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier

Opener = Callable[[Desk], QWidget]


def header(desk: Desk, words: str, kind: type[Sheet]) -> QWidget:
    choose(desk, words)
    return desk.sheet(kind)


def action(desk: Desk, name: str, kind: type[Sheet]) -> QWidget:
    desk.window.commands.actions[name].trigger()
    return desk.sheet(kind)


def with_panel(desk: Desk) -> QWidget:
    desk.chat.info_asked.emit()
    assert desk.page.panel.isVisible()
    return desk.window


def relays(desk: Desk) -> QWidget:
    settings = action(desk, "settings", SettingsSheet)
    assert isinstance(settings, SettingsSheet)
    settings.relays_button.click()
    return desk.sheet(RelaysSheet)


def relay_link(desk: Desk) -> QWidget:
    desk.window.commands.open_connect("sotto://relay/AAAA")
    return desk.sheet(AddRelaySheet)


PLACES: dict[str, Opener] = {
    "main window": lambda desk: desk.window,
    "connect": lambda desk: action(desk, "connect", ConnectSheet),
    "host": lambda desk: action(desk, "host", HostSheet),
    "people at a relay": lambda desk: action(desk, "people", DirectorySheet),
    "relays": relays,
    "use a relay": relay_link,
    "settings": lambda desk: action(desk, "settings", SettingsSheet),
    "verify": lambda desk: header(desk, "Compare safety number…", VerifySheet),
    "rename": lambda desk: header(desk, "Rename…", RenameSheet),
    "keep": lambda desk: header(desk, "Keep messages…", KeepSheet),
    "keys": lambda desk: action(desk, "keys", ShortcutsSheet),
    "invite": lambda desk: action(desk, "show", InviteSheet),
    "switch": lambda desk: action(desk, "switch", Switcher),
    "panel": with_panel,
    "delete": lambda desk: header(desk, "Delete conversation…", ConfirmSheet),
}


def controls(place: QWidget) -> list[QWidget]:
    """Everything in sight that a person can use."""
    found = [part for kind in CONTROLS for part in place.findChildren(kind)]
    return [part for part in found if part.isVisible() and part.isEnabled() and part.window() is place]


@pytest.mark.parametrize("place", PLACES)
def test_every_control_has_a_name_and_can_be_reached_with_tab(desks: Desks, place: str) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    widget = PLACES[place](alice.front())
    named = controls(widget)
    assert named
    for part in named:
        interface = QAccessible.queryAccessibleInterface(part)
        assert interface.text(QAccessible.Text.Name), f"{part} has no name"
        assert interface.role() is not QAccessible.Role.NoRole
    reached: list[QWidget] = []
    for _step in range(3 * len(named) + 5):
        alice.hands.press(Qt.Key.Key_Tab)
        focused = alice.hands.focus()
        if focused in reached:
            break
        reached.append(focused)
    missed = [part for part in named if part not in reached and not served(part, reached)]
    assert not missed


def served(part: QWidget, reached: list[QWidget]) -> bool:
    """Whether keys do what a control does that Tab does not lead to.

    Arrows lead to the other buttons of a group; Esc clears a search, Ctrl+E shows a passphrase.
    """
    if isinstance(part.parentWidget(), QLineEdit):
        return True
    group = part.group() if isinstance(part, QAbstractButton) else None
    return group is not None and any(
        isinstance(other, QAbstractButton) and other.group() is group for other in reached
    )


def test_the_order_is_that_of_reading(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    alice.front()
    alice.hands.press(Qt.Key.Key_F, EVERYWHERE, alice.window)
    order = [alice.hands.focus().accessibleName()]
    while len(order) < 13:
        alice.hands.press(Qt.Key.Key_Tab)
        order.append(alice.hands.focus().accessibleName())
    assert order == [
        "Search people and messages",
        "New conversation",
        "Host: how others reach you",
        "Settings",
        "Conversations",
        "Not verified: compare the safety number",
        "Search in this conversation (Ctrl+F)",
        "Contact info",
        "Conversation menu",
        "Messages",
        "Write a message",
        "Send files",
        "Choose an emoji",
    ]


def test_a_whole_conversation_without_a_mouse(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    knock(alice, bob)
    hands = bob.hands
    bob.front()
    for _step in range(20):
        hands.press(Qt.Key.Key_Tab)
        if hands.focus() is bob.chat.gate.accept_button:
            break
    hands.press(Qt.Key.Key_Space)
    hands.until(bob.chat.composer.isVisible)
    bob.front()
    hands.press(Qt.Key.Key_F, EVERYWHERE, bob.window)
    hands.type("alice")
    hands.press(Qt.Key.Key_Down)
    hands.press(Qt.Key.Key_Escape)
    for _step in range(20):
        hands.press(Qt.Key.Key_Tab)
        if hands.focus() is bob.chat.composer.box:
            break
    hands.type("no mouse here")
    hands.press(Qt.Key.Key_Return)
    hands.until(lambda: alice.texts() == ["no mouse here"])


def test_conversations_are_changed_with_alt_and_arrows(desks: Desks) -> None:
    alice, bob, carol = desks("alice"), desks("bob"), desks("carol")
    meet(alice, bob)
    meet(alice, carol)
    alice.front()
    first = alice.chat.conversation
    alice.hands.press(Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier, alice.window)
    second = alice.chat.conversation
    assert first != second
    alice.hands.press(Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier, alice.window)
    assert alice.chat.conversation == first
    alice.hands.press(Qt.Key.Key_Escape, widget=alice.chat.composer.box)
    assert alice.chat.conversation is None
    assert alice.page.empty.isVisible()
