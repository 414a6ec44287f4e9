"""The set-up scripts, run for real in a checkout of their own, with stand-ins for the system's tools.

The stand-ins go first on the PATH, so that no test reaches the network, apt or sudo. The checkout has empty
lock files and a small program in place of Sotto, which prints what it was given.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]

PATIENCE: Final = 240.0
"""Seconds after which a start counts as hanging. It takes some seconds, of which pip needs most."""

PROGRAM: Final = """
import json, os, sys
print(json.dumps({"arguments": sys.argv[1:], "folder": os.getcwd(), "process": os.getpid()}))
raise SystemExit(7 if "fail" in sys.argv else 0)
"""

UV_WORKS: Final = 'echo "$*" >>"$CALLS"'
UV_WAITS: Final = f'{UV_WORKS}\necho started >"$STARTED"\nread -r word <"$GO"'
UV_MEETS_A_WRONG_HASH: Final = f"{UV_WORKS}\necho 'error: Hash mismatch for `rich==15.0.0`'; exit 1"
UV_IS_OFFLINE: Final = f"{UV_WORKS}\necho 'error: Failed to fetch: dns error'; exit 1"


class Checkout:
    """A folder with the scripts, whose name has a space and a quote in it, and the tools that they meet."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "so'me folder"
        self.tools = folder / "tools"
        self.calls = folder / "calls"
        self.tools.mkdir()
        (self.root / "messenger").mkdir(parents=True)
        (self.root / "messenger" / "__init__.py").touch()
        (self.root / "messenger" / "__main__.py").write_text(PROGRAM, encoding="utf-8")
        (self.root / "packaging").mkdir()
        for name in ("run.sh", "test.sh", "setup.sh", "link.py"):
            shutil.copy(ROOT / "packaging" / name, self.root / "packaging")
        for name in ("requirements.lock", "requirements-dev.lock"):
            (self.root / "packaging" / name).touch()
        self.started, self.go = folder / "started", folder / "go"
        os.mkfifo(self.started)
        os.mkfifo(self.go)
        self.tool("uv", UV_WORKS)
        self.tool("ldconfig", "exit 0")
        self.tool("id", "echo 1000")
        self.tool("sudo", "exit 1")
        self.tool("apt-get", 'echo "apt-get $*" >>"$CALLS"')

    def tool(self, name: str, body: str) -> None:
        path = self.tools / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def start(self, *arguments: str, script: Path | str = "", **environment: str) -> subprocess.Popen[str]:
        surroundings = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL") if name in os.environ}
        surroundings |= {"CALLS": str(self.calls), "STARTED": str(self.started), "GO": str(self.go)}
        # The Python of these tests goes first: the one that is known to be new enough.
        path = f"{self.tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.Popen(
            ["sh", str(script or self.root / "packaging" / "run.sh"), *arguments],
            cwd=self.tools,
            env={**surroundings, "PATH": path, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, script: Path | str = "", **environment: str) -> tuple[int, str, str]:
        with self.start(*arguments, script=script, **environment) as process:
            output, errors = process.communicate(timeout=PATIENCE)
        return process.returncode, output, errors

    def called(self) -> list[str]:
        return self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    made = Checkout(tmp_path_factory.mktemp("ready"))
    assert made.run("listen")[0] == 0
    return made


def said(output: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(output)  # fails if the set-up wrote anything to standard output
    return parsed


SCRIPTS: Final = [
    "packaging/run.sh",
    "packaging/test.sh",
    "packaging/setup.sh",
    "packaging/lock.sh",
    ".ci/run",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_plain_shell(script: str) -> None:
    subprocess.run(["sh", "-n", ROOT / script], check=True)


def test_the_first_start_sets_up_and_the_second_only_starts(checkout: Checkout) -> None:
    code, output, errors = checkout.run("listen", "two words")
    assert code == 0, errors
    assert said(output)["arguments"] == ["listen", "two words"]
    assert "Setting up" in errors
    (call,) = checkout.called()
    assert "--require-hashes" in call
    assert call.endswith("packaging/requirements.lock")
    code, output, errors = checkout.run("listen")
    assert (code, errors) == (0, "")
    assert len(checkout.called()) == 1


def test_the_program_takes_the_place_of_the_script(ready: Checkout) -> None:
    with ready.start("listen", "fail") as process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 7
    assert said(output)["process"] == process.pid
    assert said(output)["folder"] == str(ready.tools)


@pytest.mark.parametrize("ways", ["absolute", "relative", "several", "a folder"])
def test_through_a_symbolic_link_it_starts_the_same(ready: Checkout, tmp_path: Path, ways: str) -> None:
    real, link = ready.root / "packaging" / "run.sh", tmp_path / "a link"
    match ways:
        case "absolute":
            link.symlink_to(real)
        case "relative":
            link.symlink_to(os.path.relpath(real, tmp_path))
        case "several":
            (tmp_path / "folder").mkdir()
            (tmp_path / "folder" / "second").symlink_to(os.path.relpath(real, tmp_path / "folder"))
            link.symlink_to("folder/second")
        case _:
            link.symlink_to(real.parent)
            link /= "run.sh"
    code, output, errors = ready.run("listen", "two words", script=link)
    assert (code, errors) == (0, "")
    assert said(output)["arguments"] == ["listen", "two words"]


def test_the_checks_start_through_a_symbolic_link_too(checkout: Checkout, tmp_path: Path) -> None:
    checkout.tool("ldconfig", 'PATH=/usr/sbin:/sbin:/usr/bin:/bin; exec ldconfig "$@"')  # a window needs them
    link = tmp_path / "test.sh"
    link.symlink_to(checkout.root / "packaging" / "test.sh")
    code, _, errors = checkout.run("--bench", script=link)
    assert code == 0, errors
    assert errors.splitlines()[-1].endswith(f"from {checkout.root}.")


def test_the_command_in_the_environment_starts_the_program(ready: Checkout) -> None:
    command = [str(ready.root / ".venv" / "bin" / "sotto"), "a b"]
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd="/", env=plain, capture_output=True, text=True, check=True)
    assert said(done.stdout)["arguments"] == ["a b"]


def test_modules_in_the_current_folder_are_not_picked_up(ready: Checkout) -> None:
    (ready.tools / "json.py").write_text("raise SystemExit('picked up')\n", encoding="utf-8")
    assert ready.run("listen")[0] == 0


WINDOW: Final = [[], ["demo"], ["--profile", "listen"], ["sotto://invite"], ["--profile", "p", "demo"]]
NO_WINDOW: Final = [
    ["demo", "--headless"],
    ["--version"],
    ["demo", "--help"],
    ["--profile", "p", "chat", "host"],
    ["--profile=p", "--json", "contacts"],
]


@pytest.mark.parametrize("arguments", WINDOW)
def test_a_window_without_its_libraries_gives_the_exact_command(
    ready: Checkout, arguments: list[str]
) -> None:
    code, output, errors = ready.run(*arguments, DISPLAY=":0")
    assert (code, output) == (1, "")
    command = errors.splitlines()[-1]
    assert command.startswith(
        "    sudo apt-get update && sudo apt-get install -y --no-install-recommends libegl1 "
    )
    assert "libwayland-egl1" in command
    assert "libenchant-2-2" in command


@pytest.mark.parametrize("arguments", NO_WINDOW)
def test_what_opens_no_window_needs_no_libraries(ready: Checkout, arguments: list[str]) -> None:
    code, output, errors = ready.run(*arguments, DISPLAY=":0")
    assert (code, errors) == (0, "")
    assert said(output)["arguments"] == arguments


@pytest.mark.parametrize("arguments", WINDOW)
def test_without_a_display_the_program_has_the_word(ready: Checkout, arguments: list[str]) -> None:
    code, output, errors = ready.run(*arguments)
    assert (code, errors) == (0, "")
    assert said(output)["arguments"] == arguments


def test_an_administrator_gets_the_libraries_installed_unasked(ready: Checkout) -> None:
    ready.tool("id", "echo 0")
    code, _, errors = ready.run("demo", DISPLAY=":0")
    ready.tool("id", "echo 1000")
    assert code == 0
    assert "Installing system packages: libegl1 libgl1 " in errors
    (call,) = (call for call in ready.called() if call.startswith("apt-get"))
    assert " install -y --no-install-recommends libegl1 libgl1 " in call


def test_a_changed_lock_file_is_followed(checkout: Checkout) -> None:
    assert checkout.run("listen")[0] == 0
    (checkout.root / "packaging" / "requirements.lock").write_text("# newer\n", encoding="ascii")
    assert checkout.run("listen")[0] == 0
    assert len(checkout.called()) == 2


def test_a_start_that_was_killed_halfway_is_begun_anew(checkout: Checkout) -> None:
    checkout.tool("uv", UV_WAITS)
    with checkout.start("listen") as process:
        assert checkout.started.read_text(encoding="utf-8") == "started\n"
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
    (checkout.root / ".venv" / "half").touch()
    checkout.tool("uv", UV_WORKS)
    code, output, errors = checkout.run("listen")
    assert code == 0, errors
    assert "cut short" in errors
    assert said(output)["arguments"] == ["listen"]
    assert not (checkout.root / ".venv" / "half").exists()
    assert checkout.run("listen")[2] == ""


def test_a_second_start_waits_for_the_first_and_does_nothing_twice(checkout: Checkout) -> None:
    checkout.tool("uv", UV_WAITS)
    with checkout.start("listen") as first:
        assert checkout.started.read_text(encoding="utf-8") == "started\n"
        with checkout.start("contacts") as second:
            assert second.stderr is not None
            assert "waiting" in second.stderr.readline()
            checkout.go.write_text("go\n", encoding="utf-8")
            outputs = [first.communicate(timeout=PATIENCE)[0], second.communicate(timeout=PATIENCE)[0]]
    assert [said(output)["arguments"] for output in outputs] == [["listen"], ["contacts"]]
    assert len(checkout.called()) == 1


def test_an_environment_of_somebody_else_is_finished_and_kept(checkout: Checkout) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", checkout.root / ".venv"], check=True)
    (checkout.root / ".venv" / "theirs").touch()
    assert checkout.run("listen")[0] == 0
    assert (checkout.root / ".venv" / "theirs").exists()


def test_an_environment_whose_python_is_gone_is_replaced(checkout: Checkout) -> None:
    assert checkout.run("listen")[0] == 0
    for link in (checkout.root / ".venv" / "bin").glob("python*"):
        link.unlink()
        link.symlink_to("/nonexistent/python3")
    code, _, errors = checkout.run("listen")
    assert code == 0, errors
    assert len(checkout.called()) == 2


def test_a_wrong_hash_ends_the_set_up(checkout: Checkout) -> None:
    checkout.tool("uv", UV_MEETS_A_WRONG_HASH)
    code, output, errors = checkout.run("listen")
    assert (code, output) == (1, "")
    assert "not the one that the lock file names" in errors
    assert not list((checkout.root / ".venv" / "bin").glob("pip*"))  # no second way was tried
    assert checkout.run("listen")[0] == 1


def test_without_a_network_it_says_so_and_goes_on_from_there(checkout: Checkout) -> None:
    checkout.tool("uv", UV_IS_OFFLINE)
    lock = checkout.root / "packaging" / "requirements.lock"
    lock.write_text(f"rich==15.0.0 --hash=sha256:{'0' * 64}\n", encoding="ascii")
    # Nothing listens on the discard port of this machine, so that pip, the second way, is refused at once.
    nowhere = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0"}
    code, output, errors = checkout.run("listen", **nowhere)
    assert (code, output) == (1, "")
    assert "could not be fetched: connect to the internet" in errors.splitlines()[-1]
    checkout.tool("uv", UV_WORKS)
    code, output, errors = checkout.run("listen")
    assert code == 0
    assert "cut short" not in errors


def test_without_a_new_enough_python_it_says_which(checkout: Checkout) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        checkout.tool(name, "exit 1")
    code, output, errors = checkout.run("listen")
    assert (code, output) == (1, "")
    assert errors.startswith("Sotto needs Python 3.11")
    assert checkout.called() == []


def peers(checkout: Checkout, command: str) -> tuple[str, str]:
    """Run a function of setup.sh where of the benchmarks' peers only scp and curl are surely there."""
    for name in ("scp", "curl", "mosquitto", "nginx", "sshd"):
        checkout.tool(name, "exit 0")
    for name in ("cat", "env", "tail", "tee", "chmod", "rm"):
        (checkout.tools / name).symlink_to(shutil.which(name) or name)
    setup = checkout.root / "packaging" / "setup.sh"
    done = subprocess.run(
        ["/bin/sh", "-euc", f'root=$1; . "$2"; {command}', "sh", checkout.root, setup],
        env={"PATH": str(checkout.tools), "CALLS": str(checkout.calls)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, done.stderr


def test_what_benchmarks_compare_with_is_installed_where_it_lacks(checkout: Checkout) -> None:
    assert peers(checkout, "missing_peers")[0].split() == ["rsync", "prosody", "qtox"]


def test_without_an_administrator_the_peers_are_named(checkout: Checkout) -> None:
    _, errors = peers(checkout, "prepare_peers")
    assert "install -y --no-install-recommends rsync prosody qtox" in errors
    assert checkout.called() == []
