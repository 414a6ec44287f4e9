"""Reading the tables: rows into the values of `messenger.core.models`. Shared by writer and readers."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from messenger.core import store_limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.errors import DatabaseDamaged
from messenger.core.ids import ConversationId, Fingerprint, MessageId
from messenger.core.models import (
    Contact,
    Conversation,
    FailReason,
    KeyNews,
    Message,
    MessageState,
    Moments,
    Reaction,
    Standing,
)
from messenger.core.transfers import TransferId
from messenger.storage.database import Database, Row

CONTACT_COLUMNS: Final = (
    "id, fingerprint, name, alias, standing, awaiting, verified, addresses, created_ms, seen_ms"
    ", key_news, timer, note, pinned, muted, archived, portrait"
)
"""What `contact_from` wants."""

MESSAGE_COLUMNS: Final = (
    "id, conversation, position, outgoing, state, reason, text, sent_ms, stored_ms,"
    " reply, edited_ms, deleted, reactions, kind, timer, expires_ms, transfer"
)
"""What `message_from` and `marks_from` want."""

ACTION_COLUMNS: Final = "kind, id, seq, prev, sent_ms, orders, target, content, timer"
"""What `chained_from` wants."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A reaction as it is stored."""

    outgoing: bool
    key: bytes
    """Of what set it; see `messenger.core.chained.Chained.key`."""
    emoji: str
    """Empty if it was taken back."""


def columns_of(table: str, columns: str) -> str:
    """Write the name of a table before each of some columns."""
    return ", ".join(f"{table}.{column}" for column in columns.split(", "))


_CONTACT_WIDTH: Final = CONTACT_COLUMNS.count(",") + 1
_POSITION_MAX: Final = 2**63 - 1
_addresses: Final = msgspec.msgpack.Decoder(tuple[str, ...])
_marks: Final = msgspec.msgpack.Decoder(list[Mark])
_MARKS: Final = 12
"""Where the reactions stand in `MESSAGE_COLUMNS`."""

SHOWN: Final = "EXISTS (SELECT 1 FROM contacts AS k WHERE k.id = m.conversation AND k.standing > 0)"
"""A message ``m`` is not of a contact that is being deleted; see `messenger.storage.removal`."""

IS_THERE: Final = "SELECT 1 FROM contacts WHERE id = ? AND standing > 0"
"""Whether there is a conversation."""

_PAGE_BACK: Final = f"""
SELECT {MESSAGE_COLUMNS} FROM messages AS m
WHERE conversation = ? AND position < ? AND position > ? AND {SHOWN} ORDER BY position DESC LIMIT ?
"""  # noqa: S608 -- constants only, here and below
_PAGE_ON: Final = f"""
SELECT {MESSAGE_COLUMNS} FROM messages AS m
WHERE conversation = ? AND position < ? AND position > ? AND {SHOWN} ORDER BY position LIMIT ?
"""  # noqa: S608
_BY_ID: Final = f"""
SELECT {MESSAGE_COLUMNS} FROM messages AS m
WHERE conversation = ? AND id = ? AND outgoing IN (0, 1) AND {SHOWN}
ORDER BY outgoing DESC LIMIT 1
"""  # noqa: S608
_MOMENTS: Final = """
SELECT delivered_ms, read_ms FROM messages WHERE conversation = ? AND id = ? AND outgoing IN (0, 1)
ORDER BY outgoing DESC LIMIT 1
"""
_CONVERSATIONS: Final = f"""
SELECT {columns_of("c", CONTACT_COLUMNS)},
    (SELECT count(*) FROM messages AS u WHERE u.conversation = c.id AND u.state = 6),
    (SELECT sum(max(p.greatest - p.here, 0)) FROM (
        SELECT max(h.last) & {(1 << store_limits.PART_BITS) - 1} AS greatest,
            sum(h.last - h.first + 1) AS here
        FROM heard AS h WHERE h.conversation = c.id GROUP BY h.first >> {store_limits.PART_BITS}
    ) AS p), c.forked,
    {columns_of("m", MESSAGE_COLUMNS)}
FROM contacts AS c LEFT JOIN messages AS m
    ON m.position = (SELECT max(l.position) FROM messages AS l WHERE l.conversation = c.id)
"""  # noqa: S608
_ALL_CONVERSATIONS: Final = f"""
{_CONVERSATIONS} WHERE c.standing > 0 ORDER BY coalesce(m.stored_ms, c.created_ms) DESC, c.id DESC
"""
_ONE_CONVERSATION: Final = f"{_CONVERSATIONS} WHERE c.id = ? AND c.standing > 0"


def contact_from(row: Row) -> Contact:
    """Make a contact from `CONTACT_COLUMNS`.

    Raises:
        DatabaseDamaged: A value stands there that this version cannot have written.
    """
    try:
        return Contact(
            id=ConversationId(row[0]),
            fingerprint=Fingerprint(row[1]),
            name=row[2],
            alias=row[3],
            standing=Standing(row[4]),
            awaiting=bool(row[5]),
            verified=bool(row[6]),
            addresses=_addresses.decode(row[7]),
            created_ms=row[8],
            seen_ms=row[9],
            key_news=KeyNews(row[10]),
            timer=row[11],
            note=row[12],
            pinned=bool(row[13]),
            muted=bool(row[14]),
            archived=bool(row[15]),
            portrait=row[16],
        )
    except (ValueError, msgspec.MsgspecError) as e:
        raise DatabaseDamaged("contact") from e


def message_from(row: Row) -> Message:
    """Make a message from `MESSAGE_COLUMNS`.

    Raises:
        DatabaseDamaged: A value stands there that this version cannot have written.
    """
    try:
        return Message(
            id=MessageId(row[0]),
            conversation=ConversationId(row[1]),
            position=row[2],
            outgoing=bool(row[3]),
            state=MessageState(row[4]),
            reason=FailReason(row[5]),
            text=row[6],
            sent_ms=row[7],
            stored_ms=row[8],
            reply_to=None if row[9] is None or row[11] else MessageId(row[9]),
            edited_ms=row[10],
            deleted=bool(row[11]),
            reactions=_reactions(row),
            kind=ChainKind(row[13]),
            timer=row[14],
            expires_ms=row[15],
            transfer=None if row[16] is None else TransferId(row[16]),
        )
    except ValueError as e:
        raise DatabaseDamaged("message") from e


def marks_from(row: Row) -> list[Mark]:
    """The reactions of `MESSAGE_COLUMNS` as they are stored, also those that were taken back.

    Raises:
        DatabaseDamaged: A value stands there that this version cannot have written.
    """
    if row[_MARKS] is None:
        return []
    try:
        return _marks.decode(row[_MARKS])
    except msgspec.MsgspecError as e:
        raise DatabaseDamaged("reactions") from e


def packed_marks(marks: Iterable[Mark]) -> bytes:
    """Write what `marks_from` reads."""
    return msgspec.msgpack.encode(list(marks))


def chained_from(row: Sequence[Any]) -> Chained:
    """Make a message of a chain from `ACTION_COLUMNS`.

    Raises:
        DatabaseDamaged: A value stands there that this version cannot have written.
    """
    try:
        return Chained(
            kind=ChainKind(row[0]),
            id=MessageId(row[1]),
            seq=row[2],
            prev=row[3],
            sent_ms=row[4],
            order=row[5],
            about=b"" if row[0] == ChainKind.TIMER else row[6],
            content=row[7],
            timer=row[8],
        )
    except ValueError as e:
        raise DatabaseDamaged("action") from e


def conversations(database: Database) -> list[Conversation]:
    """All conversations, the one with the latest message (or the newest contact) first."""
    return [_conversation_from(row) for row in database.rows(_ALL_CONVERSATIONS)]


def conversation(database: Database, id_: ConversationId) -> Conversation | None:
    """One conversation, or None."""
    row = database.row(_ONE_CONVERSATION, (id_,))
    return _conversation_from(row) if row else None


def page(
    database: Database, conversation: ConversationId, *, before: int | None, after: int | None, count: int
) -> list[Message]:
    """Messages next to a position, oldest first; as quick at the millionth as at the first.

    Args:
        database: Where to read.
        conversation: Whose messages.
        before: Only those at smaller positions; None for no bound.
        after: Only those at larger positions; None for no bound.
        count: At most so many: those right after `after` if it is given, else the latest.
    """
    bounds = (
        conversation,
        _POSITION_MAX if before is None else before,
        0 if after is None else after,
        max(count, 0),  # SQLite takes a negative limit for none
    )
    rows = database.rows(_PAGE_BACK, bounds)[::-1] if after is None else database.rows(_PAGE_ON, bounds)
    return [message_from(row) for row in rows]


def by_id(database: Database, conversation: ConversationId, id_: MessageId) -> Message | None:
    """A message by its id, or None; ours if they chose the id of one of ours for theirs."""
    row = database.row(_BY_ID, (conversation, id_))
    return message_from(row) if row else None


def vanished(database: Database, conversation: ConversationId, id_: MessageId) -> bool:
    """Whether a message was here, and has disappeared or was deleted here."""
    sql = "SELECT 1 FROM forgotten WHERE conversation = ? AND id = ?"
    return database.row(sql, (conversation, id_)) is not None


def moments(database: Database, conversation: ConversationId, id_: MessageId) -> Moments:
    """When receipts for a message came; what is not known is None."""
    row = database.row(_MOMENTS, (conversation, id_))
    return Moments(delivered_ms=row[0], read_ms=row[1]) if row else Moments()


def first_unread(database: Database, conversation: ConversationId) -> int | None:
    """The position of the first message of theirs that was not seen, or None."""
    return (
        database.number(
            "SELECT min(position) FROM messages WHERE conversation = ? AND state = 6", (conversation,)
        )
        or None
    )


def _reactions(row: Row) -> tuple[Reaction, ...]:
    if row[_MARKS] is None:
        return ()
    shown = [Reaction(mark.outgoing, mark.emoji) for mark in marks_from(row) if mark.emoji]
    return tuple(sorted(shown, key=lambda reaction: reaction.outgoing))


def _conversation_from(row: Row) -> Conversation:
    contact, (unread, missing, forked) = row[:_CONTACT_WIDTH], row[_CONTACT_WIDTH : _CONTACT_WIDTH + 3]
    message = row[_CONTACT_WIDTH + 3 :]
    return Conversation(
        contact=contact_from(contact),
        last=None if message[0] is None else message_from(message),
        unread=unread,
        missing=missing or 0,
        forked=bool(forked),
    )
