"""What an engine does when its disk, its keys or its peers fail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from messenger.core import limits
from messenger.core.errors import ConnectError, DiskFull, Reason
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import MessageState, Offline, Online, Standing
from messenger.engine import reconnect
from messenger.engine.events import (
    ConnectProgress,
    ConnectStep,
    EngineFault,
    Event,
    MessageAdded,
    PresenceChanged,
)
from messenger.engine.tasks import Tasks
from messenger.protocol.packets import Delivered, Hello, Text
from tests.conftest import LogGuard
from tests.helpers import servers
from tests.helpers.carrier import context_of
from tests.helpers.engines import People, Person, friends
from tests.helpers.links import End
from tests.helpers.patience import PATIENCE
from tests.helpers.servers import serving
from tests.helpers.wire import Caller, calling

LONG = "x" * 50_000
IN_TIME = limits.STOP_DEADLINE  # as people have it


@asynccontextmanager
async def full_disk(person: Person) -> AsyncIterator[None]:
    """SQLite may not make the database of somebody larger; the error is its own."""
    running = person.engine._running
    assert running is not None
    context, database = running.context, running.context.store._database
    free = await context.worker.run(database.number, "PRAGMA page_count")
    await context.worker.run(database.rows, f"PRAGMA max_page_count = {free}")
    try:
        yield
    finally:
        await context.worker.run(database.rows, "PRAGMA max_page_count = 1000000")


async def test_a_full_disk_here(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    mark = alice.mark
    async with full_disk(alice):
        with pytest.raises(DiskFull):
            await alice.engine.send_text(here, LONG)
        assert alice.count(MessageAdded, since=mark) == 0
        assert await alice.texts(here) == []
        assert isinstance(await alice.engine.presence(here), Online)
    await alice.engine.send_text(here, LONG)
    await bob.hears(LONG)


async def test_a_full_disk_there(people: People) -> None:
    """No room, no receipt: the message stays with its author and comes when there is room again."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    async with full_disk(bob):
        message = await alice.engine.send_text(here, LONG)
        fault = await bob.wait_for(EngineFault)
        assert fault == EngineFault("storage", "DiskFull")
        await alice.offline(here)
        assert await alice.states(here) == [MessageState.QUEUED]
        assert await bob.texts(there) == []
    await bob.hears(LONG)
    await alice.sees(message.id, MessageState.DELIVERED)
    assert bob.count(MessageAdded) == 1


async def test_links_that_break_at_once_come_back_ever_more_slowly(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ends of which one cannot store do not dial each other without an end."""
    alice, bob = await people("alice"), await people("bob", reconnect=False)
    here, _ = await friends(alice, bob)
    monkeypatch.setattr(limits, "RECONNECT_MAX", 10_000.0)
    jittered, pauses = reconnect.jittered, list[float]()

    def noted(pause: float) -> float:
        pauses.append(jittered(pause))
        return pauses[-1]

    monkeypatch.setattr(reconnect, "jittered", noted)
    async with full_disk(bob):
        mark = alice.mark
        await alice.engine.send_text(here, LONG)
        for number in range(1, 6):
            waits = await alice.wait_for(
                PresenceChanged,
                lambda e: isinstance(e.presence, Offline) and e.presence.retry_ms is not None,
                since=mark,
            )
            mark = alice.events.index(waits, mark) + 1
            assert len(pauses) >= number, "it waits so long"
    assert pauses[4] >= limits.RECONNECT_FIRST * 2**3 / 2, pauses
    await bob.hears(LONG)


async def test_a_full_disk_when_somebody_new_comes(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    async with full_disk(bob):
        await _use_up(bob)
        with pytest.raises(ConnectError) as caught:
            await alice.connect(await bob.address())
        assert caught.value.reason is Reason.INTERRUPTED
        assert (await bob.wait_for(EngineFault)) == EngineFault("storage", "DiskFull")
    await alice.connect(await bob.address())
    await bob.named(alice)


async def _use_up(person: Person) -> None:
    """Fill the last pages, so that not even a small row fits."""
    running = person.engine._running
    assert running is not None
    contacts, size = running.context.store.contacts, 4096
    number = 0
    while size:
        number += 1
        try:
            await running.context.stored(
                contacts.add,
                Fingerprint(number.to_bytes(32, "big")),
                name="n" * size,
                standing=Standing.BLOCKED,
                now_ms=0,
            )
        except DiskFull:
            size //= 2


async def test_the_keys_are_gone(people: People) -> None:
    """Nobody new can be met; who is there stays."""
    alice, bob, carol = await people("alice"), await people("bob"), await people("carol")
    here, _ = await friends(alice, bob)
    vault = bob.engine._profile._vault
    assert vault is not None
    vault._child.kill()
    await vault._child.wait()
    with pytest.raises(ConnectError) as caught:
        await carol.connect(await bob.engine.make_invite())
    assert caught.value.reason is Reason.REFUSED
    assert (await bob.wait_for(EngineFault)) == EngineFault("vault", "VaultError")
    await alice.engine.send_text(here, "still there?")
    await bob.hears("still there?")
    with pytest.raises(ConnectError) as caught:
        await bob.connect(await carol.engine.make_invite())
    assert caught.value.reason is Reason.BUSY


async def _stops_in_time(person: Person) -> None:
    """Stop somebody, and count the time that the loop had for it: one that stands still has none."""
    step, steps = 0.05, 0

    async def count() -> None:
        nonlocal steps
        while True:
            await asyncio.sleep(step)
            steps += 1

    counting = asyncio.create_task(count())
    async with asyncio.timeout(PATIENCE):
        await person.engine.stop()
    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)
    assert steps * step < IN_TIME


async def test_stopping_with_a_peer_that_does_not_answer(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CLOSE_WAIT", 0.1)
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        there = await _accepted(bob, mallory)
        mallory.freeze()
        await bob.engine.send_text(there, "hello?")
        await mallory.frozen()
        await _stops_in_time(bob)


async def test_stopping_with_somebody_in_the_door(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for that has not begun."""
    monkeypatch.setattr(limits, "CLOSE_WAIT", 1000.0)
    bob = await people("bob")
    reader, writer = await asyncio.open_connection("127.0.0.1", await bob.port())
    async with calling(End.calling("mallory", None, admit=lambda _: False), await bob.port()) as mallory:
        await mallory.asked()
        await _stops_in_time(bob)
        assert await reader.read() == b""
        assert await mallory.ended() in (Reason.REFUSED, Reason.INTERRUPTED)
    writer.close()


async def test_stopping_while_calling(people: People) -> None:
    alice = await people("alice")
    async with serving(servers.silence) as port:
        calling_ = asyncio.create_task(alice.connect(f"127.0.0.1:{port}"))
        await alice.wait_for(ConnectProgress, lambda event: event.step is ConnectStep.GREETING)
        await _stops_in_time(alice)
        with pytest.raises(ConnectError) as caught:
            await calling_
    assert caught.value.reason is Reason.STOPPING


async def test_stopping_says_goodbye(people: People) -> None:
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        await bob.engine.stop()
        assert await mallory.ended() is Reason.CLOSED


async def test_a_slow_reader_is_dropped_before_it_costs_too_much(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WRITE_MAX", 256 * 1024)
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        there = await _accepted(bob, mallory)
        mallory.freeze()
        mark = bob.mark
        for _ in range(400):
            await bob.engine.send_text(there, "y" * limits.TEXT_MAX)
            if bob.count(PresenceChanged, since=mark):
                break
        assert (await bob.offline(there, since=mark)).reason is Reason.INTERRUPTED
        assert set(await bob.states(there)) == {MessageState.QUEUED}


async def test_who_asks_while_an_end_is_written_down_learns_why(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        there = await _accepted(bob, mallory)
        context, said = context_of(bob), asyncio.get_running_loop().create_future()
        stored, update = context.stored, context.store.contacts.update

        async def asking(job: Callable[..., Any], *what: Any, **named: Any) -> Any:  # noqa: ANN401 -- any
            if job == update and "seen_ms" in named:
                said.set_result(await bob.engine.presence(there))
            return await stored(job, *what, **named)

        monkeypatch.setattr(context, "stored", asking)
        mark = bob.mark
    assert await bob.offline(there, since=mark) == await said
    assert (await said).reason is Reason.INTERRUPTED


async def _accepted(bob: Person, mallory: Caller) -> ConversationId:
    await mallory.up()
    mallory.greet("Mallory")
    contact = await bob.named("mallory")
    await bob.engine.accept(contact.id)
    await mallory.packet(Hello, 2)
    return contact.id


async def test_a_failed_task_is_told_and_logged(logs: LogGuard) -> None:
    logs.expect("somewhere failed: ZeroDivisionError")
    events: list[Event] = []
    tasks = Tasks("somewhere", events.append)

    async def bug() -> None:
        raise ZeroDivisionError

    async def full() -> None:
        raise DiskFull

    async def patient() -> None:
        await asyncio.Event().wait()

    for job in (bug(), full(), patient()):
        tasks.start(job)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert events == [EngineFault("somewhere", "ZeroDivisionError"), EngineFault("somewhere", "DiskFull")]
    await tasks.close()
    assert len(events) == 2


async def test_receipts_come_after_the_disk(people: People) -> None:
    """Whoever has a receipt may delete their copy: what it is for survives the end of the process."""
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        there = await _accepted(bob, mallory)
        mallory.say(Text(bytes(16), 1, bytes(32), 5, "durable", 0, b"", 0))
        await mallory.packet(Delivered)
        reader = bob.engine.reader()
        assert [message.text for message in reader.messages(there, count=5)] == ["durable"]
        reader.close()
