"""What stands in place of the composer when somebody cannot be written to: a stranger, or blocked."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from messenger.core.models import Contact, Standing
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconLabel, button, fingerprint_text, label
from messenger.text import _


class Gate(QWidget):
    """Who it is, and what can be done about them.

    Args:
        theme: Colours and fonts.
    """

    accepted = Signal()
    blocked = Signal()
    unblocked = Signal()
    deleted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._icon = IconLabel(theme, "knock", "accent_text", 24)
        self._title = label("", "title", wrap=True)
        self._words = label("", "muted", wrap=True)
        self._fingerprint = label("", "mono", select=True, title=_("Their fingerprint"))
        self.accept_button = button(_("Accept"), "primary")
        self.block_button = button(_("Block"))
        self.unblock_button = button(_("Unblock"), "primary")
        self.delete_button = button(_("Delete"))
        self.accept_button.clicked.connect(self.accepted)
        self.block_button.clicked.connect(self.blocked)
        self.unblock_button.clicked.connect(self.unblocked)
        self.delete_button.clicked.connect(self.deleted)
        head = QHBoxLayout()
        head.setSpacing(SPACE["m"])
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self._title, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE["s"])
        for part in (self.accept_button, self.unblock_button, self.block_button, self.delete_button):
            buttons.addWidget(part)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE["xl"], SPACE["l"], SPACE["xl"], SPACE["l"])
        column.setSpacing(SPACE["m"])
        column.addLayout(head)
        column.addWidget(self._words)
        column.addWidget(self._fingerprint)
        column.addLayout(buttons)

    def show_contact(self, contact: Contact) -> None:
        """Say who it is.

        Args:
            contact: A person whose standing is REQUEST or BLOCKED.
        """
        request = contact.standing is Standing.REQUEST
        self._icon.show_icon("knock" if request else "block", "accent_text" if request else "danger")
        if request:
            self._title.setText(_("{name} wants to talk to you").format(name=contact.title))
            self._words.setText(
                _(
                    "Anybody can choose any name. Ask them, by phone or face to face, whether this is their"
                    " fingerprint. They do not learn that you have read this unless you accept."
                )
            )
            self._fingerprint.setText(fingerprint_text(contact.fingerprint))
        else:
            self._title.setText(_("You blocked {name}").format(name=contact.title))
            self._words.setText(_("Their connections are refused and they cannot write to you."))
        self._fingerprint.setVisible(request)
        self.accept_button.setVisible(request)
        self.block_button.setVisible(request)
        self.unblock_button.setVisible(not request)
