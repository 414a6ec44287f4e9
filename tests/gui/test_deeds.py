"""What is done with messages: two people, two windows, by mouse and by keyboard."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from messenger.core.models import MessageState
from messenger.gui.emoji_picker import EmojiPicker
from messenger.gui.message_menu import Deed, EmojiRow, MessageMenu
from messenger.gui.message_sheets import DeleteSheet, InfoSheet, LinkSheet
from messenger.gui.sheet import Sheet
from tests.gui.conftest import Desks
from tests.gui.test_chat import meet, state, write
from tests.helpers.gui import Desk

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def two(desks: Desks) -> tuple[Desk, Desk]:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    return alice, bob


def say(one: Desk, other: Desk, text: str) -> None:
    """Write something, and wait until it is there."""
    write(one.front(), text)
    other.hands.until(lambda: other.texts()[-1:] == [text])
    one.hands.until(lambda: one.texts()[-1:] == [text] and one.chat.composer.text() == "")


def mark(desk: Desk, place: int) -> None:
    """Go to a message with the keys."""
    view = desk.front().chat.view
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    view.setCurrentIndex(desk.chat.model.index(place))


def key(desk: Desk, pressed: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    desk.hands.press(pressed, modifiers, desk.chat.view)


def menu(desk: Desk, place: int) -> MessageMenu:
    """Open the menu of a message by keyboard."""
    mark(desk, place)
    key(desk, Qt.Key.Key_F10, SHIFT)
    desk.hands.until(lambda: isinstance(QApplication.activePopupWidget(), MessageMenu))
    opened = QApplication.activePopupWidget()
    assert isinstance(opened, MessageMenu)
    return opened


def entries(opened: MessageMenu) -> list[str]:
    return [action.text() for action in opened.actions() if not action.isSeparator()]


def pick(desk: Desk, place: int, words: str) -> None:
    """Choose an entry of the menu of a message."""
    opened = menu(desk, place)
    next(action for action in opened.actions() if action.text() == words).trigger()
    opened.close()


def test_a_message_is_answered_and_the_answer_leads_back(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "Where shall we meet?")
    pick(bob, 0, "Reply")
    bar = bob.chat.composer.bar
    assert bar.title() == "Reply to Alice"
    assert bob.chat.composer.box.hasFocus()
    say(bob, alice, "At the boat house")
    assert bar.title() == ""
    for desk, quote in ((alice, "You: Where shall we meet?"), (bob, "Alice: Where shall we meet?")):
        assert desk.chat.model.quote(desk.chat.model.row(1).message) == quote
    sentence = alice.chat.model.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "in reply to You: Where shall we meet?: At the boat house" in sentence
    view, model = alice.front().chat.view, alice.chat.model
    rect = view._paint.bubble_rect(model.row(1), view.visualRect(model.index(1)), 1)
    spot = view._paint.bubble(model.row(1).message).quote_rect.translated(rect.topLeft()).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot.toPoint())
    assert view._paint.flash == model.row(0).message.id


def test_double_click_beside_the_words_answers_and_escape_leaves(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "Hello")
    view = bob.front().chat.view
    row = view.visualRect(bob.chat.model.index(0))
    beside = QPoint(view.viewport().width() - 20, row.bottom() - 10)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=beside)
    assert bob.chat.composer.bar.title() == "Reply to Alice"
    bob.hands.press(Qt.Key.Key_Escape, widget=bob.chat.composer.box)
    assert bob.chat.composer.bar.title() == ""
    assert bob.chat.conversation is not None, "only the answer is left"


def test_the_last_message_is_changed_with_up(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "See you at nin")
    box = alice.front().chat.composer.box
    alice.hands.press(Qt.Key.Key_Up, widget=box)
    assert alice.chat.composer.bar.title() == "Edit message"
    assert alice.chat.composer.text() == "See you at nin"
    alice.hands.type("e", box)
    alice.hands.press(Qt.Key.Key_Return, widget=box)
    bob.hands.until(lambda: bob.texts() == ["See you at nine"])
    alice.hands.until(lambda: alice.chat.composer.bar.title() == "")
    assert alice.texts() == ["See you at nine"]
    assert alice.chat.composer.text() == ""
    assert bob.chat.model.row(0).message.edited_ms is not None


def test_who_types_in_the_messages_writes(two: tuple[Desk, Desk]) -> None:
    """Letters are keys for the message that is marked by keyboard, and nothing else."""
    alice, bob = two
    say(alice, bob, "the first words")
    mark(alice, 0)
    view = alice.chat.view
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.viewport().rect().center())
    assert alice.hands.focus() is view
    alice.hands.type("Re", view)
    box = alice.chat.composer.box
    assert (alice.hands.focus(), box.toPlainText()) == (box, "Re")
    mark(alice, 0)
    alice.hands.type("x", view)
    alice.hands.type("+")
    assert box.toPlainText() == "Rex+"
    assert alice.chat.composer.bar.title() == ""
    mark(alice, 0)
    key(alice, Qt.Key.Key_R)
    assert alice.chat.composer.bar.title()
    assert box.toPlainText() == "Rex+"


def test_who_types_before_a_stranger_is_let_in_writes_nowhere(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    alice.chat.composer.hide()
    mark(alice, 0)
    alice.hands.type("Hello", alice.chat.view)
    assert alice.chat.composer.text() == ""


def test_a_line_about_the_conversation_is_no_message(two: tuple[Desk, Desk]) -> None:
    """It is passed over by Up, and keys do nothing with it."""
    alice, bob = two
    say(alice, bob, "the last words")
    conversation = alice.chat.conversation
    assert conversation is not None
    alice.call(lambda: alice.bridge.engine.set_timer(conversation, 3600))
    alice.hands.until(lambda: alice.chat.model.rowCount() == 2)
    mark(alice, 1)
    for pressed in (Qt.Key.Key_R, Qt.Key.Key_E, Qt.Key.Key_Delete):
        key(alice, pressed)
        assert alice.chat.composer.bar.title() == ""
    assert alice.window.findChildren(Sheet) == []
    alice.hands.press(Qt.Key.Key_Up, widget=alice.chat.composer.box)
    assert alice.chat.composer.text() == "the last words"


def test_links_are_followed_and_answers_traced_by_keyboard(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(bob, alice, "see https://a.example/?x=1&y=2 and https://b.example, https://a.example/?x=1&y=2")
    opened = menu(alice, 0)
    links = ["Open https://a.example/?x=1&&y=2", "Open https://b.example"]
    assert [words for words in entries(opened) if words.startswith("Open ")] == links
    assert "Show what it answers" not in entries(opened)
    opened.close()
    pick(alice, 0, links[1])
    sheet = alice.sheet(LinkSheet)
    assert "b.example" in sheet.address.text()
    sheet.reject()
    alice.hands.until(lambda: alice.no_sheet(LinkSheet))
    conversation = alice.chat.conversation
    assert conversation is not None
    first = alice.chat.model.row(0).message
    for number in range(30):
        alice.call(alice.bridge.engine.send_text, conversation, f"line {number}")
    alice.call(alice.bridge.engine.send_text, conversation, "an answer", first.id)
    alice.hands.until(lambda: alice.texts()[-1:] == ["an answer"])
    pick(alice, alice.chat.model.rowCount() - 1, "Show what it answers")
    view = alice.chat.view
    alice.hands.until(lambda: view.rect().contains(view.visualRect(alice.chat.model.index(0)).center()))


def test_leaving_a_change_brings_back_what_was_begun(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "first")
    alice.hands.type("begun", alice.front().chat.composer.box)
    mark(alice, 0)
    key(alice, Qt.Key.Key_E)
    assert alice.chat.composer.text() == "first"
    alice.hands.press(Qt.Key.Key_Escape, widget=alice.chat.composer.box)
    assert alice.chat.composer.text() == "begun"
    mark(bob, 0)
    key(bob, Qt.Key.Key_E)
    assert bob.chat.composer.bar.title() == "", "what others wrote cannot be changed"


def test_reactions_come_from_the_row_in_the_menu_and_go_again(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "I have a plan")
    row = menu(bob, 0).findChild(EmojiRow)
    assert isinstance(row, EmojiRow)
    row.setFocus()
    bob.hands.press(Qt.Key.Key_Right, widget=row)
    bob.hands.press(Qt.Key.Key_Return, widget=row)
    alice.hands.until(lambda: [r.emoji for r in alice.chat.model.row(0).message.reactions] == ["❤️"])
    again = menu(bob, 0).findChild(EmojiRow)
    assert isinstance(again, EmojiRow)
    assert again.buttons[1].isChecked()
    again.buttons[1].click()
    alice.hands.until(lambda: alice.chat.model.row(0).message.reactions == ())


def picker() -> EmojiPicker | None:
    popup = QApplication.activePopupWidget()
    return popup if isinstance(popup, EmojiPicker) else None


def test_any_emoji_can_be_searched_and_chosen_by_keyboard(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "Shall I bring cake?")
    mark(bob, 0)
    key(bob, Qt.Key.Key_Plus)
    opened = picker()
    assert opened is not None
    assert opened.field.hasFocus()
    bob.hands.type("birthday", opened.field)
    assert [opened.grid.item(n).text() for n in range(opened.grid.count())] == ["🎂"]
    bob.hands.press(Qt.Key.Key_Return, widget=opened.field)
    alice.hands.until(lambda: [r.emoji for r in alice.chat.model.row(0).message.reactions] == ["🎂"])
    alice.hands.click(alice.front().chat.composer.emoji_button)
    composing = picker()
    assert composing is not None
    alice.hands.press(Qt.Key.Key_Down, widget=composing.field)
    assert composing.grid.hasFocus()
    alice.hands.press(Qt.Key.Key_Right, widget=composing.grid)
    alice.hands.press(Qt.Key.Key_Return, widget=composing.grid)
    assert alice.chat.composer.text() == "😃"


def ask_delete(desk: Desk, place: int) -> DeleteSheet:
    mark(desk, place)
    key(desk, Qt.Key.Key_Delete)
    return desk.sheet(DeleteSheet)


def test_a_message_is_deleted_for_both_or_here_alone(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    for text in ("one", "two", "three"):
        say(alice, bob, text)
    alice.hands.until(lambda: state(alice, 2) >= MessageState.DELIVERED)
    sheet = ask_delete(alice, 1)
    assert sheet.cancel_button.hasFocus()
    alice.hands.click(sheet.both_button)
    bob.hands.until(lambda: bob.chat.model.row(1).message.deleted)
    assert alice.chat.model.row(1).message.deleted
    theirs = ask_delete(bob, 0)
    assert not theirs.both_button.isVisible(), "what others wrote stays with them"
    bob.hands.click(theirs.here_button)
    bob.hands.until(lambda: bob.chat.model.rowCount() == 2)
    assert bob.texts() == ["", "three"]
    assert alice.chat.model.rowCount() == 3
    bob.hands.click(ask_delete(bob, 1).here_button)
    bob.hands.until(lambda: bob.chat.model.rowCount() == 1)
    row = bob.page.sidebar.order.rows()[0]
    assert row.conversation.last is not None
    assert row.conversation.last.deleted, "the list shows what is the last one now"


def test_an_answer_to_a_message_that_is_deleted_meanwhile_is_left(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "one")
    pick(bob, 0, "Reply")
    alice.hands.click(ask_delete(alice, 0).both_button)
    bob.hands.until(lambda: bob.chat.composer.bar.title() == "")


def test_a_deleted_message_offers_little(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "one")
    opened = menu(bob, 0)
    assert entries(opened) == ["React", "Reply", "Copy text", "Info", "Delete…"]
    opened.close()
    own = menu(alice, 0)
    assert entries(own) == ["React", "Reply", "Copy text", "Edit", "Info", "Delete…"]
    own.close()
    alice.hands.click(ask_delete(alice, 0).both_button)
    alice.hands.until(lambda: alice.chat.model.row(0).message.deleted)
    gone = menu(alice, 0)
    assert entries(gone) == ["Info", "Delete…"]
    gone.close()


def test_info_says_when_it_was_sent_delivered_and_read(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "one")
    bob.front()
    alice.hands.until(lambda: state(alice, 0) is MessageState.READ)
    mark(alice, 0)
    key(alice, Qt.Key.Key_I)
    sheet = alice.sheet(InfoSheet)
    facts = dict(sheet.facts)
    assert list(facts) == ["From", "Sent", "Delivered", "Read", "State"]
    assert facts["From"] == "You"
    assert facts["State"] == "read"
    sheet.accept()


def test_what_failed_says_why_and_is_sent_again(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    conversation = alice.chat.conversation
    assert conversation is not None
    bob.close()
    alice.hands.until(lambda: alice.chat.header.words().startswith("Offline"))
    write(alice.front(), "one")
    alice.hands.until(lambda: alice.texts() == ["one"])
    alice.call(alice.bridge.engine.block, conversation)
    alice.hands.until(lambda: state(alice, 0) is MessageState.FAILED)
    opened = menu(alice, 0)
    assert entries(opened) == [
        "Copy text",
        "Not sent, because you blocked this person.",
        "Try again",
        "Info",
        "Delete…",
    ]
    opened.close()
    alice.call(alice.bridge.engine.unblock, conversation)
    alice.hands.until(alice.chat.composer.isVisible)
    pick(alice, 0, "Try again")
    alice.hands.until(lambda: state(alice, 0) is MessageState.QUEUED)


def test_the_mouse_opens_the_menu_of_what_is_under_it(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "one")
    say(alice, bob, "two")
    view = bob.front().chat.view
    asked: list[tuple[object, object]] = []
    view.deed_asked.connect(lambda deed, message, _extra: asked.append((deed, message.text)))
    at = view.visualRect(bob.chat.model.index(0)).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.viewport().mapToGlobal(at))
    QApplication.sendEvent(view.viewport(), event)
    opened = QApplication.activePopupWidget()
    assert isinstance(opened, MessageMenu)
    next(action for action in opened.actions() if action.text() == "Reply").trigger()
    opened.close()
    assert asked == [(Deed.REPLY, "one")]


def test_copying_takes_the_marks_of_code_along(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "use `ls -l` here")
    pick(bob, 0, "Copy text")
    assert QGuiApplication.clipboard().text() == "use `ls -l` here"


def draft_of(desk: Desk) -> Callable[[], str]:
    return lambda: desk.page.sidebar.order.rows()[0].draft


def test_drafts_survive_a_restart_and_stand_in_the_list(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(bob, alice, "well?")
    pick(alice, 0, "Reply")
    alice.hands.type("half a sent", alice.chat.composer.box)
    assert draft_of(alice)() == "half a sent"
    assert "draft: half a sent" in alice.page.sidebar.order.index(0, 0).data(
        Qt.ItemDataRole.AccessibleTextRole
    )
    alice.close()  # at once: nothing waits for the moment after which a draft is stored
    again = Desk(alice.hands, alice.window._theme, alice.folder)
    try:
        again.start()
        assert draft_of(again)() == "half a sent"
        again.front().open_chat("Bob")
        assert again.chat.composer.text() == "half a sent"
        assert again.chat.composer.bar.title() == "Reply to Bob"
        again.hands.type("ence", again.chat.composer.box)
        again.hands.press(Qt.Key.Key_Return, widget=again.chat.composer.box)
        bob.hands.until(lambda: bob.texts()[-1:] == ["half a sentence"])
        assert bob.chat.model.row(1).message.reply_to == bob.chat.model.row(0).message.id
        again.hands.until(lambda: draft_of(again)() == "")
    finally:
        again.close()


def test_writing_is_seen_there_and_ends_with_the_message(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    alice.hands.until(lambda: alice.chat.header.words().startswith("Online"))
    alice.hands.type("h", alice.front().chat.composer.box)
    bob.hands.until(lambda: bob.chat.header.words() == "is writing…")
    row = bob.page.sidebar.order.index(0, 0)
    assert row.data(Qt.ItemDataRole.UserRole).typing
    assert "is writing…" in row.data(Qt.ItemDataRole.AccessibleTextRole)
    alice.hands.press(Qt.Key.Key_Return, widget=alice.chat.composer.box)
    bob.hands.until(lambda: bob.texts() == ["h"])
    assert bob.chat.header.words().startswith("Online")
    assert not row.data(Qt.ItemDataRole.UserRole).typing


def test_writing_is_over_when_nothing_more_is_heard_of_it(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    alice.hands.until(lambda: alice.chat.header.words().startswith("Online"))
    alice.hands.type("h", alice.front().chat.composer.box)
    bob.hands.until(lambda: bob.chat.header.words() == "is writing…")
    bob.hands.until(lambda: bob.chat.header.words().startswith("Online"))
