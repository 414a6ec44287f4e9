"""The queues of a relay: ids, keys, and when they were used."""

from dataclasses import dataclass
from typing import Final

from messenger.storage.database import Database, Row

_DAY: Final = 24 * 3600
_COLUMNS: Final = "number, kind, recv_id, send_id, recv_key, send_key"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One queue.

    Attributes:
        number: Of this queue and never of another one.
        kind: 1 or 2, see `messenger.protocol.relay_queues.QueueKind`.
        recv_id: 24 bytes, for its owner.
        send_id: 24 bytes, for those who write.
        recv_key: 32 bytes.
        send_key: 32 bytes.
    """

    number: int
    kind: int
    recv_id: bytes
    send_id: bytes
    recv_key: bytes
    send_key: bytes

    def __repr__(self) -> str:
        return f"QueueRow({self.number}, {self.kind})"


class QueueTable:
    """See `messenger.storage.relay_store.RelayStore` for what all tables have in common."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: QueueRow, now: int) -> QueueRow:
        """Make a queue; returns it with its number.

        Args:
            row: With any number: it gets one of its own.
            now: Unix time in seconds.
        """
        values = (row.kind, row.recv_id, row.send_id, row.recv_key, row.send_key, now // _DAY)
        number = self._database.number(
            "INSERT INTO queues (kind, recv_id, send_id, recv_key, send_key, used) VALUES (?, ?, ?, ?, ?, ?)"
            " RETURNING number",
            values,
        )
        return QueueRow(number, *values[:-1])

    def by_recv(self, recv_id: bytes) -> QueueRow | None:
        """The queue of that owner's id, or None."""
        return _queue(self._database.row(f"SELECT {_COLUMNS} FROM queues WHERE recv_id = ?", (recv_id,)))  # noqa: S608 -- constants

    def by_send(self, send_id: bytes) -> QueueRow | None:
        """The queue of that writers' id, or None."""
        return _queue(self._database.row(f"SELECT {_COLUMNS} FROM queues WHERE send_id = ?", (send_id,)))  # noqa: S608 -- constants

    def use(self, number: int, now: int) -> None:
        """Note that somebody has, or has had, a subscription of it."""
        day = now // _DAY
        self._database.change("UPDATE queues SET used = ? WHERE number = ? AND used < ?", (day, number, day))

    def forgive(self, now: int) -> None:
        """For days on which nobody had a subscription of any of them, the relay was off: they do not count.

        Done before a day is noted for any queue.

        Args:
            now: Unix time in seconds.
        """
        last = self._database.number("SELECT coalesce(max(used), 0) FROM queues")
        if now // _DAY - last > 1:
            self._database.change("UPDATE queues SET used = used + ?", (now // _DAY - last,))

    def delete(self, number: int) -> bool:
        """Delete a queue with all that is in it; returns whether there was one."""
        return self._database.change("DELETE FROM queues WHERE number = ?", (number,)) > 0

    def unused(self, before: int, most: int) -> list[int]:
        """Numbers of queues that have had no subscription since a time (Unix seconds)."""
        rows = self._database.rows(
            "SELECT number FROM queues WHERE used < ? ORDER BY used LIMIT ?", (before // _DAY, most)
        )
        return [int(row[0]) for row in rows]

    def count(self) -> int:
        """How many there are."""
        return self._database.number("SELECT count(*) FROM queues")


def _queue(row: Row | None) -> QueueRow | None:
    return None if row is None else QueueRow(*row)
