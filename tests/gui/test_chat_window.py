"""A conversation in a window of its own."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from messenger.core.ids import AttemptId, ConversationId
from messenger.gui.chat_window import ChatWindow
from messenger.gui.contact_panel import PanelSheet
from messenger.gui.entries import Entry
from tests.gui.conftest import Desks
from tests.helpers.gui import Desk
from tests.helpers.keys import identity


def meet(desks: Desks) -> tuple[Desk, Desk, ConversationId, ConversationId]:
    alice, bob = desks("alice"), desks("bob")
    contact = alice.call(
        alice.bridge.engine.connect, bob.address(), AttemptId(1), identity("bob").fingerprint
    )
    bob.hands.until(lambda: bob.contact("Alice") is not None)
    them = bob.contact("Alice")
    assert them is not None
    bob.call(bob.bridge.engine.accept, them.id)
    alice.front()
    return alice, bob, contact.id, them.id


def visible() -> list[ChatWindow]:
    windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, ChatWindow)]
    return [window for window in windows if window.isVisible()]


def double_click(desk: Desk) -> ChatWindow:
    """On the first conversation of the list."""
    view = desk.page.sidebar.list
    spot = view.visualRect(desk.page.sidebar.order.index(0, 0)).center()
    for click in (QTest.mouseClick, QTest.mouseDClick):
        click(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
    (window,) = visible()
    desk.hands.until(window.isActiveWindow)
    return window


def texts(window: ChatWindow) -> list[str]:
    model = window.chat.model
    return [model.row(place).message.text for place in range(model.rowCount())]


def test_a_double_click_opens_it_and_all_goes_on_there(desks: Desks) -> None:
    alice, bob, _at_alice, at_bob = meet(desks)
    window = double_click(alice)
    assert window.windowTitle() == "Bob · Sotto"
    assert alice.chat.conversation is None
    box = window.chat.composer.box
    assert box.hasFocus()
    alice.hands.type("hello", box)
    alice.hands.press(Qt.Key.Key_Return, widget=box)
    alice.hands.until(lambda: texts(window) == ["hello"])
    bob.call(bob.bridge.engine.send_text, at_bob, "hi")
    alice.hands.until(lambda: texts(window) == ["hello", "hi"])
    alice.hands.until(lambda: not alice.page.model.unread())
    bob.call(bob.bridge.engine.set_name, "Robert")
    alice.hands.until(lambda: window.windowTitle() == "Robert · Sotto")


def test_choosing_it_in_the_list_brings_its_window_to_the_front(desks: Desks) -> None:
    alice, _bob, at_alice, _at_bob = meet(desks)
    window = double_click(alice)
    alice.front()
    alice.page.show_conversation(at_alice)
    alice.hands.until(window.isActiveWindow)
    assert alice.chat.conversation is None


def test_the_main_window_leads_there_and_back(desks: Desks) -> None:
    alice, _bob, at_alice, _at_bob = meet(desks)
    window = double_click(alice)
    alice.front()
    assert alice.page.apart.isVisible()
    alice.hands.click(alice.page.apart.front_button)
    alice.hands.until(window.isActiveWindow)
    alice.front()
    alice.hands.click(alice.page.apart.here_button)
    alice.hands.until(lambda: not visible())
    assert alice.chat.conversation == at_alice
    assert alice.chat.isVisible()


def test_what_was_begun_there_is_found_here(desks: Desks) -> None:
    alice, _bob, at_alice, _at_bob = meet(desks)
    window = double_click(alice)
    alice.hands.type("not yet sent", window.chat.composer.box)
    alice.hands.press(Qt.Key.Key_Escape, widget=window.chat.composer.box)
    alice.hands.until(lambda: alice.page.windows.window(at_alice) is None)
    alice.front()
    alice.open_chat("Bob")
    assert alice.chat.composer.text() == "not yet sent"


def test_its_keys_and_dialogs_are_its_own(desks: Desks) -> None:
    alice, _bob, _at_alice, _at_bob = meet(desks)
    window = double_click(alice)
    alice.hands.press(Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier, window)
    assert not window.chat.search.isHidden()
    alice.hands.press(Qt.Key.Key_Escape, widget=window)
    assert window.chat.search.isHidden()
    assert window.isVisible()
    alice.hands.press(Qt.Key.Key_Return, Qt.KeyboardModifier.AltModifier, window)
    (sheet,) = [one for one in window.findChildren(PanelSheet) if one.isVisible()]
    sheet.reject()
    words = [entry.words for entry in window.chat.entries() if isinstance(entry, Entry)]
    assert "Open in a window of its own" not in words


def test_it_goes_when_the_profile_is_locked(desks: Desks) -> None:
    alice, *_rest = meet(desks)
    double_click(alice)
    alice.window._lock()
    assert not visible()


def test_it_goes_with_a_conversation_that_is_deleted(desks: Desks) -> None:
    alice, _bob, at_alice, _at_bob = meet(desks)
    double_click(alice)
    alice.call(alice.bridge.engine.delete_conversation, at_alice)
    alice.hands.until(lambda: alice.page.windows.window(at_alice) is None)
    assert not visible()
