"""Our own changes of identity, and which contact has confirmed which of them.

The statements also stand in a file beside the key files, for the keys do not go back when a backup of the
database is restored, and nobody else could lead contacts from the key they know to the one that is ours.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from messenger.core import limits, store_limits
from messenger.core.ids import ConversationId
from messenger.core.models import Standing
from messenger.storage.database import Database
from messenger.storage.faults import translated
from messenger.storage.files import written

STATEMENTS_NAME: Final = "successions"
"""The file, in the profile folder."""

_UNTOLD: Final = """
SELECT s.statement FROM successions AS s JOIN contacts AS c ON s.serial > c.told
WHERE c.id = ? AND s.serial <= ? ORDER BY s.serial DESC LIMIT ?
"""
_NEWEST: Final = "SELECT serial, statement, made_ms FROM successions ORDER BY serial DESC LIMIT ?"
_MERGE: Final = "INSERT OR IGNORE INTO successions (serial, statement, made_ms) VALUES (?, ?, ?)"
_UNCONFIRM: Final = """
UPDATE contacts SET told = (
    SELECT coalesce(max(s.serial), 0) FROM successions AS s WHERE s.made_ms < contacts.created_ms
) WHERE id = ? AND told > (
    SELECT coalesce(max(s.serial), 0) FROM successions AS s WHERE s.made_ms < contacts.created_ms
)
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


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A statement as it stands in the file."""

    serial: int
    statement: bytes
    made_ms: int
    """Unix milliseconds."""


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

    def newest(self) -> list[Kept]:
        """The newest statements, oldest first; so many as one link may begin with."""
        rows = self._database.rows(_NEWEST, (limits.SUCCESSIONS_MAX,))
        return [Kept(row[0], bytes(row[1]), row[2]) for row in reversed(rows)]

    def merge(self, kept: Sequence[Kept]) -> None:
        """Take in statements that are not here, because this is an older database."""
        with self._database.write():
            for one in kept:
                self._database.rows(_MERGE, (one.serial, one.statement, one.made_ms))

    def unconfirm(self, conversation: ConversationId) -> bool:
        """A contact has gone back to an older database: they need all statements since they first met us.

        Returns:
            Whether there are any that they had confirmed.
        """
        with self._database.write():
            return self._database.change(_UNCONFIRM, (conversation,)) > 0

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
        rows = self._database.rows(_UNTOLD, (conversation, through, limits.SUCCESSIONS_MAX))
        return [bytes(row[0]) for row in reversed(rows)]

    def most_untold(self) -> int:
        """How many statements the contact has to be told who has been away for the longest time.

        Whoever is blocked is told nothing.
        """
        return self._database.number(_MOST_UNTOLD, (int(Standing.BLOCKED),))

    def confirm(self, conversation: ConversationId, serial: int) -> None:
        """A contact knows us by what we are since a number; one that is not there does not matter."""
        with self._database.write():
            self._database.rows(_CONFIRM, (serial, conversation))


def read_kept(path: Path) -> list[Kept]:
    """Read the statements in the file; none if it is missing or is not what we wrote.

    Raises:
        StorageError: The disk refused.
    """
    try:
        with path.open("rb") as file:
            found = msgspec.msgpack.decode(file.read(store_limits.STATEMENTS_MAX), type=list[Kept])
    except FileNotFoundError:
        return []
    except OSError as e:
        raise translated(e) from e
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    sound = [one for one in found if 0 < one.serial < 2**32 and 0 <= one.made_ms < 2**53]
    return sound[-limits.SUCCESSIONS_MAX :]


def write_kept(path: Path, kept: Sequence[Kept]) -> None:
    """Write the statements into the file, durably, in place of what was there.

    Raises:
        StorageError: The disk refused; what was there is as it was.
    """
    with written(path) as file:
        file.write(msgspec.msgpack.encode(list(kept)))
