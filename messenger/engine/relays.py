"""The relays of a profile: which there are, and what they are to us."""

import asyncio
import contextlib
from collections.abc import Collection, Sequence

from messenger.core import carrier_limits
from messenger.core.address import Address
from messenger.core.errors import (
    InputError,
    InputProblem,
)
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.relays import (
    Relay,
    RelayUse,
)
from messenger.engine.events import RelayAsked, RelayChanged, RelayRemoved
from messenger.engine.relay_link import RelayLink
from messenger.engine.relay_links import RelayLinks


class Relays(RelayLinks):
    """The relays that this profile knows, with a link to each that is needed."""

    async def all(self) -> list[Relay]:
        """The relays that this profile knows, with their state."""
        return [self._with_state(relay) for relay in await self._context.stored(self._table.all)]

    async def of(self, conversation: ConversationId) -> list[Relay]:
        """The relays at which a contact can be written to, with their state."""
        wanted = await self._context.stored(self._context.store.places.relays_of, conversation)
        return [relay for relay in await self.all() if relay.fingerprint in wanted]

    async def add(self, addresses: Sequence[Address], fingerprint: Fingerprint, token: bytes = b"") -> Relay:
        """Use a relay from now on: people are told that they can write to us there.

        Raises:
            InputError: NOT_ALLOWED, there are `carrier_limits.OWN_RELAYS_MAX` already.
        """
        relays = await self._context.stored(self._table.all)
        own = [relay for relay in relays if relay.use is RelayUse.OWN and relay.fingerprint != fingerprint]
        if len(own) >= carrier_limits.OWN_RELAYS_MAX:
            raise InputError(InputProblem.NOT_ALLOWED)
        now = self._context.now_ms()
        told = [str(address) for address in addresses]
        await self._context.stored(self._table.add, fingerprint, told, RelayUse.OWN, now, token)
        await self._drop(fingerprint)
        self._states.pop(fingerprint, None)  # what an older token was told does not count
        self.want(fingerprint)
        return await self.tell(fingerprint)

    async def allow(self, fingerprint: Fingerprint, *, allowed: bool) -> None:
        """Answer a `RelayAsked`.

        Raises:
            InputError: UNKNOWN, there is no such relay; NOT_ALLOWED, it is one of ours.
        """
        relay = await self._known(fingerprint)
        if relay.use in (RelayUse.OWN, RelayUse.LEAVING):
            raise InputError(InputProblem.NOT_ALLOWED)
        use = RelayUse.ALLOWED if allowed else RelayUse.REFUSED
        await self._context.stored(self._table.set_use, fingerprint, use)
        if not allowed:
            await self._drop(fingerprint)
        await self.tell(fingerprint)
        for conversation in await self._context.stored(self._context.store.places.at, fingerprint):
            self._context.to_carry(conversation)

    async def learn(
        self, conversation: ConversationId, places: Sequence[tuple[Fingerprint, str]], *, allowed: bool
    ) -> None:
        """Somebody can be written to at these relays; the person here is asked about those that are new.

        Args:
            conversation: Who.
            places: Fingerprint and address of each.
            allowed: The person has just opened the invite that names them.
        """
        now = self._context.now_ms()
        use = RelayUse.ALLOWED if allowed else RelayUse.UNASKED
        for fingerprint, address in places:
            new = await self._context.stored(self._table.learn, fingerprint, address, use, now)
            if allowed and not new:  # it may have moved; a contact alone cannot send us anywhere else
                await self._context.stored(self._table.add_address, fingerprint, address)
            relay = await self._known(fingerprint)
            if allowed and not relay.use.connects:
                await self._context.stored(self._table.set_use, fingerprint, use)
            elif not new:
                continue
            told = await self.tell(fingerprint)
            if told.use is RelayUse.UNASKED:
                self._context.publish(RelayAsked(conversation, told))
        if len(await self._context.stored(self._table.all)) > carrier_limits.RELAYS_KNOWN:
            await self.forget_unused()

    async def forget_unused(self) -> None:
        """Forget relays of contacts at which nobody is written to any more."""
        before = await self._context.stored(self._table.all)
        left = await self._context.stored(self._table.tidy)
        for relay in before:
            if relay.fingerprint not in left:
                await self.forgotten(relay.fingerprint)

    async def forgotten(self, fingerprint: Fingerprint) -> None:
        """A relay is no longer stored."""
        await self._drop(fingerprint)
        self._states.pop(fingerprint, None)
        self._failed.pop(fingerprint, None)
        self._more.pop(fingerprint, None)
        self._anew.discard(fingerprint)
        if fingerprint not in self._keepers:  # else somebody has wanted it in this moment
            self._still.discard(fingerprint)
            self._hurry.pop(fingerprint, None)
        self._context.publish(RelayRemoved(fingerprint))

    async def reach(self, relay: Fingerprint) -> RelayLink | None:
        """The link with a relay that may be connected to; waited for if it is not up, perhaps for being idle.

        Returns:
            None if it cannot be had, or takes longer than `carrier_limits.QUEUE_WAIT`.
        """
        known, failed = await self._context.stored(self._table.get, relay), self.failed(relay)
        if known is None or not known.use.connects:
            return None
        if relay not in self._links:
            self.want(relay, at_once=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(carrier_limits.QUEUE_WAIT):
                while relay not in self._links and self.failed(relay) == failed and not self._closed:
                    await self.stirred.next.wait()
        return self._links.get(relay)

    def probe(self, gone: Collection[str] = ()) -> None:
        """The world has changed: a link that gives no sign of life is dropped, and nobody pauses any longer.

        Args:
            gone: IP addresses that are not ours any more; links from there are dropped at once.
        """
        for relay in {*self._links, *self._more}:
            for link in self.links(relay):
                link.probe(gone)
        self._anew.update(self._keepers)
        for relay, hurry in self._hurry.items():
            if relay not in self._links:
                hurry.set()

    def abort(self) -> None:
        """Drop every link without a goodbye."""
        for relay in {*self._links, *self._more}:
            for link in self.links(relay):
                link.abort()

    async def tell(self, fingerprint: Fingerprint) -> Relay:
        """Publish how it stands with a relay.

        Raises:
            InputError: UNKNOWN, there is no such relay.
        """
        relay = self._with_state(await self._known(fingerprint))
        self._context.publish(RelayChanged(relay))
        return relay

    async def _known(self, fingerprint: Fingerprint) -> Relay:
        relay = await self._context.stored(self._table.get, fingerprint)
        if relay is None:
            raise InputError(InputProblem.UNKNOWN)
        return relay
