"""Moments in the words of a calendar."""

from datetime import datetime, timedelta

import pytest

from messenger.text import clock, day, local, moment, short_moment

NOON = datetime(2026, 3, 11, 12, 30).astimezone()  # a Wednesday


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("ago", "long", "short"),
    [
        (timedelta(hours=1), "Today", "11:30"),
        (timedelta(days=1), "Yesterday", "Tue"),
        (timedelta(days=3), "Sunday", "Sun"),
        (timedelta(days=8), "3 March", "3 Mar"),
        (timedelta(days=400), "4 February 2025", "2025-02-04"),
        (timedelta(days=-2), "13 March", "13 Mar"),
    ],
)
def test_days(ago: timedelta, long: str, short: str) -> None:
    then = ms(NOON - ago)
    assert day(then, ms(NOON)) == long
    assert short_moment(then, ms(NOON)) == short


def test_today_needs_no_day() -> None:
    assert clock(ms(NOON)) == "12:30"
    assert moment(ms(NOON), ms(NOON)) == "12:30"
    assert moment(ms(NOON - timedelta(days=1)), ms(NOON)) == "Yesterday 12:30"


@pytest.mark.parametrize("wild", [-(2**63), -1, 0, 2**62])
def test_a_clock_gone_wild_has_a_moment_too(wild: int) -> None:
    assert local(wild).year in range(1969, 10_000)
    assert day(wild, ms(NOON))
