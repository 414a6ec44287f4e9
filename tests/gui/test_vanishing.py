"""Messages that disappear, in the window: chosen by mouse and keyboard, marked, and gone without a jump."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from messenger.core import limits
from messenger.core.ids import MessageId
from messenger.core.models import Message, MessageState
from messenger.gui.sheet import TextSheet
from messenger.gui.theme import Theme
from messenger.gui.timeline_view import TimelineView
from messenger.gui.timer_menu import TimerSheet, Unit
from messenger.text import GONE
from tests.gui.conftest import Desks
from tests.gui.test_chat import meet, write
from tests.helpers.gui import Desk
from tests.helpers.history import APART, START, History

HOUR = 3600
SET = "You set messages to disappear after 1 hour"


def timed(history: History, count: int) -> list[Message]:
    """Messages of ours that disappear, and have arrived."""
    store, made = history.store, []
    for _ in range(count):
        number, history._count = history._count, history._count + 1
        at, id_ = START + number * APART, MessageId(number.to_bytes(16))
        add = store.messages.add_outgoing
        add(history.conversation, id_, f"message {number} of many words", at, at, timer=HOUR)
        made += store.messages.advance(history.conversation, [id_], MessageState.DELIVERED)
    return made


def expire(history: History, *messages: Message) -> tuple[MessageId, ...]:
    """Let the time of messages be over."""
    named = ", ".join(str(message.position) for message in messages)
    history.store._database.rows(f"UPDATE messages SET expires_ms = 1 WHERE position IN ({named})")  # noqa: S608
    (gone,) = history.store.timers.expire()
    assert set(gone.ids) == {message.id for message in messages}
    return gone.ids


def shown(view: TimelineView) -> list[str]:
    model = view._model
    return [model.row(place).message.text for place in range(model.rowCount())]


def top(view: TimelineView, message: Message) -> int:
    place = view._model.place(message.position)
    assert place is not None
    return view.visualRect(view._model.index(place)).top()


def test_what_is_in_sight_stays_where_it_is(view: TimelineView, history: History) -> None:
    """Rows go above, in the midst and below; also the one at the top of the view."""
    kept = history.add(20)
    for _ in range(10):
        timed(history, 3)
        kept += history.add(3)
    view._model.open(history.conversation, "Bob")
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    first = view.indexAt(QPoint(1, 1)).row()
    at = next(n for n in range(first, first + 9) if view._model.row(n).message.timer)
    bar.setValue(bar.value() + view.visualRect(view._model.index(at)).top() + 10)
    assert view._model.row(view.indexAt(QPoint(1, 1)).row()).message.timer, "a row that goes is at the top"
    staying = next(
        message
        for message in (view._model.row(n).message for n in range(at, view._model.rowCount()))
        if not message.timer
    )
    before = top(view, staying)
    held = [view._model.row(n).message for n in range(view._model.rowCount())]
    view.vanished(expire(history, *(message for message in held if message.timer)))
    assert top(view, staying) == before
    assert not [text for text in shown(view) if "of many words" in text]
    assert not view.pinned


def test_a_view_at_the_end_stays_there(view: TimelineView, history: History) -> None:
    history.add(30)
    going = timed(history, 5)
    history.add(2)
    view._model.open(history.conversation, "Bob")
    assert view.pinned
    view.vanished(expire(history, *going))
    assert view.pinned
    last = view.visualRect(view._model.index(view._model.rowCount() - 1))
    assert view.viewport().height() - 40 < last.bottom() <= view.viewport().height()


def test_all_that_was_read_goes_and_there_is_more(view: TimelineView, history: History) -> None:
    kept = history.add(5)
    going = timed(history, limits.PAGE)
    view._model.open(history.conversation, "Bob")
    assert view._model.rowCount() == limits.PAGE
    view.vanished(expire(history, *going))
    assert shown(view) == [message.text for message in kept]
    view.vanished(expire(history, *timed(history, 1)))
    assert len(shown(view)) == 5


def test_what_answers_it_says_that_something_was_there(view: TimelineView, history: History) -> None:
    (going,) = timed(history, 1)
    add = history.store.messages.add_outgoing
    answer = add(history.conversation, MessageId(b"a" * 16), "yes", START, START, going.id).message
    view._model.open(history.conversation, "Bob")
    assert "of many words" in view._model.quote(answer)
    view.grab()
    view.vanished(expire(history, going))
    assert view._model.quote(answer) == GONE
    place = view._model.place(answer.position)
    assert place is not None
    assert view._paint.bubble(view._model.row(place).message).quote == GONE
    view._model.open(history.conversation, "Bob")
    assert view._model.quote(answer) == GONE


def test_nothing_of_it_stays_selected_or_laid_out(view: TimelineView, history: History) -> None:
    (going,) = timed(history, 1)
    view._model.open(history.conversation, "Bob")
    view.grab()
    row, index = view._model.row(0), view._model.index(0)
    spot = view._paint.bubble_rect(row, view.visualRect(index), 0).topLeft().toPoint() + QPoint(20, 15)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
    assert view.copied_text()
    view.vanished(expire(history, going))
    assert view.copied_text() == ""
    assert not view._paint._bubbles


def test_it_is_marked_for_eyes_and_ears(view: TimelineView, history: History, theme: Theme) -> None:
    (going,) = timed(history, 1)
    (plain,) = history.add(1)
    history.store.timers.change(history.conversation, MessageId(b"t" * 16), HOUR, START + 10 * APART)
    view._model.open(history.conversation, "Bob")
    bubbles = [view._paint.bubble(view._model.row(place).message) for place in range(3)]
    assert [bubble.timed for bubble in bubbles] == [True, False, False]
    assert bubbles[0].time.startswith("1 hour · ")
    assert (bubbles[2].text, bubbles[2].time) == (SET, "")
    model = QAccessible.queryAccessibleInterface(view)
    said = [model.child(place).text(QAccessible.Text.Name) for place in range(3)]
    assert "disappears after 1 hour" in said[0]
    assert "disappears" not in said[1]
    assert said[2].endswith(SET)
    rect = view._paint.bubble_rect(view._model.row(2), view.visualRect(view._model.index(2)), 2)
    assert rect.center().x() == pytest.approx(view._paint.pane / 2, abs=1), "a line stands in the middle"
    image = view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    assert image.pixelColor(rect.topLeft().toPoint() + QPoint(8, 10)) == theme.colors["chip"]
    assert view.menu_for(view._model.row(2).message).isEmpty()
    assert (going.timer, plain.timer) == (HOUR, 0)


# --- two windows ---


def notices(desk: Desk) -> list[str]:
    model = desk.chat.model
    rows = [model.index(place).data() for place in range(model.rowCount())]
    return [words for words in rows if "disappear" in words]


def open_menu(desk: Desk) -> QMenu:
    """Click on the button at the end of the header; the menu for timers."""
    header = desk.front().chat.header
    desk.hands.click(header._more)
    desk.hands.until(lambda: any(menu.isVisible() for menu in header.findChildren(QMenu)))
    return next(menu for menu in header.findChildren(QMenu) if menu.isVisible())


def timers_of(menu: QMenu) -> QMenu:
    return next(action.menu() for action in menu.actions() if action.menu() is not None)  # type: ignore[return-value]


def pick(menu: QMenu, words: str) -> None:
    """Click on an entry."""
    action = next(action for action in menu.actions() if action.text() == words)
    spot = menu.actionGeometry(action).center()
    QTest.mouseMove(menu, spot)
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)


@pytest.fixture
def two(desks: Desks) -> tuple[Desk, Desk]:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    return alice, bob


def let_pass(desk: Desk, seconds: float) -> None:
    """Let time pass for somebody's engine."""
    running = desk.bridge.engine._running
    assert running is not None
    context = running.context

    async def turn() -> None:
        now = context.now_ms()
        context.now_ms = lambda: now + round(seconds * 1000)
        context.timing.set()

    desk.call(turn)


def test_by_mouse_and_it_goes_at_both(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    menu = open_menu(alice)
    timers = timers_of(menu)
    assert timers.title() == "Disappearing messages: Off"
    pick(menu, timers.title())
    alice.hands.until(timers.isVisible)
    assert [action.text() for action in timers.actions() if action.isChecked()] == ["Off"]
    pick(timers, "1 hour")
    alice.hands.until(lambda: notices(alice) == [SET])
    bob.hands.until(lambda: notices(bob) == ["Alice set messages to disappear after 1 hour"])
    write(alice.front(), "gone in an hour")
    bob.hands.until(lambda: "gone in an hour" in bob.texts())
    bob.front()
    alice.hands.until(
        lambda: alice.chat.model.row(alice.chat.model.rowCount() - 1).message.state is MessageState.READ
    )
    for desk in two:
        let_pass(desk, HOUR)
        desk.hands.until(lambda desk=desk: "gone in an hour" not in desk.texts())  # type: ignore[misc]
        assert len(notices(desk)) == 1

        def last(desk: Desk = desk) -> str:
            row = desk.page.model.row(desk.chat.conversation)  # type: ignore[arg-type]
            assert row is not None
            assert row.conversation.last is not None
            return row.conversation.last.text

        desk.hands.until(lambda: last() == "")


def test_by_keyboard_any_other_time(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    hands = alice.hands
    header = alice.front().chat.header
    header._more.setFocus()
    hands.press(Qt.Key.Key_Space, widget=header._more)
    hands.until(lambda: any(menu.isVisible() for menu in header.findChildren(QMenu)))
    menu = next(menu for menu in header.findChildren(QMenu) if menu.isVisible())
    timers = timers_of(menu)
    for _ in range(20):
        if menu.activeAction() is timers.menuAction():
            break
        hands.press(Qt.Key.Key_Down, widget=menu)
    hands.press(Qt.Key.Key_Right, widget=menu)
    hands.until(timers.isVisible)
    hands.press(Qt.Key.Key_Up, widget=timers)
    assert timers.activeAction().text() == "Other time…"
    hands.press(Qt.Key.Key_Return, widget=timers)
    hands.until(lambda: not alice.no_sheet(TimerSheet))
    sheet = alice.sheet(TimerSheet)
    assert sheet.field.hasFocus()
    hands.type("5")
    hands.press(Qt.Key.Key_Tab)
    for _ in Unit:
        if hands.focus() is not sheet.units._buttons[Unit.WEEKS]:
            hands.press(Qt.Key.Key_Right)
    hands.press(Qt.Key.Key_Space)
    assert sheet._unit is Unit.WEEKS
    hands.press(Qt.Key.Key_Return, widget=sheet.field)
    assert sheet.error.isVisible()
    sheet.units._buttons[Unit.MINUTES].setFocus()
    hands.press(Qt.Key.Key_Space)
    sheet.field.selectAll()
    hands.type("90", sheet.field)
    hands.press(Qt.Key.Key_Return, widget=sheet.field)
    hands.until(lambda: alice.no_sheet(TimerSheet))
    bob.hands.until(lambda: notices(bob) == ["Alice set messages to disappear after 1 hour 30 minutes"])
    words = [action.text() for action in timers_of(alice.chat.header.menu()).actions() if action.isChecked()]
    assert words == ["Other time (1 hour 30 minutes)…"]


def test_the_whole_of_a_long_one_closes_too(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    alice.call(alice.bridge.engine.set_timer, alice.chat.conversation, HOUR)
    write(alice.front(), "word " * 2_000)
    bob.front()
    bob.hands.until(lambda: len(bob.texts()) == 2)
    message = bob.chat.model.row(1).message
    bob.call(bob.bridge.engine.mark_read, bob.chat.conversation, message.position)
    bob.chat.view.full_text_asked.emit(message)
    bob.sheet(TextSheet)
    let_pass(bob, HOUR)
    bob.hands.until(lambda: bob.no_sheet(TextSheet))
    assert len(bob.texts()) == 1
