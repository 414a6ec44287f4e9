"""A link: questions, events, records, and an end that is final."""

import pytest

from messenger.core.errors import LocalProtocolError, Reason, RemoteProtocolError
from messenger.protocol import packets
from messenger.protocol.handshake import Role, Step
from messenger.protocol.initiator import Initiator
from messenger.protocol.link import CloseCode, Link, LinkState, LinkUp, PacketReceived, PeerClosed
from messenger.protocol.messages import MessageType
from messenger.protocol.packets import Delivered, Text
from messenger.protocol.records import RecordType
from messenger.protocol.responder import Responder
from tests.helpers.keys import identity
from tests.helpers.links import NOW, End, bundle, exchange, linked, refused, single
from tests.protocol.steps import session

HELLO = Text(bytes(16), 1, bytes(32), 0, "hello", 0, b"", 0)


def stands(end: End, state: LinkState) -> bool:
    return end.link.state is state


def send_raw(end: End, content: bytes, kind: RecordType = RecordType.PACKET) -> bytes:
    """A record with any content, as somebody sends it who holds the keys."""
    channel = end.link._channel
    assert channel is not None
    return bytes(channel._writer.seal(kind, content))


def test_from_greeting_to_goodbye() -> None:
    one, other = End.calling("alice", "bob"), End.answering("bob")
    assert (one.link.role, other.link.role) == (Role.INITIATOR, Role.RESPONDER)
    assert stands(one, LinkState.GREETING)
    assert not one.link.was_open
    exchange(one, other)
    assert one.events == [LinkUp(bundle("bob"))]
    assert other.events == [LinkUp(bundle("alice"))]
    one.link.send(HELLO)
    other.link.send(Delivered([bytes(16)]))
    exchange(one, other)
    assert other.packets == [HELLO]
    assert one.packets == [Delivered([bytes(16)])]
    one.link.close(CloseCode.PARTED)
    assert stands(one, LinkState.CLOSING)
    exchange(one, other)
    assert other.events[-1] == PeerClosed(CloseCode.PARTED)
    assert one.events[-1] == PeerClosed(CloseCode.BYE)
    for end in (one, other):
        assert stands(end, LinkState.CLOSED)
        assert end.link.was_open
        end.link.receive_eof()
        end.receive(b"whatever comes now")
        assert end.sent() == b""


def test_first_records_in_the_segment_of_m5() -> None:
    one, other = End.calling("alice", "bob"), End.answering("bob")
    other.receive(one.sent())
    one.receive(other.sent())
    other.receive(one.sent())
    one.receive(other.sent())
    one.link.send(HELLO)
    other.receive(one.sent())
    assert other.events == [LinkUp(bundle("alice")), PacketReceived(HELLO)]


def test_a_fault_right_after_m5() -> None:
    m5 = session().message(MessageType.M5)
    end = m5.before.again()
    error = refused(end, m5.data + bytes(4))
    assert error.reason is Reason.BROKEN
    assert end.events == [LinkUp(bundle("alice"))]


def test_nothing_can_be_said_before_the_link_is_open() -> None:
    end = End.calling("alice", "bob")
    for act in (
        lambda: end.link.send(HELLO),
        end.link.ping,
        lambda: end.link.export("knock", b""),
    ):
        with pytest.raises(LocalProtocolError, match="not open"):
            act()
    assert end.link.record_in_progress is None


def test_the_exporter_is_the_same_at_both_ends_and_for_one_purpose() -> None:
    one, other = linked()
    secrets = {one.link.export(label, context) for label in ("knock", "lane") for context in (b"", b"x")}
    assert len(secrets) == 4
    assert {other.link.export(label, context) for label in ("knock", "lane") for context in (b"", b"x")} == (
        secrets
    )
    assert linked()[0].link.export("knock", b"") not in secrets


def test_pings_and_packets_that_may_be_ignored_are_no_events() -> None:
    one, other = linked()
    one.link.ping()
    other.receive(one.sent())
    assert len(other.sent()) == 276
    other.receive(send_raw(one, b"\xf0 of a later version"))
    assert other.packets == []
    assert stands(other, LinkState.OPEN)


@pytest.mark.parametrize("content", [b"", b"\x01", b"\x40\x90", b"\x02\xc0", b"\x03\x91\x90"])
def test_a_packet_that_cannot_be_closes_the_link(content: bytes) -> None:
    one, other = linked()
    other.link.ping()
    good = send_raw(one, packets.encode(HELLO))
    error = refused(other, good + send_raw(one, content))
    assert error.reason is Reason.BROKEN
    assert other.packets == [HELLO], "what came before the fault is there"
    with pytest.raises(LocalProtocolError):
        other.link.send(HELLO)


def test_a_stream_that_ends_without_a_goodbye() -> None:
    one, other = linked()
    other.receive(one.sent())
    with pytest.raises(RemoteProtocolError) as caught:
        other.link.receive_eof()
    assert caught.value.reason is Reason.INTERRUPTED
    other.link.receive_eof()
    greeting = End.calling("alice", "bob")
    with pytest.raises(RemoteProtocolError) as caught:
        greeting.link.receive_eof()
    assert caught.value.reason is Reason.REFUSED
    assert stands(greeting, LinkState.CLOSED)
    greeting.link.receive_eof()


def test_closing_in_the_greeting_says_nothing() -> None:
    one, other = End.calling("alice", "bob"), End.answering("bob")
    other.link.receive_data(one.sent())
    other.link.close()
    assert stands(other, LinkState.CLOSED)
    assert other.sent() == b"", "not even the M2 that was ready"
    assert not other.link.was_open


def test_a_fault_takes_back_an_answer_that_was_ready() -> None:
    one, other = End.calling("alice", "bob"), End.answering("bob")
    refused(other, one.sent() + bytes(4))


@pytest.mark.parametrize("step", [Step.I_DECIDING, Step.I_SIGNING, Step.I_UNWRAPPING, Step.I_SOLVING])
@pytest.mark.parametrize("end_by", ["close", "fault"])
def test_an_answer_that_comes_after_the_end_changes_nothing(step: Step, end_by: str) -> None:
    end = session("puzzle").at(step)
    if end_by == "close":
        end.link.close()
    else:
        refused(end, bytes(4))
    end.link.accept()
    end.link.signed(bytes(384))
    end.link.unwrapped(bytes(32))
    end.link.solved(0)
    assert end.link.events() == []
    assert stands(end, LinkState.CLOSED)
    assert end.sent() == b""


def test_an_opened_secret_that_does_not_fit_ends_the_link() -> None:
    end = session().at(Step.I_UNWRAPPING)
    with pytest.raises(RemoteProtocolError, match="finished MAC"):
        end.link.unwrapped(bytes(32))
    assert stands(end, LinkState.CLOSED)
    assert end.sent() == b""
    assert not end.up


def test_time_passes_before_and_after_the_handshake() -> None:
    one, other = End.calling("alice", "bob"), End.answering("bob")
    for end in (one, other):
        end.link.advance(100.0)
    exchange(one, other)
    one.link.send(HELLO)
    exchange(one, other)
    for end in (one, other):
        end.link.advance(105.0)
    assert len(exchange(one, other)) == 3, "OFFER, ACCEPT, DONE"
    one.link.send(HELLO)
    one.link.advance(110.0)
    with pytest.raises(RemoteProtocolError, match="not answered"):
        one.link.advance(141.0)
    assert stands(one, LinkState.CLOSED)
    assert one.sent() == b""


def test_a_record_in_progress() -> None:
    one, other = linked()
    one.link.send(HELLO)
    seen = []
    for byte in single(one.sent()):
        other.receive(byte)
        seen.append(other.link.record_in_progress)
    assert seen == [*[0] * 275, None]


def test_nothing_is_deferred_to_a_clock_or_a_socket() -> None:
    hers = Link(Initiator(bundle("alice"), NOW, expected=identity("bob").fingerprint))
    his = Link(Responder(bundle("bob"), NOW, open_door=False))
    his.receive_data(bytes(hers.data_to_send()))
    assert his.data_to_send() != b""
    assert his.data_to_send() == b""
