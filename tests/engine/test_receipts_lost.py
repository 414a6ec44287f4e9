"""Receipts that a link takes with it when it ends: they come another way, without a further link."""

from collections.abc import AsyncIterator, Iterable

import pytest

from messenger.core import limits
from messenger.core.ids import ConversationId
from messenger.core.models import MessageState
from messenger.net.connection import Connection
from messenger.protocol.packets import Delivered, Packet
from messenger.protocol.places import Place
from messenger.protocol.relay_queues import Send
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_service import RelayService
from messenger.protocol.relay_word import Code
from tests.helpers.carrier import context_of, part, settled
from tests.helpers.engines import People, Person
from tests.helpers.relay_users import Pair, until, users_apart
from tests.helpers.small_relay import Client, Queue, SmallRelay


class Slow(SmallRelay):
    """Keeps what it is given, and brings it when it is told to."""

    holding = False
    refusing = False
    """Takes no envelopes."""
    refused = 0

    def answer(self, client: Client, service: RelayService, request: Request) -> None:
        if self.refusing and isinstance(request, Send):
            self.refused += 1
            service.fail(request.tag, Code.BUSY, 1)
            self.note(request)
        else:
            super().answer(client, service, request)

    def bring(self, queue: Queue) -> None:
        if not self.holding:
            super().bring(queue)

    def release(self) -> None:
        """Bring everything."""
        self.holding = False
        for queue in self.queues:
            self.bring(queue)


@pytest.fixture
async def relay() -> AsyncIterator[Slow]:
    relay = Slow()
    await relay.start()
    yield relay
    await relay.stop()


@pytest.fixture
async def apart(people: People, relay: Slow) -> Pair:
    """Who can reach each other through the relay only."""
    return await users_apart(people, relay.target)


@pytest.fixture
def deaf(apart: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterable[None]:
    """From here on no receipt that is written to a link gets out of this computer."""
    assert apart
    post = Connection.post

    def lossy(self: Connection, packet: Packet) -> None:
        if not isinstance(packet, Delivered):
            post(self, packet)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "post", lossy)
        yield


async def due(person: Person, conversation: ConversationId) -> int:
    """How many receipts somebody owes."""
    context = context_of(person)
    return len(await context.stored(context.store.sealed.all_receipts, conversation))


@pytest.mark.usefixtures("deaf")
async def test_what_a_relay_brought_during_a_link(apart: Pair, relay: Slow) -> None:
    alice, here, bob, there = apart
    relay.holding = True
    message = await alice.engine.send_text(here, "twice on its way")
    await alice.sees(message.id, MessageState.SENT)
    await alice.connect(await bob.address())
    await bob.hears("twice on its way")
    relay.release()
    await relay.until(lambda: not relay.waiting())
    await part(alice, here, bob, there)
    await alice.sees(message.id, MessageState.DELIVERED)
    await until_none(bob, there)


@pytest.mark.usefixtures("deaf")
async def test_what_a_link_brought_again(apart: Pair, relay: Slow) -> None:
    """Bob has it from the relay, and has not answered yet when a link brings a copy."""
    alice, here, bob, there = apart
    relay.holding = True
    message = await alice.engine.send_text(here, "come before")
    await alice.sees(message.id, MessageState.SENT)
    relay.refusing = True
    relay.release()
    await bob.hears("come before")
    await relay.until(lambda: relay.refused > 0)
    await alice.connect(await bob.address())
    after = await alice.engine.send_text(here, "after it on the link")
    await bob.hears("after it on the link")
    relay.refusing = False
    await part(alice, here, bob, there)
    await alice.sees(message.id, MessageState.DELIVERED)
    await alice.sees(after.id, MessageState.DELIVERED)


@pytest.mark.usefixtures("deaf")
async def test_whoever_hangs_up_still_owes_receipts(apart: Pair, relay: Slow) -> None:
    """No link is wanted any more; what is due takes the relay."""
    alice, here, bob, there = apart
    relay.holding = True
    message = await alice.engine.send_text(here, "goodbye then")
    await alice.sees(message.id, MessageState.SENT)
    await alice.connect(await bob.address())
    await bob.hears("goodbye then")
    relay.release()
    await relay.until(lambda: not relay.waiting())
    await part(bob, there, alice, here)
    await alice.sees(message.id, MessageState.DELIVERED)


async def test_receipts_that_were_lost_with_a_queue(apart: Pair, relay: Slow) -> None:
    """Alice's relay forgets her queue while the receipts lie in it: her message asks for others."""
    alice, here, bob, there = apart
    relay.holding = True
    message = await alice.engine.send_text(here, "never answered")
    await alice.sees(message.id, MessageState.SENT)
    await alice.engine.stop()
    relay.release()
    await bob.hears("never answered")
    await until_none(bob, there)
    context = context_of(bob)
    ((_, raw),) = await context.stored(context.store.places.get, there)
    place = Place.decode(raw)
    relay.queues = [queue for queue in relay.queues if queue.send_id != place.send_id]
    await alice.start()
    await alice.sees(message.id, MessageState.DELIVERED)
    assert (await bob.texts(there)).count("never answered") == 1


async def test_whoever_had_said_too_much_goes_on_after_a_receipt(
    apart: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session takes so many messages without a word from the other side, and a receipt is one."""
    alice, here, bob, there = apart
    monkeypatch.setattr(limits, "RATCHET_EPOCH_MESSAGES", 3)
    await bob.engine.stop()
    written = [await alice.engine.send_text(here, f"word {number}") for number in range(5)]
    await alice.sees(written[2].id, MessageState.SENT)
    await bob.start()
    for message in written:
        await alice.sees(message.id, MessageState.DELIVERED)
    assert [text for text in await bob.texts(there) if text.startswith("word")] == [
        f"word {number}" for number in range(5)
    ]


async def test_what_was_answered_on_a_link_and_proven_is_not_told_again(apart: Pair, relay: Slow) -> None:
    alice, here, bob, there = apart
    relay.holding = True
    message = await alice.engine.send_text(here, "told by the link")
    await alice.sees(message.id, MessageState.SENT)
    await alice.connect(await bob.address())
    await bob.hears("told by the link")
    relay.release()
    await relay.until(lambda: not relay.waiting())
    assert await due(bob, there) == 1, "nothing has shown that they know"
    await settled(alice, here, bob, there)
    await until_none(bob, there)


async def until_none(person: Person, conversation: ConversationId) -> None:
    """Wait until somebody owes no receipt."""

    async def none() -> bool:
        return await due(person, conversation) == 0

    await until(none)
