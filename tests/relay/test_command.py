"""`sotto relay` as people start and stop it, and how its owner looks into it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from messenger.core.address import parse_address
from messenger.core.errors import ConnectError
from messenger.protocol.relay_answers import Done
from messenger.protocol.relay_invite import RelayInvite
from messenger.relay.control import MEETING_POINT, SOCKET, RelayControl
from messenger.relay.monitor import Monitor
from messenger.relay.options import OptionError
from messenger.relay.server import MAKING_KEYS, Relay
from messenger.text import relay as words
from tests.helpers.engines import fresh_port
from tests.helpers.keys import identity, make_profile
from tests.helpers.patience import PATIENCE
from tests.helpers.relay_process import ROOT, RelayProcess, process_in
from tests.helpers.relays import Site, chosen, envelope, relay_in


def sotto(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """`sotto relay` that does not get as far as listening."""
    return subprocess.run(
        [sys.executable, "-m", "messenger", "relay", *arguments],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False, timeout=PATIENCE,
    )  # fmt: skip


async def test_it_tells_where_and_who_it_is(folder: Path) -> None:
    port = fresh_port()
    async with process_in(folder, port) as relay:
        link = RelayInvite.decode(relay.told[-1].strip())
        assert link == RelayInvite(identity("bob").fingerprint, (parse_address(f"127.0.0.1:{port}"),))
        assert (await relay.end(signal.SIGINT))[0] == 0


async def test_a_taken_port_is_a_clear_error(folder: Path, tmp_path: Path) -> None:
    make_profile(tmp_path / "other", "carol")
    async with relay_in(folder) as site:
        port = str(site.started.port)
        done = await asyncio.to_thread(
            sotto, "--data", str(tmp_path / "other"), "--host", "127.0.0.1", "--port", port
        )
    assert done.returncode == 1
    assert port in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    ("files", "streams", "circuits"), [(20_000, 16_384, 256), (1024, 480, 80), (64, 1, 0)]
)
def test_a_system_with_few_files_leaves_room_for_streams_and_circuits(
    files: int, streams: int, circuits: int
) -> None:
    script = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, {files}));"
        "from messenger.relay.server import room; print(*room(16_384, 256))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(streams), str(circuits)]


async def test_a_folder_has_one_relay(folder: Path) -> None:
    async with relay_in(folder):
        done = await asyncio.to_thread(sotto, "--data", str(folder), "--port", str(fresh_port()))
    assert (done.returncode, done.stderr.splitlines()) == (1, [words.IN_USE])


def test_an_unknown_option_is_an_error_with_a_hint(tmp_path: Path) -> None:
    done = sotto("--show-trafic")
    assert (done.returncode, done.stderr.splitlines()) == (
        2,
        ["There is no option --show-trafic; do you mean --show-traffic?"],
    )
    config = tmp_path / "relay.toml"
    config.write_text("queue_message = 5\n")
    done = sotto("--config", str(config), "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "queue_messages" in done.stderr


def test_help_names_every_option() -> None:
    done = sotto("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("--data", "--config", "--show-traffic", "--circuit-bytes"))


async def test_a_passphrase_comes_from_a_file(tmp_path: Path) -> None:
    folder, secret = tmp_path / "relay", tmp_path / "secret"
    make_profile(folder, "bob", "correct horse")
    done = await asyncio.to_thread(sotto, "--data", str(folder), "--port", str(fresh_port()))
    assert done.returncode == 2
    assert "passphrase_file" in done.stderr
    secret.write_text("correct horse\n")
    async with relay_in(folder, passphrase_file=str(secret)) as site:
        await site.visitor()


async def test_a_passphrase_that_is_not_there_is_not_done_without(folder: Path, tmp_path: Path) -> None:
    """New keys are not made without the protection that was asked for, and keys that have none are named."""
    new, secret = tmp_path / "new", tmp_path / "secret"
    secret.touch()
    done = await asyncio.to_thread(sotto, "--data", str(new), "--passphrase-file", str(secret))
    assert done.returncode == 2
    assert "passphrase_file" in done.stderr
    assert {each.name for each in new.iterdir()} <= {"lock"}
    secret.write_text("correct horse\n")
    async with process_in(folder, fresh_port(), "--passphrase-file", str(secret)) as relay:
        assert words.NO_PASSPHRASE in (await relay.end())[1]


def test_a_home_that_there_is_not() -> None:
    done = sotto("--data", "~nobody-of-that-name/relay")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "data" in done.stderr


ALL_OF_IT = ("0.0.0.0", "::")  # noqa: S104 -- a throw-away relay


@pytest.mark.parametrize("host", ALL_OF_IT)
async def test_the_link_names_addresses_that_somebody_can_call(folder: Path, host: str) -> None:
    """Not the one that stands for all of this computer."""
    if host == "::" and not socket.has_dualstack_ipv6():
        pytest.skip("this computer has no IPv6")
    async with relay_in(folder, host=host) as site:
        addresses = [parse_address(each) for each in site.started.addresses]
        assert addresses
        assert {each.host for each in addresses}.isdisjoint(ALL_OF_IT)
        assert {":" in each.host for each in addresses} == {":" in host}
        assert RelayInvite.decode(site.started.link).addresses == tuple(addresses)


async def test_a_start_that_fails_at_the_end_leaves_nothing_behind(folder: Path) -> None:
    relay = Relay(folder, replace(chosen(), public=("no address",)))
    with pytest.raises(OptionError):
        await relay.start()
    async with relay_in(folder):
        pass


async def test_a_terminal_that_hangs_up_is_a_goodbye(folder: Path) -> None:
    async with process_in(folder, fresh_port()) as relay:
        relay.process.send_signal(signal.SIGHUP)  # from the system, and again from the shell
        code, error = await relay.end(signal.SIGHUP)
    assert (code, error.splitlines()[-1]) == (0, words.STOPPING)


@asynccontextmanager
async def saying_into(out: int, error: int, folder: Path, *flags: str) -> AsyncIterator[RelayProcess]:
    """A relay that writes into files of ours, and can be called; it has to end by itself."""
    port = fresh_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "messenger.relay", "--data", str(folder), "--host", "127.0.0.1",
        "--port", str(port), *flags,
        stdout=out, stderr=error, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(out)
    relay = RelayProcess(process, port)
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await (await relay.visitor()).close()
                    break
                except ConnectError:
                    assert process.returncode is None
        yield relay
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_goes_on_when_nobody_reads_where_it_is(folder: Path) -> None:
    there, here = os.pipe()
    os.close(there)
    async with saying_into(here, here, folder) as relay:
        await (await relay.visitor()).close()


async def test_traffic_that_nobody_reads_does_not_hold_up_the_end(folder: Path) -> None:
    there, here = os.pipe()
    try:
        flags = ("--show-traffic", "--traffic-bytes", "4096")
        async with saying_into(here, DEVNULL, folder, *flags) as relay:
            owner = await relay.visitor()
            box = await owner.make()
            for number in range(20):  # more than fits into a pipe
                assert isinstance(await owner.send(box, envelope(number)), Done)
            await owner.close()
    finally:
        os.close(there)


async def test_traffic_is_shown_as_the_relay_sees_it(folder: Path) -> None:
    async with process_in(folder, fresh_port(), "--show-traffic", "--traffic-bytes", "8") as relay:
        owner = await relay.visitor()
        box = await owner.make()
        assert isinstance(await owner.send(box, envelope(0xABCD)), Done)
        shown = json.loads(await relay.line('"in"'))
        assert shown["hex"] == envelope(0xABCD)[:8].hex()
        assert shown["bytes"] == 4096
        assert box.send_id.hex().startswith(shown["queue"])
        assert len(shown["queue"]) == 12
        await owner.subscribe(box)
        assert box.recv_id.hex().startswith(json.loads(await relay.line('"out"'))["queue"])
        await owner.close()
        await relay.end()


async def test_a_local_program_reads_what_passes(site: Site) -> None:
    reader, writer = await asyncio.open_unix_connection(str(site.folder / SOCKET))
    writer.write(b'{"want": "traffic"}\n')
    owner = await site.visitor()
    box = await owner.make()
    assert json.loads(await reader.readline()) == {"event": "watching"}
    assert isinstance(await owner.send(box, envelope(7)), Done)
    async with asyncio.timeout(PATIENCE):
        assert json.loads(await reader.readline())["event"] == "in"
    writer.close()
    while True:
        streams = await asyncio.open_unix_connection(str(site.folder / SOCKET))
        status = await _ask(*streams, {"want": "status"})
        if not site.relay.house.monitor.watched:
            break
    assert (status["messages_in"], status["fingerprint"]) == (1, site.started.fingerprint.hex())
    assert (site.folder / SOCKET).stat().st_mode & 0o077 == 0


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, what: dict[str, str]) -> Any:  # noqa: ANN401
    writer.write(json.dumps(what).encode() + b"\n")
    async with asyncio.timeout(PATIENCE):
        line = await reader.read()
    writer.close()
    return json.loads(line) if line else None


async def test_without_unix_sockets_a_token_is_needed(tmp_path: Path) -> None:
    control = RelayControl(tmp_path, Monitor(8), lambda: {"fine": True}, unix=False)
    await control.start()
    meeting = json.loads((tmp_path / MEETING_POINT).read_text())

    async def ask(token: str) -> Any:  # noqa: ANN401
        streams = await asyncio.open_connection("127.0.0.1", meeting["port"])
        return await _ask(*streams, {"want": "status", "token": token})

    assert await ask(meeting["token"]) == {"fine": True}
    assert await ask("") is None
    await control.close()
    assert not (tmp_path / MEETING_POINT).exists()


@pytest.mark.parametrize(
    "line", ['{"want": "status", "token": "\\u00e9"}', '{"token": "\\ud800"}', "[" * 1023, "7"]
)
async def test_whoever_asks_wrongly_hears_nothing(tmp_path: Path, line: str) -> None:
    control = RelayControl(tmp_path, Monitor(8), lambda: {"fine": True}, unix=False)
    await control.start()
    port = json.loads((tmp_path / MEETING_POINT).read_text())["port"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(line.encode() + b"\n")
    async with asyncio.timeout(PATIENCE):
        assert await reader.read() == b""
    writer.close()
    await control.close()


async def test_the_service_manager_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))
        sock.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        async with process_in(folder, fresh_port()) as relay:
            assert await asyncio.to_thread(sock.recv, 100) == b"READY=1"
            await relay.end()
            assert await asyncio.to_thread(sock.recv, 100) == b"STOPPING=1"


async def test_logs_name_no_address_unless_asked(folder: Path) -> None:
    port = fresh_port()
    async with process_in(folder, port, "--log-json") as relay:
        await (await relay.visitor()).close()
        assert "127.0.0.1" not in (await relay.end())[1]
    async with process_in(folder, port, "--log-json", "--log-addresses") as relay:
        await (await relay.visitor()).close()
        _, error = await relay.end()
    assert json.loads(error.splitlines()[0])["text"].endswith("from 127.0.0.1")


async def test_it_is_told_that_keys_are_made_before_they_are(tmp_path: Path) -> None:
    """Making them takes seconds: whoever waits knows for what."""
    told: list[str] = []
    first = asyncio.Event()

    def progress(step: str) -> None:
        told.append(step)
        first.set()

    starting = asyncio.create_task(Relay(tmp_path / "new", chosen(), progress).start())
    await first.wait()
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert told == [MAKING_KEYS]
