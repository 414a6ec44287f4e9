"""The directory of a relay: who can be found there, and whether one can be found oneself."""

from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from messenger.core.errors import ConnectError, InputError, InputProblem, RelayError, RelayProblem
from messenger.core.ids import Fingerprint
from messenger.core.models import Me
from messenger.core.relays import DirectoryPage, Listed, PersonStatus, Relay, RelayOnline, RelayUse
from messenger.engine.events import Event, RelayChanged, RelayRemoved
from messenger.gui.bridge import Bridge
from messenger.gui.directory_parts import ListingPart, PeopleList
from messenger.gui.entries import Entry, menu_of
from messenger.gui.long_buttons import ChoiceButton
from messenger.gui.relays_sheet import RelaysSheet
from messenger.gui.sheet import Sheet
from messenger.gui.theme import Theme
from messenger.gui.widgets import button, label
from messenger.text import _, finding, relaying

_SIZE: Final = (560, 640)


class DirectorySheet(Sheet):
    """Choose a relay, look who is there, begin to talk; and be found there.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
    """

    chosen = Signal(object)
    """The conversation to turn to."""

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge) -> None:
        super().__init__(parent, theme, finding.TITLE, fills=True)
        self._bridge = bridge
        self._relays: dict[Fingerprint, Relay] = {}
        self._relay: Fingerprint | None = None
        self._people: list[Listed] = []
        self._next = b""
        self._waits = False
        """The relay could not be asked yet; it is as soon as there is a link with it."""
        self.relay_button = ChoiceButton(theme)
        self.relay_button.clicked.connect(self._on_relays)
        self.listing = ListingPart(theme)
        self.listing.wanted.connect(self._on_listing)
        self.listing.status_wanted.connect(self._on_status)
        self.search = QLineEdit()
        self.search.setPlaceholderText(finding.SEARCH)
        self.search.setAccessibleName(finding.SEARCH)
        self.search.textChanged.connect(self._fill)
        self.list = PeopleList(theme)
        self.list.currentRowChanged.connect(self._on_marked)
        self.list.itemActivated.connect(self._on_talk)
        self.words = label("", "muted", wrap=True)
        self.more_button = button(finding.MORE, "quiet")
        self.more_button.clicked.connect(self._on_more)
        self.body.addWidget(label(finding.TITLE, "title"))
        self.body.addWidget(label(finding.WORDS, "muted", wrap=True))
        for part in (self.relay_button, self.listing, self.search):
            self.body.addWidget(part)
        self.body.addWidget(self.list, 1)
        self.body.addWidget(self.words)
        self.body.addWidget(self.more_button)
        self.again_button = self.add_button(finding.LOOK_AGAIN)
        self.again_button.clicked.connect(self._on_again)
        self.add_button(_("Close")).clicked.connect(self.reject)
        self.talk_button = self.add_button(finding.TALK, "primary", enter=False)
        self.talk_button.clicked.connect(self._on_talk)
        self.resize(*_SIZE)
        self._show_state()
        bridge.events.connect(self._on_events)
        self.run(self._load(), "load the relays")

    # --- what is shown ---

    def _usable(self) -> list[Relay]:
        """Relays that may be asked, ours first."""
        found = [relay for relay in self._relays.values() if relay.use in (RelayUse.OWN, RelayUse.ALLOWED)]
        return sorted(found, key=lambda relay: relay.use is not RelayUse.OWN)

    def _show_state(self) -> None:
        relay = None if self._relay is None else self._relays[self._relay]
        name = relaying.OPEN if relay is None else f"{finding.RELAY}: {relay.address}"
        self.relay_button.setText(name)
        self.relay_button.setAccessibleName(name)
        ours = relay is not None and relay.use is RelayUse.OWN
        self.listing.setVisible(ours)
        if relay is not None and ours:
            self.listing.show_relay(relay)
        for part in (self.search, self.list, self.again_button):
            part.setVisible(relay is not None)
        self.more_button.setVisible(bool(self._next))
        if relay is None:
            self._say(finding.NO_RELAY)
        self._on_marked()

    def _say(self, words: str) -> None:
        self.words.setText(words)
        self.words.setVisible(bool(words))

    @Slot()
    def _fill(self) -> None:
        found = self.list.show_people(self._people, self.search.text())
        nobody = finding.NO_MATCH if self._people else finding.NOBODY
        self._say("" if found else nobody)
        self.more_button.setVisible(bool(self._next))
        self._on_marked()

    @Slot()
    def _on_marked(self) -> None:
        self.talk_button.setEnabled(self.list.isVisibleTo(self) and self.list.person() is not None)

    # --- what the person does ---

    @Slot()
    def _on_relays(self) -> None:
        usable = self._usable()
        entries: list[Entry | None] = [
            Entry("relay", relay.address, partial(self._turn_to, relay)) for relay in usable
        ]
        manage = Entry("settings", relaying.OPEN, self._manage)
        entries += [None, manage] if usable else [manage]
        menu_of(self, self.theme, finding.RELAY, entries).popup(
            self.relay_button.mapToGlobal(self.relay_button.rect().bottomLeft())
        )

    def _manage(self) -> None:
        RelaysSheet(self, self.theme, self._bridge).open()

    def _turn_to(self, relay: Relay) -> None:
        self._relay = relay.fingerprint
        self._people, self._next = [], b""
        self._show_state()
        self._on_again()

    @Slot()
    def _on_again(self) -> None:
        if self._relay is not None:
            self.run(self._look(self._relay, b""), "look into a directory")

    @Slot()
    def _on_more(self) -> None:
        if self._relay is not None and self._next:
            self.run(self._look(self._relay, self._next), "look into a directory")

    @Slot()
    def _on_talk(self) -> None:
        person = self.list.person()
        if person is not None:
            self.run(self._talk(person), "make a contact")

    @Slot(bool, object, str)
    def _on_listing(self, wanted: bool, status: PersonStatus, about: str) -> None:
        if self._relay is not None:
            work = self._publish(self._relay, status, about) if wanted else self._withdraw(self._relay)
            self.run(work, "be found or not")

    @Slot(object)
    def _on_status(self, status: PersonStatus) -> None:
        if self._relay is not None:
            self.run(self._set_status(self._relay, status), "choose a status")

    # --- what the engine does ---

    async def _load(self) -> None:
        me: Me = await self._bridge.call(self._bridge.engine.me)
        self.list.me = me.fingerprint
        self.listing.show_name(me.name)
        relays = await self._bridge.call(self._bridge.engine.relays)
        self._relays = {relay.fingerprint: relay for relay in relays}
        self._choose_first()

    def _choose_first(self) -> None:
        usable = self._usable()
        if usable and self._relay is None:
            self._turn_to(usable[0])

    async def _look(self, relay: Fingerprint, after: bytes) -> None:
        self._waits = False
        try:
            page: DirectoryPage = await self._bridge.call(self._bridge.engine.find_people, relay, after)
        except ConnectError:  # it is asked again when there is a link
            self._waits = True
            self._people, self._next = [], b""
            self.list.clear()
            self._say(finding.CONNECTING)
            return
        except (InputError, RelayError) as e:
            if not _closed(e):
                raise
            self._people, self._next = [], b""
            self.list.clear()
            self._say(finding.CLOSED)
            return
        if relay == self._relay:
            self._people = [*(self._people if after else ()), *page.people]
            self._next = page.next
            self._fill()

    async def _talk(self, person: Listed) -> None:
        conversation = person.conversation
        if conversation is None:
            engine = self._bridge.engine
            contact = await self._bridge.call(engine.talk_to, person.relay, person.fingerprint)
            conversation = contact.id
        self.accept()
        self.chosen.emit(conversation)

    async def _publish(self, relay: Fingerprint, status: PersonStatus, about: str) -> None:
        work = self._bridge.call(self._bridge.engine.publish_me, relay, status, about)
        if await self._taken(work):
            self.notice.say(finding.PUBLISHED)
        await self._look(relay, b"")

    async def _withdraw(self, relay: Fingerprint) -> None:
        await self._bridge.call(self._bridge.engine.withdraw_me, relay)
        self.notice.say(finding.WITHDRAWN)
        await self._look(relay, b"")

    async def _set_status(self, relay: Fingerprint, status: PersonStatus) -> None:
        await self._taken(self._bridge.call(self._bridge.engine.set_my_status, relay, status))
        await self._look(relay, b"")

    async def _taken(self, change: Coroutine[Any, Any, None]) -> bool:
        """Whether a relay has taken a change at once; the engine tries again if it wants us to wait."""
        try:
            await change
        except RelayError as e:
            if _closed(e):
                self.notice.say(finding.NOT_TAKEN, "error")
            elif e.problem is RelayProblem.BUSY:
                self.notice.say(finding.FOLLOWS)
            else:
                raise
            return False
        return True

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            match event:
                case RelayChanged(relay=relay):
                    self._relays[relay.fingerprint] = relay
                    self._changed(relay)
                case RelayRemoved(fingerprint=fingerprint):
                    self._relays.pop(fingerprint, None)
                    if self._relay == fingerprint:
                        self._relay = None
                        self._show_state()
                        self._choose_first()
                case _:
                    pass

    def _changed(self, relay: Relay) -> None:
        if relay.fingerprint == self._relay:
            self._show_state()
            if self._waits and isinstance(relay.state, RelayOnline):
                self._on_again()
        elif self._relay is None:
            self._choose_first()


def _closed(error: InputError | RelayError) -> bool:
    """Whether a relay has no directory for us."""
    if isinstance(error, InputError):
        return error.problem is InputProblem.UNKNOWN
    return error.problem in (RelayProblem.REFUSED, RelayProblem.TOKEN, RelayProblem.UNKNOWN)
