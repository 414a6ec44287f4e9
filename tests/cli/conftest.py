"""A relay and people, for commands that run beside this loop."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.helpers.engines import People, people_in
from tests.helpers.small_relay import SmallRelay


@pytest.fixture
async def relay() -> AsyncIterator[SmallRelay]:
    """A relay."""
    made = await SmallRelay.open()
    yield made
    await made.stop()


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[People]:
    """Makes people."""
    async with people_in(tmp_path) as everybody:
        yield everybody
