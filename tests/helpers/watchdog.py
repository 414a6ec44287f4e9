"""Measures how long the thread of the window is away from its events, however busy the machine is."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from PySide6.QtCore import Qt, QTimer

_TASKS: Final = Path("/proc/self/task")


class Watchdog:
    """A timer that should fire every millisecond, and the longest time that it did not.

    Time in which a thread of this process was ready to run but the machine ran something else does
    not count (``/proc/self/task/*/schedstat``, second number): that is not the program's doing. What
    is left is computing, and waiting for something other than events. Where the system does not tell,
    only computing counts.
    """

    def __init__(self) -> None:
        self.worst = 0.0
        """Longest absence so far, seconds."""
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._before = self._now()

    def __enter__(self) -> Self:
        self._before = self._now()
        self._timer.start(1)
        return self

    def __exit__(self, *_error: object) -> None:
        self._tick()
        self._timer.stop()

    def _tick(self) -> None:
        now = self._now()
        wall, waited = now[0] - self._before[0], max(0.0, now[1] - self._before[1])
        self.worst = max(self.worst, wall - waited)
        self._before = now

    @staticmethod
    def _now() -> tuple[float, float]:
        """The time, and how long all threads have waited for a processor."""
        if not Path("/proc/self/schedstat").exists():
            return time.thread_time(), 0.0
        waited = 0
        for task in _TASKS.iterdir():
            with suppress(OSError):  # it has just ended
                waited += int((task / "schedstat").read_text().split()[1])
        return time.monotonic(), waited / 1e9
