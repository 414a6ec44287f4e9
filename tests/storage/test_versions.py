"""A database of every earlier version is opened, complete and as one that is made today."""

from pathlib import Path

import pytest

from messenger.core.ids import ConversationId
from messenger.core.models import MessageState, SearchQuery, Standing
from messenger.core.settings import Theme
from messenger.storage.database import Database
from messenger.storage.schema import MIGRATIONS, copy_name
from messenger.storage.search import find
from messenger.storage.store import Store
from tests.helpers import old_databases

CURRENT = len(MIGRATIONS)
OLD = old_databases.versions()


def schema(database: Database) -> set[tuple[object, ...]]:
    return set(
        database.rows("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'")
    )


def columns(database: Database) -> dict[str, str]:
    """The columns of every table that is not an index."""
    tables = [str(row[0]) for row in database.rows("SELECT name FROM pragma_table_list WHERE strict")]
    named = "SELECT group_concat(name, ', ') FROM pragma_table_info(?)"
    return {table: str(database.rows(named, (table,))[0][0]) for table in tables}


def dump(database: Database, tables: dict[str, str]) -> list[list[tuple[object, ...]]]:
    return [
        database.rows(f"SELECT {names} FROM {table} ORDER BY 1, 2")  # noqa: S608
        for table, names in tables.items()
    ]


def test_there_is_a_text_of_every_earlier_version() -> None:
    assert list(range(1, CURRENT)) == OLD


@pytest.mark.parametrize("version", OLD)
def test_an_old_database_becomes_one_of_today(tmp_path: Path, key: bytes, version: int) -> None:
    path = tmp_path / "old.db"
    old_databases.make(path, key, version)
    Store.open(path, key).close()
    Store.open(tmp_path / "new.db", key).close()
    upgraded, new = (Database.open(file, key) for file in (path, tmp_path / "new.db"))
    assert upgraded.version() == CURRENT
    assert schema(upgraded) == schema(new)
    upgraded.integrity_check()
    upgraded.rows("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    upgraded.close()
    new.close()


@pytest.mark.parametrize("version", OLD)
def test_nothing_is_lost_on_the_way(tmp_path: Path, key: bytes, version: int) -> None:
    path = tmp_path / "old.db"
    old_databases.make(path, key, version)
    old = Database.open(path, key)
    tables = columns(old)
    before = dump(old, tables)
    old.close()
    Store.open(path, key).close()
    upgraded = Database.open(path, key)
    assert dump(upgraded, tables) == before
    upgraded.close()


@pytest.mark.parametrize("version", OLD)
def test_the_copy_is_what_was_there(tmp_path: Path, key: bytes, version: int) -> None:
    """But for what must not be used twice: see `messenger.storage.sealed.mark_copy`."""
    path = tmp_path / "old.db"
    old_databases.make(path, key, version)
    Store.open(path, key).close()
    copy = Database.open(copy_name(path, version), key, read_only=True)
    assert copy.version() == version
    assert copy.number("SELECT count(*) FROM messages") == 5
    assert copy.number("SELECT count(*) FROM contacts") == 2
    assert copy.row("SELECT value FROM meta WHERE name = 'restored'") == (b"\x01",)
    copy.integrity_check()
    copy.close()


def test_version_1_with_everything_that_it_had(tmp_path: Path, key: bytes) -> None:
    path = tmp_path / "old.db"
    old_databases.make(path, key, 1)
    store = Store.open(path, key)
    assert store.meta.name() == "Alice Ångström"
    assert (store.meta.settings().port, store.meta.settings().theme) == (42123, Theme.DARK)
    bob, carol = store.contacts.all()
    assert (bob.title, bob.verified, bob.addresses) == ("Bobby", True, ("192.0.2.1:42000",))
    assert (carol.title, carol.standing) == ("Carol", Standing.REQUEST)
    states = [message.state for message in store.messages.page(bob.id)]
    assert states == [MessageState.READ, MessageState.SEEN, MessageState.FAILED, MessageState.QUEUED]
    (waiting,) = store.messages.pending(bob.id, 0, 9)
    assert (waiting.message.text, waiting.seq) == ("waiting 👍", 3)

    def found(text: str, conversation: ConversationId | None = None) -> list[str]:
        query = SearchQuery(text=text, conversation=conversation)
        return [message.text for message in find(store._database, query, None, 10).messages]

    texts = [message.text for message in store.messages.page(bob.id)]
    assert found("CAFE") == ["Hello, do you know the café?", texts[0]]
    assert found("cafe", carol.id) == ["Hello, do you know the café?"]
    assert found("会い") == ["東京で会いましょう"]
    assert found("👍") == ["waiting 👍"]
    assert [store.position_at(bob.id, ms) for ms in (0, 1760400000001)] == [
        store.messages.page(bob.id)[0].position,
        waiting.message.position,
    ]
    assert store._database.rows("SELECT conversation, day, messages, bytes FROM calendar") == [
        (1, 20370, 2, sum(len(text.encode()) for text in texts[:2])),
        (1, 20375, 1, len("never sent")),
        (1, 20376, 1, len("waiting 👍".encode())),
        (3, 20371, 1, len("Hello, do you know the café?".encode())),
    ]
    store.close()
