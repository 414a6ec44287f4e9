"""Buttons whose words may be too long: things to do below each other, and what is chosen from a menu."""

from typing import Final

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QStylePainter

from messenger.gui import icons
from messenger.gui.strip import Strip
from messenger.gui.theme import SPACE, Theme

_ARROW: Final = 18
"""Edge of the arrow of a button that opens a menu, in pixels."""


class RowButton(QPushButton):
    """One of several things to do that stand below each other: a picture and words.

    Args:
        theme: Where its colour comes from.
        name: The icon.
        words: What it does.
        color: The token of the colour of the icon.
        kind: ``row``, or ``dangerRow`` for what cannot be taken back.
    """

    def __init__(
        self, theme: Theme, name: str, words: str, *, color: str = "muted", kind: str = "row"
    ) -> None:
        super().__init__(words)
        self._theme, self._icon, self._color = theme, name, color
        self.setProperty("kind", kind)
        self.setAutoDefault(False)
        self.setIconSize(QSize(20, 20))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self._dress)
        self._dress()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Long words end in an ellipsis and make nothing wider."""
        return QSize(4 * _ARROW, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Draw as many of the words as there is room for."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        room = self.width() - self.iconSize().width() - 4 * SPACE["s"]
        option.text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
        QStylePainter(self).drawControl(QStyle.ControlElement.CE_PushButton, option)

    @Slot()
    def _dress(self) -> None:
        self.setIcon(icons.icon(self._icon, self._theme.colors[self._color], self.iconSize().width()))


class ChoiceButton(QPushButton):
    """A button that says what is chosen and opens a menu with the rest, as a closed combo box looks.

    Args:
        theme: Where its colours come from.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("kind", "plain")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Long words end in an ellipsis and make no dialog wider."""
        return QSize(4 * _ARROW, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Draw the button, its words at the start and an arrow at the end."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""
        painter = QStylePainter(self)
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        line = Strip(self.rect().adjusted(SPACE["m"] + 2, 0, -SPACE["m"], 0), mirrored=mirrored)
        arrow, color = line.end(_ARROW, SPACE["s"]), self._theme.colors["muted"].name()
        drawn = icons.pixmap("down", color, _ARROW, self.devicePixelRatioF())
        painter.drawPixmap(arrow.left(), arrow.center().y() - _ARROW // 2 + 1, drawn)
        words = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, line.room)
        side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        painter.setPen(self._theme.colors["text"])
        side |= Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(line.rest(), side, words)
