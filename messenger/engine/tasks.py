"""Background tasks whose failure is never silent."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from messenger.core.errors import StorageError
from messenger.engine.events import EngineFault, Event

log: Final = logging.getLogger(__name__)


class Tasks:
    """Tasks of one part of the engine.

    Args:
        where: Name of the part, for faults.
        publish: Where a failure is told.
    """

    def __init__(self, where: str, publish: Callable[[Event], None]) -> None:
        self._where = where
        self._publish = publish
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, job: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine in a task of its own."""
        task = asyncio.create_task(job, name=self._where)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    async def close(self, patience: float = 0.0) -> None:
        """Cancel all tasks and wait until they have ended.

        Args:
            patience: Seconds that they have to end by themselves first.
        """
        if self._tasks and patience:
            await asyncio.wait(self._tasks, timeout=patience)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        self._publish(EngineFault(self._where, type(error).__name__))
        if not isinstance(error, StorageError):  # the world, not a bug: the event tells the person
            log.error("%s failed: %s", self._where, type(error).__name__, exc_info=error)


class Pulse:
    """Something that happens again and again; who waits takes `next` before they look."""

    def __init__(self) -> None:
        self.next = asyncio.Event()
        """Set when it happens the next time."""

    def set(self) -> None:
        """It happens."""
        happened, self.next = self.next, asyncio.Event()
        happened.set()
