"""The broker of a relay on one machine: SQLite on a thread, writes that come together committed together."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, TypeVar

from messenger.core import limits, relay_limits
from messenger.core.errors import StorageError
from messenger.relay.broker import Entries, News, NoRoom, Put, QueueRow, Totals
from messenger.storage.relay_store import RelayStore
from messenger.storage.worker import Worker

T = TypeVar("T")

Quota = Callable[[int], tuple[int, int]]
"""Most messages and bytes of a queue of a kind."""


class Disk(NamedTuple):
    """How much of the disk may be filled.

    Attributes:
        most: Bytes; 0 for all but `leave`.
        leave: Bytes that stay free.
    """

    most: int = 0
    leave: int = 0


NO_BOUND: Final = Disk()
"""All of it."""


def unix_seconds() -> int:
    """Unix time."""
    return int(time.time())


class _Job:
    """One call, its outcome, and whoever waits for it."""

    __slots__ = ("call", "done", "error", "result")

    def __init__(self, call: Callable[[], Any], done: "asyncio.Future[Any]") -> None:
        self.call = call
        self.done = done
        self.result: Any = None
        self.error: Exception | None = None

    def do(self) -> None:
        """Call; whoever finds no room has written nothing, and the others of the transaction go on."""
        try:
            self.result = self.call()
        except NoRoom as e:
            self.error = e


class _Bounds:
    """Bytes that one transaction may write and read; on the storage thread."""

    def __init__(self, store: RelayStore, disk: Disk) -> None:
        self._store = store
        self._disk = disk
        self._left: int | None = None
        self._read = 0

    def begin(self) -> None:
        """Another transaction begins."""
        self._left, self._read = None, 0

    def readable(self) -> int:
        """How many bytes of messages to read for a subscription: all that is read together is in memory."""
        return relay_limits.FETCH_OCTETS if self._read < relay_limits.FETCHED_TOGETHER else 0

    def read(self, messages: list[tuple[int, bytes, bytes]]) -> None:
        """These have been read."""
        self._read += sum(len(envelope) for _, _, envelope in messages)

    def left(self) -> int:
        """How many may be written; none if it is less than 0."""
        if self._left is None:
            self._left = self._store.room(*self._disk)
        return self._left

    def taken(self, octets: int) -> None:
        """So many have been written."""
        self._left = self.left() - octets

    def take(self, octets: int) -> None:
        """So many are about to be written.

        Raises:
            NoRoom: There are not.
        """
        if octets > self.left():
            raise NoRoom("the bound of the owner")
        self.taken(octets)


class EmbeddedBroker:
    """See `messenger.relay.broker.Broker`; make one with `open`.

    Args:
        store: Open.
        worker: The thread that it is used on.
        quota: Of the queues.
        ttl: Seconds that a message is kept, at most `limits.MAILBOX_LIFETIME`.
        disk: How much of it may be filled.
        now: Unix time in seconds.
    """

    def __init__(
        self,
        store: RelayStore,
        worker: Worker,
        quota: Quota,
        ttl: int,
        disk: Disk = NO_BOUND,
        now: Callable[[], int] = unix_seconds,
    ) -> None:
        self._store = store
        self._bounds = _Bounds(store, disk)
        self._worker = worker
        self._quota = quota
        self._ttl = ttl
        self._now = now
        self._jobs: list[_Job] = []
        self._running: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        path: Path,
        key: bytes,
        quota: Quota,
        ttl: int = limits.MAILBOX_LIFETIME,
        disk: Disk = NO_BOUND,
        now: Callable[[], int] = unix_seconds,
    ) -> Self:
        """Open the database of a relay, made if need be.

        Raises:
            StorageError: Or one of its kinds.
        """
        worker = Worker("relay storage")
        try:
            return cls(await worker.run(RelayStore.open, path, key), worker, quota, ttl, disk, now)
        except BaseException:
            worker.close()
            raise

    def listen(self, news: News) -> None:
        """There is no other machine."""

    def make(self, kind: int, recv_key: bytes, send_key: bytes) -> "asyncio.Future[QueueRow]":
        """See `Broker`."""
        ids = os.urandom(relay_limits.QUEUE_ID_SIZE), os.urandom(relay_limits.QUEUE_ID_SIZE)
        row = QueueRow(0, kind, *ids, recv_key, send_key)

        def make() -> QueueRow:
            self._bounds.take(relay_limits.ROW_COSTS)
            self._store.queues.forgive(self._now())
            return self._store.queues.add(row, self._now())

        return self._soon(make)

    def by_recv(self, recv_id: bytes) -> "asyncio.Future[QueueRow | None]":
        """See `Broker`."""
        return self._soon(partial(self._store.queues.by_recv, recv_id))

    def by_send(self, send_id: bytes) -> "asyncio.Future[QueueRow | None]":
        """See `Broker`."""
        return self._soon(partial(self._store.queues.by_send, send_id))

    def subscribed(self, queue: QueueRow) -> "asyncio.Future[tuple[int, int]]":
        """See `Broker`."""

        def note() -> tuple[int, int]:
            self._store.queues.forgive(self._now())
            self._store.queues.use(queue.number, self._now())
            waiting = self._store.messages.count(queue.number, self._now() - self._ttl)
            return waiting, self._store.prekeys.left(queue.number)

        return self._soon(note)

    def put(self, queue: QueueRow, hash_: bytes, envelope: bytes) -> "asyncio.Future[Put]":
        """See `Broker`."""
        quota = self._quota(queue.kind)

        def put() -> Put:
            now, bounds = self._now(), (*quota, self._bounds.left())
            outcome = self._store.messages.put(queue.number, hash_, envelope, now, bounds, now - self._ttl)
            if outcome is Put.STORED:
                self._bounds.taken(len(envelope))
            return outcome

        return self._soon(put)

    def fetch(
        self, queue: QueueRow, after: int, most: int
    ) -> "asyncio.Future[list[tuple[int, bytes, bytes]]]":
        """See `Broker`."""

        def fetch() -> list[tuple[int, bytes, bytes]]:
            since = self._now() - self._ttl
            octets = self._bounds.readable()
            messages = self._store.messages.after(queue.number, after, most, octets, since)
            self._bounds.read(messages)
            return messages

        return self._soon(fetch)

    def forget(self, queue: QueueRow, hashes: Sequence[bytes]) -> "asyncio.Future[None]":
        """See `Broker`."""
        return self._soon(partial(self._store.messages.forget, queue.number, hashes))

    def delete(self, queue: QueueRow) -> "asyncio.Future[None]":
        """See `Broker`."""

        def delete() -> None:
            self._store.queues.delete(queue.number)

        return self._soon(delete)

    def put_prekeys(
        self, queue: QueueRow, serial: int, encoded: bytes, prekeys: Sequence[tuple[bytes, bool, bytes]]
    ) -> "asyncio.Future[bool]":
        """See `Broker`."""

        def put() -> bool:
            self._bounds.take(
                relay_limits.ROW_COSTS + len(encoded) + sum(len(prekey) for _, _, prekey in prekeys)
            )
            return self._store.prekeys.replace(queue.number, serial, encoded, prekeys)

        return self._soon(put)

    def take_prekey(self, queue: QueueRow) -> "asyncio.Future[tuple[bytes, bytes] | None]":
        """See `Broker`."""
        return self._soon(partial(self._store.prekeys.take, queue.number))

    def entry_serial(self, fingerprint: bytes) -> "asyncio.Future[int | None]":
        """See `Broker`."""
        return self._soon(partial(self._store.entries.serial, fingerprint))

    def publish(
        self, queue: QueueRow, fingerprint: bytes, serial: int, not_after: int, entry: bytes
    ) -> "asyncio.Future[bool]":
        """See `Broker`."""

        def publish() -> bool:
            self._bounds.take(relay_limits.ROW_COSTS + len(entry))
            return self._store.entries.put(fingerprint, queue.number, serial, not_after, entry)

        return self._soon(publish)

    def withdraw(self, queue: QueueRow) -> "asyncio.Future[bool]":
        """See `Broker`."""
        return self._soon(partial(self._store.entries.delete, queue.number))

    def has_entry(self, queue: QueueRow) -> "asyncio.Future[bool]":
        """See `Broker`."""
        return self._soon(partial(self._store.entries.of, queue.number))

    def look_up(self, fingerprint: bytes) -> "asyncio.Future[Entries]":
        """See `Broker`."""

        def look_up() -> Entries:
            found = self._store.entries.get(fingerprint, self._now())
            return [] if found is None else [(found[0], fingerprint, found[1])]

        return self._soon(look_up)

    def browse(self, after: bytes, most: int) -> "asyncio.Future[Entries]":
        """See `Broker`."""
        return self._soon(lambda: self._store.entries.page(after, most, self._now()))

    def expire(self) -> "asyncio.Future[tuple[list[int], bool]]":
        """See `Broker`; at most `relay_limits.EXPIRY_STEP` rows of each kind, and hardly more than
        `relay_limits.EXPIRY_OCTETS` of messages by themselves, and with their queues.
        """

        def expire() -> tuple[list[int], bool]:
            now, step, octets = self._now(), relay_limits.EXPIRY_STEP, relay_limits.EXPIRY_OCTETS
            messages = self._store.messages.expire(now - self._ttl, step, octets)
            entries = self._store.entries.expire(now, step)
            self._store.queues.forgive(now)
            unused, gone = self._store.queues.unused(now - relay_limits.QUEUE_UNUSED, step), []
            for number in unused:
                if octets <= 0:
                    break
                octets -= self._store.messages.octets(number)
                self._store.queues.delete(number)
                gone.append(number)
            return gone, messages > 0 or step in (entries, len(unused)) or len(gone) < len(unused)

        return self._soon(expire)

    def totals(self) -> "asyncio.Future[Totals]":
        """See `Broker`."""
        store = self._store

        def totals() -> Totals:
            queues, entries = store.queues.count(), store.entries.count()
            return Totals(queues, *store.messages.total(), entries, max(self._bounds.left(), 0))

        return self._soon(totals)

    async def close(self) -> None:
        """Write what waits, and close the database."""
        while self._running is not None:
            await asyncio.wait([self._running])
        try:
            await self._worker.run(self._store.close)
        finally:
            await asyncio.get_running_loop().run_in_executor(None, self._worker.close)

    def _soon(self, call: Callable[[], T]) -> "asyncio.Future[T]":
        """Run a call on the storage thread, in the next transaction."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.append(_Job(call, done))
        if self._running is None:
            self._running = loop.create_task(self._run(), name="relay storage")
        return done

    async def _run(self) -> None:
        """Write until nothing waits."""
        try:
            while self._jobs:
                most = relay_limits.WRITES_TOGETHER
                jobs, self._jobs = self._jobs[:most], self._jobs[most:]
                try:
                    await self._worker.run(self._together, jobs)
                except StorageError as e:  # the thread has ended
                    for job in jobs:
                        job.error = e
                for job in jobs:
                    if not job.done.done():
                        if job.error is None:
                            job.done.set_result(job.result)
                        else:
                            job.done.set_exception(job.error)
        finally:
            self._running = None

    def _together(self, jobs: list[_Job]) -> None:
        """All in one transaction; if that fails, each by itself, so that each meets its own error."""
        if len(jobs) > 1:
            try:
                self._bounds.begin()
                with self._store.transaction():
                    for job in jobs:
                        job.do()
            except Exception:  # noqa: BLE001, S110 -- nothing was written; below, each meets its own error
                pass
            else:
                return
        within: Callable[[], AbstractContextManager[None]] = self._store.transaction
        for job in jobs:
            self._bounds.begin()
            job.error = None
            try:
                with within():
                    job.do()
            except Exception as e:  # noqa: BLE001 -- handed to whoever asked, as it is
                job.error = e
