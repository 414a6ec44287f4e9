"""Lanes over real sockets: opened on the loop, pumped by threads, on every loop that this system has."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

import pytest

from messenger.core import limits, transfer_limits
from messenger.core.address import Address
from messenger.core.errors import ConnectError, ProtocolError, Reason, RemoteProtocolError
from messenger.net.dial import Stream, dial, dial_bare
from messenger.net.lanes import Line, accept_lane, open_lane
from messenger.net.listen import Listener, Slot
from messenger.protocol.lane import Ticket

TICKET = Ticket(b"i" * 16, b"k" * 32, 0.0)


class Book:
    """Tickets that are good until they are used."""

    def __init__(self, *tickets: Ticket) -> None:
        self._tickets = {ticket.id: ticket for ticket in tickets}

    def find(self, id_: bytes) -> Ticket | None:
        return self._tickets.get(id_)

    def use(self, id_: bytes) -> bool:
        return self._tickets.pop(id_, None) is not None


async def at_once(_: bytes) -> None:
    """No ticket is on its way."""


class Door:
    """A listener that takes lanes and links."""

    def __init__(self, book: Book, expected: Callable[[bytes], Awaitable[None]] = at_once) -> None:
        self._book = book
        self._expected = expected
        self.lines: asyncio.Queue[Line | None] = asyncio.Queue()
        self.links: asyncio.Queue[bytes] = asyncio.Queue()

    async def lane(self, sock: socket.socket, slot: Slot) -> None:
        try:
            line, _ = await accept_lane(sock, self._book, self._expected)
        except (OSError, ProtocolError):
            await self.lines.put(None)
        else:
            await self.lines.put(line)
        finally:
            slot.release()

    async def link(self, stream: Stream, _: Slot) -> None:
        await self.links.put(await stream.reader.read(99))
        stream.abort()

    async def open(self) -> Listener:
        return await Listener.open(self.link, 0, host="127.0.0.1", lanes=self.lane)


def said(line: Line) -> bytes:
    """What the other end says next."""
    content = line.receive()
    assert content is not None
    return bytes(content)


async def pair(door: Door, listener: Listener) -> tuple[Line, Line]:
    """Both ends of a lane, the opener first."""
    here = await open_lane(Address("127.0.0.1", listener.port), TICKET)
    there = await door.lines.get()
    assert there is not None
    return here, there


async def test_words_and_pieces_both_ways() -> None:
    door = Door(Book(TICKET))
    listener = await door.open()
    here, there = await pair(door, listener)
    data = os.urandom(limits.RECORD_CONTENT_MAX)

    def talk() -> None:
        here.send(b"a word")
        for _ in range(20):
            here.room[:] = data
            here.send_piece(len(data))
        assert said(here) == b"an answer"
        here.goodbye()

    def answer() -> None:
        assert said(there) == b"a word"
        for _ in range(20):
            assert said(there) == data
        there.send(b"an answer")
        assert there.receive() is None
        assert there.ended

    await asyncio.gather(asyncio.to_thread(talk), asyncio.to_thread(answer))
    here.close()
    there.close()
    await listener.close()


async def test_links_come_in_beside_lanes() -> None:
    door = Door(Book(TICKET))
    listener = await door.open()
    stream = await dial(Address("127.0.0.1", listener.port))
    stream.writer.write(b"\x01 is how links begin")
    assert await door.links.get() == b"\x01 is how links begin"
    stream.abort()
    here, there = await pair(door, listener)
    here.close()
    there.close()
    await listener.close()


async def test_a_ticket_opens_one_lane() -> None:
    door = Door(Book(TICKET))
    listener = await door.open()
    here, there = await pair(door, listener)
    with pytest.raises((OSError, RemoteProtocolError)):
        await open_lane(Address("127.0.0.1", listener.port), TICKET)
    assert await door.lines.get() is None
    here.close()
    there.close()
    await listener.close()


@pytest.mark.parametrize("ticket", [Ticket(b"j" * 16, TICKET.key, 0.0), Ticket(TICKET.id, b"x" * 32, 0.0)])
async def test_another_ticket_opens_nothing_and_uses_nothing_up(ticket: Ticket) -> None:
    door = Door(Book(TICKET))
    listener = await door.open()
    with pytest.raises((OSError, RemoteProtocolError)):
        await open_lane(Address("127.0.0.1", listener.port), ticket)
    assert await door.lines.get() is None
    here, there = await pair(door, listener)
    here.close()
    there.close()
    await listener.close()


async def test_the_ticket_may_come_after_the_stream() -> None:
    shown, book = asyncio.Event(), Book()

    async def expected(id_: bytes) -> None:
        assert id_ == TICKET.id
        shown.set()
        book._tickets[TICKET.id] = TICKET

    door = Door(book, expected)
    listener = await door.open()
    here, there = await pair(door, listener)
    assert shown.is_set()
    here.close()
    there.close()
    await listener.close()


async def test_who_opens_a_lane_and_says_no_more_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_limits, "LANE_STEP", 0.05)
    door = Door(Book(TICKET))
    listener = await door.open()
    sock = await dial_bare(Address("127.0.0.1", listener.port))
    sock.send(b"\x21")
    assert await door.lines.get() is None
    sock.close()
    await listener.close()


async def test_who_says_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HANDSHAKE_FIRST", 0.05)
    door = Door(Book(TICKET))
    listener = await door.open()
    sock = await dial_bare(Address("127.0.0.1", listener.port))
    assert await asyncio.get_running_loop().sock_recv(sock, 1) == b""
    assert door.links.empty()
    sock.close()
    await listener.close()


async def test_closing_drops_who_has_said_nothing() -> None:
    door = Door(Book(TICKET))
    listener = await door.open()
    sock = await dial_bare(Address("127.0.0.1", listener.port))
    while not listener._undecided:  # noqa: ASYNC110 -- nothing tells that the call was taken
        await asyncio.sleep(0)
    await listener.close()
    assert await asyncio.get_running_loop().sock_recv(sock, 1) == b""
    sock.close()


async def test_a_cut_is_no_goodbye() -> None:
    door = Door(Book(TICKET))
    listener = await door.open()
    here, there = await pair(door, listener)
    waiting = asyncio.create_task(asyncio.to_thread(there.receive))
    here.abort()
    with pytest.raises((OSError, RemoteProtocolError)):
        await waiting
    here.close()
    there.close()
    await listener.close()


async def test_abort_wakes_whoever_waits() -> None:
    door = Door(Book(TICKET))
    listener = await door.open()
    here, there = await pair(door, listener)
    waiting = asyncio.create_task(asyncio.to_thread(there.receive))
    there.abort()
    with pytest.raises((OSError, RemoteProtocolError)):
        await waiting
    here.close()
    there.close()
    await listener.close()


async def test_a_changed_record_is_refused() -> None:
    door = Door(Book(TICKET))
    listener = await door.open()
    here, there = await pair(door, listener)
    honest = here._pipe.sendall

    def spoil(data: bytes | bytearray | memoryview) -> None:
        changed = bytearray(data)
        changed[-1] ^= 1
        honest(changed)

    here._pipe.sendall = spoil  # type: ignore[method-assign]
    await asyncio.to_thread(here.send, b"a word")
    with pytest.raises(RemoteProtocolError):
        await asyncio.to_thread(there.receive)
    here.close()
    there.close()
    await listener.close()


async def test_fresh_keys_are_taken_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REKEY_BYTES", 1_000_000)
    monkeypatch.setattr(limits, "REKEY_LEAST", 0.0)
    monkeypatch.setattr(transfer_limits, "LOOK_EVERY", 0.0)
    door = Door(Book(TICKET))
    listener = await door.open()
    here, there = await pair(door, listener)
    least, most = 40, 4000

    def talk() -> None:
        for number in range(most):  # how far ahead of the answers it is, the system decides
            if number >= least and here._channel.generation > 1:
                break
            here.room[:4] = number.to_bytes(4, "big")
            here.send_piece(limits.RECORD_CONTENT_MAX)
        here.goodbye()

    def listen() -> None:
        number = 0
        while (content := there.receive()) is not None:
            assert content[:4] == number.to_bytes(4, "big")
            number += 1
        assert number >= least

    await asyncio.gather(asyncio.to_thread(talk), asyncio.to_thread(listen))
    assert here._channel.generation > 1
    here.close()
    there.close()
    await listener.close()


async def test_names_are_never_looked_up() -> None:
    with pytest.raises(ConnectError) as caught:
        await dial_bare(Address("localhost", 1))
    assert caught.value.reason is Reason.UNRESOLVED
