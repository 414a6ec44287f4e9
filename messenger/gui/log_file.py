"""The log of the program: what happened when, for whoever looks for a fault; never who, what or where to.

It is a plain file in the profile folder, which no passphrase protects. So nothing gets into it but sentences
of our own source and the kinds of errors: no text of an error, no value of a variable, and of other libraries
only that they had something to say, and where in their source.
"""

import contextlib
import logging
import os
import queue
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from PySide6.QtCore import QObject, Slot

from messenger.core import window_limits
from messenger.core.models import Connecting, Offline, Online
from messenger.core.settings import LogLevel, Settings
from messenger.engine.events import (
    EngineFault,
    Event,
    IdentityElsewhere,
    ListeningChanged,
    Locked,
    LogDamaged,
    PresenceChanged,
    RelayChanged,
    SettingsChanged,
    TransferChanged,
)

NAME: Final = "sotto.log"
OLD: Final = "sotto.log.old"
"""What was written before; there is one."""

_HOUSE: Final = "messenger"
_LEVELS: Final = {
    LogLevel.FAULTS: logging.WARNING,
    LogLevel.STEPS: logging.INFO,
    LogLevel.EVERYTHING: logging.DEBUG,
}
_FAULTS: Final = (EngineFault, LogDamaged, IdentityElsewhere)
_STEPS: Final = (PresenceChanged, ListeningChanged, RelayChanged, TransferChanged, SettingsChanged, Locked)
_log = logging.getLogger(__name__)


class Discreet(logging.Formatter):
    """One line a record, the places of an error below it; nothing that came from outside the source."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record down."""
        when = time.strftime("%Y-%m-%d %H:%M:%S%z", time.localtime(record.created))
        ours = record.name == _HOUSE or record.name.startswith(f"{_HOUSE}.")
        said = record.getMessage() if ours else f"a message from {record.filename}:{record.lineno}"
        shown = "".join(sign if sign.isprintable() else " " for sign in said)
        lines = [f"{when} {record.levelname} {record.name}: {shown}"]
        if record.exc_info and record.exc_info[1] is not None:
            lines += _places(record.exc_info[1])
        return "\n".join(lines)


class LogFile(QObject):
    """Writes what the program logs, as much of it as was chosen, on a thread that begins with the first line.

    Args:
        folder: The profile folder; while it is not there, nothing is written.
        level: What was chosen when it was last known.
        parent: Owner, if any.
    """

    def __init__(self, folder: Path, level: str = "", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hand = _Hand(folder)
        self._house = logging.getLogger(_HOUSE)
        self._before = self._house.level
        logging.getLogger().addHandler(self._hand)
        last = logging.lastResort
        self._screen = None if logging.getLogger().handlers != [self._hand] else last
        if self._screen is not None:  # Python forgets the terminal as soon as there is another place
            logging.getLogger().addHandler(self._screen)
        self.choose(LogLevel(level) if level in set(LogLevel) else Settings().log)

    def choose(self, level: LogLevel) -> None:
        """Write so much from now on."""
        number = _LEVELS.get(level)
        self._hand.setLevel(logging.CRITICAL + 1 if number is None else number)
        self._house.setLevel(self._before if number is None else number)

    @Slot(object)
    def use(self, settings: Settings) -> None:
        """The settings are known, or others from now on."""
        self.choose(settings.log)

    @Slot(object)
    def take(self, events: tuple[Event, ...]) -> None:
        """Write down what the engine tells, without what it is about."""
        for event in events:
            level = logging.DEBUG
            if isinstance(event, _FAULTS):
                level = logging.WARNING
            elif isinstance(event, _STEPS):
                level = logging.INFO
            if _log.isEnabledFor(level):
                _log.log(level, "%s", told(event))

    def close(self) -> None:
        """Write what still waits, and no more; waits a moment for the disk."""
        for handler in (self._hand, self._screen):
            if handler is not None:
                logging.getLogger().removeHandler(handler)
        self._house.setLevel(self._before)
        self._hand.close()


def told(event: Event) -> str:
    """What happened, without who, what and where: a kind, and a state if it has one."""
    kind = type(event).__name__
    match event:
        case EngineFault(where=where, error=error):
            return f"{kind}: {where}, {error}"
        case PresenceChanged(presence=Online(route=route)):
            return f"{kind}: online, {route}"
        case PresenceChanged(presence=Offline(reason=reason)):
            return f"{kind}: offline" + (f", {reason}" if reason is not None else "")
        case PresenceChanged(presence=Connecting()):
            return f"{kind}: connecting"
        case ListeningChanged(listening=listening, reason=reason):
            state = "no" if listening is None else "yes"
            return f"{kind}: {state}" + (f", {reason}" if reason is not None else "")
        case RelayChanged(relay=relay):
            return f"{kind}: {type(relay.state).__name__}"
        case TransferChanged(transfer=transfer):
            return f"{kind}: {transfer.state.name.lower()}"
        case _:
            return kind


class _Hand(logging.Handler):
    """Takes records on any thread, and has one of its own write them: neither window nor network waits."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._lines: queue.Queue[str | None] = queue.Queue(window_limits.LOG_WAITING_MAX)
        self._writer: threading.Thread | None = None
        self._closed = False
        self.setFormatter(Discreet())

    def emit(self, record: logging.LogRecord) -> None:
        """Put a record in line; what finds no room is left out."""
        if self._closed:
            return
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(self.format(record))
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="log", daemon=True)
            self._writer.start()

    def close(self) -> None:
        """Take nothing more, and wait a moment for the disk."""
        self._closed = True
        if self._writer is not None:
            with contextlib.suppress(queue.Full):
                self._lines.put(None, timeout=window_limits.LOG_END_S)
            self._writer.join(window_limits.LOG_END_S)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError):  # it is full or gone; there is nobody to tell
                self._append(f"{line}\n")

    def _append(self, text: str) -> None:
        path = self._folder / NAME
        if path.exists() and path.stat().st_size > window_limits.LOG_MAX:
            path.replace(self._folder / OLD)
        with open(path, "a", encoding="utf-8", errors="replace", opener=_private) as file:
            file.write(text)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _places(error: BaseException) -> list[str]:
    """The kinds of an error and of those that led to it, each with lines of the source; never their words."""
    lines: list[str] = []
    seen: set[int] = set()
    now: BaseException | None = error
    while now is not None and id(now) not in seen:
        seen.add(id(now))
        lines.append(f"  {type(now).__qualname__}")
        lines += _frames(now.__traceback__)
        now = now.__cause__ or now.__context__
    return lines


def _frames(trace: TracebackType | None) -> list[str]:
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"    {Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-window_limits.LOG_FRAMES_MAX :]
