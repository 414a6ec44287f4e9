"""The seeding of a session on a link, with a peer who says exactly what a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from messenger.core.errors import DiskFull, Reason
from messenger.core.ids import ConversationId
from messenger.core.models import Standing
from messenger.crypto.xwing import KeyPair
from messenger.engine.events import EngineFault
from messenger.protocol import payload, ratchet
from messenger.protocol.packets import Delivered, Hello, Packet, Seed, SeedAck, Text
from messenger.protocol.ratchet_state import Session
from messenger.protocol.seal import Kind, enclose
from tests.helpers.carrier import KEY, bring, context_of, current, killed, sealing, seeded, sessions
from tests.helpers.engines import People, Person
from tests.helpers.keys import identity
from tests.helpers.links import End
from tests.helpers.sealing import bad_publics
from tests.helpers.wire import Caller, calling

PAIR = KeyPair.from_seed(b"s" * 32)
SEED = Seed(PAIR.public, 5)


@asynccontextmanager
async def accepted(bob: Person) -> AsyncIterator[tuple[Caller, ConversationId]]:
    """Mallory on a link with Bob, who has accepted her and knows that she has accepted him."""
    mark = bob.mark
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("Mallory")
        contact = await bob.named("mallory", since=mark)
        if contact.standing is not Standing.ACCEPTED:
            await bob.engine.accept(contact.id)
            await mallory.packet(Hello, 2)
        else:
            await mallory.packet(Hello)
        yield mallory, contact.id


def theirs(mallory: Caller, seed: Seed) -> Session:
    """Mallory's side of the session, from what Bob has sent."""
    return ratchet.seeded(
        mallory.end.link.export,
        initiator=True,
        own=identity("mallory").fingerprint,
        peer=identity("bob").fingerprint,
        seed=b"s" * 32,
        public=seed.public,
    )


async def answered(mallory: Caller) -> None:
    """Wait until Bob has handled everything that Mallory has said."""
    mallory.say(Text(bytes(16), 1, bytes(32), 5, "are you there?", 0, b"", 0))
    await mallory.packet(Delivered)


async def test_whoever_wants_a_session_begins_and_both_confirm(people: People) -> None:
    bob = await people("bob")
    async with accepted(bob) as (mallory, there):
        seed = await mallory.packet(Seed)
        assert 0 < seed.rank <= context_of(bob).now_ms()
        assert await current(bob, there) is None
        mallory.say(Seed(PAIR.public, 2**53))
        await mallory.packet(SeedAck)
        (held,) = (await sessions(bob, there)).held
        assert (held.session.sid, held.rank) == (theirs(mallory, seed).sid, 2**53)
        assert await current(bob, there) is None, "they may not have it"
        mallory.say(SeedAck())
        await answered(mallory)
        assert await current(bob, there) == held.session.sid
        assert [type(packet) for packet in mallory.packets].count(Seed) == 1


async def test_a_session_is_on_disk_before_they_hear_of_it(people: People, tmp_path: Path) -> None:
    bob = await people("bob", reconnect=False)
    async with accepted(bob) as (mallory, there):
        seed = await mallory.packet(Seed)
        mallory.say(SEED)
        await mallory.packet(SeedAck)
        await killed(bob, tmp_path / "bob again")
        session = theirs(mallory, seed)
        assert [held.session.sid for held in (await sessions(bob, there)).held] == [session.sid]


async def test_any_message_in_it_confirms_a_session_too(people: People) -> None:
    bob = await people("bob", reconnect=False)
    async with accepted(bob) as (mallory, there):
        seed = await mallory.packet(Seed)
        mallory.say(SEED)
        await mallory.packet(SeedAck)
        session = theirs(mallory, seed)
    text = Text(b"i" * 16, 1, bytes(32), 5, "sealed", 0, b"", 0)
    _, message = ratchet.seal(session, payload.encode([text]))
    assert await bring(bob, enclose(KEY, Kind.MESSAGE, message)) is not None
    assert await current(bob, there) == session.sid


@pytest.mark.parametrize("what", ["seed twice", "ack too early", "ack twice", *bad_publics()])
async def test_out_of_turn_is_refused(what: str, people: People) -> None:
    bob = await people("bob", reconnect=False)
    say: dict[str, list[Packet]] = {
        "seed twice": [SEED, SEED],
        "ack too early": [SeedAck(), SEED],
        "ack twice": [SEED, SeedAck(), SeedAck()],
    }
    packets = say[what] if what in say else [Seed(bad_publics()[what], 0)]
    async with accepted(bob) as (mallory, there):
        await mallory.packet(Seed)
        mallory.say(*packets)
        assert await mallory.ended() is Reason.INTERRUPTED
        await bob.offline(there)
        held = (await sessions(bob, there)).held
        assert len(held) == (1 if packets[0] == SEED else 0)
    assert bob.count(EngineFault) == 0


async def test_nobody_is_seeded_with_who_is_not_accepted(people: People) -> None:
    bob = await people("bob", reconnect=False)
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("Mallory")
        contact = await bob.named("mallory")
        mallory.say(SEED)
        assert await mallory.ended() is Reason.INTERRUPTED
        assert not [packet for packet in mallory.packets if isinstance(packet, Seed)]
    assert (await sessions(bob, contact.id)).held == ()


async def test_nobody_is_seeded_who_has_not_accepted_us(people: People) -> None:
    bob = await people("bob", reconnect=False)
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("Mallory", accepted=False)
        contact = await bob.named("mallory")
        await bob.engine.accept(contact.id)
        await answered(mallory)
        assert not [packet for packet in mallory.packets if isinstance(packet, Seed)]
        mallory.greet("Mallory")
        await mallory.packet(Seed)


async def test_a_session_that_is_new_is_not_replaced(people: People) -> None:
    """A bad line that breaks every minute must not push out sessions; who asks is answered all the same."""
    bob = await people("bob", reconnect=False)
    sids = []
    for wanted in (True, False, True):
        mark = bob.mark
        async with accepted(bob) as (mallory, there):
            if wanted:
                mallory.say(SEED)
                await mallory.packet(SeedAck)
                mallory.say(SeedAck())
            await answered(mallory)
            assert any(isinstance(packet, Seed) for packet in mallory.packets) is wanted
            sids.append(await current(bob, there))
        await bob.offline(there, since=mark)
    assert sids[0] == sids[1] != sids[2]
    ranks = [held.rank for held in (await sessions(bob, there)).held]
    assert ranks[0] < ranks[1]


async def test_a_full_disk_leaves_no_session_that_they_believe_in(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await people("bob", reconnect=False)
    async with accepted(bob) as (mallory, there):
        await mallory.packet(Seed)
        store = context_of(bob).store

        def full(*_: object) -> None:
            raise DiskFull

        with monkeypatch.context() as patch:
            patch.setattr(store.sealed, "put", full)
            mallory.say(SEED)
            assert await mallory.ended() is Reason.INTERRUPTED
        assert not [packet for packet in mallory.packets if isinstance(packet, SeedAck)]
        assert (await bob.wait_for(EngineFault)) == EngineFault("storage", "DiskFull")
        assert (await sessions(bob, there)).held == ()


async def test_somebody_blocked_in_this_moment_gets_no_session(people: People) -> None:
    bob = await people("bob", reconnect=False)
    async with accepted(bob) as (mallory, there):
        await mallory.packet(Seed)
        context = context_of(bob)
        await context.stored(context.store.contacts.update, there, standing=Standing.BLOCKED)
        mallory.say(SEED, SeedAck())
        await answered(mallory)
        assert not [packet for packet in mallory.packets if isinstance(packet, SeedAck)]
        assert (await sessions(bob, there)).held == ()


async def test_both_wishes_at_once_are_one_session(people: People) -> None:
    """Two engines: each sends one SEED, whoever is first."""
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await seeded(alice, bob)
    results = await asyncio.gather(sessions(alice, here), sessions(bob, there))
    assert [len(each.held) for each in results] == [1, 1]
    assert results[0].held[0].rank == results[1].held[0].rank
    assert await sealing(alice).receipts(here, KEY) is None
