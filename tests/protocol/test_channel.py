"""A channel: records both ways, goodbyes, and fresh keys while it runs."""

import os
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, Reason, RemoteProtocolError
from messenger.protocol.channel import RECEIVES, ChannelState, CloseCode
from messenger.protocol.records import RecordBuffer, RecordType
from tests.helpers.links import cut_at
from tests.protocol.channels import Pair, Side
from tests.protocol.forge import record_of
from tests.protocol.strategies import cuts, quickly

RECORD = 276
"""Bytes of the smallest record."""


def records(data: bytes) -> int:
    """How many records of the smallest size these are."""
    assert len(data) % RECORD == 0
    return len(data) // RECORD


def refused(side: Side, data: bytes) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        side.receive(data)
    assert side.stands(ChannelState.CLOSED)
    assert side.sent() == b""
    side.receive(data)
    assert side.sent() == b""
    return str(caught.value)


@quickly
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=700)), max_size=8), cuts)
def test_chopping_is_invisible(sent: list[tuple[bool, bytes]], places: list[int]) -> None:
    pair = Pair()
    for fresh_keys, content in sent:
        pair.one.channel.send(content)
        if fresh_keys:
            pair.pass_time(5.0)
        stream = pair.one.sent()
        for piece in cut_at(places)(stream):
            pair.two.receive(piece)
        for piece in cut_at(places)(pair.two.sent()):
            pair.one.receive(piece)
    pair.carry()
    assert pair.two.packets == [content for _, content in sent]
    assert pair.one.channel.generation == pair.two.channel.generation == sum(fresh for fresh, _ in sent)


def test_packets_both_ways_in_order() -> None:
    pair = Pair()
    for n in range(5):
        pair.one.channel.send(bytes((n,)) * n)
        pair.two.channel.send(bytes((n,)) * 2 * n)
    pair.carry()
    assert pair.two.packets == [bytes((n,)) * n for n in range(5)]
    assert pair.one.packets == [bytes((n,)) * 2 * n for n in range(5)]


@pytest.mark.parametrize("content", [b"", b"12345678"])
def test_a_ping_is_answered_with_the_same_content(content: bytes) -> None:
    pair = Pair()
    pair.two.receive(record_of(pair.one.own_secret, 0, RecordType.PING, content))
    answer = pair.two.sent()
    assert answer == record_of(pair.two.own_secret, 0, RecordType.PONG, content)
    pair.one.receive(answer)
    assert pair.one.sent() == b""


def test_our_pings() -> None:
    pair = Pair()
    pair.one.channel.ping()
    pair.two.receive(pair.one.sent())
    assert records(pair.two.sent()) == 1


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (RecordType.PING, bytes(9)),
        (RecordType.PONG, bytes(9)),
        (RecordType.PADDING, b"\0"),
        (RecordType.CLOSE, b""),
        (RecordType.CLOSE, b"\0\0"),
        (RecordType.OFFER, b""),
        (RecordType.OFFER, b"\0\0\0\x01" + b"\xff" * limits.XWING_PUBLIC_SIZE),
        (RecordType.ACCEPT, b"\0\0\0\x01" + bytes(limits.XWING_CIPHERTEXT_SIZE)),
        (RecordType.DONE, b"\0\0\0\x01"),
    ],
)
def test_contents_that_cannot_be(kind: RecordType, content: bytes) -> None:
    pair = Pair()
    refused(pair.two, record_of(pair.one.own_secret, 0, kind, content))


def test_padding_and_pongs_mean_nothing() -> None:
    pair = Pair()
    secret = pair.one.own_secret
    pair.two.receive(record_of(secret, 0, RecordType.PADDING) + record_of(secret, 1, RecordType.PONG, b"x"))
    assert pair.two.sent() == b""
    assert pair.two.packets == []


@pytest.mark.parametrize("code", [*CloseCode, 4, 255])
def test_a_goodbye_is_answered(code: int) -> None:
    pair = Pair()
    pair.two.receive(record_of(pair.one.own_secret, 0, RecordType.CLOSE, bytes((code,))))
    assert pair.two.channel.close_code == code
    assert pair.two.stands(ChannelState.CLOSED)
    assert pair.two.sent() == record_of(pair.two.own_secret, 0, RecordType.CLOSE, b"\0")
    pair.two.channel.receive_eof()


def test_whoever_says_goodbye_waits_for_theirs() -> None:
    pair = Pair()
    pair.one.channel.send(b"last words")
    pair.one.channel.close(CloseCode.PARTED)
    pair.one.channel.close()
    assert pair.one.stands(ChannelState.CLOSING)
    goodbye = pair.one.sent()
    assert records(goodbye) == 2
    pair.two.channel.send(b"words that crossed it")
    pair.one.receive(pair.two.sent())
    assert pair.one.packets == [b"words that crossed it"]
    pair.two.receive(goodbye)
    assert pair.two.channel.close_code == CloseCode.PARTED
    pair.one.receive(pair.two.sent())
    assert pair.one.stands(ChannelState.CLOSED)
    assert pair.one.channel.close_code == CloseCode.BYE
    assert pair.one.sent() == b""


@pytest.mark.parametrize("state", ["closing", "closed", "refused"])
def test_nothing_is_sent_after_a_goodbye(state: str) -> None:
    pair = Pair()
    if state == "refused":
        refused(pair.one, b"\0\0\0\0")
    else:
        pair.one.channel.close()
    if state == "closed":
        pair.carry()
    buffer = RecordBuffer()
    for act in (
        lambda: pair.one.channel.send(b"x"),
        pair.one.channel.ping,
        lambda: pair.one.channel.send_in_place(buffer, 0),
    ):
        with pytest.raises(LocalProtocolError):
            act()
    assert not pair.one.channel.ready


@pytest.mark.parametrize(
    ("state", "kind"), sorted(((s, k) for s, k in product(ChannelState, RecordType)), key=str)
)
def test_every_state_with_every_record(state: ChannelState, kind: RecordType) -> None:
    pair = Pair()
    content = {RecordType.CLOSE: b"\0", RecordType.OFFER: _offer(), RecordType.PACKET: b"words"}.get(
        kind, b""
    )
    if state is not ChannelState.OPEN:
        pair.one.channel.close()
        pair.one.sent()
    if state is ChannelState.CLOSED:
        pair.one.receive(record_of(pair.two.own_secret, 0, RecordType.CLOSE, b"\0"))
    number = 1 if state is ChannelState.CLOSED else 0
    record = record_of(pair.two.own_secret, number, kind, content)
    assert pair.one.stands(state)
    if kind not in RECEIVES[state]:
        pair.one.receive(record)
        assert pair.one.packets == []
        assert pair.one.stands(ChannelState.CLOSED)
    elif kind in (RecordType.ACCEPT, RecordType.DONE):
        refused(pair.one, record)
    else:
        pair.one.receive(record)
        assert pair.one.packets == ([b"words"] if kind is RecordType.PACKET else [])
        closed = state is ChannelState.CLOSED or kind is RecordType.CLOSE
        assert (pair.one.stands(ChannelState.CLOSED)) is closed
    if state is not ChannelState.OPEN:
        assert pair.one.sent() == b"", "no answer follows our goodbye"


def _offer() -> bytes:
    pair = Pair()
    return b"\0\0\0\x01" + pair.one.channel._rekey.offer()[4:]


def test_what_follows_a_goodbye_is_not_looked_at() -> None:
    for split in (True, False):
        pair = Pair()
        pair.one.channel.close()
        goodbye, junk = pair.one.sent(), b"anything at all" * 100
        for data in (goodbye, junk) if split else (goodbye + junk,):
            pair.two.receive(data)
        assert pair.two.channel.close_code == 0
        assert records(pair.two.sent()) == 1


def test_the_end_of_the_stream() -> None:
    pair = Pair()
    with pytest.raises(RemoteProtocolError) as caught:
        pair.one.channel.receive_eof()
    assert caught.value.reason is Reason.INTERRUPTED
    assert pair.one.stands(ChannelState.CLOSED)
    pair.one.channel.receive_eof()
    pair.two.channel.close()
    with pytest.raises(RemoteProtocolError):
        pair.two.channel.receive_eof()


def test_a_fault_takes_back_what_was_about_to_be_said() -> None:
    pair = Pair()
    pair.two.channel.send(b"never sent")
    ping = record_of(pair.one.own_secret, 0, RecordType.PING)
    assert refused(pair.two, ping + b"garbage") == "not a record"


def test_a_record_in_progress_has_a_number() -> None:
    pair = Pair()
    pair.one.channel.send(b"one")
    pair.one.channel.send(b"two")
    stream = pair.one.sent()
    seen = []
    for at in range(0, len(stream), RECORD // 2):
        pair.two.receive(stream[at : at + RECORD // 2])
        seen.append(pair.two.channel.record_in_progress)
    assert seen == [0, None, 1, None]


def test_sending_in_place() -> None:
    pair, buffer = Pair(), RecordBuffer()
    for n in range(3):
        content = os.urandom(1000 * n)
        buffer.content[: len(content)] = content
        assert pair.one.channel.ready
        pair.two.receive(bytes(pair.one.channel.send_in_place(buffer, len(content))))
        assert pair.two.packets[n] == content


def test_one_record_is_returned_without_a_copy() -> None:
    pair = Pair()
    pair.one.channel.ping()
    (record,) = pair.one.channel._writer.sealed
    assert pair.one.channel.data_to_send() is record
    assert pair.one.channel.data_to_send() == b""
