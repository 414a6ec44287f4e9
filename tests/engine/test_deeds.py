"""Replies, edits, deletions, reactions, typing and drafts between two engines, by whatever way they go."""

import random
from pathlib import Path

import pytest

from messenger.core import deed_limits, limits, store_limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Draft, Message, MessageState, Reaction, SearchQuery, Standing
from messenger.engine.events import (
    ChainChanged,
    ContactChanged,
    MessageChanged,
    MessagesRemoved,
    PeerTyping,
    PresenceChanged,
)
from messenger.protocol.packets import Delivered, Edit, Hello, React, Text, Typing
from tests.helpers.carrier import (
    KEY,
    bring,
    bring_receipts,
    context_of,
    killed,
    part,
    sealing,
    seeded,
)
from tests.helpers.engines import People, Person, friends
from tests.helpers.links import End
from tests.helpers.wire import calling


async def view(person: Person, conversation: ConversationId, *, mirrored: bool = False) -> list[object]:
    """What somebody sees; mirrored as the other one should."""
    return [
        (
            message.id,
            message.text,
            message.outgoing != mirrored,
            message.reply_to,
            message.edited_ms,
            message.deleted,
            sorted((reaction.outgoing != mirrored, reaction.emoji) for reaction in message.reactions),
        )
        for message in await person.engine.messages(conversation)
    ]


async def alike(alice: Person, here: ConversationId, bob: Person, there: ConversationId) -> None:
    """Wait until nothing is on its way, then compare what both see."""
    for person, conversation in ((alice, here), (bob, there)):
        last = await person.engine.send_text(conversation, "the last one")
        await person.sees(last.id, MessageState.DELIVERED)
    assert await view(alice, here) == await view(bob, there, mirrored=True)


async def changed(person: Person, message: MessageId, **fields: object) -> Message:
    """Wait until a message looks like this."""
    event = await person.wait_for(
        MessageChanged,
        lambda e: e.message.id == message and all(getattr(e.message, k) == v for k, v in fields.items()),
    )
    return event.message


async def test_everything_by_a_link(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    hello = await alice.engine.send_text(here, "hello")
    await bob.hears("hello")
    answer = await bob.engine.send_text(there, "hi", hello.id)
    heard = await alice.hears("hi")
    assert (answer.reply_to, heard.reply_to) == (hello.id, hello.id)

    edited = await alice.engine.edit(here, hello.id, " hello, Bob ")
    assert (edited.text, edited.edited_ms is not None) == ("hello, Bob", True)
    await changed(bob, hello.id, text="hello, Bob", edited_ms=edited.edited_ms, reactions=())
    await bob.engine.react(there, hello.id, "👍")
    await changed(alice, hello.id, reactions=(Reaction(outgoing=False, emoji="👍"),))
    await alice.engine.react(here, hello.id, "🎉")
    both = (Reaction(outgoing=False, emoji="🎉"), Reaction(outgoing=True, emoji="👍"))
    await changed(bob, hello.id, reactions=both)
    await bob.engine.react(there, hello.id, "")
    await changed(alice, hello.id, reactions=(Reaction(outgoing=True, emoji="🎉"),))
    await alice.engine.delete_message(here, hello.id, for_both=True)
    gone = await changed(bob, hello.id, deleted=True)
    assert (gone.text, gone.edited_ms, gone.reactions) == ("", None, ())
    assert await bob.engine.find(SearchQuery(text="hello")) == await alice.engine.find(
        SearchQuery(text="hello")
    )
    assert not (await bob.engine.find(SearchQuery(text="hello"))).messages
    await alike(alice, here, bob, there)
    assert not [event for event in (*alice.events, *bob.events) if isinstance(event, ChainChanged)]


async def test_what_nobody_may_do(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    message = await alice.engine.send_text(here, "hello")
    await bob.hears("hello")
    nothing = MessageId(bytes(16))
    refused = [
        (bob.engine.edit(there, message.id, "forged"), InputProblem.NOT_ALLOWED),
        (bob.engine.delete_message(there, message.id, for_both=True), InputProblem.NOT_ALLOWED),
        (alice.engine.edit(here, nothing, "x"), InputProblem.UNKNOWN),
        (alice.engine.edit(here, message.id, " "), InputProblem.EMPTY),
        (alice.engine.edit(here, message.id, "x" * (limits.TEXT_MAX + 1)), InputProblem.TOO_LONG),
        (alice.engine.delete_message(here, nothing, for_both=False), InputProblem.UNKNOWN),
        (alice.engine.react(here, message.id, "👍" * 9), InputProblem.TOO_LONG),
        (alice.engine.react(here, message.id, "\u202e👍"), InputProblem.BAD_VALUE),
        (alice.engine.react(here, message.id, "\ud800"), InputProblem.BAD_VALUE),
        (alice.engine.react(ConversationId(99), message.id, "👍"), InputProblem.UNKNOWN),
        (alice.engine.send_text(here, "x", nothing), InputProblem.UNKNOWN),
        (alice.engine.set_draft(here, Draft("x" * (limits.TEXT_MAX + 1))), InputProblem.TOO_LONG),
        (alice.engine.set_draft(here, Draft("\ud800")), InputProblem.BAD_VALUE),
        (alice.engine.set_draft(ConversationId(99), Draft("x")), InputProblem.UNKNOWN),
    ]
    for doing, problem in refused:
        with pytest.raises(InputError) as caught:
            await doing
        assert caught.value.problem is problem
    await alice.engine.block(here)
    with pytest.raises(InputError) as caught:
        await alice.engine.react(here, message.id, "👍")
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    assert await bob.texts(there) == ["hello"]


async def test_with_restarts_in_between(people: People) -> None:
    """What is done while the other is away, and both are started anew, arrives all the same."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    kept = await alice.engine.send_text(here, "kept")
    await alice.sees(kept.id, MessageState.DELIVERED)
    mark = alice.mark
    await bob.engine.stop()
    await alice.offline(here, since=mark)
    secret = await alice.engine.send_text(here, "secret")
    await alice.engine.edit(here, kept.id, "kept and edited")
    await alice.engine.delete_message(here, secret.id, for_both=True)
    await alice.engine.send_text(here, "reply", kept.id)
    await alice.engine.react(here, kept.id, "👍")
    await alice.restart()
    assert [message.text for message in await alice.engine.messages(here)] == ["kept and edited", "", "reply"]
    await bob.start()
    await alice.wait_for(PresenceChanged, lambda e: e.conversation == here)
    await alike(alice, here, bob, there)
    texts = await bob.texts(there)
    assert texts[:3] == ["kept and edited", "", "reply"]
    for person, conversation in ((alice, here), (bob, there)):
        context = context_of(person)
        rows, to_send = context.store._database.rows, context.store.messages.to_send
        assert not await context.stored(rows, "SELECT 1 FROM messages WHERE original IS NOT NULL")
        assert not await context.stored(to_send, conversation, 0, 9)
        assert not (await person.engine.find(SearchQuery(text="secret"))).messages


async def test_blocked_for_a_while(people: People) -> None:
    """What was done to messages waits until they may hear of it; texts fail."""
    alice, bob = await people("alice"), await people("bob", reconnect=False)
    here, there = await friends(alice, bob)
    kept = await alice.engine.send_text(here, "kept")
    await alice.sees(kept.id, MessageState.DELIVERED)
    mark = alice.mark
    await bob.engine.stop()
    await alice.offline(here, since=mark)
    await alice.engine.edit(here, kept.id, "edited")
    lost = await alice.engine.send_text(here, "lost")
    await alice.engine.block(here)
    await alice.sees(lost.id, MessageState.FAILED)
    await bob.start()
    await alice.engine.unblock(here)
    await changed(bob, kept.id, text="edited")
    told = await bob.wait_for(ChainChanged) if await _later_text(alice, here) else None
    assert told is not None
    assert (told.missing, told.forked) == (1, False)
    await alice.engine.retry(here, lost.id)
    await bob.hears("lost")
    await bob.wait_for(ChainChanged, lambda e: e.missing == 0)
    await alike(alice, here, bob, there)


async def _later_text(person: Person, conversation: ConversationId) -> Message:
    return await person.engine.send_text(conversation, "later")


async def sealed(person: Person, conversation: ConversationId, known: set[MessageId]) -> list[bytes]:
    """Envelopes with everything that waits and is not known."""
    context = context_of(person)
    waiting = await context.stored(context.store.messages.to_send, conversation, 0, 999)
    made = []
    for item in waiting:
        if item.chained.id not in known:
            known.add(item.chained.id)
            envelope = await sealing(person).sealed_for(conversation, item.chained.id, KEY)
            assert envelope is not None
            made.append(envelope)
    return made


@pytest.mark.parametrize("seed", range(4))
async def test_sealed_and_carried_in_any_order(people: People, tmp_path: Path, seed: int) -> None:
    """Both write and do things; envelopes come shuffled, some twice; in between one of them is killed."""
    chance = random.Random(seed)
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    ends = [(alice, here, set[MessageId]()), (bob, there, set[MessageId]())]
    for round_ in range(2):
        way: list[tuple[Person, bytes]] = []
        for (person, conversation, known), (other, _, _) in zip(ends, reversed(ends), strict=True):
            for number in range(4):
                await person.engine.send_text(conversation, f"{person.who} {round_} {number}")
            for _ in range(6):
                await _do_something(person, conversation, chance)
            way += [(other, envelope) for envelope in await sealed(person, conversation, known)]
        way += chance.sample(way, 5)
        chance.shuffle(way)
        for count, (person, envelope) in enumerate(way):
            if count == len(way) // 2 and not round_:
                await killed(bob, tmp_path / f"killed {seed}")
            await bring(person, envelope)
        for (person, conversation, _), (other, _, _) in zip(ends, reversed(ends), strict=True):
            await bring_receipts(person, conversation, other)
    assert await view(alice, here) == await view(bob, there, mirrored=True)
    for person, conversation, _ in ends:
        context = context_of(person)
        row = await context.stored(context.store.conversation, conversation)
        assert row is not None
        assert (row.missing, row.forked) == (0, False)
        assert not await context.stored(context.store.messages.to_send, conversation, 0, 999)


async def _do_something(person: Person, conversation: ConversationId, chance: random.Random) -> None:
    messages = [m for m in await person.engine.messages(conversation) if not m.deleted]
    own = [message for message in messages if message.outgoing]
    match chance.randrange(4):
        case 0:
            await person.engine.edit(conversation, chance.choice(own).id, f"edited {chance.random()}")
        case 1 if len(own) > 2:
            await person.engine.delete_message(conversation, chance.choice(own).id, for_both=True)
        case _:
            emoji = chance.choice(["👍", "🎉", ""])
            await person.engine.react(conversation, chance.choice(messages).id, emoji)


async def test_a_missing_one_is_counted_until_it_comes(people: People) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    first = await alice.engine.send_text(here, "first")
    await alice.engine.react(here, first.id, "👍")
    envelopes = await sealed(alice, here, set())
    await bring(bob, envelopes[1])
    told = await bob.wait_for(ChainChanged)
    assert (told.conversation, told.missing, told.forked) == (there, 1, False)
    assert (await bob.conversation(alice)).missing == 1
    mark = bob.mark
    await bring(bob, envelopes[0])
    assert (await bob.wait_for(ChainChanged, since=mark)).missing == 0
    heard = await bob.hears("first")
    assert heard.reactions == (Reaction(outgoing=False, emoji="👍"),)


async def test_a_stranger_may_send_texts_alone(people: People) -> None:
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("Mallory")
        text = Text(b"1" * 16, 1, bytes(32), 5, "hello", 9, b"", 0)
        edit = Edit(b"2" * 16, 2, bytes(32), 5, text.id, "edited", 10)
        react = React(b"3" * 16, 3, bytes(32), 5, text.id, "👍", 11)
        mallory.say(text, edit, react, Typing(), Text(b"4" * 16, 4, bytes(32), 5, "still here", 12, b"", 0))
        await bob.hears("still here")
        there = await bob.with_("mallory")
        assert [message.edited_ms for message in await bob.engine.messages(there)] == [None, None]
        assert not bob.count(MessageChanged)
        await bob.engine.accept(there)
        await mallory.packet(Hello, 2)
        assert (await mallory.packet(Delivered)).ids == [text.id, b"4" * 16], "the rest was not acknowledged"
        mallory.say(edit, react)
        message = await changed(bob, MessageId(text.id), text="edited")
        assert message.reactions == ()
        await changed(bob, MessageId(text.id), reactions=(Reaction(outgoing=False, emoji="👍"),))
        assert not bob.count(PeerTyping)


async def test_typing(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    now = 1_000_000_000_000
    for person in (alice, bob):
        context_of(person).now_ms = lambda: now
    await alice.engine.set_typing(here)
    told = await bob.wait_for(PeerTyping)
    assert (told.conversation, told.until_ms) == (there, now + round(deed_limits.TYPING_SHOWN * 1000))
    await alice.engine.set_typing(here)  # too soon to be told again
    now += round(deed_limits.TYPING_EVERY * 1000)
    await alice.engine.set_typing(here)
    await alice.engine.send_text(here, "done")
    await bob.hears("done")
    assert bob.count(PeerTyping) == 2
    now += 60_000
    await bob.engine.change_settings({"typing": False})
    await bob.engine.set_typing(there)
    await alice.engine.set_typing(here)
    await alice.engine.send_text(here, "and now")
    await bob.hears("and now")
    await bob.engine.send_text(there, "quiet")
    await alice.hears("quiet")
    assert (bob.count(PeerTyping), alice.count(PeerTyping)) == (2, 0)
    mark = alice.mark
    await bob.engine.stop()
    await alice.offline(here, since=mark)
    await alice.engine.set_typing(here)  # nobody is there


async def test_drafts(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    message = await alice.engine.send_text(here, "hello")
    assert await alice.engine.draft(here) == Draft()
    await alice.engine.set_draft(here, Draft("not yet", message.id))
    await alice.restart()
    assert await alice.engine.draft(here) == Draft("not yet", message.id)
    await alice.engine.set_draft(here, Draft("not yet either"))
    assert await alice.engine.draft(here) == Draft("not yet either")
    await alice.engine.send_text(here, "now")
    assert await alice.engine.draft(here) == Draft()


async def test_deleted_here_alone(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    message = await alice.engine.send_text(here, "hello")
    await alice.sees(message.id, MessageState.DELIVERED)
    await alice.engine.delete_message(here, message.id, for_both=False)
    assert (await alice.wait_for(MessagesRemoved)).conversation == here
    assert await alice.texts(here) == []
    await bob.engine.react(there, message.id, "👍")
    await bob.engine.send_text(there, "later")
    await alice.hears("later")
    assert (await alice.texts(here), await bob.texts(there)) == (["later"], ["hello", "later"])


async def test_a_sealed_request_holds_texts_alone(people: People) -> None:
    """Whoever is not accepted any more by the time an envelope comes may not change what they wrote."""
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    message = await alice.engine.send_text(here, "hello")
    await alice.engine.edit(here, message.id, "edited")
    text, edit = await sealed(alice, here, set())
    context = context_of(bob)
    update = context.store.contacts.update
    await context.stored(update, there, standing=Standing.REQUEST)
    assert await bring(bob, text) is not None
    assert await bring(bob, edit) is None
    assert (await bob.texts(there))[-1] == "hello"
    await context.stored(update, there, standing=Standing.ACCEPTED)
    assert await bring(bob, edit) is not None
    assert (await bob.texts(there))[-1] == "edited"


async def test_a_conversation_is_kept_in_order(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    mark = alice.mark
    await alice.engine.arrange(here, pinned=True, note="met at the fair")
    told = await alice.wait_for(ContactChanged, lambda event: event.contact.pinned, since=mark)
    assert told.contact.note == "met at the fair"
    await alice.engine.arrange(here, pinned=False, archived=True, muted=True)
    await alice.restart()
    contact = await alice.contact(bob)
    assert (contact.note, contact.pinned, contact.muted) == ("met at the fair", False, True)
    assert contact.archived
    await alice.engine.arrange(here, note="ä" * (store_limits.NOTE_MAX // 2))
    with pytest.raises(InputError) as caught:
        await alice.engine.arrange(here, note="ä" * (store_limits.NOTE_MAX // 2) + "x")
    assert caught.value.problem is InputProblem.TOO_LONG
    with pytest.raises(InputError):
        await alice.engine.arrange(ConversationId(4711), pinned=True)
