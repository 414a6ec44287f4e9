"""Our own prekeys, and the list of them that was signed last (SPEC.md 10.6)."""

from collections.abc import Sequence

from messenger.core.ids import Fingerprint
from messenger.storage.database import Database


class PrekeyTable:
    """Prekeys by id. Their secrets are values that only the engine can read.

    They are no part of backups (`messenger.storage.sealed.mark_copy`), and what is deleted is
    overwritten and taken out of the log of the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, own: Fingerprint, prekeys: Sequence[tuple[bytes, int, bytes]]) -> None:
        """Store new prekeys, before anybody learns of them.

        Args:
            own: Who we are to those who use them.
            prekeys: Of each its id (16 bytes), when it was made (Unix seconds), and its secret.
        """
        with self._database.write():
            for id_, made, secret in prekeys:
                self._database.rows(
                    "INSERT INTO prekeys (id, own, made, secret) VALUES (?, ?, ?, ?)",
                    (id_, own, made, secret),
                )

    def get(self, id_: bytes, own: Fingerprint) -> bytes | None:
        """The secret of a prekey, or None if it was used, is forgotten, or was that of somebody we were."""
        row = self._database.row("SELECT secret FROM prekeys WHERE id = ? AND own = ?", (id_, own))
        return bytes(row[0]) if row else None

    def all(self, own: Fingerprint) -> list[bytes]:
        """The secrets of all, the oldest first."""
        rows = self._database.rows("SELECT secret FROM prekeys WHERE own = ? ORDER BY made, id", (own,))
        return [bytes(row[0]) for row in rows]

    def use(self, id_: bytes) -> None:
        """Delete one, in the transaction that stores what it has opened; `shred` afterwards."""
        with self._database.write():
            self._database.rows("DELETE FROM prekeys WHERE id = ?", (id_,))

    def purge(self, before: int) -> None:
        """Delete those that were made before a time in Unix seconds."""
        with self._database.write():
            gone = self._database.change("DELETE FROM prekeys WHERE made < ?", (before,))
        if gone:
            self.shred()

    def shred(self) -> None:
        """Take what was deleted out of the log too, as far as the disk allows."""
        self._database.shred()

    def put_list(self, own: Fingerprint, serial: int, signed: bytes) -> None:
        """Store the list that was signed last; its serial is greater than that of the one before."""
        with self._database.write():
            self._database.rows(
                "INSERT OR REPLACE INTO prekey_lists (own, serial, list) VALUES (?, ?, ?)",
                (own, serial, signed),
            )

    def list(self, own: Fingerprint) -> tuple[int, bytes] | None:
        """Serial and wire form of the list that was signed last, or None."""
        row = self._database.row("SELECT serial, list FROM prekey_lists WHERE own = ?", (own,))
        return (row[0], bytes(row[1])) if row else None
