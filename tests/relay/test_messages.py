"""Envelopes through a relay: handed over, kept, brought in order, forgotten, and never lost."""

import asyncio
from pathlib import Path

import pytest

from messenger.core import limits, relay_limits
from messenger.protocol.relay_answers import Done, Ended, Failed
from messenger.protocol.relay_queues import Send, Subscribe
from messenger.protocol.relay_word import Code, EndReason, Welcome
from messenger.relay.broker import Put, QueueRow
from tests.helpers.relays import Box, Site, envelope, relay_in


async def test_a_message_is_handed_over(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_limits, "HANDED_WAIT", 60.0)  # a slow machine is not what this is about
    owner, writer = await site.visitor(), await site.visitor()
    assert await owner.word(Welcome) == Welcome()
    box = await owner.make()
    tag = await owner.subscribe(box)
    sent = writer.post(Send(0, box.send_id, envelope(1)), box.send_key)
    assert await owner.arrived(tag) == envelope(1)
    assert isinstance(await writer.answer(sent), Done)
    assert (await site.relay.house.broker.totals()).messages == 0


async def test_what_was_acknowledged_leaves_the_memory(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_limits, "HANDED_WAIT", 60.0)
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    tag = await owner.subscribe(box)
    queues = site.relay.house.queues
    for number in range(3):
        sent = writer.post(Send(0, box.send_id, envelope(number)), box.send_key)
        await owner.arrived(tag)
        assert isinstance(await writer.answer(sent), Done)
    assert len(queues._handed) == 0
    assert queues.octets == 0


async def test_a_subscription_is_answered_at_once_and_not_with_the_next_tick(unhurried: Site) -> None:
    owner = await unhurried.visitor()
    await owner.subscribe(await owner.make())


async def test_who_may_not_write_is_told_at_once_and_not_with_the_next_tick(unhurried: Site) -> None:
    owner = await unhurried.visitor()
    box = await owner.make()
    for nobody in (Box(*map(bytes, (24, 24, 32, 32))), box._replace(send_id=box.recv_id)):
        assert getattr(await owner.send(nobody, envelope(1)), "code", None) is Code.DENIED


async def test_a_queue_that_is_being_subscribed_to_stays_the_one_that_writers_find(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many others are used in between."""
    monkeypatch.setattr(relay_limits, "QUEUES_KNOWN", 1)
    owner, writer = await site.visitor(), await site.visitor()
    boxes = [await owner.make() for _ in range(3)]
    broker, going_on = site.relay.house.broker, asyncio.Event()
    subscribed = broker.subscribed

    def later(queue: QueueRow) -> "asyncio.Future[tuple[int, int]]":
        async def answer() -> tuple[int, int]:
            await going_on.wait()
            return await subscribed(queue)

        return asyncio.ensure_future(answer())

    monkeypatch.setattr(broker, "subscribed", later)
    asked = owner.post(Subscribe(0, boxes[0].recv_id), boxes[0].recv_key)
    for box in boxes[1:]:
        assert isinstance(await writer.send(box, envelope(1)), Done)
    going_on.set()
    tag = (await owner.answer(asked)).tag
    sent = writer.post(Send(0, boxes[0].send_id, envelope(2)), boxes[0].send_key)
    assert await owner.arrived(tag) == envelope(2)
    assert isinstance(await writer.answer(sent), Done)


async def test_queues_that_are_found_in_one_moment_are_each_one_queue(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if there is room in memory for one of them only."""
    monkeypatch.setattr(relay_limits, "QUEUES_KNOWN", 1)
    owner, writer = await site.visitor(), await site.visitor()
    boxes = [await owner.make() for _ in range(3)][:2]
    requests = [owner.client.request(Subscribe(0, box.recv_id), box.recv_key) for box in boxes]
    owner.write()
    for number, (box, asked) in enumerate(zip(boxes, requests, strict=True)):
        tag = (await owner.answer(asked)).tag
        assert isinstance(await writer.send(box, envelope(number)), Done)
        assert await owner.arrived(tag) == envelope(number)


async def test_a_stream_that_begins_at_once_does_not_go_by_the_disk_for_ever(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_limits, "HANDED_WAIT", 60.0)  # a slow machine is not what this is about
    stored: list[bytes] = []
    put = site.relay.house.broker.put

    def counted(queue: QueueRow, hash_: bytes, what: bytes) -> "asyncio.Future[Put]":
        stored.append(hash_)
        return put(queue, hash_, what)

    monkeypatch.setattr(site.relay.house.broker, "put", counted)
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    assert isinstance(await writer.send(box, envelope(0)), Done)  # this one has to be looked for
    tag = await owner.subscribe(box)
    sent = [writer.post(Send(0, box.send_id, envelope(number)), box.send_key) for number in range(1, 31)]
    for number in range(200):
        assert await owner.arrived(tag) == envelope(number)
        if number:
            assert isinstance(await writer.answer(sent[number - 1]), Done)
            sent.append(writer.post(Send(0, box.send_id, envelope(number + 30)), box.send_key))
    assert len(stored) < 100


async def test_a_message_waits_for_its_receiver(site: Site) -> None:
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    for number in range(5):
        assert isinstance(await writer.send(box, envelope(number)), Done)
    assert (await site.relay.house.broker.totals()).messages == 5
    tag = await owner.subscribe(box)
    assert [await owner.arrived(tag) for _ in range(5)] == [envelope(number) for number in range(5)]
    assert isinstance(await owner.delete(box), Done)
    assert (await site.relay.house.broker.totals()).messages == 0


async def test_what_is_not_acknowledged_is_on_the_disk_before_its_writer_is_told(site: Site) -> None:
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    tag = await owner.subscribe(box)
    sent = writer.post(Send(0, box.send_id, envelope(7)), box.send_key)
    assert await owner.arrived(tag, acknowledge=False) == envelope(7)
    assert isinstance(await writer.answer(sent), Done)
    assert (await site.relay.house.broker.totals()).messages == 1
    again = await owner.subscribe(box)
    assert await owner.arrived(again) == envelope(7)


async def test_a_receiver_that_goes_misses_nothing(site: Site) -> None:
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    tag = await owner.subscribe(box)
    tags = [writer.post(Send(0, box.send_id, envelope(number)), box.send_key) for number in range(20)]
    await owner.arrived(tag, acknowledge=False)
    await owner.close()
    assert all([isinstance(await writer.answer(each), Done) for each in tags])
    other = await site.visitor()
    tag = await other.subscribe(box)
    assert [await other.arrived(tag) for _ in range(20)] == [envelope(number) for number in range(20)]


async def test_more_than_the_window_comes_in_order(site: Site) -> None:
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    tag = await owner.subscribe(box, window=3)
    tags = [writer.post(Send(0, box.send_id, envelope(number)), box.send_key) for number in range(40)]
    came = [await owner.arrived(tag) for _ in range(40)]
    assert came == [envelope(number) for number in range(40)]
    assert all([isinstance(await writer.answer(each), Done) for each in tags])


async def test_an_envelope_twice_is_stored_once(site: Site) -> None:
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    assert [type(await writer.send(box, envelope(1))) for _ in range(2)] == [Done, Done]
    tag = await owner.subscribe(box)
    assert isinstance(await writer.send(box, envelope(1)), Done)
    assert await owner.arrived(tag) == envelope(1)
    assert isinstance(await writer.send(box, envelope(2)), Done)
    assert await owner.arrived(tag) == envelope(2)


async def test_an_envelope_again_while_the_disk_is_looked_at_is_brought_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, writer = await site.visitor(), await site.visitor()
    box = await owner.make()
    assert isinstance(await writer.send(box, envelope(1)), Done)
    broker, looked = site.relay.house.broker, asyncio.Event()
    fetch = broker.fetch

    def slow(queue: QueueRow, after: int, most: int) -> "asyncio.Future[list[tuple[int, bytes, bytes]]]":
        async def look() -> list[tuple[int, bytes, bytes]]:
            await looked.wait()
            return await fetch(queue, after, most)

        return asyncio.ensure_future(look())

    monkeypatch.setattr(broker, "fetch", slow)
    tag = await owner.subscribe(box)
    again = writer.post(Send(0, box.send_id, envelope(1)), box.send_key)
    await writer.make()  # by now the relay has read what was asked before
    looked.set()
    assert isinstance(await writer.answer(again), Done)
    assert await owner.arrived(tag) == envelope(1)
    assert isinstance(await writer.send(box, envelope(2)), Done)
    assert await owner.arrived(tag) == envelope(2)
    assert site.relay.house.queues.octets == 0


async def test_a_queue_has_one_subscription(site: Site) -> None:
    owner, other = await site.visitor(), await site.visitor()
    box = await owner.make()
    first = await owner.subscribe(box)
    await other.subscribe(box)
    assert await owner.word(Ended) == Ended(first, EndReason.TAKEN)


async def test_a_deleted_queue_ends_the_subscription_elsewhere(site: Site) -> None:
    owner, other = await site.visitor(), await site.visitor()
    box = await owner.make()
    tag = await owner.subscribe(box)
    assert isinstance(await other.delete(box), Done)
    assert await owner.word(Ended) == Ended(tag, EndReason.GONE)
    answer = await other.ask(Subscribe(0, box.recv_id), box.recv_key)
    assert isinstance(answer, Failed)
    assert answer.code is Code.DENIED


async def test_a_wrong_key_and_no_queue_look_alike(site: Site) -> None:
    owner, mallory = await site.visitor(), await site.visitor()
    box = await owner.make()
    wrong = await mallory.send(box._replace(send_key=bytes(32)), envelope(1))
    nowhere = await mallory.send(box._replace(send_id=bytes(24)), envelope(1))
    swapped = await mallory.send(box._replace(send_id=box.recv_id, send_key=box.recv_key), envelope(1))
    codes = {answer.code for answer in (wrong, nowhere, swapped) if isinstance(answer, Failed)}
    assert codes == {Code.DENIED}
    assert isinstance(wrong, Failed)
    assert isinstance(nowhere, Failed)
    assert isinstance(swapped, Failed)


async def test_a_full_queue_takes_nothing_more(folder: Path) -> None:
    async with relay_in(folder, queue_messages=3, queue_bytes=1 << 20) as site:
        owner, writer = await site.visitor(), await site.visitor()
        box = await owner.make()
        answers = [await writer.send(box, envelope(number)) for number in range(4)]
        assert [type(answer) for answer in answers] == [Done, Done, Done, Failed]
        assert getattr(answers[-1], "code", None) is Code.FULL
        tag = await owner.subscribe(box)
        assert [await owner.arrived(tag) for _ in range(3)] == [envelope(number) for number in range(3)]
        assert isinstance(await writer.send(box, envelope(9)), Done)


async def test_what_a_full_queue_did_not_take_is_answered_each_time(folder: Path) -> None:
    """Also if somebody has it in their hands and never says so: a writer without answer drops the link."""
    async with relay_in(folder, queue_messages=1) as site:
        owner, writer = await site.visitor(), await site.visitor()
        box = await owner.make()
        tag = await owner.subscribe(box)
        assert isinstance(await writer.send(box, envelope(1)), Done)
        for _ in range(3):
            answer = await writer.send(box, envelope(2))
            assert isinstance(answer, Failed)
            assert answer.code is Code.FULL
        assert [await owner.arrived(tag, acknowledge=False) for _ in range(2)] == [envelope(1), envelope(2)]
        owner.acknowledge(tag, envelope(1), envelope(2))
        await owner.make()  # by now the relay has read that
        assert site.relay.house.queues.octets == 0
        assert isinstance(await writer.send(box, envelope(3)), Done)


async def test_a_queue_counts_bytes_too(folder: Path) -> None:
    largest = max(limits.ENVELOPE_BUCKETS)
    async with relay_in(folder, queue_bytes=largest) as site:
        owner, writer = await site.visitor(), await site.visitor()
        box = await owner.make()
        assert isinstance(await writer.send(box, envelope(1, largest)), Done)
        assert isinstance(await writer.send(box, envelope(2)), Failed)


async def test_subscriptions_of_a_link_are_counted(folder: Path) -> None:
    async with relay_in(folder, subscriptions=2) as site:
        owner = await site.visitor()
        boxes = [await owner.make() for _ in range(3)]
        for box in boxes[:2]:
            await owner.subscribe(box)
        answer = await owner.ask(Subscribe(0, boxes[2].recv_id), boxes[2].recv_key)
        assert answer == Failed(answer.tag, Code.LIMIT)
        await owner.subscribe(boxes[0])


async def test_who_has_as_many_subscriptions_as_they_may_takes_none_away(folder: Path) -> None:
    async with relay_in(folder, subscriptions=2) as site:
        owner, other = await site.visitor(), await site.visitor()
        boxes = [await owner.make() for _ in range(3)]
        tag = await other.subscribe(boxes[2])
        asked = [owner.post(Subscribe(0, box.recv_id), box.recv_key) for box in boxes]
        answers = [await owner.answer(each) for each in asked]
        assert [getattr(answer, "code", None) for answer in answers] == [None, None, Code.LIMIT]
        sent = other.post(Send(0, boxes[2].send_id, envelope(1)), boxes[2].send_key)
        assert await other.arrived(tag) == envelope(1)
        assert isinstance(await other.answer(sent), Done)


async def test_a_relay_that_starts_again_has_everything(folder: Path) -> None:
    async with relay_in(folder) as site:
        owner = await site.visitor()
        box = await owner.make()
        assert isinstance(await owner.send(box, envelope(1)), Done)
        fingerprint = site.started.fingerprint
    async with relay_in(folder) as site:
        assert site.started.fingerprint == fingerprint
        owner = await site.visitor()
        tag = await owner.subscribe(box)
        assert await owner.arrived(tag) == envelope(1)


async def test_queues_that_one_network_makes_are_counted(folder: Path) -> None:
    async with relay_in(folder, queues_per_network=2) as site:
        owner = await site.visitor()
        await owner.make()
        await owner.make()
        with pytest.raises(AssertionError, match="BUSY"):
            await owner.make()
