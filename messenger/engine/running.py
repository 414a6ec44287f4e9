"""The parts of an engine on an open profile, and how they begin and end together."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from messenger.core.address import parse_address
from messenger.core.errors import ConnectError, Reason, StorageError
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import Contact, Listening, Standing
from messenger.core.relays import RelayUse
from messenger.engine.carrier import Carrier
from messenger.engine.chats import Chats
from messenger.engine.circuits import Circuits
from messenger.engine.context import Context
from messenger.engine.deeds import Deeds
from messenger.engine.dialer import Dialer
from messenger.engine.directory import Directory
from messenger.engine.entrance import Entrance
from messenger.engine.events import MeChanged
from messenger.engine.files import Files
from messenger.engine.history import History
from messenger.engine.host import Host
from messenger.engine.housekeeping import Housekeeping
from messenger.engine.openings import Openings
from messenger.engine.outlook import Outlook
from messenger.engine.peers import Peers
from messenger.engine.queues import Queues
from messenger.engine.reconnect import Reconnector
from messenger.engine.relay_link import RelayLink
from messenger.engine.relays import Relays
from messenger.engine.sealing import Sealing
from messenger.engine.succession import Mover
from messenger.engine.transfers import Transfers
from messenger.engine.upkeep import Upkeep
from messenger.engine.vanishing import Vanishing
from messenger.storage.successions import STATEMENTS_NAME


class Running:
    """An engine on an open profile.

    Args:
        context: The open profile.
        database: The database file.
        db_key: Its key, 32 bytes.
        lock: Called when nobody has used the profile for as long as the settings say.
    """

    def __init__(self, context: Context, database: Path, db_key: bytes, lock: Callable[[], None]) -> None:
        self.context = context
        self.transfers = Transfers(context)
        context.files = self.transfers
        self.peers = Peers(context, self._on_up, self._on_end)
        self.relays = Relays(context)
        self.dialer = Dialer(context, self.peers, self._use_relays_of)
        lanes = self.transfers.runs.lanes
        self.entrance = Entrance(context, self.peers, lanes.serve)
        self.circuits = Circuits(context, self.peers, self.relays, self.dialer, self.entrance, lanes.answer)
        lanes.circuit = self.circuits.open
        self.reconnector = Reconnector(
            context, self.peers, self.dialer, self.circuits.reach, self.transfers.waits
        )
        self.history = History(context, database, db_key)
        self.chats = Chats(context, self.peers, self.reconnector, self.history)
        self.deeds = Deeds(context, self.peers, self.chats)
        self.files = Files(context, self.transfers, self.chats, database.parent)
        self.sealing = Sealing(context, self.peers)
        self.queues = Queues(context, self.relays, self.sealing)
        self.carrier = Carrier(context, self.peers, self.sealing, self.relays, self.queues)
        context.to_carry, context.placed = self.carrier.wake, self.carrier.placed
        context.upgrade = self.circuits.upgrade
        self.openings = Openings(context, self.relays, self.queues)
        self.directory = Directory(context, self.relays, self.dialer, self.openings.wait)
        self.queues.on_attended, self.queues.on_heard = self._on_attended, self.reconnector.heard
        self.relays.on_up, self.queues.on_ring = self._on_relay, self.circuits.on_ring
        waits = self.transfers.waits
        self.upkeep = Upkeep(context, self.peers, self.dialer, self.circuits, self.sealing, waits)
        self.host = Host(context, self.entrance, self.chats.greet_everybody)
        self.outlook = Outlook(context, self.peers, self.reconnector, self.host, self.relays)
        self.mover = Mover(context, self._pause, self._resume, database.with_name(STATEMENTS_NAME))
        self.housekeeping = Housekeeping(context, self.history, database, db_key, lock)
        self.vanishing = Vanishing(context, self.transfers)
        self._listened: Listening | None = None

    async def start(self, *, online: bool) -> None:
        """Take away what nobody may see any more; if online, listen as settings say, and reach everybody."""
        await self.vanishing.expire()
        if not online:
            return
        await self.mover.settle()
        await self.sealing.settle()
        await self.transfers.start()
        await self.files.pasted.sweep()
        with contextlib.suppress(ConnectError):  # told by ListeningChanged; calling out works all the same
            await self.host.follow_settings()
        await self.reach_everybody()
        self.upkeep.start()
        self.outlook.start()
        await self._use_relays()
        self.housekeeping.start()
        self.vanishing.start()

    async def reach_everybody(self) -> None:
        """Call every accepted contact who is not online."""
        for contact in await self.context.stored(self.context.store.contacts.all):
            if contact.standing is Standing.ACCEPTED:
                self.reconnector.want(contact, at_once=True)

    async def close(self) -> None:
        """Goodbye; if that takes too long and is cancelled, everything is closed without it."""
        try:
            await self._end()
        except asyncio.CancelledError:
            self.peers.abort()
            self.relays.abort()
            await self._end()
            raise

    async def _end(self) -> None:
        await self.vanishing.close()
        await self.housekeeping.close()
        await self.mover.close()
        await self.transfers.close()
        await self._hang_up()

    def protected(self, how: str) -> None:
        """The key files are protected in another way from now on."""
        self.context.me = msgspec.structs.replace(self.context.me, protection=how)
        self.context.publish(MeChanged(self.context.me))

    async def _pause(self) -> None:
        """End every link and attempt, until `_resume`."""
        self._listened = self.host.listening()
        await self._hang_up()

    async def _resume(self) -> None:
        """Listen where we did before the pause, and reach the contacts."""
        with contextlib.suppress(StorageError):  # sessions of who we were are not used any more anyway
            await self.sealing.settle()
        self.host.reopen()
        self.peers.reopen()
        self.dialer.reopen()
        self.reconnector.reopen()
        if self._listened is not None:
            with contextlib.suppress(ConnectError):  # told by ListeningChanged
                await self.host.listen(self._listened.wanted, exact=False)
        await self.reach_everybody()
        self.upkeep.start()
        self.outlook.start()
        await self._use_relays()

    async def _use_relays(self) -> None:
        await self.relays.start()
        await self.carrier.start()
        self.queues.start()
        self.directory.start()

    async def _hang_up(self) -> None:
        await self.host.shut()
        await self.outlook.close()
        await self.circuits.close()
        await self.directory.close()
        await self.carrier.close()
        await self.queues.close()
        await self.relays.close()
        await self.upkeep.close()
        await self.dialer.close()
        await self.reconnector.close()
        await self.peers.close()

    def _on_up(self, contact: Contact) -> None:
        self.reconnector.arrived(contact.id)

    def _on_end(self, contact: Contact, reason: Reason | None, relayed: bool) -> None:
        if reason is not None:
            by_relay = relayed and reason is not Reason.CLOSED
            self.reconnector.want(contact, reason=reason, by_relay=by_relay)
        self.carrier.wake(contact.id)

    async def _use_relays_of(
        self, conversation: ConversationId, places: Sequence[tuple[Fingerprint, str]]
    ) -> None:
        """The person here wants to write to somebody at these relays; whoever has none uses theirs."""
        await self.relays.learn(conversation, places, allowed=True)
        if not any(relay.use is RelayUse.OWN for relay in await self.relays.all()):
            fingerprint, address = places[0]
            await self.relays.add([parse_address(address)], fingerprint)

    def _on_relay(self, link: RelayLink) -> None:
        self.queues.attend(link)
        self.carrier.on_up(link)
        self.reconnector.hurry_needed()

    def _on_attended(self, link: RelayLink) -> None:
        self.directory.on_up(link)
        self.reconnector.relay_back()
