"""Nothing is lost: two programs that are killed again and again, and a network that fails all the time."""

import asyncio
import random
import shutil
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from messenger.core.models import Message, MessageState, Standing
from messenger.crypto import keystore
from messenger.storage.store import Store
from tests.helpers.engines import DATABASE, fresh_port, prepare
from tests.helpers.keys import identity
from tests.helpers.terminal import ROOT, environment
from tests.torture.node import final
from tests.torture.proxy import BYTES_TO_CUT, BadNetwork, bad_network

NAMES: Final = ("alice", "bob")
PATIENCE: Final = 900.0
"""Seconds for all of it; only a run that hangs takes that long."""


class Life:
    """One person: killed at chosen numbers of messages, and started again.

    Args:
        folder: Profile.
        other: Whom it writes to.
        count: Messages to send.
        deaths: Numbers of messages after which it is killed, in order.
        chance: Decides how long after each it dies.
        source: Where the program lies.
    """

    def __init__(
        self, folder: Path, other: str, count: int, deaths: list[int], chance: random.Random, source: Path
    ) -> None:
        self._arguments = [str(folder), other, str(count)]
        self._deaths = deaths
        self._chance = chance
        self._source = source
        self.killed = 0
        self.faults: list[str] = []
        self.told: Callable[[int], None] = lambda _number: None
        """Called with how many messages it has written, each time it says so."""

    async def live(self, all_done: asyncio.Barrier) -> None:
        """Run until everything has arrived at the other side, through all deaths."""
        while True:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "tests.torture.node", *self._arguments,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                env=environment({"PYTHONPATH": str(self._source)}), cwd=self._source,
            )  # fmt: skip
            try:
                if await self._dies(process):
                    continue
                await all_done.wait()  # the other one may still need an answer
                assert process.stdin is not None
                process.stdin.close()
                assert await process.wait() == 0
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.communicate()
            return

    async def _dies(self, process: asyncio.subprocess.Process) -> bool:
        """Watch it until its next death (True), or until it is done and will not die any more."""
        assert process.stdout is not None
        while line := (await process.stdout.readline()).decode():
            what, _, rest = line.strip().partition(" ")
            if what == "sent":
                self.told(int(rest))
            if what == "fault":
                self.faults.append(rest)
            elif what == "done" and not self._deaths:
                return False
            elif what == "done" or (self._deaths and int(rest) >= self._deaths[0]):
                del self._deaths[0]
                await asyncio.sleep(self._chance.random() * 0.3)
                process.kill()
                await process.communicate()
                self.killed += 1
                return True
        raise AssertionError(f"it ended by itself: {await process.wait()}")


def as_it_is_now(folder: Path) -> Path:
    """A copy of the program: whoever edits it in the course of a long run must not change what is tested.

    Programs of two states may not understand each other, and would try until nobody waits any more.
    """
    for part in ("messenger", "resources", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def acquainted(folder: Path, other: str, port: int) -> None:
    """Give a prepared profile a contact, who is reached at a port of this machine."""
    store = Store.open(folder / DATABASE, keystore.unlock(folder, "").db_key)
    contact = store.contacts.add(
        identity(other).fingerprint, name=other, standing=Standing.ACCEPTED, now_ms=1
    )
    store.contacts.note_address(contact.id, f"127.0.0.1:{port}")
    store.close()


def history(folder: Path, other: str) -> list[Message]:
    """All messages with somebody, oldest first; database and chain must be sound, and nothing may wait."""
    store = Store.open(folder / DATABASE, keystore.unlock(folder, "").db_key)
    try:
        store.integrity_check()
        contact = store.contacts.by_fingerprint(identity(other).fingerprint)
        row = None if contact is None else store.conversation(contact.id)
        assert contact is not None
        assert row is not None
        assert (row.missing, row.forked) == (0, False)
        assert store.messages.to_send(contact.id, 0, 9) == []
        found: list[Message] = []
        while page := store.messages.page(contact.id, found[0].position if found else None):
            found[:0] = page
        return found
    finally:
        store.close()


def seen(message: Message, who: str) -> tuple[object, ...]:
    """What must be alike at both ends."""
    reactions = sorted(
        (reaction.outgoing == (who == NAMES[0]), reaction.emoji) for reaction in message.reactions
    )
    own = message.outgoing == (who == NAMES[0])
    return message.id, own, message.text, message.edited_ms, message.deleted, reactions


def deaths(count: int, number: int, chance: random.Random) -> list[int]:
    """After which of its messages somebody dies."""
    return sorted(chance.randrange(1, count) for _ in range(number))


async def torture(folder: Path, *, count: int, dying: int, seed: int) -> dict[str, Life]:
    """Let two people write to each other under all these faults; both lives, when everything has arrived."""
    chance = random.Random(seed)
    ports = {who: fresh_port() for who in NAMES}
    networks: list[BadNetwork] = []
    to_cut = min(BYTES_TO_CUT, 20 * count)  # or a short run could end before the first cut
    lives, source = {}, as_it_is_now(folder / "source")
    async with AsyncExitStack() as stack:
        for who, other in (NAMES, NAMES[::-1]):
            prepare(folder / who, who, port=ports[who])
            way, network = await stack.enter_async_context(bad_network(ports[other], chance.random(), to_cut))
            networks.append(network)
            acquainted(folder / who, other, way)
            lives[who] = Life(
                folder / who,
                other,
                count,
                deaths(count, dying, chance),
                random.Random(chance.random()),
                source,
            )
        barrier = asyncio.Barrier(len(NAMES))
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            for life in lives.values():
                group.create_task(life.live(barrier))
    assert sum(network.faults["cut"] for network in networks) > 0
    return lives


@pytest.mark.parametrize(
    ("count", "dying"),
    [pytest.param(300, 4, id="short"), pytest.param(10_000, 30, id="long", marks=pytest.mark.long)],
)
async def test_everything_arrives_once_and_in_order(
    tmp_path: Path, count: int, dying: int, pytestconfig: pytest.Config
) -> None:
    """With ``--seed`` other faults are met."""
    lives = await torture(tmp_path, count=count, dying=dying, seed=pytestconfig.getoption("--seed"))
    assert {who: (life.killed, life.faults) for who, life in lives.items()} == {
        who: (dying, []) for who in NAMES
    }
    expected = [final(number, count) for number in range(1, count + 1)]
    histories = {who: history(tmp_path / who, other) for who, other in (NAMES, NAMES[::-1])}
    orders = [[message.id for message in messages] for messages in histories.values()]
    assert orders[0] == orders[1]
    alike = [[seen(message, who) for message in messages] for who, messages in histories.items()]
    assert alike[0] == alike[1]
    assert sum(bool(message.reactions) for message in histories[NAMES[0]]) > count // 20
    for messages in histories.values():
        assert [message.text for message in messages if message.outgoing] == expected
        assert [message.text for message in messages if not message.outgoing] == expected
        states = {message.state for message in messages}
        assert states == {MessageState.DELIVERED, MessageState.UNREAD}
