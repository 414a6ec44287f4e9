"""Threads of the vault process, which answer one request after the other.

Those of `concurrent.futures` would bring `logging` into a process that never logs.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

from messenger.crypto import process

T = TypeVar("T")


class Workers(Generic[T]):
    """A number of threads for one kind of work, each started when there is something for it to do.

    An error that nobody catches ends the whole process, without its message.

    Args:
        work: Called in one of the threads with what `submit` was given.
        count: How many threads at most.
        name: Theirs.
    """

    def __init__(self, work: Callable[[T], None], count: int, name: str) -> None:
        self._work = work
        self._count = count
        self._name = name
        self._jobs: SimpleQueue[tuple[T] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, job: T) -> None:
        """Have a job done as soon as a thread is free; called from one thread only."""
        self._jobs.put((job,))
        if len(self._threads) < self._count:
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def shutdown(self) -> None:
        """Wait until all jobs are done, and end the threads."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        with process.Deadly():
            while (job := self._jobs.get()) is not None:
                self._work(job[0])
