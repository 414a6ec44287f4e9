"""A relay and people, for commands that run beside this loop."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messenger.core import limits
from tests.helpers.engines import People, people_in
from tests.helpers.small_relay import SmallRelay
from tests.helpers.terminal import PATIENT


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here too time limits are those of the programs that tests start."""
    for name, value in PATIENT.items():
        monkeypatch.setattr(limits, name, value)


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
