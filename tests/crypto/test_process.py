"""How vault processes are started, and what they do first."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import messenger
from messenger.crypto import process
from tests.helpers.patience import PATIENCE

linux = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc and prctl")


def run(script: str, said: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a script in a new interpreter that finds this package."""
    return subprocess.run(
        [sys.executable, "-P", "-c", script],
        input=said,
        capture_output=True,
        text=True,
        check=False,
        env=process.environment(),
    )


def test_the_command_of_an_installed_program() -> None:
    assert process.command("--generate", "3072") == [
        sys.executable,
        "-P",
        "-m",
        "messenger.crypto.vault_process",
        "--generate",
        "3072",
    ]


def test_the_command_of_a_packed_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert process.command() == [sys.executable, "--vault"]
    assert process.command("--keyring", "load", "x") == [sys.executable, "--vault", "--keyring", "load", "x"]


def test_the_environment_leads_to_this_very_package(monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(Path(messenger.__file__).parent.parent)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert process.environment()["PYTHONPATH"] == root
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert process.environment()["PYTHONPATH"] == root + os.pathsep + "/somewhere"
    assert process.environment()["PATH"] == os.environ["PATH"]


def test_the_current_folder_cannot_pose_as_a_library(tmp_path: Path) -> None:
    for name in ("cryptography", "msgspec", "messenger"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('caught')\n")
    done = subprocess.run(
        process.command(),
        cwd=tmp_path,
        env=process.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"Ready" in done.stdout


@linux
def test_hardening() -> None:
    done = run(
        "import ctypes, resource, signal, sys\n"
        "from messenger.crypto import process\n"
        "process.harden()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))\n"
        "print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)\n"
    )
    assert done.stdout.split("\n")[:2] == ["(0, 0) 0", "True"]


def test_errors_show_their_place_and_kind_only() -> None:
    done = run(
        "from messenger.crypto import process\n"
        "process.harden()\n"
        "def inner(value):\n"
        "    raise ValueError(f'the secret is {value}')\n"
        "inner('hunter' + str(1 + 1))\n"
    )
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError\n")
    assert "inner" in done.stderr
    assert "hunter2" not in done.stderr


def test_dying_of_a_bug() -> None:
    done = run(
        "from messenger.crypto import process\n"
        "try:\n"
        "    raise KeyError('hunter' + str(1 + 1))\n"
        "except KeyError as e:\n"
        "    process.die_of_bug(e)\n"
    )
    assert done.returncode == process.BUG_EXIT
    assert done.stderr.endswith("KeyError\n")
    assert "hunter2" not in done.stderr


def test_nothing_else_can_speak_into_the_channel() -> None:
    done = run(
        "import os, sys\n"
        "from messenger.crypto import process\n"
        "source, sink = process.claim_channel()\n"
        "print('noise', flush=True)\n"
        "os.system('echo more noise')\n"
        "os.write(sink, b'signal ' + os.read(source, 100) + repr(sys.stdin.read()).encode())\n",
        said="question",
    )
    assert done.stdout == "signal question''"
    assert done.stderr.split() == ["noise", "more", "noise"]


@pytest.mark.parametrize("arguments", [["--what"], ["--generate"], ["--keyring", "load"], ["a", "b"]])
def test_strange_arguments(arguments: list[str]) -> None:
    done = subprocess.run(
        process.command(*arguments),
        env=process.environment(),
        capture_output=True,
        check=False,
        stdin=subprocess.PIPE,
    )
    assert (done.returncode, done.stdout, done.stderr) == (64, b"", b"")


def test_a_generator_dies_with_whoever_wanted_the_key() -> None:
    ours, theirs = os.pipe()
    os.close(theirs)  # nobody holds the other end of its input
    with os.fdopen(ours, "rb") as closed:
        done = subprocess.run(
            process.command("--generate", "4096"),
            env=process.environment(),
            stdin=closed,
            stdout=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stdout) == (1, b"")


def test_a_generator_refuses_other_sizes() -> None:
    child = subprocess.Popen(
        process.command("--generate", "1024"),
        env=process.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.read() == b""
        assert child.wait() == process.BUG_EXIT
        assert child.returncode != -signal.SIGKILL
