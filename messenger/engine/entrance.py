"""Incoming links: who may come in, and as whom."""

import logging
from typing import Final

from messenger.core import limits
from messenger.core.address import is_near
from messenger.core.errors import ConnectError, Reason, StorageError
from messenger.core.ids import short_fingerprint
from messenger.core.models import Contact, Standing
from messenger.core.settings import OpenDoor
from messenger.crypto.hkdf import equal
from messenger.crypto.identity import Bundle
from messenger.engine.context import Context
from messenger.engine.events import EngineFault
from messenger.engine.peers import Peers
from messenger.engine.session import Session
from messenger.net.dial import Stream
from messenger.net.listen import LaneHandler, Slot
from messenger.protocol.handshake import PeerIdentified
from messenger.protocol.keyschedule import invite_proof
from messenger.protocol.link import Link
from messenger.protocol.messages import VERSION, Caps
from messenger.protocol.packets import Packet
from messenger.protocol.responder import Responder

log: Final = logging.getLogger(__name__)


class Entrance:
    """Answers incoming connections.

    Args:
        context: The open profile.
        peers: Where sessions are registered.
        lanes: Answers streams that begin as lanes do; see `messenger.net.listen.Listener.open`.
    """

    def __init__(self, context: Context, peers: Peers, lanes: LaneHandler) -> None:
        self._context = context
        self._peers = peers
        self.lanes = lanes

    async def serve(self, stream: Stream, slot: Slot) -> None:
        """Handle one incoming connection until its handshake is decided."""
        try:
            responder = await self._responder(stream.host, crowded=slot.crowd >= limits.PUZZLE_HALF_OPEN)
        except StorageError as e:
            stream.abort()
            self._context.publish(EngineFault("storage", type(e).__name__))
            return
        try:
            await self._greet(stream, Link(responder))
        finally:
            slot.release()

    async def serve_circuit(self, stream: Stream) -> None:
        """Handle a circuit that somebody opened to us, until its handshake is decided."""
        context = self._context
        caps = Caps(relay=stream.through or b"")
        link = Link(Responder(context.bundle, context.now, open_door=False, caps=caps))
        await self._greet(stream, link)

    async def _greet(self, stream: Stream, link: Link) -> None:
        session = Session(self._context, stream, link, IncomingGate(self._context, self._peers))
        self._peers.start(session)
        try:
            await session.up
        except ConnectError as e:
            log.info("x incoming connection refused: %s", e.reason.value)

    async def _responder(self, host: str, *, crowded: bool) -> Responder:
        context, setting = self._context, self._context.settings.open_door
        near = is_near(host.partition("%")[0])
        return Responder(
            context.bundle,
            context.now,
            open_door=setting is OpenDoor.EVERYBODY or (setting is OpenDoor.LOCAL and near),
            puzzle_bits=limits.PUZZLE_BITS if crowded else 0,
            knocks=await context.stored(context.store.contacts.knocks) if crowded else (),
        )


class IncomingGate:
    """Judges one caller; see `session.Gate`."""

    def __init__(self, context: Context, peers: Peers) -> None:
        self._context = context
        self._peers = peers
        self._invite: int | None = None

    async def admit(self, peer: PeerIdentified) -> bool:
        """Let in contacts, holders of an invite, and strangers while there is room for requests.

        Returns:
            Whether it is an accepted contact.

        Raises:
            ConnectError: BLOCKED, WRONG_PERSON (an older certificate than was seen before, or not the
                one on the link that they claim to continue) or BUSY.
        """
        contact = await known(self._context, peer.bundle)
        if contact is not None and contact.standing is Standing.BLOCKED:
            raise ConnectError(Reason.BLOCKED, short_fingerprint(peer.fingerprint))
        if peer.caps.continues and not self._continues(contact, peer.caps.continues):
            raise ConnectError(Reason.WRONG_PERSON, short_fingerprint(peer.fingerprint))
        if contact is None or contact.standing is Standing.REQUEST:
            self._invite = await self._open_invite(peer)
        if contact is None and self._invite is None:
            requests = await self._context.stored(self._context.store.contacts.count_requests)
            if requests >= limits.REQUESTS_MAX:
                raise ConnectError(Reason.BUSY)
        return contact is not None and contact.standing is Standing.ACCEPTED

    async def first_words(self, _peer: Bundle) -> list[Packet]:
        """None: whoever calls speaks first."""
        return []

    async def enter(self, session: Session, peer: Bundle) -> Contact:
        """Make or find the contact; an invite is used up here and only here."""
        context, contacts = self._context, self._context.store.contacts
        invited = False
        if self._invite is not None:
            invited = await context.stored(context.store.invites.use, self._invite)
        standing = Standing.ACCEPTED if invited else Standing.REQUEST
        contact = await context.stored(
            contacts.add, peer.fingerprint, standing=standing, now_ms=context.now_ms()
        )
        if invited and contact.standing is Standing.REQUEST:
            contact = await context.stored(contacts.update, contact.id, standing=Standing.ACCEPTED)
        return await settle(context, self._peers, session, contact, peer)

    def _continues(self, contact: Contact | None, claim: bytes) -> bool:
        session = self._peers.session(contact.id) if contact else None
        return session is not None and equal(session.connection.link.export("continue", b""), claim)

    async def _open_invite(self, peer: PeerIdentified) -> int | None:
        proof = peer.caps.invite_proof
        if not proof:
            return None
        found = None
        for number, secret in await self._context.stored(
            self._context.store.invites.open, self._context.now_ms()
        ):
            if equal(proof, invite_proof(secret, peer.transcript)):
                found = number
        return found


async def known(context: Context, bundle: Bundle) -> Contact | None:
    """The contact who has this key, if it is no older than what they showed before.

    Raises:
        ConnectError: WRONG_PERSON, the certificate is older than one seen before, or a contact has given
            the key up.
    """
    contacts = context.store.contacts
    contact = await context.stored(contacts.by_fingerprint, bundle.fingerprint)
    if contact is None:
        if await context.stored(contacts.retired, bundle.fingerprint) is not None:
            raise ConnectError(Reason.WRONG_PERSON, short_fingerprint(bundle.fingerprint))
    else:
        not_before, _ = await context.stored(contacts.pins, contact.id)
        if bundle.not_before < not_before:
            raise ConnectError(Reason.WRONG_PERSON, short_fingerprint(bundle.fingerprint))
    return contact


async def settle(
    context: Context, peers: Peers, session: Session, contact: Contact, bundle: Bundle
) -> Contact:
    """Register a session that came up, and remember what its certificate said.

    If another link is kept instead, what this one has changed is told over that.

    Raises:
        ConnectError: BLOCKED, since they were admitted; INTERRUPTED, the stream is closed already.
    """
    contacts = context.store.contacts
    if contact.standing is Standing.BLOCKED:
        raise ConnectError(Reason.BLOCKED, short_fingerprint(contact.fingerprint))
    await context.stored(contacts.set_pins, contact.id, bundle.not_before, VERSION)
    await context.stored(contacts.set_knock, contact.id, session.connection.link.export("knock", b""))
    await context.publish_contact(contact.id)
    if session.connection.stream.writer.is_closing():
        # Given up in this very moment, because another link came up; what was read before is still handled.
        raise ConnectError(Reason.INTERRUPTED, str(session.connection.stream.address))
    if not peers.register(session, contact):
        kept = peers.session(contact.id)
        if kept is not None and kept.talk is not None:
            await kept.talk.greet()
    return contact
