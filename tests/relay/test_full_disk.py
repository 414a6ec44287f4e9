"""A relay on a disk that is full, or cannot be written to, for real: a small file system of its own."""

from pathlib import Path

import pytest

from tests.helpers.namespaces import own_namespace
from tests.storage.test_disk import output

__all__ = ["own_namespace"]

EXPECTED = {
    "leave_free": ["then FULL", "handed over Done", "all is there", "deleted Done"] * 3,
    "filled_by_others": [
        *["Done"] * 5,
        "full",
        "then FULL, disk",
        "handed over Done",
        "with room Done",
        "all is there",
    ],
    "cannot_be_written_to": ["DiskReadOnly"],
}


@pytest.mark.parametrize("program", EXPECTED)
def test_a_disk_that_does_not_play_along(
    program: str, tmp_path: Path, own_namespace: tuple[str, ...]
) -> None:
    lines = output(program, tmp_path, b"-", *own_namespace, module="tests.helpers.full_relay")
    assert lines == EXPECTED[program]
