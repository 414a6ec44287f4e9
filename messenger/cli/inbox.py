"""Everything that happens during a command, in one queue with one reader."""

import asyncio
import contextlib
from collections.abc import Callable

import msgspec

from messenger.engine.events import EngineFault, Event, LogDamaged, UpdateProgress


class InputEnded(msgspec.Struct, frozen=True):
    """Nothing more will be typed: the task that read the input has ended, perhaps with an error."""


class OutputFailed(msgspec.Struct, frozen=True):
    """What was said cannot be written any more."""


Item = Event | InputEnded | OutputFailed


class Inbox:
    """Events of the engine, and the end of the person's input, in the order in which they came.

    Args:
        on_fault: Told at once about every `EngineFault` and `LogDamaged`, which the reader then never sees.
    """

    def __init__(self, on_fault: Callable[[EngineFault | LogDamaged], None]) -> None:
        self._queue: asyncio.Queue[Item] = asyncio.Queue()
        self._on_fault = on_fault
        self.on_update: Callable[[UpdateProgress], None] = lambda _event: None
        """Told at once about every `UpdateProgress`, which the reader never sees."""

    def put(self, item: Item) -> None:
        """Add something; for `Engine`'s publish."""
        if isinstance(item, EngineFault | LogDamaged):
            self._on_fault(item)
        elif isinstance(item, UpdateProgress):
            self.on_update(item)
        else:
            self._queue.put_nowait(item)

    def from_thread(self, item: Item) -> Callable[[], None]:
        """What another thread can call to add something, as long as the loop runs that runs now."""
        loop = asyncio.get_running_loop()

        def put() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                loop.call_soon_threadsafe(self.put, item)

        return put

    async def next(self) -> Item:
        """Wait for what comes next."""
        return await self._queue.get()

    def clear(self) -> None:
        """Forget what has come; whoever calls this looks at the state of things afterwards."""
        while not self._queue.empty():
            self._queue.get_nowait()
