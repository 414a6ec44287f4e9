"""Moving to a new identity: what contacts see of it, and what a failure leaves behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from messenger.core.errors import ConnectError
from messenger.core.ids import ConversationId
from messenger.core.models import MessageState, Standing
from messenger.crypto.identity import safety_number
from messenger.crypto.succession import Succession
from messenger.engine.events import (
    ConfirmPeer,
    ConversationRemoved,
    EngineFault,
    KeyChanged,
    MeChanged,
    SetupProgress,
    SetupStep,
)
from messenger.protocol import packets
from messenger.protocol.initiator import Initiator
from messenger.protocol.link import Link
from messenger.protocol.packets import Hello, SuccessionSeen, Text
from tests.helpers import spare_keys
from tests.helpers.engines import People, Person, friends
from tests.helpers.keys import identity
from tests.helpers.links import NOW, End, bundle
from tests.helpers.moving import (
    both_ways,
    contact_of,
    untold,
    who,
)
from tests.helpers.wire import Caller, calling

STEPS = [SetupStep.SIGNING_KEY, SetupStep.EXCHANGE_KEY, SetupStep.SAVING, SetupStep.DONE]


@pytest.fixture(autouse=True)
def new_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vaults of these tests are handed their new keys."""
    spare_keys.use(monkeypatch, tmp_path / "taken")


async def test_moving_while_a_contact_is_online(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await both_ways(alice, here, bob, there, "before")
    for person, conversation in ((alice, here), (bob, there)):
        await person.engine.set_verified(conversation, verified=True)
    port, mark, theirs = await alice.port(), alice.mark, bob.mark
    await alice.engine.move_to_new_identity()
    assert [e.step for e in alice.events[mark:] if isinstance(e, SetupProgress)] == STEPS
    new = await who(alice)
    assert new != alice.fingerprint
    assert (await alice.wait_for(MeChanged, since=mark)).me == await alice.engine.me()
    assert await alice.port() == port

    event = await bob.wait_for(KeyChanged)
    assert (event.contact.id, event.contact.fingerprint) == (there, new)
    assert (event.old_fingerprint, event.was_verified) == (alice.fingerprint, True)
    await bob.engine.trust_key(there)  # she had been verified, so nothing leaves before that
    await both_ways(alice, here, bob, there, "after")
    assert not (await contact_of(bob, there)).verified, "who has a new key is to be compared with again"
    assert (await contact_of(alice, here)).verified, "bob is who he was"
    assert await alice.engine.safety_number(here) == await bob.engine.safety_number(there)
    assert await alice.engine.safety_number(here) == safety_number(new, bob.fingerprint)
    assert await untold(alice, here) == 0
    for person, conversation in ((alice, here), (bob, there)):
        texts = await person.texts(conversation)
        assert sorted(texts) == sorted(
            f"{when} from {name}" for when in ("before", "after") for name in ("alice", "bob")
        )
        assert [row.id for row in await person.engine.conversations()] == [conversation]
        assert person.count(EngineFault) == person.count(ConversationRemoved) == 0
    assert bob.count(KeyChanged) == 1
    assert bob.count(ConfirmPeer, since=theirs) == 0


async def test_it_is_the_same_after_a_restart(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.move_to_new_identity()
    await bob.wait_for(KeyChanged)
    new = await who(alice)
    await alice.engine.stop()
    await bob.restart()
    await alice.start()
    assert await who(alice) == new
    await both_ways(alice, here, bob, there, "again")
    assert bob.count(KeyChanged) == 0
    link = await alice.engine.make_invite()
    carol = await people("carol")
    assert (await carol.connect(link)).fingerprint == new
    assert carol.count(KeyChanged) == 0, "who never knew the old key is told nothing"


async def test_two_contacts_of_whom_one_is_away(people: People) -> None:
    alice, bob, carol = await people("alice"), await people("bob"), await people("carol")
    (to_bob, from_bob), (to_carol, from_carol) = await friends(alice, bob), await friends(alice, carol)
    await carol.engine.stop()
    await alice.offline(to_carol)
    await alice.engine.send_text(to_carol, "for carol")
    await alice.engine.move_to_new_identity()
    await bob.wait_for(KeyChanged)
    await both_ways(alice, to_bob, bob, from_bob, "with bob")
    assert (await untold(alice, to_bob), await untold(alice, to_carol)) == (0, 1)
    await carol.start()
    await carol.hears_or_has(from_carol, "for carol")
    await both_ways(alice, to_carol, carol, from_carol, "with carol")
    assert await untold(alice, to_carol) == 0
    assert (await contact_of(carol, from_carol)).fingerprint == await who(alice)


async def test_a_contact_who_missed_two_moves(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await bob.engine.stop()
    await alice.offline(here)
    await alice.engine.send_text(here, "first")
    await alice.engine.move_to_new_identity()
    await alice.engine.send_text(here, "second")
    await alice.restart()
    await alice.engine.move_to_new_identity()
    assert await untold(alice, here) == 2
    await bob.start()
    event = await bob.wait_for(KeyChanged)
    assert (event.old_fingerprint, event.contact.fingerprint) == (alice.fingerprint, await who(alice))
    await bob.hears_or_has(there, "second")
    assert await bob.texts(there) == ["first", "second"]
    await both_ways(alice, here, bob, there, "at last")
    assert await untold(alice, here) == 0
    assert bob.count(KeyChanged) == 1


async def test_what_bob_wrote_meanwhile_waits_for_the_statement(people: People) -> None:
    """His program calls the old key in vain; nothing is sent to the new one before it is explained."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.change_settings({"reconnect": False})
    mark = bob.mark
    await alice.engine.move_to_new_identity()
    await bob.offline(there, since=mark)
    message = await bob.engine.send_text(there, "are you there?")
    with pytest.raises(ConnectError):
        await bob.connect(await alice.address(), accept=False)  # somebody else's key, for all that he knows
    assert await bob.states(there) == [MessageState.QUEUED]
    await alice.connect(await bob.address())
    await bob.sees(message.id, MessageState.DELIVERED)
    await bob.wait_for(KeyChanged)
    assert await alice.texts(here) == ["are you there?"]


@pytest.mark.parametrize("by", ["address", "invite"])
async def test_a_contact_who_cannot_be_called_calls(people: People, by: str) -> None:
    """Behind a router, say: the person looks at the new key, and it turns out to be alice's."""
    alice, bob = await people("alice"), await people("bob", listen=False)
    there = (await bob.connect(await alice.address())).id
    here = (await alice.knows(bob, Standing.REQUEST)).id
    await alice.engine.accept(here)
    await both_ways(alice, here, bob, there, "before")
    mark = bob.mark
    await alice.engine.move_to_new_identity()
    await bob.offline(there, since=mark)
    await bob.engine.send_text(there, "waiting")
    target = await alice.engine.make_invite() if by == "invite" else await alice.address()
    contact = await bob.connect(target)
    assert (contact.id, contact.fingerprint) == (there, await who(alice))
    await alice.hears("waiting")
    await both_ways(alice, here, bob, there, "after")
    assert bob.count(KeyChanged) == 1
    assert [row.id for row in await bob.engine.conversations()] == [there]
    assert await untold(alice, here) == 0


async def test_both_move_at_the_same_time(people: People) -> None:
    """Neither knows the other's new key, until one of them calls the address where the other was."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    marks = alice.mark, bob.mark
    await asyncio.gather(alice.engine.move_to_new_identity(), bob.engine.move_to_new_identity())
    await alice.offline(here, since=marks[0])
    await bob.offline(there, since=marks[1])
    await alice.engine.send_text(here, "queued at alice")
    await bob.engine.send_text(there, "queued at bob")
    contact = await alice.connect(await bob.address())
    assert (contact.id, contact.fingerprint) == (here, await who(bob))
    for person, other in ((alice, bob), (bob, alice)):
        event = await person.wait_for(KeyChanged)
        assert (event.old_fingerprint, event.contact.fingerprint) == (other.fingerprint, await who(other))
    await alice.hears("queued at bob")
    await bob.hears("queued at alice")
    await both_ways(alice, here, bob, there, "after")
    assert await untold(bob, there) == 0
    assert await alice.engine.safety_number(here) == await bob.engine.safety_number(there)
    for person, conversation in ((alice, here), (bob, there)):
        assert [row.id for row in await person.engine.conversations()] == [conversation]
        await person.restart()
    await both_ways(alice, here, bob, there, "again")
    assert await untold(alice, here) == 0


async def test_moving_again_and_again(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    seen = [alice.fingerprint]
    for number in range(3):
        await alice.engine.send_text(here, f"alice {number}")
        await bob.engine.send_text(there, f"bob {number}")
        await alice.engine.move_to_new_identity()
        seen.append(await who(alice))
    await alice.hears("bob 2")
    await bob.hears("alice 2")
    for person, conversation in ((alice, here), (bob, there)):
        texts = sorted(f"{name} {number}" for name in ("alice", "bob") for number in range(3))
        assert sorted(await person.texts(conversation)) == texts
    assert len(set(seen)) == 4
    await bob.wait_for(KeyChanged, lambda e: e.contact.fingerprint == seen[-1])
    assert (await contact_of(bob, there)).fingerprint == seen[-1]


# --- a contact driven by hand ---


@asynccontextmanager
async def mallory_on(alice: Person) -> AsyncIterator[Caller]:
    """Mallory, who knows alice's present key, on a link with her."""
    initiator = Initiator(bundle("mallory"), NOW, expected=await who(alice))
    async with calling(End(Link(initiator), identity("mallory")), await alice.port()) as caller:
        await caller.up()
        yield caller


async def _befriended(alice: Person) -> ConversationId:
    async with mallory_on(alice) as mallory:
        mallory.greet("Mallory")
        here = (await alice.named("mallory")).id
        await alice.engine.accept(here)
        await mallory.packet(Hello, 2)
    return here


async def test_a_contact_is_told_first_and_until_they_confirm(people: People) -> None:
    alice = await people("alice")
    here = await _befriended(alice)
    await alice.engine.move_to_new_identity()
    await alice.engine.move_to_new_identity()
    await alice.engine.send_text(here, "hello")
    for _ in range(2):
        async with mallory_on(alice) as mallory:
            await mallory.packet(Text)
            assert [type(packet) for packet in mallory.packets[:3]] == [
                packets.Succession,
                packets.Succession,
                Hello,
            ]
            said = [packet for packet in mallory.packets if isinstance(packet, packets.Succession)]
            first, second = (Succession.decode(packet.statement) for packet in said)
            for statement in (first, second):
                statement.verify(NOW)
            assert (first.old, first.new, second.new) == (alice.fingerprint, second.old, await who(alice))
            assert first.serial < second.serial
    async with mallory_on(alice) as mallory:
        mallory.greet("Mallory")
        mallory.say(SuccessionSeen(first.serial))
        mallory.greet("Confirmed the first")
        await alice.named("mallory", "Confirmed the first")
    async with mallory_on(alice) as mallory:
        assert await mallory.packet(packets.Succession) == said[1]
        mallory.say(SuccessionSeen(second.serial + 1000))
        mallory.greet("Confirmed all")
        await alice.named("mallory", "Confirmed all")
    async with mallory_on(alice) as mallory:
        await mallory.packet(Text)
        assert isinstance(mallory.packets[0], Hello)
    await alice.engine.move_to_new_identity()
    async with mallory_on(alice) as mallory:
        statement = Succession.decode((await mallory.packet(packets.Succession)).statement)
        assert statement.old == second.new, "whoever confirms too much is told all the same"


async def test_who_is_blocked_or_came_later_is_not_told(people: People) -> None:
    alice = await people("alice")
    here = await _befriended(alice)
    await alice.engine.block(here)
    await alice.engine.move_to_new_identity()
    initiator = Initiator(bundle("carol"), NOW, expected=await who(alice))
    async with calling(End(Link(initiator), identity("carol")), await alice.port()) as carol:
        await carol.up()
        carol.greet("Carol")
        await carol.packet(Hello)
        assert {type(packet) for packet in carol.packets} == {Hello}
    await alice.engine.unblock(here)
    async with mallory_on(alice) as mallory:
        await mallory.packet(packets.Succession)
