"""A cable between two people that can be pulled: bytes vanish silently, and nothing is closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_CHUNK: Final = 64 * 1024


class Cable:
    """Carries connections to a port of this machine.

    Args:
        target: The port.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._in = asyncio.Event()
        self._in.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        """Where it is called."""

    def pull(self) -> None:
        """From now on nothing arrives, and nobody is told; what is on its way is lost."""
        self._in.clear()

    def plug(self) -> None:
        """Let new connections through again; those of before stay dead."""
        self._in.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):  # an end hung up, or the test is over
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def close(self) -> None:
        """Drop everything."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._in.wait()
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        lost = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pump(reader, back, lost))
                ways.create_task(self._pump(there, writer, lost))
        finally:
            back.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, lost: asyncio.Event
    ) -> None:
        while data := await source.read(_CHUNK):
            if not self._in.is_set():
                lost.set()
            if not lost.is_set():  # a stream with a hole in it is dead for ever
                sink.write(data)
                await sink.drain()
        if not lost.is_set():
            sink.write_eof()


@asynccontextmanager
async def cable_to(target: int) -> AsyncIterator[Cable]:
    """A cable in front of a port."""
    cable = Cable(target)
    server = await asyncio.start_server(cable.serve, "127.0.0.1", 0)
    cable.port = server.sockets[0].getsockname()[1]
    try:
        yield cable
    finally:
        server.close()
        await cable.close()
        await server.wait_closed()
