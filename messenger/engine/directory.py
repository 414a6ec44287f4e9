"""The directory of a relay: to be found there, to find others, and to write to them (SPEC.md section 13)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from messenger.core import carrier_limits, limits, relay_limits
from messenger.core.address import parse_address
from messenger.core.errors import (
    ConnectError,
    InputError,
    InputProblem,
    Reason,
    RelayError,
    RelayProblem,
    RemoteProtocolError,
    StorageError,
    VaultError,
)
from messenger.core.ids import Fingerprint
from messenger.core.models import Contact
from messenger.core.names import clean_about, clean_name
from messenger.core.relays import DirectoryPage, Listed, Listing, OwnQueue, PersonStatus, RelayUse
from messenger.engine.context import Context
from messenger.engine.dialer import Dialer
from messenger.engine.events import EngineFault
from messenger.engine.relay_link import RelayLink
from messenger.engine.relays import Relays
from messenger.engine.tasks import Tasks
from messenger.protocol.directory import Entry, Found, read_page
from messenger.protocol.places import Place
from messenger.protocol.relay_answers import Page
from messenger.protocol.relay_finding import Browse, LookUp, Publish, SetStatus, Status, Withdraw
from messenger.storage.store import Store

_RENEW: Final = relay_limits.ENTRY_LIFETIME - 24 * 3600
"""An entry is published anew when it has been valid for a day."""
_NEVER: Final = (RelayProblem.UNKNOWN, RelayProblem.TOKEN, RelayProblem.REFUSED)
"""What a relay says to whom it does not let be found: it has no directory, or one for others."""


class Directory:
    """Commands about the directories of relays.

    Args:
        context: The open profile.
        relays: The links.
        dialer: Makes contacts of those who are found.
        opened: Waits until strangers can write to us at a relay; returns whether they can.
    """

    def __init__(
        self,
        context: Context,
        relays: Relays,
        dialer: Dialer,
        opened: Callable[[Fingerprint], Awaitable[bool]],
    ) -> None:
        self._context = context
        self._table = context.store.relays
        self._relays = relays
        self._dialer = dialer
        self._tasks = Tasks("directory", context.publish)
        self._opened = opened
        self._turns: dict[Fingerprint, asyncio.Lock] = {}
        self._told: dict[Fingerprint, tuple[RelayLink, Listing, str]] = {}
        """What was published last, and on which link."""
        self._until: dict[Fingerprint, int] = {}
        self._denied: dict[Fingerprint, tuple[object, float, RelayError]] = {}
        """What a relay has just refused, and why: before that time it would only say that it is busy."""
        self._due: set[Fingerprint] = set()
        """Relays that wanted us to wait before we change our entry."""
        self._leaving: set[Fingerprint] = set()
        """Relays that have not heard yet that we do not want to be found there any more."""

    def start(self) -> None:
        """Begin to look now and then whether an entry is due to be published anew."""
        self._tasks.start(self._look_after())

    async def close(self) -> None:
        """Stop; entries stay for as long as they are valid, with the status offline."""
        await self._tasks.close()

    async def publish(self, relay: Fingerprint, status: PersonStatus, about: str) -> None:
        """Be found at a relay of ours by everybody who may look there, from now on and after each start.

        If the link with it is about to come up, or the queue that strangers write to is about to be made,
        that is waited for.

        Raises:
            InputError: UNKNOWN, it is not a relay of ours. TOO_LONG, BAD_VALUE: the words about oneself.
            RelayError, ConnectError: The relay has not taken the entry; it is tried again with the next link,
                but not after UNKNOWN, TOKEN or REFUSED: then all is as before.
            VaultError, StorageError: It could not be signed or stored.
        """
        _check(status, about)
        before, leaving = await self._known(relay), relay in self._leaving
        self._leaving.discard(relay)
        await self._context.stored(self._table.list_at, relay, Listing(status, about))
        await self._relays.tell(relay)
        await self._opened(relay)
        link = self._link(relay)
        try:
            await self._publish(link, again=False)
        except RelayError as e:
            if e.problem in _NEVER:
                await self._context.stored(self._table.list_at, relay, before)
                if leaving:
                    self._leaving.add(relay)
                await self._relays.tell(relay)
            else:
                self._again(link, e)
            raise

    async def set_status(self, relay: Fingerprint, status: PersonStatus) -> None:
        """Be seen otherwise at a relay where we can be found.

        Raises:
            InputError: UNKNOWN, we cannot be found there; BAD_VALUE, offline is what the end of a link means.
            RelayError: The relay has not taken it. BUSY, it wants us to wait: it is tried again by itself.
            ConnectError: It is tried again with the next link.
        """
        relayed = await self._known(relay)
        if relayed is None:
            raise InputError(InputProblem.UNKNOWN)
        _check(status, relayed.about)
        listing = msgspec.structs.replace(relayed, status=status)
        await self._context.stored(self._table.list_at, relay, listing)
        await self._relays.tell(relay)
        queue = await self._request_queue(relay)
        link = self._link(relay)
        try:
            async with self._turn(relay):
                self._told.pop(relay, None)
                await link.ask(SetStatus(0, queue.recv_id, Status(status)), queue.recv_key)
        except RelayError as e:
            self._again(link, e)
            raise

    async def withdraw(self, relay: Fingerprint) -> None:
        """Be found there no more.

        Raises:
            InputError: UNKNOWN, it is not a relay of ours.
            RelayError, ConnectError: The relay has not heard it, and is told with the next link; the entry is
                there for as long as it is valid, at most a week.
        """
        await self._known(relay)
        await self._context.stored(self._table.list_at, relay, None)
        self._leaving.add(relay)
        await self._relays.tell(relay)
        self._until.pop(relay, None)
        await self._withdraw(relay)

    async def _withdraw(self, relay: Fingerprint) -> None:
        queue = await self._request_queue(relay)
        async with self._turn(relay):  # what is being published is taken back too
            self._told.pop(relay, None)
            await self._link(relay).ask(Withdraw(0, queue.recv_id), queue.recv_key)
            self._leaving.discard(relay)

    async def find(self, relay: Fingerprint, after: bytes = b"") -> DirectoryPage:
        """Some of the people who can be found at a relay, in the order of their fingerprints.

        Args:
            relay: Which.
            after: `DirectoryPage.next` of the page before; empty for the first.

        Raises:
            RelayError, ConnectError: The relay does not tell.
        """
        token = await self._context.stored(self._table.token, relay)
        request = Browse(0, after, token=token)
        page = await self._ask(relay, request)
        found = await self._read(relay, page, request)
        return DirectoryPage(
            people=tuple([await self._listed(relay, each) for each in found]), next=page.next
        )

    async def talk_to(self, relay: Fingerprint, person: Fingerprint) -> Contact:
        """Make a contact of somebody who can be found at a relay; what is written goes to them there.

        Raises:
            InputError: UNKNOWN, they cannot be found there.
            RelayError, ConnectError: The relay does not tell; BLOCKED, or WRONG_PERSON.
        """
        token = await self._context.stored(self._table.token, relay)
        request = LookUp(0, person, token)
        found = await self._read(relay, await self._ask(relay, request), request)
        known = await self._context.stored(self._table.get, relay)
        if not found or known is None or person == self._context.fingerprint:
            raise InputError(InputProblem.UNKNOWN)
        entry = found[0].entry
        place = Place(relay, entry.send_id, entry.send_key, entry.queue_key, parse_address(known.address))
        return await self._dialer.by_relay(person, [place])

    def on_up(self, link: RelayLink) -> None:
        """A link with a relay is up, and our queues there are looked after."""
        self._tasks.start(self._renew(link))

    async def renew_all(self) -> None:
        """Publish entries that are a day old anew."""
        for relay in await self._relays.all():
            link = self._relays.link(relay.fingerprint)
            left = self._until.get(relay.fingerprint, 0) - self._context.now
            if link is not None and relay.listing is not None and left < _RENEW:
                await self._renew(link)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(limits.UPKEEP_INTERVAL)
            try:
                await self.renew_all()
            except StorageError as e:  # the next look tries again
                self._context.publish(EngineFault("directory", type(e).__name__))

    async def _renew(self, link: RelayLink) -> None:
        relay = await self._context.stored(self._table.get, link.relay)
        leaving = link.relay in self._leaving
        if relay is None or relay.use is not RelayUse.OWN or (relay.listing is None and not leaving):
            return
        try:
            await (self._publish(link) if relay.listing is not None else self._withdraw(link.relay))
        except RelayError as e:  # a relay that has no directory any more, or wants us to wait
            self._again(link, e)
        except (ConnectError, InputError):  # the next link tries again
            return
        except VaultError as e:
            self._context.publish(EngineFault("directory", type(e).__name__))

    def _again(self, link: RelayLink, error: RelayError) -> None:
        """Publish anew after a while what a relay has not taken because it wants us to wait."""
        if error.problem is RelayProblem.BUSY and link.relay not in self._due:
            self._due.add(link.relay)
            self._tasks.start(self._renew_after(link, max(error.seconds, carrier_limits.RELAY_TICK)))

    async def _renew_after(self, link: RelayLink, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._due.discard(link.relay)
        await self._renew(link)

    def _turn(self, relay: Fingerprint) -> asyncio.Lock:
        """Our entry at one relay is changed by one after the other."""
        return self._turns.setdefault(relay, asyncio.Lock())

    async def _publish(self, link: RelayLink, *, again: bool = True) -> None:
        """Publish our entry; without `again` only if it is not the one that this link was told last."""
        async with self._turn(link.relay):
            listing = await self._known(link.relay)
            queue = await self._request_queue(link.relay)
            if listing is None:
                return
            entry, now = (link, listing, self._context.me.name), asyncio.get_running_loop().time()
            denied = self._denied.get(link.relay)
            if not again and denied is not None and denied[0] == entry and now < denied[1]:
                raise denied[2]
            if again or self._told.get(link.relay) != entry:
                try:
                    await self._put(link, listing, queue)
                except RelayError as e:
                    if e.problem in _NEVER:
                        self._denied[link.relay] = (entry, now + relay_limits.STATUS_INTERVAL, e)
                    raise
                self._told[link.relay] = entry

    async def _put(self, link: RelayLink, listing: Listing, queue: OwnQueue) -> None:
        context, relay = self._context, link.relay
        serial = await context.stored(self._table.next_serial, relay, context.now)
        entry = Entry(
            context.bundle,
            serial,
            context.now + relay_limits.ENTRY_LIFETIME,
            context.me.name,
            listing.about,
            queue.send_id,
            queue.send_key,
            queue.queue_key,
        )
        needed = entry.needed(relay)
        entry = entry.signed(await context.vault.sign(needed.label, needed.fields))
        token = await context.stored(self._table.token, relay)
        status = Status(listing.status)
        await link.ask(Publish(0, queue.recv_id, status, entry.encode(), token), queue.recv_key)
        self._until[relay] = entry.not_after

    async def _ask(self, relay: Fingerprint, request: Browse | LookUp) -> Page:
        try:
            said = await self._link(relay).ask(request)
        except RelayError as e:
            if e.problem is RelayProblem.ABSENT:
                raise InputError(InputProblem.UNKNOWN) from e
            raise
        if not isinstance(said, Page):
            raise ConnectError(Reason.BROKEN)
        return said

    async def _read(self, relay: Fingerprint, page: Page, request: Browse | LookUp) -> tuple[Found, ...]:
        """Check signatures, away from the loop.

        Raises:
            RelayError: REFUSED, the relay lies.
        """
        try:
            return await asyncio.to_thread(read_page, page, request, relay, self._context.now)
        except RemoteProtocolError as e:
            raise RelayError(RelayProblem.REFUSED) from e

    async def _listed(self, relay: Fingerprint, found: Found) -> Listed:
        entry = found.entry
        contacts = self._context.store.contacts
        contact = await self._context.stored(contacts.by_fingerprint, entry.fingerprint)
        return Listed(
            fingerprint=entry.fingerprint,
            relay=relay,
            name=clean_name(entry.name),
            about=clean_about(entry.about),
            status=PersonStatus(found.status),
            conversation=contact.id if contact else None,
        )

    async def _known(self, relay: Fingerprint) -> Listing | None:
        """How we can be found at a relay of ours."""
        known = await self._context.stored(self._table.get, relay)
        if known is None or known.use is not RelayUse.OWN:
            raise InputError(InputProblem.UNKNOWN)
        return known.listing

    async def _request_queue(self, relay: Fingerprint) -> OwnQueue:
        queue = await self._context.stored(_requests_at, self._context.store, relay)
        if queue is None:  # it is about to be made
            raise RelayError(RelayProblem.BUSY)
        return queue

    def _link(self, relay: Fingerprint) -> RelayLink:
        link = self._relays.link(relay)
        if link is None:
            self._relays.want(relay, at_once=True)
            raise ConnectError(Reason.UNREACHABLE)
        return link


def _requests_at(store: Store, relay: Fingerprint) -> OwnQueue | None:
    return next((queue for queue in store.queues.for_requests() if queue.relay == relay), None)


def _check(status: PersonStatus, about: str) -> None:
    try:
        if len(about.encode()) > relay_limits.ABOUT_MAX:
            raise InputError(InputProblem.TOO_LONG)
    except UnicodeEncodeError as e:
        raise InputError(InputProblem.BAD_VALUE) from e
    if status is PersonStatus.OFFLINE:
        raise InputError(InputProblem.BAD_VALUE)
