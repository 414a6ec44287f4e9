"""Coroutines started by slots: kept alive, ended with their owner, and their errors shown."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from messenger.core.errors import SottoError

_log = logging.getLogger(__name__)


class Tasks:
    """The running coroutines of one window, page or dialog.

    Args:
        report: Shows an error to the person; called in the window's thread.
    """

    def __init__(self, report: Callable[[BaseException], None]) -> None:
        self._report = report
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    def start(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Run a coroutine; an error that it does not handle itself is logged and reported.

        Args:
            work: The coroutine.
            name: What it does, for the log.
        """
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def cancel(self) -> None:
        """Cancel everything that still runs."""
        for task in self._running:
            task.cancel()

    def close(self) -> None:
        """Cancel everything, and report nothing any more: whoever shows errors is on the way out.

        What was done already, or is begun by a last signal, may still fail after this; it is only logged.
        """
        self._closed = True
        self.cancel()

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, SottoError):
            _log.info("%s: %s", task.get_name(), type(error).__name__)
        else:
            _log.error("%s failed", task.get_name(), exc_info=error)
        if not self._closed:
            self._report(error)
