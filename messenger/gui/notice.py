"""A bar that says something without stopping anybody: an error, or that a thing was done."""

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconButton, IconLabel, label, set_role
from messenger.text import _, explain

_INFO_MS = 6000
"""How long good news stays; errors stay until they are closed."""

_ICONS = {"error": ("alert", "danger"), "info": ("info", "accent_text"), "warning": ("alert", "warning")}


class Notice(QWidget):
    """The bar; hidden while there is nothing to say.

    Args:
        theme: Where its colours come from.
        around: Whether it keeps a distance from its surroundings.
    """

    closed = Signal()

    def __init__(self, theme: Theme, *, around: bool = False) -> None:
        super().__init__()
        self._card = QWidget()
        self._card.setObjectName("notice")
        self._card.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        outer = QVBoxLayout(self)
        margin = SPACE["s"] if around else 0
        outer.setContentsMargins(margin, margin, margin, margin)
        outer.addWidget(self._card)
        row = QHBoxLayout(self._card)
        row.setContentsMargins(SPACE["m"], SPACE["s"], SPACE["s"], SPACE["s"])
        row.setSpacing(SPACE["m"])
        self._icon = IconLabel(theme, "info")
        self._text = label("", wrap=True, select=True)
        self._close = IconButton(theme, "close", _("Close this message"), size=16)
        self._close.clicked.connect(self.clear)
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        row.addWidget(self._close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.clear)
        self.hide()

    def text(self) -> str:
        """What it says; empty while hidden."""
        return "" if self.isHidden() else self._text.text()

    def error(self, error: BaseException) -> None:
        """Say what went wrong and what to do."""
        self.say(explain(error), "error")

    def say(self, text: str, kind: str = "info") -> None:
        """Say something.

        Args:
            text: The sentence.
            kind: ``info`` goes away by itself; ``warning`` and ``error`` stay until closed.
        """
        self._text.setText(text)
        self.setAccessibleName(text)
        self._icon.show_icon(*_ICONS[kind])
        set_role(self._card, "kind", kind)
        self._timer.stop()
        if kind == "info":
            self._timer.start(_INFO_MS)
        self.show()

    @Slot()
    def clear(self) -> None:
        """Say nothing any more."""
        self._timer.stop()
        self.hide()
        self.closed.emit()
