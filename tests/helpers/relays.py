"""Relays on throw-away folders with keys that are made already, and clients on real sockets."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, TypeVar

from messenger.core import limits, relay_limits
from messenger.core.address import Address
from messenger.core.errors import RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import digest
from messenger.net.dial import Stream, dial
from messenger.protocol.initiator import Initiator
from messenger.protocol.link import ContentReceived, Link, LinkState, LinkUp, PuzzleNeeded
from messenger.protocol.puzzle import material, solve
from messenger.protocol.relay_answers import Arrived, Done, Failed, QueueMade, Ring, Subscribed, Task
from messenger.protocol.relay_client import RelayClient
from messenger.protocol.relay_queues import (
    AskPuzzle,
    Delete,
    NewQueue,
    QueueKind,
    Send,
    Subscribe,
    SubscribeFlag,
)
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_wire import EXPORT
from messenger.protocol.relay_word import FromRelay
from messenger.relay.options import RelayOptions, checked, with_files
from messenger.relay.server import Relay, Started
from tests.helpers.engines import fresh_port
from tests.helpers.keys import make_profile
from tests.helpers.links import NOW
from tests.helpers.patience import PATIENCE

W = TypeVar("W", bound=FromRelay)

SMALL: Final = min(limits.ENVELOPE_BUCKETS)


def envelope(number: int, size: int = SMALL) -> bytes:
    """An envelope that is like no other of this number."""
    return number.to_bytes(4, "big") * (size // 4)


class Box(NamedTuple):
    """A queue with its keys, as its owner has them."""

    recv_id: bytes
    send_id: bytes
    recv_key: bytes
    send_key: bytes


class Visitor:
    """A client on a link of its own. Make one with `calling`."""

    def __init__(self, stream: Stream, fingerprint: Fingerprint) -> None:
        self.stream = stream
        self.link = Link(Initiator(None, NOW, expected=fingerprint), raw=True)
        self.client: RelayClient
        self.said: list[FromRelay] = []
        """Everything that the relay said, in order."""
        self.deaf = asyncio.Event()
        """Nothing is read while this is cleared."""
        self.deaf.set()
        self._changed = asyncio.Event()
        self._up = False
        self._task = asyncio.create_task(self._run())

    @classmethod
    async def call(cls, port: int, fingerprint: Fingerprint, host: str = "127.0.0.1") -> Self:
        """Call a relay; returns before the link is up."""
        return cls(await dial(Address(host, port)), fingerprint)

    async def up(self) -> Self:
        """Wait until the link is up."""
        await self.changed(lambda: self._up)
        return self

    async def _run(self) -> None:
        self.write()
        while self.link.state is not LinkState.CLOSED:
            await self.deaf.wait()
            try:
                data = await self.stream.reader.read(limits.READ_SIZE)
                self.link.advance(asyncio.get_running_loop().time())
                if data:
                    self.link.receive_data(data)
                else:
                    self.link.receive_eof()
            except (OSError, RemoteProtocolError):
                self._changed.set()
                return
            self._handle()
            self.write()
            self._changed.set()

    def _handle(self) -> None:
        for event in self.link.events():
            match event:
                case ContentReceived(content):
                    self.said += self.client.receive(content)
                case LinkUp():
                    self.client = RelayClient(
                        self.link.export(EXPORT, b""), asyncio.get_running_loop().time()
                    )
                    self._up = True
                case PuzzleNeeded(what, bits):
                    self.link.solved(solve(what, bits))
                case _:
                    self.link.accept()

    def write(self) -> None:
        """Send what the client has to say."""
        if self._up and self.link.state is LinkState.OPEN:
            self.link.advance(asyncio.get_running_loop().time())
            for content in self.client.data_to_send():
                self.link.send_content(content)
        data = self.link.data_to_send()
        if data:
            self.stream.writer.write(data)

    def post(self, request: Request, key: bytes = b"") -> int:
        """Make a request; returns its tag."""
        tag = self.client.request(request, key)
        self.write()
        return tag

    async def answer(self, tag: int) -> Any:  # noqa: ANN401 -- whatever the relay says
        """Wait for what answers a request: a word of the relay that was not taken yet."""

        def found() -> FromRelay | None:
            for word in self.said:
                if getattr(word, "tag", None) == tag and not isinstance(word, Arrived | Ring):
                    return word
            return None

        await self.changed(lambda: found() is not None)
        word = found()
        assert word is not None
        self.said.remove(word)
        return word

    async def ask(self, request: Request, key: bytes = b"") -> Any:  # noqa: ANN401
        """Make a request and wait for its answer."""
        return await self.answer(self.post(request, key))

    async def word(self, kind: type[W], fits: Callable[[W], bool] = lambda _: True) -> W:
        """Wait for something of a kind, and take it."""

        def found() -> W | None:
            return next((word for word in self.said if isinstance(word, kind) and fits(word)), None)

        await self.changed(lambda: found() is not None)
        word = found()
        assert word is not None
        self.said.remove(word)
        return word

    async def make(self, kind: QueueKind = QueueKind.CONTACT, token: bytes = b"") -> Box:
        """Make a queue."""
        keys = os.urandom(32), os.urandom(32)
        made = await self.ask(NewQueue(0, kind, *keys, token))
        assert isinstance(made, QueueMade), made
        return Box(made.recv_id, made.send_id, *keys)

    async def subscribe(self, box: Box, *, calls: bool = False, window: int = relay_limits.WINDOW_MAX) -> int:
        """Subscribe to a queue; returns the tag."""
        flags = SubscribeFlag.CALLS if calls else SubscribeFlag(0)
        answer = await self.ask(Subscribe(0, box.recv_id, flags, window), box.recv_key)
        assert isinstance(answer, Subscribed), answer
        return answer.tag

    async def send(self, box: Box, what: bytes, solution: bytes = b"") -> Done | Failed:
        """Put an envelope into a queue."""
        answer: Done | Failed = await self.ask(Send(0, box.send_id, what, solution), box.send_key)
        return answer

    async def arrived(self, tag: int, *, acknowledge: bool = True) -> bytes:
        """Wait for the next envelope of a subscription."""
        word = await self.word(Arrived, lambda word: word.tag == tag)
        if acknowledge:
            self.acknowledge(tag, word.envelope)
        return word.envelope

    def acknowledge(self, tag: int, *envelopes: bytes) -> None:
        """Let the relay forget envelopes."""
        self.client.acknowledge(tag, *map(digest, envelopes))
        self.write()

    async def delete(self, box: Box) -> Done | Failed:
        """Delete a queue."""
        answer: Done | Failed = await self.ask(Delete(0, box.recv_id), box.recv_key)
        return answer

    async def work(self, what: bytes) -> bytes:
        """Ask for a task and solve it."""
        task = await self.ask(AskPuzzle(0))
        assert isinstance(task, Task), task
        return solve(material(task.seed, what), task.bits).to_bytes(8, "big")

    @property
    def there(self) -> bool:
        """Whether the link is up still."""
        return not self._task.done()

    async def ended(self) -> None:
        """Wait until the stream has ended."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """End it in whatever state it is."""
        self.stream.abort()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def changed(self, happened: Callable[[], bool]) -> None:
        """Wait until something is so; looked at whenever something came."""
        async with asyncio.timeout(PATIENCE):
            while not happened():
                assert not self._task.done(), "the link has ended"
                self._changed.clear()
                await self._changed.wait()


class Site:
    """A relay that is up, and its visitors."""

    def __init__(self, folder: Path, relay: Relay, started: Started) -> None:
        self.folder = folder
        self.relay = relay
        self.started = started
        self._visitors: list[Visitor] = []

    async def visitor(self, host: str = "127.0.0.1") -> Visitor:
        """Somebody whose link is up."""
        visitor = await Visitor.call(self.started.port, self.started.fingerprint, host)
        self._visitors.append(visitor)
        return await visitor.up()

    async def close(self) -> None:
        """End all visitors."""
        for visitor in self._visitors:
            await visitor.close()


def prepare(folder: Path, who: str = "bob") -> Path:
    """A folder of a relay with the keys of a test identity."""
    make_profile(folder, who)
    return folder


def chosen(**options: Any) -> RelayOptions:  # noqa: ANN401 -- judged by `checked`
    """Options on a free port of this computer, which the system gives nobody else once it has ended."""
    return with_files(checked({"port": fresh_port(), "host": "127.0.0.1", **options}))


@asynccontextmanager
async def relay_in(folder: Path, **options: Any) -> AsyncIterator[Site]:  # noqa: ANN401
    """A relay on a folder that `prepare` made."""
    relay = Relay(folder, chosen(**options))
    site = Site(folder, relay, await relay.start())
    try:
        yield site
    finally:
        await site.close()
        await relay.stop()
