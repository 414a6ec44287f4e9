"""The running program's end of the control socket."""

import asyncio
import contextlib
import hmac
import os
import secrets
import socket
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from messenger.control import wire
from messenger.core import limits
from messenger.core.errors import RemoteProtocolError, StorageError
from messenger.engine.events import Event, RaiseWindow

_PATH_MAX: Final = 103
"""Longest path of a Unix socket in bytes: macOS has 104 with the final zero byte, Linux 108."""

_FOLDER_PREFIX: Final = "sotto-"
_LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 8
_CREDENTIALS: Final = struct.Struct("iII")
"""struct ucred of Linux: process, user, group."""


class ControlServer:
    """Lets other programs of the same user reach this one.

    Start it while the profile's lock is held: whatever an earlier program left behind is then
    known to be stale, and is replaced.

    Args:
        folder: The profile folder.
        publish: Where `RaiseWindow` goes; called on the loop that runs the server.
        unix: Whether to use a Unix socket; otherwise a port of this computer with a token.
    """

    def __init__(
        self, folder: Path, publish: Callable[[Event], None], *, unix: bool = sys.platform != "win32"
    ) -> None:
        self._folder = folder
        self._publish = publish
        self._unix = unix
        self._server: asyncio.Server | None = None
        self._endpoint = wire.Endpoint()
        self._calls: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to answer.

        Raises:
            StorageError: Neither the profile folder nor the folder for temporary files takes a
                socket, or the meeting point cannot be written. The program works all the same; a
                second start then says that the profile is in use.
        """
        self._forget(wire.read_endpoint(self._folder))
        try:
            sock, self._endpoint = self._bind_unix() if self._unix else _bind_tcp()
            serve = asyncio.start_unix_server if self._unix else asyncio.start_server
            self._server = await serve(self._greet, sock=sock, backlog=_BACKLOG)
            self._tell()
        except OSError as e:
            await self.close()
            raise StorageError(f"no control socket: {e.strerror}") from e

    async def close(self) -> None:
        """Stop answering and remove the meeting point."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        self._forget(self._endpoint)
        self._endpoint = wire.Endpoint()

    def _bind_unix(self) -> tuple[socket.socket, wire.Endpoint]:
        """Bind in the profile folder, or in a new short-named one where that does not work."""
        if sys.platform == "win32":
            raise OSError("no Unix sockets here")
        try:
            return _bind(self._folder.absolute() / wire.SOCKET)
        except OSError:  # path too long, or a file system without sockets
            runtime = os.environ.get("XDG_RUNTIME_DIR", "")
            place = runtime if Path(runtime).is_absolute() and Path(runtime).is_dir() else None
            folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir=place))
            with contextlib.ExitStack() as unless_bound:
                unless_bound.callback(folder.rmdir)
                bound = _bind(folder / wire.SOCKET)
                unless_bound.pop_all()
            return bound

    def _tell(self) -> None:
        """Write the meeting point, for its owner only and whole or not at all."""
        path = self._folder / wire.MEETING_POINT
        new = path.with_name(path.name + ".new")
        new.unlink(missing_ok=True)
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(msgspec.json.encode(self._endpoint))
        new.replace(path)

    def _forget(self, endpoint: wire.Endpoint | None) -> None:
        """Remove what an endpoint left on disk; what is not there or not ours stays as it is."""
        if endpoint is None:
            return
        with contextlib.suppress(OSError):
            (self._folder / wire.MEETING_POINT).unlink(missing_ok=True)
        path = Path(endpoint.path)
        if path.name != wire.SOCKET:
            return
        with contextlib.suppress(OSError, ValueError):  # ValueError: a path with a zero byte in it
            path.unlink(missing_ok=True)
            if path.parent.name.startswith(_FOLDER_PREFIX):
                path.parent.rmdir()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        try:
            if _same_user(writer.get_extra_info("socket")):
                await self._serve(reader, writer)
        except (RemoteProtocolError, asyncio.IncompleteReadError, TimeoutError, OSError):
            pass  # whoever calls wrongly, slowly or not at all hears nothing
        except asyncio.CancelledError:
            pass  # by `close`; this is where the task begins, and asyncio would log it as an error
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other, until the caller hangs up or is refused."""
        while True:
            async with asyncio.timeout(limits.CONTROL_TIMEOUT):
                size = wire.frame_size(await reader.readexactly(wire.LENGTH_SIZE))
                request = wire.read_request(await reader.readexactly(size))
                allowed = hmac.compare_digest(request.token, self._endpoint.token)
                if allowed:
                    self._publish(RaiseWindow(request.link))
                writer.write(wire.frame(wire.Ok() if allowed else wire.Refused()))
                await writer.drain()
            if not allowed:
                return


def _bind(path: Path) -> tuple[socket.socket, wire.Endpoint]:
    """Bind a Unix socket that only its owner may use; nobody can connect before it listens."""
    if len(os.fsencode(path)) > _PATH_MAX:
        raise OSError("path of a socket too long")
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
    return sock, wire.Endpoint(path=str(path))


def _bind_tcp() -> tuple[socket.socket, wire.Endpoint]:
    """Bind a free port of this computer, and make the token that its callers must know."""
    sock = socket.create_server((_LOOPBACK, 0), backlog=_BACKLOG)
    sock.setblocking(False)  # noqa: FBT003 -- the name of the method says it
    return sock, wire.Endpoint(port=sock.getsockname()[1], token=secrets.token_bytes(wire.TOKEN_SIZE))


def _same_user(sock: socket.socket) -> bool:
    """Whether the caller runs as our user, where the system can tell; file modes or the token say it too."""
    if sys.platform != "linux" or sock.family != socket.AF_UNIX:
        return True
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return bool(_CREDENTIALS.unpack(data)[1] == os.getuid())
