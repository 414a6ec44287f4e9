"""A relay that is killed at any moment has everything that it said was durable."""

import asyncio
import random
import signal
from pathlib import Path

import pytest

from messenger.protocol.relay_answers import Arrived, Done
from messenger.protocol.relay_queues import Send
from tests.helpers.engines import fresh_port
from tests.helpers.relay_process import process_in
from tests.helpers.relays import Box, Visitor, envelope


class Traffic:
    """Somebody writes as fast as answers come; somebody reads, and acknowledges half of what comes."""

    def __init__(self, writer: Visitor, owner: Visitor, box: Box, first: int) -> None:
        self._writer, self._owner, self._box = writer, owner, box
        self._tags: dict[int, int] = {}
        self._next = first
        self.durable: set[int] = set()
        """Numbers of envelopes that the relay has said are durable."""
        self.had: set[int] = set()
        """Numbers of those that the reader has acknowledged."""

    @property
    def next(self) -> int:
        """The number of the next envelope."""
        return self._next

    async def run(self, tag: int, until: int) -> None:
        """Go on until so many are durable."""
        while len(self.durable) < until:
            while len(self._tags) < 20:
                send = Send(0, self._box.send_id, envelope(self._next))
                self._tags[self._writer.post(send, self._box.send_key)] = self._next
                self._next += 1
            await self._writer.changed(lambda: bool(self._writer.said))
            self.look(tag)

    def look(self, tag: int | None) -> None:
        """Take what was said."""
        for word in self._writer.said:
            if isinstance(word, Done):
                self.durable.add(self._tags.pop(word.tag))
        self._writer.said.clear()
        came = [word.envelope for word in self._owner.said if isinstance(word, Arrived)]
        self._owner.said.clear()
        numbers = {int.from_bytes(each[:4], "big") for each in came[::2]}
        if tag is not None and numbers:
            self._owner.acknowledge(tag, *came[::2])
            self.had |= numbers


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_that_was_durable_is_lost(folder: Path, seed: int) -> None:
    dice, port = random.Random(seed), fresh_port()
    flags = ("--queue-messages", "100000", "--handshakes-per-network", "64")
    durable: set[int] = set()
    had: set[int] = set()
    box, first = None, 0
    for _ in range(3):
        async with process_in(folder, port, *flags) as relay:
            writer, owner = await relay.visitor(), await relay.visitor()
            box = box or await owner.make()
            traffic = Traffic(writer, owner, box, first)
            tag = await owner.subscribe(box, window=8)
            await traffic.run(tag, dice.randrange(1, 150))
            await relay.end(signal.SIGKILL)
            await asyncio.gather(writer.ended(), owner.ended())
            traffic.look(None)
            durable |= traffic.durable
            had |= traffic.had
            first = traffic.next
            await writer.close()
            await owner.close()
    async with process_in(folder, port, *flags) as relay:
        owner = await relay.visitor()
        assert box is not None
        tag = await owner.subscribe(box)
        missing = durable - had
        while missing:
            came = int.from_bytes((await owner.arrived(tag))[:4], "big")
            missing.discard(came)
        await owner.close()
        assert await relay.end() == (0, "The relay says goodbye.\n")
