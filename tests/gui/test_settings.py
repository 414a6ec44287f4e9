"""The Settings dialog, built from the declarations."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QScrollArea

from messenger.core.settings import OpenDoor, Page, Settings, declared
from messenger.core.settings import Theme as Choice
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.switches import Segments, Switch
from messenger.gui.theme import Theme
from messenger.gui.widgets import NumberField
from messenger.text import catalogue
from tests.gui.conftest import Desks
from tests.helpers.engines import fresh_port
from tests.helpers.gui import Desk


def settings(desk: Desk) -> SettingsSheet:
    desk.front()
    desk.hands.press(Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier, desk.window)
    sheet = desk.sheet(SettingsSheet)
    desk.hands.until(lambda: bool(sheet.name.text()))
    return sheet


def turn_to(desk: Desk, sheet: SettingsSheet, name: str) -> None:
    """Choose the page on which a setting stands, by keyboard."""
    page = next(item.page for item in declared() if item.name == name)
    sheet.pages.setFocus()
    while sheet.pages.currentRow() != 1 + list(Page).index(page):
        desk.hands.press(Qt.Key.Key_Down, widget=sheet.pages)
    assert sheet.rows[name].isVisible()


def stored(desk: Desk) -> Settings:
    return desk.call(desk.bridge.engine.settings)


def test_every_setting_has_a_row_with_what_holds(desks: Desks) -> None:
    alice = desks("alice", read_receipts=False)
    sheet = settings(alice)
    assert set(sheet.rows) == {item.name for item in declared()}
    now = stored(alice)
    for name, row in sheet.rows.items():
        value, control = getattr(now, name), row.control
        if isinstance(control, Switch):
            assert control.isChecked() == value
        elif isinstance(control, NumberField):
            assert control.value() == value
        else:
            assert isinstance(control, Segments)
            assert control._buttons[value].isChecked()


def test_the_names_of_all_pages_fit(desks: Desks) -> None:
    pages = settings(desks("alice")).pages
    assert pages.sizeHintForColumn(0) <= pages.viewport().width()


def test_no_page_is_wider_than_the_dialog(desks: Desks) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    for row in range(sheet.pages.count()):
        sheet.pages.setCurrentRow(row)
        area = sheet._stack.currentWidget()
        assert isinstance(area, QScrollArea)
        alice.hands.until(area.isVisible)
        page = area.widget()
        assert page is not None
        assert page.minimumSizeHint().width() <= area.viewport().width(), sheet.pages.item(row).text()


def test_a_page_asks_for_no_more_height_than_its_words_take(desks: Desks) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    turn_to(alice, sheet, "notify")
    area = sheet._stack.currentWidget()
    assert isinstance(area, QScrollArea)
    alice.hands.until(sheet.rows["notify"].isVisible)
    page = area.widget()
    assert page is not None
    layout = page.layout()
    assert layout is not None
    assert layout.totalMinimumSize().height() <= layout.totalHeightForWidth(area.viewport().width())


@pytest.mark.parametrize("name", ["listen", "reconnect", "read_receipts", "enter_sends"])
def test_a_switch_applies_at_once(desks: Desks, name: str) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    turn_to(alice, sheet, name)
    control = sheet.rows[name].control
    assert isinstance(control, QAbstractButton)
    before = getattr(stored(alice), name)
    alice.hands.click(control)
    alice.hands.until(lambda: getattr(stored(alice), name) is not before)
    assert control.isChecked() is not before


def test_enter_can_break_the_line_from_now_on(desks: Desks) -> None:
    alice = desks("alice")
    alice.call(alice.bridge.engine.change_settings, {"enter_sends": False})
    alice.hands.until(lambda: not alice.chat.composer.box.enter_sends)


def test_colours_change_at_once_and_are_remembered(desks: Desks, theme: Theme) -> None:
    alice = desks("alice", theme=Choice.LIGHT)
    sheet = settings(alice)
    turn_to(alice, sheet, "theme")
    control = sheet.rows["theme"].control
    assert isinstance(control, Segments)
    alice.hands.click(control._buttons[Choice.DARK])
    alice.hands.until(lambda: theme.dark)
    assert stored(alice).theme is Choice.DARK
    alice.hands.click(control._buttons[Choice.LIGHT])
    alice.hands.until(lambda: not theme.dark)
    alice.hands.until(lambda: alice.window._remembered.text("theme") == "light")


def test_the_port_is_checked_in_the_field_and_applied(desks: Desks) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    turn_to(alice, sheet, "port")
    field = sheet.rows["port"].control
    assert isinstance(field, NumberField)
    before = stored(alice).port
    field.selectAll()
    alice.hands.type("99999", field)
    alice.hands.press(Qt.Key.Key_Return, widget=field)
    assert stored(alice).port == before
    port = fresh_port()
    field.selectAll()
    alice.hands.type(str(port), field)
    alice.hands.press(Qt.Key.Key_Return, widget=field)
    alice.hands.until(lambda: stored(alice).port == port)
    alice.hands.until(lambda: alice.address().endswith(f":{port}"))


def test_a_value_that_is_not_taken_is_explained_beside_it(desks: Desks) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    turn_to(alice, sheet, "port")
    sheet._on_change("port", 0)  # no field lets it through; the engine does not either
    row = sheet.rows["port"]
    alice.hands.until(row.error.isVisible)
    assert "Port" in row.error.text()
    sheet._on_change("port", fresh_port())
    alice.hands.until(lambda: not row.error.isVisible())


def test_a_choice_applies_at_once(desks: Desks) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    turn_to(alice, sheet, "open_door")
    control = sheet.rows["open_door"].control
    assert isinstance(control, Segments)
    alice.hands.click(control._buttons[OpenDoor.EVERYBODY])
    alice.hands.until(lambda: stored(alice).open_door is OpenDoor.EVERYBODY)


def test_the_name_is_changed_and_others_see_it(desks: Desks) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    sheet.name.selectAll()
    alice.hands.type("Alice Example", sheet.name)
    alice.hands.press(Qt.Key.Key_Return, widget=sheet.name)
    alice.hands.until(lambda: alice.window.windowTitle() == "Alice Example · Sotto")
    alice.hands.until(lambda: "changed" in sheet.notice.text())
    assert sheet.isVisible()
    assert "passphrase protects better" in sheet._protection.text()


def test_a_name_that_shows_nothing_is_refused_in_place(desks: Desks) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    sheet.name.setText(" \u200b ")
    alice.hands.click(sheet.save_button)
    alice.hands.until(sheet.name_error.isVisible)
    assert alice.call(alice.bridge.engine.me).name == "Alice"
    QTest.keyClicks(sheet.name, "x")
    assert not sheet.name_error.isVisible()


def test_a_change_from_elsewhere_is_shown(desks: Desks) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    control = sheet.rows["read_receipts"].control
    assert isinstance(control, Switch)
    alice.call(alice.bridge.engine.change_settings, {"read_receipts": False})
    alice.hands.until(lambda: not control.isChecked())


def test_the_language_is_chosen_for_the_next_start(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    alice = desks("alice")
    sheet = settings(alice)
    box = sheet.language.box
    alice.hands.until(lambda: box.count() > 2)
    assert box.currentData() == ""
    box.setCurrentIndex(box.findData("de"))
    box.activated.emit(box.currentIndex())
    alice.hands.until(lambda: "again" in sheet.notice.text())
    assert catalogue.chosen() == "de"


def test_it_says_where_the_profile_is_and_what_it_is_made_of(desks: Desks) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    assert sheet.advanced.folder.text() == str(alice.folder)
    alice.hands.until(lambda: bool(sheet.made_of.licences.text()))
    lines = sheet.made_of.licences.text().split("\n")
    for name in ("PySide6_Essentials", "cryptography", "segno"):
        (line,) = [line for line in lines if line.lower().startswith(name.lower())]
        assert not line.endswith("· ?")
