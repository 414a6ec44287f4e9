"""Two people, two windows, two engines: they meet, are accepted, talk, verify, and part."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from messenger.core import limits
from messenger.core.models import MessageState, Offline, Online, Standing
from messenger.gui.connect_sheet import ConnectSheet
from messenger.gui.sheet import ConfirmSheet, RenameSheet, TextSheet
from messenger.gui.verify_sheet import VerifySheet
from tests.gui.conftest import Desks
from tests.helpers.gui import Desk
from tests.helpers.watchdog import Watchdog

LONG = "word " * 2_000
RIGHT_TO_LEFT = "שלום, מה שלומך?"
EMOJI = "👨‍👩‍👧‍👦🎂"


def knock(alice: Desk, bob: Desk) -> None:
    """Alice connects to Bob by address; Bob has her request before him."""
    alice.front()
    before = alice.chat.conversation
    alice.hands.press(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier, alice.window)
    sheet = alice.sheet(ConnectSheet)
    alice.hands.type(bob.address(), sheet.field)
    alice.hands.press(Qt.Key.Key_Return, widget=sheet.field)
    alice.hands.until(lambda: sheet.stage() == "question")
    alice.hands.click(sheet.go_button)
    alice.hands.until(lambda: alice.chat.conversation not in {None, before})
    bob.front().open_chat("Alice")


def meet(alice: Desk, bob: Desk) -> None:
    """They are friends, each with the other's conversation open."""
    knock(alice, bob)
    bob.hands.click(bob.chat.gate.accept_button)
    bob.hands.until(bob.chat.composer.isVisible)
    alice.hands.until(lambda: not awaiting(alice))


def awaiting(desk: Desk) -> bool:
    row = desk.chat._row
    return row is not None and row.conversation.contact.awaiting


def write(desk: Desk, text: str) -> None:
    """Type, or paste what no keyboard has, and press Enter."""
    box = desk.chat.composer.box
    if text.isascii() and len(text) < 200:
        desk.hands.type(text, box)
    else:
        box.insertPlainText(text)
    desk.hands.press(Qt.Key.Key_Return, widget=box)


def choose(desk: Desk, words: str) -> None:
    """Choose an entry of the menu of the conversation."""
    menu = desk.chat.header.menu()
    next(action for action in menu.actions() if action.text() == words).trigger()
    menu.close()


def state(desk: Desk, place: int) -> MessageState:
    return desk.chat.model.row(place).message.state


@pytest.fixture
def two(desks: Desks) -> tuple[Desk, Desk]:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    return alice, bob


def test_they_talk_both_ways_and_see_what_became_of_it(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    alice.front()
    for number, text in enumerate(("Hello Bob", RIGHT_TO_LEFT, EMOJI, LONG.strip())):
        write(alice, text)
        bob.hands.until(lambda number=number: len(bob.texts()) == number + 1)  # type: ignore[misc]
        alice.hands.until(lambda: alice.chat.composer.text() == "")
    assert bob.texts() == alice.texts() == ["Hello Bob", RIGHT_TO_LEFT, EMOJI, LONG.strip()]
    alice.hands.until(lambda: state(alice, 3) >= MessageState.DELIVERED)
    bob.front()
    alice.hands.until(lambda: state(alice, 3) is MessageState.READ)
    write(bob, "Hello Alice")
    alice.hands.until(lambda: alice.texts()[-1:] == ["Hello Alice"])
    assert bob.chat.composer.box.hasFocus()


def test_empty_is_not_sent_and_too_long_is_explained_and_kept(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    write(alice.front(), "   ")
    assert alice.chat.composer.error() == ""
    huge = "ä" * limits.TEXT_MAX
    write(alice, huge)
    alice.hands.until(lambda: alice.chat.composer.error() != "")
    assert "64 kilobytes" in alice.chat.composer.error()
    assert alice.chat.composer.text().endswith(huge)
    assert alice.texts() == bob.texts() == []


def test_a_stranger_is_looked_at_before_being_let_in(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    knock(alice, bob)
    assert "not accepted" in alice.chat.composer._hint.text()
    write(alice.front(), "It is me")
    bob.hands.until(lambda: bob.texts() == ["It is me"])
    gate = bob.chat.gate
    assert gate.isVisible()
    assert not bob.chat.composer.isVisible()
    assert "Alice wants to talk" in gate._title.text()
    assert len(gate._fingerprint.text().split()) == 14
    bob.front()
    bob.hands.until(lambda: bob.page.model.unread() == 0)
    assert state(alice, 0) is not MessageState.READ, "a stranger does not learn that it was read"
    bob.hands.click(gate.accept_button)
    bob.hands.until(bob.chat.composer.isVisible)
    alice.hands.until(lambda: not awaiting(alice))
    assert not alice.chat.composer._hint.isVisible()


@pytest.mark.parametrize("way", ["block", "delete"])
def test_a_stranger_can_be_turned_away(desks: Desks, way: str) -> None:
    alice, bob = desks("alice"), desks("bob")
    knock(alice, bob)
    bob.front()
    gate = bob.chat.gate
    bob.hands.click(gate.block_button if way == "block" else gate.delete_button)
    sheet = bob.sheet(ConfirmSheet)
    assert sheet.cancel_button.hasFocus()
    bob.hands.click(sheet.action_button)
    if way == "block":
        bob.hands.until(gate.unblock_button.isVisible)
        assert "blocked" in gate._title.text()
    else:
        bob.hands.until(lambda: bob.page.model.rowCount() == 0)
        assert bob.page.empty.isVisible()
    alice.hands.until(lambda: alice.chat.header.words().startswith("Offline"))


def test_blocking_and_unblocking_a_friend(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    bob.front()
    entries = {action.text(): action for action in bob.chat.header.menu().actions()}
    entries["Block"].trigger()
    bob.hands.click(bob.sheet(ConfirmSheet).action_button)
    bob.hands.until(bob.chat.gate.isVisible)
    alice.hands.until(lambda: alice.chat.header.words().startswith("Offline"))
    bob.front()
    bob.hands.click(bob.chat.gate.unblock_button)
    bob.hands.until(bob.chat.composer.isVisible)
    bob.hands.until(lambda: bob.chat.header.words().startswith("Online"))


def test_they_compare_their_safety_number(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    numbers = []
    for desk in (alice, bob):
        desk.front()
        desk.hands.click(desk.chat.header._verify)
        sheet = desk.sheet(VerifySheet)
        desk.hands.until(lambda sheet=sheet: sheet.number().isdigit())  # type: ignore[misc]
        numbers.append(sheet.number())
        desk.hands.click(sheet.confirm_button)
        desk.hands.until(lambda sheet=sheet: "have verified" in sheet._state.text())  # type: ignore[misc]
        sheet.accept()
    assert len(numbers[0]) == 60
    assert numbers[0] == numbers[1]
    alice.hands.until(lambda: "Verified" in alice.chat.header._verify.accessibleName())
    alice.front()
    alice.hands.click(alice.chat.header._verify)
    again = alice.sheet(VerifySheet)
    alice.hands.until(lambda: again.undo_button.text() == "Take back")
    alice.hands.click(again.undo_button)
    alice.hands.until(lambda: "Not verified" in alice.chat.header._verify.accessibleName())


def test_different_numbers_are_a_warning(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    alice.front()
    alice.hands.click(alice.chat.header._verify)
    sheet = alice.sheet(VerifySheet)
    alice.hands.click(sheet.undo_button)
    alice.hands.until(lambda: "listening" in sheet.notice.text())


def test_a_friend_is_renamed(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    choose(alice.front(), "Rename…")
    sheet = alice.sheet(RenameSheet)
    alice.hands.type("Robert", sheet.field)
    alice.hands.press(Qt.Key.Key_Return, widget=sheet.field)
    alice.hands.until(lambda: alice.contact("Robert") is not None)
    assert alice.chat.header._title.text() == "Robert"


def test_disconnecting_and_reaching_again(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    alice.hands.until(lambda: alice.chat.header.words().startswith("Online"))
    entries = {action.text(): action for action in alice.chat.header.menu().actions()}
    entries["Disconnect"].trigger()
    alice.hands.until(lambda: alice.chat.header.words().startswith("Offline"))
    bob.hands.until(lambda: bob.chat.header.words().startswith("Offline"))
    entries = {action.text(): action for action in alice.chat.header.menu().actions()}
    entries["Reach them now"].trigger()
    alice.hands.until(lambda: alice.chat.header.words().startswith("Online"))


def test_a_conversation_is_deleted_only_after_asking(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    choose(alice.front(), "Delete conversation…")
    sheet = alice.sheet(ConfirmSheet)
    alice.hands.press(Qt.Key.Key_Escape, widget=sheet)
    alice.hands.until(lambda: alice.no_sheet(ConfirmSheet))
    assert alice.page.model.rowCount() == 1
    choose(alice.front(), "Delete conversation…")
    alice.hands.click(alice.sheet(ConfirmSheet).action_button)
    alice.hands.until(lambda: alice.page.model.rowCount() == 0)
    assert alice.chat.conversation is None


def test_a_long_message_is_shown_whole_in_a_window_of_its_own(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    write(alice.front(), LONG)
    alice.hands.until(lambda: len(alice.texts()) == 1)
    alice.chat.view.full_text_asked.emit(alice.chat.model.row(0).message)
    sheet = alice.sheet(TextSheet)
    assert sheet.view.toPlainText() == LONG.strip()
    sheet.accept()


def test_what_was_begun_is_kept_when_turning_to_somebody_else(desks: Desks) -> None:
    alice, bob, carol = desks("alice"), desks("bob"), desks("carol")
    meet(alice, bob)
    meet(alice, carol)
    alice.front().open_chat("Bob")
    alice.hands.type("half a", alice.chat.composer.box)
    alice.open_chat("Carol")
    assert alice.chat.composer.text() == ""
    alice.hands.type("another", alice.chat.composer.box)
    alice.open_chat("Bob")
    assert alice.chat.composer.text() == "half a"
    write(carol.front(), "Hi from Carol")
    alice.hands.until(lambda: alice.page.model.unread() == 1)
    assert alice.window.windowTitle().startswith("(1) ")
    assert alice.texts() == [], "it does not appear in the wrong conversation"
    alice.front().open_chat("Carol")
    alice.hands.until(lambda: alice.page.model.unread() == 0)
    assert alice.texts() == ["Hi from Carol"]


def test_what_waits_arrives_when_the_other_is_back_after_a_restart(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    folder = bob.folder
    write(alice.front(), "one")
    bob.hands.until(lambda: bob.texts() == ["one"])
    with Watchdog() as watchdog:
        bob.close()
    assert watchdog.worst <= 0.05, "the window stays responsive while it closes"
    alice.hands.until(lambda: alice.chat.header.words().startswith("Offline"))
    write(alice, "two")
    alice.hands.until(lambda: alice.texts() == ["one", "two"])
    assert state(alice, 1) is MessageState.QUEUED
    again = Desk(alice.hands, alice.window._theme, Path(folder))
    try:
        again.start()
        again.front().open_chat("Alice")
        again.hands.until(lambda: again.texts() == ["one", "two"])
        alice.hands.until(lambda: state(alice, 1) >= MessageState.DELIVERED)
        assert not again.chat.composer.isHidden()
        contact = again.contact("Alice")
        assert contact is not None
        assert contact.standing is Standing.ACCEPTED
    finally:
        again.close()


def test_presence_is_shown_in_words_and_in_the_list(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    conversation = alice.chat.conversation
    assert conversation is not None
    alice.hands.until(lambda: alice.chat.header.words().startswith("Online · "))
    row = alice.page.model.row(conversation)
    assert row is not None
    assert isinstance(row.presence, Online)
    bob.close()
    alice.hands.until(lambda: alice.chat.header.words().startswith("Offline"))
    row = alice.page.model.row(conversation)
    assert row is not None
    assert isinstance(row.presence, Offline)
