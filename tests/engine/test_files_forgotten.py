"""Transfers whose conversation or message is deleted in just the wrong moment."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from messenger.core.errors import DiskFull, StorageBug
from messenger.core.transfers import TransferState, Wish
from messenger.engine.events import EngineFault
from messenger.storage.landing import Landing
from tests.engine.test_files import Pair, file, names, offered, pair, stands
from tests.helpers.patience import PATIENCE

__all__ = ["pair"]


class Held:
    """Holds up whoever puts files into their place.

    Args:
        patch: Puts it there.
        then: Done instead when it goes on.
    """

    def __init__(self, patch: pytest.MonkeyPatch, then: Callable[[Landing], object] | None = None) -> None:
        loop, finish = asyncio.get_running_loop(), then or Landing.finish
        self.reached = asyncio.Event()
        self.go = threading.Event()

        def held(landing: Landing) -> object:
            loop.call_soon_threadsafe(self.reached.set)
            assert self.go.wait(PATIENCE)
            return finish(landing)

        patch.setattr(Landing, "finish", held)


async def placing(pair: Pair, target: Path, held: Held, source: Path) -> None:
    """Let Bob take a file, up to the moment in which it is put into its place."""
    offer = await offered(pair, source)
    await pair[1].engine.accept_files(offer.id, target)
    async with asyncio.timeout(PATIENCE):
        await held.reached.wait()


async def test_a_conversation_is_deleted_while_its_files_are_put_in_their_place(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had come whole is there whole; nothing else is left, and nobody is bothered."""
    _, bob, _ = pair
    held, source, target = Held(monkeypatch), file(tmp_path / "whole.bin", 100_000), tmp_path / "there"
    await placing(pair, target, held, source)
    deleting = asyncio.create_task(bob.engine.delete_conversation(await bob.with_("alice")))
    await bob.engine.conversations()
    held.go.set()
    await deleting
    assert await bob.engine.conversations() == []
    await bob.engine.stop()
    assert names(target) == ["whole.bin"]
    assert (target / "whole.bin").read_bytes() == source.read_bytes()
    assert bob.count(EngineFault) == 0


@pytest.mark.parametrize("error", [DiskFull, StorageBug])
async def test_a_conversation_is_deleted_while_the_disk_refuses_its_files(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[DiskFull] | type[StorageBug]
) -> None:
    _, bob, _ = pair

    def refuse(_landing: Landing) -> object:
        raise error

    held, target = Held(monkeypatch, refuse), tmp_path / "there"
    await placing(pair, target, held, file(tmp_path / "whole.bin", 100_000))
    conversation = await bob.with_("alice")
    deleting = asyncio.create_task(bob.engine.delete_conversation(conversation))
    await bob.engine.conversations()
    held.go.set()
    await deleting
    running = bob.engine._running
    assert running is not None
    assert running.transfers.held == {}
    await bob.engine.stop()
    assert names(target) == []


async def test_a_conversation_is_gone_when_its_files_are_to_be_put_in_their_place(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk knows nothing of the transfer any more."""
    _, bob, _ = pair
    held, target = Held(monkeypatch), tmp_path / "there"
    await placing(pair, target, held, file(tmp_path / "whole.bin", 100_000))
    running = bob.engine._running
    assert running is not None
    (transfer,) = running.transfers.held.values()
    database = running.context.store._database
    await running.context.stored(database.rows, "DELETE FROM transfers WHERE id = ?", (transfer.id,))
    ended = running.transfers.runs._placing[transfer.id]
    held.go.set()
    async with asyncio.timeout(PATIENCE):
        await ended.wait()
    assert running.transfers.held == {}
    assert bob.count(EngineFault) == 0
    await bob.engine.stop()
    assert names(target) == ["whole.bin"]


@pytest.mark.parametrize("who", ["receiver", "sender"])
async def test_what_was_refused_while_they_were_away_is_told_though_its_message_is_deleted(
    pair: Pair, tmp_path: Path, who: str
) -> None:
    """The receiver declines, or the sender cancels, and then deletes the message here alone."""
    alice, bob, to_bob = pair
    offer = await offered(pair, file(tmp_path / "a", 5))
    away, there = (alice, bob) if who == "receiver" else (bob, alice)
    await away.engine.stop()
    if who == "receiver":
        await bob.engine.decline_files(offer.id)
        conversation = await bob.with_("alice")
    else:
        (ours,) = await alice.engine.transfers()
        await alice.engine.cancel_transfer(ours.id)
        conversation = to_bob
    await there.engine.delete_message(conversation, offer.message, for_both=False)
    assert await there.engine.transfers() == []
    await there.restart()  # it is not only remembered by the program that runs
    await away.start()
    wanted = TransferState.DECLINED if who == "receiver" else TransferState.CANCELLED
    gone = await stands(away, wanted)
    assert (gone.message, gone.theirs) == (
        offer.message,
        Wish.DECLINED if who == "receiver" else Wish.CANCELLED,
    )
    assert there.count(EngineFault) == away.count(EngineFault) == 0


async def test_what_has_come_while_nobody_could_be_told_is_told_though_its_message_is_deleted(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the proof that it has come."""
    alice, bob, _ = pair
    held, source, target = Held(monkeypatch), file(tmp_path / "a", 50_000), tmp_path / "there"
    await placing(pair, target, held, source)
    conversation, since = await bob.with_("alice"), bob.mark
    await alice.engine.stop()
    held.go.set()
    done = await stands(bob, TransferState.DONE, since=since)
    await bob.engine.delete_message(conversation, done.message, for_both=False)
    await alice.start()
    assert (await stands(alice, TransferState.DONE)).message == done.message
