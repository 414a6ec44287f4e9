"""Every single byte of a recorded exchange, flipped, one at a time: one clean refusal each.

The exchange is recorded once; a flip meets a copy of its receiver as it was just before. So a flip
costs a decapsulation or a box that does not open, and no RSA: boxes are opened before RSA is
asked, and what RSA opened for the same ciphertext is remembered.
"""

from collections.abc import Iterable
from typing import Final

import pytest

from messenger.core.errors import RemoteProtocolError
from messenger.protocol.lane import Lane, LaneStep
from messenger.protocol.messages import MessageType
from tests.helpers.links import End, Moment, Sent, Still, refused
from tests.protocol.channels import Pair, Side
from tests.protocol.steps import session
from tests.protocol.tickets import Book, lanes, ticket

KINDS: Final = [*list(MessageType)[:5], None]
BITS: Final = [1 << bit for bit in range(8)]


def flipped(data: bytes, at: int, mask: int) -> bytes:
    return data[:at] + bytes((data[at] ^ mask,)) + data[at + 1 :]


def sample(kind: MessageType | None) -> Sent:
    if kind is not None:
        return session().message(kind)
    return next(sent for sent in session().sent if sent.kind is None)


def flips(data: bytes) -> Iterable[tuple[int, int]]:
    """Each position once with another mask, and every bit of the header and of the last bytes."""
    for at in range(len(data)):
        yield at, BITS[at % 8]
        if at < 8 or at >= len(data) - 4:
            yield from ((at, mask) for mask in (*BITS, 0xFF))


def test_the_recording_is_whole() -> None:
    assert [sent.name for sent in session().sent] == ["M1", "M2", "M3", "M4", "M5", "records"]
    assert len(sample(None).data) == 2 * 276
    for kind in KINDS:
        end = sample(kind).before.again()
        end.link.receive_data(sample(kind).data)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name if kind else "records")
def test_every_byte_of_every_message(kind: MessageType | None) -> None:
    sent = sample(kind)
    for at, mask in flips(sent.data):
        end = sent.before.again()
        error = refused(end, flipped(sent.data, at, mask))
        assert type(error) is RemoteProtocolError, at
        assert not end.up, at
        assert len(end.packets) == (1 if kind is None and at >= 276 else 0), at


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name if kind else "records")
def test_every_bit_of_every_message(kind: MessageType | None) -> None:
    sent = sample(kind)
    for at in range(len(sent.data)):
        for mask in BITS:
            refused(sent.before.again(), flipped(sent.data, at, mask))


@pytest.mark.parametrize("kind", [MessageType.M1, MessageType.M2])
def test_every_byte_after_a_puzzle(kind: MessageType) -> None:
    sent = session("puzzle").message(kind, 1 if kind is MessageType.M1 else 0)
    for at, mask in flips(sent.data):
        refused(sent.before.again(), flipped(sent.data, at, mask))


def test_every_byte_of_a_puzzle_and_whatever_is_made_of_it() -> None:
    recorded = session("puzzle")
    retry, responder = recorded.message(MessageType.RETRY), recorded.message(MessageType.M1, 1).before
    outcomes = []
    for at, mask in flips(retry.data):
        one = retry.before.again()
        outcomes.append(_who_refuses(one, responder, flipped(retry.data, at, mask)))
    assert set(outcomes) == {"initiator", "responder", "initiator at M2"}


def _who_refuses(one: End, responder: Moment, retry: bytes) -> str:
    """Carry on with a changed RETRY until one end refuses."""
    try:
        one.receive(retry)
    except RemoteProtocolError:
        assert one.sent() == b""
        return "initiator"
    m1 = one.sent()
    if not m1:
        refused(one, b"")
        return "initiator"
    other = responder.again()
    try:
        other.receive(m1)
    except RemoteProtocolError:
        assert other.sent() == b""
        return "responder"
    refused(one, other.sent())
    assert not one.up
    return "initiator at M2"


def _lane_refused(lane: Lane, data: bytes) -> None:
    """There are no timeouts here: whoever still waits has been refused when the stream ends."""
    step = lane.step
    try:
        lane.receive_data(data)
    except RemoteProtocolError:
        assert lane.step is LaneStep.FAILED
    else:
        assert lane.step is step
    assert lane.channel is None
    assert lane.data_to_send() == b""


def test_every_byte_of_the_opening_of_a_lane() -> None:
    shown = ticket()
    opener, acceptor = lanes(Book(shown), shown)
    b1 = opener.data_to_send()
    for at, mask in flips(b1):
        book = Book(shown)
        _, victim = lanes(book, shown)
        _lane_refused(victim, flipped(b1, at, mask))
        assert book.tickets, "a bad B1 uses no ticket up"
    acceptor.receive_data(b1)
    b2 = acceptor.data_to_send()
    still_opener, still_acceptor = Still(opener), Still(acceptor)
    for at, mask in flips(b2):
        _lane_refused(still_opener.again(), flipped(b2, at, mask))
    opener.receive_data(b2)
    b3 = opener.data_to_send()
    for at, mask in flips(b3):
        _lane_refused(still_acceptor.again(), flipped(b3, at, mask))


def _to_the_end(side: Side, data: bytes) -> None:
    side.receive(data)
    side.channel.receive_eof()


def test_every_byte_of_an_exchange_of_keys() -> None:
    pair = Pair()
    pair.one.channel.send(b"x")
    pair.pass_time(5.0)
    for sender, receiver in ((pair.one, pair.two), (pair.two, pair.one), (pair.one, pair.two)):
        data = sender.sent()
        still = Still(receiver)
        for at, mask in flips(data):
            victim = still.again()
            with pytest.raises(RemoteProtocolError):
                _to_the_end(victim, flipped(data, at, mask))
            assert victim.sent() == b""
        receiver.receive(data)
    assert pair.one.channel.generation == pair.two.channel.generation == 1
