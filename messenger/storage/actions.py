"""What is done to messages: edits, deletions, reactions; ours until they are delivered, theirs for a while.

All that is done to one message by one person comes to the same whatever order it arrives in: the greatest
`Chained.key` holds, and a deletion holds for ever. What comes before its message waits for it.
"""

from collections.abc import Sequence
from typing import Final

from messenger.core import deed_limits, store_limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.errors import InputError, InputProblem, StorageBug
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Message, MessageState
from messenger.core.names import clean_emoji
from messenger.storage.chain import append, free_position, order_here
from messenger.storage.database import Database, Row
from messenger.storage.rows import (
    ACTION_COLUMNS,
    MESSAGE_COLUMNS,
    Mark,
    chained_from,
    marks_from,
    message_from,
    packed_marks,
)

_ON_WAY: Final = (MessageState.QUEUED, MessageState.SENT)
_THERE: Final = (MessageState.DELIVERED, MessageState.READ)

_OF_AUTHOR: Final = f"""
SELECT {MESSAGE_COLUMNS}, edit_key FROM messages WHERE conversation = ? AND outgoing = ? AND id = ?
    AND kind = 2
"""  # noqa: S608 -- constants only, here and below
_INSERT: Final = """
INSERT INTO actions (position, conversation, id, outgoing, kind, seq, prev, state, waiting, target, content,
    orders, sent_ms, stored_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_WAITING: Final = f"""
SELECT position, {ACTION_COLUMNS} FROM actions WHERE conversation = ? AND waiting = 1 AND target = ?
"""  # noqa: S608
_COUNT_WAITING: Final = "SELECT count(*) FROM actions WHERE conversation = ? AND waiting = 1"
_DONE: Final = "UPDATE actions SET waiting = 0, content = '' WHERE position = ?"
_SILENCE: Final = """
UPDATE actions SET content = '' WHERE conversation = ? AND waiting = 1 AND target = ? AND kind = ?
"""
_FORGOTTEN: Final = "SELECT 1 FROM forgotten WHERE conversation = ? AND id = ?"
_REMEMBER: Final = "INSERT OR IGNORE INTO forgotten (conversation, id, until) VALUES (?, ?, ?)"
_KEEP_ORIGINAL: Final = (
    "UPDATE messages SET original = text WHERE position = ? AND outgoing = 1 AND state IN (1, 2, 5)"
    " AND original IS NULL"
)
_EDIT: Final = f"""
UPDATE messages SET text = ?, edited_ms = ?, edit_key = ? WHERE position = ? RETURNING {MESSAGE_COLUMNS}
"""  # noqa: S608
_DELETE: Final = f"""
UPDATE messages SET deleted = 1, text = '', edited_ms = NULL, edit_key = NULL, reactions = NULL,
    original = iif(state IN (1, 2), original, NULL), body = iif(state IN (1, 2), body, NULL)
WHERE position = ? RETURNING {MESSAGE_COLUMNS}
"""  # noqa: S608
_REACT: Final = f"UPDATE messages SET reactions = ? WHERE position = ? RETURNING {MESSAGE_COLUMNS}"  # noqa: S608
_NOTE_ORDER: Final = "UPDATE contacts SET last_order = max(last_order, ?) WHERE id = ?"
_ARRIVED: Final = """
DELETE FROM actions WHERE conversation = ? AND outgoing = 1 AND id = ? RETURNING position
"""
_MOVE: Final = "UPDATE actions SET state = ? WHERE conversation = ? AND outgoing = 1 AND id = ?"
_PURGE: Final = "DELETE FROM actions WHERE outgoing = 0 AND stored_ms < ?"


class ActionTable:
    """What is done to messages; whoever names a message that is not there gets an InputError(UNKNOWN)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_outgoing(
        self,
        conversation: ConversationId,
        kind: ChainKind,
        id_: MessageId,
        target: MessageId,
        content: str,
        now_ms: int,
    ) -> Message:
        """Do something to a message here, and put it into the outbox for the other side.

        Args:
            conversation: Where the message stands.
            kind: What is done; not TEXT.
            id_: 16 random bytes, new.
            target: Which message.
            content: The new text; or an emoji, empty to take it back.
            now_ms: Unix milliseconds.

        Returns:
            The message as it is now.

        Raises:
            InputError: UNKNOWN, there is no such message. NOT_ALLOWED: it is deleted, or not ours and to be
                edited or deleted.
        """
        with self._database.write():
            found = self._target(conversation, target, kind, outgoing=True)
            if found is None:
                theirs = self._database.row(_OF_AUTHOR, (conversation, 0, target))
                raise InputError(InputProblem.UNKNOWN if theirs is None else InputProblem.NOT_ALLOWED)
            target_message = message_from(found)
            if target_message.deleted or (kind is ChainKind.EDIT and target_message.transfer is not None):
                raise InputError(InputProblem.NOT_ALLOWED)
            chained, position = append(
                self._database, conversation, kind, id_, now_ms, about=target, content=content
            )
            self._insert(conversation, chained, position, now_ms, outgoing=True, waiting=False)
            changed = self._apply(chained, found, outgoing=True)
            return changed or target_message

    def take(self, conversation: ConversationId, chained: Chained, now_ms: int) -> Message | None:
        """Store what they have done, which is new here, and do it if its message is here.

        In a transaction of the caller.

        Returns:
            The message, if it was changed.
        """
        found = self._target(conversation, MessageId(chained.about), chained.kind, outgoing=False)
        gone = found is None and self._database.row(_FORGOTTEN, (conversation, chained.about)) is not None
        waiting = found is None and not gone
        if (
            waiting
            and self._database.number(_COUNT_WAITING, (conversation,)) >= deed_limits.ACTIONS_WAITING_MAX
        ):
            waiting = False
        order = order_here(self._database, conversation, chained.order, now_ms)
        position = free_position(self._database, order, chained.id)
        self._database.rows(_NOTE_ORDER, (order, conversation))
        self._insert(conversation, chained, position, now_ms, outgoing=False, waiting=waiting)
        if waiting and chained.kind is ChainKind.DELETE:
            self._database.rows(_SILENCE, (conversation, chained.about, int(ChainKind.EDIT)))
        return None if found is None else self._apply(chained, found, outgoing=False)

    def catch_up(self, conversation: ConversationId, message: Message) -> Message:
        """A message of theirs has come: do what has waited for it. In a transaction of the caller.

        Returns:
            The message as it is then.
        """
        waiting = self._database.rows(_WAITING, (conversation, message.id))
        for position, *row in waiting:
            chained = chained_from(row)
            found = self._target(conversation, message.id, chained.kind, outgoing=False)
            if found is not None:
                message = self._apply(chained, found, outgoing=False) or message
            self._database.rows(_DONE, (position,))
        return message

    def advance(self, conversation: ConversationId, ids: Sequence[MessageId], state: MessageState) -> None:
        """Actions of ours have gone as far as a state; once they are delivered, they are forgotten here.

        In a transaction of the caller. Those that are no actions do not matter. FAILED changes nothing: they
        wait as long as it takes.
        """
        for id_ in ids:
            if state in _ON_WAY:
                self._database.rows(_MOVE, (int(state), conversation, id_))
            elif state in _THERE:
                for (position,) in self._database.rows(_ARRIVED, (conversation, id_)):
                    self._database.rows("DELETE FROM outbox WHERE position = ?", (position,))

    def remove(self, conversation: ConversationId, target: MessageId, now_ms: int) -> None:
        """Delete a message here alone; it does not come back.

        What was deleted is overwritten in the database, in the index, and taken out of its log.

        Raises:
            InputError: UNKNOWN, there is no such message. NOT_ALLOWED, it is ours and waits to be sent.
        """
        with self._database.write():
            found = self._target(conversation, target, ChainKind.REACTION, outgoing=True)
            if found is None:
                raise InputError(InputProblem.UNKNOWN)
            message = message_from(found)
            if message.state in _ON_WAY:
                raise InputError(InputProblem.NOT_ALLOWED)
            until = now_ms + store_limits.FORGOTTEN_KEPT * 1000
            self._database.rows(_REMEMBER, (conversation, target, until))
            self._database.rows("DELETE FROM messages WHERE position = ?", (message.position,))
        self._database.shred()

    def purge(self, now_ms: int) -> None:
        """Forget what they did that cannot be sent again, and what has waited in vain for too long."""
        self._database.rows(_PURGE, (now_ms - store_limits.FORGOTTEN_KEPT * 1000,))

    def _target(
        self, conversation: ConversationId, target: MessageId, kind: ChainKind, *, outgoing: bool
    ) -> Row | None:
        """The message that somebody means: of their own; for a reaction, else of the other person."""
        row = self._database.row(_OF_AUTHOR, (conversation, int(outgoing), target))
        if row is None and kind is ChainKind.REACTION:
            row = self._database.row(_OF_AUTHOR, (conversation, int(not outgoing), target))
        return row

    def _insert(
        self,
        conversation: ConversationId,
        chained: Chained,
        position: int,
        now_ms: int,
        *,
        outgoing: bool,
        waiting: bool,
    ) -> None:
        state = int(MessageState.QUEUED) if outgoing else 0
        content = chained.content if outgoing or waiting else ""
        numbers = (chained.order, chained.sent_ms, now_ms)
        start = (position, conversation, chained.id, int(outgoing), int(chained.kind), chained.seq)
        self._database.rows(
            _INSERT, (*start, chained.prev, state, int(waiting), chained.about, content, *numbers)
        )

    def _apply(self, chained: Chained, found: Row, *, outgoing: bool) -> Message | None:
        """Do it, unless something later holds; the message if it was changed."""
        message, edit_key = message_from(found), found[-1]
        if message.deleted:
            return None
        database, position = self._database, message.position
        match chained.kind:
            case ChainKind.EDIT:
                if message.transfer is not None or (edit_key is not None and chained.key <= edit_key):
                    return None
                database.rows(_KEEP_ORIGINAL, (position,))
                values = (chained.content, chained.sent_ms, chained.key, position)
                return message_from(database.rows(_EDIT, values)[0])
            case ChainKind.DELETE:
                database.rows(_KEEP_ORIGINAL, (position,))
                return message_from(database.rows(_DELETE, (position,))[0])
            case ChainKind.REACTION:
                marks = {mark.outgoing: mark for mark in marks_from(found)}
                if outgoing in marks and chained.key <= marks[outgoing].key:
                    return None
                marks[outgoing] = Mark(outgoing, chained.key, clean_emoji(chained.content))
                return message_from(database.rows(_REACT, (packed_marks(marks.values()), position))[0])
            case _:
                raise StorageBug("no deed to a text")
