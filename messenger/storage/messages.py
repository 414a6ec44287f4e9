"""The messages of all conversations, and the outbox of those that are not delivered yet."""

import hashlib
import json
from collections.abc import Sequence
from typing import Final

import msgspec

from messenger.core import limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import AFTER, FailReason, Message, MessageState
from messenger.storage.database import Database, Row
from messenger.storage.faults import FAULTS, translated
from messenger.storage.rows import MESSAGE_COLUMNS, columns_of, message_from, page

_INSERT: Final = """
INSERT INTO messages
    (position, conversation, id, outgoing, seq, prev, state, reason, text, sent_ms, stored_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?)
"""
_INSERT_OWN: Final = f"{_INSERT} RETURNING {MESSAGE_COLUMNS}"
_INSERT_THEIRS: Final = (
    f"{_INSERT} ON CONFLICT (conversation, outgoing, id) DO NOTHING RETURNING {MESSAGE_COLUMNS}"
)
_LAST: Final = "SELECT max(position) FROM messages WHERE conversation = ?"
_TAKEN: Final = "SELECT 1 FROM messages WHERE position = ?"
_FORGOTTEN: Final = "SELECT 1 FROM forgotten WHERE conversation = ? AND id = ?"
_PENDING: Final = f"""
SELECT {columns_of("m", MESSAGE_COLUMNS)}, m.seq, m.prev FROM outbox AS o JOIN messages AS m USING (position)
WHERE o.conversation = ? AND o.seq > ? AND m.state = 1 ORDER BY o.seq LIMIT ?
"""  # noqa: S608
_PENDING_CONVERSATIONS: Final = """
SELECT c.id FROM contacts AS c
WHERE EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation = c.id AND m.outgoing = 1 AND m.state = 1)
ORDER BY c.id
"""
_MOVE: Final = """
UPDATE messages SET state = ?, reason = ?
WHERE conversation = ? AND outgoing = 1 AND state IN (SELECT value FROM json_each(?))
"""
_ADVANCE: Final = f"{_MOVE} AND id = ? RETURNING {MESSAGE_COLUMNS}"
_ADVANCE_THROUGH: Final = f"{_MOVE} AND seq <= ? RETURNING {MESSAGE_COLUMNS}"
_MARK_SEEN: Final = """
UPDATE messages SET state = 7 WHERE conversation = ? AND state = 6 AND position <= ?
RETURNING position, id, seq
"""
_SEEN_SEQ: Final = """
SELECT min(
    (SELECT max(seq) FROM messages WHERE conversation = ?1 AND outgoing = 0 AND state = 7),
    coalesce(
        (SELECT min(seq) - 1 FROM messages WHERE conversation = ?1 AND outgoing = 0 AND state = 6),
        9223372036854775807
    )
)
"""
_BY_ID: Final = f"""
SELECT {MESSAGE_COLUMNS} FROM messages WHERE conversation = ? AND id = ? AND outgoing IN (0, 1)
ORDER BY outgoing DESC LIMIT 1
"""  # noqa: S608

_INTO_OUTBOX: Final = """
INSERT OR IGNORE INTO outbox (position, conversation, seq)
SELECT position, conversation, seq FROM messages WHERE position IN (SELECT value FROM json_each(?))
"""
_OUT_OF_OUTBOX: Final = "DELETE FROM outbox WHERE position IN (SELECT value FROM json_each(?))"

_BEFORE: Final = {
    state: json.dumps([int(earlier) for earlier, later in AFTER.items() if state in later])
    for state in MessageState
}
"""The states from which each state may be reached, as SQL takes them."""

_ARRIVED: Final = json.dumps([int(MessageState.DELIVERED)])


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One of our messages with what the other side needs to put it in its place."""

    message: Message
    seq: int
    """Counts our messages of the conversation, from 1."""
    prev: bytes
    """`chain_hash` of our message before, 32 bytes; zeros for the first."""

    @property
    def order(self) -> int:
        """Where the message stands between those of both people; see `messenger.protocol.packets.Text`."""
        return self.message.position >> limits.ORDER_TIE_BITS


def chain_hash(prev: bytes, id_: MessageId, seq: int, sent_ms: int, order: int, text: str) -> bytes:
    """The hash of a message that its author's next message carries, so that gaps and forks are seen.

    SHA-256(prev || id || seq || sent_ms || order || text): `prev` 32 bytes, `id` 16 bytes, `seq`,
    `sent_ms` and `order` as unsigned 64-bit numbers in big-endian order, `text` in UTF-8.

    Raises:
        StorageBug: A number is negative or longer than 64 bits, or the text holds half of a
            surrogate pair.
    """
    try:
        return hashlib.sha256(
            b"".join((prev, id_, *(n.to_bytes(8, "big") for n in (seq, sent_ms, order)), text.encode()))
        ).digest()
    except FAULTS as e:
        raise translated(e) from e


class MessageTable:
    """Messages by conversation. A conversation that is not there gets an InputError(UNKNOWN) on adding."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_outgoing(
        self, conversation: ConversationId, id_: MessageId, text: str, sent_ms: int, now_ms: int
    ) -> Outgoing:
        """Store a message of ours and put it into the outbox.

        Args:
            conversation: Where it belongs.
            id_: 16 random bytes, new.
            text: As `messenger.core.names.clean_text` returned it.
            sent_ms: When it was sent, Unix milliseconds.
            now_ms: When it is stored, Unix milliseconds.

        Raises:
            InputError: UNKNOWN, there is no such conversation.
        """
        with self._database.write():
            contact = self._database.row(
                "SELECT next_seq, last_hash FROM contacts WHERE id = ?", (conversation,)
            )
            if contact is None:
                raise InputError(InputProblem.UNKNOWN)
            seq, prev = contact
            order = self._next_order(conversation, sent_ms)
            position = self._free_position(order, id_)
            state = int(MessageState.QUEUED)
            values = (position, conversation, id_, 1, seq, prev, state, text, sent_ms, now_ms)
            message = message_from(self._database.rows(_INSERT_OWN, values)[0])
            self._database.rows(
                "UPDATE contacts SET next_seq = ?, last_hash = ? WHERE id = ?",
                (seq + 1, chain_hash(prev, id_, seq, sent_ms, order, text), conversation),
            )
            self._database.rows(
                "INSERT INTO outbox (position, conversation, seq) VALUES (?, ?, ?)",
                (message.position, conversation, seq),
            )
        return Outgoing(message=message, seq=seq, prev=prev)

    def add_incoming(
        self,
        conversation: ConversationId,
        id_: MessageId,
        seq: int,
        prev: bytes,
        text: str,
        sent_ms: int,
        now_ms: int,
        order: int = 0,
    ) -> Message | None:
        """Store a message of theirs as unread; it may be acknowledged once this returned.

        Args:
            conversation: Where it belongs.
            id_: 16 bytes, chosen by its author.
            seq: Its author's count, from 1, at most 2^63 - 1.
            prev: `chain_hash` of its author's message before, 32 bytes.
            text: At most `limits.TEXT_MAX` bytes of UTF-8.
            sent_ms: When it was sent by its author's clock, Unix milliseconds.
            now_ms: When it is stored, Unix milliseconds.
            order: Where its author has put it; 0 for the end.

        Returns:
            The message, or None if it is or was here already (it should be acknowledged again).

        Raises:
            InputError: UNKNOWN, there is no such conversation.
        """
        with self._database.write():
            if self._database.row("SELECT 1 FROM contacts WHERE id = ?", (conversation,)) is None:
                raise InputError(InputProblem.UNKNOWN)
            if self._database.row(_FORGOTTEN, (conversation, id_)):
                return None
            latest = min(now_ms + limits.CLOCK_AHEAD * 1000, limits.ORDER_MAX)
            order = min(order, latest) if order else self._next_order(conversation, now_ms)
            position, state = self._free_position(order, id_), int(MessageState.UNREAD)
            values = (position, conversation, id_, 0, seq, prev, state, text, sent_ms, now_ms)
            row = self._database.row(_INSERT_THEIRS, values)
        return message_from(row) if row else None

    def pending(self, conversation: ConversationId, after_seq: int, count: int) -> list[Outgoing]:
        """Our messages that wait to be sent, oldest first.

        Args:
            conversation: To whom.
            after_seq: Only those with a larger number.
            count: At most so many.
        """
        rows = self._database.rows(_PENDING, (conversation, after_seq, max(count, 0)))
        return [Outgoing(message=message_from(row), seq=row[-2], prev=row[-1]) for row in rows]

    def pending_conversations(self) -> list[ConversationId]:
        """The conversations in which messages wait to be sent."""
        return [ConversationId(row[0]) for row in self._database.rows(_PENDING_CONVERSATIONS)]

    def advance(
        self,
        conversation: ConversationId,
        ids: Sequence[MessageId],
        state: MessageState,
        reason: FailReason = FailReason.NONE,
    ) -> list[Message]:
        """Move messages of ours to a state, each if `messenger.core.models.AFTER` allows it.

        Others stay as they are, unknown ones do not matter: receipts come twice.

        Args:
            conversation: Whose messages.
            ids: Which messages.
            state: Where they go. FAILED, DELIVERED and READ leave the outbox, QUEUED comes back.
            reason: Why they FAILED; without meaning for other states.

        Returns:
            Those that were changed, as they are now, oldest first.
        """
        with self._database.write():
            bounds = _bounds(conversation, state, reason)
            moved = [row for id_ in ids for row in self._database.rows(_ADVANCE, (*bounds, id_))]
            return self._settled(moved, state)

    def advance_through(
        self,
        conversation: ConversationId,
        seq: int,
        state: MessageState,
        reason: FailReason = FailReason.NONE,
    ) -> list[Message]:
        """As `advance`, for all messages of ours up to and including a number.

        READ is for those alone that are known to have arrived: a number proves nothing about a
        message that waits, or that failed before it was sent.
        """
        with self._database.write():
            target, kept, whose, before = _bounds(conversation, state, reason)
            before = _ARRIVED if state is MessageState.READ else before
            moved = self._database.rows(_ADVANCE_THROUGH, (target, kept, whose, before, seq))
            return self._settled(moved, state)

    def mark_seen(self, conversation: ConversationId, position: int) -> list[tuple[MessageId, int]]:
        """Turn unread messages up to and including a position into seen ones.

        Returns:
            Id and number of each that was unread, oldest first, for the receipt.
        """
        with self._database.write():
            rows = self._database.rows(_MARK_SEEN, (conversation, position))
        return [(MessageId(id_), seq) for _, id_, seq in sorted(rows)]

    def seen_seq(self, conversation: ConversationId) -> int:
        """The highest number up to which all messages of theirs were seen; 0 if none was.

        If they have deleted the conversation and count from 1 again, the new count is what matters.
        """
        return self._database.number(_SEEN_SEQ, (conversation,))

    def incoming_count(self, conversation: ConversationId) -> int:
        """How many messages of theirs are stored; counts them one by one, so it is meant for requests."""
        return self._database.number(
            "SELECT count(*) FROM messages WHERE conversation = ? AND outgoing = 0", (conversation,)
        )

    def unread(self, conversation: ConversationId) -> int:
        """How many messages of theirs were not seen yet."""
        return self._database.number(
            "SELECT count(*) FROM messages WHERE conversation = ? AND state = 6", (conversation,)
        )

    def last(self, conversation: ConversationId) -> Message | None:
        """The latest message, or None."""
        messages = self.page(conversation, None, 1)
        return messages[0] if messages else None

    def get(self, conversation: ConversationId, id_: MessageId) -> Message | None:
        """A message by its id, or None; ours if they chose the id of one of ours for theirs."""
        row = self._database.row(_BY_ID, (conversation, id_))
        return message_from(row) if row else None

    def page(
        self,
        conversation: ConversationId,
        before: int | None = None,
        count: int = limits.PAGE,
        after: int | None = None,
    ) -> list[Message]:
        """Messages next to a position, oldest first.

        Args:
            conversation: Whose messages.
            before: Only those at smaller positions; None for no bound.
            count: At most so many: those right after `after` if it is given, else the latest.
            after: Only those at larger positions; None for no bound.
        """
        return page(self._database, conversation, before=before, after=after, count=count)

    def _next_order(self, conversation: ConversationId, at_ms: int) -> int:
        """When something is written, or right after all that is there (a hybrid logical clock)."""
        last = self._database.number(_LAST, (conversation,)) >> limits.ORDER_TIE_BITS
        return min(max(at_ms, last + 1), limits.ORDER_MAX)

    def _free_position(self, order: int, id_: MessageId) -> int:
        """A position for a message: its order, then bits of its id, so that both ends put it alike."""
        mask = 2**limits.ORDER_TIE_BITS - 1
        tie = int.from_bytes(id_, "big")
        while self._database.row(_TAKEN, (position := order << limits.ORDER_TIE_BITS | tie & mask,)):
            tie += 1
        return position

    def _settled(self, moved: list[Row], state: MessageState) -> list[Message]:
        """Bring the outbox in line with messages that were moved, and return them in order."""
        messages = sorted((message_from(row) for row in moved), key=lambda message: message.position)
        positions = json.dumps([message.position for message in messages])
        if state is MessageState.QUEUED:
            self._database.rows(_INTO_OUTBOX, (positions,))
        elif state is not MessageState.SENT:
            self._database.rows(_OUT_OF_OUTBOX, (positions,))
        return messages


def _bounds(
    conversation: ConversationId, state: MessageState, reason: FailReason
) -> tuple[int, str, ConversationId, str]:
    kept = reason if state is MessageState.FAILED else FailReason.NONE
    return int(state), kept.value, conversation, _BEFORE[state]
