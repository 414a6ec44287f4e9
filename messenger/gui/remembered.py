"""How the window stood when it was closed: size, division, colours; nothing that tells what was in it.

A small file of its own instead of QSettings, which waits for the disk in the thread of the window.
"""

import json
import logging
from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray

_log = logging.getLogger(__name__)

_FILE: Final = "window.json"
_MOST: Final = 64 * 1024
"""Largest file that is read, in bytes; ours has a few hundred."""


class Remembered:
    """Values by name. A file that cannot be read counts as empty, one that cannot be written is not written.

    Args:
        folder: The profile folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._values = self._read()

    def text(self, name: str) -> str:
        """A value, or nothing."""
        return self._values.get(name, "")

    def state(self, name: str) -> QByteArray:
        """A value that Qt made, or an empty one."""
        return QByteArray.fromBase64(self.text(name).encode())

    def remember(self, name: str, value: str | QByteArray) -> None:
        """Note a value; `save` writes it."""
        self._values[name] = value if isinstance(value, str) else bytes(value.toBase64().data()).decode()

    def save(self) -> None:
        """Write everything, without waiting for the disk."""
        new = self._path.with_suffix(".new")
        try:
            new.write_text(json.dumps(self._values), encoding="utf-8")
            new.replace(self._path)
        except OSError as e:
            _log.info("the window's place is not remembered: %s", e.strerror)

    def _read(self) -> dict[str, str]:
        try:
            with self._path.open("rb") as file:
                values = json.loads(file.read(_MOST))
        except (OSError, ValueError):
            return {}
        if not isinstance(values, dict):
            return {}
        return {name: value for name, value in values.items() if isinstance(value, str)}
