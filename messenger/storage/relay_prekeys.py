"""The prekeys of request queues, and which of them have been handed out."""

from collections.abc import Sequence

from messenger.storage.database import Database


class PrekeyTable:
    """See `messenger.storage.relay_store.RelayStore` for what all tables have in common."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(
        self, queue: int, serial: int, encoded: bytes, prekeys: Sequence[tuple[bytes, bool, bytes]]
    ) -> bool:
        """Put a list and its prekeys in the place of those before.

        Args:
            queue: Number of the queue.
            serial: Of the list.
            encoded: The list.
            prekeys: Hash, whether it is of last resort, and the prekey, of each.

        Returns:
            False, with nothing changed, if the serial is smaller than that of the list before, or there is
            no such queue any more.
        """
        database = self._database
        if database.row("SELECT 1 FROM queues WHERE number = ?", (queue,)) is None:
            return False
        new = serial.to_bytes(8, "big")
        old = database.row("SELECT serial FROM prekey_lists WHERE queue = ?", (queue,))
        if old is not None and bytes(old[0]) > new:
            return False
        rows = database.rows("SELECT hash FROM prekeys WHERE queue = ? AND given = 1", (queue,))
        given = {bytes(row[0]) for row in rows}
        database.change("DELETE FROM prekey_lists WHERE queue = ?", (queue,))
        database.change(
            "INSERT INTO prekey_lists (queue, serial, list) VALUES (?, ?, ?)", (queue, new, encoded)
        )
        for hash_, last_resort, prekey in prekeys:
            database.change(
                "INSERT INTO prekeys (queue, hash, last_resort, given, prekey) VALUES (?, ?, ?, ?, ?)",
                (queue, hash_, int(last_resort), int(hash_ in given), prekey),
            )
        return True

    def take(self, queue: int) -> tuple[bytes, bytes] | None:
        """The list of a queue and a prekey that was not handed out before, or the one of last resort.

        Returns:
            None if there is no list.
        """
        found = self._database.row(
            "SELECT list, hash, last_resort, prekey FROM prekeys JOIN prekey_lists USING (queue)"
            " WHERE queue = ? AND (given = 0 OR last_resort = 1) ORDER BY last_resort, hash LIMIT 1",
            (queue,),
        )
        if found is None:
            return None
        encoded, hash_, last_resort, prekey = found
        if not last_resort:
            self._database.change("UPDATE prekeys SET given = 1 WHERE queue = ? AND hash = ?", (queue, hash_))
        return bytes(encoded), bytes(prekey)

    def left(self, queue: int) -> int:
        """How many prekeys that are used once have not been handed out."""
        return self._database.number(
            "SELECT count(*) FROM prekeys WHERE queue = ? AND given = 0 AND last_resort = 0", (queue,)
        )
