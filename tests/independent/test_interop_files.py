"""Files between an engine of the program and the second implementation, over real sockets, both ways.

Whoever is called, whoever sends: what comes is what was sent, and a lane that is cut goes on where it was.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messenger.core.models import Standing
from messenger.core.transfers import Transfer, TransferState
from messenger.engine.events import ContactChanged, TransferChanged
from tests.helpers.carrier import context_of
from tests.helpers.engines import People, Person, people_in
from tests.helpers.relay_users import until
from tests.independent import files, packets
from tests.independent.files import CHUNK, Entry, Giver, Taker
from tests.independent.neighbour import Neighbour, ask, give, neighbour, take

SIZE = CHUNK + 700_001
CUT = CHUNK + 300_000
"""In the middle of the second chunk."""


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[People]:
    """Makes people; their engines are stopped at the end."""
    async with people_in(tmp_path) as everybody:
        yield everybody


@pytest.fixture
async def bob() -> AsyncIterator[Neighbour]:
    """The second implementation."""
    async with neighbour(time.time(), "alice") as made:
        yield made


async def meet(alice: Person, bob: Neighbour, *, bob_calls: bool) -> None:
    """A link between the two, who have accepted each other."""
    if bob_calls:
        await bob.call(await alice.port())
        await bob.greet()
        there = await alice.wait_for(ContactChanged, lambda e: e.contact.standing is Standing.REQUEST)
        await alice.engine.accept(there.contact.id)
    else:
        connecting = asyncio.create_task(alice.connect(f"127.0.0.1:{bob.port}"))
        await bob.be_called()
        await bob.greet()
        contact = await connecting
        await alice.wait_for(ContactChanged, lambda e: e.contact.id == contact.id and not e.contact.awaiting)
    await bob.hear(packets.Hello, lambda hello: hello.accepted)


async def stands(alice: Person, state: TransferState) -> Transfer:
    """Wait until the transfer stands somehow."""
    return (await alice.wait_for(TransferChanged, lambda e: e.transfer.state is state)).transfer


def tree(folder: Path) -> None:
    """A folder with all that there can be."""
    (folder / "empty").mkdir(parents=True)
    (folder / "film").write_bytes(os.urandom(SIZE))
    (folder / "nothing").touch()
    (folder / "run ünï").write_bytes(b"#!/bin/sh\n")
    (folder / "run ünï").chmod(0o755)


@pytest.mark.parametrize("bob_calls", [True, False])
@pytest.mark.parametrize("cut", [None, CUT])
async def test_the_program_sends(
    people: People, bob: Neighbour, tmp_path: Path, bob_calls: bool, cut: int | None
) -> None:
    alice = await people("alice")
    await meet(alice, bob, bob_calls=bob_calls)
    tree(tmp_path / "things")
    await alice.engine.offer_files(await alice.with_("bob"), [tmp_path / "things"])
    offer = await bob.hear(packets.Offer)
    await bob.say(packets.Delivered([offer.id]))
    await bob.wish(offer.id, files.GO, 1, own=False)

    taker = Taker(files.read_body(offer.body))
    if cut is not None:
        await take(await bob.lane(await bob.their_ticket()), offer.id, taker, cut)
        assert taker.chunks.keys() == {0}
        assert taker.begun, "and some of the next one"
    await take(await bob.lane(await bob.their_ticket(2 if cut else 1)), offer.id, taker)
    await bob.wish(offer.id, files.DONE, 2, own=False, proof=taker.root)
    await stands(alice, TransferState.DONE)

    entries = files.read_manifest(taker.manifest, taker.body)
    at = 0
    for entry in entries:
        path = tmp_path.joinpath(*entry.path)
        assert entry.folder == path.is_dir()
        assert entry.modified == path.stat().st_mtime_ns // 1_000_000
        if not entry.folder:
            assert taker.content[at : at + entry.size] == path.read_bytes()
            assert entry.executable == (path.name == "run ünï")
        at += entry.size
    assert sorted("/".join(entry.path) for entry in entries) == sorted(
        ["things", *(f"things/{name}" for name in ("empty", "film", "nothing", "run ünï"))]
    )


@pytest.mark.parametrize("bob_calls", [True, False])
@pytest.mark.parametrize("cut", [None, CUT])
async def test_the_program_receives(
    people: People, bob: Neighbour, tmp_path: Path, bob_calls: bool, cut: int | None
) -> None:
    alice = await people("alice")
    await meet(alice, bob, bob_calls=bob_calls)
    content = os.urandom(SIZE)
    entries = [
        Entry(["things"], folder=True, modified=1_600_000_000_000),
        Entry(["things", "film"], SIZE - 10, 1_700_000_000_123),
        Entry(["things", "nothing"], 0, 1),
        Entry(["things", "run ünï"], 10, 1_700_000_000_000, executable=True),
    ]
    body, manifest = files.offered(entries)
    id_ = await bob.offer(body)
    offered = await stands(alice, TransferState.OFFERED)
    await alice.engine.accept_files(offered.id, tmp_path / "there")
    await bob.told(id_, files.GO)
    await bob.wish(id_, files.GO, 0, own=True)

    giver = Giver(id_, body, manifest, content)
    if cut is not None:
        await give(await bob.lane(await bob.ticket()), giver, cut)
    lane = await bob.lane(await bob.ticket())
    await give(lane, giver)
    done = await bob.told(id_, files.DONE)
    assert done.proof == files.content_root(files.hashes_of(content))
    await stands(alice, TransferState.DONE)

    there = tmp_path / "there" / "things"
    assert sorted(path.name for path in there.iterdir()) == ["film", "nothing", "run ünï"]
    assert (there / "film").read_bytes() + (there / "run ünï").read_bytes() == content
    assert (there / "nothing").read_bytes() == b""
    assert (there / "film").stat().st_mtime_ns == 1_700_000_000_123_000_000
    assert (there / "run ünï").stat().st_mode & 0o111
    assert not (there / "film").stat().st_mode & 0o111


@pytest.mark.parametrize("own", [True, False])
async def test_a_cancelled_transfer_is_cancelled_for_both(
    people: People, bob: Neighbour, tmp_path: Path, own: bool
) -> None:
    alice = await people("alice")
    await meet(alice, bob, bob_calls=True)
    if own:
        id_ = await bob.offer(files.offered([Entry(["film"], 5)])[0])
        await bob.told(id_, files.OPEN)
    else:
        (tmp_path / "film").write_bytes(b"12345")
        message, _ = await alice.engine.offer_files(await alice.with_("bob"), [tmp_path / "film"])
        id_ = (await bob.hear(packets.Offer)).id
        assert id_ == message.id
    await bob.wish(id_, files.CANCELLED, 1, own=own)
    await stands(alice, TransferState.CANCELLED)


@pytest.mark.parametrize("bob_calls", [True, False])
async def test_a_lane_is_cut_when_everything_is_on_its_way(
    people: People, bob: Neighbour, tmp_path: Path, bob_calls: bool
) -> None:
    """It has sent all and heard no goodbye: perhaps nothing has come, so it gives another ticket."""
    alice = await people("alice")
    await meet(alice, bob, bob_calls=bob_calls)
    (tmp_path / "letter").write_bytes(b"Dear Bob")
    await alice.engine.offer_files(await alice.with_("bob"), [tmp_path / "letter"])
    offer = await bob.hear(packets.Offer)
    await bob.say(packets.Delivered([offer.id]))
    await bob.wish(offer.id, files.GO, 1, own=False)
    lane = await bob.lane(await bob.their_ticket())
    await lane.deafen()
    await ask(lane, Taker(files.read_body(offer.body)))
    context, transfer = context_of(alice), (await alice.engine.transfers())[0].id

    async def sent() -> bool:
        return bool((await context.stored(context.store.transfers.get, transfer)).root)

    await until(sent)
    await lane.close()
    taker = Taker(files.read_body(offer.body))
    await take(await bob.lane(await bob.their_ticket(2)), offer.id, taker)
    assert taker.content == b"Dear Bob"
