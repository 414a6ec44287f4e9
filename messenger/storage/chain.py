"""The chains of a conversation: ours is written on, theirs is watched for gaps and forks.

Which numbers of theirs are here stands in `heard` as runs without a gap, with what is needed to see whether
a neighbour fits: mostly one row for each conversation, however long it is.
"""

import hashlib
from typing import Final

from messenger.core import limits, store_limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId, MessageId
from messenger.storage.database import Database, Row
from messenger.storage.faults import FAULTS, translated

ZEROS: Final = bytes(32)
_SEQ_MAX: Final = 2**63 - 1
"""The largest number that a packet may have, and SQLite keeps."""

_LAST: Final = """
SELECT max(
    coalesce((SELECT max(position) FROM messages WHERE conversation = ?1), 0) >> ?2,
    coalesce((SELECT last_order FROM contacts WHERE id = ?1), 0)
)
"""
_OUR_LAST: Final = "SELECT next_seq, last_hash FROM contacts WHERE id = ? AND standing > 0"
_TAKEN: Final = """
SELECT 1 FROM messages WHERE position = ?1 UNION ALL SELECT 1 FROM actions WHERE position = ?1
"""
_ANEW: Final = "UPDATE contacts SET next_seq = ?, last_hash = zeroblob(32)"
_LAST_EPOCH: Final = "SELECT coalesce(max(next_seq), 0) >> ? FROM contacts"
_APPEND: Final = "UPDATE contacts SET next_seq = ?, last_hash = ?, last_order = ? WHERE id = ?"
_NEIGHBOURS: Final = """
SELECT first, last, before, hash FROM heard WHERE conversation = ? AND first <= ? ORDER BY first DESC LIMIT 2
"""
_PUT: Final = "INSERT OR REPLACE INTO heard (conversation, first, last, before, hash) VALUES (?, ?, ?, ?, ?)"
_FORK: Final = "UPDATE contacts SET forked = ? WHERE id = ?"


def chain_hash(chained: Chained) -> bytes:
    """The hash of a message that its author's next message carries, so that gaps and forks are seen.

    SHA-256(u8 kind | prev | id | u64 seq | u64 sent_ms | u64 order | u32 timer | v(about) | content) of
    SPEC.md section 7: v() is the length in two bytes, then the bytes; `content` is UTF-8, or the
    body of an offer.

    Raises:
        StorageBug: A number is negative or longer than its bits, or the content holds half of a
            surrogate pair.
    """
    numbers = (chained.seq, chained.sent_ms, chained.order)
    try:
        fixed = [bytes((chained.kind,)), chained.prev, chained.id, *(n.to_bytes(8, "big") for n in numbers)]
        timer = chained.timer.to_bytes(4, "big")
        about = len(chained.about).to_bytes(2, "big") + chained.about
        content = chained.content.encode() + chained.body  # one of them is empty
        return hashlib.sha256(b"".join((*fixed, timer, about, content))).digest()
    except FAULTS as e:
        raise translated(e) from e


def next_order(database: Database, conversation: ConversationId, at_ms: int) -> int:
    """When something is written, or right after all that is there (a hybrid logical clock)."""
    last = database.number(_LAST, (conversation, limits.ORDER_TIE_BITS))
    return min(max(at_ms, last + 1), limits.ORDER_MAX)


def order_here(database: Database, conversation: ConversationId, order: int, now_ms: int) -> int:
    """Where a message of theirs stands, whatever order it claims (SPEC.md 8.2)."""
    if not order:
        return next_order(database, conversation, now_ms)
    return min(order, now_ms + limits.CLOCK_AHEAD * 1000, limits.ORDER_MAX)


def free_position(database: Database, order: int, id_: MessageId) -> int:
    """A position for a message: its order, then bits of its id, so that both ends put it alike."""
    mask = 2**limits.ORDER_TIE_BITS - 1
    tie = int.from_bytes(id_, "big")
    while database.row(_TAKEN, (position := order << limits.ORDER_TIE_BITS | tie & mask,)):
        tie += 1
    return position


def append(
    database: Database,
    conversation: ConversationId,
    kind: ChainKind,
    id_: MessageId,
    sent_ms: int,
    *,
    about: bytes = b"",
    content: str = "",
    timer: int = 0,
    above: int = 0,
    body: bytes = b"",
) -> tuple[Chained, int]:
    """Add a message to our chain and to the outbox; in a transaction of the caller.

    Args:
        database: Where.
        conversation: To whom.
        kind: What it is.
        id_: 16 random bytes, new.
        sent_ms: When it was written, Unix milliseconds.
        about: As in `Chained`.
        content: As in `Chained`.
        timer: As in `Chained`.
        above: The order that is sent is greater than this one; where the message stands here is not changed.
        body: As in `Chained`.

    Returns:
        The message and its position, where the caller stores it.

    Raises:
        InputError: UNKNOWN, there is no such conversation.
    """
    contact = database.row(_OUR_LAST, (conversation,))
    if contact is None:
        raise InputError(InputProblem.UNKNOWN)
    seq, prev = contact
    order = next_order(database, conversation, sent_ms)
    chained = Chained(
        kind=kind,
        id=id_,
        seq=seq,
        prev=prev,
        sent_ms=sent_ms,
        order=min(max(order, above + 1), limits.ORDER_MAX) if above else order,
        about=about,
        content=content,
        timer=timer,
        body=body,
    )
    position = free_position(database, order, id_)
    database.rows(_APPEND, (seq + 1, chain_hash(chained), order, conversation))
    database.rows(
        "INSERT INTO outbox (position, conversation, seq) VALUES (?, ?, ?)", (position, conversation, seq)
    )
    return chained, position


def begin_anew(database: Database, epoch: int) -> int:
    """Begin a new part of every chain of ours: this is an older database, and others know more of it than we.

    In a transaction of the caller.

    Args:
        database: Where.
        epoch: The least number for the part; a greater one is taken if it has been used here.

    Returns:
        The number of the part.
    """
    last = database.number(_LAST_EPOCH, (store_limits.PART_BITS,))
    chosen = min(max(epoch, last + 1), store_limits.EPOCH_MAX)
    database.rows(_ANEW, (chosen << store_limits.PART_BITS | 1,))
    return chosen


def _part(seq: int) -> int:
    """The part of a chain to which a number belongs; 0 until its author went back to an older database."""
    return seq >> store_limits.PART_BITS


def _place(seq: int) -> int:
    """Where a number stands in its part, from 1."""
    return seq & (1 << store_limits.PART_BITS) - 1


def hear(database: Database, conversation: ConversationId, chained: Chained) -> bool:
    """Note that a message of theirs, which was not here before, has come; in a transaction of the caller.

    Their number 1 with nothing before it begins a new chain: they have deleted the conversation. The first
    number of another part begins that part, and nothing is missing before it (SPEC.md 8.5).

    Returns:
        Whether a gap was opened or filled, or a fork seen: `Conversation.missing` or `forked` may differ.
    """
    seq, hash_ = chained.seq, chain_hash(chained)
    found = database.rows(_NEIGHBOURS, (conversation, min(seq + 1, _SEQ_MAX)))
    above = found.pop(0) if found and found[0][0] == seq + 1 else None
    if above is not None and _part(seq + 1) != _part(seq):
        above = None
    below: Row | None = found[0] if found else None
    if below is not None and seq <= below[1]:
        if (seq, hash_) == (below[1], below[3]):
            return False  # the same again, long after it was forgotten
        return _twice(database, conversation, chained, hash_)
    forked = _place(seq) == 0 or (_place(seq) == 1 and chained.prev != ZEROS)
    first, last, before, end = seq, seq, chained.prev, hash_
    if below is not None and below[1] == seq - 1 and _part(seq - 1) == _part(seq):
        forked = forked or below[3] not in (None, chained.prev)
        first, before = below[0], below[2]
    if above is not None:
        forked = forked or above[2] not in (None, hash_)
        last, end = above[1], above[3]
        database.rows("DELETE FROM heard WHERE conversation = ? AND first = ?", (conversation, seq + 1))
    database.rows(_PUT, (conversation, first, last, before, end))
    if forked:
        database.rows(_FORK, (1, conversation))
    joined = first < seq or _place(seq) == 1
    return forked or above is not None or not joined or _behind(database, conversation, last)


def _twice(database: Database, conversation: ConversationId, chained: Chained, hash_: bytes) -> bool:
    """Another message has a number that was there."""
    anew = chained.seq == 1 and chained.prev == ZEROS
    if anew:
        database.rows("DELETE FROM heard WHERE conversation = ?", (conversation,))
        database.rows(_PUT, (conversation, 1, 1, ZEROS, hash_))
    database.rows(_FORK, (0 if anew else 1, conversation))
    return True


def _behind(database: Database, conversation: ConversationId, last: int) -> bool:
    """Whether there is something after a run: it has filled a part of a gap."""
    sql = "SELECT 1 FROM heard WHERE conversation = ? AND first > ? LIMIT 1"
    return database.row(sql, (conversation, last)) is not None


def merge_heard(database: Database, into: ConversationId, request: ConversationId) -> None:
    """A message request has become part of a conversation; in a transaction of the caller."""
    sql = "SELECT first, last, before, hash FROM heard WHERE conversation IN (?, ?) ORDER BY first, last"
    runs: list[Row] = []
    for first, last, before, end in database.rows(sql, (into, request)):
        if not runs or first > runs[-1][1] + 1 or _part(first) != _part(runs[-1][1]):
            runs.append((first, last, before, end))
        elif last > runs[-1][1]:
            runs[-1] = (runs[-1][0], last, runs[-1][2], end)
    database.rows("DELETE FROM heard WHERE conversation IN (?, ?)", (into, request))
    for run in runs:
        database.rows(_PUT, (into, *run))
