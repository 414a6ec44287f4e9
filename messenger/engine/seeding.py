"""A new sealed session inside a link (SPEC.md 10.5): SEED both ways, then SEED_ACK both ways."""

import asyncio
import os

from messenger.core.errors import RemoteProtocolError
from messenger.core.models import Contact, Message
from messenger.crypto import xwing
from messenger.engine import sealed_store
from messenger.engine.context import Context
from messenger.engine.events import MessageChanged
from messenger.engine.sealed_store import Desk
from messenger.net.connection import Connection
from messenger.protocol import ratchet
from messenger.protocol.handshake import Role
from messenger.protocol.link import LinkState
from messenger.protocol.packets import Packet, Seed, SeedAck


class Seeding:
    """The seeding of one link between two people who have accepted each other.

    Args:
        context: The open profile.
        connection: The link, up.
    """

    def __init__(self, context: Context, connection: Connection) -> None:
        self._context = context
        self._connection = connection
        self._turn = asyncio.Lock()
        self._seed = b""
        self._rank = 0
        self._theirs: Seed | None = None
        self._sid = b""
        self._acknowledged = False

    async def begin(self, contact: Contact) -> None:
        """They have told us on this link that they have accepted us: send a SEED if a session is wanted."""
        async with self._turn:
            wanted = await self._context.stored(sealed_store.wants_seed, self._desk(), contact.id)
            if wanted and not self._seed:
                await self._offer(contact)

    async def on_seed(self, contact: Contact, seed: Seed) -> None:
        """Answer their SEED with ours if it has not been sent, store the session, and only then say so.

        Nothing is said if the contact was blocked or deleted in this very moment.

        Raises:
            RemoteProtocolError: It is their second one, or the key in it is not one.
            StorageError: The session could not be stored.
        """
        async with self._turn:
            if self._theirs is not None:
                raise RemoteProtocolError("a second SEED in one link")
            self._theirs = seed
            if not self._seed:
                await self._offer(contact)
            link, context = self._connection.link, self._context
            session = ratchet.seeded(
                link.export,
                initiator=link.role is Role.INITIATOR,
                own=context.fingerprint,
                peer=contact.fingerprint,
                seed=self._seed,
                public=seed.public,
            )
            rank = max(self._rank, seed.rank)
            self._sid, add = session.sid, sealed_store.add_seeded
            changed = await context.stored(add, self._desk(), contact.id, session, rank)
            if changed is not None:
                self._publish(changed)
                self._post(SeedAck())

    async def on_ack(self, contact: Contact) -> None:
        """They have stored the session of this link.

        Raises:
            RemoteProtocolError: There is none, or they have said so before.
            StorageError: It could not be noted.
        """
        async with self._turn:
            if not self._sid or self._acknowledged:
                raise RemoteProtocolError("a SEED_ACK out of turn")
            self._acknowledged = True
            acknowledge = sealed_store.acknowledge
            self._publish(await self._context.stored(acknowledge, self._desk(), contact.id, self._sid))

    async def _offer(self, contact: Contact) -> None:
        self._seed = os.urandom(xwing.SEED_SIZE)
        self._rank = await self._context.stored(sealed_store.rank, self._desk(), contact.id)
        self._post(Seed(xwing.KeyPair.from_seed(self._seed).public, self._rank))

    def _desk(self) -> Desk:
        context = self._context
        return Desk(context.store, context.fingerprint, context.now_ms())

    def _post(self, packet: Packet) -> None:
        """Send something, unless this link has said goodbye: then the next one seeds."""
        if self._connection.link.state is LinkState.OPEN:
            self._connection.post(packet)

    def _publish(self, changed: list[Message]) -> None:
        for message in changed:
            self._context.publish(MessageChanged(message))
