"""What lies in the queues of a relay until it is fetched."""

from collections.abc import Sequence
from enum import Enum, auto

from messenger.storage.database import Database


class Put(Enum):
    """What became of an envelope."""

    STORED = auto()
    """It is in the queue, now or since earlier."""
    FULL = auto()
    """The queue holds as many messages or bytes as it may."""
    GONE = auto()
    """There is no such queue."""
    NO_ROOM = auto()
    """The relay may not fill its disk any further."""


class MessageTable:
    """See `messenger.storage.relay_store.RelayStore` for what all tables have in common."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self, queue: int, hash_: bytes, envelope: bytes, now: int, quota: tuple[int, int, int], since: int
    ) -> Put:
        """Put an envelope into a queue, unless it is there already.

        Args:
            queue: Number of the queue.
            hash_: SHA-256 of the envelope.
            envelope: The bytes.
            now: Unix time in seconds.
            quota: Most messages and bytes of the queue, and bytes for which there is room on the disk.
            since: What came before this time (Unix seconds) is forgotten, deleted or not yet.
        """
        database = self._database
        known = database.row(
            "SELECT number, came >= ? FROM messages WHERE queue = ? AND hash = ?", (since, queue, hash_)
        )
        if known is not None and known[1]:
            return Put.STORED
        count, octets, there = database.row(
            "SELECT count(*), coalesce(sum(size), 0), (SELECT 1 FROM queues WHERE number = ?)"
            " FROM messages WHERE queue = ? AND came >= ?",
            (queue, queue, since),
        ) or (0, 0, None)
        if not there:
            return Put.GONE
        if count >= quota[0] or octets + len(envelope) > quota[1]:
            return Put.FULL
        if len(envelope) > quota[2]:
            return Put.NO_ROOM
        if known is not None:  # nobody is brought that one any more
            database.change("DELETE FROM messages WHERE number = ?", (known[0],))
        database.rows(
            "INSERT INTO messages (queue, hash, size, came, envelope) VALUES (?, ?, ?, ?, ?)",
            (queue, hash_, len(envelope), now, envelope),
        )
        return Put.STORED

    def after(
        self, queue: int, number: int, most: int, octets: int, since: int
    ) -> list[tuple[int, bytes, bytes]]:
        """Messages of a queue, the oldest first: number, hash, envelope.

        Args:
            queue: Number of the queue.
            number: Only those with greater ones.
            most: Most messages.
            octets: Stop when that many bytes have been read.
            since: Only those that came at this time (Unix seconds) or later.
        """
        heads = self._database.rows(
            "SELECT number, size FROM messages WHERE queue = ? AND number > ? AND came >= ?"
            " ORDER BY number LIMIT ?",
            (queue, number, since, most),
        )
        found: list[tuple[int, bytes, bytes]] = []
        for each, size in heads:
            if found and octets < size:
                break
            octets -= size
            row = self._database.row("SELECT number, hash, envelope FROM messages WHERE number = ?", (each,))
            if row is not None:
                found.append((int(row[0]), bytes(row[1]), bytes(row[2])))
        return found

    def count(self, queue: int, since: int) -> int:
        """How many messages are in a queue."""
        return self._database.number(
            "SELECT count(*) FROM messages WHERE queue = ? AND came >= ?", (queue, since)
        )

    def total(self) -> tuple[int, int]:
        """How many messages there are in all queues, and their bytes."""
        row = self._database.row("SELECT count(*), coalesce(sum(size), 0) FROM messages") or (0, 0)
        return int(row[0]), int(row[1])

    def forget(self, queue: int, hashes: Sequence[bytes]) -> None:
        """Delete messages of a queue; hashes that are not there are passed over."""
        for hash_ in hashes:
            self._database.change("DELETE FROM messages WHERE queue = ? AND hash = ?", (queue, hash_))

    def octets(self, queue: int) -> int:
        """Bytes of all messages of a queue, out of date or not."""
        return self._database.number("SELECT sum(size) FROM messages WHERE queue = ?", (queue,))

    def expire(self, before: int, most: int, octets: int) -> int:
        """Delete messages that came before a time (Unix seconds), the oldest first; returns how many.

        Args:
            before: The time.
            most: Most messages.
            octets: Stop when that many bytes have been deleted: each is overwritten.
        """
        rows = self._database.rows(
            "SELECT number, size FROM messages WHERE came < ? ORDER BY came LIMIT ?", (before, most)
        )
        gone = 0
        for number, size in rows:
            if octets <= 0:
                break
            octets -= size
            gone += self._database.change("DELETE FROM messages WHERE number = ?", (number,))
        return gone
