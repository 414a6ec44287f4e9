"""Who may come in, and who has to go: counts of streams and handshakes, and the one clock of all links."""

import asyncio
import contextlib
import logging
from typing import Final, Protocol, cast

from messenger.core import limits, relay_limits
from messenger.relay.greeting import Vaulting
from messenger.relay.house import House
from messenger.relay.rates import Network

log: Final = logging.getLogger(__name__)

_SLICES: Final = 5
"""Each second this part of all streams is looked at."""
_FORGET: Final = 60


class Kept(Protocol):
    """A stream; see `messenger.relay.connection`."""

    def tick(self, now: float) -> bool:
        """Tell the time; returns whether that is to be done again soon."""

    def check(self, now: float) -> None:
        """Drop it if it is silent or stuck."""

    def give_up(self) -> None:
        """Drop it: too much waits for it."""

    def say_goodbye(self) -> None:
        """End it."""


class Doorkeeper:
    """Counts all streams of a relay.

    Args:
        house: The relay.
        most: Streams at a time.
    """

    def __init__(self, house: House, most: int) -> None:
        self._house = house
        self._most = most
        self._slices: tuple[set[Kept], ...] = tuple(set() for _ in range(_SLICES))
        self._greeting: set[Kept] = set()
        self._flowing: set[Kept] = set()
        self._numbers = 0
        self._partial = 0
        self._waiting = 0
        self._shut = False
        self._empty: asyncio.Event | None = None
        self.vaulting = Vaulting()

    def number(self) -> int:
        """The number of the stream that came last; it says nothing of anybody."""
        return self._numbers

    def enter(self, stream: Kept, host: str) -> Network | None:
        """Let a stream in; None if there are too many."""
        counters, options = self._house.counters, self._house.options
        network = self._house.networks.of(host)
        if self._shut or counters.streams >= self._most or network.streams >= options.connections_per_network:
            counters.streams_refused += 1
            return None
        if options.log_addresses:
            log.info("stream %x from %s", self._numbers + 1, host)
        self._numbers += 1
        network.streams += 1
        counters.streams += 1
        counters.streams_taken += 1
        self._slices[self._numbers % _SLICES].add(stream)
        self._greeting.add(stream)
        return network

    def leave(self, stream: Kept, network: Network, *, kept: int, up: bool) -> None:
        """A stream has ended."""
        network.streams -= 1
        self._house.counters.streams -= 1
        self._house.counters.clients -= up
        self._partial -= kept
        network.partial -= kept
        self.moves(stream, network)
        for each in (*self._slices, self._greeting, self._flowing):
            each.discard(stream)
        if self._empty is not None and not any(self._slices):
            self._empty.set()

    def greet(self, network: Network, now: float) -> bool | None:
        """A handshake begins.

        Returns:
            Whether its caller gets a puzzle; None if there are too many.
        """
        counters, options = self._house.counters, self._house.options
        if (
            counters.greeting >= options.handshakes
            or network.greeting >= options.handshakes_per_network
            or not network.handshakes.take(1, now)
        ):
            counters.streams_refused += 1
            return None
        counters.greeting += 1
        network.greeting += 1
        return counters.greeting > relay_limits.PUZZLE_HALF_OPEN

    def greeted(self, stream: Kept, network: Network, *, completed: bool) -> None:
        """A handshake is over."""
        counters = self._house.counters
        counters.greeting -= 1
        network.greeting -= 1
        self._greeting.discard(stream)
        if completed:
            counters.handshakes += 1
            counters.clients += 1
        else:
            counters.handshakes_failed += 1

    def flows(self, stream: Kept) -> None:
        """A link has to be told the time for a while."""
        self._flowing.add(stream)

    def keeps(self, network: Network, more: int) -> bool:
        """So many bytes more wait for the rest of a record or a request; returns whether that is bearable."""
        self._partial += more
        network.partial += more
        return more <= 0 or (
            self._partial <= relay_limits.PARTIAL_MAX and network.partial <= relay_limits.PARTIAL_PER_NETWORK
        )

    def stalls(self, stream: Kept, network: Network, octets: int) -> None:
        """So many bytes wait for a stream that does not take them.

        If that is too much in all, or for its network, the one there is dropped that has taken nothing for
        longest: whoever reads at all is not that one for long.
        """
        self.moves(stream, network)
        network.stalled[stream] = octets
        network.waiting += octets
        self._waiting += octets
        while network.stalled and (
            self._waiting > relay_limits.WAITING_MAX or network.waiting > relay_limits.WAITING_PER_NETWORK
        ):
            oldest = cast("Kept", next(iter(network.stalled)))
            self.moves(oldest, network)
            oldest.give_up()

    def moves(self, stream: Kept, network: Network) -> None:
        """A stream has taken what waited for it, or is no more."""
        octets = network.stalled.pop(stream, 0)
        network.waiting -= octets
        self._waiting -= octets

    async def watch(self) -> None:
        """Look at all streams, again and again."""
        loop, round_ = asyncio.get_running_loop(), 0
        while True:
            await asyncio.sleep(1)
            round_ += 1
            now = loop.time()
            for stream in list(self._flowing):
                if not stream.tick(now):
                    self._flowing.discard(stream)
            for stream in list(self._greeting):
                stream.check(now)
            for stream in list(self._slices[round_ % _SLICES]):
                stream.check(now)
            self._house.flush()
            if round_ % _FORGET == 0:
                self._house.networks.forget(now)

    async def close(self) -> None:
        """End all streams; returns when they have ended, or soon after."""
        self._shut = True
        streams = [stream for each in self._slices for stream in each]
        for stream in streams:
            stream.say_goodbye()
        if streams:
            self._empty = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limits.CLOSE_WAIT):
                    await self._empty.wait()
