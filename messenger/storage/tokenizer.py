"""The terms of a text as the full-text index takes them."""

from typing import Final

import apsw

from messenger.core.words import terms_of

TOKENIZER: Final = "sotto"
"""Its name in the schema: part of every database that has the index."""

_TOKENS = list[tuple[int, int, str] | tuple[int, int, str, str]]


def register(connection: apsw.Connection) -> None:
    """Make the tokenizer known to a connection; without it SQLite opens no database that names it."""
    connection.register_fts5_tokenizer(TOKENIZER, _make)


def _make(
    _connection: apsw.Connection, _arguments: list[str]
) -> "apsw.Tokenizer":  # a name for type checkers alone
    return _tokens


def _tokens(text: bytes, reason: int, _locale: str | None) -> _TOKENS:
    """Cut a text that is stored; what is asked for comes as single terms.

    Nobody asks the index where in a text a term stands, so all stand at its beginning.
    """
    decoded = text.decode("utf-8", "replace")
    if reason & apsw.FTS5_TOKENIZE_QUERY:
        return [(0, 0, decoded)]
    return [(0, 0, *terms) for terms in terms_of(decoded)]  # type: ignore[misc]
