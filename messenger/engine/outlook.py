"""Notices that the world has changed: the computer has slept, a cable was pulled, our addresses are others.

Nothing else would notice at once: the clock that timers follow stands still in sleep, and a dead stream says
nothing. Links are asked for a sign of life then, and whoever waits to call somebody again calls now.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Collection
from typing import Final

import msgspec

from messenger.core import outlook_limits
from messenger.engine.context import Context
from messenger.engine.host import Host
from messenger.engine.peers import Peers
from messenger.engine.reconnect import Reconnector
from messenger.engine.relays import Relays
from messenger.engine.tasks import Tasks
from messenger.net.changes import NetworkChanges
from messenger.net.interfaces import own_hosts

_BOOT: Final[int | None] = getattr(
    time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC if sys.platform == "darwin" else None
)
"""A clock that goes on in sleep, where the one of timers stands still; None where that goes on itself."""


class Clocks(msgspec.Struct, frozen=True):
    """What the clocks of this computer say at one moment, in seconds."""

    timers: float
    """The one by which timers go."""
    boot: float | None
    """One that goes on in sleep; None if there is no such clock."""
    wall: float
    """The one on the wall, which people and programs set."""

    def slept(self, before: "Clocks", pause: float) -> bool:
        """Whether the computer has slept since a look before, or its clock was set.

        Args:
            before: Of that look.
            pause: How many seconds a timer should have taken since then.
        """
        passed = self.timers - before.timers
        drifts = [abs(self.wall - before.wall - passed)]
        if self.boot is not None and before.boot is not None:
            drifts.append(self.boot - before.boot - passed)
        else:
            drifts.append(passed - pause)
        return max(drifts) > outlook_limits.SLEPT


def clocks(now_ms: Callable[[], int]) -> Clocks:
    """Look at all clocks.

    Args:
        now_ms: The one on the wall, Unix milliseconds.
    """
    boot = None if _BOOT is None else time.clock_gettime(_BOOT)
    return Clocks(timers=time.monotonic(), boot=boot, wall=now_ms() / 1000)


class Outlook:
    """Watches, and has links probed and contacts called.

    Args:
        context: The open profile.
        peers: The live sessions.
        reconnector: Reaches contacts again.
        host: Knows our addresses.
        relays: The links with relays.
        look: Looks at the clocks; None for those of this computer.
    """

    def __init__(
        self,
        context: Context,
        peers: Peers,
        reconnector: Reconnector,
        host: Host,
        relays: Relays,
        look: Callable[[], Clocks] | None = None,
    ) -> None:
        self._peers = peers
        self._reconnector = reconnector
        self._host = host
        self._relays = relays
        self.look = look or (lambda: clocks(context.now_ms))
        """Looks at the clocks."""
        self._tasks = Tasks("outlook", context.publish)
        self._changes: NetworkChanges | None = None
        self._changed = asyncio.Event()
        self._links = False
        self._hosts: frozenset[str] = frozenset()

    def start(self) -> None:
        """Begin."""
        self._hosts = own_hosts()
        self._changes = NetworkChanges(self._on_change)
        told = self._changes.open()
        self._tasks.start(self._watch_clocks())
        self._tasks.start(self._watch_network(told=told))

    async def close(self) -> None:
        """Stop."""
        if self._changes is not None:
            self._changes.close()
            self._changes = None
        await self._tasks.close()

    def awake(self, gone: Collection[str] = ()) -> None:
        """The computer has slept, or the network came back: nothing of before may hold any more.

        Args:
            gone: IP addresses that are not ours any more.
        """
        self._peers.probe()
        self._relays.probe(gone)
        self._reconnector.hurry()

    def look_around(self, *, links: bool = False) -> None:
        """Look at our addresses, and do what follows if they are others than before.

        Links from an address that we do not have any more are dropped: nothing can come back there.

        Args:
            links: An interface went up or down, whatever the addresses are.
        """
        before, self._hosts = self._hosts, own_hosts()
        if self._hosts != before:
            self._peers.drop_from(before - self._hosts)
            self._tasks.start(self._host.addresses_changed())
        if links or self._hosts != before:
            self.awake(before - self._hosts)

    def _on_change(self, links: bool) -> None:
        self._links = self._links or links
        self._changed.set()

    async def _watch_clocks(self) -> None:
        before = self.look()
        while True:
            await asyncio.sleep(outlook_limits.OUTLOOK_INTERVAL)
            now = self.look()
            if now.slept(before, outlook_limits.OUTLOOK_INTERVAL):
                self.look_around(links=True)
            before = now

    async def _watch_network(self, *, told: bool) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if told else outlook_limits.OUTLOOK_ADDRESSES):
                    await self._changed.wait()
            await asyncio.sleep(outlook_limits.OUTLOOK_SETTLE if self._changed.is_set() else 0)
            self._changed.clear()
            links, self._links = self._links, False
            self.look_around(links=links)
