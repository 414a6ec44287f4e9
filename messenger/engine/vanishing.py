"""Deletes messages whose time is over: at the next moment that is due, and before anything is shown."""

import asyncio
import contextlib

from messenger.core import store_limits
from messenger.core.errors import StorageError
from messenger.engine.context import Context
from messenger.engine.events import EngineFault, MessagesVanished
from messenger.engine.tasks import Tasks
from messenger.engine.transfers import Transfers


class Vanishing:
    """Waits for the next message of an open profile that is to disappear.

    Args:
        context: The open profile.
        transfers: Offers disappear too.
    """

    def __init__(self, context: Context, transfers: Transfers) -> None:
        self._context = context
        self._transfers = transfers
        self._tasks = Tasks("timers", context.publish)

    def start(self) -> None:
        """Begin, after `expire`."""
        self._tasks.start(self._wait_and_expire())

    async def close(self) -> None:
        """Stop."""
        await self._tasks.close()

    async def expire(self) -> None:
        """Delete every message whose time is over, in steps that others can come between.

        Raises:
            StorageError: The disk refused; what was deleted by then is deleted.
        """
        context, timers = self._context, self._context.store.timers
        while gone := await context.stored(timers.expire):
            for each in gone:
                await self._transfers.vanished(each.conversation, each.ids)
                context.publish(MessagesVanished(each.conversation, each.ids))
                await context.publish_contact(each.conversation)

    async def _wait_and_expire(self) -> None:
        while True:
            try:
                asked_ms = self._context.now_ms()  # by the clock as it was before: it may jump meanwhile
                await self._wait(asked_ms, await self._context.stored(self._context.store.timers.next_due))
                await self.expire()
            except StorageError as e:
                self._context.publish(EngineFault("timers", type(e).__name__))
                await asyncio.sleep(store_limits.TIDY_AFTER)

    async def _wait(self, asked_ms: int, left_ms: int | None) -> None:
        """Wait until so much time is over by any clock, or something else may be the next that is due.

        While a time runs, the clock is looked at now and then: that of the loop stands still while a machine
        sleeps.
        """
        loop, timing = asyncio.get_running_loop(), self._context.timing
        due_ms = None if left_ms is None else asked_ms + left_ms
        ends = None if left_ms is None else loop.time() + left_ms / 1000
        while not timing.is_set():
            pause = None
            if ends is not None and due_ms is not None:
                pause = min(ends - loop.time(), store_limits.IDLE_LOOK)
                if pause <= 0 or self._context.now_ms() >= due_ms:
                    break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await timing.wait()
        timing.clear()
