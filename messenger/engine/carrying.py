"""One lane for one transfer, from its first word to its last: threads move bytes, the loop keeps the journal.

Whatever ends a lane, what has come is made durable and noted; the next one goes on from there.
"""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from messenger.core import file_entries, transfer_limits
from messenger.core.errors import DiskFull, RemoteProtocolError, StagingLost, StorageError
from messenger.core.file_entries import Entry
from messenger.core.offering import Offering
from messenger.core.ranges import Ranges
from messenger.core.transfers import TransferId
from messenger.crypto.hashing import content_hasher, manifest_root
from messenger.crypto.hkdf import equal
from messenger.engine.context import Context
from messenger.engine.lane_jobs import Job, Receiving, Sending
from messenger.net.lanes import Line
from messenger.protocol.lane_files import ChunkReader, Have, Refused
from messenger.storage import landing as landings
from messenger.storage.landing import Landing
from messenger.storage.outgoing import OutgoingReader, decode_sources
from messenger.storage.transfers import Held

P = ParamSpec("P")
T = TypeVar("T")

THREADS_MAX: Final = 64
"""Lanes in their first words included."""

_RANK: Final = 4
"""Niceness of lane threads. With 0 a message beside a file takes half as long again on two cores; with 15
some wait very long, for a thread that has the interpreter and no processor."""

_KEPT: Final = 4
"""Landings that stay open between two lanes."""


@dataclass(eq=False)
class _Inbound:
    """What has come of a transfer, kept between two lanes so that nothing is sent twice."""

    chunks: ChunkReader
    landing: Landing


class Carrier:
    """Runs lanes.

    Args:
        context: The open profile.
        progress: Called now and then while a transfer runs, with how many bytes are there and how many this
            lane has moved.
    """

    def __init__(self, context: Context, progress: Callable[[TransferId, int, int], None]) -> None:
        self._context = context
        self._store = context.store.transfers
        self._progress = progress
        self._threads = ThreadPoolExecutor(THREADS_MAX, "lane", initializer=_step_back)
        self._inbound: dict[TransferId, _Inbound] = {}

    async def close(self) -> None:
        """Give everything back; all lanes have ended."""
        for id_ in list(self._inbound):
            await self.drop(id_)
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)

    async def thread(self, line: Line | None, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something that blocks on a thread; if the caller is cancelled, a lane is broken off first."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, lambda: fn(*args, **kwargs))
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            if line is not None:
                line.abort()
            await asyncio.wait([future])
            future.exception()
            raise
        return future.result()

    async def send(self, held: Held, job_of: "Callable[[OutgoingReader, Ranges], Sending]") -> None:
        """Send what they lack of a transfer of ours.

        Args:
            held: The transfer.
            job_of: Makes the job, on a lane that has just been opened.

        Raises:
            OSError, ProtocolError, ConnectError: The lane has ended before its end.
            FileError: A file is not what was offered.
            Refused: They do not keep to the rules.
            StorageError: The journal could not be read or written.
        """
        sources = decode_sources(await self._context.stored(self._store.sources, held.id))
        manifest = await self._context.stored(self._store.manifest, held.id)
        known = await self._context.stored(self._store.held_chunks, held.id)
        reader = OutgoingReader(sources)
        job = job_of(reader, known)
        try:
            have = await self.thread(job.line, job.begin)

            async def note() -> None:
                await self._note(held, job.fresh, job.done)

            try:
                running = self.thread(job.line, job.run, have, lambda: manifest)
                await self._watched(held.id, job, running, note, lambda: job.done)
            finally:
                await note()
            root = await self._root(held)
            await self._context.stored(self._store.complete, held.id, root)
            await self.thread(job.line, job.finish, root)
        finally:
            await self.thread(None, reader.close)

    async def receive(self, held: Held, job: Receiving) -> None:
        """Take what we lack of a transfer of theirs, up to the proof of all of it.

        Raises:
            OSError, ProtocolError, ConnectError: The lane has ended before its end.
            Refused: They do not keep to the rules.
            StorageError: The disk refused.
        """
        if not await self.has_room(held):
            raise DiskFull("no room for what has been offered")
        kept = self._inbound.pop(held.id, None)
        if kept is None and held.manifest:
            kept = await self._reopened(held)
        if kept is None:
            kept = await self._created(held, job)
        else:
            await self.thread(job.line, job.tell, kept.chunks.resume(manifest=True))
        chunks, landing = kept.chunks, kept.landing

        async def note() -> None:
            await self._note(held, chunks.fresh, chunks.done, landing.sync)

        try:
            running = self.thread(job.line, job.run, chunks, landing)
            root = await self._watched(held.id, job, running, note, lambda: chunks.done)
            await note()
        except StorageError:
            with contextlib.suppress(StorageError):  # what can be made durable all the same is not lost
                await note()
            await self.thread(None, landing.close)
            raise
        except BaseException:
            await self._keep(held, kept, note)
            raise
        self._inbound[held.id] = kept
        if not equal(root, await self._root(held)):
            raise Refused("the whole has another hash")
        await self._context.stored(self._store.complete, held.id, root)

    async def has_room(self, held: Held) -> bool:
        """Whether what is still to come fits on the disk where it goes.

        Raises:
            StorageError: The disk refused; DestinationGone: the folder is not there.
        """
        room = await self.thread(None, landings.room, Path(held.folder))
        return room >= held.offering.size - held.done

    async def place(self, held: Held) -> Held:
        """Put files that have all come in their place; may be repeated after a crash.

        Raises:
            StorageError: The disk refused.
        """
        kept = self._inbound.pop(held.id, None) or await self._reopened(held)
        if kept is None:
            raise StagingLost("the list of files")
        try:
            placed = await self.thread(None, kept.landing.finish)
        finally:
            await self.thread(None, kept.landing.close)
        done = await self._context.stored(self._store.place, held.id, [str(path) for path in placed])
        await self.discard(done)
        return done

    async def drop(self, id_: TransferId) -> None:
        """Close what is open of a transfer."""
        kept = self._inbound.pop(id_, None)
        if kept is not None:
            await self.thread(None, kept.landing.close)

    async def discard(self, held: Held) -> None:
        """Remove what has come of a transfer of theirs that has ended."""
        await self.drop(held.id)
        if not held.outgoing and held.folder:
            with contextlib.suppress(StorageError):  # what is left can be seen, and harms nobody
                await self.thread(None, landings.discard, Path(held.folder), held.staging)

    async def begin_anew(self, held: Held) -> None:
        """What had come is gone: forget it."""
        await self.drop(held.id)
        await self._context.stored(self._store.begin_anew, held.id)

    async def _created(self, held: Held, job: Receiving) -> _Inbound:
        """Get the list of files, or what is left of it, and make room for them."""
        if held.manifest:
            manifest = await self._context.stored(self._store.manifest, held.id)
        else:
            manifest = await self.thread(
                job.line, job.manifest, Have(manifest=False, held=Ranges()), held.offering.manifest
            )
        entries = await self.thread(job.line, checked, manifest, held.offering)
        await self._context.stored(self._store.set_manifest, held.id, manifest)
        landing = await self.thread(job.line, Landing.create, Path(held.folder), held.staging, entries)
        chunks = ChunkReader(held.offering, Ranges())
        if held.manifest:
            await self.thread(job.line, job.tell, chunks.resume(manifest=True))
        return _Inbound(chunks, landing)

    async def _reopened(self, held: Held) -> _Inbound | None:
        """Go on with what the journal has; None if nothing of it is there."""
        manifest = await self._context.stored(self._store.manifest, held.id)
        there = await self._context.stored(self._store.held_chunks, held.id)
        if not manifest:
            return None
        entries = await self.thread(None, checked, manifest, held.offering)
        size = held.offering.size
        parts = [
            (first * transfer_limits.CHUNK, min(end * transfer_limits.CHUNK, size)) for first, end in there
        ]
        try:
            landing = await self.thread(None, Landing.reopen, Path(held.folder), held.staging, entries, parts)
        except StagingLost:
            await self.begin_anew(held)
            return None
        return _Inbound(ChunkReader(held.offering, there), landing)

    async def _watched(
        self,
        id_: TransferId,
        job: Job,
        running: Awaitable[T],
        note: Callable[[], Awaitable[None]],
        done: Callable[[], int],
    ) -> T:
        """Wait for a thread; meanwhile tell the progress and keep the journal."""
        loop = asyncio.get_running_loop()
        task, noted = asyncio.ensure_future(running), loop.time()
        try:
            while not (await asyncio.wait([task], timeout=transfer_limits.PROGRESS_EVERY))[0]:
                self._progress(id_, done(), job.moved)
                if loop.time() - noted >= transfer_limits.JOURNAL_EVERY:
                    await note()
                    noted = loop.time()
            return task.result()
        finally:
            if not task.done():  # the journal could not be written, or the program ends
                job.stop()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _note(
        self, held: Held, fresh: list[tuple[int, bytes]], done: int, sync: Callable[[], None] | None = None
    ) -> None:
        """Make durable what is fresh, and then note it; more may come meanwhile."""
        batch = fresh[:]
        if not batch:
            return
        if sync is not None:
            await self.thread(None, sync)
        await self._context.stored(self._store.journal, held.id, batch, done)
        del fresh[: len(batch)]

    async def _keep(self, held: Held, kept: _Inbound, note: Callable[[], Awaitable[None]]) -> None:
        """A lane was cut: note what has come, and keep the begun chunk for the next one."""
        try:
            await note()
        except StorageError:
            await self.thread(None, kept.landing.close)
            return
        self._inbound[held.id] = kept
        while len(self._inbound) > _KEPT:
            await self.drop(next(iter(self._inbound)))

    async def _root(self, held: Held) -> bytes:
        hashes = await self._context.stored(self._store.hashes, held.id)
        hasher = content_hasher()
        for part in hashes:
            hasher.update(part)
        return hasher.digest()


def _step_back() -> None:
    """Let messages go first where the processors are all busy; only Linux has such a rank for each thread."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # it is a courtesy
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _RANK)


def checked(manifest: bytes, offering: Offering) -> tuple[Entry, ...]:
    """Read a list of files that fits to its offer.

    Raises:
        Refused: It does not.
    """
    if len(manifest) != offering.manifest or not equal(manifest_root(manifest), offering.root):
        raise Refused("another list of files than was offered")
    try:
        entries = file_entries.decode(manifest)
    except RemoteProtocolError as e:
        raise Refused("a list of files that cannot be") from e
    folders = sum(entry.folder for entry in entries)
    told = (offering.folders, offering.files, offering.size)
    if (folders, len(entries) - folders, file_entries.total(entries)) != told:
        raise Refused("a list of files that does not fit to its offer")
    return entries
