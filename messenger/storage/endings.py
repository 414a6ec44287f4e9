"""How transfers have ended whose messages are gone from here: the other side may still ask.

A trigger of the tables notes it when a message goes (`messenger.storage.version_6`). Names of files are not
kept.
"""

from typing import Final

import msgspec

from messenger.core.errors import DatabaseDamaged
from messenger.core.ids import ConversationId, MessageId
from messenger.core.transfers import Trouble, Wish
from messenger.storage.database import Database

_FIND: Final = """
SELECT wish, trouble, count, heard, root FROM endings WHERE conversation = ? AND outgoing = ? AND message = ?
"""


class Ending(msgspec.Struct, frozen=True):
    """What we wanted of a transfer last."""

    wish: Wish
    trouble: Trouble
    count: int
    """Of our wish."""
    heard: int
    """Of theirs."""
    root: bytes
    """Proof that all has come; may be empty."""


class EndingTable:
    """Endings, each for `store_limits.FORGOTTEN_KEPT`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, conversation: ConversationId, message: MessageId, *, outgoing: bool) -> Ending | None:
        """How the transfer ended that a message offered, or None.

        Args:
            conversation: With whom.
            message: Id of the message that is gone.
            outgoing: Whether we had offered it.
        """
        row = self._database.row(_FIND, (conversation, int(outgoing), message))
        if row is None:
            return None
        try:
            wish, trouble = Wish(row[0]), Trouble(row[1])
        except ValueError as e:
            raise DatabaseDamaged("ending") from e
        return Ending(wish, trouble, row[2], row[3], bytes(row[4]))


def purge(database: Database, now_ms: int) -> None:
    """Forget what nobody asks for any more, in a transaction of the caller."""
    database.rows("DELETE FROM endings WHERE until_ms <= ?", (now_ms,))
