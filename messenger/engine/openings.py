"""Waiting until strangers can write to us at a relay: for the link, the queue, and what is in it."""

import asyncio
import contextlib

from messenger.core import carrier_limits
from messenger.core.ids import Fingerprint
from messenger.engine.context import Context
from messenger.engine.queues import Queues
from messenger.engine.relays import Relays


class Openings:
    """Knows which of our queues strangers can write to.

    Args:
        context: The open profile.
        relays: The links.
        queues: Our queues.
    """

    def __init__(self, context: Context, relays: Relays, queues: Queues) -> None:
        self._context = context
        self._relays = relays
        self._queues = queues

    async def wait(self, relay: Fingerprint) -> bool:
        """Wait until strangers can write to us at a relay of ours, at most `carrier_limits.QUEUE_WAIT`.

        Returns:
            Whether they can. If not, there is no link, the relay has refused, or it takes longer.
        """
        relays, failed = self._relays, self._relays.failed(relay)
        if relays.link(relay) is None:
            relays.want(relay, at_once=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(carrier_limits.QUEUE_WAIT):
                while True:
                    stirred = relays.stirred.next
                    if await self._is_open(relay):
                        return True
                    if relays.failed(relay) > failed or relays.refusal(relay) is not None:
                        return False
                    await stirred.wait()
        return False

    async def _is_open(self, relay: Fingerprint) -> bool:
        found = await self._context.stored(self._context.store.queues.for_requests)
        linked = self._relays.link(relay) is not None
        return linked and any(each.relay == relay and self._queues.larder.has(each) for each in found)
