"""Nothing that a relay has answered as done is lost, in whatever order things happen."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from messenger.core import relay_limits
from messenger.core.errors import StorageError
from messenger.protocol.relay_answers import Arrived, Done, Subscribed
from messenger.protocol.relay_queues import Subscribe, SubscribeFlag
from tests.conftest import LogGuard
from tests.helpers.patience import PATIENCE
from tests.helpers.relays import Box, Site, Visitor, envelope, relay_in

_WRITERS: Final = 4
_EACH: Final = 60
_A_WHILE: Final = 0.03
"""Seconds that a reader waits for something before it does something else."""


class Disorder:
    """Queues that hold little, whose readers take them from each other, on a disk that fails now and then."""

    def __init__(self, site: Site, boxes: list[Box], chance: Random) -> None:
        self.site = site
        self.boxes = boxes
        self.chance = chance
        self.kept: dict[int, Box] = {}
        """What the relay has answered as done, and nobody has acknowledged."""
        self.taken: set[int] = set()
        self.over = asyncio.Event()

    def let_fail(self, often: float) -> None:
        """Let the disk fail so often, until `over`."""
        broker = self.site.relay.house.broker
        for name in ("put", "fetch", "forget", "by_send", "by_recv", "subscribed"):
            setattr(broker, name, partial(self._perhaps, getattr(broker, name), often))

    def _perhaps(
        self,
        call: "Callable[..., asyncio.Future[Any]]",
        often: float,
        *what: Any,  # noqa: ANN401 -- as the broker has it
    ) -> "asyncio.Future[Any]":
        if self.over.is_set() or self.chance.random() >= often:
            return call(*what)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.set_exception(StorageError("not now"))
        return future

    async def write(self, first: int) -> None:
        """Write so much, each until it is done."""
        writer = await self.site.visitor()
        for number in range(first, first + _EACH):
            box = self.chance.choice(self.boxes)
            while not isinstance(await writer.send(box, envelope(number)), Done):
                pass
            if number not in self.taken:
                self.kept[number] = box

    async def read(self) -> None:
        """Read here and there, acknowledge most of it, and go without a word, again and again."""
        while not self.over.is_set():
            reader = await self.site.visitor()
            for _ in range(self.chance.randrange(1, 6)):
                box, window = self.chance.choice(self.boxes), self.chance.choice((1, 2, 5, 64))
                request = Subscribe(0, box.recv_id, SubscribeFlag(0), window)
                if isinstance(await reader.ask(request, box.recv_key), Subscribed):
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_A_WHILE):
                            await self._take(reader)
            assert reader.there, "the relay has broken a rule"
            await reader.close()

    async def _take(self, reader: Visitor) -> None:
        while True:
            word = await reader.word(Arrived)
            if self.chance.random() < 0.2:
                continue
            reader.acknowledge(word.tag, word.envelope)
            number = int.from_bytes(word.envelope[:4], "big")
            self.taken.add(number)
            self.kept.pop(number, None)


@pytest.mark.parametrize(("seed", "often"), [(1, 0.0), (2, 0.1), (3, 0.3)])
async def test_nothing_that_was_done_is_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch, logs: LogGuard, seed: int, often: float
) -> None:
    if often:
        logs.expect("storage: StorageError")
    monkeypatch.setattr(relay_limits, "QUEUES_KNOWN", 1)
    monkeypatch.setattr(relay_limits, "HANDED_WAIT", 0.01)
    monkeypatch.setattr(relay_limits, "FETCH_AGAIN", 0.05)
    monkeypatch.setattr(relay_limits, "HANDSHAKES_BURST", 10**6)  # how often they come, the disk decides
    async with relay_in(folder, queue_messages=12) as site:
        owner = await site.visitor()
        boxes = [await owner.make() for _ in range(3)]
        disorder = Disorder(site, boxes, Random(seed))
        disorder.let_fail(often)
        readers = [asyncio.create_task(disorder.read()) for _ in range(2)]
        try:
            async with asyncio.timeout(2 * PATIENCE):
                await asyncio.gather(*(disorder.write(_EACH * each) for each in range(_WRITERS)))
        finally:
            disorder.over.set()
            await asyncio.gather(*readers)
        async with asyncio.timeout(PATIENCE):
            for box in boxes:
                tag = await owner.subscribe(box)
                while box in disorder.kept.values():
                    number = int.from_bytes((await owner.arrived(tag))[:4], "big")
                    disorder.kept.pop(number, None)
            queues = site.relay.house.queues
            while queues.octets or queues._forgetting:
                await site.relay.house.broker.totals()
