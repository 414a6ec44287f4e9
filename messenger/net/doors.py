"""Ways into a server: a port with a protocol object for each stream, and local sockets for its owner."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Self

from messenger.net.listen import bind

_BACKLOG: Final = 1024

Factory = Callable[[], asyncio.Protocol]
LocalHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Door:
    """Listens on one port, IPv4 and IPv6, without a task for each stream.

    Make one with `open`; `close` ends it.
    """

    def __init__(self, server: asyncio.Server, port: int) -> None:
        self._server = server
        self.port = port
        """The port that others connect to."""

    @classmethod
    async def open(cls, factory: Factory, port: int, host: str = "") -> Self:
        """Listen on a port and no other.

        Args:
            factory: Makes the protocol of each stream.
            port: 1 to 65535, or 0 for any free one.
            host: IP address of one interface; empty for all.

        Raises:
            ConnectError: PORT_TAKEN, PORT_FORBIDDEN or BAD_HOST.
        """
        sock = bind(port, host, exact=True)
        bound = int(sock.getsockname()[1])
        try:
            server = await asyncio.get_running_loop().create_server(factory, sock=sock, backlog=_BACKLOG)
        except BaseException:
            sock.close()
            raise
        return cls(server, bound)

    def close(self) -> None:
        """Let nobody new in; streams that are open stay open."""
        self._server.close()


def host_of(name: tuple[str, int] | tuple[str, int, int, int]) -> str:
    """The IP address in what a transport says of its other end, IPv4 not mapped into IPv6."""
    host = str(name[0])
    return host.removeprefix("::ffff:") if "." in host else host


def take_socket(transport: asyncio.BaseTransport) -> int:
    """A file descriptor of a transport's socket for oneself; abort the transport then.

    Raises:
        OSError: There are too many open files, or it is closed.
    """
    sock = transport.get_extra_info("socket")
    if sock is None:
        raise OSError("the stream is closed")
    return socket.dup(sock.fileno())


async def serve_loopback(handler: LocalHandler, port: int) -> asyncio.Server:
    """Listen on a port of this computer alone.

    Raises:
        ConnectError: PORT_TAKEN, PORT_FORBIDDEN.
    """
    sock = bind(port, "127.0.0.1", exact=True)
    return await asyncio.start_server(handler, sock=sock)


async def serve_path(handler: LocalHandler, path: Path) -> asyncio.Server:
    """Listen on a Unix socket that only its owner may use.

    Raises:
        OSError: It cannot be made there.
    """
    return await asyncio.start_unix_server(handler, sock=_bind_path(path))


def _bind_path(path: Path) -> socket.socket:
    """Bind a Unix socket with its owner's rights alone; nobody can connect before it listens."""
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        path.chmod(0o600)
        sock.setblocking(False)  # noqa: FBT003 -- the name of the method says it
    except OSError:
        sock.close()
        path.unlink(missing_ok=True)
        raise
    return sock


def port_of(server: asyncio.Server) -> int:
    """The port that a server listens on."""
    return int(server.sockets[0].getsockname()[1])
