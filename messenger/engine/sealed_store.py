"""Sealed sessions on the storage thread. What each function changes is one transaction.

The engine calls them through `Context.stored`. Sessions of an identity that we had before are as
good as none.
"""

from dataclasses import dataclass

from messenger.core import carrier_limits, limits
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import Message, Standing
from messenger.protocol.ratchet_state import Session
from messenger.protocol.sealed_sessions import Sessions
from messenger.storage.store import Store


@dataclass(frozen=True, slots=True)
class Desk:
    """What the functions of sealed messages work with.

    Attributes:
        store: The profile.
        own: Who we are.
        now_ms: Unix time in milliseconds.
    """

    store: Store
    own: Fingerprint
    now_ms: int

    @property
    def now(self) -> int:
        """Unix time in seconds."""
        return self.now_ms // 1000


def load(desk: Desk, conversation: ConversationId) -> Sessions:
    """The sessions with a contact; none if there is no such contact.

    Raises:
        DatabaseDamaged, DatabaseTooNew: They cannot be read.
    """
    state = desk.store.sealed.state(conversation, desk.own)
    return Sessions() if state is None else Sessions.decode(state)


def save(desk: Desk, conversation: ConversationId, before: Sessions, after: Sessions) -> list[Message]:
    """Store sessions; if another one is for sending now, what waits will be sealed anew in that.

    Returns:
        Messages that were with a carrier, and wait again.
    """
    sids = [held.session.sid for held in after.held]
    desk.store.sealed.put(conversation, desk.own, after.encode(), sids)
    current = after.current
    if current is None or (before.current is not None and before.current.sid == current.sid):
        return []
    return desk.store.sealed.replaced(conversation, current.sid)


def wants_seed(desk: Desk, conversation: ConversationId) -> bool:
    """Whether a link should seed a new session by our own wish."""
    return load(desk, conversation).wants_seed(desk.now)


def rank(desk: Desk, conversation: ConversationId) -> int:
    """The rank for a new session with a contact."""
    return load(desk, conversation).rank(desk.now_ms)


def add_seeded(desk: Desk, conversation: ConversationId, session: Session, rank: int) -> list[Message] | None:
    """Store the session that a link has seeded; only then may the peer hear of it.

    Returns:
        Messages that wait again; None if nothing was stored, because the contact is gone, has moved to
        another key, or is not accepted any more.

    Raises:
        RemoteProtocolError: It is here already.
    """
    with desk.store.transaction():
        contact = desk.store.contacts.get(conversation)
        if (
            contact is None
            or contact.fingerprint != session.peer
            or contact.standing is not Standing.ACCEPTED
        ):
            return None
        before = load(desk, conversation)
        after = before.add(session, rank, desk.now, acknowledged=False, opening=False)
        return save(desk, conversation, before, after)


def acknowledge(desk: Desk, conversation: ConversationId, sid: bytes) -> list[Message]:
    """The peer has stored a session: it may be sealed in. One that is gone by now does not matter."""
    with desk.store.transaction():
        if desk.store.sealed.with_sid(sid) != conversation:
            return []
        before = load(desk, conversation)
        return save(desk, conversation, before, before.acknowledge(sid, desk.now))


def settle(desk: Desk) -> list[Message]:
    """After opening, and after we have moved: forget what belongs to another identity or another machine.

    Returns:
        Messages that were with a carrier, and wait again.
    """
    sealed = desk.store.sealed
    moved = sealed.keep_only(desk.own)
    with desk.store.transaction():
        if sealed.restored():
            for conversation in sealed.conversations():
                before = load(desk, conversation)
                save(desk, conversation, before, before.restored(desk.now))
            sealed.settle_restored()
    return moved


def expire(desk: Desk, conversation: ConversationId) -> None:
    """Forget sessions with a contact that are too old, and keys of messages that are missing for too long."""
    with desk.store.transaction():
        before = load(desk, conversation)
        after = before.expire(desk.now)
        if after != before:
            save(desk, conversation, before, after)


def renew(desk: Desk, conversation: ConversationId) -> list[Message]:
    """Let what relays have kept for as long as they do wait again, sealed anew as far as there is room.

    Returns:
        Messages that were with a carrier, and wait again.
    """
    with desk.store.transaction():
        anew = load(desk, conversation).room - carrier_limits.CARRIED_ANEW
        return desk.store.carried.requeue_overdue(conversation, desk.now_ms, anew)


def seal_anew(desk: Desk, conversation: ConversationId) -> list[Message]:
    """Let all without a receipt wait again, sealed anew as far as there is room: receipts may be lost.

    Returns:
        Messages that were with a carrier, and wait again.
    """
    with desk.store.transaction():
        room = load(desk, conversation).room - carrier_limits.CARRIED_ANEW
        return desk.store.sealed.requeue(conversation, anew=True, most=max(room, 0))


def purge(desk: Desk) -> None:
    """Forget prekeys and first contacts that are too old."""
    desk.store.sealed.purge(desk.now)
    desk.store.prekeys.purge(desk.now - limits.PREKEY_KEPT)
