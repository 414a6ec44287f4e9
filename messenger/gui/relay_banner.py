"""The question above a conversation whether a contact's relay may be used."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from messenger.core.ids import ConversationId
from messenger.core.models import Contact, Standing
from messenger.core.relays import Relay, RelayUse
from messenger.engine.events import Event, RelayAsked, RelayChanged, RelayRemoved
from messenger.gui.bridge import Bridge
from messenger.gui.tasks import Tasks
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconLabel, button, label
from messenger.text import relaying


class RelayBanner(QWidget):
    """Knows the relays of the contact who is shown, and asks about the first that waits for an answer.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
        tasks: Runs what is begun, and reports errors.
    """

    known = Signal(object)
    """The relays where the contact who is shown can be written to."""

    def __init__(self, theme: Theme, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__()
        self._bridge, self._tasks = bridge, tasks
        self._contact: Contact | None = None
        self._relays: list[Relay] = []
        card = QWidget()
        card.setObjectName("notice")
        card.setProperty("kind", "info")
        card.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE["s"], SPACE["s"], SPACE["s"], 0)
        outer.addWidget(card)
        self._text = label("", wrap=True, select=True)
        self.use_button = button(relaying.ALLOW)
        self.later_button = button(relaying.NOT_NOW, "quiet")
        self.use_button.clicked.connect(lambda: self._answer(allowed=True))
        self.later_button.clicked.connect(lambda: self._answer(allowed=False))
        head = QHBoxLayout()
        head.setSpacing(SPACE["m"])
        head.addWidget(IconLabel(theme, "relay", "accent_text"), 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._text, 1)
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        row.addStretch(1)
        row.addWidget(self.use_button)
        row.addWidget(self.later_button)
        column = QVBoxLayout(card)
        column.setContentsMargins(SPACE["m"], SPACE["s"], SPACE["m"], SPACE["s"])
        column.setSpacing(SPACE["s"])
        column.addLayout(head)
        column.addLayout(row)
        self.hide()
        bridge.events.connect(self._on_events)

    def text(self) -> str:
        """What it asks; empty while hidden."""
        return "" if self.isHidden() else self._text.text()

    def show_contact(self, contact: Contact | None) -> None:
        """Turn to somebody, or show how it stands with them now; None for nobody."""
        before, self._contact = self._contact, contact
        if contact is None or before is None or contact.id != before.id:
            self._take([])
            if contact is not None:
                self._look()
        else:
            self._ask()

    def stop(self) -> None:
        """Listen no more."""
        self._bridge.events.disconnect(self._on_events)

    @property
    def _asked(self) -> Relay | None:
        contact = self._contact
        if contact is None or contact.standing is not Standing.ACCEPTED:
            return None
        return next((relay for relay in self._relays if relay.use is RelayUse.UNASKED), None)

    def _look(self) -> None:
        if self._contact is not None:
            self._tasks.start(self._load(self._contact.id), name="look for the relays of a contact")

    async def _load(self, conversation: ConversationId) -> None:
        relays = await self._bridge.call(self._bridge.engine.relays_of, conversation)
        if self._contact is not None and self._contact.id == conversation:
            self._take(relays)

    def _take(self, relays: list[Relay]) -> None:
        self._relays = relays
        self._ask()
        self.known.emit(relays)

    def _ask(self) -> None:
        relay = self._asked
        if relay is not None and self._contact is not None:
            words = relaying.question(self._contact.title, relay)
            self._text.setText(words)
            self.setAccessibleName(words)
            for part in (self.use_button, self.later_button):
                part.setAccessibleName(relaying.about_one(part.text(), relay))
        self.setVisible(relay is not None)

    def _answer(self, *, allowed: bool) -> None:
        relay = self._asked
        if relay is not None:
            work = self._bridge.call(self._bridge.engine.allow_relay, relay.fingerprint, allowed=allowed)
            self._tasks.start(work, name="answer about a relay")

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        if any(isinstance(event, RelayAsked | RelayChanged | RelayRemoved) for event in events):
            self._look()
