"""A disk that is full at several moments of each command, for real: small file systems of their own.

Each command says DiskFull, leaves what was there as it was and nothing half done, and works with room.
"""

from pathlib import Path

import pytest

from tests.helpers.namespaces import own_namespace
from tests.storage.test_disk import output

__all__ = ["own_namespace"]

HOLDS = "Alice [200] 200"
EXPECTED = {
    "set_up": ["setting up DiskFull", "again DiskFull", "new []", "with room fine", "Alice [] 0"] * 2,
    "protect": [
        "setting DiskFull",
        "file []",
        "with room fine",
        "changing DiskFull",
        "removing DiskFull",
        HOLDS,
    ],
    "export": [
        "export DiskFull",
        "conversation DiskFull",
        *["before before [] ['chat.html', 'filling', 'out.sotto']", "export DiskFull"] * 2,
        "before before [] ['chat.html', 'filling', 'out.sotto']",
        "with room fine",
        HOLDS,
    ],
    "import_": ["import DiskFull", "new []", "with room fine", HOLDS] * 2,
    "migrate": [
        *("opening DiskFull", "[]", "with room fine", "2 ['sotto.db.version-1']"),
        *("opening DiskFull", "['sotto.db.version-1']", "with room fine"),
    ],
}


@pytest.mark.parametrize("program", EXPECTED)
def test_a_full_disk(program: str, tmp_path: Path, own_namespace: tuple[str, ...]) -> None:
    lines = output(program, tmp_path, b"-", *own_namespace, module="tests.helpers.full_engine")
    if program == "migrate":  # which versions it went through depends on the room that was left
        assert lines.pop().startswith("2 ['sotto.db.version-1'")
    assert lines == EXPECTED[program]
