"""The short run of the fuzz targets: kept inputs, seeds, and some changes of them."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, seeds

ROOT: Final = Path(__file__).parents[2]
CORPUS: Final = Path(__file__).parent / "corpus"
KEPT: Final = sorted(path for path in CORPUS.glob("*/*") if path.is_file())

briefly = settings(max_examples=120, deadline=None)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_kept_inputs(path: Path) -> None:
    TARGETS[path.parent.name].run(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_every_cut_of_them(name: str) -> None:
    for data in seeds(name).values():
        TARGETS[name].run(data)
        for size in range(0, len(data), 1 + len(data) // 8):
            TARGETS[name].run(data[:size])


def changed(data: bytes, at: float, new: bytes, gone: int) -> bytes:
    start = int(at * (len(data) + 1))
    return data[:start] + new + data[start + gone :]


@pytest.mark.parametrize("name", TARGETS)
@briefly
@given(data=st.data())
def test_changes_of_seeds(name: str, data: st.DataObject) -> None:
    begin = data.draw(st.sampled_from(sorted(seeds(name))))
    at, gone = data.draw(st.floats(0, 1, exclude_max=True)), data.draw(st.integers(0, 40))
    TARGETS[name].run(changed(seeds(name)[begin], at, data.draw(st.binary(max_size=40)), gone))


@pytest.mark.parametrize("name", TARGETS)
@briefly
@given(data=st.binary(max_size=600))
def test_anything(name: str, data: bytes) -> None:
    TARGETS[name].run(data)


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris runs on Linux, x86-64, Python before 3.14"
)
@pytest.mark.parametrize("name", TARGETS)
def test_a_short_search_guided_by_coverage(name: str) -> None:
    """Longer ones: ``python -m tests.fuzz TARGET``."""
    command = [sys.executable, "-m", "tests.fuzz", name, "--runs", "2000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "INFO: A corpus is not provided" not in done.stderr
    executed = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert executed is not None
    assert int(executed[1]) > len(seeds(name))


def test_the_entry_names_the_targets() -> None:
    command = [sys.executable, "-m", "tests.fuzz"]
    listed = subprocess.run([*command, "--list"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert listed.stdout.split() == list(TARGETS)
    unknown = subprocess.run([*command, "nothing"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (unknown.returncode, unknown.stdout) == (2, listed.stdout)


def test_the_corpus_is_small_and_belongs_to_targets() -> None:
    assert {path.parent.name for path in KEPT} <= set(TARGETS)
    assert sum(path.stat().st_size for path in KEPT) < 300_000
