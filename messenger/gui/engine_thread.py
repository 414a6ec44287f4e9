"""The thread that the engine lives on while a window is open."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QThread, Slot

from messenger.core import limits
from messenger.core.errors import SottoError
from messenger.gui.bridge import Bridge

if TYPE_CHECKING:
    from messenger.control import ControlServer
    from messenger.engine.engine import Engine

_log = logging.getLogger(__name__)

_GRACE: Final = 1.0
"""Seconds beyond `limits.STOP_DEADLINE` before a thread that does not end is given up."""


class EngineThread(QThread):
    """Runs one engine on one asyncio loop; made, started and stopped in the window's thread.

    Args:
        folder: The profile folder.
        bridge: The crossing that the engine is attached to.
        parent: Owner, if any.
    """

    def __init__(self, folder: Path, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._bridge = bridge
        self._ready: asyncio.Future[None] | None = None
        self._ended: asyncio.Future[None] | None = None
        self._quit: Callable[[], object] | None = None
        self._engine: Engine | None = None
        self._control: ControlServer | None = None
        self.finished.connect(self._on_finished)

    async def begin(self) -> None:
        """Start the thread and wait until the bridge has its engine.

        Raises:
            Exception: Whatever prevented the engine from being made.
        """
        loop = asyncio.get_running_loop()
        self._ready, self._ended = loop.create_future(), loop.create_future()
        self.start()
        await asyncio.shield(self._ready)

    async def answer_second_starts(self) -> None:
        """Let a second start on the profile, which is locked by now, reach this window.

        Where that is not possible the second start says so, and nothing else is lost.
        """
        try:
            await self._bridge.call(self._serve_control)
        except SottoError as e:
            _log.warning("a second start cannot raise this window: %s", type(e).__name__)

    async def end(self) -> bool:
        """Stop the engine, then the thread, without ever blocking the window.

        Returns:
            Whether the thread has ended; False when it hangs beyond the deadline.
        """
        if self._ready is None or self._ended is None or self._ended.done():
            return True
        try:
            async with asyncio.timeout(limits.STOP_DEADLINE + _GRACE):
                await asyncio.wait({self._ready})
                if self._quit is not None:
                    await self._bridge.call(self._stop_engine)
        except (SottoError, TimeoutError, OSError):
            _log.exception("the engine did not stop in an orderly way")
        self._bridge.detach()
        if self._quit is not None:
            self._quit()
        try:
            async with asyncio.timeout(_GRACE):
                await asyncio.shield(self._ended)
        except TimeoutError:
            _log.error("the engine's thread does not end")
            return False
        self.wait()
        return True

    def run(self) -> None:
        """The thread: one loop, one engine, until `end`; called by Qt."""
        loop = _new_loop()
        life = loop.create_task(self._live())
        loop.run_until_complete(asyncio.wait({life}))
        _close(loop)
        if (error := life.exception()) is not None:
            _log.error("the engine's thread failed", exc_info=error)
            self._bridge.cross(partial(self._failed, error))

    async def _live(self) -> None:
        from messenger.engine.engine import Engine

        quit_asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._engine = Engine(self._folder, self._bridge.publish)
        self._bridge.cross(partial(self._attached, self._engine, loop, quit_asked))
        await quit_asked.wait()

    async def _serve_control(self) -> None:
        """On the engine's loop."""
        from messenger.control import ControlServer

        if self._control is None:
            self._control = ControlServer(self._folder, self._bridge.publish)
            await self._control.start()

    async def _stop_engine(self) -> None:
        """On the engine's loop: what was asked of the engine ends first, so that it stops as a whole."""
        from messenger.control import relay_host

        await self._bridge.cancel_calls()
        await relay_host.leave(self._folder)
        if self._control is not None:
            await self._control.close()
        if self._engine is not None:
            await self._engine.stop()

    def _attached(self, engine: "Engine", loop: asyncio.AbstractEventLoop, quit_asked: asyncio.Event) -> None:
        self._bridge.attach(engine, loop)
        self._quit = partial(loop.call_soon_threadsafe, quit_asked.set)
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)

    def _failed(self, error: BaseException) -> None:
        self._bridge.detach()
        self._quit = None
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(error)

    @Slot()
    def _on_finished(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop; what still runs on it is cancelled, and its helper threads are not waited for."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=_GRACE))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
