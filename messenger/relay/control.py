"""The local way to a running relay: what passes, and how it is, as JSON lines for programs of the same user.

A caller sends one line, ``{"want": "traffic"}``, ``{"want": "status"}`` or ``{"want": "stop"}``, and reads.
The socket lies in the folder of the relay with its owner's rights alone; where there are no such sockets
it is a port of this computer, and the line has the ``token`` from ``relay.json`` beside the database.
"""

import asyncio
import contextlib
import hmac
import json
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from messenger.core import limits
from messenger.net.doors import port_of, serve_loopback, serve_path
from messenger.relay.monitor import Monitor, Reader

SOCKET: Final = "relay.sock"
MEETING_POINT: Final = "relay.json"
_LINE: Final = 1024
_WRONG: Final = (
    TimeoutError,
    OSError,
    ValueError,
    RecursionError,
    asyncio.IncompleteReadError,
    asyncio.LimitOverrunError,
)


class RelayControl:
    """Answers local programs.

    Args:
        folder: Of the relay, locked.
        monitor: What passes.
        status: How the relay is.
        stop: Called when a caller wants the relay to end; it is not offered without.
        unix: Whether to use a Unix socket.
    """

    def __init__(
        self,
        folder: Path,
        monitor: Monitor,
        status: Callable[[], dict[str, Any]],
        stop: Callable[[], None] | None = None,
        *,
        unix: bool = sys.platform != "win32",
    ) -> None:
        self._folder = folder
        self._monitor = monitor
        self._status = status
        self._stop = stop
        self._unix = unix
        self._token = ""
        self._server: asyncio.Server | None = None
        self._calls: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to answer.

        Raises:
            OSError: The folder takes no socket (its path may be too long).
            ConnectError: There is no free port.
        """
        if self._unix:
            self._server = await serve_path(self._greet, self._folder / SOCKET)
            return
        self._token = secrets.token_hex(16)
        self._server = await serve_loopback(self._greet, 0)
        await asyncio.to_thread(self._tell, port_of(self._server))

    async def close(self) -> None:
        """Answer nobody any more."""
        if self._server is not None:
            self._server.close()
        for call in list(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        for name in (SOCKET, MEETING_POINT):
            await asyncio.to_thread((self._folder / name).unlink, missing_ok=True)

    def _tell(self, port: int) -> None:
        path = self._folder / MEETING_POINT
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps({"port": port, "token": self._token}), encoding="utf-8")

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        try:
            await self._serve(reader, writer)
        except _WRONG:
            pass  # whoever calls wrongly, slowly or not at all hears nothing
        except asyncio.CancelledError:
            pass  # by `close`; this is where the task begins, and asyncio would log it as an error
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(limits.CONTROL_TIMEOUT):
            asked = json.loads((await reader.readuntil(b"\n"))[:_LINE])
        if not isinstance(asked, dict):
            return
        token = str(asked.get("token", "")).encode(errors="replace")
        if not hmac.compare_digest(token, self._token.encode()):
            return
        if asked.get("want") == "status":
            writer.write(json.dumps(self._status()).encode() + b"\n")
            await writer.drain()
        elif asked.get("want") == "traffic":
            await self._watch(reader, writer)
        elif asked.get("want") == "stop" and self._stop is not None:
            self._stop()
            await reader.read(1)  # the caller sees the end of this stream when the relay has ended

    async def _watch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        more = asyncio.Event()
        mine = Reader(more.set)
        self._monitor.add(mine)
        gone = asyncio.create_task(reader.read(1))
        gone.add_done_callback(lambda _: more.set())
        writer.write(b'{"event": "watching"}\n')
        try:
            while True:
                await more.wait()
                more.clear()
                if gone.done():
                    return
                writer.write("".join(f"{line}\n" for line in mine.take()).encode())
                await writer.drain()
        finally:
            self._monitor.remove(mine)
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await gone
