"""A relay fills no more of its disk than its owner lets it, says so, and goes on with what needs no disk."""

import asyncio
import os
from pathlib import Path

import pytest

from messenger.core import limits, relay_limits
from messenger.protocol.relay_answers import Done, Failed
from messenger.protocol.relay_queues import NewQueue, QueueKind, Send
from messenger.protocol.relay_word import Code
from messenger.relay.embedded import EmbeddedBroker
from messenger.relay.server import DATABASE
from tests.conftest import LogGuard
from tests.helpers.relays import Box, Site, Visitor, envelope, relay_in

BOUND = 2_000_000
SIZE = sorted(limits.ENVELOPE_BUCKETS)[2]
SAID = "storage: NoRoom, as disk_bytes or disk_free says"


async def poured(writer: Visitor, box: Box, number: int) -> list[Done | Failed]:
    """What is answered to so many envelopes that come together."""
    tags = [writer.post(Send(0, box.send_id, envelope(each, SIZE)), box.send_key) for each in range(number)]
    return [await writer.answer(tag) for tag in tags]


def code(answer: object) -> Code | None:
    return getattr(answer, "code", None)


async def handed(site: Site, box: Box, writer: Visitor) -> None:
    """Whoever is there gets what is written to them, and acknowledges it."""
    reader = await site.visitor()
    tag = await reader.subscribe(box)
    sent = writer.post(Send(0, box.send_id, envelope(999)), box.send_key)
    assert await reader.arrived(tag) == envelope(999)
    assert isinstance(await writer.answer(sent), Done)
    await reader.close()


async def test_the_bound_holds_and_what_is_deleted_makes_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch, logs: LogGuard
) -> None:
    monkeypatch.setattr(relay_limits, "HANDED_WAIT", 60.0)  # a slow machine is not what this is about
    logs.expect(SAID)
    async with relay_in(folder, disk_bytes=BOUND) as site:
        owner, writer = await site.visitor(), await site.visitor()
        full, other, friends = [await owner.make() for _ in range(3)]
        answers = await poured(writer, full, 40)
        stored = [number for number, answer in enumerate(answers) if isinstance(answer, Done)]
        assert {code(answer) for answer in answers} == {None, Code.FULL}
        assert 20 <= len(stored) <= BOUND // SIZE
        assert (folder / DATABASE).stat().st_size <= BOUND + SIZE
        assert code(await writer.send(other, envelope(1, SIZE))) is Code.FULL, "it is the bound of all"
        assert isinstance(await writer.send(full, envelope(stored[0], SIZE)), Done), "it is there already"
        assert site.relay.ailing() == "disk"
        await handed(site, friends, writer)
        tag = await owner.subscribe(full)
        assert [await owner.arrived(tag) for _ in stored] == [envelope(number, SIZE) for number in stored]
        while code(answer := await writer.send(other, envelope(2, SIZE))) is Code.FULL:
            assert (await site.relay.house.broker.totals()).messages  # until it has forgotten the first
        assert isinstance(answer, Done)
        await site.relay.tidy()
        counters = site.relay.house.counters
        assert (counters.queues, counters.messages_kept, counters.octets_kept) == (3, 1, SIZE)
        assert SIZE < counters.disk_room < BOUND


async def test_nothing_else_fills_the_disk_either(folder: Path, logs: LogGuard) -> None:
    logs.expect(SAID)
    async with relay_in(folder, disk_bytes=BOUND, queues_per_network=10**6) as site:
        owner = await site.visitor()
        await poured(owner, await owner.make(), 40)
        made, keys = 0, (os.urandom(32), os.urandom(32))
        while not isinstance(await owner.ask(NewQueue(0, QueueKind.CONTACT, *keys)), Failed):
            made += 1
            assert made * 100 < BOUND
        assert (folder / DATABASE).stat().st_size <= BOUND + SIZE


async def test_so_much_of_the_disk_is_left_free(
    folder: Path, monkeypatch: pytest.MonkeyPatch, logs: LogGuard
) -> None:
    monkeypatch.setattr(relay_limits, "HANDED_WAIT", 60.0)
    logs.expect(SAID)
    async with relay_in(folder) as site:
        owner = await site.visitor()
        box, friends = await owner.make(), await owner.make()
        assert isinstance(await owner.send(box, envelope(1)), Done)
        assert site.relay.house.options.disk_free == relay_limits.DISK_FREE
    async with relay_in(folder, disk_free=2**50) as site:
        owner, writer = await site.visitor(), await site.visitor()
        assert code(await writer.send(box, envelope(2, SIZE))) is Code.FULL
        await handed(site, friends, writer)
        tag = await owner.subscribe(box)
        assert await owner.arrived(tag) == envelope(1), "what is there is brought"


async def test_what_is_read_together_is_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many subscribe at the same moment, and each gets everything."""
    broker = site.relay.house.broker
    assert isinstance(broker, EmbeddedBroker)
    monkeypatch.setattr(relay_limits, "FETCHED_TOGETHER", 4 * SIZE)
    owner = await site.visitor()
    boxes = [await owner.make() for _ in range(8)]
    for box in boxes:
        assert {code(answer) for answer in await poured(owner, box, 3)} == {None}
    rows = [await broker.by_recv(box.recv_id) for box in boxes]
    await broker.totals()
    together = await asyncio.gather(*(broker.fetch(row, 0, 16) for row in rows if row is not None))
    assert [len(messages) for messages in together] == [3, 3, 1, 1, 1, 1, 1, 1]
    tags = [await owner.subscribe(box) for box in boxes]
    for tag in tags:
        assert [await owner.arrived(tag) for _ in range(3)] == [envelope(number, SIZE) for number in range(3)]
