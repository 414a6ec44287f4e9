"""The left column: search, the New menu, the conversations."""

from typing import Final

from PySide6.QtCore import QModelIndex, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QIcon, QKeyEvent
from PySide6.QtWidgets import (
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
from messenger.gui.conversation_delegate import ConversationDelegate
from messenger.gui.conversation_model import ROW, ConversationModel, ConversationOrder
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconButton, label, menu_icon
from messenger.text import _

_MINUTE_MS: Final = 60_000


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
        self.setAccessibleName(_("Search conversations"))
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
        self._nothing = label("", "muted", wrap=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._nothing)
        for changed in (self.order.rowsInserted, self.order.rowsRemoved, self.order.modelReset):
            changed.connect(self._show_list)
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

    def _make_list(self) -> QListView:
        view = QListView()
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
        self.list.setCurrentIndex(QModelIndex() if self._shown is None else self._index(self._shown))
        self._seeking = False
        self._show_list()

    @Slot()
    def _show_list(self) -> None:
        self._nothing.setText(_("Nothing found") if self.search.text() else _("No conversations yet"))
        self._stack.setCurrentWidget(self.list if self.order.rowCount() else self._nothing)

    @Slot()
    def _to_list(self) -> None:
        self.list.setFocus()
        if not self.list.currentIndex().isValid() and self.order.rowCount():
            index = self.order.index(0, 0)
            self.list.setCurrentIndex(index)

    @Slot()
    def _on_new(self) -> None:
        self.new_menu().popup(self.new_button.mapToGlobal(self.new_button.rect().bottomLeft()))
