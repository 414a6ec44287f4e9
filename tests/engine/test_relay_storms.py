"""A relay that refuses, drops or is full is not asked again and again without a pause."""

from collections.abc import AsyncIterator

import pytest

from messenger.core.models import MessageState
from messenger.engine.events import EngineFault
from messenger.protocol.relay_queues import NewQueue, QueueKind
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_service import RelayService
from messenger.protocol.relay_word import Code
from tests.helpers.carrier import part, seeded
from tests.helpers.engines import People, Person
from tests.helpers.relay_users import uses
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
