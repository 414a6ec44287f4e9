"""What a relay needs of whoever keeps its queues: the seam between one machine and many.

`messenger.relay.embedded` is the one for a machine of its own: SQLite, nothing to install. One for
several machines has to do the same with a store that they share, and besides:

- **Where a subscription is.** `subscribed` is called when a link here becomes the subscription of a
  queue. If another machine has it, that one must be told: its `News.taken` is called.
- **What comes elsewhere.** When another machine puts an envelope into a queue, or deletes it, the
  machine with the subscription is told by `News.came` or `News.gone`.
- **Handing over.** `messenger.relay.queues` gives an envelope to a subscriber on the same machine
  without asking the broker, and answers its writer once the subscriber has acknowledged it. What
  is not acknowledged soon goes to `put`. So the broker sees only what has to wait.

Methods return futures of the loop that they are called on, so that a message costs no task; they
fail with StorageError or one of its kinds, `NoRoom` among them, and then nothing was written. What they
write is durable when they are done. Calls about one queue take effect in the order in which they were made.
"""

from asyncio import Future
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from messenger.core.errors import DiskFull
from messenger.storage.relay_messages import Put
from messenger.storage.relay_queues import QueueRow

__all__ = ["Broker", "Entries", "News", "NoRoom", "Put", "QueueRow", "Totals"]

Entries = list[tuple[int, bytes, bytes]]
"""Directory entries: number of the queue, fingerprint, encoded entry."""


class Totals(NamedTuple):
    """How much there is."""

    queues: int
    messages: int
    octets: int
    entries: int
    room: int
    """Bytes for which there is room on the disk."""


class NoRoom(DiskFull):
    """The owner of the relay does not let it fill the disk any further; nothing was written."""


class News(Protocol):
    """What a broker tells that has happened on another machine."""

    def came(self, queue: int) -> None:
        """There is more in a queue than there was."""

    def taken(self, queue: int) -> None:
        """The subscription of a queue is on another machine now."""

    def gone(self, queue: int) -> None:
        """A queue has been deleted."""


class Broker(Protocol):
    """Keeps queues, envelopes, prekeys and the directory."""

    def listen(self, news: News) -> None:
        """Say where news go; called once, before anything else."""

    def make(self, kind: int, recv_key: bytes, send_key: bytes) -> "Future[QueueRow]":
        """Make a queue with ids that nobody can guess."""

    def by_recv(self, recv_id: bytes) -> "Future[QueueRow | None]":
        """The queue with that id, or None."""

    def by_send(self, send_id: bytes) -> "Future[QueueRow | None]":
        """The queue with that id, or None."""

    def subscribed(self, queue: QueueRow) -> "Future[tuple[int, int]]":
        """A link on this machine has the subscription of a queue; returns messages and prekeys in it.

        Said once a day for as long as it lasts: whatever nobody has had for long goes with `expire`.
        """

    def put(self, queue: QueueRow, hash_: bytes, envelope: bytes) -> "Future[Put]":
        """Put an envelope into a queue; one that is there already is stored."""

    def fetch(self, queue: QueueRow, after: int, most: int) -> "Future[list[tuple[int, bytes, bytes]]]":
        """The oldest messages with a number greater than `after`: number, hash, envelope."""

    def forget(self, queue: QueueRow, hashes: Sequence[bytes]) -> "Future[None]":
        """Delete messages that have been acknowledged."""

    def delete(self, queue: QueueRow) -> "Future[None]":
        """Delete a queue and all that belongs to it."""

    def put_prekeys(
        self, queue: QueueRow, serial: int, encoded: bytes, prekeys: Sequence[tuple[bytes, bool, bytes]]
    ) -> "Future[bool]":
        """Replace list and prekeys (hash, last resort, prekey); False if the serial goes back."""

    def take_prekey(self, queue: QueueRow) -> "Future[tuple[bytes, bytes] | None]":
        """List and a prekey, handed out once unless it is of last resort; None without a list."""

    def entry_serial(self, fingerprint: bytes) -> "Future[int | None]":
        """Serial of somebody's entry, or None."""

    def publish(
        self, queue: QueueRow, fingerprint: bytes, serial: int, not_after: int, entry: bytes
    ) -> "Future[bool]":
        """Put an entry into the directory; False if the one before has this serial or a greater one."""

    def withdraw(self, queue: QueueRow) -> "Future[bool]":
        """Take a queue's entry back; False if there is none."""

    def has_entry(self, queue: QueueRow) -> "Future[bool]":
        """Whether a queue has one."""

    def look_up(self, fingerprint: bytes) -> "Future[Entries]":
        """The entry of one person, or nothing."""

    def browse(self, after: bytes, most: int) -> "Future[Entries]":
        """Entries with greater fingerprints, ascending."""

    def expire(self) -> "Future[tuple[list[int], bool]]":
        """Delete some of what is out of date; returns the queues that went, and whether there may be more."""

    def totals(self) -> "Future[Totals]":
        """How much there is."""

    async def close(self) -> None:
        """Finish what was begun; nothing may be called afterwards."""
