"""How long a relay keeps a queue: as long as somebody has a subscription, and for a while after."""

from pathlib import Path

import pytest

from messenger.core import relay_limits
from messenger.core.errors import StorageError
from messenger.protocol.relay_answers import Done, Ended, Failed
from messenger.protocol.relay_queues import Subscribe
from messenger.protocol.relay_word import Code, EndReason
from messenger.relay.embedded import EmbeddedBroker
from tests.helpers.relays import Box, Site, Visitor, envelope, relay_in

DAY = 24 * 3600


async def pass_days(site: Site, days: int, *, asleep: bool = False) -> None:
    """Set the calendar of a relay forward, and let it look at it every day, or at the end only."""
    house = site.relay.house
    assert isinstance(house.broker, EmbeddedBroker)
    start = now = house.broker._now()
    house.unix = house.broker._now = lambda: now
    while now < start + days * DAY:
        now += days * DAY if asleep else DAY
        await site.relay.tidy()


async def is_there(visitor: Visitor, box: Box) -> bool:
    """Whether there is a queue; whoever asks has its subscription then."""
    answer = await visitor.ask(Subscribe(0, box.recv_id), box.recv_key)
    if isinstance(answer, Failed):
        assert answer.code is Code.DENIED
        return False
    return True


async def gone(site: Site, box: Box) -> bool:
    """Whether a queue is no more, without using it."""
    return await site.relay.house.broker.by_recv(box.recv_id) is None


async def test_a_subscription_that_lasts_counts(site: Site) -> None:
    owner, writer = await site.visitor(), await site.visitor()
    box, unused = await owner.make(), await owner.make()
    tag = await owner.subscribe(box)
    for _ in range(5):
        await pass_days(site, relay_limits.QUEUE_UNUSED // DAY - 20)
    assert await gone(site, unused)
    assert isinstance(await writer.send(box, envelope(1)), Done)
    assert await owner.arrived(tag) == envelope(1)


async def test_a_queue_goes_when_the_subscription_has_ended_for_long_enough(site: Site) -> None:
    owner, other = await site.visitor(), await site.visitor()
    box, others = await owner.make(), await other.make()
    await owner.subscribe(box)
    await other.subscribe(others)
    for _ in range(3):
        await pass_days(site, 40)
    await owner.close()
    await pass_days(site, 40)
    await pass_days(site, 40)
    assert not await gone(site, box)
    await pass_days(site, 12)
    assert await gone(site, box)
    assert not await gone(site, others)


async def test_a_relay_that_was_away_for_long_still_knows_everybody(folder: Path) -> None:
    """Nobody could subscribe in that time: who knew each other by this relay alone would be lost."""
    async with relay_in(folder) as site:
        house = site.relay.house
        assert isinstance(house.broker, EmbeddedBroker)
        now = house.broker._now()
        house.unix = house.broker._now = lambda: now - 200 * DAY
        owner = await site.visitor()
        box, old = await owner.make(), await owner.make()
        await owner.subscribe(box)
        await pass_days(site, 80)
    async with relay_in(folder) as site:
        await site.relay.tidy()
        owner = await site.visitor()
        assert await is_there(owner, box)
        assert not await gone(site, old)
        await pass_days(site, 11)
        assert await gone(site, old)
        assert not await gone(site, box)


async def test_a_computer_that_has_slept_for_long_still_knows_everybody(site: Site) -> None:
    owner = await site.visitor()
    box = await owner.make()
    await owner.subscribe(box)
    await site.relay.tidy()
    await owner.close()
    await pass_days(site, 300, asleep=True)
    assert not await gone(site, box)


async def test_nothing_is_deleted_if_it_cannot_be_noted_who_is_there(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await site.visitor()
    box = await owner.make()
    tag = await owner.subscribe(box)
    broker = site.relay.house.broker
    assert isinstance(broker, EmbeddedBroker)

    def full(_number: int, _now: int) -> None:
        raise StorageError

    with monkeypatch.context() as patch:
        patch.setattr(broker._store.queues, "use", full)
        with pytest.raises(StorageError):
            await pass_days(site, 100, asleep=True)
    await site.relay.tidy()
    assert not await gone(site, box)
    assert Ended(tag, EndReason.GONE) not in owner.said


async def test_everything_that_is_out_of_date_goes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a day on which more of it goes than in one step."""
    monkeypatch.setattr(relay_limits, "EXPIRY_STEP", 2)
    owner = await site.visitor()
    box = await owner.make()
    for number in range(7):
        assert isinstance(await owner.send(box, envelope(number)), Done)
    await pass_days(site, 22, asleep=True)
    assert (await site.relay.house.broker.totals()).messages == 0
    assert not await gone(site, box)


async def test_no_step_deletes_much_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is deleted is overwritten, and meanwhile nobody's message is stored."""
    monkeypatch.setattr(relay_limits, "EXPIRY_OCTETS", 5000)
    owner = await site.visitor()
    boxes = [await owner.make() for _ in range(3)]
    await owner.subscribe(await owner.make())
    await pass_days(site, 80)
    for box in boxes:
        for number in range(3):
            assert isinstance(await owner.send(box, envelope(number)), Done)
    broker = site.relay.house.broker
    expire, steps = broker.expire, []

    async def looked_at() -> tuple[list[int], bool]:
        before = (await broker.totals()).messages
        outcome = await expire()
        steps.append(before - (await broker.totals()).messages)
        return outcome

    monkeypatch.setattr(broker, "expire", looked_at)
    await pass_days(site, 12)
    assert all([await gone(site, box) for box in boxes])
    assert max(steps) == 3, "one queue at a time"
    for box in (boxes := [await owner.make() for _ in range(2)]):
        for number in range(4):
            assert isinstance(await owner.send(box, envelope(number)), Done)
    steps.clear()
    await pass_days(site, 22)
    assert sum(steps) == 8
    assert max(steps) == 2
    assert not await gone(site, boxes[0])
