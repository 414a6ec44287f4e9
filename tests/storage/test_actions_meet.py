"""What two people do to messages comes to the same at both ends, whatever order everything arrives in."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messenger.core.chained import Chained, ChainKind
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Message, MessageState
from messenger.storage.store import Store
from tests.helpers.storage import add_contact

EDIT, DELETE, REACT, TEXT = ChainKind.EDIT, ChainKind.DELETE, ChainKind.REACTION, ChainKind.TEXT


@pytest.fixture
def two(tmp_path: Path, key: bytes) -> Iterator[tuple[Store, Store]]:
    """The databases of two people who know each other."""
    stores = Store.open(tmp_path / "a.db", key), Store.open(tmp_path / "b.db", key)
    yield stores
    for store in stores:
        store.close()


def act(store: Store, conversation: ConversationId, chance: random.Random, now: int) -> None:
    """Write something, or do something to what is there."""
    there = [message for message in store.messages.page(conversation) if not message.deleted]
    kind = chance.choice([TEXT, EDIT, DELETE, REACT, REACT])
    own = [message for message in there if message.outgoing or kind is REACT]
    id_ = MessageId(chance.randbytes(16))
    if kind is TEXT or not own:
        reply = chance.choice([None, *(message.id for message in there)])
        store.messages.add_outgoing(conversation, id_, f"text {now} {chance.random()}", now, now, reply)
        return
    content = {EDIT: f"edited {chance.random()}", REACT: chance.choice("👍🎉") * chance.randint(0, 1)}
    target = chance.choice(own).id
    store.actions.add_outgoing(conversation, kind, id_, target, content.get(kind, ""), now)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 40))
def test_both_ends_come_to_the_same_whatever_order_everything_arrives_in(
    two: tuple[Store, Store], seed: int, steps: int
) -> None:
    """What is on its way arrives at any time, in any order, more than once; receipts come or do not."""
    chance = random.Random(seed)
    people = [(store, add_contact(store).id) for store in two]
    way: list[list[Chained]] = [[], []]
    known: list[int] = [0, 0]
    for step in range(steps):
        side = chance.randrange(2)
        store, conversation = people[side]
        act(store, conversation, chance, 1_000 * chance.randint(1, 3) + step)
        new = [item.chained for item in store.messages.to_send(conversation, known[side], 99)]
        known[side] = max([known[side], *(chained.seq for chained in new)])
        way[side] += new
        if chance.random() < 0.5:
            deliver(way, people, chance, chance.randint(0, 4))
    while any(way):
        deliver(way, people, chance, 5, last=True)
    views = [
        [seen(message, side) for message in store.messages.page(conversation, None, 999)]
        for side, (store, conversation) in enumerate(people)
    ]
    assert views[0] == views[1]
    for store, conversation in people:
        row = store.conversation(conversation)
        assert row is not None
        assert (row.missing, row.forked) == (0, False)
        store._database.rows("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        store.contacts.remove(conversation)


def seen(message: Message, side: int) -> tuple[object, ...]:
    """What is alike at both ends of a message as one of them has it."""
    reactions = sorted((reaction.outgoing == bool(side), reaction.emoji) for reaction in message.reactions)
    return (
        message.id,
        message.text,
        message.edited_ms,
        message.deleted,
        message.reply_to,
        message.outgoing == bool(side),
        reactions,
    )


def deliver(
    way: list[list[Chained]],
    people: list[tuple[Store, ConversationId]],
    chance: random.Random,
    count: int,
    *,
    last: bool = False,
) -> None:
    """Let some of what is on its way arrive; some of it stays on its way as well."""
    for _ in range(count):
        side = chance.randrange(2)
        if not way[side]:
            continue
        chained = way[side].pop(chance.randrange(len(way[side])))
        store, conversation = people[1 - side]
        store.messages.take(conversation, chained, 5_000)
        if chance.random() < 0.2 and not last:
            way[side].append(chained)
        if chance.random() < 0.5:
            sender, there = people[side]
            sender.messages.advance(there, [chained.id], MessageState.DELIVERED)
