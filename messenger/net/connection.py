"""Pumps one link over one stream: the only file that awaits a socket's bytes."""

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable, Iterable

from messenger.core import limits, outlook_limits
from messenger.core.errors import ConnectError, Reason, RemoteProtocolError
from messenger.net.dial import Stream
from messenger.protocol.handshake import Role
from messenger.protocol.link import CloseCode, Link, LinkEvent, LinkState, PacketReceived
from messenger.protocol.packets import Packet

EventHandler = Callable[[LinkEvent], Awaitable[None]]
PacketsHandler = Callable[[list[Packet]], Awaitable[None]]


class Connection:
    """A link on a stream.

    Args:
        stream: The TCP connection; it is closed when `run` ends.
        link: A fresh link.
        on_event: Called with each event of the link, one after the other. While it runs,
            nothing is read: a slow handler slows the peer down.
        on_packets: Called in its place with the packets that came one after the other.
        patience: Seconds for the whole handshake.
        stall: Seconds for a record that has begun.
    """

    def __init__(
        self,
        stream: Stream,
        link: Link,
        on_event: EventHandler,
        on_packets: PacketsHandler | None = None,
        *,
        patience: float = limits.HANDSHAKE_TOTAL,
        stall: float = limits.RECORD_DEADLINE,
    ) -> None:
        self.stream = stream
        self.link = link
        self._on_event = on_event
        self._on_packets = on_packets
        self._patience = patience
        self._stall = stall
        self._heard = 0.0
        self._partial: tuple[int, float] | None = None
        self._probing: asyncio.TimerHandle | None = None

    async def run(self) -> Reason:
        """Pump until the link ends.

        Returns:
            CLOSED after a goodbye; otherwise what went wrong: SILENT (the other side was too slow in
            the greeting), INTERRUPTED (also: dead, or stuck in a record), REFUSED, BROKEN and so on.

        Raises:
            SottoError: Whatever the handler raised; the link is down.
        """
        watch: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(self._patience):
                await self._greet()
            watch = asyncio.create_task(self._watch())
            return await self._converse()
        except RemoteProtocolError as e:
            await self._look_like_any_failure()
            return e.reason
        except ConnectError:  # the handler refuses the peer
            await self._look_like_any_failure()
            raise
        except OSError as e:  # a TimeoutError is one, and the system has some of its own
            if self.link.state is not LinkState.GREETING:
                return Reason.INTERRUPTED
            return Reason.SILENT if isinstance(e, TimeoutError) else Reason.REFUSED
        finally:
            if self._probing is not None:
                self._probing.cancel()
            if watch is not None:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
            self._hang_up()

    async def send(self, packet: Packet) -> None:
        """Send a packet and wait while the peer is slow to take what was sent.

        Not for event handlers: two ends that both wait there would wait for ever; see `post`.

        Raises:
            LocalProtocolError: The link is not open.
            OSError: The stream has broken; `run` ends too.
        """
        self.post(packet)
        await self.stream.writer.drain()

    def post(self, packet: Packet) -> None:
        """Send a packet without waiting; a peer that takes nothing for too long is dropped.

        Raises:
            LocalProtocolError: The link is not open.
        """
        self._advance()
        self.link.send(packet)
        self._flush()

    def probe(self) -> None:
        """Ask for a sign of life at once; if none comes within PROBE_PATIENCE, `run` ends as INTERRUPTED.

        For when the world has changed: the computer has slept, or has other addresses. A link that is not
        open, or is being asked already, is left alone.
        """
        if self.link.state is not LinkState.OPEN or self._probing is not None:
            return
        loop = asyncio.get_running_loop()
        self.link.ping()
        self._flush()
        self._probing = loop.call_later(outlook_limits.PROBE_PATIENCE, self._judge, loop.time())

    def post_contents(self, contents: Iterable[bytes]) -> None:
        """Send contents of PACKETs on a link that does not look into them, as `post`.

        Raises:
            LocalProtocolError: The link is not open.
        """
        self._advance()
        for content in contents:
            self.link.send_content(content)
        self._flush()

    def close(self, code: CloseCode = CloseCode.BYE) -> None:
        """Say goodbye without waiting; `run` ends with the peer's goodbye, at the latest after CLOSE_WAIT."""
        greeting = self.link.state is LinkState.GREETING
        self.link.close(code)
        self._flush()
        if greeting:
            self.stream.abort()
        else:
            asyncio.get_running_loop().call_later(limits.CLOSE_WAIT, self.stream.abort)

    def _judge(self, asked: float) -> None:
        self._probing = None
        if self._heard < asked:
            self.stream.abort()

    def _hang_up(self) -> None:
        """After a goodbye let it arrive; in every other case drop the stream."""
        if self.link.was_open and self.link.state is LinkState.CLOSED:
            self.stream.writer.close()
            asyncio.get_running_loop().call_later(limits.CLOSE_WAIT, self.stream.abort)
        else:
            self.stream.abort()

    async def _greet(self) -> None:
        loop = asyncio.get_running_loop()
        self._flush()
        deadline = (self.stream.opened or loop.time()) + limits.HANDSHAKE_FIRST
        while self.link.state is LinkState.GREETING:
            async with asyncio.timeout_at(deadline):
                data = await self.stream.reader.read(limits.READ_SIZE)
            self._heard = loop.time()
            if await self._take(data):  # the deadline is that of a message, not of each of its bytes
                deadline = loop.time() + limits.HANDSHAKE_STEP

    async def _converse(self) -> Reason:
        while self.link.state is not LinkState.CLOSED:
            data = await self.stream.reader.read(limits.READ_SIZE)
            self._heard = asyncio.get_running_loop().time()  # also if a slow disk keeps us from going on
            await self._take(data)
            self._note_progress()
        return Reason.CLOSED

    async def _take(self, data: bytes) -> bool:
        """Give the link what arrived; returns whether anything came of it."""
        try:
            self._advance()
            if data:
                self.link.receive_data(data)
            else:
                self.link.receive_eof()
        finally:
            came = await self._settle()
        return came

    async def _settle(self) -> bool:
        """Answers leave before events are handled; handling may make more of both."""
        came = self._flush()
        while events := self.link.events():
            came = True
            for kind, group in itertools.groupby(events, type):
                if kind is PacketReceived and self._on_packets is not None:
                    await self._on_packets([e.packet for e in group if isinstance(e, PacketReceived)])
                    continue
                for event in group:
                    await self._on_event(event)
            self._flush()
        return came

    def _flush(self) -> bool:
        data = self.link.data_to_send()
        if data and not self.stream.writer.is_closing():  # else it has broken, and `run` is about to find out
            self.stream.writer.write(data)
            if self.stream.writer.transport.get_write_buffer_size() > limits.WRITE_MAX:
                self.stream.abort()
        return bool(data)

    def _note_progress(self) -> None:
        number = self.link.record_in_progress
        if number is None:
            self._partial = None
        elif self._partial is None or self._partial[0] != number:
            self._partial = (number, asyncio.get_running_loop().time())

    async def _watch(self) -> None:
        """Ping an idle link; drop one that has gone silent or does not finish a record.

        Between two pings it looks again just when the silence has been too long, so that 30 s hold whenever
        the last byte came. What we have written and nobody acknowledges needs no clock of its own
        (TCP_USER_TIMEOUT would also drop a peer who lives and is slow to read): it is gone with the stream.
        """
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        ping_at = self._heard + limits.KEEPALIVE_INTERVAL
        while self.link.state is not LinkState.CLOSED:
            await asyncio.sleep(min(ping_at, self._heard + limits.KEEPALIVE_TIMEOUT) - loop.time())
            now = loop.time()
            stuck = self._partial is not None and now - self._partial[1] > self._stall
            if stuck or now - self._heard >= limits.KEEPALIVE_TIMEOUT or not self._advanced():
                self.stream.abort()
                return
            if now >= ping_at:
                ping_at = now + limits.KEEPALIVE_INTERVAL
                if self.link.state is LinkState.OPEN:
                    self.link.ping()
                    self._flush()

    def _advance(self) -> None:
        self.link.advance(asyncio.get_running_loop().time())

    def _advanced(self) -> bool:
        """Tell the link the time; False if the peer has let a key exchange wait for too long."""
        try:
            self._advance()
        except RemoteProtocolError:
            return False
        return True

    async def _look_like_any_failure(self) -> None:
        """Whoever is refused in the greeting cannot tell from the delay what was wrong."""
        if self.link.role is Role.RESPONDER and not self.link.was_open:
            jitter = secrets.randbelow(1000) / 1000 * limits.HANDSHAKE_FAILURE_JITTER
            worked = asyncio.get_running_loop().time() - self._heard
            await asyncio.sleep(max(limits.HANDSHAKE_FAILURE_DELAY + jitter - worked, 0.0))
