"""Runs of pytest in which a test kills its process or never ends: others go on, and the run fails.

The runs are real ones, with several processes, over tests written for the purpose.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]

PATIENCE: Final = 240.0
"""Seconds after which a run counts as hanging. It takes about five."""

FINE: Final = """
import pytest

@pytest.mark.parametrize("number", range(20))
def test_fine(number):
    pass
"""

DIES: Final = """
import os, signal

def test_dies():
    os.kill(os.getpid(), signal.SIGSEGV)
"""

DIES_IN_A_GROUP: Final = """
import os, signal
import pytest

@pytest.mark.parametrize("number", range(4))
@pytest.mark.xdist_group("group")
def test_group(number):
    if number == 1:
        os.kill(os.getpid(), signal.SIGSEGV)
"""

DIES_WITH_CHILDREN: Final = """
import os, signal, subprocess, sys
from messenger.crypto.vault import Vault

CHILD = "pipe = open('pipe', 'rb'); print('ready', flush=True); pipe.read()"

async def test_dies_with_children():
    for _ in range(2):
        child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, close_fds=False)
        assert child.stdout.readline() == b"ready\\n"
    await Vault.start()
    os.kill(os.getpid(), signal.SIGSEGV)
"""

HANGS: Final = """
import threading
import pytest

@pytest.mark.parametrize("number", range(20))
def test_fine(number):
    pass

def test_hangs():
    threading.Event().wait()
"""

HANGS_AFTER_A_FAILURE: Final = """
import threading
import pytest

@pytest.fixture
def never_put_away():
    yield
    threading.Event().wait()

def test_fails_and_hangs(never_put_away):
    assert not "this is the failure"

def test_fine():
    pass
"""


def run(folder: Path, *options: str, **files: str) -> tuple[int, str]:
    """The exit status and the output of pytest over files with these contents."""
    for name, content in files.items():
        (folder / f"test_{name}.py").write_text(content, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = long\nasyncio_mode = auto\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "pytest_asyncio.plugin"]
    command += ["-p", "tests.helpers.run_guard", "-p", "no:cacheprovider", "-rA", *options]
    done = subprocess.run(
        command, cwd=folder, env=environment, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout


PARALLEL: Final = ("-n", "2", "--dist", "loadgroup")


def test_a_test_that_kills_its_process_fails_alone(tmp_path: Path) -> None:
    status, said = run(tmp_path, *PARALLEL, a=FINE, b=DIES, c=FINE)
    assert status == pytest.ExitCode.TESTS_FAILED, said
    assert "1 failed, 40 passed" in said
    assert "crashed while running 'test_b.py::test_dies'" in said


def test_the_rest_of_its_group_is_run_all_the_same(tmp_path: Path) -> None:
    status, said = run(tmp_path, *PARALLEL, a=FINE, b=DIES_IN_A_GROUP, c=FINE)
    assert status == pytest.ExitCode.TESTS_FAILED, said
    assert "1 failed, 43 passed" in said


def test_a_single_process_is_replaced_too(tmp_path: Path) -> None:
    status, said = run(tmp_path, "-n", "1", "--dist", "loadgroup", a=DIES, b=FINE)
    assert status == pytest.ExitCode.TESTS_FAILED, said
    assert "1 failed, 20 passed" in said


def test_both_processes_may_die(tmp_path: Path) -> None:
    status, said = run(tmp_path, *PARALLEL, a=DIES, b=DIES, c=FINE, d=DIES_IN_A_GROUP)
    assert status == pytest.ExitCode.TESTS_FAILED, said
    assert "3 failed, 23 passed" in said


def test_children_that_outlive_their_process_hold_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    pipe = os.open(tmp_path / "pipe", os.O_RDWR)  # the children live until this is closed
    try:
        status, said = run(tmp_path, *PARALLEL, a=FINE, b=DIES_WITH_CHILDREN, c=FINE)
    finally:
        os.close(pipe)
    assert status == pytest.ExitCode.TESTS_FAILED, said
    assert "1 failed, 40 passed" in said
    assert "crashed while running" in said


def test_a_test_that_never_ends_fails_with_the_stacks_and_the_others_go_on(tmp_path: Path) -> None:
    status, said = run(tmp_path, *PARALLEL, "--limit", "10", a=HANGS, b=FINE)
    assert status == pytest.ExitCode.TESTS_FAILED, said
    assert "1 failed, 40 passed" in said
    assert "crashed while running 'test_a.py::test_hangs'" in said
    assert "in test_hangs" in said.partition("Timeout (")[2]


def test_neither_may_the_tear_down_of_a_test_that_has_failed(tmp_path: Path) -> None:
    status, said = run(tmp_path, *PARALLEL, "--limit", "10", a=HANGS_AFTER_A_FAILURE, b=FINE)
    assert status == pytest.ExitCode.TESTS_FAILED, said
    assert "this is the failure" in said
    assert "in never_put_away" in said.partition("Timeout (")[2]
    assert "21 passed" in said


def test_one_process_alone_ends_with_the_stacks(tmp_path: Path) -> None:
    status, said = run(tmp_path, "--limit", "10", a=HANGS)
    assert status != pytest.ExitCode.OK
    assert "in test_hangs" in said.partition("Timeout (")[2]
