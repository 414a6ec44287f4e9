"""One link on one real stream: its deadlines, its signs of life, its end. No test waits in real time."""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from messenger.core import limits, outlook_limits
from messenger.core.address import Address
from messenger.core.errors import ConnectError, LocalProtocolError, Reason, StorageError
from messenger.net.connection import Connection
from messenger.net.dial import Stream, dial
from messenger.net.listen import Listener, Slot
from messenger.protocol.handshake import PeerIdentified
from messenger.protocol.link import CloseCode, LinkEvent, LinkState, PacketReceived, PeerClosed
from messenger.protocol.packets import Hello, Text
from tests.helpers.clock import skipping
from tests.helpers.links import End
from tests.helpers.wire import Caller

HELLO: Final = Hello("Somebody", 0, accepted=True, read_seq=0)
SLACK: Final = 1.0
"""Seconds by which what is bounded may come later than its bound, by the clock that jumps."""


@asynccontextmanager
async def streams() -> AsyncIterator[tuple[Stream, Stream]]:
    """Both ends of a TCP connection, the caller's first."""
    arrived: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()

    async def take(stream: Stream, _: Slot) -> None:
        arrived.set_result(stream)

    listener = await Listener.open(take, 0, host="127.0.0.1")
    near = await dial(Address("127.0.0.1", listener.port))
    far = await arrived
    await listener.close()
    try:
        yield near, far
    finally:
        near.abort()
        far.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def callers(one: End | None = None, other: End | None = None) -> AsyncIterator[tuple[Caller, Caller]]:
    """Alice, who called, and bob, unless others are given."""
    async with streams() as (near, far):
        alice = Caller(near, one or End.calling("alice", "bob"))
        bob = Caller(far, other or End.answering("bob"))
        try:
            yield alice, bob
        finally:
            await alice.close()
            await bob.close()


def now() -> float:
    return asyncio.get_running_loop().time()


@skipping
async def test_a_conversation_and_its_end() -> None:
    async with callers() as (alice, bob):
        await alice.up()
        await bob.up()
        alice.say(HELLO)
        assert await bob.packet(Hello) == HELLO
        bob.say(Text(bytes(16), 1, bytes(32), 1, "x" * limits.TEXT_MAX, 0, b"", 0))
        assert (await alice.packet(Text)).text == "x" * limits.TEXT_MAX
        alice.connection.close()
        with pytest.raises(LocalProtocolError):
            alice.say(HELLO)
        assert await alice.ended() is await bob.ended() is Reason.CLOSED
        assert PeerClosed(CloseCode.BYE) in bob.end.events


@skipping
async def test_an_idle_link_stays_up() -> None:
    async with callers() as (alice, bob):
        await alice.up()
        await bob.up()
        before = now()
        await asyncio.sleep(600)
        assert now() - before >= 600
        assert alice.end.link.state is bob.end.link.state is LinkState.OPEN
        alice.say(HELLO)
        await bob.packet(Hello)


@skipping
async def test_a_dead_peer_is_noticed() -> None:
    before = now()  # it cannot have been heard for the last time before that
    async with callers() as (alice, bob):
        await alice.up()
        await bob.up()
        bob.freeze()
        alice.say(HELLO)
        await bob.frozen()
        dead = now()
        assert await _patient(alice) is Reason.INTERRUPTED
        assert now() - before >= limits.KEEPALIVE_TIMEOUT
        assert now() - dead <= 30 + SLACK


@skipping
@pytest.mark.parametrize("later", [0.5, 4.9, 5.1, 9.9])
async def test_a_dead_peer_is_noticed_within_thirty_seconds_whenever_it_died(later: float) -> None:
    """The last byte may come at any moment between two looks; 30 s are 30 s after it all the same."""
    async with callers() as (alice, bob):
        await alice.up()
        await bob.up()
        await asyncio.sleep(3 * limits.KEEPALIVE_INTERVAL + later)
        bob.say(HELLO)
        await alice.packet(Hello)
        heard = now()
        await bob.die()
        alice.say(HELLO)
        assert await _patient(alice) is Reason.INTERRUPTED
        assert limits.KEEPALIVE_TIMEOUT <= now() - heard <= 30


@skipping
async def test_what_nobody_acknowledges_does_not_hang() -> None:
    """So much is written to a peer who is gone that the writer has to wait: until 30 s, and no longer."""
    async with callers() as (alice, bob):
        await alice.up()
        await bob.up()
        await bob.die()
        before = now()
        text = Text(bytes(16), 1, bytes(32), 1, "x" * limits.TEXT_MAX, 0, b"", 0)
        sending = asyncio.create_task(_send_for_ever(alice, text))
        assert await _patient(alice) is Reason.INTERRUPTED
        assert now() - before <= 30
        with pytest.raises((OSError, LocalProtocolError)):
            await sending


@skipping
async def test_a_probe_is_answered_or_the_link_is_dropped() -> None:
    async with callers() as (alice, bob):
        await alice.up()
        await bob.up()
        alice.connection.probe()
        await asyncio.sleep(2 * outlook_limits.PROBE_PATIENCE)
        assert alice.end.link.state is LinkState.OPEN
        await bob.die()
        before = now()
        alice.connection.probe()
        assert await _patient(alice) is Reason.INTERRUPTED
        assert now() - before <= outlook_limits.PROBE_PATIENCE + SLACK
        alice.connection.probe()  # too late to ask


async def _send_for_ever(caller: Caller, text: Text) -> None:
    while True:
        await caller.connection.send(text)


async def _patient(caller: Caller) -> Reason:
    """The end of a link, however long that takes."""
    while True:
        try:
            return await caller.ended()
        except TimeoutError:
            continue


@skipping
async def test_a_caller_who_says_nothing() -> None:
    async with streams() as (_, far):
        bob = Caller(far, End.answering("bob"))
        before = now()
        assert await bob.ended() is Reason.SILENT
        assert now() - before == pytest.approx(limits.HANDSHAKE_FIRST, abs=SLACK)


@skipping
async def test_somebody_called_who_says_nothing() -> None:
    async with streams() as (near, far):
        alice = Caller(near, End.calling("alice", "bob"))
        before = now()
        assert await alice.ended() is Reason.SILENT
        assert now() - before == pytest.approx(limits.HANDSHAKE_FIRST, abs=SLACK)
        assert len(await far.reader.read()) < 1400


@skipping
async def test_one_byte_now_and_then() -> None:
    """The deadline is for a message; single bytes do not move it."""
    async with streams() as (near, far):
        bob = Caller(far, End.answering("bob"))
        hello, before = End.calling("alice", "bob").sent(), now()
        dripping = asyncio.create_task(_drip(near, hello, 4.0))
        assert await bob.ended() is Reason.SILENT
        assert now() - before == pytest.approx(limits.HANDSHAKE_FIRST, abs=SLACK)
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def _drip(stream: Stream, data: bytes, pause: float) -> None:
    for at in range(len(data)):
        stream.writer.write(data[at : at + 1])
        await asyncio.sleep(pause)


@skipping
async def test_one_byte_of_the_third_message_now_and_then() -> None:
    async with streams() as (near, far):
        bob, end = Caller(far, End.answering("bob")), End.calling("alice", "bob")
        near.writer.write(end.sent())
        await asyncio.sleep(limits.HANDSHAKE_FIRST - 1)
        end.receive(await near.reader.read(limits.READ_SIZE))
        before = now()
        dripping = asyncio.create_task(_drip(near, end.sent(), 1.0))
        assert await bob.ended() is Reason.SILENT
        assert now() - before < limits.HANDSHAKE_STEP
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


@skipping
async def test_the_whole_greeting_has_a_deadline() -> None:
    async with streams() as (near, far):
        loop, before = asyncio.get_running_loop(), now()
        bob = Caller(far, End.answering("bob", admit=_slow_to_decide))
        end = End.calling("alice", "bob")
        for pause in (limits.HANDSHAKE_FIRST - 0.5, limits.HANDSHAKE_STEP - 0.5):
            await asyncio.sleep(pause)
            near.writer.write(end.sent())
            if pause < limits.HANDSHAKE_FIRST:
                end.receive(await near.reader.read(limits.READ_SIZE))
        assert await _patient(bob) is Reason.SILENT
        assert loop.time() - before <= limits.HANDSHAKE_TOTAL + SLACK


def _slow_to_decide(_: object) -> bool:
    return False


@skipping
async def test_a_record_that_is_not_finished() -> None:
    """Bytes keep coming, so the link is not silent; the record must be complete in time all the same."""
    async with streams() as (near, far):
        bob, end = Caller(far, End.answering("bob")), End.calling("alice", "bob")
        await _greet(near, end)
        await bob.up()
        end.link.send(HELLO)
        before = now()
        dripping = asyncio.create_task(_drip(near, end.sent(), 5.0))
        assert await _patient(bob) is Reason.INTERRUPTED
        waited = limits.RECORD_DEADLINE + limits.KEEPALIVE_INTERVAL
        assert limits.RECORD_DEADLINE <= now() - before <= waited + SLACK
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def _greet(stream: Stream, end: End) -> None:
    """Make the handshake by hand."""
    while not end.up:
        stream.writer.write(end.sent())
        end.receive(await stream.reader.read(limits.READ_SIZE))
    stream.writer.write(end.sent())


@skipping
async def test_a_slow_reader_makes_senders_wait() -> None:
    async with callers() as (alice, bob):
        await alice.up()
        await bob.up()
        bob.freeze()
        text = Text(bytes(16), 1, bytes(32), 1, "x" * limits.TEXT_MAX, 0, b"", 0)
        sent = 0

        async def send_much() -> None:
            nonlocal sent
            while sent < 300:
                await alice.connection.send(text)
                sent += 1

        sending = asyncio.create_task(send_much())
        await asyncio.sleep(5)
        assert not sending.done()
        assert sent < 300
        waiting = alice.connection.stream.writer.transport.get_write_buffer_size()
        assert waiting <= limits.WRITE_HIGH_WATER + 2 * limits.TEXT_MAX
        bob.thaw()
        await sending
        await bob.packet(Text, 300)


@skipping
async def test_a_reader_that_takes_nothing_is_dropped() -> None:
    async with callers() as (alice, bob):
        await alice.up()
        await bob.up()
        bob.freeze()
        text, most = Text(bytes(16), 1, bytes(32), 1, "x" * limits.TEXT_MAX, 0, b"", 0), 0
        while not alice.connection.stream.writer.is_closing():
            alice.say(text)
            most = max(most, alice.connection.stream.writer.transport.get_write_buffer_size())
        assert most <= limits.WRITE_MAX + 2 * limits.TEXT_MAX
        assert await alice.ended() is Reason.INTERRUPTED


async def _time_to_refuse(end: End, *, until_asked: bool) -> float:
    """Seconds from the last bytes of a caller to the closing of the connection by bob, who refuses them.

    Somebody who gets so far that a person's contacts are looked through costs him some time.
    """

    async def refuse(event: LinkEvent) -> None:
        if isinstance(event, PeerIdentified):
            await asyncio.sleep(limits.HANDSHAKE_FAILURE_DELAY - 0.02)
            raise ConnectError(Reason.BLOCKED)
        bob.take(event)

    async with streams() as (near, far):
        bob = End.answering("bob")
        running = asyncio.create_task(Connection(far, bob.link, refuse).run())
        near.writer.write(end.sent())
        if until_asked:
            end.receive(await near.reader.read(limits.READ_SIZE))
            near.writer.write(end.sent())
        before = now()
        assert await near.reader.read() == b""
        taken = now() - before
        (outcome,) = await asyncio.gather(running, return_exceptions=True)
        assert outcome is Reason.BROKEN or isinstance(outcome, ConnectError)
        return taken


@skipping
async def test_all_refusals_take_the_same_time() -> None:
    """What was wrong, and how much work it was to find out, cannot be told from the delay."""
    stranger = [await _time_to_refuse(End.calling("alice", "carol"), until_asked=False) for _ in range(3)]
    blocked = [await _time_to_refuse(End.calling("alice", "bob"), until_asked=True) for _ in range(3)]
    for taken in stranger + blocked:
        assert taken >= limits.HANDSHAKE_FAILURE_DELAY
    assert min(blocked) < limits.HANDSHAKE_FAILURE_DELAY + limits.HANDSHAKE_FAILURE_JITTER + 0.02


@skipping
async def test_a_caller_gives_up_at_once() -> None:
    async with streams() as (near, far):
        alice = Caller(near, End.calling("alice", "bob"))
        await far.reader.readexactly(4)
        before = now()
        far.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        assert await alice.ended() is Reason.NOT_SOTTO
        assert now() - before < limits.HANDSHAKE_FAILURE_DELAY


@skipping
async def test_ends_without_a_goodbye() -> None:
    async with streams() as (near, far):
        alice = Caller(near, End.calling("alice", "bob"))
        far.writer.close()
        assert await alice.ended() is Reason.REFUSED
    async with callers() as (alice, bob):
        await alice.up()
        await bob.up()
        bob.vanish()
        assert await alice.ended() is Reason.INTERRUPTED
        assert await bob.ended() is Reason.INTERRUPTED


@skipping
async def test_a_line_that_the_system_gives_up() -> None:
    """The error has the name of a deadline that was missed, but nobody was slow to greet."""
    async with callers() as (alice, bob):
        await alice.up()
        await bob.up()
        alice.connection.stream.reader.set_exception(TimeoutError(errno.ETIMEDOUT, "Connection timed out"))
        assert await alice.ended() is Reason.INTERRUPTED


@skipping
async def test_a_goodbye_that_is_not_answered() -> None:
    async with callers() as (alice, bob):
        await alice.up()
        await bob.up()
        bob.freeze()
        alice.say(HELLO)
        await bob.frozen()
        before = now()
        alice.connection.close()
        assert await alice.ended() is Reason.INTERRUPTED
        assert now() - before == pytest.approx(limits.CLOSE_WAIT, abs=SLACK)


@skipping
async def test_closing_before_the_link_is_up_says_nothing() -> None:
    async with streams() as (near, far):
        bob = Caller(far, End.answering("bob"))
        await asyncio.sleep(0)
        bob.connection.close()
        assert await near.reader.read() == b""
        assert await bob.ended() is Reason.CLOSED


@skipping
async def test_what_a_handler_raises_ends_the_link() -> None:
    async def fail(event: LinkEvent) -> None:
        if isinstance(event, PacketReceived):
            raise StorageError
        bob.take(event)

    async with streams() as (near, far):
        bob = End.answering("bob")
        alice = Caller(near, End.calling("alice", "bob"))
        running = asyncio.create_task(Connection(far, bob.link, fail).run())
        await alice.up()
        alice.say(HELLO)
        with pytest.raises(StorageError):
            await running
        assert await alice.ended() is Reason.INTERRUPTED


@skipping
async def test_what_came_before_a_fault_is_delivered() -> None:
    async with streams() as (near, far):
        bob, end = Caller(far, End.answering("bob")), End.calling("alice", "bob")
        await _greet(near, end)
        end.link.send(HELLO)
        near.writer.write(end.sent() + b"\x17\x00\x00\x00garbage")
        assert await bob.ended() is Reason.BROKEN
        assert bob.packets == [HELLO]


@skipping
async def test_fresh_keys_while_packets_flow() -> None:
    """A long conversation changes its keys again and again, and nobody notices."""
    async with callers() as (alice, bob):
        await alice.up()
        await bob.up()
        for number in range(1, 30):
            alice.say(HELLO)
            await bob.packet(Hello, number)
            bob.say(HELLO)
            await alice.packet(Hello, number)
            await asyncio.sleep(1)
        generations = {end.link._channel.generation for end in (alice.end, bob.end) if end.link._channel}
        assert len(generations) == 1
        assert generations.pop() >= 4
