"""Conversations in windows of their own, beside the main window."""

from typing import Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from messenger.core.ids import ConversationId
from messenger.core.models import is_namesake
from messenger.gui.bridge import Bridge
from messenger.gui.chat_pane import ChatPane
from messenger.gui.contact_panel import PanelSheet
from messenger.gui.conversation_model import ROW, Row
from messenger.gui.sidebar import Sidebar
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconLabel, Window, button, label
from messenger.storage.reader import Reader
from messenger.text import _

_SIZE: Final = (560, 680)
_LEAST: Final = (360, 400)


class ChatWindow(Window):
    """One conversation.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
        pane: Shows the conversation.
        row: Which.
    """

    closed = Signal(object)
    """The person closed it: the conversation."""

    def __init__(self, theme: Theme, bridge: Bridge, pane: ChatPane, row: Row) -> None:
        super().__init__()
        self._theme, self._bridge, self._row, self.chat = theme, bridge, row, pane
        self.conversation: ConversationId = row.conversation.id
        self.setMinimumSize(*_LEAST)
        self.resize(*_SIZE)
        self.setCentralWidget(pane)
        pane.info_asked.connect(self._on_info)
        for words, keys, act in (
            (_("Search in this conversation"), "Ctrl+F", pane.search.begin),
            (_("Jump to a date…"), "Ctrl+G", pane.ask_date),
            (_("Jump to the first unread message"), "Ctrl+U", pane.to_unread),
            (_("Contact info"), "Alt+Return", self._on_info),
            (_("Close"), "Ctrl+W", self.close),
            (_("Close"), "Esc", self._on_leave),
        ):
            action = QAction(words, self)
            action.setShortcut(QKeySequence(keys))
            action.triggered.connect(act)
            self.addAction(action)
        self.show_row(row)

    def show_row(self, row: Row) -> None:
        """Something about the conversation changed, other than its messages."""
        self._row = row
        unread = row.conversation.unread
        title = f"{row.conversation.contact.title} · Sotto"
        self.setWindowTitle(f"({unread}) {title}" if unread else title)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 -- Qt's name
        """What was begun is kept."""
        super().closeEvent(event)
        self.closed.emit(self.conversation)

    @Slot()
    def _on_info(self) -> None:
        PanelSheet(self, self._theme, self._bridge, self.chat.orders, self.chat.files, self._row).open()

    @Slot()
    def _on_leave(self) -> None:
        """Esc ends the nearest thing, and then the window."""
        if not self.chat.leave_step():
            self.close()


class ApartPane(QWidget):
    """Stands in the main window where the conversation that is chosen has a window of its own.

    Args:
        theme: Colours and fonts.
    """

    front_asked = Signal()
    here_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        words = label(_("This conversation has a window of its own."), "muted", wrap=True)
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.front_button = button(_("Show that window"), "primary")
        self.here_button = button(_("Show it here"))
        self.front_button.clicked.connect(self.front_asked)
        self.here_button.clicked.connect(self.here_asked)
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        row.addStretch(1)
        row.addWidget(self.front_button)
        row.addWidget(self.here_button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setSpacing(SPACE["l"])
        column.addStretch(1)
        column.addWidget(IconLabel(theme, "apart", "muted", 32), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(words)
        column.addLayout(row)
        column.addStretch(1)


class ChatWindows(QObject):
    """All such windows of one main window.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
        reader: Where messages are read.
        main: The chat of the main window, which has the drafts.
        sidebar: Where conversations are chosen.
    """

    moved = Signal(object)
    """This conversation has a window of its own from now on, or has none any more."""
    invite_clicked = Signal(str)
    """A link to somebody was clicked in one of them."""

    def __init__(
        self, theme: Theme, bridge: Bridge, reader: Reader, main: ChatPane, sidebar: Sidebar
    ) -> None:
        super().__init__(main)
        self._theme, self._bridge, self._reader, self.main = theme, bridge, reader, main
        self._sidebar, self._model = sidebar, sidebar.model
        sidebar.list.doubleClicked.connect(lambda index: self.take(index.data(ROW)))
        main.window_asked.connect(self.take_shown)
        self._windows: dict[ConversationId, ChatWindow] = {}
        self.shared: list[QAction] = []
        """What works in these windows as well as in the main one."""

    def panes(self) -> list[ChatPane]:
        """All chats, that of the main window first."""
        return [self.main, *(window.chat for window in self._windows.values())]

    def is_looked_at(self, conversation: ConversationId) -> bool:
        """Whether a conversation is open and in front: nobody needs to be told what comes there."""
        return any(
            pane.conversation == conversation and pane.isVisible() and pane.window().isActiveWindow()
            for pane in self.panes()
        )

    def window(self, conversation: ConversationId) -> ChatWindow | None:
        """The window of a conversation, if it has one."""
        return self._windows.get(conversation)

    def take(self, row: Row) -> None:
        """Show a conversation in a window of its own; one that has one comes to the front."""
        conversation = row.conversation.id
        window = self._windows.get(conversation)
        if window is None:
            if self.main.conversation == conversation:
                self.main.open(None)  # what was begun goes along
            window = self._windows[conversation] = self._make(row)
            window.show()  # what was begun is laid out in the room that there is
            window.chat.open(row, namesake=self._has_namesake(row))
            self.moved.emit(conversation)
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()
        window.chat.take_cursor()

    @Slot()
    def take_shown(self) -> None:
        """The same for the conversation that is chosen."""
        row = None if self._sidebar.shown is None else self._model.row(self._sidebar.shown)
        if row is not None:
            self.take(row)

    @Slot()
    def bring_here(self) -> None:
        """Show the conversation that is chosen in the main window again."""
        if self._sidebar.shown is not None:
            self.close(self._sidebar.shown)
            self.main.take_cursor()

    def refresh(self, row: Row) -> None:
        """Something about a conversation changed, other than its messages."""
        window = self._windows.get(row.conversation.id)
        if window is not None:
            window.chat.refresh(row, namesake=self._has_namesake(row))
            window.show_row(row)

    def close(self, conversation: ConversationId) -> None:
        """A conversation is gone."""
        window = self._windows.get(conversation)
        if window is not None:
            window.close()

    def stop(self) -> None:
        """The main window closes, or the profile is locked."""
        for conversation in list(self._windows):
            self.close(conversation)

    def _make(self, row: Row) -> ChatWindow:
        deeds = self.main.deeds
        shared = deeds.drafts, deeds.typing, self.main.words
        pane = ChatPane(self._theme, self._bridge, self._reader, *shared)
        pane.apart = True
        pane.composer.box.enter_sends = self.main.composer.box.enter_sends
        pane.files.pictures.shows = self.main.files.pictures.shows
        pane.deeds.invite_clicked.connect(self.invite_clicked)
        window = ChatWindow(self._theme, self._bridge, pane, row)
        window.addActions(self.shared)
        window.closed.connect(self._on_closed)
        return window

    def _has_namesake(self, row: Row) -> bool:
        return is_namesake(row.conversation.contact, self._model.contacts())

    @Slot(object)
    def _on_closed(self, conversation: ConversationId) -> None:
        window = self._windows.pop(conversation, None)
        if window is None:
            return
        for child in window.findChildren(QWidget):
            if child.isWindow():
                child.close()
        window.chat.stop()
        window.chat.open(None)
        window.deleteLater()
        self.moved.emit(conversation)
