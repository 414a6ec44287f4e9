"""Sets of numbers in runs do what sets of numbers do."""

from hypothesis import given
from hypothesis import strategies as st

from messenger.core.ranges import Ranges

NUMBERS = st.sets(st.integers(0, 30))


def runs(numbers: set[int]) -> Ranges:
    return Ranges((number, number + 1) for number in numbers)


def members(ranges: Ranges) -> set[int]:
    return {number for first, end in ranges for number in range(first, end)}


@given(st.lists(st.integers(0, 30)))
def test_adding(numbers: list[int]) -> None:
    ranges = Ranges()
    for number in numbers:
        ranges.add(number)
    assert ranges == runs(set(numbers))
    assert members(ranges) == set(numbers)
    assert len(ranges) == len(set(numbers))
    assert all((number in ranges) == (number in numbers) for number in range(-1, 32))


@given(NUMBERS)
def test_runs_do_not_touch(numbers: set[int]) -> None:
    ends = [edge for run in runs(numbers) for edge in run]
    assert ends == sorted(set(ends))


@given(NUMBERS, NUMBERS)
def test_what_two_have_in_common(one: set[int], other: set[int]) -> None:
    assert members(runs(one).common(runs(other))) == one & other


@given(NUMBERS, st.integers(0, 35))
def test_gaps(numbers: set[int], end: int) -> None:
    gaps = {number for first, after in runs(numbers).gaps(end) for number in range(first, after)}
    assert gaps == set(range(end)) - numbers


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))))
def test_any_runs(given_: list[tuple[int, int]]) -> None:
    assert members(Ranges(given_)) == {number for first, end in given_ for number in range(first, end)}
