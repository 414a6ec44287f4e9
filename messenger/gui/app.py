"""Starts the window on a profile: application, theme, window, engine thread, in this order."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import PySide6  # noqa: F401 -- before qasync, which uses the Qt binding that is there
import qasync
from PySide6.QtCore import Qt, qInstallMessageHandler
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from messenger import __version__
from messenger.gui import icons
from messenger.gui.bridge import Bridge
from messenger.gui.collector import Collector
from messenger.gui.engine_thread import EngineThread
from messenger.gui.language import speak
from messenger.gui.log_file import LogFile
from messenger.gui.remembered import Remembered
from messenger.gui.signal_watch import SignalWatch
from messenger.gui.theme import Theme
from messenger.gui.window import MainWindow
from messenger.gui.zoom import NORMAL, before_start, bounded
from messenger.text.catalogue import MIRRORED

T = TypeVar("T")

_PAINTED: Final = 1.0
"""Seconds after which the engine is started even if the window could not be painted."""

STUCK: Final = 70
"""Exit code when the engine's thread did not end in time (EX_SOFTWARE of sysexits.h)."""

DISPLAY_GONE: Final = 1
"""Exit code when the display went away; that of Qt itself."""


def make_application(zoom: int = NORMAL) -> QApplication:
    """The application, of which there is one in a process.

    Args:
        zoom: The size of everything, in percent.
    """
    before_start(zoom)
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication(sys.argv[:1])
    app.setApplicationName("sotto")
    app.setApplicationDisplayName("Sotto")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("sotto")
    app.setWindowIcon(icons.app_icon())
    speak(app)
    if MIRRORED:
        app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    app.setQuitOnLastWindowClosed(False)
    Collector(app)
    return app


def make_loop(app: QApplication) -> qasync.QEventLoop:
    """Asyncio on the loop of Qt.

    What `asyncio.to_thread` gets runs on one thread, which is started when it is first needed; left alone,
    qasync starts ten.
    """
    loop = qasync.QEventLoop(app)
    loop.set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="window"))
    return loop


def run_to_end(
    loop: qasync.QEventLoop, work: Coroutine[Any, Any, T], leave: Callable[[], object]
) -> tuple[T, bool]:
    """Run a coroutine until it is done, also if the display goes away meanwhile.

    Qt leaves its loop when the X server ends, and again soon after every further start of it; but each time
    it does some of what waits. So the program can end as if it were asked to.

    Args:
        loop: See `make_loop`.
        work: What to run.
        leave: Called without a display: ``work`` shall come to its end.

    Returns:
        Its result, and whether the display was there all the time.
    """
    task = loop.create_task(work)
    task.add_done_callback(lambda _task: loop.stop())
    loop.run_forever()
    if task.done():
        return task.result(), True
    from messenger.text import terminal as words

    with contextlib.suppress(OSError):  # nobody can read it
        print(words.DISPLAY_GONE, file=sys.stderr, flush=True)
    qInstallMessageHandler(lambda *_about: None)  # it would say at each start that the display is gone
    loop.call_soon(leave)
    while not task.done():
        loop.run_forever()
    return task.result(), False


def run_window(folder: Path, link: str = "") -> int:
    """Show the window of a profile until it is closed.

    If the program runs on this profile already, its window is raised instead.

    Args:
        folder: The profile folder; made when it is missing.
        link: A link to follow, or nothing.

    Returns:
        The exit code of the program.
    """
    from messenger.control import raise_running

    if raise_running(folder, link):
        return 0
    remembered = Remembered(folder)
    zoom = bounded(remembered.text("zoom"))
    log = LogFile(folder, remembered.text("log"))
    app = make_application(zoom)
    loop = make_loop(app)
    asyncio.set_event_loop(loop)
    signals = SignalWatch()
    clean, seen = run_to_end(loop, _run(app, folder, zoom, log, link, signals), signals.caught.emit)
    signals.stop()
    loop.close()
    log.close()
    return end_process(clean=clean, seen=seen)


def end_process(*, clean: bool, seen: bool) -> int:
    """End at once where that is needed; all is on the disk.

    Args:
        clean: Whether every thread has ended: one that hangs in a system call would keep the program alive.
        seen: Whether there is a display: without it, what Qt does at its end may not come to one.

    Returns:
        The exit code of the program: 0.
    """
    if clean and seen:
        return 0
    logging.shutdown()
    os._exit(DISPLAY_GONE if clean else STUCK)


async def _run(
    app: QApplication, folder: Path, zoom: int, log: LogFile, link: str, signals: SignalWatch
) -> bool:
    """Show the window first, then start the engine; stop it when the window is closed."""
    loop = asyncio.get_running_loop()
    bridge = Bridge()
    window = MainWindow(Theme(app, zoom=zoom), bridge, folder)
    window.settled.connect(log.use)
    bridge.events.connect(log.take)
    window.follow(link)
    thread = EngineThread(folder, bridge)
    painted: asyncio.Future[None] = loop.create_future()
    closed: asyncio.Future[None] = loop.create_future()
    window.painted.connect(lambda: painted.set_result(None))
    window.closing.connect(lambda: closed.set_result(None))
    window.held.connect(lambda: window.tasks.start(thread.answer_second_starts(), name="control socket"))
    signals.caught.connect(window.quit)
    window.outside.show_first()
    await asyncio.wait({painted, closed}, timeout=_PAINTED, return_when=asyncio.FIRST_COMPLETED)
    window.tasks.start(_open(window, thread), name="start the engine")
    await closed
    ended = await thread.end()
    await window.outside.close()
    return ended


async def _open(window: MainWindow, thread: EngineThread) -> None:
    await thread.begin()
    await window.start()
