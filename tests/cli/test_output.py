"""What is written for somebody who reads slowly, or not at all."""

import asyncio
import os
import threading
from collections.abc import Iterator

import pytest

from messenger.cli.output import ROOM, Writer
from tests.helpers.patience import PATIENCE


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe: where it is read, and where it is written to."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def taken(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := os.read(descriptor, size - len(data))):
        data += piece
    return data


async def test_nobody_waits_for_a_slow_reader(pipe: tuple[int, int]) -> None:
    writer = Writer(pipe[1])
    lines = [b"%d\n" % number * 1000 for number in range(1000)]
    for line in lines:
        writer.put(line)
    waits = asyncio.create_task(writer.room())
    await asyncio.sleep(0)
    assert not waits.done(), "more than may wait"
    whole = b"".join(lines)
    assert await asyncio.to_thread(taken, pipe[0], len(whole)) == whole
    await waits
    writer.finish(None)


def test_an_end_without_patience(pipe: tuple[int, int]) -> None:
    writer = Writer(pipe[1])
    writer.put(bytes(2 * ROOM))
    writer.finish(0)
    assert len(taken(pipe[0], 2 * ROOM)) == 2 * ROOM


def test_a_pipe_that_does_not_wait(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    writer = Writer(pipe[1])
    writer.put(bytes(2 * ROOM))
    assert len(taken(pipe[0], 2 * ROOM)) == 2 * ROOM
    writer.finish(None)


async def test_a_failure_is_told_once() -> None:
    told = threading.Event()
    descriptor = os.open("/dev/full", os.O_WRONLY)
    writer = Writer(descriptor, told.set)
    writer.put(bytes(2 * ROOM))
    assert await asyncio.to_thread(told.wait, PATIENCE)
    with pytest.raises(OSError, match="No space"):
        await writer.room()
    await writer.room()
    writer.put(b"dropped")
    writer.finish(None)
    os.close(descriptor)


async def test_a_room_that_is_waited_for_when_it_fails() -> None:
    reading, writing = os.pipe()
    writer = Writer(writing)
    writer.put(bytes(2 * ROOM))
    waits = asyncio.create_task(writer.room())
    await asyncio.sleep(0)
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        await waits
    os.close(writing)
