"""The live sessions, at most one with each person."""

import asyncio
from collections.abc import Callable, Collection

from messenger.core import limits, outlook_limits
from messenger.core.errors import ConnectError, InputError, Reason, StorageError
from messenger.core.ids import ConversationId
from messenger.core.models import Connecting, Contact, Offline, Presence
from messenger.engine.context import Context
from messenger.engine.events import EngineFault, PresenceChanged
from messenger.engine.session import Session
from messenger.engine.tasks import Tasks
from messenger.protocol.link import CloseCode, LinkState

EndHandler = Callable[[Contact, Reason | None, bool], None]


class Peers:
    """Runs sessions and keeps one for each contact.

    Args:
        context: The open profile.
        on_up: Called when a contact came online.
        on_end: Called when a contact went offline, with the reason (None if the person here hung up) and
            whether the link went through a relay.
    """

    def __init__(self, context: Context, on_up: Callable[[Contact], None], on_end: EndHandler) -> None:
        self._context = context
        self._on_up = on_up
        self._on_end = on_end
        self._sessions: dict[ConversationId, Session] = {}
        self._started: set[Session] = set()
        self._presence: dict[ConversationId, Presence] = {}
        self._doubles: dict[ConversationId, int] = {}
        self._awaited: dict[ConversationId, asyncio.Event] = {}
        self._leaving: set[ConversationId] = set()
        """Whose link has ended and of whom it is not said yet: why it did is said first."""
        self._tasks = Tasks("session", context.publish)
        self._closed = False

    def session(self, conversation: ConversationId) -> Session | None:
        """The live session with a contact, if there is one."""
        return self._sessions.get(conversation)

    def all(self) -> list[Session]:
        """Every live session."""
        return list(self._sessions.values())

    def probe(self) -> None:
        """Ask everybody for a sign of life; a link on which none comes is dropped."""
        for session in self.all():
            session.connection.probe()

    def drop_from(self, hosts: Collection[str]) -> None:
        """Drop the links whose end on this side is one of these IP addresses, which are not ours any more."""
        for session in list(self._started):
            if session.connection.stream.own in hosts:
                session.connection.stream.abort()

    def presence(self, conversation: ConversationId) -> Presence:
        """Whether a contact can be reached right now."""
        session = self._sessions.get(conversation)
        return session.online if session else self._presence.get(conversation, Offline())

    def note(self, conversation: ConversationId, presence: Presence) -> None:
        """Publish how it stands with a contact who is not online.

        Ignored if they are, or if it is about to be said why they are not any more.
        """
        if conversation not in self._sessions and conversation not in self._leaving:
            self._presence[conversation] = presence
            self._context.publish(PresenceChanged(conversation, presence))

    def start(self, session: Session) -> None:
        """Run a session in a task of its own; after `close` it is dropped instead."""
        if self._closed:
            session.connection.stream.abort()
            session.up.set_exception(ConnectError(Reason.STOPPING))
            return
        self._started.add(session)
        self._tasks.start(self._run(session))

    def register(self, session: Session, contact: Contact) -> bool:
        """A session is up; make it the one of its contact.

        Two people who dial each other at the same moment have two links, and must both
        keep the same: the direct one rather than one through a relay, else the one whose initiator has the
        smaller fingerprint (SPEC.md section 8).
        In every other case the newer link wins, for the older one is likely dead.

        Returns:
            False if the session that is there is kept; the new one has been told goodbye.
        """
        old = self._sessions.get(contact.id)
        self._leave_request(contact)
        if old is not None and old.contact is not None and old.contact.fingerprint != contact.fingerprint:
            old.replaced = True
            old.connection.stream.abort()  # whoever holds the key that was given up is not heard any more
        elif old is not None:
            ended = session.connection.link.state is LinkState.CLOSED
            if ended or self._keeps(old, session, contact):
                session.replaced = True
                session.close(CloseCode.DUPLICATE)
                return False
            old.replaced = True
            old.close(CloseCode.DUPLICATE)
        self._sessions[contact.id] = session
        session.contact = contact
        self._presence.pop(contact.id, None)
        if (awaited := self._awaited.pop(contact.id, None)) is not None:
            awaited.set()
        self._context.publish(PresenceChanged(contact.id, session.online))
        self._on_up(contact)
        return True

    def _leave_request(self, contact: Contact) -> None:
        """End the link of a message request that has turned out to be a contact's."""
        for session in self.all():
            before = session.contact
            if before is not None and before.fingerprint == contact.fingerprint and before.id != contact.id:
                session.replaced = True
                session.close(CloseCode.DUPLICATE)

    async def close(self) -> None:
        """Say goodbye to everybody, hang up on who is still greeting, and wait until all have ended.

        Who was on their way in is not let in any more, until `reopen`.
        """
        self._closed = True
        for session in list(self._started):
            session.close()
        await self._tasks.close(limits.CLOSE_WAIT)

    def abort(self) -> None:
        """Drop every link without a goodbye."""
        for session in self._started:
            session.connection.stream.abort()

    def reopen(self) -> None:
        """Take back `close`."""
        self._closed = False

    def _keeps(self, old: Session, new: Session, contact: Contact) -> bool:
        if new.since_ms - old.since_ms > limits.SIMULTANEOUS_MS:
            return False
        if (old.through is None) != (new.through is None):
            return old.through is None
        if old.initiated == new.initiated:
            return False
        return old.initiated == (self._context.fingerprint < contact.fingerprint)

    async def _run(self, session: Session) -> None:
        reason = Reason.STOPPING
        try:
            reason = await session.run()
        finally:  # whatever happened: who is not there any more is not shown as online
            self._started.discard(session)
            contact = self._unregistered(session)
        if contact is None:
            return
        left: Presence = Offline(reason=Reason.CLOSED if session.hung_up else reason)
        self._leaving.add(contact.id)
        self._presence[contact.id] = Connecting() if session.replaced else left  # for who asks now
        try:
            seen = self._context.now_ms()
            await self._context.stored(self._context.store.contacts.update, contact.id, seen_ms=seen)
            await self._context.publish_contact(contact.id)
        except InputError:  # deleted meanwhile
            self._presence.pop(contact.id, None)
            return
        except StorageError as e:  # when they were seen matters less than reaching them again
            self._context.publish(EngineFault("storage", type(e).__name__))
        finally:
            self._leaving.discard(contact.id)
        if session.replaced:  # they keep another link, which is about to come up here; this was no goodbye
            if await self._taken_over(contact):
                return
            reason = Reason.INTERRUPTED
            self._doubled(contact.id)
            self.note(contact.id, Offline(reason=reason))
        else:
            self.note(contact.id, left)
        self._on_end(contact, None if session.hung_up else reason, session.through is not None)

    def _doubled(self, conversation: ConversationId) -> None:
        """They keep another link with us, and it is not here. Once may be chance; twice soon is a double."""
        now = self._context.now_ms()
        before = self._doubles.get(conversation)
        self._doubles[conversation] = now
        if before is not None and 0 <= now - before < outlook_limits.DOUBLES_WITHIN * 1000:
            self._context.found_elsewhere()

    async def _taken_over(self, contact: Contact) -> bool:
        """Wait a little for the link that the other side keeps; whether it has come up."""
        if contact.id in self._sessions:
            return True
        self.note(contact.id, Connecting())
        came = self._awaited.setdefault(contact.id, asyncio.Event())
        try:
            async with asyncio.timeout(limits.CLOSE_WAIT):
                await came.wait()
        except TimeoutError:
            self._awaited.pop(contact.id, None)
        return contact.id in self._sessions

    def _unregistered(self, session: Session) -> Contact | None:
        """Take a session out that has ended; returns the contact who had it, if it was still theirs."""
        ids = [id_ for id_, registered in self._sessions.items() if registered is session]
        if not ids:
            return None
        del self._sessions[ids[0]]
        return session.talk.contact if session.talk else session.contact
