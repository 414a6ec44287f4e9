"""People who reach each other through a real relay only: off and on, in both directions, again after cuts."""

from pathlib import Path

import pytest

from messenger.core import carrier_limits
from messenger.core.models import MessageState
from messenger.core.relays import RelayOnline, RelayUnreachable, RelayUse
from messenger.engine.carrier import ever_later
from messenger.engine.events import EngineFault, MessageAdded, RelayChanged
from tests.helpers.carrier import context_of, killed, part, seeded
from tests.helpers.engines import People, fresh_port
from tests.helpers.relay_users import Pair, linked, settle, until, users_apart, uses
from tests.helpers.relays import Site, prepare, relay_in


@pytest.fixture
async def apart(people: People, site: Site) -> Pair:
    """Who can reach each other through the relay only."""
    return await users_apart(people, site.started.link)


async def test_a_relay_is_added_listed_and_removed(people: People, site: Site) -> None:
    alice = await people("alice")
    await uses(alice, site.started.link)
    (known,) = await alice.engine.relays()
    assert (known.fingerprint, known.use) == (site.started.fingerprint, RelayUse.OWN)
    assert isinstance(known.state, RelayOnline)
    await alice.engine.remove_relay(known.fingerprint, at_once=True)
    assert await alice.engine.relays() == []
    assert (await site.relay.house.broker.totals()).queues == 0


async def test_b_off_a_writes_a_off_b_on_reads(apart: Pair, site: Site) -> None:
    alice, here, bob, there = apart
    await bob.engine.stop()
    message = await alice.engine.send_text(here, "while you were out")
    await alice.sees(message.id, MessageState.SENT)
    await alice.engine.stop()
    await bob.start()
    heard = await bob.hears("while you were out")
    await bob.engine.mark_read(there, heard.position)
    await alice.start()
    await alice.sees(message.id, MessageState.READ)
    assert alice.count(EngineFault) == bob.count(EngineFault) == 0

    async def empty() -> bool:
        return not (await site.relay.house.broker.totals()).messages

    await until(empty)


async def test_both_on_through_the_relay_only(apart: Pair) -> None:
    alice, here, bob, there = apart
    for number in range(5):
        message = await alice.engine.send_text(here, f"ping {number}")
        heard = await bob.hears(f"ping {number}")
        await alice.sees(message.id, MessageState.DELIVERED)
        await bob.engine.mark_read(there, heard.position)
        await alice.sees(message.id, MessageState.READ)
        answer = await bob.engine.send_text(there, f"pong {number}")
        await alice.hears(f"pong {number}")
        await bob.sees(answer.id, MessageState.DELIVERED)
    assert bob.count(MessageAdded, lambda e: e.message.text.startswith("ping")) == 5


async def test_the_relay_restarts(people: People, tmp_path: Path) -> None:
    """What it has said to keep is there, and both come back by themselves."""
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    folder = prepare(tmp_path / "relay", "mallory")
    port = fresh_port()  # which nobody else takes while the relay is away
    async with relay_in(folder, port=port) as site:
        for person in (alice, bob):
            await uses(person, site.started.link)
        here, there = await seeded(alice, bob)
        await settle(alice, bob)
        await part(alice, here, bob, there)
        await bob.engine.stop()
        message = await alice.engine.send_text(here, "before")
        await alice.sees(message.id, MessageState.SENT)
        since = alice.mark
    await alice.wait_for(RelayChanged, lambda e: isinstance(e.relay.state, RelayUnreachable), since=since)
    waits = await alice.engine.send_text(here, "between")
    async with relay_in(folder, port=port):
        await linked(alice, since=since)
        await alice.sees(waits.id, MessageState.SENT)
        await bob.start()
        await bob.hears("before")
        await bob.hears("between")
        await alice.sees(waits.id, MessageState.DELIVERED)
        await alice.sees(message.id, MessageState.DELIVERED)


async def test_direct_and_relayed_at_once_it_appears_once(apart: Pair) -> None:
    alice, here, bob, there = apart
    await bob.engine.stop()
    message = await alice.engine.send_text(here, "twice on its way")
    await alice.sees(message.id, MessageState.SENT)
    await bob.start()
    await alice.connect(await bob.address())
    await alice.sees(message.id, MessageState.DELIVERED)
    await bob.hears_or_has(there, "twice on its way")
    after = await alice.engine.send_text(here, "after")
    await alice.sees(after.id, MessageState.DELIVERED)
    texts = await bob.texts(there)
    assert (texts.count("twice on its way"), texts.count("after")) == (1, 1)


async def test_killed_between_store_and_acknowledgement(
    apart: Pair, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay brings it again, and it is there once."""
    alice, here, bob, there = apart
    running = bob.engine._running
    assert running is not None
    (link,) = running.relays.links(site.started.fingerprint)
    monkeypatch.setattr(link, "acknowledge", lambda *_: None)
    message = await alice.engine.send_text(here, "stored, not acknowledged")
    await bob.hears("stored, not acknowledged")

    async def kept() -> bool:
        return (await site.relay.house.broker.totals()).messages > 0

    await until(kept)
    monkeypatch.undo()
    await killed(bob, tmp_path / "killed")
    await linked(bob)
    await bob.engine.send_text(there, "it came")
    await alice.hears("it came")
    await alice.sees(message.id, MessageState.DELIVERED)
    assert (await bob.texts(there)).count("stored, not acknowledged") == 1


async def test_killed_between_the_relays_yes_and_its_note(apart: Pair, tmp_path: Path) -> None:
    """It is handed over again, and arrives once."""
    alice, here, bob, there = apart
    await bob.engine.stop()
    message = await alice.engine.send_text(here, "handed over twice")
    await alice.sees(message.id, MessageState.SENT)
    context = context_of(alice)
    await context.stored(context.store.sealed.requeue, here)
    await killed(alice, tmp_path / "killed")
    await alice.sees(message.id, MessageState.SENT)
    await bob.start()
    await bob.hears("handed over twice")
    await alice.sees(message.id, MessageState.DELIVERED)
    assert (await bob.texts(there)).count("handed over twice") == 1


async def test_a_deleted_contact_has_no_queue_left(apart: Pair, site: Site) -> None:
    alice, here, _bob, _ = apart
    before = (await site.relay.house.broker.totals()).queues
    await alice.engine.delete_conversation(here)

    async def fewer() -> bool:
        return (await site.relay.house.broker.totals()).queues == before - 1

    await until(fewer)
    context = context_of(alice)

    async def forgotten() -> bool:  # she hears of it after the relay has done it
        left = await context.stored(context.store.queues.at, site.started.fingerprint)
        return [queue.requests for queue in left] == [True]

    await until(forgotten)


async def test_what_does_not_fit_follows_when_there_is_room(people: People, tmp_path: Path) -> None:
    """A queue that is full for long is not sent the same again and again; when it is read, the rest comes."""
    async with relay_in(prepare(tmp_path / "small", "mallory"), queue_messages=1) as site:
        alice, here, bob, there = await users_apart(people, site.started.link)
        await bob.engine.stop()
        first = await alice.engine.send_text(here, "first")
        await alice.sees(first.id, MessageState.SENT)
        second = await alice.engine.send_text(here, "second")
        refused = site.relay.house.counters.messages_in

        async def tried() -> bool:
            return site.relay.house.counters.messages_in > refused

        await until(tried)
        await bob.start()
        await alice.sees(second.id, MessageState.DELIVERED)
        assert (await bob.texts(there))[-2:] == ["first", "second"]


def test_what_a_relay_does_not_take_is_tried_ever_later() -> None:
    pauses = [ever_later(carrier_limits.CARRY_AGAIN, tries) for tries in range(8)]
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert ever_later(1, 10**6) == carrier_limits.CARRY_AGAIN_MAX
