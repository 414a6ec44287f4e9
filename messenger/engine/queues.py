"""Our queues at relays: made, subscribed, emptied, replaced and deleted (SPEC.md 11.1)."""

import asyncio
import math
import secrets
from collections.abc import Callable, Sequence

from messenger.core import carrier_limits, limits, relay_limits
from messenger.core.errors import ConnectError, RelayError, RelayProblem, StorageError
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import Standing
from messenger.core.relays import OwnQueue, RelayUse
from messenger.crypto.hkdf import digest
from messenger.engine.context import Context
from messenger.engine.events import EngineFault
from messenger.engine.larder import Larder
from messenger.engine.relay_link import News, RelayLink
from messenger.engine.relays import Relays
from messenger.engine.sealing import Sealing
from messenger.engine.tasks import Tasks
from messenger.protocol.relay_answers import Arrived, Ended, QueueMade, Ring, Subscribed
from messenger.protocol.relay_queues import (
    Delete,
    NewQueue,
    QueueKind,
    Subscribe,
    SubscribeFlag,
)
from messenger.protocol.relay_word import EndReason
from messenger.storage.store import Store

RingHandler = Callable[[RelayLink, OwnQueue, Ring], None]


class Queues:
    """Looks after our queues at every relay that a link is up with.

    Args:
        context: The open profile.
        relays: The links.
        sealing: Opens what comes.
    """

    def __init__(self, context: Context, relays: Relays, sealing: Sealing) -> None:
        self._context = context
        self._table = context.store.relays
        self._own = context.store.queues
        self._relays = relays
        self._sealing = sealing
        self._tasks = Tasks("queues", context.publish)
        self._turns: dict[Fingerprint, asyncio.Lock] = {}
        self._refused: dict[Fingerprint, float] = {}
        """Until when a relay is not asked for queues one by one."""
        self._losses: dict[Fingerprint, _Losses] = {}
        self._told: dict[int, float] = {}
        """When something last came for a retired queue after which they were told again where to write to."""
        self.larder = Larder(context, sealing)
        self.on_attended: Callable[[RelayLink], None] = lambda _link: None
        """Called when our queues at a relay have been looked after, with each new link."""
        self.on_heard: Callable[[ConversationId], None] = lambda _conversation: None
        """Called when a contact's sealed message has come to a queue of theirs."""
        self.on_ring: RingHandler = lambda _link, _queue, _ring: None
        """Called when somebody opens a circuit to us."""
        relays.on_news = self._on_news

    def start(self) -> None:
        """Begin to look after them now and then."""
        self._tasks.start(self._look_after())

    async def close(self) -> None:
        """Stop."""
        await self._tasks.close()

    def attend(self, link: RelayLink) -> None:
        """A link is up: see that everybody who should have a queue has one, and empty them."""
        self._tasks.start(self._attend_new(link))

    def attend_all(self) -> None:
        """People have come or gone: as `attend`, at every relay of ours."""
        self._tasks.start(self._attend_all())

    async def have_one_for(self, conversation: ConversationId) -> bool:
        """See that a contact can be told of a queue; returns whether there is one."""
        if await self._context.stored(self._own.for_contact, conversation):
            return True
        for link in await self._relays.own_links():
            if self._refused.get(link.relay, 0.0) <= asyncio.get_running_loop().time():
                await self._attend(link)
        return bool(await self._context.stored(self._own.for_contact, conversation))

    async def leave(self, relay: Fingerprint) -> None:
        """Tell nobody of our queues at a relay any more; what is still written to them is fetched."""
        queues = await self._context.stored(self._own.at, relay)
        await self._context.stored(self._table.set_use, relay, RelayUse.LEAVING)
        ids = [queue.id for queue in queues]
        await self._context.stored(self._own.retire, ids, self._context.now_ms())
        await self._relays.tell(relay)
        await self._tell_changed()

    async def abandon(self, relay: Fingerprint) -> None:
        """Delete our queues at a relay with what is in them, if it can be reached, and forget it."""
        await self._context.stored(self._table.set_use, relay, RelayUse.LEAVING)
        async with self._turn(relay):
            queues = await self._context.stored(self._own.at, relay)
            await self._context.stored(self._own.retire, [q.id for q in queues], self._context.now_ms())
            link = self._relays.link(relay)
            for queue in queues if link is not None else ():
                if link is not None and queue.recv_id:
                    try:
                        await link.ask(Delete(0, queue.recv_id), queue.recv_key)
                    except (RelayError, ConnectError):  # it forgets them by itself some day
                        break
            await self._forget(relay)
        await self._sealing.seal_anew(queue.conversation for queue in queues)
        await self._tell_changed()

    def _subscribed(self, relay: Fingerprint) -> set[int]:
        return {queue for link in self._relays.links(relay) for queue in link.queues.values()}

    def _turn(self, relay: Fingerprint) -> asyncio.Lock:
        """Queues at one relay are made and deleted one after the other."""
        return self._turns.setdefault(relay, asyncio.Lock())

    async def _attend_new(self, link: RelayLink) -> None:
        await self._attend(link)
        self._relays.stirred.set()
        self.on_attended(link)

    async def _attend(self, link: RelayLink) -> None:
        """Do what is due at a relay, and have those told who must be told of it.

        Nobody else is woken: they may have asked for this, and would ask again.
        """
        before = await self._context.stored(self._own.changes)
        async with self._turn(link.relay):
            try:
                await self._context.stored(_prepare, self._context.store, link.relay, self._context.now_ms())
                queues = await self._context.stored(self._own.at, link.relay)
                blocked = await self._context.stored(_blocked, self._context.store)
                busy = self._subscribed(link.relay)
                due = [
                    q for q in queues if (q.id not in busy and q.conversation not in blocked) or q.unwanted
                ]
                for start in range(0, len(due), carrier_limits.CARRIED_AT_ONCE):
                    part = due[start : start + carrier_limits.CARRIED_AT_ONCE]
                    await asyncio.gather(*(self._attend_one(link, queue) for queue in part))
            except ConnectError:  # the next link goes on
                pass
        for conversation, change in (await self._context.stored(self._own.changes)).items():
            if before.get(conversation) != change:
                self._context.to_carry(conversation)

    async def _attend_one(self, link: RelayLink, queue: OwnQueue) -> None:
        try:
            if queue.unwanted or (queue.retired and not queue.recv_id):
                await self._delete(link, queue)
                return
            if not queue.recv_id:
                losses = self._losses.get(link.relay)
                if losses is not None and asyncio.get_running_loop().time() < losses.until:
                    return  # it has lost one after the other: a later look makes the next
                queue = await self._make(link, queue)
            await self._subscribe(link, queue)
        except RelayError as e:
            if not queue.recv_id:
                pause = min(e.seconds or carrier_limits.CARRY_AGAIN, carrier_limits.CARRY_AGAIN_MAX)
                self._refused[link.relay] = asyncio.get_running_loop().time() + pause
            if e.problem is RelayProblem.DENIED and queue.recv_id:
                await self._lost(link, queue)
            elif not queue.recv_id and (queue.requests or e.problem is RelayProblem.TOKEN):
                await self._relays.refused(link.relay, e.problem)
            elif e.problem is RelayProblem.LIMIT and queue.recv_id:
                self._relays.widen(link.relay)
            # else there are too many for now: the next look tries again

    async def _make(self, link: RelayLink, queue: OwnQueue) -> OwnQueue:
        """Ask the relay for a queue whose keys are stored already."""
        token = await self._context.stored(self._table.token, queue.relay)
        kind = QueueKind.REQUESTS if queue.requests else QueueKind.CONTACT
        made = await link.ask(NewQueue(0, kind, queue.recv_key, queue.send_key, token))
        if isinstance(made, QueueMade):
            await self._context.stored(self._own.made, queue.id, made.recv_id, made.send_id)
            self._refused.pop(link.relay, None)
            if queue.requests or self._relays.refusal(link.relay) is RelayProblem.TOKEN:
                await self._relays.refused(link.relay, None)
        return await self._context.stored(self._own.get, queue.id) or queue

    async def _subscribe(self, link: RelayLink, queue: OwnQueue) -> None:
        calls = SubscribeFlag(0) if queue.requests or queue.retired else SubscribeFlag.CALLS
        request = Subscribe(0, queue.recv_id, calls, relay_limits.WINDOW_MAX)
        said = await link.ask(request, queue.recv_key, queue.id)
        if queue.requests and not queue.retired and isinstance(said, Subscribed):
            await self.larder.give(link, queue, said.prekeys)

    async def _delete(self, link: RelayLink, queue: OwnQueue) -> None:
        if queue.recv_id:
            try:
                await link.ask(Delete(0, queue.recv_id), queue.recv_key)
            except RelayError as e:
                if e.problem is not RelayProblem.DENIED:
                    raise
        await self._context.stored(self._own.remove, queue.id)

    async def _lost(self, link: RelayLink, queue: OwnQueue) -> None:
        """The relay says that it has no such queue: another one takes its place.

        At once if it says so for the first time on this link, else with the next look: it may be playing.
        Receipts may be lost with it: what has none is sealed anew, so that it is acknowledged again.
        """
        await self._context.stored(self._own.remove, queue.id)
        await self._sealing.seal_anew([queue.conversation])
        self._losses.setdefault(link.relay, _Losses()).note(asyncio.get_running_loop().time())
        if not link.remade:
            link.remade = True
            self.attend(self._relays.link(link.relay) or link)

    async def _on_news(self, link: RelayLink, news: Sequence[News]) -> None:
        """Store what a relay brings, and only then let it forget that."""
        done: dict[int, list[bytes]] = {}
        try:
            for word in news:
                queue = await self._context.stored(self._own.get, link.queues.get(word.tag, 0))
                match word:
                    case Arrived():
                        if queue is not None:
                            await self._take(queue, word.envelope)
                        done.setdefault(word.tag, []).append(digest(word.envelope))
                    case Ring() if queue is not None:
                        self.on_ring(link, queue, word)
                    case Ended(reason=reason):
                        link.queues.pop(word.tag, None)
                        if reason is EndReason.GONE and queue is not None:
                            await self._lost(link, queue)
        finally:
            for tag, hashes in done.items():
                link.acknowledge(tag, hashes)

    async def _take(self, queue: OwnQueue, envelope: bytes) -> None:
        """Open and store an envelope, or find that nobody should see it.

        Raises:
            VaultError, StorageError: It must come again.
        """
        opened = await self._sealing.open_sealed(envelope, queue.queue_key)
        known = opened is not None and opened.conversation == queue.conversation
        now, seconds = self._context.now_ms(), asyncio.get_running_loop().time()
        again = seconds - self._told.get(queue.id, -math.inf) >= carrier_limits.CARRY_AGAIN
        if await self._context.stored(self._own.heard, queue.id, now, known=known, again=again):
            self._told[queue.id] = seconds
        if opened is not None:  # receipts are due, or a session that had said too much can be sealed in again
            self._context.to_carry(opened.conversation)
        if opened is not None and known:
            self.on_heard(opened.conversation)

    async def _tell_changed(self) -> None:
        for conversation in await self._context.stored(self._own.untold):
            self._context.to_carry(conversation)

    async def _attend_all(self) -> None:
        for link in await self._relays.own_links():
            await self._attend(link)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(limits.UPKEEP_INTERVAL)
            try:
                await self.tidy()
            except StorageError as e:
                self._context.publish(EngineFault("queues", type(e).__name__))

    async def tidy(self) -> None:
        """Replace queues that are old, and delete those that nobody writes to any more."""
        for link in await self._relays.own_links():
            queues = await self._context.stored(self._own.at, link.relay)
            for queue in queues:
                try:
                    await self._tidy_one(link, queue)
                except (RelayError, ConnectError):  # the next look tries again
                    continue
            await self._attend(link)
        for relay in await self._context.stored(self._table.all):
            queues = await self._context.stored(self._own.at, relay.fingerprint)
            kept = [await self._context.stored(_kept, self._context.store, queue) for queue in queues]
            late = self._context.now_ms() - carrier_limits.RETIRED_KEPT * 1000
            over = all(queue.used_ms < late - ms for queue, ms in zip(queues, kept, strict=True))
            if relay.use is RelayUse.LEAVING and over:  # also if the relay cannot be reached any more
                await self._forget(relay.fingerprint)
        await self._relays.forget_unused()

    async def _tidy_one(self, link: RelayLink, queue: OwnQueue) -> None:
        subscribed = queue.id in self._subscribed(link.relay)
        late = self._context.now_ms() - await self._context.stored(_kept, self._context.store, queue)
        if queue.retired and subscribed and queue.used_ms < late:
            # Whatever it held when it was subscribed has come by now: it is empty.
            await self._delete(link, queue)
        elif queue.requests and not queue.retired and queue.recv_id:
            await self._subscribe(link, queue)  # it may have run short of prekeys

    async def _forget(self, relay: Fingerprint) -> None:
        """A relay is not ours any more; it may still be one of a contact's."""
        await self._context.stored(_forget, self._context.store, relay)
        if await self._context.stored(self._table.get, relay) is None:
            await self._relays.forgotten(relay)
        else:
            await self._relays.tell(relay)


class _Losses:
    """How often a relay has lost queues of ours: each new one must be told to a contact, and costs them that.

    Attributes:
        until: Monotonic time before which it is not asked for others.
    """

    def __init__(self) -> None:
        self.until = self._since = -math.inf
        self._times = 0

    def note(self, now: float) -> None:
        """It has lost one now; those that it loses within a minute count as one."""
        if now - self._since < carrier_limits.CARRY_AGAIN:
            return
        if now - self._since > carrier_limits.LOSSES_FORGOTTEN:
            self._times = 0
        if self._times:
            pause = carrier_limits.CARRY_AGAIN * (1 << min(self._times - 1, 16))
            self.until = now + min(pause, carrier_limits.CARRY_AGAIN_MAX)
        self._since, self._times = now, self._times + 1


def _prepare(store: Store, relay: Fingerprint, now_ms: int) -> None:
    """Store a queue for everybody who should have one at a relay of ours, before any of them is asked for."""
    with store.transaction():
        known = store.relays.get(relay)
        if known is None or known.use is not RelayUse.OWN:
            return
        old = now_ms - carrier_limits.QUEUE_AGE * 1000
        queues = [queue for queue in store.queues.at(relay) if not queue.retired]
        aged = [q.id for q in queues if not q.requests and q.recv_id and q.made_ms < old]
        fresh = {queue.conversation for queue in queues if queue.id not in aged and not queue.unwanted}
        wanted: list[ConversationId | None] = [] if None in fresh else [None]
        wanted += [
            c.id for c in store.contacts.all() if c.standing is Standing.ACCEPTED and c.id not in fresh
        ]
        for conversation in wanted:
            keys = [secrets.token_bytes(relay_limits.QUEUE_KEY_SIZE) for _ in range(3)]
            store.queues.add(relay, conversation, (keys[0], keys[1], keys[2]), now_ms)
        replaced = {q.conversation for q in queues if q.id not in aged and q.recv_id}
        store.queues.retire([q.id for q in queues if q.id in aged and q.conversation in replaced], now_ms)


def _kept(store: Store, queue: OwnQueue) -> int:
    """For how many milliseconds a retired queue is kept after something has come: longest if it is needed.

    Nobody needs it to reach us who knows of another, or if there is none.
    """
    left = [] if queue.conversation is None else store.queues.for_contact(queue.conversation)
    needed = bool(left) and not any(each.known for each in left)
    return 1000 * (carrier_limits.RETIRED_MOST if needed else carrier_limits.RETIRED_KEPT)


def _blocked(store: Store) -> set[ConversationId]:
    """Who is not listened to."""
    return {contact.id for contact in store.contacts.all() if contact.standing is Standing.BLOCKED}


def _forget(store: Store, relay: Fingerprint) -> None:
    with store.transaction():
        for queue in store.queues.at(relay):
            store.queues.remove(queue.id)
        if store.places.at(relay):
            store.relays.set_use(relay, RelayUse.ALLOWED)
        else:
            store.relays.remove(relay)
