"""What stands below a bubble: reactions that can be clicked, and a button that sends again what failed."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtTest import QTest

from messenger.core.ids import MessageId
from messenger.core.models import FailReason, Message, MessageState, Reaction
from messenger.core.transfer_deeds import FileDeed
from messenger.core.transfers import TransferState
from messenger.gui.below import Below
from messenger.gui.message_menu import Deed
from messenger.gui.theme import Theme
from messenger.gui.timeline_view import TimelineView
from tests.gui.conftest import Desks
from tests.gui.test_bubble import message
from tests.gui.test_chat import meet, state, write
from tests.gui.test_deeds import key, mark, say
from tests.gui.test_files import card, file, newest, send
from tests.helpers.gui import Desk
from tests.helpers.history import START, History

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
HOSTILE = "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"
"""As wide as the emoji of somebody else's program may be."""


@pytest.fixture
def two(desks: Desks) -> tuple[Desk, Desk]:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    return alice, bob


@pytest.fixture
def mirrored() -> Iterator[None]:
    QGuiApplication.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    yield
    QGuiApplication.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def below(view: TimelineView, place: int) -> tuple[Below, QPointF]:
    """What stands below the bubble of a row, and the corner that it is counted from."""
    view.executeDelayedItemsLayout()
    row = view._model.row(place)
    found = view._paint.below(row.message)
    assert found is not None
    return found, view._paint.bubble_rect(row, view.visualRect(view._model.index(place)), place).bottomLeft()


def again(view: TimelineView, place: int) -> QPoint:
    """The middle of the button below a row."""
    found, corner = below(view, place)
    assert not found.again.isEmpty(), "there is no button"
    return (corner + found.again.center()).toPoint()


def chip(view: TimelineView, place: int, emoji: str) -> QPoint:
    """The middle of the chip of an emoji below a row."""
    found, corner = below(view, place)
    return (corner + next(chip.rect.center() for chip in found.chips if chip.emoji == emoji)).toPoint()


def chips(desk: Desk, place: int) -> list[tuple[str, int, bool]]:
    """Emoji, how many have chosen it, and whether we have."""
    found = desk.chat.view._paint.below(desk.chat.model.row(place).message)
    return [] if found is None else [(chip.emoji, chip.votes, chip.mine) for chip in found.chips]


def click(view: TimelineView, at: QPoint) -> None:
    QTest.mouseClick(view.viewport(), LEFT, NONE, at)


def twice(view: TimelineView, at: QPoint) -> None:
    """Click twice, quickly: all events that a window gets then."""
    click(view, at)
    QTest.mouseDClick(view.viewport(), LEFT, NONE, at)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, at)


def unsent(alice: Desk) -> None:
    """What Alice wrote fails, because she blocks Bob, and lets him in again."""
    conversation = alice.chat.conversation
    assert conversation is not None
    last = alice.chat.model.rowCount() - 1
    alice.call(alice.bridge.engine.block, conversation)
    alice.hands.until(lambda: state(alice, last) is MessageState.FAILED)
    alice.hands.until(lambda: not alice.chat.view.answerable)
    found, _corner = below(alice.chat.view, last)
    assert "blocked" in found.reason
    assert found.again.isEmpty(), "nothing can be sent to somebody who is blocked"
    assert found.deeds == ()
    alice.call(alice.bridge.engine.unblock, conversation)
    alice.hands.until(alice.chat.composer.isVisible)


def test_a_text_that_failed_is_sent_again_by_a_click(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    bob.close()
    alice.hands.until(lambda: alice.chat.header.words().startswith("Offline"))
    write(alice.front(), "one")
    alice.hands.until(lambda: alice.texts() == ["one"])
    unsent(alice)
    view = alice.chat.view

    def pointed_at() -> bool:
        """Whether it is shown as a link; it moves while there is news of Bob."""
        QTest.mouseMove(view.viewport(), again(view, 0))
        return view.viewport().cursor().shape() is Qt.CursorShape.PointingHandCursor

    alice.hands.until(pointed_at)
    click(view, again(view, 0))
    alice.hands.until(lambda: state(alice, 0) is MessageState.QUEUED)
    assert view._paint.below(alice.chat.model.row(0).message) is None


def test_a_text_that_failed_is_sent_again_by_keyboard_and_heard_of(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    bob.close()
    alice.hands.until(lambda: alice.chat.header.words().startswith("Offline"))
    write(alice.front(), "one")
    alice.hands.until(lambda: alice.texts() == ["one"])
    unsent(alice)
    mark(alice, 0)
    view = alice.chat.view
    row = QAccessible.queryAccessibleInterface(view).child(0)
    assert row.text(QAccessible.Text.Name).endswith("Not sent, because you blocked this person")
    key(alice, Qt.Key.Key_Tab)
    assert view.hasFocus()
    assert view.accessibleDescription() == "Try again"
    key(alice, Qt.Key.Key_Return)
    alice.hands.until(lambda: state(alice, 0) is MessageState.QUEUED)
    assert view.accessibleDescription() == ""
    assert alice.chat.composer.bar.title() == ""
    key(alice, Qt.Key.Key_Return)
    assert alice.chat.composer.bar.title() != "", "Enter answers, once there is no button"


def test_files_that_failed_are_sent_again(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    bob.close()
    alice.hands.until(lambda: alice.chat.header.words().startswith("Offline"))
    send(alice, file(tmp_path / "letter.txt", 10))
    alice.hands.until(lambda: newest(alice) is not None)
    unsent(alice)
    view = alice.chat.view
    mark(alice, 0)
    key(alice, Qt.Key.Key_Tab)
    assert view.accessibleDescription() == "Cancel: letter.txt"
    key(alice, Qt.Key.Key_Tab)
    assert view.accessibleDescription() == "Try again"
    found, corner = below(view, 0)
    assert corner.y() >= card(alice)[1].y() + card(alice)[0].size.height(), "it stands below the card"
    click(view, again(view, 0))
    alice.hands.until(lambda: state(alice, 0) is MessageState.QUEUED)
    assert found.reason == "Not sent, because you blocked this person."


def test_a_reaction_is_joined_and_taken_back_by_a_click(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "I have a plan")
    conversation = bob.chat.conversation
    bob.call(bob.bridge.engine.react, conversation, bob.chat.model.row(0).message.id, "🎉")
    alice.hands.until(lambda: chips(alice, 0) == [("🎉", 1, False)])
    click(alice.front().chat.view, chip(alice.chat.view, 0, "🎉"))
    bob.hands.until(lambda: chips(bob, 0) == [("🎉", 2, True)])
    alice.hands.until(lambda: chips(alice, 0) == [("🎉", 2, True)])
    click(alice.chat.view, chip(alice.chat.view, 0, "🎉"))
    bob.hands.until(lambda: chips(bob, 0) == [("🎉", 1, True)])
    bob.front()
    click(bob.chat.view, chip(bob.chat.view, 0, "🎉"))
    alice.hands.until(lambda: chips(alice, 0) == [])
    alice.hands.until(lambda: alice.chat.model.row(0).message.reactions == ())


def test_nobody_reacts_to_somebody_who_is_blocked(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "I have a plan")
    bob.call(bob.bridge.engine.react, bob.chat.conversation, bob.chat.model.row(0).message.id, "🎉")
    alice.hands.until(lambda: chips(alice, 0) == [("🎉", 1, False)])
    alice.call(alice.bridge.engine.block, alice.chat.conversation)
    alice.hands.until(lambda: not alice.chat.view.answerable)
    view = alice.front().chat.view
    asked: list[object] = []
    view.deed_asked.connect(lambda *deed: asked.append(deed))
    at = chip(view, 0, "🎉")
    QTest.mouseMove(view.viewport(), at)
    assert view.viewport().cursor().shape() is Qt.CursorShape.ArrowCursor
    click(view, at)
    assert asked == []


def failed(history: History, text: str) -> Message:
    """A message of ours that was not sent."""
    at, id_, messages = START + len(text), MessageId(text.encode().ljust(16)), history.store.messages
    messages.add_outgoing(history.conversation, id_, text, at, at)
    return messages.advance(history.conversation, [id_], MessageState.FAILED, FailReason.BLOCKED)[0]


def test_a_click_counts_where_the_button_went_down(view: TimelineView, history: History) -> None:
    retried: list[str] = []
    view.retry_asked.connect(lambda message: retried.append(message.text))
    failed(history, "one")
    failed(history, "two")
    view._model.open(history.conversation, "Bob")
    first, second = again(view, 0), again(view, 1)
    QTest.mousePress(view.viewport(), LEFT, NONE, first)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, second)
    QTest.mousePress(view.viewport(), LEFT, NONE, first)
    view.vanished([view._model.row(0).message.id])  # another one comes under the mouse
    QTest.mouseRelease(view.viewport(), LEFT, NONE, again(view, 0))
    assert retried == []
    twice(view, again(view, 0))
    assert retried == ["two"], "a double click is one, and no answer to the message"


@pytest.mark.parametrize("width", [320, 900])
@pytest.mark.parametrize("right", [False, True])
def test_nothing_stands_outside_of_the_pane_or_over_anything(
    view: TimelineView, history: History, request: pytest.FixtureRequest, right: bool, width: int
) -> None:
    if right:
        request.getfixturevalue("mirrored")
    history.one("Hi", outgoing=False)
    history.one("Hi", outgoing=True)
    failed(history, "one")
    history.one("a long text " * 40, outgoing=True)
    view.resize(width, 500)
    view._model.open(history.conversation, "Bob")
    for place in range(view._model.rowCount()):
        shown = view._model.row(place).message
        reactions = tuple(Reaction(bool(n % 2), f"{HOSTILE[n:]}{n}") for n in range(9))
        view._model.change(msgspec.structs.replace(shown, reactions=reactions))
    view.executeDelayedItemsLayout()
    for place in range(view._model.rowCount()):
        found, corner = below(view, place)
        row = view.visualRect(view._model.index(place))
        parts = [chip.rect for chip in found.chips] + [found.reason_rect, found.again]
        seen = [part.translated(corner) for part in parts if not part.isEmpty()]
        assert all(part.left() >= 0 and part.right() <= view._paint.pane for part in seen)
        assert all(row.top() <= part.top() and part.bottom() <= row.bottom() + 1 for part in seen)
        assert not any(a.intersects(b) for n, a in enumerate(seen) for b in seen[:n])
    view.grab()


@pytest.mark.usefixtures("mirrored")
def test_the_button_stands_at_the_edge_where_our_messages_are(view: TimelineView, history: History) -> None:
    failed(history, "one")
    view._model.open(history.conversation, "Bob")
    found, _corner = below(view, 0)
    assert abs(found.again.left()) < 1
    assert found.reason_rect.left() > found.again.right()
    retried: list[Message] = []
    view.retry_asked.connect(retried.append)
    click(view, again(view, 0))
    assert len(retried) == 1
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(view, Qt.Key.Key_Left)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert len(retried) == 2, "forward is to the left"


def test_what_was_deleted_has_nothing_below(theme: Theme) -> None:
    plain = message("x", MessageState.FAILED)
    laid = Below(plain, 80, 400, theme, at_right=True, answerable=True)
    assert (laid.reason, laid.deeds) == ("Not sent, because you blocked this person.", (Deed.RETRY,))
    assert laid.deed_at(laid.again.center()) == (Deed.RETRY, "")
    assert laid.deed_at(QPointF(-1000, 0)) is None
    gone = msgspec.structs.replace(plain, deleted=True, reactions=(Reaction(outgoing=False, emoji="👍"),))
    empty = Below(gone, 80, 400, theme, at_right=True, answerable=True)
    assert (empty.height, empty.reason, empty.chips, empty.again) == (0, "", [], QRectF())


def test_a_double_click_on_a_card_is_one_order(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    """The button that comes in place of the first one is not pressed by the second half of it."""
    alice, bob = two
    send(alice, file(tmp_path / "letter.txt", 10))
    bob.hands.until(lambda: newest(bob) is not None)
    asked: list[object] = []
    view = bob.front().chat.view
    view.file_asked.connect(lambda deed, _transfer: asked.append(deed))
    view.executeDelayedItemsLayout()
    bubble, corner = card(bob)
    at = (corner + next(rect for deed, rect in bubble.buttons if deed is FileDeed.ACCEPT).center()).toPoint()
    twice(view, at)
    bob.hands.until(lambda: (found := newest(bob)) is not None and found.state is TransferState.DONE)
    assert asked == [FileDeed.ACCEPT]
