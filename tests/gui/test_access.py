"""What those meet who do not see the window: names and roles of everything, whole sentences, Tab in order."""

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QApplication, QDialog, QHeaderView, QLabel, QScrollArea, QWidget

from messenger.core.models import Backup, MessageState
from messenger.core.transfers import TransferState
from messenger.gui.chat_window import ChatWindow
from messenger.gui.emoji_picker import EmojiPicker
from messenger.gui.first_run import FirstRunPage
from messenger.gui.message_menu import Deed
from messenger.gui.message_sheets import DateSheet, DeleteSheet, InfoSheet, LinkSheet
from messenger.gui.new_key_sheet import NewKeySheet
from messenger.gui.relay_sheet import RelaySheet
from messenger.gui.safe_sheets import ExportSheet, ImportSheet, PassphraseSheet, RestoreSheet, Wish
from messenger.gui.send_sheet import SendSheet
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.sheet import Sheet, TextSheet
from messenger.gui.theme import Theme
from messenger.gui.timer_menu import TimerSheet
from messenger.gui.transfers_sheet import TransfersSheet
from messenger.gui.unlock import UnlockPage
from tests.gui.conftest import Desks
from tests.gui.test_chat import knock, meet, write
from tests.gui.test_files import MIB, SLOW, file, newest, stands
from tests.gui.test_keyboard import CONTROLS, PLACES, Opener, action, served
from tests.helpers.gui import Desk

R = QAccessible.Role
NAMED = frozenset({
    R.Button, R.ButtonMenu, R.CheckBox, R.RadioButton, R.EditableText, R.ComboBox, R.List, R.Table, R.Tree,
    R.ListItem, R.Cell, R.ColumnHeader, R.ProgressBar, R.Slider, R.SpinBox, R.Link, R.MenuItem, R.Graphic,
    R.Dialog, R.Window, R.PopupMenu,
})  # fmt: skip
"""What is nothing without a name."""
NOTHING = frozenset({R.NoRole, R.Client})
"""What says of a control only that it is there."""


def tree(part: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
    """A part and everything inside it that can be seen."""
    if not part.isValid() or part.state().invisible:
        return
    yield part
    for place in range(part.childCount()):
        if (child := part.child(place)) is not None:
            yield from tree(child)


def described(part: QAccessibleInterface) -> str:
    thing = part.object()
    kind = type(thing).__name__ if thing is not None else ""
    return f"{part.role().name} {kind} {thing.objectName() if thing is not None else ''}".strip()


def unnamed(root: QWidget) -> list[str]:
    """What a screen reader could not tell."""
    found = []
    for part in tree(QAccessible.queryAccessibleInterface(root)):
        name = part.text(QAccessible.Text.Name).strip()
        focusable = bool(part.state().focusable)
        thing = part.object()
        if isinstance(thing, QWidget) and thing.window() is not root:
            continue
        if part.role() in NAMED and not name:
            found.append(f"no name: {described(part)}")
        pane = isinstance(thing, QScrollArea) and part.role() is R.Client  # keys scroll it
        if focusable and ((part.role() in NOTHING and not pane) or not name):
            found.append(f"no role or name where Tab leads: {described(part)}")
        if isinstance(thing, QLabel) and " ".join(thing.text().split()) not in " ".join(name.split()):
            found.append(f"its text is not told: {thing.text()!r} as {name!r}")
        if part.role() in {R.ListItem, R.Cell} and "\n" in name:
            found.append(f"more than a line: {name!r}")
    return found


def stops(desk: Desk, root: QWidget) -> list[QWidget]:
    """Where Tab leads, from the first place on."""
    found: list[QWidget] = []
    first = root.focusWidget() or root
    first.setFocus()
    for _step in range(100):
        focus = QApplication.focusWidget()
        if focus is None or focus in found:
            break
        found.append(focus)
        desk.hands.press(Qt.Key.Key_Tab, widget=focus)
    return found


def told(part: QWidget) -> str:
    return QAccessible.queryAccessibleInterface(part).text(QAccessible.Text.Name)


def missed(root: QWidget, found: list[QWidget]) -> list[str]:
    """Controls that Tab does not lead to."""
    parts = [part for kind in CONTROLS for part in root.findChildren(kind)]
    return [
        f"Tab does not lead to {type(part).__name__} {part.accessibleName()!r}"
        for part in parts
        if part.isVisible() and part.isEnabled() and part.window() is root
        if not isinstance(part, QHeaderView)  # nothing can be done with it
        if part not in found and not served(part, found)
    ]


def jumps(root: QWidget, found: list[QWidget]) -> list[str]:
    """Steps of Tab against the order of reading: up, if not into a column further on, or back in a line."""

    def place(part: QWidget) -> QRect:
        at = part.mapTo(root, QPoint())
        above = part.parentWidget()
        while above is not None and above is not root:
            if isinstance(above, QScrollArea):
                at.setY(at.y() + above.verticalScrollBar().value())
            above = above.parentWidget()
        return QRect(at, part.size())

    wrong = []
    for before, after in pairwise([*found, found[0]]):
        one, two = place(before), place(after)
        level = one.top() < two.bottom() and two.top() < one.bottom()
        if (level and two.right() < one.left()) or (two.bottom() < one.top() and two.left() < one.right()):
            wrong.append(f"from {told(before)!r} back to {told(after)!r}")
    return wrong if len(wrong) > 1 else []  # once round


def look(desk: Desk, root: QWidget, name: str, *, order: bool = True) -> list[str]:
    """Everything that is wrong with a window."""
    found = stops(desk, root)
    wrong = unnamed(root) + missed(root, found) + (jumps(root, found) if order else [])
    return [f"{name}: {what}" for what in wrong]


def top(desk: Desk, kind: type[Sheet], ask: object) -> QWidget:
    assert callable(ask)
    ask()
    return desk.sheet(kind)


def shown(desk: Desk, sheet: Sheet) -> QWidget:
    sheet.open()
    return desk.sheet(type(sheet))


def deed(kind: type[Sheet], what: Deed) -> Opener:
    def ask(desk: Desk) -> QWidget:
        message = desk.chat.model.row(desk.chat.model.rowCount() - 1).message
        return top(desk, kind, partial(desk.chat.view.deed_asked.emit, what, message, ""))

    return ask


def own(make: object) -> Opener:
    """A dialog that is made with window and theme."""

    def ask(desk: Desk) -> QWidget:
        assert callable(make)
        sheet = make(desk)
        assert isinstance(sheet, Sheet)
        return shown(desk, sheet)

    return ask


def _theme(desk: Desk) -> Theme:
    return desk.window._theme


MORE: dict[str, Opener] = {
    "host a relay": lambda desk: action(desk, "relay", RelaySheet),
    "transfers": lambda desk: action(desk, "transfers", TransfersSheet),
    "date": lambda desk: action(desk, "date", DateSheet),
    "message info": deed(InfoSheet, Deed.INFO),
    "delete a message": deed(DeleteSheet, Deed.DELETE),
    "link": lambda desk: top(desk, LinkSheet, partial(desk.chat.view.link_clicked.emit, "https://a.example")),
    "send": lambda desk: top(desk, SendSheet, partial(desk.chat.files.ask_to_send, [desk.folder])),
    "timer": own(lambda desk: TimerSheet(desk.window, _theme(desk), 3600)),
    "whole text": own(lambda desk: TextSheet(desk.window, _theme(desk), "Bob", "word " * 3000)),
    "new key": own(lambda desk: NewKeySheet(desk.window, _theme(desk), desk.bridge)),
    "passphrase": own(lambda desk: PassphraseSheet(desk.window, _theme(desk), desk.bridge, Wish.SET)),
    "export": own(lambda desk: ExportSheet(desk.window, _theme(desk), desk.bridge, Path("x"))),
    "import": own(lambda desk: ImportSheet(desk.window, _theme(desk), desk.bridge, Path("x"))),
    "go back": own(
        lambda desk: RestoreSheet(
            desk.window, _theme(desk), Backup(name="x", made_ms=1_700_000_000_000, bytes=1), locked=True
        )
    ),
}


def close_all(desk: Desk) -> None:
    for sheet in desk.window.findChildren(QDialog):
        sheet.reject()
    desk.hands.until(lambda: not any(sheet.isVisible() for sheet in desk.window.findChildren(QDialog)))
    desk.front()


def test_every_window_and_dialog_can_be_told_and_walked_through(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    write(bob.front(), "Hello Alice")
    alice.hands.until(lambda: alice.texts() == ["Hello Alice"])
    alice.call(alice.bridge.engine.back_up)
    wrong: list[str] = []
    for name, opener in {**PLACES, **MORE}.items():
        root = opener(alice.front())
        wrong += look(alice, root, name, order=root is not alice.window)
        close_all(alice)
        if alice.page.panel.isVisible():
            alice.page.panel.closed.emit()
    assert not wrong, "\n".join(wrong)


def test_every_page_of_the_settings_can_be_told_and_walked_through(desks: Desks) -> None:
    alice = desks("alice")
    alice.call(alice.bridge.engine.back_up)
    sheet = action(alice.front(), "settings", SettingsSheet)
    assert isinstance(sheet, SettingsSheet)
    alice.hands.until(lambda: bool(sheet.storage.sizes.text()))
    wrong = []
    for row in range(sheet.pages.count()):
        sheet.pages.setFocus()
        sheet.pages.setCurrentRow(row)
        wrong += look(alice, sheet, f"settings, {sheet.pages.item(row).text()}")
    assert not wrong, "\n".join(wrong)


def test_the_first_pages_can_be_told_and_walked_through(desks: Desks) -> None:
    alice, bob = desks(None), desks("bob", "open sesame")
    page = alice.front().window.pages.currentWidget()
    assert isinstance(page, FirstRunPage)
    wrong = look(alice, alice.window, "first run")
    page.name.setText("Alice")
    page.next_button.click()
    page.first.setText("ladder rope")
    wrong += look(alice, alice.window, "first passphrase")
    assert isinstance(bob.front().window.pages.currentWidget(), UnlockPage)
    wrong += look(bob, bob.window, "unlock")
    assert not wrong, "\n".join(wrong)


def test_what_stands_in_a_conversation_can_be_told_and_walked_through(desks: Desks) -> None:
    alice, bob = desks("alice", send_limit=SLOW), desks("bob")
    knock(alice, bob)
    wrong = look(bob, bob.front().window, "request", order=False)
    bob.hands.click(bob.chat.gate.accept_button)
    bob.hands.until(bob.chat.composer.isVisible)
    write(bob, "Hello Alice")
    alice.hands.until(lambda: alice.texts() == ["Hello Alice"])
    alice.front().chat.search.begin("hello")
    wrong += look(alice, alice.window, "search here", order=False)
    alice.chat.search.end()
    alice.page.sidebar.search.setText("hello")
    alice.hands.until(alice.page.sidebar.found.isVisible)
    wrong += look(alice, alice.window, "search everywhere", order=False)
    alice.page.sidebar.search.clear()
    alice.chat.notice.say("A sentence", "error")
    alice.chat.composer.begin_reply(alice.chat.model.row(0).message, "Bob")
    wrong += look(alice, alice.window, "notice and answer", order=False)
    picker = EmojiPicker(alice.window, _theme(alice))
    picker.show()
    wrong += [f"emoji: {what}" for what in unnamed(picker)]
    picker.close()
    for menu in (alice.chat.header.menu(), alice.chat.view.menu_for(alice.chat.model.row(0).message)):
        menu.popup(QPoint())
        wrong += [f"menu: {what}" for what in unnamed(menu)]
        menu.close()
    conversation = alice.chat.conversation
    assert conversation is not None
    bob.call(bob.bridge.engine.set_download_folder, alice.folder / "got")
    alice.call(alice.bridge.engine.offer_files, conversation, [file(alice.folder / "plan.bin", 3 * MIB)])
    bob.hands.until(lambda: stands(bob, TransferState.OFFERED))
    offered = newest(bob)
    assert offered is not None
    bob.call(bob.bridge.engine.accept_files, offered.id)
    alice.hands.until(alice.page.transfers.isVisible)
    alice.front().chat.composer.box.setFocus()
    wrong += look(alice, alice.window, "files", order=False)
    alice.page.windows.take_shown()
    [apart] = [one for one in QApplication.topLevelWidgets() if isinstance(one, ChatWindow)]
    wrong += [f"own window: {what}" for what in unnamed(apart)]
    assert not wrong, "\n".join(wrong)


def sentences(desk: Desk) -> list[str]:
    """What a screen reader says of the rows of the conversation."""
    view = QAccessible.queryAccessibleInterface(desk.chat.view)
    children = [view.child(place) for place in range(view.childCount())]
    return [child.text(QAccessible.Text.Name) for child in children if child is not None]


def test_each_row_of_a_conversation_reads_as_one_sentence(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    conversation = alice.chat.conversation
    assert conversation is not None
    engine = alice.bridge.engine
    first = alice.call(engine.send_text, conversation, "One\nand two")
    alice.call(engine.send_text, conversation, "An answer", first.id)
    third = alice.call(engine.send_text, conversation, "To be changed")
    alice.call(engine.edit, conversation, third.id, "Changed")
    alice.call(engine.react, conversation, first.id, "👍")
    fourth = alice.call(engine.send_text, conversation, "To be deleted")
    bob.hands.until(lambda: len(bob.texts()) == 4)
    alice.hands.until(
        lambda: all(alice.chat.model.row(place).message.state >= MessageState.DELIVERED for place in range(4))
    )
    alice.call(engine.delete_message, conversation, fourth.id, for_both=True)
    alice.call(engine.set_timer, conversation, 3600)
    alice.call(engine.offer_files, conversation, [file(alice.folder / "plan.txt", 6)])
    for desk, ours in ((alice, True), (bob, False)):
        desk.hands.until(lambda desk=desk: len(sentences(desk)) == 6)  # type: ignore[misc]
        desk.hands.until(lambda desk=desk: "deleted" in sentences(desk)[3])  # type: ignore[misc]
        said = sentences(desk)
        who = "You" if ours else "Alice"
        assert all(who in sentence for sentence in said), said
        assert not any("\n" in sentence for sentence in said), said
        times = [sentence for sentence in said if re.search(r"\b\d\d:\d\d\b", sentence)]
        assert len(times) >= 5, said
        for sentence, words in zip(
            said, ("One and two", "An answer", "Changed", "deleted", "hour", "plan.txt"), strict=True
        ):
            assert words in sentence
        assert "One" in said[1], "what is answered is told"
        assert "edited" in said[2]
        assert "👍" in said[0] or "thumbs up" in said[0].lower()
