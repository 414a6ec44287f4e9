"""Measures how long the thread of the window is away from its events, however busy the machine is."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Self

from PySide6.QtCore import Qt, QTimer

_TASKS: Final = Path("/proc/self/task")
_MACHINE: Final = Path("/proc/stat")
_AT_ONCE: Final = 0.005
"""Seconds within which what is noted must have been read to be of one moment."""
_TRIES: Final = 5


class _Moment(NamedTuple):
    wall: float
    computed: float
    waited: dict[str, int]
    """Nanoseconds that each thread has waited for a processor, by its number."""
    stolen: float
    """Seconds in which a virtual machine was not let run."""


class Watchdog:
    """A timer that should fire every millisecond, and the longest time that it did not.

    Time in which a thread of this process was ready to run but the machine ran something else does
    not count (``/proc/self/task/*/schedstat``, second number), nor time in which a virtual machine was
    not let run itself (``/proc/stat``, eighth number): that is not the program's doing. What
    is left is computing, and waiting for something other than events. Where that cannot be told,
    because the system has no such numbers or a thread has ended with its own, only computing counts.
    """

    def __init__(self) -> None:
        self.worst = 0.0
        """Longest absence so far, seconds."""
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._before = _now()

    def __enter__(self) -> Self:
        self._before = _now()
        self._timer.start(1)
        return self

    def __exit__(self, *_error: object) -> None:
        self._tick()
        self._timer.stop()

    def _tick(self) -> None:
        before, now = self._before, _now()
        self._before = now
        away = now.computed - before.computed
        if now.waited and before.waited.keys() <= now.waited.keys():
            waited = sum(ns - before.waited.get(thread, 0) for thread, ns in now.waited.items()) / 1e9
            away = max(away, now.wall - before.wall - waited - (now.stolen - before.stolen))
        self.worst = max(self.worst, away)


def _now() -> _Moment:
    """A moment in which this thread was hardly interrupted while it was noted, the best of a few tries.

    Else an interruption by other work is in the time that has passed, and not yet in that which was waited.
    """
    tries: list[tuple[float, _Moment]] = []
    while len(tries) < _TRIES:
        begun = time.monotonic()
        moment = _looked()
        tries.append((moment.wall - begun, moment))
        if tries[-1][0] <= _AT_ONCE:
            break
    return min(tries, key=lambda one: one[0])[1]


def _looked() -> _Moment:
    waited: dict[str, int] = {}
    if _TASKS.is_dir():
        for task in _TASKS.iterdir():
            with suppress(OSError):  # it has just ended, or the system does not tell
                waited[task.name] = int((task / "schedstat").read_text().split()[1])
    return _Moment(time.monotonic(), time.thread_time(), waited, _stolen() if waited else 0.0)


def _stolen() -> float:
    of_all = _MACHINE.read_text().partition("\n")[0].split()
    return int(of_all[8]) / os.sysconf("SC_CLK_TCK")
