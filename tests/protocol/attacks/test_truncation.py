"""A stream that is cut, or in which messages are a byte shorter or longer than they were."""

import pytest

from messenger.core.errors import Reason, RemoteProtocolError
from messenger.protocol.link import LinkState, PeerClosed
from messenger.protocol.messages import HEADER_SIZE, MessageType
from messenger.protocol.packets import Text
from tests.helpers.links import End, Moment, linked, refused
from tests.protocol.steps import session

KINDS = [*MessageType]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_truncation_of_every_message_at_every_byte(kind: MessageType) -> None:
    sent = session("puzzle").message(kind)
    for size in range(len(sent.data)):
        end = sent.before.again()
        end.receive(sent.data[:size])
        assert end.link.events() == []
        assert end.sent() == b""
        with pytest.raises(RemoteProtocolError) as caught:
            end.link.receive_eof()
        assert caught.value.reason is (Reason.INTERRUPTED if size else Reason.REFUSED)
        assert not end.up


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("change", ["shorter", "longer", "shorter at the front", "empty"])
def test_a_message_a_byte_shorter_or_longer_with_a_length_that_fits(kind: MessageType, change: str) -> None:
    sent = session("puzzle").message(kind)
    content = sent.data[HEADER_SIZE:]
    changed = {
        "shorter": content[:-1],
        "longer": content + b"\0",
        "shorter at the front": content[1:],
        "empty": b"",
    }[change]
    end = sent.before.again()
    refused(end, bytes((kind,)) + len(changed).to_bytes(3, "big") + changed)
    assert not end.up


class File:
    """A file in ten records and a goodbye, on its way to bob."""

    def __init__(self) -> None:
        alice, bob = linked()
        self.before = Moment(bob)
        self.words = [
            Text(bytes(16), number, bytes(32), 0, "x" * 40 * number, 0, b"", 0) for number in range(1, 11)
        ]
        self.boundaries = [0]
        self.stream = b""
        for packet in self.words:
            alice.link.send(packet)
            self.stream += alice.sent()
            self.boundaries.append(len(self.stream))
        alice.link.close()
        self.stream += alice.sent()

    def cut(self, size: int) -> tuple[End, RemoteProtocolError]:
        bob = self.before.again()
        bob.receive(self.stream[:size])
        with pytest.raises(RemoteProtocolError) as caught:
            bob.link.receive_eof()
        return bob, caught.value


@pytest.fixture(scope="module")
def file() -> File:
    return File()


def test_the_end_of_the_stream_at_every_boundary_of_a_record_is_never_complete(file: File) -> None:
    for number, boundary in enumerate(file.boundaries):
        bob, error = file.cut(boundary)
        assert error.reason is Reason.INTERRUPTED
        assert bob.packets == file.words[:number]
        assert not [event for event in bob.events if isinstance(event, PeerClosed)]


def test_the_end_of_the_stream_at_every_byte_is_never_complete(file: File) -> None:
    for size in range(0, len(file.stream), 7):
        bob, error = file.cut(size)
        assert error.reason is Reason.INTERRUPTED
        whole = sum(boundary <= size for boundary in file.boundaries) - 1
        assert bob.packets == file.words[:whole]
        assert bob.link.state is LinkState.CLOSED


def test_only_the_goodbye_makes_it_complete(file: File) -> None:
    bob = file.before.again()
    bob.receive(file.stream)
    bob.link.receive_eof()
    assert bob.packets == file.words
    assert bob.events[-1] == PeerClosed(0)


def test_a_cut_in_the_middle_cannot_be_healed_by_a_goodbye(file: File) -> None:
    goodbye = file.stream[file.boundaries[-1] :]
    for boundary in file.boundaries[:-1]:
        bob = file.before.again()
        refused(bob, file.stream[:boundary] + goodbye)
