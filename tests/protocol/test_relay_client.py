"""The client of a relay: what it asks, and what a relay may say to it and when."""

import hashlib
from collections.abc import Callable

import pytest

from messenger.core import limits, relay_limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol.relay_answers import (
    Arrived,
    Done,
    Ended,
    Failed,
    Page,
    Pass,
    PrekeyGiven,
    QueueMade,
    Ring,
    Subscribed,
    Task,
)
from messenger.protocol.relay_client import ANSWERED_BY, RelayClient
from messenger.protocol.relay_commands import REQUESTS, decode_request, request_bounds
from messenger.protocol.relay_queues import (
    Acknowledge,
    AskPuzzle,
    Connect,
    Delete,
    Send,
    Subscribe,
    SubscribeFlag,
)
from messenger.protocol.relay_request import Proved, Request
from messenger.protocol.relay_wire import Messages, contents
from messenger.protocol.relay_word import Code, EndReason, FromRelay, Welcome
from tests.protocol import relay_words
from tests.protocol.relay_pair import RECV_ID, RECV_KEY, SEND_ID, SEND_KEY, Pair, X, envelope
from tests.protocol.relay_words import ID, KEY


def hash_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def sent(client: RelayClient) -> list[Request]:
    """What a client wants to say."""
    reader = Messages(request_bounds)
    return [decode_request(*each) for part in client.data_to_send() for each in reader.feed(part)]


def hear(client: RelayClient, *words: FromRelay) -> list[FromRelay]:
    """Let a relay say something, whether it may or not."""
    return [word for part in contents(word.encode() for word in words) for word in client.receive(part)]


def refused(client: RelayClient, *words: FromRelay) -> None:
    with pytest.raises(RemoteProtocolError):
        hear(client, *words)
    assert not client.ready
    assert client.data_to_send() == []
    assert hear(client, Done(1)) == [], "whoever was refused is not heard any more"


def welcomed() -> RelayClient:
    client = RelayClient(X)
    hear(client, Welcome())
    return client


def subscribed(window: int = 2, flags: int = 0) -> tuple[RelayClient, int]:
    client = welcomed()
    tag = client.request(Subscribe(0, ID, SubscribeFlag(flags), window), KEY)
    hear(client, Subscribed(tag, 0))
    client.data_to_send()
    return client, tag


def test_everything_that_has_an_answer_is_asked() -> None:
    assert set(ANSWERED_BY) == set(REQUESTS.values()) - {Acknowledge}
    client = RelayClient(X)
    tags = [client.request(each, KEY) for each in relay_words.REQUESTS if type(each) in ANSWERED_BY]
    assert tags == list(range(1, 14))
    found = sent(client)
    assert [request.tag for request in found] == tags
    assert all(request.holds(KEY, X) for request in found if isinstance(request, Proved))
    assert client.data_to_send() == [], "each is returned once"


ANSWERS: dict[type[FromRelay], Callable[[int], FromRelay]] = {
    QueueMade: lambda tag: QueueMade(tag, ID, ID),
    Subscribed: lambda tag: Subscribed(tag, 3),
    Done: Done,
    Task: lambda tag: Task(tag, 8, KEY),
    PrekeyGiven: lambda tag: PrekeyGiven(tag, b"", relay_words.WORDS[6].prekey),  # type: ignore[attr-defined]
    Pass: lambda tag: Pass(tag, KEY),
    Page: lambda tag: Page(tag, ()),
}
ASKABLE = [each for each in relay_words.REQUESTS if type(each) in ANSWERED_BY]


@pytest.mark.parametrize("request_", ASKABLE, ids=repr)
def test_each_is_answered_by_one_kind_or_fails(request_: Request) -> None:
    for kind, make in ANSWERS.items():
        client = welcomed()
        tag = client.request(request_, KEY)
        if kind is ANSWERED_BY[type(request_)]:
            assert hear(client, make(tag)) == [make(tag)]
            refused(client, make(tag))
        else:
            refused(client, make(tag))
    client = welcomed()
    tag = client.request(request_, KEY)
    assert hear(client, Failed(tag, Code.BUSY, 5)) == [Failed(tag, Code.BUSY, 5)]
    refused(client, Failed(tag, Code.BUSY))


def test_answers_in_any_order() -> None:
    client = welcomed()
    tags = [client.request(AskPuzzle(0)) for _ in range(3)]
    answers = [Task(tag, 1, KEY) for tag in reversed(tags)]
    assert hear(client, *answers) == answers


def test_the_welcome_comes_first_and_once() -> None:
    client = RelayClient(X)
    assert client.ready, "nobody waits for it"
    tag = client.request(AskPuzzle(0))
    refused(client, Task(tag, 1, KEY))
    client = RelayClient(X)
    assert hear(client, Welcome(2)) == [Welcome(2)]
    assert client.welcome == Welcome(2)
    refused(client, Welcome(2))


@pytest.mark.parametrize(
    "word", [Done(9), Arrived(9, envelope(1)), Ring(9, KEY), Ended(9, EndReason.GONE), Failed(9, Code.BUSY)]
)
def test_news_of_nothing(word: FromRelay) -> None:
    refused(welcomed(), word)


def test_messages_within_the_window() -> None:
    client, tag = subscribed(window=2)
    one, two, three = (Arrived(tag, envelope(number)) for number in range(3))
    assert hear(client, one, two) == [one, two]
    client.acknowledge(tag, hash_of(one.envelope))
    assert sent(client) == [Acknowledge(tag, (hash_of(one.envelope),))]
    assert hear(client, three) == [three]
    refused(client, one)


def test_a_message_twice_without_acknowledgement() -> None:
    client, tag = subscribed(window=9)
    refused(client, Arrived(tag, envelope(1)), Arrived(tag, envelope(1)))


def test_a_message_again_after_acknowledgement() -> None:
    """The acknowledgement may have been lost; the receiver tells by the message id."""
    client, tag = subscribed(window=1)
    again = Arrived(tag, envelope(1))
    hear(client, again)
    client.acknowledge(tag, hash_of(again.envelope))
    assert hear(client, again) == [again]


def test_only_what_came_is_acknowledged() -> None:
    client, tag = subscribed(window=64)
    arrived = [Arrived(tag, envelope(number)) for number in range(64)]
    hear(client, *arrived)
    hashes = [hash_of(each.envelope) for each in arrived]
    client.acknowledge(tag, KEY, *hashes, *hashes)
    client.acknowledge(tag, *hashes)
    client.acknowledge(tag + 1, *hashes)
    assert sent(client) == [Acknowledge(tag, tuple(hashes))]


def test_more_acknowledgements_than_one_request_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    client, tag = subscribed(window=3)
    arrived = [Arrived(tag, envelope(number)) for number in range(3)]
    hear(client, *arrived)
    monkeypatch.setattr(relay_limits, "ACKS_PER_REQUEST", 2)
    client.acknowledge(tag, *(hash_of(each.envelope) for each in arrived))
    assert [len(each.hashes) for each in sent(client) if isinstance(each, Acknowledge)] == [2, 1]


def test_calls_are_for_those_who_take_them() -> None:
    client, tag = subscribed(flags=1)
    assert hear(client, Ring(tag, KEY, "192.0.2.7:1")) == [Ring(tag, KEY, "192.0.2.7:1")]
    client, tag = subscribed()
    refused(client, Ring(tag, KEY))


def test_nothing_comes_after_the_end() -> None:
    client, tag = subscribed()
    assert hear(client, Ended(tag, EndReason.TAKEN)) == [Ended(tag, EndReason.TAKEN)]
    client.acknowledge(tag, KEY)
    assert sent(client) == []
    refused(client, Arrived(tag, envelope(1)))


def test_a_deleted_queue_is_silent_after_the_answer() -> None:
    client, tag = subscribed()
    delete = client.request(Delete(0, ID), KEY)
    hear(client, Arrived(tag, envelope(1)), Done(delete))
    refused(client, Arrived(tag, envelope(2)))


def test_a_newer_subscription_takes_the_place_of_the_older() -> None:
    client, tag = subscribed()
    newer = client.request(Subscribe(0, ID), KEY)
    assert newer != tag
    hear(client, Ended(tag, EndReason.TAKEN), Subscribed(newer, 0), Arrived(newer, envelope(1)))
    client, tag = subscribed()
    newer = client.request(Subscribe(0, ID), KEY)
    refused(client, Subscribed(newer, 0))


def test_a_subscription_that_failed_is_none() -> None:
    client = welcomed()
    tag = client.request(Subscribe(0, ID), KEY)
    hear(client, Failed(tag, Code.DENIED))
    refused(client, Arrived(tag, envelope(1)))


def test_so_many_requests_at_once_and_no_more() -> None:
    client = welcomed()
    most = relay_limits.REQUESTS_OPEN_MAX
    ready = [(client.ready, client.request(AskPuzzle(0)))[0] for _ in range(most)]
    assert [*ready, client.ready] == [True] * most + [False]
    with pytest.raises(LocalProtocolError):
        client.request(AskPuzzle(0))
    hear(client, Task(7, 1, KEY))
    client.request(AskPuzzle(0))
    hear(client, Task(8, 1, KEY))
    with pytest.raises(LocalProtocolError):
        client.request(Acknowledge(0, (KEY,)))


def test_a_request_out_of_bounds_leaves_no_trace() -> None:
    client = welcomed()
    with pytest.raises(LocalProtocolError):
        client.request(Send(0, ID, b"no envelope"), KEY)
    assert client.data_to_send() == []
    client.advance(relay_limits.ANSWER_WAIT * 9)


def test_tags_go_round_and_are_not_used_twice() -> None:
    client, tag = subscribed()
    client._next_tag = 2**32 - 1
    assert client.request(AskPuzzle(0)) == 2**32 - 1
    assert tag == 1
    assert client.request(AskPuzzle(0)) == 2, "the first is that of the subscription"


@pytest.mark.parametrize(
    ("seconds", "late"), [(relay_limits.ANSWER_WAIT, False), (relay_limits.ANSWER_WAIT + 1, True)]
)
def test_an_answer_in_time(seconds: float, late: bool) -> None:
    client = welcomed()
    client.advance(5.0)
    client.request(AskPuzzle(0))
    if not late:
        client.advance(5.0 + seconds)
        return
    with pytest.raises(RemoteProtocolError):
        client.advance(5.0 + seconds)
    assert client.data_to_send() == []
    assert not client.ready


def test_the_oldest_request_counts() -> None:
    client = welcomed()
    first = client.request(AskPuzzle(0))
    client.advance(20.0)
    client.request(AskPuzzle(0))
    hear(client, Task(first, 1, KEY))
    client.advance(45.0)
    with pytest.raises(RemoteProtocolError):
        client.advance(51.0)


def test_a_welcome_in_time() -> None:
    client = RelayClient(X, now=100.0)
    client.advance(100.0 + relay_limits.WELCOME_WAIT)
    with pytest.raises(RemoteProtocolError):
        client.advance(101.0 + relay_limits.WELCOME_WAIT)


@pytest.mark.parametrize(
    "spoil", [lambda _: b"", lambda data: b"\x01" + data[1:], lambda data: data[:5] + data[4:]]
)
def test_what_is_no_message_at_all(spoil: Callable[[bytes], bytes]) -> None:
    client = welcomed()
    tag = client.request(AskPuzzle(0))
    with pytest.raises(RemoteProtocolError):
        client.receive(spoil(Task(tag, 1, KEY).encode()))
    assert not client.ready


def test_what_is_ignored_is_not_told() -> None:
    client = welcomed()
    assert client.receive(b"\x80\0\0\x03abc" + b"\xff\0\0\0") == []
    assert client.ready


def test_a_conversation() -> None:
    """A queue is made, watched, written to by another client, read, called and deleted."""
    owner, writer = Pair(), Pair()
    owner.make_queue()
    tag = owner.subscribe(calls=True)
    envelopes = [envelope(number, size) for number, size in enumerate(limits.ENVELOPE_BUCKETS)]
    for each in envelopes:
        send = writer.ask(Send(0, SEND_ID, each), SEND_KEY)
        request = writer.asked[-1]
        assert isinstance(request, Send)
        assert writer.service.holds(request, SEND_KEY)
        owner.service.deliver(tag, request.envelope)
        writer.done(send)
    owner.carry()
    assert [word.envelope for word in owner.said if isinstance(word, Arrived)] == envelopes
    owner.client.acknowledge(tag, *map(hash_of, envelopes))
    owner.carry()
    assert owner.asked[-1] == Acknowledge(tag, tuple(map(hash_of, envelopes)))
    call = writer.ask(Connect(0, SEND_ID), SEND_KEY)
    writer.service.answer(Pass(call, b"p" * 32))
    owner.service.ring(tag, b"q" * 32)
    for pair in (owner, writer):
        pair.carry()
    assert (writer.said[-1], owner.said[-1]) == (Pass(call, b"p" * 32), Ring(tag, b"q" * 32))
    delete = owner.ask(Delete(0, RECV_ID), RECV_KEY)
    owner.service.forget(tag)
    owner.done(delete)
    assert owner.said[-1] == Done(delete)
