"""The thread on which the database is used."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from messenger.core.errors import StorageError

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """One thread that runs jobs one after the other, in the order in which they came.

    Args:
        name: Of the thread, for logs and debuggers.
    """

    def __init__(self, name: str = "storage") -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a job on the thread and return what it returned, or raise what it raised.

        May be awaited in any asyncio loop. If the caller is cancelled, the job runs all the same:
        what was to be written is written. Should it then fail, the exception handler of the loop is told.

        Args:
            fn: What to run.
            *args: Its arguments.
            **kwargs: Its arguments by name.

        Raises:
            StorageError: The worker is closed; the job was not run.
        """
        try:
            job = self._executor.submit(fn, *args, **kwargs)
        except RuntimeError as e:
            raise StorageError("the storage thread has ended") from e
        result = asyncio.wrap_future(job)
        await asyncio.wait([result])  # unlike awaiting the job itself, this leaves it alone when cancelled
        return result.result()

    def close(self) -> None:
        """Run what waits, then end the thread; returns when it has ended. A second call does nothing."""
        self._executor.shutdown(wait=True)
