"""Outgoing TCP connections: resolve a host and race its addresses."""

import asyncio
import errno
import functools
import socket
import sys
import threading
from concurrent.futures import Future
from itertools import zip_longest
from typing import Any, Final

import msgspec

from messenger.core import limits
from messenger.core.address import Address, is_literal
from messenger.core.errors import ConnectError, Reason
from messenger.core.ids import Fingerprint
from messenger.net.race import race

_REASONS: Final = {
    errno.ECONNREFUSED: Reason.NOBODY,
    errno.ETIMEDOUT: Reason.TIMEOUT,
    errno.ECONNRESET: Reason.REFUSED,
    errno.ECONNABORTED: Reason.REFUSED,
    errno.ENOTCONN: Reason.REFUSED,  # taken and dropped again before we looked who it is
}

_Target = tuple[str, int, int, int] | tuple[str, int]
"""An address as `socket.connect` takes it."""


class Reader(asyncio.StreamReader):
    """A reader that tells of a broken connection only after what arrived before it broke.

    The one of asyncio forgets the last words of whoever resets the connection behind them: the answer of
    a server that speaks something else, or a goodbye.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._broken: Exception | None = None

    def set_exception(self, exc: Exception) -> None:
        """The connection broke."""
        self._broken = exc
        self.feed_eof()

    async def read(self, n: int = -1) -> bytes:
        """Up to `n` bytes that arrived; none at the end.

        Raises:
            OSError: The connection broke, and all that arrived has been read.
        """
        data = await super().read(n)
        if not data and n and self._broken is not None:
            raise self._broken
        return data


class Stream(msgspec.Struct, frozen=True):
    """One TCP connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    host: str
    """IP address of the other end, IPv4 not mapped into IPv6, with scope if it has one."""
    port: int
    own: str = ""
    """IP address of this end, without scope; empty if it is not known."""
    opened: float | None = None
    """When it was, by the clock of the loop, if its other end has been waited for since."""
    through: Fingerprint | None = None
    """The relay through whose circuit it goes; the address is the relay's then."""

    @property
    def address(self) -> Address:
        """The other end."""
        return Address(self.host, self.port)

    def abort(self) -> None:
        """Drop the connection at once, unsent bytes with it."""
        self.writer.transport.abort()


async def dial(address: Address) -> Stream:
    """Open a TCP connection to the first of the host's addresses that answers.

    Args:
        address: Host name or IP address, and port.

    Raises:
        ConnectError: UNRESOLVED, NOBODY, TIMEOUT, UNREACHABLE or REFUSED, with the address.
    """
    targets = await _resolve(address)
    ways = [functools.partial(_connect, family, target, address) for family, target in targets]
    return await race(ways, limits.DIAL_STAGGER, Stream.abort)


async def dial_bare(address: Address) -> socket.socket:
    """Open a TCP connection to one IP address, for whoever does without a `Stream`.

    Args:
        address: IP address and port; a name is not looked up.

    Returns:
        The socket, not blocking; close it.

    Raises:
        ConnectError: As for `dial`; UNRESOLVED if it is a name.
    """
    if not is_literal(address.host):
        raise ConnectError(Reason.UNRESOLVED, address.host)
    family, target = (await _resolve(address))[0]
    return await _connected(family, target, address)


async def read_exactly(sock: socket.socket, size: int) -> bytes:
    """Read so many bytes of a bare socket, and not one of those behind them.

    Args:
        sock: Not blocking.
        size: Bytes.

    Raises:
        OSError: The connection broke, or ended before.
    """
    data = bytearray(size)
    view, have = memoryview(data), 0
    while have < size:
        came = await asyncio.get_running_loop().sock_recv_into(sock, view[have:])
        if not came:
            raise ConnectionResetError(Reason.INTERRUPTED.value)
        have += came
    return bytes(data)


async def _resolve(address: Address) -> list[tuple[int, _Target]]:
    try:
        async with asyncio.timeout(limits.RESOLVE_TIMEOUT):
            found = await _ask_resolver(address)
    except (TimeoutError, OSError, UnicodeError) as e:
        raise ConnectError(Reason.UNRESOLVED, address.host) from e
    if not found:
        raise ConnectError(Reason.UNRESOLVED, address.host)
    by_family: dict[int, dict[_Target, None]] = {}
    for family, _, _, _, target in found:
        if family in (socket.AF_INET, socket.AF_INET6):
            by_family.setdefault(family, {})[target] = None  # each once
    pairs = zip_longest(*([(family, target) for target in of] for family, of in by_family.items()))
    return [pair for row in pairs for pair in row if pair is not None][: limits.NAME_ADDRESSES_MAX]


async def _ask_resolver(address: Address) -> list[tuple[Any, ...]]:
    """Ask the system for the addresses of a host, on a thread that nothing waits for at its end.

    The system's resolver cannot be interrupted, and may ask servers that are not there for minutes.
    """
    if is_literal(address.host):
        return _look_up(address, socket.AI_NUMERICHOST)
    answer: Future[list[tuple[Any, ...]]] = Future()
    answer.set_running_or_notify_cancel()

    def ask() -> None:
        try:
            answer.set_result(_look_up(address))
        except (OSError, UnicodeError) as e:
            answer.set_exception(e)

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    return await asyncio.wrap_future(answer)


def _look_up(address: Address, flags: int = 0) -> list[tuple[Any, ...]]:
    return [*socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=flags)]


async def _connect(family: int, target: _Target, address: Address) -> Stream:
    sock = await _connected(family, target, address)
    try:
        return await wrap(sock)
    except OSError as e:
        sock.close()
        raise ConnectError(_REASONS.get(e.errno or 0, Reason.UNREACHABLE), str(address)) from e
    except BaseException:
        sock.close()
        raise


async def _connected(family: int, target: _Target, address: Address) -> socket.socket:
    loop = asyncio.get_running_loop()
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as e:  # a system without IPv6, or too many open files
        raise ConnectError(Reason.UNREACHABLE, str(address)) from e
    try:
        sock.setblocking(False)  # noqa: FBT003 -- the name of the method says it
        async with asyncio.timeout(limits.DIAL_TIMEOUT):
            await loop.sock_connect(sock, target)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except TimeoutError as e:
        sock.close()
        raise ConnectError(Reason.TIMEOUT, str(address)) from e
    except OSError as e:
        sock.close()
        raise ConnectError(_REASONS.get(e.errno or 0, Reason.UNREACHABLE), str(address)) from e
    except BaseException:
        sock.close()
        raise
    return sock


async def wrap(sock: socket.socket, opened: float | None = None) -> Stream:
    """Make a stream of a connected socket; see `Stream.opened`."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    host, port = peer_of(sock)
    loop = asyncio.get_running_loop()
    reader = Reader(limits.READ_SIZE)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.create_connection(lambda: protocol, sock=sock)
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    own = str(sock.getsockname()[0]).partition("%")[0].removeprefix("::ffff:")
    writer.transport.set_write_buffer_limits(high=limits.WRITE_HIGH_WATER)
    return Stream(reader, writer, host, port, own, opened)


def peer_of(sock: socket.socket) -> tuple[str, int]:
    """IP address and port of the other end of a connected socket; see `Stream.host`.

    Raises:
        OSError: It is not connected any more.
    """
    name = sock.getpeername()
    host, port = str(name[0]), int(name[1])
    if "." in host:
        return host.removeprefix("::ffff:"), port
    scope = int(name[3]) if len(name) > 3 and "%" not in host else 0
    return f"{host}%{_scope_name(scope)}" if scope else host, port


def _scope_name(scope: int) -> str:
    """The interface behind the scope of a link-local address, in the form that `getaddrinfo` takes."""
    return str(scope) if sys.platform == "win32" else socket.if_indextoname(scope)
