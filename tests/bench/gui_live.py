"""A whole window with its engine, and somebody in another process who writes to it and sends it a file.

``python -m tests.bench.gui_live window FOLDER`` shows the window of a profile, lets it scroll while nothing
else happens, while 200 messages a second arrive, and while a file comes at full speed, and prints how long
the frames took, as JSON. A frame is one step of scrolling, from the moment at which it was due to its end: so
whatever else the thread of the window had to do is in it. ``…_cpu_ms`` is the most that this thread itself
used from the end of one frame to the end of the next, which does not depend on what else the machine does.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from tests.bench.report import Sample
from tests.helpers.engines import Person, prepare
from tests.helpers.keys import identity

A_SECOND: Final = 200
"""Messages that arrive."""
SPAN_S: Final = 5.0
"""Seconds of each part."""
BEFORE: Final = 600
"""Messages that are there to be scrolled through."""
FRAME_S: Final = 1 / 60
FILE: Final = 1 << 30
_ALICE, _BOB = "alice", "bob"


async def peer(folder: Path) -> None:
    """Write, and send a file, as the other process asks by a line each."""
    from messenger.core.models import Standing
    from messenger.engine.events import ContactChanged

    bob = Person(prepare(folder / _BOB, _BOB), _BOB)
    await bob.start()
    print(await bob.address(), flush=True)
    event = await bob.wait_for(ContactChanged, lambda e: e.contact.standing is Standing.REQUEST)
    there = event.contact.id
    await bob.engine.accept(there)
    for number in range(BEFORE):
        await bob.engine.send_text(there, f"message {number} of somebody who has much to tell")
    loop = asyncio.get_running_loop()
    while word := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        began = loop.time()
        if word == "file":
            await bob.engine.offer_files(there, [folder / "file.bin"])
        else:
            for number in range(round(A_SECOND * SPAN_S)):
                await asyncio.sleep(began + number / A_SECOND - loop.time())
                await bob.engine.send_text(there, f"and number {number}")
    await bob.engine.stop()


def window(folder: Path) -> Sample:
    """Show the window, and measure."""
    import PySide6  # noqa: F401 -- before qasync
    import qasync

    from messenger.gui.app import make_application

    loop = qasync.QEventLoop(make_application())
    asyncio.set_event_loop(loop)
    command = [sys.executable, "-m", "tests.bench.gui_live", "peer", str(folder)]
    pipe = subprocess.PIPE
    with loop, subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        found: Sample = loop.run_until_complete(_live(folder, other))
    return found


async def _live(folder: Path, other: subprocess.Popen[str]) -> Sample:
    from PySide6.QtWidgets import QApplication

    from messenger.core.ids import AttemptId
    from messenger.gui.bridge import Bridge
    from messenger.gui.engine_thread import EngineThread
    from messenger.gui.theme import Theme
    from messenger.gui.window import MainWindow

    assert other.stdin is not None
    assert other.stdout is not None
    with (folder / "file.bin").open("wb") as file:
        file.truncate(FILE)
    profile = prepare(folder / _ALICE, _ALICE, take_files="contacts", take_files_mib=2000)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    bridge = Bridge()
    shown = MainWindow(Theme(app), bridge, profile)
    thread = EngineThread(profile, bridge)
    shown.resize(1040, 900)
    shown.show()
    await thread.begin()
    await shown.start()
    await bridge.call(bridge.engine.set_download_folder, folder / "got")
    address = (await asyncio.to_thread(other.stdout.readline)).strip()
    fingerprint = identity(_BOB).signing.public.fingerprint
    contact = await bridge.call(bridge.engine.connect, address, AttemptId(1), fingerprint)
    page = shown.conversations
    assert page is not None
    page.show_conversation(contact.id)
    heard = asyncio.Event()
    bridge.events.connect(lambda _events: heard.set())
    while len(page.chat._reader.messages(contact.id, count=BEFORE)) < BEFORE:
        heard.clear()
        await heard.wait()
    result = _figures("frame_idle", await _frames(page.chat.view))
    for word, figure in (("talk", "frame_talk"), ("file", "frame_file")):
        print(word, file=other.stdin, flush=True)
        result |= _figures(figure, await _frames(page.chat.view))
    result["file_mib"] = sum(transfer.done for transfer in page.chat.files.book.all()) / 2**20
    print(file=other.stdin, flush=True)
    shown.quit()
    await thread.end()
    await shown.outside.close()
    return result


async def _frames(view: object) -> tuple[list[float], list[float]]:
    """Milliseconds of every frame for some seconds, and of what this thread used for it."""
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QAbstractScrollArea, QApplication

    assert isinstance(view, QAbstractScrollArea)
    spot, frames, cpu = QPointF(view.viewport().rect().center()), list[float](), list[float]()
    begun, used = time.perf_counter(), time.thread_time()
    due, way = begun + FRAME_S, 120
    while time.perf_counter() - begun < SPAN_S:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        event = QWheelEvent(
            spot, spot, QPoint(), QPoint(0, way), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,  # noqa: FBT003 -- Qt's signature
        )  # fmt: skip
        QApplication.sendEvent(view.viewport(), event)
        view.viewport().repaint()
        now, before, used = time.perf_counter(), used, time.thread_time()
        frames.append((now - due) * 1000)
        cpu.append((used - before) * 1000)
        way = -way if len(frames) % 60 == 0 else way
        due = max(due + FRAME_S, now)
    return frames, cpu


def _figures(name: str, measured: tuple[list[float], list[float]]) -> Sample:
    frames, cpu = measured
    return {
        f"{name}_median_ms": statistics.median(frames),
        f"{name}_max_ms": max(frames),
        f"{name}_cpu_ms": max(cpu),
    }


if __name__ == "__main__":
    if sys.argv[1] == "peer":
        asyncio.run(peer(Path(sys.argv[2])))
    else:
        print(msgspec.json.encode(window(Path(sys.argv[2]))).decode())
