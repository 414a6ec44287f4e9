"""All transfers in one place: the panel, the line of the window, the list of a contact, the settings."""

import os
import sys
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtTest import QTest

from messenger.core.settings import Page
from messenger.core.transfer_deeds import FileDeed
from messenger.core.transfers import Transfer, TransferId, TransferState
from messenger.gui.file_deeds import is_program
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.sheet import ConfirmSheet
from messenger.gui.transfer_list import TransferList
from messenger.gui.transfers_sheet import TransfersSheet
from tests.gui.conftest import Desks
from tests.gui.test_files import MIB, both, file, friends, newest, offered, press, sentence, stands
from tests.helpers.gui import Desk

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def two(desks: Desks, tmp_path: Path) -> tuple[Desk, Desk]:
    return friends(desks, tmp_path)


@pytest.fixture
def slow(desks: Desks, tmp_path: Path) -> tuple[Desk, Desk]:
    return friends(desks, tmp_path, send_limit=64)


def panel(desk: Desk) -> TransfersSheet:
    """Open the panel by its keys."""
    desk.front().hands.press(Qt.Key.Key_J, CONTROL, desk.window)
    return desk.sheet(TransfersSheet)


def rows(shown: TransferList) -> list[str]:
    """Headings, and names of what stands below them."""
    found = [shown.rows.row(place) for place in range(shown.rows.rowCount())]
    return [row if isinstance(row, str) else row.names[0] for row in found]


def click(shown: TransferList, transfer: Transfer, deed: FileDeed) -> None:
    card, rect = shown.card(transfer)
    spot = next(spot for found, spot in card.buttons if found is deed)
    QTest.mouseClick(shown.viewport(), LEFT, NONE, (rect.topLeft() + spot.center()).toPoint())


def now(desk: Desk) -> Transfer:
    found = newest(desk)
    assert found is not None
    return found


def test_the_panel_lists_what_goes_on_and_has_the_same_buttons(
    slow: tuple[Desk, Desk], tmp_path: Path
) -> None:
    alice, bob = slow
    offered(alice, bob, file(tmp_path / "film.mkv", 4 * MIB))
    sheet = panel(bob)
    assert rows(sheet.list) == ["Waiting", "film.mkv"]
    click(sheet.list, now(bob), FileDeed.ACCEPT)
    bob.hands.until(lambda: rows(sheet.list) == ["Going on", "film.mkv"])
    bob.hands.until(lambda: "1 transfer running" in sheet.total.text() and "/s" in sheet.total.text())
    assert bob.page.transfers.isVisible()
    assert "1 transfer running" in bob.page.transfers.words.text()
    hands = bob.hands
    sheet.list.setFocus(Qt.FocusReason.TabFocusReason)
    hands.press(Qt.Key.Key_Tab, widget=sheet.list)
    hands.press(Qt.Key.Key_Return, widget=sheet.list)
    hands.until(lambda: rows(sheet.list) == ["Waiting", "film.mkv"])
    assert "Paused by you" in sheet.list.rows.index(1).data()
    hands.press(Qt.Key.Key_Tab, widget=sheet.list)
    hands.press(Qt.Key.Key_Tab, widget=sheet.list)
    hands.press(Qt.Key.Key_Return, widget=sheet.list)
    hands.until(lambda: rows(sheet.list) == ["Not done", "film.mkv"])
    hands.until(lambda: not bob.page.transfers.isVisible())
    hands.click(sheet.clear_button)
    hands.until(lambda: rows(sheet.list) == [])
    assert sheet.empty.isVisible()
    assert not sheet.clear_button.isEnabled()


def test_what_was_cleared_away_stays_away(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    offered(alice, bob, file(tmp_path / "a.txt", 1))
    press(bob, FileDeed.DECLINE)
    both(two, TransferState.DECLINED)
    sheet = panel(bob)
    bob.hands.click(sheet.clear_button)
    sheet.accept()
    offered(alice, bob, file(tmp_path / "b.txt", 1))
    book = bob.chat.files.book
    assert [transfer.names[0] for transfer in book.listed()] == ["b.txt"]
    book.hide_to(book.cleared_to)
    assert [transfer.names[0] for transfer in book.listed()] == ["b.txt"]


def test_enter_leads_from_the_panel_to_the_message(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    offered(alice, bob, file(tmp_path / "a.txt", 1))
    bob.page.leave_conversation()
    sheet = panel(bob)
    sheet.list.setFocus(Qt.FocusReason.TabFocusReason)
    bob.hands.press(Qt.Key.Key_Return, widget=sheet.list)
    bob.hands.until(lambda: bob.chat.conversation is not None)
    assert bob.chat.view._paint.flash == now(bob).message


def test_shared_files_of_a_contact(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    offered(alice, bob, file(tmp_path / "a.txt", 1))
    offered(alice, bob, file(tmp_path / "b.txt", 1))
    bob.hands.until(lambda: newest(bob) is not None and now(bob).names == ("b.txt",))
    bob.front().window.resize(1300, 900)
    bob.page.toggle_panel()
    info = bob.page.panel.info
    assert rows(info.files) == ["b.txt", "a.txt"]
    click(info.files, now(bob), FileDeed.DECLINE)
    bob.hands.until(lambda: stands(bob, TransferState.DECLINED))


def test_a_program_is_not_opened_without_a_question(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    offered(alice, bob, file(tmp_path / "holiday.jpg.exe", 5))
    assert "A program (.exe)" in sentence(bob)
    press(bob, FileDeed.ACCEPT)
    both(two, TransferState.DONE)
    opened: list[str] = []

    def opens(url: QUrl) -> bool:
        opened.append(url.toLocalFile())
        return True

    bob.chat.files.deeds.opens = opens
    press(bob, FileDeed.OPEN)
    sheet = bob.sheet(ConfirmSheet)
    assert opened == []
    sheet.reject()
    bob.hands.until(lambda: bob.no_sheet(ConfirmSheet))
    assert opened == []
    press(bob, FileDeed.OPEN)
    bob.hands.click(bob.sheet(ConfirmSheet).action_button)
    press(bob, FileDeed.SHOW)
    assert opened == [str(tmp_path / "got" / "holiday.jpg.exe"), str(tmp_path / "got")]


def opening(desk: Desk, opened: list[str]) -> None:
    """Note what would be opened instead of opening it."""

    def opens(url: QUrl) -> bool:
        opened.append(url.toLocalFile())
        return True

    desk.chat.files.deeds.opens = opens


def asked(desk: Desk) -> ConfirmSheet:
    """The question that comes after a look at the file."""
    desk.hands.until(lambda: not desk.no_sheet(ConfirmSheet))
    return desk.sheet(ConfirmSheet)


@pytest.mark.skipif(sys.platform == "win32", reason="there a name alone says what runs")
@pytest.mark.parametrize(
    "content", [b"#!/bin/sh\ntouch /tmp/x\n", b"\x7fELF\x02\x01\x01"], ids=["script", "ELF"]
)
@pytest.mark.parametrize("name", ["holiday", "holiday.jpg"])
def test_nor_one_whose_name_does_not_say_so(
    two: tuple[Desk, Desk], tmp_path: Path, name: str, content: bytes
) -> None:
    alice, bob = two
    sent = tmp_path / name
    sent.write_bytes(content)
    sent.chmod(0o755)
    offered(alice, bob, sent)
    press(bob, FileDeed.ACCEPT)
    both(two, TransferState.DONE)
    got = tmp_path / "got" / name
    assert os.access(got, os.X_OK), "the right to run it has travelled"
    opened: list[str] = []
    opening(bob, opened)
    press(bob, FileDeed.OPEN)
    asked(bob).reject()
    bob.hands.until(lambda: bob.no_sheet(ConfirmSheet))
    press(bob, FileDeed.OPEN)
    sheet = asked(bob)
    assert opened == []
    bob.hands.click(sheet.action_button)
    assert opened == [str(got)]


def test_what_no_system_runs_is_opened_without_a_question(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    """A picture from a disk that lets everything be run; a script that nobody may run."""
    alice, bob = two
    opened: list[str] = []
    opening(bob, opened)
    for name, content, mode in (("a.jpg", b"\xff\xd8\xff\xe0", 0o755), ("notes", b"#!/bin/sh\n", 0o644)):
        sent = tmp_path / name
        sent.write_bytes(content)
        sent.chmod(mode)
        offered(alice, bob, sent)
        press(bob, FileDeed.ACCEPT)
        both(two, TransferState.DONE)
        press(bob, FileDeed.OPEN)
        bob.hands.until(lambda got=str(tmp_path / "got" / name): opened[-1:] == [got])  # type: ignore[misc]
    assert bob.no_sheet(ConfirmSheet)


def test_folders_pipes_and_what_is_gone_are_no_programs(tmp_path: Path) -> None:
    assert not is_program(tmp_path)
    assert not is_program(tmp_path / "gone")
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe", 0o700)
        assert not is_program(tmp_path / "pipe")


def test_settings_about_files_apply_at_once(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    _alice, bob = two
    bob.front().hands.press(Qt.Key.Key_Comma, CONTROL, bob.window)
    sheet = bob.sheet(SettingsSheet)
    bob.hands.until(lambda: sheet.files.folder.text() == str(tmp_path / "got"))
    sheet.pages.setCurrentRow(1 + list(Page).index(Page.FILES))
    sheet.files.choose(tmp_path / "elsewhere")
    bob.hands.until(lambda: sheet.files.folder.text() == str(tmp_path / "elsewhere"))
    assert bob.call(bob.bridge.engine.download_folder) == tmp_path / "elsewhere"
    (tmp_path / "a file").write_bytes(b"")
    sheet.files.choose(tmp_path / "a file")
    bob.hands.until(sheet.files.error.isVisible)
    bob.hands.click(sheet.rows["previews"].control)
    bob.hands.until(lambda: not bob.chat.files.pictures.shows)


def test_the_book_tells_what_has_gathered_and_not_each_event(slow: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = slow
    offered(alice, bob, file(tmp_path / "a.bin", MIB))
    press(bob, FileDeed.ACCEPT)
    bob.hands.until(lambda: stands(bob, TransferState.RUNNING))
    book, told = bob.chat.files.book, list[frozenset[TransferId]]()
    bob.hands.until(lambda: not book._timer.isActive())
    book.changed.connect(told.append)
    for number in range(100):
        book.heard(msgspec.structs.replace(now(bob), id=TransferId(1000 + number % 7), done=number))
    assert len(told) == 1
    bob.hands.until(lambda: len(told) >= 2)
    assert {TransferId(1000 + n) for n in range(7)} <= told[1] | told[0]
