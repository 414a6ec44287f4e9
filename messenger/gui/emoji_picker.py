"""Choosing an emoji: a field to search in and a grid, by mouse and by keyboard."""

from typing import Final

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListView, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from messenger.gui.emoji import found, name_of
from messenger.gui.theme import SPACE, Theme
from messenger.text import _

_CELL: Final = 40
_COLUMNS: Final = 8
_ROWS: Final = 6
_BAR: Final = 12
"""Room for the scroll bar."""


class EmojiField(QLineEdit):
    """The search field; Down goes to the grid, Enter takes the first that was found."""

    down = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Go on to the grid."""
        if event.key() == Qt.Key.Key_Down:
            self.down.emit()
        else:
            super().keyPressEvent(event)


class EmojiPicker(QWidget):
    """A small window over the place where it was asked for; deletes itself when closed.

    Args:
        parent: Whose window it belongs to.
        theme: Colours and fonts.
    """

    picked = Signal(str)

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("emojiPicker")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(_("Choose an emoji"))
        self.field = EmojiField()
        self.field.setPlaceholderText(_("Search emoji"))
        self.field.setAccessibleName(_("Search emoji"))
        self.grid = QListWidget()
        self.grid.setObjectName("emojiGrid")
        self.grid.setAccessibleName(_("Emoji"))
        self.grid.setViewMode(QListView.ViewMode.IconMode)
        self.grid.setFlow(QListView.Flow.LeftToRight)
        self.grid.setMovement(QListView.Movement.Static)
        self.grid.setResizeMode(QListView.ResizeMode.Adjust)
        self.grid.setGridSize(QSize(_CELL, _CELL))
        self.grid.setUniformItemSizes(True)
        self.grid.setFont(theme.font("heading"))
        self.grid.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.grid.setFixedSize(_COLUMNS * _CELL + _BAR, _ROWS * _CELL)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE["s"], SPACE["s"], SPACE["s"], SPACE["s"])
        column.setSpacing(SPACE["s"])
        column.addWidget(self.field)
        column.addWidget(self.grid)
        self.field.textChanged.connect(self._fill)
        self.field.down.connect(self.grid.setFocus)
        self.field.returnPressed.connect(self._on_first)
        self.grid.itemActivated.connect(self._take)
        self.grid.itemClicked.connect(self._take)
        self._fill("")
        self._done = False

    def open_at(self, spot: QRect) -> None:
        """Open above or below a rectangle of the screen, wherever there is room.

        Args:
            spot: In global coordinates.
        """
        self.adjustSize()
        screen = self.screen().availableGeometry()
        left = min(max(spot.left(), screen.left()), screen.right() - self.width())
        above = spot.top() - self.height() - SPACE["xs"]
        top = above if above >= screen.top() else min(spot.bottom(), screen.bottom() - self.height())
        self.move(QPoint(left, top))
        self.show()
        self.field.setFocus()

    @Slot(str)
    def _fill(self, words: str) -> None:
        self.grid.clear()
        for emoji in found(words):
            item = QListWidgetItem(emoji)
            item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
            item.setToolTip(name_of(emoji))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, name_of(emoji))
            self.grid.addItem(item)
        self.grid.setCurrentRow(0)

    @Slot()
    def _on_first(self) -> None:
        if (item := self.grid.item(0)) is not None:
            self._take(item)

    @Slot(QListWidgetItem)
    def _take(self, item: QListWidgetItem) -> None:
        if not self._done:
            self._done = True  # a click may activate as well
            emoji = item.text()
            self.close()
            self.picked.emit(emoji)
