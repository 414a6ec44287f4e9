"""The list of messages under a person's hands: it stays where it is, reads pages, and can be copied from."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from messenger.core import limits
from messenger.core.models import FailReason, Message, MessageState
from messenger.gui.theme import Theme
from messenger.gui.timeline_model import KEPT, TimelineModel
from messenger.gui.timeline_view import TimelineView
from tests.helpers.gui import Hands
from tests.helpers.history import History

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


def top_row(view: TimelineView) -> tuple[str, int]:
    """The text at the top of the view and where it begins."""
    index = view.indexAt(QPoint(1, 1))
    return index.data(), view.visualRect(index).top()


def last_row(view: TimelineView) -> QRect:
    return view.visualRect(view._model.index(view._model.rowCount() - 1))


def middle(view: TimelineView, place: int) -> QPoint:
    """The middle of the text of a row."""
    index = view._model.index(place)
    row = view._model.row(place)
    return view._paint.bubble_rect(row, view.visualRect(index), place).center().toPoint()


def test_it_opens_at_the_end(view: TimelineView, history: History) -> None:
    history.add(2 * limits.PAGE)
    view._model.open(history.conversation, "Bob")
    assert view.pinned
    assert last_row(view).bottom() < view.viewport().height()
    assert view._model.rowCount() == limits.PAGE
    assert not view.jump_button.isVisible()


def test_few_messages_stand_at_the_bottom(view: TimelineView, history: History) -> None:
    history.add(2)
    view._model.open(history.conversation, "Bob")
    assert abs(last_row(view).bottom() + 1 - view.viewport().height()) <= 1
    assert view.verticalScrollBar().maximum() == 0
    view.resize(700, 300)
    assert abs(last_row(view).bottom() + 1 - view.viewport().height()) <= 1


def test_older_pages_come_without_a_jump(view: TimelineView, history: History) -> None:
    history.add(6 * limits.PAGE, text="message {n} " + "word " * 20)
    view._model.open(history.conversation, "Bob")
    bar = view.verticalScrollBar()
    seen: list[int] = []
    while not (view._model.at_start and bar.value() == 0):
        before = top_row(view)
        bar.setValue(bar.value() - min(120, max(bar.value(), 1)))
        after = top_row(view)
        number = int(after[0].split()[1])
        seen.append(number)
        assert int(before[0].split()[1]) - number <= 4, "it jumped"
        assert view._model.rowCount() <= KEPT
    assert seen == sorted(seen, reverse=True)
    assert view._model.row(0).message.text.startswith("message 0 ")


def test_loading_a_page_keeps_the_row_at_its_pixel(view: TimelineView, history: History) -> None:
    history.add(3 * limits.PAGE, text="message {n} " + "word " * 20)
    view._model.open(history.conversation, "Bob")
    bar = view.verticalScrollBar()
    bar.setValue(view.viewport().height() + 40)
    before = top_row(view)
    assert view._model.load_older()
    view.executeDelayedItemsLayout()
    assert top_row(view) == before
    view._model.load_newer()
    view.executeDelayedItemsLayout()
    assert top_row(view) == before


def test_scrolling_down_comes_to_the_end_again(view: TimelineView, history: History) -> None:
    history.add(6 * limits.PAGE)
    view._model.open(history.conversation, "Bob")
    bar = view.verticalScrollBar()
    for _turn in range(12):
        bar.setValue(0)
    assert view._model.at_start
    for _turn in range(12):
        bar.setValue(bar.maximum())
    assert view.pinned
    assert last_row(view).bottom() < view.viewport().height()


def test_new_messages_do_not_move_somebody_who_reads_above(view: TimelineView, history: History) -> None:
    history.add(limits.PAGE)
    view._model.open(history.conversation, "Bob")
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() - 800)
    before = top_row(view)
    view.arrived(history.add(3, unread=True))
    assert top_row(view) == before
    assert view.jump_button.isVisible()
    assert view.jump_button.count == 3
    assert "3 unread" in view.jump_button.accessibleName()
    QTest.mouseClick(view.jump_button, LEFT)
    assert view.pinned
    assert not view.jump_button.isVisible()
    assert last_row(view).bottom() < view.viewport().height()


def test_new_messages_are_followed_at_the_end(view: TimelineView, history: History) -> None:
    history.add(limits.PAGE)
    view._model.open(history.conversation, "Bob")
    view.arrived(history.add(5, text="new {n} " + "word " * 40, unread=True))
    assert view.pinned
    assert last_row(view).bottom() < view.viewport().height()


def test_an_own_message_leads_to_the_end(view: TimelineView, history: History) -> None:
    history.add(4 * limits.PAGE)
    view._model.open(history.conversation, "Bob")
    for _turn in range(8):
        view.verticalScrollBar().setValue(0)
    view.arrived([history.one("mine", outgoing=True)])
    assert view.pinned
    assert view._model.row(view._model.rowCount() - 1).message.text == "mine"


def test_unread_messages_are_opened_at_their_divider_and_reported_as_seen(
    view: TimelineView, history: History
) -> None:
    seen: list[int] = []
    view.seen.connect(seen.append)
    history.add(limits.PAGE)
    unread = history.add(2 * limits.PAGE, text="unread {n} " + "word " * 20, unread=True)
    view._model.open(history.conversation, "Bob")
    place = view._model.unread_place()
    assert place is not None
    rect = view.visualRect(view._model.index(place))
    assert 0 <= rect.top() <= view.viewport().height() // 2
    positions = [message.position for message in unread]
    assert seen
    assert seen[-1] < positions[-1]
    bar = view.verticalScrollBar()
    while not view.pinned:
        bar.setValue(bar.value() + 300)
    assert seen == sorted(set(seen))
    assert seen[-1] == positions[-1]


def test_nothing_is_seen_while_another_window_is_active(
    view: TimelineView, history: History, theme: Theme, qtbot: QtBot, hands: Hands
) -> None:
    seen: list[int] = []
    view.seen.connect(seen.append)
    history.add(3)
    view._model.open(history.conversation, "Bob")
    other = TimelineView(theme, TimelineModel(history.reader))
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    hands.until(other.isActiveWindow)
    [new] = history.add(1, unread=True)
    view.arrived([new])
    assert seen == []
    view.activateWindow()
    hands.until(lambda: bool(seen))
    assert seen == [new.position]


def test_another_width_keeps_the_place(view: TimelineView, history: History) -> None:
    history.add(limits.PAGE, text="message {n} " + "word " * 30)
    view._model.open(history.conversation, "Bob")
    view.resize(400, 500)
    assert last_row(view).bottom() < view.viewport().height()
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    before = top_row(view)[0]
    view.resize(800, 500)
    assert top_row(view)[0] == before


def test_a_link_is_opened_by_a_click_only(view: TimelineView, history: History) -> None:
    clicked: list[str] = []
    view.link_clicked.connect(clicked.append)
    history.one("https://example.org/a", outgoing=False)
    view._model.open(history.conversation, "Bob")
    spot = middle(view, 0) - QPoint(20, 0)
    QTest.mouseMove(view.viewport(), spot)
    assert clicked == []
    QTest.mouseClick(view.viewport(), LEFT, NONE, spot)
    assert clicked == ["https://example.org/a"]
    assert view.copied_text() == ""


def test_characters_are_selected_with_the_mouse_and_copied(view: TimelineView, history: History) -> None:
    history.one("first second third", outgoing=False)
    view._model.open(history.conversation, "Bob")
    rect = view._paint.bubble_rect(view._model.row(0), view.visualRect(view._model.index(0)), 0).toRect()
    line = rect.top() + 16
    QTest.mousePress(view.viewport(), LEFT, NONE, QPoint(rect.left() + 12, line))
    QTest.mouseMove(view.viewport(), QPoint(rect.right(), line))
    QTest.mouseRelease(view.viewport(), LEFT, NONE, QPoint(rect.right(), line))
    assert view.copied_text() == "first second third"
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "first second third"
    QTest.mouseDClick(view.viewport(), LEFT, NONE, QPoint(rect.left() + 60, line))
    assert view.copied_text() == "second"
    QTest.mouseClick(view.viewport(), LEFT, NONE, QPoint(rect.right() + 40, line))
    assert view.copied_text() == ""


def test_rows_are_chosen_by_keyboard_and_copied_with_authors(view: TimelineView, history: History) -> None:
    history.one("one", outgoing=False)
    history.one("two", outgoing=True)
    view._model.open(history.conversation, "Bob")
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    assert view.currentIndex().row() == 1
    QTest.keyClick(view, Qt.Key.Key_Up)
    assert view.copied_text() == "one"
    QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    lines = view.copied_text().split("\n")
    assert [line.split("] ")[1] for line in lines] == ["Bob: one", "You: two"]


def entries(view: TimelineView, message: Message) -> dict[str, Callable[[], None]]:
    menu = view.menu_for(message)
    return {action.text(): action.trigger for action in menu.actions()}


def test_the_menu_copies_retries_and_shows_all(view: TimelineView, history: History) -> None:
    history.one("x" * 5_000, outgoing=False)
    sent = history.store.messages.add_outgoing(
        history.conversation, history.one("y").id, "mine", 1, 1
    ).message
    [failed] = history.store.messages.advance(
        history.conversation, [sent.id], MessageState.FAILED, FailReason.BLOCKED
    )
    view._model.open(history.conversation, "Bob")
    retried: list[Message] = []
    shown: list[Message] = []
    view.retry_asked.connect(retried.append)
    view.full_text_asked.connect(shown.append)
    entries(view, failed)["Try again"]()
    assert [message.id for message in retried] == [failed.id]
    long = view._model.row(0).message
    menu = entries(view, long)
    assert "Try again" not in menu
    menu["Copy text"]()
    assert QGuiApplication.clipboard().text() == "x" * 5_000
    menu["Show all"]()
    assert shown == [long]


def test_the_end_of_a_cut_message_can_be_clicked(view: TimelineView, history: History) -> None:
    shown: list[Message] = []
    view.full_text_asked.connect(shown.append)
    history.one("\n".join("line" for _n in range(200)), outgoing=False)
    view._model.open(history.conversation, "Bob")
    row, index = view._model.row(0), view._model.index(0)
    corner = view._paint.bubble_rect(row, view.visualRect(index), 0).topLeft()
    spot = view._paint.bubble(row.message).more_rect.translated(corner).center().toPoint()
    QTest.mouseClick(view.viewport(), LEFT, NONE, spot)
    assert shown == [row.message]


def test_every_row_is_read_aloud_as_one_sentence(view: TimelineView, history: History) -> None:
    history.one("Hello", outgoing=False)
    history.one("Hi", outgoing=True)
    view._model.open(history.conversation, "Bob")
    interface = QAccessible.queryAccessibleInterface(view)
    assert interface.text(QAccessible.Text.Name) == "Messages"
    rows = [interface.child(n).text(QAccessible.Text.Name) for n in range(interface.childCount())]
    assert rows[0].startswith("Bob, ")
    assert rows[0].endswith(": Hello")
    assert rows[1].endswith(": Hi, delivered")


def test_states_look_different(view: TimelineView, history: History) -> None:
    message = history.store.messages.add_outgoing(
        history.conversation, history.one("x").id, "mine", 1_760_000_000_000, 1_760_000_000_000
    ).message
    view._model.open(history.conversation, "Bob")
    pictures: list[QImage] = [view.grab().toImage()]
    for state in (MessageState.SENT, MessageState.DELIVERED, MessageState.READ):
        [message] = history.store.messages.advance(history.conversation, [message.id], state)
        view._model.change(message)
        pictures.append(view.grab().toImage())
    assert all(a != b for n, a in enumerate(pictures) for b in pictures[:n])


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_own_bubbles_stand_at_the_end_of_the_line(
    view: TimelineView, history: History, direction: Qt.LayoutDirection
) -> None:
    history.one("theirs", outgoing=False)
    history.one("mine", outgoing=True)
    QGuiApplication.setLayoutDirection(direction)
    try:
        view._model.open(history.conversation, "Bob")
        left = [middle(view, place).x() for place in range(2)]
    finally:
        QGuiApplication.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    assert (left[0] < left[1]) == (direction == Qt.LayoutDirection.LeftToRight)
