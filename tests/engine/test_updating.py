"""A profile of an earlier version is brought up to date when it is opened, and how far it is is told."""

from pathlib import Path

import pytest

from messenger.core.errors import DatabaseTooNew, DiskFull
from messenger.crypto import keystore
from messenger.engine.events import UpdateProgress
from messenger.storage import schema
from messenger.storage.database import Database
from messenger.storage.schema import MIGRATIONS, copy_name, open_current
from tests.helpers import old_databases
from tests.helpers.engines import DATABASE, People, Person
from tests.helpers.keys import make_profile

ONLY_COLUMNS_FROM = 4
"""From this version on the change itself touches no row, and is done at once."""


def old_profile(people: People, folder: Path, version: int, messages: int = 0) -> Person:
    """Somebody whose database an earlier version has left."""
    key = make_profile(folder, "alice").db_key
    old_databases.make(folder / DATABASE, key, version)
    database = Database.open(folder / DATABASE, key)
    copied = database.row("SELECT max(position) FROM messages")
    assert copied is not None
    with database.write():
        for number in range(1, messages + 1):
            database.rows(
                "INSERT INTO messages (position, conversation, id, outgoing, seq, prev, state, reason, text,"
                " sent_ms, stored_ms) VALUES (?, 1, ?, 0, ?, zeroblob(32), 7, '', ?, 1, 1)",
                (copied[0] + number, number.to_bytes(16, "big"), 1000 + number, f"word {number} " * 10),
            )
    database.close()
    return people.in_folder(folder, "alice")


def percents(person: Person) -> list[int]:
    return [event.percent for event in person.events if isinstance(event, UpdateProgress)]


@pytest.mark.parametrize("version", old_databases.versions())
async def test_how_far_it_is(people: People, tmp_path: Path, version: int) -> None:
    """From 0 to 100, never back, and often enough in between; each part of the work moves it."""
    alice = old_profile(people, tmp_path / "profile", version, 3_000)
    await alice.engine.open()
    told = percents(alice)
    assert told[0] == 0
    assert told[-1] == 100
    assert told == sorted(set(told))
    change = [(46, 99)] if version < ONLY_COLUMNS_FROM else []
    for first, last in ((1, 19), (21, 44), *change):
        assert len([percent for percent in told if first <= percent <= last]) >= 3, (first, last, told)


async def test_nothing_is_told_of_a_profile_of_today(people: People) -> None:
    alice = await people("alice")
    await alice.restart()
    assert percents(alice) == []


async def test_a_disk_that_becomes_full_in_the_middle(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays what it was, and is brought up to date when there is room."""
    folder = tmp_path / "profile"
    alice = old_profile(people, folder, 1)
    key = keystore.unlock(folder).db_key

    def full(_database: Database, _migrations: object) -> None:
        raise DiskFull("a fault")

    with monkeypatch.context() as patch:
        patch.setattr(schema, "_apply", full)
        with pytest.raises(DiskFull):
            await alice.engine.open()
    assert percents(alice)[-1] < 100
    database = Database.open(folder / DATABASE, key, read_only=True)
    assert database.version() == 1
    database.close()
    assert copy_name(folder / DATABASE, 1).exists()
    await alice.engine.open()
    assert percents(alice)[-1] == 100


async def test_a_profile_of_a_later_program(people: People) -> None:
    """It is not touched, and nothing is told."""
    alice = await people("alice")
    key = alice.engine._profile.db_key
    await alice.engine.stop()
    open_current(alice.folder / DATABASE, key, (*MIGRATIONS, "CREATE TABLE later (a INTEGER) STRICT")).close()
    before = (alice.folder / DATABASE).read_bytes()
    alice.events.clear()
    with pytest.raises(DatabaseTooNew):
        await alice.engine.open()
    assert (alice.folder / DATABASE).read_bytes() == before
    assert percents(alice) == []
