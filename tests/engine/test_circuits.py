"""Links through a relay, when there is no direct way."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from messenger.core import carrier_limits, limits, relay_limits
from messenger.core.address import Address
from messenger.core.errors import ConnectError, Reason
from messenger.core.ids import ConversationId
from messenger.core.models import Contact, MessageState, Offline, Online, Route, Standing
from messenger.core.relays import RelayUnreachable
from messenger.engine.events import PeerTyping, PresenceChanged, RelayAsked
from messenger.engine.relay_link import RelayLink
from messenger.protocol.relay_answers import Ring
from tests.helpers.carrier import context_of, fingerprint_only, later, settled
from tests.helpers.engines import People, Person
from tests.helpers.patience import PATIENCE
from tests.helpers.relay_users import acquainted, direct, relayed, until, uses
from tests.helpers.relays import Site, prepare, relay_in

Pair = tuple[Person, ConversationId, Person, ConversationId]


@pytest.fixture
async def strangers(people: People, site: Site) -> Pair:
    """Alice and Bob, who know nothing of each other but where they are written to; they have accepted.

    Alice calls by herself once she knows where Bob is: sooner or later there is a link.
    """
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    here, there = await acquainted(alice, bob, site.started.link)
    return alice, here, bob, there


async def test_a_link_through_the_relay_when_both_are_there(strangers: Pair) -> None:
    alice, here, bob, there = strangers
    await alice.engine.reconnect(here)
    await relayed(alice, here)
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


async def test_a_direct_link_takes_over_when_it_becomes_possible(strangers: Pair) -> None:
    """The link through the relay was there before anybody listened, or wanted to tell where."""
    alice, here, bob, there = strangers
    await alice.engine.change_settings({"tell_addresses": True})
    await alice.engine.reconnect(here)
    await relayed(alice, here)
    await relayed(bob, there)
    await settled(alice, here, bob, there)
    since, mark = alice.mark, bob.mark
    await bob.engine.change_settings({"tell_addresses": True})
    await bob.engine.listen()
    await direct(alice, here, since=since)
    await direct(bob, there, since=mark)


async def test_a_direct_link_takes_over_when_it_becomes_wanted(strangers: Pair) -> None:
    alice, here, bob, there = strangers
    await alice.engine.change_settings({"tell_addresses": True})
    await bob.engine.listen()
    await alice.engine.reconnect(here)
    await relayed(alice, here)
    await relayed(bob, there)
    await settled(alice, here, bob, there)
    since = alice.mark
    await bob.engine.change_settings({"tell_addresses": True})
    await direct(alice, here, since=since)


async def test_whoever_tells_ever_other_addresses_has_us_call_few_at_a_time(
    strangers: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the newest of them in the end."""
    monkeypatch.setattr(limits, "RECONNECT_FIRST", 0.0)
    alice, here, bob, there = strangers
    await alice.engine.change_settings({"tell_addresses": True})
    await alice.engine.reconnect(here)
    await relayed(alice, here)
    await relayed(bob, there)
    running = alice.engine._running
    assert running is not None
    called, more, done = list[str](), asyncio.Event(), asyncio.Event()

    async def reach_at(_contact: Contact, addresses: Sequence[Address], _continues: bytes) -> Contact:
        called.extend(map(str, addresses))
        await more.wait()
        if called[-1] == "127.0.0.1:50":
            done.set()
        raise ConnectError(Reason.REFUSED)

    monkeypatch.setattr(running.dialer, "reach_at", reach_at)
    for port in range(1, 51):
        running.circuits.upgrade(here, [f"127.0.0.1:{port}"])
    await bob.engine.send_text(there, "and so on")
    await alice.hears("and so on")
    assert len(called) <= 1
    more.set()
    async with asyncio.timeout(PATIENCE):
        await done.wait()
    assert len(called) <= 2


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


async def test_somebody_who_rings_and_rings_keeps_nobody_else_away(strangers: Pair, people: People) -> None:
    """Each ring waits for a while for a circuit that never comes."""
    alice, here, bob, there = strangers
    carol = await fingerprint_only(bob, people.asleep("carol"))
    running, context = bob.engine._running, context_of(bob)
    assert running is not None
    (link,) = running.relays._links.values()
    (queue,) = await context.stored(context.store.queues.for_contact, there)
    hers = msgspec.structs.replace(queue, conversation=carol)
    over, hanging = asyncio.Event(), list[asyncio.Task[None] | None]()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hanging.append(asyncio.current_task())
        await over.wait()
        writer.transport.abort()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for number in range(50):
        running.circuits.on_ring(link, hers, Ring(1, bytes([number]) * 32, f"127.0.0.1:{port}"))
    await alice.engine.reconnect(here)
    await relayed(alice, here)
    await relayed(bob, there)
    assert running.circuits._ringing[carol] <= carrier_limits.RINGS_AT_ONCE
    over.set()
    await asyncio.gather(*(task for task in hanging if task is not None))
    server.close()
    await server.wait_closed()


async def test_a_circuit_that_nobody_uses_ends(strangers: Pair, site: Site) -> None:
    """One that is used is replaced after an hour, as every link; what is written later opens another."""
    alice, here, bob, there = strangers
    await alice.engine.reconnect(here)
    await relayed(alice, here)
    await relayed(bob, there)
    await settled(alice, here, bob, there)
    running = alice.engine._running
    assert running is not None
    counters, since = site.relay.house.counters, alice.mark
    later(alice, limits.RELINK_AFTER + 1)
    message = await alice.engine.send_text(here, "still talking")
    await alice.sees(message.id, MessageState.DELIVERED)
    before = counters.circuits_joined
    await running.upkeep.renew_links()
    assert counters.circuits_joined == before + 1
    assert isinstance(await alice.engine.presence(here), Online)
    since, mark = alice.mark, bob.mark
    later(alice, limits.RELINK_AFTER + 1)
    await running.upkeep.renew_links()
    await alice.offline(here, since=since)
    await bob.offline(there, since=mark)
    since = alice.mark
    message = await alice.engine.send_text(here, "once more")
    await alice.sees(message.id, MessageState.DELIVERED)
    await relayed(alice, here, since=since)


async def test_whoever_is_blocked_is_not_answered(
    strangers: Pair, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pass lapses: busy and unwilling look alike, and nothing of theirs is taken."""
    alice, here, bob, there = strangers
    await alice.engine.reconnect(here)
    await relayed(alice, here)
    await relayed(bob, there)
    await settled(alice, here, bob, there)
    since, mark = alice.mark, bob.mark
    await bob.engine.block(there)
    await alice.offline(here, since=since)
    await bob.offline(there, since=mark)
    monkeypatch.setattr(relay_limits, "PASS_WAIT", 0.5)
    joined, since, mark = site.relay.house.counters.circuits_joined, alice.mark, bob.mark
    await alice.engine.reconnect(here)
    gone = await alice.wait_for(
        PresenceChanged,
        lambda e: isinstance(e.presence, Offline) and e.presence.retry_ms is None,
        since=since,
    )
    assert isinstance(gone.presence, Offline)
    assert gone.presence.reason is Reason.REFUSED
    assert site.relay.house.counters.circuits_joined == joined, "the pass was not even shown"
    assert not alice.count(PresenceChanged, lambda e: isinstance(e.presence, Online), since=since)
    assert not bob.count(PresenceChanged, lambda e: isinstance(e.presence, Online), since=mark)


async def test_a_relay_of_theirs_is_called_again_for_a_circuit(
    people: People, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link with it had nothing to do for a while and was closed: looking at the conversation opens it."""
    monkeypatch.setattr(carrier_limits, "RELAY_IDLE", 0.3)
    idle, busy = vars(RelayLink)["idle"].fget, [True]
    monkeypatch.setattr(RelayLink, "idle", property(lambda link: 0.0 if busy[0] else idle(link)))
    theirs = site.started.fingerprint
    async with relay_in(prepare(tmp_path / "another", "carol")) as another:
        alice, bob = await people("alice", listen=False), await people("bob", listen=False)
        await uses(alice, another.started.link)

        async def allow() -> None:
            await bob.wait_for(RelayAsked)
            await bob.engine.allow_relay(another.started.fingerprint, allowed=True)

        async def closed() -> bool:
            states = {relay.fingerprint: relay.state for relay in await alice.engine.relays()}
            offline = isinstance(await alice.engine.presence(here), Offline)
            return offline and states[theirs] == RelayUnreachable()

        (here, there), _ = await asyncio.gather(acquainted(alice, bob, site.started.link), allow())
        await alice.engine.reconnect(here)
        await relayed(alice, here)
        await relayed(bob, there)
        await settled(alice, here, bob, there)
        for _ in range(2):
            await alice.engine.disconnect(here)
            busy[0] = False
            await until(closed)
            busy[0] = True  # however long it takes until something is asked on the next one
            since, mark = alice.mark, bob.mark
            await alice.engine.reconnect(here)
            await relayed(alice, here, since=since)
            await relayed(bob, there, since=mark)
            message = await alice.engine.send_text(here, "by the link")
            await alice.sees(message.id, MessageState.DELIVERED)
