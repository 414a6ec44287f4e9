"""What has to be renewed at a relay in the course of months, and what only those get who hold a token."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from messenger.core import carrier_limits, limits, relay_limits
from messenger.core.errors import DiskFull, RelayError, RelayProblem
from messenger.core.ids import ConversationId, format_fingerprint
from messenger.core.models import MessageState
from messenger.core.relays import OwnQueue, RelayOnline, RelayUse
from messenger.engine.directory import Directory
from messenger.engine.events import EngineFault, RelayChanged
from messenger.engine.queues import Queues
from messenger.engine.relay_link import News, RelayLink
from messenger.relay.embedded import EmbeddedBroker
from tests.helpers.carrier import context_of, later
from tests.helpers.engines import People, Person
from tests.helpers.keys import identity
from tests.helpers.relay_users import Pair, linked, strangers_can_write, until, users_apart, uses
from tests.helpers.relays import Site, prepare, relay_in

DAY = 24 * 3600


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A relay with a directory."""
    async with relay_in(prepare(tmp_path / "relay", "mallory"), directory="open") as site:
        yield site


@pytest.fixture
async def apart(people: People, site: Site) -> Pair:
    """Who can reach each other through the relay only."""
    return await users_apart(people, site.started.link)


async def tidy(person: Person) -> None:
    """What a running program does every few minutes."""
    running = person.engine._running
    assert running is not None
    await running.queues.tidy()


async def queues(person: Person, conversation: ConversationId) -> list[OwnQueue]:
    """Somebody's queues for a contact, the oldest first."""
    context = context_of(person)
    relays = await person.engine.relays()
    found = [await context.stored(context.store.queues.at, relay.fingerprint) for relay in relays]
    return [queue for each in found for queue in each if queue.conversation == conversation]


async def writes(person: Person, conversation: ConversationId, text: str, other: Person) -> None:
    """Write something that arrives, and is acknowledged."""
    message = await person.engine.send_text(conversation, text)
    await other.hears(text)
    await person.sees(message.id, MessageState.DELIVERED)


async def test_a_queue_is_replaced_when_it_is_old(apart: Pair, site: Site) -> None:
    """The contact learns of the new one; the old one goes once nobody has written to it for long enough."""
    alice, here, bob, there = apart
    (old,) = await queues(bob, there)
    later(bob, carrier_limits.QUEUE_AGE + DAY)
    await tidy(bob)
    await tidy(bob)
    first, new = await queues(bob, there)
    assert (first.id, first.retired, new.retired) == (old.id, True, False)
    assert (new.recv_id != old.recv_id, new.recv_key != old.recv_key, new.queue_key != old.queue_key) == (
        True,
        True,
        True,
    )

    async def moved() -> bool:
        context = context_of(alice)
        ((_, place),) = await context.stored(context.store.places.get, here)
        return new.send_id in place

    await until(moved)
    await writes(alice, here, "to the new one", bob)
    later(bob, carrier_limits.RETIRED_KEPT + DAY)
    await tidy(bob)
    assert [queue.id for queue in await queues(bob, there)] == [new.id]
    await writes(bob, there, "and back", alice)

    async def empty() -> bool:
        return not (await site.relay.house.broker.totals()).messages

    await until(empty)


async def test_whoever_was_away_while_a_queue_was_replaced_can_still_write(apart: Pair) -> None:
    """The old one stays for as long as they have not shown that they know the new one."""
    alice, here, bob, there = apart
    await writes(alice, here, "before the holidays", bob)
    await alice.engine.stop()
    later(bob, carrier_limits.QUEUE_AGE + DAY)
    await tidy(bob)
    await tidy(bob)
    later(bob, 2 * carrier_limits.RETIRED_KEPT)
    await tidy(bob)
    assert [queue.retired for queue in await queues(bob, there)] == [True, False]
    await alice.start()
    await writes(alice, here, "after the holidays", bob)


async def test_whoever_was_away_while_a_relay_was_left_can_still_write(
    apart: Pair, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaving waits for them for a year, as the replacement of a queue does; then it is left."""
    alice, here, bob, there = apart
    await writes(alice, here, "before the holidays", bob)
    await alice.engine.stop()
    has_written = asyncio.Event()
    on_news = Queues._on_news

    async def writes_first(self: Queues, link: RelayLink, news: Sequence[News]) -> None:
        """Alice reads where Bob is written to now only when she has written to where he was."""
        if self._context is not context_of(bob):
            await has_written.wait()
        await on_news(self, link, news)

    monkeypatch.setattr(Queues, "_on_news", writes_first)
    async with relay_in(prepare(tmp_path / "another", "carol")) as another:
        await uses(bob, another.started.link)
        await bob.engine.remove_relay(site.started.fingerprint)
        await until(lambda: _has(bob, there, another))
        for _ in range(3):
            later(bob, carrier_limits.RETIRED_KEPT + DAY)
            await tidy(bob)
        await alice.start()
        message = await alice.engine.send_text(here, "after the holidays")
        await bob.hears("after the holidays")
        has_written.set()
        await alice.sees(message.id, MessageState.DELIVERED)
        await alice.engine.stop()
        later(bob, carrier_limits.RETIRED_MOST + carrier_limits.RETIRED_KEPT + DAY)
        for _ in range(2):
            await tidy(bob)
        left = {each.fingerprint: each.use for each in await bob.engine.relays()}
        assert left.get(site.started.fingerprint) in (RelayUse.ALLOWED, None)


async def _has(person: Person, conversation: ConversationId, site: Site) -> bool:
    """Whether somebody has a queue for a contact at a relay."""
    found = await queues(person, conversation)
    return any(each.relay == site.started.fingerprint and each.recv_id for each in found)


def clock(site: Site, seconds: int) -> None:
    """Set the calendar of a relay forward."""
    house = site.relay.house
    assert isinstance(house.broker, EmbeddedBroker)
    unix = house.unix
    house.unix = house.broker._now = lambda: unix() + seconds


def directory(person: Person) -> Directory:
    running = person.engine._running
    assert running is not None
    return running.directory


async def findable(people: People, site: Site) -> tuple[Person, Person]:
    """Alice, who looks, and Bob, who is in the directory."""
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    for person in (alice, bob):
        await uses(person, site.started.link)
    await strangers_can_write(bob)
    await published(bob, site)
    return alice, bob


async def published(person: Person, site: Site) -> None:
    """Put somebody into the directory; with a new link the engine may do so by itself in this moment."""
    with contextlib.suppress(RelayError):
        await person.engine.publish_me(site.started.fingerprint)

    async def there() -> bool:
        return (await site.relay.house.broker.totals()).entries == 1

    await until(there)


async def found(person: Person, site: Site) -> list[str]:
    page = await person.engine.find_people(site.started.fingerprint)
    return [each.name for each in page.people]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay takes changes of an entry at once."""
    monkeypatch.setattr(relay_limits, "STATUS_INTERVAL", 0.0)


@pytest.mark.usefixtures("quick")
async def test_an_entry_is_renewed_before_it_ends(people: People, site: Site) -> None:
    alice, bob = await findable(people, site)
    everybody = (alice, bob)
    for _ in range(3):
        for person in everybody:
            later(person, relay_limits.ENTRY_LIFETIME - DAY)
        clock(site, relay_limits.ENTRY_LIFETIME - DAY)
        await directory(bob).renew_all()
        await site.relay.house.broker.expire()
        assert await found(alice, site) == ["Bob"]


@pytest.mark.usefixtures("quick")
async def test_an_entry_ends_if_nobody_renews_it_and_comes_back(people: People, site: Site) -> None:
    alice, bob = await findable(people, site)
    later(alice, relay_limits.ENTRY_LIFETIME + 60)
    clock(site, relay_limits.ENTRY_LIFETIME + 60)
    assert await found(alice, site) == []
    await site.relay.house.broker.expire()
    assert (await site.relay.house.broker.totals()).entries == 0
    later(bob, relay_limits.ENTRY_LIFETIME + 60)
    await directory(bob).renew_all()
    assert await found(alice, site) == ["Bob"]


@pytest.mark.usefixtures("quick")
async def test_a_full_disk_does_not_end_the_renewals(
    people: People, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UPKEEP_INTERVAL", 0.01)
    alice, bob = await findable(people, site)
    relay, table = site.started.fingerprint, context_of(bob).store.relays
    serial, full = table.next_serial, [True]

    def once(*arguments: Any) -> int:  # noqa: ANN401 -- as they come
        if full:
            full.clear()
            raise DiskFull
        return serial(*arguments)

    async with directory(bob)._turn(relay):  # what the engine publishes by itself has been published
        monkeypatch.setattr(table, "next_serial", once)
        before = directory(bob)._until[relay]
        clock(site, 2 * DAY)
        for person in (alice, bob):
            later(person, 2 * DAY)
    looking = asyncio.create_task(directory(bob)._look_after())
    await bob.wait_for(EngineFault)

    async def renewed() -> bool:
        await bob.engine.relays()  # one turn of the storage thread
        return directory(bob)._until[relay] > before

    await until(renewed)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    for person in (alice, bob):
        later(person, 6 * DAY)
    clock(site, 6 * DAY)
    assert await found(alice, site) == ["Bob"]


@pytest.mark.usefixtures("quick")
async def test_a_request_queue_that_is_lost_takes_the_entry_along_for_a_moment_only(
    people: People, site: Site
) -> None:
    alice, bob = await findable(people, site)
    context, house = context_of(bob), site.relay.house
    (queue,) = await context.stored(context.store.queues.for_requests)
    row = await house.broker.by_recv(queue.recv_id)
    assert row is not None
    await house.broker.delete(row)
    house.queues.gone(row.number)

    async def again() -> bool:
        return bool((await house.broker.totals()).entries)

    await until(again)
    contact = await alice.engine.talk_to(site.started.fingerprint, bob.fingerprint)
    await alice.engine.send_text(contact.id, "at the new place")
    await bob.hears("at the new place")


@pytest.mark.usefixtures("quick")
async def test_who_has_no_token_gets_no_queue_and_is_told_so(people: People, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("open sesame\n")
    options = {"directory": "token", "queue_token": True, "find_token": True, "token_file": str(tokens)}
    async with relay_in(prepare(tmp_path / "relay", "mallory"), **options) as site:
        alice, bob = await people("alice", listen=False), await people("bob", listen=False)
        relay = site.started.fingerprint
        await uses(alice, site.started.link)
        refused = await alice.wait_for(
            RelayChanged,
            lambda e: isinstance(e.relay.state, RelayOnline) and e.relay.state.refused is not None,
        )
        assert isinstance(refused.relay.state, RelayOnline)
        assert refused.relay.state.refused is RelayProblem.TOKEN
        assert (await site.relay.house.broker.totals()).queues == 0
        with pytest.raises(RelayError) as caught:
            await alice.engine.find_people(relay)
        assert caught.value.problem is RelayProblem.TOKEN
        await bob.engine.add_relay(site.started.link, "open sesame")
        await linked(bob)
        await strangers_can_write(bob)
        await published(bob, site)
        since = alice.mark
        await alice.engine.add_relay(site.started.link, "open sesame")
        await linked(alice, since=since)
        await strangers_can_write(alice)
        (known,) = await alice.engine.relays()
        assert isinstance(known.state, RelayOnline)
        assert known.state.refused is None
        assert await found(alice, site) == ["Bob"]


@pytest.mark.usefixtures("quick")
async def test_the_owner_of_a_relay_says_who_may_be_found(people: People, tmp_path: Path) -> None:
    listed = tmp_path / "listed"
    listed.write_text(format_fingerprint(identity("bob").fingerprint) + "\n")
    options = {"directory": "listed", "listed_file": str(listed)}
    async with relay_in(prepare(tmp_path / "relay", "mallory"), **options) as site:
        alice, _ = await findable(people, site)
        await strangers_can_write(alice)
        with pytest.raises(RelayError) as caught:
            await alice.engine.publish_me(site.started.fingerprint)
        assert caught.value.problem is RelayProblem.REFUSED
        assert await found(alice, site) == ["Bob"]


async def test_a_relay_without_a_directory_says_so(people: People, tmp_path: Path) -> None:
    async with relay_in(prepare(tmp_path / "relay", "mallory")) as site:
        alice = await people("alice", listen=False)
        await uses(alice, site.started.link)
        await strangers_can_write(alice)
        with pytest.raises(RelayError) as caught:
            await alice.engine.publish_me(site.started.fingerprint)
        assert caught.value.problem is RelayProblem.UNKNOWN
        with pytest.raises(RelayError):
            await found(alice, site)
