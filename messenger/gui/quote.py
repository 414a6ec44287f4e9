"""The beginning of what a message answers, laid out for the top of its bubble."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath

from messenger.gui.direction import direction_of, runs_left
from messenger.gui.theme import RADIUS, SPACE

_BAR: Final = 3
_INDENT: Final = SPACE["s"] + 2
_PADDING: Final = SPACE["xs"]
_GAP: Final = SPACE["xs"] + 2
"""Between it and the text."""


class Quote:
    """Who is answered, and the beginning of what they wrote, each on one line.

    Args:
        text: The words, and above them their author, if known; nothing for no quote.
        small: The font of the words.
        strong: The font of the author.
        room: Most pixels it may take.
    """

    def __init__(self, text: str, small: QFont, strong: QFont, room: float) -> None:
        author, _end, self.text = text.rpartition("\n")
        self._lines: list[tuple[str, QFont, float]] = []
        self.rect = QRectF()
        """Where it stands in its bubble."""
        wide = high = 0.0
        for line, font in ((author, strong), (self.text, small)):
            if line:
                metrics = QFontMetricsF(font)
                shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, room - 2 * _INDENT)
                self._lines.append((shown, font, metrics.height()))
                wide, high = max(wide, metrics.horizontalAdvance(shown)), high + metrics.height()
        self.size = QSizeF(wide + 2 * _INDENT, high + 2 * _PADDING + _GAP) if self._lines else QSizeF(0, 0)
        """What it needs, with what is left free below."""

    def place(self, left: float, top: float, wide: float) -> None:
        """Say where it stands in its bubble.

        Args:
            left: From the edge of the bubble.
            top: Below the edge of the bubble.
            wide: Its width.
        """
        self.rect = QRectF(left, top, wide, self.size.height() - _GAP) if self._lines else QRectF()

    def draw(
        self, painter: QPainter, origin: QPointF, text: QColor, bar: QColor, behind: QColor | None
    ) -> None:
        """Paint it in a box with a bar at its beginning.

        Args:
            painter: Where to.
            origin: The corner of the bubble.
            text: Colour of the words.
            bar: Colour of the bar and of the author.
            behind: Colour of the box, or None.
        """
        if not self._lines:
            return
        box, mirrored = self.rect.translated(origin), runs_left(self.text)
        painter.save()
        shape = QPainterPath()
        shape.addRoundedRect(box, RADIUS["small"], RADIUS["small"])
        painter.setClipPath(shape, Qt.ClipOperation.IntersectClip)
        if behind is not None:
            painter.fillRect(box, behind)
        edge = box.right() - _BAR if mirrored else box.left()
        painter.fillRect(QRectF(edge, box.top(), _BAR, box.height()), bar)
        side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        side |= Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
        top = box.top() + _PADDING
        for place, (words, font, high) in enumerate(self._lines):
            line = QRectF(box.left() + _INDENT, top, box.width() - 2 * _INDENT, high)
            painter.setFont(font)
            painter.setPen(text if place == len(self._lines) - 1 else bar)
            painter.setLayoutDirection(direction_of(words))
            painter.drawText(line, side, words)
            top += high
        painter.restore()
