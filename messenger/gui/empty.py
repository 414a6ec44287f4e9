"""What stands beside the list while no conversation is shown: what to do next."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from messenger.gui import icons
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconLabel, label
from messenger.text import _

_LOGO = 72
_WIDTH = 420


class Tile(QPushButton):
    """A large button: picture, title, one line about it.

    Args:
        theme: Colours and fonts.
        icon: Its picture.
        action: What it does.
        words: One line about it.
    """

    def __init__(self, theme: Theme, icon: str, action: QAction, words: str) -> None:
        super().__init__()
        self.setProperty("kind", "tile")
        title = action.text().replace("&", "").removesuffix("…")
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(action.trigger)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(SPACE["l"], SPACE["m"], SPACE["l"], SPACE["m"])
        row.setSpacing(SPACE["l"])
        texts = QVBoxLayout()
        texts.setSpacing(2)
        for part in (label(title, "strong"), label(words, "small")):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            texts.addWidget(part)
        row.addWidget(IconLabel(theme, icon, "accent_text", 24))
        row.addLayout(texts, 1)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """The size that its contents need, which a push button would not ask for."""
        return self._row.sizeHint()


class EmptyPane(QWidget):
    """Nothing is chosen: how to begin.

    Args:
        theme: Colours and fonts.
        tiles: For each thing to do: picture, action, one line about it.
    """

    def __init__(self, theme: Theme, tiles: list[tuple[str, QAction, str]]) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        picture = QLabel()
        picture.setPixmap(icons.logo(_LOGO, self.devicePixelRatioF()))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = label("", "heading")
        self._title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._words = label("", "muted", wrap=True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        card = QWidget()
        card.setFixedWidth(_WIDTH)
        column = QVBoxLayout(card)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE["m"])
        column.addWidget(picture)
        column.addWidget(self._title)
        column.addWidget(self._words)
        column.addSpacing(SPACE["s"])
        for icon, action, words in tiles:
            column.addWidget(Tile(theme, icon, action, words))
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(card)
        middle.addStretch(1)
        outer = QVBoxLayout(self)
        outer.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(1)

    def show_state(self, *, alone: bool, name: str) -> None:
        """Say what fits.

        Args:
            alone: Whether there is no conversation at all.
            name: Of the person who uses the program.
        """
        if alone:
            self._title.setText(_("Welcome, {name}").format(name=name))
            self._words.setText(_("Nobody is here yet. Three ways to begin:"))
        else:
            self._title.setText(_("Choose a conversation"))
            self._words.setText(_("Or bring in somebody new:"))
