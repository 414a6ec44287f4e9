"""The invites that were given out and not used yet."""

from messenger.storage.database import Database


class InviteTable:
    """Invites by number. Each can be used once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, secret: bytes, now_ms: int, expires_ms: int) -> int:
        """Store the secret of a new invite and return its number.

        Args:
            secret: 16 random bytes (`limits.INVITE_SECRET_SIZE`).
            now_ms: Unix milliseconds.
            expires_ms: From when on it is void, Unix milliseconds.
        """
        with self._database.write():
            return self._database.number(
                "INSERT INTO invites (secret, created_ms, expires_ms) VALUES (?, ?, ?) RETURNING id",
                (secret, now_ms, expires_ms),
            )

    def open(self, now_ms: int) -> list[tuple[int, bytes]]:
        """Number and secret of all invites that can be used now, oldest first."""
        rows = self._database.rows(
            "SELECT id, secret FROM invites WHERE expires_ms > ? ORDER BY id", (now_ms,)
        )
        return [(number, bytes(secret)) for number, secret in rows]

    def use(self, number: int) -> bool:
        """Use up an invite.

        Returns:
            Whether it was there; of two who use it at once, one gets False.
        """
        with self._database.write():
            return self._database.change("DELETE FROM invites WHERE id = ?", (number,)) == 1

    def purge(self, now_ms: int) -> int:
        """Forget invites that have expired and return how many they were."""
        with self._database.write():
            return self._database.change("DELETE FROM invites WHERE expires_ms <= ?", (now_ms,))
