"""People who find each other in the directory of a relay."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from messenger.core import carrier_limits, limits
from messenger.core.errors import ConnectError, DiskFull, InputError, InputProblem, RelayError, RelayProblem
from messenger.core.ids import format_fingerprint
from messenger.core.models import Standing
from messenger.core.relays import Listing, PersonStatus
from messenger.crypto.rsa import Label
from messenger.engine.events import EngineFault
from messenger.protocol.relay_finding import Status, Withdraw
from messenger.storage.relay_queues import QueueRow
from messenger.text.relays import added
from tests.helpers.carrier import context_of
from tests.helpers.engines import People, fresh_port
from tests.helpers.keys import identity
from tests.helpers.patience import PATIENCE
from tests.helpers.relay_users import linked, strangers_can_write, until, uses
from tests.helpers.relays import Site, prepare, relay_in
from tests.helpers.small_relay import SmallRelay


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A relay with a directory."""
    async with relay_in(prepare(tmp_path / "relay", "mallory"), directory="open") as site:
        yield site


async def stand(site: Site, *wanted: Status) -> bool:
    """Whether these are what a relay remembers; whoever asked it again and again would be told to wait."""
    return sorted(status for _, status in site.relay.house.statuses._of.values()) == sorted(wanted)


async def test_publish_find_and_begin_to_talk(people: People, site: Site) -> None:
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    relay = site.started.fingerprint
    for person in (alice, bob):
        await uses(person, site.started.link)
    await strangers_can_write(bob)
    await bob.engine.publish_me(relay, PersonStatus.BUSY, "on the third floor")
    page = await alice.engine.find_people(relay)
    (found,) = page.people
    assert (found.name, found.about, found.status) == ("Bob", "on the third floor", PersonStatus.BUSY)
    assert (found.fingerprint, found.conversation, page.next) == (bob.fingerprint, None, b"")
    contact = await alice.engine.talk_to(relay, bob.fingerprint)
    await alice.engine.send_text(contact.id, "found you")
    request = (await bob.hears("found you")).conversation
    assert (await bob.contact(alice)).standing is Standing.REQUEST
    await bob.engine.accept(request)
    await bob.engine.send_text(request, "so you have")
    await alice.hears("so you have")
    assert (await alice.engine.find_people(relay)).people[0].conversation == contact.id


async def test_the_entry_stays_and_the_status_goes_with_the_link(people: People, site: Site) -> None:
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    relay = site.started.fingerprint
    for person in (alice, bob):
        await uses(person, site.started.link)
    await strangers_can_write(bob)
    await bob.engine.publish_me(relay)

    async def status() -> list[PersonStatus]:
        return [each.status for each in (await alice.engine.find_people(relay)).people]

    assert await status() == [PersonStatus.ONLINE]
    await bob.engine.stop()
    await until(partial(stand, site))
    assert await status() == [PersonStatus.OFFLINE]
    await bob.start()
    await linked(bob)
    await until(partial(stand, site, Status.ONLINE))
    assert await status() == [PersonStatus.ONLINE]
    await bob.engine.withdraw_me(relay)
    assert (await alice.engine.find_people(relay)).people == ()
    with pytest.raises(InputError) as caught:
        await alice.engine.talk_to(relay, bob.fingerprint)
    assert caught.value.problem is InputProblem.UNKNOWN


async def test_a_change_that_came_too_soon_follows_by_itself(people: People, site: Site) -> None:
    """A relay takes one change in a while; what it did not take it is told again when it said."""
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    relay = site.started.fingerprint
    for person in (alice, bob):
        await uses(person, site.started.link)
    await strangers_can_write(bob)
    await bob.engine.publish_me(relay)
    with pytest.raises(RelayError) as caught:
        await bob.engine.set_my_status(relay, PersonStatus.AWAY)
    assert caught.value.problem is RelayProblem.BUSY
    await until(partial(stand, site, Status.AWAY))
    assert [each.status for each in (await alice.engine.find_people(relay)).people] == [PersonStatus.AWAY]


async def test_entries_are_looked_after_though_the_disk_refused_once(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await people("bob")
    opened, looked, again = bob.engine._running, list[int](), asyncio.Event()
    assert opened is not None

    async def refuse() -> None:
        looked.append(1)
        if len(looked) == 1:
            raise DiskFull
        again.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(opened.directory, "renew_all", refuse)
    monkeypatch.setattr(limits, "UPKEEP_INTERVAL", 0.0)
    looking = asyncio.create_task(opened.directory._look_after())
    await asyncio.wait([asyncio.create_task(again.wait()), looking], return_when=asyncio.FIRST_COMPLETED)
    assert again.is_set()
    await bob.wait_for(EngineFault, lambda e: (e.where, e.error) == ("directory", "DiskFull"))
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


class HeldUp:
    """The relay makes queues when it is let go on."""

    def __init__(self, site: Site, patch: pytest.MonkeyPatch) -> None:
        broker = site.relay.house.broker
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        make = broker.make

        def held(*how: Any) -> "asyncio.Future[QueueRow]":  # noqa: ANN401 -- as they come
            async def later() -> QueueRow:
                self.asked.set()
                await self.go.wait()
                return await make(*how)

            return asyncio.ensure_future(later())

        patch.setattr(broker, "make", held)


async def test_publishing_waits_for_the_link_and_for_the_queue(
    people: People, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever adds a relay and wants to be found there at once is not told to try again."""
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    relay, held = site.started.fingerprint, HeldUp(site, monkeypatch)
    await bob.engine.add_relay(site.started.link)
    publishing = asyncio.create_task(bob.engine.publish_me(relay, PersonStatus.AWAY, "just here"))
    async with asyncio.timeout(PATIENCE):
        await held.asked.wait()
    await bob.engine.relays()
    waits = not publishing.done()
    held.go.set()
    await publishing
    assert waits
    await uses(alice, site.started.link)
    (found,) = (await alice.engine.find_people(relay)).people
    assert (found.name, found.about, found.status) == ("Bob", "just here", PersonStatus.AWAY)


async def test_a_relay_that_makes_no_queue_is_not_waited_for_for_ever(
    people: People, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, held = await people("bob", listen=False), HeldUp(site, monkeypatch)
    monkeypatch.setattr(carrier_limits, "QUEUE_WAIT", 0.2)
    relay = site.started.fingerprint
    await uses(bob, site.started.link)
    assert not await bob.engine.opened_relay(relay)
    (known,) = await bob.engine.relays()
    assert "made no place for invites yet" in added(known, opened=False)
    with pytest.raises(RelayError) as caught:
        await bob.engine.publish_me(relay)
    assert caught.value.problem is RelayProblem.BUSY
    held.go.set()
    monkeypatch.setattr(carrier_limits, "QUEUE_WAIT", PATIENCE)
    assert await bob.engine.opened_relay(relay)


async def test_publishing_while_a_link_comes_back_is_done_once(people: People, site: Site) -> None:
    """The program publishes with each new link by itself; the person's own wish does not meet that one."""
    bob = await people("bob", listen=False)
    relay = site.started.fingerprint
    await uses(bob, site.started.link)
    await strangers_can_write(bob)
    await bob.engine.publish_me(relay)
    for _ in range(3):
        await bob.restart()
        await bob.engine.publish_me(relay, PersonStatus.ONLINE)


async def test_publishing_at_a_relay_that_is_not_there_says_so(people: People, tmp_path: Path) -> None:
    """As soon as that is known; and it is done when the relay comes."""
    folder = prepare(tmp_path / "gone", "mallory")
    bob = await people("bob", listen=False)
    port = fresh_port()  # the system gives it to nobody else meanwhile
    async with relay_in(folder, directory="open", port=port) as site:
        relay = site.started.fingerprint
        await uses(bob, site.started.link)
        await strangers_can_write(bob)
    with pytest.raises(ConnectError):
        await bob.engine.publish_me(relay)
    async with relay_in(folder, directory="open", port=port) as site:

        async def there() -> bool:
            return (await site.relay.house.broker.totals()).entries == 1

        await until(there)


async def test_who_takes_themselves_back_is_not_published_by_what_was_on_its_way(
    people: People, site: Site
) -> None:
    bob = await people("bob", listen=False)
    relay = site.started.fingerprint
    await uses(bob, site.started.link)
    await strangers_can_write(bob)
    reached, go = asyncio.Event(), asyncio.Event()
    vault = context_of(bob).vault
    sign = vault.sign

    async def slow(label: Label, fields: Sequence[bytes]) -> bytes:
        if label is Label.DIRECTORY:
            reached.set()
            await go.wait()
        return await sign(label, fields)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vault, "sign", slow)
        publishing = asyncio.create_task(bob.engine.publish_me(relay))
        async with asyncio.timeout(PATIENCE):
            await reached.wait()
        withdrawing = asyncio.create_task(bob.engine.withdraw_me(relay))
        await bob.engine.relays()
        await bob.engine.relays()
        go.set()
        await asyncio.gather(publishing, withdrawing)
    assert (await site.relay.house.broker.totals()).entries == 0


async def test_who_takes_themselves_back_while_the_relay_is_away_is_gone_when_it_is_back(
    people: People,
) -> None:
    relay = await SmallRelay.open()
    alice = await people("alice")
    await uses(alice, relay.target)
    await alice.engine.publish_me(relay.fingerprint)
    assert len(relay.entries()) == 1
    await relay.stop()
    with pytest.raises(ConnectError):
        await alice.engine.withdraw_me(relay.fingerprint)
    await relay.start()
    await relay.until(lambda: any(isinstance(each, Withdraw) for each in relay.asked))
    await linked(alice)
    await alice.engine.find_people(relay.fingerprint)
    assert relay.entries() == []
    await alice.engine.publish_me(relay.fingerprint)
    assert len(relay.entries()) == 1
    await relay.stop()


@pytest.mark.parametrize(
    ("policy", "problem"),
    [("off", RelayProblem.UNKNOWN), ("token", RelayProblem.TOKEN), ("listed", RelayProblem.REFUSED)],
)
async def test_who_may_not_be_found_is_not_shown_as_found(
    people: People, tmp_path: Path, policy: str, problem: RelayProblem
) -> None:
    """The owner has decided so: nothing goes on trying, and nothing says that it does."""
    bob = await people("bob", listen=False)
    tokens, people_listed = tmp_path / "tokens", tmp_path / "listed"
    tokens.write_text("let me in\n")
    people_listed.write_text(f"{format_fingerprint(identity('carol').fingerprint)}\n")
    options = {"directory": policy, "token_file": str(tokens), "listed_file": str(people_listed)}
    async with relay_in(prepare(tmp_path / "closed", "mallory"), **options) as site:
        await uses(bob, site.started.link)
        await strangers_can_write(bob)
        with pytest.raises(RelayError) as caught:
            await bob.engine.publish_me(site.started.fingerprint)
        assert caught.value.problem is problem
        (relay,) = await bob.engine.relays()
        assert relay.listing is None


async def test_why_it_was_refused_is_told_also_if_somebody_has_just_asked(
    people: People, tmp_path: Path
) -> None:
    """A link that has just come up publishes by itself; asked twice the relay says that it is busy."""
    bob = await people("bob", listen=False)
    nobody = tmp_path / "listed"
    nobody.write_text(f"{format_fingerprint(identity('carol').fingerprint)}\n")
    folder = prepare(tmp_path / "closed", "mallory")
    async with relay_in(folder, directory="listed", listed_file=str(nobody)) as site:
        await uses(bob, site.started.link)
        await strangers_can_write(bob)
        context, directory, here = context_of(bob), bob.engine._now().directory, site.started.fingerprint
        await context.stored(directory._table.list_at, here, Listing(PersonStatus.ONLINE, ""))
        link = bob.engine._now().relays.link(here)
        assert link is not None
        await directory._renew(link)
        with pytest.raises(RelayError) as caught:
            await bob.engine.publish_me(here)
        assert caught.value.problem is RelayProblem.REFUSED
