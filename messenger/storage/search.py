"""Looking for words in the messages of one person or of all.

The index is an FTS5 table over `messages`, kept by triggers in the transaction of each change; what
is deleted is overwritten in it at once. A date is a range of positions.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Final

from messenger.core import store_limits
from messenger.core.models import Found, Message, SearchQuery
from messenger.core.words import Phrase, occurring, phrases_of
from messenger.storage.calendar import position_of
from messenger.storage.database import Database, Row, Value
from messenger.storage.rows import MESSAGE_COLUMNS, SHOWN, columns_of, message_from

_COLUMNS: Final = columns_of("m", MESSAGE_COLUMNS)
_BY_INDEX: Final = f"""
SELECT {_COLUMNS} FROM search AS s CROSS JOIN messages AS m ON m.position = s.rowid
WHERE s.search MATCH ? AND s.rowid < ? AND s.rowid >= ? AND {SHOWN}
"""  # noqa: S608 -- constants only, here and below
_BY_READING: Final = f"""
SELECT {_COLUMNS} FROM messages AS m WHERE m.position < ? AND m.position >= ? AND {SHOWN}
"""  # noqa: S608
_POSITION_MAX: Final = 2**63 - 1
_MERGED: Final = 2
"""A merge that does something changes at least so many rows (documentation of FTS5)."""


@contextlib.contextmanager
def forgetting(database: Database, count: int) -> Iterator[None]:
    """Make a block one transaction that deletes messages, quick if they are many.

    Args:
        database: Where.
        count: About how many will be deleted.

    Raises:
        StorageError: Nothing was deleted.
    """
    with database.write():
        if count < store_limits.SEARCH_BULK:
            yield
            return
        with overwriting(database, later=True):
            yield
        database.rows("INSERT INTO search (search) VALUES ('optimize')")  # writes all of it anew


@contextlib.contextmanager
def overwriting(database: Database, *, later: bool) -> Iterator[None]:
    """Within a transaction: deletions in the block do not overwrite their terms, as long as `later`."""
    _set_overwriting(database, now=not later)
    yield
    _set_overwriting(database, now=True)


def merge_start(database: Database) -> None:
    """Begin to write the whole index anew, without what is only marked as deleted; in a transaction."""
    database.rows("INSERT INTO search (search, rank) VALUES ('merge', ?)", (-store_limits.SEARCH_MERGE,))


def merge_more(database: Database) -> bool:
    """Write a part of the index anew; False if there is nothing left to do. In a transaction."""
    before = database.changes()
    database.rows("INSERT INTO search (search, rank) VALUES ('merge', ?)", (store_limits.SEARCH_MERGE,))
    return database.changes() - before >= _MERGED


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
    if not phrases or count < 1:
        return Found(messages=(), next=None)
    looking = _Looking(
        database, query, phrases, (lowest, end if before is None else min(before, end)), count + 1
    )
    if any(phrase.prefix for phrase in phrases):
        looking.read_newest()
        looking.read_rarest()
    looking.ask_index()
    hits = looking.hits
    more = hits[count - 1].position if len(hits) > count else None
    return Found(messages=tuple(hits[:count]), next=more)


class _Looking:
    """One search, going back in time.

    Args:
        database: Where.
        query: What is asked for besides phrases.
        phrases: What must occur.
        span: The smallest position that may fit, and the one after the largest.
        count: Hits that are wanted.
    """

    def __init__(
        self,
        database: Database,
        query: SearchQuery,
        phrases: Sequence[Phrase],
        span: tuple[int, int],
        count: int,
    ) -> None:
        self.hits: list[Message] = []
        self._database = database
        self._query = query
        self._phrases = phrases
        self._lowest, self._end = span
        self._count = count
        self._read = 0
        self._begun = [0] * len(phrases)

    @property
    def _done(self) -> bool:
        return len(self.hits) >= self._count or self._end <= self._lowest

    def read_newest(self) -> None:
        """Look through the messages themselves, as long as that is quicker than the index."""
        worth = True
        while worth and not self._done and self._read < store_limits.SEARCH_NEWEST:
            self._step(None)
            begun = sum(n for n, phrase in zip(self._begun, self._phrases, strict=True) if phrase.prefix)
            worth = len(self.hits) * begun * store_limits.SEARCH_COMMON >= self._read**2

    def read_rarest(self) -> None:
        """If some of the beginnings are common, look for them in the messages that have all others."""
        common = [
            phrase.prefix and n * store_limits.SEARCH_FREQUENT >= self._read
            for n, phrase in zip(self._begun, self._phrases, strict=True)
        ]
        rarest = self._begun.index(min(self._begun))
        rare = [phrase for n, phrase in enumerate(self._phrases) if n == rarest or not common[n]]
        enough = self._read + store_limits.SEARCH_NEWEST
        while len(rare) < len(self._phrases) and not self._done and self._read < enough:
            self._step(_expression(self._query, rare))

    def ask_index(self) -> None:
        """Let the index find what is missing."""
        if not self._done:
            rows = self._rows(_expression(self._query, self._phrases), self._count - len(self.hits))
            self.hits += [message_from(row) for row in rows]

    def _step(self, match: str | None) -> None:
        """Look through the next messages that the index has for an expression, or through all."""
        rows = self._rows(match, store_limits.SEARCH_SAMPLE)
        for row in rows:
            message = message_from(row)
            self._end = message.position
            self._read += 1
            there = occurring(message.text, self._phrases)
            self._begun = [n + here for n, here in zip(self._begun, there, strict=True)]
            if all(there):
                self.hits.append(message)
                if self._done:
                    return
        if len(rows) < store_limits.SEARCH_SAMPLE:
            self._end = self._lowest

    def _rows(self, match: str | None, count: int) -> list[Row]:
        """The next messages, newest first, for an expression of the index or without one."""
        sql, values = _BY_READING, list[Value]((self._end, self._lowest))
        if match is not None:
            sql, values = _BY_INDEX, [match, *values]
        asked: tuple[tuple[str, Value], ...] = (
            ("m.conversation = ?", self._query.conversation),
            ("m.outgoing = ?", None if self._query.outgoing is None else int(self._query.outgoing)),
        )
        for condition, value in asked:
            if value is not None:
                sql, values = f"{sql} AND {condition}", [*values, value]
        order = "m.position" if match is None else "s.rowid"
        return self._database.rows(f"{sql} ORDER BY {order} DESC LIMIT ?", (*values, count))


def _set_overwriting(database: Database, *, now: bool) -> None:
    """Whether each deletion overwrites its terms at once, or leaves that to what follows."""
    database.rows("INSERT INTO search (search, rank) VALUES ('secure-delete', ?)", (int(now),))


def _expression(query: SearchQuery, phrases: Sequence[Phrase]) -> str:
    """Write the phrases as FTS5 wants them; terms hold no quotation marks."""
    written = [
        "text : " + " + ".join(f'"{term}"' for term in phrase.terms) + (" *" if phrase.prefix else "")
        for phrase in phrases
    ]
    if query.conversation is not None:
        written.append(f'conversation : "{query.conversation}"')
    return " AND ".join(written)
