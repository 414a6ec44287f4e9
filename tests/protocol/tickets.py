"""Tickets for lanes, and the two ends that use them."""

import os
from collections.abc import Callable

from messenger.protocol.channel import Channel
from messenger.protocol.handshake import Role
from messenger.protocol.lane import Lane, LaneAcceptor, LaneOpener, Ticket, ticket_key
from tests.helpers.keys import identity

EXPORTED = b"e" * 32


def ticket(opener: Role = Role.INITIATOR, expires: float = 60.0) -> Ticket:
    """A fresh ticket of a link from alice to bob."""
    id_, secret = os.urandom(16), os.urandom(32)
    people = identity("alice").fingerprint, identity("bob").fingerprint
    return Ticket(id_, ticket_key(EXPORTED, secret, id_, *people, opener), expires)


class Book:
    """Where an acceptor finds its tickets."""

    def __init__(self, *tickets: Ticket) -> None:
        self.now = 0.0
        self.tickets = {one.id: one for one in tickets}
        self.meanwhile: Callable[[], object] | None = None
        """Called between finding a ticket and using it."""

    def find(self, id_: bytes) -> Ticket | None:
        """The ticket, if it has not expired."""
        found = self.tickets.get(id_)
        return found if found and self.now <= found.expires else None

    def use(self, id_: bytes) -> bool:
        """Take it out."""
        if self.meanwhile is not None:
            self.meanwhile()
        return self.tickets.pop(id_, None) is not None


def opened(lane: Lane) -> Channel:
    """Its channel, which must be there."""
    assert lane.channel is not None
    return lane.channel


def lanes(book: Book, shown: Ticket) -> tuple[LaneOpener, LaneAcceptor]:
    """Both ends, before any byte has travelled."""
    return LaneOpener(shown), LaneAcceptor(book)


def open_lane(shown: Ticket | None = None) -> tuple[LaneOpener, LaneAcceptor]:
    """Both ends, open; nothing has been sent yet."""
    shown = shown or ticket()
    opener, acceptor = lanes(Book(shown), shown)
    acceptor.receive_data(opener.data_to_send())
    opener.receive_data(acceptor.data_to_send())
    acceptor.receive_data(opener.data_to_send())
    return opener, acceptor
