"""Conversations kept in order: pinned, muted, archived, looked at, exported; and what is missing in them."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from messenger.core.models import Standing
from messenger.engine.events import ChainChanged, MessagesRemoved
from messenger.gui.contact_panel import PanelSheet
from messenger.gui.keep_sheet import Keep, KeepSheet
from messenger.gui.message_sheets import LinkSheet
from messenger.gui.sheet import ConfirmSheet
from messenger.gui.verify_sheet import VerifySheet
from tests.gui.conftest import Desks
from tests.gui.test_chat import choose, meet
from tests.gui.test_deeds import say
from tests.gui.test_keyboard import EVERYWHERE
from tests.helpers.gui import Desk

SENTENCE = Qt.ItemDataRole.AccessibleTextRole


@pytest.fixture
def two(desks: Desks) -> tuple[Desk, Desk]:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    return alice, bob


@pytest.fixture
def three(desks: Desks) -> Desk:
    """Alice, who knows Bob, and then Carol."""
    alice, bob, carol = desks("alice"), desks("bob"), desks("carol")
    meet(alice, bob)
    say(bob, alice, "from Bob")
    meet(alice, carol)
    say(carol, alice, "from Carol")
    return alice.front()


def names(desk: Desk) -> list[str]:
    return [row.conversation.contact.title for row in desk.page.sidebar.order.rows()]


def menu_of(desk: Desk, name: str, *, by_key: bool) -> QMenu:
    """Open the menu of somebody in the list."""
    view = desk.page.sidebar.list
    index = desk.page.sidebar.order.index(names(desk).index(name), 0)
    if by_key:
        desk.page.sidebar.choose(desk.page.model.row(index.data(256).conversation.id).conversation.id)  # type: ignore[union-attr]
        desk.hands.press(Qt.Key.Key_Menu, widget=view)
    else:
        at = view.visualRect(index).center()
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.viewport().mapToGlobal(at))
        QApplication.sendEvent(view.viewport(), event)
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, QMenu)
    return popup


def take(popup: QMenu, words: str) -> None:
    next(action for action in popup.actions() if action.text() == words).trigger()
    popup.close()


def test_what_is_pinned_stands_above(three: Desk) -> None:
    assert names(three) == ["Carol", "Bob"]
    shown = three.chat.conversation
    take(menu_of(three, "Bob", by_key=False), "Pin")
    three.hands.until(lambda: names(three) == ["Bob", "Carol"])
    assert three.chat.conversation == shown, "the menu turns to nobody"
    assert "pinned" in three.page.sidebar.order.index(0, 0).data(SENTENCE)
    take(menu_of(three, "Bob", by_key=True), "Unpin")
    three.hands.until(lambda: names(three) == ["Carol", "Bob"])


def test_what_is_muted_calls_for_no_attention(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    alice.page.leave_conversation()
    say_to(bob, "one")
    alice.hands.until(lambda: alice.window.windowTitle().startswith("(1) "))
    take(menu_of(alice, "Bob", by_key=False), "Mute")
    alice.hands.until(lambda: alice.window.windowTitle() == "Alice · Sotto")
    assert alice.page.sidebar.order.rows()[0].conversation.unread == 1


def say_to(desk: Desk, text: str) -> None:
    """Write to somebody who looks elsewhere."""
    desk.front()
    desk.hands.type(text, desk.chat.composer.box)
    desk.hands.press(Qt.Key.Key_Return, widget=desk.chat.composer.box)
    desk.hands.until(lambda: desk.texts()[-1:] == [text])


def test_the_archive_has_a_list_of_its_own(three: Desk) -> None:
    sidebar = three.page.sidebar
    assert not sidebar.archive_button.isVisible()
    take(menu_of(three, "Bob", by_key=False), "Archive")
    three.hands.until(lambda: names(three) == ["Carol"])
    assert sidebar.archive_button.text().startswith("Archive (1)")
    three.hands.click(sidebar.archive_button)
    assert names(three) == ["Bob"]
    take(menu_of(three, "Bob", by_key=False), "Take out of the archive")
    three.hands.until(lambda: names(three) == [])
    assert sidebar._nothing.text() == "The archive is empty"
    three.hands.click(sidebar.archive_button)
    assert names(three) == ["Carol", "Bob"]
    assert not sidebar.archive_button.isVisible()


def test_the_archive_is_searched_too(three: Desk) -> None:
    take(menu_of(three, "Bob", by_key=False), "Archive")
    three.hands.until(lambda: names(three) == ["Carol"])
    three.page.sidebar.search.setText("bo")
    assert names(three) == ["Bob"]


def test_the_panel_shows_who_it_is_and_keeps_a_note(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    alice.window.resize(1200, 700)
    alice.hands.press(Qt.Key.Key_Return, Qt.KeyboardModifier.AltModifier, alice.front().window)
    panel = alice.page.panel
    assert panel.isVisible()
    info = panel.info
    contact = alice.contact("Bob")
    assert contact is not None
    assert info.title.text() == "Bob"
    assert len(info.fingerprint.text().split()) == 14
    alice.hands.type("knows boats", info.note)
    alice.hands.click(info.pin)
    alice.hands.until(lambda: (found := alice.contact("Bob")) is not None and found.pinned)
    alice.hands.until(lambda: (found := alice.contact("Bob")) is not None and found.note == "knows boats")
    alice.hands.click(info.verify_button)
    alice.sheet(VerifySheet).accept()
    alice.hands.click(alice.front().page.panel.close_button)
    assert not panel.isVisible()
    alice.page.sidebar.search.setText("boats")
    assert names(alice) == ["Bob"], "notes are searched"


def test_a_note_is_stored_when_the_window_closes(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    alice.window.resize(1200, 700)
    alice.chat.info_asked.emit()
    alice.hands.type("at once", alice.page.panel.info.note)
    alice.close()
    again = Desk(alice.hands, alice.window._theme, alice.folder)
    try:
        again.start()
        contact = again.contact("Bob")
        assert contact is not None
        assert contact.note == "at once"
    finally:
        again.close()


def test_in_a_narrow_window_the_panel_is_a_dialog(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    alice.window.resize(700, 600)
    alice.hands.until(lambda: alice.page.width() == 700)
    alice.hands.click(alice.front().chat.header._info)
    sheet = alice.sheet(PanelSheet)
    assert sheet.info.title.text() == "Bob"
    assert not alice.page.panel.isVisible()
    sheet.accept()


def test_blocking_from_the_panel_asks_first(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    alice.window.resize(1200, 700)
    alice.chat.info_asked.emit()
    alice.hands.click(alice.front().page.panel.info.block_button)
    alice.hands.click(alice.sheet(ConfirmSheet).action_button)
    alice.hands.until(
        lambda: (found := alice.contact("Bob")) is not None and found.standing is Standing.BLOCKED
    )
    assert alice.page.panel.info.block_button.text() == "Unblock"


def test_how_long_messages_are_kept_is_chosen(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    conversation = alice.chat.conversation
    assert conversation is not None
    engine = alice.bridge.engine
    for choice, days in ((Keep.DAYS, 7), (Keep.ALWAYS, 0), (Keep.SETTINGS, None)):
        choose(alice.front(), "Keep messages…")
        sheet = alice.sheet(KeepSheet)
        alice.hands.until(lambda sheet=sheet: not sheet.tasks._running)  # type: ignore[misc]
        alice.hands.click(sheet.choice._buttons[choice])
        if days:
            sheet.days.selectAll()
            alice.hands.type(str(days), sheet.days)
        alice.hands.click(sheet.save_button)
        alice.hands.until(lambda: alice.no_sheet(KeepSheet))
        assert alice.call(engine.kept_days, conversation) == days


def test_a_conversation_is_written_into_a_file(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    say(alice, bob, "for the record")
    choose(alice.front(), "Export conversation…")
    [dialog] = alice.window.findChildren(QFileDialog)
    dialog.reject()
    contact = alice.contact("Bob")
    assert contact is not None
    for name in ("talk.json", "talk.html"):
        alice.chat.orders.write(contact, tmp_path / name)
        alice.hands.until(lambda name=name: name in alice.chat.notice.text())  # type: ignore[misc]
        assert "for the record" in (tmp_path / name).read_text(encoding="utf-8")
    assert json.loads((tmp_path / "talk.json").read_text(encoding="utf-8"))


def test_what_is_missing_is_told_calmly_and_can_be_closed(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    conversation = alice.chat.conversation
    assert conversation is not None
    assert alice.chat.chain.text() == ""
    alice.bridge.publish(ChainChanged(conversation, 2, forked=False))
    alice.hands.until(lambda: "2 messages of Bob have not arrived" in alice.chat.chain.text())
    assert "messages missing" in alice.page.sidebar.order.index(0, 0).data(SENTENCE)
    alice.hands.click(alice.chat.chain.close_button)
    assert alice.chat.chain.text() == ""
    alice.bridge.publish(ChainChanged(conversation, 2, forked=True))
    alice.hands.until(lambda: "do not fit together" in alice.chat.chain.text())
    alice.bridge.publish(ChainChanged(conversation, 0, forked=False))
    alice.hands.until(lambda: alice.chat.chain.text() == "")


def test_what_was_deleted_by_age_goes_without_a_jump(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    for text in ("one", "two", "three"):
        say(alice, bob, text)
    conversation = bob.chat.conversation
    assert conversation is not None
    first = bob.chat.model.row(0).message
    bob.call(bob.bridge.engine.delete_message, conversation, first.id, for_both=False)
    bob.bridge.publish(MessagesRemoved(conversation))
    bob.hands.until(lambda: bob.texts() == ["two", "three"])
    assert bob.chat.view.pinned
    assert bob.chat.model.row(0).new_day


def test_a_link_is_opened_only_after_its_address_was_shown(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "https://bank.example@evil.example/x")
    bob.front().chat.view.link_clicked.emit("https://bank.example@evil.example/x")
    sheet = bob.sheet(LinkSheet)
    assert sheet.address.text() == "https://bank.example@evil.example/x"
    assert sheet.cancel_button.hasFocus()
    sheet.reject()
    bob.chat.view.link_clicked.emit("file:///etc/passwd")
    assert bob.no_sheet(LinkSheet)


def test_somebody_in_the_archive_is_turned_to_all_the_same(three: Desk) -> None:
    take(menu_of(three, "Bob", by_key=False), "Archive")
    three.hands.until(lambda: names(three) == ["Carol"])
    bob = three.page.model.archived()[0].conversation.id
    three.page.show_conversation(bob)
    assert three.chat.conversation == bob


def test_a_narrow_window_has_one_column(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    page = alice.front().page
    alice.window.resize(440, 600)
    alice.hands.until(lambda: page.width() == 440)
    assert page.chat.isVisible()
    assert not page.sidebar.isVisible()
    alice.hands.click(page.chat.header.back_button)
    assert page.sidebar.isVisible()
    assert not page.chat.isVisible()
    alice.open_chat("Bob")
    assert page.chat.isVisible()
    alice.hands.press(Qt.Key.Key_F, EVERYWHERE, alice.window)
    assert page.sidebar.search.hasFocus()
    alice.hands.type("bo", page.sidebar.search)
    alice.hands.press(Qt.Key.Key_Escape, widget=page.sidebar.search)
    alice.open_chat("Bob")
    alice.hands.until(lambda: page.chat.isVisible() and not page.sidebar.isVisible())
    alice.window.resize(1000, 600)
    alice.hands.until(lambda: page.width() == 1000)
    assert page.sidebar.isVisible()
    assert not page.chat.header.back_button.isVisible()
