"""What the two people of the demonstration do, on any two engines, step by step."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, ParamSpec, Protocol, TypeVar

from messenger.core import limits
from messenger.core.errors import Reason, SottoError
from messenger.core.ids import AttemptId, MessageId, format_fingerprint
from messenger.core.models import Contact, MessageState, Offline
from messenger.core.transfers import TransferState
from messenger.engine.engine import Engine
from messenger.engine.events import (
    ConfirmPeer,
    ContactChanged,
    Event,
    MessageAdded,
    MessageChanged,
    PresenceChanged,
    TransferChanged,
)
from messenger.text import demo as words

P = ParamSpec("P")
T = TypeVar("T")

_ATTEMPT: Final = AttemptId(1)
_GROUP: Final = 5
_FROM: Final = "sent"
_TO: Final = "received"
_FILE_SIZE: Final = 8 * 1024 * 1024
_ARRIVED: Final = (MessageState.DELIVERED, MessageState.READ)


class Stuck(SottoError):
    """A step did not come to its end in time."""


class Call(Protocol):
    """Runs a method of an engine on the engine's loop."""

    async def __call__(
        self, method: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run it and return what it returns."""


async def call_here(method: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """A `Call` for an engine that lives on the loop that is running."""
    return await method(*args, **kwargs)


class Memory:
    """All that one engine told; lives on the loop that runs the scenario."""

    def __init__(self) -> None:
        self._heard: list[Event] = []
        self._news = asyncio.Event()

    def take(self, event: Event) -> None:
        """Remember an event."""
        self._heard.append(event)
        self._news.set()

    async def hear(self, kind: type[T], test: Callable[[T], bool] = lambda _event: True) -> T:
        """Wait until an event of a kind passes a test; one from before counts, the latest first."""
        while True:
            for event in reversed(self._heard):
                if isinstance(event, kind) and test(event):
                    return event
            self._news.clear()
            await self._news.wait()


@dataclass(frozen=True)
class Person:
    """One of the two.

    Attributes:
        name: What the other sees.
        engine: Theirs.
        memory: Gets all events of the engine.
        call: Runs the engine's methods.
    """

    name: str
    engine: Engine
    memory: Memory
    call: Call


class Hands(Protocol):
    """How one person calls another."""

    async def connect(self, address: str) -> Contact:
        """Call an address; done when the conversation is open."""

    async def answer(self, *, accepted: bool) -> None:
        """Answer the question whether that is the right person."""


class _EngineHands:
    """Asks the engine itself."""

    def __init__(self, person: Person) -> None:
        self._person = person

    async def connect(self, address: str) -> Contact:
        return await self._person.call(self._person.engine.connect, address, _ATTEMPT)

    async def answer(self, *, accepted: bool) -> None:
        await self._person.call(self._person.engine.confirm_peer, _ATTEMPT, accepted)


@dataclass
class Step:
    """One step of the demonstration, with what can be told about it."""

    title: str
    lines: list[str] = field(default_factory=list)
    checks: list[tuple[str, bool]] = field(default_factory=list)
    seconds: float = 0.0

    def check(self, what: str, *, holds: bool) -> None:
        """Note whether something is as it must be."""
        self.checks.append((what, holds))


class Report(Protocol):
    """Told about every step."""

    def begun(self, title: str) -> None:
        """A step has begun."""

    def done(self, step: Step) -> None:
        """A step is done, or has failed."""


@contextlib.asynccontextmanager
async def step(title: str, report: Report, deadline: float | None = None) -> AsyncIterator[Step]:
    """Run one step and report it.

    Raises:
        Stuck: It took longer than the deadline (seconds).
    """
    now = Step(title)
    started = time.perf_counter()
    report.begun(title)
    try:
        async with asyncio.timeout(deadline):
            yield now
    except TimeoutError as e:
        raise Stuck(title) from e
    finally:
        now.seconds = time.perf_counter() - started
        report.done(now)


class Scenario:
    """What the two do, one step after the other.

    Args:
        alice: Calls; her engine is open.
        bob: Is called; his engine is open and listens.
        report: Told about every step.
        hands: How Alice makes her call.
        pace: Seconds between what they do, for people who watch.
    """

    def __init__(
        self, alice: Person, bob: Person, report: Report, hands: "Hands | None" = None, *, pace: float = 0.0
    ) -> None:
        self._people = (alice, bob)
        self._report = report
        self._hands = hands or _EngineHands(alice)
        self._pace = pace
        self.contacts: list[Contact] = []
        """Bob in Alice's book, Alice in Bob's; empty until they have met."""

    async def meet(self, address: str) -> None:
        """Alice calls an address and looks at the fingerprint; Bob accepts her request."""
        alice, bob = self._people
        bob_is, alice_is = await bob.call(bob.engine.me), await alice.call(alice.engine.me)
        async with step(words.ASKING, self._report, limits.DEMO_STEP) as now:
            work = asyncio.create_task(self._hands.connect(address))
            try:
                asked = await _unless_failed(alice.memory.hear(ConfirmPeer), work)
                right = asked.fingerprint == bob_is.fingerprint
                now.lines.append(format_fingerprint(asked.fingerprint))
                now.check(words.SAME_FINGERPRINT, holds=right)
                await asyncio.sleep(self._pace)
                await self._hands.answer(accepted=right)
                at_alice = await work
            finally:
                work.cancel()
        async with step(words.ACCEPTING, self._report, limits.DEMO_STEP) as now:
            request = (await bob.memory.hear(ContactChanged, lambda e: bool(e.contact.name))).contact
            now.lines.append(f"{request.name}: {format_fingerprint(request.fingerprint)}")
            now.check(words.REQUEST_FINGERPRINT, holds=request.fingerprint == alice_is.fingerprint)
            await asyncio.sleep(self._pace)
            await bob.call(bob.engine.accept, request.id)
            accepted = (await alice.memory.hear(ContactChanged, lambda e: not e.contact.awaiting)).contact
            now.check(words.KNOWS_NAME, holds=(accepted.name, request.name) == (bob.name, alice.name))
        self.contacts = [at_alice, request]

    async def compare(self) -> None:
        """Both look at the safety number and mark each other as verified."""
        async with step(words.COMPARING, self._report, limits.DEMO_STEP) as now:
            both = list(zip(self._people, self.contacts, strict=True))
            numbers = [await who.call(who.engine.safety_number, contact.id) for who, contact in both]
            now.lines.append(
                " ".join(numbers[0][at : at + _GROUP] for at in range(0, len(numbers[0]), _GROUP))
            )
            same = numbers[0] == numbers[1]
            now.check(words.SAME_NUMBER, holds=same)
            await asyncio.sleep(self._pace)
            for who, contact in both:
                await who.call(who.engine.set_verified, contact.id, same)

    async def talk(self) -> None:
        """They say what stands in the book; each reads what the other says."""
        async with step(words.TALKING, self._report, limits.DEMO_STEP) as now:
            whole = True
            for who, text in words.CONVERSATION:
                await asyncio.sleep(self._pace)
                whole = await self._say(now, who, text) and whole
            now.check(words.ARRIVED, holds=whole)

    async def send_file(self, folder: Path) -> None:
        """Bob offers a file, Alice takes it, and it is looked at what has come.

        Args:
            folder: Where the file is made, and where it comes to: outside of both profiles.
        """
        alice, bob = self._people
        async with step(words.SENDING, self._report, limits.DEMO_STEP) as now:
            content = (words.FILE_LINE.encode() * (_FILE_SIZE // len(words.FILE_LINE.encode()) + 1))[
                :_FILE_SIZE
            ]
            source = await asyncio.to_thread(_written, folder / _FROM / words.FILE_NAME, content)
            await asyncio.sleep(self._pace)
            await bob.call(bob.engine.offer_files, self.contacts[1].id, [source])
            offered = (
                await alice.memory.hear(TransferChanged, lambda e: e.transfer.state is TransferState.OFFERED)
            ).transfer
            await asyncio.sleep(self._pace)
            started = time.perf_counter()
            await alice.call(alice.engine.accept_files, offered.id, folder / _TO)
            done = (await alice.memory.hear(TransferChanged, _is_done)).transfer
            await bob.memory.hear(TransferChanged, _is_done)
            now.lines.append(words.file_line(len(content), time.perf_counter() - started))
            got = await asyncio.to_thread(Path(done.placed[0]).read_bytes)
            now.check(words.SAME_FILE, holds=got == content)
            now.check(words.FILE_TOLD, holds=True)

    async def part(self) -> None:
        """Alice says goodbye."""
        alice = self._people[0]
        async with step(words.PARTING, self._report, limits.DEMO_STEP) as now:
            await alice.call(alice.engine.disconnect, self.contacts[0].id)
            gone = [
                (await who.memory.hear(PresenceChanged, lambda e: isinstance(e.presence, Offline))).presence
                for who in self._people
            ]
            reasons = [presence.reason for presence in gone if isinstance(presence, Offline)]
            now.check(words.LEFT, holds=reasons == [Reason.CLOSED, Reason.CLOSED])

    async def _say(self, now: Step, who: int, text: str) -> bool:
        """One says a text, the other reads it; whether it arrived whole."""
        author, reader = self._people[who], self._people[1 - who]
        started = time.perf_counter()
        sent = await author.call(author.engine.send_text, self.contacts[who].id, text)
        await author.memory.hear(MessageChanged, _reached(sent.id, _ARRIVED))
        now.lines.append(words.said(author.name, text, (time.perf_counter() - started) * 1000))
        arrived = (await reader.memory.hear(MessageAdded, lambda e: e.message.id == sent.id)).message
        await reader.call(reader.engine.mark_read, self.contacts[1 - who].id, arrived.position)
        await author.memory.hear(MessageChanged, _reached(sent.id, (MessageState.READ,)))
        return arrived.text == text


async def make_keys(people: Sequence[Person], report: Report) -> None:
    """Set everybody up, all at once."""
    async with step(words.MAKING_KEYS, report) as now:

        async def make(who: Person) -> str:
            started = time.perf_counter()
            await who.call(who.engine.create, who.name, keyring=False)
            seconds = time.perf_counter() - started
            signing, _ = await who.call(who.engine.moduli)
            me = await who.call(who.engine.me)
            line = words.key_line(who.name, len(signing) * 8, seconds)
            return f"{line} {format_fingerprint(me.fingerprint)}"

        now.lines += await asyncio.gather(*(make(who) for who in people))


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def _is_done(event: TransferChanged) -> bool:
    return event.transfer.state is TransferState.DONE


def _reached(id_: MessageId, states: tuple[MessageState, ...]) -> Callable[[MessageChanged], bool]:
    return lambda event: event.message.id == id_ and event.message.state in states


async def _unless_failed(wanted: Coroutine[Any, Any, T], work: "asyncio.Task[Any]") -> T:
    """Wait for something that a task brings about; if the task ends without it, raise why."""
    waiting = asyncio.create_task(wanted)
    try:
        await asyncio.wait({waiting, work}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            work.result()
        return await waiting
    finally:
        waiting.cancel()
