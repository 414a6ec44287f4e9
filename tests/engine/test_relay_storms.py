"""A relay that refuses, drops or is full is not asked again and again without a pause."""

from collections.abc import AsyncIterator

import pytest

from messenger.core import carrier_limits, limits
from messenger.core.ids import ConversationId
from messenger.core.models import MessageState
from messenger.core.relays import RelayUnreachable
from messenger.engine.events import EngineFault, RelayChanged
from messenger.engine.queues import _Losses
from messenger.net.dial import Stream
from messenger.protocol.relay_queues import NewQueue, QueueKind, Send, Subscribe
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_service import RelayService
from messenger.protocol.relay_word import Code
from tests.helpers.carrier import part, seeded, sessions
from tests.helpers.engines import People, Person
from tests.helpers.relay_users import users_apart, uses
from tests.helpers.small_relay import Client, SmallRelay

ROUNDS = 60
"""Questions and answers that something which goes round and round has time for."""


class Grudging(SmallRelay):
    """Makes no more queues for contacts for now, as a relay does for whoever has made many within an hour."""

    def answer(self, client: Client, service: RelayService, request: Request) -> None:
        if isinstance(request, NewQueue) and request.kind is QueueKind.CONTACT:
            service.fail(request.tag, Code.BUSY, 60)
        else:
            super().answer(client, service, request)

    def wanted(self) -> int:
        """How often somebody has asked for a queue for a contact."""
        return sum(isinstance(each, NewQueue) and each.kind is QueueKind.CONTACT for each in self.asked)


@pytest.fixture
async def grudging() -> AsyncIterator[Grudging]:
    """A relay."""
    relay = await Grudging.open()
    yield relay
    await relay.stop()


async def rounds(person: Person, relay: SmallRelay) -> None:
    """Let somebody ask a relay something and wait for the answer, some times."""
    for _ in range(ROUNDS):
        await person.engine.find_people(relay.fingerprint)


async def test_a_queue_that_is_refused_is_not_asked_for_all_the_time(
    people: People, grudging: Grudging
) -> None:
    """Something is to be told to a contact who can be told nothing: that goes round nothing."""
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await seeded(alice, bob)
    await uses(alice, grudging.target)
    message = await bob.engine.send_text(there, "read me")
    await bob.sees(message.id, MessageState.DELIVERED)
    await part(alice, here, bob, there)
    await rounds(alice, grudging)
    before = grudging.wanted()
    heard = await alice.hears("read me")
    await alice.engine.mark_read(here, heard.position)
    await rounds(alice, grudging)
    assert grudging.wanted() - before <= 2
    assert alice.count(EngineFault) == 0


class Snapping(SmallRelay):
    """Hangs up on whoever brings something, as one that falls over it."""

    falling = False
    fell = 0

    def answer(self, client: Client, service: RelayService, request: Request) -> None:
        if self.falling and isinstance(request, Send):
            self.fell += 1
            client.connection.stream.abort()
        else:
            super().answer(client, service, request)


async def test_a_relay_that_falls_over_a_message_is_not_called_without_a_pause(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pauses grow, whatever waits; what somebody writes anew is tried at once."""
    monkeypatch.setattr(limits, "RECONNECT_FIRST", 30.0)
    monkeypatch.setattr(limits, "RECONNECT_MAX", 60.0)
    relay = await Snapping.open()
    alice, here, bob, _ = await users_apart(people, relay.target)
    relay.falling = True
    since = alice.mark
    message = await alice.engine.send_text(here, "too heavy")
    await relay.until(lambda: relay.fell > 0)
    fallen = await alice.wait_for(
        RelayChanged, lambda e: isinstance(e.relay.state, RelayUnreachable), since=since
    )
    await rounds(bob, relay)
    assert relay.fell <= 2, "what was about to try looks once more"
    assert isinstance(fallen.relay.state, RelayUnreachable)
    assert fallen.relay.state.retry_ms is not None
    relay.falling = False
    await alice.engine.send_text(here, "light")
    await alice.sees(message.id, MessageState.DELIVERED)
    await relay.stop()


async def test_receipts_that_are_not_taken_are_sealed_once(people: People) -> None:
    """They are handed over again as they are: an epoch has room for so many messages only."""
    relay = await Snapping.open()
    alice, here, bob, there = await users_apart(people, relay.target)
    message = await alice.engine.send_text(here, "heard?")
    await alice.sees(message.id, MessageState.DELIVERED)
    before = await sealed_so_far(alice, here)
    await alice.engine.stop()
    message = await bob.engine.send_text(there, "and this?")
    await bob.sees(message.id, MessageState.SENT)
    relay.falling = True
    await alice.start()
    await alice.hears_or_has(here, "and this?")
    await relay.until(lambda: relay.fell >= 5)
    relay.falling = False
    await bob.sees(message.id, MessageState.DELIVERED)
    epoch, number = await sealed_so_far(alice, here)
    assert (epoch, number) in ((before[0], before[1] + 1), (before[0] + 1, 1))
    await relay.stop()


async def sealed_so_far(person: Person, conversation: ConversationId) -> tuple[int, int]:
    """The epoch in which somebody seals for a contact, and how many messages of it there are."""
    session = (await sessions(person, conversation)).current
    assert session is not None
    return session.sending.epoch, session.sending.number


class Narrow(SmallRelay):
    """Has room for one queue a link, and one link alone."""

    turned_away = 0

    async def _talk(self, stream: Stream, first: bytes) -> None:
        if self._here:
            self.turned_away += 1
            self._news.set()
            stream.abort()
        else:
            await super()._talk(stream, first)


async def test_further_links_that_are_turned_away_are_tried_ever_later(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    await seeded(alice, bob)
    monkeypatch.setattr(limits, "RECONNECT_FIRST", 30.0)
    monkeypatch.setattr(limits, "RECONNECT_MAX", 60.0)
    relay = Narrow()
    relay.limit = 1
    await relay.start()
    await uses(alice, relay.target)
    await relay.until(lambda: len(relay.queues) == 2)
    await relay.until(lambda: any(isinstance(each, Subscribe) for each in relay.asked))
    await relay.until(lambda: relay.turned_away > 0)
    await rounds(alice, relay)
    assert relay.turned_away == 1
    monkeypatch.setattr(limits, "RECONNECT_FIRST", 0.05)
    await relay.stop()


def test_a_relay_that_loses_queues_again_and_again_is_asked_for_others_ever_later() -> None:
    """All that it loses at once count as one loss: those are made again at once."""
    losses, now = _Losses(), 1000.0
    for _ in range(100):
        losses.note(now)
    assert losses.until <= now
    pauses = []
    for _ in range(8):
        now = max(now, losses.until) + 61.0
        losses.note(now)
        losses.note(now + 1)
        pauses.append(losses.until - now)
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    now += carrier_limits.LOSSES_FORGOTTEN + 1
    losses.note(now)
    assert losses.until <= now


async def test_a_relay_is_left_only_for_one_where_there_is_a_queue(people: People) -> None:
    """Contacts are not told that we can be written to nowhere because the new relay is slow, or refuses."""
    relay, grudging = await SmallRelay.open(), await Grudging.open("carol")
    alice, here, bob, there = await users_apart(people, relay.target)
    await uses(bob, grudging.target)
    await bob.engine.remove_relay(relay.fingerprint)
    for number in range(3):
        message = await alice.engine.send_text(here, f"still there {number}")
        await alice.sees(message.id, MessageState.DELIVERED)
        answer = await bob.engine.send_text(there, f"still here {number}")
        await bob.sees(answer.id, MessageState.DELIVERED)
    await relay.stop()
    await grudging.stop()
