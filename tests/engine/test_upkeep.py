"""What an engine does now and then, and what a crowded listener asks of those who call."""

import time

import pytest

from messenger.core import limits
from messenger.core.errors import DiskFull, Reason
from messenger.core.models import Contact, MessageState, Offline
from messenger.engine.engine import Engine
from messenger.engine.events import EngineFault, PresenceChanged
from messenger.engine.session import Session
from messenger.protocol.handshake import PuzzleNeeded
from messenger.protocol.messages import Caps
from tests.helpers.engines import People, Person, friends
from tests.helpers.links import End
from tests.helpers.wire import calling


def _session(person: Person, other: Person) -> Session:
    """The live session of somebody with somebody."""
    running = person.engine._running
    assert running is not None
    (session,) = [
        session
        for session in running.peers.all()
        if session.contact is not None and session.contact.fingerprint == other.fingerprint
    ]
    return session


def _later(engine: Engine, seconds: float) -> None:
    """Set the calendar of an engine forward."""
    running = engine._running
    assert running is not None
    running.context.now_ms = lambda: int((time.time() + seconds) * 1000)


async def test_a_link_is_replaced_after_an_hour(people: People) -> None:
    """By a whole new handshake, which shows that it continues the old one; nobody notices."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    old, marks = _session(alice, bob), (alice.mark, bob.mark)
    running = alice.engine._running
    assert running is not None
    await running.upkeep.renew_links()
    assert _session(alice, bob) is old, "not yet"
    for person in (alice, bob):
        _later(person.engine, limits.RELINK_AFTER + 60)
    await running.upkeep.renew_links()
    assert _session(alice, bob) is not old
    message = await alice.engine.send_text(here, "over the new one")
    await bob.hears("over the new one")
    await alice.sees(message.id, MessageState.DELIVERED)
    await bob.engine.send_text(there, "and back")
    await alice.hears("and back")
    for person, mark in zip((alice, bob), marks, strict=True):
        assert person.count(PresenceChanged, lambda e: isinstance(e.presence, Offline), since=mark) == 0
        assert person.count(EngineFault) == 0


async def test_a_link_that_cannot_be_replaced_goes_on(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    await bob.engine.stop_listening()
    old, running = _session(alice, bob), alice.engine._running
    assert running is not None
    _later(alice.engine, limits.RELINK_AFTER + 60)
    await running.upkeep.renew_links()
    assert _session(alice, bob) is old
    await alice.engine.send_text(here, "over the old one")
    await bob.hears("over the old one")


async def test_a_disk_that_refuses_while_a_link_through_a_relay_is_renewed_ends_nothing(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same task replaces the exchange key: without it nobody could call any more one day."""
    alice, bob = await people("alice"), await people("bob")
    await friends(alice, bob)
    session, running = _session(alice, bob), alice.engine._running
    assert running is not None
    assert session.talk is not None

    async def refuse(_contact: Contact, _continues: bytes = b"") -> Contact:
        raise DiskFull

    monkeypatch.setattr(running.upkeep._circuits, "reach", refuse)
    await running.upkeep._by_relay(session.talk.contact, b"")
    await alice.wait_for(EngineFault, lambda e: (e.where, e.error) == ("upkeep", "DiskFull"))


async def test_somebody_who_claims_to_continue_what_is_not_there(people: People) -> None:
    bob = await people("bob")
    for _ in range(2):
        end = End.calling("mallory", "bob", caps=Caps(continues=bytes(32)))
        async with calling(end, await bob.port()) as mallory:
            assert await mallory.ended() is Reason.REFUSED
        async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
            await mallory.up()
            mallory.greet("Mallory")
            await bob.named("mallory")


async def test_an_exchange_key_is_replaced_in_time(people: People) -> None:
    """While the program runs; real keys are made here, which takes some seconds."""
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    running = alice.engine._running
    assert running is not None
    before = running.context.bundle
    await running.upkeep.renew_key()
    assert running.context.bundle is before
    _later(alice.engine, limits.KEXCERT_LIFETIME - limits.KEXCERT_OVERLAP)
    await running.upkeep.renew_key()
    after = running.context.bundle
    assert after.signing == before.signing
    assert after.exchange != before.exchange
    _later(alice.engine, 0)
    await bob.engine.stop()
    await alice.offline(here)
    mark = alice.mark
    await bob.start()
    await alice.online(here, since=mark)
    await alice.engine.send_text(here, "with the new key")
    await bob.hears("with the new key")


async def test_a_crowded_listener_asks_strangers_for_work(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PUZZLE_HALF_OPEN", 1)
    monkeypatch.setattr(limits, "PUZZLE_BITS", 6)
    bob = await people("bob")
    async with calling(End.calling("mallory", None), await bob.port()) as mallory:
        await mallory.up()
        assert mallory.end.count(PuzzleNeeded) == 1
        mallory.greet("Mallory")
        await bob.named("mallory")
    alice = await people("alice")
    contact = await alice.connect(await bob.address())
    assert contact.fingerprint == bob.fingerprint


async def test_a_crowded_listener_knows_its_contacts(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a secret that every link leaves for the next one."""
    bob = await people("bob")
    monkeypatch.setattr(limits, "PUZZLE_HALF_OPEN", 1)
    monkeypatch.setattr(limits, "PUZZLE_BITS", 4)
    knocks = [b""]
    for call, (knock, puzzles) in enumerate(((0, 1), (1, 0), (1, 1), (3, 0))):
        async with calling(End.calling("mallory", "bob", knock=knocks[knock]), await bob.port()) as mallory:
            await mallory.up()
            assert mallory.end.count(PuzzleNeeded) == puzzles
            mallory.greet(f"Mallory {call}")
            contact = await bob.named("mallory", f"Mallory {call}")
            knocks.append(mallory.end.link.export("knock", b""))
        if not call:
            await bob.engine.accept(contact.id)


async def test_a_stranger_who_comes_in_and_says_nothing(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FIRST_WORDS", 0.3)
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        assert await mallory.ended() is Reason.INTERRUPTED
    assert await bob.engine.conversations() == []
