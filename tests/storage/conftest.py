import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from messenger.storage.database import Database, new_file
from messenger.storage.store import Store
from tests.helpers.storage import DATABASE


@pytest.fixture
def key() -> bytes:
    return os.urandom(32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / DATABASE


@pytest.fixture
def store(path: Path, key: bytes) -> Iterator[Store]:
    store = Store.open(path, key)
    yield store
    store.close()


@pytest.fixture
def database(path: Path, key: bytes) -> Iterator[Database]:
    """A database without any of our tables."""
    new_file(path)
    database = Database.open(path, key)
    yield database
    database.close()
