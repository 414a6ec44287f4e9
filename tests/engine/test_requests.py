"""Strangers: what they may do before they are accepted, and what becomes of their request."""

import asyncio

import pytest

from messenger.core import limits
from messenger.core.errors import ConnectError, InputError, InputProblem, Reason
from messenger.core.models import FailReason, MessageState, Standing
from messenger.engine.events import ContactChanged, ConversationRemoved, MessageAdded, MessageChanged
from messenger.protocol.packets import Delivered, Hello, Read, Text
from tests.helpers.carrier import context_of
from tests.helpers.engines import People, Person, friends
from tests.helpers.links import End
from tests.helpers.wire import calling


async def _request(alice: Person, bob: Person) -> None:
    """Alice calls bob, who has not decided yet."""
    await alice.connect(await bob.address())
    await bob.named(alice)
    await alice.named(bob)


async def test_a_request_is_read_without_a_receipt(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    await _request(alice, bob)
    here, there = await alice.with_(bob), await bob.with_(alice)
    message = await alice.engine.send_text(here, "may I?")
    arrived = await bob.hears("may I?")
    await bob.engine.mark_read(there, arrived.position)
    assert await alice.states(here) == [MessageState.QUEUED]
    with pytest.raises(InputError) as caught:
        await bob.engine.send_text(there, "not yet")
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    await bob.engine.accept(there)
    await alice.sees(message.id, MessageState.DELIVERED)
    await alice.wait_for(ContactChanged, lambda event: not event.contact.awaiting)
    await bob.engine.send_text(there, "yes")
    await alice.hears("yes")
    await alice.sees(message.id, MessageState.READ)


async def test_a_stranger_who_says_too_much(people: People) -> None:
    """What does not fit stays with its author, in its order, and comes when they are accepted."""
    alice, bob = await people("alice"), await people("bob")
    await _request(alice, bob)
    here, there = await alice.with_(bob), await bob.with_(alice)
    texts = [f"{number}" for number in range(limits.STRANGER_MESSAGES_MAX + 5)]
    for text in texts:
        await alice.engine.send_text(here, text)
    await bob.hears(texts[limits.STRANGER_MESSAGES_MAX - 1])
    await bob.restart()
    mark = alice.mark
    await alice.engine.set_name("Alice again")
    await bob.named(alice, "Alice again")
    assert await bob.texts(there) == texts[: limits.STRANGER_MESSAGES_MAX]
    await bob.engine.accept(there)
    await bob.hears(texts[-1])
    assert await bob.texts(there) == texts
    last = (await alice.engine.messages(here))[-1]
    await alice.wait_for(MessageChanged, lambda event: event.message.id == last.id, since=mark)
    assert set(await alice.states(here)) == {MessageState.DELIVERED}


async def test_a_stranger_who_says_something_long(people: People) -> None:
    """It is left to them and everything after it too, for a message that was passed over would be lost."""
    alice, bob = await people("alice"), await people("bob")
    await _request(alice, bob)
    here, there = await alice.with_(bob), await bob.with_(alice)
    texts = ["é" * (limits.STRANGER_TEXT_MAX // 2), "x" * (limits.STRANGER_TEXT_MAX + 1), "short"]
    for text in texts:
        await alice.engine.send_text(here, text)
    arrived = await bob.hears(texts[0])
    await bob.engine.mark_read(there, arrived.position)
    await alice.engine.set_name("Alice again")
    await bob.named(alice, "Alice again")
    assert await bob.texts(there) == texts[:1]
    await bob.engine.accept(there)
    await bob.hears("short")
    assert await bob.texts(there) == texts
    last = (await alice.engine.messages(here))[-1]
    await alice.sees(last.id, MessageState.DELIVERED)
    assert await alice.states(here) == [MessageState.READ, MessageState.DELIVERED, MessageState.DELIVERED]


async def test_a_stranger_hears_nothing_but_a_greeting(people: People) -> None:
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("Mallory")
        mallory.say(Text(bytes(16), 1, bytes(32), 5, "hello", 0, b"", 0))
        arrived = await bob.hears("hello")
        there = await bob.with_("mallory")
        await bob.engine.mark_read(there, arrived.position)
        await bob.engine.set_name("Bobby")
        second = await mallory.packet(Hello, 2)
        assert second == Hello("Bobby", await bob.port(), accepted=False, read_seq=0)
        assert {type(packet) for packet in mallory.packets} == {Hello}
        await bob.engine.accept(there)
        assert (await mallory.packet(Delivered)).ids == [bytes(16)]
        third = await mallory.packet(Hello, 3)
        assert (third.accepted, third.read_seq) == (True, 1)
        assert not [packet for packet in mallory.packets if isinstance(packet, Read)]


async def test_a_declined_request_is_gone_and_does_not_come_back_by_itself(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    await _request(alice, bob)
    here, there = await alice.with_(bob), await bob.with_(alice)
    await alice.engine.send_text(here, "may I?")
    await bob.hears("may I?")
    await bob.engine.decline(there)
    assert (await bob.wait_for(ConversationRemoved)).conversation == there
    assert (await alice.offline(here)).reason is Reason.CLOSED
    assert await bob.engine.conversations() == []
    assert (await alice.engine.presence(here)) == (await alice.offline(here))
    await alice.engine.send_text(here, "please")
    await bob.hears("please")
    assert (await bob.contact(alice)).standing is Standing.REQUEST
    assert await bob.texts(await bob.with_(alice)) == ["may I?", "please"]


async def test_only_requests_are_declined(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    with pytest.raises(InputError) as caught:
        await alice.engine.decline(here)
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    assert (await alice.contact(bob)).standing is Standing.ACCEPTED


async def test_a_deleted_conversation_does_not_come_back_by_itself(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.send_text(here, "hello")
    await bob.hears("hello")
    await bob.engine.delete_conversation(there)
    await alice.offline(here)
    assert await bob.engine.conversations() == []
    await alice.engine.send_text(here, "are you there?")
    await bob.hears("are you there?")
    assert (await bob.contact(alice)).standing is Standing.REQUEST


async def test_nothing_is_told_of_a_contact_after_their_deletion(people: People) -> None:
    """Or a list would show them again, though they are not there any more."""
    alice, bob = await people("alice"), await people("bob")
    _, there = await friends(alice, bob)
    context = context_of(bob)
    deleting = asyncio.create_task(bob.engine.delete_conversation(there))
    telling = []
    while not deleting.done():
        telling.append(asyncio.create_task(context.publish_contact(there)))
        await asyncio.sleep(0)
    await asyncio.gather(deleting, *telling)
    (removed,) = [at for at, event in enumerate(bob.events) if isinstance(event, ConversationRemoved)]
    assert bob.count(ContactChanged)
    assert not bob.count(ContactChanged, since=removed)


async def test_a_new_beginning_after_a_deletion(people: People) -> None:
    """Numbers begin again at one; what the other side has read in another time does not count."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    for number in range(5):
        await alice.engine.send_text(here, f"{number}")
    arrived = await bob.hears("4")
    await bob.engine.mark_read(there, arrived.position)
    await alice.engine.delete_conversation(here)
    await bob.offline(there)
    again = (await alice.connect(await bob.address())).id
    message = await alice.engine.send_text(again, "from the beginning")
    arrived = await bob.hears("from the beginning")
    await alice.sees(message.id, MessageState.DELIVERED)
    await bob.engine.set_name("Bobby")
    await alice.named(bob, "Bobby")
    assert await alice.states(again) == [MessageState.DELIVERED]
    await bob.engine.mark_read(there, arrived.position)
    await alice.sees(message.id, MessageState.READ)
    assert len(await bob.texts(there)) == 6


async def test_a_blocked_person_is_refused(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await bob.engine.block(there)
    assert (await bob.contact(alice)).standing is Standing.BLOCKED
    assert (await alice.offline(here)).reason is Reason.CLOSED
    with pytest.raises(ConnectError) as caught:
        await alice.connect(await bob.address())
    assert caught.value.reason is Reason.REFUSED
    with pytest.raises(ConnectError) as caught:
        await bob.connect(await alice.address())
    assert caught.value.reason is Reason.BLOCKED
    with pytest.raises(ConnectError) as caught:
        await bob.connect(await alice.engine.make_invite())
    assert caught.value.reason is Reason.BLOCKED
    with pytest.raises(InputError) as refused:
        await bob.engine.send_text(there, "hello")
    assert refused.value.problem is InputProblem.NOT_ALLOWED
    message = await alice.engine.send_text(here, "why?")
    await bob.engine.unblock(there)
    await alice.sees(message.id, MessageState.DELIVERED)
    assert await bob.texts(there) == ["why?"]


async def test_what_waited_when_somebody_was_blocked(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    await bob.engine.stop()
    await alice.offline(here)
    messages = [await alice.engine.send_text(here, text) for text in ("one", "two")]
    await alice.engine.block(here)
    failed = [await alice.sees(message.id, MessageState.FAILED) for message in messages]
    assert [message.reason for message in failed] == [FailReason.BLOCKED, FailReason.BLOCKED]
    with pytest.raises(InputError) as caught:
        await alice.engine.retry(here, messages[1].id)
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    await alice.engine.unblock(here)
    await bob.start()
    third = await alice.engine.send_text(here, "three")
    await alice.sees(third.id, MessageState.DELIVERED)
    assert await alice.states(here) == [MessageState.FAILED, MessageState.FAILED, MessageState.DELIVERED]
    await alice.engine.retry(here, messages[1].id)
    await alice.sees(messages[1].id, MessageState.DELIVERED)
    there = await bob.with_(alice)
    assert await bob.texts(there) == ["two", "three"], "in the order of writing, as at alice's"
    arrived = (await bob.engine.messages(there))[1]
    await bob.engine.mark_read(there, arrived.position)
    await alice.sees(third.id, MessageState.READ)
    await bob.restart()
    await alice.engine.send_text(here, "four")
    await bob.hears("four")
    assert (await alice.states(here))[0] is MessageState.FAILED, "never sent, so never read"


async def test_a_request_can_be_blocked(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    await _request(alice, bob)
    there = await bob.with_(alice)
    await bob.engine.block(there)
    await alice.offline(await alice.with_(bob))
    with pytest.raises(ConnectError):
        await alice.connect(await bob.address())
    assert bob.count(MessageAdded) == 0


async def test_a_stranger_fills_their_request_once(people: People) -> None:
    """Coming back does not give them more room."""
    bob = await people("bob")
    for visit in range(3):
        async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
            await mallory.up()
            mark = bob.mark
            for number in range(15):
                id_ = (100 * visit + number + 1).to_bytes(16, "big")
                mallory.say(Text(id_, number + 1, bytes(32), 5, f"{visit} {number}", 0, b"", 0))
            mallory.greet(f"Mallory {visit}")
            await bob.named("mallory", f"Mallory {visit}", since=mark)
    assert len(await bob.texts(await bob.with_("mallory"))) == limits.STRANGER_MESSAGES_MAX
