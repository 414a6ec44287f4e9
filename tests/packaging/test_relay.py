"""What is packed for relays: the sample of the options, the service, the container."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from messenger.core import limits
from messenger.relay.main import read_arguments
from messenger.relay.options import OptionError, RelayOptions, checked, declared, from_file
from tests.helpers.engines import fresh_port
from tests.helpers.relays import prepare, relay_in

ROOT: Final = Path(__file__).parent.parent.parent
PACKED: Final = ROOT / "packaging" / "relay"
UNIT: Final = PACKED / "sotto-relay.service"


def test_the_sample_has_every_option_with_its_value() -> None:
    values = from_file(PACKED / "relay.toml")
    assert checked(values) == RelayOptions()
    assert list(values) == [each.name for each in declared()]


def test_flags_go_before_the_file(tmp_path: Path) -> None:
    config = tmp_path / "relay.toml"
    config.write_text('port = 5\nqueue_token = true\ntoken_file = "tokens"\ndirectory = "open"\n')
    tokens = tmp_path / "tokens"
    tokens.write_text("one\n")
    flags = ["--config", str(config), "--data", str(tmp_path), "--port", "6", "--token-file", str(tokens)]
    folder, options = read_arguments(flags)
    assert folder == tmp_path
    assert (options.port, options.queue_token, options.directory) == (6, True, "open")
    assert read_arguments([*flags, "--no-queue-token"])[1].queue_token is False


def test_files_of_editors_that_mark_them(tmp_path: Path) -> None:
    config, tokens = tmp_path / "relay.toml", tmp_path / "tokens"
    config.write_text("port = 5\nqueue_token = true\n", encoding="utf-8-sig")
    tokens.write_text("one\r\n# two\n\nthree\n", encoding="utf-8-sig")
    flags = ["--config", str(config), "--data", str(tmp_path), "--token-file", str(tokens)]
    options = read_arguments(flags)[1]
    assert options.port == 5
    assert [options.knows_token(token) for token in (b"one", b"# two", b"two", b"", b"three")] == [
        *(True, False, False, False, True)
    ]
    assert not options.tokens & {b"one", b"three"}, "they are not in memory as they are"


@pytest.mark.parametrize(
    "text",
    [
        "port = true",
        "port = 70000",
        'port = "5"',
        "directory = 1",
        'directory = "everybody"',
        "public = 5",
        "public = [5]",
        "keep_days = 22",
        "nothing = 1",
        "port = ",
        "queue_token = true",
        'public = ["no address"]',
        'directory = "listed"',
    ],
)
def test_values_that_cannot_be_used(tmp_path: Path, text: str) -> None:
    config = tmp_path / "relay.toml"
    config.write_text(text)
    with pytest.raises(OptionError):
        read_arguments(["--config", str(config), "--data", str(tmp_path)])


def test_the_service_starts_what_there_is() -> None:
    command = re.search(r"^ExecStart=/usr/bin/sotto relay (.+)$", UNIT.read_text(), re.MULTILINE)
    assert command is not None
    words = command[1].split()
    config = words[words.index("--config") + 1]
    words[words.index(config)] = str(PACKED / "relay.toml")
    assert read_arguments(words)[1] == RelayOptions()
    keys = {line.partition("=")[0] for line in UNIT.read_text().splitlines()}
    assert {"DynamicUser", "ProtectSystem", "NoNewPrivileges", "StateDirectory", "SystemCallFilter"} <= keys


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_service_manager_knows_every_key_of_the_service(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text()))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if UNIT.name in line]
    assert not said, "\n".join(said)


def container() -> dict[str, list[str]]:
    """The instructions of the container file by their names, each on one line."""
    found: dict[str, list[str]] = {}
    joined = (PACKED / "Containerfile").read_text().replace("\\\n", " ")
    for line in joined.splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            found.setdefault(name, []).append(rest.strip())
    return found


def test_the_container_runs_a_relay_as_nobody_and_keeps_its_data() -> None:
    said = container()
    assert said["USER"] == ["sotto"]
    assert said["VOLUME"] == ["/data"]
    assert said["EXPOSE"] == [str(limits.DEFAULT_PORT)]
    (entry,) = said["ENTRYPOINT"]
    _, *arguments = json.loads(entry)
    assert arguments[:2] == ["-m", "messenger.relay"]
    assert read_arguments(arguments[2:]) == (Path("/data"), RelayOptions())
    assert "install -d -o sotto -g sotto -m 0700 /data" in said["RUN"][0]
    assert "--require-hashes" in said["RUN"][0]
    assert list(said)[-1] == "ENTRYPOINT"
    for copied in said["COPY"]:
        assert (ROOT / copied.split()[0]).exists()


@pytest.mark.skipif(shutil.which("awk") is None, reason="awk is not installed")
def test_the_container_installs_all_that_is_locked_but_the_window(tmp_path: Path) -> None:
    lock = ROOT / "packaging" / "requirements.lock"
    program = re.search(r"awk '([^']+)'", container()["RUN"][0])
    assert program is not None
    kept = subprocess.run(["awk", program[1], str(lock)], capture_output=True, text=True, check=True).stdout
    names, locked = (set(re.findall(r"(?m)^([a-z0-9-]+)==", text)) for text in (kept, lock.read_text()))
    assert locked - names == {"pyside6-essentials", "pyenchant", "shiboken6", "qasync"}
    assert kept.count("--hash") > len(names)
    without = "import sys; sys.modules.update(PySide6=None, enchant=None, qasync=None, shiboken6=None); "
    start = [sys.executable, "-c", without + "import messenger.relay.main"]
    subprocess.run(start, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, cwd=tmp_path)


async def test_the_container_is_healthy_while_the_relay_listens(tmp_path: Path) -> None:
    command = re.search(r"CMD (\[.+\])", container()["HEALTHCHECK"][0])
    assert command is not None
    _, flag, code = json.loads(command[1])
    assert (flag, str(limits.DEFAULT_PORT) in code) == ("-c", True)

    async def healthy(port: int) -> bool:
        there = code.replace(str(limits.DEFAULT_PORT), str(port))
        quiet = asyncio.subprocess.DEVNULL
        check = await asyncio.create_subprocess_exec(sys.executable, "-c", there, stderr=quiet)
        return await check.wait() == 0

    port = fresh_port()  # none of those that the system gives to whoever asks next
    async with relay_in(prepare(tmp_path / "relay"), port=port):
        assert await healthy(port)
    assert not await healthy(port)
