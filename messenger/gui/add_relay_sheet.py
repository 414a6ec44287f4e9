"""Using a relay: its link, what that means, and whether it answers."""

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from messenger.core import limits, relay_limits
from messenger.core.errors import AddressError, SottoError
from messenger.core.ids import Fingerprint
from messenger.core.relays import Relay, RelayOnline, RelayUnreachable
from messenger.engine.events import Event, RelayChanged
from messenger.gui.bridge import Bridge
from messenger.gui.sheet import Sheet
from messenger.gui.theme import Theme
from messenger.gui.widgets import fingerprint_text, label
from messenger.text import _, explain, relaying

_LEAST = 460
_SCHEME = "sotto://relay/"


def is_relay_link(text: str) -> bool:
    """Whether a text is meant to be the link of a relay, good or damaged."""
    return text.strip().lower().startswith(_SCHEME)


class AddRelaySheet(Sheet):
    """Shows whose relay a link leads to, asks, and says how it went.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        link: To begin with, or nothing.
    """

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge, link: str = "") -> None:
        super().__init__(parent, theme, relaying.ADD_TITLE)
        self._bridge = bridge
        self._added: Fingerprint | None = None
        self.field = QLineEdit(link)
        self.field.setMaxLength(limits.INVITE_TEXT_MAX)
        self.field.setPlaceholderText(_SCHEME + "…")
        self.field.setAccessibleName(relaying.LINK)
        self.field.textChanged.connect(self._on_typed)
        self.token = QLineEdit()
        self.token.setMaxLength(relay_limits.TOKEN_MAX)
        self.token.setPlaceholderText(relaying.TOKEN_HINT)
        self.token.setAccessibleName(relaying.TOKEN)
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.address = label("", "strong", select=True)
        self.fingerprint = label("", "smallMono", select=True, title=_("Fingerprint of the relay"))
        self.body.addWidget(label(relaying.ADD_TITLE, "title"))
        self.body.addWidget(label(relaying.ADD_WORDS, "muted", wrap=True))
        for part in (self.field, self.address, self.fingerprint, self.token):
            self.body.addWidget(part)
        self.cancel_button = self.add_button(relaying.NOT_NOW)
        self.cancel_button.clicked.connect(self.reject)
        self.go_button = self.add_button(relaying.ADD_ACTION, "primary")
        self.go_button.clicked.connect(self._on_go)
        self.setMinimumWidth(_LEAST)
        bridge.events.connect(self._on_events)
        self._on_typed()
        (self.go_button if link and self.go_button.isEnabled() else self.field).setFocus()

    @Slot()
    def _on_typed(self) -> None:
        """Show where the link leads, as long as it can be read."""
        from messenger.engine.relay_target import read_relay

        self.notice.clear()
        text = self.field.text().strip()
        try:
            found = read_relay(text) if text else None
        except AddressError as e:
            found = None
            if is_relay_link(text):
                self.notice.error(e)
            elif text.lower().startswith("sotto:"):
                self.notice.say(relaying.NOT_A_RELAY, "error")
        self.address.setText("" if found is None else str(found.addresses[0]))
        self.fingerprint.setText("" if found is None else fingerprint_text(found.fingerprint))
        for part in (self.address, self.fingerprint):
            part.setVisible(found is not None)
        self.go_button.setEnabled(bool(text))
        self.fit()

    @Slot()
    def _on_go(self) -> None:
        if self._added is not None:
            self.accept()
        else:
            self.go_button.setEnabled(False)
            self.run(self._add(self.field.text().strip(), self.token.text()), "use a relay")

    async def _add(self, link: str, token: str) -> None:
        try:
            relay = await self._bridge.call(self._bridge.engine.add_relay, link, token)
        except SottoError as e:
            wrong = isinstance(e, AddressError) and not is_relay_link(link)
            self.notice.say(relaying.NOT_A_RELAY if wrong else explain(e), "error")
            self.go_button.setEnabled(True)
            self.field.setFocus()
            return
        self._added = relay.fingerprint
        self.field.setEnabled(False)
        self.token.setEnabled(False)
        self.cancel_button.hide()
        self.go_button.setText(_("Done"))
        self.go_button.setEnabled(True)
        self.go_button.setFocus()
        self._tell(relay)

    def _tell(self, relay: Relay) -> None:
        failed = isinstance(relay.state, RelayUnreachable) and relay.state.reason is not None
        refused = isinstance(relay.state, RelayOnline) and relay.state.refused is not None
        self.notice.say(relaying.added(relay), "error" if failed or refused else "info")
        if refused:  # with a token it may be another matter
            self._added = None
            self.token.setEnabled(True)
            self.cancel_button.show()
            self.go_button.setText(relaying.ADD_ACTION)
            self.token.setFocus()
            return
        if isinstance(relay.state, RelayOnline):
            self.go_button.setFocus()

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, RelayChanged) and event.relay.fingerprint == self._added:
                self._tell(event.relay)
