"""People who use relays."""

import asyncio
from collections.abc import Awaitable, Callable

from messenger.core.ids import ConversationId
from messenger.core.models import Online, Presence, Route
from messenger.core.relays import RelayOnline
from messenger.engine.events import PresenceChanged, RelayChanged
from messenger.protocol.invite import Invite, read_invite, write_invite
from tests.helpers.carrier import context_of, part, seeded
from tests.helpers.engines import People, Person
from tests.helpers.patience import PATIENCE
from tests.helpers.small_relay import SmallRelay


async def uses(person: Person, target: str) -> None:
    """Let somebody use a relay, and wait for the link."""
    since = person.mark
    await person.engine.add_relay(target)
    await linked(person, since=since)


async def linked(person: Person, *, since: int = 0) -> None:
    """Wait until somebody has a link with a relay."""
    await person.wait_for(RelayChanged, lambda e: isinstance(e.relay.state, RelayOnline), since=since)


async def ready(relay: SmallRelay, people: int = 1) -> None:
    """Wait until strangers can write to so many people at a relay."""
    await relay.until(lambda: sum(bool(queue.prekeys) for queue in relay.queues) >= people)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again whether something is so; each question goes through somebody's storage thread."""
    async with asyncio.timeout(PATIENCE):
        while not await holds():  # noqa: ASYNC110 -- it lies in a store, which tells nobody
            await asyncio.sleep(0)


async def settle(alice: Person, bob: Person) -> None:
    """Wait until each of two people who have accepted each other knows where the other is written to."""
    for person, other in ((alice, bob), (bob, alice)):
        context, conversation = context_of(person), await person.with_(other)

        async def told() -> bool:
            return bool(await context.stored(context.store.places.get, conversation))  # noqa: B023

        await until(told)


Pair = tuple[Person, ConversationId, Person, ConversationId]
"""Two people, each with the conversation that they have with the other."""


async def users_apart(people: People, target: str) -> Pair:
    """Alice and Bob, who have met, use one relay, know each other's queues, and have no link.

    Args:
        people: Makes people.
        target: The link of the relay.
    """
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    for person in (alice, bob):
        await uses(person, target)
    here, there = await seeded(alice, bob)
    await settle(alice, bob)
    await part(alice, here, bob, there)
    return alice, here, bob, there


async def places(person: Person, conversation: ConversationId, count: int, relay: bytes = b"") -> bool:
    """Whether somebody knows so many places of a contact, the first of them at a relay."""
    context = context_of(person)
    found = await context.stored(context.store.places.get, conversation)
    return len(found) == count and (not relay or found[0][0] == relay)


async def strangers_can_write(person: Person) -> None:
    """Wait until somebody has a queue for requests, and the relay what strangers need to write there."""
    context, running = context_of(person), person.engine._running
    assert running is not None
    larder = running.queues.larder

    async def open_() -> bool:
        return any(larder.has(queue) for queue in await context.stored(context.store.queues.for_requests))

    await until(open_)


async def acquainted(alice: Person, bob: Person, relay: str) -> tuple[ConversationId, ConversationId]:
    """Let two people meet who know nothing of each other but where they are written to at a relay.

    Returns:
        Their conversations, each with the other.
    """
    await uses(bob, relay)
    await strangers_can_write(bob)
    invite = read_invite(await bob.engine.make_invite())
    contact = await alice.connect(write_invite(Invite(invite.fingerprint, invite.secret, (), invite.places)))
    await alice.engine.send_text(contact.id, "first")
    there = (await bob.hears("first")).conversation
    await settle(alice, bob)
    return contact.id, there


async def shows(
    person: Person, conversation: ConversationId, wanted: Callable[[Presence], bool], *, since: int = 0
) -> None:
    """Wait until somebody is shown in a certain way."""
    await person.wait_for(
        PresenceChanged, lambda e: e.conversation == conversation and wanted(e.presence), since=since
    )


async def relayed(person: Person, conversation: ConversationId, *, since: int = 0) -> None:
    """Wait until there is a link through a relay."""
    await shows(person, conversation, lambda p: isinstance(p, Online) and p.route is Route.RELAY, since=since)


async def direct(person: Person, conversation: ConversationId, *, since: int = 0) -> None:
    """Wait until there is a link without a relay."""
    await shows(
        person, conversation, lambda p: isinstance(p, Online) and p.route is not Route.RELAY, since=since
    )
