"""A relay on a thread of its own, for tests whose own thread turns windows."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from messenger.relay.server import Started
from tests.helpers.patience import PATIENCE
from tests.helpers.relays import prepare, relay_in


class ThreadedRelay:
    """Make one with `threaded_relay`.

    Args:
        folder: An empty or prepared folder.
        options: As for `relays.chosen`.
    """

    def __init__(self, folder: Path, **options: object) -> None:
        self.started: Started
        self._folder, self._options = folder, options
        self._loop = asyncio.new_event_loop()
        self._up, self._end = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="relay")

    def begin(self) -> None:
        """Start it, and wait until it is up."""
        self._thread.start()
        assert self._up.wait(PATIENCE), "the relay does not start"

    def end(self) -> None:
        """Stop it, and wait until it has ended."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())

    async def _serve(self) -> None:
        async with relay_in(self._folder, **self._options) as site:
            self.started = site.started
            self._up.set()
            await self._end.wait()


@contextmanager
def threaded_relay(folder: Path, who: str = "mallory", **options: object) -> Iterator[ThreadedRelay]:
    """A relay that is up.

    Args:
        folder: Where it lives; prepared if it is not there.
        who: The test identity that it has.
        options: As for `relays.chosen`.
    """
    relay = ThreadedRelay(folder if folder.exists() else prepare(folder, who), **options)
    relay.begin()
    try:
        yield relay
    finally:
        relay.end()
