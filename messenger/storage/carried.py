"""What relays have of what we wrote, and until when they keep it (SPEC.md 11.1)."""

from collections.abc import Sequence
from typing import Final

from messenger.core import limits
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Message, MessageState, Standing
from messenger.storage.database import Database
from messenger.storage.rows import MESSAGE_COLUMNS, message_from
from messenger.storage.sealed import KIND_MESSAGE
from messenger.storage.traffic import has_come

_HELD_UNTIL: Final = """
UPDATE sealed_outbox SET until_ms = ?1 WHERE position IN (
    SELECT position FROM messages WHERE conversation = ?2 AND outgoing = 1 AND id = ?3
    UNION ALL SELECT position FROM actions WHERE conversation = ?2 AND outgoing = 1 AND id = ?3
)
"""
_OVER: Final = "until_ms > 0 AND (until_ms <= ?1 OR until_ms > ?2)"
_OVERDUE: Final = f"""
SELECT DISTINCT o.conversation FROM sealed_outbox AS s JOIN outbox AS o USING (position)
JOIN contacts AS c ON c.id = o.conversation
WHERE {_OVER} AND c.standing = {Standing.ACCEPTED:d} ORDER BY o.conversation
"""  # noqa: S608
_OVERDUE_OF: Final = f"""
SELECT s.position, s.kind FROM sealed_outbox AS s JOIN outbox AS o USING (position)
WHERE {_OVER} AND o.conversation = ?3 ORDER BY s.position
"""  # noqa: S608
_LET_GO: Final = "UPDATE sealed_outbox SET until_ms = 0 WHERE position = ?"
_REQUEUE_ONE: Final = f"""
UPDATE messages SET state = {MessageState.QUEUED:d}
WHERE position = ? AND outgoing = 1 AND state = {MessageState.SENT:d} RETURNING {MESSAGE_COLUMNS}
"""  # noqa: S608
_REQUEUE_ACTION: Final = f"""
UPDATE actions SET state = {MessageState.QUEUED:d} WHERE position = ? AND outgoing = 1
"""  # noqa: S608


class CarriedTable:
    """The sealed messages that a relay has said to keep, and that have no receipt."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(self, conversation: ConversationId, ids: Sequence[MessageId], until_ms: int) -> list[MessageId]:
        """A relay has these.

        Args:
            conversation: For whom they are.
            ids: Of messages and actions.
            until_ms: When it forgets them, Unix milliseconds.

        Returns:
            Those of them that were not to be sealed anew meanwhile, and have no receipt yet.
        """
        with self._database.write():
            change = self._database.change
            return [id_ for id_ in ids if change(_HELD_UNTIL, (until_ms, conversation, id_))]

    def overdue(self, now_ms: int) -> list[ConversationId]:
        """For whom relays have kept something without a receipt for as long as they do."""
        return [ConversationId(row[0]) for row in self._database.rows(_OVERDUE, _over(now_ms))]

    def requeue_overdue(self, conversation: ConversationId, now_ms: int, anew: int) -> list[Message]:
        """Let what no relay has any more wait again.

        Args:
            conversation: For whom it is.
            now_ms: Unix milliseconds.
            anew: Of how many messages the sealed bytes are forgotten, the oldest first, so that they are
                sealed anew and acknowledged by whoever has them; of others, and of first contacts, they stay.

        Returns:
            The texts among it.
        """
        moved: list[Message] = []
        with self._database.write():
            for position, kind in self._database.rows(_OVERDUE_OF, (*_over(now_ms), conversation)):
                moved += [message_from(row) for row in self._database.rows(_REQUEUE_ONE, (position,))]
                self._database.rows(_REQUEUE_ACTION, (position,))
                if kind == KIND_MESSAGE and anew > 0:
                    anew -= 1
                    self._database.rows("DELETE FROM sealed_outbox WHERE position = ?", (position,))
                else:
                    self._database.rows(_LET_GO, (position,))
        return moved

    def has_come(self, conversation: ConversationId, id_: MessageId) -> bool:
        """Whether what a contact wrote or did has come before, carried or by a link."""
        return has_come(self._database, conversation, id_)


def _over(now_ms: int) -> tuple[int, int]:
    """The bounds for `_OVER`; what ends later than anything can was noted when the clock was wrong."""
    return now_ms, now_ms + limits.MAILBOX_LIFETIME * 1000
