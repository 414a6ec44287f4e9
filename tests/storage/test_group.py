"""Writes that share a transaction: each is durable, and none takes another with it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messenger.core import store_limits
from messenger.core.errors import DiskFull, InputError, StorageError
from messenger.core.ids import ConversationId
from messenger.storage.database import Database
from messenger.storage.group import GroupCommit
from messenger.storage.store import Store
from messenger.storage.worker import Worker
from tests.helpers.storage import add_contact, message_id

NOBODY = ConversationId(99)


class Writing:
    """A store, its thread, and groups of writes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.worker = Worker("test storage")
        self.group = GroupCommit(self.worker, store)
        self.contact = add_contact(store).id

    async def write(
        self, number: int, text: str = "hello", conversation: ConversationId | None = None
    ) -> int:
        """Store a message of ours; its number in the conversation."""
        where = self.contact if conversation is None else conversation
        add = self.store.messages.add_outgoing
        return (await self.group.run(add, where, message_id(number), text, number, number)).seq

    def texts(self) -> list[str]:
        """What is stored."""
        return [message.text for message in self.store.messages.page(self.contact, None, 1000)]


@pytest.fixture
async def writing(store: Store) -> AsyncIterator[Writing]:
    made = Writing(store)
    yield made
    made.worker.close()


async def test_in_the_order_in_which_they_came(writing: Writing) -> None:
    numbers = await asyncio.gather(*(writing.write(n, str(n)) for n in range(1000)))
    assert numbers == list(range(1, 1001))
    assert writing.texts() == [str(n) for n in range(1000)]


async def test_they_are_few_transactions(writing: Writing, path: Path, key: bytes) -> None:
    other = Database.open(path, key, read_only=True)
    seen = set()
    gate = threading.Event()
    held = asyncio.create_task(writing.worker.run(gate.wait))
    writes = [asyncio.create_task(writing.write(n)) for n in range(500)]
    await asyncio.sleep(0)
    gate.set()
    for write in writes:
        await write
        seen.add(other.number("SELECT count(*) FROM messages"))
    await held
    assert len(seen) <= 1 + 500 / store_limits.GROUP_COMMIT_MAX + 1, seen
    other.close()


async def test_what_was_told_is_on_disk(writing: Writing, path: Path, key: bytes) -> None:
    other = Database.open(path, key, read_only=True)

    async def one(number: int) -> None:
        await writing.write(number)
        found = other.row("SELECT 1 FROM messages WHERE id = ?", (message_id(number),))
        assert found == (1,)

    await asyncio.gather(*(one(number) for number in range(300)))
    other.close()


async def test_one_that_fails_takes_no_other_with_it(writing: Writing) -> None:
    results = await asyncio.gather(
        *(writing.write(n, conversation=NOBODY if n % 3 else None) for n in range(90)), return_exceptions=True
    )
    assert [isinstance(result, InputError) for result in results] == [n % 3 != 0 for n in range(90)]
    assert [result for result in results if isinstance(result, int)] == list(range(1, 31))
    assert len(writing.texts()) == 30


async def test_one_that_the_disk_does_not_take(writing: Writing) -> None:
    """The others are stored, each once, though SQLite gave up what they shared."""
    database = writing.store._database
    pages = database.number("PRAGMA page_count")
    database.rows(f"PRAGMA max_page_count = {pages + 12}")
    texts = ["x" * 200_000 if n == 5 else f"small {n}" for n in range(10)]
    results = await asyncio.gather(
        *(writing.write(n, text) for n, text in enumerate(texts)), return_exceptions=True
    )
    assert [type(result) for result in results] == [DiskFull if n == 5 else int for n in range(10)]
    assert writing.texts() == [text for n, text in enumerate(texts) if n != 5]


async def test_nobody_waits_any_more(writing: Writing) -> None:
    writes = [asyncio.create_task(writing.write(n)) for n in range(10)]
    await asyncio.sleep(0)
    for write in writes[::2]:
        write.cancel()
    await asyncio.gather(*writes, return_exceptions=True)
    assert await writing.write(10) == 11


async def test_a_failure_that_nobody_waits_for_is_told_to_the_loop(writing: Writing) -> None:
    told: list[BaseException | None] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    write = asyncio.create_task(writing.write(1, conversation=NOBODY))
    await asyncio.sleep(0)
    write.cancel()
    await asyncio.gather(write, return_exceptions=True)
    assert await writing.write(2) == 1
    assert [type(error) for error in told] == [InputError]


async def test_the_thread_has_ended(writing: Writing) -> None:
    writing.worker.close()
    with pytest.raises(StorageError):
        await writing.write(1)


async def test_a_bug_is_told_to_the_one_who_asked(writing: Writing) -> None:
    bug = writing.group.run(divmod, 1, 0)
    found = await asyncio.gather(writing.write(1), bug, writing.write(2), return_exceptions=True)
    assert [type(one) for one in found] == [int, ZeroDivisionError, int]
    assert len(writing.texts()) == 2
