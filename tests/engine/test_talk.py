"""What two people say to each other over a live link, and what their disks and windows learn of it."""

import asyncio
import itertools
from hashlib import sha256
from itertools import pairwise

import pytest

from messenger.core import limits
from messenger.core.errors import InputError, InputProblem, Reason
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import MessageState, Offline
from messenger.engine.events import (
    ContactChanged,
    ConversationRemoved,
    MeChanged,
    MessageAdded,
    MessageChanged,
)
from messenger.protocol.packets import Delivered, Hello, Packet, Read, Text
from tests.helpers.engines import People, Person, friends
from tests.helpers.links import End
from tests.helpers.wire import Caller, calling

TEXTS = (
    "hello",
    "👩‍👩‍👧‍👦 family, flag 🇩🇪, skin 👍🏽",
    "שלום \u200fعليكم\u200e and back",
    "two\nlines\n\n  and <b>no</b> markup & \\n",
    "e\u0301 is not é",
    "x" * 10_000,
    "語" * 10_000,
    "😀" * 10_000,
    "\u202eevil\u2066 marks stay\u200b",
)


async def test_texts_both_ways(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    for text in TEXTS:
        await alice.engine.send_text(here, text)
        await bob.hears(text)
        await bob.engine.send_text(there, text)
        await alice.hears(text)
    both = [text for text in TEXTS for _ in "ab"]
    assert await alice.texts(here) == await bob.texts(there) == both


async def test_the_life_of_a_message(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    message = await alice.engine.send_text(here, "hello")
    assert message.state is MessageState.QUEUED
    added = await alice.wait_for(MessageAdded)
    assert added.message == message
    await alice.sees(message.id, MessageState.DELIVERED)
    arrived = await bob.hears("hello")
    assert arrived.state is MessageState.UNREAD
    assert (await bob.conversation(alice)).unread == 1
    await bob.engine.mark_read(there, arrived.position)
    await alice.sees(message.id, MessageState.READ)
    assert await alice.states(here) == [MessageState.READ]
    assert await bob.states(there) == [MessageState.SEEN]
    assert (await bob.conversation(alice)).unread == 0
    assert [e.message.state for e in alice.events if isinstance(e, MessageChanged)] == [
        MessageState.DELIVERED,
        MessageState.READ,
    ]


async def test_the_unread_ones_are_counted(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    for number in range(1, 4):
        await alice.engine.send_text(here, f"number {number}")
        await bob.hears(f"number {number}")
    assert [event.unread for event in bob.events if isinstance(event, MessageAdded)] == [1, 2, 3]
    second = (await bob.engine.messages(there))[1]
    await bob.engine.mark_read(there, second.position)
    assert (await bob.conversation(alice)).unread == 1
    await alice.wait_for(MessageChanged, lambda e: e.message.state is MessageState.READ)
    assert (await alice.states(here))[2] is not MessageState.READ


async def test_without_read_receipts(people: People) -> None:
    alice, bob = await people("alice"), await people("bob", read_receipts=False)
    here, there = await friends(alice, bob)
    await alice.engine.send_text(here, "secretly read")
    arrived = await bob.hears("secretly read")
    await bob.engine.mark_read(there, arrived.position)
    await bob.engine.set_name("Robert")  # greets again, which could tell too
    await alice.named(bob, "Robert")
    message = await alice.engine.send_text(here, "another")
    await alice.sees(message.id, MessageState.DELIVERED)
    assert await alice.states(here) == [MessageState.DELIVERED, MessageState.DELIVERED]


async def test_a_receipt_that_could_not_be_sent_comes_with_the_next_link(people: People) -> None:
    alice, bob = await people("alice"), await people("bob", reconnect=False)
    here, there = await friends(alice, bob)
    message = await alice.engine.send_text(here, "hello")
    arrived = await bob.hears("hello")
    await alice.sees(message.id, MessageState.DELIVERED)
    await bob.engine.disconnect(there)
    await bob.offline(there)
    await bob.engine.mark_read(there, arrived.position)
    await alice.connect(await bob.address())
    await alice.sees(message.id, MessageState.READ)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", InputProblem.EMPTY),
        (" \n\t", InputProblem.EMPTY),
        ("x" * (limits.TEXT_MAX + 1), InputProblem.TOO_LONG),
        ("\ud83d", InputProblem.BAD_VALUE),
    ],
)
async def test_texts_that_are_refused(people: People, text: str, problem: InputProblem) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    mark = alice.mark
    with pytest.raises(InputError) as caught:
        await alice.engine.send_text(here, text)
    assert caught.value.problem is problem
    assert alice.count(MessageAdded, since=mark) == 0
    assert await alice.texts(here) == []


async def test_commands_about_nobody(people: People) -> None:
    alice = await people("alice")
    nobody, engine = ConversationId(77), alice.engine
    for command in (
        engine.send_text(nobody, "hello"),
        engine.accept(nobody),
        engine.decline(nobody),
        engine.block(nobody),
        engine.unblock(nobody),
        engine.rename(nobody, "Nobody"),
        engine.safety_number(nobody),
        engine.set_verified(nobody, verified=True),
        engine.retry(nobody, MessageId(bytes(16))),
    ):
        with pytest.raises(InputError) as caught:
            await command
        assert caught.value.problem is InputProblem.UNKNOWN
    assert await engine.messages(nobody) == []
    assert await engine.presence(nobody) == Offline()
    await engine.mark_read(nobody, 5)
    await engine.disconnect(nobody)


async def test_many_messages_keep_their_order(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    count = 2 * limits.UNACKNOWLEDGED_MAX + 50
    await asyncio.gather(*(alice.engine.send_text(here, f"{n}") for n in range(count)))
    last = (await alice.engine.messages(here))[-1]
    await alice.sees(last.id, MessageState.DELIVERED)
    sent = [message.text for message in await alice.engine.messages(here, count=count)]
    assert [message.text for message in await bob.engine.messages(there, count=count)] == sent
    assert bob.count(MessageAdded) == count


async def test_several_conversations_at_once(people: People) -> None:
    alice, others = await people("alice"), [await people(who) for who in ("bob", "carol", "mallory")]
    pairs = [await friends(alice, other) for other in others]
    for other, (here, there) in zip(others, pairs, strict=True):
        await alice.engine.send_text(here, f"for {other.who} only")
        await other.engine.send_text(there, f"from {other.who}")
    for other, (here, there) in zip(others, pairs, strict=True):
        await other.hears(f"for {other.who} only")
        await alice.hears(f"from {other.who}")
        assert sorted(await other.texts(there)) == sorted(await alice.texts(here))
        assert len(await alice.texts(here)) == 2
    assert len(await alice.engine.conversations()) == 3


async def test_a_new_name_is_told(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    _, there = await friends(alice, bob)
    await alice.engine.set_name("  Alice  Liddell ")
    assert (await alice.engine.me()).name == "Alice Liddell"
    assert (await alice.wait_for(MeChanged)).me.name == "Alice Liddell"
    await bob.named(alice, "Alice Liddell")
    for wrong in ("", " ", "\u200b", "x" * 65):
        with pytest.raises(InputError):
            await alice.engine.set_name(wrong)
    await bob.engine.rename(there, "The girl\n")
    contact = await bob.contact(alice)
    assert (contact.alias, contact.name, contact.title) == ("The girl", "Alice Liddell", "The girl")
    await bob.engine.rename(there, "")
    assert (await bob.contact(alice)).title == "Alice Liddell"
    await alice.restart()
    assert (await alice.engine.me()).name == "Alice Liddell"


async def test_both_see_one_safety_number(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    number = await alice.engine.safety_number(here)
    assert number == await bob.engine.safety_number(there)
    assert len(number) == 60
    assert number.isdigit()
    await alice.engine.set_verified(here, verified=True)
    assert (await alice.contact(bob)).verified
    assert not (await bob.contact(alice)).verified
    await alice.restart()
    assert (await alice.contact(bob)).verified
    await alice.engine.set_verified(here, verified=False)
    assert not (await alice.contact(bob)).verified


async def test_pages(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    for number in range(5):
        await alice.engine.send_text(here, f"{number}")
    latest = await alice.engine.messages(here, count=2)
    earlier = await alice.engine.messages(here, before=latest[0].position, count=10)
    assert [message.text for message in earlier + latest] == ["0", "1", "2", "3", "4"]


def _text(number: int, text: str = "") -> Text:
    id_ = number.to_bytes(16, "big")
    return Text(id_, number, bytes(32), 1_000 + number, text or f"text {number}", 0, b"", 0)


async def test_a_message_that_comes_twice_is_stored_once_and_acknowledged_twice(people: People) -> None:
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await _accepted(bob, mallory)
        mallory.say(_text(1), _text(1), _text(1, "other words, same id"), _text(2))
        acknowledged, receipts = list[bytes](), itertools.count(1)
        while len(acknowledged) < 4:
            acknowledged += (await mallory.packet(Delivered, next(receipts))).ids
        assert acknowledged == [_text(number).id for number in (1, 1, 1, 2)]
        assert await bob.texts(await bob.with_("mallory")) == ["text 1", "text 2"]
        assert bob.count(MessageAdded) == 2


async def _accepted(bob: Person, mallory: Caller) -> ConversationId:
    await mallory.up()
    mallory.greet("Mallory")
    event = await bob.wait_for(ContactChanged, lambda e: e.contact.name == "Mallory")
    await bob.engine.accept(event.contact.id)
    await mallory.packet(Hello, 2)
    return event.contact.id


async def test_receipts_for_what_was_never_sent_change_nothing(people: People) -> None:
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        there = await _accepted(bob, mallory)
        mallory.say(Delivered([bytes(16)]), Read([bytes(16)] * 512))
        message = await bob.engine.send_text(there, "hello")
        text = await mallory.packet(Text)
        assert text.id == message.id
        mallory.say(Read([text.id]), Delivered([text.id]))  # out of order: read stays read
        await bob.sees(message.id, MessageState.READ)
        mallory.say(_text(1))
        await bob.hears("text 1")
        assert await bob.states(there) == [MessageState.READ, MessageState.UNREAD]


async def test_a_number_of_read_messages_proves_nothing_about_those_that_wait(people: People) -> None:
    """It may count another time's messages, or be a lie: what was not acknowledged stays in the outbox."""
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        there = await _accepted(bob, mallory)
        waiting = await bob.engine.send_text(there, "do not lose me")
        first = await mallory.packet(Text)
        mallory.greet("Still Mallory", read_seq=1000)
        await bob.wait_for(ContactChanged, lambda e: e.contact.name == "Still Mallory")
        assert await bob.states(there) == [MessageState.QUEUED]
    await bob.offline(there)
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("Mallory")
        again = await mallory.packet(Text)
        assert again == first
        mallory.say(Delivered([again.id]))
        await bob.sees(waiting.id, MessageState.DELIVERED)
        mallory.greet("Mallory", read_seq=again.seq)
        await bob.sees(waiting.id, MessageState.READ)


async def test_messages_are_chained(people: People) -> None:
    """Each carries its number and the hash of the one before (SPEC.md section 7)."""
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        there = await _accepted(bob, mallory)
        for number in range(3):
            await bob.engine.send_text(there, f"{number}")
        texts = [await mallory.packet(Text, number) for number in (1, 2, 3)]
        assert [text.seq for text in texts] == [1, 2, 3]
        assert texts[0].prev == bytes(32)
        for before, after in pairwise(texts):
            numbers = b"".join(n.to_bytes(8, "big") for n in (before.seq, before.sent_ms, before.order))
            whole = b"\x02" + before.prev + before.id + numbers + bytes(4 + 2) + before.text.encode()
            assert after.prev == sha256(whole).digest()


async def test_no_more_than_so_many_are_on_their_way(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNACKNOWLEDGED_MAX", 3)
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        there = await _accepted(bob, mallory)
        for number in range(5):
            await bob.engine.send_text(there, f"{number}")
        third = await mallory.packet(Text, 3)
        mallory.say(_text(1))
        await mallory.packet(Delivered)  # bob has had time for more, and did not take it
        assert sum(isinstance(packet, Text) for packet in mallory.packets) == 3
        mallory.say(Delivered([third.id]))
        assert (await mallory.packet(Text, 4)).text == "3"
        mallory.say(Delivered([packet.id for packet in mallory.packets if isinstance(packet, Text)]))
        assert (await mallory.packet(Text, 5)).text == "4"


@pytest.mark.parametrize(
    "packet",
    [
        Hello(name="x" * 65, port=0, accepted=True, read_seq=0),
        Hello(name="x", port=65536, accepted=True, read_seq=0),
        Text(b"short", 1, bytes(32), 1, "x", 0, b"", 0),
        Text(bytes(16), 0, bytes(32), 1, "x", 0, b"", 0),
        Text(bytes(16), 1, bytes(32), -1, "x", 0, b"", 0),
        Text(bytes(16), 1, bytes(32), 1, "", 0, b"", 0),
        Text(bytes(16), 1, bytes(32), 1, "é" * (limits.TEXT_MAX // 2 + 1), 0, b"", 0),
        Delivered([]),
        Read([bytes(16)] * 513),
    ],
    ids=lambda packet: type(packet).__name__,
)
async def test_whoever_breaks_the_rules_is_dropped(people: People, packet: Packet) -> None:
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        there = await _accepted(bob, mallory)
        mallory.say(packet)
        assert await mallory.ended() is Reason.INTERRUPTED
        assert (await bob.offline(there)).reason is Reason.BROKEN
        assert await bob.texts(there) == []


async def test_deleting_a_conversation_while_they_talk(people: People) -> None:
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        there = await _accepted(bob, mallory)
        for number in range(1, 50):
            mallory.say(_text(number))
        deleting = asyncio.create_task(bob.engine.delete_conversation(there))
        for number in range(50, 100):
            mallory.say(_text(number))
        await deleting
        await bob.wait_for(ConversationRemoved)
        await mallory.ended()
        assert await bob.engine.conversations() == []
        assert await bob.engine.messages(there) == []
