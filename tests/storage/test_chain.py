"""Gaps and forks of the other person's chain, as they are seen whatever order messages arrive in."""

import itertools
import random

import pytest

from messenger.core import store_limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.ids import ConversationId
from messenger.core.models import Standing
from messenger.storage.chain import chain_hash
from messenger.storage.store import Store
from tests.helpers.storage import ZEROS, add_contact, fingerprint, message_id

TARGET = message_id(1)


def chain(count: int, word: str = "text", start: int = 1, prev: bytes = ZEROS) -> list[Chained]:
    """Somebody's messages, each naming the one before."""
    made = []
    for seq in range(start, start + count):
        kind = (ChainKind.TEXT, ChainKind.REACTION)[seq % 3 == 0]
        about = TARGET if kind is ChainKind.REACTION else b""
        made.append(
            Chained(
                kind=kind,
                id=message_id(hash((word, seq)) % 2**64 if word != "text" else seq),
                seq=seq,
                prev=prev,
                sent_ms=seq,
                order=seq,
                about=about,
                content=word,
            )
        )
        prev = chain_hash(made[-1])
    return made


def state(store: Store, conversation: ConversationId) -> tuple[int, bool]:
    row = store.conversation(conversation)
    assert row is not None
    return row.missing, row.forked


def runs(store: Store) -> int:
    return store._database.number("SELECT count(*) FROM heard")


def take(store: Store, conversation: ConversationId, *messages: Chained) -> list[bool]:
    """Take messages; whether each has said that the state may have changed."""
    return [store.messages.take(conversation, each, 1_000).chain for each in messages]


@pytest.mark.parametrize("order", [*itertools.permutations(range(4))])
def test_a_gap_heals_whatever_order_it_is_filled_in(store: Store, order: tuple[int, ...]) -> None:
    contact, messages, come = add_contact(store), chain(4), set[int]()
    before = (0, False)
    for place in order:
        (told,) = take(store, contact.id, messages[place])
        come.add(place + 1)
        now = state(store, contact.id)
        assert now == (max(come) - len(come), False)
        assert told or now == before, "whatever changes is told"
        before = now
    assert runs(store) == 1
    assert take(store, contact.id, *messages) == [False] * 4, "seconds change nothing"
    assert state(store, contact.id) == (0, False)


def test_in_order_nothing_is_told(store: Store) -> None:
    assert take(store, add_contact(store).id, *chain(7)) == [False] * 7
    assert runs(store) == 1


@pytest.mark.parametrize("seed", range(10))
def test_long_and_mixed_up(store: Store, seed: int) -> None:
    contact, messages = add_contact(store), chain(60)
    chance = random.Random(seed)
    lost = chance.sample(messages[:-1], 7)
    arriving = [each for each in messages if each not in lost]
    chance.shuffle(arriving)
    take(store, contact.id, *arriving)
    assert state(store, contact.id) == (7, False)
    take(store, contact.id, *lost)
    assert (state(store, contact.id), runs(store)) == ((0, False), 1)


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_a_message_that_does_not_fit_is_a_fork_whenever_it_comes(
    store: Store, order: tuple[int, ...]
) -> None:
    """Number 2 of another history between 1 and 3 of this one."""
    contact, messages = add_contact(store), chain(3)
    messages[1] = chain(2, "other")[1]
    take(store, contact.id, *(messages[place] for place in order))
    assert state(store, contact.id) == (0, True)


def test_two_messages_of_one_number_are_a_fork(store: Store) -> None:
    contact, messages = add_contact(store), chain(4)
    take(store, contact.id, *messages)
    restored = chain(1, "after an old backup", 3, messages[2].prev)
    assert take(store, contact.id, *restored) == [True]
    assert state(store, contact.id) == (0, True)
    assert [message.text for message in store.messages.page(contact.id)] == [
        "text", "text", "text"
    ], "a fork stops nothing"  # fmt: skip


def test_the_same_again_after_it_was_forgotten_is_no_fork(store: Store) -> None:
    """The receipt was lost, and they were away for longer than anything is remembered."""
    contact, messages = add_contact(store), chain(3)
    take(store, contact.id, *messages)
    store.actions.purge(1_000 + store_limits.FORGOTTEN_KEPT * 1000 + 1)
    arrival = store.messages.take(contact.id, messages[2], 1_000)
    assert (arrival.new, arrival.chain, state(store, contact.id)) == (True, False, (0, False))


def test_a_first_one_that_names_another_is_a_fork(store: Store) -> None:
    contact = add_contact(store)
    take(store, contact.id, *chain(1, prev=b"x" * 32))
    assert state(store, contact.id) == (0, True)


def test_whoever_begins_anew_is_believed(store: Store) -> None:
    """They have deleted the conversation; what was missing or wrong before does not matter any more."""
    contact = add_contact(store)
    messages = chain(9)
    take(store, contact.id, *messages[:2], messages[8], *chain(1, "fork", 2))
    assert state(store, contact.id) == (6, True)
    take(store, contact.id, *chain(2, "anew"))
    assert (state(store, contact.id), runs(store)) == ((0, False), 1)
    take(store, contact.id, chain(4, "anew")[3])
    assert state(store, contact.id) == (1, False)


def test_everybody_has_a_chain_of_their_own(store: Store) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    take(store, contact.id, chain(5)[4])
    take(store, other.id, chain(1)[0])
    assert (state(store, contact.id), state(store, other.id)) == ((4, False), (0, False))
    assert [(row.id, row.missing) for row in store.conversations()] == [(other.id, 0), (contact.id, 4)]
    store.contacts.remove(contact.id)
    assert runs(store) == 1


@pytest.mark.parametrize("first", [(0, 1, 2), (0, 1, 2, 3), (0, 5), ()])
def test_a_request_by_the_new_key_becomes_part_of_the_chain(store: Store, first: tuple[int, ...]) -> None:
    contact, messages = add_contact(store), chain(6)
    request = add_contact(store, 2, standing=Standing.REQUEST)
    take(store, contact.id, *(messages[place] for place in first))
    take(store, request.id, *messages[3:5])
    store.contacts.succeed(contact.id, fingerprint(2), old=fingerprint(1), between=(), serial=1)
    come = {*first, 3, 4}
    assert state(store, contact.id) == (max(come) + 1 - len(come), False)
    take(store, contact.id, *messages)
    assert (state(store, contact.id), runs(store)) == ((0, False), 1)
