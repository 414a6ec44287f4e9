"""Sets of numbers that come in runs: the chunks of a file that are there."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """A set of whole numbers, as runs without a gap; small however long the runs are.

    Args:
        runs: Each the first number and the one after the last; in any order, perhaps overlapping.
    """

    def __init__(self, runs: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, end in sorted(runs):
            if self._ends and first <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            elif first < end:
                self._starts.append(first)
                self._ends.append(end)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number < self._ends[at]

    def __len__(self) -> int:
        return sum(end - first for first, end in self)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The runs in order, each the first number and the one after the last."""
        return iter(tuple(zip(self._starts, self._ends, strict=True)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def add(self, number: int) -> None:
        """Put one number in."""
        at = bisect_right(self._starts, number) - 1
        if at >= 0 and number < self._ends[at]:
            return
        left = at >= 0 and self._ends[at] == number
        right = at + 1 < len(self._starts) and self._starts[at + 1] == number + 1
        if left and right:
            self._ends[at] = self._ends.pop(at + 1)
            del self._starts[at + 1]
        elif left:
            self._ends[at] = number + 1
        elif right:
            self._starts[at + 1] = number
        else:
            self._starts.insert(at + 1, number)
            self._ends.insert(at + 1, number + 1)

    def gaps(self, end: int) -> Iterator[tuple[int, int]]:
        """The runs of numbers from 0 up to an end that are not in the set."""
        at = 0
        for first, after in self:
            if first >= end:
                break
            if at < first:
                yield at, first
            at = after
        if at < end:
            yield at, end

    def common(self, other: "Ranges") -> "Ranges":
        """The numbers that are in both."""
        runs = []
        mine, theirs = list(self), list(other)
        i = j = 0
        while i < len(mine) and j < len(theirs):
            first, end = max(mine[i][0], theirs[j][0]), min(mine[i][1], theirs[j][1])
            if first < end:
                runs.append((first, end))
            if mine[i][1] < theirs[j][1]:
                i += 1
            else:
                j += 1
        return Ranges(runs)
