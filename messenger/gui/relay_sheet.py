"""Hosting a relay: start, stop, whom to tell, and everything that it sees."""

from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import msgspec
from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from messenger.control import relay_host
from messenger.control.relay_host import Choice, HostedRelay
from messenger.core.errors import SottoError
from messenger.core.ids import Fingerprint
from messenger.core.relays import Relay, RelayOnline, RelayUse
from messenger.engine.events import Event, RelayChanged, RelayRemoved
from messenger.gui.add_relay_sheet import AddRelaySheet
from messenger.gui.bridge import Bridge
from messenger.gui.relay_monitor import TrafficModel, TrafficView
from messenger.gui.sheet import Sheet
from messenger.gui.switches import Switch
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import NumberField, button, fingerprint_text, label
from messenger.text import _, hosting

_SIZE: Final = (900, 740)
_LOOK_MS: Final = 2000
_QR: Final = 148


class RelaySheet(Sheet):
    """Start and stop the relay of a profile; its addresses, link and fingerprint; what passes.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine's thread, where the relay is asked and watched.
        profile: The profile folder.
    """

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge, profile: Path) -> None:
        super().__init__(parent, theme, _("Host a relay"), fills=True)
        self._bridge, self._profile = bridge, profile
        self._choice = Choice()
        self.relay: HostedRelay | None = None
        """The relay, while it runs."""
        self.model = TrafficModel()
        self._watching = self._busy = False
        self.body.addWidget(label(hosting.ABOUT, "muted", wrap=True))
        self.body.addLayout(self._state_row())
        self.body.addLayout(self._keep_row())
        self._card = self._make_card()
        self.body.addWidget(self._card)
        self.body.addLayout(self._monitor_row())
        self.view = TrafficView(theme, self.model)
        self.body.addWidget(self.view, 1)
        self.add_button(_("Done"), "primary", enter=False).clicked.connect(self.accept)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_look)
        self._timer.start(_LOOK_MS)
        self.finished.connect(self._timer.stop)
        bridge.events.connect(self._on_events)
        self.resize(*_SIZE)
        self._show(None)
        self.hold(self.port, self.keep, self.start_button)
        self.run(self._load(), "look for the relay")

    def _state_row(self) -> QHBoxLayout:
        self.state = label(hosting.OFF, "title", wrap=True)
        self.port = NumberField(_("Port of the relay"), 1, 65535)
        self.port.changed.connect(self._on_port)
        self._port_words = label(_("Port"), "strong")
        self.start_button = button(_("Start"), "primary")
        self.start_button.setAutoDefault(False)
        self.stop_button = button(_("Stop"))
        self.start_button.clicked.connect(self._on_start)
        self.stop_button.clicked.connect(self._on_stop)
        row = QHBoxLayout()
        row.setSpacing(SPACE["m"])
        row.addWidget(self.state, 1)
        for part in (self._port_words, self.port, self.start_button, self.stop_button):
            row.addWidget(part)
        return row

    def _keep_row(self) -> QHBoxLayout:
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(label(hosting.KEEP, "strong"))
        texts.addWidget(label(hosting.KEEP_MORE, "small", wrap=True))
        self.keep = Switch(self.theme, hosting.KEEP)
        self.keep.clicked.connect(self._on_keep)
        row = QHBoxLayout()
        row.addLayout(texts, 1)
        row.addWidget(self.keep, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _make_card(self) -> QWidget:
        card = QWidget()
        card.setObjectName("card")
        card.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.addresses = label("", "body", select=True, title=_("Addresses of the relay"))
        self.fingerprint = label("", "mono", select=True, title=_("Fingerprint of the relay"))
        self.copy_button = button(_("Copy the link"))
        self.copy_button.clicked.connect(self._on_copy)
        self.use_button = button(hosting.USE)
        self.use_button.clicked.connect(self._on_use)
        self.use_button.hide()
        deeds = QHBoxLayout()
        deeds.setSpacing(SPACE["s"])
        deeds.addWidget(self.copy_button)
        deeds.addWidget(self.use_button)
        deeds.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(SPACE["s"])
        for part in (
            label(_("People reach it at"), "strong"),
            self.addresses,
            label(_("Its fingerprint"), "strong"),
            self.fingerprint,
        ):
            column.addWidget(part)
        column.addLayout(deeds)
        column.addStretch(1)
        self.picture = label()
        self.picture.setAccessibleName(_("The link of the relay as a picture for cameras"))
        row = QHBoxLayout(card)
        row.setContentsMargins(SPACE["l"], SPACE["m"], SPACE["l"], SPACE["m"])
        row.setSpacing(SPACE["l"])
        row.addLayout(column, 1)
        row.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignTop)
        return card

    def _monitor_row(self) -> QHBoxLayout:
        self.pause_button = button(_("Pause"))
        self.pause_button.setCheckable(True)
        row = QHBoxLayout()
        row.addWidget(label(_("What passes"), "strong"))
        row.addStretch(1)
        row.addWidget(self.pause_button)
        return row

    # --- what the person does ---

    @Slot()
    def _on_start(self) -> None:
        self.run(self._change(hosting.STARTING, starts=True), "start the relay")

    @Slot()
    def _on_stop(self) -> None:
        self.run(self._change(hosting.STOPPING, starts=False), "stop the relay")

    @Slot(int)
    def _on_port(self, port: int) -> None:
        self.run(self._choose(msgspec.structs.replace(self._choice, port=port)), "choose the port")

    @Slot(bool)
    def _on_keep(self, wanted: bool) -> None:
        self.run(self._choose(msgspec.structs.replace(self._choice, keep=wanted)), "keep the relay")

    @Slot()
    def _on_copy(self) -> None:
        if self.relay is not None:
            QGuiApplication.clipboard().setText(self.relay.link)
            self.notice.say(_("Link copied. Everybody who may use the relay gets the same."))

    @Slot()
    def _on_use(self) -> None:
        if self.relay is not None:
            AddRelaySheet(self, self.theme, self._bridge, self.relay.link).open()

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            match event:
                case RelayChanged(relay=relay) if relay.fingerprint == self._who():
                    self._offer(relay)
                case RelayRemoved(fingerprint=fingerprint) if fingerprint == self._who():
                    self._offer(None)

    @Slot()
    def _on_look(self) -> None:
        if not self._busy:
            self.tasks.start(self._look(), name="look at the relay")

    # --- what follows ---

    async def _load(self) -> None:
        self._choice = await self._bridge.call(relay_host.choice, self._profile)
        self.port.show_value(self._choice.port)
        self.keep.setChecked(self._choice.keep)
        self.free(self.port, self.keep, self.start_button)
        await self._look()

    async def _look(self) -> None:
        found = await self._bridge.call(relay_host.look, self._profile)
        if not self._busy:
            self._show(found)

    async def _choose(self, wanted: Choice) -> None:
        self._choice = wanted
        await self._bridge.call(relay_host.choose, self._profile, wanted)

    async def _change(self, words: str, *, starts: bool) -> None:
        self._busy = True
        self.state.setText(words)
        self.start_button.setEnabled(False)
        self.stop_button.setEnabled(False)
        found = self.relay
        failure: SottoError | None = None
        try:
            if starts:
                found = await self._bridge.call(relay_host.start, self._profile, self.port.value())
            else:
                await self._bridge.call(relay_host.stop, self._profile)
                found = None
        except SottoError as e:
            failure = e
        finally:
            self._busy = False
            self._show(found)
        if failure is not None:
            self.notice.error(failure)

    async def _use(self, hosted: HostedRelay) -> None:
        """Offer to use it oneself; who does so already is linked with it at once, wherever it is now."""
        engine = self._bridge.engine
        try:
            known = await self._bridge.call(engine.relays)
            relay = next((each for each in known if each.fingerprint == self._who()), None)
            self._offer(relay)
            if relay and relay.use is RelayUse.OWN and not isinstance(relay.state, RelayOnline):
                await self._bridge.call(engine.add_relay, hosted.link)
        except SottoError as e:
            self.notice.error(e)

    def _offer(self, relay: Relay | None) -> None:
        self.use_button.setVisible(relay is None or relay.use is not RelayUse.OWN)

    def _who(self) -> Fingerprint | None:
        return None if self.relay is None else Fingerprint(bytes.fromhex(self.relay.fingerprint))

    async def _watch(self) -> None:
        try:
            await self._bridge.call(relay_host.watch, self._profile, self._take)
        except OSError:
            pass  # it has just ended; the next look shows it
        finally:
            self._watching = False

    def _take(self, lines: relay_host.Lines) -> None:
        """On the engine's thread."""
        self._bridge.cross(partial(self._came, lines))

    def _came(self, lines: tuple[dict[str, Any], ...]) -> None:
        if self._watching and not self.pause_button.isChecked():
            self.model.add(lines)

    def _show(self, relay: HostedRelay | None) -> None:
        before, self.relay = self.relay, relay
        runs = relay is not None
        self.start_button.setEnabled(not runs)
        self.start_button.setVisible(not runs)
        self.stop_button.setEnabled(runs)
        self.stop_button.setVisible(runs)
        self.port.setVisible(not runs)
        self._port_words.setVisible(not runs)
        self._card.setVisible(runs)
        if relay is None:
            self.state.setText(hosting.OFF)
            return
        self.state.setText(hosting.running(relay.clients, relay.messages_in))
        if before is None or before.link != relay.link:
            self.addresses.setText("\n".join(relay.addresses))
            self.fingerprint.setText(fingerprint_text(Fingerprint(bytes.fromhex(relay.fingerprint))))
            self.picture.setPixmap(_qr(relay.link))
            self.tasks.start(self._use(relay), name="see who uses the relay")
        if not self._watching:
            self._watching = True
            self.tasks.start(self._watch(), name="watch the relay")


def _qr(link: str) -> QPixmap:
    """A link as a QR code: dark on light in every theme, as cameras expect it."""
    import segno

    out = BytesIO()
    code = segno.make_qr(link, error="l")
    code.save(out, kind="png", scale=max(_QR // code.symbol_size()[0], 2), border=4)
    picture = QPixmap()
    picture.loadFromData(out.getvalue())
    return picture
