"""Output that somebody may read slowly: it is written on a thread, so that the program lives on meanwhile."""

import asyncio
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import IO, Final

ROOM: Final = 256 * 1024
"""Bytes that may wait to be written before whoever has more should wait too."""


def give_up(stream: IO[str]) -> None:
    """Let nothing that waits in a stream fail again at the end of the process: it goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Writer:
    """Writes to a pipe, file or socket what it is given, in order, however slowly it is taken.

    Its thread holds no lock that the interpreter needs to end, so that nobody has to wait for it.

    Args:
        descriptor: Open for writing.
        on_failed: Called on the thread if it cannot be written to. What is asked for next raises the error,
            and what is put later is dropped.
    """

    def __init__(self, descriptor: int, on_failed: Callable[[], None] = lambda: None) -> None:
        self.on_failed = on_failed
        self._descriptor = descriptor
        self._waiting = deque[bytes]()
        self._size = 0
        self._failure: OSError | None = None
        self._failed = self._ended = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wakers: list[Callable[[], None]] = []

    def put(self, data: bytes) -> None:
        """Let something be written; returns at once.

        Raises:
            OSError: What was put before could not be written.
        """
        with self._changed:
            self._check()
            if self._failed:
                return
            self._waiting.append(data)
            self._size += len(data)
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_all, name="output", daemon=True)
                self._thread.start()

    async def room(self) -> None:
        """Wait until at most `ROOM` bytes wait to be written.

        Raises:
            OSError: It cannot be written to.
        """
        loop, came = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            try:
                loop.call_soon_threadsafe(came.set)
            except RuntimeError:  # the loop has closed: nobody waits any more
                return

        while True:
            with self._changed:
                self._check()
                if self._size <= ROOM or self._failed:
                    return
                came.clear()
                self._wakers.append(wake)
            await came.wait()

    def finish(self, patience: float | None) -> None:
        """Wait until all is written, and end; blocks.

        Args:
            patience: Seconds after which what nobody takes is given up; None for never.

        Raises:
            OSError: Something could not be written.
        """
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._size or self._failed, patience)
            self._check()

    def _check(self) -> None:
        """Tell a failure, once; under the lock."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._ended)
                if not self._waiting:
                    return
                data = self._waiting.popleft()
            try:
                self._write(data)
            except OSError as e:
                with self._changed:
                    self._failure, self._failed = e, True
                    self._tell()
                self.on_failed()
                return
            with self._changed:
                self._size -= len(data)
                self._tell()

    def _tell(self) -> None:
        """Wake whoever waits; under the lock."""
        self._changed.notify_all()
        wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:  # whoever shares the pipe with us has made it not wait
                select.select([], [self._descriptor], [])
