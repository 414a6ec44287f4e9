"""The main page: conversations at the left, the one that is chosen at the right."""

import asyncio

from PySide6.QtCore import QByteArray, Qt, Slot
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from messenger.core.ids import ConversationId
from messenger.core.models import Me, Message, is_namesake
from messenger.core.settings import Settings
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
    MessagesVanished,
    PresenceChanged,
    SettingsChanged,
)
from messenger.gui.bridge import Bridge
from messenger.gui.chat_pane import ChatPane
from messenger.gui.conversation_model import Row
from messenger.gui.empty import EmptyPane
from messenger.gui.notice import Notice
from messenger.gui.sidebar import Sidebar
from messenger.gui.theme import Theme
from messenger.storage.reader import Reader
from messenger.text import keys, unexpected


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
        self.model, self.sidebar, self.chat, self.empty = sidebar.model, sidebar, chat, empty
        self.sidebar.chosen.connect(self._on_chosen)
        self.notice = Notice(theme, around=True)
        self._right = QStackedWidget()
        self._right.addWidget(self.empty)
        self._right.addWidget(self.chat)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self.sidebar)
        self._splitter.addWidget(self._right)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([320, 640])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notice)
        column.addWidget(self._splitter, 1)
        bridge.events.connect(self._on_events)

    async def load(self) -> None:
        """Show what is on disk, then ask who is online."""
        engine = self._bridge.engine
        self._me = await self._bridge.call(engine.me)
        self._use(await self._bridge.call(engine.settings))
        conversations = self._reader.conversations()
        self.model.load(conversations)
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

    def leave_conversation(self) -> None:
        """Show no conversation."""
        self.sidebar.choose(None)

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
        self.chat.open(None)
        self._reader.close()

    @Slot(object)
    def _on_chosen(self, conversation: ConversationId | None) -> None:
        row = None if conversation is None else self.model.row(conversation)
        self.chat.open(row, namesake=self._has_namesake(row))
        self._right.setCurrentWidget(self.chat if row is not None else self.empty)

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
            case MessagesVanished(conversation=conversation, ids=ids):
                self.chat.vanished(conversation, ids)
                self._reread(conversation)
            case PresenceChanged(conversation=conversation, presence=presence):
                self.model.presence_changed(conversation, presence)
                self._refresh(conversation)
            case ConversationRemoved(conversation=conversation):
                self._removed(conversation)
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
        """Show the row of a conversation as it is on disk."""
        stored = self._reader.conversation(conversation)
        if stored is not None:
            self.model.replace(stored)

    def _refresh(self, conversation: ConversationId | None) -> None:
        if conversation is not None and conversation == self.chat.conversation:
            row = self.model.row(conversation)
            if row is not None:
                self.chat.refresh(row, namesake=self._has_namesake(row))

    def _has_namesake(self, row: Row | None) -> bool:
        return row is not None and is_namesake(row.conversation.contact, self.model.contacts())

    def _removed(self, conversation: ConversationId) -> None:
        if conversation == self.chat.conversation:
            self.leave_conversation()
        self.model.removed(conversation)
        self._show_empty()

    def _show_empty(self) -> None:
        name = self._me.name if self._me is not None else ""
        self.empty.show_state(alone=self.model.rowCount() == 0, name=name)

    def _use(self, settings: Settings) -> None:
        self._theme.choose(settings.theme)
        self.chat.composer.box.enter_sends = settings.enter_sends
