import asyncio
import gc
import threading
from collections.abc import Iterator

import pytest

from messenger.core.errors import StorageError
from messenger.storage.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("test storage")
    yield worker
    worker.close()


async def test_runs_on_one_other_thread_that_is_no_daemon(worker: Worker) -> None:
    threads = await asyncio.gather(*(worker.run(threading.current_thread) for _ in range(5)))
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()
    assert not threads[0].daemon
    assert threads[0].name.startswith("test storage")


async def test_returns_what_the_job_returns(worker: Worker) -> None:
    assert await worker.run(int, "ff", base=16) == 255


async def test_raises_what_the_job_raises(worker: Worker) -> None:
    with pytest.raises(ZeroDivisionError):
        await worker.run(divmod, 1, 0)
    assert await worker.run(divmod, 7, 2) == (3, 1)


async def test_jobs_run_in_the_order_in_which_they_came(worker: Worker) -> None:
    ran: list[int] = []
    await asyncio.gather(*(worker.run(ran.append, number) for number in range(200)))
    assert ran == list(range(200))


async def test_the_loop_goes_on_while_a_job_runs(worker: Worker) -> None:
    gate = threading.Event()
    job = asyncio.create_task(worker.run(gate.wait))
    await asyncio.sleep(0)
    gate.set()  # would never come if the job ran here
    assert await job


def test_works_from_several_loops(worker: Worker) -> None:
    def elsewhere() -> int:
        return asyncio.run(worker.run(threading.get_ident))

    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(elsewhere())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert len(set(results)) == 1


async def test_cancelling_does_not_lose_a_job(worker: Worker) -> None:
    gate, ran = threading.Event(), list[str]()
    running = asyncio.create_task(worker.run(gate.wait))
    waiting = asyncio.create_task(worker.run(ran.append, "written"))
    await asyncio.sleep(0)
    for task in (running, waiting):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ran == []
    gate.set()
    assert await worker.run(len, ran) == 1


async def test_a_failure_that_nobody_waits_for_is_told_to_the_loop(worker: Worker) -> None:
    told = list[BaseException | None]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context.get("exception")))
    gate = threading.Event()

    def fail() -> None:
        gate.wait()
        raise StorageError("nobody hears this")

    task = asyncio.create_task(worker.run(fail))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    await worker.run(len, "")  # came after it
    del task
    gc.collect()
    assert [str(error) for error in told] == ["nobody hears this"]


def test_a_job_outlives_its_loop(worker: Worker) -> None:
    gate, ran = threading.Event(), list[str]()

    async def give_up() -> None:
        blocked = asyncio.create_task(worker.run(gate.wait))
        task = asyncio.create_task(worker.run(ran.append, "written"))
        await asyncio.sleep(0)
        blocked.cancel()
        task.cancel()

    asyncio.run(give_up())
    gate.set()
    worker.close()
    assert ran == ["written"]


async def test_close_finishes_what_waits_and_takes_nothing_more() -> None:
    worker = Worker()
    gate, ran = threading.Event(), list[int]()
    jobs = [asyncio.create_task(worker.run(gate.wait))]
    jobs += [asyncio.create_task(worker.run(ran.append, number)) for number in range(20)]  # type: ignore[arg-type]
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(worker.close))
    gate.set()
    await closing
    assert ran == list(range(20))
    await asyncio.gather(*jobs)
    with pytest.raises(StorageError, match="ended"):
        await worker.run(ran.append, 99)
    worker.close()
    assert 99 not in ran
