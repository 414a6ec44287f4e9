"""Above the text box: which message is answered or changed."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from messenger.core.models import Message
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import ElidedLabel, IconButton, IconLabel
from messenger.text import _, one_line, shown_text


class ComposeBar(QWidget):
    """Says what is answered or changed; hidden while it is nothing.

    Args:
        theme: Colours and fonts.
    """

    closed = Signal()
    """The person wants to answer or change nothing."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.reply: Message | None = None
        """The message that is answered."""
        self.editing: Message | None = None
        """The message that is changed."""
        self._icon = IconLabel(theme, "reply", "accent_text", 20)
        self._title = ElidedLabel("accent")
        self._words = ElidedLabel("small")
        self.close_button = IconButton(theme, "close", _("Leave it (Esc)"), size=16)
        self.close_button.clicked.connect(self._on_closed)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self._title)
        column.addWidget(self._words)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE["xs"], 0, 0, 0)
        row.setSpacing(SPACE["m"])
        row.addWidget(self._icon)
        row.addLayout(column, 1)
        row.addWidget(self.close_button)
        self.hide()

    def show_reply(self, message: Message, author: str) -> None:
        """A message is answered.

        Args:
            message: Which.
            author: Who wrote it, as shown.
        """
        self.reply, self.editing = message, None
        self._show("reply", _("Reply to {name}").format(name=author), message)

    def show_edit(self, message: Message) -> None:
        """A message of ours is changed."""
        self.reply, self.editing = None, message
        self._show("edit", _("Edit message"), message)

    def clear(self) -> None:
        """Nothing is answered or changed."""
        self.reply = self.editing = None
        self.hide()

    def title(self) -> str:
        """What it says; empty while hidden."""
        return "" if self.isHidden() else self._title.text()

    def _show(self, icon: str, title: str, message: Message) -> None:
        words = one_line(shown_text(message))
        self._icon.show_icon(icon, "accent_text")
        self._title.setText(title)
        self._words.setText(words)
        self.setAccessibleName(f"{title}: {words}")
        self.show()

    @Slot()
    def _on_closed(self) -> None:
        self.closed.emit()
