"""A person as a disc: their picture, or initials on a colour that follows from the key (namesakes differ)."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QImage, QPainter, QTransform

from messenger.core.ids import Fingerprint
from messenger.gui.theme import AVATARS


def initials(title: str) -> str:
    """One or two letters that stand for a name."""
    words = [word for word in title.split() if word[0].isalnum()] or title.split()
    if not words:
        return "?"
    chosen = [words[0], words[-1]] if len(words) > 1 else [words[0]]
    return "".join(word[0] for word in chosen).upper()


def color(fingerprint: Fingerprint) -> QColor:
    """The colour of a person."""
    return QColor(AVATARS[int.from_bytes(fingerprint[:4]) % len(AVATARS)])


def pixels_of(painter: QPainter, rect: QRectF) -> int:
    """How many pixels of what is painted on a disc is wide."""
    return max(1, round(rect.width() * painter.device().devicePixelRatio()))


def paint_avatar(
    painter: QPainter, rect: QRectF, title: str, fingerprint: Fingerprint, picture: QImage | None = None
) -> None:
    """Draw a person's disc.

    Args:
        painter: Where to.
        rect: A square.
        title: The name that is shown for them.
        fingerprint: Their key.
        picture: What they chose to be seen by, a square.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    if picture is not None:
        brush, scale = QBrush(picture), rect.width() / picture.width()
        brush.setTransform(QTransform.fromTranslate(rect.left(), rect.top()).scale(scale, scale))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setBrush(brush)
        painter.drawEllipse(rect)
        painter.restore()
        return
    painter.setBrush(color(fingerprint))
    painter.drawEllipse(rect)
    font = QFont(painter.font())
    font.setPixelSize(max(9, round(rect.height() * 0.38)))
    font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.setPen(Qt.GlobalColor.white)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, initials(title))
    painter.restore()
