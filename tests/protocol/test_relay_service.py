"""The relay's side of a link: what a client may ask, and what it may be told."""

import hashlib
import itertools

import pytest

from messenger.core import relay_limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol import puzzle
from messenger.protocol.relay_answers import Arrived, Done, Failed, QueueMade, Subscribed, Task
from messenger.protocol.relay_queues import (
    Acknowledge,
    AskPuzzle,
    Connect,
    Delete,
    GetPrekey,
    Send,
    Subscribe,
    SubscribeFlag,
)
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_service import RelayService
from messenger.protocol.relay_wire import contents
from messenger.protocol.relay_word import Code, EndReason, Welcome
from tests.protocol.relay_pair import RECV_ID, RECV_KEY, SEND_ID, SEND_KEY, Pair, X, envelope
from tests.protocol.relay_words import ID, KEY, SOLUTION


def service() -> RelayService:
    fresh = RelayService(X, Welcome())
    assert fresh.data_to_send() == [Welcome().encode()]
    return fresh


def ask(relay: RelayService, *requests: Request) -> list[Request]:
    """Let a client say something, whether it may or not."""
    return [asked for part in contents(each.encode() for each in requests) for asked in relay.receive(part)]


def refused(relay: RelayService, *requests: Request) -> None:
    with pytest.raises(RemoteProtocolError):
        ask(relay, *requests)
    assert relay.data_to_send() == []
    assert ask(relay, AskPuzzle(77)) == [], "whoever was refused is not heard any more"


def holds(task: Task, what: bytes, solution: bytes) -> bool:
    return puzzle.holds(puzzle.material(task.seed, what), task.bits, solution)


def solve(task: Task, what: bytes, *others: tuple[Task, bytes]) -> bytes:
    """The least solution that does not happen to be one of these others too."""
    counters = (number.to_bytes(8, "big") for number in itertools.count())
    return next(c for c in counters if holds(task, what, c) and not any(holds(*other, c) for other in others))


def subscribed(window: int = 2, flags: int = 0) -> tuple[RelayService, int]:
    relay = service()
    ask(relay, Subscribe(1, ID, SubscribeFlag(flags), window))
    relay.answer(Subscribed(1, 0))
    relay.data_to_send()
    return relay, 1


def test_requests_come_in_order_and_are_answered_once() -> None:
    relay = service()
    requests = [AskPuzzle(5), Delete(9, ID), Connect(2, ID)]
    assert ask(relay, *requests) == requests
    relay.answer(Done(9))
    relay.fail(2, Code.ABSENT)
    for wrong in (Done(9), Done(5), Done(77), QueueMade(5, ID, ID)):
        with pytest.raises(LocalProtocolError):
            relay.answer(wrong)
    with pytest.raises(LocalProtocolError):
        relay.fail(9, Code.BUSY)
    assert relay.data_to_send() == [Done(9).encode() + Failed(2, Code.ABSENT).encode()]


def test_an_answer_out_of_bounds_leaves_the_request_open() -> None:
    relay = service()
    ask(relay, AskPuzzle(5))
    with pytest.raises(LocalProtocolError):
        relay.answer(Task(5, 21, KEY))
    relay.answer(Task(5, 20, KEY))


def test_a_tag_twice() -> None:
    refused(service(), AskPuzzle(1), AskPuzzle(1))
    relay, tag = subscribed()
    refused(relay, AskPuzzle(tag))
    relay = service()
    ask(relay, AskPuzzle(1))
    relay.answer(Task(1, 0, KEY))
    assert ask(relay, AskPuzzle(1)) == [AskPuzzle(1)], "once it is answered it is free"


def test_so_many_requests_at_once_and_no_more() -> None:
    relay = service()
    most = relay_limits.REQUESTS_OPEN_MAX
    ask(relay, *(AskPuzzle(tag) for tag in range(1, most + 1)))
    refused(relay, AskPuzzle(most + 1))


def test_a_request_of_a_later_version_is_answered() -> None:
    relay = service()
    assert relay.receive(b"\x3f\0\0\x06\0\0\0\x09xy") == []
    assert relay.data_to_send() == [Failed(9, Code.UNKNOWN).encode()]


@pytest.mark.parametrize(
    "content", [b"", b"\x41\0\0\x04\0\0\0\x01", b"\x06\0\0\x05", b"\x06\0\0\x04\0\0\0\0"]
)
def test_what_is_no_request(content: bytes) -> None:
    relay = service()
    with pytest.raises(RemoteProtocolError):
        relay.receive(content)
    assert relay.receive(AskPuzzle(1).encode()) == []


def test_the_key_of_the_queue_and_no_other() -> None:
    pair = Pair()
    pair.ask(Send(0, SEND_ID, envelope(1)), SEND_KEY)
    (request,) = pair.asked
    assert isinstance(request, Send)
    assert pair.service.holds(request, SEND_KEY)
    assert not pair.service.holds(request, RECV_KEY)
    assert not pair.service.holds(request, None)
    assert not RelayService(b"y" * 32, Welcome()).holds(request, SEND_KEY), "another link"


def test_a_queue_that_there_is_not_has_no_key_that_fits() -> None:
    """Not even the one that stands for it."""
    nobody = b"n" * 32
    relay = RelayService(X, Welcome(), entropy=lambda _: nobody)
    assert not relay.holds(Delete(1, ID).signed(nobody, X), None)
    assert relay.holds(Delete(1, ID).signed(nobody, X), nobody)


def test_a_window_of_messages() -> None:
    relay, tag = subscribed(window=2)
    assert (relay.room(tag), relay.room(99)) == (2, 0)
    relay.deliver(tag, envelope(1))
    with pytest.raises(LocalProtocolError):
        relay.deliver(tag, envelope(1))
    relay.deliver(tag, envelope(2))
    assert relay.room(tag) == 0
    relay.take()
    with pytest.raises(LocalProtocolError):
        relay.deliver(tag, envelope(3))
    assert not relay.brings(tag, envelope(3), hashlib.sha256(envelope(3)).digest())
    assert relay.take() == []
    hashes = [hashlib.sha256(envelope(number)).digest() for number in (1, 2)]
    known = ask(relay, Acknowledge(tag, (KEY, hashes[0], hashes[0])), Acknowledge(tag, (KEY,)))
    assert known == [Acknowledge(tag, (hashes[0],))], "what was not delivered is not forgotten"
    assert relay.room(tag) == 1
    assert ask(relay, Acknowledge(99, tuple(hashes))) == []


def test_the_end_of_a_subscription() -> None:
    relay, tag = subscribed()
    relay.deliver(tag, envelope(1))
    relay.end(tag, EndReason.TAKEN)
    assert relay.room(tag) == 0
    with pytest.raises(LocalProtocolError):
        relay.end(tag, EndReason.GONE)
    with pytest.raises(LocalProtocolError):
        relay.forget(tag)
    with pytest.raises(LocalProtocolError):
        relay.deliver(tag, envelope(2))
    assert ask(relay, Acknowledge(tag, (hashlib.sha256(envelope(1)).digest(),))) == []


def test_calls_are_for_those_who_take_them() -> None:
    relay, tag = subscribed()
    assert not relay.takes_calls(tag)
    with pytest.raises(LocalProtocolError):
        relay.ring(tag, KEY)
    relay, tag = subscribed(flags=1)
    assert relay.takes_calls(tag)
    relay.ring(tag, KEY, "192.0.2.7:1")
    assert not relay.takes_calls(99)


def test_a_failed_subscription_is_none() -> None:
    relay = service()
    ask(relay, Subscribe(1, ID))
    relay.fail(1, Code.DENIED)
    assert relay.room(1) == 0


def test_a_puzzle_is_solved_once() -> None:
    pair = Pair()
    pair.service.set_task(pair.ask(AskPuzzle(0)), 4)
    pair.carry()
    (task,) = pair.said
    assert isinstance(task, Task)
    request = Send(1, ID, envelope(1), solve(task, envelope(1)))
    assert pair.service.solved(request)
    assert not pair.service.solved(request), "used up"


def test_a_wrong_solution_uses_the_task_up() -> None:
    pair = Pair()
    pair.service.set_task(pair.ask(AskPuzzle(0)), 12)
    pair.carry()
    (task,) = pair.said
    assert isinstance(task, Task)
    good = GetPrekey(1, ID, solve(task, ID))
    wrong = solve(task, ID[::-1], (task, ID))
    assert not pair.service.solved(GetPrekey(1, ID, wrong)), "for another queue"
    assert not pair.service.solved(good)


def test_only_the_newest_task_counts() -> None:
    pair = Pair()
    for _ in range(2):
        pair.service.set_task(pair.ask(AskPuzzle(0)), 12)
    pair.carry()
    older, newer = (word for word in pair.said if isinstance(word, Task))
    assert older.seed != newer.seed
    assert pair.service.solved(GetPrekey(1, ID, solve(newer, ID)))
    pair.service.set_task(pair.ask(AskPuzzle(0)), 12)
    pair.carry()
    newest = pair.said[-1]
    assert isinstance(newest, Task)
    assert not pair.service.solved(GetPrekey(1, ID, solve(newer, ID, (newest, ID))))


def test_no_task_no_solution() -> None:
    relay = service()
    assert not relay.solved(GetPrekey(1, ID, SOLUTION))
    with pytest.raises(LocalProtocolError):
        relay.set_task(1, 4)
    ask(relay, Delete(1, RECV_ID).signed(RECV_KEY, X))
    with pytest.raises(LocalProtocolError):
        relay.set_task(1, 4)


def test_done_answers_what_is_open_and_answered_by_it_once() -> None:
    relay = service()
    ask(relay, Delete(1, ID), AskPuzzle(2))
    for tag in (2, 3):
        with pytest.raises(LocalProtocolError):
            relay.done(tag)
    assert relay.data_to_send() == []
    relay.done(1)
    assert relay.waiting
    assert relay.data_to_send() == [Done(1).encode()]
    with pytest.raises(LocalProtocolError):
        relay.done(1)


def test_what_is_delivered_is_a_message_of_the_stream() -> None:
    relay, tag = subscribed()
    relay.deliver(tag, envelope(1))
    assert relay.data_to_send() == [Arrived(tag, envelope(1)).encode()]
    with pytest.raises(LocalProtocolError):
        relay.deliver(tag, b"no envelope")
    assert relay.room(tag) == 1
