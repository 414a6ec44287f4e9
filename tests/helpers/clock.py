"""An event loop that never waits: when nothing can happen any more, its clock jumps to the next timer.

Its seconds are its own. What the machine takes for its work, and how long it lets the process stand still, is
no part of them: a test that measures with this clock measures the same on every machine.
"""

import asyncio
import functools
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_GRACE: Final = 0.01
"""Real seconds in which bytes that are on their way through the loopback interface arrive."""

_LATEST: Final = 24 * 3600.0
"""Seconds of the jumping clock after which a test that still waits has failed."""


_TICK: Final = 1e-7
"""Seconds that pass whenever somebody looks at the clock: of two moments one is always the later."""


class _Selector(selectors.DefaultSelector):
    """Waits for sockets a moment only, and lets the time pass that it was to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.working = 0
        """Jobs on other threads, for which real time is what counts."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if self.working:
            before = time.monotonic()
            ready = super().select(timeout)
            self.now += min(time.monotonic() - before, timeout)
            return ready
        ready = super().select(min(timeout, _GRACE))
        if not ready:
            self.now += timeout
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    """The loop."""

    def __init__(self) -> None:
        self._patient = _Selector()
        super().__init__(self._patient)

    def time(self) -> float:
        self._patient.now += _TICK
        return self._patient.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., T], *args: object
    ) -> "asyncio.Future[T]":
        self._patient.working += 1
        job: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        job.add_done_callback(self._worked)
        return job

    def _worked(self, _: "asyncio.Future[T]") -> None:
        self._patient.working -= 1


def skipping(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make a test of a coroutine that runs on a `SkippingLoop`; it must leave no task behind."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=SkippingLoop) as runner:
            runner.run(_checked(test(*args, **kwargs)))

    return run


async def _checked(test: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(_LATEST):
        await test
    for _ in range(20):
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if not left:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"tasks left running: {left}")
