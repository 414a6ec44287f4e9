"""Files that come: where they are written, what survives, and how they get to their place."""

import os
import random
import stat
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messenger.core import file_limits
from messenger.core.errors import DestinationGone, StagingLost, StorageBug, StorageError
from messenger.core.file_entries import Entry
from messenger.storage import landing_disk, landing_place, landing_tree
from messenger.storage.landing import Landing, discard, room
from messenger.storage.landing_place import Place
from tests.helpers.landing import HIDDEN, MODIFIED, TRANSFER, contents, expected, file, folder, tree

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such links or rights")
BIG = 2_000_000


@pytest.fixture(params=[True, False], ids=["handles", "paths"], autouse=True)
def by_handle(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Every test runs as on Windows too, where folders have no handles."""
    if request.param and not landing_place.BY_HANDLE:
        pytest.skip("this system has no handles of folders")
    monkeypatch.setattr(landing_place, "BY_HANDLE", request.param)
    return bool(request.param)


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    path = tmp_path / "downloads"
    path.mkdir()
    return path


def names_in(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


def landed(destination: Path, entries: list[Entry], stream: bytes) -> tuple[Path, ...]:
    with Landing.create(destination, TRANSFER, entries) as landing:
        landing.write(0, memoryview(stream))
        landing.sync()
        paths = landing.finish()
    discard(destination, TRANSFER)
    return paths


def test_a_tree_arrives(downloads: Path) -> None:
    entries, stream = tree(7, 200)
    paths = landed(downloads, entries, stream)
    assert paths == tuple(downloads / entry.path[0] for entry in entries if len(entry.path) == 1)
    assert contents(downloads) == expected(entries, stream)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1000), st.randoms(use_true_random=False))
def test_parts_may_come_in_any_order_and_twice(
    tmp_path_factory: pytest.TempPathFactory, seed: int, chance: random.Random
) -> None:
    destination = tmp_path_factory.mktemp("downloads")
    entries, stream = tree(seed, 30)
    cuts = sorted({0, len(stream), *(chance.randrange(len(stream) + 1) for _ in range(20))})
    parts = list(pairwise(cuts))
    parts += chance.sample(parts, len(parts) // 2)
    chance.shuffle(parts)
    landing = Landing.create(destination, TRANSFER, entries)
    done: list[tuple[int, int]] = []
    for begin, end in parts:
        landing.write(begin, memoryview(stream)[begin:end])
        done.append((begin, end))
        if chance.random() < 0.2:
            landing.sync()
            landing.close()
            landing = Landing.reopen(destination, TRANSFER, entries, done)
    read = bytearray(len(stream))
    landing.read_into(0, memoryview(read))
    assert read == stream
    landing.finish()
    landing.close()
    discard(destination, TRANSFER)
    assert contents(destination) == expected(entries, stream)


@pytest.mark.parametrize("short", [False, True])
def test_pieces_are_written_one_behind_the_other(
    downloads: Path, monkeypatch: pytest.MonkeyPatch, *, short: bool
) -> None:
    """Within a file and across its end, with zeros among them, and where a disk takes less than it gets."""
    if short:
        write = landing_place.write_all_at
        monkeypatch.setattr(
            landing_tree, "write_all_at", lambda file, pieces, at: write(file, [pieces[0][:100]], at)
        )
    entries = [file("one", size=BIG), file("empty", size=0), file("two", size=BIG), file("three", size=5)]
    stream = bytearray(os.urandom(2 * BIG + 5))
    stream[300_000:500_000] = bytes(200_000)
    view, size = memoryview(stream), 65_536
    with Landing.create(downloads, TRANSFER, entries) as landing:
        for at in range(0, len(stream), 4 * size):
            part = view[at : at + 4 * size]
            landing.write(at, *(part[begin : begin + size] for begin in range(0, len(part), size)))
            if at % (12 * size) == 0:
                landing.sync()
        landing.finish()
    assert (downloads / "one").read_bytes() == stream[:BIG]
    assert (downloads / "two").read_bytes() == stream[BIG : 2 * BIG]
    assert (downloads / "three").read_bytes() == stream[2 * BIG :]


def test_a_file_that_was_closed_meanwhile_is_opened_again(downloads: Path) -> None:
    count = file_limits.FILES_OPEN + 1
    stream = os.urandom(2 * count + 2000)
    entries = [*(file(f"{n}", size=2) for n in range(count)), file("last", size=2000)]
    with Landing.create(downloads, TRANSFER, entries) as landing:
        for at in range(0, 2 * count + 1000, 2):
            landing.write(at, memoryview(stream)[at : at + 2])
        for number in range(count):
            landing.read_into(2 * number, memoryview(bytearray(2)))
        landing.write(2 * count + 1000, memoryview(stream)[2 * count + 1000 :])
        landing.finish()
    discard(downloads, TRANSFER)
    assert contents(downloads) == expected(entries, stream)


def test_pieces_are_made_durable_each_time(downloads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    piece = memoryview(os.urandom(1000))
    with Landing.create(downloads, TRANSFER, [file("a", size=BIG)]) as landing:
        landing.write(0, piece)
        landing.sync()
        monkeypatch.setattr(landing_tree, "sync_file", synced.append)
        landing.write(1000, piece, piece)
        landing.sync()
        assert len(synced) == 1, "it was the file that was written last"


def test_what_is_written_after_all_was_whole_keeps_its_time(downloads: Path) -> None:
    piece = memoryview(os.urandom(BIG // 2))
    with Landing.create(downloads, TRANSFER, [file("a", size=BIG)]) as landing:
        landing.write(0, piece)
        landing.write(BIG // 2, piece)
        landing._tree.complete()
        landing.write(0, piece, piece)
        landing.finish()
    assert (downloads / "a").stat().st_mtime_ns == MODIFIED * 1_000_000


def test_nothing_is_seen_before_the_end(downloads: Path) -> None:
    entries = [folder("a"), file("a", "b", size=3), file("c", size=3)]
    with Landing.create(downloads, TRANSFER, entries) as landing:
        landing.write(0, memoryview(b"abcdef"))
        landing.sync()
        assert names_in(downloads) == [HIDDEN]
        landing.finish()
    discard(downloads, TRANSFER)
    discard(downloads, TRANSFER)
    assert names_in(downloads) == ["a", "c"]


@posix
@pytest.mark.parametrize(
    ("mask", "plain", "runs"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700), (0o002, 0o644, 0o755)]
)
def test_rights_and_times(downloads: Path, mask: int, plain: int, runs: int) -> None:
    entries = [
        folder("a"),
        file("a", "whole", size=3),
        file("a", "parts", size=3, executable=True),
        file("a", "empty"),
        folder("a", "inner"),
    ]
    before = os.umask(mask)
    try:
        landing = Landing.create(downloads, TRANSFER, entries)
    finally:
        os.umask(before)
    landing.write(0, memoryview(b"abcd"))
    inside = downloads / HIDDEN / "files"
    assert stat.S_IMODE((downloads / HIDDEN).stat().st_mode) == 0o700
    assert stat.S_IMODE((inside / "a" / "parts").stat().st_mode) == 0o600
    landing.write(4, memoryview(b"ef"))
    landing.finish()
    landing.close()
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in (downloads / "a").rglob("*")}
    assert modes == {"whole": plain, "parts": runs, "empty": plain, "inner": runs}
    times = {path.lstat().st_mtime_ns for path in [downloads / "a", *(downloads / "a").rglob("*")]}
    assert times == {MODIFIED * 1_000_000}


def test_what_is_there_is_never_replaced(downloads: Path) -> None:
    (downloads / "Report.pdf").write_text("mine")
    (downloads / "photos").mkdir()
    (downloads / "photos (2)").write_text("mine")
    entries = [file("REPORT.pdf", size=3), folder("photos"), file("photos", "x", size=3)]
    paths = landed(downloads, entries, b"abcdef")
    assert [path.name for path in paths] == ["REPORT (2).pdf", "photos (3)"]
    assert (downloads / "Report.pdf").read_text() == "mine"
    assert (downloads / "photos (3)" / "x").read_bytes() == b"def"


def test_somebody_is_faster(downloads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that are taken after they were looked at."""
    for name in ("a.txt", "a (2).txt"):
        (downloads / name).write_text("mine")
    (downloads / "b").mkdir()
    entries = [file("a.txt", size=3), folder("b"), file("b", "x", size=3)]
    names, looks = Place.names, iter([True])
    monkeypatch.setattr(Place, "names", lambda place: [] if next(looks, False) else names(place))
    with Landing.create(downloads, TRANSFER, entries) as landing:
        landing.write(0, memoryview(b"abcdef"))
        assert [path.name for path in landing.finish()] == ["a (3).txt", "b (2)"]
    with Landing.reopen(downloads, TRANSFER, entries, [(0, 6)]) as landing:
        assert [path.name for path in landing.finish()] == ["a (3).txt", "b (2)"]
    discard(downloads, TRANSFER)
    assert (downloads / "a.txt").read_text() == "mine"
    assert not names_in(downloads / "b")


@posix
@pytest.mark.parametrize("is_folder", [False, True])
def test_moving_where_the_system_has_no_function_for_it(downloads: Path, *, is_folder: bool) -> None:
    (downloads / "taken").mkdir()
    (downloads / "taken file").write_text("mine")
    handle = os.open(downloads, os.O_RDONLY)
    for name in ("from", "again"):
        if is_folder:
            (downloads / name).mkdir()
            (downloads / name / "x").touch()
        else:
            (downloads / name).write_text("x")
    for taken in ("taken", "taken file"):
        with pytest.raises(FileExistsError):
            landing_disk.move_plainly(handle, "from", handle, taken, is_folder=is_folder)
    landing_disk.move_plainly(handle, "from", handle, "to", is_folder=is_folder)
    if not is_folder:  # a crash between the two steps leaves both names
        os.link(downloads / "again", downloads / "half")
        landing_disk.move_plainly(handle, "again", handle, "half", is_folder=False)
        assert not (downloads / "again").exists()
    assert (downloads / "to").is_dir() == is_folder
    assert not (downloads / "from").exists()
    assert (downloads / "taken file").read_text() == "mine"
    os.close(handle)


@posix
def test_arriving_where_the_system_has_no_function_for_it(
    downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing_disk, "_rename_exclusive", None)
    monkeypatch.setattr(landing_disk, "_syncfs", None)
    entries, stream = tree(3, 60)
    (downloads / "000.dat").touch()
    landed(downloads, entries, stream)
    wanted = expected(entries, stream)
    found = contents(downloads)
    assert found.pop("000.dat") == b""
    assert {name.replace(" (2)", ""): content for name, content in found.items()} == wanted


def test_what_is_not_whole_does_not_arrive(downloads: Path) -> None:
    entries = [file("a", size=10), file("b", size=10)]
    with Landing.create(downloads, TRANSFER, entries) as landing:
        landing.write(0, memoryview(bytes(10)))
        with pytest.raises(StorageBug):
            landing.finish()
        landing.write(10, memoryview(b"12345"))
        with pytest.raises(StagingLost):
            landing.finish()
        assert names_in(downloads) == [HIDDEN]
        landing.write(15, memoryview(b"12345"))
        landing.finish()


def test_only_the_stream_can_be_written(downloads: Path) -> None:
    with Landing.create(downloads, TRANSFER, [file("a", size=10)]) as landing:
        for offset, length in ((-1, 1), (0, 11), (10, 1)):
            with pytest.raises(StorageBug):
                landing.write(offset, memoryview(bytes(length)))
            with pytest.raises(StorageBug):
                landing.read_into(offset, memoryview(bytearray(length)))
        with pytest.raises(StagingLost):
            landing.read_into(0, memoryview(bytearray(1)))
        landing.write(0, memoryview(b"x"))
        with pytest.raises(StagingLost):
            landing.read_into(0, memoryview(bytearray(2)))


@pytest.mark.skipif(not hasattr(os, "SEEK_DATA"), reason="this system does not tell where holes are")
def test_holes_stay_holes(downloads: Path) -> None:
    size, block = 20 * 1024**3, memoryview(bytes(1024 * 1024))
    entries = [file("image", size=size), file("zeros", size=BIG)]
    landing = Landing.create(downloads, TRANSFER, entries)
    for at in (0, size // 2, size - len(block)):
        landing.write(at, block)
    landing.sync()
    landing.close()
    landing = Landing.reopen(downloads, TRANSFER, entries, [(0, len(block)), (size - len(block), size)])
    landing.write(1024**3, memoryview(b"data" * 1024))
    landing.write(2 * 1024**3, block)
    landing.write(size, memoryview(bytes(BIG)))
    landing.finish()
    landing.close()
    for name, most in (("image", 64 * 1024), ("zeros", 0)):
        assert (downloads / name).stat().st_blocks * 512 <= most
    assert (downloads / "image").stat().st_size == size


def test_sync_while_another_thread_writes(downloads: Path) -> None:
    entries, stream = tree(5, 300)
    ended, failures = threading.Event(), list[Exception]()
    with Landing.create(downloads, TRANSFER, entries) as landing:

        def sync() -> None:
            try:
                while not ended.is_set():
                    landing.sync()
            except StorageError as e:
                failures.append(e)

        thread = threading.Thread(target=sync)
        thread.start()
        for at in range(0, len(stream), 3000):
            landing.write(at, memoryview(stream)[at : at + 3000])
        ended.set()
        thread.join()
        landing.finish()
    discard(downloads, TRANSFER)
    assert not failures
    assert contents(downloads) == expected(entries, stream)


@pytest.mark.parametrize("many", [False, True])
def test_what_was_written_is_made_durable(
    downloads: Path, monkeypatch: pytest.MonkeyPatch, *, many: bool
) -> None:
    """Each file and folder, where the whole file system cannot be; and again if it failed."""
    count = file_limits.SYNC_EACH * 2 if many else 2
    entries = [folder("d"), *(file("d", f"{n}", size=2) for n in range(count))]
    synced: list[int] = []
    monkeypatch.setattr(landing_tree, "sync_file", lambda handle: synced.append(os.fstat(handle).st_ino))
    monkeypatch.setattr(landing_tree, "sync_all", lambda _: False)
    with Landing.create(downloads, TRANSFER, entries) as landing:
        landing.write(0, memoryview(bytes(2 * count)))
        monkeypatch.setattr(Place, "sync", lambda _: (_ for _ in ()).throw(OSError(5, "input/output")))
        if landing_place.BY_HANDLE:
            with pytest.raises(StorageError):
                landing.sync()
        monkeypatch.undo()
        monkeypatch.setattr(landing_tree, "sync_file", lambda handle: synced.append(os.fstat(handle).st_ino))
        monkeypatch.setattr(landing_tree, "sync_all", lambda _: False)
        synced.clear()
        landing.sync()
        inside = downloads / HIDDEN / "files" / "d"
        assert set(synced) == {path.stat().st_ino for path in inside.iterdir()}
        synced.clear()
        landing.sync()
        assert not synced


def test_few_files_are_open_and_none_in_the_end(downloads: Path) -> None:
    entries = [
        *(folder(f"d{n}") for n in range(80)),
        *(file(f"d{n}", "x", size=2) for n in range(80)),
    ]
    with Landing.create(downloads, TRANSFER, entries) as landing:
        for at in range(160):
            landing.write(at, memoryview(b"x"))
        assert len(landing._tree._files) == len(landing._tree._places) == file_limits.FILES_OPEN
        open_files = [*landing._tree._files.values()]
    landing.close()
    for each in open_files:
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(each)


@posix
def test_long_paths(downloads: Path) -> None:
    """Longer than a path may be for the system: nobody names the whole of it."""
    if not landing_place.BY_HANDLE:
        pytest.skip("without handles of folders a path cannot be longer than the system allows")
    names = ["x" * file_limits.FILE_NAME_MAX] * file_limits.DEPTH_MAX
    entries = [folder(*names[:depth]) for depth in range(1, len(names))] + [file(*names, size=3)]
    with Landing.create(downloads, TRANSFER, entries) as landing:
        landing.write(0, memoryview(b"ab"))
        landing.write(2, memoryview(b"c"))
        landing.sync()
        landing.close()
    with Landing.reopen(downloads, TRANSFER, entries, [(0, 3)]) as landing:
        assert landing.finish() == (downloads / names[0],)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def test_a_destination_that_is_gone(downloads: Path, here: Path) -> None:
    entries = [folder("d"), file("d", "a", size=10), file("d", "b", size=10)]
    with pytest.raises(DestinationGone):
        Landing.create(here / "missing", TRANSFER, entries)
    (here / "file").touch()
    with pytest.raises(DestinationGone):
        Landing.create(here / "file", TRANSFER, entries)
    with pytest.raises(DestinationGone):
        room(here / "missing")
    landing = Landing.create(downloads, TRANSFER, entries)
    landing.write(0, memoryview(bytes(10)))
    landing.write(10, memoryview(bytes(5)))
    downloads.rename(here / "elsewhere")
    with pytest.raises(DestinationGone):
        landing.finish()
    with pytest.raises(DestinationGone):
        Landing.reopen(downloads, TRANSFER, entries, [(0, 10)])
    landing.close()
    discard(downloads, TRANSFER)
    with pytest.raises(DestinationGone):
        Landing.create(downloads, TRANSFER, entries)


def test_room(downloads: Path) -> None:
    state = os.statvfs(downloads)
    total, free = state.f_blocks * state.f_frsize, state.f_bavail * state.f_frsize
    kept = min(file_limits.ROOM_KEPT, total // file_limits.ROOM_KEPT_PART)
    assert abs(room(downloads) - max(0, free - kept)) < 256 * 1024 * 1024
