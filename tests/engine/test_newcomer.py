"""People who come with another key: statements that are believed, and those that are not.

Bob runs the program. Mallory is his contact and goes on with the keys of carol, then of dora; those
sides are driven by hand, so that they can say what the program never would.
"""

from collections.abc import Sequence
from typing import Final

import pytest

from messenger.core import limits
from messenger.core.errors import Reason
from messenger.core.ids import ConversationId
from messenger.core.models import Contact, MessageState, Standing
from messenger.engine.events import (
    ContactChanged,
    ConversationRemoved,
    EngineFault,
    KeyChanged,
    MessageAdded,
    PresenceChanged,
)
from messenger.protocol import packets
from messenger.protocol.link import CloseCode, PeerClosed
from messenger.protocol.packets import Delivered, Hello, SuccessionSeen, Text
from tests.helpers.engines import People, Person
from tests.helpers.keys import identity
from tests.helpers.links import NOW, End
from tests.helpers.moving import as_, befriend, contact_of, made, resigned, text, told
from tests.helpers.wire import Caller, calling


async def refused(bob: Person, caller: Caller, conversation: ConversationId, *, before: Contact) -> None:
    """The link is dropped without a word, and nothing has changed."""
    assert await caller.ended() is Reason.INTERRUPTED
    assert not [packet for packet in caller.packets if isinstance(packet, SuccessionSeen)]
    assert not [event for event in caller.end.events if isinstance(event, PeerClosed)]
    conversations = await bob.engine.conversations()
    assert [row.contact for row in conversations if row.id == conversation] == [before]
    assert len(conversations) == 1
    assert bob.count(KeyChanged) == bob.count(EngineFault) == 0


async def test_a_contact_goes_on_with_another_key(people: People) -> None:
    bob = await people("bob")
    there = await befriend(bob)
    await bob.engine.set_verified(there, verified=True)
    await bob.engine.rename(there, "my brother")
    message = await bob.engine.send_text(there, "where are you?")
    before, mark = await contact_of(bob, there), bob.mark
    async with as_("carol", bob) as carol:
        carol.say(*told(made("mallory", "carol")))
        carol.greet("Mallory")
        assert (await carol.packet(SuccessionSeen)).serial == 1
        await bob.engine.trust_key(there)  # he had been verified, so nothing leaves before that
        arrived = await carol.packet(Text)
        assert (arrived.id, arrived.seq) == (message.id, 1)
        carol.say(Delivered([message.id]), text(2, "here"))
        await bob.hears("here")
        event = await bob.wait_for(KeyChanged)
        assert (event.old_fingerprint, event.was_verified) == (before.fingerprint, True)
        after = await contact_of(bob, there)
        assert event.contact.fingerprint == after.fingerprint == identity("carol").fingerprint
        assert (after.verified, after.title, after.standing) == (False, "my brother", Standing.ACCEPTED)
    assert await bob.texts(there) == ["before", "where are you?", "here"]
    assert len(await bob.engine.conversations()) == 1
    contacts = [e.contact for e in bob.events[mark:] if isinstance(e, ContactChanged)]
    assert {contact.id for contact in contacts} == {there}, "nobody was ever shown as a stranger"
    assert bob.count(ConversationRemoved) == 0
    assert isinstance(carol.packets[0], Hello), "bob has not moved"


async def test_the_number_that_two_people_compare_is_a_new_one(people: People) -> None:
    bob = await people("bob")
    there = await befriend(bob)
    before = await bob.engine.safety_number(there)
    async with as_("carol", bob) as carol:
        carol.say(*told(made("mallory", "carol")))
        await carol.packet(SuccessionSeen)
    assert await bob.engine.safety_number(there) != before


async def test_mail_for_a_contact_is_not_for_a_stranger_who_may_be_them(people: People) -> None:
    bob = await people("bob")
    there = await befriend(bob)
    message = await bob.engine.send_text(there, "for you alone")
    async with as_("carol", bob) as carol:
        carol.greet("Mallory")
        await carol.packet(Hello)
        carol.connection.close()
        await carol.ended()
        assert {type(packet) for packet in carol.packets} == {Hello}
    assert await bob.states(there) == [MessageState.UNREAD, MessageState.QUEUED]
    assert (await bob.contact("carol")).standing is Standing.REQUEST
    async with as_("carol", bob) as carol:
        carol.say(*told(made("mallory", "carol")))
        carol.greet("Mallory")
        assert (await carol.packet(Text)).id == message.id


async def test_two_moves_at_once(people: People) -> None:
    bob = await people("bob")
    there = await befriend(bob)
    async with as_("dora", bob) as dora:
        dora.say(*told(made("mallory", "carol", 3), made("carol", "dora", 7)))
        dora.greet("Mallory")
        assert (await dora.packet(SuccessionSeen)).serial == 7
        await dora.packet(Hello)
    assert (await contact_of(bob, there)).fingerprint == identity("dora").fingerprint
    assert (await bob.wait_for(KeyChanged)).old_fingerprint == identity("mallory").fingerprint
    for who in ("mallory", "carol"):
        async with calling(End.calling(who, "bob"), await bob.port()) as thief:
            assert await thief.ended() is Reason.REFUSED
    assert bob.count(KeyChanged) == 1
    assert len(await bob.engine.conversations()) == 1


async def test_a_confirmation_that_was_lost_is_given_again(people: People) -> None:
    bob = await people("bob")
    there = await befriend(bob)
    for number in range(2):
        async with as_("carol", bob) as carol:
            carol.say(*told(made("mallory", "carol")))
            carol.greet("Mallory")
            assert (await carol.packet(SuccessionSeen)).serial == 1
            carol.say(text(number + 2, f"link {number}"))
            await bob.hears(f"link {number}")
    assert bob.count(KeyChanged) == 1
    assert await bob.texts(there) == ["before", "link 0", "link 1"]
    async with as_("dora", bob) as dora:
        dora.say(*told(made("mallory", "carol"), made("carol", "dora", 2)))
        assert (await dora.packet(SuccessionSeen)).serial == 2
    assert (await contact_of(bob, there)).fingerprint == identity("dora").fingerprint
    assert bob.count(KeyChanged) == 2


GOOD: Final = made("mallory", "carol")
FORGED: Final[dict[str, Sequence[packets.Packet]]] = {
    "not signed by the old key": [resigned(GOOD, old="alice")],
    "not signed by the new key": [resigned(GOOD, new="alice")],
    "signed by the new key twice": [resigned(GOOD, old="carol")],
    "from the future": told(made("mallory", "carol", 1, NOW + 2 * limits.CLOCK_SKEW)),
    "no statement": [packets.Succession(b"\0" * 100)],
    "a bit too long": [packets.Succession(GOOD.encode() + b"\0")],
    "of another link": [*told(made("mallory", "dora")), Hello("Mallory", 0, accepted=True, read_seq=0)],
    "no chain": told(made("mallory", "alice"), made("dora", "carol", 2)),
    "numbers that do not rise": told(made("mallory", "alice", 2), made("alice", "carol", 2)),
    "one link of the chain forged": [
        resigned(made("mallory", "alice"), new="carol"), *told(made("alice", "carol", 2))],
    "after a greeting": [Hello("Mallory", 0, accepted=True, read_seq=0), *told(GOOD)],
    "one too many": [*told(GOOD), *told(made("carol", "dora", 2))],
}  # fmt: skip
"""What somebody says on a link that carol's key has opened."""


@pytest.mark.parametrize(
    "said", [name for name in FORGED if name not in ("after a greeting", "one too many")]
)
async def test_a_statement_that_does_not_hold(people: People, said: str) -> None:
    bob = await people("bob")
    there = await befriend(bob)
    await bob.engine.set_verified(there, verified=True)
    before = await contact_of(bob, there)
    async with as_("carol", bob) as carol:
        carol.say(*FORGED[said])
        await refused(bob, carol, there, before=before)
    async with as_("carol", bob) as carol:  # and the right one still holds
        carol.say(*told(GOOD))
        await carol.packet(SuccessionSeen)


async def test_statements_come_first(people: People) -> None:
    bob = await people("bob")
    there = await befriend(bob)
    async with as_("carol", bob) as carol:
        carol.say(*FORGED["after a greeting"])
        assert await carol.ended() is Reason.INTERRUPTED
    assert bob.count(KeyChanged) == 0
    assert (await contact_of(bob, there)).fingerprint == identity("mallory").fingerprint
    async with as_("carol", bob) as carol:
        carol.say(*FORGED["one too many"])
        assert await carol.ended() is Reason.INTERRUPTED
    assert (await contact_of(bob, there)).fingerprint == identity("carol").fingerprint


async def test_no_more_statements_than_can_be_checked(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SUCCESSIONS_MAX", 1)
    bob = await people("bob")
    there = await befriend(bob)
    before = await contact_of(bob, there)
    async with as_("dora", bob) as dora:
        dora.say(*told(made("mallory", "carol"), made("carol", "dora", 2)))
        await refused(bob, dora, there, before=before)


async def test_a_replay_helps_nobody(people: People) -> None:
    """Whoever has the statement, and even the old key, is not the owner of the new one."""
    bob = await people("bob")
    there = await befriend(bob)
    mark = bob.mark
    async with as_("carol", bob) as carol:
        carol.say(*told(GOOD))
        await carol.packet(SuccessionSeen)
    await bob.offline(there, since=mark)
    bob.events.clear()
    before = await contact_of(bob, there)
    async with as_("dora", bob) as thief:
        thief.say(*told(GOOD))
        thief.greet("Mallory")
        await refused(bob, thief, there, before=before)
    async with as_("dora", bob) as thief:
        thief.say(*told(made("mallory", "dora", 2)))
        await refused(bob, thief, there, before=before)
    async with as_("dora", bob) as thief:
        thief.say(*told(GOOD, made("carol", "dora", 1)))
        await refused(bob, thief, there, before=before)
    async with as_("dora", bob) as thief:  # whoever holds both keys is the owner, if the number is a new one
        thief.say(*told(made("carol", "dora", 1)))
        await refused(bob, thief, there, before=before)
    async with calling(End.calling("mallory", "bob"), await bob.port()) as thief:
        assert await thief.ended() is Reason.REFUSED


async def test_a_link_of_the_old_key_ends(people: People) -> None:
    bob = await people("bob")
    there = await befriend(bob)
    async with as_("mallory", bob) as thief:
        thief.greet("Mallory")
        await thief.packet(Hello)
        async with as_("carol", bob) as carol:
            carol.say(*told(GOOD))
            carol.greet("Mallory")
            await carol.packet(SuccessionSeen)
            assert await thief.ended() is Reason.INTERRUPTED
            carol.say(text(2, "it is me"))
            await bob.hears("it is me")
            last = [e.presence for e in bob.events if isinstance(e, PresenceChanged)][-1]
            assert await bob.engine.presence(there) == last


async def test_who_is_blocked_does_not_come_back_with_another_key(people: People) -> None:
    bob = await people("bob")
    there = await befriend(bob)
    await bob.engine.block(there)
    before = await contact_of(bob, there)
    async with as_("carol", bob) as carol:
        carol.say(*told(GOOD))
        carol.greet("Mallory")
        await refused(bob, carol, there, before=before)
    async with as_("dora", bob) as dora:
        dora.say(*told(GOOD, made("carol", "dora", 2)))
        await refused(bob, dora, there, before=before)


async def test_somebody_whom_nobody_knows_any_more_is_a_stranger(people: People) -> None:
    bob = await people("bob")
    await bob.engine.delete_conversation(await befriend(bob))
    async with as_("carol", bob) as carol:
        carol.say(*told(GOOD))
        carol.greet("Mallory")
        assert (await carol.packet(SuccessionSeen)).serial == 1, "so that they do not tell it again and again"
        assert not (await carol.packet(Hello)).accepted
    assert (await bob.contact("carol")).standing is Standing.REQUEST
    assert bob.count(KeyChanged) == 0


async def test_a_request_moves_too(people: People) -> None:
    bob = await people("bob")
    async with as_("mallory", bob) as mallory:
        mallory.greet("Mallory")
        mallory.say(text(1, "may I?"))
        await bob.hears("may I?")
    there = await bob.with_("mallory")
    for number in (2, 3):
        async with as_("carol", bob) as carol:
            carol.say(*told(GOOD))
            carol.greet("Mallory")
            await carol.packet(SuccessionSeen)
            carol.say(text(number, f"please {number}"))
            await bob.hears(f"please {number}")
    assert (await contact_of(bob, there)).standing is Standing.REQUEST
    assert await bob.texts(there) == ["may I?", "please 2", "please 3"]
    assert bob.count(KeyChanged) == 1


@pytest.mark.parametrize("stays", [False, True], ids=["link gone", "link still up"])
async def test_a_request_by_the_new_key_becomes_part_of_the_conversation(people: People, stays: bool) -> None:
    bob = await people("bob")
    there = await befriend(bob)
    async with as_("carol", bob) as first:
        first.greet("Somebody")
        first.say(text(5, "it is me, but you cannot know"))
        await bob.hears("it is me, but you cannot know")
        request = await bob.with_("carol")
        if not stays:
            first.vanish()
            await bob.offline(request)
        async with as_("carol", bob) as carol:
            carol.say(*told(GOOD))
            carol.greet("Mallory")
            await carol.packet(SuccessionSeen)
            carol.say(text(5, "it is me, but you cannot know"), text(6, "now you can"))
            await bob.hears("now you can")
            if stays:
                await first.ended()
                assert PeerClosed(CloseCode.DUPLICATE) in first.end.events
    assert await bob.texts(there) == ["before", "it is me, but you cannot know", "now you can"]
    assert [row.id for row in await bob.engine.conversations()] == [there]
    assert (await bob.wait_for(ConversationRemoved)).conversation == request
    kinds = [type(e) for e in bob.events if isinstance(e, KeyChanged | ConversationRemoved)]
    assert kinds == [KeyChanged, ConversationRemoved]
    assert bob.count(MessageAdded, lambda e: e.message.text == "now you can") == 1
    assert bob.count(EngineFault) == 0


async def test_two_whom_bob_has_accepted_stay_two(people: People) -> None:
    bob = await people("bob")
    there, other = await befriend(bob), await befriend(bob, "carol")
    async with as_("carol", bob) as carol:
        carol.say(*told(GOOD))
        carol.greet("Carol")
        assert (await carol.packet(SuccessionSeen)).serial == 1
        carol.say(text(2, "still here"))
        await bob.hears("still here")
    assert (await contact_of(bob, there)).fingerprint == identity("mallory").fingerprint
    assert await bob.texts(other) == ["before", "still here"]
    assert bob.count(KeyChanged) == 0


async def test_a_new_key_between_that_is_somebody_of_their_own(people: People) -> None:
    """The chain is about the last contact whom it names; the others stay who they are."""
    bob = await people("bob")
    there, other = await befriend(bob), await befriend(bob, "carol")
    async with as_("dora", bob) as dora:
        dora.say(*told(GOOD, made("carol", "dora", 2)))
        await dora.packet(SuccessionSeen)
    assert (await contact_of(bob, there)).fingerprint == identity("mallory").fingerprint
    assert (await contact_of(bob, other)).fingerprint == identity("dora").fingerprint


async def test_who_says_nothing_is_not_let_in(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = await people("bob")
    monkeypatch.setattr(limits, "FIRST_WORDS", 0.3)
    async with as_("carol", bob) as carol:
        assert await carol.ended() is Reason.INTERRUPTED
        assert carol.packets == []
    async with as_("carol", bob) as carol:
        carol.say(*told(made("mallory", "alice")))  # and then no more
        assert await carol.ended() is Reason.INTERRUPTED
    assert await bob.engine.conversations() == []
    assert bob.count(ContactChanged) == 0
