"""Strangers who want the relay to fall: it stays up, within bounds, and its friends are served."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from messenger.core import limits, relay_limits
from messenger.net.dial import wrap
from messenger.protocol.initiator import Initiator
from messenger.protocol.relay_answers import Done, Failed
from messenger.protocol.relay_queues import Send
from messenger.protocol.relay_word import Code, Welcome
from tests.helpers.links import NOW
from tests.helpers.patience import PATIENCE
from tests.helpers.relays import Site, Visitor, envelope, relay_in

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def served(site: Site) -> None:
    """A friend from another network is served as always."""
    friend = await _from(site, "127.77.0.1")
    box = await friend.make()
    tag = await friend.subscribe(box)
    sent = friend.post(Send(0, box.send_id, envelope(1)), box.send_key)
    assert await friend.arrived(tag) == envelope(1)
    assert isinstance(await friend.answer(sent), Done)
    await friend.close()


async def _from(site: Site, host: str) -> Visitor:
    sock = socket.socket()
    sock.setblocking(False)  # noqa: FBT003 -- the name of the method says it
    sock.bind((host, 0))
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", site.started.port))
    return await Visitor(await wrap(sock), site.started.fingerprint).up()


async def _stranger(site: Site, host: str) -> Stream:
    return await asyncio.open_connection("127.0.0.1", site.started.port, local_addr=(host, 0))


async def _gone(stream: Stream) -> None:
    async with asyncio.timeout(PATIENCE):
        try:
            while await stream[0].read(65536):
                pass
        except ConnectionError:
            pass
    stream[1].transport.abort()


async def test_a_thousand_strangers_who_say_nothing(site: Site) -> None:
    streams = [await _stranger(site, f"127.{number // 50}.1.1") for number in range(50, 1050)]
    await served(site)
    assert site.relay.house.counters.streams >= 900
    for stream in streams:
        stream[1].transport.abort()


async def test_one_network_has_so_many_streams(folder: Path) -> None:
    async with relay_in(folder, connections_per_network=20) as site:
        streams = [await _stranger(site, "127.5.5.5") for _ in range(30)]
        for stream in streams[20:]:
            await _gone(stream)
        assert site.relay.house.counters.streams_refused == 10
        await served(site)
        for stream in streams:
            stream[1].transport.abort()


async def test_handshakes_that_are_left_half_done(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """From one network so many and no more; over a certain number callers get work first."""
    monkeypatch.setattr(relay_limits, "PUZZLE_HALF_OPEN", 8)
    streams = []
    for number in range(40):
        stream = await _stranger(site, f"127.6.{number % 2}.1")
        caller = Initiator(None, NOW, expected=site.started.fingerprint)
        stream[1].write(caller.data_to_send())
        streams.append(stream)
    for stream in streams[32:]:
        await _gone(stream)
    assert site.relay.house.counters.greeting == 2 * relay_limits.HALF_OPEN_PER_NETWORK
    await served(site)
    for stream in streams:
        stream[1].transport.abort()


def _garbage() -> bytes:
    return os.urandom(5000)


def _huge_handshake() -> bytes:
    return b"\x01\xff\xff\xff" + bytes(100_000)


def _wrong_door() -> bytes:
    return Initiator(None, NOW, expected=None).data_to_send()


def _pass_and_more() -> bytes:
    return b"\x31\x00\x00\x20" + bytes(5000)


@pytest.mark.parametrize("what", [_garbage, _huge_handshake, _wrong_door, _pass_and_more])
async def test_garbage(site: Site, what: Callable[[], bytes]) -> None:
    for number in range(30):
        stream = await _stranger(site, f"127.7.{number}.1")
        stream[1].write(what())
        await _gone(stream)
    await served(site)
    counters = site.relay.house.counters
    assert (counters.greeting, counters.handshakes) == (0, 1)


async def test_a_message_that_is_longer_than_any(site: Site) -> None:
    visitor = await site.visitor()
    visitor.link.send_content(b"\x03\xff\xff\xff")
    visitor.write()
    await visitor.ended()
    await served(site)


async def test_half_messages_on_many_links_are_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_limits, "PARTIAL_MAX", 500_000)
    visitors = [await site.visitor() for _ in range(4)]
    begun = b"\x03" + (200_000).to_bytes(3, "big") + bytes(190_000)
    ended = [asyncio.ensure_future(visitor.ended()) for visitor in visitors]
    for visitor in visitors:
        visitor.link.send_content(begun)
        visitor.write()
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
    assert any(not each.done() for each in ended)
    await served(site)
    for visitor in visitors:
        await visitor.close()
    await asyncio.gather(*ended, return_exceptions=True)


async def test_what_one_network_has_begun_takes_nothing_from_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a share of its own of what may be in memory, and has that only for a while."""
    monkeypatch.setattr(relay_limits, "PARTIAL_MAX", 1_000_000)
    monkeypatch.setattr(relay_limits, "PARTIAL_PER_NETWORK", 500_000)
    strangers = [await _from(site, f"127.9.9.{number}") for number in range(1, 9)]
    ended = [asyncio.ensure_future(stranger.ended()) for stranger in strangers]
    for stranger in strangers:
        stranger.link.send_content(b"\x03" + (200_000).to_bytes(3, "big") + bytes(190_000))
        stranger.write()
    async with asyncio.timeout(PATIENCE):
        while sum(each.done() for each in ended) < len(ended) - 2:
            await asyncio.wait(
                [each for each in ended if not each.done()], return_when=asyncio.FIRST_COMPLETED
            )
    friend, large = await _from(site, "127.77.0.2"), max(limits.ENVELOPE_BUCKETS)
    box = await friend.make()
    assert isinstance(await friend.send(box, envelope(1, large)), Done)
    monkeypatch.setattr(relay_limits, "RECORD_DEADLINE", 0.1)
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait(ended)
    assert friend.there
    await friend.close()
    for stranger in strangers:
        await stranger.close()


async def test_somebody_who_never_reads_holds_nobody_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is for them goes to the disk, little of it stays in memory, and in the end they are dropped."""
    monkeypatch.setattr(relay_limits, "CLIENT_STALL", 0.5)
    deaf, writer = await site.visitor(), await site.visitor()
    boxes = [await deaf.make() for _ in range(2)]
    for box in boxes:
        await deaf.subscribe(box)
    deaf.stream.writer.transport.pause_reading()  # type: ignore[attr-defined]
    deaf.deaf.clear()
    large = max(limits.ENVELOPE_BUCKETS)
    for number in range(60):
        for box in boxes:
            assert isinstance(await writer.send(box, envelope(number, large)), Done)
    house = site.relay.house
    assert (await house.broker.totals()).octets == 120 * large
    assert house.queues.octets < 20 * large
    await served(site)
    async with asyncio.timeout(PATIENCE):
        while house.counters.clients_dropped == 0:
            await writer.send(boxes[0], envelope(0, large))
    monkeypatch.setattr(relay_limits, "CLIENT_STALL", PATIENCE)  # who reads is not about to be dropped
    assert (await house.broker.totals()).messages == 120
    back = await site.visitor()
    tag = await back.subscribe(boxes[1], window=4)
    assert [await back.arrived(tag) for _ in range(60)] == [envelope(number, large) for number in range(60)]


async def test_what_waits_for_many_who_never_read_is_bounded(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One queue is enough for that: what nobody has acknowledged is brought to each who subscribes to it."""
    large = max(limits.ENVELOPE_BUCKETS)
    monkeypatch.setattr(relay_limits, "WAITING_PER_NETWORK", 16 * large)
    writer = await _from(site, "127.77.0.3")
    box = await writer.make()
    for number in range(60):
        assert isinstance(await writer.send(box, envelope(number, large)), Done)
    network = site.relay.house.networks.of("127.10.10.10")
    deaf = []
    for _ in range(20):
        stranger = await _from(site, "127.10.10.10")
        deaf.append(stranger)
        await stranger.subscribe(box)
        stranger.deaf.clear()
        stranger.stream.writer.transport.pause_reading()  # type: ignore[attr-defined]
        assert network.waiting <= 16 * large
    async with asyncio.timeout(PATIENCE):
        while not site.relay.house.counters.clients_dropped:
            await served(site)
    assert network.waiting <= 16 * large
    reader = await _from(site, "127.77.0.4")
    tag = await reader.subscribe(box, window=2)
    assert [await reader.arrived(tag) for _ in range(60)] == [envelope(number, large) for number in range(60)]
    for visitor in (writer, reader, *deaf):
        await visitor.close()
    async with asyncio.timeout(PATIENCE):
        while network.streams:
            await served(site)
    assert (network.waiting, network.stalled) == (0, {})


async def test_too_much_in_memory_is_answered_as_busy(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_limits, "HANDED_MAX", 20_000)
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    tags = [writer.post(Send(0, box.send_id, envelope(number)), box.send_key) for number in range(30)]
    answers = [await writer.answer(tag) for tag in tags]
    busy = [answer for answer in answers if isinstance(answer, Failed)]
    assert {answer.code for answer in busy} <= {Code.BUSY}
    assert isinstance(await writer.send(box, envelope(99)), Done)


async def test_too_many_requests_at_once_end_the_link(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the disk is to answer them."""
    writer = await site.visitor()
    await writer.word(Welcome)
    answers: list[asyncio.Future[None]] = []

    def later(_id: bytes) -> "asyncio.Future[None]":
        answers.append(asyncio.get_running_loop().create_future())
        return answers[-1]

    with monkeypatch.context() as patched:
        patched.setattr(site.relay.house.broker, "by_send", later)
        for number in range(relay_limits.REQUESTS_OPEN_MAX):
            writer.client.request(Send(0, bytes(24), envelope(number)), bytes(32))
        content = b"".join(writer.client.data_to_send())
        for at in range(0, len(content), 200_000):
            writer.link.send_content(content[at : at + 200_000])
        writer.write()
        requests = site.relay.house.counters
        while requests.requests < relay_limits.REQUESTS_OPEN_MAX:  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0)
        assert writer.there
        one = content[: 4 + int.from_bytes(content[1:4], "big")]
        writer.link.send_content(one[:4] + b"more" + one[8:])  # of another tag
        writer.write()
        await writer.ended()
    answers[0].set_result(None)
    await served(site)


async def test_who_comes_too_fast_is_read_slowly(folder: Path) -> None:
    """Requests are delayed, not lost."""
    async with relay_in(folder, requests_per_network=50) as site:
        writer = await site.visitor()
        box = await writer.make()
        for first in (0, 60):
            numbers = range(first, first + 60)
            tags = [writer.post(Send(0, box.send_id, envelope(each)), box.send_key) for each in numbers]
            assert {type(await writer.answer(tag)) for tag in tags} == {Done}
        assert site.relay.house.counters.throttled > 0
        assert (await site.relay.house.broker.totals()).messages == 120


async def test_silent_links_are_dropped(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = await site.visitor()
    monkeypatch.setattr(limits, "KEEPALIVE_TIMEOUT", 0.1)
    monkeypatch.setattr(limits, "KEEPALIVE_INTERVAL", 100.0)
    await visitor.ended()
    assert site.relay.house.counters.clients_dropped == 1


async def test_slow_greetings_are_dropped(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HANDSHAKE_FIRST", 0.1)
    streams = [await _stranger(site, "127.8.0.1") for _ in range(2)]
    streams[0][1].write(Initiator(None, NOW, expected=site.started.fingerprint).data_to_send()[:10])
    streams[1][1].write(b"\x31")
    for stream in streams:
        await _gone(stream)
