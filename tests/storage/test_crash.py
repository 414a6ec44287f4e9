"""A program that is killed in the middle of writing loses nothing that it had reported as written."""

import random
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.ids import ConversationId
from messenger.core.models import Message, MessageState
from messenger.storage.chain import chain_hash
from messenger.storage.store import Store
from tests.helpers.storage import DATABASE, ZEROS, check_index, program

WAITING = (MessageState.QUEUED, MessageState.SENT)


def killed_after(lines: int, folder: Path, key: bytes) -> list[str]:
    """Start the writing program, kill it when it has reported so much, and return all it reported."""
    with program("write_messages", folder, key) as child:
        assert child.stdout is not None
        reported = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        reported += child.stdout.readlines()
        child.wait()
        assert child.stderr is not None
        assert child.stderr.read() == ""
    return [line.removesuffix("\n") for line in reported if line.endswith("\n")]


def check(folder: Path, key: bytes, expected: dict[str, str]) -> None:
    """Open the database and compare it with all that was ever reported: last report by message id."""
    store = Store.open(folder / DATABASE, key)
    check_index(store)
    conversations = store.conversations()
    whole = [message for each in conversations for message in store.messages.page(each.id, None, 10**6)]
    states = {message.id.hex(): message.state for message in whole}
    assert len(states) == len(whole)
    for message, what in expected.items():
        state = states[message]
        assert what != "delivered" or state is MessageState.DELIVERED
        assert what != "stored" or state is MessageState.UNREAD
        assert what != "queued" or state in (MessageState.QUEUED, MessageState.DELIVERED)
    assert len(whole) - len(expected) <= 1 * ROUNDS  # at most the one that was on its way each time
    for each in conversations:
        check_chain_and_outbox(store, each.id, [message for message in whole if message.outgoing])
    store.close()


def check_chain_and_outbox(store: Store, conversation: ConversationId, ours: list[Message]) -> None:
    pending = {each.seq: each for each in store.messages.pending(conversation, 0, 10**6)}
    assert [each.message for each in pending.values()] == [m for m in ours if m.state in WAITING]
    prev = ZEROS
    for seq, message in enumerate(ours, start=1):
        if seq in pending:
            assert (pending[seq].message, pending[seq].prev) == (message, prev)
        prev = chain_hash(
            Chained(
                kind=ChainKind.TEXT,
                id=message.id,
                seq=seq,
                prev=prev,
                sent_ms=message.sent_ms,
                order=message.position >> limits.ORDER_TIE_BITS,
                content=message.text,
            )
        )


ROUNDS = 6


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_writing(tmp_path: Path, key: bytes, seed: int) -> None:
    chance = random.Random(seed)
    expected: dict[str, str] = {}
    for _ in range(ROUNDS):
        for line in killed_after(chance.randint(3, 120), tmp_path, key):
            what, _, message = line.partition(" ")
            if message:
                expected[message] = what
        check(tmp_path, key, expected)
    assert len(expected) > ROUNDS


def test_killed_while_making_the_database(tmp_path: Path, key: bytes) -> None:
    for number in range(6):
        folder = tmp_path / str(number)
        folder.mkdir()
        killed_after(1, folder, key)  # "start" is reported right before the database is made
        check(folder, key, {})
