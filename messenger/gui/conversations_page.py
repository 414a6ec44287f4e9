"""The main page: conversations at the left, the one that is chosen at the right."""

import asyncio
from typing import Final

from PySide6.QtCore import QByteArray, QPoint, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from messenger.core.ids import ConversationId
from messenger.core.models import Me, Message, is_namesake
from messenger.core.settings import Settings
from messenger.core.words import phrases_of
from messenger.engine.events import (
    ChainChanged,
    ContactChanged,
    ConversationRemoved,
    EngineFault,
    Event,
    IdentityElsewhere,
    MeChanged,
    MessageAdded,
    MessageChanged,
    MessagesRemoved,
    MessagesVanished,
    PeerTyping,
    PresenceChanged,
    SettingsChanged,
    TransferChanged,
)
from messenger.gui.bridge import Bridge
from messenger.gui.chat_pane import ChatPane
from messenger.gui.contact_panel import ContactPanel, PanelSheet
from messenger.gui.conversation_model import Row
from messenger.gui.empty import EmptyPane
from messenger.gui.entries import menu_of
from messenger.gui.found import Finder
from messenger.gui.notice import Notice
from messenger.gui.sidebar import Sidebar
from messenger.gui.tasks import Tasks
from messenger.gui.theme import Theme
from messenger.gui.transfers_sheet import TransferStrip
from messenger.storage.reader import Reader
from messenger.text import _, keys, unexpected

_ROOM_FOR_TWO: Final = 600
"""Pixels from which on the page has room for two columns."""
_ROOM_FOR_PANEL: Final = 900
"""Pixels from which on the page has room for three columns."""


class ConversationsPage(QWidget):
    """List, chat, and what binds them to the engine's events.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
        reader: Where conversations and messages are read; closed by `stop`.
        sidebar: The left column.
        chat: Shows the conversation that is chosen.
        empty: Stands there while none is.
    """

    def __init__(
        self,
        theme: Theme,
        bridge: Bridge,
        reader: Reader,
        sidebar: Sidebar,
        chat: ChatPane,
        empty: EmptyPane,
    ) -> None:
        super().__init__()
        self.setObjectName("page")
        self._theme, self._bridge, self._reader = theme, bridge, reader
        self._me: Me | None = None
        self._listing = False
        self.model, self.sidebar, self.chat, self.empty = sidebar.model, sidebar, chat, empty
        self.sidebar.chosen.connect(self._on_chosen)
        self.notice = Notice(theme, around=True)
        self._tasks = Tasks(self.notice.error)
        self.finder = Finder(bridge, self._tasks, self.model, sidebar.found)
        self.sidebar.sought.connect(self._on_sought)
        self.sidebar.found.chosen.connect(self._on_found)
        self.sidebar.list.clicked.connect(self._leave_list)
        self.sidebar.list.menu_asked.connect(self._on_menu)
        self.chat.deeds.drafts.changed.connect(self.model.draft_changed)
        self.chat.deeds.typing.changed.connect(self.model.typing_changed)
        self.panel = ContactPanel(theme, bridge, chat.orders, chat.files)
        self.panel.closed.connect(self._on_panel_closed)
        self.chat.info_asked.connect(self.toggle_panel)
        self.chat.header.back_asked.connect(self.leave_conversation)
        self._right = QStackedWidget()
        self._right.addWidget(self.empty)
        self._right.addWidget(self.chat)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self.sidebar)
        self._splitter.addWidget(self._right)
        self._splitter.addWidget(self.panel)
        self.panel.hide()
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([320, 640])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notice)
        column.addWidget(self._splitter, 1)
        self.transfers = TransferStrip(theme, chat.files.book)
        column.addWidget(self.transfers)
        bridge.events.connect(self._on_events)

    async def load(self) -> None:
        """Show what is on disk, then ask who is online."""
        engine = self._bridge.engine
        self._me = await self._bridge.call(engine.me)
        self._use(await self._bridge.call(engine.settings))
        conversations = self._reader.conversations()
        self.model.load(conversations)
        self.chat.deeds.drafts.load(self._reader.drafts())
        await self.chat.files.book.load()
        self._show_empty()
        ids = [conversation.id for conversation in conversations]
        found = await asyncio.gather(*(self._bridge.call(engine.presence, id_) for id_ in ids))
        for id_, presence in zip(ids, found, strict=True):
            self.model.presence_changed(id_, presence)
        self._refresh(self.chat.conversation)

    def show_conversation(self, conversation: ConversationId) -> None:
        """Choose a conversation and put the cursor where one can write."""
        self.sidebar.choose(conversation)
        self.chat.take_cursor()

    def show_message(self, message: Message) -> None:
        """Turn to the conversation of a message, and show the message with what stands around it."""
        self.sidebar.reveal(message.conversation)
        if self.chat.conversation == message.conversation:
            self.chat.view.mark_words(tuple(phrases_of(self.sidebar.search.text())))
            self.chat.show_message(message)

    @Slot()
    def toggle_panel(self) -> None:
        """Show more about the contact, beside the chat or over it if there is no room; or hide it again."""
        row = None if self.chat.conversation is None else self.model.row(self.chat.conversation)
        if row is None:
            return
        if self.width() < _ROOM_FOR_PANEL:
            PanelSheet(
                self.window(), self._theme, self._bridge, self.chat.orders, self.chat.files, row
            ).open()
            return
        shown = self.panel.isHidden()
        self.panel.show_row(row)
        self.panel.setVisible(shown)
        if shown:
            self.panel.setFocus()

    def leave_conversation(self) -> None:
        """Show no conversation."""
        self.sidebar.choose(None)

    def latest_first(self) -> list[Row]:
        """All conversations, also those of the archive, the latest first."""

        def moment(row: Row) -> int:
            last, contact = row.conversation.last, row.conversation.contact
            return contact.created_ms if last is None else last.stored_ms

        return sorted(self.model.rows(), key=moment, reverse=True)

    def addresses(self) -> list[tuple[str, str]]:
        """Addresses that were used before, each with the name of who was there, latest conversation first."""
        contacts = [row.conversation.contact for row in self.sidebar.order.rows()]
        return [(contact.addresses[0], contact.title) for contact in contacts if contact.addresses]

    def splitter_state(self) -> QByteArray:
        """How the width is divided, to be remembered."""
        return self._splitter.saveState()

    def restore_splitter(self, state: QByteArray) -> None:
        """Divide the width as it was."""
        self._splitter.restoreState(state)

    def stop(self) -> None:
        """Stop listening and reading, because the window closes."""
        self._bridge.events.disconnect(self._on_events)
        self.chat.stop()
        self.panel.stop()
        self._tasks.cancel()
        self.chat.open(None)
        self._reader.close()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Columns go and come as there is room for them."""
        super().resizeEvent(event)
        if self.width() < _ROOM_FOR_PANEL:
            self.panel.hide()
        self._divide()

    def show_list(self) -> None:
        """Let the list be seen, also where there is room for one column only."""
        self._listing = True
        self._divide()

    @Slot()
    def _leave_list(self) -> None:
        self._listing = False
        self._divide()

    def _divide(self) -> None:
        """Show both columns, or where there is no room the one that the person is at."""
        narrow = self.width() < _ROOM_FOR_TWO
        at_list = self._listing or self.chat.conversation is None
        self.sidebar.setVisible(not narrow or at_list)
        self._right.setVisible(not narrow or not at_list)
        self.chat.header.back_button.setVisible(narrow)

    @Slot(object)
    def _on_chosen(self, conversation: ConversationId | None) -> None:
        row = None if conversation is None else self.model.row(conversation)
        self.chat.open(row, namesake=self._has_namesake(row))
        self._right.setCurrentWidget(self.chat if row is not None else self.empty)
        self._leave_list()
        if row is None:
            self.panel.hide()
        else:
            self.panel.show_row(row)

    @Slot(str)
    def _on_sought(self, text: str) -> None:
        self.finder.seek(text)
        if not text and self.chat.search.isHidden():
            self.chat.view.mark_words(())

    @Slot(object)
    def _on_found(self, message: Message) -> None:
        self.show_message(message)

    @Slot(object, QPoint)
    def _on_menu(self, conversation: ConversationId, at: QPoint) -> None:
        row = self.model.row(conversation)
        if row is not None:
            entries = self.chat.orders.entries(row)
            menu_of(self, self._theme, _("Conversation menu"), entries).popup(at)

    @Slot()
    def _on_panel_closed(self) -> None:
        self.panel.hide()
        self.chat.take_cursor()

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        added: list[Message] = []
        for event in events:
            if isinstance(event, MessageAdded):
                added.append(event.message)
                self.model.message_added(event.message, event.unread)
                continue
            if added:
                self.chat.arrived(added)
                added = []
            self._handle(event)
        if added:
            self.chat.arrived(added)

    def _handle(self, event: Event) -> None:
        match event:
            case MessageChanged(message=message):
                self.model.message_changed(message)
                self.chat.changed(message)
            case ContactChanged(contact=contact, unread=unread):
                self.model.contact_changed(contact, unread)
                self._refresh(contact.id)
                self._show_empty()
            case ChainChanged(conversation=conversation, missing=missing, forked=forked):
                self.model.chain_changed(conversation, missing, forked=forked)
                self._refresh(conversation)
            case MessagesVanished(conversation=conversation, ids=ids):
                self.chat.vanished(conversation, ids)
                self._reread(conversation)
            case MessagesRemoved(conversation=conversation):
                self.chat.removed(conversation)
                self._reread(conversation)
            case TransferChanged(transfer=transfer):
                self.chat.files.book.heard(transfer)
            case PeerTyping(conversation=conversation, until_ms=until_ms):
                self.chat.deeds.typing.heard(conversation, until_ms)
            case PresenceChanged(conversation=conversation, presence=presence):
                self.model.presence_changed(conversation, presence)
                self._refresh(conversation)
            case ConversationRemoved(conversation=conversation):
                self._removed(conversation)
            case _:
                self._handle_own(event)

    def _handle_own(self, event: Event) -> None:
        match event:
            case MeChanged(me=me):
                self._me = me
                self._show_empty()
            case SettingsChanged(settings=settings):
                self._use(settings)
            case IdentityElsewhere():
                self.notice.say(keys.ELSEWHERE, "warning")
            case EngineFault(error=error):
                self.notice.say(unexpected(error), "error")
            case _:
                pass  # steps of dialogs, which listen for themselves

    def _reread(self, conversation: ConversationId) -> None:
        """Show a conversation as it is on disk."""
        self.model.reread(self._reader.conversation(conversation))
        self._refresh(conversation)

    def _refresh(self, conversation: ConversationId | None) -> None:
        if conversation is not None and conversation == self.chat.conversation:
            row = self.model.row(conversation)
            if row is not None:
                self.chat.refresh(row, namesake=self._has_namesake(row))
                self.panel.show_row(row)

    def _has_namesake(self, row: Row | None) -> bool:
        return row is not None and is_namesake(row.conversation.contact, self.model.contacts())

    def _removed(self, conversation: ConversationId) -> None:
        if conversation == self.chat.conversation:
            self.leave_conversation()
        self.model.removed(conversation)
        self.chat.files.book.forget(conversation)
        self.chat.deeds.drafts.forget(conversation)
        self.chat.deeds.typing.ended(conversation)
        self._show_empty()

    def _show_empty(self) -> None:
        name = self._me.name if self._me is not None else ""
        self.empty.show_state(alone=self.model.rowCount() == 0, name=name)

    def _use(self, settings: Settings) -> None:
        self._theme.choose(settings.theme)
        self.chat.composer.box.enter_sends = settings.enter_sends
        self.chat.files.pictures.shows = settings.previews
