"""A person as a disc: initials on a colour that follows from the key, so that namesakes look different."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

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


def paint_avatar(painter: QPainter, rect: QRectF, title: str, fingerprint: Fingerprint) -> None:
    """Draw a person's disc.

    Args:
        painter: Where to.
        rect: A square.
        title: The name that is shown for them.
        fingerprint: Their key.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color(fingerprint))
    painter.drawEllipse(rect)
    font = QFont(painter.font())
    font.setPixelSize(max(9, round(rect.height() * 0.38)))
    font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.setPen(Qt.GlobalColor.white)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, initials(title))
    painter.restore()
