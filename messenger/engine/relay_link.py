"""One anonymous link with a relay: requests and their answers, and what it brings."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from messenger.core import carrier_limits, relay_limits
from messenger.core.address import Address
from messenger.core.errors import (
    ConnectError,
    LocalProtocolError,
    ProtocolError,
    Reason,
    RelayError,
    RelayProblem,
)
from messenger.core.ids import Fingerprint
from messenger.net.connection import Connection
from messenger.net.dial import Stream
from messenger.protocol.handshake import PeerIdentified, PuzzleNeeded
from messenger.protocol.initiator import Initiator
from messenger.protocol.link import CloseCode, ContentReceived, Link, LinkEvent, LinkState, LinkUp
from messenger.protocol.puzzle import material, solve
from messenger.protocol.relay_answers import Arrived, Ended, Failed, Ring, Task
from messenger.protocol.relay_client import RelayClient
from messenger.protocol.relay_queues import AskPuzzle
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_wire import EXPORT
from messenger.protocol.relay_word import Tagged, Welcome

News = Arrived | Ring | Ended
"""What comes for a subscription."""

_NEWS: Final = (Arrived, Ring, Ended)


class RelayLink:
    """A link with one relay.

    Args:
        relay: Who it must be.
        stream: The TCP connection.
        now: Unix time in seconds, for its certificate.
        on_up: Called once, when the relay has told its quotas.
        on_news: Called with what came for subscriptions, in order. While it runs nothing is read, so it
            must not `ask` on this link; what it raises ends the link.
    """

    def __init__(
        self,
        relay: Fingerprint,
        stream: Stream,
        now: int,
        on_up: Callable[["RelayLink"], None],
        on_news: Callable[["RelayLink", Sequence[News]], Awaitable[None]],
    ) -> None:
        self.relay = relay
        self.welcome = Welcome()
        """The quotas of the relay."""
        self.queues: dict[int, int] = {}
        """Which of our queues each subscription is for."""
        self.remade = False
        """A queue that the relay did not have any more was made again on this link."""
        self._on_up = on_up
        self._on_news = on_news
        link = Link(Initiator(None, now, expected=relay), raw=True)
        self._connection = Connection(
            stream,
            link,
            self._on_event,
            patience=relay_limits.HANDSHAKE_TOTAL,
            stall=relay_limits.RECORD_DEADLINE,
        )
        self._client: RelayClient | None = None
        self._answers: dict[int, asyncio.Future[Tagged]] = {}
        self._room = asyncio.Semaphore(relay_limits.REQUESTS_OPEN_MAX)
        self._working = asyncio.Lock()
        self._over = False
        self._asked = self._work_from = asyncio.get_running_loop().time()

    @property
    def address(self) -> Address:
        """IP address and port at which the link goes."""
        return self._connection.stream.address

    @property
    def idle(self) -> float:
        """For how many seconds nothing has been asked."""
        return 0.0 if self._answers else asyncio.get_running_loop().time() - self._asked

    async def run(self) -> Reason:
        """Talk until the link ends; returns why it did.

        Raises:
            SottoError: Whatever `on_news` raised.
        """
        ticking = asyncio.create_task(self._tick())
        try:
            return await self._connection.run()
        finally:
            self._over = True  # also if the stream broke, which the link itself is not told
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(self._interrupted())
                    answer.exception()  # whoever asked may be on the way out too

    async def ask(self, request: Request, key: bytes = b"", queue: int = 0) -> Tagged:
        """Ask the relay for something, and wait for the answer.

        Args:
            request: With any tag.
            key: The key of the queue that it is about.
            queue: For a subscription: which of our queues it is for.

        Raises:
            RelayError: It says that it did not do it.
            ConnectError: INTERRUPTED, the link has ended: whether it was done is not known.
        """
        async with self._room:
            client = self._client
            if client is None or self._over or self._connection.link.state is not LinkState.OPEN:
                raise self._interrupted()
            if not client.ready:  # it is being given up
                raise self._interrupted()
            tag = client.request(request, key)
            if queue:
                self.queues[tag] = queue
            answer: asyncio.Future[Tagged] = asyncio.get_running_loop().create_future()
            self._answers[tag] = answer
            self._asked = asyncio.get_running_loop().time()
            self._flush(client)
            try:
                said = await answer
            finally:
                self._answers.pop(tag, None)
        if isinstance(said, Failed):
            self.queues.pop(tag, None)
            raise RelayError(RelayProblem[said.code.name], said.seconds)
        return said

    async def solved(self, content: bytes, make: Callable[[bytes], Request], key: bytes) -> Tagged:
        """Ask for something that costs work, and do the work away from the loop.

        Args:
            content: What the puzzle is about: a send_id, or an envelope.
            make: Makes the request of the solution, 8 bytes.
            key: As for `ask`.

        Raises:
            RelayError, ConnectError: As for `ask`.
        """
        loop = asyncio.get_running_loop()
        async with self._working:  # a link has one task at a time, and a new one after a while only
            await asyncio.sleep(self._work_from - loop.time())
            self._work_from = loop.time() + relay_limits.TASK_INTERVAL * carrier_limits.WORK_SLACK
            task = await self.ask(AskPuzzle(0))
            if not isinstance(task, Task):
                raise LocalProtocolError("another answer than was asked for")
            counter = await loop.run_in_executor(None, solve, material(task.seed, content), task.bits)
            return await self.ask(make(counter.to_bytes(8, "big")), key)

    def acknowledge(self, tag: int, hashes: Sequence[bytes]) -> None:
        """Let the relay forget messages of a subscription."""
        if self._client is not None:
            self._client.acknowledge(tag, *hashes)
            self._flush(self._client)

    def probe(self, gone: Collection[str]) -> None:
        """Ask for a sign of life; if our end is at an address that is gone, drop the stream at once."""
        if self._connection.stream.own in gone:
            self.abort()
        else:
            self._connection.probe()

    def close(self) -> None:
        """Say goodbye; `run` ends soon after."""
        self._connection.close(CloseCode.BYE)

    def abort(self) -> None:
        """Drop the stream; `run` ends at once."""
        self._connection.stream.abort()

    def _flush(self, client: RelayClient) -> None:
        contents = client.data_to_send()
        if contents and self._connection.link.state is LinkState.OPEN:
            self._connection.post_contents(contents)

    async def _on_event(self, event: LinkEvent) -> None:
        link = self._connection.link
        match event:
            case PeerIdentified():  # it has the fingerprint that was expected
                link.accept()
            case PuzzleNeeded(material_, bits):
                loop = asyncio.get_running_loop()
                link.solved(await loop.run_in_executor(None, solve, material_, bits))
            case LinkUp():
                self._client = RelayClient(link.export(EXPORT, b""), asyncio.get_running_loop().time())
            case ContentReceived(content) if self._client is not None:
                await self._on_content(self._client, content)
            case _:  # a goodbye, after which `run` ends
                pass

    async def _on_content(self, client: RelayClient, content: bytes) -> None:
        client.advance(asyncio.get_running_loop().time())
        said = client.receive(content)
        self._flush(client)
        news: list[News] = []
        for word in said:
            if isinstance(word, Welcome):
                self.welcome = word
                self._on_up(self)
            elif isinstance(word, _NEWS):
                news.append(word)
            elif isinstance(word, Tagged):
                answer = self._answers.get(word.tag)
                if answer is not None and not answer.done():
                    answer.set_result(word)
        if news:
            await self._on_news(self, news)
            self._flush(client)

    async def _tick(self) -> None:
        """Give a relay up that leaves something without an answer."""
        while True:
            await asyncio.sleep(carrier_limits.RELAY_TICK)
            if self._client is not None:
                try:
                    self._client.advance(asyncio.get_running_loop().time())
                except ProtocolError:
                    self.abort()

    def _interrupted(self) -> ConnectError:
        return ConnectError(Reason.INTERRUPTED, str(self.address))
