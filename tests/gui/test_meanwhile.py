"""What happens to a conversation while somebody reads it, selects in it, or is about to act there."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from messenger.core.transfer_deeds import FileDeed
from messenger.core.transfers import TransferState
from messenger.gui.contact_panel import PanelSheet
from messenger.gui.message_menu import MessageMenu
from messenger.gui.timeline_view import TimelineView
from tests.gui.conftest import Desks
from tests.gui.test_below import click
from tests.gui.test_chat import meet, write
from tests.gui.test_deeds import key, mark, menu, say
from tests.gui.test_files import MIB, SLOW, both, file, friends, newest, offered, press, sentence, stands
from tests.gui.test_vanishing import HOUR, let_pass
from tests.helpers.gui import Desk
from tests.helpers.history import History

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def two(desks: Desks) -> tuple[Desk, Desk]:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    return alice, bob


def corner(view: TimelineView, place: int) -> QPoint:
    """Just within the first line of a bubble."""
    view.executeDelayedItemsLayout()
    row, rect = view._model.row(place), view.visualRect(view._model.index(place))
    return view._paint.bubble_rect(row, rect, place).topLeft().toPoint() + QPoint(14, 14)


def select(view: TimelineView, place: int) -> None:
    """Select the first word of a message with the mouse."""
    QTest.mouseDClick(view.viewport(), LEFT, NONE, corner(view, place))
    QTest.mouseRelease(view.viewport(), LEFT, NONE, corner(view, place))


def test_what_is_selected_goes_with_the_message(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "secret plan")
    say(alice, bob, "other plan")
    view = bob.front().chat.view
    engine, conversation = alice.bridge.engine, alice.chat.conversation
    first, second = (alice.chat.model.row(place).message.id for place in range(2))
    select(view, 0)
    assert view.copied_text() == "secret"
    alice.call(engine.react, conversation, first, "👍")
    bob.hands.until(lambda: bob.chat.model.row(0).message.reactions != ())
    assert view.copied_text() == "secret", "a reaction changes no word"
    alice.call(engine.delete_message, conversation, first, for_both=True)
    bob.hands.until(lambda: bob.chat.model.row(0).message.deleted)
    assert view.copied_text() == ""
    select(view, 1)
    assert view.copied_text() == "other"
    alice.call(engine.edit, conversation, second, "new words")
    bob.hands.until(lambda: bob.texts()[1] == "new words")
    assert view.copied_text() == ""
    select(view, 1)
    assert view.copied_text() == "new"
    bob.call(bob.bridge.engine.delete_message, bob.chat.conversation, second, for_both=False)
    bob.hands.until(lambda: bob.chat.model.rowCount() == 1)
    assert view.copied_text() == ""


def test_the_menu_of_a_message_closes_with_it(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "one")
    say(alice, bob, "two")
    engine, conversation = alice.bridge.engine, alice.chat.conversation
    first, second = (alice.chat.model.row(place).message.id for place in range(2))
    opened = menu(bob, 0)
    alice.call(engine.edit, conversation, second, "new words")
    bob.hands.until(lambda: bob.texts()[1] == "new words")
    assert opened.isVisible(), "another message is no reason"
    alice.call(engine.delete_message, conversation, first, for_both=True)
    bob.hands.until(lambda: not bob.chat.view.findChildren(MessageMenu))
    menu(bob, 1)
    bob.call(bob.bridge.engine.delete_message, bob.chat.conversation, second, for_both=False)
    bob.hands.until(lambda: not bob.chat.view.findChildren(MessageMenu))


def test_the_menu_of_a_message_that_disappears_closes(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    alice.call(alice.bridge.engine.set_timer, alice.chat.conversation, HOUR)
    bob.hands.until(lambda: bob.chat.model.rowCount() == 1)
    write(alice.front(), "gone soon")
    bob.hands.until(lambda: bob.texts()[-1:] == ["gone soon"])
    bob.front().hands.until(lambda: bob.page.model.unread() == 0)
    menu(bob, 1)
    let_pass(bob, HOUR)
    bob.hands.until(lambda: bob.chat.model.rowCount() == 1)
    bob.hands.until(lambda: not bob.chat.view.findChildren(MessageMenu))


def test_dragging_beyond_the_bubble_selects_to_its_end_or_beginning(
    view: TimelineView, history: History
) -> None:
    history.one("above", outgoing=False)
    history.one("first line\nsecond line", outgoing=False)
    history.one("below", outgoing=False)
    view._model.open(history.conversation, "Bob")
    start = corner(view, 1)
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    QTest.mouseMove(view.viewport(), corner(view, 2))
    assert view.copied_text().endswith("second line")
    QTest.mouseMove(view.viewport(), QPoint(start.x() + 200, view.viewport().height() + 300))
    QTest.mouseRelease(view.viewport(), LEFT, NONE, corner(view, 2))
    assert view.copied_text() == "first line\nsecond line"
    QTest.mousePress(view.viewport(), LEFT, NONE, start + QPoint(30, 0))
    QTest.mouseMove(view.viewport(), corner(view, 0))
    QTest.mouseRelease(view.viewport(), LEFT, NONE, corner(view, 0))
    assert view.copied_text()
    assert "first line".startswith(view.copied_text())


def test_an_answer_bears_the_new_name_at_once(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "one")
    mark(bob, 0)
    key(bob, Qt.Key.Key_R)
    say(bob, alice, "two")
    seen: list[str] = []
    model = bob.chat.model
    model.dataChanged.connect(lambda _first, _last: seen.append(model.quote(model.row(1).message)))
    bob.call(bob.bridge.engine.rename, bob.chat.conversation, "Alice of the bridge")
    bob.hands.until(lambda: bob.contact("Alice of the bridge") is not None)
    assert seen[-1:] == ["Alice of the bridge: one"]


def test_the_button_to_the_end_counts_what_nobody_has_seen(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    bob.page.leave_conversation()
    count = 30
    for number in range(count):
        alice.call(
            alice.bridge.engine.send_text, alice.chat.conversation, f"message {number} " + "word " * 60
        )
    bob.hands.until(lambda: bob.page.model.unread() == count)
    bob.front().open_chat("Alice")
    view = bob.chat.view
    assert not view.pinned
    bob.hands.until(lambda: 0 < view.jump_button.count < count)
    before = view.jump_button.count
    assert f"{before} unread" in view.jump_button.accessibleName()
    bar = view.verticalScrollBar()
    bar.setValue(bar.value() + view.viewport().height())
    bob.hands.until(lambda: 0 < view.jump_button.count < before)
    left = view.jump_button.count
    write(alice.front(), "one more")
    bob.hands.until(lambda: view.jump_button.count == left + 1)
    QTest.mouseClick(bob.front().chat.view.jump_button, LEFT)
    bob.hands.until(lambda: bob.page.model.unread() == 0)
    assert not view.jump_button.isVisible()
    bar.setValue(0)
    assert view.jump_button.isVisible()
    assert view.jump_button.count == 0


def test_blocked_by_the_panel_of_a_narrow_window_and_let_in_again(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    alice.window.resize(alice.window.minimumSize())
    alice.front().page.toggle_panel()
    sheet = alice.sheet(PanelSheet)
    alice.call(alice.bridge.engine.block, alice.chat.conversation)
    alice.hands.until(lambda: sheet.info.block_button.text() == "Unblock")
    assert not sheet.info.timer_button.isVisible()
    assert alice.chat.composer.isHidden()
    sheet.info.block_button.click()
    alice.hands.until(lambda: sheet.info.block_button.text() == "Block")
    sheet.accept()
    assert bob.chat.composer.isVisible()


def test_blocking_moves_the_cursor_and_stops_the_countdown(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    bob.close()
    alice.hands.until(lambda: alice.chat.header.words().startswith("Offline"))
    alice.front().chat.composer.setFocus()
    alice.call(alice.bridge.engine.block, alice.chat.conversation)
    alice.hands.until(lambda: alice.chat.header.words() == "Blocked")
    assert alice.chat.view.hasFocus(), "the cursor is not in something that cannot be seen"
    alice.chat.gate.unblock_button.setFocus()
    alice.hands.press(Qt.Key.Key_Space)
    alice.hands.until(alice.chat.composer.isVisible)
    assert alice.chat.composer.box.hasFocus(), "one goes on writing"


def test_an_empty_conversation_says_so(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    none = alice.chat.view.none
    assert none.isVisible()
    assert none.text().startswith("No messages yet.")
    assert none.size() == alice.chat.view.viewport().size()
    say(alice, bob, "one")
    assert not none.isVisible()
    alice.window.resize(900, 500)
    message = alice.chat.model.row(0).message.id
    alice.call(alice.bridge.engine.delete_message, alice.chat.conversation, message, for_both=False)
    alice.hands.until(none.isVisible)
    assert none.size() == alice.chat.view.viewport().size()
    alice.page.leave_conversation()
    assert alice.chat.model.conversation is None
    assert none.isHidden()


def test_the_panel_sets_how_long_messages_stay(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    alice.window.resize(1300, 800)
    alice.front().page.toggle_panel()
    info = alice.page.panel.info
    alice.hands.until(info.timer_button.isVisible)
    assert info.timer_button.text() == "Disappearing messages: Off"
    before = info.minimumSizeHint().width()
    info.timer_button.setText("Disappearing messages in a language of very long words: Off")
    assert info.minimumSizeHint().width() == before, "long words push nothing out of the panel"
    alice.hands.click(info.timer_button)
    [opened] = info.findChildren(QMenu)
    next(action for action in opened.actions() if action.text() == "1 hour").trigger()
    opened.close()
    alice.hands.until(lambda: info.timer_button.text() == "Disappearing messages: 1 hour")


def test_a_window_closed_during_a_transfer_goes_on_where_it_was(desks: Desks, tmp_path: Path) -> None:
    alice, bob = friends(desks, tmp_path, send_limit=SLOW)
    source = file(tmp_path / "film.mkv", 4 * MIB)
    offered(alice, bob, source)
    press(bob, FileDeed.ACCEPT)
    both((alice, bob), TransferState.RUNNING)
    bob.hands.until(lambda: (found := newest(bob)) is not None and found.done > 0)
    bob.close()
    alice.hands.until(lambda: stands(alice, TransferState.WAITING))
    assert "kB/s" not in sentence(alice), "nothing moves any more"
    again = Desk(alice.hands, alice.window._theme, bob.folder)
    try:
        again.start()
        again.front().open_chat("Alice")
        alice.call(alice.bridge.engine.change_settings, {"send_limit": 0})
        again.hands.until(lambda: stands(again, TransferState.DONE))
    finally:
        again.close()
    assert (tmp_path / "got" / "film.mkv").read_bytes() == source.read_bytes()


HARD = {
    "long word": "x" * 10_000,
    "long text": "word " * 2_000,
    "lines": "\n" * 5_000 + "end",
    "mixed": "abc אבג 123 דהו https://example.org/אב?x=1 def " * 40,
    "marks": "e" + "\u0301" * 3_000,
    "joined": "👨‍👩‍👧‍👦" * 300,
    "open code": "```" + "`" * 3_000,
    "arabic": "\u0644\u0627 " * 2_000 + "\u200f\u200e" * 400,
}
"""Texts that a hostile or a playful person may send."""


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
@pytest.mark.parametrize("name", HARD)
def test_any_text_stays_in_its_bubble(
    view: TimelineView, history: History, name: str, direction: Qt.LayoutDirection
) -> None:
    QGuiApplication.setLayoutDirection(direction)
    try:
        first = history.one(HARD[name], outgoing=False)
        history.one(f"`{HARD[name]}`", outgoing=True)
        view.resize(420, 500)
        view._model.open(history.conversation, "Bob")
        view.executeDelayedItemsLayout()
        for place in range(2):
            row, rect = view._model.row(place), view.visualRect(view._model.index(place))
            bubble = view._paint.bubble_rect(row, rect, place)
            assert bubble.left() >= 0
            assert bubble.right() <= view._paint.pane
            assert bubble.height() < 3_000, "no message makes scrolling endless"
            layouts = [paragraph.layout for paragraph in view._paint.bubble(row.message)._paragraphs]  # type: ignore[union-attr]
            lines = [layout.lineAt(n) for layout in layouts for n in range(layout.lineCount())]
            assert all(line.naturalTextWidth() <= bubble.width() for line in lines)
        view.grab()
        click(view, corner(view, 1))
        QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        assert first.text in view.copied_text()
    finally:
        QGuiApplication.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
