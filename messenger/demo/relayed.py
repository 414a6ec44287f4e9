"""The demonstration's second part: two people who are never there together, and then only through a relay."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from messenger.core import limits
from messenger.core.ids import ConversationId
from messenger.core.models import Contact, MessageState, Online, Route
from messenger.core.relays import RelayOnline
from messenger.core.transfers import TransferState
from messenger.demo.relay_process import RelayProcess, relay_in
from messenger.demo.scenario import Memory, Person, Report, step
from messenger.engine.engine import Engine
from messenger.engine.events import (
    MessageAdded,
    MessageChanged,
    RelayAsked,
    RelayChanged,
    TransferChanged,
)
from messenger.text import demo as words

RECIPE: Final = "recipe.dat"
"""Name of the file that is sent."""

_FILE_SIZE: Final = 3 * 1024 * 1024
_HEX_SHOWN: Final = 32
"""Bytes of what the relay holds that are printed in a line; and so many lines."""
_HEX_LINES: Final = 4
_LONG: Final = 5
"""Words of at most so many characters may stand in random bytes by chance."""


class Plug(Protocol):
    """Switches somebody's program off and on."""

    async def off(self) -> None:
        """Stop it; it is running."""

    async def on(self) -> Person:
        """Start it again; what it told before is forgotten."""


class EnginePlug:
    """For an engine without a window.

    Args:
        person: Whose.
        folder: Their profile.
        stack: Stops what is started here.
    """

    def __init__(self, person: Person, folder: Path, stack: contextlib.AsyncExitStack) -> None:
        self._person, self._folder, self._stack = person, folder, stack

    async def off(self) -> None:
        """See `Plug`."""
        await self._person.engine.stop()

    async def on(self) -> Person:
        """See `Plug`."""
        memory = Memory()
        engine = Engine(self._folder, memory.take)
        self._stack.push_async_callback(engine.stop)
        self._person = replace(self._person, engine=engine, memory=memory)
        await self._person.call(engine.open)
        return self._person


class Apart:
    """Alice and Bob, whose programs are switched off and on.

    Args:
        people: The two; they know each other, and their engines are open.
        contacts: Bob in Alice's book, Alice in Bob's.
        plugs: Of their programs.
        report: Told about every step.
        watch: Called with the relay when it is up.
        pace: Seconds between what they do, for people who watch.
    """

    def __init__(
        self,
        people: tuple[Person, Person],
        contacts: list[Contact],
        plugs: tuple[Plug, Plug],
        report: Report,
        *,
        watch: Callable[[RelayProcess], None] = lambda _relay: None,
        pace: float = 0.0,
    ) -> None:
        self._people = list(people)
        self._contacts = contacts
        self._plugs = plugs
        self._report = report
        self._watch = watch
        self._pace = pace

    async def play(self, folder: Path, stack: contextlib.AsyncExitStack) -> None:
        """Let them use a relay, write while the other is off, and send a file through it.

        Args:
            folder: For the relay, and for the file.
            stack: Ends the relay.

        Raises:
            SottoError: A step could not be done.
        """
        async with step(words.RELAY_STARTING, self._report) as now:
            relay = await stack.enter_async_context(relay_in(folder / "relay"))
            now.lines.append(relay.link)
            self._watch(relay)
        await self._use(relay)
        await self._leave_behind(relay, folder / "relay")
        await self._send_file(folder)

    async def _use(self, relay: RelayProcess) -> None:
        """Bob tells Alice on a last link where he is written to; from then on nobody can be called."""
        alice, bob = self._people
        async with step(words.RELAY_TELLING, self._report, limits.DEMO_STEP) as now:
            await alice.call(alice.engine.reconnect, self._to(0))
            await bob.call(bob.engine.add_relay, relay.link)
            asked = await alice.memory.hear(RelayAsked)
            await alice.call(alice.engine.add_relay, relay.link)
            await alice.memory.hear(RelayChanged, lambda e: isinstance(e.relay.state, RelayOnline))
            now.check(words.RELAY_TOLD, holds=asked.conversation == self._to(0))
            for who in self._people:
                await who.call(who.engine.change_settings, {"listen": False})

    async def _leave_behind(self, relay: RelayProcess, folder: Path) -> None:
        alice, before = self._people[0], len(relay.envelopes)
        async with step(words.RELAY_WAITING, self._report, limits.DEMO_STEP) as now:
            await self._plugs[1].off()
            await asyncio.sleep(self._pace)
            sent = await alice.call(alice.engine.send_text, self._to(0), words.LEFT_BEHIND)
            await alice.memory.hear(
                MessageChanged,
                lambda e: e.message.id == sent.id and e.message.state is MessageState.SENT,
            )
            size, held = max(await relay.holds(before))
            now.lines += [words.relay_line(alice.name, words.LEFT_BEHIND), words.relay_holds(size)]
            lines = [held[at : at + _HEX_SHOWN].hex() for at in range(0, len(held), _HEX_SHOWN)]
            now.lines += lines[:_HEX_LINES]
            await asyncio.sleep(2 * self._pace)
            await self._plugs[0].off()
            now.check(words.RELAY_BLIND, holds=not readable(relay, folder))
        async with step(words.RELAY_READING, self._report, limits.DEMO_STEP) as now:
            bob = await self._on(1)
            came = (await bob.memory.hear(MessageAdded, lambda e: e.message.id == sent.id)).message
            now.lines.append(words.relay_line(alice.name, came.text))
            now.check(words.RELAY_READ, holds=came.text == words.LEFT_BEHIND)

    async def _send_file(self, folder: Path) -> None:
        async with step(words.RELAY_FILE, self._report, limits.DEMO_STEP) as now:
            bob, alice = self._people[1], await self._on(0)
            await alice.memory.hear(RelayChanged, lambda e: isinstance(e.relay.state, RelayOnline))
            source, target = folder / RECIPE, folder / "taken"
            source.write_bytes(os.urandom(_FILE_SIZE))
            await asyncio.sleep(self._pace)
            await alice.call(alice.engine.offer_files, self._to(0), [source])
            offered = await bob.memory.hear(
                TransferChanged, lambda e: e.transfer.state is TransferState.OFFERED
            )
            await asyncio.sleep(self._pace)
            await bob.call(bob.engine.accept_files, offered.transfer.id, target)
            for who in (alice, bob):
                await who.memory.hear(TransferChanged, lambda e: e.transfer.state is TransferState.DONE)
            presence = await alice.call(alice.engine.presence, self._to(0))
            now.lines.append(words.relay_file(source.name, _FILE_SIZE))
            now.check(words.RELAY_WAY, holds=isinstance(presence, Online) and presence.route is Route.RELAY)
            same = (target / source.name).read_bytes() == source.read_bytes()
            now.check(words.RELAY_SAME_FILE, holds=same)

    def _to(self, who: int) -> ConversationId:
        """The conversation of one with the other."""
        return self._contacts[who].id

    async def _on(self, who: int) -> Person:
        """Switch somebody's program on again."""
        await asyncio.sleep(self._pace)
        self._people[who] = person = await self._plugs[who].on()
        return person


def readable(relay: RelayProcess, folder: Path) -> list[str]:
    """What can be read of what was left behind, and of who did, in what a relay prints and in its files."""
    seen = "".join(relay.lines).encode() + b"".join(held for _, held in relay.envelopes)
    seen += b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    pieces = [word for word in words.LEFT_BEHIND.split() if len(word) > _LONG]
    return [text for text in (*pieces, words.ALICE, words.BOB) if text.encode() in seen]
