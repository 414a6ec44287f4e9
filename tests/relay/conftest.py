"""A relay that is up, on a folder that is thrown away."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.helpers.relays import Site, prepare, relay_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With keys in it."""
    return prepare(tmp_path / "relay")


@pytest.fixture
async def site(folder: Path) -> AsyncIterator[Site]:
    """With the usual options, but for the port."""
    async with relay_in(folder) as site:
        yield site
