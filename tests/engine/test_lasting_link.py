"""A link that does not wear out: its owner may be away, and decides about everybody who follows it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.models import MessageState, Standing
from messenger.engine.events import EngineFault
from messenger.protocol.invite import NO_SECRET, read_invite
from tests.helpers.carrier import context_of
from tests.helpers.engines import People, Person
from tests.helpers.relay_users import linked, strangers_can_write, until, uses
from tests.helpers.relays import Site, prepare, relay_in


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A relay."""
    async with relay_in(prepare(tmp_path / "relay", "mallory")) as site:
        yield site


async def open_to_strangers(person: Person, site: Site) -> None:
    """Wait until a relay has what people need who have never talked to somebody."""
    await strangers_can_write(person)
    context, broker = context_of(person), site.relay.house.broker
    (queue,) = await context.stored(context.store.queues.for_requests)
    row = await broker.by_recv(queue.recv_id)
    assert row is not None

    async def has_prekeys() -> bool:
        return (await broker.subscribed(row))[1] > 0

    await until(has_prekeys)


async def test_whoever_cannot_be_written_to_has_none(people: People) -> None:
    alice = await people("alice", listen=False)
    assert await alice.engine.lasting_link() == ""


async def test_friends_without_a_relay_follow_it_while_its_owner_is_off(people: People, site: Site) -> None:
    bob = await people("bob", listen=False)
    await uses(bob, site.started.link)
    await open_to_strangers(bob, site)
    link = await bob.engine.lasting_link()
    invite = read_invite(link)
    assert (invite.secret, invite.addresses, len(invite.places)) == (NO_SECRET, (), 1)
    assert await bob.engine.lasting_link() == link, "it is always the same"
    await bob.engine.stop()
    written = []
    for who in ("alice", "carol"):
        friend = await people(who, listen=False)
        contact = await friend.connect(link)
        assert (contact.standing, contact.awaiting) == (Standing.ACCEPTED, True)
        message = await friend.engine.send_text(contact.id, f"{who} would like to talk")
        await friend.sees(message.id, MessageState.SENT)
        (used,) = await friend.engine.relays()
        assert used.fingerprint == site.started.fingerprint
        written.append((friend, message, contact.id))
    await bob.start()
    await linked(bob)
    for friend, message, conversation in written:
        heard = await bob.hears(f"{friend.who} would like to talk")
        assert (await bob.contact(friend)).standing is Standing.REQUEST, "the link opens no door"
        await bob.engine.accept(heard.conversation)
        await friend.sees(message.id, MessageState.DELIVERED)
        await bob.engine.send_text(heard.conversation, "gladly")
        await friend.hears("gladly")
        more = await friend.engine.send_text(conversation, "more")
        await friend.sees(more.id, MessageState.DELIVERED)
    assert bob.count(EngineFault) == 0
    await bob.restart()
    assert await bob.engine.lasting_link() == link


async def test_it_takes_no_more_than_a_stranger_may_write(people: People, site: Site) -> None:
    """What is longer waits until the owner of the link has accepted its author."""
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    await uses(bob, site.started.link)
    await open_to_strangers(bob, site)
    contact = await alice.connect(await bob.engine.lasting_link())
    short = await alice.engine.send_text(contact.id, "may I write more")
    heard = await bob.hears("may I write more")
    long = await alice.engine.send_text(contact.id, "m" * (limits.STRANGER_TEXT_MAX + 1))
    await bob.engine.accept(heard.conversation)
    await alice.sees(short.id, MessageState.DELIVERED)
    await alice.sees(long.id, MessageState.DELIVERED)
