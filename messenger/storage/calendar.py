"""Where in time a conversation stands: jumps to a date, and how large everything is.

A position begins with a time, so a date is found as quickly as a position. The table `calendar` has one
row for each day of a conversation, so sizes take as long for a million messages as for a thousand.
"""

from typing import Final

from messenger.core import limits
from messenger.core.ids import ConversationId
from messenger.core.models import ConversationSize
from messenger.storage.database import Database

DAY_MS: Final = 86_400_000
"""Length of a day of the calendar, which is that of Greenwich."""

_POSITION_MAX: Final = 2**63 - 1
_FIRST: Final = "SELECT min(position) FROM messages WHERE conversation = ? AND position >= ?"
_SIZES: Final = """
SELECT conversation, sum(messages), sum(bytes) FROM calendar
GROUP BY conversation ORDER BY sum(bytes) DESC, conversation
"""


def position_of(at_ms: int) -> int:
    """The smallest position that a message of a time (Unix milliseconds) or later can have."""
    return min(max(at_ms, 0) << limits.ORDER_TIE_BITS, _POSITION_MAX)


def position_at(database: Database, conversation: ConversationId, at_ms: int) -> int | None:
    """The position of the first message of a time or later, or None.

    Args:
        database: Where to read.
        conversation: Whose messages.
        at_ms: Unix milliseconds.
    """
    return database.number(_FIRST, (conversation, position_of(at_ms))) or None


def sizes(database: Database) -> list[ConversationSize]:
    """How large each conversation is that has messages, the largest first."""
    return [
        ConversationSize(conversation=ConversationId(row[0]), messages=row[1], bytes=row[2])
        for row in database.rows(_SIZES)
    ]
