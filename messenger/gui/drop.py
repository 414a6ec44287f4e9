"""Files that are dragged over a conversation: what will happen when they are let go."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from messenger.gui import icons
from messenger.gui.theme import RADIUS, SPACE, Theme

_ICON: Final = 48
_VEIL: Final = 235
"""How much of what is below is hidden, of 255."""


def local_paths(mime: QMimeData) -> list[Path]:
    """The files and folders of this computer that are dragged or pasted; nothing else counts."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()] if mime.hasUrls() else []


class DropOverlay(QWidget):
    """Covers the conversation while files are dragged over it, and takes them.

    Args:
        pane: What it covers; files can be let go anywhere on it.
        theme: Colours and fonts.
    """

    dropped = Signal(object)
    """A list of paths."""

    def __init__(self, pane: QWidget, theme: Theme) -> None:
        super().__init__(pane)
        self._theme, self._pane = theme, pane
        self.words: Callable[[], str] = str
        """Says what will happen; empty if nothing can be sent."""
        self.setAcceptDrops(True)
        pane.setAcceptDrops(True)
        pane.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Come up when files are dragged over the pane, and stay as large as it is."""
        if event.type() is QEvent.Type.Resize and isinstance(watched, QWidget):
            self.resize(watched.size())
        if isinstance(event, QDragEnterEvent) and self._takes(event.mimeData()):
            event.acceptProposedAction()
            self.rise()
            return True
        if isinstance(event, QDropEvent | QDragMoveEvent) and not self.isHidden():
            self._take(event)
            return True
        return False

    def rise(self) -> None:
        """Cover the pane, and say what will happen."""
        self.setAccessibleName(self.words())
        self.resize(self._pane.size())
        self.raise_()
        self.show()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 -- Qt's name
        """The mouse came from the pane, which this covers now."""
        event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802 -- Qt's name
        """Anywhere is right."""
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """The files are taken elsewhere."""
        self.hide()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 -- Qt's name
        """The files are let go."""
        self._take(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Draw a frame, and say what will happen."""
        colors, painter = self._theme.colors, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(colors["canvas"])
        veil.setAlpha(_VEIL)
        painter.fillRect(self.rect(), veil)

        painter.setPen(QPen(colors["accent_text"], 2, Qt.PenStyle.DashLine))
        frame = QRectF(self.rect()).adjusted(SPACE["l"], SPACE["l"], -SPACE["l"], -SPACE["l"])
        painter.drawRoundedRect(frame, RADIUS["card"], RADIUS["card"])
        picture = icons.pixmap("save", colors["accent_text"].name(), _ICON, self.devicePixelRatioF())
        middle = frame.center()
        painter.drawPixmap(round(middle.x() - _ICON / 2), round(middle.y() - _ICON), picture)
        painter.setPen(colors["text"])
        painter.setFont(self._theme.font("title", bold=True))
        below = frame.adjusted(SPACE["l"], frame.height() / 2 + SPACE["m"], -SPACE["l"], 0)
        side = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter
        painter.drawText(below, Qt.TextFlag.TextWordWrap | side, self.words())

    def _takes(self, mime: QMimeData) -> bool:
        return bool(self.words()) and bool(local_paths(mime))

    def _take(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        if event.type() is QEvent.Type.Drop:
            self.hide()
            if paths := local_paths(event.mimeData()):
                self.dropped.emit(paths)
