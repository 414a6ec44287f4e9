"""A second start reaches the running program, and nobody else does."""

import asyncio
import os
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from messenger.control import ControlServer, raise_running, wire
from messenger.core import limits
from messenger.core.errors import StorageError
from messenger.engine.events import Event, RaiseWindow
from tests.helpers.patience import PATIENCE

NOBODY = 65534
root_only = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is given up because the machine stood still for a moment."""
    monkeypatch.setattr(limits, "CONTROL_TIMEOUT", PATIENCE)


class Window:
    """What a running program keeps of its control socket."""

    def __init__(self, folder: Path, *, unix: bool = True) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self.server = ControlServer(folder, self.events.append, unix=unix)

    async def raised(self) -> bool:
        """Start the program again, and say whether that raised this window."""
        return await asyncio.to_thread(raise_running, self.folder)


@pytest.fixture(params=[True, False], ids=["unix", "tcp"])
async def window(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Window]:
    window = Window(tmp_path, unix=request.param)
    await window.server.start()
    yield window
    await window.server.close()


@pytest.fixture
async def unix_window(tmp_path: Path) -> AsyncIterator[Window]:
    window = Window(tmp_path)
    await window.server.start()
    yield window
    await window.server.close()


@pytest.fixture
def long_folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / ("a" * 100) / ("b" * 100)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


def _exists(path: Path) -> bool:
    return path.exists()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def endpoint(folder: Path) -> wire.Endpoint:
    found = wire.read_endpoint(folder)
    assert found is not None
    return found


async def dial(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    where = endpoint(folder)
    if where.path:
        return await asyncio.open_unix_connection(where.path)
    return await asyncio.open_connection("127.0.0.1", where.port)


async def test_a_second_start_raises_the_window(window: Window) -> None:
    assert await window.raised()
    assert window.events == [RaiseWindow()]


async def test_every_further_start_raises_it_again(window: Window) -> None:
    assert [await window.raised() for _ in range(3)] == [True] * 3
    assert len(window.events) == 3


async def test_nothing_that_runs_is_nothing_to_raise(tmp_path: Path) -> None:
    assert not raise_running(tmp_path)
    assert not raise_running(tmp_path / "missing")


async def test_after_the_end_there_is_nothing_to_raise_and_nothing_left(window: Window) -> None:
    await window.server.close()
    assert not await window.raised()
    assert not list(window.folder.iterdir())
    assert not window.events


async def test_only_the_owner_may_use_what_is_there(window: Window) -> None:
    assert mode(window.folder / wire.MEETING_POINT) == 0o600
    if endpoint(window.folder).path:
        assert mode(window.folder / wire.SOCKET) == 0o600
    else:
        assert len(endpoint(window.folder).token) == wire.TOKEN_SIZE


async def test_what_a_killed_program_left_is_replaced(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / wire.SOCKET))
    dead.close()
    left = wire.Endpoint(path=str(tmp_path / wire.SOCKET))
    (tmp_path / wire.MEETING_POINT).write_bytes(msgspec.json.encode(left))
    window = Window(tmp_path)
    assert not await window.raised()
    await window.server.start()
    assert await window.raised()
    await window.server.close()


async def test_a_path_too_long_for_a_socket_gets_a_short_one(long_folder: Path) -> None:
    window = Window(long_folder)
    await window.server.start()
    path = Path(endpoint(long_folder).path)
    assert path.parent != long_folder
    assert len(os.fsencode(path)) <= 103
    assert mode(path.parent) == 0o700
    assert await window.raised()
    await window.server.close()
    assert not path.parent.exists()


@pytest.fixture
def short_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sotto-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def test_a_short_folder_that_a_killed_program_left_is_removed(
    long_folder: Path, short_folder: Path
) -> None:
    left = wire.Endpoint(path=str(short_folder / wire.SOCKET))
    (long_folder / wire.MEETING_POINT).write_bytes(msgspec.json.encode(left))
    window = Window(long_folder)
    await window.server.start()
    assert not _exists(short_folder)
    await window.server.close()


async def test_a_damaged_meeting_point_is_nobody(window: Window) -> None:
    for content in (b"", b"{", b'{"path": 3}', b'{"path": "a\\u0000b"}', b'{"other": 1}', bytes(100_000)):
        (window.folder / wire.MEETING_POINT).write_bytes(content)
        assert not await window.raised()
    assert not window.events


async def test_the_wrong_token_raises_nothing(tmp_path: Path) -> None:
    window = Window(tmp_path, unix=False)
    await window.server.start()
    for token in (b"", bytes(wire.TOKEN_SIZE)):
        wrong = msgspec.structs.replace(endpoint(tmp_path), token=token)
        (tmp_path / wire.MEETING_POINT).write_bytes(msgspec.json.encode(wrong))
        assert not await window.raised()
    assert not window.events
    await window.server.close()


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        (0).to_bytes(4, "big"),
        (limits.CONTROL_MESSAGE_MAX + 1).to_bytes(4, "big"),
        (3).to_bytes(4, "big") + b"\x01\x02\x03",
        (9).to_bytes(4, "big") + msgspec.msgpack.encode({"type": "x"}),
        (7).to_bytes(4, "big") + b"\x91\xa5\x00\x00\x00\x00\x80",
        (60_000).to_bytes(4, "big") + b"\x91" * 60_000,
        b"\x00",
    ],
    ids=["http", "empty", "too long", "no message", "unknown", "no text", "deep", "unfinished"],
)
async def test_noise_gets_no_answer_and_disturbs_nobody(window: Window, noise: bytes) -> None:
    reader, writer = await dial(window.folder)
    writer.write(noise)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    assert not window.events
    assert await window.raised()


async def test_somebody_who_says_nothing_is_dropped(
    unix_window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONTROL_TIMEOUT", 0.05)
    reader, writer = await dial(unix_window.folder)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_somebody_who_says_nothing_holds_nobody_up(window: Window) -> None:
    _, writer = await dial(window.folder)
    assert await window.raised()
    writer.close()
    await writer.wait_closed()


async def test_closing_does_not_wait_for_a_silent_caller(window: Window) -> None:
    reader, writer = await dial(window.folder)
    assert await window.raised()  # by now the first caller has been greeted, too
    await window.server.close()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


def test_a_program_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONTROL_TIMEOUT", 0.05)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / wire.SOCKET))
        mute.listen()
        there = wire.Endpoint(path=str(tmp_path / wire.SOCKET))
        (tmp_path / wire.MEETING_POINT).write_bytes(msgspec.json.encode(there))
        assert not raise_running(tmp_path)


async def test_a_folder_that_takes_no_files_is_said_to_be_so(tmp_path: Path) -> None:
    window = Window(tmp_path / "missing")
    with pytest.raises(StorageError):
        await window.server.start()
    assert not await window.raised()


@root_only
async def test_a_socket_of_somebody_else_is_not_trusted(unix_window: Window) -> None:
    os.chown(endpoint(unix_window.folder).path, NOBODY, NOBODY)
    assert not await unix_window.raised()
    assert not unix_window.events


@root_only
async def test_somebody_else_is_not_answered_even_if_the_socket_lets_them(short_folder: Path) -> None:
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("no Python here that others may run")
    window = Window(short_folder)
    await window.server.start()
    path = short_folder / wire.SOCKET
    os.chmod(path, 0o666)  # noqa: PTH101, S103 -- no Path in a coroutine; that it is too open is the point
    program = (
        "import socket, sys\n"
        "with socket.socket(socket.AF_UNIX) as s:\n"
        f"    s.connect({str(path)!r})\n"
        "    sys.stdout.write('connected ')\n"
        "    try:\n"
        f"        s.sendall({wire.frame(wire.Show())!r})\n"
        "        sys.stdout.write(str(len(s.recv(100))))\n"
        "    except ConnectionError:\n"
        "        sys.stdout.write('0')\n"
    )
    command = [python, "-c", program]
    done = await asyncio.to_thread(subprocess.run, command, user=NOBODY, capture_output=True, check=False)
    await window.server.close()
    assert done.stdout == b"connected 0"
    assert not window.events


def test_nothing_secret_is_shown() -> None:
    token = b"t" * wire.TOKEN_SIZE
    shown = repr(wire.Endpoint(port=1, token=token)) + repr(wire.Show(token))
    assert "ttt" not in shown
