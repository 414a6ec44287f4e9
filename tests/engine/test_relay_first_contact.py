"""Somebody who has nothing but an invite of a person who is away, or whom they can only reach at a relay."""

from collections.abc import AsyncIterator

import pytest

from messenger.core.models import MessageState, Standing
from messenger.core.relays import RelayOnline, RelayUnreachable, RelayUse
from messenger.engine.events import RelayAsked, RelayChanged
from messenger.protocol.invite import Invite, read_invite, write_invite
from messenger.protocol.relay_queues import GetPrekey
from tests.helpers.engines import People, Person
from tests.helpers.relay_users import linked, ready, uses
from tests.helpers.small_relay import SmallRelay


@pytest.fixture
async def relay() -> AsyncIterator[SmallRelay]:
    made = await SmallRelay.open()
    yield made
    await made.stop()


async def invite_by_relay(person: Person) -> str:
    """An invite without the addresses of this computer."""
    invite = read_invite(await person.engine.make_invite())
    assert len(invite.places) == 1
    return write_invite(Invite(invite.fingerprint, invite.secret, (), invite.places))


async def test_an_invite_a_first_text_and_an_answer(people: People, relay: SmallRelay) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    await uses(bob, relay.target)
    await ready(relay)
    link = await invite_by_relay(bob)
    await bob.engine.stop()
    contact = await alice.connect(link)
    assert (contact.standing, contact.awaiting) == (Standing.ACCEPTED, True)
    message = await alice.engine.send_text(contact.id, "may I introduce myself")
    await alice.sees(message.id, MessageState.SENT)
    (used,) = await alice.engine.relays()
    assert used.use is RelayUse.OWN, "somebody who has none uses that of the other, for the answer"
    await bob.start()
    heard = await bob.hears("may I introduce myself")
    assert (await bob.contact(alice)).standing is Standing.ACCEPTED, "the invite fits"
    await alice.sees(message.id, MessageState.DELIVERED)
    await bob.engine.send_text(heard.conversation, "you may")
    await alice.hears("you may")
    for number in range(3):
        more = await alice.engine.send_text(contact.id, f"more {number}")
        await alice.sees(more.id, MessageState.DELIVERED)
    assert alice.count(RelayAsked) == bob.count(RelayAsked) == 0
    await relay.until(lambda: not relay.waiting())


async def test_a_stranger_is_a_request_until_accepted(people: People, relay: SmallRelay) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    await uses(bob, relay.target)
    await ready(relay)
    invite = read_invite(await invite_by_relay(bob))
    forged = write_invite(Invite(invite.fingerprint, bytes(16), (), invite.places))
    contact = await alice.connect(forged)
    message = await alice.engine.send_text(contact.id, "hello stranger")
    request = (await bob.hears("hello stranger")).conversation
    assert (await bob.contact(alice)).standing is Standing.REQUEST
    assert (await bob.contact(alice)).name == "Alice"
    await bob.engine.accept(request)
    await alice.sees(message.id, MessageState.DELIVERED)
    await bob.engine.send_text(request, "and who are you")
    await alice.hears("and who are you")


async def test_more_contacts_than_a_link_has_room_for(people: People, relay: SmallRelay) -> None:
    """Further links with the same relay are opened, and opened again."""
    relay.limit = 2
    bob = await people("bob", listen=False)
    await uses(bob, relay.target)
    await ready(relay)
    friends = []
    for who in ("alice", "carol", "dora"):
        person = await people(who, listen=False)
        contact = await person.connect(await invite_by_relay(bob))
        await person.engine.send_text(contact.id, f"{who} here")
        heard = await bob.hears(f"{who} here")
        friends.append((person, contact.id, heard.conversation))
        await bob.engine.send_text(heard.conversation, f"hello {who}")
        await person.hears(f"hello {who}")
    for round_ in range(2):
        for person, conversation, _ in friends:
            message = await person.engine.send_text(conversation, f"round {round_} of {person.who}")
            await bob.hears(f"round {round_} of {person.who}")
            await person.sees(message.id, MessageState.DELIVERED)
        since = bob.mark
        await relay.restart()
        await linked(bob, since=since)


async def test_nobody_is_written_to_who_could_not_answer(people: People, relay: SmallRelay) -> None:
    """Alice's own relay is down: what she writes first waits, for an answer would find no place."""
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    own = await SmallRelay.open("carol")
    await uses(alice, own.target)
    await uses(bob, relay.target)
    await ready(relay)
    since = alice.mark
    await own.stop()
    await alice.wait_for(
        RelayChanged,
        lambda e: e.relay.fingerprint == own.fingerprint and isinstance(e.relay.state, RelayUnreachable),
        since=since,
    )
    contact = await alice.connect(await invite_by_relay(bob))
    message = await alice.engine.send_text(contact.id, "answer me")
    await alice.wait_for(
        RelayChanged,
        lambda e: e.relay.fingerprint == relay.fingerprint and isinstance(e.relay.state, RelayOnline),
        since=since,
    )
    assert not any(isinstance(request, GetPrekey) for request in relay.asked)
    await own.start()
    await bob.hears("answer me")
    await bob.engine.allow_relay(own.fingerprint, allowed=True)
    await alice.sees(message.id, MessageState.DELIVERED)
    await own.stop()
