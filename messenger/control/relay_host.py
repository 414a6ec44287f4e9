"""A relay that this computer hosts beside a profile: a process of its own, found again by its control socket.

A later start finds it by the socket in its folder. `leave` ends it when the window closes, unless the person
wants it to go on; if the window is killed, the end of its standard input does so. What it says of itself are
JSON lines, see `messenger.relay.control`.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

import messenger
from messenger.core import limits, relay_limits
from messenger.core.errors import RelayFailed

_FOLDER: Final = "relay"
_SOCKET: Final = "relay.sock"
_MEETING_POINT: Final = "relay.json"
_LOG: Final = "relay.log"
_CHOICE: Final = "window.json"
_LINE_MAX: Final = 64 * 1024
_LOOK: Final = 0.1
"""Seconds between two looks at a relay that starts."""

Lines = tuple[dict[str, Any], ...]

_children: Final[dict[Path, "subprocess.Popen[bytes]"]] = {}
"""Relays that this process started: they are waited for when they end."""


class HostedRelay(msgspec.Struct, frozen=True):
    """A relay that runs.

    Attributes:
        fingerprint: 64 hexadecimal digits.
        port: Where it listens.
        addresses: To tell others, with the port.
        link: ``sotto://relay/…``
        clients: Links that are up.
        messages_in: Envelopes that came since it was started.
        circuits: Joined now.
    """

    fingerprint: str
    port: int
    addresses: tuple[str, ...]
    link: str
    clients: int = 0
    messages_in: int = 0
    circuits: int = 0


class Choice(msgspec.Struct, frozen=True):
    """What the person wants of the relay.

    Attributes:
        port: Where it shall listen.
        keep: It goes on when the window closes.
    """

    port: int = relay_limits.HOSTED_PORT
    keep: bool = False


async def look(profile: Path) -> HostedRelay | None:
    """The relay of a profile, if it runs and answers."""
    try:
        async with asyncio.timeout(limits.CONTROL_TIMEOUT), _asking(profile, "status") as reader:
            return msgspec.json.decode(await reader.readline(), type=HostedRelay)
    except (OSError, TimeoutError, ValueError, msgspec.MsgspecError):
        return None


async def start(profile: Path, port: int) -> HostedRelay:
    """Start the relay of a profile, or find it running.

    Args:
        profile: Its folder.
        port: Where it shall listen, 1 to 65535.

    Raises:
        RelayFailed: It ended again, with its sentence; or it does not answer.
    """
    found = await look(profile)
    if found is not None:
        return found
    process = await asyncio.to_thread(_spawn, profile, port, keep=(await choice(profile)).keep)
    try:
        async with asyncio.timeout(relay_limits.HOSTED_START):
            while (found := await look(profile)) is None:
                if process.poll() is not None:
                    _let_go(profile)
                    raise RelayFailed(words=await asyncio.to_thread(_last_words, profile))
                await asyncio.sleep(_LOOK)
    except TimeoutError as e:
        raise RelayFailed from e
    return found


async def stop(profile: Path) -> None:
    """End the relay of a profile; returns when it has ended.

    Raises:
        RelayFailed: It does not end.
    """
    try:
        async with asyncio.timeout(limits.STOP_DEADLINE):
            with contextlib.suppress(OSError, ValueError):
                async with _asking(profile, "stop") as reader:
                    await reader.read()
            process = _let_go(profile)
            if process is not None:
                await asyncio.to_thread(process.wait)
    except TimeoutError as e:
        raise RelayFailed from e


async def leave(profile: Path) -> None:
    """The window closes: end the relay, unless it shall go on."""
    if await asyncio.to_thread((profile / _FOLDER).exists) and not (await choice(profile)).keep:
        with contextlib.suppress(RelayFailed):
            await stop(profile)


async def choice(profile: Path) -> Choice:
    """What the person chose, or what we choose for them."""
    try:
        raw = await asyncio.to_thread((profile / _FOLDER / _CHOICE).read_bytes)
        return msgspec.json.decode(raw, type=Choice)
    except (OSError, msgspec.MsgspecError):
        return Choice()


async def choose(profile: Path, wanted: Choice) -> None:
    """Remember what the person chose, and have a relay know that we started."""
    await asyncio.to_thread(_write, profile, wanted)
    if (process := _children.get(profile)) is not None:
        _tell(process, keep=wanted.keep)


async def watch(profile: Path, take: Callable[[Lines], None]) -> None:
    """Hand on everything that passes, at most ten times a second, until the relay ends.

    Args:
        profile: Its folder.
        take: Called with what came, oldest first: at most `relay_limits.TRAFFIC_WAITING` at once.

    Raises:
        OSError: No relay runs there.
    """
    waiting: list[dict[str, Any]] = []
    async with _asking(profile, "traffic") as reader:
        ended = False
        while not ended:
            due = asyncio.get_running_loop().time() + _LOOK
            while not ended and len(waiting) < relay_limits.TRAFFIC_WAITING:
                try:
                    async with asyncio.timeout_at(due if waiting else None):
                        line = await reader.readline()
                except TimeoutError:
                    break
                ended = not line
                with contextlib.suppress(ValueError):
                    waiting.append(json.loads(line))
            if waiting:
                take(tuple(waiting))
                waiting.clear()
            await asyncio.sleep(max(due - asyncio.get_running_loop().time(), 0))


@contextlib.asynccontextmanager
async def _asking(profile: Path, want: str) -> AsyncIterator[asyncio.StreamReader]:
    """A stream to the relay on which something was asked."""
    folder, asked = profile / _FOLDER, {"want": want}
    if sys.platform == "win32":
        meeting = json.loads(await asyncio.to_thread((folder / _MEETING_POINT).read_bytes))
        asked["token"] = meeting["token"]
        reader, writer = await asyncio.open_connection("127.0.0.1", meeting["port"], limit=_LINE_MAX)
    else:
        reader, writer = await asyncio.open_unix_connection(folder / _SOCKET, limit=_LINE_MAX)
    try:
        writer.write(json.dumps(asked).encode() + b"\n")
        yield reader
    finally:
        writer.close()


def _spawn(profile: Path, port: int, *, keep: bool) -> "subprocess.Popen[bytes]":
    folder = profile / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    python = [] if getattr(sys, "frozen", False) else ["-P", "-m", "messenger"]
    command = [
        sys.executable,
        *python,
        "relay",
        "--data",
        str(folder),
        "--port",
        str(port),
        "--until-input-ends",
    ]
    paths = [str(Path(messenger.__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    with (folder / _LOG).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 -- this very program
            [*command, "--traffic-bytes", str(relay_limits.TRAFFIC_HEX_WINDOW)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # Ctrl-C does not end it
            bufsize=0,
        )
    _children[profile] = process
    _tell(process, keep=keep)
    return process


def _tell(process: "subprocess.Popen[bytes]", *, keep: bool) -> None:
    """Say whether it goes on when we are gone: the last word counts."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # it has ended
            process.stdin.write(b"stay\n" if keep else b"go\n")


def _let_go(profile: Path) -> "subprocess.Popen[bytes] | None":
    """The relay that we started, if there is one; it is not ours any more."""
    process = _children.pop(profile, None)
    if process is not None and process.stdin is not None:
        process.stdin.close()
    return process


def _last_words(profile: Path) -> str:
    """The last line that the relay wrote: why it ended."""
    lines = (profile / _FOLDER / _LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1][:300] if lines else ""


def _write(profile: Path, wanted: Choice) -> None:
    folder = profile / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / _CHOICE).write_bytes(msgspec.json.encode(wanted))
