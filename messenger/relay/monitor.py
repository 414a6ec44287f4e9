"""Everything that the relay sees of each message, for its owner to look at."""

import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from messenger.core import relay_limits

_SHORT: Final = 6
"""Bytes of an id that are shown."""


def short(id_: bytes) -> str:
    """An id as the monitor shows it: enough to tell queues apart, too little to use one."""
    return id_[:_SHORT].hex()


class Reader:
    """Somebody who watches; lines wait here until they are taken.

    Args:
        rouse: Called when there is something.
    """

    def __init__(self, rouse: Callable[[], None]) -> None:
        self._rouse = rouse
        self._lines: deque[str] = deque()
        self._missed = 0

    def put(self, line: str) -> None:
        """Add a line, or count it as missed if too many wait."""
        if len(self._lines) >= relay_limits.TRAFFIC_WAITING:
            self._missed += 1
            return
        self._lines.append(line)
        if len(self._lines) == 1:
            self._rouse()

    def take(self) -> list[str]:
        """All lines that wait, each once; the last says how many were missed."""
        lines = list(self._lines)
        self._lines.clear()
        if self._missed:
            lines.append(json.dumps({"event": "missed", "lines": self._missed}))
            self._missed = 0
        return lines


class Monitor:
    """Tells readers what passes; costs nothing while nobody looks.

    Args:
        hex_bytes: How many bytes of each message are shown.
    """

    def __init__(self, hex_bytes: int) -> None:
        self._hex_bytes = hex_bytes
        self._readers: list[Reader] = []
        self.watched = False
        """Whether anybody looks."""

    def add(self, reader: Reader) -> None:
        """Somebody begins to watch."""
        self._readers.append(reader)
        self.watched = True

    def remove(self, reader: Reader) -> None:
        """… and ends."""
        if reader in self._readers:
            self._readers.remove(reader)
        self.watched = bool(self._readers)

    def envelope(self, event: str, link: str, queue: bytes, envelope: bytes) -> None:
        """An envelope came or went.

        Args:
            event: "in" or "out".
            link: What the link is called here.
            queue: The id that was used: send_id of what came, recv_id of what went.
            envelope: All of it.
        """
        shown = envelope[: self._hex_bytes].hex()
        self.tell(event, link=link, queue=short(queue), bytes=len(envelope), hex=shown)

    def tell(self, event: str, **what: Any) -> None:  # noqa: ANN401 -- written out as JSON
        """Something else happened."""
        line = json.dumps({"time": round(time.time(), 3), "event": event, **what})
        for reader in self._readers:
            reader.put(line)
