"""Being reachable: whether, where, and who may connect."""

from typing import Final

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from messenger.core.errors import ConnectError, SottoError
from messenger.core.models import AddressKind, Listening
from messenger.core.settings import OpenDoor, Settings
from messenger.engine.events import Event, ListeningChanged
from messenger.gui.bridge import Bridge
from messenger.gui.sheet import Sheet
from messenger.gui.switches import Segments, Switch
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconButton, IconLabel, NumberField, button, fingerprint_text, label
from messenger.text import ADDRESS_KINDS, CHOICES, SETTINGS, _, explain

_PORTS: Final = 100
"""Ports looked through by *find a free port*."""
_COPIED_MS: Final = 1500
_WIDTH: Final = 540

_ICONS: Final = {
    AddressKind.LAN: "home",
    AddressKind.GLOBAL: "globe",
    AddressKind.LINK_LOCAL: "unplug",
    AddressKind.LOOPBACK: "person",
}


class HostSheet(Sheet):
    """The listener, the addresses to tell others, the own fingerprint, invites.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
    """

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge) -> None:
        super().__init__(parent, theme, _("Host"))
        self._bridge = bridge
        self._shown: list[str] = []
        self.body.addLayout(self._switch_row())
        self.body.addLayout(self._port_row())
        self._hint = label("", "warning", wrap=True)
        self._hint.hide()
        self.body.addWidget(self._hint)
        self._addresses = QGridLayout()
        self._addresses.setHorizontalSpacing(SPACE["m"])
        self._addresses.setVerticalSpacing(SPACE["s"])
        self._addresses.setColumnStretch(1, 1)
        self.body.addWidget(self._card(_("Tell others one of these addresses"), self._addresses))
        self.door = Segments(SETTINGS["open_door"][0], {c: CHOICES[c] for c in OpenDoor})
        self.door.chosen.connect(self._on_door)
        self.body.addWidget(label(SETTINGS["open_door"][0], "strong"))
        self.body.addWidget(self.door)
        self.body.addWidget(label(SETTINGS["open_door"][1], "small", wrap=True))
        self.body.addWidget(label(_("Your fingerprint, for those who ask whether it is you"), "strong"))
        self._fingerprint = label("", "mono", select=True, title=_("Your fingerprint"))
        self.body.addWidget(self._fingerprint)
        self.invite_button = self.add_button(_("Copy an invite link"))
        self.invite_button.clicked.connect(self._on_invite)
        self.add_button(_("Done"), "primary", enter=False).clicked.connect(self.accept)
        self.setMinimumWidth(_WIDTH)
        bridge.events.connect(self._on_events)
        self.hold(self.switch, self.port, self.find_button, self.door)
        self.run(self._load(), "load the Host dialog")

    def addresses(self) -> list[str]:
        """The addresses that are shown."""
        return list(self._shown)

    def _switch_row(self) -> QHBoxLayout:
        title, words = SETTINGS["listen"]
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(label(title, "title", wrap=True))
        texts.addWidget(label(words, "small", wrap=True))
        self.switch = Switch(self.theme, title)
        self.switch.clicked.connect(self._on_switch)
        row = QHBoxLayout()
        row.setSpacing(SPACE["l"])
        row.addLayout(texts, 1)
        row.addWidget(self.switch, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _port_row(self) -> QHBoxLayout:
        self.port = NumberField(SETTINGS["port"][0], 1, 65535)
        self.port.setToolTip(SETTINGS["port"][1])
        self.port.changed.connect(self._on_port)
        self.find_button = button(_("Find a free port"))
        self.find_button.clicked.connect(self._on_find)
        row = QHBoxLayout()
        row.setSpacing(SPACE["m"])
        row.addWidget(label(SETTINGS["port"][0], "strong"))
        row.addWidget(self.port)
        row.addWidget(self.find_button)
        row.addStretch(1)
        return row

    @staticmethod
    def _card(title: str, layout: QLayout) -> QWidget:
        card = QWidget()
        card.setObjectName("card")
        card.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(card)
        column.setContentsMargins(SPACE["l"], SPACE["m"], SPACE["m"], SPACE["m"])
        column.setSpacing(SPACE["s"])
        column.addWidget(label(title, "strong"))
        column.addLayout(layout)
        return card

    async def _load(self) -> None:
        engine, call = self._bridge.engine, self._bridge.call
        self._show_settings(await call(engine.settings))
        self._show_listening(await call(engine.listening))
        self._fingerprint.setText(fingerprint_text((await call(engine.me)).fingerprint))

    def _show_settings(self, settings: Settings) -> None:
        self.switch.setChecked(settings.listen)
        self.port.show_value(settings.port)
        self.door.show_choice(settings.open_door)
        self.free(self.switch, self.port, self.find_button, self.door)

    def _show_listening(self, listening: Listening | None) -> None:
        while (item := self._addresses.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        self._shown = [] if listening is None else [address.text for address in listening.addresses]
        moved = listening is not None and listening.port != listening.wanted
        if listening is not None and moved:
            words = _("Port {wanted} is in use by another program, so this is port {port} for now.")
            self._hint.setText(words.format(wanted=listening.wanted, port=listening.port))
        self._hint.setVisible(moved)
        if listening is None:
            words = _("Nobody can connect to this computer right now. You can still connect to others.")
            self._addresses.addWidget(label(words, "muted", wrap=True), 0, 0, 1, 3)
            return
        for row, address in enumerate(listening.addresses):
            kind = ADDRESS_KINDS[address.kind]
            self._addresses.addWidget(IconLabel(self.theme, _ICONS[address.kind]), row, 0)
            self._addresses.addWidget(_address(address.text, kind, address.interface), row, 1)
            copy = IconButton(self.theme, "copy", _("Copy {address}").format(address=address.text))
            copy.clicked.connect(lambda *_args, text=address.text, copy=copy: self._on_copy(text, copy))
            self._addresses.addWidget(copy, row, 2)

    def _on_copy(self, text: str, copy: IconButton) -> None:
        QGuiApplication.clipboard().setText(text)
        copy.show_icon("tick", _("Copied"), "success")
        back = _("Copy {address}").format(address=text)
        QTimer.singleShot(_COPIED_MS, copy, lambda: copy.show_icon("copy", back, "muted"))

    @Slot(bool)
    def _on_switch(self, wanted: bool) -> None:
        self.run(self._change(listen=wanted), "listen or not")

    @Slot(object)
    def _on_door(self, choice: OpenDoor) -> None:
        self.run(self._change(open_door=choice), "choose who may connect")

    @Slot(int)
    def _on_port(self, port: int) -> None:
        self.run(self._change_port(port), "choose the port")

    @Slot()
    def _on_find(self) -> None:
        self.run(self._find(), "find a free port")

    @Slot()
    def _on_invite(self) -> None:
        self.run(self._invite(), "make an invite")

    async def _change(self, **changes: object) -> None:
        failure: SottoError | None = None
        try:
            await self._bridge.call(self._bridge.engine.change_settings, changes)
        except SottoError as e:
            failure = e
        self._show_settings(await self._bridge.call(self._bridge.engine.settings))
        if failure is not None:
            self.notice.error(failure)

    async def _change_port(self, port: int) -> None:
        if port != (await self._bridge.call(self._bridge.engine.settings)).port:
            await self._change(port=port)

    async def _find(self) -> None:
        first = min(self.port.value(), 65535 - _PORTS)
        free = await self._bridge.call(self._bridge.engine.free_ports, first, first + _PORTS - 1)
        if not free:
            self.notice.say(
                _("All ports near this one are taken. Type another number and look again."), "warning"
            )
            return
        await self._change(port=free[0])

    async def _invite(self) -> None:
        QGuiApplication.clipboard().setText(await self._bridge.call(self._bridge.engine.make_invite))
        self.notice.say(_("Invite link copied. Send it to one person; it works once, within seven days."))

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            match event:
                case ListeningChanged(listening=listening, reason=reason):
                    self._show_listening(listening)
                    if reason is not None:
                        self.notice.say(explain(ConnectError(reason, str(self.port.value()))), "error")
                case _:
                    pass


def _address(text: str, kind: str, interface: str) -> QWidget:
    """One address and what it is good for, in two lines."""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    first = label(text, "body", select=True)
    first.setAccessibleName(f"{kind}: {text}")
    column.addWidget(first)
    column.addWidget(label(f"{kind} · {interface}" if interface else kind, "small"))
    return holder
