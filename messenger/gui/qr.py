"""A QR code, painted by us: dark on white in both schemes, because that is what cameras expect."""

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from messenger.gui.theme import RADIUS

_QUIET: Final = 4
"""Modules of white around a code, as ISO/IEC 18004 asks for."""
_LEAST: Final = 3
"""Pixels of a module at least."""


class QrCode(QWidget):
    """One code; nothing but white until it has a text.

    Args:
        title: What a screen reader says of it.
        size: Edge in pixels, or more where the text needs it.
    """

    def __init__(self, title: str, size: int = 200) -> None:
        super().__init__()
        self._size = size
        self._rows: list[bytes] = []
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_text(self, text: str) -> None:
        """Show a text of at most 2,000 characters."""
        import segno

        self._rows = [bytes(row) for row in segno.make_qr(text, error="m", boost_error=False).matrix]
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Large enough for a camera."""
        edge = max(self._size, (len(self._rows) + 2 * _QUIET) * _LEAST)
        return QSize(edge, edge)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Draw modules of whole pixels of the screen."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(Qt.GlobalColor.white)
        painter.drawRoundedRect(self.rect(), RADIUS["control"], RADIUS["control"])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        if not self._rows:
            return
        ratio = self.devicePixelRatioF()
        edge = round(self.width() * ratio)
        module = edge // (len(self._rows) + 2 * _QUIET)
        start = (edge - module * len(self._rows)) // 2
        painter.scale(1 / ratio, 1 / ratio)
        for y, row in enumerate(self._rows):
            for x, dark in enumerate(row):
                if dark:
                    spot = QRectF(start + x * module, start + y * module, module, module)
                    painter.fillRect(spot, Qt.GlobalColor.black)
