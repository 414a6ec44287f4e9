"""Nobody who plants links gets a byte written outside of the folder that files come into."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from messenger.core.errors import StagingLost
from messenger.storage.landing import Landing, discard
from tests.helpers.landing import HIDDEN, TRANSFER, contents, file, folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="only administrators make links on Windows")

ENTRIES = [
    folder("a"),
    file("a", "first", size=4),
    file("a", "second", size=4),
    folder("a", "inner"),
    file("a", "inner", "third", size=4),
    folder("b"),
    file("b", "fourth", size=4),
    file("last", size=4),
]
STREAM = b"11112222333344445555"


def instead(path: Path, other: Path) -> None:
    """Put a link in place of what is there."""
    if path.exists():
        path.rename(path.with_name(f"{path.name}.moved"))
    path.symlink_to(other)


def plant_pipe(files: Path, _out: Path) -> None:
    os.mkfifo(files / "a/second")


PLANTS: dict[str, Callable[[Path, Path], None]] = {
    "file that is there": lambda files, out: instead(files / "a/first", out / "victim"),
    "file to come": lambda files, out: instead(files / "a/second", out / "victim"),
    "new file to come": lambda files, out: instead(files / "last", out / "new"),
    "hard link": lambda files, out: os.link(out / "victim", files / "a/second"),
    "folder that is there": lambda files, out: instead(files / "a", out),
    "folder to come": lambda files, out: instead(files / "b", out),
    "inner folder to come": lambda files, out: instead(files / "a/inner", out),
    "pipe": plant_pipe,
    "all files": instead,
    "all": lambda files, out: instead(files.parent, out),
    "names": lambda files, out: instead(files.parent / "names.new", out / "victim"),
    "names at last": lambda files, out: instead(files.parent / "names", out / "victim"),
}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    path = tmp_path / "outside"
    (path / "files").mkdir(parents=True)
    (path / "victim").write_text("mine")
    return path


@pytest.mark.parametrize("again", [False, True], ids=["running", "reopened"])
@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_planted_links(
    tmp_path: Path, out: Path, plant: Callable[[Path, Path], None], *, closed: bool, again: bool
) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    landing = Landing.create(downloads, TRANSFER, ENTRIES)
    landing.write(0, memoryview(STREAM)[:2])
    landing.sync()
    if closed:
        landing._tree.close()  # as if many others had been open since
    plant(downloads / HIDDEN / "files", out)
    if again:
        landing.close()
    with contextlib.suppress(StagingLost):  # no other error may come
        if again:
            landing = Landing.reopen(downloads, TRANSFER, ENTRIES, [(0, 2)])
        for at in range(2, len(STREAM)):
            landing.write(at, memoryview(STREAM)[at : at + 1])
        landing.sync()
        landing.finish()
    landing.close()
    discard(downloads, TRANSFER)
    assert contents(out) == {"files": None, "victim": b"mine"}


def test_links_where_files_should_arrive(tmp_path: Path, out: Path) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / "last").symlink_to(out / "new")
    (downloads / "a").symlink_to(out)
    (downloads / "b").symlink_to("nowhere")
    with Landing.create(downloads, TRANSFER, ENTRIES) as landing:
        landing.write(0, memoryview(STREAM))
        paths = landing.finish()
    assert [path.name for path in paths] == ["a (2)", "b (2)", "last (2)"]
    assert contents(out) == {"files": None, "victim": b"mine"}


@pytest.mark.parametrize(
    "names",
    [b"\x93\xa3../\xa1b\xa1c", b"\x93\xa4../x\xa1b\xa1c", b"\x91\xa1a", b"\xc1", b"\x93\xa1\xff\xa1b\xa1c"],
)
def test_planted_names(tmp_path: Path, names: bytes) -> None:
    with Landing.create(tmp_path, TRANSFER, ENTRIES) as landing:
        landing.write(0, memoryview(STREAM))
    (tmp_path / HIDDEN / "names").write_bytes(names)
    with pytest.raises(StagingLost):
        Landing.reopen(tmp_path, TRANSFER, ENTRIES, [])


def test_a_link_to_elsewhere_is_removed_and_not_what_it_leads_to(tmp_path: Path, out: Path) -> None:
    (tmp_path / HIDDEN).symlink_to(out)
    discard(tmp_path, TRANSFER)
    assert not (tmp_path / HIDDEN).is_symlink()
    assert (out / "victim").read_text() == "mine"
    with Landing.create(tmp_path, TRANSFER, ENTRIES):
        (tmp_path / HIDDEN / "files" / "a").symlink_to(out)
    discard(tmp_path, TRANSFER)
    assert (out / "victim").read_text() == "mine"
