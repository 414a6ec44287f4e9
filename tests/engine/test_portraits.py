"""Profile pictures between two real engines: on a link, sealed, and what strangers and liars get."""

from hashlib import sha256

import pytest

from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId
from messenger.core.models import Standing
from messenger.engine.events import ContactChanged, MeChanged
from messenger.protocol.packets import Hello
from messenger.protocol.portraits import Portrait, PortraitNews, PortraitWanted
from tests.helpers.carrier import KEY, bring, context_of, part, sealing, seeded, write
from tests.helpers.engines import People, Person, friends
from tests.helpers.links import End
from tests.helpers.portraits import portrait, with_segment
from tests.helpers.wire import calling

FIRST, SECOND = portrait(1), portrait(2)
SECRET = with_segment(0xE1, b"Exif\0\0where it was taken")


def digest(content: bytes) -> bytes:
    return sha256(content).digest()


def shown(person: Person, conversation: ConversationId) -> bytes:
    """What the window of a person reads of a contact."""
    reader = person.engine.reader()
    try:
        row = reader.conversation(conversation)
        return reader.portrait(row.contact.portrait) if row is not None and row.contact.portrait else b""
    finally:
        reader.close()


async def sees(person: Person, content: bytes, since: int = 0) -> None:
    """Wait until the contact of a person has a picture."""
    wanted = digest(content) if content else b""
    await person.wait_for(ContactChanged, lambda event: event.contact.portrait == wanted, since=since)


async def carry(person: Person, conversation: ConversationId, other: Person) -> list[int]:
    """Carry all that is due to somebody; how large each envelope was."""
    sizes = []
    while (receipts := await sealing(person).receipts(conversation, KEY)) is not None:
        sizes.append(len(receipts.envelope))
        assert await bring(other, receipts.envelope) is not None
        await sealing(person).receipts_carried(conversation, receipts.ids, receipts.change)
    return sizes


async def test_contacts_see_what_was_chosen_at_once_and_on_the_next_link(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    await alice.engine.set_portrait(FIRST)
    assert (await alice.wait_for(MeChanged)).me.portrait == digest(FIRST)
    _here, there = await friends(alice, bob)
    await sees(bob, FIRST)
    assert shown(bob, there) == FIRST
    mark = bob.mark
    await alice.engine.set_portrait(SECOND)
    await sees(bob, SECOND, mark)
    assert shown(bob, there) == SECOND
    mark = bob.mark
    await alice.engine.set_portrait(None)
    await sees(bob, b"", mark)
    assert shown(bob, there) == b""
    assert (await alice.engine.me()).portrait == b""


async def test_it_is_there_after_a_restart(people: People) -> None:
    alice = await people("alice")
    assert (await alice.engine.me()).portrait is None
    await alice.engine.set_portrait(FIRST)
    await alice.engine.stop()
    await alice.start()
    assert (await alice.engine.me()).portrait == digest(FIRST)


@pytest.mark.parametrize("wrong", [SECRET, b"", b"GIF89a", FIRST + b"more"])
async def test_what_says_more_than_pixels_is_not_sent(people: People, wrong: bytes) -> None:
    alice = await people("alice")
    await alice.engine.set_portrait(FIRST)
    with pytest.raises(InputError) as caught:
        await alice.engine.set_portrait(wrong)
    assert caught.value.problem is InputProblem.BAD_VALUE
    assert (await alice.engine.me()).portrait == digest(FIRST)


async def test_a_stranger_is_told_nothing_and_shows_nothing(people: People) -> None:
    bob = await people("bob")
    await bob.engine.set_portrait(FIRST)
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("Mallory")
        mallory.say(PortraitNews(digest(SECOND)), PortraitWanted(digest(FIRST)), Portrait(SECOND))
        mallory.greet("Mallory, later")
        await bob.named("mallory", "Mallory, later")
        there = await bob.with_("mallory")
        request = await bob.contact("mallory")
        assert (request.standing, request.portrait) == (Standing.REQUEST, b"")
        await bob.engine.set_name("Bobby")
        await mallory.packet(Hello, 2)
        assert {type(packet) for packet in mallory.packets} == {Hello}
    assert shown(bob, there) == b""


async def test_a_contact_gets_it_once_and_gives_what_was_asked_for(people: People) -> None:
    bob = await people("bob")
    await bob.engine.set_portrait(FIRST)
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("Mallory")
        await bob.named("mallory", "Mallory")
        there = await bob.with_("mallory")
        await bob.engine.accept(there)
        assert await mallory.packet(PortraitNews) == PortraitNews(digest(FIRST))
        mallory.say(PortraitWanted(digest(SECOND)), PortraitWanted(digest(FIRST)))
        assert await mallory.packet(Portrait) == Portrait(FIRST)
        mallory.say(PortraitWanted(digest(FIRST)), Portrait(SECOND), PortraitNews(digest(SECRET)))
        assert await mallory.packet(PortraitWanted) == PortraitWanted(digest(SECRET))
        mallory.say(Portrait(SECRET), Portrait(SECOND), PortraitNews(digest(SECOND)))
        assert await mallory.packet(PortraitWanted, 2) == PortraitWanted(digest(SECOND))
        assert shown(bob, there) == b"", "neither what was not asked for nor what is no portrait"
        mallory.say(Portrait(SECOND))
        await sees(bob, SECOND)
        assert sum(isinstance(packet, Portrait) for packet in mallory.packets) == 1


async def test_sealed_it_travels_when_it_is_asked_for(people: People) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    await alice.engine.set_portrait(FIRST)
    _message, sealed = await write(alice, here, "I look otherwise now")
    assert len(sealed) == 4096, "a text does not carry it"
    await bring(bob, sealed)
    assert await carry(bob, there, alice) == [4096]
    sizes = await carry(alice, here, bob)
    assert len(sizes) == 1
    await sees(bob, FIRST)
    assert shown(bob, there) == FIRST
    assert await carry(bob, there, alice) == []
    assert await carry(alice, here, bob) == [], "once"
    _message, sealed = await write(bob, there, "nice")
    mark = bob.mark
    await bring(alice, sealed)
    await alice.engine.set_portrait(None)
    await carry(alice, here, bob)
    await sees(bob, b"", mark)
    assert shown(bob, there) == b""


async def test_a_sealed_one_of_somebody_who_is_no_contact_is_nothing(people: People) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    context = context_of(bob)
    await context.stored(context.store.contacts.update, there, standing=Standing.REQUEST)
    await alice.engine.set_portrait(FIRST)
    _message, sealed = await write(alice, here, "hello again")
    await bring(bob, sealed)
    assert await context.stored(context.store.portraits.wanted, there) == b""
