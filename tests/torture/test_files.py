"""Files always finish: cables that are cut, and programs that are killed, at moments that a seed chooses."""

import asyncio
import random
import sys
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from messenger.core import transfer_limits
from tests.helpers.engines import fresh_port, prepare
from tests.helpers.terminal import environment
from tests.torture.file_node import NOTHING
from tests.torture.test_messages import NAMES, acquainted, as_it_is_now

MIB: Final = 1024 * 1024
RATE_KIB: Final = 16 * 1024
"""A fast line would bring everything before anything can go wrong."""

KILL_COSTS: Final = round((transfer_limits.JOURNAL_EVERY + 1.0) * RATE_KIB * 1024)
"""Bytes that a death may cost: what came since the journal was written, which may take its time."""

BESIDE: Final = 0.03
"""Share of the bytes on the wire that are not those of files."""

LARGE: Final = 0.02
"""Share of the files that are large."""

PATIENCE: Final = 900.0
"""Seconds for all of it; only a run that hangs takes that long."""

_PIECE: Final = 64 * 1024


class Cables:
    """Passes connections on, both ways, and counts what comes from whoever sends the files.

    Args:
        cuts: After how many of these bytes whoever carries them is cut, in order.
        deaths: After how many somebody is to die.
        die: Called then.
    """

    def __init__(self, cuts: list[int], deaths: list[int], die: Callable[[], None]) -> None:
        self.carried = 0
        self.cut = 0
        self._cuts, self._deaths, self._die = deque(cuts), deque(deaths), die
        self._running: set[asyncio.Task[None]] = set()

    async def lay(self, stack: AsyncExitStack, target: int, *, from_sender: bool) -> int:
        """A port that leads to another one; whoever calls it sends the files, or gets them."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._running.add(task)
            try:
                await self._carry(reader, writer, target, from_sender=from_sender)
            except OSError:  # one of the two ends is gone
                pass
            finally:
                self._running.discard(task)
                writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        stack.push_async_callback(server.wait_closed)
        stack.push_async_callback(self._close)
        stack.callback(server.close)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _close(self) -> None:
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: int, *, from_sender: bool
    ) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        ways = (
            asyncio.create_task(self._pump(reader, back, counted=from_sender)),
            asyncio.create_task(self._pump(there, writer, counted=not from_sender)),
        )
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            back.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, counted: bool) -> None:
        while data := await source.read(_PIECE):
            sink.write(data)
            await sink.drain()
            if not counted:
                continue
            self.carried += len(data)
            if self._deaths and self.carried >= self._deaths[0]:
                self._deaths.popleft()
                self._die()
            if self._cuts and self.carried >= self._cuts[0]:
                self._cuts.popleft()
                self.cut += 1
                return


class Life:
    """One person, who is killed and started again.

    Args:
        arguments: Of the node.
        source: Where the program lies.
    """

    def __init__(self, arguments: list[str], source: Path) -> None:
        self._arguments = arguments
        self._source = source
        self._process: asyncio.subprocess.Process | None = None
        self._to_die = 0
        self.killed = 0
        self.said: list[str] = []

    def die(self) -> None:
        """Be killed once more, at once or as soon as it runs again."""
        self._to_die += 1
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def live(self, all_done: asyncio.Barrier) -> None:
        """Run, through all deaths, until both say that the transfer has ended."""
        while True:
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "tests.torture.file_node", *self._arguments,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                env=environment({"PYTHONPATH": str(self._source)}), cwd=self._source,
            )  # fmt: skip
            if self.killed < self._to_die:
                process.kill()
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                said = (await process.stdout.readline()).decode().strip()
                if said:
                    self.said.append(said)
                    await all_done.wait()  # the other one may still need an answer
                    process.stdin.close()
                    assert await process.wait() == 0
                    return
                await process.wait()
                self.killed += 1
                assert self.killed <= self._to_die, "it ended by itself"
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.communicate()


def tree(folder: Path, size: int, chance: random.Random) -> None:
    """Many files of all sizes, so many bytes in all."""
    number = 0
    while size:
        most = 64 * MIB if chance.random() < LARGE else 2 * MIB if chance.random() < 0.2 else 40_000
        data = chance.randbytes(min(chance.randrange(most), size))
        path = folder / f"{number % 7}" / f"{number % 31}" / f"file {number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        size, number = size - len(data), number + 1
    (folder / "empty").mkdir()


def same(here: Path, there: Path) -> bool:
    """Whether two trees are bit-identical."""
    names = [sorted(path.relative_to(top) for path in top.rglob("*")) for top in (here, there)]
    return names[0] == names[1] and all(
        (here / name).read_bytes() == (there / name).read_bytes()
        for name in names[0]
        if (here / name).is_file()
    )


@pytest.mark.parametrize(
    ("mib", "cuts", "kills"),
    [
        pytest.param(24, 8, 0, id="cuts"),
        pytest.param(32, 5, 3, id="short"),
        pytest.param(512, 30, 10, id="long", marks=pytest.mark.long),
    ],
)
async def test_files_arrive_bit_for_bit_and_hardly_anything_twice(
    tmp_path: Path, mib: int, cuts: int, kills: int, pytestconfig: pytest.Config
) -> None:
    """With ``--seed`` other files are cut elsewhere."""
    chance, size = random.Random(pytestconfig.getoption("--seed")), mib * MIB
    tree(tmp_path / "here" / "tree", size, chance)
    (tmp_path / "there").mkdir()
    lives: dict[str, Life] = {}
    cut_at, die_at = (sorted(chance.randrange(size) for _ in range(count)) for count in (cuts, kills))

    def die() -> None:
        lives[chance.choice(NAMES)].die()

    cables = Cables(cut_at, die_at, die)
    source, ports = as_it_is_now(tmp_path / "source"), {who: fresh_port() for who in NAMES}
    async with AsyncExitStack() as stack:
        for who, other in (NAMES, NAMES[::-1]):
            sends = who == NAMES[0]
            folder = prepare(tmp_path / who, who, port=ports[who], send_limit=RATE_KIB)
            acquainted(folder, other, await cables.lay(stack, ports[other], from_sender=sends))
            offered = str(tmp_path / "here" / "tree") if sends else NOTHING
            lives[who] = Life([str(folder), other, offered, str(tmp_path / "there")], source)
        barrier = asyncio.Barrier(len(NAMES))
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            for life in lives.values():
                group.create_task(life.live(barrier))
    assert [life.said for life in lives.values()] == [["done"], ["done"]]
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["tree"]
    assert same(tmp_path / "here" / "tree", tmp_path / "there" / "tree")
    assert (cables.cut, sum(life.killed for life in lives.values())) == (cuts, kills)
    again = cables.carried - size
    print(f"{again} bytes beside the files, of them in other packets at most {round(size * BESIDE)}")
    assert again < cuts * transfer_limits.CHUNK + kills * KILL_COSTS + size * BESIDE
