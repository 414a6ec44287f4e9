"""Looking for words in the messages of one person or of all.

The index is an FTS5 table over `messages`, kept by triggers in the transaction of each change; what
is deleted is overwritten in it at once. A date is a range of positions.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Final

from messenger.core import store_limits
from messenger.core.errors import StorageError
from messenger.core.models import Found, Message, SearchQuery
from messenger.core.words import Phrase, contains, phrases_of
from messenger.storage.calendar import position_of
from messenger.storage.database import Database, Value
from messenger.storage.rows import MESSAGE_COLUMNS, columns_of, message_from

_COLUMNS: Final = columns_of("m", MESSAGE_COLUMNS)
_BY_INDEX: Final = f"""
SELECT {_COLUMNS} FROM search AS s CROSS JOIN messages AS m ON m.position = s.rowid
WHERE s.search MATCH ? AND s.rowid < ? AND s.rowid >= ?
"""  # noqa: S608 -- constants only, here and below
_BY_READING: Final = f"SELECT {_COLUMNS} FROM messages AS m WHERE m.position < ? AND m.position >= ?"  # noqa: S608
_POSITION_MAX: Final = 2**63 - 1


@contextlib.contextmanager
def forgetting(database: Database, count: int) -> Iterator[None]:
    """Make a block one transaction that deletes messages, quick if they are many.

    Args:
        database: Where.
        count: About how many will be deleted.

    Raises:
        StorageError: Nothing was deleted.
    """
    if count < store_limits.SEARCH_BULK:
        with database.write():
            yield
        return
    try:
        with database.write():
            _overwriting(database, now=False)
            yield
            database.rows("INSERT INTO search (search) VALUES ('optimize')")  # writes all of it anew
            _overwriting(database, now=True)
    except BaseException:
        with contextlib.suppress(StorageError):  # the first error matters more, and opening sets it too
            _overwriting(database, now=True)
        raise


def find(database: Database, query: SearchQuery, before: int | None, count: int) -> Found:
    """Find the newest messages that fit.

    Args:
        database: Where to read.
        query: What is looked for.
        before: `Found.next` of the page before; None for the first.
        count: At most so many, and at most `store_limits.SEARCH_PAGE_MAX`.
    """
    phrases, count = phrases_of(query.text), min(count, store_limits.SEARCH_PAGE_MAX)
    lowest = 0 if query.since_ms is None else position_of(query.since_ms)
    end = _POSITION_MAX if query.until_ms is None else position_of(query.until_ms)
    end = end if before is None else min(before, end)
    if not phrases or count < 1:
        return Found(messages=(), next=None)
    hits: list[Message] = []
    if any(phrase.prefix for phrase in phrases):
        hits, end = _read_newest(database, query, phrases, (lowest, end), count + 1)
    if len(hits) <= count and end > lowest:
        match = _expression(query, phrases)
        sql, values = _filtered(_BY_INDEX, query, (match, end, lowest))
        rows = database.rows(f"{sql} ORDER BY s.rowid DESC LIMIT ?", (*values, count + 1 - len(hits)))
        hits += [message_from(row) for row in rows]
    more = hits[count - 1].position if len(hits) > count else None
    return Found(messages=tuple(hits[:count]), next=more)


def _overwriting(database: Database, *, now: bool) -> None:
    """Whether each deletion overwrites its terms at once, or leaves that to what follows."""
    database.rows("INSERT INTO search (search, rank) VALUES ('secure-delete', ?)", (int(now),))


def _read_newest(
    database: Database, query: SearchQuery, phrases: Sequence[Phrase], span: tuple[int, int], count: int
) -> tuple[list[Message], int]:
    """Look through the newest messages themselves, as long as many of them fit.

    Returns:
        What fits, newest first, at most `count`; and the position before which nobody has looked.
    """
    lowest, end = span
    hits: list[Message] = []
    read, step = 0, store_limits.SEARCH_SAMPLE
    while read < store_limits.SEARCH_NEWEST and len(hits) * store_limits.SEARCH_COMMON >= read:
        sql, values = _filtered(_BY_READING, query, (end, lowest))
        rows = database.rows(f"{sql} ORDER BY m.position DESC LIMIT ?", (*values, step))
        for row in rows:
            message = message_from(row)
            end = message.position
            if contains(message.text, phrases):
                hits.append(message)
                if len(hits) == count:
                    return hits, end
        if len(rows) < step:
            return hits, lowest
        read += step
    return hits, end


def _filtered(sql: str, query: SearchQuery, values: tuple[Value, ...]) -> tuple[str, tuple[Value, ...]]:
    """Add what is asked for besides words."""
    asked: tuple[tuple[str, Value], ...] = (
        ("m.conversation = ?", query.conversation),
        ("m.outgoing = ?", None if query.outgoing is None else int(query.outgoing)),
    )
    for condition, value in asked:
        if value is not None:
            sql, values = f"{sql} AND {condition}", (*values, value)
    return sql, values


def _expression(query: SearchQuery, phrases: Sequence[Phrase]) -> str:
    """Write the phrases as FTS5 wants them; terms hold no quotation marks."""
    written = [
        "text : " + " + ".join(f'"{term}"' for term in phrase.terms) + (" *" if phrase.prefix else "")
        for phrase in phrases
    ]
    if query.conversation is not None:
        written.append(f'conversation : "{query.conversation}"')
    return " AND ".join(written)
