"""Coroutines of slots, and the collection of garbage."""

import asyncio
import gc
import threading
import weakref

import pytest
import shiboken6
from PySide6.QtCore import QObject

from messenger.core.errors import DiskFull
from messenger.gui.collector import Collector
from messenger.gui.tasks import Tasks
from tests.conftest import LogGuard
from tests.helpers.gui import Hands


async def fail(error: Exception) -> None:
    raise error


def test_an_error_that_can_happen_is_reported(hands: Hands) -> None:
    reported: list[BaseException] = []
    task = Tasks(reported.append).start(fail(DiskFull()), name="test")
    hands.until(task.done)
    hands.until(lambda: bool(reported))
    assert isinstance(reported[0], DiskFull)


def test_a_bug_is_reported_and_logged(hands: Hands, logs: LogGuard) -> None:
    logs.expect("test failed")
    reported: list[BaseException] = []
    task = Tasks(reported.append).start(fail(ZeroDivisionError()), name="test")
    hands.until(task.done)
    hands.until(lambda: bool(reported))
    assert isinstance(reported[0], ZeroDivisionError)


def test_what_is_cancelled_is_not_reported(hands: Hands) -> None:
    reported: list[BaseException] = []
    tasks = Tasks(reported.append)
    waiting = [tasks.start(asyncio.Event().wait(), name="test") for _task in range(3)]
    tasks.cancel()
    hands.until(lambda: all(task.done() for task in waiting))
    assert all(task.cancelled() for task in waiting)
    assert reported == []


def test_nothing_is_reported_to_somebody_who_is_on_the_way_out(hands: Hands) -> None:
    reported: list[BaseException] = []
    tasks = Tasks(reported.append)

    async def ends_badly() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as e:
            raise DiskFull from e

    begun = tasks.start(ends_badly(), name="begun before")
    hands.run(asyncio.sleep(0))
    tasks.close()
    late = tasks.start(fail(DiskFull()), name="begun by a last signal")
    hands.until(begun.done)
    hands.until(late.done)
    hands.run(asyncio.sleep(0))
    assert reported == []


class Knot:
    """Something that only the cycle collector can take away, and that notes in which thread it did."""

    def __init__(self, threads: list[int]) -> None:
        self.itself = self
        weakref.finalize(self, lambda: threads.append(threading.get_ident()))


def test_garbage_is_collected_in_the_thread_of_the_window_only(hands: Hands) -> None:
    assert not gc.isenabled(), "the fixtures start a collector, as the program does"
    threads: list[int] = []

    def allocate() -> None:
        for _number in range(20_000):
            Knot(threads)

    worker = threading.Thread(target=allocate)
    worker.start()
    worker.join()
    assert threads == []
    hands.until(lambda: len(threads) == 20_000)
    assert set(threads) == {threading.get_ident()}


@pytest.mark.usefixtures("hands")
def test_collection_is_automatic_again_without_a_window() -> None:
    app = QObject()
    Collector(app)
    assert not gc.isenabled()
    shiboken6.delete(app)  # for good, here: at the end of this function it would be enabled behind our back
    try:
        assert gc.isenabled()
    finally:
        gc.disable()
