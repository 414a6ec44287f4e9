"""A page with a narrow column in its middle: start, first run, unlock."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from messenger.gui import icons
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import label

_WIDTH: Final = 420
_LOGO: Final = 64


class CardPage(QWidget):
    """A page whose contents stand in a narrow column in the middle.

    Args:
        theme: Colours and fonts.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        card = QWidget()
        card.setFixedWidth(_WIDTH)
        self.column = QVBoxLayout(card)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(SPACE["m"])
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(card)
        middle.addStretch(1)
        outer = QVBoxLayout(self)
        outer.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(1)

    def add_head(self, title: str, words: str) -> None:
        """Add picture, title and explanation in the middle.

        Args:
            title: What the page is about.
            words: A sentence about it.
        """
        picture = QLabel()
        picture.setMinimumHeight(_LOGO)
        picture.setPixmap(icons.logo(_LOGO, self.devicePixelRatioF()))
        for part in (picture, label(title, "heading", wrap=True), label(words, "muted", wrap=True)):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self.column.addWidget(part)
        self.column.addSpacing(SPACE["s"])
