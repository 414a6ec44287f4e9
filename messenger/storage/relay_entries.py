"""The directory of a relay."""

from messenger.storage.database import Database


class EntryTable:
    """See `messenger.storage.relay_store.RelayStore` for what all tables have in common."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def serial(self, fingerprint: bytes) -> int | None:
        """The serial of somebody's entry; None if they have none."""
        row = self._database.row("SELECT serial FROM entries WHERE fingerprint = ?", (fingerprint,))
        return None if row is None else int.from_bytes(row[0], "big")

    def put(self, fingerprint: bytes, queue: int, serial: int, not_after: int, entry: bytes) -> bool:
        """Publish an entry in the place of the queue's and the person's before.

        Args:
            fingerprint: Whose it is.
            queue: Number of their request queue.
            serial: Of the entry.
            not_after: Its last second, Unix time.
            entry: As it travels.

        Returns:
            False, with nothing changed, if the person's entry has this serial or a greater one, or there is
            no such queue any more.
        """
        database = self._database
        if database.row("SELECT 1 FROM queues WHERE number = ?", (queue,)) is None:
            return False
        old = self.serial(fingerprint)
        if old is not None and old >= serial:
            return False
        database.change("DELETE FROM entries WHERE queue = ? OR fingerprint = ?", (queue, fingerprint))
        database.change(
            "INSERT INTO entries (fingerprint, queue, serial, not_after, entry) VALUES (?, ?, ?, ?, ?)",
            (fingerprint, queue, serial.to_bytes(8, "big"), not_after, entry),
        )
        return True

    def delete(self, queue: int) -> bool:
        """Take the entry of a queue back; returns whether there was one."""
        return self._database.change("DELETE FROM entries WHERE queue = ?", (queue,)) > 0

    def of(self, queue: int) -> bool:
        """Whether a queue has an entry."""
        return self._database.row("SELECT 1 FROM entries WHERE queue = ?", (queue,)) is not None

    def get(self, fingerprint: bytes, now: int) -> tuple[int, bytes] | None:
        """Number of the queue, and the entry, of one person; None if they have none that is valid."""
        row = self._database.row(
            "SELECT queue, entry FROM entries WHERE fingerprint = ? AND not_after >= ?", (fingerprint, now)
        )
        return None if row is None else (int(row[0]), bytes(row[1]))

    def page(self, after: bytes, most: int, now: int) -> list[tuple[int, bytes, bytes]]:
        """Entries by fingerprint, ascending: number of the queue, fingerprint, entry.

        Args:
            after: Only greater fingerprints; empty for all.
            most: Most entries.
            now: Unix time in seconds.
        """
        rows = self._database.rows(
            "SELECT queue, fingerprint, entry FROM entries WHERE fingerprint > ? AND not_after >= ?"
            " ORDER BY fingerprint LIMIT ?",
            (after, now, most),
        )
        return [(int(row[0]), bytes(row[1]), bytes(row[2])) for row in rows]

    def expire(self, now: int, most: int) -> int:
        """Delete entries whose time is over; returns how many."""
        return self._database.change(
            "DELETE FROM entries WHERE fingerprint IN"
            " (SELECT fingerprint FROM entries WHERE not_after < ? LIMIT ?)",
            (now, most),
        )

    def count(self) -> int:
        """How many there are."""
        return self._database.number("SELECT count(*) FROM entries")
