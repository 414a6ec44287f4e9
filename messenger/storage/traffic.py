"""What waits to be sent, and what came of what has arrived."""

from typing import Final

import msgspec

from messenger.core import limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Message, MessageState
from messenger.storage.database import Database, Row
from messenger.storage.rows import ACTION_COLUMNS, MESSAGE_COLUMNS, chained_from, columns_of, message_from

OUTGOING_COLUMNS: Final = f"{MESSAGE_COLUMNS}, seq, prev, original, reply, body"
"""What `outgoing_from` wants."""

_PENDING: Final = f"""
SELECT {columns_of("m", OUTGOING_COLUMNS)} FROM outbox AS o JOIN messages AS m USING (position)
WHERE o.conversation = ? AND o.seq > ? AND m.state BETWEEN 1 AND ? ORDER BY o.seq LIMIT ?
"""  # noqa: S608
_PENDING_ACTIONS: Final = f"""
SELECT position, {ACTION_COLUMNS} FROM actions
WHERE conversation = ? AND outgoing = 1 AND seq > ? AND state BETWEEN 1 AND ? ORDER BY seq LIMIT ?
"""  # noqa: S608


_KNOWN: Final = """
SELECT 1 FROM messages WHERE conversation = ?1 AND outgoing = 0 AND id = ?2
UNION ALL SELECT 1 FROM actions WHERE conversation = ?1 AND outgoing = 0 AND id = ?2
UNION ALL SELECT 1 FROM forgotten WHERE conversation = ?1 AND id = ?2
"""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One of our messages with what the other side needs to put it in its place."""

    message: Message
    seq: int
    """Counts our messages of the conversation, from 1."""
    prev: bytes
    """`chain_hash` of our message before, 32 bytes; zeros for the first."""
    original: str | None = None
    """Its text as it is sent, if it was changed before it was delivered."""
    reply: bytes = b""
    """Id of the message that it answers, also if it is deleted here; may be empty."""
    body: bytes = b""
    """Of an offer."""

    @property
    def position(self) -> int:
        """As of the message."""
        return self.message.position

    @property
    def chained(self) -> Chained:
        """As it is sent, always the same."""
        return Chained(
            kind=ChainKind.OFFER if self.body else ChainKind.TEXT,
            id=self.message.id,
            seq=self.seq,
            prev=self.prev,
            sent_ms=self.message.sent_ms,
            order=self.order,
            about=self.reply,
            content="" if self.body else self.message.text if self.original is None else self.original,
            timer=self.message.timer,
            body=self.body,
        )

    @property
    def order(self) -> int:
        """Where the message stands between those of both people; see `messenger.protocol.packets.Text`."""
        return self.message.position >> limits.ORDER_TIE_BITS


class OutgoingAction(msgspec.Struct, frozen=True, kw_only=True):
    """Something that we did to a message, and that the other side does not know yet."""

    position: int
    chained: Chained


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a message of theirs; all of it is on disk."""

    new: bool = False
    """It was not here before."""
    added: Message | None = None
    changed: Message | None = None
    """A message to which something was done."""
    chain: bool = False
    """`Conversation.missing` or `Conversation.forked` may differ from before."""

    @property
    def erased(self) -> bool:
        """Something was deleted: `Store.shred` takes it out of the log of the database."""
        return any(message is not None and message.deleted for message in (self.added, self.changed))


def outgoing_from(row: Row) -> Outgoing:
    """Make a message of ours from `OUTGOING_COLUMNS`."""
    seq, prev, original, reply, body = row[-5:]
    return Outgoing(
        message=message_from(row), seq=seq, prev=prev, original=original, reply=reply or b"", body=body or b""
    )


def has_come(database: Database, conversation: ConversationId, id_: MessageId) -> bool:
    """Whether what they wrote or did is here, or was once."""
    return database.row(_KNOWN, (conversation, id_)) is not None


def texts_waiting(
    database: Database, conversation: ConversationId, after_seq: int, count: int, *, carried: bool = False
) -> list[Outgoing]:
    """The texts of ours that wait to be sent, oldest first; see `MessageTable.pending`."""
    last = MessageState.SENT if carried else MessageState.QUEUED
    rows = database.rows(_PENDING, (conversation, after_seq, int(last), max(count, 0)))
    return [outgoing_from(row) for row in rows]


def all_waiting(
    database: Database, conversation: ConversationId, after_seq: int, count: int, *, carried: bool = False
) -> list[Outgoing | OutgoingAction]:
    """All of ours that waits to be sent, oldest first; see `MessageTable.to_send`."""
    last = MessageState.SENT if carried else MessageState.QUEUED
    rows = database.rows(_PENDING_ACTIONS, (conversation, after_seq, int(last), max(count, 0)))
    actions = [OutgoingAction(position=row[0], chained=chained_from(row[1:])) for row in rows]
    waiting: list[Outgoing | OutgoingAction] = [
        *texts_waiting(database, conversation, after_seq, count, carried=carried),
        *actions,
    ]
    return sorted(waiting, key=_seq)[: max(count, 0)]


def _seq(item: Outgoing | OutgoingAction) -> int:
    return item.chained.seq
