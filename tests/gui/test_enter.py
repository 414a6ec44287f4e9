"""The Enter key in dialogs: it does what has the cursor, or presses the one button of that very dialog."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from messenger.gui.add_relay_sheet import AddRelaySheet
from messenger.gui.new_key_sheet import NewKeySheet
from messenger.gui.relays_sheet import RelaysSheet
from messenger.gui.safe_sheets import PassphraseSheet
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.sheet import ConfirmSheet, RenameSheet, Sheet
from messenger.gui.switches import Switch
from messenger.gui.theme import Theme
from messenger.gui.verify_sheet import VerifySheet
from tests.gui.conftest import Desks
from tests.gui.test_chat import choose, meet
from tests.gui.test_settings import settings
from tests.helpers.gui import PATIENCE_MS, Desk, Hands

ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Asking(Sheet):
    """A field, and buttons that are counted."""

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent, theme, "Asking")
        self.pressed: list[str] = []
        self.field = QLineEdit()
        self.switch = Switch(theme, "On")
        self.body.addWidget(self.field)
        self.body.addWidget(self.switch)
        self.plain = self.add_button("Plain")
        self.main = self.add_button("Main", "primary")
        for part in (self.plain, self.main):
            part.clicked.connect(lambda _on=False, part=part: self.pressed.append(part.text()))


@pytest.fixture
def asking(qtbot: QtBot, theme: Theme) -> Iterator[Asking]:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    yield opened(qtbot, Asking(window, theme))
    window.close()


def opened(qtbot: QtBot, sheet: Asking) -> Asking:
    sheet.open()
    qtbot.waitUntil(sheet.isActiveWindow, timeout=PATIENCE_MS)
    return sheet


@pytest.mark.parametrize("key", ENTERS)
def test_enter_in_a_field_presses_the_main_button(hands: Hands, asking: Asking, key: Qt.Key) -> None:
    asking.field.setFocus()
    hands.press(key)
    assert asking.pressed == ["Main"]


def test_enter_on_a_switch_presses_the_main_button(hands: Hands, asking: Asking) -> None:
    asking.switch.setFocus()
    hands.press(Qt.Key.Key_Return)
    assert asking.pressed == ["Main"]


def test_a_button_that_cannot_be_used_is_not_pressed(hands: Hands, asking: Asking) -> None:
    asking.field.setFocus()
    asking.main.setEnabled(False)
    hands.press(Qt.Key.Key_Return)
    assert asking.pressed == []


@pytest.mark.parametrize("key", ENTERS)
def test_enter_on_a_button_presses_that_one(hands: Hands, asking: Asking, key: Qt.Key) -> None:
    asking.plain.setFocus()
    hands.press(key)
    assert asking.pressed == ["Plain"]


def test_a_field_that_uses_enter_presses_nothing(hands: Hands, asking: Asking) -> None:
    used: list[str] = []
    asking.field.returnPressed.connect(lambda: used.append("field"))
    asking.field.setFocus()
    hands.press(Qt.Key.Key_Return)
    assert (used, asking.pressed) == (["field"], [])


def test_a_dialog_that_a_field_opens_is_not_answered_by_the_same_key(
    qtbot: QtBot, hands: Hands, theme: Theme, asking: Asking
) -> None:
    inner = Asking(asking, theme)
    asking.field.returnPressed.connect(inner.open)
    asking.field.setFocus()
    hands.press(Qt.Key.Key_Return)
    qtbot.waitUntil(inner.isActiveWindow, timeout=PATIENCE_MS)
    assert (asking.pressed, inner.pressed) == ([], [])
    inner.field.setFocus()
    hands.press(Qt.Key.Key_Return)
    assert (asking.pressed, inner.pressed) == ([], ["Main"])


def test_the_buttons_of_a_dialog_above_are_not_those_of_the_one_below(
    qtbot: QtBot, hands: Hands, theme: Theme, asking: Asking
) -> None:
    inner = opened(qtbot, Asking(asking, theme))
    asking.main.setAutoDefault(False)
    asking.main.setDefault(False)
    hands.press(Qt.Key.Key_Return, widget=asking)
    assert (asking.pressed, inner.pressed) == ([], [])


# --- the dialogs of the program ---


def verifying(alice: Desk) -> VerifySheet:
    choose(alice.front(), "Compare safety number…")
    sheet = alice.sheet(VerifySheet)
    alice.hands.until(lambda: "·" not in sheet.number())
    return sheet


@pytest.mark.parametrize("digits", ["0" * 60, "12345", ""], ids=["different", "too short", "nothing"])
def test_wrong_digits_and_enter_verify_nobody(desks: Desks, digits: str) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    sheet = verifying(alice)
    alice.hands.type(digits, sheet.field)
    alice.hands.press(Qt.Key.Key_Return, widget=sheet.field)
    alice.hands.until(lambda: bool(sheet.notice.text()))
    alice.hands.until(lambda: not sheet.tasks._running)
    contact = alice.contact("Bob")
    assert contact is not None
    assert not contact.verified


def test_enter_on_take_back_takes_back(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    sheet = verifying(alice)
    sheet.confirm_button.setFocus()
    alice.hands.press(Qt.Key.Key_Return)
    alice.hands.until(lambda: (found := alice.contact("Bob")) is not None and found.verified)
    sheet.undo_button.setFocus()
    alice.hands.press(Qt.Key.Key_Return)
    alice.hands.until(lambda: (found := alice.contact("Bob")) is not None and not found.verified)


def relays(sheet: SettingsSheet) -> tuple[QPushButton, type[Sheet]]:
    sheet.pages.setCurrentRow(1)
    return sheet.relays_button, RelaysSheet


def new_key(sheet: SettingsSheet) -> tuple[QPushButton, type[Sheet]]:
    return sheet.new_key_button, NewKeySheet


def passphrase(sheet: SettingsSheet) -> tuple[QPushButton, type[Sheet]]:
    sheet.pages.setCurrentRow(2)
    return sheet.protection.set_button, PassphraseSheet


@pytest.mark.parametrize("way", [relays, new_key, passphrase])
def test_enter_opens_what_stands_above_the_settings_and_answers_nothing(
    desks: Desks, way: Callable[[SettingsSheet], tuple[QPushButton, type[Sheet]]]
) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    press, kind = way(sheet)
    alice.hands.until(press.isVisible)
    press.setFocus()
    alice.hands.press(Qt.Key.Key_Return)
    inner = alice.sheet(kind)
    assert inner.isVisible()
    assert not inner.notice.text()
    alice.hands.press(Qt.Key.Key_Escape, widget=inner)
    alice.hands.until(lambda: alice.no_sheet(kind))
    assert sheet.isVisible()


def test_a_link_of_a_relay_and_enter_ask_first(desks: Desks) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    sheet.pages.setCurrentRow(1)
    alice.hands.click(sheet.relays_button)
    known = alice.sheet(RelaysSheet)
    alice.hands.type("sotto://relay/AAAA", known.field)
    alice.hands.press(Qt.Key.Key_Return, widget=known.field)
    alice.hands.until(lambda: not alice.no_sheet(AddRelaySheet))
    asked = alice.sheet(AddRelaySheet)
    assert not asked.tasks._running
    assert known.isVisible()


def test_enter_saves_a_name(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    choose(alice.front(), "Rename…")
    sheet = alice.sheet(RenameSheet)
    alice.hands.type("Robert", sheet.field)
    alice.hands.press(Qt.Key.Key_Return, widget=sheet.field)
    alice.hands.until(lambda: alice.contact("Robert") is not None)


def test_a_question_that_cannot_be_taken_back_is_left_by_enter(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    choose(alice.front(), "Delete conversation…")
    alice.sheet(ConfirmSheet)
    alice.hands.press(Qt.Key.Key_Return)
    alice.hands.until(lambda: alice.no_sheet(ConfirmSheet))
    assert alice.contact("Bob") is not None
