"""How much comes from where: streams, handshakes, requests and queues of each network."""

from typing import Final

from messenger.core import relay_limits
from messenger.net.listen import network_of

_SOON: Final = 0.001


class Bucket:
    """So much at once, and then so much a second.

    Args:
        rate: What flows in, a second.
        burst: How much it holds; it is full at first.
    """

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = self._level = burst
        self._at = 0.0

    def take(self, amount: float, now: float) -> bool:
        """Take something out, if it is there; returns whether it was."""
        self._flow(now)
        if amount > self._level:
            return False
        self._level -= amount
        return True

    def spend(self, amount: float, now: float) -> float:
        """Take something out, there or not; returns for how many seconds to take nothing more."""
        level = self._level + (now - self._at) * self._rate
        self._at = now
        level = self._level = (level if level < self._burst else self._burst) - amount  # noqa: FURB136 -- each message passes here
        return 0.0 if level >= 0 else max(-level / self._rate, _SOON)

    def full(self, now: float) -> bool:
        """Whether it is as if nothing had ever been taken."""
        self._flow(now)
        return self._level >= self._burst

    def _flow(self, now: float) -> None:
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now


class Network:
    """One /24 or /56."""

    __slots__ = (
        "greeting", "handshakes", "looks", "name", "octets", "partial", "queues", "requests", "stalled",
        "streams", "waiting",
    )  # fmt: skip

    def __init__(self, name: str, *, queues: int, requests: int, octets: int) -> None:
        self.name = name
        self.streams = 0
        """How many there are."""
        self.greeting = 0
        """Handshakes in progress."""
        self.partial = 0
        """Bytes of records and requests that have begun."""
        self.stalled: dict[object, int] = {}
        """Streams that do not take what waits for them, and bytes of that; the longest so are first."""
        self.waiting = 0
        """Bytes of all these."""
        self.handshakes = Bucket(relay_limits.HANDSHAKES_PER_SECOND, relay_limits.HANDSHAKES_BURST)
        self.looks = Bucket(relay_limits.LOOKS_PER_SECOND, relay_limits.LOOKS_BURST)
        """Into the directory."""
        self.queues = Bucket(queues / relay_limits.QUEUES_PERIOD, queues)
        self.requests = Bucket(requests, requests)
        self.octets = Bucket(octets, octets)

    def spend(self, octets: int, requests: int, now: float) -> float:
        """Count what has come from here; returns for how many seconds to take nothing more."""
        wait = self.octets.spend(octets, now)
        return max(wait, self.requests.spend(requests, now)) if requests else wait

    def forgettable(self, now: float) -> bool:
        """Whether one made anew would be the same."""
        buckets = (self.handshakes, self.looks, self.queues, self.requests, self.octets)
        return not self.streams and all(bucket.full(now) for bucket in buckets)


class Networks:
    """All networks that something has come from lately.

    Args:
        queues: Queues that may be made from one in `relay_limits.QUEUES_PERIOD`.
        requests: Requests a second from one.
        octets: Bytes a second from one.
    """

    def __init__(self, *, queues: int, requests: int, octets: int) -> None:
        self._queues = queues
        self._requests = requests
        self._octets = octets
        self._known: dict[str, Network] = {}

    def of(self, host: str) -> Network:
        """The network of an IP address."""
        name = network_of(host)
        network = self._known.get(name)
        if network is None:
            network = self._known[name] = Network(
                name, queues=self._queues, requests=self._requests, octets=self._octets
            )
        return network

    def forget(self, now: float) -> None:
        """Forget those that nothing has to be remembered of."""
        for name in [name for name, network in self._known.items() if network.forgettable(now)]:
            del self._known[name]
