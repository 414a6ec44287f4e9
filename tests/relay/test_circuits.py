"""Circuits on real sockets: joined, passed on unchanged, and ended when they must be."""

import asyncio
import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from messenger.core import relay_limits
from messenger.protocol.circuits import CircuitEnd, JoinCode
from messenger.protocol.relay_answers import Failed, Pass, Ring
from messenger.protocol.relay_queues import Connect, QueueKind
from messenger.protocol.relay_word import Code, Welcome
from messenger.relay.monitor import Reader
from tests.helpers.patience import PATIENCE
from tests.helpers.relays import Site, Visitor, relay_in

CircuitStream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def passes(site: Site, calls: bool = True) -> tuple[bytes, bytes]:
    """The two passes of a call."""
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    await owner.subscribe(box, calls=calls)
    given = await writer.ask(Connect(0, box.send_id), box.send_key)
    assert isinstance(given, Pass), given
    return given.secret, (await owner.word(Ring)).secret


async def show(site: Site, secret: bytes) -> tuple[CircuitStream, CircuitEnd]:
    """Show a pass on a stream of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.started.port)
    end = CircuitEnd(secret)
    writer.write(end.data_to_send())
    return (reader, writer), end


async def joined(stream: CircuitStream, end: CircuitEnd) -> JoinCode:
    """What the relay answers."""
    async with asyncio.timeout(PATIENCE):
        end.receive_data(await stream[0].readexactly(17))
    assert end.joined is not None
    return end.joined.code


async def circuit(site: Site) -> list[CircuitStream]:
    """Two streams that are joined."""
    ends = [await show(site, secret) for secret in await passes(site)]
    assert [await joined(*end) for end in ends] == [JoinCode.JOINED] * 2
    return [stream for stream, _ in ends]


def watched(site: Site, wanted: str) -> "asyncio.Future[dict[str, Any]]":
    """The first event of a kind that the relay tells from now on."""
    found: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def look() -> None:
        for line in reader.take():
            event = json.loads(line)
            if event["event"] == wanted and not found.done():
                found.set_result(event)

    reader = Reader(look)
    site.relay.house.monitor.add(reader)
    return found


async def closed(stream: CircuitStream) -> bytes:
    """What comes until the end."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await stream[0].read()
        except ConnectionError:
            return b""
        finally:
            stream[1].transport.abort()


@pytest.mark.parametrize("in_the_kernel", [True, False])
async def test_bytes_pass_unchanged_both_ways_at_once(
    site: Site, monkeypatch: pytest.MonkeyPatch, in_the_kernel: bool
) -> None:
    if not in_the_kernel:
        monkeypatch.delattr(os, "splice", raising=False)
    one, other = await circuit(site)
    there, back = os.urandom(3_000_000), os.urandom(2_000_000)

    async def pour(stream: CircuitStream, data: bytes) -> None:
        stream[1].write(data)
        await stream[1].drain()

    async with asyncio.timeout(PATIENCE):
        _, _, came, went = await asyncio.gather(
            pour(one, there),
            pour(other, back),
            other[0].readexactly(len(there)),
            one[0].readexactly(len(back)),
        )
    assert (came, went) == (there, back)
    one[1].write(b"last words")
    one[1].close()
    assert await closed(other) == b"last words"
    assert await closed(one) == b""


async def test_an_end_that_does_not_read_stops_the_other(site: Site) -> None:
    one, other = await circuit(site)
    for _ in range(2000):
        one[1].write(bytes(65536))
        if one[1].transport.get_write_buffer_size() > 8 << 20:
            break
        await asyncio.sleep(0)
    assert one[1].transport.get_write_buffer_size() > 8 << 20, "it took everything and kept it"
    for stream in (one, other):
        stream[1].transport.abort()


async def test_a_circuit_ends_with_its_bytes(folder: Path) -> None:
    most = 1 << 20
    async with relay_in(folder, circuit_bytes=most) as site:
        over = watched(site, "circuit over")
        one, other = await circuit(site)
        one[1].write(bytes(most + 4096))
        assert len(await closed(other)) == most
        await closed(one)
        async with asyncio.timeout(PATIENCE):  # both ends may hear of it before the relay has counted
            assert (await over)["bytes"] == most
        assert site.relay.house.counters.circuit_octets == most


async def test_a_pass_works_once_and_only_if_there_is_one(site: Site) -> None:
    first, second = await passes(site)
    nobody = await show(site, bytes(relay_limits.PASS_SIZE))
    assert await joined(*nobody) is JoinCode.ABSENT
    one = await show(site, first)
    again = await show(site, first)
    assert await joined(*again) is JoinCode.ABSENT
    other = await show(site, second)
    assert [await joined(*end) for end in (one, other)] == [JoinCode.JOINED] * 2
    for stream, _ in (nobody, again, one, other):
        stream[1].transport.abort()


async def test_an_end_whose_other_goes_is_told_when_the_pass_lapses(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_limits, "PASS_WAIT", 0.2)
    first, _ = await passes(site)
    one = await show(site, first)
    assert await joined(*one) is JoinCode.ABSENT
    one[0][1].transport.abort()


async def test_more_than_a_pass_is_refused(site: Site) -> None:
    first, _ = await passes(site)
    stream, end = await show(site, first)
    stream[1].write(b"too early")
    assert await closed(stream) == b""
    assert end.joined is None


async def test_who_does_not_want_to_be_called_is_absent(site: Site) -> None:
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()

    async def call(by: Visitor = writer) -> Code:
        answer = await by.ask(Connect(0, box.send_id), box.send_key)
        assert isinstance(answer, Failed)
        return answer.code

    assert await call() is Code.ABSENT
    await owner.subscribe(box)
    assert await call() is Code.ABSENT
    requests = await owner.make(QueueKind.REQUESTS)
    answer = await writer.ask(Connect(0, requests.send_id), requests.send_key)
    assert isinstance(answer, Failed)
    assert answer.code is Code.DENIED


async def test_circuits_are_counted(folder: Path) -> None:
    async with relay_in(folder, circuits_per_link=2, circuits=1) as site:
        owner, writer, other = [await site.visitor() for _ in range(3)]
        box = await owner.make()
        await owner.subscribe(box, calls=True)
        given = [await writer.ask(Connect(0, box.send_id), box.send_key) for _ in range(3)]
        assert [type(each) for each in given] == [Pass, Pass, Failed]
        assert given[2].code is Code.LIMIT
        absent = await other.ask(Connect(0, box.send_id), box.send_key)
        assert isinstance(absent, Failed)
        assert absent.code is Code.ABSENT
        rings = [await owner.word(Ring) for _ in range(2)]
        ends = [await show(site, each.secret) for pair in zip(given, rings, strict=False) for each in pair]
        codes = [await joined(*end) for end in ends]
        assert codes == [JoinCode.JOINED, JoinCode.JOINED, JoinCode.LIMIT, JoinCode.LIMIT]
        for stream, _ in ends:
            stream[1].transport.abort()


async def test_without_circuits_nobody_is_called(folder: Path) -> None:
    """They would open streams, and hear only then that it was in vain."""
    async with relay_in(folder, circuits=0) as site:
        owner, writer = await site.visitor(), await site.visitor()
        assert (await writer.word(Welcome)).circuits == 0
        box = await owner.make()
        await owner.subscribe(box, calls=True)
        answer = await writer.ask(Connect(0, box.send_id), box.send_key)
        assert isinstance(answer, Failed)
        assert answer.code is Code.LIMIT
        await owner.make()
        assert not [word for word in owner.said if isinstance(word, Ring)]


async def test_a_circuit_in_use_goes_when_the_relay_stops(folder: Path) -> None:
    async with relay_in(folder) as site:
        one, other = await circuit(site)
    assert await closed(one) == b""
    assert await closed(other) == b""


async def test_a_circuit_for_which_there_are_no_files_costs_nothing_for_good(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls of its two links are free again, nothing counts it, and every file of it is closed."""
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    await owner.subscribe(box, calls=True)
    pipe = os.pipe
    made: list[tuple[int, int]] = []

    def scarce() -> tuple[int, int]:
        if made:
            raise OSError(errno.EMFILE, "too many open files")
        made.append(pipe())
        return made[0]

    with monkeypatch.context() as patched:
        patched.setattr(os, "pipe", scarce)
        for _ in range(relay_limits.CIRCUITS_PER_LINK + 1):
            made.clear()
            given = await writer.ask(Connect(0, box.send_id), box.send_key)
            assert isinstance(given, Pass), given
            ends = [await show(site, secret) for secret in (given.secret, (await owner.word(Ring)).secret)]
            assert [await closed(stream) for stream, _ in ends] == [b"", b""]
            assert made
            with pytest.raises(OSError):  # noqa: PT011 -- a closed file has no kind of its own
                os.fstat(made[0][0])
    assert site.relay.house.counters.circuits == site.relay.house.counters.circuits_joined == 0
    for stream in await circuit(site):
        stream[1].transport.abort()
