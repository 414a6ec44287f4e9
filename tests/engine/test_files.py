"""Files between two engines, over real links and lanes, onto a real disk."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from messenger.core import transfer_limits
from messenger.core.errors import DiskFull, InputError, InputProblem
from messenger.core.ids import ConversationId
from messenger.core.settings import TakeFiles
from messenger.core.transfers import Transfer, TransferId, TransferState, Trouble, Wish
from messenger.engine.events import MessageAdded, TransferChanged
from messenger.net.connection import Connection
from messenger.protocol.packets import LaneTicket
from messenger.storage import landing
from messenger.storage.store import Store
from tests.helpers.engines import DATABASE, People, Person, friends

MIB = 1024 * 1024

Pair = tuple[Person, Person, ConversationId]


@pytest.fixture
async def pair(people: People) -> Pair:
    """Alice, Bob, and Alice's conversation with Bob; Alice has called."""
    alice, bob = await people("alice"), await people("bob")
    to_bob, _ = await friends(alice, bob)
    return alice, bob, to_bob


def file(path: Path, size: int) -> Path:
    """A file of random bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    return path


async def stands(person: Person, state: TransferState, *, since: int = 0) -> Transfer:
    """Wait until a transfer stands somehow."""
    event = await person.wait_for(TransferChanged, lambda e: e.transfer.state is state, since=since)
    return event.transfer


async def runs(person: Person, least: int, *, since: int = 0) -> Transfer:
    """Wait until so many bytes of a running transfer are there."""
    event = await person.wait_for(
        TransferChanged,
        lambda e: e.transfer.state is TransferState.RUNNING and e.transfer.done >= least,
        since=since,
    )
    return event.transfer


async def offered(pair: Pair, *paths: Path) -> Transfer:
    """Alice offers files; the transfer as Bob sees it."""
    alice, bob, to_bob = pair
    since = bob.mark
    await alice.engine.offer_files(to_bob, paths)
    return await stands(bob, TransferState.OFFERED, since=since)


async def of_alice(pair: Pair) -> Transfer:
    """The newest transfer as Alice sees it."""
    return (await pair[0].engine.transfers())[0]


async def both_done(pair: Pair, since: tuple[int, int] = (0, 0)) -> Transfer:
    """Wait until both know that it is done; as Bob sees it."""
    await stands(pair[0], TransferState.DONE, since=since[0])
    return await stands(pair[1], TransferState.DONE, since=since[1])


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden things too."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("size", [0, 1, 10 * MIB + 1])
async def test_one_file(pair: Pair, tmp_path: Path, size: int) -> None:
    source, target = file(tmp_path / "letter.bin", size), tmp_path / "there"
    offer = await offered(pair, source)
    assert (offer.names, offer.size, offer.files, offer.tops) == (("letter.bin",), size, 1, 1)
    await pair[1].engine.accept_files(offer.id, target)
    done = await both_done(pair)
    assert (target / "letter.bin").read_bytes() == source.read_bytes()
    assert done.placed == (str(target / "letter.bin"),)
    assert names(target) == ["letter.bin"]


async def test_the_offer_has_a_place_in_the_conversation(pair: Pair, tmp_path: Path) -> None:
    alice, bob, to_bob = pair
    message, left_out = await alice.engine.offer_files(to_bob, [file(tmp_path / "letter.txt", 5)])
    added = await bob.wait_for(MessageAdded, lambda e: not e.message.outgoing)
    assert not left_out
    assert (added.message.id, added.message.text) == (message.id, "letter.txt")
    assert added.message.transfer is not None
    assert [t.message for t in await bob.engine.transfers()] == [message.id]
    assert message.transfer == (await of_alice(pair)).id


async def test_the_one_who_was_called_sends(pair: Pair, tmp_path: Path) -> None:
    alice, bob, _ = pair
    to_alice = await bob.with_(alice)
    offer = await offered((bob, alice, to_alice), file(tmp_path / "a", 3 * MIB))
    await alice.engine.accept_files(offer.id, tmp_path / "there")
    await both_done((bob, alice, to_alice))
    assert (tmp_path / "there" / "a").read_bytes() == (tmp_path / "a").read_bytes()


async def test_a_folder_with_many_files(pair: Pair, tmp_path: Path) -> None:
    for number in range(300):
        file(tmp_path / "album" / f"{number % 7}" / f"picture {number}", number * 11)
    (tmp_path / "album" / "empty").mkdir()
    offer = await offered(pair, tmp_path / "album")
    assert (offer.files, offer.folders, offer.media) == (300, 9, "folder")
    await pair[1].engine.accept_files(offer.id, tmp_path / "there")
    await both_done(pair)
    here, there = tmp_path / "album", tmp_path / "there" / "album"
    found = sorted(path.relative_to(here) for path in here.rglob("*"))
    assert sorted(path.relative_to(there) for path in there.rglob("*")) == found
    assert all(
        (there / path).read_bytes() == (here / path).read_bytes() for path in found if (here / path).is_file()
    )


def of(name: str, state: TransferState) -> Callable[[TransferChanged], bool]:
    """Tells whether a transfer of one file stands somehow."""
    return lambda e: e.transfer.names == (name,) and e.transfer.state is state


async def test_several_at_once(pair: Pair, tmp_path: Path) -> None:
    alice, bob, to_bob = pair
    for number in range(5):
        await alice.engine.offer_files(to_bob, [file(tmp_path / f"{number}", MIB)])
    for number in range(5):
        event = await bob.wait_for(TransferChanged, of(f"{number}", TransferState.OFFERED))
        await bob.engine.accept_files(event.transfer.id, tmp_path / "there")
    for number in range(5):
        await alice.wait_for(TransferChanged, of(f"{number}", TransferState.DONE))
        await bob.wait_for(TransferChanged, of(f"{number}", TransferState.DONE))
    assert names(tmp_path / "there") == ["0", "1", "2", "3", "4"]


async def hesitates(person: Person, after: int) -> None:
    """Let somebody send so many bytes, and what is behind them a piece a second, until there is no limit.

    So it can be interrupted there, however slow the machine is.
    """
    await person.engine.change_settings({"send_limit": 4096})
    throttle, left = person.engine._now().transfers.runs._up, [after]

    def delay(size: int) -> float:
        left[0] -= size
        return 1.0 if left[0] < 0 else 0.0

    throttle.delay = delay  # type: ignore[method-assign]


async def slowly(person: Person, pair: Pair, tmp_path: Path) -> Transfer:
    """A transfer of 12 MiB that is less than half way, and waits to be interrupted; as Bob sees it."""
    await hesitates(person, 5 * MIB + MIB // 2)
    offer = await offered(pair, file(tmp_path / "film", 12 * MIB))
    await pair[1].engine.accept_files(offer.id, tmp_path / "there")
    return await runs(pair[1], 5 * MIB)


async def test_paused_by_either_and_resumed(pair: Pair, tmp_path: Path) -> None:
    alice, bob, _ = pair
    transfer = await slowly(alice, pair, tmp_path)
    paused = await bob.engine.pause_transfer(transfer.id)
    assert paused.paused_by_me
    assert not paused.paused_by_them
    mine = await stands(alice, TransferState.PAUSED)
    assert (mine.paused_by_me, mine.paused_by_them) == (False, True)
    await alice.engine.pause_transfer(mine.id)
    await bob.wait_for(TransferChanged, lambda e: e.transfer.paused_by_me and e.transfer.paused_by_them)
    since = (alice.mark, bob.mark)
    await bob.engine.resume_transfer(transfer.id)
    await bob.wait_for(TransferChanged, lambda e: e.transfer.mine is Wish.GO, since=since[1])
    await alice.wait_for(TransferChanged, lambda e: not e.transfer.paused_by_them, since=since[0])
    assert (await of_alice(pair)).state is TransferState.PAUSED
    await alice.engine.change_settings({"send_limit": 0})
    await alice.engine.resume_transfer(mine.id)
    await both_done(pair, since)
    assert (tmp_path / "there" / "film").read_bytes() == (tmp_path / "film").read_bytes()


@pytest.mark.parametrize("who", [0, 1])
async def test_restart_of_either_program_resumes(pair: Pair, tmp_path: Path, who: int) -> None:
    alice = pair[0]
    await slowly(alice, pair, tmp_path)
    since = pair[:2][1 - who].mark
    await pair[:2][who].restart()
    await alice.engine.change_settings({"send_limit": 0})
    await both_done(pair, (since, 0) if who else (0, since))
    assert (tmp_path / "there" / "film").read_bytes() == (tmp_path / "film").read_bytes()
    assert names(tmp_path / "there") == ["film"]


@pytest.mark.parametrize("who", [0, 1])
async def test_cancelled_by_either(pair: Pair, tmp_path: Path, who: int) -> None:
    alice, bob, _ = pair
    transfer = await slowly(alice, pair, tmp_path)
    await pair[:2][who].engine.cancel_transfer(transfer.id if who else (await of_alice(pair)).id)
    await stands(alice, TransferState.CANCELLED)
    await stands(bob, TransferState.CANCELLED)
    await alice.engine.stop()
    await bob.engine.stop()
    assert not names(tmp_path / "there")


async def test_declined(pair: Pair, tmp_path: Path) -> None:
    offer = await offered(pair, file(tmp_path / "a", 5))
    await pair[1].engine.decline_files(offer.id)
    assert (await stands(pair[0], TransferState.DECLINED)).theirs is Wish.DECLINED
    with pytest.raises(InputError) as caught:
        await pair[1].engine.accept_files(offer.id, tmp_path)
    assert caught.value.problem is InputProblem.NOT_ALLOWED


async def test_a_changed_file_is_said_at_both_ends_and_may_be_offered_again(
    pair: Pair, tmp_path: Path
) -> None:
    alice, bob, _ = pair
    offer = await offered(pair, file(tmp_path / "a", 5 * MIB))
    file(tmp_path / "a", 4 * MIB)
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    for person in (alice, bob):
        assert (await stands(person, TransferState.FAILED)).trouble is Trouble.SOURCE_CHANGED
    since = bob.mark
    await alice.engine.offer_again((await of_alice(pair)).id)
    renewed = await stands(bob, TransferState.OFFERED, since=since)
    await bob.engine.accept_files(renewed.id, tmp_path / "there")
    await both_done(pair)
    assert (tmp_path / "there" / "a").stat().st_size == 4 * MIB


async def test_cancelled_while_the_other_was_away(pair: Pair, tmp_path: Path) -> None:
    alice, bob, _ = pair
    offer = await offered(pair, file(tmp_path / "a", 5))
    await bob.engine.stop()
    await alice.engine.cancel_transfer((await of_alice(pair)).id)
    await bob.start()
    gone = await stands(bob, TransferState.CANCELLED)
    assert gone.id == offer.id
    assert gone.theirs is Wish.CANCELLED


async def test_taken_without_asking(pair: Pair, tmp_path: Path) -> None:
    alice, bob, to_bob = pair
    await bob.engine.set_download_folder(tmp_path / "there")
    await bob.engine.change_settings({"take_files": TakeFiles.CONTACTS, "take_files_mib": 1})
    await alice.engine.offer_files(to_bob, [file(tmp_path / "large", MIB + 1)])
    await alice.engine.offer_files(to_bob, [file(tmp_path / "small", MIB)])
    done = await both_done(pair)
    assert done.names == ("small",)
    states = {t.names[0]: t.state for t in await bob.engine.transfers()}
    assert states == {"large": TransferState.OFFERED, "small": TransferState.DONE}


async def test_only_verified_people_are_trusted_if_that_is_set(pair: Pair, tmp_path: Path) -> None:
    alice, bob, to_bob = pair
    await bob.engine.set_download_folder(tmp_path / "there")
    await bob.engine.change_settings({"take_files": TakeFiles.VERIFIED})
    await offered(pair, file(tmp_path / "before", 5))
    await bob.engine.set_verified(await bob.with_(alice), verified=True)
    await alice.engine.offer_files(to_bob, [file(tmp_path / "after", 5)])
    assert (await both_done(pair)).names == ("after",)


async def test_no_room(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = await offered(pair, file(tmp_path / "a", 5 * MIB))
    monkeypatch.setattr(landing, "room", lambda _: MIB)
    with pytest.raises(DiskFull):
        await pair[1].engine.accept_files(offer.id, tmp_path / "there")
    assert (await pair[1].engine.transfers())[0].state is TransferState.OFFERED


async def test_a_disk_that_fills_up_pauses_and_goes_on_when_there_is_room(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob, _ = pair
    monkeypatch.setattr(transfer_limits, "ROOM_EVERY", 0.05)
    room, write, full = landing.room, landing.Landing.write, [True]

    def refuse(self: landing.Landing, offset: int, *pieces: memoryview) -> None:
        if full[0] and offset >= 5 * MIB:
            raise DiskFull
        write(self, offset, *pieces)

    monkeypatch.setattr(landing.Landing, "write", refuse)
    monkeypatch.setattr(
        landing,
        "room",
        lambda path: (
            0
            if full[0] and bob.count(TransferChanged, lambda e: e.transfer.state is TransferState.PAUSED)
            else room(path)
        ),
    )
    offer = await offered(pair, file(tmp_path / "a", 9 * MIB))
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    for person in (alice, bob):
        assert (await stands(person, TransferState.PAUSED)).trouble is Trouble.NO_ROOM
    full[0] = False
    await both_done(pair)
    assert (tmp_path / "there" / "a").read_bytes() == (tmp_path / "a").read_bytes()


async def test_a_cut_link_costs_less_than_a_record(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob, _ = pair
    written: list[int] = []
    write = landing.Landing.write

    def count(self: landing.Landing, offset: int, *pieces: memoryview) -> None:
        written.extend(map(len, pieces))
        write(self, offset, *pieces)

    monkeypatch.setattr(landing.Landing, "write", count)
    await slowly(alice, pair, tmp_path)
    since = (alice.mark, bob.mark)
    await bob.engine.disconnect(await bob.with_(alice))
    await alice.offline(pair[2], since=since[0])
    for person, mark in zip((alice, bob), since, strict=True):
        waits = await stands(person, TransferState.WAITING, since=mark)
        assert 0 < waits.done < waits.size, "how much has come is still shown"
    await alice.engine.reconnect(pair[2])
    await alice.engine.change_settings({"send_limit": 0})
    await both_done(pair, since)
    assert (tmp_path / "there" / "film").read_bytes() == (tmp_path / "film").read_bytes()
    assert sum(written) == 12 * MIB, "what has come is not sent again"


async def test_a_ticket_may_be_slower_than_the_lane_that_it_opens(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lanes = pair[1].engine._now().transfers.runs.lanes
    take, expect = lanes.on_ticket, lanes._expect
    late: list[tuple[Connection, LaneTicket]] = []
    shown, told = asyncio.Event(), asyncio.Event()

    async def expected(id_: bytes) -> None:
        shown.set()
        await expect(id_)

    async def take_late() -> None:
        await shown.wait()
        await told.wait()
        take(*late.pop())

    def on_ticket(connection: Connection, ticket: LaneTicket) -> None:
        late.append((connection, ticket))
        told.set()

    monkeypatch.setattr(lanes, "on_ticket", on_ticket)
    monkeypatch.setattr(lanes, "_expect", expected)
    taking = asyncio.create_task(take_late())
    offer = await offered(pair, file(tmp_path / "a", MIB))
    await pair[1].engine.accept_files(offer.id, tmp_path / "there")
    await both_done(pair)
    await taking
    assert not late


async def test_bytes_that_were_hashed_and_not_noted_are_hashed_again_and_not_sent(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender's program ends before it has noted what it sent: its hashes are gone, not the bytes."""
    alice, bob, _ = pair
    await slowly(alice, pair, tmp_path)
    transfer = (await of_alice(pair)).id
    since = (alice.mark, bob.mark)
    await alice.engine.pause_transfer(transfer)
    await stands(bob, TransferState.PAUSED, since=since[1])
    await alice.engine.change_settings({"send_limit": 0})
    key = alice.engine._profile.db_key
    await alice.engine.stop()
    store = Store.open(alice.folder / DATABASE, key)
    store.transfers.begin_anew(transfer)
    store.close()
    written: list[int] = []
    write = landing.Landing.write

    def count(self: landing.Landing, offset: int, *pieces: memoryview) -> None:
        written.extend(map(len, pieces))
        write(self, offset, *pieces)

    monkeypatch.setattr(landing.Landing, "write", count)
    await alice.start()
    await alice.engine.resume_transfer(transfer)
    await both_done(pair, (0, since[1]))
    assert sum(written) <= 7 * MIB
    assert (tmp_path / "there" / "film").read_bytes() == (tmp_path / "film").read_bytes()


async def test_nothing_is_noted_before_it_is_durable(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_limits, "JOURNAL_EVERY", 0.0)
    table = pair[1].engine._now().context.store.transfers
    write, sync, journal = landing.Landing.write, landing.Landing.sync, table.journal
    last: dict[int, int] = {}
    writes, durable, noted = [0], [0], set[int]()

    def writing(self: landing.Landing, offset: int, *pieces: memoryview) -> None:
        write(self, offset, *pieces)
        writes[0] += 1
        last[offset // transfer_limits.CHUNK] = writes[0]

    def syncing(self: landing.Landing) -> None:
        before = writes[0]
        sync(self)
        durable[0] = before

    def noting(id_: TransferId, chunks: Sequence[tuple[int, bytes]], done: int) -> None:
        assert all(last[index] <= durable[0] for index, _ in chunks)
        noted.update(index for index, _ in chunks)
        journal(id_, chunks, done)

    monkeypatch.setattr(landing.Landing, "write", writing)
    monkeypatch.setattr(landing.Landing, "sync", syncing)
    monkeypatch.setattr(table, "journal", noting)
    offer = await offered(pair, file(tmp_path / "a", 30 * MIB))
    await pair[1].engine.accept_files(offer.id, tmp_path / "there")
    await both_done(pair)
    assert noted == set(range(8))
