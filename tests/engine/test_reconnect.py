"""Links that end and come back, messages that wait meanwhile, and two people who call each other at once."""

import asyncio

import pytest

from messenger.core import limits
from messenger.core.errors import Reason
from messenger.core.models import Connecting, MessageState, Offline, Online
from messenger.engine.events import (
    ContactChanged,
    EngineFault,
    MessageAdded,
    MessageChanged,
    PresenceChanged,
    SettingsChanged,
)
from messenger.protocol.link import CloseCode, PeerClosed
from messenger.protocol.packets import Text
from tests.helpers.engines import People, fresh_port, friends
from tests.helpers.links import End
from tests.helpers.wire import calling


async def test_a_known_contact_comes_back_without_a_question(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.stop()
    assert (await bob.offline(there)).reason is Reason.CLOSED
    await bob.engine.stop()
    await bob.start()
    await alice.start()
    await alice.online(here)
    await bob.online(there)
    message = await alice.engine.send_text(here, "back again")
    await bob.hears("back again")
    await alice.sees(message.id, MessageState.DELIVERED)
    assert bob.count(EngineFault) == alice.count(EngineFault) == 0


@pytest.mark.parametrize("who", ["alice", "bob"])
async def test_a_link_comes_back_whoever_was_away(people: People, who: str) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    away, waits, conversation = (alice, bob, there) if who == "alice" else (bob, alice, here)
    mark = waits.mark
    await away.restart()
    await waits.online(conversation, since=mark)
    await alice.engine.send_text(here, "from alice")
    await bob.engine.send_text(there, "from bob")
    await alice.hears("from bob")
    await bob.hears("from alice")


async def test_once_up_a_link_stays_up(people: People) -> None:
    """The attempt that brought it up must not take it down.

    Two who call each other at once may need a second link, but not one after the other.
    """
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    mark = alice.mark
    await bob.restart()
    await alice.online(here, since=mark)
    for number in range(20):
        await alice.engine.send_text(here, f"a{number}")
        await bob.engine.send_text(there, f"b{number}")
    await alice.hears("b19")
    await bob.hears("a19")
    changes = [event.presence for event in alice.events[mark:] if isinstance(event, PresenceChanged)]
    assert isinstance(changes[-1], Online)
    assert sum(isinstance(presence, Online) for presence in changes) <= 2


async def test_what_was_written_while_they_were_away(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await bob.engine.stop()
    await alice.offline(here)
    messages = [await alice.engine.send_text(here, f"{number}") for number in range(5)]
    assert await alice.states(here) == [MessageState.QUEUED] * 5
    await alice.engine.stop()
    await alice.start()
    await alice.engine.send_text(here, "5")
    await bob.start()
    await bob.hears("5")
    await alice.sees(messages[-1].id, MessageState.DELIVERED)
    assert await bob.texts(there) == [f"{number}" for number in range(6)]


async def test_two_who_were_both_away_write_to_each_other(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await bob.engine.stop()
    await alice.engine.send_text(here, "from alice")
    await alice.engine.stop()
    await bob.start()
    await bob.engine.send_text(there, "from bob")
    await bob.engine.stop()
    await asyncio.gather(alice.start(), bob.start())
    await alice.hears("from bob")
    await bob.hears("from alice")


async def test_writing_calls_at_once(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who writes does not wait for the end of a pause."""
    alice, bob = await people("alice"), await people("bob", reconnect=False)
    here, _ = await friends(alice, bob)
    monkeypatch.setattr(limits, "RECONNECT_FIRST", 10_000.0)
    await bob.engine.stop()
    await alice.wait_for(
        PresenceChanged, lambda e: isinstance(e.presence, Offline) and bool(e.presence.retry_ms)
    )
    await bob.start()
    await alice.engine.send_text(here, "now")
    await bob.hears("now")


async def test_without_reconnecting(people: People) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await friends(alice, bob)
    await bob.restart()
    await alice.offline(here)
    await alice.engine.send_text(here, "waits")
    assert alice.count(PresenceChanged, lambda e: isinstance(e.presence, Connecting)) == 0
    assert isinstance(await bob.engine.presence(there), Offline)
    await alice.engine.change_settings({"reconnect": True})
    await alice.wait_for(SettingsChanged)
    await bob.hears("waits")


async def test_without_reconnecting_the_person_can_call(people: People) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await friends(alice, bob)
    await bob.engine.stop()
    await alice.offline(here)
    await bob.start()
    await alice.engine.reconnect(here)
    await bob.online(there)
    mark = alice.mark
    await bob.engine.stop()
    await alice.offline(here, since=mark)
    mark = alice.mark
    await alice.engine.reconnect(here)
    gone = await alice.wait_for(PresenceChanged, lambda e: isinstance(e.presence, Offline), since=mark)
    assert gone.presence == Offline(reason=Reason.NOBODY), "one attempt, and no further one is promised"


async def test_two_who_call_each_other_at_once_keep_one_link(people: People) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await friends(alice, bob)
    for round_ in range(5):
        mark = alice.mark
        await alice.engine.disconnect(here)
        await alice.offline(here, since=mark)
        marks = alice.mark, bob.mark
        await asyncio.gather(alice.connect(await bob.address()), bob.connect(await alice.address()))
        await alice.online(here, since=marks[0])
        await bob.online(there, since=marks[1])
        await alice.engine.send_text(here, f"a{round_}")
        await bob.engine.send_text(there, f"b{round_}")
        await alice.hears(f"b{round_}")
        await bob.hears(f"a{round_}")
        assert isinstance(await alice.engine.presence(here), Online)
        assert isinstance(await bob.engine.presence(there), Online)
    expected = [text for round_ in range(5) for text in (f"a{round_}", f"b{round_}")]
    assert sorted(await alice.texts(here)) == sorted(await bob.texts(there)) == sorted(expected)
    assert alice.count(EngineFault) == bob.count(EngineFault) == 0


async def test_of_two_links_the_newer_is_kept(people: People) -> None:
    """The older one is most likely dead; whoever is on it is told which of the two is over."""
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as first:
        await first.up()
        first.greet("Mallory")
        await bob.named("mallory")
        async with calling(End.calling("mallory", "bob"), await bob.port()) as second:
            await second.up()
            second.greet("Mallory the second")
            assert await first.ended() is Reason.CLOSED
            assert PeerClosed(CloseCode.DUPLICATE) in first.end.events
            await bob.named("mallory", "Mallory the second")
            assert isinstance(await bob.engine.presence(await bob.with_("mallory")), Online)
            assert bob.count(PresenceChanged, lambda e: isinstance(e.presence, Offline)) == 0


async def test_when_somebody_was_seen_last_is_told_before_they_are_shown_as_gone(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _there = await friends(alice, bob)
    earlier, mark = (await alice.contact(bob)).seen_ms, alice.mark
    await bob.engine.stop()
    gone = await alice.wait_for(PresenceChanged, lambda e: isinstance(e.presence, Offline), since=mark)
    before = alice.events[mark : alice.events.index(gone, mark)]
    seen = [event.contact.seen_ms for event in before if isinstance(event, ContactChanged)]
    assert earlier is None
    assert [moment is not None for moment in seen] == [True]
    assert (await alice.contact(bob)).seen_ms == seen[0]
    assert gone.conversation == here


async def test_disconnecting(people: People) -> None:
    """Neither side calls again by itself, until one of them has something to say."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.disconnect(here)
    assert await alice.offline(here) == Offline(reason=Reason.CLOSED)
    assert await bob.offline(there) == Offline(reason=Reason.CLOSED)
    assert await alice.engine.presence(here) == Offline(reason=Reason.CLOSED)
    marks = alice.mark, bob.mark
    await asyncio.gather(alice.engine.set_name("A"), bob.engine.set_name("B"))
    for person, conversation, mark in zip((alice, bob), (here, there), marks, strict=True):
        assert person.count(PresenceChanged, since=mark) == 0
        assert await person.engine.presence(conversation) == Offline(reason=Reason.CLOSED), "no other try"
    await bob.engine.send_text(there, "one more thing")
    await alice.hears("one more thing")
    await alice.online(here, since=marks[0])


async def test_disconnecting_ends_attempts_too(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    await bob.engine.stop()
    await alice.wait_for(PresenceChanged, lambda e: isinstance(e.presence, Connecting))
    await alice.engine.disconnect(here)
    mark = alice.mark
    await bob.start()
    await alice.online(here, since=mark)  # because bob calls
    assert alice.count(PresenceChanged, lambda e: isinstance(e.presence, Connecting), since=mark) == 0


async def test_a_cut_cable(people: People) -> None:
    """No goodbye, no receipt: the message comes again with the next link, and is there once."""
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("Mallory")
        there = (await bob.named("mallory")).id
        await bob.engine.accept(there)
        message = await bob.engine.send_text(there, "hello")
        first = await mallory.packet(Text)
        mallory.vanish()
        assert (await bob.offline(there)).reason is Reason.INTERRUPTED
    assert await bob.states(there) == [MessageState.QUEUED]
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        assert await mallory.packet(Text) == first
        assert first.id == message.id


async def test_a_new_port_is_told_and_used(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    after = fresh_port()
    await bob.engine.listen(after, exact=True)
    await alice.wait_for(ContactChanged, lambda e: e.contact.addresses[0] == f"127.0.0.1:{after}")
    await bob.engine.change_settings({"port": after})
    await bob.engine.stop()
    await alice.offline(here)
    mark = alice.mark
    await alice.engine.send_text(here, "found you")
    await bob.start()
    await alice.online(here, since=mark)
    await bob.hears("found you")


async def test_nothing_is_doubled_over_many_restarts(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    for number in range(4):
        await alice.engine.send_text(here, f"a{number}")
        await bob.engine.send_text(there, f"b{number}")
        await (alice if number % 2 else bob).restart()
    await alice.hears_or_has(here, "b3")
    await bob.hears_or_has(there, "a3")
    for person, conversation in ((alice, here), (bob, there)):
        texts = await person.texts(conversation)
        assert sorted(texts) == sorted([f"{who}{number}" for who in "ab" for number in range(4)])
    assert alice.count(MessageAdded, lambda e: e.message.text == "b3") <= 1
    last = [message for message in await alice.engine.messages(here) if message.outgoing][-1]
    if last.state is not MessageState.DELIVERED:
        await alice.wait_for(MessageChanged, lambda e: e.message.id == last.id)
