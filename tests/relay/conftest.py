"""A relay that is up, on a folder that is thrown away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messenger.core import limits, relay_limits
from messenger.relay.doorkeeper import Doorkeeper
from tests.helpers.patience import LIMITS, PATIENCE
from tests.helpers.relays import Site, prepare, relay_in


@pytest.fixture(autouse=True)
def patient_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who greets, asks or goes has time, unless a test is about that: a machine may stand still."""
    for name in (*LIMITS, "CLOSE_WAIT"):
        monkeypatch.setattr(limits, name, PATIENCE)
    monkeypatch.setattr(relay_limits, "HANDSHAKE_TOTAL", PATIENCE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With keys in it."""
    return prepare(tmp_path / "relay")


@pytest.fixture
async def site(folder: Path) -> AsyncIterator[Site]:
    """With the usual options, but for the port."""
    async with relay_in(folder) as site:
        yield site


@pytest.fixture
async def unhurried(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A relay without its round of each second, which would bring late what was forgotten."""

    async def never(_self: Doorkeeper) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Doorkeeper, "watch", never)
    async with relay_in(folder) as site:
        yield site
