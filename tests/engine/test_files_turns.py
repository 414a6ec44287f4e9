"""Whose turn it is, how fast it may go, and what is not done twice when files go on."""

from functools import partial
from pathlib import Path

import pytest

from messenger.core import transfer_limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.transfer_deeds import FileDeed, possible
from messenger.core.transfers import TransferId, TransferState
from messenger.engine.events import Event, TransferChanged
from messenger.engine.lane_jobs import Throttle
from messenger.storage.landing import Landing
from messenger.storage.outgoing import OutgoingReader
from tests.engine.test_files import MIB, Pair, both_done, file, hesitates, of, offered, pair, runs

__all__ = ["pair"]


@pytest.mark.parametrize("who", [0, 1])
async def test_nothing_that_arrived_is_read_again_after_a_restart(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: int
) -> None:
    alice, bob, _ = pair
    monkeypatch.setattr(transfer_limits, "JOURNAL_EVERY", 0.05)
    read: list[int] = []
    reading = OutgoingReader.read_into

    def count(self: OutgoingReader, offset: int, buffer: memoryview) -> None:
        read.append(len(buffer))
        reading(self, offset, buffer)

    def never(_self: Landing, _offset: int, _buffer: memoryview) -> None:
        raise AssertionError("what has come is hashed while it comes, and never again")

    monkeypatch.setattr(OutgoingReader, "read_into", count)
    monkeypatch.setattr(Landing, "read_into", never)
    await hesitates(alice, 17 * MIB + MIB // 2)
    offer = await offered(pair, file(tmp_path / "film", 24 * MIB))
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    await runs(bob, 17 * MIB)
    since = pair[:2][1 - who].mark
    await pair[:2][who].restart()
    await alice.engine.change_settings({"send_limit": 0})
    await both_done(pair, (since, 0) if who else (0, since))
    assert (tmp_path / "there" / "film").read_bytes() == (tmp_path / "film").read_bytes()
    assert 24 * MIB <= sum(read) <= 24 * MIB + 2 * transfer_limits.CHUNK


async def test_the_oldest_first_and_no_more_at_once_than_is_allowed(pair: Pair, tmp_path: Path) -> None:
    alice, bob, to_bob = pair
    await alice.engine.change_settings({"lanes": 1, "send_limit": 64})
    ids = []
    for name in "abcd":
        await alice.engine.offer_files(to_bob, [file(tmp_path / name, 3 * MIB)])
        ids.append((await bob.wait_for(TransferChanged, of(name, TransferState.OFFERED))).transfer.id)
    await alice.engine.pause_transfer((await alice.engine.transfers())[-1].id)
    since = alice.mark
    for id_ in reversed(ids):
        await bob.engine.accept_files(id_, tmp_path / "there")
    for name in "bc":
        await alice.wait_for(TransferChanged, partial(_called_waits, name), since=since)
    await alice.engine.change_settings({"send_limit": 0})
    for name in "bcd":
        await alice.wait_for(TransferChanged, of(name, TransferState.DONE), since=since)
    running, most, begun = set[str](), 0, list[str]()
    for event in alice.events[since:]:
        if isinstance(event, TransferChanged):
            (name,), runs_now = event.transfer.names, event.transfer.state is TransferState.RUNNING
            begun += [name] if runs_now and name not in begun else []
            running = running | {name} if runs_now else running - {name}
            most = max(most, len(running))
    assert most == 1
    assert begun == ["d", "b", "c"], "d was the only one that both wanted when it began"


def _waits(id_: TransferId, event: TransferChanged) -> bool:
    return event.transfer.id == id_ and event.transfer.queued


def _called_waits(name: str, event: TransferChanged) -> bool:
    return event.transfer.names == (name,) and event.transfer.queued


def _begun(events: list[Event]) -> list[str]:
    """Names of files in the order in which they began to run."""
    running = [
        event.transfer.names[0]
        for event in events
        if isinstance(event, TransferChanged) and event.transfer.state is TransferState.RUNNING
    ]
    return list(dict.fromkeys(running))


async def test_what_shall_be_next_goes_before_what_waits_longer(pair: Pair, tmp_path: Path) -> None:
    """Also after a restart; what runs goes on."""
    alice, bob, to_bob = pair
    await alice.engine.change_settings({"lanes": 1, "send_limit": 64})
    ids = {}
    for name in "abcd":
        await alice.engine.offer_files(to_bob, [file(tmp_path / name, 3 * MIB)])
        offer = await bob.wait_for(TransferChanged, of(name, TransferState.OFFERED))
        await bob.engine.accept_files(offer.transfer.id, tmp_path / "there")
        ids[name] = (await alice.engine.transfers())[0].id
    await runs(alice, 1)
    for waiting in (ids["b"], ids["c"], ids["d"]):
        await alice.wait_for(TransferChanged, partial(_waits, waiting))
    assert possible(await alice.engine.send_first(ids["c"]))[0] is FileDeed.FIRST
    assert (await alice.engine.send_first(ids["d"])).queued
    assert [transfer.names[0] for transfer in await alice.engine.transfers() if not transfer.queued] == ["a"]
    await alice.engine.pause_transfer(ids["a"])
    await alice.wait_for(TransferChanged, of("d", TransferState.RUNNING))
    await alice.restart()
    await alice.wait_for(TransferChanged, of("d", TransferState.RUNNING))
    assert (await alice.engine.resume_transfer(ids["a"])).queued
    await alice.engine.change_settings({"send_limit": 0})
    for name in "abcd":
        await alice.wait_for(TransferChanged, of(name, TransferState.DONE))
    assert _begun(alice.events) == ["d", "c", "a", "b"]
    with pytest.raises(InputError) as caught:
        await alice.engine.send_first(ids["a"])
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    with pytest.raises(InputError):
        await bob.engine.send_first((await bob.engine.transfers())[0].id)


def test_all_who_share_a_limit_wait_for_each_other() -> None:
    shared, own = Throttle(MIB), Throttle()
    assert shared.delay(1000 * MIB) == 0
    assert 990 < shared.delay(1000 * MIB) <= 1000
    assert 1990 < shared.delay(MIB) <= 2000
    assert own.delay(1000 * MIB) == 0
    shared.rate = 0
    assert shared.delay(MIB) == 0


@pytest.mark.parametrize(
    ("rate", "piece"),
    [
        (0, transfer_limits.PIECE_MAX),
        (1, transfer_limits.PIECE_LEAST),
        (MIB, int(MIB * transfer_limits.PIECE_FAST)),
        (999 * MIB, transfer_limits.PIECE_MAX),
    ],
)
def test_pieces_fit_to_a_limit(rate: int, piece: int) -> None:
    assert Throttle(rate).piece == piece
