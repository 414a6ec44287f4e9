"""Moments and days as people say them, in local time."""

from datetime import datetime, timedelta
from typing import Final

from messenger.text.catalogue import _

_DAY_MS: Final = 24 * 3600 * 1000

_DAYS: Final = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)
_MONTHS: Final = (
    _("January"),
    _("February"),
    _("March"),
    _("April"),
    _("May"),
    _("June"),
    _("July"),
    _("August"),
    _("September"),
    _("October"),
    _("November"),
    _("December"),
)


def local(ms: int) -> datetime:
    """The local time of a moment given in Unix milliseconds; times no calendar holds become its ends."""
    bounded = min(max(ms, _DAY_MS), 253_402_000_000_000)
    return datetime.fromtimestamp(bounded / 1000).astimezone()


def clock(ms: int) -> str:
    """The time of day, ``18:53``."""
    return local(ms).strftime("%H:%M")


def day(ms: int, now_ms: int) -> str:
    """The day of a moment: Today, Yesterday, the day of the week, or the date."""
    then, today = local(ms).date(), local(now_ms).date()
    if then == today:
        return _("Today")
    if then == today - timedelta(days=1):
        return _("Yesterday")
    if timedelta() < today - then < timedelta(days=7):
        return _DAYS[then.weekday()]
    if then.year == today.year:
        return _("{day} {month}").format(day=then.day, month=_MONTHS[then.month - 1])
    return _("{day} {month} {year}").format(day=then.day, month=_MONTHS[then.month - 1], year=then.year)


def moment(ms: int, now_ms: int) -> str:
    """Day and time of a moment; today needs no day."""
    if local(ms).date() == local(now_ms).date():
        return clock(ms)
    return f"{day(ms, now_ms)} {clock(ms)}"


def long_moment(ms: int) -> str:
    """A moment in full: date, and time to the second."""
    then = local(ms)
    date = _("{day} {month} {year}").format(day=then.day, month=_MONTHS[then.month - 1], year=then.year)
    return f"{date}, {then.strftime('%H:%M:%S')}"


def short_moment(ms: int, now_ms: int) -> str:
    """A moment in as few characters as a list has room for: the time today, else the day."""
    then, today = local(ms), local(now_ms)
    if then.date() == today.date():
        return clock(ms)
    if timedelta() < today.date() - then.date() < timedelta(days=7):
        return _DAYS[then.weekday()][:3]
    return (
        f"{then.day} {_MONTHS[then.month - 1][:3]}" if then.year == today.year else then.strftime("%Y-%m-%d")
    )
