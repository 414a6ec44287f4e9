"""People who find each other in the directory of a relay."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import DiskFull, InputError, InputProblem, RelayError, RelayProblem
from messenger.core.models import Standing
from messenger.core.relays import PersonStatus
from messenger.engine.events import EngineFault
from messenger.protocol.relay_finding import Status
from tests.helpers.engines import People
from tests.helpers.relay_users import linked, strangers_can_write, until, uses
from tests.helpers.relays import Site, prepare, relay_in


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A relay with a directory."""
    async with relay_in(prepare(tmp_path / "relay", "mallory"), directory="open") as site:
        yield site


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

    async def status(wanted: PersonStatus) -> bool:
        return [each.status for each in (await alice.engine.find_people(relay)).people] == [wanted]

    assert await status(PersonStatus.ONLINE)
    await bob.engine.stop()
    await until(lambda: status(PersonStatus.OFFLINE))
    await bob.start()
    await linked(bob)
    await until(lambda: status(PersonStatus.ONLINE))
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

    async def told() -> bool:
        return Status.AWAY in {status for _, status in site.relay.house.statuses._of.values()}

    await until(told)
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
