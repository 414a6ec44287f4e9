"""Files that come, taken up again by the next program: what it finds, and what the journal says."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from messenger.core.errors import StagingLost, StorageError
from messenger.storage.landing import Landing, discard
from messenger.storage.landing_place import Place
from tests.helpers.landing import HIDDEN, TRANSFER, contents, file, folder
from tests.storage.test_landing import BIG, by_handle, downloads

__all__ = ["by_handle", "downloads"]


class Cut(OSError):
    """The moment in which a program is killed."""


def cutting(
    real: Callable[..., None], steps: Iterator[int], when: int, *, after: bool
) -> Callable[..., None]:
    """Something that is done, and cut off once."""

    def step(*args: object, **named: object) -> None:
        cut = next(steps) == when
        if cut and not after:
            raise Cut
        real(*args, **named)
        if cut:
            raise Cut

    return step


@pytest.mark.parametrize("when", range(2, 13))  # the first two are of `create`
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_while_files_arrive(
    downloads: Path, monkeypatch: pytest.MonkeyPatch, when: int, *, after: bool
) -> None:
    """Before or after one step of `finish`, which is then done again by the next program."""
    entries = [*(file(f"{n}", size=2) for n in range(4)), folder("d"), file("d", "x", size=2)]
    (downloads / "1").write_text("mine")
    steps = iter(range(100))
    with monkeypatch.context() as patch:
        for name in ("move", "replace", "sync"):
            patch.setattr(Place, name, cutting(getattr(Place, name), steps, when, after=after))
        landing = Landing.create(downloads, TRANSFER, entries)
        landing.write(0, memoryview(b"aabbccddxx"))
        with pytest.raises(StorageError):
            landing.finish()
        landing.close()
    with Landing.reopen(downloads, TRANSFER, entries, [(0, 10)]) as landing:
        paths = landing.finish()
        assert landing.finish() == paths
    with Landing.reopen(downloads, TRANSFER, entries, [(0, 10)]) as landing:
        assert landing.finish() == paths
    discard(downloads, TRANSFER)
    assert [path.name for path in paths] == ["0", "1 (2)", "2", "3", "d"]
    assert {path.name for path in downloads.iterdir()} == {"0", "1", "1 (2)", "2", "3", "d"}
    assert (downloads / "1 (2)").read_bytes() == b"bb"


def test_finished_files_that_were_moved_on_are_not_missed(downloads: Path) -> None:
    with Landing.create(downloads, TRANSFER, [file("a", size=1)]) as landing:
        landing.write(0, memoryview(b"a"))
        landing.finish()
    (downloads / "a").unlink()
    with Landing.reopen(downloads, TRANSFER, [file("a", size=1)], [(0, 1)]) as landing:
        assert landing.finish() == (downloads / "a",)


def other_kind(staging: Path) -> None:
    (staging / "files/d/a").unlink()
    (staging / "files/d/a").mkdir()


LOSSES: dict[str, Callable[[Path], object]] = {
    "all": shutil.rmtree,
    "file": lambda staging: (staging / "files/d/a").unlink(),
    "end": lambda staging: os.truncate(staging / "files/d/a", 99),
    "other": other_kind,
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_less_than_the_journal_says(downloads: Path, lose: Callable[[Path], object]) -> None:
    entries = [folder("d"), file("d", "a", size=BIG)]
    with Landing.create(downloads, TRANSFER, entries) as landing:
        landing.write(0, memoryview(b"x" * 100))
        landing.sync()
    lose(downloads / HIDDEN)
    with pytest.raises(StagingLost):
        Landing.reopen(downloads, TRANSFER, entries, [(0, 100)])
    with Landing.create(downloads, TRANSFER, entries) as landing:
        landing.write(0, memoryview(b"y" * BIG))
        landing.finish()
    assert (downloads / "d" / "a").read_bytes() == b"y" * BIG


def test_more_than_the_journal_says(downloads: Path) -> None:
    """What came after the last sync may be anything, and is written again: zeros too."""
    entries = [file("a", size=BIG), file("b", size=10), file("c", size=10)]
    with Landing.create(downloads, TRANSFER, entries) as landing:
        landing.write(0, memoryview(b"?" * (BIG + 10)))
    with Landing.reopen(downloads, TRANSFER, entries, [(0, 5)]) as landing:
        for at in range(0, BIG + 20, BIG // 4):
            landing.write(at, memoryview(bytes(min(BIG // 4, BIG + 20 - at))))
        landing.finish()
    assert contents(downloads)["a"] == bytes(BIG)
    assert contents(downloads)["b"] == contents(downloads)["c"] == bytes(10)
