"""Every run of the tests ends: one that hangs, or takes its process with it, fails, and the others go on.

A plugin of pytest, which `tests/conftest.py` loads.
"""

import faulthandler
import os
from collections.abc import Generator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadGroupScheduling

LIMIT: Final = 1800.0
"""Seconds that each part of a test (set-up, call, tear-down) has; the slowest takes about 90 on a machine
that does nothing else, and a machine that is used by many was seen to take eleven times as long."""

LONG_LIMIT: Final = 7200.0
"""Seconds that each part of a test has which is marked as long; the slowest takes about an hour."""

_STDERR: Final = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--limit",
        type=float,
        help=f"seconds that a test may take ({LIMIT:.0f}; {LONG_LIMIT:.0f} if it is a long one; 0: no limit)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_STDERR] = os.dup(2)  # the real one: during a test, number 2 is what pytest captures


def pytest_unconfigure(config: pytest.Config) -> None:
    if _STDERR in config.stash:
        os.close(config.stash[_STDERR])
        del config.stash[_STDERR]


def _limited(item: pytest.Item) -> Generator[None, object, object]:
    """Let a part of a test run; when its time is up, write what every thread does and end this process.

    A thread of C does it, so it comes even if Python itself stands still. With several processes (`-n`) the
    others go on, and a new one takes the place of this one.
    """
    limit = item.config.getoption("--limit")
    if limit is None:
        limit = LONG_LIMIT if item.get_closest_marker("long") else LIMIT
    if not limit:
        return (yield)
    # pytest takes the alarm back when a test fails; so each part sets its own, and a tear-down has one too.
    faulthandler.dump_traceback_later(limit, exit=True, file=item.config.stash[_STDERR])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _limited(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _limited(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _limited(item))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadGroupScheduling | None":
    if config.getvalue("dist") != "loadgroup":
        return None
    return _enduring(config, log)


def _enduring(config: pytest.Config, log: "Producer") -> "LoadGroupScheduling":
    """The scheduler of pytest-xdist for `--dist loadgroup`, which goes on when a process dies.

    That of version 3.8 hands out what the dead process had done before as work with nothing in it, after
    which everybody waits for ever; gives a new process a single test, which it does not begin before it knows
    the next; and has the test that killed one process kill the next ones too (issues 1323 and 1327, pull
    request 1371 of pytest-xdist).
    """
    from xdist.scheduler import LoadGroupScheduling
    from xdist.workermanage import WorkerController

    class Enduring(LoadGroupScheduling):
        def remove_node(self, node: WorkerController) -> str | None:
            workload = self.assigned_work[node]
            fatal = next(
                (test for unit in workload.values() for test, done in unit.items() if not done), None
            )
            if fatal is not None:
                workload[self._split_scope(fatal)][fatal] = True
            self.assigned_work[node] = {
                scope: unit for scope, unit in workload.items() if not all(unit.values())
            }
            super().remove_node(node)
            return fatal

        def schedule(self) -> None:
            super().schedule()
            for node in self.nodes:
                self._reschedule(node)

        def _reschedule(self, node: WorkerController) -> None:
            if node not in self.registered_collections:
                return  # it is still looking for the tests; `schedule` follows when it has them
            super()._reschedule(node)
            while (
                self.workqueue and not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2
            ):
                self._assign_work_unit(node)
            if not self.workqueue and not node.shutting_down:
                node.shutdown()

    return Enduring(config, log)
