"""Request queues: prekeys handed out once, and work for everything that strangers leave."""

import pytest

from messenger.core import limits, relay_limits
from messenger.protocol.prekeys import Prekey, PrekeyList, SecretPrekey, draft_list, make_prekeys
from messenger.protocol.relay_answers import Done, Failed, PrekeyGiven, Subscribed
from messenger.protocol.relay_queues import (
    AskPuzzle,
    GetPrekey,
    PutPrekeys,
    QueueKind,
    Subscribe,
    SubscribeFlag,
)
from messenger.protocol.relay_word import Code
from tests.helpers.keys import identity
from tests.helpers.links import NOW, bundle
from tests.helpers.relays import Box, Site, Visitor, envelope


@pytest.fixture(autouse=True)
def easy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that is done at once, as often as one likes."""
    monkeypatch.setattr(limits, "PUZZLE_BITS", 4)
    monkeypatch.setattr(relay_limits, "TASK_INTERVAL", 0.0)


def listed(prekeys: tuple[SecretPrekey, ...], serial: int = NOW) -> PrekeyList:
    draft = draft_list(bundle("alice"), serial, prekeys, NOW)
    return draft.signed(identity("alice").signing.sign(draft.needed.label, draft.needed.fields))


KEYS = (*make_prekeys(2, NOW), *make_prekeys(1, NOW, last_resort=True))


def publics(*prekeys: SecretPrekey) -> tuple[bytes, ...]:
    return tuple(prekey.public.encode() for prekey in prekeys)


async def put(owner: Visitor, box: Box, encoded: bytes, keys: tuple[bytes, ...]) -> Code | None:
    answer = await owner.ask(PutPrekeys(0, box.recv_id, encoded, keys), box.recv_key)
    assert isinstance(answer, Done | Failed)
    return answer.code if isinstance(answer, Failed) else None


async def get(caller: Visitor, box: Box) -> PrekeyGiven | Failed:
    answer: PrekeyGiven | Failed = await caller.ask(
        GetPrekey(0, box.send_id, await caller.work(box.send_id)), box.send_key
    )
    return answer


async def test_each_prekey_is_handed_out_once_and_the_last_again_and_again(site: Site) -> None:
    owner, caller = await site.visitor(), await site.visitor()
    box = await owner.make(QueueKind.REQUESTS)
    assert getattr(await get(caller, box), "code", None) is Code.ABSENT
    encoded = listed(KEYS).encode()
    assert await put(owner, box, encoded, publics(*KEYS)) is None
    subscribed = await owner.ask(Subscribe(0, box.recv_id), box.recv_key)
    assert isinstance(subscribed, Subscribed)
    assert subscribed.prekeys == 2
    given = []
    for _ in range(4):
        answer = await get(caller, box)
        assert isinstance(answer, PrekeyGiven)
        assert answer.prekeys == encoded
        given.append(answer.prekey)
    once, last = set(publics(*KEYS[:2])), publics(KEYS[2])[0]
    assert set(given[:2]) == once
    assert given[2:] == [last, last]
    assert await put(owner, box, listed(KEYS, NOW + 1).encode(), publics(*KEYS)) is None
    answer = await get(caller, box)
    assert isinstance(answer, PrekeyGiven)
    assert answer.prekey == last, "what was handed out stays so"


async def test_lists_that_may_not_be_there(site: Site) -> None:
    owner = await site.visitor()
    box, contact = await owner.make(QueueKind.REQUESTS), await owner.make()
    encoded = listed(KEYS).encode()
    assert await put(owner, contact, encoded, publics(*KEYS)) is Code.DENIED
    stranger = make_prekeys(1, NOW)
    for keys in (publics(*KEYS, *stranger), publics(*KEYS, KEYS[0]), publics(*KEYS[:2])):
        assert await put(owner, box, encoded, keys) is Code.REFUSED
    assert await put(owner, box, encoded[:-1], publics(*KEYS)) is Code.REFUSED
    forged = Prekey(b"i" * 16, 0, bytes(1216))
    assert await put(owner, box, encoded, (forged.encode(),)) is Code.REFUSED
    assert await put(owner, box, encoded, publics(*KEYS)) is None
    assert await put(owner, box, listed(KEYS, NOW - 1).encode(), publics(*KEYS)) is Code.REFUSED


async def test_a_request_costs_work_each_time(site: Site) -> None:
    owner, caller = await site.visitor(), await site.visitor()
    box = await owner.make(QueueKind.REQUESTS)
    assert getattr(await caller.send(box, envelope(1)), "code", None) is Code.PUZZLE
    solution = await caller.work(envelope(1))
    assert isinstance(await caller.send(box, envelope(1), solution), Done)
    assert getattr(await caller.send(box, envelope(1), solution), "code", None) is Code.PUZZLE
    solution = await caller.work(envelope(1))
    wrong = (int.from_bytes(solution, "big") ^ 1).to_bytes(8, "big")
    first = getattr(await caller.send(box, envelope(2), wrong), "code", None)
    assert first in (None, Code.PUZZLE)
    assert getattr(await caller.send(box, envelope(1), solution), "code", None) is Code.PUZZLE, "used up"
    tag = await owner.subscribe(box)
    assert await owner.arrived(tag) == envelope(1)


async def test_what_a_queue_does_not_take(site: Site) -> None:
    owner, caller = await site.visitor(), await site.visitor()
    requests, contact = await owner.make(QueueKind.REQUESTS), await owner.make()
    large = envelope(1, limits.ENVELOPE_BUCKETS[2])
    answer = await caller.send(requests, large, await caller.work(large))
    assert getattr(answer, "code", None) is Code.REFUSED
    answer = await caller.send(contact, envelope(1), bytes(8))
    assert getattr(answer, "code", None) is Code.REFUSED
    called = await owner.ask(Subscribe(0, requests.recv_id, SubscribeFlag.CALLS), requests.recv_key)
    assert getattr(called, "code", None) is Code.DENIED


async def test_a_queue_takes_sixty_four_requests(site: Site) -> None:
    owner, caller = await site.visitor(), await site.visitor()
    box = await owner.make(QueueKind.REQUESTS)
    for number in range(64):
        answer = await caller.send(box, envelope(number), await caller.work(envelope(number)))
        assert isinstance(answer, Done)
    answer = await caller.send(box, envelope(64), await caller.work(envelope(64)))
    assert getattr(answer, "code", None) is Code.FULL


async def test_tasks_come_slowly(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_limits, "TASK_INTERVAL", 1000.0)
    caller = await site.visitor()
    await caller.ask(AskPuzzle(0))
    assert getattr(await caller.ask(AskPuzzle(0)), "code", None) is Code.BUSY
