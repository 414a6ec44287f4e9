"""Links with relays: one with each that is ours or needed, kept up, and more where one has no room."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from messenger.core import carrier_limits, limits
from messenger.core.address import parse_address
from messenger.core.errors import (
    ConnectError,
    InputError,
    Reason,
    RelayProblem,
    StorageError,
    VaultError,
)
from messenger.core.ids import Fingerprint
from messenger.core.relays import (
    Relay,
    RelayConnecting,
    RelayOnline,
    RelayState,
    RelayUnreachable,
    RelayUse,
)
from messenger.engine.context import Context
from messenger.engine.events import EngineFault, RelayChanged
from messenger.engine.reconnect import jittered
from messenger.engine.relay_link import News, RelayLink
from messenger.engine.tasks import Pulse, Tasks
from messenger.net.dial import Stream, dial
from messenger.net.race import race
from messenger.protocol.relay_word import RelayFlag
from messenger.storage.store import Store

log: Final = logging.getLogger(__name__)


class RelayLinks:
    """One task for each relay that is ours or needed, which keeps a link with it.

    Args:
        context: The open profile.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._table = context.store.relays
        self._links: dict[Fingerprint, RelayLink] = {}
        self._more: dict[Fingerprint, set[RelayLink]] = {}
        self._widening: set[Fingerprint] = set()
        self._narrow: dict[Fingerprint, float] = {}
        """The pause before the next further link with a relay that has ended one soon."""
        self._states: dict[Fingerprint, RelayState] = {}
        self._keepers: dict[Fingerprint, asyncio.Task[None]] = {}
        self._hurry: dict[Fingerprint, asyncio.Event] = {}
        self._anew: set[Fingerprint] = set()
        """Relays before which the pauses begin small again."""
        self._still: set[Fingerprint] = set()
        """Relays that were wanted again while there was a link, or an attempt to have one."""
        self._tasks = Tasks("relay", context.publish)
        self._closed = False
        self.stirred = Pulse()
        """Told whenever it stands otherwise with some relay."""
        self._failed: dict[Fingerprint, int] = {}
        self.on_up: Callable[[RelayLink], None] = lambda _link: None
        """Called when a link is up."""
        self.needed: Callable[[Fingerprint], Awaitable[bool]] = _nothing
        """Asked whether something waits for somebody who can be written to at a relay."""
        self.on_news: Callable[[RelayLink, Sequence[News]], Awaitable[None]] = _ignored
        """Called with what a relay brings."""

    def link(self, relay: Fingerprint) -> RelayLink | None:
        """The link with a relay, if it is up."""
        return self._links.get(relay)

    def failed(self, relay: Fingerprint) -> int:
        """How many attempts to link with a relay have failed since the program started."""
        return self._failed.get(relay, 0)

    def silent(self, relay: Fingerprint) -> bool:
        """Whether the last attempt to link with a relay has failed, and no other has succeeded since."""
        state = self._states.get(relay)
        if isinstance(state, RelayConnecting):
            return self.failed(relay) > 0
        return isinstance(state, RelayUnreachable) and state.reason is not None

    def refusal(self, relay: Fingerprint) -> RelayProblem | None:
        """Why a relay that there is a link with has made no queue for us, if it has said so."""
        state = self._states.get(relay)
        return state.refused if isinstance(state, RelayOnline) else None

    def links(self, relay: Fingerprint) -> list[RelayLink]:
        """All links with a relay: one, and more if our queues there are many."""
        main = self._links.get(relay)
        return [*([main] if main else []), *self._more.get(relay, ())]

    def widen(self, relay: Fingerprint) -> None:
        """Have a further link with a relay of ours, for queues that the others have no room for."""
        full = len(self._more.get(relay, ())) >= carrier_limits.MORE_LINKS
        if not (self._closed or full or relay in self._widening):
            self._widening.add(relay)
            self._tasks.start(self._further(relay))

    async def start(self) -> None:
        """Link with every relay of ours."""
        self._closed = False
        for relay in await self._context.stored(self._table.all):
            if relay.use in (RelayUse.OWN, RelayUse.LEAVING):
                self.want(relay.fingerprint)

    async def close(self) -> None:
        """Say goodbye to all of them, until `start`; what they have brought is stored first."""
        self._closed = True
        ending = [self._drop(relay) for relay in [*self._keepers]]
        await asyncio.gather(*ending)
        await self._tasks.close()

    def want(self, fingerprint: Fingerprint, *, at_once: bool = False) -> None:
        """Have a link with a relay, if it may be connected to.

        Args:
            fingerprint: Which.
            at_once: Try now, also if the next try is due later. Not when a link just ended over something:
                a relay that falls over it would be called and called.
        """
        if self._closed:
            return
        keeper = self._keepers.get(fingerprint)
        if keeper is None or keeper.done():
            self._hurry[fingerprint] = asyncio.Event()
            self._keepers[fingerprint] = self._tasks.start(self._keep(fingerprint))
            return
        self._still.add(fingerprint)
        if at_once:
            self._hurry[fingerprint].set()

    async def _keep(self, fingerprint: Fingerprint) -> None:
        """Link with a relay again and again, until it is not ours and has been idle, or must not be used."""
        pause = limits.RECONNECT_FIRST
        while True:
            try:
                relay = await self._context.stored(self._table.get, fingerprint)
            except StorageError as e:  # a relay of ours is not given up for that
                self._context.publish(EngineFault("relay", type(e).__name__))
                await asyncio.sleep(jittered(limits.RECONNECT_MAX))
                continue
            if relay is None or not relay.use.connects:
                return
            self._hurry[fingerprint].clear()
            self._still.discard(fingerprint)
            self._note(relay, RelayConnecting())
            before = asyncio.get_running_loop().time()
            reason = await self._attempt(relay)
            if self._keepers.get(fingerprint) is not asyncio.current_task():
                return  # it was dropped meanwhile
            lasted = asyncio.get_running_loop().time() - before
            if reason is None:
                self._note(relay, RelayUnreachable())
                if fingerprint not in self._still:
                    return
                continue
            proven = lasted > limits.LINK_PROVEN
            fresh = proven or fingerprint in self._anew
            pause = limits.RECONNECT_FIRST if fresh else min(pause * 2, limits.RECONNECT_MAX)
            self._anew.discard(fingerprint)
            if relay.use is RelayUse.ALLOWED and not await self._wanted_still(fingerprint):
                self._note(relay, RelayUnreachable(reason))
                return
            await self._pause(relay, pause, reason)

    async def _wanted_still(self, fingerprint: Fingerprint) -> bool:
        """Whether a relay of a contact's that cannot be reached is needed by anybody, or was just wanted."""
        try:
            return await self.needed(fingerprint) or fingerprint in self._still
        except StorageError as e:
            self._context.publish(EngineFault("relay", type(e).__name__))
            return True

    async def _further(self, fingerprint: Fingerprint) -> None:
        """Keep a further link until it ends; what it was for goes to another one then.

        No sooner than after a pause, which grows if they do not last.
        """
        link: RelayLink | None = None
        began = asyncio.get_running_loop().time()
        try:
            relay = await self._context.stored(self._table.get, fingerprint)
            if relay is not None:
                link = await self._dial(relay, self._further_up)
                await link.run()
        except ConnectError as e:
            log.info("x no further link with a relay: %s", e.reason.value)
        except (InputError, StorageError, VaultError) as e:  # nothing was acknowledged, and comes again
            self._context.publish(EngineFault("relay", type(e).__name__))
        finally:
            self._widening.discard(fingerprint)
            if link is not None:
                self._more.get(fingerprint, set()).discard(link)
        if fingerprint not in self._links or fingerprint in self._widening:
            return
        lasted = asyncio.get_running_loop().time() - began
        pause = limits.RECONNECT_FIRST
        if lasted <= limits.LINK_PROVEN:
            pause = min(self._narrow.get(fingerprint, pause / 2) * 2, limits.RECONNECT_MAX)
        self._narrow[fingerprint] = pause
        self._widening.add(fingerprint)
        try:
            await asyncio.sleep(jittered(pause))
        finally:
            self._widening.discard(fingerprint)
        main = self._links.get(fingerprint)
        if main is not None:
            self.on_up(main)

    def _further_up(self, link: RelayLink) -> None:
        self._widening.discard(link.relay)
        self._more.setdefault(link.relay, set()).add(link)
        self.on_up(link)

    async def _dial(self, relay: Relay, on_up: Callable[[RelayLink], None]) -> RelayLink:
        ways = [functools.partial(dial, parse_address(text)) for text in relay.addresses]
        stream = await race(ways, limits.DIAL_STAGGER, Stream.abort)
        return RelayLink(relay.fingerprint, stream, self._context.now, on_up, self.on_news)

    async def _attempt(self, relay: Relay) -> Reason | None:
        """Link once; returns why it has ended, None if it was not needed any more."""
        try:
            return await self._run(relay, await self._dial(relay, self._came_up))
        except ConnectError as e:
            return e.reason
        except InputError:  # a contact was deleted while they were heard
            return Reason.CLOSED
        except (StorageError, VaultError) as e:  # nothing was acknowledged: the relay keeps what it brought
            self._context.publish(EngineFault("relay", type(e).__name__))
            return Reason.BROKEN

    async def _run(self, relay: Relay, link: RelayLink) -> Reason | None:
        leaving = None
        if relay.use is RelayUse.ALLOWED:
            leaving = self._tasks.start(_leave_when_idle(link))
        try:
            reason = await link.run()
            return None if leaving is not None and leaving.done() else reason
        finally:
            if leaving is not None:
                leaving.cancel()
            if self._links.get(relay.fingerprint) is link:
                del self._links[relay.fingerprint]

    def _came_up(self, link: RelayLink) -> None:
        self._links[link.relay] = link
        self._still.discard(link.relay)
        self._tasks.start(self._greet(link))

    async def _greet(self, link: RelayLink) -> None:
        relay = await self._context.stored(self._table.get, link.relay)
        if relay is not None and self._links.get(link.relay) is link:
            asks = bool(link.welcome.flags & RelayFlag.QUEUE_TOKEN)
            lacks = asks and await self._context.stored(_lacks_token, self._context.store, relay)
            refused = RelayProblem.TOKEN if lacks else None
            self._note(relay, RelayOnline(self._context.now_ms(), refused))
            self.on_up(link)

    async def _pause(self, relay: Relay, pause: float, reason: Reason | None) -> None:
        """Wait between half the pause and the whole of it, or until somebody is in a hurry."""
        hurry = self._hurry[relay.fingerprint]
        seconds = jittered(pause)
        self._failed[relay.fingerprint] = self.failed(relay.fingerprint) + 1
        self._note(relay, RelayUnreachable(reason, self._context.now_ms() + int(seconds * 1000)))
        try:
            async with asyncio.timeout(seconds):
                await hurry.wait()
        except TimeoutError:
            return
        hurry.clear()

    async def _drop(self, fingerprint: Fingerprint) -> None:
        """End the link with a relay, and the attempts to have one."""
        linked = self.links(fingerprint)
        for link in linked:
            link.close()
        self._links.pop(fingerprint, None)
        self._narrow.pop(fingerprint, None)
        keeper = self._keepers.pop(fingerprint, None)
        if keeper is None:
            return
        if linked:  # what is being stored is stored, and an answer to the goodbye comes
            await asyncio.wait([keeper], timeout=limits.CLOSE_WAIT)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)

    async def refused(self, fingerprint: Fingerprint, problem: RelayProblem | None) -> None:
        """A relay of ours has made no queue for us, and will not by itself; or it has made one (None)."""
        state = self._states.get(fingerprint)
        if isinstance(state, RelayOnline) and state.refused is not problem:
            relay = await self._context.stored(self._table.get, fingerprint)
            if relay is not None and self._states.get(fingerprint) is state:
                self._note(relay, RelayOnline(state.since_ms, problem))

    def _note(self, relay: Relay, state: RelayState) -> None:
        self._states[relay.fingerprint] = state
        self.stirred.set()
        self._context.publish(RelayChanged(self._with_state(relay)))

    def _with_state(self, relay: Relay) -> Relay:
        state = self._states.get(relay.fingerprint, RelayUnreachable())
        return msgspec.structs.replace(relay, state=state)

    async def own_links(self) -> list[RelayLink]:
        """The links with relays where we have queues, one of each."""
        relays = await self._context.stored(self._table.all)
        own = [relay for relay in relays if relay.use in (RelayUse.OWN, RelayUse.LEAVING)]
        links = [self.link(relay.fingerprint) for relay in own]
        return [link for link in links if link is not None]


def _lacks_token(store: Store, relay: Relay) -> bool:
    """On the storage thread: whether a relay that makes queues for holders of tokens makes none for us."""
    own = relay.use is RelayUse.OWN and not store.relays.token(relay.fingerprint)
    return own and not any(queue.recv_id for queue in store.queues.at(relay.fingerprint))


async def _leave_when_idle(link: RelayLink) -> None:
    while True:
        left = carrier_limits.RELAY_IDLE - link.idle
        if left <= 0:
            break
        await asyncio.sleep(left)
    link.close()


async def _nothing(_relay: Fingerprint) -> bool:
    """Nobody writes to anybody yet."""
    return False


async def _ignored(_link: RelayLink, _news: Sequence[News]) -> None:
    """Nobody waits for news yet."""
