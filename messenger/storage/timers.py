"""Messages that disappear: the timer of a conversation, when the time of a message runs, and the deletion.

The time of a message of theirs runs from when it is seen, that of one of ours from when it waits no more
(SPEC.md 8.6). An offer stays while its files are on their way, but not one that nobody answers. Clocks may be
wrong: `_tick` lets no message live longer because a clock was set back.
"""

import json
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from messenger.core import limits, store_limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Message, MessageState
from messenger.storage.chain import append, free_position, order_here
from messenger.storage.database import Database
from messenger.storage.rows import MESSAGE_COLUMNS, message_from
from messenger.storage.search import forgetting

_MARK: Final = "timers marked"
"""Name of a single value: the latest time at which the clock was looked at while a time ran."""

_NO_TARGET: Final = bytes(16)

_HOLDING: Final = "SELECT timer, timer_key FROM contacts WHERE id = ?"
_HOLD: Final = "UPDATE contacts SET timer = ?, timer_key = ? WHERE id = ?"
_NOTE_ORDER: Final = "UPDATE contacts SET last_order = max(last_order, ?) WHERE id = ?"
_ACTION: Final = """
INSERT INTO actions (position, conversation, id, outgoing, kind, seq, prev, state, waiting, target, content,
    orders, sent_ms, stored_ms, timer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, '', ?, ?, ?, ?)
"""
_LINE: Final = f"""
INSERT INTO messages (position, conversation, id, outgoing, seq, prev, state, reason, text,
    sent_ms, stored_ms, kind, timer) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', ?, ?, ?, ?)
RETURNING {MESSAGE_COLUMNS}
"""  # noqa: S608 -- constants only, here and below
_START: Final = """
UPDATE messages SET expires_ms = ?1 + timer * 1000
WHERE position IN (SELECT value FROM json_each(?2)) AND timer > 0 AND kind = 2 AND expires_ms IS NULL
RETURNING position, expires_ms
"""
_STOP: Final = """
UPDATE messages SET expires_ms = NULL
WHERE position IN (SELECT value FROM json_each(?)) AND expires_ms IS NOT NULL
"""
_EARLIER: Final = "UPDATE messages SET expires_ms = expires_ms - ? WHERE expires_ms IS NOT NULL"
_MAY_GO: Final = """(transfer IS NULL OR NOT EXISTS (
    SELECT 1 FROM transfers AS t WHERE t.id = messages.transfer AND t.mine < 4 AND t.theirs < 4
        AND CASE t.outgoing WHEN 1 THEN t.theirs ELSE t.mine END <> 1
))"""
"""Not an offer whose files are on their way; one that nobody has answered goes as a text does."""
_RUNNING: Final = "SELECT 1 FROM messages WHERE expires_ms IS NOT NULL LIMIT 1"
_NEXT: Final = f"SELECT min(expires_ms) FROM messages WHERE expires_ms IS NOT NULL AND {_MAY_GO}"  # noqa: S608
_DUE: Final = f"""
SELECT position, conversation, id FROM messages WHERE expires_ms <= ? AND {_MAY_GO}
ORDER BY expires_ms LIMIT ?
"""  # noqa: S608
_REMEMBER: Final = """
INSERT OR IGNORE INTO forgotten (conversation, id, until)
SELECT conversation, id, ? FROM messages WHERE position IN (SELECT value FROM json_each(?))
"""
_UNQUOTE: Final = """
UPDATE drafts SET reply = NULL WHERE (conversation, reply) IN (
    SELECT conversation, id FROM messages WHERE position IN (SELECT value FROM json_each(?))
)
"""
_WITHDRAW: Final = """
UPDATE transfers SET mine = 4 WHERE mine < 4 AND theirs < 4
    AND id IN (SELECT transfer FROM messages WHERE position IN (SELECT value FROM json_each(?)))
"""
"""What has ended goes with its message."""
_DELETE: Final = "DELETE FROM messages WHERE position IN (SELECT value FROM json_each(?))"
_TIMED: Final = "SELECT position FROM messages WHERE kind = 2 AND timer > 0"
_DROP_TRANSFERS: Final = """
DELETE FROM transfers WHERE id IN (SELECT transfer FROM messages WHERE kind = 2 AND timer > 0)
"""
_REMEMBER_TIMED: Final = """
INSERT OR IGNORE INTO forgotten (conversation, id, until)
SELECT conversation, id, stored_ms + ? FROM messages
WHERE (outgoing = 0 OR transfer IS NOT NULL) AND kind = 2 AND timer > 0
"""
_EDITS: Final = """
FROM actions AS a WHERE kind = 11 AND NOT EXISTS (
    SELECT 1 FROM messages AS m WHERE m.conversation = a.conversation AND m.id = a.target AND m.timer = 0
) AND EXISTS (SELECT 1 FROM contacts AS c WHERE c.id = a.conversation AND c.timer_key IS NOT NULL)
"""
_DROP_EDITS: Final = f"""
DELETE FROM actions WHERE outgoing = 1 AND position IN (SELECT a.position {_EDITS})
"""  # noqa: S608
_BLANK_EDITS: Final = f"""
UPDATE actions SET waiting = 0, content = '' WHERE outgoing = 0 AND position IN (SELECT a.position {_EDITS})
"""  # noqa: S608
_DROP_FROM_OUTBOX: Final = """
DELETE FROM outbox
WHERE position NOT IN (SELECT position FROM messages UNION ALL SELECT position FROM actions)
"""


def _system_ms() -> int:
    return time.time_ns() // 1_000_000


class Gone(msgspec.Struct, frozen=True):
    """Messages of a conversation that have disappeared."""

    conversation: ConversationId
    ids: tuple[MessageId, ...]


class TimerTable:
    """Timers by conversation, and the time of each message."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._marked: float | None = None
        self.clock: Callable[[], int] = _system_ms
        """The time, Unix milliseconds; may be wrong."""
        self.steady: Callable[[], float] = time.monotonic
        """Seconds of a clock that nobody can set."""

    def get(self, conversation: ConversationId) -> int:
        """Seconds after which what is written now disappears; 0 for never, or if there is no conversation."""
        return self._database.number("SELECT timer FROM contacts WHERE id = ?", (conversation,))

    def never_set(self, conversation: ConversationId) -> bool:
        """Whether neither of the two has ever chosen a timer."""
        sql = "SELECT 1 FROM contacts WHERE id = ? AND timer_key IS NULL"
        return self._database.row(sql, (conversation,)) is not None

    def change(self, conversation: ConversationId, id_: MessageId, timer: int, now_ms: int) -> Message:
        """Set the timer for what both write from now on, and put that into the outbox.

        Args:
            conversation: Which.
            id_: 16 random bytes, new.
            timer: Seconds, within the bounds of the packet; 0 for never.
            now_ms: Unix milliseconds.

        Returns:
            The line that says so.

        Raises:
            InputError: UNKNOWN, there is no such conversation.
        """
        with self._database.write():
            holding = self._database.row(_HOLDING, (conversation,))
            if holding is None:
                raise InputError(InputProblem.UNKNOWN)
            above = 0 if holding[1] is None else int.from_bytes(holding[1][:8], "big")
            chained, position = append(
                self._database, conversation, ChainKind.TIMER, id_, now_ms, timer=timer, above=above
            )
            self._insert(conversation, chained, position, now_ms, outgoing=True)
            self._database.rows(_HOLD, (timer, chained.key, conversation))
            return self._line(conversation, chained, position, now_ms, MessageState.DELIVERED)

    def take(self, conversation: ConversationId, chained: Chained, now_ms: int) -> Message:
        """They have set the timer, which is new here; in a transaction of the caller.

        Returns:
            The line that says so, whether their change holds or a later one does.
        """
        order = order_here(self._database, conversation, chained.order, now_ms)
        position = free_position(self._database, order, chained.id)
        self._database.rows(_NOTE_ORDER, (order, conversation))
        self._insert(conversation, chained, position, now_ms, outgoing=False)
        (holding,) = self._database.rows(_HOLDING, (conversation,))
        if holding[1] is None or chained.key > holding[1]:
            self._database.rows(_HOLD, (chained.timer, chained.key, conversation))
        return self._line(conversation, chained, position, now_ms, MessageState.SEEN)

    def start(self, positions: Iterable[int]) -> dict[int, int]:
        """The time of these messages runs, if they have one; in a transaction of the caller.

        Returns:
            When each of those disappears whose time has begun, by position; Unix milliseconds.
        """
        named = json.dumps(list(positions))
        return dict(self._database.rows(_START, (self._tick(), named)))

    def stop(self, positions: Iterable[int]) -> None:
        """These messages wait again, and must not disappear; in a transaction of the caller."""
        self._database.rows(_STOP, (json.dumps(list(positions)),))

    def next_due(self) -> int | None:
        """In how many milliseconds the next message disappears, 0 if one is late; None if none does."""
        first = self._database.rows(_NEXT)[0][0]
        return None if first is None else max(first - self.clock(), 0)

    def expire(self) -> list[Gone]:
        """Delete messages whose time is over, at most `store_limits.EXPIRE_BATCH`; again until it is none.

        What was deleted is overwritten in the database, in the index, and taken out of its log. A message
        that comes once more is known. A draft that answers one of them answers nothing any more.
        """
        if self.next_due() is None:
            return []
        with self._database.write():
            now = self._tick()
            due = self._database.rows(_DUE, (now, store_limits.EXPIRE_BATCH))
            if due:
                named = json.dumps([position for position, _, _ in due])
                for position, conversation, _ in due:  # what is written next still stands below it
                    self._database.rows(_NOTE_ORDER, (position >> limits.ORDER_TIE_BITS, conversation))
                with forgetting(self._database, len(due)):
                    self._database.rows(_REMEMBER, (now + store_limits.FORGOTTEN_KEPT * 1000, named))
                    self._database.rows(_UNQUOTE, (named,))
                    self._database.rows(_WITHDRAW, (named,))
                    self._database.rows(_DELETE, (named,))
            if self._database.row(_RUNNING) is None:
                self._database.rows("DELETE FROM meta WHERE name = ?", (_MARK,))
        if due:
            self._database.shred()
        gone: dict[ConversationId, list[MessageId]] = {}
        for _, conversation, id_ in due:
            gone.setdefault(ConversationId(conversation), []).append(MessageId(id_))
        return [Gone(conversation, tuple(ids)) for conversation, ids in gone.items()]

    def remembers(self, conversation: ConversationId, id_: MessageId) -> bool:
        """Whether a message was here and has gone, by its timer or because it was too old."""
        sql = "SELECT 1 FROM forgotten WHERE conversation = ? AND id = ?"
        return self._database.row(sql, (conversation, id_)) is not None

    def _tick(self) -> int:
        """Look at the clock; if it was set back, what runs ends as much earlier as it was set back.

        It was set back if it shows less than when it was looked at last, with what has passed since by the
        steady clock of this program. While the program did not run, time that a clock hides stays hidden.
        """
        now, steady = self.clock(), self.steady()
        passed = 0 if self._marked is None else max(round((steady - self._marked) * 1000), 0)
        mark = self._database.row("SELECT value FROM meta WHERE name = ?", (_MARK,))
        if mark is not None and (behind := int.from_bytes(mark[0], "big") + passed - now) > 0:
            self._database.rows(_EARLIER, (behind,))
        self._database.rows(
            "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_MARK, max(now, 0).to_bytes(8, "big"))
        )
        self._marked = steady
        return now

    def _insert(
        self, conversation: ConversationId, chained: Chained, position: int, now_ms: int, *, outgoing: bool
    ) -> None:
        state = int(MessageState.QUEUED) if outgoing else 0
        start = (position, conversation, chained.id, int(outgoing), int(chained.kind), chained.seq)
        numbers = (chained.order, chained.sent_ms, now_ms, chained.timer)
        self._database.rows(_ACTION, (*start, chained.prev, state, _NO_TARGET, *numbers))

    def _line(
        self,
        conversation: ConversationId,
        chained: Chained,
        position: int,
        now_ms: int,
        state: MessageState,
    ) -> Message:
        """Put a line into the conversation, right after what travels; it is not sent and has no receipt."""
        while self._database.row("SELECT 1 FROM messages WHERE position = ?1", (position := position + 1,)):
            pass
        outgoing = int(state is MessageState.DELIVERED)
        start = (position, conversation, chained.id, outgoing, chained.seq, chained.prev, int(state))
        values = (*start, chained.sent_ms, now_ms, int(chained.kind), chained.timer)
        return message_from(self._database.rows(_LINE, values)[0])


def used(database: Database) -> bool:
    """Whether anybody has ever chosen that messages disappear; in a database of any version."""
    if not database.number("SELECT count(*) FROM pragma_table_info('contacts') WHERE name = 'timer_key'"):
        return False
    sql = "SELECT EXISTS (SELECT 1 FROM contacts WHERE timer_key IS NOT NULL)"
    return bool(database.number(sql))


def leave_out(copy: Database) -> None:
    """Take every message that disappears one day out of a copy of a database: nobody would delete it there.

    Also edits of them, and edits of what is not here. A copy of an earlier version has none.

    Args:
        copy: Open for writing.
    """
    if not copy.number("SELECT count(*) FROM pragma_table_info('messages') WHERE name = 'expires_ms'"):
        return
    positions = [row[0] for row in copy.rows(_TIMED)]
    named = json.dumps(positions)
    with forgetting(copy, len(positions)):
        copy.rows(_REMEMBER_TIMED, (store_limits.FORGOTTEN_KEPT * 1000,))
        copy.rows(_UNQUOTE, (named,))
        copy.rows(_DROP_TRANSFERS)
        copy.rows(_DELETE, (named,))
        copy.rows(_DROP_EDITS)
        copy.rows(_BLANK_EDITS)
        copy.rows(_DROP_FROM_OUTBOX)
