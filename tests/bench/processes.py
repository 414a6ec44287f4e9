"""What the system says of a server in a process of its own."""

import contextlib
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.report import Sample

if TYPE_CHECKING:
    import subprocess


class Watched:
    """A server that a benchmark started, and its port."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process = process
        self.port = port

    def cpu(self) -> float:
        """CPU seconds of all its threads."""
        return sum(int((task / "schedstat").read_text().split()[0]) for task in self._tasks()) / 1e9

    @contextlib.contextmanager
    def on_one_processor(self) -> Iterator[None]:
        """The server shares a processor with the thread that asks."""
        allowed = os.sched_getaffinity(0)
        self._place({min(allowed)})
        try:
            yield
        finally:
            self._place(allowed)

    def _place(self, processors: set[int]) -> None:
        for task in (0, *(int(task.name) for task in self._tasks())):
            os.sched_setaffinity(task, processors)

    def _tasks(self) -> Iterator[Path]:
        return Path(f"/proc/{self.process.pid}/task").iterdir()

    def rss_kib(self) -> float:
        """Its memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def one_at_a_time(server: Watched, exchange: Callable[[], None], count: int) -> Sample:
    """CPU of the server for a message, one after the other.

    Args:
        server: Who passes it on.
        exchange: One message: sent, brought, acknowledged and its writer told.
        count: How many; a tenth more come first and are not counted.

    Returns:
        `cpu_us_rtt`, server and clients on one processor: what the server does. `cpu_us_rtt_apart`, wherever
        the system puts them: with it, what it costs to wake up a processor that sleeps, and to start again
        with cold caches, which depends on the computer and on what else that does.
    """
    figures: Sample = {}
    places: dict[str, contextlib.AbstractContextManager[None]] = {
        "cpu_us_rtt": server.on_one_processor(),
        "cpu_us_rtt_apart": contextlib.nullcontext(),
    }
    for figure, place in places.items():
        with place:
            for _ in range(count // 10):
                exchange()
            before = server.cpu()
            for _ in range(count):
                exchange()
            figures[figure] = (server.cpu() - before) / count * 1e6
    return figures


def files_for(clients: int) -> None:
    """Let this process, and those that it starts, have enough open files; as far as the system lets us."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * clients + 1024
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == -1 else min(hard, wanted), hard))
