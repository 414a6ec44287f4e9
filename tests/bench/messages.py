"""Durable messages between two engines on loopback: ``python -m tests.bench.messages``.

Each message is on the sender's disk before it counts as written, and on the receiver's before the sender
counts it as delivered. Beside it, in the same run: how often the disk takes a small durable write (fsync).
"""

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

from messenger.core.ids import ConversationId
from messenger.core.models import MessageState
from messenger.engine.events import MessageChanged
from tests.bench.report import Case, Sample, measure, options
from tests.helpers.engines import People, Person, friends, people_in

BURST = 5_000
"""Messages for the rate."""
AT_ONCE = 256
"""Of them on their way between the writer and the disk."""
ALONE = 200
"""Messages one after the other for the time that one takes."""


def fsyncs() -> Sample:
    """Append 300 bytes to a file and wait for the disk, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.open(Path(folder) / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        times = []
        for _ in range(500):
            start = time.perf_counter()
            os.write(file, bytes(300))
            os.fsync(file)
            times.append(time.perf_counter() - start)
        os.close(file)
    return {"rate": len(times) / sum(times), **_times(times)}


def messages() -> Sample:
    """Two engines in this process, each with its own disk thread, vault process and sockets."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_messages(Path(folder)))


async def _messages(folder: Path) -> Sample:
    async with people_in(folder) as people:
        alice, here = await _meet(people)
        times = []
        for number in range(ALONE):
            start = time.perf_counter()
            message = await alice.engine.send_text(here, f"one by one {number}")
            await alice.sees(message.id, MessageState.DELIVERED)
            times.append(time.perf_counter() - start)
            alice.events.clear()
        start = time.perf_counter()
        await asyncio.gather(_delivered(alice), _write(alice, here))
        return {"rate": BURST / (time.perf_counter() - start), **_times(times)}


async def _meet(people: People) -> tuple[Person, ConversationId]:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    return alice, here


async def _write(alice: Person, here: ConversationId) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        await alice.engine.send_text(here, f"message {number}")
        room.release()

    async with asyncio.TaskGroup() as group:
        for number in range(BURST):
            await room.acquire()
            group.create_task(one(number))


async def _delivered(alice: Person) -> None:
    """Wait until all of the burst has arrived."""
    arrived = 0
    while arrived < BURST:
        before = alice.mark
        await alice.wait_for(MessageChanged, since=before)
        arrived += alice.count(
            MessageChanged, lambda e: e.message.state is MessageState.DELIVERED, since=before
        )


def _times(times: list[float]) -> Sample:
    return {
        "median": statistics.median(times) * 1000,
        "p99": statistics.quantiles(times, n=100)[98] * 1000,
    }


if __name__ == "__main__":
    chosen = options(__doc__ or "")
    measure(
        [Case("sotto", messages), Case("fsync", fsyncs)],
        {"rate": "/s", "median": "ms", "p99": "ms"},
        runs=chosen.runs,
        as_json=chosen.json,
    )
