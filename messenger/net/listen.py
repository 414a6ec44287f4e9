"""Incoming TCP connections: find a port, listen, and hand over what may come in."""

import asyncio
import contextlib
import errno
import ipaddress
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, Self

from messenger.core import limits
from messenger.core.errors import ConnectError, Reason
from messenger.net.dial import Stream, peer_of, wrap
from messenger.net.lanes import LANE_BYTE, first_byte

Handler = Callable[[Stream, "Slot"], Awaitable[None]]
LaneHandler = Callable[[socket.socket, "Slot"], Awaitable[None]]

_FORBIDDEN: Final = (errno.EACCES, errno.EPERM)


class Listener:
    """Listens on one port, IPv4 and IPv6; each connection runs in a task of its own.

    Make one with `open`; `close` ends it.
    """

    def __init__(self, sock: socket.socket, handler: Handler, lanes: LaneHandler | None = None) -> None:
        self._sock = sock
        self._handler = handler
        self._lanes = lanes
        self._half_open = HalfOpen()
        self._tasks: set[asyncio.Task[None]] = set()
        self._undecided: set[asyncio.Task[None]] = set()
        self._accepting: asyncio.Task[None] | None = None
        self.port: int = sock.getsockname()[1]
        """The port that others connect to."""

    @classmethod
    async def open(
        cls,
        handler: Handler,
        port: int,
        *,
        exact: bool = False,
        host: str = "",
        lanes: LaneHandler | None = None,
    ) -> Self:
        """Listen on a port, or on the next free one.

        Args:
            handler: Called with each stream, which it must close, and with the slot that it
                occupies until the handshake is done; errors must not leave it.
            port: 1 to 65535, or 0 for any free one.
            exact: Fail rather than take another port.
            host: IP address of one interface; empty for all.
            lanes: Called in its place with streams that begin as lanes do: a bare socket, of which nothing
                has been read, and which it must close.

        Raises:
            ConnectError: PORT_TAKEN, PORT_FORBIDDEN or BAD_HOST.
        """
        listener = cls(bind(port, host, exact=exact), handler, lanes)
        listener._accepting = asyncio.create_task(listener._accept())
        return listener

    async def close(self) -> None:
        """Stop listening; connections that are up stay up, half-open ones are dropped by their owner.

        If whoever waits for it is cancelled, it is done all the same.
        """
        ending = list(self._undecided)
        if self._accepting is not None:
            self._accepting.add_done_callback(lambda _task: self._sock.close())
            ending.append(self._accepting)
            self._accepting = None
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _accept(self) -> None:
        while True:
            try:
                sock = await self._next()
            except BlockingIOError:  # gone again before we looked
                continue
            except OSError:  # the caller is gone again, or file descriptors ran out
                await asyncio.sleep(limits.ACCEPT_PAUSE)
                continue
            task = asyncio.create_task(self._serve(sock))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _next(self) -> socket.socket:
        """Wait for the next connection.

        The loop's own `sock_accept` loses one that comes while it is cancelled. Here nothing is accepted
        before the waiting is over.
        """
        loop, came = asyncio.get_running_loop(), asyncio.Event()
        try:
            loop.add_reader(self._sock, came.set)
        except NotImplementedError:  # pragma: no cover -- asyncio's own loop on Windows
            return (await loop.sock_accept(self._sock))[0]
        try:
            await came.wait()
        finally:
            loop.remove_reader(self._sock)
        sock, _ = self._sock.accept()
        sock.setblocking(False)  # noqa: FBT003 -- the name of the method says it
        return sock

    async def _serve(self, sock: socket.socket) -> None:
        if self._accepting is None:  # closed in the moment in which they came: nobody would end this
            sock.close()
            return
        try:
            slot = self._half_open.enter(peer_of(sock)[0])
        except OSError:  # gone before we looked
            sock.close()
            return
        if slot is None:
            sock.close()
            return
        try:
            await self._answer(sock, slot)
        finally:
            slot.release()

    async def _answer(self, sock: socket.socket, slot: "Slot") -> None:
        try:
            opened = asyncio.get_running_loop().time()
            if self._lanes is not None and await self._begins_lane(sock):
                await self._lanes(sock, slot)
                return
            stream = await wrap(sock, opened)
        except OSError:  # a TimeoutError is one: they have said nothing in time
            sock.close()
            return
        await self._handler(stream, slot)

    async def _begins_lane(self, sock: socket.socket) -> bool:
        task = asyncio.current_task()
        if task is not None:
            self._undecided.add(task)
        try:
            async with asyncio.timeout(limits.HANDSHAKE_FIRST):
                return await first_byte(sock) == LANE_BYTE
        except asyncio.CancelledError:
            sock.close()
            raise
        finally:
            if task is not None:
                self._undecided.discard(task)


class HalfOpen:
    """Bounds the handshakes in progress, in all and from one network."""

    def __init__(self) -> None:
        self._networks: Counter[str] = Counter()

    def enter(self, host: str) -> "Slot | None":
        """Count one more from an IP address; None if that would be too many."""
        network = network_of(host)
        if self._networks.total() >= limits.HALF_OPEN_TOTAL:
            return None
        if self._networks[network] >= limits.HALF_OPEN_PER_NETWORK:
            return None
        self._networks[network] += 1
        return Slot(self._networks, network, crowd=self._networks.total())


class Slot:
    """One handshake in progress; release it when the handshake is done or has failed."""

    def __init__(self, networks: Counter[str], network: str, *, crowd: int) -> None:
        self.crowd = crowd
        """How many handshakes were in progress when this one came, itself included."""
        self._networks = networks
        self._network = network
        self._held = True

    def release(self) -> None:
        """Give the place to somebody else; a second call does nothing."""
        if self._held:
            self._held = False
            self._networks[self._network] -= 1
            if not self._networks[self._network]:
                del self._networks[self._network]


def network_of(host: str) -> str:
    """The /24 (IPv4) or /56 (IPv6) that an address belongs to."""
    address = ipaddress.ip_address(host.partition("%")[0])
    prefix = 24 if address.version == 4 else 56
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


def free_ports(first: int, last: int) -> list[int]:
    """The ports in a range on which this computer could listen now.

    Args:
        first: Lowest port, at least 1.
        last: Highest port, at most 65535.
    """
    found = []
    for port in range(first, last + 1):
        with contextlib.suppress(ConnectError):
            bind(port, "", exact=True).close()
            found.append(port)
    return found


def bind(port: int, host: str, *, exact: bool) -> socket.socket:
    """A listening socket that does not block; see `Listener.open`."""
    wanted = [port]
    if not exact and port:
        wanted += [*range(port + 1, min(port + limits.PORT_SEARCH, 65536)), 0]
    for candidate in wanted:
        try:
            return _listen_on(candidate, host)
        except OSError as e:
            if e.errno in _FORBIDDEN:
                raise ConnectError(Reason.PORT_FORBIDDEN, str(candidate)) from e
            if e.errno != errno.EADDRINUSE:
                raise ConnectError(Reason.BAD_HOST, host) from e
    raise ConnectError(Reason.PORT_TAKEN, str(port))


def _listen_on(port: int, host: str) -> socket.socket:
    if host:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.create_server((host, port), family=family, backlog=limits.LISTEN_BACKLOG)
    elif socket.has_dualstack_ipv6():
        sock = socket.create_server(
            ("", port), family=socket.AF_INET6, backlog=limits.LISTEN_BACKLOG, dualstack_ipv6=True
        )
    else:
        sock = socket.create_server(("", port), backlog=limits.LISTEN_BACKLOG)
    sock.setblocking(False)  # noqa: FBT003 -- the name of the method says it
    return sock
