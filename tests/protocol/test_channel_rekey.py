"""A channel takes fresh keys: on time, by volume, after a silence, from both sides at once."""

import pytest

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol.channel import ChannelState
from messenger.protocol.records import RecordBuffer, RecordType
from tests.protocol.channels import Pair, Side
from tests.protocol.forge import record_of

LARGE = 4 + 1280 + 16
"""Size of a record with an OFFER or ACCEPT."""


def ready(side: Side) -> bool:
    return side.channel.ready


def agree(pair: Pair, generation: int) -> None:
    """Both ends are at a generation and understand each other."""
    one, two = (side.channel for side in pair.sides)
    assert one.generation == two.generation == generation
    assert one.export("lane", b"x") == two.export("lane", b"x")
    for sender, receiver in ((pair.one, pair.two), (pair.two, pair.one)):
        sender.channel.send(b"still there?")
        receiver.receive(sender.sent())
        assert receiver.packets[-1] == b"still there?"


def test_on_time_while_packets_flow() -> None:
    pair = Pair()
    for generation in range(1, 4):
        pair.one.channel.send(b"x")
        pair.carry()
        pair.pass_time(4.9)
        assert pair.one.sent() == pair.two.sent() == b""
        pair.pass_time(0.1)
        assert pair.two.sent() == b"", "the responder waits a little longer"
        pair.carry()
        agree(pair, generation)


def test_the_responder_offers_if_the_initiator_does_not() -> None:
    pair = Pair()
    pair.one.channel.send(b"x")
    pair.carry()
    pair.pass_time(5.9, pair.two)
    assert pair.two.sent() == b""
    pair.pass_time(0.1, pair.two)
    pair.carry()
    agree(pair, 1)


def test_never_in_a_channel_without_packets() -> None:
    pair = Pair()
    for _ in range(10):
        pair.pass_time(30)
        pair.one.channel.ping()
        pair.carry()
    assert pair.one.channel.generation == 0


@pytest.mark.parametrize(("name", "limit"), [("REKEY_RECORDS", 8), ("REKEY_BYTES", 8 * 256)])
def test_by_volume(name: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, name, limit)
    pair = Pair()
    for n in range(20):
        pair.pass_time(0.2)
        pair.one.channel.send(bytes((n,)))
        pair.carry()
    assert pair.one.channel.generation == 2
    assert pair.two.packets == [bytes((n,)) for n in range(20)]


def test_after_a_silence_the_next_packets_wait_for_fresh_keys() -> None:
    pair = Pair()
    pair.pass_time(limits.REKEY_IDLE)
    assert not ready(pair.one)
    with pytest.raises(LocalProtocolError):
        pair.one.channel.send_in_place(RecordBuffer(), 0)
    pair.one.channel.send(b"first")
    pair.one.channel.send(b"second")
    assert not ready(pair.one)
    offer = pair.one.sent()
    assert len(offer) == LARGE
    pair.two.receive(offer)
    assert pair.two.packets == []
    pair.carry()
    assert pair.two.packets == [b"first", b"second"]
    assert ready(pair.one)
    agree(pair, 1)


def test_what_waits_goes_out_when_the_peer_has_offered() -> None:
    pair = Pair()
    pair.pass_time(limits.REKEY_IDLE)
    for side in pair.sides:
        side.channel.send(b"hello " * 3)
    pair.carry()
    assert pair.one.packets == pair.two.packets == [b"hello " * 3]
    agree(pair, 1)


def test_what_waits_goes_out_before_a_goodbye() -> None:
    pair = Pair()
    pair.pass_time(limits.REKEY_IDLE)
    pair.one.channel.send(b"last words")
    pair.one.channel.close()
    pair.carry()
    assert pair.two.packets == [b"last words"]
    assert pair.one.stands(ChannelState.CLOSED)
    assert pair.two.stands(ChannelState.CLOSED)


def test_both_offer_at_once() -> None:
    pair = Pair()
    pair.one.channel.send(b"x")
    pair.carry()
    pair.pass_time(7.0)
    hers, his = pair.one.sent(), pair.two.sent()
    assert len(hers) == len(his) == LARGE
    pair.one.receive(his)
    pair.two.receive(hers)
    pair.carry()
    agree(pair, 1)
    pair.pass_time(7.0)
    pair.carry()
    agree(pair, 2)


def test_packets_around_the_switch_are_all_read() -> None:
    pair = Pair()
    pair.one.channel.send(b"a")
    pair.pass_time(5.0, pair.one)
    pair.one.channel.send(b"b")
    pair.two.channel.send(b"1")
    pair.two.receive(pair.one.sent())
    pair.two.channel.send(b"2")
    pair.one.channel.send(b"c")
    pair.one.receive(pair.two.sent())
    pair.one.channel.send(b"d")
    pair.two.receive(pair.one.sent())
    assert pair.two.packets == [b"a", b"b", b"c", b"d"]
    assert pair.one.packets == [b"1", b"2"]
    agree(pair, 1)


@pytest.mark.parametrize("accepted", [True, False])
def test_an_exchange_that_is_not_answered(accepted: bool) -> None:
    pair = Pair()
    pair.one.channel.send(b"x")
    pair.pass_time(5.0, pair.one)
    side = pair.one
    if accepted:
        pair.two.channel.advance(pair.now)
        pair.two.receive(pair.one.sent())
        side = pair.two
    pair.pass_time(limits.REKEY_ANSWER, side)
    with pytest.raises(RemoteProtocolError, match="not answered"):
        pair.pass_time(0.1, side)
    assert side.stands(ChannelState.CLOSED)
    assert side.sent() == b""


def _offer(pair: Pair, after: float) -> bytes:
    pair.one.channel.send(b"x")
    pair.pass_time(after)
    return pair.one.sent()


def test_offers_less_than_a_second_apart() -> None:
    pair = Pair()
    pair.two.receive(_offer(pair, 5.0))
    pair.carry()
    forged = Side(pair.one.epoch, bytes(32), initiator=True).channel._rekey.offer()
    writer = pair.one.channel._writer
    offer = bytes(writer.seal(RecordType.OFFER, b"\0\0\0\x02" + forged[4:]))
    pair.pass_time(limits.REKEY_LEAST - 0.01, pair.two)
    with pytest.raises(RemoteProtocolError, match="too often"):
        pair.two.receive(offer)


def test_after_our_goodbye_an_offer_is_ignored_and_their_words_are_read() -> None:
    pair = Pair()
    offer = _offer(pair, 5.0)
    pair.two.channel.close()
    goodbye = pair.two.sent()
    pair.one.channel.send(b"crossed the goodbye")
    pair.two.receive(offer + pair.one.sent())
    assert pair.two.sent() == b""
    assert pair.two.packets == [b"x", b"crossed the goodbye"]
    pair.pass_time(limits.REKEY_ANSWER + 1, pair.two)
    pair.one.receive(goodbye)
    pair.two.receive(pair.one.sent())
    assert pair.one.stands(ChannelState.CLOSED)
    assert pair.two.stands(ChannelState.CLOSED)


def test_after_our_goodbye_an_acceptance_still_switches_what_we_read() -> None:
    pair = Pair()
    offer = _offer(pair, 5.0)
    pair.one.channel.close()
    goodbye = pair.one.sent()
    pair.two.receive(offer)
    pair.two.channel.send(b"under the new key")
    pair.one.receive(pair.two.sent())
    assert pair.one.packets == [b"under the new key"]
    assert pair.one.sent() == b""
    pair.two.receive(goodbye)
    pair.one.receive(pair.two.sent())
    assert pair.one.stands(ChannelState.CLOSED)
    assert pair.two.stands(ChannelState.CLOSED)


def test_old_keys_open_nothing_after_the_switch() -> None:
    pair = Pair()
    pair.two.receive(_offer(pair, 5.0))
    pair.carry()
    agree(pair, 1)
    with pytest.raises(RemoteProtocolError, match="does not open"):
        pair.two.receive(record_of(pair.one.own_secret, 3, RecordType.PACKET, b"stolen"))
