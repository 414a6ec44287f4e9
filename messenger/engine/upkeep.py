"""What has to be done now and then: a new exchange key before the old one ends, new links after an hour.

And forgetting what was kept for sealed messages that cannot come any more.
"""

import asyncio
import logging
from typing import Final

from messenger.core import limits
from messenger.core.errors import ConnectError, StorageError, VaultError
from messenger.engine.context import Context
from messenger.engine.dialer import Dialer
from messenger.engine.events import EngineFault
from messenger.engine.peers import Peers
from messenger.engine.sealing import Sealing
from messenger.engine.tasks import Tasks

log: Final = logging.getLogger(__name__)


class Upkeep:
    """Looks every few minutes.

    Args:
        context: The open profile.
        peers: The live sessions.
        dialer: Makes the calls.
        sealing: Sealed messages.
    """

    def __init__(self, context: Context, peers: Peers, dialer: Dialer, sealing: Sealing) -> None:
        self._context = context
        self._peers = peers
        self._dialer = dialer
        self._sealing = sealing
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
        """Replace every link that we opened more than `limits.RELINK_AFTER` ago by a new one."""
        for session in self._peers.all():
            age = (self._context.now_ms() - session.since_ms) / 1000
            if not session.initiated or age < limits.RELINK_AFTER or session.talk is None:
                continue
            continues = session.connection.link.export("continue", b"")
            try:
                await self._dialer.reach(session.talk.contact, continues)
            except ConnectError as e:  # the old link goes on; the next round tries again
                log.info("x link not renewed: %s", e.reason.value)
            except StorageError as e:
                self._context.publish(EngineFault("upkeep", type(e).__name__))

    async def _look_after(self) -> None:
        while True:
            await self.renew_key()
            await self.forget()
            await self.renew_links()
            await asyncio.sleep(limits.UPKEEP_INTERVAL)
