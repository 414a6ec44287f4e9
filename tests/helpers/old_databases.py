"""Databases of every earlier version, from the texts that were kept of them."""

from pathlib import Path
from typing import Final

import apsw

from messenger.storage.database import CIPHER

TEXTS: Final = Path(__file__).parent.parent / "vectors" / "databases"


def versions() -> list[int]:
    """The versions of which there is a text."""
    return sorted(int(path.stem.removeprefix("version-")) for path in TEXTS.glob("version-*.sql"))


def make(path: Path, key: bytes, version: int) -> None:
    """Make a database as the program of that version left it, without any code of today's storage.

    Args:
        path: Where; there must be nothing.
        key: 32 bytes.
        version: One of `versions`.
    """
    connection = apsw.Connection(str(path))
    connection.pragma("cipher", CIPHER)
    connection.pragma("key", f"raw:{key.hex()}")
    connection.pragma("journal_mode", "wal")
    connection.execute((TEXTS / f"version-{version}.sql").read_text(encoding="utf-8"))
    connection.close()
