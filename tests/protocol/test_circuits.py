"""Circuits: passes, and the account that a relay keeps of what it joins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import relay_limits
from messenger.core.address import Address
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol.circuits import (
    C1,
    C2,
    CircuitEnd,
    CircuitEntrance,
    JoinCode,
    Joined,
    Over,
    Side,
    Splice,
    stream_address,
)
from messenger.protocol.lane import LaneMessage
from messenger.protocol.messages import MessageType
from messenger.protocol.records import RecordType
from tests.helpers.links import End, cut_at, exchange
from tests.protocol.strategies import cuts, plainly

PASS = bytes(range(32))
JOINED = Joined(JoinCode.JOINED, 2**30, 7200)
CALLER, CALLED = Side.CALLER, Side.CALLED


def test_the_messages_byte_for_byte() -> None:
    assert CircuitEnd(PASS).data_to_send() == b"\x31\0\0\x20" + PASS
    numbers = b"\0" + (2**30).to_bytes(8, "big") + (7200).to_bytes(4, "big")
    assert JOINED.encode() == b"\x32\0\0\x0d" + numbers


def test_a_listener_can_tell_a_circuit_from_everything_else() -> None:
    others = [*MessageType, *LaneMessage, 0x17]
    assert len({C1, C2, *others}) == 2 + len(others)
    assert max(RecordType) < min(C1, C2)


@plainly
@given(cuts, st.binary(max_size=50))
def test_a_circuit_in_any_pieces(places: list[int], after: bytes) -> None:
    end, entrance = CircuitEnd(PASS), CircuitEntrance()
    for piece in cut_at(places)(end.data_to_send()):
        assert entrance.secret is None
        entrance.receive_data(piece)
    assert entrance.secret == PASS
    for piece in cut_at(places)(JOINED.encode() + after):
        end.receive_data(piece)
    assert end.joined == JOINED
    assert end.trailing() == after
    assert end.trailing() == end.data_to_send() == b""


@plainly
@given(st.binary(max_size=60))
def test_garbage_is_one_error_or_a_pass(data: bytes) -> None:
    entrance, end = CircuitEntrance(), CircuitEnd(PASS)
    for head in (b"", b"\x31\0\0\x20", b"\x32\0\0\x0d"):
        for side in (entrance, end):
            try:
                side.receive_data(head + data)
            except RemoteProtocolError:
                continue
    assert len(entrance._buffer) <= 36
    assert len(end._buffer) <= 8 * 70


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :]


def test_every_flipped_bit_of_a_head() -> None:
    c1 = CircuitEnd(PASS).data_to_send()
    for at in range(4):
        entrance, end = CircuitEntrance(), CircuitEnd(PASS)
        with pytest.raises(RemoteProtocolError):
            entrance.receive_data(flipped(c1, at)[: at + 1])
        with pytest.raises(RemoteProtocolError):
            end.receive_data(flipped(JOINED.encode(), at)[: at + 1])
        entrance.receive_data(c1)
        end.receive_data(JOINED.encode())
        assert (entrance.secret, end.joined) == (None, None), "refused once is refused"
        assert end.trailing() == b""
    for at in range(4, len(c1)):
        entrance = CircuitEntrance()
        entrance.receive_data(flipped(c1, at))
        assert entrance.secret != PASS


def test_every_truncation() -> None:
    c1 = CircuitEnd(PASS).data_to_send()
    for size in range(len(c1)):
        entrance = CircuitEntrance()
        entrance.receive_data(c1[:size])
        assert entrance.secret is None
    for size in range(len(JOINED.encode())):
        end = CircuitEnd(PASS)
        end.receive_data(JOINED.encode()[:size])
        assert end.joined is None
        assert end.trailing() == b""


def test_nothing_may_follow_a_pass_before_the_answer() -> None:
    entrance = CircuitEntrance()
    entrance.receive_data(CircuitEnd(PASS).data_to_send())
    with pytest.raises(RemoteProtocolError):
        entrance.receive_data(b"\x01")
    assert entrance.secret is None
    assert repr(PASS)[2:-1] not in repr(entrance)


@pytest.mark.parametrize(("code", "means"), [(0, 0), (1, 1), (2, 2), (3, 1), (255, 1)])
def test_codes(code: int, means: int) -> None:
    end = CircuitEnd(PASS)
    end.receive_data(b"\x32\0\0\x0d" + bytes((code,)) + bytes(12))
    assert end.joined == Joined(JoinCode(means))


@pytest.mark.parametrize("joined", [Joined(JoinCode.JOINED, 2**64), Joined(JoinCode.JOINED, 0, 2**32)])
def test_we_do_not_write_what_nobody_takes(joined: Joined) -> None:
    with pytest.raises(LocalProtocolError):
        joined.encode()
    with pytest.raises(LocalProtocolError):
        CircuitEnd(PASS[1:])


def test_a_link_inside() -> None:
    """What follows the answer is a handshake between the two ends, of which the relay changes nothing."""
    ends = CircuitEnd(PASS), CircuitEnd(PASS[::-1])
    for end in ends:
        end.receive_data(JOINED.encode())
    alice, bob = End.calling("alice", "bob"), End.answering("bob")
    first = alice.sent()
    assert first[0] not in (C1, C2)
    bob.receive(first)
    exchange(alice, bob)
    assert alice.up
    assert bob.up


@pytest.mark.parametrize(
    ("told", "relay", "found"),
    [
        ("", "198.51.100.1", "198.51.100.1:42000"),
        ("", "10.0.0.1", "10.0.0.1:42000"),
        ("8.8.8.8:5", "1.1.1.1", "8.8.8.8:5"),
        ("[2606:4700::1]:5", "1.1.1.1", "[2606:4700::1]:5"),
        ("10.0.0.7:5", "10.0.0.1", "10.0.0.7:5"),
        ("127.0.0.1:5", "127.0.0.1", "127.0.0.1:5"),
        ("10.0.0.7:5", "1.1.1.1", None),
        ("127.0.0.1:5", "1.1.1.1", None),
        ("169.254.1.1:5", "1.1.1.1", None),
        ("0.0.0.0:5", "1.1.1.1", None),
        ("[::1]:5", "1.1.1.1", None),
        ("[::]:5", "1.1.1.1", None),
        ("[fe80::1]:5", "1.1.1.1", None),
        ("[fd00::1]:5", "1.1.1.1", None),
        ("[::ffff:10.0.0.1]:5", "1.1.1.1", None),
    ],
)
def test_a_relay_sends_nobody_into_their_own_network(told: str, relay: str, found: str | None) -> None:
    address = stream_address(told, Address(relay, 42000))
    assert (None if address is None else str(address)) == found


# --- the account


def splice(octets: int = 2**30, seconds: float = 7200.0) -> Splice:
    return Splice(octets, seconds, now=100.0)


def test_an_end_that_does_not_read_stops_the_other() -> None:
    account, window = splice(), relay_limits.CIRCUIT_WINDOW
    assert account.room(CALLER) == window
    account.read(CALLER, window - 1)
    assert (account.room(CALLER), account.room(CALLED)) == (1, window)
    account.read(CALLER, 1)
    assert (account.room(CALLER), account.waiting(CALLER)) == (0, window)
    with pytest.raises(LocalProtocolError):
        account.read(CALLER, 1)
    account.written(CALLER, 1000)
    assert account.room(CALLER) == 1000
    with pytest.raises(LocalProtocolError):
        account.written(CALLER, window)
    with pytest.raises(LocalProtocolError):
        account.written(CALLED, 1)


def test_both_directions_count_together() -> None:
    account = splice(octets=1000)
    account.read(CALLER, 600)
    assert account.room(CALLED) == 400
    account.read(CALLED, 400)
    account.written(CALLER, 600)
    assert account.room(CALLER) == account.room(CALLED) == 0
    assert account.advance(101.0) is Over.OCTETS
    assert account.waiting(CALLED) == 400, "what it holds is still passed on"


def test_the_time_is_over() -> None:
    account = splice(seconds=100.0)
    assert account.advance(199.9) is None
    assert account.advance(200.0) is Over.TIME


def test_nothing_comes_from_either() -> None:
    account = splice()
    assert account.advance(100.0 + relay_limits.CIRCUIT_IDLE) is None
    account.read(CALLED, 1)
    account.written(CALLED, 1)
    assert account.advance(100.0 + 2 * relay_limits.CIRCUIT_IDLE) is None
    assert account.advance(101.0 + 2 * relay_limits.CIRCUIT_IDLE) is Over.IDLE


def test_an_end_takes_nothing() -> None:
    account, stall = splice(), relay_limits.CIRCUIT_STALL
    assert account.advance(150.0) is None
    account.read(CALLER, 10)
    assert account.advance(150.0 + stall) is None, "it counts from when something waits"
    account.written(CALLER, 1)
    assert account.advance(150.0 + 2 * stall) is None
    account.read(CALLER, 5)
    account.written(CALLER, 0)
    assert account.advance(151.0 + 2 * stall) is Over.STALLED, "more to take is no sign of life"


def test_the_other_end() -> None:
    assert [side.other for side in Side] == [CALLED, CALLER]


@plainly
@given(
    st.lists(st.tuples(st.sampled_from(Side), st.integers(0, 300_000), st.integers(0, 300_000)), max_size=30)
)
def test_no_more_is_held_than_the_window_and_no_more_passes_than_the_limit(
    steps: list[tuple[Side, int, int]],
) -> None:
    account, passed = splice(octets=1_000_000), 0
    for side, wanted, taken in steps:
        size = min(wanted, account.room(side))
        account.read(side, size)
        passed += size
        assert account.waiting(side) <= relay_limits.CIRCUIT_WINDOW
        account.written(side, min(taken, account.waiting(side)))
    assert passed <= 1_000_000
    assert (account.advance(101.0) is Over.OCTETS) == (passed == 1_000_000)


def test_after_a_wrong_answer_nothing_is_taken_any_more() -> None:
    end = CircuitEnd(PASS)
    with pytest.raises(RemoteProtocolError):
        end.receive_data(b"\x17")
    end.receive_data(JOINED.encode())
    assert end.joined is None
    assert end.trailing() == b""


def test_what_comes_after_the_answer_is_for_the_inside() -> None:
    end = CircuitEnd(PASS)
    end.receive_data(JOINED.encode())
    end.receive_data(b"\x32 first")
    end.receive_data(b" and second")
    assert end.joined == JOINED
    assert end.trailing() == b"\x32 first and second"
