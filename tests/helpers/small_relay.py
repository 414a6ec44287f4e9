"""A relay in a few lines, in memory and on a real socket, that a test can make lie.

It keeps to the rules unless somebody overrides what it does; what it holds survives `restart`.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from messenger.core import relay_limits
from messenger.core.ids import Fingerprint, format_fingerprint
from messenger.crypto.hkdf import digest
from messenger.net.connection import Connection
from messenger.net.dial import Stream
from messenger.net.listen import Listener, Slot
from messenger.protocol.circuits import C1, CircuitEntrance, JoinCode, Joined
from messenger.protocol.directory import Entry
from messenger.protocol.handshake import PeerAnonymous, SignNeeded, UnwrapNeeded
from messenger.protocol.link import ContentReceived, Link, LinkEvent, LinkState, LinkUp
from messenger.protocol.relay_answers import (
    Done,
    Page,
    Pass,
    PrekeyGiven,
    QueueMade,
    Subscribed,
)
from messenger.protocol.relay_finding import Browse, LookUp, Publish, SetStatus, Status, Withdraw
from messenger.protocol.relay_queues import (
    Acknowledge,
    AskPuzzle,
    Connect,
    Delete,
    GetPrekey,
    NewQueue,
    PutPrekeys,
    QueueKind,
    Send,
    Subscribe,
)
from messenger.protocol.relay_request import Proved, Request
from messenger.protocol.relay_service import RelayService
from messenger.protocol.relay_wire import EXPORT
from messenger.protocol.relay_word import Code, DirectoryPolicy, EndReason, Welcome
from messenger.protocol.responder import Responder
from tests.helpers.engines import fresh_port
from tests.helpers.keys import identity
from tests.helpers.patience import PATIENCE

BITS: Final = 4
"""Of its puzzles: they cost nothing here."""


@dataclass
class Queue:
    """One queue."""

    kind: QueueKind
    recv_key: bytes
    send_key: bytes
    recv_id: bytes
    send_id: bytes
    messages: dict[bytes, bytes] = field(default_factory=dict)
    """Envelopes by hash, the oldest first."""
    reader: "tuple[Client, int] | None" = None
    """Who has subscribed, and with which tag."""
    signed: bytes = b""
    prekeys: list[bytes] = field(default_factory=list)
    handed: set[bytes] = field(default_factory=set)
    entry: bytes = b""
    status: Status = Status.OFFLINE


class Client:
    """One link."""

    def __init__(self, relay: "SmallRelay", stream: Stream) -> None:
        keys = identity(relay.who)
        self._relay = relay
        self._keys = keys
        responder = Responder(keys.bundle(), int(time.time()), open_door=False, anonymous=True)
        self.link = Link(responder, raw=True)
        self.connection = Connection(stream, self.link, self._on_event, patience=PATIENCE)
        self.service: RelayService | None = None

    async def run(self) -> None:
        """Serve it to its end."""
        await self.connection.run()

    def flush(self) -> None:
        """Send what the service has to say, unless they have left, perhaps right after they asked."""
        if self.service is not None and self.link.state is LinkState.OPEN:
            self.connection.post_contents(self.service.data_to_send())

    async def _on_event(self, event: LinkEvent) -> None:
        match event:
            case SignNeeded(label, fields):
                self.link.signed(self._keys.signing.sign(label, fields))
            case UnwrapNeeded(label, ciphertext):
                self.link.unwrapped(self._keys.exchange.unwrap(label, ciphertext))
            case PeerAnonymous():
                self.link.accept()
            case LinkUp():
                self.service = RelayService(self.link.export(EXPORT, b""), self._relay.welcome())
            case ContentReceived(content) if self.service is not None:
                for request in self.service.receive(content):
                    self._relay.note(request)
                    self._relay.answer(self, self.service, request)
        self.flush()


class SmallRelay:
    """Make one with `open`.

    Args:
        who: The test identity that it has.
    """

    def __init__(self, who: str = "mallory") -> None:
        self.who = who
        self.port = 0
        self.limit = 64
        """Subscriptions of one link."""
        self.asked: list[Request] = []
        self.queues: list[Queue] = []
        self.seen: list[bytes] = []
        """Every envelope that was brought."""
        self._here: set[Client] = set()
        self._news = asyncio.Event()
        self._listener: Listener | None = None
        self._clients: dict[asyncio.Task[None], Stream] = {}
        self._passes: dict[bytes, tuple[bytes, asyncio.Future[Stream]]] = {}

    @classmethod
    async def open(cls, who: str = "mallory") -> Self:
        """Listen on a free port."""
        relay = cls(who)
        await relay.start()
        return relay

    @property
    def fingerprint(self) -> Fingerprint:
        """Who it is."""
        return identity(self.who).fingerprint

    @property
    def target(self) -> str:
        """What to type to use it."""
        return f"127.0.0.1:{self.port} {format_fingerprint(self.fingerprint)}"

    async def start(self) -> None:
        """Begin, again on the port that it had, which the system gives to nobody else meanwhile."""
        self.port = self.port or fresh_port()
        self._listener = await Listener.open(self._serve, self.port, exact=True, host="127.0.0.1")
        self.port = self._listener.port

    async def stop(self) -> None:
        """Drop everybody; what it holds stays."""
        if self._listener is not None:
            await self._listener.close()
            self._listener = None
        for stream in self._clients.values():
            stream.abort()
        for _other, end in self._passes.values():  # whoever waits for the other end of a circuit
            end.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def restart(self) -> None:
        """Stop and start."""
        await self.stop()
        await self.start()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for the request after which something is so."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def note(self, request: Request) -> None:
        """Something is asked, and about to be answered."""
        self.asked.append(request)
        self._news.set()

    def welcome(self) -> Welcome:
        """Its quotas."""
        return Welcome(directory=DirectoryPolicy.OPEN)

    def waiting(self) -> int:
        """Envelopes in all queues."""
        return sum(len(queue.messages) for queue in self.queues)

    # --- what a liar overrides ---

    def keep(self, queue: Queue, envelope: bytes) -> Iterable[tuple[Queue, bytes]]:
        """What is put where when somebody brings an envelope."""
        return [(queue, envelope)]

    def forget(self, queue: Queue, hashes: Iterable[bytes]) -> None:
        """Envelopes were acknowledged."""
        for hash_ in hashes:
            queue.messages.pop(hash_, None)

    def prekey(self, queue: Queue) -> tuple[bytes, bytes] | None:
        """List and prekey that somebody gets who wants to write."""
        left = [raw for raw in queue.prekeys if raw not in queue.handed and not raw[16]]
        last = [raw for raw in queue.prekeys if raw[16]]
        if not left + last:
            return None
        chosen = (left + last)[0]
        queue.handed.add(chosen)
        return queue.signed, chosen

    def entries(self) -> list[tuple[Status, bytes]]:
        """The directory."""
        found = [(queue.status, queue.entry) for queue in self.queues if queue.entry]
        return sorted(found, key=lambda pair: Entry.decode(pair[1]).fingerprint)

    def done(self, service: RelayService, request: Request) -> None:
        """Say that something was done."""
        service.answer(Done(request.tag))

    # --- requests ---

    def answer(self, client: Client, service: RelayService, request: Request) -> None:
        """Do what is asked."""
        queue = self._queue_of(request)
        if isinstance(request, Proved):
            sending = isinstance(request, Send | GetPrekey | Connect)
            key = None if queue is None else queue.send_key if sending else queue.recv_key
            if not service.holds(request, key):
                service.fail(request.tag, Code.DENIED)
                return
        match request:
            case NewQueue():
                made = Queue(request.kind, request.recv_key, request.send_key, os.urandom(24), os.urandom(24))
                self.queues.append(made)
                service.answer(QueueMade(request.tag, made.recv_id, made.send_id))
            case Acknowledge(hashes=hashes):
                for each in self.queues:
                    if each.reader == (client, request.tag):
                        self.forget(each, hashes)
                        self.bring(each)
            case AskPuzzle():
                service.set_task(request.tag, BITS)
            case LookUp(fingerprint=fingerprint):
                found = [e for e in self.entries() if Entry.decode(e[1]).fingerprint == fingerprint]
                if found:
                    service.answer(Page(request.tag, tuple(found)))
                else:
                    service.fail(request.tag, Code.ABSENT)
            case Browse(after=after, most=most):
                rest = [e for e in self.entries() if Entry.decode(e[1]).fingerprint > after]
                last = Entry.decode(rest[most - 1][1]).fingerprint if len(rest) > most else b""
                service.answer(Page(request.tag, tuple(rest[:most]), last))
            case _ if queue is not None:
                self._with_queue(client, service, request, queue)

    def _with_queue(self, client: Client, service: RelayService, request: Request, queue: Queue) -> None:
        match request:
            case Subscribe():
                self._subscribe(client, service, request, queue)
            case Send(envelope=envelope):
                if queue.kind is QueueKind.REQUESTS and not service.solved(request):
                    service.fail(request.tag, Code.PUZZLE)
                    return
                self.seen.append(envelope)
                for where, what in self.keep(queue, envelope):
                    where.messages[digest(what)] = what
                    self.bring(where)
                self.done(service, request)
            case Delete():
                self.queues.remove(queue)
                service.answer(Done(request.tag))
            case Connect():
                self._connect(service, request, queue)
            case _:
                self._with_owned(service, request, queue)

    def _with_owned(self, service: RelayService, request: Request, queue: Queue) -> None:
        match request:
            case PutPrekeys(prekeys=list_, keys=keys):
                queue.signed, queue.prekeys = list_, [*keys]
                service.answer(Done(request.tag))
            case GetPrekey():
                given = self.prekey(queue) if service.solved(request) else None
                if given is None:
                    service.fail(request.tag, Code.ABSENT)
                else:
                    service.answer(PrekeyGiven(request.tag, *given))
            case Publish(entry=entry, status=status):
                queue.entry, queue.status = entry, status
                service.answer(Done(request.tag))
            case SetStatus(status=status):
                queue.status = status
                service.answer(Done(request.tag))
            case Withdraw():
                queue.entry = b""
                service.answer(Done(request.tag))

    def _subscribe(self, client: Client, service: RelayService, request: Subscribe, queue: Queue) -> None:
        if queue.reader is not None and queue.reader[0].service is not None:
            before, tag = queue.reader
            if before.service is not None and before.link.was_open and before in self._live():
                before.service.end(tag, EndReason.TAKEN)
                before.flush()
        if sum(each.reader is not None and each.reader[0] is client for each in self.queues) >= self.limit:
            service.fail(request.tag, Code.LIMIT)
            return
        queue.reader = client, request.tag
        left = [raw for raw in queue.prekeys if raw not in queue.handed and not raw[16]]
        service.answer(Subscribed(request.tag, len(queue.messages), len(left)))
        self.bring(queue)

    def bring(self, queue: Queue) -> None:
        """Bring what waits to whoever has subscribed."""
        if queue.reader is None or queue.reader[0] not in self._live():
            return
        client, tag = queue.reader
        service = client.service
        if service is None:
            return
        for hash_, envelope in queue.messages.items():
            held = service._credits[tag].held if tag in service._credits else None
            if held is not None and service.room(tag) and hash_ not in held:
                service.deliver(tag, envelope)
        client.flush()

    def _connect(self, service: RelayService, request: Connect, queue: Queue) -> None:
        reader = queue.reader
        if reader is None or reader[0] not in self._live() or reader[0].service is None:
            service.fail(request.tag, Code.ABSENT)
            return
        client, tag = reader
        if client.service is None or not client.service.takes_calls(tag):
            service.fail(request.tag, Code.ABSENT)
            return
        ours, theirs = os.urandom(relay_limits.PASS_SIZE), os.urandom(relay_limits.PASS_SIZE)
        self.passes(ours, theirs)
        client.service.ring(tag, theirs)
        client.flush()
        service.answer(Pass(request.tag, ours))

    def passes(self, ours: bytes, theirs: bytes) -> None:
        """Two ends shall be joined."""
        loop = asyncio.get_running_loop()
        self._passes[ours] = theirs, loop.create_future()
        self._passes[theirs] = ours, loop.create_future()

    def _queue_of(self, request: Request) -> Queue | None:
        names = [getattr(request, name, None) for name in ("recv_id", "send_id", "queue")]
        found = [queue for queue in self.queues if queue.recv_id in names or queue.send_id in names]
        return found[0] if found else None

    def _live(self) -> set[Client]:
        return self._here

    # --- streams ---

    async def _serve(self, stream: Stream, slot: Slot) -> None:
        slot.release()
        task = asyncio.current_task()
        assert task is not None
        self._clients[task] = stream
        try:
            first = await stream.reader.read(1)
            if first == bytes((C1,)):
                await self._join(stream, first)
            elif first:
                await self._talk(stream, first)
        except OSError:
            pass  # they have hung up
        finally:
            stream.abort()
            del self._clients[task]

    async def _talk(self, stream: Stream, first: bytes) -> None:
        client = Client(self, stream)
        self._here.add(client)
        client.link.receive_data(first)
        try:
            await client.run()
        finally:
            self._here.discard(client)

    async def _join(self, stream: Stream, first: bytes) -> None:
        entrance = CircuitEntrance()
        entrance.receive_data(first)
        while entrance.secret is None:
            entrance.receive_data(await stream.reader.readexactly(1))
        other, mine = self._passes[entrance.secret]
        if mine.cancelled():  # it was of before a stop
            return
        mine.set_result(stream)
        theirs = await self._passes[other][1]
        stream.writer.write(Joined(JoinCode.JOINED, 2**30, 7200).encode())
        while data := await stream.reader.read(65536):
            theirs.writer.write(data)
            await theirs.writer.drain()
        theirs.writer.close()
