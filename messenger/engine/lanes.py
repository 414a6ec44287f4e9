"""Tickets and streams of lanes: who may open one, and to whom a stream belongs that comes in.

The lane of a direct link is a TCP connection between the two; that of a link through a relay is a further
circuit, and nothing else: its address is the relay's, where a lane would be answered by nobody.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from messenger.core import transfer_limits as limits
from messenger.core.address import Address
from messenger.core.errors import ConnectError, ProtocolError, Reason, RemoteProtocolError
from messenger.core.ids import MESSAGE_ID_SIZE, Fingerprint
from messenger.core.models import Contact
from messenger.engine.context import Context
from messenger.engine.tasks import Tasks
from messenger.net.connection import Connection
from messenger.net.lanes import Line, Socket, accept_lane, open_lane, open_lane_on
from messenger.net.listen import Slot
from messenger.protocol.handshake import Role
from messenger.protocol.lane import Ticket, ticket_key
from messenger.protocol.link import LinkState
from messenger.protocol.packets import LANE_SECRET_SIZE, LaneTicket

log: Final = logging.getLogger(__name__)

LaneUp = Callable[[Contact, Connection, Line], object]
CircuitOpener = Callable[[Contact, Fingerprint], Awaitable[Socket]]


@dataclass(eq=False)
class _Desk:
    """The tickets of one link."""

    contact: Contact
    connection: Connection
    port: int = 0
    """Of their greeting."""
    ours: dict[bytes, float] = field(default_factory=dict)
    theirs: dict[bytes, float] = field(default_factory=dict)
    """Ids that may still be used, and until when."""
    seen: set[bytes] = field(default_factory=set)


@dataclass(eq=False)
class _Expected:
    """A ticket with which somebody may come in."""

    ticket: Ticket
    desk: _Desk
    waiter: asyncio.Future[Line] | None
    """Whoever gave it out; None if it was given to us."""


class Lanes:
    """The tickets that are out, a book for those who come with one (`messenger.protocol.lane.TicketBook`).

    Args:
        context: The open profile.
        on_lane: Called with each lane by a ticket of theirs: they have something to say on it.
    """

    def __init__(self, context: Context, on_lane: LaneUp) -> None:
        self._context = context
        self._on_lane = on_lane
        self._desks: dict[Connection, _Desk] = {}
        self._expected: dict[bytes, _Expected] = {}
        self._used: dict[bytes, _Expected] = {}
        self._awaited: dict[bytes, asyncio.Event] = {}
        self._tasks = Tasks("lanes", context.publish)
        self._answering: set[asyncio.Task[object]] = set()
        """Those in which somebody is being let in; they are not ours."""
        self._closed = False
        self.circuit: CircuitOpener = _no_circuit
        """Opens a further circuit to somebody; see `messenger.engine.circuits.Circuits.open`."""

    def welcome(self, contact: Contact, connection: Connection, port: int) -> None:
        """Both have accepted each other on a link: tickets may be given out on it.

        Args:
            contact: Who is on it.
            connection: The link.
            port: Where they listen, by their greeting; 0 for nowhere. Unused on one through a relay.
        """
        desk = self._desks.setdefault(connection, _Desk(contact, connection))
        desk.contact, desk.port = contact, port

    def leave(self, connection: Connection) -> None:
        """A link has ended; its tickets are void."""
        desk = self._desks.pop(connection, None)
        for id_, expected in list(self._expected.items()):
            if expected.desk is desk:
                del self._expected[id_]
                if expected.waiter is not None and not expected.waiter.done():
                    expected.waiter.set_exception(ConnectError(Reason.INTERRUPTED))

    async def close(self) -> None:
        """End what is being opened; who comes later is not let in."""
        self._closed = True
        for connection in list(self._desks):
            self.leave(connection)
        answering = list(self._answering)
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)
        await self._tasks.close()

    async def open(self, connection: Connection) -> Line:
        """Give out a ticket, and open a lane with it or wait for the other end to do so.

        Raises:
            ConnectError: BUSY, too many tickets are out; or as for `open_lane`.
            OSError, ProtocolError: The stream or the link has broken.
        """
        desk, link = self._desks.get(connection), connection.link
        if desk is None or link.state is not LinkState.OPEN:
            raise ConnectError(Reason.INTERRUPTED)
        _expire(desk.ours, self._now)
        if len(desk.ours) >= limits.TICKETS_MAX:
            raise ConnectError(Reason.BUSY)
        id_, secret = os.urandom(MESSAGE_ID_SIZE), os.urandom(LANE_SECRET_SIZE)
        ticket = self._ticket(desk, id_, secret, Role.INITIATOR)
        desk.ours[id_] = ticket.expires
        packet = LaneTicket(id_, secret, by_initiator=True, port=0)
        try:
            if link.role is Role.INITIATOR:
                connection.post(packet)
                return await self._opened(desk, ticket, connection.stream.port)
            waiter: asyncio.Future[Line] = asyncio.get_running_loop().create_future()
            self._expected[id_] = _Expected(ticket, desk, waiter)
            connection.post(packet)
            async with asyncio.timeout(limits.LANE_WAIT):
                return await waiter
        finally:
            desk.ours.pop(id_, None)
            self._expected.pop(id_, None)

    def on_ticket(self, connection: Connection, packet: LaneTicket) -> None:
        """They have given us a ticket.

        Raises:
            RemoteProtocolError: They have not accepted us or we not them, too many are out, or this one came
                before.
        """
        desk = self._desks.get(connection)
        if desk is None or packet.id in desk.seen or packet.id in self._expected:
            raise RemoteProtocolError("a ticket out of turn")
        _expire(desk.theirs, self._now)
        if len(desk.theirs) >= limits.TICKETS_MAX:
            raise RemoteProtocolError("too many tickets")
        opener = Role.INITIATOR if packet.by_initiator else Role.RESPONDER
        ticket = self._ticket(desk, packet.id, packet.secret, opener)
        desk.seen.add(packet.id)
        desk.theirs[packet.id] = ticket.expires
        if connection.link.role is not opener:
            self._expected = {id_: e for id_, e in self._expected.items() if e.ticket.expires > self._now}
            self._expected[packet.id] = _Expected(ticket, desk, None)
            if (awaited := self._awaited.get(packet.id)) is not None:
                awaited.set()
            return
        port = packet.port or (connection.stream.port if opener is Role.INITIATOR else desk.port)
        self._tasks.start(self._follow(desk, ticket, port))

    async def serve(self, sock: Socket, slot: Slot) -> None:
        """Answer a stream that begins as lanes do; see `messenger.net.listen.Listener.open`."""
        try:
            await self.answer(sock)
        finally:
            slot.release()

    async def answer(self, sock: Socket) -> None:
        """Answer a stream, or a circuit, that begins as lanes do.

        Args:
            sock: Not blocking, nothing read from it; ours from now on.
        """
        task = asyncio.current_task()
        if self._closed or task is None:
            sock.close()
            return
        self._answering.add(task)
        try:
            line, ticket = await accept_lane(sock, self, self._expect)
        except (OSError, ProtocolError) as e:
            log.info("x lane refused: %s", type(e).__name__)
            return
        finally:
            self._answering.discard(task)
        expected = self._used.pop(ticket.id)
        if expected.waiter is None:
            self._up(expected.desk, ticket, line)
        elif expected.waiter.done():
            line.close()
        else:
            expected.waiter.set_result(line)

    async def _expect(self, id_: bytes) -> None:
        """The stream may be faster than the ticket, which takes its turn on the link."""
        if id_ in self._expected:
            return
        came = self._awaited.setdefault(id_, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limits.TICKET_PATIENCE):
                await came.wait()
        self._awaited.pop(id_, None)

    def find(self, id_: bytes) -> Ticket | None:
        """The ticket with an id, if there is one that has not expired; it stays valid."""
        expected = self._expected.get(id_)
        return expected.ticket if expected and expected.ticket.expires > self._now else None

    def use(self, id_: bytes) -> bool:
        """Take a ticket out for good; False if somebody was faster."""
        expected = self._expected.pop(id_, None)
        if expected is not None:
            self._used[id_] = expected
        return expected is not None

    async def _opened(self, desk: _Desk, ticket: Ticket, port: int) -> Line:
        """Open a lane by the way that the link has taken, and by no other."""
        stream = desk.connection.stream
        if stream.through is not None:
            return await open_lane_on(await self.circuit(desk.contact, stream.through), ticket)
        return await open_lane(Address(stream.host, port), ticket)

    async def _follow(self, desk: _Desk, ticket: Ticket, port: int) -> None:
        try:
            line = await self._opened(desk, ticket, port)
        except (OSError, ProtocolError, ConnectError) as e:  # whoever gave the ticket tries again
            log.info("x lane not opened: %s", type(e).__name__)
            return
        self._up(desk, ticket, line)

    def _up(self, desk: _Desk, ticket: Ticket, line: Line) -> None:
        desk.theirs.pop(ticket.id, None)
        if self._desks.get(desk.connection) is desk:
            self._on_lane(desk.contact, desk.connection, line)
        else:
            line.close()

    def _ticket(self, desk: _Desk, id_: bytes, secret: bytes, opener: Role) -> Ticket:
        link, us, them = desk.connection.link, self._context.fingerprint, desk.contact.fingerprint
        ends = (us, them) if link.role is Role.INITIATOR else (them, us)
        key = ticket_key(link.export("lane", b""), secret, id_, *ends, opener)
        return Ticket(id_, key, self._now + limits.TICKET_LIFETIME)

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def _no_circuit(contact: Contact, _relay: Fingerprint) -> Socket:
    raise ConnectError(Reason.UNREACHABLE, contact.title)


def _expire(tickets: dict[bytes, float], now: float) -> None:
    for id_ in [id_ for id_, until in tickets.items() if until <= now]:
        del tickets[id_]
