"""Reading the public vectors in ``tests/vectors``."""

import functools
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent.parent / "vectors"


@functools.cache
def wycheproof(name: str) -> list[dict[str, Any]]:
    """The test groups of one Wycheproof file, named without ``_test.json.gz``."""
    data = json.loads(gzip.decompress((FOLDER / "wycheproof" / f"{name}_test.json.gz").read_bytes()))
    groups: list[dict[str, Any]] = data["testGroups"]
    assert sum(len(group["tests"]) for group in groups) == data["numberOfTests"]
    return groups


def cases(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each (group, test) of one Wycheproof file."""
    for group in wycheproof(name):
        for test in group["tests"]:
            yield group, test


def fields(test: dict[str, Any], *names: str) -> tuple[bytes, ...]:
    """Hexadecimal fields of one test as bytes; a missing one is empty."""
    return tuple(bytes.fromhex(test.get(name, "")) for name in names)
