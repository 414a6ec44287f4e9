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
from messenger.gui.bridge import Bridge
from messenger.gui.chat_pane import ChatPane
from messenger.gui.chat_window import ApartPane, ChatWindows
from messenger.gui.contact_panel import ContactPanel, PanelSheet
from messenger.gui.conversation_model import Row
from messenger.gui.empty import EmptyPane
from messenger.gui.entries import Entry, menu_of
from messenger.gui.found import Finder
from messenger.gui.notice import Notice
from messenger.gui.page_events import PageEvents
from messenger.gui.sidebar import Sidebar
from messenger.gui.tasks import Tasks
from messenger.gui.theme import Theme
from messenger.gui.transfers_sheet import TransferStrip
from messenger.storage.reader import Reader
from messenger.text import _

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
        panel: Tells about whoever it is with.
        empty: Stands there while none is.
    """

    def __init__(
        self,
        theme: Theme,
        bridge: Bridge,
        reader: Reader,
        sidebar: Sidebar,
        chat: ChatPane,
        panel: ContactPanel,
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
        self.sidebar.found.chosen.connect(self.show_message)
        self.sidebar.list.clicked.connect(self._leave_list)
        self.windows = ChatWindows(theme, bridge, reader, chat, sidebar)
        self.windows.moved.connect(self._on_moved)
        self.apart, self._apart = ApartPane(theme), False
        self.apart.front_asked.connect(self.windows.take_shown)
        self.apart.here_asked.connect(self.windows.bring_here)
        self.sidebar.list.menu_asked.connect(self._on_menu)
        self.chat.deeds.drafts.changed.connect(self.model.draft_changed)
        self.chat.deeds.typing.changed.connect(self.model.typing_changed)
        self.panel = panel
        self.panel.closed.connect(self._on_panel_closed)
        self.chat.info_asked.connect(self.toggle_panel)
        self.chat.header.back_asked.connect(self.leave_conversation)
        # Parents first: a widget that moves is styled anew, with all that is in it.
        self._splitter, self._right = QSplitter(Qt.Orientation.Horizontal, self), QStackedWidget()
        self.transfers = TransferStrip(theme, chat.files.book)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        for part in (self.sidebar, self._right, self.panel):
            self._splitter.addWidget(part)
        for choice in (self.empty, self.chat, self.apart):
            self._right.addWidget(choice)
        self.panel.hide()
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([320, 640])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notice)
        column.addWidget(self._splitter, 1)
        column.addWidget(self.transfers)
        self._events = PageEvents(bridge, reader, self.model, self.windows, self.notice)
        self._events.changed.connect(self._refresh)
        self._events.removed.connect(self._removed)
        self._events.people_changed.connect(self._show_empty)
        self._events.me_changed.connect(self._on_me)
        self._events.settings_changed.connect(self._use)

    async def load(self) -> None:
        """Show what is on disk, then ask who is online."""
        self._theme.faces.add(self._reader.portrait)
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
        row = self.model.row(conversation)
        if row is not None and self.windows.window(conversation) is not None:
            self.windows.take(row)
        else:
            self.chat.take_cursor()

    @Slot(object)
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
        self._theme.faces.remove(self._reader.portrait)
        self._events.stop()
        self.windows.stop()
        self.chat.stop()
        self.panel.stop()
        self._tasks.close()
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
        at_list = self._listing or self.sidebar.shown is None
        self.sidebar.setVisible(not narrow or at_list)
        self._right.setVisible(not narrow or not at_list)
        self.chat.header.back_button.setVisible(narrow)

    @Slot(object)
    def _on_chosen(self, conversation: ConversationId | None) -> None:
        self._apart = conversation is not None and self.windows.window(conversation) is not None
        row = None if conversation is None else self.model.row(conversation)
        self.chat.open(None if self._apart else row, namesake=self._has_namesake(row))
        shown = self.apart if self._apart else self.chat
        self._right.setCurrentWidget(shown if row is not None else self.empty)
        self._leave_list()
        if row is None or self._apart:
            self.panel.hide()
        else:
            self.panel.show_row(row)

    @Slot(str)
    def _on_sought(self, text: str) -> None:
        self.finder.seek(text)
        if not text and self.chat.search.isHidden():
            self.chat.view.mark_words(())

    @Slot(object, QPoint)
    def _on_menu(self, conversation: ConversationId, at: QPoint) -> None:
        row = self.model.row(conversation)
        if row is not None:
            entries = self.chat.orders.entries(row)
            apart = Entry("apart", _("Open in a window of its own"), lambda: self.windows.take(row))
            menu_of(self, self._theme, _("Conversation menu"), [apart, *entries]).popup(at)

    @Slot(object)
    def _on_moved(self, conversation: ConversationId) -> None:
        if self.sidebar.shown == conversation:
            self._on_chosen(conversation)

    @Slot()
    def _on_panel_closed(self) -> None:
        self.panel.hide()
        self.chat.take_cursor()

    @Slot(object)
    def _refresh(self, conversation: ConversationId | None) -> None:
        row = None if conversation is None else self.model.row(conversation)
        if row is None:
            return
        self.windows.refresh(row)
        if conversation == self.chat.conversation:
            self.chat.refresh(row, namesake=self._has_namesake(row))
            self.panel.show_row(row)

    def _has_namesake(self, row: Row | None) -> bool:
        return row is not None and is_namesake(row.conversation.contact, self.model.contacts())

    @Slot(object)
    def _removed(self, conversation: ConversationId) -> None:
        if conversation == self.chat.conversation:
            self.leave_conversation()
        self.windows.close(conversation)
        self.model.removed(conversation)
        self.chat.files.book.forget(conversation)
        self.chat.deeds.drafts.forget(conversation)
        self.chat.deeds.typing.ended(conversation)
        self._show_empty()

    @Slot(object)
    def _on_me(self, me: Me) -> None:
        self._me = me
        self._show_empty()

    @Slot()
    def _show_empty(self) -> None:
        name = self._me.name if self._me is not None else ""
        self.empty.show_state(alone=self.model.rowCount() == 0, name=name)

    @Slot(object)
    def _use(self, settings: Settings) -> None:
        self._theme.choose(settings.theme)
        self._theme.zoom.choose(settings.zoom)
        self.chat.words.switch(on=settings.spelling)
        for pane in self.windows.panes():
            pane.composer.box.enter_sends = settings.enter_sends
            pane.files.pictures.shows = settings.previews
