"""Comparing the safety number with somebody, and remembering that it was done."""

import msgspec
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from messenger.core.models import Contact
from messenger.gui.bridge import Bridge
from messenger.gui.sheet import Sheet
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconLabel, fingerprint_text, label
from messenger.text import _

_GROUP = 5
_COLUMNS = 4


class VerifySheet(Sheet):
    """The safety number in groups of five, both fingerprints, and the decision.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        contact: Who is compared with.
    """

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge, contact: Contact) -> None:
        super().__init__(parent, theme, _("Compare safety number"))
        self._bridge, self._contact = bridge, contact
        name = contact.title
        self.body.addWidget(
            label(_("Are you really talking to {name}?").format(name=name), "title", wrap=True)
        )
        words = _(
            "{name} finds the same sixty digits in this place. Read them to each other, face to face or"
            " on the phone. If all are equal, nobody stands between you."
        )
        self.body.addWidget(label(words.format(name=name), "muted", wrap=True))
        self.body.addWidget(self._number_card())
        self.body.addLayout(self._fingerprints())
        self._state_icon = IconLabel(theme, "unverified", "muted", 24)
        self._state = label("", "strong", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(SPACE["m"])
        row.addWidget(self._state_icon)
        row.addWidget(self._state, 1)
        self.body.addLayout(row)
        self.add_button(_("Close")).clicked.connect(self.accept)
        self.undo_button = self.add_button(_("They are different"))
        self.confirm_button = self.add_button(_("They are the same"), "primary")
        self.undo_button.clicked.connect(self._on_undo)
        self.confirm_button.clicked.connect(self._on_confirm)
        self._show(contact)
        self.run(self._load(), "load the safety number")

    def number(self) -> str:
        """The digits that are shown, without spaces."""
        return "".join(part.text() for part in self._groups)

    def _number_card(self) -> QWidget:
        card = QWidget()
        card.setObjectName("card")
        card.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        grid = QGridLayout(card)
        grid.setContentsMargins(SPACE["l"], SPACE["l"], SPACE["l"], SPACE["l"])
        grid.setHorizontalSpacing(SPACE["xl"])
        grid.setVerticalSpacing(SPACE["s"])
        self._groups = [label("·····", "mono") for _group in range(60 // _GROUP)]
        for place, part in enumerate(self._groups):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(part, place // _COLUMNS, place % _COLUMNS)
        return card

    def _fingerprints(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(SPACE["xs"])
        self._own = label("", "mono", select=True)
        theirs = label(fingerprint_text(self._contact.fingerprint), "mono", select=True)
        column.addWidget(label(_("Your fingerprint"), "small"))
        column.addWidget(self._own)
        column.addSpacing(SPACE["xs"])
        column.addWidget(label(_("Fingerprint of {name}").format(name=self._contact.title), "small"))
        column.addWidget(theirs)
        return column

    async def _load(self) -> None:
        number = await self._bridge.call(self._bridge.engine.safety_number, self._contact.id)
        for place, part in enumerate(self._groups):
            part.setText(number[place * _GROUP : (place + 1) * _GROUP])
        me = await self._bridge.call(self._bridge.engine.me)
        self._own.setText(fingerprint_text(me.fingerprint))

    def _show(self, contact: Contact) -> None:
        name = contact.title
        if contact.verified:
            self._state_icon.show_icon("shield", "success")
            self._state.setText(_("You have verified {name}.").format(name=name))
        else:
            self._state_icon.show_icon("unverified", "muted")
            self._state.setText(_("You have not verified {name} yet.").format(name=name))
        self.confirm_button.setEnabled(not contact.verified)
        self.undo_button.setText(_("Take back") if contact.verified else _("They are different"))

    @Slot()
    def _on_confirm(self) -> None:
        self.run(self._decide(verified=True), "mark as verified")

    @Slot()
    def _on_undo(self) -> None:
        self.run(self._decide(verified=False), "mark as not verified")

    async def _decide(self, *, verified: bool) -> None:
        taken_back = self._contact.verified
        await self._bridge.call(self._bridge.engine.set_verified, self._contact.id, verified)
        self._contact = msgspec.structs.replace(self._contact, verified=verified)
        self._show(self._contact)
        if not verified and not taken_back:
            self.notice.say(
                _("Then somebody may be listening: write nothing private here until you have found out why."),
                "warning",
            )
