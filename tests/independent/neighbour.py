"""Somebody whose program is the second implementation: a link and lanes over real sockets.

The neighbour talks to an engine as two programs do that were written from the same text. What comes is
acknowledged; what was not acknowledged is not sent again, since no link breaks here.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final, TypeVar

from tests.independent import files, packets
from tests.independent.files import Body, Giver, Taker
from tests.independent.handshake import Initiator, Responder
from tests.independent.lanes import B1, Acceptor, Opener, Ticket, Tickets
from tests.independent.meeting import answering, calling
from tests.independent.schedule import Common, Session
from tests.independent.stream import End

P = TypeVar("P", bound=packets.Packet)
HOST: Final = "127.0.0.1"
PATIENCE: Final = 60.0
NO_WISH: Final = packets.Wish(
    bytes(16), own=False, wish=files.OPEN, reason=0, count=0, heard=0, proof=b"", busy=False
)


class Stream:
    """A TCP connection with one end on it; `changed` is set whenever something has come."""

    def __init__(
        self, end: End, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
    ) -> None:
        self.end, self._reader, self._writer = end, reader, writer
        self.changed = asyncio.Event()
        self._task = asyncio.create_task(self._pump(first))

    async def _pump(self, first: bytes) -> None:
        try:
            data = first
            while True:
                if data:
                    self.end.receive(data)
                await self.flush()
                self.changed.set()
                if self.end.closed or not (data := await self._reader.read(65536)):
                    return
        finally:
            self._task_ends()

    def _task_ends(self) -> None:
        asyncio.get_running_loop().call_soon(self.changed.set)  # when the task has ended

    async def flush(self) -> None:
        """Send what there is to be sent."""
        self._writer.write(self.end.sent())
        await self._writer.drain()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until what comes has made something so.

        Raises:
            EOFError: The stream has ended before.
        """
        async with asyncio.timeout(PATIENCE):
            while not happened():
                if self._task.done():
                    self._task.result()
                    raise EOFError
                self.changed.clear()
                await self.changed.wait()

    async def deafen(self) -> None:
        """Read nothing any more; what can be sent still is."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def close(self) -> None:
        """Drop the connection."""
        self._writer.transport.abort()
        await self.deafen()


class Neighbour:
    """Bob, who talks to one engine.

    Args:
        now: Unix time, for certificates.
        whom: Fingerprint of the person with the engine, by name of the test identity.
    """

    def __init__(self, now: float, whom: str) -> None:
        self._whom = whom
        self.common = Common(now)
        self.tickets = Tickets()
        self.link: Stream
        self.port = self.their_port = 0
        self.lanes: asyncio.Queue[Stream] = asyncio.Queue()
        self._came: asyncio.Queue[Stream] = asyncio.Queue()
        self._streams: list[Stream] = []
        self._read = 0
        self.packets: list[packets.Packet] = []
        self._last, self._seq = bytes(32), 0

    # --- the link

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody calls: for a link, or for a lane."""
        first = await reader.readexactly(1)
        if first[0] == B1:
            lane = Acceptor(self.tickets, self.common.chance, self.common.clock)
            self.lanes.put_nowait(self._stream(lane, reader, writer, first))
        else:
            end = answering("bob", common=self.common, door=True)
            self._came.put_nowait(self._stream(end, reader, writer, first))

    def _stream(
        self, end: End, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
    ) -> Stream:
        stream = Stream(end, reader, writer, first)
        self._streams.append(stream)
        return stream

    async def call(self, port: int) -> None:
        """Open the link."""
        self.their_port = port
        end = calling("bob", self._whom, common=self.common)
        self.link = self._stream(end, *await asyncio.open_connection(HOST, port))
        await self.link.until(lambda: self.session is not None)

    async def be_called(self) -> None:
        """Wait for the link; whoever asks only who is here is gone before."""
        while True:
            self.link = await asyncio.wait_for(self._came.get(), PATIENCE)
            with contextlib.suppress(EOFError):
                await self.link.until(lambda: self.session is not None)
                return

    async def close(self) -> None:
        """Drop everything."""
        await asyncio.gather(*(stream.close() for stream in self._streams))

    @property
    def session(self) -> Session | None:
        """Of the link, when it is up."""
        end = self.link.end
        assert isinstance(end, Initiator | Responder)
        return end.session

    async def say(self, packet: packets.Packet) -> None:
        """Send a packet."""
        end = self.link.end
        assert isinstance(end, Initiator | Responder)
        assert end.channel is not None
        end.channel.send_packet(packets.write_packet(packet))
        await self.link.flush()

    async def greet(self) -> None:
        """Say who this is, and that they are accepted."""
        await self.say(packets.Hello("Bob", self.port, accepted=True, read_seq=0))

    async def hear(self, kind: type[P], wanted: Callable[[P], bool] = lambda _: True) -> P:
        """Wait for a packet."""
        found: list[P] = []

        def there() -> bool:
            self._take()
            found[:] = [each for each in self.packets if isinstance(each, kind) and wanted(each)]
            return bool(found)

        await self.link.until(there)
        return found[0]

    def _take(self) -> None:
        end = self.link.end
        assert isinstance(end, Initiator | Responder)
        contents = end.channel.packets if end.channel is not None else []
        for content in contents[self._read :]:
            packet = packets.read_packet(content)
            if packet is not None:
                self.packets.append(packet)
        self._read = len(contents)

    # --- transfers

    async def offer(self, body: Body) -> bytes:
        """Offer files; the id of the transfer."""
        self._seq += 1
        offer = packets.Offer(os.urandom(16), self._seq, self._last, 0, files.write_body(body), 0, 0)
        self._last = offer.hash()
        await self.say(offer)
        await self.hear(packets.Delivered, lambda delivered: offer.id in delivered.ids)
        return offer.id

    async def wish(self, id_: bytes, wish: int, count: int, *, own: bool, proof: bytes = b"") -> None:
        """Tell what is wanted."""
        heard = max((each.count for each in self.wishes(id_)), default=0)
        told = replace(NO_WISH, id=id_, own=own, wish=wish, count=count, heard=heard, proof=proof)
        await self.say(told)

    def wishes(self, id_: bytes) -> list[packets.Wish]:
        """What they have told of a transfer."""
        self._take()
        return [each for each in self.packets if isinstance(each, packets.Wish) and each.id == id_]

    async def told(self, id_: bytes, wish: int) -> packets.Wish:
        """Wait until they want something."""
        return await self.hear(packets.Wish, lambda each: each.id == id_ and each.wish == wish)

    async def lane(self, ticket: Ticket) -> Stream:
        """The lane of a ticket that one of both has given out: the initiator of the link opens it."""
        assert self.session is not None
        key = ticket.key(self.session)
        if self.session.initiator:
            opener = Opener(ticket, key, self.common.chance, self.common.clock)
            stream = self._stream(opener, *await asyncio.open_connection(HOST, self.their_port))
        else:
            self.tickets.add(ticket, key)
            stream = await asyncio.wait_for(self.lanes.get(), PATIENCE)
        await stream.until(lambda: stream.end.channel is not None)  # type: ignore[attr-defined]
        return stream

    async def ticket(self) -> Ticket:
        """A ticket that is given out here, since the files are here."""
        id_, secret = os.urandom(16), os.urandom(32)
        made = Ticket(id_, secret, "I", self.common.clock())
        if self.session is not None and not self.session.initiator:
            self.tickets.add(made, made.key(self.session))
        await self.say(packets.LaneTicket(id_, secret, by_initiator=True, port=0))
        return made

    async def their_ticket(self, number: int = 1) -> Ticket:
        """The ticket that they give out, or a later one."""
        await self.link.until(lambda: len(self._tickets()) >= number)
        packet = self._tickets()[number - 1]
        assert packet.by_initiator
        return Ticket(packet.id, packet.secret, "I", self.common.clock())

    def _tickets(self) -> list[packets.LaneTicket]:
        self._take()
        return [each for each in self.packets if isinstance(each, packets.LaneTicket)]


@asynccontextmanager
async def neighbour(now: float, whom: str) -> AsyncIterator[Neighbour]:
    """Bob, at a port of his own."""
    bob = Neighbour(now, whom)
    server = await asyncio.start_server(bob.serve, HOST, 0)
    bob.port = server.sockets[0].getsockname()[1]
    try:
        yield bob
    finally:
        server.close()
        await bob.close()


async def give(lane: Stream, giver: Giver, most: int | None = None) -> None:
    """S on a lane: to the end, or until so many bytes were sent, after which the lane is dropped."""
    channel = lane.end.channel  # type: ignore[attr-defined]
    channel.send_packet(giver.begin())
    await lane.flush()
    await lane.until(lambda: bool(channel.packets))
    sent = 0
    for content in giver.answer(channel.packets[0]):
        channel.send_packet(content)
        await lane.flush()
        sent += len(content)
        if most is not None and sent >= most:
            await lane.close()
            return
    channel.close()
    await lane.flush()
    await lane.until(lambda: lane.end.closed)


async def ask(lane: Stream, taker: Taker) -> None:
    """R says what it has."""
    lane.end.channel.send_packet(taker.have())  # type: ignore[attr-defined]
    await lane.flush()


async def take(lane: Stream, id_: bytes, taker: Taker, most: int | None = None) -> None:
    """R on a lane: to the end, or until so many bytes have come, after which the lane is dropped."""
    channel = lane.end.channel  # type: ignore[attr-defined]
    await lane.until(lambda: bool(channel.packets))
    assert channel.packets.pop(0) == bytes([files.BEGIN]) + id_
    await ask(lane, taker)
    came = 0
    while not lane.end.closed:
        await lane.until(lambda: bool(channel.packets) or lane.end.closed)
        while channel.packets:
            content = channel.packets.pop(0)
            came += len(content)
            taker.take(content)
            if most is not None and came >= most:
                await lane.close()
                return
    assert taker.root
