"""Sealed messages between two engines: bytes carried by hand, in every order and number."""

import random
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import MessageState
from messenger.engine.events import ContactChanged, EngineFault, MessageAdded, MessageChanged
from tests.helpers.carrier import (
    KEY,
    bring,
    bring_receipts,
    context_of,
    current,
    envelope,
    killed,
    part,
    sealing,
    seeded,
    sessions,
    settled,
    write,
)
from tests.helpers.engines import People, Person
from tests.helpers.sealing import flipped

Pair = tuple[Person, ConversationId, Person, ConversationId]


@pytest.fixture
async def apart(people: People) -> Pair:
    """Alice and Bob, who have met and whose link has ended."""
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    return alice, here, bob, there


async def state(person: Person, conversation: ConversationId, id_: MessageId) -> MessageState:
    """How it stands with a message."""
    return next(m.state for m in await person.engine.messages(conversation) if m.id == id_)


async def new_texts(person: Person, conversation: ConversationId) -> list[str]:
    """What was said since they parted."""
    return [text for text in await person.texts(conversation) if not text.startswith("round")]


async def test_a_link_seeds_a_session_that_both_have(apart: Pair) -> None:
    alice, here, bob, there = apart
    assert await current(alice, here) is not None
    assert await current(alice, here) == await current(bob, there)
    mine, theirs = await sessions(alice, here), await sessions(bob, there)
    assert len(mine.held) == len(theirs.held) == 1
    assert mine.held[0].rank == theirs.held[0].rank > 0
    assert all(held.acknowledged and not held.opening for held in (*mine.held, *theirs.held))


async def test_a_message_a_receipt_and_an_answer(apart: Pair) -> None:
    alice, here, bob, there = apart
    message, sealed = await write(alice, here, "while you were out")
    assert len(sealed) == 4096
    assert b"while you" not in sealed
    opened = await bring(bob, sealed)
    assert opened is not None
    assert (opened.conversation, opened.receipts_due) == (there, True)
    heard = await bob.hears("while you were out")
    assert heard.id == message.id
    assert await state(alice, here, message.id) is MessageState.QUEUED
    assert await bring_receipts(bob, there, alice) == [message.id]
    assert (await alice.sees(message.id, MessageState.DELIVERED)).id == message.id
    assert await sealing(bob).receipts(there, KEY) is None, "told once"
    answer, sealed = await write(bob, there, "back now")
    opened = await bring(alice, sealed)
    assert opened is not None
    await alice.hears("back now")
    await bob.engine.mark_read(there, heard.position)
    await alice.engine.mark_read(here, (await alice.hears("back now")).position)
    await bring_receipts(alice, here, bob)
    assert (await bob.sees(answer.id, MessageState.READ)).id == answer.id, "what was read is told with it"


async def test_the_same_bytes_until_there_is_a_receipt(apart: Pair) -> None:
    alice, here, bob, there = apart
    message, first = await write(alice, here, "again and again")
    second = await envelope(alice, here, message.id)
    assert first != second, "another envelope"
    assert await bring(bob, second) is not None
    assert await bring(bob, first) is None, "around the same message"
    await bring_receipts(bob, there, alice)
    with pytest.raises(InputError) as caught:
        await sealing(alice).sealed_for(here, message.id, KEY)
    assert caught.value.problem is InputProblem.UNKNOWN
    assert await context_of(alice).stored(context_of(alice).store.sealed.copy, message.position) is None
    assert await new_texts(bob, there) == ["again and again"]


async def test_out_of_order_twice_lost_and_changed(apart: Pair) -> None:
    """Whatever the carrier does, each text that arrives at all arrives once, and nothing else does."""
    alice, here, bob, there = apart
    sent = [await write(alice, here, f"text {number}") for number in range(12)]
    lost = {3, 7}
    carried = [each for number, each in enumerate(sent) if number not in lost]
    chance = random.Random(5)
    pile = [sealed for _, sealed in carried] * 2
    pile += [flipped(sealed, chance.randrange(len(sealed)), chance.randrange(8)) for _, sealed in carried]
    chance.shuffle(pile)
    taken = [await bring(bob, sealed) for sealed in pile]
    assert sum(each is not None for each in taken) == len(carried)
    expected = {message.text for message, _ in carried}
    assert sorted(await new_texts(bob, there)) == sorted(expected)
    assert set(await bring_receipts(bob, there, alice)) == {message.id for message, _ in carried}
    for number, (message, sealed) in enumerate(sent):
        if number in lost:
            assert await state(alice, here, message.id) is MessageState.QUEUED
            assert await bring(bob, sealed) is not None, "it was only late"
        else:
            assert await state(alice, here, message.id) is MessageState.DELIVERED
    assert bob.count(EngineFault) == 0


async def test_garbage_and_envelopes_of_other_queues(apart: Pair) -> None:
    alice, here, bob, there = apart
    _, sealed = await write(alice, here, "for bob")
    before = (await sessions(bob, there)).encode()
    for bad in (b"", sealed[:-1], sealed + b"\0", bytes(4096), bytes(16384)):
        assert await bring(bob, bad) is None
    assert await sealing(bob).open_sealed(sealed, bytes(32)) is None
    assert await bring(alice, sealed) is None, "not to whoever wrote it"
    assert (await sessions(bob, there)).encode() == before
    assert await bring(bob, sealed) is not None


async def test_over_the_link_and_sealed_it_appears_once(apart: Pair) -> None:
    """In either order, and a receipt for the one is a receipt for the other."""
    alice, here, bob, there = apart
    one, sealed_one = await write(alice, here, "sealed first")
    two, sealed_two = await write(alice, here, "link first")
    assert await bring(bob, sealed_one) is not None
    await alice.connect(await bob.address())
    await alice.sees(one.id, MessageState.DELIVERED)
    await alice.sees(two.id, MessageState.DELIVERED)
    opened = await bring(bob, sealed_two)
    assert opened is not None
    assert not opened.receipts_due, "told over the link"
    assert await new_texts(bob, there) == ["sealed first", "link first"]
    assert bob.count(MessageAdded, lambda e: e.message.id in (one.id, two.id)) == 2


async def test_receipts_that_are_due_take_the_next_link(apart: Pair) -> None:
    alice, here, bob, there = apart
    message, sealed = await write(alice, here, "sealed")
    assert await bring(bob, sealed) is not None
    context = context_of(alice)
    await context.stored(context.store.messages.advance, here, [message.id], MessageState.SENT)
    await alice.connect(await bob.address())
    await alice.sees(message.id, MessageState.DELIVERED)
    await settled(alice, here, bob, there)
    assert await sealing(bob).receipts(there, KEY) is None


async def test_every_step_survives_the_end_of_the_process(apart: Pair, tmp_path: Path) -> None:
    """Both die after each step; nothing is lost, nothing comes twice, and no session is torn."""
    alice, here, bob, there = apart
    folders = iter(tmp_path / f"killed {number}" for number in range(100))
    for number in range(3):
        message = await alice.engine.send_text(here, f"text {number}")
        await killed(alice, next(folders))
        sealed = await envelope(alice, here, message.id)
        await killed(alice, next(folders))
        again = await envelope(alice, here, message.id)
        assert await bring(bob, sealed) is not None
        await killed(bob, next(folders))
        assert await bring(bob, sealed) is None, "replayed after a restart"
        assert await bring(bob, again) is None
        receipts = await sealing(bob).receipts(there, KEY)
        assert receipts is not None
        await killed(bob, next(folders))
        assert await bring_receipts(bob, there, alice) == [message.id]
        assert await bring(alice, receipts.envelope) is not None, "a receipt may come twice"
        await killed(alice, next(folders))
        assert await state(alice, here, message.id) is MessageState.DELIVERED
        alice, here, bob, there = bob, there, alice, here
    assert sorted(await new_texts(bob, there)) == ["text 0", "text 1", "text 2"]
    assert await new_texts(alice, here) == await new_texts(bob, there)


async def test_nothing_to_seal_in(people: People) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    contact = await alice.connect(await bob.address())
    request = await bob.named(alice)
    message = await alice.engine.send_text(contact.id, "hello?")
    assert await sealing(alice).sealed_for(contact.id, message.id, KEY) is None
    assert await sessions(bob, request.id) == await sessions(alice, contact.id)
    for conversation, id_, problem in (
        (contact.id, MessageId(bytes(16)), InputProblem.UNKNOWN),
        (ConversationId(77), message.id, InputProblem.UNKNOWN),
    ):
        with pytest.raises(InputError) as caught:
            await sealing(alice).sealed_for(conversation, id_, KEY)
        assert caught.value.problem is problem


async def test_nobody_blocked_is_heard_or_written_to(apart: Pair) -> None:
    alice, here, bob, there = apart
    message, sealed = await write(alice, here, "let me in")
    ours, _ = await write(bob, there, "before the quarrel")
    await bob.engine.block(there)
    before = (await sessions(bob, there)).encode()
    assert await bring(bob, sealed) is None
    assert (await sessions(bob, there)).encode() == before
    with pytest.raises(InputError) as caught:
        await sealing(bob).sealed_for(there, ours.id, KEY)
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    await bob.engine.unblock(there)
    assert await bring(bob, sealed) is not None
    assert await bring_receipts(bob, there, alice) == [message.id]


async def test_a_session_stops_before_a_gap_could_grow_too_wide(
    apart: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RATCHET_EPOCH_MESSAGES", 4)
    alice, here, bob, there = apart
    sent = [await write(alice, here, f"text {number}") for number in range(4)]
    waits = await alice.engine.send_text(here, "too many")
    assert await sealing(alice).sealed_for(here, waits.id, KEY) is None
    assert await bring(bob, sent[0][1]) is not None
    await bring_receipts(bob, there, alice)
    assert await bring(bob, await envelope(alice, here, waits.id)) is not None, "they have answered"


async def test_a_greeting_that_was_overtaken_changes_no_name(apart: Pair) -> None:
    alice, here, bob, there = apart
    _, old = await write(alice, here, "as alice")
    await alice.engine.set_name("Alicia")
    _, new = await write(alice, here, "as alicia")
    assert await bring(bob, new) is not None
    await bob.wait_for(ContactChanged, lambda e: e.contact.name == "Alicia")
    assert await bring(bob, old) is not None
    assert (await bob.contact(alice)).name == "Alicia"
    assert await new_texts(bob, there) == ["as alice", "as alicia"], "in the order of writing"


async def test_deleting_a_conversation_ends_its_sessions(apart: Pair) -> None:
    alice, here, bob, there = apart
    _, sealed = await write(alice, here, "gone")
    await bob.engine.delete_conversation(there)
    assert await bring(bob, sealed) is None
    store = context_of(bob).store
    assert await context_of(bob).stored(store.sealed.conversations) == []
    assert await context_of(bob).stored(store.sealed.with_sid, await current(alice, here) or b"") is None
    assert alice.count(MessageChanged, lambda e: e.message.state is MessageState.FAILED) == 0
