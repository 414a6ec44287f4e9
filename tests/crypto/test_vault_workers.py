"""Threads of the vault process."""

import subprocess
import sys
import threading

from messenger.crypto import process
from messenger.crypto.vault_workers import Workers
from tests.helpers.patience import PATIENCE

DIES = """
import sys, threading
from messenger.crypto.vault_workers import Workers

def work(word):
    raise ValueError(word)

Workers(work, 1, "test").submit("hunter2")
threading.Event().wait()
"""


def test_one_thread_takes_jobs_in_their_order_and_is_waited_for() -> None:
    done: list[tuple[int, str]] = []
    workers = Workers[int](lambda job: done.append((job, threading.current_thread().name)), 1, "order")
    for number in range(100):
        workers.submit(number)
    workers.shutdown()
    assert done == [(number, "order") for number in range(100)]
    assert "order" not in [thread.name for thread in threading.enumerate()]


def test_as_many_threads_as_allowed_work_beside_each_other() -> None:
    together, seen = threading.Barrier(2), set()

    def work(_job: None) -> None:
        together.wait(PATIENCE)
        seen.add(threading.get_ident())

    workers = Workers[None](work, 2, "pair")
    for _ in range(6):
        workers.submit(None)
    workers.shutdown()
    assert len(seen) == 2


def test_no_thread_is_started_for_nothing() -> None:
    workers = Workers[None](lambda _job: None, 2, "idle")
    assert "idle" not in [thread.name for thread in threading.enumerate()]
    workers.shutdown()
    assert "idle" not in [thread.name for thread in threading.enumerate()]


def test_an_error_ends_the_process_without_its_message() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", DIES],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=process.environment(),
    )
    assert done.returncode == process.BUG_EXIT
    assert done.stderr.endswith("ValueError\n")
    assert "hunter2" not in done.stderr
    assert done.stdout == ""
