"""Comparing the safety number with somebody, by eye or by code, and remembering that it was done."""

import re

import msgspec
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from messenger.core.models import Contact
from messenger.gui.bridge import Bridge
from messenger.gui.qr import QrCode
from messenger.gui.sheet import Sheet
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconLabel, button, fingerprint_text, label
from messenger.text import _

_GROUP = 5
_COLUMNS = 4
_DIGITS = 60
_FIELD_MAX = 400
"""Characters that may be pasted: the digits, however they are grouped."""


class VerifySheet(Sheet):
    """The safety number in groups of five and as a code, what the other device shows, and the decision.

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
        self.body.addLayout(self._numbers())
        self.body.addLayout(self._theirs())
        self.body.addLayout(self._fingerprints())
        self._state_icon = IconLabel(theme, "unverified", "muted", 24)
        self._state = label("", "strong", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(SPACE["m"])
        row.addWidget(self._state_icon)
        row.addWidget(self._state, 1)
        self.body.addLayout(row)
        self._meaning = label("", "small", wrap=True)
        self.body.addWidget(self._meaning)
        self.close_button = self.add_button(_("Close"))
        self.close_button.clicked.connect(self.accept)
        self.undo_button = self.add_button(_("They are different"))
        self.confirm_button = self.add_button(_("They are the same"), "primary")
        self.undo_button.clicked.connect(self._on_undo)
        self.confirm_button.clicked.connect(self._on_confirm)
        self._show(contact)
        self.hold(self.field, self.compare_button, self.confirm_button)
        self.run(self._load(), "load the safety number")

    def number(self) -> str:
        """The digits that are shown, without spaces."""
        return "".join(part.text() for part in self._groups)

    def _number_card(self) -> QWidget:
        card = QWidget()
        card.setObjectName("card")
        card.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        card.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # both find the same digits in the same place
        grid = QGridLayout(card)
        grid.setContentsMargins(SPACE["l"], SPACE["l"], SPACE["l"], SPACE["l"])
        grid.setHorizontalSpacing(SPACE["xl"])
        grid.setVerticalSpacing(SPACE["s"])
        self._groups = [label("·····", "mono") for _group in range(60 // _GROUP)]
        for place, part in enumerate(self._groups):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(part, place // _COLUMNS, place % _COLUMNS)
        return card

    def _numbers(self) -> QHBoxLayout:
        """The digits, and beside them the same for a camera."""
        row = QHBoxLayout()
        row.setSpacing(SPACE["l"])
        self.code = QrCode(_("Safety number as a QR code, for the camera of another device"), 165)
        row.addWidget(self._number_card(), 1)
        row.addWidget(self.code)
        return row

    def _theirs(self) -> QVBoxLayout:
        """Where what the other device shows can be put in."""
        column = QVBoxLayout()
        column.setSpacing(SPACE["xs"])
        words = _("Or put in here what the device of {name} shows, typed or pasted from a scanner:")
        column.addWidget(label(words.format(name=self._contact.title), "small", wrap=True))
        self.field = QLineEdit()
        self.field.setMaxLength(_FIELD_MAX)
        self.field.setPlaceholderText(_("Sixty digits"))
        self.field.setAccessibleName(_("Digits that the other device shows"))
        self.field.returnPressed.connect(self._on_compare)
        self.compare_button = button(_("Compare"))
        self.compare_button.clicked.connect(self._on_compare)
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        row.addWidget(self.field, 1)
        row.addWidget(self.compare_button)
        column.addLayout(row)
        return column

    def _fingerprints(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(SPACE["xs"])
        whose = _("Fingerprint of {name}").format(name=self._contact.title)
        self._own = label("", "mono", select=True, title=_("Your fingerprint"))
        theirs = label(fingerprint_text(self._contact.fingerprint), "mono", select=True, title=whose)
        column.addWidget(label(_("Your fingerprint"), "small"))
        column.addWidget(self._own)
        column.addSpacing(SPACE["xs"])
        column.addWidget(label(whose, "small"))
        column.addWidget(theirs)
        return column

    async def _load(self) -> None:
        number = await self._bridge.call(self._bridge.engine.safety_number, self._contact.id)
        for place, part in enumerate(self._groups):
            part.setText(number[place * _GROUP : (place + 1) * _GROUP])
        self.code.show_text(number)
        self.free(self.field, self.compare_button, self.confirm_button)
        self._show(self._contact)
        me = await self._bridge.call(self._bridge.engine.me)
        self._own.setText(fingerprint_text(me.fingerprint))

    def _show(self, contact: Contact) -> None:
        name = contact.title
        if contact.verified:
            self._state_icon.show_icon("shield", "success")
            self._state.setText(_("You have verified {name}.").format(name=name))
            words = _("This stays until {name} gets a new key; then nothing is sent before you have decided.")
        else:
            self._state_icon.show_icon("unverified", "muted")
            self._state.setText(_("You have not verified {name} yet.").format(name=name))
            words = _(
                "All is encrypted already. Verified means that you know whose device it is encrypted for."
            )
        self._meaning.setText(words.format(name=name))
        self.confirm_button.setEnabled(not contact.verified)
        self.undo_button.setText(_("Take back") if contact.verified else _("They are different"))

    @Slot()
    def _on_confirm(self) -> None:
        self.run(self._decide(verified=True), "mark as verified")

    @Slot()
    def _on_compare(self) -> None:
        """The other device shows the same, something else, or this is no safety number."""
        digits = re.sub(r"[\s.·-]+", "", self.field.text())
        if len(digits) != _DIGITS or not (digits.isascii() and digits.isdecimal()):
            self.notice.say(_("A safety number has sixty digits."), "warning")
        elif digits == self.number():
            self.run(self._decide(verified=True), "mark as verified")
        else:
            self.run(self._decide(verified=False, differs=True), "mark as not verified")

    @Slot()
    def _on_undo(self) -> None:
        self.run(self._decide(verified=False), "mark as not verified")

    async def _decide(self, *, verified: bool, differs: bool = False) -> None:
        taken_back = self._contact.verified and not differs
        await self._bridge.call(self._bridge.engine.set_verified, self._contact.id, verified)
        self._contact = msgspec.structs.replace(self._contact, verified=verified)
        self._show(self._contact)
        if not verified and not taken_back:
            self.notice.say(
                _("Then somebody may be listening: write nothing private here until you have found out why."),
                "warning",
            )
