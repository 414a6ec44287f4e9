"""Whom bob calls may have gone on with another key; the one who answers is driven by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from messenger.core import limits
from messenger.core.address import Address
from messenger.core.errors import ConnectError, Reason
from messenger.core.ids import AttemptId
from messenger.engine.events import (
    KeyChanged,
)
from messenger.net.dial import Stream
from messenger.net.listen import Listener, Slot
from messenger.protocol import packets
from messenger.protocol.packets import Hello, SuccessionSeen, Text
from tests.helpers.engines import People, fresh_port
from tests.helpers.keys import identity
from tests.helpers.links import End
from tests.helpers.moving import (
    as_,
    befriend,
    made,
    resigned,
    told,
)
from tests.helpers.patience import PATIENCE
from tests.helpers.wire import Caller

GOOD: Final = made("mallory", "carol")


class Answering:
    """Somebody who is called, driven by hand."""

    def __init__(self, who: str, *first: packets.Packet) -> None:
        self._who = who
        self._first = first
        self.port = fresh_port()
        self.callers: list[Caller] = []
        self.came = asyncio.Event()

    async def serve(self, stream: Stream, slot: Slot) -> None:
        """Answer, and speak first once the link is up."""
        caller = Caller(stream, End.answering(self._who, open_door=True))
        self.callers.append(caller)
        try:
            await caller.up()
            caller.say(*self._first)
        except AssertionError:  # somebody who only looked at the key
            return
        finally:
            slot.release()
        self.came.set()

    async def called(self) -> Caller:
        """Wait until a link is up; the one who called."""
        async with asyncio.timeout(PATIENCE):
            await self.came.wait()
        return self.callers[-1]


@asynccontextmanager
async def answering(who: str, *first: packets.Packet) -> AsyncIterator[Answering]:
    """Listen as somebody, who begins every link with these packets."""
    there = Answering(who, *first)
    listener = await Listener.open(there.serve, there.port, exact=True)
    try:
        yield there
    finally:
        await listener.close()
        for caller in there.callers:
            await caller.close()


async def test_whom_bob_calls_by_hand_may_have_moved(people: People) -> None:
    """He looks at a key that he does not know, says yes, and finds himself in the old conversation."""
    bob = await people("bob")
    there = await befriend(bob)
    await bob.engine.send_text(there, "where are you?")
    hello = Hello("Mallory", 0, accepted=True, read_seq=0)
    async with answering("carol", *told(GOOD), hello) as carol:
        contact = await bob.connect(f"127.0.0.1:{carol.port}")
        assert (contact.id, contact.fingerprint) == (there, identity("carol").fingerprint)
        assert str(Address("127.0.0.1", carol.port)) in contact.addresses
        caller = await carol.called()
        assert (await caller.packet(SuccessionSeen)).serial == 1
        assert (await caller.packet(Text)).text == "where are you?"
        hellos = [packet for packet in caller.packets if isinstance(packet, Hello)]
        assert [packet.accepted for packet in hellos] == [True] * len(hellos)
    assert len(await bob.engine.conversations()) == 1
    assert bob.count(KeyChanged) == 1


async def test_whom_bob_calls_by_hand_may_be_a_liar(people: People) -> None:
    bob = await people("bob")
    there = await befriend(bob)
    async with answering("carol", resigned(GOOD, old="carol")) as carol:
        with pytest.raises(ConnectError) as caught:
            await bob.connect(f"127.0.0.1:{carol.port}")
        assert caught.value.reason is Reason.BROKEN
    assert [row.id for row in await bob.engine.conversations()] == [there]
    assert bob.count(KeyChanged) == 0


async def test_whom_bob_calls_may_say_nothing(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = await people("bob")
    async with answering("carol") as carol:
        monkeypatch.setattr(limits, "FIRST_WORDS", 0.3)
        with pytest.raises(ConnectError) as caught:
            await bob.connect(f"127.0.0.1:{carol.port}")
        assert caught.value.reason is Reason.SILENT
        caller = await carol.called()
        await caller.packet(Hello)
        assert {type(packet) for packet in caller.packets} == {Hello}
    assert await bob.engine.conversations() == []


async def test_giving_up_while_they_are_silent(people: People) -> None:
    bob = await people("bob")
    async with answering("carol") as carol:
        calling_ = asyncio.create_task(bob.connect(f"127.0.0.1:{carol.port}"))
        await carol.called()
        calling_.cancel()
        await asyncio.gather(calling_, return_exceptions=True)
        await bob.engine.stop()
        await (await carol.called()).ended()


async def test_an_old_key_that_answers_is_not_spoken_to(people: People) -> None:
    bob = await people("bob")
    await befriend(bob)
    async with as_("carol", bob) as carol:
        carol.say(*told(GOOD))
        await carol.packet(SuccessionSeen)
    async with answering("mallory") as thief:
        with pytest.raises(ConnectError) as caught:
            await bob.engine.connect(f"127.0.0.1:{thief.port}", AttemptId(99))
        assert caught.value.reason is Reason.WRONG_PERSON
        assert not thief.came.is_set()
