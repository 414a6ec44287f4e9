"""The one crossing between the engine's thread and the window's thread.

Engine to window: anything the engine publishes waits in one queue; a single queued signal wakes
`_deliver`, a slot of an object that lives in the window's thread, and `events` hands on what has
gathered since. Window to engine: `call` runs a method of the engine on the engine's loop, and its
result comes back through the same queue.

Guarantees: receivers of `events` and everybody who awaits `call` run in the window's thread; events
arrive in the order in which they were published; whatever an engine method published before it
returned is delivered before its result is. Signals are emitted from a foreign thread here and nowhere else.
"""

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from messenger.core.errors import ConnectError, Reason, SottoError
from messenger.engine.events import Event

if TYPE_CHECKING:
    from messenger.engine.engine import Engine

_log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class Bridge(QObject):
    """Carries events to the window and calls to the engine; create it in the window's thread."""

    events = Signal(object)
    """A tuple of events, oldest first."""
    _woken = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._queue: list[Event | Callable[[], None]] = []
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._calls: set[asyncio.Task[Any] | None] = set()  # touched on the engine's loop only
        self._woken.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def engine(self) -> "Engine":
        """The engine behind this bridge; its methods are only ever handed to `call`."""
        if self._engine is None:
            raise ConnectError(Reason.STOPPING)
        return self._engine

    def attach(self, engine: "Engine", loop: asyncio.AbstractEventLoop) -> None:
        """Connect the engine's end, in the window's thread.

        Args:
            engine: The engine.
            loop: The running loop that the engine lives on.
        """
        self._engine, self._loop = engine, loop

    def detach(self) -> None:
        """Let no further call through, in the window's thread."""
        self._engine = self._loop = None

    def publish(self, event: Event) -> None:
        """Hand an event to the window; for the engine's thread."""
        self.cross(event)

    def cross(self, item: Event | Callable[[], None]) -> None:
        """Queue an event, or a function to be called, for the window's thread; callable from any thread."""
        with self._lock:
            self._queue.append(item)
            first = len(self._queue) == 1
        if first:
            self._woken.emit()

    async def call(self, method: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a method of the engine on the engine's loop and wait for its result.

        Cancelling this coroutine cancels the engine's.

        Args:
            method: A coroutine method of `engine`.
            args: Its arguments.
            kwargs: Its keyword arguments.

        Raises:
            ConnectError: STOPPING, when the engine is gone; otherwise whatever the method raises.
        """
        if self._loop is None:
            raise ConnectError(Reason.STOPPING)
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        work = asyncio.run_coroutine_threadsafe(self._noted(method(*args, **kwargs)), self._loop)
        work.add_done_callback(lambda done: self.cross(lambda: _settle(waiter, done)))
        try:
            return await waiter
        except asyncio.CancelledError:
            work.cancel()
            raise

    def post(self, method: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> None:
        """Run a method of the engine and wait for nothing; it runs also if the window closes right after.

        What it raises is logged by its kind. Without an engine nothing happens.

        Args:
            method: A coroutine method of `engine`.
            args: Its arguments.
            kwargs: Its keyword arguments.
        """
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(method(*args, **kwargs), self._loop).add_done_callback(_ended)

    async def cancel_calls(self) -> None:
        """Cancel every call that still runs and wait until it has ended; itself called by `call`."""
        others = self._calls - {asyncio.current_task()}
        running = [task for task in others if task is not None]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _noted(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        self._calls.add(task)
        try:
            return await work
        finally:
            self._calls.discard(task)

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            items, self._queue = self._queue, []
        events: list[Event] = []
        for item in items:
            if callable(item):
                self._hand_on(events)
                item()
            else:
                events.append(item)
        self._hand_on(events)

    def _hand_on(self, events: list[Event]) -> None:
        if events:
            self.events.emit(tuple(events))
            events.clear()


def _ended(done: "concurrent.futures.Future[T]") -> None:
    """Log why something failed that nobody waits for; on the engine's thread."""
    if done.cancelled() or (error := done.exception()) is None:
        return
    if isinstance(error, SottoError):
        _log.info("what the window asked for was refused: %s", type(error).__name__)
    else:
        _log.error("what the window asked for failed", exc_info=error)


def _settle(waiter: asyncio.Future[T], done: "concurrent.futures.Future[T]") -> None:
    if waiter.done():
        return
    if done.cancelled():
        waiter.set_exception(ConnectError(Reason.STOPPING))
    elif (error := done.exception()) is not None:
        waiter.set_exception(error)
    else:
        waiter.set_result(done.result())
