"""Lanes: a ticket, three messages, and a channel."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core.errors import RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto import xwing
from messenger.crypto.hkdf import digest, expand, extract, mac
from messenger.protocol.handshake import Role
from messenger.protocol.lane import (
    TRANSITIONS,
    Lane,
    LaneAcceptor,
    LaneMessage,
    LaneOpener,
    LaneStep,
    Ticket,
    ticket_key,
)
from messenger.protocol.records import RecordReader
from tests.helpers.links import Chop, cut_at, single
from tests.protocol.strategies import cuts, quickly
from tests.protocol.tickets import EXPORTED, Book, lanes, open_lane, opened, ticket

ALICE, BOB = Fingerprint(b"a" * 32), Fingerprint(b"b" * 32)
SIZES = {LaneMessage.B1: 1296, LaneMessage.B2: 1184, LaneMessage.B3: 32}


def framed(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def refused(lane: Lane, data: bytes) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        lane.receive_data(data)
    assert stands(lane, LaneStep.FAILED)
    assert lane.data_to_send() == b""
    assert lane.channel is None
    with pytest.raises(RemoteProtocolError):
        lane.receive_data(framed(LaneMessage.B3, bytes(32)))
    assert lane.data_to_send() == b""
    return str(caught.value)


def stands(lane: Lane, step: LaneStep) -> bool:
    return lane.step is step


def at(step: LaneStep) -> Lane:
    shown = ticket()
    opener, acceptor = lanes(Book(shown), shown)
    lane: Lane = opener if step is LaneStep.AWAIT_B2 else acceptor
    if step in (LaneStep.AWAIT_B3, LaneStep.OPEN):
        acceptor.receive_data(opener.data_to_send())
    if step is LaneStep.OPEN:
        opener.receive_data(acceptor.data_to_send())
        acceptor.receive_data(opener.data_to_send())
    if step is LaneStep.FAILED:
        with pytest.raises(RemoteProtocolError):
            lane.receive_data(bytes(4))
    lane.data_to_send()
    assert lane.step is step
    return lane


@pytest.mark.parametrize("step", [step for step in LaneStep if step is not LaneStep.OPEN])
@pytest.mark.parametrize("kind", LaneMessage)
def test_everything_not_in_the_table_is_refused_at_its_header(step: LaneStep, kind: LaneMessage) -> None:
    header = framed(kind, bytes(SIZES[kind]))[:4]
    if (step, kind) in TRANSITIONS:
        lane = at(step)
        lane.receive_data(header)
        assert lane.step is step
    else:
        refused(at(step), header)


def test_an_open_lane_takes_no_more_of_these_messages() -> None:
    for kind in LaneMessage:
        lane = at(LaneStep.OPEN)
        lane.receive_data(framed(kind, bytes(SIZES[kind])))
        with pytest.raises(RemoteProtocolError, match="not a record"):
            list(opened(lane).receive_data(lane.trailing()))


@pytest.mark.parametrize("step", [LaneStep.AWAIT_B1, LaneStep.AWAIT_B2, LaneStep.AWAIT_B3])
@pytest.mark.parametrize("kind", LaneMessage)
@pytest.mark.parametrize("change", [-1, 1, 2**20])
def test_every_message_has_one_size(step: LaneStep, kind: LaneMessage, change: int) -> None:
    refused(at(step), bytes((kind,)) + (SIZES[kind] + change).to_bytes(3, "big"))


@pytest.mark.parametrize("first", [0, 1, 6, 0x17, 0x20, 0x24, 255])
def test_something_else(first: int) -> None:
    for step in (LaneStep.AWAIT_B1, LaneStep.AWAIT_B2, LaneStep.AWAIT_B3):
        assert refused(at(step), bytes((first, 0, 0, 32))) == "not a lane message"


@pytest.mark.parametrize("role", Role)
def test_both_ends_understand_each_other(role: Role) -> None:
    shown = ticket(role)
    opener, acceptor = open_lane(shown)
    assert acceptor.ticket == shown
    assert opener.trailing() == acceptor.trailing() == b""
    here, there = opened(opener), opened(acceptor)
    here.send(b"bulk")
    there.send(b"credit")
    assert [bytes(content) for content in there.receive_data(here.data_to_send())] == [b"bulk"]
    assert [bytes(content) for content in here.receive_data(there.data_to_send())] == [b"credit"]
    assert here.export("x", b"") == there.export("x", b"")


def test_the_messages_and_keys_are_those_of_the_specification() -> None:
    shown = ticket()
    seed, nonce = os.urandom(32), os.urandom(32)
    entropy = iter([seed, nonce])
    opener = LaneOpener(shown, entropy=lambda _: next(entropy))
    pair = xwing.KeyPair.from_seed(seed)
    b1 = shown.id + nonce + pair.public
    b1 += mac(expand(shown.key, "b1", b"", 32), b1)
    assert opener.data_to_send() == framed(0x21, b1)
    ciphertext, shared = xwing.encapsulate(pair.public)
    b2 = nonce + ciphertext
    b2 += mac(expand(shown.key, "b2", b"", 32), digest(b1 + b2))
    opener.receive_data(framed(0x22, b2))
    secret = extract(shown.key, shared + digest(b1 + b2))
    fin = mac(expand(secret, "b3", b"", 32), digest(b1 + b2))
    assert opener.data_to_send() == framed(0x23, fin)
    opened(opener).send(b"bulk")
    reader = RecordReader(expand(secret, "ap I", b"", 32))
    assert [bytes(content) for _, content in reader.feed(opened(opener).data_to_send())] == [b"bulk"]


def test_a_ticket_belongs_to_one_link_two_people_and_one_direction() -> None:
    id_, secret = b"i" * 16, b"s" * 32
    key = ticket_key(EXPORTED, secret, id_, ALICE, BOB, Role.INITIATOR)
    context = id_ + ALICE + BOB + b"I"
    assert key == expand(extract(EXPORTED, secret), "lane", context, 32)
    others = [
        ticket_key(b"x" * 32, secret, id_, ALICE, BOB, Role.INITIATOR),
        ticket_key(EXPORTED, b"x" * 32, id_, ALICE, BOB, Role.INITIATOR),
        ticket_key(EXPORTED, secret, b"x" * 16, ALICE, BOB, Role.INITIATOR),
        ticket_key(EXPORTED, secret, id_, BOB, ALICE, Role.INITIATOR),
        ticket_key(EXPORTED, secret, id_, ALICE, BOB, Role.RESPONDER),
    ]
    assert len({key, *others}) == 6


@pytest.mark.parametrize("chop", [single, cut_at([1, 3, 5, 1295, 1297, 1300])])
def test_pieces_of_any_size(chop: Chop) -> None:
    shown = ticket()
    opener, acceptor = lanes(Book(shown), shown)
    for sender, receiver in ((opener, acceptor), (acceptor, opener), (opener, acceptor)):
        for piece in chop(sender.data_to_send()):
            receiver.receive_data(piece)
    assert opened(opener).export("x", b"") == opened(acceptor).export("x", b"")


@quickly
@given(st.lists(st.binary(max_size=300), max_size=5), cuts)
def test_records_may_follow_b3_in_the_same_segment(sent: list[bytes], places: list[int]) -> None:
    shown = ticket()
    opener, acceptor = lanes(Book(shown), shown)
    acceptor.receive_data(opener.data_to_send())
    opener.receive_data(acceptor.data_to_send())
    for content in sent:
        opened(opener).send(content)
    found: list[bytes] = []
    for piece in cut_at(places)(opener.data_to_send() + bytes(opened(opener).data_to_send())):
        data = piece
        if acceptor.channel is None:
            acceptor.receive_data(piece)
            data = acceptor.trailing() if stands(acceptor, LaneStep.OPEN) else b""
        if acceptor.channel is not None:
            found += [bytes(content) for content in acceptor.channel.receive_data(data)]
    assert found == sent


def test_the_acceptor_has_no_channel_before_b3() -> None:
    lane = at(LaneStep.AWAIT_B3)
    assert lane.channel is None
    assert refused(lane, framed(LaneMessage.B3, bytes(32))) == "the opener does not hold the keys"


def test_an_answer_from_somebody_without_the_ticket() -> None:
    shown, other = ticket(), ticket()
    opener = LaneOpener(shown)
    acceptor = LaneAcceptor(Book(Ticket(shown.id, other.key, 60.0)))
    b1 = opener.data_to_send()
    assert refused(acceptor, b1) == "no such ticket"
    b2 = framed(LaneMessage.B2, bytes(SIZES[LaneMessage.B2]))
    assert refused(opener, b2) == "the other end does not hold the ticket"


def test_a_ticket_that_was_used_in_the_meantime() -> None:
    shown = ticket()
    book = Book(shown)
    opener, acceptor = lanes(book, shown)
    book.meanwhile = book.tickets.clear
    assert refused(acceptor, opener.data_to_send()) == "the ticket was used before"


def test_the_key_of_a_ticket_is_not_shown() -> None:
    shown = ticket()
    assert repr(shown) == f"Ticket({shown.id.hex()})"


def b1_of(shown: Ticket, public: bytes) -> bytes:
    body = shown.id + bytes(32) + public
    return framed(LaneMessage.B1, body + mac(expand(shown.key, "b1", b"", 32), body))


def test_bytes_that_are_no_key_use_no_ticket_up() -> None:
    shown = ticket()
    book = Book(shown)
    assert "ML-KEM" in refused(LaneAcceptor(book), b1_of(shown, b"\xff" * 1216))
    assert book.tickets == {shown.id: shown}


def test_an_answer_of_low_order() -> None:
    shown = ticket()
    opener = LaneOpener(shown)
    b1 = opener.data_to_send()[4:]
    b2 = bytes(32) + bytes(1120)
    b2 += mac(expand(shown.key, "b2", b"", 32), digest(b1 + b2))
    assert "X25519" in refused(opener, framed(LaneMessage.B2, b2))
