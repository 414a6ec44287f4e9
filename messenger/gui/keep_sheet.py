"""For how long the messages of one conversation are kept."""

from enum import StrEnum

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from messenger.core import store_limits
from messenger.core.models import Contact
from messenger.gui.bridge import Bridge
from messenger.gui.sheet import Sheet
from messenger.gui.switches import Segments
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import NumberField, label
from messenger.text import _


class Keep(StrEnum):
    """What can be chosen."""

    SETTINGS = "settings"
    ALWAYS = "always"
    DAYS = "days"


class KeepSheet(Sheet):
    """As in the settings, for ever, or for a number of days.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        contact: Whose messages.
    """

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge, contact: Contact) -> None:
        super().__init__(parent, theme, _("Keep messages"))
        self._bridge, self._contact = bridge, contact
        self._choice = Keep.SETTINGS
        title = _("How long are messages with {name} kept here?").format(name=contact.title)
        words = _(
            "Older ones are deleted from this computer for good, at once and from then on. What waits to be"
            " sent or read stays. {name} keeps what they have."
        )
        self.body.addWidget(label(title, "title", wrap=True))
        self.body.addWidget(label(words.format(name=contact.title), "muted", wrap=True))
        self.choice = Segments(
            title,
            {
                Keep.SETTINGS: _("As in the settings"),
                Keep.ALWAYS: _("For ever"),
                Keep.DAYS: _("For some days"),
            },
        )
        self.choice.chosen.connect(self._on_chosen)
        self.body.addWidget(self.choice)
        self.days = NumberField(_("Days"), 1, store_limits.KEEP_DAYS_MAX)
        self.days.show_value(30)
        self._row = QWidget()
        row = QHBoxLayout(self._row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE["m"])
        row.addWidget(self.days)
        row.addWidget(label(_("days")), 1)
        self.body.addWidget(self._row)
        self.add_button(_("Cancel")).clicked.connect(self.reject)
        self.save_button = self.add_button(_("Save"), "primary")
        self.save_button.clicked.connect(self._on_save)
        self._show(Keep.SETTINGS)
        self.hold(self.choice, self.days, self.save_button)
        self.run(self._load(), "load how long messages are kept")

    async def _load(self) -> None:
        days = await self._bridge.call(self._bridge.engine.kept_days, self._contact.id)
        if days:
            self.days.show_value(days)
        self._show(Keep.SETTINGS if days is None else Keep.DAYS if days else Keep.ALWAYS)
        self.free(self.choice, self.days, self.save_button)

    def _show(self, choice: Keep) -> None:
        self._choice = choice
        self.choice.show_choice(choice)
        self._row.setVisible(choice is Keep.DAYS)
        self.fit()

    @Slot(object)
    def _on_chosen(self, choice: Keep) -> None:
        self._show(choice)
        if choice is Keep.DAYS:
            self.days.setFocus()
            self.days.selectAll()

    @Slot()
    def _on_save(self) -> None:
        days = {Keep.SETTINGS: None, Keep.ALWAYS: 0, Keep.DAYS: max(1, self.days.value())}[self._choice]
        self.run(self._save(days), "change how long messages are kept")

    async def _save(self, days: int | None) -> None:
        await self._bridge.call(self._bridge.engine.keep_days, self._contact.id, days)
        self.accept()
