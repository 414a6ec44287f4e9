"""Any single mutation of what is sent: one error of one kind, nothing kept, nothing answered."""

import functools
from collections.abc import Callable
from typing import Final

from hypothesis import assume, given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.protocol.channel import ChannelState
from messenger.protocol.lane import Lane, LaneStep
from messenger.protocol.link import LinkState
from messenger.protocol.messages import MessageType
from tests.helpers.links import Still
from tests.protocol.channels import Pair, Side
from tests.protocol.steps import session
from tests.protocol.strategies import plainly
from tests.protocol.tickets import Book, lanes, ticket

Mutation = Callable[[bytes], bytes]

_PLACE: Final = st.floats(0, 1, exclude_max=True)


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """One change: a piece flipped, cut out, put in, doubled, overwritten or turned, or the rest cut off."""
    kind = draw(st.sampled_from(["flip", "cut", "insert", "double", "overwrite", "swap", "truncate"]))
    first, second = sorted((draw(_PLACE), draw(_PLACE)))
    new = draw(st.binary(min_size=1, max_size=40))

    def mutate(data: bytes) -> bytes:
        start, end = int(first * len(data)), int(second * len(data)) + 1
        piece = data[start:end]
        changed = {
            "flip": bytes((data[start] ^ (new[0] or 1),)) + data[start + 1 : end],
            "cut": b"",
            "insert": new + piece,
            "double": piece + piece,
            "overwrite": (new + piece[len(new) :])[: len(piece)],
            "swap": piece[len(piece) // 2 :] + piece[: len(piece) // 2],
            "truncate": b"",
        }[kind]
        return data[:start] + changed + (b"" if kind == "truncate" else data[end:])

    return mutate


def spoilt(data: bytes, mutation: Mutation) -> bytes:
    changed = mutation(data)
    assume(not changed.startswith(data))  # else the message is there, and what follows it is another matter
    return changed


@plainly
@given(st.integers(0, 7), mutations())
def test_messages_of_the_handshake_and_records(which: int, mutation: Mutation) -> None:
    assert len(session("puzzle").sent) == 8
    sent = session("puzzle").sent[which]
    data = spoilt(sent.data, mutation)
    if sent.kind is MessageType.RETRY:
        assume(len(data) < 5 or not 12 < data[4] <= limits.PUZZLE_BITS_MAX)  # it would be solved, for seconds
    end = sent.before.again()
    before = list(end.packets)
    try:
        end.receive(data)
        end.link.receive_eof()
    except RemoteProtocolError:
        assert end.link.state is LinkState.CLOSED
        assert end.sent() == b""
    else:
        raise AssertionError("a stream that was changed and ended was not refused")
    assert end.packets[: len(before)] == before
    whole = session("puzzle").other.packets
    assert end.packets == whole[: len(end.packets)]
    if sent.kind is not None:
        assert not end.up


@functools.cache
def _lane_messages() -> list[tuple[Still[Lane], bytes]]:
    shown = ticket()
    opener, acceptor = lanes(Book(shown), shown)
    found: list[tuple[Still[Lane], bytes]] = []
    pairs: list[tuple[Lane, Lane]] = [(opener, acceptor), (acceptor, opener), (opener, acceptor)]
    for sender, receiver in pairs:
        data = sender.data_to_send()
        found.append((Still(receiver), data))
        receiver.receive_data(data)
    return found


@plainly
@given(st.integers(0, 2), mutations())
def test_messages_of_a_lane(which: int, mutation: Mutation) -> None:
    still, data = _lane_messages()[which]
    lane = still.again()
    step = lane.step
    try:
        lane.receive_data(spoilt(data, mutation))
    except RemoteProtocolError:
        assert lane.step is LaneStep.FAILED
    else:
        assert lane.step is step, "it waits for the rest"
    assert lane.channel is None
    assert lane.data_to_send() == b""


@functools.cache
def _rekey_records() -> list[tuple[Still[Side], bytes]]:
    pair, found = Pair(), []
    pair.one.channel.send(b"x")
    pair.pass_time(5.0)
    for sender, receiver in ((pair.one, pair.two), (pair.two, pair.one), (pair.one, pair.two)):
        data = sender.sent()
        found.append((Still(receiver), data))
        receiver.receive(data)
    return found


@plainly
@given(st.integers(0, 2), mutations())
def test_records_of_an_exchange_of_keys(which: int, mutation: Mutation) -> None:
    still, data = _rekey_records()[which]
    side = still.again()
    generation = side.channel.generation
    try:
        side.receive(spoilt(data, mutation))
        side.channel.receive_eof()
    except RemoteProtocolError:
        assert side.channel.state is ChannelState.CLOSED
        assert side.sent() == b""
    else:
        raise AssertionError("a stream that was changed and ended was not refused")
    assert side.channel.generation == generation
    assert side.packets in ([], [b"x"])
