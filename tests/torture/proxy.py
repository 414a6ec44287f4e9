"""A network that cuts, delays, doubles and stalls connections, as a seed says."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_CHUNK: Final = 16 * 1024

_CUT_EVERY: Final = 2
"""The first of so many connections is cut after some bytes."""

BYTES_TO_CUT: Final = 400_000
"""At most so many bytes pass on a connection that will be cut, if there is much to carry."""

_DELAY: Final = 0.3
"""Share of the pieces that come late."""

_DELAY_MAX: Final = 0.02
"""Seconds by which a piece may be late."""

_STALL: Final = 0.003
"""Share of the pieces behind which both directions stand still for a while."""

_STALL_MAX: Final = 1.5
"""Seconds that a connection may stand still."""

_TWICE: Final = 0.1
"""Share of the connections of which the far end sees a second one with the same bytes."""


class BadNetwork:
    """Passes TCP connections on to a port of this machine, badly.

    Args:
        target: Port that the connections are for.
        seed: Decides what happens; the same connections meet the same faults.
        to_cut: At most so many bytes pass on a connection that will be cut.
    """

    def __init__(self, target: int, seed: float, to_cut: int = BYTES_TO_CUT) -> None:
        self._to_cut = to_cut
        self._carried = 0
        self._target = target
        self._random = random.Random(seed)
        self._running: set[asyncio.Task[None]] = set()
        self.faults = {"cut": 0, "stalled": 0, "doubled": 0}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either end, or chance, ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await self._carry(reader, writer)
        except ConnectionError:  # one of the two ends is gone
            pass
        finally:
            self._running.discard(task)
            writer.transport.abort()

    async def close(self) -> None:
        """Drop what is still carried."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        second = None
        if self._random.random() < _TWICE:
            _, second = await asyncio.open_connection("127.0.0.1", self._target)
            self.faults["doubled"] += 1
        left = None if self._carried % _CUT_EVERY else self._random.randrange(self._to_cut)
        self._carried += 1
        budget = [left]
        ways = (
            asyncio.create_task(self._pump(reader, [back, *([second] if second else [])], budget)),
            asyncio.create_task(self._pump(there, [writer], budget)),
        )
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for far in (back, second):
                if far is not None:
                    far.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, sinks: list[asyncio.StreamWriter], budget: list[int | None]
    ) -> None:
        while data := await source.read(_CHUNK):
            if self._random.random() < _DELAY:
                await asyncio.sleep(self._random.random() * _DELAY_MAX)
            if self._random.random() < _STALL:
                self.faults["stalled"] += 1
                await asyncio.sleep(self._random.random() * _STALL_MAX)
            if budget[0] is not None:
                data = data[: budget[0]]
                budget[0] -= len(data)
            for number, sink in enumerate(sinks):
                if number and sink.is_closing():
                    continue  # the far end has seen through the second one
                sink.write(data)
                await sink.drain()
            if budget[0] == 0:
                self.faults["cut"] += 1
                return


@asynccontextmanager
async def bad_network(target: int, seed: float, to_cut: int) -> AsyncIterator[tuple[int, BadNetwork]]:
    """A bad network in front of a port; its own port, and what it has done."""
    network = BadNetwork(target, seed, to_cut)
    server = await asyncio.start_server(network.serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], network
    finally:
        server.close()
        await network.close()
        await server.wait_closed()
