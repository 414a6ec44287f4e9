"""More relays than one: asked about, chosen between, left without losing anything."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from messenger.core import carrier_limits, limits, relay_limits
from messenger.core.address import parse_address
from messenger.core.ids import Fingerprint
from messenger.core.models import MessageState
from messenger.core.relays import RelayConnecting, RelayOnline, RelayUnreachable, RelayUse
from messenger.engine.carrier import _Way
from messenger.engine.events import EngineFault, MessageChanged, RelayAsked, RelayChanged
from messenger.engine.talk import Talk
from messenger.engine.whereabouts import take_whereabouts
from messenger.protocol.packets import Mailboxes, Packet
from messenger.protocol.places import Place
from tests.helpers.carrier import context_of, fingerprint_only, later, part, seeded, settled
from tests.helpers.engines import People, Person, friends
from tests.helpers.relay_users import linked, places, settle, until, users_apart, uses
from tests.helpers.relays import Site, prepare, relay_in
from tests.helpers.small_relay import SmallRelay


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Site]:
    """A relay."""
    async with relay_in(prepare(tmp_path / "one", "mallory")) as site:
        yield site


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Site]:
    """Another relay."""
    async with relay_in(prepare(tmp_path / "other", "carol")) as site:
        yield site


async def test_nothing_goes_to_a_relay_that_was_not_allowed(people: People, one: Site, other: Site) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    await uses(alice, one.started.link)
    await uses(bob, other.started.link)
    here, there = await seeded(alice, bob)
    await settle(alice, bob)
    asked = await alice.wait_for(RelayAsked)
    assert (asked.conversation, asked.relay.fingerprint) == (here, other.started.fingerprint)
    await part(alice, here, bob, there)
    await alice.engine.send_text(here, "may I")
    await alice.engine.allow_relay(other.started.fingerprint, allowed=False)
    assert (await alice.states(here))[-1] is MessageState.QUEUED
    await alice.engine.send_text(here, "or not")
    await alice.connect(await bob.address())
    await settled(alice, here, bob, there)
    assert alice.count(RelayChanged, _tries(other)) == 0, "not even connected to"
    await part(alice, here, bob, there)
    message = await alice.engine.send_text(here, "may I now")
    await alice.engine.allow_relay(other.started.fingerprint, allowed=True)
    await bob.hears("may I now")
    await bob.engine.allow_relay(one.started.fingerprint, allowed=True)
    await alice.sees(message.id, MessageState.DELIVERED)


def _tries(site: Site) -> Callable[[RelayChanged], bool]:
    """An attempt to connect to a relay."""
    return lambda event: (
        event.relay.fingerprint == site.started.fingerprint
        and isinstance(event.relay.state, RelayConnecting | RelayOnline)
    )


async def test_the_first_place_that_answers(people: People, one: Site, tmp_path: Path) -> None:
    """One of two relays goes; what is written takes the other."""
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    async with relay_in(prepare(tmp_path / "other", "carol")) as other:
        await uses(bob, other.started.link)
        await uses(bob, one.started.link)
        await uses(alice, one.started.link)
        here, there = await seeded(alice, bob)
        await until(lambda: places(alice, here, 2))
        await alice.wait_for(RelayAsked)
        await alice.engine.allow_relay(other.started.fingerprint, allowed=True)
        await part(alice, here, bob, there)
    message = await alice.engine.send_text(here, "by the other way")
    await bob.hears("by the other way")
    await alice.sees(message.id, MessageState.DELIVERED)


async def test_moving_to_another_relay_loses_nothing(people: People, one: Site, other: Site) -> None:
    """What lies at the old one is fetched, everybody learns of the new one, and then the old one is left."""
    alice, here, bob, _there = await users_apart(people, one.started.link)
    await alice.engine.stop()
    running = bob.engine._running
    assert running is not None
    await running.carrier.close()  # Alice does not hear of it before he is back
    await uses(bob, other.started.link)
    await bob.engine.remove_relay(one.started.fingerprint)
    await bob.engine.stop()
    await alice.start()
    await linked(alice)
    early = await alice.engine.send_text(here, "to the old one")
    await alice.sees(early.id, MessageState.SENT)
    await bob.start()
    await bob.hears("to the old one")
    await until(lambda: places(alice, here, 1, other.started.fingerprint))
    await alice.wait_for(RelayAsked)
    await alice.engine.allow_relay(other.started.fingerprint, allowed=True)
    late = await alice.engine.send_text(here, "to the new one")
    await bob.hears("to the new one")
    await alice.sees(late.id, MessageState.DELIVERED)
    await alice.sees(early.id, MessageState.DELIVERED)
    uses_ = {relay.fingerprint: relay.use for relay in await bob.engine.relays()}
    assert uses_[one.started.fingerprint] is RelayUse.LEAVING
    later(bob, carrier_limits.RETIRED_KEPT + 60)
    running = bob.engine._running
    assert running is not None
    await running.queues.tidy()
    context = context_of(bob)
    assert await context.stored(context.store.queues.at, one.started.fingerprint) == []
    await running.queues.tidy()
    left = {relay.fingerprint: relay.use for relay in await bob.engine.relays()}
    assert left.get(one.started.fingerprint) in (RelayUse.ALLOWED, None)


async def test_both_move_at_once_and_lose_nothing(people: People, one: Site, other: Site) -> None:
    """Each tells the other of it at the relay that both are leaving, where words of both are on their way."""
    third = await SmallRelay.open("dora")
    alice, here, bob, there = await users_apart(people, one.started.link)

    async def move(person: Person, target: str) -> None:
        await uses(person, target)
        await person.engine.remove_relay(one.started.fingerprint)

    async def allow(person: Person, relay: Fingerprint) -> None:
        await person.wait_for(RelayAsked, lambda e: e.relay.fingerprint == relay)
        await person.engine.allow_relay(relay, allowed=True)

    ways = ((alice, here, third.target), (bob, there, other.started.link))
    words = [
        person.engine.send_text(conversation, f"{person.who} {number}")
        for number in range(5)
        for person, conversation, _ in ways
    ]
    moves = [move(person, target) for person, _, target in ways]
    sent = (await asyncio.gather(*words, *moves))[: len(words)]
    await asyncio.gather(allow(alice, other.started.fingerprint), allow(bob, third.fingerprint))
    await until(lambda: places(alice, here, 1, other.started.fingerprint))
    await until(lambda: places(bob, there, 1, third.fingerprint))
    for person, message in zip((alice, bob) * 5, sent, strict=True):
        assert message is not None
        await person.sees(message.id, MessageState.DELIVERED)
    texts = [
        sorted(text for text in await person.texts(conversation) if not text.startswith("round"))
        for person, conversation, _ in ways
    ]
    assert (
        texts[0] == texts[1] == sorted(f"{who} {number}" for who in ("alice", "bob") for number in range(5))
    )
    assert alice.count(EngineFault) == bob.count(EngineFault) == 0
    await third.stop()


async def test_somebody_who_names_ever_other_relays_fills_nothing(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those at which nobody is written to any more are forgotten before they are many."""
    monkeypatch.setattr(carrier_limits, "RELAYS_KNOWN", 8)
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    context = context_of(alice)
    for number in range(30):
        named = [
            Place(
                Fingerprint(bytes([number, each]) * 16),
                bytes(24),
                bytes(32),
                bytes(32),
                parse_address("192.0.2.1:1"),
            )
            for each in range(relay_limits.PLACES_MAX)
        ]
        told = Mailboxes([place.encode() for place in named])
        await take_whereabouts(context, here, told, direct=True)
        known = [relay.fingerprint for relay in await alice.engine.relays()]
        assert len(known) <= 8
        assert {place.relay for place in named} <= set(known)
    assert alice.count(EngineFault) == 0


async def test_a_relay_of_theirs_that_is_down_is_left_alone_when_nothing_waits(
    people: People, one: Site
) -> None:
    """A direct link has brought what was for it; the next message calls it again."""
    theirs = await SmallRelay.open("carol")
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    await uses(alice, theirs.target)
    await uses(bob, one.started.link)
    here, there = await seeded(alice, bob)
    await settle(alice, bob)
    await bob.engine.allow_relay(theirs.fingerprint, allowed=True)
    await part(alice, here, bob, there)
    await theirs.stop()
    message = await bob.engine.send_text(there, "by the way")
    await bob.wait_for(RelayChanged, lambda e: _rests(e, theirs) is False)
    mark = bob.mark
    await alice.connect(await bob.address())
    await bob.sees(message.id, MessageState.DELIVERED)
    await settled(alice, here, bob, there)  # nor are they told once more what the first link may have lost
    await bob.wait_for(RelayChanged, lambda e: _rests(e, theirs) is True, since=mark)
    await part(alice, here, bob, there)
    await theirs.start()
    late = await bob.engine.send_text(there, "and now there")
    await alice.hears("and now there")
    await alice.engine.allow_relay(one.started.fingerprint, allowed=True)
    await bob.sees(late.id, MessageState.DELIVERED)
    await theirs.stop()


def _rests(event: RelayChanged, relay: SmallRelay) -> bool | None:
    """Whether a relay that could not be reached is not called again by itself; None for another event."""
    state = event.relay.state
    if event.relay.fingerprint != relay.fingerprint or not isinstance(state, RelayUnreachable):
        return None
    return None if state.reason is None else state.retry_ms is None


async def test_a_relay_that_has_moved_is_found_where_an_invite_says(people: People) -> None:
    """What a contact says of a relay that is known already leads nowhere: nobody was asked about that."""
    relay, hers = await SmallRelay.open(), await SmallRelay.open("carol")
    alice, bob = await people("alice"), await people("bob", listen=False)
    await uses(alice, hers.target)
    await uses(bob, relay.target)
    await bob.engine.opened_relay(relay.fingerprint)
    running, before = alice.engine._running, "127.0.0.1:9"
    assert running is not None
    here = await fingerprint_only(alice, bob)
    await running.relays.learn(here, [(relay.fingerprint, before)], allowed=True)
    now = f"127.0.0.1:{relay.port}"
    await running.relays.learn(here, [(relay.fingerprint, now)], allowed=False)
    assert await _addresses(alice, relay) == (before,)
    contact = await alice.connect(await bob.engine.lasting_link())
    assert await _addresses(alice, relay) == (before, now)
    await alice.engine.send_text(contact.id, "found you")
    await bob.hears("found you")
    for number in range(20):
        await running.relays.learn(here, [(relay.fingerprint, f"127.0.0.1:{number + 10}")], allowed=True)
    left = await _addresses(alice, relay)
    assert (len(left), left[0]) == (limits.INVITE_ADDRESSES_MAX, before)
    await relay.stop()
    await hers.stop()


async def _addresses(person: Person, relay: SmallRelay) -> tuple[str, ...]:
    """Where somebody looks for a relay."""
    (known,) = [each for each in await person.engine.relays() if each.fingerprint == relay.fingerprint]
    return known.addresses


async def test_nothing_is_remembered_of_relays_that_are_forgotten(people: People) -> None:
    alice = await people("alice")
    running = alice.engine._running
    assert running is not None
    relays = running.relays
    for number in range(10):
        relay = Fingerprint(bytes([number]) * 32)
        await context_of(alice).stored(
            context_of(alice).store.relays.learn, relay, "192.0.2.1:1", RelayUse.UNASKED, 0
        )
        relays.want(relay, at_once=True)
        await relays.forget_unused()
    kept = (relays._keepers, relays._hurry, relays._states, relays._failed, relays._more)
    assert [len(each) for each in kept] == [0] * 5
    assert not (relays._still | relays._anew)


async def test_places_told_on_a_link_that_was_dying_are_told_again(
    people: People, one: Site, other: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing answers what a link tells; whoever did not hear it would write to a place that is no more."""
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    for person in (alice, bob):
        await uses(person, one.started.link)
    _, there = await seeded(alice, bob)
    await settle(alice, bob)
    genuine, lost = Talk._post, list[Mailboxes]()

    def losing(self: Talk, packet: Packet) -> None:
        if isinstance(packet, Mailboxes):
            lost.append(packet)
        else:
            genuine(self, packet)

    monkeypatch.setattr(Talk, "_post", losing)
    await uses(alice, other.started.link)

    async def told() -> bool:
        return bool(lost)

    await until(told)
    running = bob.engine._running
    assert running is not None
    session = running.peers.session(there)
    assert session is not None
    session.connection.stream.abort()
    await until(lambda: places(bob, there, 2))


async def test_what_lies_at_a_place_that_is_no_more_waits_again(people: People, one: Site) -> None:
    """Also if they tell of another on a link: it may end before it has brought everything."""
    alice, here, bob, _there = await users_apart(people, one.started.link)
    await bob.engine.stop()
    message = await alice.engine.send_text(here, "left there")
    await alice.sees(message.id, MessageState.SENT)
    place = Place(Fingerprint(bytes(32)), bytes(24), bytes(32), bytes(32), parse_address("192.0.2.1:1"))
    since = alice.mark
    await take_whereabouts(context_of(alice), here, Mailboxes([place.encode()]), direct=True)
    await alice.wait_for(
        MessageChanged,
        lambda e: e.message.id == message.id and e.message.state is MessageState.QUEUED,
        since=since,
    )


async def test_an_old_copy_does_not_lead_back_to_a_relay_that_was_left(people: People, other: Site) -> None:
    """What was sealed before the move lies at the receiver's relay while a link tells of the move."""
    one = await SmallRelay.open()
    alice, here, bob, there = await users_apart(people, one.target)
    await bob.engine.stop()
    message = await alice.engine.send_text(here, "before the move")
    await alice.sees(message.id, MessageState.SENT)
    await one.stop()
    await uses(alice, other.started.link)
    await alice.engine.opened_relay(other.started.fingerprint)
    await alice.engine.remove_relay(one.fingerprint, at_once=True)
    await bob.start()
    await alice.connect(await bob.address())
    await until(lambda: places(bob, there, 1, other.started.fingerprint))
    await settled(alice, here, bob, there)
    assert one.waiting() > 0
    await one.start()
    await until(lambda: _emptied(one))
    assert await places(bob, there, 1, other.started.fingerprint)
    await one.stop()


async def _emptied(relay: SmallRelay) -> bool:
    await asyncio.sleep(0)
    return not relay.waiting()


async def test_what_was_left_where_they_look_no_more_is_not_called_sent(
    people: People, one: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They tell of another place in the moment in which the relay of the old one says yes."""
    alice, here, bob, _there = await users_apart(people, one.started.link)
    place = Place(Fingerprint(bytes(32)), bytes(24), bytes(32), bytes(32), parse_address("192.0.2.1:1"))
    genuine, moved = _Way.send, list[bool]()

    async def send(self: _Way, envelope: bytes) -> None:
        await genuine(self, envelope)
        if not moved:
            await take_whereabouts(context_of(alice), here, Mailboxes([place.encode()]), direct=True)
            moved.append(True)

    monkeypatch.setattr(_Way, "send", send)
    await bob.engine.stop()
    message = await alice.engine.send_text(here, "too late")
    running = alice.engine._running
    assert running is not None

    async def tried() -> bool:
        await asyncio.sleep(0)
        return bool(moved) and not running.carrier._wakes

    await until(tried)
    assert (await alice.states(here))[-1] is MessageState.QUEUED
    assert not alice.count(
        MessageChanged, lambda e: e.message.id == message.id and e.message.state is MessageState.SENT
    )
