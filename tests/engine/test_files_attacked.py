"""Somebody who does not keep to the rules of files: what they offer fails, and harms nothing."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from messenger.core import transfer_limits
from messenger.core.ids import MESSAGE_ID_SIZE
from messenger.core.transfers import TransferState, Trouble, Wish
from messenger.crypto.hashing import chunk_hasher
from messenger.engine.events import TransferChanged
from messenger.engine.lane_jobs import Sending
from messenger.net.connection import Connection
from messenger.net.lanes import LANE_BYTE, accept_lane
from messenger.protocol import lane_files, packets
from messenger.protocol.lane_files import Have
from messenger.protocol.packets import LANE_SECRET_SIZE, LaneTicket
from tests.engine.test_files import MIB, Pair, file, names, of_alice, offered, pair, stands
from tests.helpers.engines import People, Person, friends
from tests.helpers.patience import PATIENCE

__all__ = ["pair"]

SIZE = 5 * MIB
CHUNK = transfer_limits.CHUNK


def bulk(job: Sending, size: int) -> None:
    while size > 0:
        piece = min(size, transfer_limits.PIECE_MAX)
        job.line.send_piece(piece)
        size -= piece


def a_chunk_that_does_not_exist(job: Sending) -> None:
    job.line.send(lane_files.chunk(2, 0))


def a_chunk_twice(job: Sending) -> None:
    job._send(0, 0)
    job._send(0, 0)


def more_bytes_than_the_chunk_has(job: Sending) -> None:
    job.line.send(lane_files.chunk(1, 0))
    bulk(job, SIZE - CHUNK - 10)
    job.line.send(bytes(11))


def bytes_without_end(job: Sending) -> None:
    job._send(0, 0)
    job._send(1, 0)
    bulk(job, 64 * MIB)


def another_hash(job: Sending) -> None:
    job.line.send(lane_files.chunk(1, 0))
    bulk(job, SIZE - CHUNK)
    job.line.send(lane_files.end(chunk_hasher().digest()))


def an_end_too_early(job: Sending) -> None:
    job._send(0, 0)
    job.line.send(lane_files.finish(bytes(32)))


def a_part_that_was_not_asked_for(job: Sending) -> None:
    job.line.send(lane_files.chunk(0, 100))


def a_word_of_another_lane(job: Sending) -> None:
    job.line.send(lane_files.begin(bytes(16)))


def another_root(job: Sending) -> None:
    job._send(0, 0)
    job._send(1, 0)
    job.finish(bytes(32))


def more_after_the_end(job: Sending) -> None:
    job._send(0, 0)
    job._send(1, 0)
    job.line.send(lane_files.finish(bytes(32)))
    job.line.send(b"and another thing")


EVIL = [
    a_chunk_that_does_not_exist, a_chunk_twice, more_bytes_than_the_chunk_has, bytes_without_end,
    another_hash, an_end_too_early, a_part_that_was_not_asked_for, a_word_of_another_lane, another_root,
    more_after_the_end,
]  # fmt: skip


async def fails(pair: Pair, tmp_path: Path) -> None:
    """What Alice offers fails at both ends, and nothing of it stays."""
    offer = await offered(pair, file(tmp_path / "a", SIZE))
    await pair[1].engine.accept_files(offer.id, tmp_path / "there")
    for person in pair[:2]:
        assert (await stands(person, TransferState.FAILED)).trouble is Trouble.BROKEN
    await pair[0].engine.stop()
    await pair[1].engine.stop()
    assert not names(tmp_path / "there")


@pytest.mark.parametrize("evil", EVIL)
async def test_a_sender_who_breaks_the_rules(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, evil: Callable[[Sending], None]
) -> None:
    def run(self: Sending, _have: Have, manifest: Callable[[], bytes]) -> None:
        for piece in lane_files.manifest_pieces(manifest()):
            self.line.send(piece)
        evil(self)

    monkeypatch.setattr(Sending, "run", run)
    await fails(pair, tmp_path)


@pytest.mark.parametrize(
    "lie", [lambda m: bytes(len(m)), lambda m: m + b"x", lambda m: m.replace(b"\xa1a", b"\xa1b")]
)
async def test_a_list_of_files_that_is_not_the_one_of_the_offer(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: Callable[[bytes], bytes]
) -> None:
    honest = lane_files.manifest_pieces
    monkeypatch.setattr(lane_files, "manifest_pieces", lambda data: honest(lie(data)))
    await fails(pair, tmp_path)


async def test_a_receiver_who_has_what_cannot_be(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_files, "have", lambda _: b"\x02\x01" + bytes(8))
    await fails(pair, tmp_path)


async def link(of: Person, with_: Person) -> Connection:
    """The link of somebody with somebody."""
    session = of.engine._now().peers.session(await of.with_(with_))
    assert session is not None
    return session.connection


async def test_a_receipt_that_lies(pair: Pair, tmp_path: Path) -> None:
    alice, bob, _ = pair
    offer = await offered(pair, file(tmp_path / "a", SIZE))
    connection = await link(bob, alice)
    connection.post(packets.Wish(offer.message, False, Wish.DONE, 0, 9, 0, os.urandom(32), False))  # noqa: FBT003
    failed = await stands(alice, TransferState.FAILED)
    assert failed.trouble is Trouble.BROKEN
    assert not alice.count(TransferChanged, lambda e: e.transfer.state is TransferState.DONE)


async def test_a_lane_for_the_transfer_of_somebody_else(
    pair: Pair, people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob, _ = pair
    carol = await people("carol")
    to_bob, _ = await friends(carol, bob)
    await alice.engine.change_settings({"send_limit": 1})
    offer = await offered(pair, file(tmp_path / "a", SIZE))
    since = bob.mark
    await carol.engine.offer_files(to_bob, [file(tmp_path / "b", 10)])
    evil = await stands(bob, TransferState.OFFERED, since=since)
    honest, wrong = lane_files.begin, {bytes(evil.message): bytes(offer.message)}
    monkeypatch.setattr(lane_files, "begin", lambda id_: honest(wrong.get(id_) or id_))
    refused: list[bytes] = []
    find = bob.engine._now().transfers.find

    async def watched(conversation: int, message: bytes, *, outgoing: bool) -> object:
        found = await find(conversation, message, outgoing=outgoing)  # type: ignore[arg-type]
        if found is None:
            refused.append(message)
            bob._changed.set()
        return found

    monkeypatch.setattr(bob.engine._now().transfers, "find", watched)
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    await bob.engine.accept_files(evil.id, tmp_path / "there")
    while offer.message not in refused:
        bob._changed.clear()
        await bob._changed.wait()
    assert (await bob.engine.transfers())[1].state not in (TransferState.FAILED, TransferState.DONE)
    assert (await of_alice(pair)).state is not TransferState.FAILED


async def test_too_many_tickets(pair: Pair) -> None:
    alice, bob, to_bob = pair
    connection, since = await link(bob, alice), alice.mark
    for _ in range(transfer_limits.TICKETS_MAX):
        connection.post(LaneTicket(os.urandom(MESSAGE_ID_SIZE), os.urandom(LANE_SECRET_SIZE), False, 0))  # noqa: FBT003
    await bob.engine.send_text(await bob.with_(alice), "still here")
    await alice.hears("still here")
    connection.post(LaneTicket(os.urandom(MESSAGE_ID_SIZE), os.urandom(LANE_SECRET_SIZE), False, 0))  # noqa: FBT003
    await alice.offline(to_bob, since=since)


async def test_a_ticket_twice(pair: Pair) -> None:
    alice, bob, to_bob = pair
    connection, since = await link(bob, alice), alice.mark
    ticket = LaneTicket(os.urandom(MESSAGE_ID_SIZE), os.urandom(LANE_SECRET_SIZE), by_initiator=False, port=0)
    connection.post(ticket)
    connection.post(ticket)
    await alice.offline(to_bob, since=since)


async def test_who_opens_a_lane_and_says_nothing_is_not_waited_for(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program ends at once, and nothing of it goes on."""
    monkeypatch.setattr(transfer_limits, "LANE_STEP", 1000.0)
    came = asyncio.Event()

    async def accepting(*how: Any) -> Any:  # noqa: ANN401 -- as it comes
        came.set()
        return await accept_lane(*how)

    monkeypatch.setattr("messenger.engine.lanes.accept_lane", accepting)
    bob = await people("bob")
    reader, writer = await asyncio.open_connection("127.0.0.1", await bob.port())
    writer.write(bytes((LANE_BYTE,)))
    async with asyncio.timeout(PATIENCE):
        await came.wait()
        await bob.engine.stop()
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()
