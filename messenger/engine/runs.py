"""The lanes of transfers: whose turn it is, and what is done when one ends."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from messenger.core import transfer_limits as limits
from messenger.core.errors import (
    ConnectError,
    DestinationGone,
    DiskFull,
    DiskReadOnly,
    InputError,
    ProtocolError,
    Reason,
    SourceChanged,
    SourceGone,
    SourceUnreadable,
    StagingLost,
    StorageError,
)
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Contact
from messenger.core.ranges import Ranges
from messenger.core.transfers import ENDS, TransferId, TransferState, Trouble, Wish
from messenger.engine.carrying import Carrier
from messenger.engine.context import Context
from messenger.engine.events import EngineFault
from messenger.engine.lane_jobs import Job, Receiving, Sending, Throttle
from messenger.engine.lanes import Lanes
from messenger.engine.tasks import Tasks
from messenger.net.connection import Connection
from messenger.net.lanes import Line
from messenger.protocol.lane_files import Refused, read_begin
from messenger.storage.outgoing import OutgoingReader
from messenger.storage.transfers import Held

_KIB: Final = 1024


class Board(Protocol):
    """What is known about transfers; see `messenger.engine.transfers.Transfers`."""

    held: dict[TransferId, Held]
    links: dict[ConversationId, Connection]

    def tell(self, held: Held, *, busy: bool = False) -> None:
        """Tell them what we want of a transfer."""

    def take(self, held: Held) -> None:
        """A transfer stands differently."""

    def publish(self, held: Held) -> None:
        """Tell everybody here how a transfer stands."""

    async def wish(self, id_: TransferId, wish: Wish, trouble: Trouble = Trouble.NONE) -> Held:
        """Change what we want of a transfer."""

    async def find(self, conversation: ConversationId, message: MessageId, *, outgoing: bool) -> Held | None:
        """The transfer that a message offers."""


@dataclass(eq=False)
class Run:
    """A lane of a transfer, open or about to be."""

    connection: Connection
    outgoing: bool
    job: Job | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    samples: deque[tuple[float, int]] = field(default_factory=deque)
    """Time and bytes moved, of the last seconds."""
    done: int = 0

    @property
    def speed(self) -> int:
        """Bytes a second over the last seconds."""
        if len(self.samples) < 2:
            return 0
        (first, before), (last, after) = self.samples[0], self.samples[-1]
        return int((after - before) / (last - first)) if last > first else 0

    def stop(self) -> None:
        """End soon."""
        if self.job is not None:
            self.job.stop()


class Runs:
    """The lanes that run, those that wait, and what is done about transfers without the other side.

    Args:
        context: The open profile.
        board: What is known about all transfers that have not ended.
    """

    def __init__(self, context: Context, board: Board) -> None:
        self._context = context
        self._store = context.store.transfers
        self._board = board
        self.lanes = Lanes(context, lambda *opened: self._tasks.start(self._answer(*opened)))
        self.carrier = Carrier(context, self._on_progress)
        self._runs: dict[TransferId, Run] = {}
        self._aside: set[TransferId] = set()
        """Ours that they have no lane for just now, or that wait for their receipt, or for another try."""
        self._refused: list[TransferId] = []
        """Theirs for which we had no lane."""
        self._alone: set[TransferId] = set()
        """Theirs that are being put in place, or wait for room."""
        self._placing: dict[TransferId, asyncio.Event] = {}
        """Theirs that are being put in place, with what is set when that has ended."""
        self._tries: dict[TransferId, int] = {}
        self._own: dict[TransferId, Throttle] = {}
        self._up, self._down = Throttle(), Throttle()
        self._tasks = Tasks("transfers", context.publish)
        self.closed = False
        """The program ends."""
        self.on_clear: Callable[[Held], Awaitable[None]] | None = None
        """Called when a transfer has ended, or is gone, and its lane has ended."""

    async def close(self) -> None:
        """End every lane; all that has come is noted."""
        self.closed = True
        await self.lanes.close()
        for run in self._runs.values():
            run.stop()
        await self._tasks.close(limits.PROGRESS_EVERY * 10)
        await self.carrier.close()

    def of(self, id_: TransferId) -> Run | None:
        """The lane of a transfer, open or about to be."""
        return self._runs.get(id_)

    def hope(self, id_: TransferId) -> None:
        """Something has changed: a transfer that was put aside may be tried at once."""
        self._aside.discard(id_)
        self._tries.pop(id_, None)

    def put_aside(self, id_: TransferId) -> None:
        """They have no lane for a transfer of ours just now, and will say so when they have."""
        self._aside.add(id_)

    def end(self, held: Held) -> None:
        """A transfer has ended: remove what it leaves."""
        self._tasks.start(self.clear(held))

    def schedule(self) -> None:
        """Open lanes for files of ours, in the order of their turns, as many as the settings allow."""
        settings = self._context.settings
        self._up.rate, self._down.rate = settings.send_limit * _KIB, settings.receive_limit * _KIB
        for held in sorted(self._board.held.values(), key=lambda held: (-held.turn, held.id)):
            if self.closed or self._full(outgoing=True):
                return
            if self.queued(held):
                run = self._runs[held.id] = Run(self._board.links[held.conversation], outgoing=True)
                self._tasks.start(self._send(held, run))

    def queued(self, held: Held) -> bool:
        """Whether a transfer of ours waits for nothing but room for one more lane."""
        wanted = (
            held.outgoing and held.state is TransferState.WAITING and held.conversation in self._board.links
        )
        return wanted and held.id not in self._runs and held.id not in self._aside

    async def _send(self, held: Held, run: Run) -> None:
        async with self._ending(held, run):
            line = await self.lanes.open(run.connection)
            if self._board.links.get(held.conversation) is not run.connection:  # another has taken over
                line.abort()
                line.close()
                raise ConnectError(Reason.INTERRUPTED)
            throttles = (self._up, self._own.setdefault(held.id, Throttle()))

            def job_of(reader: OutgoingReader, known: Ranges) -> Sending:
                job = Sending(line, held.message, held.offering, reader, known, throttles)
                run.job = job
                self._board.publish(held)
                return job

            try:
                await self.carrier.send(held, job_of)
                self._aside.add(held.id)  # what remains is their receipt
                self._board.take(await self._context.stored(self._store.get, held.id))
            finally:
                line.close()

    def _full(self, *, outgoing: bool) -> bool:
        """No more lanes may run; each way has its own number, else two people could wait for each other."""
        running = sum(run.outgoing == outgoing for run in self._runs.values())
        return running >= self._context.settings.lanes

    async def _answer(self, contact: Contact, connection: Connection, line: Line) -> None:
        """They have opened a lane: for a transfer of theirs that we want, or it is dropped."""
        try:
            word = await self.carrier.thread(line, line.receive)
            held = None
            if word is not None:
                held = await self._board.find(contact.id, MessageId(read_begin(word)), outgoing=False)
            if held is None or held.mine is not Wish.GO or held.state in ENDS or held.root:
                if held is not None and (held.mine is not Wish.GO or held.state in ENDS):
                    self._board.tell(held)  # else all is here, and its receipt will be told
                return
            if (before := self._runs.get(held.id)) is not None:
                before.stop()
                await before.ended.wait()
            if self._full(outgoing=False):
                self._refused.append(held.id)
                self._board.tell(held, busy=True)
                return
            await self._receive(held, connection, line)
        except (OSError, ProtocolError):  # whoever opened it tries again
            pass
        finally:
            with contextlib.suppress(OSError):
                line.abort()
                line.close()

    async def _receive(self, held: Held, connection: Connection, line: Line) -> None:
        job = Receiving(line, (self._down, self._own.setdefault(held.id, Throttle())))
        run = self._runs[held.id] = Run(connection, outgoing=False, job=job)
        async with self._ending(held, run):
            held = await self._context.stored(self._store.get, held.id)
            self._board.publish(held)
            await self.carrier.receive(held, job)
            self._board.take(await self._context.stored(self._store.get, held.id))

    def settle(self, held: Held) -> None:
        """What can be done about a transfer of theirs without them."""
        if held.outgoing or held.id in self._alone:
            return
        if held.state is TransferState.WAITING and held.root:
            self._alone.add(held.id)
            ended = self._placing[held.id] = asyncio.Event()
            self._tasks.start(self._place(held, ended))
        elif held.mine is Wish.PAUSED and held.my_trouble is Trouble.NO_ROOM:
            self._alone.add(held.id)
            self._tasks.start(self._await_room(held.id))

    async def _place(self, held: Held, ended: asyncio.Event) -> None:
        """Everything has come: put it in its place, and only then say so."""
        try:
            try:
                done = await self.carrier.place(held)
            except StorageError as e:
                self._alone.discard(held.id)
                await self._fault(held, e)
            else:
                self._alone.discard(held.id)
                self._board.tell(done)
                self._board.take(done)
        except InputError:  # the conversation was deleted meanwhile
            self._alone.discard(held.id)
            self._board.held.pop(held.id, None)
            await self.carrier.discard(held)
        finally:
            del self._placing[held.id]
            ended.set()

    async def _await_room(self, id_: TransferId) -> None:
        """The disk is full: go on by ourselves as soon as it is not."""
        while (held := self._board.held.get(id_)) is not None and held.my_trouble is Trouble.NO_ROOM:
            await asyncio.sleep(limits.ROOM_EVERY)
            try:
                if await self.carrier.has_room(held):
                    break
            except StorageError as e:
                self._alone.discard(id_)
                await self._fault(held, e)
                return
        self._alone.discard(id_)
        if held is not None and held.my_trouble is Trouble.NO_ROOM:
            with contextlib.suppress(InputError):  # the conversation was deleted meanwhile
                await self._board.wish(id_, Wish.GO)

    @contextlib.asynccontextmanager
    async def _ending(self, held: Held, run: Run) -> AsyncIterator[None]:
        """Whatever happens on a lane: the transfer goes on later, pauses, or has failed, and says why."""
        cut = False
        try:
            yield
        except Refused:
            await self._board.wish(held.id, Wish.FAILED, Trouble.BROKEN)
        except StorageError as e:
            await self._fault(held, e)
        except (OSError, ProtocolError, ConnectError):
            cut = True
            if run.job is None or not run.job.stopped:
                self._later(held.id)
        except InputError:  # the conversation was deleted meanwhile
            self._board.held.pop(held.id, None)
        finally:
            if self._runs.get(held.id) is run:
                del self._runs[held.id]
            run.ended.set()
            self._make_room()
            if cut and not self.closed and (known := self._board.held.get(held.id)) is not None:
                if run.samples:  # what has come is still there while it waits
                    known = self._board.held[held.id] = msgspec.structs.replace(known, done=run.done)
                self._board.publish(known)  # it runs no more, and has no speed

    async def _fault(self, held: Held, error: StorageError) -> None:
        """A disk is at fault: of a source, and that ends it; else it waits, for a person or for room."""
        match error:
            case SourceChanged():
                await self._board.wish(held.id, Wish.FAILED, Trouble.SOURCE_CHANGED)
            case SourceGone() | SourceUnreadable():
                await self._board.wish(held.id, Wish.FAILED, Trouble.SOURCE_GONE)
            case StagingLost():
                await self.carrier.begin_anew(held)
                held = await self._context.stored(self._store.get, held.id)
                self._board.tell(held)
                self._board.take(held)
            case DiskFull():
                await self._board.wish(held.id, Wish.PAUSED, Trouble.NO_ROOM)
            case DiskReadOnly() | DestinationGone():
                await self._board.wish(held.id, Wish.PAUSED, Trouble.READ_ONLY)
            case _:
                self._context.publish(EngineFault("transfers", type(error).__name__))
                await self._board.wish(held.id, Wish.PAUSED, Trouble.DISK)

    def _make_room(self) -> None:
        """A lane has ended: whoever was told that there is none may try again."""
        refused, self._refused = self._refused, []
        for id_ in refused:
            if (held := self._board.held.get(id_)) is not None:
                self._board.tell(held)
        self.schedule()

    def _later(self, id_: TransferId) -> None:
        """Try again after a pause, which grows from one failure to the next."""
        tries = self._tries[id_] = self._tries.get(id_, 0) + 1
        pause = min(limits.LANE_RETRY * 2 ** min(tries - 1, 16), limits.LANE_RETRY_MAX)
        self._aside.add(id_)
        if (held := self._board.held.get(id_)) is not None and not self.closed:
            asyncio.get_running_loop().call_later(pause, self._again, id_)
            self._board.publish(held)

    def _again(self, id_: TransferId) -> None:
        if not self.closed:
            self._aside.discard(id_)
            self.schedule()

    def _on_progress(self, id_: TransferId, done: int, moved: int) -> None:
        run, held = self._runs.get(id_), self._board.held.get(id_)
        if run is None or held is None:
            return
        now = asyncio.get_running_loop().time()
        run.done = done
        run.samples.append((now, moved))
        while run.samples[0][0] < now - limits.SPEED_OVER:
            run.samples.popleft()
        if moved:
            self._tries.pop(id_, None)
        self._board.publish(held)

    def stop(self, id_: TransferId) -> None:
        """End the lane of a transfer soon, if it has one."""
        if (run := self._runs.get(id_)) is not None:
            run.stop()

    def leave_detour(self, id_: TransferId) -> None:
        """There is a direct link: files of ours that go through a relay go on by that."""
        run = self._runs.get(id_)
        if run is not None and run.outgoing and run.connection.stream.through is not None:
            run.stop()

    async def clear(self, held: Held) -> None:
        """A transfer has ended: remove what it leaves, once its lane has ended and its files are placed."""
        if (run := self._runs.get(held.id)) is not None:
            await run.ended.wait()
        if (placing := self._placing.get(held.id)) is not None:
            await placing.wait()
        self._own.pop(held.id, None)
        self._tries.pop(held.id, None)
        self._aside.discard(held.id)
        await self.carrier.discard(held)
        if self.on_clear is not None:
            await self.on_clear(held)

    def set_limit(self, id_: TransferId, rate: int) -> None:
        """Bound the speed of one transfer until the program ends, bytes a second; 0 for no bound."""
        self._own.setdefault(id_, Throttle()).rate = rate
