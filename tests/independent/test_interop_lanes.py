"""Lanes: the program against the second implementation."""

import os

import pytest

from messenger.core.ids import Fingerprint
from messenger.protocol.handshake import Role
from messenger.protocol.lane import LaneAcceptor, LaneOpener, ticket_key
from messenger.protocol.lane import Ticket as OurTicket
from tests.independent.lanes import Acceptor, Opener, Ticket, Tickets
from tests.independent.meeting import FAULTS, OurLane, join
from tests.independent.pairs import Pair
from tests.independent.primitives import Chance


@pytest.fixture(params=[True, False], ids=["mine calls", "ours calls"])
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(mine_calls=request.param)


class Book:
    """The tickets of the program's acceptor."""

    def __init__(self, *tickets: OurTicket) -> None:
        self.tickets = {ticket.id: ticket for ticket in tickets}

    def find(self, id_: bytes) -> OurTicket | None:
        return self.tickets.get(id_)

    def use(self, id_: bytes) -> bool:
        return self.tickets.pop(id_, None) is not None


class LaneCase:
    """A ticket that travelled in a link, as both see it."""

    def __init__(self, pair: Pair, role: str) -> None:
        assert pair.mine.session is not None
        session = pair.mine.session
        self.clock = pair.clock
        self.ticket = Ticket(os.urandom(16), os.urandom(32), role, pair.clock.now)
        self.tk = self.ticket.key(session)
        exported = pair.ours.link.export("lane", b"")
        people = Fingerprint(session.fp_i), Fingerprint(session.fp_r)
        our_key = ticket_key(exported, self.ticket.secret, self.ticket.id, *people, Role(role))
        assert self.tk == our_key
        self.book = Book(OurTicket(self.ticket.id, our_key, pair.clock.now + 60))
        self.tickets = Tickets()
        self.tickets.add(self.ticket, self.tk)

    def sides(self, *, mine_opens: bool) -> tuple[Opener | Acceptor, OurLane]:
        if mine_opens:
            return Opener(self.ticket, self.tk, Chance(), self.clock), OurLane(LaneAcceptor(self.book))
        ours = OurLane(LaneOpener(self.book.tickets[self.ticket.id]))
        return Acceptor(self.tickets, Chance(), self.clock), ours


@pytest.mark.parametrize("role", ["I", "R"])
@pytest.mark.parametrize("mine_opens", [True, False])
def test_lanes(pair: Pair, role: str, mine_opens: bool) -> None:
    case = LaneCase(pair, role)
    mine, ours = case.sides(mine_opens=mine_opens)
    join(mine, ours)
    assert mine.channel is not None
    assert ours.lane.channel is not None
    ours.lane.channel.begin(pair.clock.now)
    bulk = os.urandom(262144)
    for generation in range(3):
        mine.channel.send_packet(bulk)
        ours.lane.channel.send(bulk[::-1])
        join(mine, ours)
        assert (mine.channel.packets.pop(), ours.packets.pop()) == (bulk[::-1], bulk)
        assert mine.channel.g == ours.lane.channel.generation == generation
        pair.clock.now += 7
        ours.lane.channel.advance(pair.clock.now)
        mine.channel.tick()
        join(mine, ours)
    mine.channel.close()
    join(mine, ours)
    assert mine.closed
    assert ours.lane.channel.close_code == 0


@pytest.mark.parametrize("mine_opens", [True, False])
@pytest.mark.parametrize("message", range(3))
@pytest.mark.parametrize("place", [0, 2, 4, 30, -1])
def test_lane_messages_are_judged(mine_opens: bool, message: int, place: int) -> None:
    case = LaneCase(Pair(mine_calls=True), "I")
    mine, ours = case.sides(mine_opens=mine_opens)

    def change(at: int, data: bytes) -> bytes:
        broken = bytearray(data)
        broken[place] ^= 1
        return bytes(broken) if at == message else data

    one, other = (mine, ours) if mine_opens else (ours, mine)
    with pytest.raises(FAULTS):
        join(one, other, change)
    assert mine.sent() == ours.sent() == b""
    assert len(case.book.tickets) == (1 if message == 0 or not mine_opens else 0), "damage uses nothing up"
    assert len(case.tickets.waiting) == (1 if message == 0 or mine_opens else 0)


@pytest.mark.parametrize("mine_opens", [True, False])
def test_a_ticket_works_once(pair: Pair, mine_opens: bool) -> None:
    case = LaneCase(pair, "R")
    again = OurTicket(case.ticket.id, case.tk, 0.0)
    join(*case.sides(mine_opens=mine_opens))
    case.book.tickets.setdefault(again.id, again) if not mine_opens else None
    mine, ours = case.sides(mine_opens=mine_opens)
    with pytest.raises(FAULTS):
        join(mine, ours)
