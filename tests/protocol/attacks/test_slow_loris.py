"""Somebody who sends a byte now and then: nothing is kept but those bytes, and deadlines can be held.

The deadlines themselves belong to `messenger.net`; what they need from here is that nothing
happens before a message or record is complete, and a name for the record that is on its way.
"""

import pytest

from messenger.core import limits
from messenger.core.errors import Reason, RemoteProtocolError
from messenger.protocol.handshake import Step
from messenger.protocol.link import LinkState
from messenger.protocol.packets import Text
from tests.helpers.links import End, handshake, linked, single
from tests.protocol.steps import session
from tests.protocol.tickets import Book, lanes, ticket

WAITING = [step for step in Step if step.name.startswith("AWAIT")]
GAP = 4.0
"""Seconds between two bytes."""


@pytest.mark.parametrize("step", WAITING, ids=lambda step: step.name)
def test_slow_loris_in_every_state_of_the_handshake(step: Step) -> None:
    recorded = session("puzzle")
    (message,) = [sent for sent in recorded.sent if handshake(sent.before.again()).step is step]
    end, now = message.before.again(), 0.0
    for number, byte in enumerate(single(message.data[:-1]), 1):
        now += GAP
        end.link.advance(now)
        end.link.receive_data(byte)
        assert len(handshake(end)._buffer) == number
    assert handshake(end).step is step
    assert end.link.events() == []
    assert end.sent() == b""
    with pytest.raises(RemoteProtocolError) as caught:
        end.link.receive_eof()
    assert caught.value.reason is Reason.INTERRUPTED


def test_slow_loris_in_a_record() -> None:
    one, other = linked()
    packet = Text(bytes(16), 1, bytes(32), 0, "slowly", 0, b"", 0)
    for number in range(2):
        one.link.send(packet)
        names = set()
        now = 1000.0 * (number + 1)
        *most, last = single(one.sent())
        for byte in most:
            now += 0.1
            other.receive(byte)
            names.add(other.link.record_in_progress)
        assert names == {number}, "the deadline of a record runs from its first byte"
        assert len(other.packets) == number
        other.receive(last)
        assert other.link.record_in_progress is None
        assert len(other.packets) == number + 1


def test_slow_loris_with_the_longest_record_keeps_one_record() -> None:
    one, other = linked()
    channel = one.link._channel
    reader = other.link._channel
    assert channel is not None
    assert reader is not None
    stream = (
        b"\x17" + limits.RECORD_CIPHERTEXT_MAX.to_bytes(3, "big") + bytes(limits.RECORD_CIPHERTEXT_MAX - 1)
    )
    for at in range(0, len(stream), 4096):
        other.receive(stream[at : at + 4096])
        assert len(reader._reader._buffer) <= at + 4096
    assert other.link.state is LinkState.OPEN
    with pytest.raises(RemoteProtocolError):
        other.receive(b"\0")


def test_slow_loris_in_a_lane() -> None:
    shown = ticket()
    opener, acceptor = lanes(Book(shown), shown)
    b1 = opener.data_to_send()
    for byte in single(b1[:-1]):
        acceptor.receive_data(byte)
        assert acceptor.data_to_send() == b""
    assert acceptor.ticket is None, "nothing is used up by half a message"
    acceptor.receive_data(b1[-1:])
    assert acceptor.ticket == shown


def test_pings_keep_no_handshake_alive() -> None:
    end = End.answering("bob")
    with pytest.raises(RemoteProtocolError):
        end.receive(b"\x17\0\x01\x10" + bytes(272))
    assert end.link.state is LinkState.CLOSED
