"""The window beside qTox: what starting costs, its memory, and how it moves through a long history.

Each program starts on a profile of its own on a display of this benchmark (Xvfb). ``start_cpu_s``: CPU
seconds of all its processes in the first four seconds. ``start_wall_s``: until its window can be seen; for
sotto until the conversations can be, by the title; the four seconds if it takes longer. ``rss_mib``: memory
of all its processes then, shared pages counted once for each process. ``open_1m_ms``: a conversation of a
million messages is opened and painted. ``frame_median_ms``, ``frame_max_ms``: one step of scrolling, painted.

qTox is measured at its first window, which asks for a profile. Making the million messages takes two minutes.
"""

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from tests.bench.report import Case, Sample, measure, options

ROOT: Final = Path(__file__).parents[2]
SPAN_S: Final = 4.0
"""Seconds over which the start is measured."""
STEPS: Final = 200
"""Steps of scrolling."""
_LOOK_S: Final = 0.02
_TICK: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def display() -> Iterator[str]:
    """A display of its own: its name."""
    receive, send = os.pipe()
    command = ["Xvfb", "-displayfd", str(send), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(send,), stderr=subprocess.DEVNULL)
    os.close(send)
    with os.fdopen(receive) as pipe:
        name = f":{pipe.readline().strip()}"
    try:
        yield name
    finally:
        server.terminate()
        server.wait()


def family(first: int) -> list[int]:
    """A process and all that it started."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found, waiting = [], [first]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children.get(one, [])
    return found


def used(processes: list[int]) -> tuple[float, float]:
    """CPU seconds, with those of children that have ended, and MiB of memory."""
    cpu = memory = 0.0
    for process in processes:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            cpu += sum(int(field) for field in fields[11:15]) / _TICK
            memory += int(fields[21]) * _PAGE / 2**20
    return cpu, memory


def start(command: list[str], title: str, environment: dict[str, str]) -> Sample:
    """Start a program and look at it for four seconds."""
    began = time.perf_counter()
    program = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    seen = SPAN_S
    while (now := time.perf_counter() - began) < SPAN_S:
        if seen == SPAN_S:
            look = ["xdotool", "search", "--onlyvisible", "--name", title]
            if subprocess.run(look, env=environment, capture_output=True, check=False).returncode == 0:
                seen = now
        time.sleep(_LOOK_S)
    cpu, memory = used(family(program.pid))
    program.terminate()
    program.wait()
    return {"start_cpu_s": cpu, "start_wall_s": seen, "rss_mib": memory}


def sotto(shown: str, history: Path) -> Sample:
    """Start on a profile that is there, then move through a million messages."""
    from tests.helpers.engines import prepare

    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder) / "alice", "alice")
        environment = surroundings(shown, Path(folder))
        command = [sys.executable, "-P", "-m", "messenger", "--profile", str(Path(folder) / "alice")]
        sample = start(command, "^Alice · Sotto$", {**environment, "PYTHONPATH": str(ROOT)})
        scene = [sys.executable, "-m", "tests.bench.gui", "scene", str(history)]
        done = subprocess.run(scene, env=environment, cwd=ROOT, capture_output=True, check=True)
        return sample | msgspec.json.decode(done.stdout, type=dict[str, float])


def qtox(shown: str) -> Sample:
    """Start without a profile."""
    with tempfile.TemporaryDirectory() as folder:
        return start(["qtox"], "qTox", surroundings(shown, Path(folder)))


def surroundings(shown: str, home: Path) -> dict[str, str]:
    """An environment without anything of whoever runs this."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **kept,
        "DISPLAY": shown,
        "HOME": str(home),
        "QT_QPA_PLATFORM": "xcb",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "SOTTO_LANGUAGE": "en",
    }


def scene(path: Path) -> Sample:
    """Open the long conversation and scroll through it, in this process."""
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent

    from messenger.core.ids import ConversationId
    from messenger.gui.app import make_application
    from messenger.gui.theme import Theme
    from messenger.gui.timeline_model import TimelineModel
    from messenger.gui.timeline_view import TimelineView
    from messenger.storage.reader import Reader
    from tests.bench.history import KEY

    app = make_application()
    reader = Reader.open(path, KEY)
    model = TimelineModel(reader)
    view = TimelineView(Theme(app), model)
    view.resize(900, 1000)
    view.show()
    app.processEvents()
    began = time.perf_counter()
    model.open(ConversationId(1), "Bob")
    app.processEvents()
    view.viewport().repaint()
    opened = (time.perf_counter() - began) * 1000
    frames = []
    spot = QPointF(view.viewport().rect().center())
    for _ in range(STEPS):
        event = QWheelEvent(
            spot, spot, QPoint(), QPoint(0, 360), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,  # noqa: FBT003 -- Qt's signature
        )  # fmt: skip
        began = time.perf_counter()
        app.sendEvent(view.viewport(), event)
        app.processEvents()
        view.viewport().repaint()
        frames.append((time.perf_counter() - began) * 1000)
    reader.close()
    return {
        "open_1m_ms": opened,
        "frame_median_ms": statistics.median(frames),
        "frame_max_ms": max(frames),
    }


def main() -> None:
    """Make the messages, then run all in turn."""
    chosen = options(__doc__ or "")
    if not (shutil.which("Xvfb") and shutil.which("xdotool")):
        raise SystemExit("this needs Xvfb and xdotool")
    units = {
        "start_cpu_s": "s",
        "start_wall_s": "s",
        "rss_mib": "MiB",
        "open_1m_ms": "ms",
        "frame_median_ms": "ms",
        "frame_max_ms": "ms",
    }
    with tempfile.TemporaryDirectory() as folder, display() as shown:
        history = Path(folder) / "history.db"
        subprocess.run([sys.executable, "-m", "tests.bench.history", "build", str(history)], check=True)
        cases = [
            Case("sotto", lambda: sotto(shown, history)),
            Case("qtox", (lambda: qtox(shown)) if shutil.which("qtox") else None),
        ]
        measure(cases, units, runs=chosen.runs, as_json=chosen.json)


if __name__ == "__main__":
    if sys.argv[1:2] == ["scene"]:
        print(msgspec.json.encode(scene(Path(sys.argv[2]))).decode())
    else:
        main()
