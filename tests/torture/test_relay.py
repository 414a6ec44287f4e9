"""Nothing is lost at a relay that is killed again and again, with people who are killed too."""

import asyncio
import random
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from messenger.core import limits
from messenger.core.ids import MessageId
from messenger.core.models import MessageState
from messenger.engine.events import MessageAdded, MessageChanged
from messenger.net.listen import free_ports
from tests.helpers.engines import Person, fresh_port, people_in
from tests.helpers.relay_process import RelayProcess, process_in
from tests.helpers.relay_users import acquainted
from tests.helpers.relays import prepare
from tests.torture.node import final
from tests.torture.test_messages import NAMES, PATIENCE, Life, as_it_is_now, deaths, history, seen

FLAGS: Final = ("--queue-messages", "100000", "--handshakes-per-network", "64")

FIRST: Final = "first"
"""What `acquainted` lets Alice write."""


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that only spare other people's computers are short here, as in `tests.torture.node`."""
    monkeypatch.setattr(limits, "RECONNECT_FIRST", 0.05)
    monkeypatch.setattr(limits, "RECONNECT_MAX", 0.5)


class Mortal:
    """A relay that is killed when somebody has come so far, and started again at the same port.

    Args:
        folder: Its data.
        deaths: Numbers of messages after which it is killed, in order.
        chance: Decides how long after each it dies.
    """

    def __init__(self, folder: Path, deaths: list[int], chance: random.Random) -> None:
        self._folder = folder
        self._deaths = deaths
        self._chance = chance
        self._port = fresh_port()
        self._due = asyncio.Event()
        self.killed = 0

    def told(self, number: int) -> None:
        """Somebody has written so many messages."""
        if self._deaths and number >= self._deaths[0]:
            self._due.set()

    @asynccontextmanager
    async def up(self) -> AsyncIterator[RelayProcess]:
        """It runs; whoever has taken its port meanwhile, as another run of the tests may, is waited for."""
        async with asyncio.timeout(PATIENCE):
            while not free_ports(self._port, self._port):  # noqa: ASYNC110 -- a port tells nobody
                await asyncio.sleep(0.1)
        async with process_in(self._folder, self._port, *FLAGS) as relay:
            yield relay

    async def live(self) -> None:
        """Run through all deaths, and then until this is cancelled."""
        while True:
            async with self.up() as relay:
                await self._due.wait()
                self._due.clear()
                del self._deaths[0]
                await asyncio.sleep(self._chance.random() * 0.3)
                await relay.end(signal.SIGKILL)
                self.killed += 1


def link_of(relay: RelayProcess) -> str:
    """What people use to find a relay."""
    found = re.search(r"sotto://relay/\S+", relay.told[-1])
    assert found is not None
    return found.group()


async def reached(person: Person, state: MessageState, number: int) -> set[MessageId]:
    """Wait until so many messages of somebody have had a state; all that have."""
    await person.wait_for(MessageChanged, lambda _: len(_in(person, state)) >= number)
    return _in(person, state)


def _in(person: Person, state: MessageState) -> set[MessageId]:
    return {
        event.message.id
        for event in person.events
        if isinstance(event, MessageChanged) and event.message.state is state
    }


@pytest.mark.parametrize(
    ("count", "dying"),
    [
        pytest.param(120, 4, id="short"),
        # Not more than can be sealed without a word from whoever is away, who was greeted already.
        pytest.param(limits.RATCHET_EPOCH_MESSAGES - 2, 25, id="long", marks=pytest.mark.long),
    ],
)
async def test_what_is_shown_as_sent_is_at_the_relay_however_often_it_is_killed(
    tmp_path: Path, count: int, dying: int, pytestconfig: pytest.Config
) -> None:
    """Whoever wrote it is off when it is fetched, so that nothing can be sent again."""
    chance = random.Random(pytestconfig.getoption("--seed"))
    relay = Mortal(prepare(tmp_path / "relay", "mallory"), [], chance)
    async with people_in(tmp_path) as people:
        alice, bob = await people("alice", listen=False), await people("bob", listen=False)
        async with relay.up() as process:
            here, there = await acquainted(alice, bob, link_of(process))
            await bob.engine.stop()
            alice.events.clear()
            await process.end(signal.SIGKILL)
        written = [(await alice.engine.send_text(here, f"{number}")).id for number in range(count)]
        for number in deaths(count, dying, chance):
            async with relay.up() as process:
                sent = await reached(alice, MessageState.SENT, number)
                await process.end(signal.SIGKILL)
            assert sent <= set(written)
        async with relay.up() as process:
            assert await reached(alice, MessageState.SENT, count) == set(written)
            assert set((await alice.states(here))[-count:]) == {MessageState.SENT}
            await alice.engine.stop()
            await process.end(signal.SIGKILL)
        async with relay.up():
            await bob.start()
            await bob.wait_for(MessageAdded, lambda e: e.message.id == written[-1])
            got = [m.id for m in await bob.engine.messages(there, count=count) if not m.outgoing]
            await alice.start()
            await reached(alice, MessageState.DELIVERED, count)
    assert got[-count:] == written


@pytest.mark.parametrize(
    ("count", "dying"),
    [pytest.param(200, 3, id="short"), pytest.param(5_000, 25, id="long", marks=pytest.mark.long)],
)
async def test_everything_arrives_through_a_relay_that_is_killed_like_everybody_else(
    tmp_path: Path, count: int, dying: int, pytestconfig: pytest.Config
) -> None:
    """Links through it, sealed messages, receipts: once, in order, and the same at both ends."""
    chance = random.Random(pytestconfig.getoption("--seed"))
    relay = Mortal(prepare(tmp_path / "relay", "mallory"), deaths(count, dying, chance), chance)
    async with people_in(tmp_path) as people:
        alice, bob = await people("alice", listen=False), await people("bob", listen=False)
        folders = {person.who: person.folder for person in (alice, bob)}
        async with relay.up() as process:
            await acquainted(alice, bob, link_of(process))
            await people.stop()
            await process.end(signal.SIGKILL)
    source = as_it_is_now(tmp_path / "source")
    lives = {
        who: Life(
            folders[who], other, count, deaths(count, dying, chance), random.Random(chance.random()), source
        )
        for who, other in (NAMES, NAMES[::-1])
    }
    lives[NAMES[0]].told = relay.told
    barrier = asyncio.Barrier(len(NAMES))
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:  # ends with whoever fails
        dying_relay = group.create_task(relay.live())
        living = [group.create_task(life.live(barrier)) for life in lives.values()]
        await asyncio.gather(*living)
        dying_relay.cancel()
    assert relay.killed == dying
    assert {who: (life.killed, life.faults) for who, life in lives.items()} == {
        who: (dying, []) for who in NAMES
    }
    expected = [final(number, count) for number in range(1, count + 1)]
    histories = {who: history(folders[who], other) for who, other in (NAMES, NAMES[::-1])}
    alike = [[seen(message, who) for message in messages] for who, messages in histories.items()]
    assert alike[0] == alike[1]
    for who, messages in histories.items():
        texts = {own: [m.text for m in messages if m.outgoing is own] for own in (True, False)}
        by_alice = [FIRST, *expected[1:]]  # by which they met
        assert texts == {who == NAMES[0]: by_alice, who != NAMES[0]: expected}
        states = {message.state for message in messages}
        assert states <= {MessageState.DELIVERED, MessageState.UNREAD}
