"""How long messages are kept.

What waits to be sent, or has not been seen, is never too old. The ids of theirs that are deleted are
remembered for a while: a message whose receipt was lost is sent again, and must not come back.
"""

import json
from typing import Final

from messenger.core import store_limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId
from messenger.core.models import MessageState
from messenger.storage import endings
from messenger.storage.actions import ActionTable
from messenger.storage.calendar import DAY_MS
from messenger.storage.database import Database
from messenger.storage.rows import IS_THERE
from messenger.storage.search import forgetting
from messenger.storage.transfers import forget_deleted

_KEPT: Final = ", ".join(str(int(s)) for s in (MessageState.QUEUED, MessageState.SENT, MessageState.UNREAD))
_LIMITED: Final = """
SELECT c.id, coalesce(r.days, ?1) FROM contacts AS c LEFT JOIN retention AS r ON r.conversation = c.id
WHERE coalesce(r.days, ?1) > 0 AND c.standing > 0 ORDER BY c.id
"""
_OLD: Final = f"""
SELECT position FROM messages
WHERE conversation = ?1 AND stored_ms < ?2 AND state NOT IN ({_KEPT})
    AND position <= (SELECT max(last) FROM calendar WHERE conversation = ?1 AND day <= ?2 / {DAY_MS})
ORDER BY position LIMIT ?3
"""  # noqa: S608 -- constants only, here and below
_REMEMBER: Final = """
INSERT OR IGNORE INTO forgotten (conversation, id, until)
SELECT conversation, id, ? FROM messages WHERE outgoing = 0 AND position IN (SELECT value FROM json_each(?))
"""
_DELETE: Final = "DELETE FROM messages WHERE position IN (SELECT value FROM json_each(?))"


class RetentionTable:
    """For how many days the messages of a conversation are kept, where that is not as in the settings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, conversation: ConversationId) -> int | None:
        """Days, 0 for ever; None for as in the settings."""
        row = self._database.row("SELECT days FROM retention WHERE conversation = ?", (conversation,))
        return int(row[0]) if row else None

    def set(self, conversation: ConversationId, days: int | None) -> None:
        """Change it; `expire` does what follows from it.

        Args:
            conversation: Whose messages.
            days: As `get`, at most `store_limits.KEEP_DAYS_MAX`.

        Raises:
            InputError: UNKNOWN, there is no such conversation. BAD_VALUE: no such number of days.
        """
        if days is not None and not 0 <= days <= store_limits.KEEP_DAYS_MAX:
            raise InputError(InputProblem.BAD_VALUE)
        with self._database.write():
            if self._database.row(IS_THERE, (conversation,)) is None:
                raise InputError(InputProblem.UNKNOWN)
            self._database.rows("DELETE FROM retention WHERE conversation = ?", (conversation,))
            if days is not None:
                self._database.rows("INSERT INTO retention VALUES (?, ?)", (conversation, days))

    def expire(self, days: int, now_ms: int) -> ConversationId | None:
        """Delete messages of one conversation that are too old, at most `store_limits.EXPIRE_BATCH`.

        What was deleted is overwritten in the database, in the index, and taken out of its log.

        Args:
            days: As in the settings, 0 for ever.
            now_ms: Unix milliseconds.

        Returns:
            Whose messages were deleted; to be called again then. None if none is too old.
        """
        for conversation, kept in self._database.rows(_LIMITED, (days,)):
            values = (conversation, now_ms - kept * DAY_MS, store_limits.EXPIRE_BATCH)
            positions = [row[0] for row in self._database.rows(_OLD, values)]
            if positions:
                named = json.dumps(positions)
                with forgetting(self._database, len(positions)):
                    self._database.rows(_REMEMBER, (now_ms + store_limits.FORGOTTEN_KEPT * 1000, named))
                    self._database.rows(_DELETE, (named,))
                self._database.shred()
                return ConversationId(conversation)
        with self._database.write():
            self._database.rows("DELETE FROM forgotten WHERE until <= ?", (now_ms,))
            ActionTable(self._database).purge(now_ms)
            forget_deleted(self._database, now_ms)
            endings.purge(self._database, now_ms)
        return None
