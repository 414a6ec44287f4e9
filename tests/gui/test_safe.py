"""What protects a profile, and its way elsewhere and back in time, by the Settings dialog."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from messenger.core.settings import Page
from messenger.gui.first_run import FirstRunPage
from messenger.gui.safe_sheets import ExportSheet, ImportSheet, PassphraseSheet, RestoreSheet
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.unlock import UnlockPage
from tests.gui.conftest import Desks
from tests.gui.test_chat import meet
from tests.gui.test_deeds import say
from tests.gui.test_settings import settings
from tests.helpers.gui import Desk


def page_of(desk: Desk, page: Page) -> SettingsSheet:
    """Open the dialog at a page."""
    sheet = settings(desk)
    sheet.pages.setCurrentRow(1 + list(Page).index(page))
    desk.hands.until(lambda: bool(sheet.storage.sizes.text()))
    return sheet


def confirm(desk: Desk, sheet: QWidget, *typed: str) -> None:
    """Fill the fields of a dialog in their order, and press its button."""
    assert isinstance(sheet, PassphraseSheet | ExportSheet | ImportSheet | RestoreSheet)
    for field, text in zip(sheet.fields, typed, strict=True):
        field.clear()
        desk.hands.type(text, field)
    desk.hands.click(sheet.action_button)


def test_a_passphrase_is_set_changed_and_removed(desks: Desks) -> None:
    alice = desks("alice")
    part = page_of(alice, Page.PRIVACY).protection
    assert "file" in part.words.text()
    alice.hands.click(part.set_button)
    sheet = alice.sheet(PassphraseSheet)
    confirm(alice, sheet, "ladder rope", "ladder")
    assert "different" in sheet.error.text()
    confirm(alice, sheet, "ladder rope", "ladder rope")
    alice.hands.until(part.change_button.isVisible)
    assert "passphrase" in part.words.text()
    alice.hands.click(part.change_button)
    changing = alice.sheet(PassphraseSheet)
    confirm(alice, changing, "wrong", "bridge heights", "bridge heights")
    alice.hands.until(lambda: "does not open" in changing.error.text())
    confirm(alice, changing, "ladder rope", "bridge heights", "bridge heights")
    alice.hands.until(lambda: alice.no_sheet(PassphraseSheet))
    alice.hands.click(part.remove_button)
    confirm(alice, alice.sheet(PassphraseSheet), "bridge heights")
    alice.hands.until(part.set_button.isVisible)
    assert alice.call(alice.bridge.engine.me).protection == "file"


def test_a_backup_is_made_and_gone_back_to(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    say(alice, bob, "before")
    sheet = page_of(alice, Page.STORAGE)
    part = sheet.storage
    assert not part.restore_button.isEnabled()
    assert "Bob: 1 message, " in part.sizes.text()
    alice.hands.click(part.back_up_button)
    alice.hands.until(lambda: part.list.count() == 1 and "checked" in sheet.notice.text())
    sheet.accept()
    say(alice, bob, "after")
    part = page_of(alice, Page.STORAGE).storage
    alice.hands.click(part.restore_button)
    alice.hands.until(lambda: not alice.no_sheet(RestoreSheet))
    alice.hands.click(alice.sheet(RestoreSheet).action_button)
    alice.hands.until(
        lambda: alice.window.conversations is not None and "as it was" in alice.page.notice.text()
    )
    alice.front().open_chat("Bob")
    assert alice.texts() == ["before"]


def test_going_back_with_a_wrong_passphrase_changes_nothing(desks: Desks) -> None:
    alice = desks("alice", "ladder rope", start=False)
    alice.start()
    unlock = alice.window.pages.currentWidget()
    assert isinstance(unlock, UnlockPage)
    alice.hands.type("ladder rope", unlock.field)
    alice.hands.press(Qt.Key.Key_Return, widget=unlock.field)
    alice.hands.until(lambda: alice.window.conversations is not None)
    alice.call(alice.bridge.engine.back_up)
    part = page_of(alice, Page.STORAGE).storage
    alice.hands.click(part.restore_button)
    alice.hands.until(lambda: not alice.no_sheet(RestoreSheet))
    confirm(alice, alice.sheet(RestoreSheet), "wrong")
    alice.hands.until(lambda: isinstance(alice.window.pages.currentWidget(), UnlockPage))
    again = alice.window.pages.currentWidget()
    assert isinstance(again, UnlockPage)
    alice.hands.until(lambda: "does not open" in again.notice.text())
    alice.hands.type("ladder rope", again.field)
    alice.hands.press(Qt.Key.Key_Return, widget=again.field)
    alice.hands.until(lambda: alice.window.conversations is not None)


@pytest.mark.parametrize("passphrase", ["", "new here"])
def test_a_profile_moves_in_one_file(desks: Desks, tmp_path: Path, passphrase: str) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    say(alice, bob, "take me along")
    path = tmp_path / "alice.sotto-profile"
    sheet = page_of(alice, Page.STORAGE)
    sheet.storage.write_export(path)
    confirm(alice, alice.sheet(ExportSheet), "for the way", "for the way")
    alice.hands.until(lambda: str(path) in sheet.notice.text())
    alice.close()
    moved = desks(None)
    first = moved.window.pages.currentWidget()
    assert isinstance(first, FirstRunPage)
    assert first.import_button.isVisible()
    first.import_from(path)
    importing = moved.sheet(ImportSheet)
    confirm(moved, importing, "wrong", "", "")
    moved.hands.until(lambda: bool(importing.error.text()))
    moved.hands.until(importing.action_button.isEnabled)
    confirm(moved, importing, "for the way", passphrase, passphrase)
    moved.hands.until(lambda: moved.window.conversations is not None)
    moved.front().open_chat("Bob")
    assert moved.texts() == ["take me along"]
    expected = "passphrase" if passphrase else "file"
    assert moved.call(moved.bridge.engine.me).protection == expected


def test_closing_the_dialog_while_a_backup_is_made_does_no_harm(desks: Desks) -> None:
    alice = desks("alice")
    sheet = page_of(alice, Page.STORAGE)
    alice.hands.click(sheet.storage.back_up_button)
    sheet.accept()
    alice.hands.until(lambda: alice.no_sheet(SettingsSheet))
    assert len(alice.call(alice.bridge.engine.backups)) <= 1
