"""What all clients of a relay share, and what they may have."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from messenger.core import relay_limits
from messenger.core.errors import StorageError
from messenger.core.ids import Fingerprint
from messenger.crypto.identity import Bundle
from messenger.crypto.vault import Vault
from messenger.protocol.relay_word import Welcome
from messenger.relay.broker import Broker, NoRoom
from messenger.relay.circuits import Circuits
from messenger.relay.counters import Counters
from messenger.relay.monitor import Monitor
from messenger.relay.options import RelayOptions
from messenger.relay.queues import Queues
from messenger.relay.rates import Networks
from messenger.relay.statuses import Statuses

log: Final = logging.getLogger(__name__)

_BOUND: Final = ", as disk_bytes or disk_free says"


class Flushed(Protocol):
    """Whoever has something to send."""

    def flush(self) -> None:
        """Send it."""


@dataclass
class Keys:
    """Who the relay is.

    Attributes:
        vault: Signs and unwraps.
        bundle: What it hands to clients; replaced when the exchange key is.
    """

    vault: Vault
    bundle: Bundle

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint by which clients know the relay."""
        return self.bundle.fingerprint


class House:
    """The inside of a relay.

    Args:
        options: Of the owner.
        keys: Who it is.
        broker: Keeps what waits.
        now: Unix time in seconds.
    """

    def __init__(self, options: RelayOptions, keys: Keys, broker: Broker, now: Callable[[], int]) -> None:
        self.options = options
        self.keys = keys
        self.broker = broker
        self.unix = now
        self.counters = Counters()
        self.monitor = Monitor(options.traffic_bytes)
        self.networks = Networks(
            queues=options.queues_per_network,
            requests=options.requests_per_network,
            octets=options.bytes_per_network,
        )
        self.queues = Queues(broker, self.trouble, self.flush, options.subscriptions)
        self.statuses = Statuses()
        self.circuits = Circuits(options.circuit_rules(), self.counters, self.monitor)
        self.welcome: Welcome = options.welcome()
        self.clock = asyncio.get_running_loop().time
        self._dirty: set[Flushed] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._troubled: float | None = None
        self._told: dict[str, float] = {}
        """When each kind of trouble was written into the log."""

    def rouse(self, who: Flushed) -> None:
        """Somebody has something to send at the next `flush`."""
        self._dirty.add(who)

    def rouser(self, who: Flushed) -> Callable[[], None]:
        """`rouse` for one, to be called without anything."""
        return partial(self._dirty.add, who)

    def flush(self) -> None:
        """Send what everybody has to be told."""
        while self._dirty:
            self._dirty.pop().flush()

    def soon(self, job: Coroutine[Any, Any, None]) -> None:
        """Do something that takes a while."""
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._did)

    def trouble(self, error: StorageError) -> None:
        """Note that the disk, or the database, could not do something."""
        self.counters.troubles += 1
        kind, now = type(error).__name__, self.clock()
        self._troubled = now
        if now - self._told.get(kind, -relay_limits.TROUBLE_SHOWN) >= relay_limits.TROUBLE_SHOWN:
            self._told[kind] = now  # a log that grows with each request would fill the disk up for good
            log.error("storage: %s%s", kind, _BOUND if isinstance(error, NoRoom) else "")

    def in_trouble(self) -> bool:
        """Whether the disk, or the database, could not do something lately."""
        return self._troubled is not None and self.clock() - self._troubled < relay_limits.TROUBLE_SHOWN

    async def settle(self) -> None:
        """Wait for what was begun."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _did(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a request was not handled", exc_info=error)
        self.flush()
