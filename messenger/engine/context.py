"""What every part of a running engine shares: the open profile and the way out for events."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import Me
from messenger.core.settings import Settings
from messenger.crypto.identity import Bundle
from messenger.crypto.vault import Vault
from messenger.engine.events import ChainChanged, ContactChanged, Event, MessageAdded, MessageChanged
from messenger.protocol.places import Place
from messenger.storage.group import GroupCommit
from messenger.storage.store import Arrival, Store
from messenger.storage.worker import Worker

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

    def __post_init__(self) -> None:
        self.writes = GroupCommit(self.worker, self.store)

    @property
    def fingerprint(self) -> Fingerprint:
        """Who we are."""
        return self.bundle.fingerprint

    @property
    def now(self) -> int:
        """Unix time in seconds, for certificates."""
        return self.now_ms() // 1000

    async def stored(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a method of the store on the storage thread."""
        return await self.worker.run(job, *args, **kwargs)

    async def written(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a method of the store that only writes, together with others that are asked for meanwhile."""
        return await self.writes.run(job, *args, **kwargs)

    async def publish_contact(self, conversation: ConversationId) -> None:
        """Tell everybody how a contact stands now; nothing if it is gone."""
        contact = await self.stored(self.store.contacts.get, conversation)
        if contact is not None:
            unread = await self.stored(self.store.messages.unread, conversation)
            self.publish(ContactChanged(contact, unread))

    async def publish_arrivals(
        self, conversation: ConversationId, arrivals: Sequence[Arrival], unread: int
    ) -> None:
        """Tell everybody what came of messages of theirs, and take what was deleted out of the log."""
        for arrival in arrivals:
            if arrival.added is not None:
                self.publish(MessageAdded(arrival.added, unread))
            if arrival.changed is not None:
                self.publish(MessageChanged(arrival.changed))
        if any(arrival.chain for arrival in arrivals):
            row = await self.stored(self.store.conversation, conversation)
            if row is not None:
                self.publish(ChainChanged(conversation, row.missing, row.forked))
        if any(arrival.erased for arrival in arrivals):
            await self.stored(self.store.shred)
