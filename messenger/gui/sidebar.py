"""The left column: search, the New menu, the conversations, the messages that a search finds, the archive."""

from typing import Final

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QContextMenuEvent, QIcon, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from messenger.core.ids import ConversationId
from messenger.gui import icons
from messenger.gui.conversation_delegate import HEIGHT, ConversationDelegate
from messenger.gui.conversation_model import ROW, ConversationModel, ConversationOrder
from messenger.gui.found import FoundList
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconButton, button, label, menu_icon
from messenger.text import _, unread_words

_MINUTE_MS: Final = 60_000
_NO_LIMIT: Final = (1 << 24) - 1
"""Qt's QWIDGETSIZE_MAX."""
_MOST: Final = 4
"""People that a search shows at once when it has found messages too."""


class SearchField(QLineEdit):
    """Filters the list; Down goes to the list, Esc empties it.

    Args:
        theme: Where the colour of its picture comes from.
    """

    left = Signal()
    """The person goes on to the list."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("search")
        self.setPlaceholderText(_("Search"))
        self.setAccessibleName(_("Search people and messages"))
        self.setClearButtonEnabled(True)
        for press in self.findChildren(QToolButton):
            press.setAccessibleName(_("Clear the search"))
        self._theme = theme
        self._glass = self.addAction(QIcon(), QLineEdit.ActionPosition.LeadingPosition)
        self._glass.setText(_("Search"))
        theme.changed.connect(self._dress)
        self._dress()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Leave or empty the field."""
        if event.key() in {Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.left.emit()
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _dress(self) -> None:
        self._glass.setIcon(icons.icon("search", self._theme.colors["muted"], 18))


class ConversationList(QListView):
    """The list; its menu opens by mouse and by keyboard."""

    menu_asked = Signal(object, QPoint)
    """A conversation, and a point of the screen."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Open the menu; everything else as in any list."""
        shift = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        if event.key() == Qt.Key.Key_Menu or (event.key() == Qt.Key.Key_F10 and shift):
            self._ask(self.currentIndex(), self.visualRect(self.currentIndex()).center())
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        """Open the menu of the conversation under the mouse."""
        if event.reason() is QContextMenuEvent.Reason.Mouse:
            self._ask(self.indexAt(event.pos()), event.pos())
        else:
            self._ask(self.currentIndex(), self.visualRect(self.currentIndex()).center())

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """The button that opens the menu does not turn to the conversation."""
        if event.button() is Qt.MouseButton.RightButton:
            event.accept()
        else:
            super().mousePressEvent(event)

    def _ask(self, index: QModelIndex, at: QPoint) -> None:
        # some systems send an event for the menu beside that for the key
        if index.isValid() and QApplication.activePopupWidget() is None:
            self.menu_asked.emit(index.data(ROW).conversation.id, self.viewport().mapToGlobal(at))


class Sidebar(QWidget):
    """Search, New menu, conversations.

    Args:
        theme: Colours and fonts.
        model: All conversations.
        actions: The entries of the New menu, each with the name of its icon.
        tools: Buttons beside the New button.
    """

    chosen = Signal(object)
    """The conversation that shall be shown, or None."""
    sought = Signal(str)
    """What is looked for; nothing when the search is over."""

    def __init__(
        self,
        theme: Theme,
        model: ConversationModel,
        actions: list[tuple[str, QAction]],
        tools: list[IconButton],
    ) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(240)
        self._theme, self._actions = theme, actions
        self.model = model
        self._shown: ConversationId | None = None
        self._seeking = False
        self.order = ConversationOrder(model, self)
        self.search = SearchField(theme)
        self.search.textChanged.connect(self._on_search)
        self.search.left.connect(self._to_list)
        self.new_button = IconButton(theme, "compose", _("New conversation"), size=22, color="accent_text")
        self.new_button.clicked.connect(self._on_new)
        self.list = self._make_list()
        self._lists = self._make_lists(theme)
        self._nothing = label("", "muted", wrap=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._lists)
        self._stack.addWidget(self._nothing)
        for changed in (self.order.rowsInserted, self.order.rowsRemoved, self.order.modelReset):
            changed.connect(self._show_list)
        for changed in (model.dataChanged, model.modelReset, model.rowsRemoved):
            changed.connect(self._show_archive)
        self._show_archive()
        self._show_list()
        row = QHBoxLayout()
        row.setContentsMargins(SPACE["m"], SPACE["m"], SPACE["s"], SPACE["s"])
        row.setSpacing(SPACE["xs"])
        row.addWidget(self.search, 1)
        row.addWidget(self.new_button)
        for tool in tools:
            row.addWidget(tool)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._stack, 1)
        column.addWidget(self.archive_button)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.list.viewport().update)
        self._timer.start(_MINUTE_MS)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """As wide as a name and a few words."""
        return QSize(320, 600)

    def current(self) -> ConversationId | None:
        """The conversation that is chosen."""
        index = self.list.currentIndex()
        return index.data(ROW).conversation.id if index.isValid() else None

    @property
    def shown(self) -> ConversationId | None:
        """The conversation that was chosen last, whether or not the list has it now."""
        return self._shown

    def choose(self, conversation: ConversationId | None) -> None:
        """Choose a conversation as if the person had; one that the search hides ends the search."""
        if conversation is None:
            self.list.selectionModel().clear()
            return
        index = self._index(conversation)
        if not index.isValid() and self.search.text():
            self.search.clear()
            index = self._index(conversation)
        if index.isValid():
            self.list.setCurrentIndex(index)
        elif self.model.row(conversation) is not None:  # it is in the archive
            self.reveal(conversation)

    def reveal(self, conversation: ConversationId) -> None:
        """Turn to a conversation that the search may hide, and leave the search as it is."""
        if self._shown != conversation:
            self._shown = conversation
            self._follow()
            self.chosen.emit(conversation)

    def step(self, by: int) -> None:
        """Choose the conversation above (-1) or below (+1)."""
        now = self.list.currentIndex().row() if self.list.currentIndex().isValid() else (-1 if by > 0 else 0)
        count = self.order.rowCount()
        if count:
            self.list.setCurrentIndex(self.order.index((now + by) % count, 0))

    def new_menu(self) -> QMenu:
        """The New menu; deletes itself when closed."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for icon, action in self._actions:
            action.setIcon(menu_icon(self._theme, icon))
            menu.addAction(action)
        return menu

    def _make_lists(self, theme: Theme) -> QWidget:
        """People, and below them the messages that a search finds."""
        self.found = FoundList(theme)
        self.found.hits.modelReset.connect(self._show_list)
        self.found_title = label(_("Messages"), "found")
        self.archive_button = button("", "quiet")
        self.archive_button.setCheckable(True)
        self.archive_button.toggled.connect(self._on_archive)
        page = QWidget()
        both = QVBoxLayout(page)
        both.setContentsMargins(0, 0, 0, 0)
        both.setSpacing(0)
        for part, stretch in ((self.list, 1), (self.found_title, 0), (self.found, 1)):
            both.addWidget(part, stretch)
        return page

    def _make_list(self) -> ConversationList:
        view = ConversationList()
        view.setObjectName("conversations")
        view.setAccessibleName(_("Conversations"))
        view.setModel(self.order)
        view.setItemDelegate(ConversationDelegate(self._theme))
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.selectionModel().currentChanged.connect(self._on_current)
        self._theme.changed.connect(view.viewport().update)
        self._theme.faces.changed.connect(view.viewport().update)
        return view

    def _index(self, conversation: ConversationId) -> QModelIndex:
        rows = enumerate(self.order.rows())
        place = next((place for place, row in rows if row.conversation.id == conversation), None)
        return QModelIndex() if place is None else self.order.index(place, 0)

    @Slot(QModelIndex)
    def _on_current(self, index: QModelIndex) -> None:
        if not self._seeking:
            self._shown = index.data(ROW).conversation.id if index.isValid() else None
            self.chosen.emit(self._shown)

    @Slot(str)
    def _on_search(self, text: str) -> None:
        # the list moves its current row when a search hides it; what is shown beside it must not follow
        self._seeking = True
        self.order.seek(text)
        self._follow()
        self._show_list()
        self._show_archive()
        self.sought.emit(text)

    def _follow(self) -> None:
        """Mark what is shown, wherever it stands now, without turning to anything else."""
        self._seeking = True
        self.list.setCurrentIndex(QModelIndex() if self._shown is None else self._index(self._shown))
        self._seeking = False

    @Slot(bool)
    def _on_archive(self, on: bool) -> None:
        self._seeking = True
        self.order.show_archive(on=on)
        self._follow()
        self._show_list()
        self._show_archive()

    @Slot()
    def _show_archive(self) -> None:
        """The way into the archive and back; hidden while it is empty or while something is sought."""
        rows = self.model.archived()
        on = self.archive_button.isChecked()
        unread = sum(row.conversation.unread for row in rows)
        words = _("Back to all conversations") if on else _("Archive ({count})").format(count=len(rows))
        if unread and not on:
            words += f" · {unread_words(unread)}"
        self.archive_button.setText(words)
        self.archive_button.setVisible(bool(rows or on) and not self.search.text())

    @Slot()
    def _show_list(self) -> None:
        seeking = bool(self.search.text())
        people, messages = self.order.rowCount(), self.found.hits.rowCount() if seeking else 0
        archive = _("The archive is empty") if self.archive_button.isChecked() else _("No conversations yet")
        self._nothing.setText(_("Nothing found") if seeking else archive)
        self._stack.setCurrentWidget(self._lists if people or messages else self._nothing)
        self.list.setVisible(people > 0 or not messages)
        self.list.setMaximumHeight(min(people, _MOST) * HEIGHT + SPACE["xs"] if messages else _NO_LIMIT)
        self.found_title.setVisible(messages > 0)
        self.found.setVisible(messages > 0)

    @Slot()
    def _to_list(self) -> None:
        if not self.order.rowCount() and self.found.hits.rowCount():
            self.found.setFocus()
            self.found.setCurrentIndex(self.found.hits.index(0))
            return
        self.list.setFocus()
        if not self.list.currentIndex().isValid() and self.order.rowCount():
            index = self.order.index(0, 0)
            self.list.setCurrentIndex(index)

    @Slot()
    def _on_new(self) -> None:
        self.new_menu().popup(self.new_button.mapToGlobal(self.new_button.rect().bottomLeft()))
