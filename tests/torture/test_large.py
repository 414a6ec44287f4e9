"""A file larger than what most systems are tried with, in two programs with little memory."""

from pathlib import Path
from typing import Final

import pytest

from tests.bench.file_ends import FILE
from tests.bench.files import ends

GIB: Final = 1024**3
MEMORY: Final = 64.0
"""MiB that a program may have above what it has when it is idle."""


@pytest.mark.parametrize("gib", [1, pytest.param(20, marks=pytest.mark.long)])
def test_a_file_with_holes(tmp_path: Path, gib: int) -> None:
    """Its few bytes arrive where they were, its holes take no room, and memory does not grow with it."""
    size = gib * GIB
    places = {0: b"first", size // 3: b"in between", 5 * GIB % size: b"behind 4 GiB", size - 4: b"last"}
    with (tmp_path / FILE).open("wb") as here:
        here.truncate(size)
        for at, data in places.items():
            here.seek(at)
            here.write(data)
    said = ends(("bob", tmp_path), lambda port: ("alice", tmp_path, "127.0.0.1", port, FILE))
    print(said)
    there = tmp_path / "there 0" / FILE
    assert there.stat().st_size == size
    assert there.stat().st_blocks * 512 < 16 * 1024**2
    with there.open("rb") as content:
        for at, data in places.items():
            content.seek(at)
            assert content.read(len(data)) == data
    assert all(each["rss"] < MEMORY for each in (said[0][0], said[1][0]))
