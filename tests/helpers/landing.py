"""Trees of files that come, and programs that let them come and are killed or run out of room.

``python -m tests.helpers.landing PROGRAM FOLDER KEY`` runs one of `PROGRAMS`; see `tests.helpers.storage`.
"""

import os
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from messenger.core.errors import DiskFull
from messenger.core.file_entries import Entry, check
from messenger.storage.landing import Landing, discard
from tests.helpers.storage import file_system, remount_read_only, report, report_outcome

TRANSFER: Final = bytes(range(16))
HIDDEN: Final = f".sotto-{TRANSFER.hex()}.part"
MODIFIED: Final = 1_700_000_000_123


def file(*path: str, size: int = 0, executable: bool = False) -> Entry:
    return Entry(path, size, MODIFIED, executable=executable, folder=False)


def folder(*path: str) -> Entry:
    return Entry(path, 0, MODIFIED, executable=False, folder=True)


def tree(seed: int, count: int) -> tuple[list[Entry], bytes]:
    """A list of outermost files and folders with files of many sizes, and their stream."""
    chance = random.Random(seed)
    entries: list[Entry] = []
    folders: list[tuple[str, ...]] = [()]
    for number in range(count):
        path = (*chance.choice(folders), f"{number:03}.dat")
        if chance.random() < 0.2 and len(path) < 6:
            entries.append(folder(*path))
            folders.append(path)
        else:
            size = chance.choice((0, 1, 100, chance.randint(0, 5000), chance.randint(0, 200_000)))
            entries.append(file(*path, size=size, executable=chance.random() < 0.3))
    check(entries)
    stream = bytearray(chance.randbytes(sum(entry.size for entry in entries)))
    for _ in range(3):
        begin = chance.randrange(len(stream) + 1)
        zeros = min(chance.randint(0, 100_000), len(stream) - begin)
        stream[begin : begin + zeros] = bytes(zeros)
    return entries, bytes(stream)


def contents(destination: Path) -> dict[str, bytes | None]:
    """All that is in a folder: files with what is in them, folders with None."""
    return {
        path.relative_to(destination).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in destination.rglob("*")
    }


def expected(entries: Sequence[Entry], stream: bytes) -> dict[str, bytes | None]:
    """What `contents` says of a tree with harmless names that has arrived."""
    found: dict[str, bytes | None] = {}
    at = 0
    for entry in entries:
        found["/".join(entry.path)] = None if entry.folder else stream[at : at + entry.size]
        at += entry.size
    return found


def land(place: Path, _key: bytes) -> None:
    """Go on with a transfer, with a journal in a file, until it is done; meant to be killed."""
    chance = random.Random(os.urandom(8))
    entries, stream = tree(1, 400)
    downloads, journal = place / "downloads", place / "journal"
    lines = journal.read_text().splitlines() if journal.exists() else []
    report("start")
    if "finished" not in lines:
        if lines:
            at = int(lines[-1])
            landing = Landing.reopen(downloads, TRANSFER, entries, [(0, at)])
        else:
            at = 0
            landing = Landing.create(downloads, TRANSFER, entries)
            _append(journal, "0")
        view = memoryview(stream)
        while at < landing.size:
            for _ in range(chance.randint(1, 5)):
                size = min(chance.choice((1, 1000, 65536, 300_000)), landing.size - at)
                landing.write(at, view[at : at + size])
                at += size
            landing.sync()
            _append(journal, str(at))
            report(f"at {at}")
        report("finishing")
        landing.finish()
        _append(journal, "finished")
        landing.close()
    report("finished")
    discard(downloads, TRANSFER)
    report("done")


def _append(journal: Path, line: str) -> None:
    with journal.open("ab", buffering=0) as lines:
        lines.write(f"{line}\n".encode())


def _fill(place: Path) -> Path:
    filling = place / "filling"
    with filling.open("wb", buffering=0) as content:
        try:
            while True:
                content.write(bytes(4096))
        except OSError:
            report("full")
    return filling


def full(place: Path, _key: bytes) -> None:
    """A disk that is full at different moments."""
    entries = [
        folder("a"),
        file("a", "big", size=3_000_000),
        *(file("a", f"{n}", size=5000) for n in range(40)),
    ]
    stream = random.Random(0).randbytes(3_200_000)
    with file_system(place, "size=4m,nr_inodes=60"):
        filling = _fill(place)
        filling.write_bytes(bytes(2_000_000))
        landing = Landing.create(place, TRANSFER, entries)
        at = 0
        view = memoryview(stream)
        try:
            while True:
                landing.write(at, view[at : at + 50_000])
                landing.sync()
                at += 50_000
        except DiskFull:
            report(f"writing DiskFull {at > 1_000_000}")
        filling.unlink()
        landing.close()
        landing = Landing.reopen(place, TRANSFER, entries, [(0, at)])
        landing.write(at, view[at:])
        landing.sync()
        filling = _fill(place)
        report_outcome("finishing", lambda: report(f"{landing.finish()}"))
        report(f"seen {[path.name for path in place.iterdir() if path.name != HIDDEN]}")
        filling.unlink()
        report_outcome("finishing", lambda: report(f"{[path.name for path in landing.finish()]}"))
        landing.close()
        discard(place, TRANSFER)
        report(f"whole {contents(place) == expected(entries, stream)}")
        for number in range(60):
            if len(list(place.iterdir())) + 42 < 58:
                (place / f"node {number}").touch()
        _out_of_inodes(place, entries)
        report(f"left over {[path.name for path in place.iterdir() if path.name.startswith('.')]}")


def _out_of_inodes(place: Path, entries: Sequence[Entry]) -> None:
    def write() -> None:
        with Landing.create(place, TRANSFER, entries) as landing:
            for at in range(0, landing.size, 1000):
                landing.write(at, memoryview(bytes(1000)))

    report_outcome("no more names", write)
    discard(place, TRANSFER)


def read_only(place: Path, _key: bytes) -> None:
    """A disk that cannot be written to, from the beginning and in the middle."""
    entries = [file("a", size=10), file("b", size=10)]
    with file_system(place, "size=4m"):
        landing = Landing.create(place, TRANSFER, entries)
        landing.write(0, memoryview(bytes(10)))
        landing.sync()
        landing.close()
        remount_read_only(place)
        report_outcome("creating", lambda: Landing.create(place, bytes(16), entries).close())
        report_outcome("reopening", lambda: Landing.reopen(place, TRANSFER, entries, [(0, 10)]).close())
        report_outcome("removing", lambda: discard(place, TRANSFER))


PROGRAMS: Final[dict[str, Callable[[Path, bytes], None]]] = {
    function.__name__: function for function in (land, full, read_only)
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](Path(sys.argv[2]), bytes.fromhex(sys.argv[3]))
