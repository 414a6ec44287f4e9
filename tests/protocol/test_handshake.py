"""What both roles share: the table of steps, framing, and one way to fail."""

from itertools import product

import pytest

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, Reason, RemoteProtocolError
from messenger.protocol.handshake import TRANSITIONS, Answer, Handshake, SignNeeded, Step
from messenger.protocol.messages import MessageType, frame
from tests.helpers.links import End, handshake, single
from tests.protocol.steps import session

LISTENING = [step for step in Step if step is not Step.DONE]
"""The steps in which bytes are taken for handshake messages."""

ANSWERS = {
    Answer.ACCEPTED: (),
    Answer.SIGNED: (bytes(384),),
    Answer.UNWRAPPED: (bytes(32),),
    Answer.SOLVED: (0,),
}


def at(step: Step) -> Handshake:
    return handshake(session("puzzle").at(step))


def failed(ours: Handshake) -> None:
    assert ours.step is Step.FAILED
    assert ours.data_to_send() == b""
    assert ours.events() == []


@pytest.mark.parametrize(
    ("step", "kind"), sorted(set(product(LISTENING, MessageType)) - set(TRANSITIONS), key=str)
)
def test_every_message_not_in_the_table_is_refused(step: Step, kind: MessageType) -> None:
    genuine = session("puzzle").message(kind).data
    ours = at(step)
    with pytest.raises(RemoteProtocolError, match=f"{kind.name} at {step.name}") as caught:
        ours.receive_data(genuine[:4])
    first = step in (Step.AWAIT_M1, Step.AWAIT_M2)
    assert caught.value.reason is (Reason.NOT_SOTTO if first else Reason.BROKEN)
    failed(ours)


@pytest.mark.parametrize(("step", "answer"), sorted(set(product(Step, Answer)) - set(TRANSITIONS), key=str))
def test_every_answer_not_in_the_table_is_our_own_bug(step: Step, answer: Answer) -> None:
    ours = at(step)
    with pytest.raises(LocalProtocolError, match=f"{answer.name} at {step.name}"):
        getattr(ours, answer.name.lower().replace("accepted", "accept"))(*ANSWERS[answer])
    failed(ours)


@pytest.mark.parametrize("pair", sorted(TRANSITIONS, key=str), ids=str)
def test_everything_in_the_table_happens(pair: tuple[Step, MessageType | Answer]) -> None:
    step, given = pair
    ours = at(step)
    assert ours.step is step
    if isinstance(given, MessageType):
        ours.receive_data(frame(given, bytes(32))[:4])
        assert ours.step is step, "the header is taken"


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("plain", "AWAIT_M1 AWAIT_M2 AWAIT_M3 AWAIT_M4 AWAIT_M5"),
        ("door", "AWAIT_M1 AWAIT_M2 AWAIT_M3 AWAIT_M4 AWAIT_M5"),
        ("anonymous", "AWAIT_M1 AWAIT_M2 AWAIT_M3 AWAIT_M4 AWAIT_M5"),
        ("puzzle", "AWAIT_M1 AWAIT_M2 AWAIT_M1_AGAIN AWAIT_M2_AGAIN AWAIT_M3 AWAIT_M4 AWAIT_M5"),
    ],
)
def test_the_path_of_a_handshake(kind: str, path: str) -> None:
    assert [step.name for step in session(kind).path] == path.split()
    assert session(kind).one.up
    assert session(kind).other.up


def test_every_step_is_reached() -> None:
    assert set(session("puzzle").steps) == set(Step)


@pytest.mark.parametrize("step", LISTENING)
@pytest.mark.parametrize("first", [0, 7, 0x17, 0x21, ord("G")])
def test_something_else_is_refused_at_four_bytes(step: Step, first: int) -> None:
    ours = at(step)
    ours.receive_data(bytes((first, 0, 0)))
    assert ours.step is step
    with pytest.raises(RemoteProtocolError) as caught:
        ours.receive_data(b"\0")
    assert caught.value.reason is Reason.NOT_SOTTO
    failed(ours)


@pytest.mark.parametrize("kind", MessageType)
def test_a_length_over_its_limit_is_refused_at_four_bytes(kind: MessageType) -> None:
    step = next(step for step, given in TRANSITIONS if given is kind)
    ours = at(step)
    header = bytes((kind,)) + (limits.HANDSHAKE_MESSAGE_MAX[kind] + 1).to_bytes(3, "big")
    with pytest.raises(RemoteProtocolError, match="too long"):
        ours.receive_data(header)
    failed(ours)


def test_the_end_of_the_stream() -> None:
    for step in LISTENING:
        ours = at(step)
        with pytest.raises(RemoteProtocolError) as caught:
            ours.receive_eof()
        assert caught.value.reason is Reason.REFUSED
        failed(ours)
    ours = at(Step.AWAIT_M1)
    ours.receive_data(b"\x01")
    with pytest.raises(RemoteProtocolError) as caught:
        ours.receive_eof()
    assert caught.value.reason is Reason.INTERRUPTED


def test_bytes_after_the_handshake_are_kept_for_the_records() -> None:
    recorded = session("plain")
    m5 = recorded.message(MessageType.M5)
    ours = handshake(m5.before.again())
    ours.receive_data(m5.data + b"the first record")
    assert ours.step is Step.DONE
    assert ours.trailing() == b"the first record"
    assert ours.trailing() == b""
    ours.receive_data(b"the second")
    assert ours.trailing() == b"the second"


def test_what_is_returned_is_returned_once() -> None:
    ours = at(Step.I_SIGNING)
    assert ours.events() == []
    assert ours.data_to_send() == b""


def test_byte_by_byte_nothing_happens_before_the_last() -> None:
    for sent in session("puzzle").sent:
        if sent.kind is None:
            continue
        end = sent.before.again()
        step = handshake(end).step
        for byte in single(sent.data[:-1]):
            end.link.receive_data(byte)
            assert handshake(end).step is step
            assert end.link.events() == []
            assert end.link.data_to_send() == b""


@pytest.mark.parametrize("kind", ["plain", "puzzle", "anonymous"])
def test_only_who_must_do_private_operations_does(kind: str) -> None:
    recorded = session(kind)
    counts = [end.private_operations for end in (recorded.one, recorded.other)]
    assert counts == ([0, 2] if kind == "anonymous" else [2, 2])


def test_what_is_to_be_signed_is_not_shown() -> None:
    questions = [asked for end in (session().one, session().other) for asked in end.asked]
    signs = [question for question in questions if isinstance(question, SignNeeded)]
    assert [repr(question) for question in signs] == [
        "SignNeeded(link I, 4 fields)",
        "SignNeeded(link R, 4 fields)",
    ]


def test_two_ends_in_one_program_do_not_share_anything() -> None:
    one, other = End.calling("alice", "bob"), End.calling("alice", "bob")
    assert one.sent() != other.sent()
