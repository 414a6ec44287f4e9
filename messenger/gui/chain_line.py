"""A calm line above the messages: what of theirs is known to be missing, or does not fit together."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from messenger.core.models import Conversation
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconButton, IconLabel, label
from messenger.text import _, chain_words


class ChainLine(QWidget):
    """Hidden while everything is there, or once the person has closed it until it changes.

    Args:
        theme: Colours and fonts.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("chainLine")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._closed: dict[int, str] = {}
        self._conversation = 0
        self._text = label("", "small", wrap=True, select=True)
        self.close_button = IconButton(theme, "close", _("Close this line"), size=16)
        self.close_button.clicked.connect(self._on_closed)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE["l"], SPACE["s"], SPACE["s"], SPACE["s"])
        row.setSpacing(SPACE["m"])
        row.addWidget(IconLabel(theme, "gap", "muted", 18))
        row.addWidget(self._text, 1)
        row.addWidget(self.close_button)
        self.hide()

    def text(self) -> str:
        """What it says; empty while hidden."""
        return "" if self.isHidden() else self._text.text()

    def show_conversation(self, conversation: Conversation) -> None:
        """Say what is missing in a conversation, and what to do."""
        words = chain_words(conversation)
        self._conversation = conversation.id
        self._text.setText(words)
        self.setAccessibleName(words)
        self.setVisible(bool(words) and self._closed.get(conversation.id) != words)

    @Slot()
    def _on_closed(self) -> None:
        self._closed[self._conversation] = self._text.text()
        self.hide()
