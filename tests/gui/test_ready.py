"""The first instant of a dialog: nothing can be chosen before it shows what holds, and nothing is lost."""

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QWidget

from messenger.core.settings import NewTimer, Settings, declared
from messenger.gui.host_sheet import HostSheet
from messenger.gui.keep_sheet import KeepSheet
from messenger.gui.relay_sheet import RelaySheet
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.sheet import Sheet
from messenger.gui.switches import Segments, Switch
from messenger.gui.verify_sheet import VerifySheet
from messenger.gui.widgets import NumberField
from tests.gui.conftest import Desks
from tests.gui.test_chat import choose, meet
from tests.gui.test_settings import stored
from tests.helpers.gui import Desk

SHOWING = (Switch, Segments, NumberField, QComboBox)
"""Controls that show what holds."""


def just_opened(desk: Desk, kind: type[Sheet], begin: Callable[[], object]) -> Sheet:
    """A dialog before Qt has gone on for a moment."""
    begin()
    (sheet,) = desk.window.findChildren(kind)
    assert isinstance(sheet, Sheet)
    return sheet


def opener(desk: Desk, kind: type[Sheet]) -> Callable[[], object]:
    actions = {SettingsSheet: "settings", HostSheet: "host", RelaySheet: "relay"}
    entries = {KeepSheet: "Keep messages…", VerifySheet: "Compare safety number…"}
    if kind in actions:
        return desk.window.commands.actions[actions[kind]].trigger
    return lambda: choose(desk, entries[kind])


def usable(sheet: Sheet) -> list[QWidget]:
    """Controls that somebody could change now."""
    return [part for kind in SHOWING for part in sheet.findChildren(kind) if part.isEnabled()]


@pytest.mark.parametrize("kind", [SettingsSheet, HostSheet, RelaySheet])
def test_nothing_can_be_chosen_before_it_shows_what_holds(desks: Desks, kind: type[Sheet]) -> None:
    alice = desks("alice").front()
    before = stored(alice)
    sheet = just_opened(alice, kind, opener(alice, kind))
    showing = [part for one in SHOWING for part in sheet.findChildren(one)]
    assert showing
    assert usable(sheet) == []
    for press in sheet.findChildren(QAbstractButton):
        if isinstance(press, Switch) or isinstance(press.parentWidget(), Segments):
            press.click()  # Qt does not go on meanwhile, as it would with events
    alice.hands.until(lambda: usable(sheet) == showing)
    assert stored(alice) == before


def test_a_switch_that_is_pressed_as_soon_as_it_can_be_counts(desks: Desks) -> None:
    alice = desks("alice", sound=False).front()
    sheet = just_opened(alice, SettingsSheet, opener(alice, SettingsSheet))
    assert isinstance(sheet, SettingsSheet)
    control = sheet.rows["sound"].control
    assert isinstance(control, Switch)
    assert Settings().sound, "the default is what was asked for, and not what holds"
    alice.hands.until(control.isEnabled)
    control.click()
    alice.hands.until(lambda: stored(alice).sound)
    assert control.isChecked()


def test_what_holds_is_shown_before_it_can_be_changed(desks: Desks) -> None:
    other = {"read_receipts": False, "new_timer": NewTimer.WEEK, "lanes": 7}
    alice = desks("alice", **other).front()
    sheet = just_opened(alice, SettingsSheet, opener(alice, SettingsSheet))
    assert isinstance(sheet, SettingsSheet)
    row = sheet.rows
    alice.hands.until(lambda: all(row[item.name].control.isEnabled() for item in declared()))
    receipts, lanes, timer = (row[name].control for name in ("read_receipts", "lanes", "new_timer"))
    assert isinstance(receipts, Switch)
    assert isinstance(lanes, NumberField)
    assert isinstance(timer, Segments)
    assert not receipts.isChecked()
    assert lanes.value() == 7
    assert timer._buttons[NewTimer.WEEK].isChecked()


def test_a_name_that_is_not_shown_yet_cannot_be_overwritten(desks: Desks) -> None:
    alice = desks("alice").front()
    sheet = just_opened(alice, SettingsSheet, opener(alice, SettingsSheet))
    assert isinstance(sheet, SettingsSheet)
    assert not sheet.name.isEnabled()
    sheet.save_button.click()
    alice.hands.until(lambda: sheet.name.text() == "Alice")
    assert sheet.name.isEnabled()


def test_enter_does_not_save_what_was_never_shown(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    conversation = alice.chat.conversation
    assert conversation is not None
    alice.call(alice.bridge.engine.keep_days, conversation, 9)
    sheet = just_opened(alice.front(), KeepSheet, opener(alice, KeepSheet))
    assert isinstance(sheet, KeepSheet)
    sheet.save_button.click()
    alice.hands.until(sheet.save_button.isEnabled)
    assert sheet.days.value() == 9
    assert alice.call(alice.bridge.engine.kept_days, conversation) == 9
    alice.hands.until(lambda: sheet.choice.isAncestorOf(sheet.focusWidget() or sheet))
    sheet.reject()


def test_nobody_is_verified_by_digits_that_are_not_there_yet(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    sheet = just_opened(alice.front(), VerifySheet, opener(alice, VerifySheet))
    assert isinstance(sheet, VerifySheet)
    assert not sheet.number().isdigit()
    sheet.confirm_button.click()
    assert not sheet.field.isEnabled()
    assert not sheet.compare_button.isEnabled()
    alice.hands.until(sheet.confirm_button.isEnabled)
    assert sheet.number().isdigit()
    contact = alice.contact("Bob")
    assert contact is not None
    assert not contact.verified
    sheet.reject()
