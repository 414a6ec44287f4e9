"""Reaches contacts again by itself, with pauses that grow and never beat in time."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from messenger.core import limits
from messenger.core.errors import ConnectError, Reason, StorageError
from messenger.core.ids import ConversationId
from messenger.core.models import Connecting, Contact, Offline, Standing
from messenger.engine.context import Context
from messenger.engine.dialer import Dialer
from messenger.engine.events import EngineFault
from messenger.engine.peers import Peers
from messenger.engine.tasks import Tasks

Detour = Callable[[Contact], Awaitable[Contact]]
Needed = Callable[[ConversationId], bool]


class _Attempts:
    """The attempts to reach one contact.

    Attributes:
        hurry: Make the next one now.
        anew: The pauses begin small again, for the world has changed.
        task: Makes them.
    """

    def __init__(self) -> None:
        self.hurry = asyncio.Event()
        self.anew = False
        self.task: asyncio.Task[None] | None = None


def jittered(pause: float) -> float:
    """Between half of a pause and the whole of it, so that those who were cut off together do not return so.

    Args:
        pause: Seconds.
    """
    return pause * (0.5 + secrets.randbelow(1000) / 2000)


class Reconnector:
    """One task for each contact who should be online and is not.

    Args:
        context: The open profile.
        peers: The live sessions.
        dialer: Makes the calls.
        detour: Calls somebody through a relay when there is no direct way; raises ConnectError.
        needed: Whether something waits for a link that nothing else can carry, and be it one through a relay.
    """

    def __init__(
        self, context: Context, peers: Peers, dialer: Dialer, detour: Detour, needed: Needed
    ) -> None:
        self._context = context
        self._peers = peers
        self._dialer = dialer
        self._detour = detour
        self._needed = needed
        self._detours: set[ConversationId] = set()
        self._stranded: set[ConversationId] = set()
        self._running = Tasks("reconnect", context.publish)
        self._attempts: dict[ConversationId, _Attempts] = {}
        self._closed = False
        self._pauses: dict[ConversationId, float] = {}
        self._up_ms: dict[ConversationId, int] = {}

    def want(
        self,
        contact: Contact,
        *,
        at_once: bool = False,
        asked: bool = False,
        by_relay: bool = False,
        reason: Reason | None = None,
    ) -> None:
        """Keep trying to reach a contact until it succeeds or `forget` is called.

        Args:
            contact: Only an accepted one with a known address, or `by_relay`, is tried.
            at_once: Make the first attempt now, and the next one of a task that is pausing.
            asked: The person wants it; where nobody is called again by itself, one attempt is made.
            by_relay: Somebody here is in the conversation: if there is no direct way, one through a relay
                is tried, once, and again when a relay is back or they are heard of; for whoever is needed
                it is tried each time.
            reason: Why they are offline, for the presence that is shown meanwhile.
        """
        if by_relay:
            self._detours.add(contact.id)
        if not (self._possible(contact) and (asked or self._context.settings.reconnect)):
            return
        attempts = self._attempts.setdefault(contact.id, _Attempts())
        if at_once:
            attempts.hurry.set()
        if attempts.task is None:
            pause = self._first_pause(contact.id)
            attempts.task = self._running.start(self._keep_trying(contact.id, attempts, pause, reason))

    def hurry(self) -> None:
        """The world has changed: nobody pauses any longer, and the pauses begin small again."""
        for attempts in self._attempts.values():
            attempts.anew = True
            attempts.hurry.set()

    def hurry_needed(self) -> None:
        """A relay has come back: whoever is needed can perhaps be called through it."""
        for conversation, attempts in self._attempts.items():
            if self._needed(conversation):
                attempts.hurry.set()

    def relay_back(self) -> None:
        """A relay is there (again), and others can call us there: call whoever could not be called there."""
        stranded, self._stranded = self._stranded, set()
        for conversation in stranded:
            self._running.start(self._call_again(conversation))

    def heard(self, conversation: ConversationId) -> None:
        """A relay has brought something of a contact: who could not be called perhaps can be now."""
        if conversation in self._stranded:
            self._stranded.discard(conversation)
            self._running.start(self._call_again(conversation))

    def arrived(self, conversation: ConversationId) -> None:
        """A link with a contact is up."""
        self._up_ms[conversation] = self._context.now_ms()
        self.forget(conversation)

    def forget(self, conversation: ConversationId) -> None:
        """Stop trying."""
        self._detours.discard(conversation)
        self._stranded.discard(conversation)
        attempts = self._attempts.pop(conversation, None)
        if attempts is not None and attempts.task is not None:
            attempts.task.cancel()

    def reopen(self) -> None:
        """Take back `close`."""
        self._closed = False

    async def close(self) -> None:
        """Stop trying for everybody, until `reopen`."""
        self._closed = True
        self._attempts.clear()
        self._stranded.clear()
        await self._running.close()

    def _possible(self, contact: Contact) -> bool:
        return (
            not self._closed
            and contact.standing is Standing.ACCEPTED
            and (bool(contact.addresses) or contact.id in self._detours or self._needed(contact.id))
            and self._peers.session(contact.id) is None
        )

    def _first_pause(self, conversation: ConversationId) -> float:
        """A link that broke at once counts as a failed attempt, so that pauses grow on."""
        if self._context.elsewhere:  # or the two of us would take the link from each other all the time
            return limits.RECONNECT_MAX
        before, up_ms = self._pauses.get(conversation), self._up_ms.get(conversation)
        if before is None or up_ms is None:
            return limits.RECONNECT_FIRST
        if self._context.now_ms() - up_ms >= limits.LINK_PROVEN * 1000:
            return limits.RECONNECT_FIRST
        return min(before * 2, limits.RECONNECT_MAX)

    async def _call_again(self, conversation: ConversationId) -> None:
        try:
            contact = await self._context.stored(self._context.store.contacts.get, conversation)
        except StorageError as e:
            self._context.publish(EngineFault("storage", type(e).__name__))
            return
        if contact is not None:
            self.want(contact, at_once=True, by_relay=True)

    async def _keep_trying(
        self, conversation: ConversationId, attempts: _Attempts, pause: float, reason: Reason | None
    ) -> None:
        try:
            while True:
                self._pauses[conversation] = pause
                await self._pause(conversation, attempts.hurry, pause, reason)
                try:
                    contact = await self._context.stored(self._context.store.contacts.get, conversation)
                    if contact is None or not self._possible(contact):
                        return
                    self._peers.note(conversation, Connecting())
                    await self._reach(contact)
                except ConnectError as e:
                    reason = e.reason
                    if contact is None or not self._possible(contact):  # there was no way but through a relay
                        self._peers.note(conversation, Offline(reason=reason))
                        return
                except StorageError as e:  # the next attempt may have better luck
                    self._context.publish(EngineFault("storage", type(e).__name__))
                    reason = None
                else:
                    return
                if not self._context.settings.reconnect:
                    self._peers.note(conversation, Offline(reason=reason))
                    return
                pause = limits.RECONNECT_FIRST if attempts.anew else min(pause * 2, limits.RECONNECT_MAX)
                attempts.anew = False
        finally:
            if self._attempts.get(conversation) is attempts:
                del self._attempts[conversation]

    async def _reach(self, contact: Contact) -> None:
        try:
            await self._dialer.reach(contact)
        except ConnectError as e:
            if contact.id not in self._detours and not self._needed(contact.id):
                raise
            straight = e
        else:
            return
        self._detours.discard(contact.id)
        self._stranded.add(contact.id)  # until it succeeds
        try:
            await self._detour(contact)
        except ConnectError as e:
            known = bool(contact.addresses)
            if e.reason is Reason.UNREACHABLE or (known and e.reason is Reason.RELAY_SILENT):
                raise straight from e  # there is no relay: why they could not be called says more
            raise

    async def _pause(
        self, conversation: ConversationId, hurry: asyncio.Event, pause: float, reason: Reason | None
    ) -> None:
        """Wait, or until somebody is in a hurry."""
        if not hurry.is_set():
            seconds = jittered(pause)
            again = self._context.now_ms() + int(seconds * 1000)
            self._peers.note(conversation, Offline(retry_ms=again, reason=reason))
            try:
                async with asyncio.timeout(seconds):
                    await hurry.wait()
            except TimeoutError:
                return
        hurry.clear()
