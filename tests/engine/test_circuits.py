"""Links through a relay, when there is no direct way."""

import asyncio
from pathlib import Path

import pytest

from messenger.core import carrier_limits, relay_limits
from messenger.core.errors import Reason
from messenger.core.ids import ConversationId
from messenger.core.models import MessageState, Offline, Online, Route, Standing
from messenger.core.relays import RelayUnreachable
from messenger.engine.events import PeerTyping, PresenceChanged, RelayAsked, RelayChanged
from tests.helpers.engines import People, Person
from tests.helpers.relay_users import acquainted, relayed, uses
from tests.helpers.relays import Site, prepare, relay_in

Pair = tuple[Person, ConversationId, Person, ConversationId]


@pytest.fixture
async def strangers(people: People, site: Site) -> Pair:
    """Alice and Bob, who know nothing of each other but where they are written to; they have accepted."""
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    here, there = await acquainted(alice, bob, site.started.link)
    return alice, here, bob, there


async def test_a_link_through_the_relay_when_both_are_there(strangers: Pair) -> None:
    alice, here, bob, there = strangers
    since = alice.mark
    await alice.engine.reconnect(here)
    await relayed(alice, here, since=since)
    await relayed(bob, there)
    message = await alice.engine.send_text(here, "by the link")
    await alice.sees(message.id, MessageState.DELIVERED)
    await bob.hears("by the link")
    await bob.engine.set_typing(there)
    await alice.wait_for(PeerTyping)
    assert (await alice.contact(bob)).addresses == (), "the address of the relay is not theirs"
    assert (await bob.contact(alice)).addresses == ()
    assert (await alice.contact(bob)).standing is Standing.ACCEPTED


async def test_a_direct_link_takes_over_if_both_allow_it(strangers: Pair) -> None:
    alice, here, bob, there = strangers
    for person in (alice, bob):
        await person.engine.change_settings({"tell_addresses": True})
    await bob.engine.listen()
    await alice.engine.reconnect(here)
    for person, conversation in ((alice, here), (bob, there)):
        await relayed(person, conversation)
        await person.wait_for(
            PresenceChanged,
            lambda e: isinstance(e.presence, Online) and e.presence.route is not Route.RELAY,
        )
    message = await alice.engine.send_text(here, "shorter")
    await alice.sees(message.id, MessageState.DELIVERED)


async def test_nobody_is_told_an_address_who_did_not_ask(strangers: Pair) -> None:
    """Both must have it switched on: telling shows where one is, and so does calling."""
    alice, here, bob, there = strangers
    await bob.engine.change_settings({"tell_addresses": True})
    await bob.engine.listen()
    await alice.engine.reconnect(here)
    await relayed(alice, here)
    await relayed(bob, there)
    for number in range(2):
        message = await alice.engine.send_text(here, f"still by the relay {number}")
        await alice.sees(message.id, MessageState.DELIVERED)
    presence = await alice.engine.presence(here)
    assert isinstance(presence, Online)
    assert presence.route is Route.RELAY
    assert (await alice.contact(bob)).addresses == (await bob.contact(alice)).addresses == ()


async def test_whoever_is_blocked_is_not_answered(
    strangers: Pair, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pass lapses: busy and unwilling look alike, and nothing of theirs is taken."""
    monkeypatch.setattr(relay_limits, "PASS_WAIT", 0.5)
    alice, here, bob, there = strangers
    await bob.engine.block(there)
    since, mark = alice.mark, bob.mark
    await alice.engine.reconnect(here)
    gone = await alice.wait_for(
        PresenceChanged,
        lambda e: isinstance(e.presence, Offline) and e.presence.retry_ms is None,
        since=since,
    )
    assert isinstance(gone.presence, Offline)
    assert gone.presence.reason is Reason.REFUSED
    assert site.relay.house.counters.circuits_joined == 0, "the pass was not even shown"
    assert not alice.count(PresenceChanged, lambda e: isinstance(e.presence, Online), since=since)
    assert not bob.count(PresenceChanged, lambda e: isinstance(e.presence, Online), since=mark)


async def test_a_relay_of_theirs_is_called_again_for_a_circuit(
    people: People, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link with it had nothing to do for a while and was closed: looking at the conversation opens it."""
    monkeypatch.setattr(carrier_limits, "RELAY_IDLE", 0.3)
    theirs = site.started.fingerprint
    async with relay_in(prepare(tmp_path / "another", "carol")) as another:
        alice, bob = await people("alice", listen=False), await people("bob", listen=False)
        await uses(alice, another.started.link)

        async def allow() -> None:
            await bob.wait_for(RelayAsked)
            await bob.engine.allow_relay(another.started.fingerprint, allowed=True)

        (here, there), _ = await asyncio.gather(acquainted(alice, bob, site.started.link), allow())
        for _ in range(2):
            await alice.engine.disconnect(here)
            await alice.wait_for(
                RelayChanged,
                lambda e: e.relay.fingerprint == theirs and e.relay.state == RelayUnreachable(),
                since=alice.mark,
            )
            since, mark = alice.mark, bob.mark
            await alice.engine.reconnect(here)
            await relayed(alice, here, since=since)
            await relayed(bob, there, since=mark)
            message = await alice.engine.send_text(here, "by the link")
            await alice.sees(message.id, MessageState.DELIVERED)
