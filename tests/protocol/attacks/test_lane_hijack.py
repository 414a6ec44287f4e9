"""Lanes that somebody else would like to open, to join, or to open twice."""

import os

import pytest

from messenger.core.errors import RemoteProtocolError
from messenger.crypto import xwing
from messenger.crypto.hkdf import expand, mac
from messenger.protocol.handshake import Role
from messenger.protocol.lane import Lane, LaneAcceptor, LaneMessage, LaneOpener, LaneStep, Ticket, ticket_key
from tests.helpers.keys import identity
from tests.helpers.links import linked
from tests.protocol.tickets import Book, lanes, opened, ticket


def refused(lane: Lane, data: bytes) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        lane.receive_data(data)
    assert lane.step is LaneStep.FAILED
    assert lane.data_to_send() == b""
    assert lane.channel is None
    return str(caught.value)


def b1_with(shown_id: bytes, key: bytes, public: bytes | None = None) -> bytes:
    """A B1 for an id that was seen on the wire, with any key."""
    body = shown_id + os.urandom(32) + (public or xwing.KeyPair.generate().public)
    body += mac(expand(key, "b1", b"", 32), body)
    return bytes((LaneMessage.B1,)) + len(body).to_bytes(3, "big") + body


def test_two_lanes_from_one_ticket() -> None:
    shown = ticket()
    book = Book(shown)
    first, second = LaneOpener(shown), LaneOpener(shown)
    good, late = LaneAcceptor(book), LaneAcceptor(book)
    good.receive_data(first.data_to_send())
    assert refused(late, second.data_to_send()) == "no such ticket"
    first.receive_data(good.data_to_send())
    assert first.channel is not None


def test_two_lanes_from_one_ticket_at_the_same_time() -> None:
    shown = ticket()
    book = Book(shown)
    fast, slow = LaneAcceptor(book), LaneAcceptor(book)
    openers = [LaneOpener(shown), LaneOpener(shown)]

    def overtake() -> None:
        book.meanwhile = None
        fast.receive_data(openers[0].data_to_send())

    book.meanwhile = overtake
    assert refused(slow, openers[1].data_to_send()) == "the ticket was used before"
    assert fast.ticket == shown


def test_a_ticket_used_again_after_the_lane_is_gone() -> None:
    shown = ticket()
    book = Book(shown)
    opener, acceptor = lanes(book, shown)
    acceptor.receive_data(opener.data_to_send())
    opener.receive_data(acceptor.data_to_send())
    acceptor.receive_data(opener.data_to_send())
    opened(opener).close()
    list(opened(acceptor).receive_data(opened(opener).data_to_send()))
    assert refused(LaneAcceptor(book), LaneOpener(shown).data_to_send()) == "no such ticket"


def test_an_expired_ticket() -> None:
    shown = ticket(expires=60.0)
    for now, good in ((60.0, True), (60.1, False)):
        book = Book(shown)
        book.now = now
        acceptor = LaneAcceptor(book)
        b1 = LaneOpener(shown).data_to_send()
        if good:
            acceptor.receive_data(b1)
            assert acceptor.data_to_send() != b""
        else:
            assert refused(acceptor, b1) == "no such ticket"


def test_an_observer_who_knows_the_id_burns_nothing() -> None:
    shown = ticket()
    book = Book(shown)
    for key in (bytes(32), os.urandom(32), shown.id * 2):
        assert refused(LaneAcceptor(book), b1_with(shown.id, key)) == "no such ticket"
    acceptor = LaneAcceptor(book)
    acceptor.receive_data(LaneOpener(shown).data_to_send())
    assert acceptor.ticket == shown


def test_an_unknown_id_and_a_wrong_mac_look_alike() -> None:
    shown = ticket()
    book = Book(shown)
    outcomes = set()
    for data in (b1_with(os.urandom(16), shown.key), b1_with(shown.id, os.urandom(32))):
        lane = LaneAcceptor(book)
        outcomes.add((refused(lane, data), lane.step, lane.data_to_send()))
    assert len(outcomes) == 1
    assert book.tickets == {shown.id: shown}


def test_lane_hijack_with_another_exchange_key_in_b1_or_b2() -> None:
    shown = ticket()
    book = Book(shown)
    opener, acceptor = lanes(book, shown)
    own = xwing.KeyPair.generate()
    b1 = opener.data_to_send()
    hijacked = b1[: 4 + 48] + own.public + b1[-32:]
    refused(LaneAcceptor(book), hijacked)
    acceptor.receive_data(b1)
    b2 = acceptor.data_to_send()
    ciphertext, _ = xwing.encapsulate(b1[4 + 48 : -32])
    refused(opener, b2[: 4 + 32] + ciphertext + b2[-32:])


def test_lane_hijack_after_b2() -> None:
    """Somebody who takes over the stream after B2 cannot make B3, and nothing has been delivered."""
    shown = ticket()
    opener, acceptor = lanes(Book(shown), shown)
    acceptor.receive_data(opener.data_to_send())
    assert acceptor.data_to_send() != b""
    forged = bytes((LaneMessage.B3,)) + b"\0\0\x20" + os.urandom(32)
    assert refused(acceptor, forged + b"\x17\0\x01\x10" + bytes(272)) == "the opener does not hold the keys"


def test_lane_replay_of_b1_to_a_fresh_acceptor() -> None:
    shown = ticket()
    book = Book(shown)
    opener, acceptor = lanes(book, shown)
    b1 = opener.data_to_send()
    acceptor.receive_data(b1)
    assert refused(LaneAcceptor(book), b1) == "no such ticket"


def test_lane_replay_of_b2_and_b3_of_another_lane() -> None:
    shown = ticket()
    first_opener, first_acceptor = lanes(Book(shown), shown)
    first_acceptor.receive_data(first_opener.data_to_send())
    b2 = first_acceptor.data_to_send()
    first_opener.receive_data(b2)
    b3 = first_opener.data_to_send()
    opener, acceptor = lanes(Book(shown), shown)
    b1 = opener.data_to_send()
    refused(opener, b2)
    acceptor.receive_data(b1)
    acceptor.data_to_send()
    refused(acceptor, b3)


def test_a_lane_hello_reflected_to_its_sender() -> None:
    shown = ticket()
    opener, _ = lanes(Book(shown), shown)
    b1 = opener.data_to_send()
    refused(opener, b1)


def test_a_lane_hello_reflected_to_the_listener_of_its_sender() -> None:
    """Both know the ticket; the sender's own listener has none for itself to open."""
    alice, _bob = linked()
    exported, secret, id_ = alice.link.export("lane", b""), os.urandom(32), os.urandom(16)
    people = identity("alice").fingerprint, identity("bob").fingerprint
    hers = Ticket(id_, ticket_key(exported, secret, id_, *people, Role.INITIATOR), 60.0)
    his = Ticket(id_, ticket_key(exported, secret, id_, *people, Role.RESPONDER), 60.0)
    b1 = LaneOpener(hers).data_to_send()
    assert refused(LaneAcceptor(Book(his)), b1) == "no such ticket"


def test_a_ticket_of_another_link_between_the_same_two() -> None:
    keys = []
    for _ in range(2):
        alice, bob = linked()
        exported = alice.link.export("lane", b"")
        assert exported == bob.link.export("lane", b"")
        people = identity("alice").fingerprint, identity("bob").fingerprint
        keys.append(ticket_key(exported, bytes(32), bytes(16), *people, Role.INITIATOR))
    here, there = (Ticket(bytes(16), key, 60.0) for key in keys)
    assert refused(LaneAcceptor(Book(here)), LaneOpener(there).data_to_send()) == "no such ticket"


def test_records_before_b3() -> None:
    shown = ticket()
    opener, acceptor = lanes(Book(shown), shown)
    acceptor.receive_data(opener.data_to_send())
    opener.receive_data(acceptor.data_to_send())
    opened(opener).send(b"too early")
    assert refused(acceptor, bytes(opened(opener).data_to_send())) == "not a lane message"


def test_the_acceptor_says_nothing_between_b2_and_b3() -> None:
    shown = ticket()
    opener, acceptor = lanes(Book(shown), shown)
    acceptor.receive_data(opener.data_to_send())
    acceptor.data_to_send()
    assert acceptor.channel is None
    assert acceptor.data_to_send() == b""


def test_the_messages_of_a_link_and_of_a_lane_are_never_taken_for_each_other() -> None:
    shown = ticket()
    for first in (1, 2, 3, 4, 5, 6, 0x17):
        for lane in lanes(Book(shown), shown):
            lane.data_to_send()
            assert refused(lane, bytes((first, 0, 0, 32)) + bytes(32)) == "not a lane message"
