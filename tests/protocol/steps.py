"""Recorded handshakes, with a moment of each end at every step."""

import functools
from dataclasses import dataclass

from messenger.core.errors import RemoteProtocolError
from messenger.protocol.handshake import Step
from messenger.protocol.messages import MessageType
from messenger.protocol.packets import Hello, Text
from tests.helpers.links import End, Moment, Question, Sent, handshake, record

PUZZLE_BITS = 8
PACKETS = (
    Hello("Alice", 42000, accepted=True, read_seq=0),
    Text(bytes(16), 1, bytes(32), 0, "the words", 0, b"", 0),
)


class Watched(End):
    """An end that remembers how it was before it answered each question."""

    def _answer(self, question: Question) -> None:
        self.__dict__.setdefault("steps", {})[handshake(self).step] = Moment(self)
        super()._answer(question)


@dataclass(frozen=True)
class Session:
    """A recorded handshake and some packets after it.

    Attributes:
        sent: What was sent, in order.
        steps: An end at each step.
        path: The steps in the order of their time, of both roles.
        one: The initiator, at the end.
        other: The responder, at the end.
    """

    sent: tuple[Sent, ...]
    steps: dict[Step, Moment]
    path: tuple[Step, ...]
    one: End
    other: End

    def message(self, kind: MessageType, number: int = 0) -> Sent:
        """The first message of a type, or the second."""
        return [sent for sent in self.sent if sent.kind is kind][number]

    def at(self, step: Step) -> End:
        """An end at a step."""
        return self.steps[step].again()


@functools.cache
def session(kind: str = "plain") -> Session:
    """A handshake: plain, door (the initiator knows the address only), puzzle or anonymous."""
    one: End = Watched.calling("alice", None if kind == "door" else "bob")
    other: End = Watched.answering("bob", open_door=kind == "door")
    if kind == "puzzle":
        other = Watched.answering("bob", puzzle_bits=PUZZLE_BITS)
    elif kind == "anonymous":
        one, other = Watched.anonymous("bob"), Watched.answering("bob", anonymous=True)
    sent = record(one, other, PACKETS)
    steps: dict[Step, Moment] = {}
    path: list[Step] = []
    for message in sent:
        if message.kind is not None:
            step = handshake(message.before.again()).step
            steps[step] = message.before
            path.append(step)
    for end in (one, other):
        steps |= end.__dict__.get("steps", {})
    steps[Step.DONE] = Moment(other)
    steps[Step.FAILED] = _failed(steps[Step.AWAIT_M1])
    return Session(tuple(sent), steps, tuple(path), one, other)


def _failed(moment: Moment) -> Moment:
    end = moment.again()
    try:
        handshake(end).receive_data(bytes(4))
    except RemoteProtocolError:
        return Moment(end)
    raise AssertionError("zeros were taken for a message")
