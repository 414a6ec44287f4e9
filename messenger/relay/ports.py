"""What the parts of a relay know of each other, where one would otherwise import the other."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from messenger.protocol.relay_service import RelayService
from messenger.protocol.relay_word import Code, EndReason
from messenger.relay.rates import Network


class Letter(msgspec.Struct, eq=False):
    """An envelope in memory that nobody has been told of as durable.

    Attributes:
        envelope: Its bytes; none of one that is lost.
        hash: Their SHA-256.
        since: When it came, seconds of the loop's clock.
        writers: Who waits for an answer, with the tags of their requests.
        storing: It is on its way to the disk.
        acknowledged: Its receiver has it.
        lost: The disk did not take it.
    """

    envelope: bytes
    hash: bytes
    since: float
    writers: "list[tuple[Correspondent, int]]"
    storing: bool = False
    acknowledged: bool = False
    lost: bool = False

    def done(self) -> None:
        """It is durable."""
        for client, tag in self.writers:
            client.done(tag)
        self.writers.clear()

    def failed(self, code: Code) -> None:
        """It could not be kept."""
        for client, tag in self.writers:
            client.failed(tag, code)
        self.writers.clear()


class Delivery(Protocol):
    """A subscription; see `messenger.relay.subscription`."""

    tag: int
    ended: bool

    @property
    def recv_id(self) -> bytes:
        """Id of the queue."""

    @property
    def client(self) -> "Correspondent":
        """Whose it is."""

    def hand(self, letter: Letter) -> bool:
        """Bring an envelope at once; False if it has to wait."""

    def acknowledge(self, hashes: Sequence[bytes]) -> None:
        """The client has these."""

    def more(self) -> None:
        """There is something on the disk that was not brought."""

    def pump(self) -> None:
        """Bring what waits, as far as there is room."""

    def end(self) -> None:
        """It is over."""


class Correspondent(Protocol):
    """A client; see `messenger.relay.client`."""

    service: RelayService
    subscriptions: dict[int, Delivery]
    """By their tags."""
    now: float
    """When it was heard last, seconds of the loop's clock."""
    slow: bool
    """It does not take what waits for it."""
    closed: bool
    """It is gone."""
    short: str
    """What the monitor calls it."""
    network: Network
    """Where it calls from."""
    circuits: int
    """Circuits that it called or was called to, passes that wait among them."""
    changed: Callable[[], None]
    """Called when there is something to send."""

    def may_publish(self) -> bool:
        """Whether it has left the directory alone for long enough; if so, that begins anew."""

    def deliver(self, tag: int, envelope: bytes, hash_: bytes) -> bool:
        """Bring an envelope for a subscription; False if there is no room."""

    def done(self, tag: int) -> None:
        """Answer that a request is done."""

    def failed(self, tag: int, code: Code, seconds: int = 0) -> None:
        """Answer that a request is not done."""

    def ended(self, tag: int, reason: EndReason) -> None:
        """Tell that a subscription has ended."""
