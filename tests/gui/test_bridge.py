"""The one crossing between threads: order, results, errors, cancelling, and the end."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from messenger.core.errors import (
    ConnectError,
    InputError,
    InputProblem,
    LocalProtocolError,
    ProfileInUse,
    Reason,
)
from messenger.core.models import ProfileStatus
from messenger.engine.engine import Engine
from messenger.engine.events import EngineFault, Event, RaiseWindow
from messenger.gui.bridge import Bridge
from messenger.gui.engine_thread import EngineThread
from tests.conftest import LogGuard
from tests.helpers.engines import prepare
from tests.helpers.gui import Hands


class Foreign:
    """A loop on a thread of its own, for work that is no engine's."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def foreign() -> Iterator[Foreign]:
    made = Foreign()
    yield made
    made.stop()


@pytest.fixture
def bridge(hands: Hands, foreign: Foreign, tmp_path: Path) -> Bridge:  # noqa: ARG001 -- a loop must run
    made = Bridge()
    made.attach(Engine(tmp_path, made.publish), foreign.loop)
    return made


def test_events_arrive_in_order_in_the_thread_of_the_window(
    bridge: Bridge, hands: Hands, foreign: Foreign
) -> None:
    seen: list[Event] = []
    threads: set[int] = set()

    def take(events: tuple[Event, ...]) -> None:
        seen.extend(events)
        threads.add(threading.get_ident())

    def publish() -> None:
        for number in range(1_000):
            bridge.publish(EngineFault(where="test", error=str(number)))

    bridge.events.connect(take)
    foreign.loop.call_soon_threadsafe(publish)
    hands.until(lambda: len(seen) == 1_000)
    assert [event.error for event in seen if isinstance(event, EngineFault)] == [str(n) for n in range(1_000)]
    assert threads == {threading.get_ident()}


def test_a_burst_comes_in_batches(bridge: Bridge, hands: Hands) -> None:
    batches: list[int] = []
    bridge.events.connect(lambda events: batches.append(len(events)))
    for _number in range(500):
        bridge.publish(RaiseWindow())
    hands.until(lambda: sum(batches) == 500)
    assert batches == [500]


def test_what_was_published_before_a_result_is_delivered_before_it(bridge: Bridge, hands: Hands) -> None:
    order: list[str] = []
    bridge.events.connect(lambda events: order.extend(["event"] * len(events)))

    async def work() -> str:
        bridge.publish(RaiseWindow())
        return "result"

    async def ask() -> None:
        order.append(await bridge.call(work))

    hands.run(ask())
    assert order == ["event", "result"]


def test_calls_run_on_the_other_thread_and_bring_arguments_and_errors(bridge: Bridge, hands: Hands) -> None:
    async def where(left: int, *, right: int) -> tuple[int, int]:
        return left + right, threading.get_ident()

    async def fail() -> None:
        raise ConnectError(Reason.NOBODY, "there")

    total, thread = hands.run(bridge.call(where, 1, right=2))
    assert total == 3
    assert thread != threading.get_ident()
    with pytest.raises(ConnectError) as caught:
        hands.run(bridge.call(fail))
    assert caught.value.reason is Reason.NOBODY


def test_giving_up_here_cancels_there(bridge: Bridge, hands: Hands) -> None:
    begun, cancelled = threading.Event(), threading.Event()

    async def forever() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def give_up() -> None:
        task = asyncio.create_task(bridge.call(forever))
        while not begun.is_set():  # noqa: ASYNC110 -- set on another thread
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    hands.run(give_up())
    hands.until(cancelled.is_set)


def test_work_that_is_cancelled_there_ends_here(bridge: Bridge, hands: Hands) -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(ConnectError) as caught:
        hands.run(bridge.call(cancelled))
    assert caught.value.reason is Reason.STOPPING


def test_nothing_passes_after_detaching(bridge: Bridge, hands: Hands) -> None:
    bridge.detach()
    with pytest.raises(ConnectError):
        _ = bridge.engine

    async def work() -> None:
        pytest.fail("it ran")

    with pytest.raises(ConnectError) as caught:
        hands.run(bridge.call(work))
    assert caught.value.reason is Reason.STOPPING


def test_the_engine_lives_on_a_thread_and_ends_with_it(hands: Hands, tmp_path: Path) -> None:
    bridge = Bridge()
    thread = EngineThread(tmp_path / "new", bridge)
    hands.run(thread.begin())
    assert hands.run(bridge.call(bridge.engine.status)) is ProfileStatus.NEW
    with pytest.raises(LocalProtocolError):
        hands.run(bridge.call(bridge.engine.me))
    assert hands.run(thread.end())
    assert thread.isFinished()
    assert hands.run(thread.end()), "ending twice is harmless"
    again = EngineThread(tmp_path / "new", Bridge())
    assert hands.run(again.end()), "ending without a beginning is harmless"


def test_a_second_engine_on_one_profile_is_refused(hands: Hands, tmp_path: Path) -> None:
    prepare(tmp_path / "alice", "alice")
    first, second = Bridge(), Bridge()
    threads = [EngineThread(tmp_path / "alice", bridge) for bridge in (first, second)]
    for thread in threads:
        hands.run(thread.begin())
    assert hands.run(first.call(first.engine.status)) is ProfileStatus.READY
    with pytest.raises(ProfileInUse):
        hands.run(second.call(second.engine.status))
    for thread in threads:
        assert hands.run(thread.end())


def test_an_engine_that_cannot_be_made_is_reported(
    hands: Hands, tmp_path: Path, logs: LogGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.expect("the engine's thread failed")
    monkeypatch.setitem(sys.modules, "messenger.engine.engine", None)  # a broken installation
    thread = EngineThread(tmp_path, Bridge())
    with pytest.raises(ModuleNotFoundError):
        hands.run(thread.begin())
    assert hands.run(thread.end())


def test_ending_while_calls_run_ends_them(hands: Hands, tmp_path: Path) -> None:
    prepare(tmp_path / "alice", "alice")
    bridge = Bridge()
    thread = EngineThread(tmp_path / "alice", bridge)
    hands.run(thread.begin())
    hands.run(bridge.call(bridge.engine.status))
    hands.run(bridge.call(bridge.engine.open))

    async def forever() -> None:
        await asyncio.Event().wait()

    async def wait() -> Reason | None:
        try:
            await bridge.call(forever)
        except ConnectError as e:
            return e.reason
        return None

    waiting = asyncio.get_running_loop().create_task(wait())
    assert hands.run(thread.end())
    hands.until(waiting.done)
    assert waiting.result() is Reason.STOPPING


def test_a_wrong_argument_crosses_as_an_error(hands: Hands, tmp_path: Path) -> None:
    prepare(tmp_path / "alice", "alice")
    bridge = Bridge()
    thread = EngineThread(tmp_path / "alice", bridge)
    hands.run(thread.begin())
    hands.run(bridge.call(bridge.engine.status))
    hands.run(bridge.call(bridge.engine.open))
    with pytest.raises(InputError):
        hands.run(bridge.call(bridge.engine.set_name, "   "))
    assert hands.run(thread.end())


def test_what_is_posted_runs_though_nobody_waits(bridge: Bridge, hands: Hands, logs: LogGuard) -> None:
    logs.expect("what the window asked for failed")
    done: list[int] = []

    async def work(number: int) -> None:
        done.append(number)

    async def fail() -> None:
        done.append(3)
        raise ValueError("a mistake of ours")

    async def refuse() -> None:
        done.append(2)
        raise InputError(InputProblem.UNKNOWN)

    bridge.post(work, 1)
    bridge.post(refuse)
    bridge.post(fail)
    hands.run(bridge.call(work, 4))
    assert done == [1, 2, 3, 4]
    bridge.detach()
    bridge.post(work, 5)
    assert done == [1, 2, 3, 4], "there is nobody to do it"
