"""How messages move from one state to another, as SQL; `messenger.core.models.AFTER` is the table."""

import json
from typing import Final

from messenger.core.models import AFTER, MessageState
from messenger.storage.rows import MESSAGE_COLUMNS

_NOW: Final = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
"""The time at which a statement runs, Unix milliseconds; good enough to be shown, and for nothing else."""
_MOVE: Final = f"""
UPDATE messages SET state = ?1, reason = ?2,
    delivered_ms = iif(?1 IN (3, 4), coalesce(delivered_ms, {_NOW}), delivered_ms),
    read_ms = iif(?1 = 4, {_NOW}, read_ms)
WHERE conversation = ?3 AND outgoing = 1 AND state IN (SELECT value FROM json_each(?4))
    AND NOT (state = 5 AND deleted = 1 AND ?1 = 1) -- what is deleted is not tried again
    AND kind = 2 -- lines about the conversation are not sent
"""  # noqa: S608 -- constants only, here and below
ADVANCE: Final = f"{_MOVE} AND id = ?5 RETURNING {MESSAGE_COLUMNS}"
ADVANCE_THROUGH: Final = f"{_MOVE} AND seq <= ?5 RETURNING {MESSAGE_COLUMNS}"
MARK_SEEN: Final = f"""
UPDATE messages SET state = 7, read_ms = {_NOW} WHERE conversation = ? AND state = 6 AND position <= ?
RETURNING position, id, seq, timer
"""  # noqa: S608
SEEN_SEQ: Final = """
SELECT min(
    (SELECT max(seq) FROM messages WHERE conversation = ?1 AND outgoing = 0 AND state = 7),
    coalesce(
        (SELECT min(seq) - 1 FROM messages WHERE conversation = ?1 AND outgoing = 0 AND state = 6),
        9223372036854775807
    )
)
"""
INTO_OUTBOX: Final = """
INSERT OR IGNORE INTO outbox (position, conversation, seq)
SELECT position, conversation, seq FROM messages WHERE position IN (SELECT value FROM json_each(?))
"""
OUT_OF_OUTBOX: Final = "DELETE FROM outbox WHERE position IN (SELECT value FROM json_each(?))"
FORGET_ORIGINAL: Final = """
UPDATE messages SET original = NULL, body = NULL
WHERE position IN (SELECT value FROM json_each(?)) AND coalesce(original, body) IS NOT NULL
    AND (deleted = 1 OR ?)
"""

BEFORE: Final = {
    state: json.dumps([int(earlier) for earlier, later in AFTER.items() if state in later])
    for state in MessageState
}
"""The states from which each state may be reached, as SQL takes them."""

ARRIVED: Final = json.dumps([int(MessageState.DELIVERED)])
