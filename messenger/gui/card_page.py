"""A page with a narrow column in its middle: start, first run, unlock."""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from messenger.gui import icons
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import button, label
from messenger.text import _, updating

_WIDTH: Final = 420
_LOGO: Final = 64
_ALL: Final = 100
_FIRST: Final = 1000
"""How much more of the width the column gets than what is beside it, until it has all it may have."""
_ROOMY: Final = 560
"""Height below which there is no picture: words need the room."""


class CardPage(QWidget):
    """A page whose contents stand in a narrow column in the middle.

    Args:
        theme: Colours and fonts.
    """

    profiles_asked = Signal()
    """The person wants to see the other profiles."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        card = QWidget()
        card.setMaximumWidth(_WIDTH)
        self.column = QVBoxLayout(card)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(SPACE["m"])
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(card, _FIRST)
        middle.addStretch(1)
        self._picture: QLabel | None = None
        self._outer = QVBoxLayout(self)
        self._outer.addStretch(1)
        self._outer.addLayout(middle)
        self._outer.addStretch(1)
        self.update_words = label("", "muted", wrap=True)
        self.update_words.setParent(card)
        self.update_words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.update_words.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """A low window has words and no picture."""
        super().resizeEvent(event)
        if self._picture is not None:
            self._picture.setVisible(self.height() >= _ROOMY)

    def add_profiles_button(self) -> None:
        """Offer the other profiles in the corner: this may not be the one that was meant."""
        self.profiles_button = button(_("Profiles…"), "quiet")
        self.profiles_button.clicked.connect(self.profiles_asked)
        self._outer.addWidget(self.profiles_button, 0, Qt.AlignmentFlag.AlignHCenter)

    def show_update(self, percent: int) -> None:
        """Say how far the history of an earlier version has been brought up to date.

        Args:
            percent: Of all of it; 100 takes the words away.
        """
        if self.column.indexOf(self.update_words) < 0:  # most profiles never need it
            self.column.addWidget(self.update_words)
        self.update_words.setText(updating(percent))
        self.update_words.setVisible(percent < _ALL)

    def add_head(self, title: str, words: str) -> None:
        """Add picture, title and explanation in the middle.

        Args:
            title: What the page is about.
            words: A sentence about it.
        """
        picture = self._picture = QLabel()
        picture.setMinimumHeight(_LOGO)
        picture.setAccessibleName("Sotto")
        picture.setPixmap(icons.logo(_LOGO, self.devicePixelRatioF()))
        for part in (picture, label(title, "heading", wrap=True), label(words, "muted", wrap=True)):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self.column.addWidget(part)
        self.column.addSpacing(SPACE["s"])
