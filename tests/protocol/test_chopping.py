"""However a stream is cut, the same happens."""

import os
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.protocol.link import CloseCode, LinkState, PacketReceived, PeerClosed
from messenger.protocol.packets import Packet
from tests.helpers.links import Chop, End, Moment, cut_at, exchange, linked, single
from tests.protocol.steps import PACKETS, session
from tests.protocol.strategies import cuts, packets, plainly

handshakes = settings(max_examples=12, deadline=None)
"""Each example costs two handshakes' RSA."""


def talk(chop: Chop, sent: list[Packet], kind: str = "plain") -> tuple[list[object], list[object]]:
    """A whole life of a link; returns the events of both ends, but for who is who."""
    one = End.calling("alice", "bob") if kind != "anonymous" else End.anonymous("bob")
    bits = 5 if kind == "puzzle" else 0
    other = End.answering("bob", anonymous=kind == "anonymous", puzzle_bits=bits)
    exchange(one, other, chop)
    for end in (one, other):
        for packet in sent:
            end.link.send(packet)
    one.link.ping()
    exchange(one, other, chop)
    one.link.close(CloseCode.PARTED)
    exchange(one, other, chop)
    assert one.link.state is other.link.state is LinkState.CLOSED
    asked = [[type(question) for question in end.asked] for end in (one, other)]
    return [*one.events, asked[0]], [*other.events, asked[1]]


@handshakes
@given(st.sampled_from(["plain", "puzzle", "anonymous"]), st.lists(packets, max_size=3), cuts)
def test_a_whole_link(kind: str, sent: list[Packet], places: list[int]) -> None:
    one, other = talk(cut_at(places), sent, kind)
    assert one[1:-1] == [*map(PacketReceived, sent), PeerClosed(CloseCode.BYE)]
    assert other[1:-1] == [*map(PacketReceived, sent), PeerClosed(CloseCode.PARTED)]
    whole = cut_at([])
    assert [one, other] == list(talk(whole, sent, kind))


@pytest.mark.parametrize("kind", ["plain", "puzzle", "anonymous"])
def test_byte_by_byte(kind: str) -> None:
    one, other = talk(single, [], kind)
    assert one[-2:-1] == [PeerClosed(CloseCode.BYE)]
    assert other[-2:-1] == [PeerClosed(CloseCode.PARTED)]


@dataclass(frozen=True)
class Flow:
    """A stream of records to bob, and bob just before it."""

    before: Moment
    stream: bytes

    @classmethod
    def of(cls, content: list[Packet], end: bytes = b"") -> "Flow":
        """Some packets, a ping, a goodbye, and what comes then."""
        one, other = linked()
        before = Moment(other)
        for packet in content:
            one.link.send(packet)
        one.link.ping()
        one.link.close()
        return cls(before, one.sent() + end)

    def play(self, chop: Chop) -> tuple[list[object], bytes, str]:
        """What comes of it: events, what bob answers, and the fault."""
        bob, fault, said = self.before.again(), "", b""
        for piece in chop(self.stream):
            try:
                bob.receive(piece)
            except RemoteProtocolError as e:
                fault = str(e)
            said += bob.sent()
        return list(bob.events), said, fault


@handshakes
@given(st.lists(packets, max_size=4), st.sampled_from([b"", b"\x17", b"junk after goodbye"]), st.data())
def test_records_and_what_follows_a_goodbye(content: list[Packet], end: bytes, data: st.DataObject) -> None:
    flow = Flow.of(content, end)
    whole = flow.play(cut_at([]))
    assert whole[0] == [*map(PacketReceived, content), PeerClosed(CloseCode.BYE)]
    assert whole[2] == ""
    for _ in range(10):
        assert flow.play(cut_at(data.draw(cuts))) == whole
    assert flow.play(single) == whole


def test_a_fault_is_the_same_fault() -> None:
    flow = Flow.of(list(PACKETS))
    for at in range(0, len(flow.stream), 61):
        changed = flow.stream[:at] + bytes((flow.stream[at] ^ 1,)) + flow.stream[at + 1 :]
        whole, pieces = (Flow(flow.before, changed).play(chop) for chop in (cut_at([]), single))
        assert whole[2] == pieces[2]
        if whole[2]:
            assert whole[0] == pieces[0] == [PacketReceived(packet) for packet in PACKETS[: at // 276]]


@plainly
@given(st.binary(max_size=2000), cuts)
def test_garbage_is_refused_at_the_same_byte(garbage: bytes, places: list[int]) -> None:
    for sent in session("puzzle").sent:
        faults = []
        for chop in (cut_at([]), cut_at(places)):
            end, fault = sent.before.again(), ""
            for piece in chop(garbage):
                try:
                    end.receive(piece)
                except RemoteProtocolError as e:
                    fault = str(e)
            faults.append((fault, end.events, end.link.state))
        assert faults[0] == faults[1]


def test_a_megabyte_of_garbage_is_not_kept() -> None:
    garbage = os.urandom(2**20)
    for sent in session("puzzle").sent:
        for first in (b"", sent.data[:4]):
            end = sent.before.again()
            for at in range(0, len(garbage), 2**16):
                try:
                    end.receive((first if not at else b"") + garbage[at : at + 2**16])
                except RemoteProtocolError:
                    assert end.link.state is LinkState.CLOSED
                assert buffered(end) <= limits.RECORD_CIPHERTEXT_MAX + 4
            assert end.link.state is LinkState.CLOSED


def buffered(end: End) -> int:
    """Bytes that a link keeps of what has not been understood yet."""
    channel = end.link._channel
    return len(end.link._handshake._buffer) + (len(channel._reader._buffer) if channel else 0)
