"""One call: what is known before it is made, and the judgement of whoever answers."""

from collections.abc import Callable

from messenger.core.address import Address
from messenger.core.errors import ConnectError, Reason
from messenger.core.ids import Fingerprint
from messenger.core.models import Contact, Standing
from messenger.crypto.identity import Bundle
from messenger.engine.context import Context
from messenger.engine.entrance import known, settle
from messenger.engine.events import ConnectStep
from messenger.engine.peers import Peers
from messenger.engine.session import Session
from messenger.protocol.handshake import PeerIdentified
from messenger.protocol.packets import Hello, Packet, Succession

Tell = Callable[[ConnectStep, str], None]


class Call:
    """What is known about one call before it is made.

    Args:
        expected: Who must answer; None to see who does.
        secret: Of an invite, or empty.
        tell: Where steps are told.
        continues: "continue" secret of the link that this call replaces, or empty.
    """

    def __init__(
        self, expected: Fingerprint | None, secret: bytes, tell: Tell, continues: bytes = b""
    ) -> None:
        self.expected = expected
        self.secret = secret
        self.tell = tell
        self.continues = continues


class Stranger(ConnectError):
    """Somebody answered whom nobody here knows; the person must look at the fingerprint first."""

    def __init__(self, fingerprint: Fingerprint) -> None:
        super().__init__(Reason.DECLINED)
        self.fingerprint = fingerprint


class OutgoingGate:
    """Judges who answered one call; see `session.Gate`."""

    def __init__(
        self, context: Context, peers: Peers, call: Call, address: Address | None, *, look_only: bool
    ) -> None:
        self._context = context
        self._peers = peers
        self._call = call
        self._address = address
        self._look_only = look_only

    async def admit(self, peer: PeerIdentified) -> bool:
        """Go on with the person who was expected, or with an accepted contact.

        Returns:
            Whether it is an accepted contact.

        Raises:
            Stranger: Nobody here has accepted the key, and it was not asked for.
            ConnectError: BLOCKED, or WRONG_PERSON (an older certificate than was seen before).
        """
        if self._look_only:
            raise Stranger(peer.fingerprint)
        contact = await known(self._context, peer.bundle)
        if contact is not None and contact.standing is Standing.BLOCKED:
            raise ConnectError(Reason.BLOCKED, contact.title)
        accepted = contact is not None and contact.standing is Standing.ACCEPTED
        if self._call.expected is None and not accepted:
            raise Stranger(peer.fingerprint)
        self._call.tell(ConnectStep.PROVING, str(self._address))
        return accepted

    async def first_words(self, peer: Bundle) -> list[Packet]:
        """A greeting, and before it by which keys a contact who may be at this address knows us.

        The person here has looked at the key and said yes to it. If it is a contact's new one, of which
        we have not been told, they can only tell us once they know who we are.
        """
        context, store = self._context, self._context.store
        statements: list[bytes] = []
        for contact in await context.stored(store.contacts.all):
            here = contact.standing is Standing.ACCEPTED and str(self._address) in contact.addresses
            if here or contact.fingerprint == peer.fingerprint:
                untold = await context.stored(store.successions.untold, contact.id, context.succession)
                statements = max(statements, untold, key=len)
        hello = Hello(context.me.name, context.port, accepted=True, read_seq=0)
        return [*map(Succession, statements), hello]

    async def enter(self, session: Session, peer: Bundle) -> Contact:
        """Make or find the contact: whom we call, we accept."""
        context, contacts = self._context, self._context.store.contacts
        contact = await context.stored(
            contacts.add,
            peer.fingerprint,
            standing=Standing.ACCEPTED,
            awaiting=True,
            now_ms=context.now_ms(),
        )
        if contact.standing is Standing.REQUEST:
            contact = await context.stored(contacts.update, contact.id, standing=Standing.ACCEPTED)
        if self._address is not None:
            contact = await context.stored(contacts.note_address, contact.id, str(self._address))
        return await settle(context, self._peers, session, contact, peer)
