"""Files whose ends change their address, or their way, in the middle: nothing is sent or hashed again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from messenger.core import transfer_limits
from messenger.core.transfers import TransferState
from messenger.crypto.aead import Buffer
from messenger.crypto.hashing import Hasher, chunk_hasher
from messenger.engine import lane_jobs
from messenger.protocol import lane_files
from tests.engine.test_files import MIB, Pair, hesitates, pair, runs, slowly, stands
from tests.engine.test_files_relayed import House, half_way, house, same, written
from tests.helpers.engines import People, Person, fresh_port
from tests.helpers.relay_users import acquainted, direct, relayed

__all__ = ["house", "pair", "written"]

SIZE = 12 * MIB
ELSEWHERE = "127.0.0.2"
"""Another address of this computer."""


class Counting:
    """A hash that counts what it takes."""

    def __init__(self, sizes: list[int]) -> None:
        self._sizes, self._hasher = sizes, chunk_hasher()

    def update(self, data: Buffer, /) -> None:
        """Take more bytes."""
        self._sizes.append(len(data))
        self._hasher.update(data)

    def digest(self) -> bytes:
        """The hash."""
        return self._hasher.digest()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[int]]:
    """Sizes of what the sender hashes, and of what the receiver does."""
    sizes: tuple[list[int], list[int]] = ([], [])

    def counting(which: int) -> Callable[[], Hasher]:
        return lambda: Counting(sizes[which])

    monkeypatch.setattr(lane_jobs, "chunk_hasher", counting(0))
    monkeypatch.setattr(lane_files, "chunk_hasher", counting(1))
    return sizes


def nothing_twice(tmp_path: Path, written: list[int], hashed: tuple[list[int], list[int]], ways: int) -> None:
    """What came is what was sent; the sender has read again no more than the chunk that was cut."""
    assert same(tmp_path, "film")
    assert sum(written) == sum(hashed[1]) == SIZE
    assert sum(hashed[0]) < SIZE + (ways - 1) * transfer_limits.CHUNK


async def cut(person: Person, other: Person) -> None:
    """The cable of somebody is pulled."""
    talk = person.engine._now().peers.session(await person.with_(other))
    assert talk is not None
    talk.connection.stream.abort()


@pytest.mark.parametrize("mover", [0, 1], ids=["sender moves", "receiver moves"])
@pytest.mark.parametrize("called", [True, False], ids=["is called", "calls"])
async def test_one_end_gets_another_address(
    pair: Pair,
    tmp_path: Path,
    written: list[int],
    hashed: tuple[list[int], list[int]],
    mover: int,
    called: bool,
) -> None:
    alice, bob, _ = pair
    moves, stays = pair[mover], pair[1 - mover]
    assert isinstance(moves, Person)
    assert isinstance(stays, Person)
    await slowly(alice, pair, tmp_path)
    since = (alice.mark, bob.mark)
    before = await moves.port()
    await moves.engine.stop_listening()
    await cut(moves, stays)
    await stays.offline(await stays.with_(moves), since=since[1 - mover])
    await moves.engine.change_settings({"port": fresh_port()})
    await moves.engine.listen()
    assert await moves.port() != before
    if called:
        await stays.connect(f"{ELSEWHERE}:{await moves.port()}")
    else:
        await moves.connect(f"{ELSEWHERE}:{await stays.port()}")
    await alice.engine.change_settings({"send_limit": 0})
    await stands(bob, TransferState.DONE, since=since[1])
    await stands(alice, TransferState.DONE, since=since[0])
    nothing_twice(tmp_path, written, hashed, 2)


async def test_direct_then_through_a_relay_then_direct(
    people: People,
    house: House,
    tmp_path: Path,
    written: list[int],
    hashed: tuple[list[int], list[int]],
) -> None:
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    to_bob, _ = await acquainted(alice, bob, house.site.started.link)
    await bob.engine.listen()
    await alice.connect(await bob.address())
    await direct(bob, await bob.with_(alice))
    await half_way(alice, bob, tmp_path)
    joined, since = house.lanes, (alice.mark, bob.mark)

    await bob.engine.stop_listening()
    await cut(bob, alice)
    await relayed(alice, to_bob, since=since[0])
    await hesitates(alice, 3 * MIB)
    through = await runs(bob, 8 * MIB, since=since[1])
    assert through.done < SIZE
    assert house.lanes > joined

    since = (alice.mark, bob.mark)
    await bob.engine.listen()
    await alice.connect(f"{ELSEWHERE}:{await bob.port()}")
    await direct(alice, to_bob, since=since[0])
    joined = house.lanes
    await alice.engine.change_settings({"send_limit": 0})
    await stands(bob, TransferState.DONE, since=since[1])
    await stands(alice, TransferState.DONE, since=since[0])
    assert house.lanes == joined, "the rest goes without the relay"
    nothing_twice(tmp_path, written, hashed, 3)
