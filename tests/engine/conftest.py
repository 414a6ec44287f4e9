"""Shared by the tests of messenger.engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messenger.core import limits
from tests.helpers.engines import People, people_in
from tests.helpers.patience import LIMITS, PATIENCE
from tests.helpers.relays import Site, prepare, relay_in


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[People]:
    """Makes people; their engines are stopped at the end."""
    async with people_in(tmp_path) as everybody:
        yield everybody


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A relay."""
    async with relay_in(prepare(tmp_path / "relay", "mallory")) as site:
        yield site


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that only spare other people's computers are short here."""
    monkeypatch.setattr(limits, "RECONNECT_FIRST", 0.05)
    monkeypatch.setattr(limits, "RECONNECT_MAX", 0.2)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is hung up on, and nothing left half closed, because this machine stood still for some seconds.

    Tests of these limits set them.
    """
    for name in LIMITS:
        monkeypatch.setattr(limits, name, PATIENCE)
