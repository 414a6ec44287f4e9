"""Our own changes of identity, and which contact has confirmed which of them."""

from typing import Final

from messenger.core.ids import ConversationId
from messenger.core.models import Standing
from messenger.storage.database import Database

_UNTOLD: Final = """
SELECT s.statement FROM successions AS s JOIN contacts AS c ON s.serial > c.told
WHERE c.id = ? AND s.serial <= ? ORDER BY s.serial
"""
_MOST_UNTOLD: Final = """
SELECT max((SELECT count(*) FROM successions AS s WHERE s.serial > c.told)) FROM contacts AS c
WHERE c.standing NOT IN (0, ?)
"""
_CONFIRM: Final = """
UPDATE contacts SET told = max(told, min(?, (SELECT coalesce(max(serial), 0) FROM successions)))
WHERE id = ?
"""
_NEXT_SERIAL: Final = """
SELECT 1 + max(
    (SELECT coalesce(max(serial), 0) FROM successions), (SELECT coalesce(max(told), 0) FROM contacts)
)
"""


class SuccessionTable:
    """Statements by serial, oldest first. None is forgotten: a contact may be away for years."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, serial: int, statement: bytes, now_ms: int) -> None:
        """Store a statement, before the identity that it names is adopted.

        Args:
            serial: Its number, from `next_serial`.
            statement: Its wire form.
            now_ms: Unix milliseconds.
        """
        with self._database.write():
            self._database.rows(
                "INSERT INTO successions (serial, statement, made_ms) VALUES (?, ?, ?)",
                (serial, statement, now_ms),
            )

    def next_serial(self) -> int:
        """A number that no statement had before which anybody may have seen."""
        return self._database.number(_NEXT_SERIAL)

    def last(self) -> tuple[int, bytes] | None:
        """Number and wire form of the newest statement, or None."""
        row = self._database.row("SELECT serial, statement FROM successions ORDER BY serial DESC LIMIT 1")
        return (row[0], bytes(row[1])) if row else None

    def drop_after(self, serial: int) -> None:
        """Forget the statements with larger numbers: the identities that they name were never adopted."""
        with self._database.write():
            self._database.rows("DELETE FROM successions WHERE serial > ?", (serial,))

    def untold(self, conversation: ConversationId, through: int) -> list[bytes]:
        """The statements that a contact has not confirmed, up to and including a number, oldest first."""
        return [bytes(row[0]) for row in self._database.rows(_UNTOLD, (conversation, through))]

    def most_untold(self) -> int:
        """How many statements the contact has to be told who has been away for the longest time.

        Whoever is blocked is told nothing.
        """
        return self._database.number(_MOST_UNTOLD, (int(Standing.BLOCKED),))

    def confirm(self, conversation: ConversationId, serial: int) -> None:
        """A contact knows us by what we are since a number; one that is not there does not matter."""
        with self._database.write():
            self._database.rows(_CONFIRM, (serial, conversation))
