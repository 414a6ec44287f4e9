"""The window beside qTox: what starting costs, its memory, and how it moves through a long history.

Each program starts on a profile of its own on a display of this benchmark (Xvfb). ``start_cpu_s``: CPU
seconds of all its processes in the first four seconds. ``start_wall_s``: until its window can be seen; for
sotto until the conversations can be, by the title; the four seconds if it takes longer. ``rss_mib``: memory
of all its processes then, shared pages counted once for each process; ``pss_mib``: each counted once among
all that have it. ``open_1k_ms``, ``open_100k_ms``, ``open_1m_ms``: a conversation of so many messages is
opened and painted. ``frame_median_ms``, ``frame_max_ms``: one step of scrolling, painted. ``switch_mib``: by
how much the memory grows while conversations are changed a thousand times, after a hundred times. The other
frames are those of `tests.bench.gui_live`: with a whole window, at rest, while 200 messages a second arrive,
while a file comes.

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

from messenger.core.ids import Fingerprint, MessageId
from messenger.core.models import Standing
from messenger.storage.store import Store
from tests.bench.history import APART_MS, BATCH, KEY, START_MS
from tests.bench.report import Case, Sample, measure, options

ROOT: Final = Path(__file__).parents[2]
SPAN_S: Final = 4.0
"""Seconds over which the start is measured."""
STEPS: Final = 200
"""Steps of scrolling."""
SWITCHES: Final = 1000
PEOPLE: Final = 20
"""Conversations between which is changed: all that the history has."""
LENGTHS: Final = {"1k": 1_000, "100k": 100_000}
"""Conversations that are made beside those of the history."""
_LOOK_S: Final = 0.02
_TICK: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def display() -> Iterator[str]:
    """A display of its own: its name."""
    receive, send = os.pipe()
    command = ["Xvfb", "-displayfd", str(send), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]
    command.append("-noreset")  # else it begins anew when its last client leaves, and refuses the next
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


def used(processes: list[int]) -> tuple[float, float, float]:
    """CPU seconds, with those of children that have ended; MiB of memory, shared pages each time and once."""
    cpu = memory = shared = 0.0
    for process in processes:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            cpu += sum(int(field) for field in fields[11:15]) / _TICK
            memory += int(fields[21]) * _PAGE / 2**20
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            shared += next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1024
    return cpu, memory, shared


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
    cpu, memory, shared = used(family(program.pid))
    program.terminate()
    program.wait()
    return {"start_cpu_s": cpu, "start_wall_s": seen, "rss_mib": memory, "pss_mib": shared}


def sotto(shown: str, history: Path) -> Sample:
    """Start on a profile that is there, then move through a million messages."""
    from tests.helpers.engines import prepare

    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder) / "alone", "alice")
        environment = surroundings(shown, Path(folder))
        command = [sys.executable, "-P", "-m", "messenger", "--profile", str(Path(folder) / "alone")]
        sample = start(command, "^Alice · Sotto$", {**environment, "PYTHONPATH": str(ROOT)})
        scene = [sys.executable, "-m", "tests.bench.gui", "scene", str(history)]
        done = subprocess.run(scene, env=environment, cwd=ROOT, capture_output=True, check=True)
        sample |= msgspec.json.decode(done.stdout, type=dict[str, float])
        live = [sys.executable, "-m", "tests.bench.gui_live", "window", folder]
        done = subprocess.run(
            live, env={**environment, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True, check=True
        )
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


def lengthen(path: Path) -> None:
    """Add conversations of other lengths, after those of the history."""
    store = Store.open(path, KEY)
    store._database.rows("PRAGMA synchronous = OFF")
    for place, count in enumerate(LENGTHS.values(), PEOPLE + 1):
        key = Fingerprint(bytes((place,)) * 32)
        person = store.contacts.add(key, name=f"{count}", standing=Standing.ACCEPTED, now_ms=place)
        for begin in range(0, count, BATCH):
            with store.transaction():
                for number in range(begin, min(count, begin + BATCH)):
                    id_, at = MessageId(number.to_bytes(16, "big")), START_MS + number * APART_MS
                    words = f"message {number} of {count}"
                    store.messages.add_incoming(person.id, id_, number + 1, bytes(32), words, at, at, at)
        store.messages.mark_seen(person.id, 2**63 - 1)
    store.close()


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

    app = make_application()
    reader = Reader.open(path, KEY)
    model = TimelineModel(reader)
    view = TimelineView(Theme(app), model)
    view.resize(900, 1000)
    view.show()
    app.processEvents()

    def turn_to(number: int) -> float:
        began = time.perf_counter()
        model.open(ConversationId(number), "Bob")
        app.processEvents()
        view.viewport().repaint()
        return (time.perf_counter() - began) * 1000

    ways = [("1m", 1), *((name, place) for place, name in enumerate(LENGTHS, PEOPLE + 1))]
    opened = {f"open_{name}_ms": turn_to(number) for name, number in ways}
    turn_to(1)
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
    for number in range(100):
        turn_to(1 + number % PEOPLE)
    _cpu, before, _shared = used([os.getpid()])
    for number in range(SWITCHES):
        turn_to(1 + number % PEOPLE)
    _cpu, after, _shared = used([os.getpid()])
    reader.close()
    return {
        **opened,
        "switch_mib": after - before,
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
        "pss_mib": "MiB",
        "open_1k_ms": "ms",
        "open_100k_ms": "ms",
        "open_1m_ms": "ms",
        "frame_median_ms": "ms",
        "frame_max_ms": "ms",
        "switch_mib": "MiB",
        **{
            f"frame_{part}_{kind}_ms": "ms"
            for part in ("idle", "talk", "file")
            for kind in ("median", "max", "cpu")
        },
    }
    with tempfile.TemporaryDirectory() as folder, display() as shown:
        history = Path(folder) / "history.db"
        subprocess.run([sys.executable, "-m", "tests.bench.history", "build", str(history)], check=True)
        lengthen(history)
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
