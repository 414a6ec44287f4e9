"""The relays that one knows: those where people write to oneself, and those of contacts."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from messenger.core import limits
from messenger.core.ids import Fingerprint, format_fingerprint
from messenger.core.relays import Relay, RelayConnecting, RelayOnline, RelayUse
from messenger.engine.events import Event, RelayChanged, RelayRemoved
from messenger.gui.add_relay_sheet import AddRelaySheet
from messenger.gui.bridge import Bridge
from messenger.gui.sheet import ConfirmSheet, Sheet
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconLabel, button, label
from messenger.text import _, relaying

_SIZE = (620, 560)


class RelayRow(QWidget):
    """One relay: where it is, what it is to us, how it stands, and what can be done about it.

    Args:
        theme: Colours and fonts.
        relay: Which.
        act: Called with the relay as it is now when its first button was pressed.
        refuse: The same for the second.
    """

    def __init__(
        self, theme: Theme, relay: Relay, act: Callable[[Relay], None], refuse: Callable[[Relay], None]
    ) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.relay = relay
        self._icon = IconLabel(theme, "relay", "muted", 22)
        self._address = label("", "strong", select=True)
        self.standing = label("", "small", wrap=True)
        fingerprint = label(format_fingerprint(relay.fingerprint), "smallMono", wrap=True, select=True)
        self.act_button = button("")
        self.act_button.clicked.connect(lambda: act(self.relay))
        self.refuse_button = button(relaying.REFUSE)
        self.refuse_button.clicked.connect(lambda: refuse(self.relay))
        texts = QVBoxLayout()
        texts.setSpacing(2)
        for part in (self._address, self.standing, fingerprint):
            texts.addWidget(part)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE["s"])
        buttons.addWidget(self.act_button)
        buttons.addWidget(self.refuse_button)
        buttons.addStretch(1)
        texts.addSpacing(SPACE["xs"])
        texts.addLayout(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE["m"], SPACE["m"], SPACE["m"], SPACE["m"])
        row.setSpacing(SPACE["m"])
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        self.show_relay(relay)

    def show_relay(self, relay: Relay) -> None:
        """Show how it stands now."""
        self.relay = relay
        self._address.setText(relay.address)
        self.standing.setText(relaying.standing(relay))
        self.setAccessibleName(relaying.sentence(relay))
        open_ = isinstance(relay.state, RelayOnline) and relay.state.refused is None
        color = "success" if open_ else "muted"
        waits = relay.use is RelayUse.OWN and not (open_ or isinstance(relay.state, RelayConnecting))
        self._icon.show_icon("relay", "warning" if waits else color)
        act = {RelayUse.OWN: relaying.REMOVE, RelayUse.LEAVING: relaying.FORGET}
        self.act_button.setText(act.get(relay.use, relaying.ALLOW))
        self.act_button.setVisible(relay.use is not RelayUse.ALLOWED)
        self.refuse_button.setVisible(relay.use in (RelayUse.UNASKED, RelayUse.ALLOWED))
        for part in (self.act_button, self.refuse_button):
            part.setAccessibleName(relaying.about_one(part.text(), relay))


class RelaysSheet(Sheet):
    """All relays, ours above; a field to add one.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
    """

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge) -> None:
        super().__init__(parent, theme, relaying.TITLE, fills=True)
        self._bridge = bridge
        self.rows: dict[Fingerprint, RelayRow] = {}
        self.field = QLineEdit()
        self.field.setMaxLength(limits.INVITE_TEXT_MAX)
        self.field.setPlaceholderText("sotto://relay/…")
        self.field.setAccessibleName(relaying.LINK)
        # queued: the key that opens the next dialog must not press its button as well
        self.field.returnPressed.connect(self._on_add, Qt.ConnectionType.QueuedConnection)
        self.add_relay_button = button(relaying.ADD)
        self.add_relay_button.clicked.connect(self._on_add)
        self._none = label(relaying.NONE, "muted", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        row.addWidget(self.field, 1)
        row.addWidget(self.add_relay_button)
        inside = QWidget()
        inside.setObjectName("scrolled")
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, SPACE["s"], 0)
        self._column.setSpacing(SPACE["s"])
        self._column.addWidget(self._none)
        self._column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inside)
        area.setAccessibleName(relaying.LIST)
        self.body.addWidget(label(relaying.TITLE, "title"))
        self.body.addWidget(label(relaying.TRAVEL, "muted", wrap=True))
        self.body.addLayout(row)
        self.body.addWidget(area, 1)
        self.add_button(_("Done"), "primary", enter=False).clicked.connect(self.accept)
        self.resize(*_SIZE)
        self.field.setFocus()
        bridge.events.connect(self._on_events)
        self.run(self._load(), "load the relays")

    async def _load(self) -> None:
        for relay in await self._bridge.call(self._bridge.engine.relays):
            self._show(relay)

    def _show(self, relay: Relay) -> None:
        row = self.rows.get(relay.fingerprint)
        if row is not None:
            row.show_relay(relay)
            return
        row = self.rows[relay.fingerprint] = RelayRow(self.theme, relay, self._on_act, self._on_refuse)
        ours = sum(other.relay.use in (RelayUse.OWN, RelayUse.LEAVING) for other in self.rows.values())
        own = relay.use in (RelayUse.OWN, RelayUse.LEAVING)
        self._column.insertWidget(ours - 1 if own else self._column.count() - 1, row)
        self._none.hide()

    @Slot()
    def _on_add(self) -> None:
        sheet = AddRelaySheet(self, self.theme, self._bridge, self.field.text().strip())
        self.field.clear()
        sheet.open()

    def _on_act(self, relay: Relay) -> None:
        """The button that the state of the relay calls for."""
        match relay.use:
            case RelayUse.OWN:
                words = relaying.removal(relay), relaying.REMOVE_WORDS, relaying.REMOVE_ACTION
            case RelayUse.LEAVING:
                words = relaying.forgetting(relay), relaying.FORGET_WORDS, relaying.FORGET_ACTION
            case _:
                self._allow(relay, allowed=True)
                return
        sheet = ConfirmSheet(self, self.theme, *words)
        sheet.accepted.connect(lambda: self.run(self._remove(relay), "remove a relay"))
        sheet.open()

    async def _remove(self, relay: Relay) -> None:
        at_once = relay.use is RelayUse.LEAVING
        await self._bridge.call(self._bridge.engine.remove_relay, relay.fingerprint, at_once=at_once)

    def _on_refuse(self, relay: Relay) -> None:
        self._allow(relay, allowed=False)

    def _allow(self, relay: Relay, *, allowed: bool) -> None:
        work = self._bridge.call(self._bridge.engine.allow_relay, relay.fingerprint, allowed=allowed)
        self.run(work, "decide about a relay")

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            match event:
                case RelayChanged(relay=relay):
                    self._show(relay)
                case RelayRemoved(fingerprint=fingerprint):
                    row = self.rows.pop(fingerprint, None)
                    if row is not None:
                        row.hide()
                        row.deleteLater()
                    self._none.setVisible(not self.rows)
                case _:
                    pass
