"""Writes that are asked for at the same time share one transaction, and so one wait for the disk."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ParamSpec, Protocol, TypeVar

from messenger.core import store_limits
from messenger.core.errors import SottoError, StorageError
from messenger.storage.worker import Worker

P = ParamSpec("P")
T = TypeVar("T")


class Transactions(Protocol):
    """What makes several writes one; see `messenger.storage.store.Store`."""

    def transaction(self) -> AbstractContextManager[None]:
        """All of the block is on disk after it, or nothing."""

    def attempt(self) -> AbstractContextManager[None]:
        """A part of a transaction that leaves nothing behind if it fails."""


class _Write:
    """One write, its result, and whoever waits for it."""

    def __init__(self, job: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.job = job
        self.done: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: Exception | None = None

    def tell(self) -> None:
        """Hand the outcome to whoever waits; if nobody does any more, a failure is told to the loop."""
        if self.done.done():
            if self.error is not None:
                context = {"message": "a write that nobody waits for failed", "exception": self.error}
                self.done.get_loop().call_exception_handler(context)
        elif self.error is None:
            self.done.set_result(self.result)
        else:
            self.done.set_exception(self.error)


class GroupCommit:
    """Collects writes while the disk is busy with the ones before, and commits them together.

    Each is on disk before its caller goes on. One that fails takes no other with it. They run in
    the order in which they came, but other jobs of the worker may come in between.

    Args:
        worker: The storage thread.
        transactions: The store that the writes are about.
    """

    def __init__(self, worker: Worker, transactions: Transactions) -> None:
        self._worker = worker
        self._transactions = transactions
        self._waiting: list[_Write] = []
        self._committing: asyncio.Task[None] | None = None

    async def run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a write on the storage thread and return what it returned, once that is on disk.

        Belongs to one event loop. If the caller is cancelled, the write takes place all the same.

        Args:
            fn: Uses the store and nothing else, since it is run a second time if the transaction fails
                because of another.
            *args: Its arguments.
            **kwargs: Its arguments by name.

        Raises:
            Exception: Whatever it raised; nothing of it was written.
            StorageError: It could not be committed.
        """
        write = _Write(lambda: fn(*args, **kwargs), asyncio.get_running_loop())
        self._waiting.append(write)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit(), name="group commit")
        result: T = await write.done
        return result

    async def _commit(self) -> None:
        """Write until nothing waits."""
        try:
            while self._waiting:
                writes, self._waiting = (
                    self._waiting[: store_limits.GROUP_COMMIT_MAX],
                    self._waiting[store_limits.GROUP_COMMIT_MAX :],
                )
                try:
                    await self._worker.run(self._together, writes)
                except StorageError as e:  # the thread has ended
                    for write in writes:
                        write.error = e
                for write in writes:
                    write.tell()
        finally:
            self._committing = None

    def _together(self, writes: list[_Write]) -> None:
        if len(writes) > 1:
            try:
                with self._transactions.transaction():
                    for write in writes:
                        _try(write, self._transactions.attempt)
            except Exception:  # noqa: BLE001, S110 -- nothing was written; below, each meets its own error
                pass
            else:
                return
        for write in writes:
            try:
                _try(write, contextlib.nullcontext)
            except Exception as e:  # noqa: BLE001 -- handed to whoever asked, as it is
                write.error = e


def _try(write: _Write, within: Callable[[], AbstractContextManager[None]]) -> None:
    """Run one; a refusal is its outcome, but a fault of the disk or of the program concerns them all."""
    write.error = None
    try:
        with within():
            write.result = write.job()
    except StorageError:
        raise
    except SottoError as e:
        write.error = e
