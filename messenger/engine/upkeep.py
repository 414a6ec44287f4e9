"""What has to be done now and then: a new exchange key before the old one ends, new links after an hour.

And forgetting what was kept for sealed messages that cannot come any more.
"""

import asyncio
import logging
from typing import Final

from messenger.core import limits
from messenger.core.errors import ConnectError, StorageError, VaultError
from messenger.core.models import Contact
from messenger.engine.circuits import Circuits
from messenger.engine.context import Context
from messenger.engine.dialer import Dialer
from messenger.engine.events import EngineFault
from messenger.engine.peers import Peers
from messenger.engine.reconnect import Needed
from messenger.engine.sealing import Sealing
from messenger.engine.session import Session
from messenger.engine.talk import Talk
from messenger.engine.tasks import Tasks

log: Final = logging.getLogger(__name__)


class Upkeep:
    """Looks every few minutes.

    Args:
        context: The open profile.
        peers: The live sessions.
        dialer: Makes the calls.
        circuits: Makes those through relays.
        sealing: Sealed messages.
        needed: Whether something waits for a link with somebody that nothing else can carry.
    """

    def __init__(
        self,
        context: Context,
        peers: Peers,
        dialer: Dialer,
        circuits: Circuits,
        sealing: Sealing,
        needed: Needed,
    ) -> None:
        self._context = context
        self._peers = peers
        self._dialer = dialer
        self._circuits = circuits
        self._sealing = sealing
        self._needed = needed
        self._tasks = Tasks("upkeep", context.publish)

    def start(self) -> None:
        """Begin."""
        self._tasks.start(self._look_after())

    async def close(self) -> None:
        """Stop."""
        await self._tasks.close()

    async def renew_key(self) -> None:
        """Replace the exchange key if its certificate ends soon; what fails is tried again later."""
        if self._context.now < self._context.bundle.not_after - limits.KEXCERT_OVERLAP:
            return
        try:
            self._context.bundle = await self._context.vault.renew()
        except (VaultError, StorageError) as e:
            self._context.publish(EngineFault("renewal", type(e).__name__))

    async def forget(self) -> None:
        """Erase sealed sessions and keys whose time is over; what fails is tried again later."""
        try:
            await self._sealing.tidy()
            await self._context.vault.forget_old()
        except (VaultError, StorageError) as e:
            self._context.publish(EngineFault("upkeep", type(e).__name__))

    async def renew_links(self) -> None:
        """Replace every link that we opened more than `limits.RELINK_AFTER` ago by a new one.

        And those through a relay by a direct one as soon as that is possible. One through a relay on which
        nobody has said anything for so long ends: a circuit costs the relay, and sealed messages need none.
        """
        for session in self._peers.all():
            age = (self._context.now_ms() - session.since_ms) / 1000
            relayed = session.through is not None
            if session.talk is None or not (relayed or (session.initiated and age >= limits.RELINK_AFTER)):
                continue
            continues = session.connection.link.export("continue", b"")
            try:
                await self._dialer.reach(session.talk.contact, continues)
            except ConnectError as e:  # the old link goes on; the next round tries again
                if relayed and session.initiated and age >= limits.RELINK_AFTER:
                    await self._renew_circuit(session, session.talk, continues)
                log.info("x link not renewed: %s", e.reason.value)
            except StorageError as e:
                self._context.publish(EngineFault("upkeep", type(e).__name__))

    async def _renew_circuit(self, session: Session, talk: Talk, continues: bytes) -> None:
        idle = (self._context.now_ms() - talk.used_ms) / 1000 >= limits.RELINK_AFTER
        if idle and not self._needed(talk.contact.id):
            session.close()
        else:
            await self._by_relay(talk.contact, continues)

    async def _by_relay(self, contact: Contact, continues: bytes) -> None:
        try:
            await self._circuits.reach(contact, continues)
        except ConnectError as e:
            log.info("x link through a relay not renewed: %s", e.reason.value)
        except StorageError as e:
            self._context.publish(EngineFault("upkeep", type(e).__name__))

    async def _look_after(self) -> None:
        while True:
            await self.renew_key()
            await self.forget()
            await self.renew_links()
            await asyncio.sleep(limits.UPKEEP_INTERVAL)
