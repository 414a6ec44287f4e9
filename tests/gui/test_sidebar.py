"""The conversation list: order, search, badges, and what a screen reader says."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAction, QImage
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from messenger.core.ids import ConversationId, Fingerprint, MessageId, format_fingerprint
from messenger.core.models import (
    Connecting,
    Contact,
    Conversation,
    Message,
    MessageState,
    Offline,
    Online,
    Presence,
    Route,
    Standing,
)
from messenger.gui.conversation_model import ConversationModel
from messenger.gui.sidebar import Sidebar
from messenger.gui.theme import Theme

NOW = 1_760_000_000_000


def contact(number: int, name: str, **fields: object) -> Contact:
    return Contact(
        id=ConversationId(number),
        fingerprint=Fingerprint(bytes([number]) * 32),
        name=name,
        standing=fields.pop("standing", Standing.ACCEPTED),  # type: ignore[arg-type]
        created_ms=NOW,
        **fields,  # type: ignore[arg-type]
    )


def message(conversation: int, minutes: int, text: str = "hello", *, outgoing: bool = False) -> Message:
    return Message(
        id=MessageId(bytes([conversation, minutes]) * 8),
        conversation=ConversationId(conversation),
        position=minutes,
        outgoing=outgoing,
        state=MessageState.DELIVERED if outgoing else MessageState.UNREAD,
        text=text,
        sent_ms=NOW + minutes * 60_000,
        stored_ms=NOW + minutes * 60_000,
    )


PEOPLE = [
    Conversation(contact=contact(1, "Bob Example"), last=message(1, 1)),
    Conversation(contact=contact(2, "Carol"), last=message(2, 3), unread=2),
    Conversation(contact=contact(3, "Dave", alias="Uncle Dave"), last=message(3, 2, outgoing=True)),
]


@pytest.fixture
def sidebar(qtbot: QtBot, theme: Theme) -> Iterator[Sidebar]:
    model = ConversationModel()
    made = Sidebar(theme, model, [("connect", QAction("Connect…"))], [])
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning, model)
    QAbstractItemModelTester(made.order, QAbstractItemModelTester.FailureReportingMode.Warning, made.order)
    qtbot.addWidget(made)
    model.load(PEOPLE)
    made.resize(320, 500)
    made.show()
    yield made
    model.deleteLater()


def names(sidebar: Sidebar) -> list[str]:
    return [row.conversation.contact.title for row in sidebar.order.rows()]


def test_the_latest_stands_above(sidebar: Sidebar) -> None:
    assert names(sidebar) == ["Carol", "Uncle Dave", "Bob Example"]
    sidebar.model.message_added(message(1, 9), 1)
    assert names(sidebar) == ["Bob Example", "Carol", "Uncle Dave"]
    assert sidebar.model.unread() == 3
    sidebar.model.contact_changed(contact(4, "Erin"), 0)
    assert "Erin" in names(sidebar)
    sidebar.model.removed(ConversationId(2))
    assert "Carol" not in names(sidebar)
    sidebar.model.removed(ConversationId(99))
    sidebar.model.message_added(message(99, 1), 1)
    assert len(names(sidebar)) == 3


def test_changes_of_state_and_presence_reach_the_row(sidebar: Sidebar) -> None:
    model = sidebar.model
    online = Online(since_ms=NOW, route=Route.LOCAL)
    model.presence_changed(ConversationId(3), online)
    model.message_changed(replace(message(3, 2, outgoing=True), state=MessageState.READ))
    row = model.row(ConversationId(3))
    assert row is not None
    assert row.presence == online
    assert row.conversation.last is not None
    assert row.conversation.last.state is MessageState.READ
    model.load(PEOPLE)
    again = model.row(ConversationId(3))
    assert again is not None
    assert again.presence == online, "what is known of presence outlives a reload"


def test_what_is_missing_is_known_to_the_row_and_stays_known(sidebar: Sidebar) -> None:
    model = sidebar.model
    model.chain_changed(ConversationId(2), 3, forked=True)
    model.chain_changed(ConversationId(99), 3, forked=True)
    model.message_added(message(2, 9), 4)
    model.contact_changed(contact(2, "Carol"), 5)
    row = model.row(ConversationId(2))
    assert row is not None
    conversation = row.conversation
    assert (conversation.missing, conversation.forked, conversation.unread) == (3, True, 5)
    assert conversation.last == message(2, 9)


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("bob", ["Bob Example"]),
        ("EXA bo", ["Bob Example"]),
        ("uncle", ["Uncle Dave"]),
        ("dave", ["Uncle Dave"]),
        (format_fingerprint(Fingerprint(bytes([2]) * 32))[:9], ["Carol"]),
        ("nobody", []),
    ],
)
def test_search(sidebar: Sidebar, sought: str, found: list[str]) -> None:
    QTest.keyClicks(sidebar.search, sought)
    assert names(sidebar) == found
    assert sidebar._nothing.isVisible() == (not found)
    QTest.keyClick(sidebar.search, Qt.Key.Key_Escape)
    assert len(names(sidebar)) == 3


def test_searching_does_not_turn_to_another_conversation(sidebar: Sidebar) -> None:
    chosen: list[object] = []
    sidebar.chosen.connect(chosen.append)
    sidebar.choose(ConversationId(1))
    QTest.keyClicks(sidebar.search, "carol")
    assert names(sidebar) == ["Carol"]
    sidebar.search.clear()
    assert chosen == [1]
    assert sidebar.current() == 1
    QTest.keyClicks(sidebar.search, "carol")
    QTest.keyClick(sidebar.search, Qt.Key.Key_Return)
    assert chosen == [1, 2]
    sidebar.choose(ConversationId(3))
    assert sidebar.search.text() == "", "choosing what the search hides ends the search"
    assert chosen == [1, 2, 3]
    sidebar.choose(None)
    assert chosen == [1, 2, 3, None]


def test_stepping_goes_round(sidebar: Sidebar) -> None:
    seen = []
    for by in (1, 1, 1, 1, -1):
        sidebar.step(by)
        seen.append(sidebar.current())
    assert seen == [2, 3, 1, 2, 1]


def test_without_conversations_it_says_so(sidebar: Sidebar) -> None:
    sidebar.model.load([])
    assert sidebar._nothing.text() == "No conversations yet"
    assert sidebar._nothing.isVisible()
    sidebar.step(1)
    assert sidebar.current() is None


def test_every_row_is_read_aloud_as_one_sentence(sidebar: Sidebar) -> None:
    interface = QAccessible.queryAccessibleInterface(sidebar.list)
    rows = [interface.child(n).text(QAccessible.Text.Name) for n in range(interface.childCount())]
    assert rows[0].startswith("Carol, Offline, 2 unread messages, ")
    assert interface.text(QAccessible.Text.Name) == "Conversations"


def test_what_differs_looks_different(sidebar: Sidebar) -> None:
    def picture(conversation: Conversation, presence: Presence) -> QImage:
        sidebar.model.load([conversation])
        sidebar.model.presence_changed(conversation.id, presence)
        return sidebar.list.grab().toImage()

    plain, offline = PEOPLE[0], Offline()
    pictures = [
        picture(plain, offline),
        picture(plain, Connecting()),
        picture(plain, Online(since_ms=NOW, route=Route.DIRECT)),
        picture(Conversation(contact=plain.contact, last=plain.last, unread=1), offline),
        picture(Conversation(contact=plain.contact, last=plain.last, unread=5_000), offline),
        picture(Conversation(contact=contact(1, "Bob Example", verified=True), last=plain.last), offline),
        picture(Conversation(contact=contact(1, "Bob Example", standing=Standing.REQUEST)), offline),
        picture(Conversation(contact=contact(1, "Bob Example", standing=Standing.BLOCKED)), offline),
        picture(Conversation(contact=contact(1, "Bob Example", awaiting=True)), offline),
        picture(Conversation(contact=contact(1, "Bob Example")), offline),
        picture(Conversation(contact=plain.contact, last=message(1, 1, outgoing=True)), offline),
        picture(Conversation(contact=contact(1, "B" * 64), last=plain.last), offline),
    ]
    assert all(a != b for n, a in enumerate(pictures) for b in pictures[:n])


def test_the_new_menu_has_its_entries(sidebar: Sidebar) -> None:
    menu = sidebar.new_menu()
    assert [action.text() for action in menu.actions()] == ["Connect…"]
    assert not menu.actions()[0].icon().isNull()
    menu.deleteLater()
