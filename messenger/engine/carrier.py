"""Carries what waits for people who have no link with us to their queues at relays.

A message is sent when the relay has said that it keeps it, and delivered when they say so themselves.
"""

import asyncio
from collections.abc import Sequence

from messenger.core import carrier_limits, limits, relay_limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.errors import (
    ConnectError,
    InputError,
    RelayError,
    RelayProblem,
    RemoteProtocolError,
    StorageError,
    VaultError,
)
from messenger.core.ids import ConversationId, Fingerprint, MessageId
from messenger.core.models import Contact, Message, MessageState, Standing
from messenger.engine import mailboxes
from messenger.engine.context import Context
from messenger.engine.events import EngineFault, MessageChanged
from messenger.engine.peers import Peers
from messenger.engine.queues import Queues
from messenger.engine.relay_link import RelayLink
from messenger.engine.relays import Relays
from messenger.engine.sealing import Sealing
from messenger.engine.tasks import Tasks
from messenger.protocol.places import Place
from messenger.protocol.relay_answers import PrekeyGiven
from messenger.protocol.relay_queues import GetPrekey, Send
from messenger.storage.store import Store


class Carrier:
    """One task for each person for whom something waits that a relay could carry.

    Args:
        context: The open profile.
        peers: The live sessions: whoever has one needs no relay.
        sealing: Seals what leaves.
        relays: The links.
        queues: Ours, which they are told of.
    """

    def __init__(
        self, context: Context, peers: Peers, sealing: Sealing, relays: Relays, queues: Queues
    ) -> None:
        self._context = context
        self._store = context.store
        self._peers = peers
        self._sealing = sealing
        self._relays = relays
        self._queues = queues
        self._tasks = Tasks("carrier", context.publish)
        self._wakes: dict[ConversationId, asyncio.Event] = {}
        self._closed = False
        relays.needed = self._waits_at

    async def start(self) -> None:
        """Look for what waits since last time."""
        self._closed = False
        for conversation, named in (await self._context.stored(self._store.places.all)).items():
            await self.placed(conversation, [Place.decode(raw) for _, raw in named])
        for conversation in await self._context.stored(self._waiting):
            self.wake(conversation)

    async def close(self) -> None:
        """Stop; what is not sent waits, until `start`."""
        self._closed = True
        await self._tasks.close()
        self._wakes.clear()

    def wake(self, conversation: ConversationId) -> None:
        """Something may wait for somebody, or there may be another way to them."""
        if self._closed:
            return
        wake = self._wakes.get(conversation)
        if wake is None:
            wake = self._wakes[conversation] = asyncio.Event()
            self._tasks.start(self._keep_carrying(conversation, wake))
        wake.set()

    def on_up(self, link: RelayLink) -> None:
        """A link with a relay is up."""
        self._tasks.start(self._wake_those_at(link))

    async def placed(self, conversation: ConversationId, places: Sequence[Place]) -> None:
        """A contact is written to at other places than before."""
        named = [(place.relay, str(place.address)) for place in places]
        await self._relays.learn(conversation, named, allowed=False)
        self.wake(conversation)

    def _waiting(self) -> list[ConversationId]:
        """On the storage thread: for whom something waits."""
        due = self._store.sealed.receipts_waiting()
        return [
            *dict.fromkeys(
                [*self._store.messages.pending_conversations(), *due, *self._store.queues.untold()]
            )
        ]

    async def _wake_those_at(self, link: RelayLink) -> None:
        for conversation in await self._those_at(link.relay):
            self.wake(conversation)

    async def _waits_at(self, relay: Fingerprint) -> bool:
        return bool(await self._those_at(relay))

    async def _those_at(self, relay: Fingerprint) -> list[ConversationId]:
        """For whom something waits of those who can be written to at a relay."""
        here = set(await self._context.stored(self._store.places.at, relay))
        return [each for each in await self._context.stored(self._waiting) if each in here]

    async def _keep_carrying(self, conversation: ConversationId, wake: asyncio.Event) -> None:
        try:
            pause: float | None = None
            tries = 0
            while True:
                try:
                    async with asyncio.timeout(pause):
                        await wake.wait()
                except TimeoutError:
                    pass
                wake.clear()
                pause = await self._try(conversation)
                if pause is None and not wake.is_set():
                    return
                if pause is not None:
                    pause, tries = ever_later(pause, tries), tries + 1
        finally:
            if self._wakes.get(conversation) is wake:
                del self._wakes[conversation]

    async def _try(self, conversation: ConversationId) -> float | None:
        """Carry what can be carried now; returns when to look again by the clock, None if only news help."""
        try:
            contact = await self._context.stored(self._store.contacts.get, conversation)
            if contact is None:
                self._queues.attend_all()  # theirs are to be deleted
                return None
            if contact.standing is not Standing.ACCEPTED:
                return None
            await self._queues.have_one_for(conversation)
            session = self._peers.session(conversation)
            if session is not None:
                if session.talk is not None:
                    await session.talk.tell_places()
                return None
            return await self._carry(contact)
        except ConnectError:  # the link with the relay has ended: the next one wakes us
            return None
        except (VaultError, StorageError) as e:
            self._context.publish(EngineFault("carrier", type(e).__name__))
            return carrier_limits.CARRY_AGAIN

    async def _carry(self, contact: Contact) -> float | None:
        """Hand over what waits at the first of their places that takes it."""
        store, pause = self._store, None
        if contact.id not in await self._context.stored(self._waiting):
            return None
        places = await self._context.stored(mailboxes.places, store, contact.id)
        first, secret = await self._context.stored(mailboxes.first_places, store, contact.id)
        for place, is_first in [*((each, False) for each in places), *((each, True) for each in first)]:
            if is_first and places:
                break
            link = self._relays.link(place.relay)
            if link is None:
                self._relays.want(place.relay, at_once=True)
                continue
            way = _Way(link, place, secret, for_requests=is_first)
            try:
                await self._all_by(way, contact)
            except RelayError as e:
                pause = min(pause or carrier_limits.CARRY_AGAIN_MAX, e.seconds or carrier_limits.CARRY_AGAIN)
                continue
            except ConnectError:
                self._relays.want(place.relay)
                continue
            return None
        return pause

    async def _all_by(self, way: "_Way", contact: Contact) -> None:
        """Hand over everything that waits to one place.

        Raises:
            RelayError: The relay did not take something; the rest was not tried.
            ConnectError: The link with it has ended.
        """
        while self._peers.session(contact.id) is None and await self._holds(way, contact):
            receipts = await self._sealing.receipts(contact.id, way.place.queue_key)
            if receipts is None:
                break
            await way.send(receipts.envelope)
            await self._sealing.receipts_carried(contact.id, receipts.ids, receipts.change)
        while self._peers.session(contact.id) is None and await self._holds(way, contact):
            most = carrier_limits.CARRIED_AT_ONCE
            waiting = await self._context.stored(self._store.messages.to_send, contact.id, 0, most)
            sending = [each for item in waiting if (each := await self._sealed(way, contact, item.chained))]
            if not sending:
                return
            done = await asyncio.gather(*(way.send(sealed) for _, sealed in sending), return_exceptions=True)
            ids = [id_ for (id_, _), result in zip(sending, done, strict=True) if result is None]
            await self._sent(contact.id, ids, way)
            for result in done:
                if isinstance(result, BaseException):
                    raise result

    async def _sealed(
        self, way: "_Way", contact: Contact, chained: Chained
    ) -> tuple[MessageId, bytes] | None:
        """An envelope with a message; None if it cannot be sealed now, or is not to be sent any more."""
        try:
            sealed = await self._sealing.sealed_for(contact.id, chained.id, way.place.queue_key)
            if sealed is None and way.for_requests:
                sealed = await self._first(way, contact, chained)
        except InputError:  # it has a receipt by now, or they were blocked, or it is too long for a stranger
            return None
        return None if sealed is None else (chained.id, sealed)

    async def _first(self, way: "_Way", contact: Contact, chained: Chained) -> bytes | None:
        """Write to somebody with whom there is no session."""
        long = len(chained.content.encode()) > carrier_limits.FIRST_WORDS_MAX
        if chained.kind is not ChainKind.TEXT or long:
            return None
        if not await self._queues.have_one_for(contact.id):  # else they could not answer
            return None
        given = await way.prekey()
        try:
            return await self._sealing.sealed_first(
                contact.id,
                chained.id,
                way.place.queue_key,
                prekey_list=given.prekeys,
                prekey=given.prekey,
                invite_secret=way.secret,
            )
        except RemoteProtocolError as e:  # not theirs, or an old one: the relay lies, or they have been away
            raise RelayError(RelayProblem.REFUSED) from e

    async def _holds(self, way: "_Way", contact: Contact) -> bool:
        """Whether they are still written to there: they may have told of another place meanwhile."""
        return await self._context.stored(_is_place, self._store, contact.id, way.place)

    async def _sent(self, conversation: ConversationId, ids: Sequence[MessageId], way: "_Way") -> None:
        store, place, until_ms = self._store, way.place, self._context.now_ms() + way.kept_ms
        sent = await self._context.stored(_note_sent, store, conversation, ids, place, until_ms)
        for message in sent:
            self._context.publish(MessageChanged(message))


def ever_later(pause: float, tries: int) -> float:
    """How long to wait before something is handed over again that a relay would not take.

    A queue may be full for weeks, and what does not fit is sent whole each time.

    Args:
        pause: Seconds after which it may be tried.
        tries: How often that has been done in vain.
    """
    return min(pause * (1 << min(tries, 16)), carrier_limits.CARRY_AGAIN_MAX)


def _is_place(store: Store, conversation: ConversationId, place: Place) -> bool:
    """On the storage thread: whether somebody is written to at a place, or a first contact is left there."""
    return place in (mailboxes.places(store, conversation) or mailboxes.first_places(store, conversation)[0])


def _note_sent(
    store: Store, conversation: ConversationId, ids: Sequence[MessageId], place: Place, until_ms: int
) -> list[Message]:
    """On the storage thread: a relay has these, until it forgets them.

    What has to be sealed anew waits, and all that was left where they do not look any more.
    """
    with store.transaction():
        if not _is_place(store, conversation, place):
            return []
        held = store.carried.hold(conversation, ids, until_ms)
        return store.messages.advance(conversation, held, MessageState.SENT)


class _Way:
    """A place and the link with its relay.

    Args:
        link: Up.
        place: Where to.
        secret: Of the invite that names it, or empty.
        for_requests: Whether writing there costs work.
    """

    def __init__(self, link: RelayLink, place: Place, secret: bytes, *, for_requests: bool) -> None:
        self.place = place
        self.secret = secret
        self.for_requests = for_requests
        self._link = link

    @property
    def kept_ms(self) -> int:
        """For how many milliseconds the relay keeps a message."""
        said = min(self._link.welcome.ttl, limits.MAILBOX_LIFETIME)
        return max(said, carrier_limits.CARRIED_LEAST) * 1000

    async def send(self, envelope: bytes) -> None:
        """Hand an envelope over; it is at the relay when this returns.

        Raises:
            RelayError, ConnectError: It may not be.
        """
        place = self.place
        if not self.for_requests:
            await self._link.ask(Send(0, place.send_id, envelope), place.send_key)
            return
        if len(envelope) > relay_limits.REQUEST_ENVELOPE_MAX:
            raise RelayError(RelayProblem.REFUSED, carrier_limits.CARRY_AGAIN_MAX)
        await self._link.solved(
            envelope, lambda solution: Send(0, place.send_id, envelope, solution), place.send_key
        )

    async def prekey(self) -> PrekeyGiven:
        """One of the prekeys of whoever has the queue.

        Raises:
            RelayError, ConnectError: There is none.
        """
        place = self.place
        given = await self._link.solved(
            place.send_id, lambda solution: GetPrekey(0, place.send_id, solution), place.send_key
        )
        if not isinstance(given, PrekeyGiven):
            raise RelayError(RelayProblem.TROUBLE)
        return given
