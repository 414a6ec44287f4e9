"""Files between two windows: chosen, dropped, pasted; cards and their buttons, by mouse and by keyboard."""

import os
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRectF, QSizeF, Qt, QUrl
from PySide6.QtGui import (
    QAccessible,
    QAction,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QFont,
    QGuiApplication,
    QImage,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from messenger.core.transfer_deeds import FileDeed
from messenger.core.transfers import Transfer, TransferState
from messenger.gui.card import Card, CardFonts
from messenger.gui.file_bubble import FileBubble
from messenger.gui.message_menu import MessageMenu
from messenger.gui.send_sheet import SendSheet
from tests.gui.conftest import Desks
from tests.gui.test_chat import meet
from tests.gui.test_deeds import key, mark, menu
from tests.helpers.gui import Desk
from tests.text.test_files import OFFER

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
MIB = 1024 * 1024
SLOW = 64
"""KiB a second: a transfer of a few MiB does not end while somebody presses a button."""


def file(path: Path, size: int) -> Path:
    """A file of random bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    return path


def friends(desks: Desks, tmp_path: Path, **settings: object) -> tuple[Desk, Desk]:
    """Alice and Bob, each with the other's conversation open; what Bob accepts goes below `tmp_path`."""
    alice, bob = desks("alice", **settings), desks("bob")
    meet(alice, bob)
    bob.call(bob.bridge.engine.set_download_folder, tmp_path / "got")
    return alice, bob


@pytest.fixture
def two(desks: Desks, tmp_path: Path) -> tuple[Desk, Desk]:
    return friends(desks, tmp_path)


@pytest.fixture
def slow(desks: Desks, tmp_path: Path) -> tuple[Desk, Desk]:
    """Alice sends slowly."""
    return friends(desks, tmp_path, send_limit=SLOW)


def newest(desk: Desk) -> Transfer | None:
    """The transfer of the last message that is shown."""
    model = desk.chat.model
    return model.transfer(model.row(model.rowCount() - 1).message) if model.rowCount() else None


def stands(desk: Desk, state: TransferState) -> bool:
    found = newest(desk)
    return found is not None and found.state is state


def both(desks: tuple[Desk, Desk], state: TransferState) -> None:
    """Wait until both know how the newest transfer stands."""
    for desk in desks:
        desk.hands.until(partial(stands, desk, state))


def card(desk: Desk) -> tuple[FileBubble, QPointF]:
    """The card of the last message, and its corner in the view."""
    model, view = desk.chat.model, desk.chat.view
    place = model.rowCount() - 1
    row = model.row(place)
    bubble = view._paint.bubble(row.message)
    assert isinstance(bubble, FileBubble)
    return bubble, view._paint.bubble_rect(row, view.visualRect(model.index(place)), place).topLeft()


def deeds(desk: Desk) -> list[FileDeed]:
    return [deed for deed, _rect in card(desk)[0].buttons]


def press(desk: Desk, deed: FileDeed) -> None:
    """Click on a button of the last card."""
    desk.front().hands.until(lambda: deed in deeds(desk))
    desk.chat.view.executeDelayedItemsLayout()
    bubble, corner = card(desk)
    rect = next(rect for found, rect in bubble.buttons if found is deed)
    QTest.mouseClick(desk.chat.view.viewport(), LEFT, NONE, (corner + rect.center()).toPoint())


def sentence(desk: Desk) -> str:
    """What a screen reader says of the last row."""
    found = QAccessible.queryAccessibleInterface(desk.chat.view)
    child = found.child(found.childCount() - 1)
    return child.text(QAccessible.Text.Name)


def send(desk: Desk, *paths: Path) -> None:
    """Confirm the sheet that asks, with Enter."""
    desk.front().chat.files.ask_to_send(list(paths))
    sheet = desk.sheet(SendSheet)
    desk.hands.until(sheet.send_button.isEnabled)
    desk.hands.press(Qt.Key.Key_Return, widget=sheet.send_button)
    desk.hands.until(lambda: desk.no_sheet(SendSheet))


def offered(alice: Desk, bob: Desk, *paths: Path) -> None:
    send(alice, *paths)
    bob.hands.until(lambda: stands(bob, TransferState.OFFERED))


def test_a_file_is_offered_accepted_and_there(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    source = file(tmp_path / "report.pdf", 3 * MIB)
    offered(alice, bob, source)
    assert deeds(bob) == [FileDeed.ACCEPT, FileDeed.SAVE_TO, FileDeed.DECLINE]
    assert deeds(alice) == [FileDeed.CANCEL]
    assert "offers report.pdf, 3.1 MB, Waits for your answer" in sentence(bob)
    press(bob, FileDeed.ACCEPT)
    both(two, TransferState.DONE)
    assert (tmp_path / "got" / "report.pdf").read_bytes() == source.read_bytes()
    assert deeds(bob) == [FileDeed.OPEN, FileDeed.SHOW]
    assert "You, " in sentence(alice)
    assert "offer report.pdf" in sentence(alice)
    assert "Bob has it" in sentence(alice)


def test_the_keyboard_reaches_every_button(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    offered(alice, bob, file(tmp_path / "letter.txt", 10))
    mark(bob, bob.chat.model.rowCount() - 1)
    files = bob.chat.view._paint.files
    for deed in deeds(bob):
        key(bob, Qt.Key.Key_Tab)
        assert files.focused is not None
        assert files.focused[1] is deed
    assert bob.chat.view.accessibleDescription() == "Decline: letter.txt"
    key(bob, Qt.Key.Key_Left)
    key(bob, Qt.Key.Key_Left)
    assert files.focused is not None
    assert files.focused[1] is FileDeed.ACCEPT
    key(bob, Qt.Key.Key_Return)
    bob.hands.until(lambda: stands(bob, TransferState.DONE))
    bob.hands.until(lambda: files.focused is None)
    key(bob, Qt.Key.Key_Tab)
    key(bob, Qt.Key.Key_Tab)
    assert bob.chat.view.hasFocus()
    key(bob, Qt.Key.Key_Tab)
    assert not bob.chat.view.hasFocus(), "Tab does not go on behind the last button"


def test_the_menu_has_the_buttons_too(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    offered(alice, bob, file(tmp_path / "letter.txt", 10))
    opened = menu(bob, bob.chat.model.rowCount() - 1)
    words = [action.text() for action in opened.actions() if not action.isSeparator()]
    at = words.index("Accept")
    assert words[at : at + 3] == ["Accept", "Save to…", "Decline"]
    assert "Edit" not in words
    next(action for action in opened.actions() if action.text() == "Decline").trigger()
    opened.close()
    both(two, TransferState.DECLINED)
    assert "Declined by you" in sentence(bob)
    assert "Bob declined it" in sentence(alice)
    assert deeds(alice) == [FileDeed.AGAIN]
    assert isinstance(opened, MessageMenu)


def test_one_transfer_is_made_slower_than_the_others(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    """The choice is marked as long as the transfer goes on; one that has ended has no speed."""
    alice, bob = two
    offered(alice, bob, file(tmp_path / "film.mkv", 4 * MIB))

    def speeds(desk: Desk) -> dict[str, QAction]:
        opened = menu(desk, desk.chat.model.rowCount() - 1)
        found = [action.menu() for action in opened.actions() if action.text() == "Speed"]
        opened.close()
        return {a.text(): a for each in found if isinstance(each, QMenu) for a in each.actions()}

    assert [words for words, action in speeds(bob).items() if action.isChecked()] == ["No limit of its own"]
    speeds(bob)["100 kB/s"].trigger()
    assert [words for words, action in speeds(bob).items() if action.isChecked()] == ["100 kB/s"]
    press(bob, FileDeed.ACCEPT)
    both(two, TransferState.RUNNING)
    bob.hands.until(lambda: "left" in sentence(bob) and "kB/s" in sentence(bob))
    speeds(bob)["No limit of its own"].trigger()
    both(two, TransferState.DONE)
    assert speeds(bob) == {}


def test_one_that_waits_is_sent_next(desks: Desks, tmp_path: Path) -> None:
    alice, bob = two = friends(desks, tmp_path, send_limit=SLOW, lanes=1)
    for name in ("first.mkv", "second.mkv", "third.mkv"):
        offered(alice, bob, file(tmp_path / name, 4 * MIB))
        press(bob, FileDeed.ACCEPT)
        alice.hands.until(lambda: not stands(alice, TransferState.OFFERED))
    alice.hands.until(lambda: deeds(alice) == [FileDeed.FIRST, FileDeed.PAUSE, FileDeed.CANCEL])
    assert "Waits for its turn" in sentence(alice)
    press(alice, FileDeed.FIRST)
    alice.call(alice.bridge.engine.pause_transfer, alice.call(alice.bridge.engine.transfers)[-1].id)
    both(two, TransferState.RUNNING)


def test_each_sees_who_has_paused(slow: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = slow
    offered(alice, bob, file(tmp_path / "film.mkv", 4 * MIB))
    press(bob, FileDeed.ACCEPT)
    both(slow, TransferState.RUNNING)
    bob.hands.until(lambda: "left" in sentence(bob) and "kB/s" in sentence(bob))
    assert deeds(bob) == [FileDeed.PAUSE, FileDeed.CANCEL]
    press(bob, FileDeed.PAUSE)
    both(slow, TransferState.PAUSED)
    assert "Paused by you" in sentence(bob)
    assert "Paused by Bob" in sentence(alice)
    assert deeds(bob) == [FileDeed.RESUME, FileDeed.CANCEL]
    assert deeds(alice) == [FileDeed.CANCEL]
    press(bob, FileDeed.RESUME)
    alice.hands.until(lambda: stands(alice, TransferState.RUNNING))
    press(alice, FileDeed.CANCEL)
    both(slow, TransferState.CANCELLED)
    assert "Cancelled by you" in sentence(alice)
    assert "Cancelled by Alice" in sentence(bob)


def test_a_failure_says_why_and_is_sent_again(slow: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = slow
    source = file(tmp_path / "plan.txt", 10)
    offered(alice, bob, source)
    source.write_bytes(b"something else")
    press(bob, FileDeed.ACCEPT)
    alice.hands.until(lambda: stands(alice, TransferState.FAILED))
    assert "A file was changed while it was being sent. Send it again." in sentence(alice)
    bob.hands.until(lambda: not stands(bob, TransferState.OFFERED))  # what he sees is of now
    press(alice, FileDeed.AGAIN)
    bob.hands.until(lambda: stands(bob, TransferState.OFFERED))
    press(bob, FileDeed.ACCEPT)
    bob.hands.until(lambda: stands(bob, TransferState.DONE))
    assert (tmp_path / "got" / "plan.txt").read_bytes() == b"something else"


def test_what_is_left_out_is_named_before_anything_is_sent(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    file(tmp_path / "album" / "one.jpg", 10)
    (tmp_path / "album" / "outside").symlink_to(tmp_path)
    alice.front().chat.files.ask_to_send([tmp_path / "album", tmp_path / "missing"])
    sheet = alice.sheet(SendSheet)
    alice.hands.until(sheet.send_button.isEnabled)
    assert [sheet.names.item(n).text() for n in range(sheet.names.count())] == ["album"]
    assert sheet.amount.text() == "1 file, 1 folder · 10 B"
    left = [sheet.left_out.item(n).text() for n in range(sheet.left_out.count())]
    assert left == ["album/outside: a link that could lead elsewhere", "missing: not there any more"]
    sheet.text.setPlainText("Holiday")
    alice.hands.click(sheet.send_button)
    bob.hands.until(lambda: bob.texts() == ["album", "Holiday"])


def test_nothing_can_be_sent_of_nothing(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, _bob = two
    alice.front().chat.files.ask_to_send([tmp_path / "missing"])
    sheet = alice.sheet(SendSheet)
    alice.hands.until(lambda: sheet.left_out.count() == 1)
    assert sheet.amount.text() == "Nothing of this can be sent."
    assert not sheet.send_button.isEnabled()
    alice.hands.press(Qt.Key.Key_Escape, widget=sheet)
    alice.hands.until(lambda: alice.no_sheet(SendSheet))
    assert alice.texts() == []


def test_the_paper_clip_asks_for_files_and_for_a_folder(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, _bob = two
    file(tmp_path / "a.txt", 1)
    alice.front().hands.click(alice.chat.composer.attach_button)
    alice.hands.until(lambda: QApplication.activePopupWidget() is not None)
    opened = QApplication.activePopupWidget()
    assert opened is not None
    assert [action.text() for action in opened.actions()] == ["Files…", "Folder…"]
    opened.actions()[0].trigger()
    opened.close()
    dialog = alice.sheet(QFileDialog)
    dialog.filesSelected.emit([str(tmp_path / "a.txt")])
    dialog.close()
    sheet = alice.sheet(SendSheet)
    alice.hands.until(lambda: sheet.names.count() == 1)
    sheet.reject()


def mime_of(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def test_files_are_dropped_anywhere(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, _bob = two
    pane, overlay = alice.front().chat, alice.chat.files.overlay
    mime = mime_of(file(tmp_path / "a.txt", 1))
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, mime, LEFT, NONE)
    QApplication.sendEvent(pane, enter)
    assert enter.isAccepted()
    assert overlay.isVisible()
    assert overlay.size() == pane.size()
    assert overlay.words() == "Let go to send to Bob. You are asked before anything is sent."
    QApplication.sendEvent(overlay, QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, mime, LEFT, NONE))
    assert not overlay.isVisible()
    sheet = alice.sheet(SendSheet)
    alice.hands.until(lambda: sheet.names.count() == 1)
    sheet.reject()


def test_files_are_dropped_on_the_text_box_and_on_the_messages_too(
    two: tuple[Desk, Desk], tmp_path: Path
) -> None:
    """A text box by itself would write the addresses of the files."""
    alice, _bob = two
    chat, overlay = alice.front().chat, alice.chat.files.overlay
    mime = mime_of(file(tmp_path / "a.txt", 1))
    for part in (chat.composer.box.viewport(), chat.view.viewport(), chat.composer.emoji_button, chat.header):
        enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, mime, LEFT, NONE)
        QApplication.sendEvent(part, enter)
        assert enter.isAccepted()
        assert overlay.isVisible()
        again = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, mime, LEFT, NONE)
        QApplication.sendEvent(overlay, again)  # it covers what was under the mouse
        QApplication.sendEvent(overlay, QDragLeaveEvent())
        assert not overlay.isVisible()
    words = QMimeData()
    words.setText("dragged words")
    box = chat.composer.box
    for event in (
        QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, words, LEFT, NONE),
        QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, words, LEFT, NONE),
    ):
        QApplication.sendEvent(box.viewport(), event)
    assert not overlay.isVisible()
    assert chat.composer.text() == "dragged words"


def test_nothing_is_dropped_on_somebody_who_is_blocked(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, _bob = two
    contact = alice.contact("Bob")
    assert contact is not None
    alice.call(alice.bridge.engine.block, contact.id)
    alice.hands.until(lambda: not alice.chat.composer.isVisible())
    mime = mime_of(file(tmp_path / "a.txt", 1))
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, mime, LEFT, NONE)
    QApplication.sendEvent(alice.chat, enter)
    assert not alice.chat.files.overlay.isVisible()


def test_files_and_pictures_are_pasted(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    alice.call(alice.bridge.engine.set_download_folder, tmp_path / "hers")
    clipboard = QGuiApplication.clipboard()
    clipboard.setMimeData(mime_of(file(tmp_path / "a.txt", 1)))
    alice.front().chat.composer.box.paste()
    sheet = alice.sheet(SendSheet)
    alice.hands.until(lambda: sheet.names.count() == 1)
    sheet.reject()
    alice.hands.until(lambda: alice.no_sheet(SendSheet))
    picture = QImage(60, 40, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    clipboard.setImage(picture)
    alice.front().chat.composer.box.paste()
    alice.hands.until(lambda: not alice.no_sheet(SendSheet))
    pasted = alice.sheet(SendSheet)
    alice.hands.until(pasted.send_button.isEnabled)
    alice.hands.click(pasted.send_button)
    bob.hands.until(lambda: stands(bob, TransferState.OFFERED))
    bob.hands.until(lambda: card(bob)[0].picture is not None)
    kept = list((alice.folder / "pasted").iterdir())
    assert len(kept) == 1
    assert kept[0].read_bytes().startswith(b"\x89PNG")
    assert not list((tmp_path / "hers").iterdir()), "nothing that nobody put there lies there"
    alice.front().chat.composer.box.paste()
    alice.hands.until(lambda: not alice.no_sheet(SendSheet))
    again = alice.sheet(SendSheet)
    alice.hands.until(again.send_button.isEnabled)
    assert len(list((alice.folder / "pasted").iterdir())) == 2
    again.reject()
    alice.hands.until(lambda: list((alice.folder / "pasted").iterdir()) == kept)
    alice.front().chat.composer.box.paste()  # the window ends while it asks
    alice.hands.until(lambda: not alice.no_sheet(SendSheet))
    clipboard.clear()


def test_a_card_is_laid_out_once_for_each_way_it_stands(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    offered(alice, bob, file(tmp_path / "a.txt", 1))
    first = card(bob)[0]
    bob.chat.view.viewport().repaint()
    assert card(bob)[0] is first
    assert isinstance(first, Card)


@pytest.mark.usefixtures("qapp")
def test_a_card_is_turned_round_where_writing_is() -> None:
    theme_fonts = CardFonts(QFont(), QFont(), QFont())
    plain = Card(OFFER, "Bob", 380, theme_fonts, mirrored=False, meta=QSizeF(30, 12))
    turned = Card(OFFER, "Bob", 380, theme_fonts, mirrored=True, meta=QSizeF(30, 12))
    assert plain.size == turned.size
    assert turned.icon_rect.left() > plain.icon_rect.left()
    lefts = [rect.left() for _deed, rect in turned.buttons]
    assert lefts == sorted(lefts, reverse=True), "the first button is not where reading begins"
    assert turned.meta.left() < plain.meta.left()
    inside = QRectF(QPointF(0, 0), turned.size)
    for rect in (turned.icon_rect, turned.meta, *(rect for _deed, rect in turned.buttons)):
        assert inside.contains(rect)
    assert turned.deed_at(turned.buttons[1][1].center()) is FileDeed.SAVE_TO
