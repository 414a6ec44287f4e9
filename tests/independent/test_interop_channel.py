"""Records, packets, fresh keys, goodbyes: the program against the second implementation."""

from collections.abc import Callable

import pytest

from messenger.protocol import packets as ours_packets
from messenger.protocol.channel import CloseCode
from messenger.protocol.link import LinkState, PeerClosed
from tests.helpers.links import End as Ours
from tests.independent import packets
from tests.independent.meeting import FAULTS, answering, calling
from tests.independent.pairs import Pair


@pytest.fixture(params=[True, False], ids=["mine calls", "ours calls"])
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(mine_calls=request.param)


ID, HASH = bytes(range(16)), bytes(range(32))
PACKETS: list[tuple[packets.Packet, ours_packets.Packet]] = [
    (packets.Hello("Zoë 🦉", 42000, True, 2**63 - 1), ours_packets.Hello("Zoë 🦉", 42000, True, 2**63 - 1)),  # noqa: FBT003
    (packets.Hello("", 0, False, 0), ours_packets.Hello("", 0, False, 0)),  # noqa: FBT003
    (packets.Text(ID, 1, HASH, 2**53, "é", 0, b"", 0), ours_packets.Text(ID, 1, HASH, 2**53, "é", 0, b"", 0)),
    (
        packets.Text(ID, 300, HASH, 0, "x" * 65536, 0, b"", 0),
        ours_packets.Text(ID, 300, HASH, 0, "x" * 65536, 0, b"", 0),
    ),
    (packets.Delivered([ID]), ours_packets.Delivered([ID])),
    (packets.Read([ID] * 512), ours_packets.Read([ID] * 512)),
    (packets.Seed(HASH * 38, 2**53), ours_packets.Seed(HASH * 38, 2**53)),
    (packets.SeedAck(), ours_packets.SeedAck()),
]


def test_packets_both_ways(pair: Pair) -> None:
    for mine, ours in PACKETS:
        assert packets.write_packet(mine) == ours_packets.encode(ours)
        pair.channel.send_packet(packets.write_packet(mine))
        pair.ours.link.send(ours)
    pair.carry()
    assert pair.ours.packets == [ours for _, ours in PACKETS]
    assert [packets.read_packet(content) for content in pair.channel.packets] == [mine for mine, _ in PACKETS]


def test_unknown_kinds_and_further_fields(pair: Pair) -> None:
    pair.channel.send_packet(b"\x80\xff not even MessagePack")
    more = packets.write_packet(packets.Delivered([ID])).replace(b"\x03\x91", b"\x03\x94") + b"\xc0\xa1x\x90"
    pair.channel.send_packet(more)
    pair.carry()
    assert pair.ours.packets == [ours_packets.Delivered([ID])]
    assert packets.read_packet(more) == packets.Delivered([ID])
    assert packets.read_packet(b"\x80\xff") is None
    pair.channel.send_packet(b"\x7f\x90")
    with pytest.raises(FAULTS):
        pair.carry()


def test_a_text_has_65536_bytes_at_most(pair: Pair) -> None:
    text = packets.Text(ID, 1, HASH, 0, "é" * 32768, 0, b"", 0)
    long = packets.write_packet(text).replace(b"\xdb\x00\x01\x00\x00", b"\xdb\x00\x01\x00\x01") + b"x"
    with pytest.raises(FAULTS):
        packets.read_packet(long)
    pair.channel.send_packet(packets.write_packet(text))
    pair.carry()
    assert len(pair.ours.packets) == 1
    pair.channel.send_packet(long)
    with pytest.raises(FAULTS):
        pair.carry()


def test_records_follow_m5_at_once() -> None:
    mine, ours = calling("alice", "bob"), Ours.answering("bob")
    for _ in range(2):
        ours.receive(mine.sent())
        mine.receive(ours.sent())
    assert mine.channel is not None
    mine.channel.send_packet(packets.write_packet(packets.Delivered([ID])))
    ours.receive(mine.sent())
    assert ours.packets == [ours_packets.Delivered([ID])]
    mine2, ours2 = answering("bob"), Ours.calling("alice", "bob")
    for _ in range(2):
        mine2.receive(ours2.sent())
        ours2.receive(mine2.sent())
    ours2.link.send(ours_packets.Delivered([ID]))
    mine2.receive(ours2.sent())
    assert mine2.channel is not None
    assert mine2.channel.packets == [packets.write_packet(packets.Delivered([ID]))]


def test_signs_of_life(pair: Pair) -> None:
    pair.channel.ping(b"12345678")
    pair.channel.pad()
    pair.ours.link.ping()
    pair.carry()
    assert pair.channel.pongs == [b"12345678"]
    pair.talk()


def test_they_offer_fresh_keys(pair: Pair) -> None:
    for generation in (1, 2, 3):
        pair.talk()
        pair.clock.now += 7
        pair.ours.link.advance(pair.clock.now)
        pair.carry()
        assert pair.generations == (generation, generation)
    pair.talk()


def test_i_offer_fresh_keys(pair: Pair) -> None:
    for generation in (1, 2, 3):
        pair.talk()
        pair.clock.now += 1
        pair.ours.link.advance(pair.clock.now)
        pair.channel.offer()
        pair.carry()
        assert pair.generations == (generation, generation)
    pair.talk()


def test_both_offer_at_once(pair: Pair) -> None:
    for generation in (1, 2):
        pair.talk()
        pair.pass_time(7)
        assert pair.channel.state == "offered"
        pair.talk()
        assert pair.generations == (generation, generation)
    pair.talk()


@pytest.mark.parametrize("mine_offers", [True, False])
def test_packets_flow_during_an_exchange(pair: Pair, mine_offers: bool) -> None:
    """Each direction changes its key at one exact record, wherever the other's packets stand."""
    pair.clock.now += 2
    pair.ours.link.advance(pair.clock.now)
    if mine_offers:
        pair.channel.offer()
    else:
        pair.our_channel._offer()
    for _ in range(4):
        pair.channel.send_packet(packets.write_packet(packets.Delivered([ID])))
        pair.ours.link.send(ours_packets.Delivered([ID]))
        mine, ours = pair.mine.sent(), pair.ours.sent()
        pair.channel.send_packet(packets.write_packet(packets.Delivered([ID])))
        pair.ours.link.send(ours_packets.Delivered([ID]))
        pair.ours.receive(mine)
        pair.mine.receive(ours)
    pair.carry()
    assert pair.generations == (1, 1)
    assert len(pair.channel.packets) == len(pair.ours.packets) == 8


@pytest.mark.parametrize("mine_speaks", [True, False])
def test_after_a_long_silence_a_packet_waits_for_fresh_keys(pair: Pair, mine_speaks: bool) -> None:
    for generation in (1, 2):
        for _ in range(7):
            pair.pass_time(10)
            pair.carry()
        before = len(pair.channel.packets), len(pair.ours.packets)
        if mine_speaks:
            pair.channel.send_packet(packets.write_packet(packets.Delivered([ID])))
        else:
            pair.ours.link.send(ours_packets.Delivered([ID]))
        first = pair.mine.sent() if mine_speaks else pair.ours.sent()
        (pair.ours if mine_speaks else pair.mine).receive(first)
        assert (len(pair.channel.packets), len(pair.ours.packets)) == before, "the key comes first"
        pair.carry()
        after = before[0] + (not mine_speaks), before[1] + mine_speaks
        assert (len(pair.channel.packets), len(pair.ours.packets)) == after
        assert pair.generations == (generation, generation)
        pair.channel._flowed_since = False
        pair.our_channel._schedule._flowing = False


@pytest.mark.parametrize("mine_closes", [True, False])
def test_what_waits_goes_before_a_goodbye(pair: Pair, mine_closes: bool) -> None:
    for _ in range(7):
        pair.pass_time(10)
        pair.carry()
    if mine_closes:
        pair.channel.send_packet(packets.write_packet(packets.Delivered([ID])))
        pair.channel.close()
    else:
        pair.ours.link.send(ours_packets.Delivered([ID]))
        pair.ours.link.close()
    pair.carry()
    assert len(pair.ours.packets if mine_closes else pair.channel.packets) == 1
    assert pair.mine.closed
    assert pair.ours.link.state is LinkState.CLOSED


@pytest.mark.parametrize("mine_offers", [True, False])
def test_an_offer_too_soon(pair: Pair, mine_offers: bool) -> None:
    for wait in (1.0, 0.9):
        pair.clock.now += wait
        pair.ours.link.advance(pair.clock.now)
        pair.channel._offered_at = float("-inf")
        (pair.channel.offer if mine_offers else pair.our_channel._offer)()
        if wait == 1:
            pair.carry()
    with pytest.raises(FAULTS):
        pair.carry()


@pytest.mark.parametrize("mine_offers", [True, False])
def test_an_exchange_that_is_not_finished(pair: Pair, mine_offers: bool) -> None:
    """Both the offerer, who hears no ACCEPT, and the acceptor, who hears no DONE, give up after 30 s."""
    if mine_offers:
        pair.channel.offer()
        pair.ours.receive(pair.mine.sent())
    else:
        pair.our_channel._offer()
        pair.mine.receive(pair.ours.sent())
    pair.channel._pinged_at = pair.channel._heard_at = pair.clock.now + 30
    pair.clock.now += 30
    pair.channel.tick()
    pair.ours.link.advance(pair.clock.now)
    pair.clock.now += 1
    with pytest.raises(FAULTS):
        pair.channel.tick()
    with pytest.raises(FAULTS):
        pair.ours.link.advance(pair.clock.now)


@pytest.mark.parametrize("code", list(CloseCode))
def test_goodbyes(pair: Pair, code: CloseCode) -> None:
    pair.talk()
    pair.channel.close(code)
    pair.carry()
    assert pair.mine.closed
    assert pair.ours.link.state is LinkState.CLOSED
    assert PeerClosed(code) in pair.ours.events
    other = Pair(mine_calls=pair.channel.initiator)
    other.ours.link.send(ours_packets.Delivered([ID]))
    other.ours.link.close(code)
    other.carry()
    assert other.mine.closed
    assert other.channel.peer_code == code
    assert len(other.channel.packets) == 1
    assert other.ours.link.state is LinkState.CLOSED


def test_both_say_goodbye(pair: Pair) -> None:
    pair.channel.close()
    pair.ours.link.close(CloseCode.DUPLICATE)
    pair.carry()
    assert pair.mine.closed
    assert pair.channel.peer_code == CloseCode.DUPLICATE
    assert pair.ours.link.state is LinkState.CLOSED


@pytest.mark.parametrize("who_offers", ["mine", "ours", "both"])
@pytest.mark.parametrize("who_closes", ["mine", "ours", "both"])
def test_goodbye_crosses_an_exchange(pair: Pair, who_offers: str, who_closes: str) -> None:
    """Whoever has said goodbye answers no OFFER and sends no DONE, but still opens what comes."""
    if who_offers != "ours":
        pair.channel.offer()
    if who_offers != "mine":
        pair.our_channel._offer()
    if who_closes != "ours":
        pair.channel.close()
    if who_closes != "mine":
        pair.ours.link.close()
    pair.carry()
    assert pair.mine.closed
    assert pair.ours.link.state is LinkState.CLOSED


@pytest.mark.parametrize("mine_closes", [True, False])
def test_nothing_is_sent_after_a_goodbye(pair: Pair, mine_closes: bool) -> None:
    """No DONE to an ACCEPT that comes later, no ACCEPT to an OFFER and no PONG to a PING."""
    if mine_closes:
        pair.channel.offer()
        pair.channel.close()
    else:
        pair.our_channel._offer()
        pair.ours.link.close()
    other = Pair(mine_calls=pair.channel.initiator)
    if mine_closes:
        other.our_channel._offer()
        other.ours.link.ping()
        other.channel.close()
    else:
        other.channel.offer()
        other.channel.ping()
        other.ours.link.close()
    for each in (pair, other):
        closing, peer = (each.mine, each.ours) if mine_closes else (each.ours, each.mine)
        goodbye = closing.sent()
        if each is other:
            closing.receive(peer.sent())
            assert closing.sent() == b""
        peer.receive(goodbye)
        closing.receive(peer.sent())
        assert closing.sent() == b""
        assert each.mine.closed
        assert each.ours.link.state is LinkState.CLOSED


@pytest.mark.parametrize("cut", [1, 3, 5, 20, -1])
def test_damaged_records(pair: Pair, cut: int) -> None:
    pair.channel.send_packet(b"\x80")
    pair.ours.link.send(ours_packets.Delivered([ID]))
    for data, take in ((pair.mine.sent(), pair.ours.receive), (pair.ours.sent(), pair.mine.receive)):
        broken = bytearray(data)
        broken[cut] ^= 1
        judge(take, bytes(broken + data))


def judge(take: Callable[[bytes], None], data: bytes) -> None:
    with pytest.raises(FAULTS):
        take(data + bytes(70000))
