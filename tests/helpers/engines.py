"""Real engines on throw-away profiles, and waiting for what they publish instead of for time."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from messenger.core.ids import AttemptId, ConversationId, Fingerprint, MessageId
from messenger.core.models import (
    Contact,
    Conversation,
    Message,
    MessageState,
    Offline,
    Online,
    Standing,
)
from messenger.core.settings import Settings, changed
from messenger.engine.engine import Engine
from messenger.engine.events import (
    ConfirmPeer,
    ConnectProgress,
    ConnectStep,
    ContactChanged,
    Event,
    MessageAdded,
    MessageChanged,
    PresenceChanged,
)
from messenger.net.listen import free_ports
from messenger.storage.store import Store
from tests.helpers.keys import identity, make_profile
from tests.helpers.patience import PATIENCE

E = TypeVar("E")

DATABASE: Final = "sotto.db"

_ALL_PORTS: Final = range(10_000, 32_000)
"""Below those that the system hands out for calls going out."""


def _share() -> range:
    """The ports of this process: those that run tests beside it (pytest-xdist) have others."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % count
    size = len(_ALL_PORTS) // count
    return _ALL_PORTS[number * size : (number + 1) * size]


_PORTS: Final = _share()
_attempts = itertools.count(1)
# Two runs of the tests on one computer have the same ports: they do not begin at the same one.
_ports = itertools.count(int.from_bytes(os.urandom(2), "big"))


def fresh_ports(count: int) -> list[int]:
    """Ports in a row that nobody uses, other processes that run tests included."""
    while True:
        ports = [_PORTS[next(_ports) % len(_PORTS)] for _ in range(count)]
        if free_ports(ports[0], ports[0] + count - 1) == ports:
            return ports


def fresh_port() -> int:
    """A port that nobody uses."""
    return fresh_ports(1)[0]


class Person:
    """An engine, its folder, and everything it ever published.

    Args:
        folder: Profile folder.
        who: Name of a test identity.
    """

    def __init__(self, folder: Path, who: str) -> None:
        self.folder = folder
        self.who = who
        self.events: list[Event] = []
        self._changed = asyncio.Event()
        self.engine = Engine(folder, self._publish)

    @property
    def fingerprint(self) -> Fingerprint:
        """Who it is."""
        return identity(self.who).signing.public.fingerprint

    @property
    def name(self) -> str:
        """The name that others see."""
        return self.who.capitalize()

    def _publish(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    async def start(self, passphrase: str | None = None) -> None:
        """Start the engine, again if it was stopped; what it published before is forgotten."""
        self.events.clear()
        self.engine = Engine(self.folder, self._publish)
        await self.engine.open(passphrase)

    async def restart(self) -> None:
        """Stop and start."""
        await self.engine.stop()
        await self.start()

    @property
    def mark(self) -> int:
        """Where the list of events ends now, for `wait_for`."""
        return len(self.events)

    async def wait_for(
        self, kind: type[E], wanted: Callable[[E], bool] = lambda _: True, *, since: int = 0
    ) -> E:
        """The first event of a kind that is as wanted, from those published since a mark or still to come."""
        seen = since
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for event in self.events[seen:]:
                        if isinstance(event, kind) and wanted(event):
                            return event
                    seen = len(self.events)
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            happened = "\n".join(str(event)[:200] for event in self.events[since:])
            raise AssertionError(
                f"{self.who} never heard of that {kind.__name__}, only:\n{happened}"
            ) from None

    def count(self, kind: type[E], wanted: Callable[[E], bool] = lambda _: True, *, since: int = 0) -> int:
        """How many events of a kind were as wanted so far."""
        return sum(isinstance(event, kind) and wanted(event) for event in self.events[since:])

    async def port(self) -> int:
        """Where it listens."""
        listening = await self.engine.listening()
        assert listening is not None
        return listening.port

    async def address(self) -> str:
        """Its address, for others on this computer."""
        return f"127.0.0.1:{await self.port()}"

    async def connect(self, target: str, *, accept: bool = True) -> Contact:
        """Connect, and answer whatever question about a key comes up."""
        attempt, since = AttemptId(next(_attempts)), self.mark
        connecting = asyncio.create_task(self.engine.connect(target, attempt))
        asked = asyncio.create_task(
            self.wait_for(ConfirmPeer, lambda event: event.attempt == attempt, since=since)
        )
        await asyncio.wait([connecting, asked], return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            await self.engine.confirm_peer(attempt, accept)
        asked.cancel()
        return await connecting

    def steps(self) -> list[ConnectStep]:
        """The steps of all attempts so far."""
        return [event.step for event in self.events if isinstance(event, ConnectProgress)]

    async def contact(self, other: "Person | str") -> Contact:
        """How it knows somebody."""
        return (await self.conversation(other)).contact

    async def conversation(self, other: "Person | str") -> Conversation:
        """The conversation with somebody, an engine's person or a test identity."""
        who = other if isinstance(other, str) else other.who
        for conversation in await self.engine.conversations():
            if conversation.contact.fingerprint == identity(who).signing.public.fingerprint:
                return conversation
        raise AssertionError(f"{self.who} does not know {who}")

    async def with_(self, other: "Person | str") -> ConversationId:
        """The number of the conversation with somebody."""
        return (await self.conversation(other)).id

    async def knows(self, other: "Person", standing: Standing, *, since: int = 0) -> Contact:
        """Wait until somebody is a contact of this standing."""
        event = await self.wait_for(
            ContactChanged,
            lambda e: e.contact.fingerprint == other.fingerprint and e.contact.standing is standing,
            since=since,
        )
        return event.contact

    async def named(self, other: "Person | str", name: str = "", *, since: int = 0) -> Contact:
        """Wait until somebody's greeting has arrived, with their own name unless another is given."""
        who = other if isinstance(other, str) else other.who
        wanted, fingerprint = name or who.capitalize(), identity(who).signing.public.fingerprint
        event = await self.wait_for(
            ContactChanged,
            lambda e: e.contact.fingerprint == fingerprint and e.contact.name == wanted,
            since=since,
        )
        return event.contact

    async def online(self, conversation: ConversationId, *, since: int = 0) -> None:
        """Wait until a contact came online."""
        await self._presence(conversation, Online, since)

    async def offline(self, conversation: ConversationId, *, since: int = 0) -> Offline:
        """Wait until a contact went offline."""
        event = await self._presence(conversation, Offline, since)
        assert isinstance(event.presence, Offline)
        return event.presence

    async def _presence(self, conversation: ConversationId, kind: type, since: int) -> PresenceChanged:
        return await self.wait_for(
            PresenceChanged,
            lambda e: e.conversation == conversation and isinstance(e.presence, kind),
            since=since,
        )

    async def hears(self, text: str) -> Message:
        """Wait until a text of somebody else is stored."""
        event = await self.wait_for(MessageAdded, lambda e: not e.message.outgoing and e.message.text == text)
        return event.message

    async def hears_or_has(self, conversation: ConversationId, text: str) -> None:
        """Wait until a text is stored, perhaps since before the engine was last started."""
        if text not in await self.texts(conversation):
            await self.hears(text)

    async def sees(self, message: MessageId, state: MessageState) -> Message:
        """Wait until a message has reached a state."""
        event = await self.wait_for(
            MessageChanged, lambda e: e.message.id == message and e.message.state is state
        )
        return event.message

    async def texts(self, conversation: ConversationId) -> list[str]:
        """All texts of a conversation, oldest first."""
        return [message.text for message in await self.engine.messages(conversation)]

    async def states(self, conversation: ConversationId) -> list[MessageState]:
        """The state of each message of a conversation, oldest first."""
        return [message.state for message in await self.engine.messages(conversation)]


def prepare(folder: Path, who: str, passphrase: str | None = None, **settings: object) -> Path:
    """Write a whole profile, with its name, a port of its own and any other settings."""
    keys = make_profile(folder, who, passphrase)
    store = Store.open(folder / DATABASE, keys.db_key)
    store.meta.set_name(who.capitalize())
    store.meta.save_settings(changed(Settings(), {"port": fresh_port(), **settings}))
    store.close()
    return folder


class People:
    """Makes the people of a test and stops their engines at its end.

    Args:
        folder: For their profiles.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: list[Person] = []

    async def __call__(self, who: str, **settings: object) -> Person:
        """Somebody new, up and listening."""
        person = self.asleep(who, None, **settings)
        await person.start()
        return person

    def asleep(self, who: str, passphrase: str | None = None, **settings: object) -> Person:
        """Somebody new whose engine does not run yet."""
        folder = prepare(self._folder / f"{who}{len(self._all)}", who, passphrase, **settings)
        return self.in_folder(folder, who)

    def in_folder(self, folder: Path, who: str) -> Person:
        """Somebody on a folder as it is."""
        person = Person(folder, who)
        self._all.append(person)
        return person

    async def stop(self) -> None:
        """Stop every engine."""
        await asyncio.gather(*(person.engine.stop() for person in self._all))


@asynccontextmanager
async def people_in(folder: Path) -> AsyncIterator[People]:
    """People whose engines are stopped at the end."""
    people = People(folder)
    try:
        yield people
    finally:
        await people.stop()


async def friends(alice: Person, bob: Person) -> tuple[ConversationId, ConversationId]:
    """Let two people meet by address and accept each other; their conversations, each with the other."""
    here = await alice.connect(await bob.address())
    there = await bob.knows(alice, Standing.REQUEST)
    await bob.engine.accept(there.id)
    await alice.wait_for(ContactChanged, lambda e: e.contact.id == here.id and not e.contact.awaiting)
    return here.id, there.id
