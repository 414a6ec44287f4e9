"""Signals that ask the program to end, as a signal of Qt: Ctrl-C, the end of the session, kill."""

import os
import signal
import sys
from types import FrameType
from typing import Final

from PySide6.QtCore import QObject, QSocketNotifier, Signal, Slot

_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class SignalWatch(QObject):
    """Emits `caught` for every signal to end, from when it is made until `stop`; one at a time.

    Python sees a signal only when it runs, which it does not while Qt waits for events; a pipe
    that Qt watches wakes both. On Windows, where there is nothing to watch, nothing is changed.
    """

    caught = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._pipe: tuple[int, int] | None = None
        if sys.platform == "win32":
            return
        self._pipe = os.pipe()
        for end in self._pipe:
            os.set_blocking(end, False)
        self._notifier = QSocketNotifier(self._pipe[0], QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_woken)
        self._wakeup_before = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, _seen) for number in _SIGNALS}

    def stop(self) -> None:
        """Leave signals to whoever had them before."""
        if self._pipe is None:
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._notifier.setEnabled(False)
        for end in self._pipe:
            os.close(end)
        self._pipe = None

    @Slot()
    def _on_woken(self) -> None:
        if self._pipe is not None and any(byte in _SIGNALS for byte in os.read(self._pipe[0], 64)):
            self.caught.emit()


def _seen(_number: int, _frame: FrameType | None) -> None:
    """The byte in the pipe says all."""
