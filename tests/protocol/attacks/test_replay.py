"""Messages and records again, in another order, in another session, or not at all."""

from itertools import combinations

import pytest

from messenger.core.errors import RemoteProtocolError
from messenger.protocol.handshake import UnwrapNeeded
from messenger.protocol.link import LinkState
from messenger.protocol.messages import Caps, MessageType
from messenger.protocol.packets import Text
from tests.helpers.links import End, Moment, Sent, linked, messages, record, refused
from tests.protocol.forge import Answerer, Caller
from tests.protocol.steps import session

M1, M2, M3, M4, M5, RETRY = MessageType


def text(number: int) -> Text:
    return Text(bytes(16), number, bytes(32), 0, f"number {number}", 0, b"", 0)


def fresh(role: str) -> End:
    return End.calling("alice", "bob") if role == "initiator" else End.answering("bob")


def of(sender: str) -> list[Sent]:
    """What one side sent in the recorded session."""
    recorded = session()
    end = recorded.one if sender == "initiator" else recorded.other
    return [sent for sent in recorded.sent if sent.sender is end]


def test_replay_of_the_greeting_to_a_fresh_responder_costs_no_rsa() -> None:
    bob = End.answering("bob")
    bob.receive(session().message(M1).data)
    assert bob.sent()[0] == M2
    refused(bob, session().message(M3).data)
    assert bob.private_operations == 0
    assert bob.count(UnwrapNeeded) == 0


def test_replay_of_everything_that_one_side_said() -> None:
    for role in ("initiator", "responder"):
        victim = fresh("responder" if role == "initiator" else "initiator")
        victim.sent()
        error = refused(victim, b"".join(sent.data for sent in of(role)))
        assert victim.private_operations == 0
        assert not victim.up, error


@pytest.mark.parametrize("kind", [M2, M4, M5])
def test_replay_of_a_message_of_another_session_of_the_same_two(kind: MessageType) -> None:
    other = record(End.calling("alice", "bob"), End.answering("bob"))
    (message,) = [sent for sent in other if sent.kind is kind]
    victim = session().message(kind).before.again()
    refused(victim, message.data)
    assert not victim.up


def test_replay_of_records_of_another_session() -> None:
    recorded = next(sent for sent in session().sent if sent.kind is None)
    _, bob = linked()
    refused(bob, recorded.data)
    assert bob.packets == []


def test_splicing_m3_between_two_sessions_at_the_same_time() -> None:
    pairs = [(End.calling("alice", "bob"), End.answering("bob")) for _ in range(2)]
    for one, other in pairs:
        other.receive(one.sent())
        one.receive(other.sent())
    refused(pairs[1][1], pairs[0][0].sent())
    assert pairs[1][1].private_operations == 0


def test_splicing_every_message_between_two_sessions_at_the_same_time() -> None:
    other = record(End.calling("alice", "bob"), End.answering("bob"))
    for mine, theirs in zip(session().sent[1:], other[1:], strict=False):
        assert mine.kind is theirs.kind
        refused(mine.before.again(), theirs.data)


@pytest.mark.parametrize("after", range(5))
def test_a_relay_that_swaps_the_ends_of_two_circuits(after: int) -> None:
    """Alice and Bob, Carol and Dora, joined by one relay: after some messages it joins them crosswise."""
    relay = bytes(range(32))
    two = [
        (End.calling(one, other, caps=Caps(relay=relay)), End.answering(other, caps=Caps(relay=relay)))
        for one, other in (("alice", "bob"), ("carol", "dora"))
    ]
    for number in range(after):
        for pair in two:
            pair[(number + 1) % 2].receive(pair[number % 2].sent())
    for (caller, _), (_, answerer) in (two, two[::-1]):
        receiver, sender = (answerer, caller) if after % 2 == 0 else (caller, answerer)
        with pytest.raises(RemoteProtocolError):
            receiver.receive(sender.sent())
        assert not answerer.up, "nobody is up towards somebody else"


def test_a_relay_that_swaps_the_ends_of_two_circuits_that_are_up() -> None:
    (alice, _), (_, dora) = linked(), linked(End.calling("carol", "dora"), End.answering("dora"))
    alice.link.send(text(1))
    with pytest.raises(RemoteProtocolError):
        dora.receive(alice.sent())
    assert dora.packets == []


def test_a_circuit_that_leads_through_another_relay_than_it_says() -> None:
    """A relay that passes a circuit on through a second one, or over a direct stream: either end refuses."""
    for one, other in ((b"\x01" * 32, b"\x02" * 32), (b"\x01" * 32, b""), (b"", b"\x01" * 32)):
        alice, answering = End.calling("alice", "bob", caps=Caps(relay=one)), Answerer("bob")
        error = refused(alice, answering.m2(alice.sent(), caps=Caps(relay=other).encode()))
        assert str(error) == "capabilities do not fit the path"
        calling, bob = Caller("alice", "bob"), End.answering("bob", caps=Caps(relay=one))
        bob.receive(calling.m1())
        calling.take_m2(bob.sent())
        error = refused(bob, calling.m3(caps=Caps(relay=other).encode()))
        assert str(error) == "capabilities do not fit the path"


@pytest.mark.parametrize("sender", ["initiator", "responder"])
def test_reordering_two_messages(sender: str) -> None:
    said = of(sender)
    for first, second in combinations(range(len(said)), 2):
        victim = said[first].before.again()
        refused(victim, said[second].data + said[first].data)
        assert not victim.up or said[first].kind is None


@pytest.mark.parametrize("sender", ["initiator", "responder"])
def test_doubling_a_message(sender: str) -> None:
    for sent in of(sender):
        victim = sent.before.again()
        refused(victim, sent.data + sent.data)
        if sent.kind is None:
            assert victim.packets == session().other.packets, "the first copy was good"


@pytest.mark.parametrize("sender", ["initiator", "responder"])
def test_dropping_a_message(sender: str) -> None:
    said = of(sender)
    for number in range(len(said) - 1):
        victim = said[number].before.again()
        refused(victim, said[number + 1].data)


def test_a_record_before_the_handshake_is_finished() -> None:
    for sent in session("puzzle").sent:
        if sent.kind is not None:
            for records in (session().sent[-1].data, session("puzzle").sent[-1].data):
                victim = sent.before.again()
                refused(victim, records)
                assert victim.packets == []


class Stream:
    """Five records on their way to bob."""

    def __init__(self) -> None:
        alice, bob = linked()
        self.before = Moment(bob)
        self.records = []
        for number in range(1, 6):
            alice.link.send(text(number))
            self.records.append(alice.sent())


@pytest.fixture(scope="module")
def stream() -> Stream:
    return Stream()


def arrives(stream: Stream, order: list[int], whole: int) -> None:
    """Bob reads the records before the place where something is wrong, and nothing after it."""
    bob = stream.before.again()
    refused(bob, b"".join(stream.records[number] for number in order))
    assert bob.packets == [text(number + 1) for number in range(whole)]


def test_records_dropped(stream: Stream) -> None:
    for missing in range(4):
        arrives(stream, [n for n in range(5) if n != missing], missing)


def test_records_replayed(stream: Stream) -> None:
    for again in range(5):
        arrives(stream, [*range(again + 1), again, *range(again + 1, 5)], again + 1)
        arrives(stream, [*range(5), again], 5)


def test_records_reordered(stream: Stream) -> None:
    for first, second in combinations(range(5), 2):
        order = list(range(5))
        order[first], order[second] = second, first
        arrives(stream, order, first)


def test_records_reflected_to_their_sender() -> None:
    alice, bob = linked()
    alice.link.send(text(1))
    refused(alice, alice.sent())
    bob.link.ping()
    refused(bob, bob.sent())


def test_a_goodbye_replayed_in_the_next_link() -> None:
    alice, bob = linked()
    alice.link.close()
    goodbye = alice.sent()
    _, again = linked()
    with pytest.raises(RemoteProtocolError):
        again.receive(goodbye)
    assert again.link.state is LinkState.CLOSED
    assert not [event for event in again.events if "PeerClosed" in repr(event)]
    assert messages(goodbye)[0][0] is None
    bob.receive(goodbye)
