"""Words for messages that disappear."""

import re
from collections.abc import Callable
from typing import Final

from messenger.core import deed_limits
from messenger.core.models import Message
from messenger.text.catalogue import _, ngettext

_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 24 * 3600, 7 * 24 * 3600

_UNITS: Final[tuple[tuple[int, Callable[[int], str]], ...]] = (
    (_WEEK, lambda count: ngettext("{count} week", "{count} weeks", count)),
    (_DAY, lambda count: ngettext("{count} day", "{count} days", count)),
    (_HOUR, lambda count: ngettext("{count} hour", "{count} hours", count)),
    (_MINUTE, lambda count: ngettext("{count} minute", "{count} minutes", count)),
    (1, lambda count: ngettext("{count} second", "{count} seconds", count)),
)

CHOICES: Final = (0, 30, 5 * _MINUTE, _HOUR, 8 * _HOUR, _DAY, _WEEK, 4 * _WEEK)
"""The timers that are offered, in seconds; 0 for none."""

OFF: Final = _("Off")
_OFF_WORD: Final = _("off")

TYPED_UNITS: Final[dict[str, int]] = {"s": 1, "m": _MINUTE, "h": _HOUR, "d": _DAY, "w": _WEEK}
"""The letters of units in a timer that is typed, and their seconds."""

_TYPED: Final = re.compile(r"([0-9]{1,7})\s*([a-z])", re.ASCII)

UNIT_NAMES: Final[dict[int, str]] = {
    1: _("seconds"),
    _MINUTE: _("minutes"),
    _HOUR: _("hours"),
    _DAY: _("days"),
    _WEEK: _("weeks"),
}
"""The units in which a timer can be chosen, by their seconds."""


def timer_words(seconds: int) -> str:
    """Say how long a timer is, for example ``1 day`` or ``1 hour 30 minutes``.

    Args:
        seconds: 0 for none.
    """
    parts = []
    for size, words in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(words(count).format(count=count))
    return " ".join(parts) or OFF


def short_timer(seconds: int) -> str:
    """Say about how long a timer is, in its largest unit."""
    size, words = next((unit for unit in _UNITS if seconds >= unit[0]), _UNITS[-1])
    count = (seconds + size // 2) // size
    return words(count).format(count=count)


def typed_timer(text: str) -> int | None:
    """Read a timer as people type it: ``off``, or a number and the first letter of a unit, like ``1h``.

    Returns:
        Seconds, 0 for off; None if it is no timer, or one that is out of bounds.
    """
    text = text.strip().lower()
    if text == _OFF_WORD:
        return 0
    found = _TYPED.fullmatch(text)
    if found is None or found[2] not in TYPED_UNITS:
        return None
    seconds = int(found[1]) * TYPED_UNITS[found[2]]
    return seconds if deed_limits.TIMER_MIN <= seconds <= deed_limits.TIMER_MAX else None


def line_words(message: Message, name: str = "") -> str:
    """What a line about the timer says.

    Args:
        message: The line.
        name: Of the other person; empty if it is clear who that is.
    """
    time = timer_words(message.timer)
    if message.outgoing:
        off = _("You turned disappearing messages off")
        return _("You set messages to disappear after {time}").format(time=time) if message.timer else off
    who = name or _("They")
    if not message.timer:
        return _("{name} turned disappearing messages off").format(name=who)
    return _("{name} set messages to disappear after {time}").format(name=who, time=time)


def life_words(message: Message) -> str:
    """What people who listen to the screen are told about a message that disappears; nothing of others."""
    if not message.timer or message.notice:
        return ""
    return _("disappears after {time}").format(time=timer_words(message.timer))
