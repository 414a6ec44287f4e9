"""Files come whole and once, however often the program is killed, and on whatever disk."""

import random
from pathlib import Path

import pytest

from tests.helpers.landing import contents, expected, tree
from tests.helpers.namespaces import own_namespace
from tests.helpers.storage import program

MODULE = "tests.helpers.landing"

__all__ = ["own_namespace"]


def killed_after(lines: int, folder: Path, last: str) -> list[str]:
    """Start the program, and kill it when it has reported so much, or the line that is waited for."""
    with program("land", folder, b"", module=MODULE) as child:
        assert child.stdout is not None
        reported: list[str] = []
        while len(reported) < lines and (line := child.stdout.readline()):
            reported.append(line.strip())
            if line.strip() == last:
                break
        child.kill()
        reported += [line.strip() for line in child.stdout.readlines()]
        child.wait()
        assert child.stderr is not None
        assert child.stderr.read() == ""
    return reported


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "001.dat").write_text("mine")
    reported: list[str] = []
    for last in ["never"] * 2 + ["finishing"] * 2 + ["finished"]:
        reported += killed_after(chance.randint(2, 40) if last == "never" else 10**6, tmp_path, last)
    reported += killed_after(10**6, tmp_path, "never")
    assert reported[-1] == "done"
    entries, stream = tree(1, 400)
    wanted = expected(entries, stream)
    tops = {entry.path[0] for entry in entries}
    assert "001.dat" in tops
    found = contents(tmp_path / "downloads")
    assert found.pop("001.dat") == b"mine"
    assert {name.replace("001 (2)", "001"): content for name, content in found.items()} == wanted


def output(name: str, folder: Path, *prefix: str) -> list[str]:
    with program(name, folder, b"", *prefix, module=MODULE) as child:
        out, err = child.communicate()
    assert child.returncode == 0, err
    return out.splitlines()


def test_a_full_disk(tmp_path: Path, own_namespace: tuple[str, ...]) -> None:
    assert output("full", tmp_path, *own_namespace) == [
        "full",
        "writing DiskFull True",
        "full",
        "finishing DiskFull",
        "seen ['filling']",
        "['a']",
        "finishing fine",
        "whole True",
        "no more names DiskFull",
        "left over []",
    ]


def test_a_disk_that_cannot_be_written_to(tmp_path: Path, own_namespace: tuple[str, ...]) -> None:
    assert output("read_only", tmp_path, *own_namespace) == [
        "creating DiskReadOnly",
        "reopening DiskReadOnly",
        "removing DiskReadOnly",
    ]
