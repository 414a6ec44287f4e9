"""What is said above a conversation about keys: a new one of the contact's, or a namesake with another."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from messenger.core.models import Contact, KeyNews
from messenger.gui.sheet import ConfirmSheet
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconLabel, button, label, set_role
from messenger.text import keys


class KeyBanner(QWidget):
    """A calm bar for somebody who was not verified, a stop for somebody who was; hidden without news.

    Args:
        theme: Colours and fonts.
    """

    compare_asked = Signal()
    """Open the comparison of the safety number."""
    trusted = Signal()
    """The person wants to go on with the key without comparing."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._contact: Contact | None = None
        card = self._card = QWidget()
        card.setObjectName("notice")
        card.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE["s"], SPACE["s"], SPACE["s"], 0)
        outer.addWidget(card)
        self._icon = IconLabel(theme, "info", "accent_text")
        self._text = label("", wrap=True, select=True)
        self.compare_button = button(keys.COMPARE)
        self.trust_button = button(keys.DISMISS, "quiet")
        self.compare_button.clicked.connect(self.compare_asked)
        self.trust_button.clicked.connect(self._on_trust)
        head = QHBoxLayout()
        head.setSpacing(SPACE["m"])
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._text, 1)
        self._buttons = QWidget()
        row = QHBoxLayout(self._buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE["s"])
        row.addStretch(1)
        row.addWidget(self.compare_button)
        row.addWidget(self.trust_button)
        column = QVBoxLayout(card)
        column.setContentsMargins(SPACE["m"], SPACE["s"], SPACE["m"], SPACE["s"])
        column.setSpacing(SPACE["s"])
        column.addLayout(head)
        column.addWidget(self._buttons)
        self.hide()

    def text(self) -> str:
        """What it says; empty while hidden."""
        return "" if self.isHidden() else self._text.text()

    def show_contact(self, contact: Contact, *, namesake: bool = False) -> None:
        """Say what there is to say about somebody's key.

        Args:
            contact: Who.
            namesake: Another contact has the same name.
        """
        self._contact = contact
        words = keys.new_key(contact)
        if not words and namesake:
            words = keys.namesake(contact.title)
        warned = contact.held or contact.key_news is KeyNews.NONE
        self._text.setText(words)
        self.setAccessibleName(words)
        self._icon.show_icon("alert" if warned else "info", "warning" if warned else "accent_text")
        set_role(self._card, "kind", "warning" if warned else "info")
        self.trust_button.setText(keys.TRUST_UNSEEN if contact.held else keys.DISMISS)
        self._buttons.setVisible(contact.key_news is not KeyNews.NONE)
        self.setVisible(bool(words))

    @Slot()
    def _on_trust(self) -> None:
        contact = self._contact
        if contact is None or not contact.held:
            self.trusted.emit()
            return
        title = keys.trust_title(contact.title)
        sheet = ConfirmSheet(self.window(), self._theme, title, keys.TRUST_WORDS, keys.TRUST)
        sheet.accepted.connect(self.trusted)
        sheet.open()
