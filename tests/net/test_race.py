"""Several ways at once, the first that works."""

import asyncio
import functools
from collections.abc import Awaitable, Callable

import pytest

from messenger.core.errors import ConnectError, Reason
from messenger.net.race import race
from tests.helpers.clock import skipping

STAGGER = 0.25


class Ways:
    """Ways that take their time, and a diary of when each began and how it ended."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, float]] = []
        self.cancelled: list[str] = []
        self.discarded: list[str] = []
        self._start = asyncio.get_running_loop().time()

    def way(self, name: str, seconds: float, failure: Reason | None = None) -> Callable[[], Awaitable[str]]:
        async def go() -> str:
            self.begun.append((name, asyncio.get_running_loop().time() - self._start))
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                self.cancelled.append(name)
                raise
            if failure is not None:
                raise ConnectError(failure, name)
            return name

        return go

    def began(self, **expected: float) -> bool:
        """Whether these ways and no others began at these seconds, nearly."""
        return dict(self.begun) == pytest.approx(expected, abs=0.1)

    async def race(self, *ways: Callable[[], Awaitable[str]], stagger: float = STAGGER) -> str:
        return await race(ways, stagger, self.discarded.append)


@skipping
async def test_the_first_that_works() -> None:
    ways = Ways()
    assert await ways.race(ways.way("slow", 10), ways.way("quick", 1), ways.way("late", 1)) == "quick"
    assert ways.began(slow=0.0, quick=0.25, late=0.5)
    assert sorted(ways.cancelled) == ["late", "slow"]
    assert ways.discarded == []


@skipping
async def test_nothing_else_is_begun_when_the_first_is_quick() -> None:
    ways = Ways()
    assert await ways.race(ways.way("quick", 0.1), ways.way("never", 0)) == "quick"
    assert ways.began(quick=0.0)


@skipping
async def test_a_failure_begins_the_next_at_once() -> None:
    ways = Ways()
    assert (
        await ways.race(ways.way("fails", 0.5, Reason.NOBODY), ways.way("works", 0.1), stagger=10.0)
        == "works"
    )
    assert ways.began(fails=0.0, works=0.5)


@skipping
async def test_of_all_failures_the_most_telling() -> None:
    ways = Ways()
    for reasons, telling in (
        ([Reason.NOBODY, Reason.WRONG_PERSON, Reason.TIMEOUT], Reason.WRONG_PERSON),
        ([Reason.TIMEOUT, Reason.UNREACHABLE], Reason.TIMEOUT),
        ([Reason.NOBODY, Reason.BLOCKED], Reason.BLOCKED),
        ([Reason.SILENT, Reason.NOT_SOTTO], Reason.NOT_SOTTO),
        ([Reason.NOBODY, Reason.BROKEN], Reason.BROKEN),
        ([Reason.UNREACHABLE, Reason.UNREACHABLE], Reason.UNREACHABLE),
    ):
        with pytest.raises(ConnectError) as caught:
            await ways.race(*(ways.way(reason.name, 0.1, reason) for reason in reasons))
        assert caught.value.reason is telling
        assert caught.value.detail == telling.name


@skipping
async def test_two_results_at_the_same_moment() -> None:
    """One is returned and the other put away; a failure at that moment is not forgotten either."""
    ways = Ways()
    started = asyncio.Event()

    async def together(name: str) -> str:
        if name == "last":
            started.set()
        await started.wait()
        if name == "bad":
            raise ConnectError(Reason.NOBODY)
        return name

    names = ["one", "bad", "two", "last"]
    result = await ways.race(*(functools.partial(together, name) for name in names))
    assert sorted([result, *ways.discarded]) == ["last", "one", "two"]


@skipping
async def test_giving_up_gives_everything_up() -> None:
    ways = Ways()
    racing = asyncio.create_task(ways.race(ways.way("a", 100), ways.way("b", 100)))
    await asyncio.sleep(1)
    racing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await racing
    assert sorted(ways.cancelled) == ["a", "b"]


@skipping
async def test_a_bug_in_one_way_is_not_a_failure_to_connect() -> None:
    ways = Ways()

    async def bug() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ways.race(ways.way("a", 100), bug)
    assert ways.cancelled == ["a"]
