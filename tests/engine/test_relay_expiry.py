"""What a relay has kept, unread, for as long as it does: nothing shows as sent that nobody has."""

from pathlib import Path

import pytest

from messenger.core import carrier_limits, limits
from messenger.core.ids import ConversationId
from messenger.core.models import Message, MessageState
from messenger.engine.events import EngineFault, MessageAdded, MessageChanged
from messenger.relay.embedded import EmbeddedBroker
from tests.helpers.carrier import context_of, later, sessions
from tests.helpers.engines import People, Person
from tests.helpers.relay_users import Pair, until, users_apart
from tests.helpers.relays import Site, prepare, relay_in

DAY = 24 * 3600


@pytest.fixture
async def apart(people: People, site: Site) -> Pair:
    """Who can reach each other through the relay only."""
    return await users_apart(people, site.started.link)


async def pass_days(site: Site, days: float, *people: Person) -> None:
    """Set all calendars forward, and let the relay and everybody look at theirs."""
    house, seconds = site.relay.house, int(days * DAY)
    assert isinstance(house.broker, EmbeddedBroker)
    now = house.broker._now()
    house.unix = house.broker._now = lambda: now + seconds
    await house.broker.expire()
    for person in people:
        later(person, seconds)
        running = person.engine._running
        assert running is not None
        await running.upkeep.forget()


async def kept(site: Site) -> int:
    return (await site.relay.house.broker.totals()).messages


async def sent(person: Person, conversation: ConversationId, *texts: str) -> list[Message]:
    """Write something, and wait until a relay has it."""
    messages = [await person.engine.send_text(conversation, text) for text in texts]
    for message in messages:
        await person.sees(message.id, MessageState.SENT)
    return messages


async def becomes(person: Person, message: Message, state: MessageState, since: int) -> None:
    """Wait until a message has reached a state since a mark."""
    await person.wait_for(
        MessageChanged, lambda e: e.message.id == message.id and e.message.state is state, since=since
    )


async def texts(person: Person, conversation: ConversationId) -> list[str]:
    """The end of a conversation."""
    return [message.text for message in await person.engine.messages(conversation)][-3:]


async def test_what_the_relay_has_forgotten_is_sent_again(apart: Pair, site: Site) -> None:
    """Unread for three weeks: it waits again, and is at the relay again; once in effect, in order."""
    alice, here, bob, there = apart
    await bob.engine.stop()
    messages = await sent(alice, here, "one", "two", "three")
    await alice.engine.edit(here, messages[1].id, "two, or rather 2")
    for _ in range(3):
        await until(lambda: _has(site, 4))
        since = alice.mark
        await pass_days(site, 21.5, alice)
        for message in messages:
            await becomes(alice, message, MessageState.QUEUED, since)
            await becomes(alice, message, MessageState.SENT, since)
    await until(lambda: _has(site, 4))
    await bob.start()
    later(bob, 64.5 * DAY)
    for message in messages:
        await alice.sees(message.id, MessageState.DELIVERED)
    assert await texts(bob, there) == ["one", "two, or rather 2", "three"] == await texts(alice, here)
    conversation = await bob.conversation("alice")
    assert (conversation.missing, conversation.forked) == (0, False)
    assert bob.count(MessageAdded, lambda e: e.message.text == "one") == 1
    assert alice.count(EngineFault) == bob.count(EngineFault) == 0
    assert not await context_of(alice).stored(context_of(alice).store.messages.pending_conversations)


async def _has(site: Site, messages: int) -> bool:
    return await kept(site) == messages


async def test_what_was_read_and_whose_receipt_is_lost_is_acknowledged_again(apart: Pair, site: Site) -> None:
    """We were away for longer than the relay keeps their receipt: they have it, and we have to learn so."""
    alice, here, bob, there = apart
    (message,) = await sent_while_away(alice, here, bob, "did you get this?")
    await alice.engine.stop()
    await bob.start()
    await bob.hears("did you get this?")

    async def acknowledged() -> bool:
        context = context_of(bob)
        return not await context.stored(context.store.sealed.receipts_waiting) and await kept(site) == 1

    await until(acknowledged)
    await pass_days(site, 22, bob)
    assert await kept(site) == 0
    await alice.start()
    assert (await shown(alice, here, message)).state is MessageState.SENT
    since = bob.mark
    later(alice, 22 * DAY)
    await pass_days(site, 0, alice)
    await alice.sees(message.id, MessageState.DELIVERED)
    assert bob.count(MessageAdded, since=since) == 0
    assert await texts(bob, there) == await texts(alice, here)


async def sent_while_away(alice: Person, here: ConversationId, bob: Person, *words: str) -> list[Message]:
    await bob.engine.stop()
    return await sent(alice, here, *words)


async def shown(person: Person, conversation: ConversationId, message: Message) -> Message:
    """How a message stands now."""
    (found,) = [each for each in await person.engine.messages(conversation) if each.id == message.id]
    return found


async def test_nothing_waits_again_before_its_time(apart: Pair, site: Site) -> None:
    alice, here, bob, _ = apart
    (message,) = await sent_while_away(alice, here, bob, "patience")
    since = alice.mark
    await pass_days(site, 20.9, alice)
    assert (await shown(alice, here, message)).state is MessageState.SENT
    await pass_days(site, 0, alice)
    assert await kept(site) == 1
    assert not alice.events[since:]


async def test_a_relay_that_keeps_less_is_believed(people: People, tmp_path: Path) -> None:
    async with relay_in(prepare(tmp_path / "short", "mallory"), keep_days=2) as site:
        alice, here, bob, _there = await users_apart(people, site.started.link)
        (message,) = await sent_while_away(alice, here, bob, "for two days")
        since = alice.mark
        await pass_days(site, 2.1, alice)
        await becomes(alice, message, MessageState.QUEUED, since)
        await becomes(alice, message, MessageState.SENT, since)


async def test_a_clock_that_was_wrong_delays_nothing_for_ever(apart: Pair, site: Site) -> None:
    """It was sent when the clock stood years ahead, and the clock was put right."""
    alice, here, bob, _ = apart
    later(alice, 3 * 365 * DAY)
    (message,) = await sent_while_away(alice, here, bob, "from the future")
    later(alice, -3 * 365 * DAY)
    since = alice.mark
    await pass_days(site, 0, alice)
    await becomes(alice, message, MessageState.QUEUED, since)
    await becomes(alice, message, MessageState.SENT, since)


async def test_an_epoch_is_not_used_up_by_what_nobody_reads(
    apart: Pair, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is always room for what is new; what is sealed already is carried as it is."""
    alice, here, bob, there = apart
    (message,) = await sent_while_away(alice, here, bob, "hello?")
    session = (await sessions(alice, here)).current
    assert session is not None
    number = session.sending.number
    monkeypatch.setattr(carrier_limits, "CARRIED_ANEW", limits.RATCHET_EPOCH_MESSAGES - number - 2)
    for _ in range(4):
        since = alice.mark
        await pass_days(site, 22, alice)
        await becomes(alice, message, MessageState.SENT, since)
    session = (await sessions(alice, here)).current
    assert session is not None
    assert session.sending.number == number + 2
    await bob.start()
    later(bob, 88 * DAY)
    await alice.sees(message.id, MessageState.DELIVERED)
    assert (await texts(bob, there))[-1] == "hello?"


async def test_what_was_sealed_for_another_session_meanwhile_is_not_called_sent(apart: Pair) -> None:
    """A relay has said that it keeps something, after the session that it was sealed in was replaced."""
    alice, here, bob, _ = apart
    (message,) = await sent_while_away(alice, here, bob, "sealed")
    store, context = context_of(alice).store, context_of(alice)
    await context.stored(store.sealed.requeue, here, anew=True)
    assert await context.stored(store.carried.hold, here, [message.id], 1) == []
