"""What every part of a running engine shares: the open profile and the way out for events."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeVar

from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import Contact, Me, Message
from messenger.core.settings import Settings
from messenger.crypto.identity import Bundle
from messenger.crypto.vault import Vault
from messenger.engine.events import (
    ChainChanged,
    ContactChanged,
    Event,
    IdentityElsewhere,
    MessageAdded,
    MessageChanged,
)
from messenger.net.connection import Connection
from messenger.protocol.packets import LaneTicket, Wish
from messenger.protocol.places import Place
from messenger.storage.group import GroupCommit
from messenger.storage.store import Arrival, Store
from messenger.storage.worker import Worker


class FileDesk(Protocol):
    """What conversations tell the part that is about files; see `messenger.engine.transfers.Transfers`."""

    async def offered(self, message: Message) -> None:
        """They offer files; the message is on disk."""

    async def withdrawn(self, message: Message) -> None:
        """A message that offers files was deleted, by whoever offers them, for both."""

    async def welcome(self, contact: Contact, connection: Connection, port: int) -> None:
        """Both have accepted each other on a link; the port is that of their greeting."""

    def leave(self, connection: Connection) -> None:
        """A link has ended."""

    def on_ticket(self, connection: Connection, packet: LaneTicket) -> None:
        """They have given us a ticket for a lane; RemoteProtocolError if they must not."""

    async def on_wish(self, contact: Contact, packet: Wish) -> None:
        """They have told what they want of a transfer."""

    async def forget(self, conversation: ConversationId) -> None:
        """A conversation is about to be deleted."""


P = ParamSpec("P")
T = TypeVar("T")


def system_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


async def _nobody_asks(_conversation: ConversationId, _places: Sequence[Place]) -> None:
    """There is no client of relays yet."""


@dataclass
class Context:
    """The open profile."""

    vault: Vault
    bundle: Bundle
    store: Store
    worker: Worker
    publish: Callable[[Event], None]
    settings: Settings
    me: Me
    now_ms: Callable[[], int] = system_ms
    timing: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set when the time of messages that disappear may have begun to run."""
    files: FileDesk = field(init=False)
    """Transfers of files."""
    writes: GroupCommit = field(init=False)
    """Writes that may share a transaction."""
    to_carry: Callable[[ConversationId], None] = field(default=lambda _conversation: None)
    """Called when something may wait for somebody that a relay could carry."""
    placed: Callable[[ConversationId, Sequence[Place]], Awaitable[None]] = field(default=_nobody_asks)
    """Called when a contact is written to at other places than before; it is stored."""
    upgrade: Callable[[ConversationId, Sequence[str]], None] = field(
        default=lambda _conversation, _told: None
    )
    """Called with where a contact can be called, who has told it on a link through a relay."""
    port: int = 0
    """Port that is listened on, 0 for none."""
    succession: int = 0
    """Number of the statement by which we came to our present key; 0 for the first one."""

    elsewhere: bool = False
    """Another computer seems to use our identity, too."""

    def __post_init__(self) -> None:
        self.writes = GroupCommit(self.worker, self.store)
        self.store.timers.clock = self._clock

    @property
    def fingerprint(self) -> Fingerprint:
        """Who we are."""
        return self.bundle.fingerprint

    @property
    def now(self) -> int:
        """Unix time in seconds, for certificates."""
        return self.now_ms() // 1000

    def found_elsewhere(self) -> None:
        """There are signs of another computer with our identity: tell it, once."""
        if not self.elsewhere:
            self.elsewhere = True
            self.publish(IdentityElsewhere())

    def _clock(self) -> int:
        return self.now_ms()

    async def stored(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a method of the store on the storage thread."""
        return await self.worker.run(job, *args, **kwargs)

    async def written(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a method of the store that only writes, together with others that are asked for meanwhile."""
        return await self.writes.run(job, *args, **kwargs)

    async def publish_contact(self, conversation: ConversationId) -> None:
        """Tell everybody how a contact stands now; nothing if it is gone."""
        changed = await self.stored(_contact_now, self.store, conversation)
        if changed is not None:
            self.publish(changed)

    def publish_changed(self, messages: Sequence[Message]) -> None:
        """Tell everybody how messages are now; the time of some may have begun to run."""
        for message in messages:
            self.publish(MessageChanged(message))
        if any(message.expires_ms is not None for message in messages):
            self.timing.set()

    async def publish_arrivals(
        self, conversation: ConversationId, arrivals: Sequence[Arrival], unread: int
    ) -> None:
        """Tell everybody what came of messages of theirs, and take what was deleted out of the log."""
        for arrival in arrivals:
            if arrival.added is not None:
                self.publish(MessageAdded(arrival.added, unread))
                if arrival.added.notice:
                    await self.publish_contact(conversation)
            if arrival.changed is not None:
                self.publish(MessageChanged(arrival.changed))
            await self._tell_files(arrival)
        if any(arrival.chain for arrival in arrivals):
            row = await self.stored(self.store.conversation, conversation)
            if row is not None:
                self.publish(ChainChanged(conversation, row.missing, row.forked))
        if any(arrival.erased for arrival in arrivals):
            await self.stored(self.store.shred)

    async def _tell_files(self, arrival: Arrival) -> None:
        if arrival.added is not None and arrival.added.transfer is not None:
            await self.files.offered(arrival.added)
        if arrival.changed is not None and arrival.changed.transfer is not None and arrival.changed.deleted:
            await self.files.withdrawn(arrival.changed)


def _contact_now(store: Store, conversation: ConversationId) -> ContactChanged | None:
    """How a contact stands, read at once: what is deleted in between must not be told of afterwards."""
    contact = store.contacts.get(conversation)
    return None if contact is None else ContactChanged(contact, store.messages.unread(conversation))
