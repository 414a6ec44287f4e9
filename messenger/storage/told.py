"""How far a change of version is: an estimate from the work that SQLite has done."""

from collections.abc import Callable
from typing import Final

Tell = Callable[[int], None]
"""Called with how much of a change of version is done, in percent; from the thread that opens."""

COPIED: Final = 20
CHECKED: Final = 45
_INDEXED: Final = 85
"""Percent of a change of version that are done when the copy is there, when it is checked, and when the index
of words is made, if it has to be."""

_INDEX: Final = 2
"""The version from which on a database has the index."""

_STEPS_COPY: Final = 17
_STEPS_CHECK: Final = 65
_STEPS_INDEX: Final = 6
_STEPS_CHANGE: Final = 300
"""Steps of SQLite's machine for each message, about (measured)."""


class Told:
    """How far a change of version is: the share of a stage is estimated from the work that SQLite has done.

    Args:
        tell: Told each percent once.
        messages: In the database; what takes time goes with their number.
    """

    def __init__(self, tell: Tell, messages: int) -> None:
        self._tell, self._messages, self._percent = tell, max(messages, 1), -1

    def copying(self) -> Tell:
        """What counts the steps of the copy."""
        return self._stage(0, COPIED, _STEPS_COPY)

    def checking(self) -> Tell:
        """What counts the steps of its check."""
        return self._stage(COPIED, CHECKED, _STEPS_CHECK)

    def _stage(self, first: int, last: int, steps_each: int) -> Tell:
        """What counts the steps of a stage between two percentages."""

        def count(steps: int) -> None:
            self.reach(first + min(steps * (last - first) // (steps_each * self._messages), last - first - 1))

        return count

    def changing(self, version: int) -> Tell:
        """What counts the steps of the changes; making the index of words takes most of the time.

        Args:
            version: What the database has now.
        """
        if version >= _INDEX:
            return self._stage(CHECKED, 100, _STEPS_CHANGE)
        index, rest = (
            self._stage(CHECKED, _INDEXED, _STEPS_INDEX),
            self._stage(_INDEXED, 100, _STEPS_CHANGE),
        )
        needed = _STEPS_INDEX * self._messages

        def count(steps: int) -> None:
            if steps < needed:
                index(steps)
            else:
                rest(steps - needed)

        return count

    def reach(self, percent: int) -> None:
        """So far it is, or farther."""
        if percent > self._percent:
            self._percent = percent
            self._tell(percent)
