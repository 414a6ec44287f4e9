"""Taking what arrives sealed (SPEC.md section 10), on the storage thread: all in one transaction, or nothing.

Whatever does not hold is a `RemoteProtocolError`, and leaves no trace.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Contact, Message, MessageState, Standing
from messenger.core.names import clean_name
from messenger.engine import mailboxes, portraits
from messenger.engine.chained import chained_of
from messenger.engine.portraits import PortraitPacket
from messenger.engine.sealed_store import Desk, load, save
from messenger.protocol import payload
from messenger.protocol.packets import (
    ChainedPacket,
    Delete,
    Delivered,
    Edit,
    Hello,
    Mailboxes,
    Offer,
    React,
    Read,
    Text,
    Timer,
)
from messenger.protocol.payload import Sealable
from messenger.protocol.places import Place
from messenger.protocol.portraits import Portrait, PortraitNews, PortraitWanted
from messenger.protocol.sealed_header import Message as SealedMessage
from messenger.protocol.sealed_opening import Claim
from messenger.protocol.sealed_sessions import Sessions
from messenger.storage.store import Arrival


@dataclass(slots=True)
class Taken:
    """What came of a sealed message; all of it is on disk.

    Attributes:
        conversation: Whose it was.
        arrivals: What came of messages of theirs.
        changed: Messages of ours whose state has changed.
        due: Messages of theirs, also such as were here before, that want a receipt.
        places: Where they are written to, if that has changed.
        answer: Something else must be sealed for them.
    """

    conversation: ConversationId
    arrivals: list[Arrival] = field(default_factory=list)
    changed: list[Message] = field(default_factory=list)
    due: list[MessageId] = field(default_factory=list)
    places: list[Place] | None = None
    answer: bool = False


def take_message(desk: Desk, data: bytes) -> Taken:
    """Take a message of a session.

    Raises:
        RemoteProtocolError: It is dropped.
    """
    sid = SealedMessage.decode(data).sid
    with desk.store.transaction():
        conversation = desk.store.sealed.with_sid(sid)
        contact = None if conversation is None else desk.store.contacts.get(conversation)
        if contact is None or contact.standing is Standing.BLOCKED:
            raise RemoteProtocolError("a sealed message of nobody who may write")
        before = load(desk, contact.id)
        received = before.unseal(data, desk.now)
        taken = Taken(contact.id)
        content = payload.decode(received.payload)
        newest = _is_newest(before, received.sessions, sid) and not _is_copy(desk, contact, content)
        _apply(desk, contact, content, taken, newest=newest)
        taken.changed += save(desk, contact.id, before, received.sessions)
        return taken


def take_first(desk: Desk, claim: Claim, prekey: bytes) -> Taken:
    """Let the sender of a first contact in, if that is allowed, and take what they wrote.

    Args:
        desk: The profile.
        claim: What the letter says, checked.
        prekey: Id of the prekey.

    Raises:
        RemoteProtocolError: It is dropped: it was taken before, its prekey has been used meanwhile, the
            sender may not write or writes too much, or too many strangers wait for an answer.
    """
    with desk.store.transaction():
        contact, stranger = _let_in(desk, claim)
        accepted = claim.accept(stranger=stranger)
        if desk.store.sealed.taken(*accepted.dedupe_key) or desk.store.prekeys.get(prekey, desk.own) is None:
            raise RemoteProtocolError("a first contact that was taken before")
        taken = Taken(contact.id)
        before = load(desk, contact.id)
        newest = all(held.rank <= accepted.rank for held in before.held)
        after = before.add(accepted.session, accepted.rank, desk.now, acknowledged=True, opening=True)
        _apply(desk, contact, payload.decode(accepted.payload), taken, newest=newest)
        taken.changed += save(desk, contact.id, before, after)
        desk.store.sealed.take(*accepted.dedupe_key, accepted.remember_until)
        if accepted.used_prekey is not None:
            desk.store.prekeys.use(accepted.used_prekey)
    if accepted.used_prekey is not None:
        desk.store.prekeys.shred()
    return taken


def _let_in(desk: Desk, claim: Claim) -> tuple[Contact, bool]:
    """The contact of whoever wrote, made if need be, and whether they are a stranger."""
    store, sender = desk.store, claim.sender.fingerprint
    contact = store.contacts.by_fingerprint(sender)
    if contact is not None and contact.standing is Standing.ACCEPTED:
        return contact, False
    if store.contacts.retired(sender) is not None or (contact and contact.standing is Standing.BLOCKED):
        raise RemoteProtocolError("a first contact of somebody who may not write")
    invites = [number for number, secret in store.invites.open(desk.now_ms) if claim.invited(secret)]
    if contact is None and not invites and store.contacts.count_requests() >= limits.REQUESTS_MAX:
        raise RemoteProtocolError("too many message requests")
    standing = Standing.ACCEPTED if invites else Standing.REQUEST
    for number in invites[:1]:
        store.invites.use(number)
    added = contact or store.contacts.add(sender, standing=standing, now_ms=desk.now_ms)
    if added.standing is not standing:
        added = store.contacts.update(added.id, standing=standing)
    return added, not invites


def _apply(desk: Desk, contact: Contact, content: Sequence[Sealable], taken: Taken, *, newest: bool) -> None:
    for packet in content:
        match packet:
            case Hello():
                _on_hello(desk, contact, packet, taken, newest=newest)
            case Text() | Edit() | Delete() | React() | Timer() | Offer():
                _on_chained(desk, contact, packet, taken)
            case Delivered(ids):
                _on_receipt(desk, contact, ids, MessageState.DELIVERED, taken)
            case Read(ids):
                _on_receipt(desk, contact, ids, MessageState.READ, taken)
            case Mailboxes():
                if newest:
                    _on_mailboxes(desk, contact, packet, taken)
            case PortraitNews() | PortraitWanted() | Portrait():
                _on_portrait(desk, contact, packet, taken, newest=newest)
            case _:
                assert_never(packet)
    desk.store.sealed.add_receipts(contact.id, taken.due)


def _on_hello(desk: Desk, contact: Contact, hello: Hello, taken: Taken, *, newest: bool) -> None:
    """Take a greeting; an older one that was overtaken does not change who they are."""
    if newest:
        name = clean_name(hello.name)
        desk.store.contacts.update(contact.id, name=name, awaiting=not hello.accepted)
    if hello.read_seq:
        through = desk.store.messages.advance_through
        taken.changed += through(contact.id, hello.read_seq, MessageState.READ)


def _on_mailboxes(desk: Desk, contact: Contact, packet: Mailboxes, taken: Taken) -> None:
    """They are written to elsewhere."""
    waiting = mailboxes.move(desk.store, contact.id, packet)
    if waiting is not None:
        taken.places = mailboxes.places(desk.store, contact.id)
        taken.changed += waiting


def _on_portrait(desk: Desk, contact: Contact, packet: PortraitPacket, taken: Taken, *, newest: bool) -> None:
    """Pictures are for people who have accepted each other."""
    if contact.standing is Standing.ACCEPTED and (newest or not isinstance(packet, PortraitNews)):
        taken.answer |= portraits.take_sealed(desk.store, contact.id, packet)


def _on_chained(desk: Desk, contact: Contact, packet: ChainedPacket, taken: Taken) -> None:
    """Store what they wrote or did; of somebody who is not accepted no more than a request may hold."""
    messages = desk.store.messages
    if contact.standing is not Standing.ACCEPTED:
        full = messages.incoming_count(contact.id) >= limits.STRANGER_MESSAGES_MAX
        if full or not isinstance(packet, Text) or len(packet.text.encode()) > limits.STRANGER_TEXT_MAX:
            raise RemoteProtocolError("more than a message request may hold")
    taken.arrivals.append(messages.take(contact.id, chained_of(packet), desk.now_ms))
    taken.due.append(MessageId(packet.id))


def _on_receipt(
    desk: Desk, contact: Contact, ids: Sequence[bytes], state: MessageState, taken: Taken
) -> None:
    named = [MessageId(id_) for id_ in ids]
    taken.changed += desk.store.messages.advance(contact.id, named, state)


def _is_copy(desk: Desk, contact: Contact, content: Sequence[Sealable]) -> bool:
    """Whether it brings what has come by a link, which has told since then how they are and where.

    News alone have no message with them, and count.
    """
    ids = [MessageId(packet.id) for packet in content if isinstance(packet, ChainedPacket)]
    return bool(ids) and all(desk.store.carried.has_come(contact.id, id_) for id_ in ids)


def _is_newest(before: Sessions, after: Sessions, sid: bytes) -> bool:
    """Whether a message is the last one that they have written, of those that are here."""
    old, new = (
        next(held for held in sessions.held if held.session.sid == sid) for sessions in (before, after)
    )
    places = [(held.session.receiving.epoch, held.session.receiving.number) for held in (old, new)]
    heard = [held.rank for held in after.held if held.session.receiving.epoch]
    return places[1] > places[0] and new.rank >= max(heard)
