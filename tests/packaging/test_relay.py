"""What is packed for relays: the sample of the options, the service, the container."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from messenger.relay.main import read_arguments
from messenger.relay.options import OptionError, RelayOptions, checked, declared, from_file

PACKED: Final = Path(__file__).parent.parent.parent / "packaging" / "relay"
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


def test_the_container_starts_a_relay_as_nobody() -> None:
    lines = (PACKED / "Containerfile").read_text()
    assert '"messenger.relay"' in lines
    assert re.search(r"(?m)^USER sotto$", lines)
    assert "--require-hashes" in lines
