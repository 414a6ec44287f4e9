"""One end of a link over a real socket, which says exactly what a test wants it to say."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from messenger.core import limits
from messenger.core.address import Address
from messenger.core.errors import Reason
from messenger.net.connection import Connection
from messenger.net.dial import Stream, dial
from messenger.protocol.link import LinkEvent
from messenger.protocol.packets import Hello, Packet
from tests.helpers.links import End
from tests.helpers.patience import PATIENCE

P = TypeVar("P")


class _Gone:
    """In the place of the stream of somebody who cannot even hang up."""

    def abort(self) -> None:
        pass


class Caller:
    """Somebody who is on a link; what arrives is kept.

    Args:
        stream: The TCP connection.
        end: Its end of the link.
    """

    def __init__(self, stream: Stream, end: End) -> None:
        self.end = end
        self.connection = Connection(stream, end.link, self._on_event, patience=limits.HANDSHAKE_TOTAL)
        self._stream = stream
        self._changed = asyncio.Event()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._stuck = asyncio.Event()
        self._task = asyncio.create_task(self.connection.run())
        self._task.add_done_callback(lambda _: self._changed.set())

    async def _on_event(self, event: LinkEvent) -> None:
        if not self._thawed.is_set():
            self._stuck.set()
            await self._thawed.wait()
        self.end.take(event)
        self._changed.set()

    @property
    def packets(self) -> list[Packet]:
        """Everything that arrived."""
        return self.end.packets

    def freeze(self) -> None:
        """Stop reading and answering at the next thing that arrives; the connection stays."""
        self._stuck.clear()
        self._thawed.clear()

    async def frozen(self) -> None:
        """Wait until that has happened."""
        async with asyncio.timeout(PATIENCE):
            await self._stuck.wait()

    def thaw(self) -> None:
        """Go on."""
        self._thawed.set()

    async def asked(self) -> None:
        """Wait until the link has asked its first question."""
        await self._wait(lambda: bool(self.end.asked))

    async def up(self) -> None:
        """Wait until the link is up.

        Raises:
            AssertionError: It never will be.
        """
        await self._wait(lambda: self.end.up)

    async def packet(self, kind: type[P], number: int = 1) -> P:
        """Wait for the first packet of a kind, or for the second, and so on."""
        await self._wait(lambda: sum(isinstance(packet, kind) for packet in self.packets) >= number)
        return [packet for packet in self.packets if isinstance(packet, kind)][number - 1]

    async def ended(self) -> Reason:
        """Wait until the link has ended, and say why."""
        async with asyncio.timeout(PATIENCE):
            return await asyncio.shield(self._task)

    async def _wait(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not happened():
                assert not self._task.done(), f"the link has ended: {self._task.result()}"
                self._changed.clear()
                await self._changed.wait()

    def say(self, *packets: Packet) -> None:
        """Send packets."""
        for packet in packets:
            self.connection.post(packet)

    def greet(self, name: str, *, accepted: bool = True, read_seq: int = 0) -> None:
        """Send what the program sends first."""
        self.say(Hello(name, 0, accepted, read_seq))

    def vanish(self) -> None:
        """Drop the connection, as a cut cable would."""
        self.connection.stream.abort()

    async def die(self) -> None:
        """Read nothing, send nothing, close nothing any more, as when the power fails."""
        self._stream.writer.transport.pause_reading()  # type: ignore[attr-defined]
        self.connection.stream = _Gone()  # type: ignore[assignment]
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def close(self) -> None:
        """End it in whatever state it is."""
        self._stream.abort()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def calling(end: End, port: int, host: str = "127.0.0.1") -> AsyncIterator[Caller]:
    """Call a port on this computer; at the end the connection is dropped."""
    caller = Caller(await dial(Address(host, port)), end)
    try:
        yield caller
    finally:
        await caller.close()
