"""People who come with another key: statements that are believed, and those that are not.

Bob runs the program. Mallory is his contact and goes on with the keys of carol, then of dora; those
sides are driven by hand, so that they can say what the program never would.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import pytest

from messenger.core import limits
from messenger.core.address import Address
from messenger.core.errors import ConnectError, Reason
from messenger.core.ids import AttemptId, ConversationId
from messenger.core.models import Contact, MessageState, Standing
from messenger.crypto.hkdf import vec
from messenger.crypto.rsa import Label
from messenger.crypto.succession import Succession
from messenger.engine.events import (
    ContactChanged,
    ConversationRemoved,
    EngineFault,
    KeyChanged,
    MessageAdded,
    PresenceChanged,
)
from messenger.net.dial import Stream
from messenger.net.listen import Listener, Slot
from messenger.protocol import packets
from messenger.protocol.link import CloseCode, PeerClosed
from messenger.protocol.packets import Delivered, Hello, SuccessionSeen, Text
from tests.helpers.engines import PATIENCE, People, Person, fresh_port
from tests.helpers.keys import identity
from tests.helpers.links import NOW, End
from tests.helpers.wire import Caller, calling

ZEROS: Final = bytes(32)


def made(old: str, new: str, serial: int = 1, time: int = NOW) -> Succession:
    """What somebody states who goes on with another key."""
    return Succession.issue(serial, identity(old).signing, identity(new).signing, time)


def told(*statements: Succession) -> list[packets.Succession]:
    """The packets that begin a link."""
    return [packets.Succession(statement.encode()) for statement in statements]


def text(number: int, words: str) -> Text:
    """A message of theirs."""
    return Text(number.to_bytes(16, "big"), number, ZEROS, number, words)


@asynccontextmanager
async def as_(who: str, bob: Person) -> AsyncIterator[Caller]:
    """Call bob as somebody; the link is up and nothing has been said."""
    async with calling(End.calling(who, "bob"), await bob.port()) as caller:
        await caller.up()
        yield caller


async def befriend(bob: Person, who: str = "mallory") -> ConversationId:
    """Let somebody call, be accepted, say one thing, and leave."""
    async with as_(who, bob) as caller:
        caller.greet(who.capitalize())
        there = (await bob.named(who)).id
        await bob.engine.accept(there)
        caller.say(text(1, "before"))
        await caller.packet(Delivered)
        caller.connection.close()
        await caller.ended()
    await bob.offline(there)
    return there


async def refused(bob: Person, caller: Caller, conversation: ConversationId, *, before: Contact) -> None:
    """The link is dropped without a word, and nothing has changed."""
    assert await caller.ended() is Reason.INTERRUPTED
    assert not [packet for packet in caller.packets if isinstance(packet, SuccessionSeen)]
    assert not [event for event in caller.end.events if isinstance(event, PeerClosed)]
    conversations = await bob.engine.conversations()
    assert [row.contact for row in conversations if row.id == conversation] == [before]
    assert len(conversations) == 1
    assert bob.count(KeyChanged) == bob.count(EngineFault) == 0


async def contact_of(bob: Person, conversation: ConversationId) -> Contact:
    """How he knows the one of a conversation."""
    return next(row.contact for row in await bob.engine.conversations() if row.id == conversation)


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


def _resigned(statement: Succession, **keys: str) -> packets.Succession:
    """The same statement with signatures of other people."""
    data = statement.encode()
    size = int.from_bytes(data[:2], "big")
    body = data[2 : 2 + size]
    signatures = {"old": statement.old_signature, "new": statement.new_signature}
    signatures |= {
        which: identity(who).signing.sign(Label.SUCCESSION, (body,)) for which, who in keys.items()
    }
    return packets.Succession(vec(body) + vec(signatures["old"]) + vec(signatures["new"]))


GOOD: Final = made("mallory", "carol")
FORGED: Final[dict[str, Sequence[packets.Packet]]] = {
    "not signed by the old key": [_resigned(GOOD, old="alice")],
    "not signed by the new key": [_resigned(GOOD, new="alice")],
    "signed by the new key twice": [_resigned(GOOD, old="carol")],
    "from the future": told(made("mallory", "carol", 1, NOW + 2 * limits.CLOCK_SKEW)),
    "no statement": [packets.Succession(b"\0" * 100)],
    "a bit too long": [packets.Succession(GOOD.encode() + b"\0")],
    "of another link": [*told(made("mallory", "dora")), Hello("Mallory", 0, accepted=True, read_seq=0)],
    "no chain": told(made("mallory", "alice"), made("dora", "carol", 2)),
    "numbers that do not rise": told(made("mallory", "alice", 2), made("alice", "carol", 2)),
    "one link of the chain forged": [
        _resigned(made("mallory", "alice"), new="carol"), *told(made("alice", "carol", 2))],
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
    monkeypatch.setattr(limits, "HANDSHAKE_STEP", 0.3)
    async with as_("carol", bob) as carol:
        assert await carol.ended() is Reason.INTERRUPTED
        assert carol.packets == []
    async with as_("carol", bob) as carol:
        carol.say(*told(made("mallory", "alice")))  # and then no more
        assert await carol.ended() is Reason.INTERRUPTED
    assert await bob.engine.conversations() == []
    assert bob.count(ContactChanged) == 0


class Answering:
    """Somebody who is called, driven by hand."""

    def __init__(self, who: str, *first: packets.Packet) -> None:
        self._who = who
        self._first = first
        self.port = fresh_port()
        self.callers: list[Caller] = []
        self.came = asyncio.Event()

    async def serve(self, stream: Stream, slot: Slot) -> None:
        """Answer, and speak first once the link is up."""
        caller = Caller(stream, End.answering(self._who, open_door=True))
        self.callers.append(caller)
        try:
            await caller.up()
            caller.say(*self._first)
        except AssertionError:  # somebody who only looked at the key
            return
        finally:
            slot.release()
        self.came.set()

    async def called(self) -> Caller:
        """Wait until a link is up; the one who called."""
        async with asyncio.timeout(PATIENCE):
            await self.came.wait()
        return self.callers[-1]


@asynccontextmanager
async def answering(who: str, *first: packets.Packet) -> AsyncIterator[Answering]:
    """Listen as somebody, who begins every link with these packets."""
    there = Answering(who, *first)
    listener = await Listener.open(there.serve, there.port, exact=True)
    try:
        yield there
    finally:
        await listener.close()
        for caller in there.callers:
            await caller.close()


async def test_whom_bob_calls_by_hand_may_have_moved(people: People) -> None:
    """He looks at a key that he does not know, says yes, and finds himself in the old conversation."""
    bob = await people("bob")
    there = await befriend(bob)
    await bob.engine.send_text(there, "where are you?")
    hello = Hello("Mallory", 0, accepted=True, read_seq=0)
    async with answering("carol", *told(GOOD), hello) as carol:
        contact = await bob.connect(f"127.0.0.1:{carol.port}")
        assert (contact.id, contact.fingerprint) == (there, identity("carol").fingerprint)
        assert str(Address("127.0.0.1", carol.port)) in contact.addresses
        caller = await carol.called()
        assert (await caller.packet(SuccessionSeen)).serial == 1
        assert (await caller.packet(Text)).text == "where are you?"
        hellos = [packet for packet in caller.packets if isinstance(packet, Hello)]
        assert [packet.accepted for packet in hellos] == [True] * len(hellos)
    assert len(await bob.engine.conversations()) == 1
    assert bob.count(KeyChanged) == 1


async def test_whom_bob_calls_by_hand_may_be_a_liar(people: People) -> None:
    bob = await people("bob")
    there = await befriend(bob)
    async with answering("carol", _resigned(GOOD, old="carol")) as carol:
        with pytest.raises(ConnectError) as caught:
            await bob.connect(f"127.0.0.1:{carol.port}")
        assert caught.value.reason is Reason.BROKEN
    assert [row.id for row in await bob.engine.conversations()] == [there]
    assert bob.count(KeyChanged) == 0


async def test_whom_bob_calls_may_say_nothing(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = await people("bob")
    async with answering("carol") as carol:
        monkeypatch.setattr(limits, "HANDSHAKE_STEP", 0.3)
        with pytest.raises(ConnectError) as caught:
            await bob.connect(f"127.0.0.1:{carol.port}")
        assert caught.value.reason is Reason.SILENT
        assert {type(packet) for packet in (await carol.called()).packets} == {Hello}
    assert await bob.engine.conversations() == []


async def test_giving_up_while_they_are_silent(people: People) -> None:
    bob = await people("bob")
    async with answering("carol") as carol:
        calling_ = asyncio.create_task(bob.connect(f"127.0.0.1:{carol.port}"))
        await carol.called()
        calling_.cancel()
        await asyncio.gather(calling_, return_exceptions=True)
        await bob.engine.stop()
        await (await carol.called()).ended()


async def test_an_old_key_that_answers_is_not_spoken_to(people: People) -> None:
    bob = await people("bob")
    await befriend(bob)
    async with as_("carol", bob) as carol:
        carol.say(*told(GOOD))
        await carol.packet(SuccessionSeen)
    async with answering("mallory") as thief:
        with pytest.raises(ConnectError) as caught:
            await bob.engine.connect(f"127.0.0.1:{thief.port}", AttemptId(99))
        assert caught.value.reason is Reason.WRONG_PERSON
        assert not thief.came.is_set()
