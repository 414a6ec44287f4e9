"""Payloads of sealed messages: packets one after the other, and one error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol import packets, payload
from messenger.protocol.packets import (
    Delivered,
    Hello,
    LaneTicket,
    Mailboxes,
    Read,
    Seed,
    SeedAck,
    Succession,
    SuccessionSeen,
    Text,
)
from messenger.protocol.payload import Sealable
from tests.protocol.strategies import packets as any_packet
from tests.protocol.strategies import plainly

ID = bytes(16)
HELLO = Hello("Alice", 0, accepted=True, read_seq=7)
TEXT = Text(ID, 1, bytes(32), 1_700_000_000_000, "hello", 0, b"", 0)


def framed(*contents: bytes) -> bytes:
    return b"".join(len(content).to_bytes(3, "big") + content for content in contents)


def refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        payload.decode(data)


@plainly
@given(st.lists(any_packet, min_size=1, max_size=16))
def test_what_was_written_is_read(content: list[packets.Packet]) -> None:
    sealable: list[Sealable] = [packet for packet in content if isinstance(packet, Sealable)] or [HELLO]
    assert payload.decode(payload.encode(sealable)) == sealable


@plainly
@given(st.binary(max_size=300))
def test_garbage_is_one_error(data: bytes) -> None:
    for candidate in (data, framed(data), framed(packets.encode(HELLO)) + data):
        try:
            content = payload.decode(candidate)
        except RemoteProtocolError:
            continue
        assert not content or payload.decode(payload.encode(content)) == content


def test_to_the_byte() -> None:
    assert payload.decode(payload.encode([HELLO, Mailboxes([])])) == [HELLO, Mailboxes([])]
    assert payload.encode([HELLO, Delivered([ID])]) == framed(
        b"\x01\x94\xa5Alice\x00\xc3\x07", b"\x03\x91\x91\xc4\x10" + ID
    )


def test_cut_short_and_too_long() -> None:
    good = payload.encode([HELLO, TEXT])
    ends = {len(payload.encode([HELLO])), len(good)}
    for end in range(len(good)):
        if end not in ends:
            refused(good[:end])
    refused(good + b"\0")
    refused(good + framed(b""))


def test_how_many() -> None:
    assert payload.decode(payload.encode([HELLO] * limits.SEALED_PACKETS_MAX)) == [HELLO] * 16
    refused(framed(packets.encode(HELLO)) * 17)
    refused(b"")
    for wrong in ([], [HELLO] * 17, [Text(ID, 1, bytes(32), 0, "x" * limits.TEXT_MAX, 0, b"", 0)] * 3):
        with pytest.raises(LocalProtocolError):
            payload.encode(wrong)


@pytest.mark.parametrize(
    "packet",
    [
        Succession(b"x"),
        SuccessionSeen(1),
        Seed(bytes(limits.XWING_PUBLIC_SIZE), 0),
        SeedAck(),
        LaneTicket(ID, bytes(32), by_initiator=True, port=0),
    ],
    ids=lambda packet: type(packet).__name__,
)
def test_what_belongs_into_a_link_is_refused(packet: packets.Packet) -> None:
    refused(framed(packets.encode(HELLO), packets.encode(packet)))


def test_unknown_packets_by_the_rule_of_links() -> None:
    assert payload.decode(framed(b"\x80", packets.encode(TEXT), b"\xff\xc1")) == [TEXT]
    assert payload.decode(framed(b"\x80")) == []
    refused(framed(b"\x7f\x90"))
    refused(framed(packets.encode(Read([ID]))[:-1]))
