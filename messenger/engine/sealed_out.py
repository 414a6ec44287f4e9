"""Sealing what waits for somebody, on the storage thread: stored before it leaves (SPEC.md section 10).

Whatever is sealed is kept with the message, so that the same bytes are sent again, until it has
a receipt or another session is for sending.
"""

import dataclasses
from dataclasses import dataclass, field

from messenger.core import carrier_limits, limits
from messenger.core.chained import ChainKind
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Contact, Standing
from messenger.engine import mailboxes, portraits
from messenger.engine.chained import packet_of
from messenger.engine.sealed_store import Desk, load, save
from messenger.protocol import payload
from messenger.protocol.packets import Delivered, Hello
from messenger.protocol.payload import Sealable
from messenger.protocol.ratchet_state import Session
from messenger.protocol.seal import Kind
from messenger.protocol.sealed_sessions import Sessions
from messenger.storage.sealed import SealedCopy
from messenger.storage.traffic import Outgoing, OutgoingAction


@dataclass(frozen=True, slots=True)
class Words:
    """Whom we write to, and what we say of ourselves in every payload.

    Attributes:
        conversation: To whom.
        name: Our name.
        tell_read: Whether they may know what we have read.
    """

    conversation: ConversationId
    name: str
    tell_read: bool


@dataclass(frozen=True, slots=True)
class FirstWords:
    """What a first contact is made of.

    Attributes:
        contact: To whom.
        pinned: Serial of the newest list of prekeys that was seen of them.
        rank: For the session.
        sent_ms: When the message was written.
        payload: What goes into the box.
    """

    contact: Contact
    pinned: int
    rank: int
    sent_ms: int
    payload: bytes = field(repr=False)


def seal_text(desk: Desk, words: Words, id_: MessageId) -> SealedCopy | None:
    """Seal a message that waits, whatever it says, or find what it was sealed to.

    Returns:
        What may leave; None if there is no session to seal in now.

    Raises:
        InputError: UNKNOWN, no such message waits. NOT_ALLOWED, the contact is not accepted.
    """
    with desk.store.transaction():
        _accepted(desk, words.conversation)
        item = _waiting(desk, words.conversation, id_)
        before = load(desk, words.conversation)
        copy = desk.store.sealed.copy(item.position)
        if copy is not None and _holds(before, copy.sid):
            return copy
        current = before.current
        if current is None or not before.ready:
            return None
        after, message = before.seal(payload.encode([*_about_us(desk, words), packet_of(item.chained)]))
        save(desk, words.conversation, before, after)
        copy = SealedCopy(current.sid, Kind.MESSAGE, message)
        desk.store.sealed.keep_copy(item.position, copy)
        return copy


@dataclass(frozen=True, slots=True)
class SealedReceipts:
    """What a contact has to know, sealed.

    Attributes:
        message: The sealed message.
        ids: What it is a receipt for; may be empty.
        change: The change of our queues that it tells, 0 for none.
        sid: Id of the session that it was sealed in.
        words: What it says of us.
    """

    message: bytes = field(repr=False)
    ids: list[MessageId]
    change: int
    sid: bytes = field(repr=False)
    words: Words


def seal_receipts(desk: Desk, words: Words, offered: SealedReceipts | None = None) -> SealedReceipts | None:
    """Seal receipts that are due, at most `limits.RECEIPTS_PER_PACKET`, and where they can write to us.

    Args:
        desk: The profile.
        words: To whom.
        offered: What was sealed the last time and has not been taken: if it says the same it is used again,
            for an epoch has room for so many messages only.

    Returns:
        None if nothing is due, the contact is not accepted, or there is no session to seal in now; or not
        for news alone.
    """
    with desk.store.transaction():
        contact = desk.store.contacts.get(words.conversation)
        ids = desk.store.sealed.receipts(words.conversation, limits.RECEIPTS_PER_PACKET)
        before = load(desk, words.conversation)
        change = desk.store.queues.change(words.conversation)
        if contact is None or contact.standing is not Standing.ACCEPTED or not before.ready:
            return None
        if not ids and (not change or before.room <= carrier_limits.CARRIED_ANEW):
            return None
        words = dataclasses.replace(words, tell_read=words.tell_read and not contact.held)
        sid = before.current.sid if before.current else b""
        if offered is not None and offered == dataclasses.replace(
            offered, ids=ids, change=change, sid=sid, words=words
        ):
            return offered
        receipt = [Delivered([bytes(id_) for id_ in ids])] if ids else []
        picture = portraits.asked_of_ours(desk.store, words.conversation)
        after, message = before.seal(payload.encode([*receipt, *_about_us(desk, words), *picture]))
        save(desk, words.conversation, before, after)
        return SealedReceipts(message, ids, change, sid, words)


def first_words(desk: Desk, words: Words, id_: MessageId, *, invited: bool) -> FirstWords | None:
    """Collect what a first contact with a message that waits is made of.

    Args:
        desk: The profile.
        words: To whom.
        id_: Of the message.
        invited: Whether we hold an invite of theirs.

    Returns:
        None if too many first contacts to this person wait for an answer.

    Raises:
        InputError: UNKNOWN or NOT_ALLOWED as in `seal_text`; TOO_LONG, they take less from strangers, or
            NOT_ALLOWED, nothing but texts.
    """
    with desk.store.transaction():
        contact = _accepted(desk, words.conversation)
        item = _waiting(desk, words.conversation, id_)
        if contact.awaiting and not invited:
            if item.chained.kind is not ChainKind.TEXT:
                raise InputError(InputProblem.NOT_ALLOWED)
            if len(item.chained.content.encode()) > limits.STRANGER_TEXT_MAX:
                raise InputError(InputProblem.TOO_LONG)
        sessions = load(desk, words.conversation)
        if not sessions.may_open:
            return None
        return FirstWords(
            contact=contact,
            pinned=desk.store.sealed.serial(words.conversation),
            rank=sessions.rank(desk.now_ms),
            sent_ms=desk.now_ms,
            payload=payload.encode([*_about_us(desk, words, strange=True), packet_of(item.chained)]),
        )


def keep_first(
    desk: Desk, first: FirstWords, id_: MessageId, session: Session, serial: int, content: bytes
) -> SealedCopy | None:
    """Store a first contact and its session, before it leaves.

    Returns:
        What may leave; None if too many others wait by now, or the list of prekeys is an old one by now.

    Raises:
        InputError: UNKNOWN, the message does not wait any more, or the contact has moved to another key.
            NOT_ALLOWED, they are not accepted any more.
    """
    conversation = first.contact.id
    with desk.store.transaction():
        if _accepted(desk, conversation).fingerprint != session.peer or desk.own != session.own:
            raise InputError(InputProblem.UNKNOWN)
        position = _waiting(desk, conversation, id_).position
        before = load(desk, conversation)
        if not before.may_open or serial < desk.store.sealed.serial(conversation):
            return None
        after = before.add(session, first.rank, desk.now, acknowledged=False, opening=True)
        save(desk, conversation, before, after)
        desk.store.sealed.pin_serial(conversation, serial)
        copy = SealedCopy(session.sid, Kind.OPENING, content)
        desk.store.sealed.keep_copy(position, copy)
        return copy


def _holds(sessions: Sessions, sid: bytes) -> bool:
    """Whether what was sealed in a session need not be sealed anew."""
    if sessions.current is not None:
        return sessions.current.sid == sid
    return any(held.session.sid == sid and held.waiting for held in sessions.held)


def _accepted(desk: Desk, conversation: ConversationId) -> Contact:
    contact = desk.store.contacts.get(conversation)
    if contact is None:
        raise InputError(InputProblem.UNKNOWN)
    if contact.standing is not Standing.ACCEPTED:
        raise InputError(InputProblem.NOT_ALLOWED)
    if contact.held:
        raise InputError(InputProblem.NEW_KEY)
    return contact


def _waiting(desk: Desk, conversation: ConversationId, id_: MessageId) -> Outgoing | OutgoingAction:
    item = desk.store.sealed.waiting(conversation, id_)
    if item is None:
        raise InputError(InputProblem.UNKNOWN)
    return item


def _about_us(desk: Desk, words: Words, *, strange: bool = False) -> list[Sealable]:
    """What goes with everything: a greeting, where to write to if they may not know it, news of our picture.

    Args:
        desk: The profile.
        words: To whom.
        strange: They may never have heard of us, and learn no more than they must.
    """
    pictures = [] if strange else portraits.news_of_ours(desk.store, words.conversation)
    read_seq = desk.store.messages.seen_seq(words.conversation) if words.tell_read else 0
    hello = Hello(words.name, 0, accepted=True, read_seq=read_seq)
    told = mailboxes.news_of_ours(desk.store, words.conversation)
    places = [] if told is None else [told]
    return [hello, *places, *pictures]
