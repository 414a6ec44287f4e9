"""The numbers of `limits` that are about what is done to messages. Sizes in bytes, times in seconds."""

from typing import Final

EMOJI_MAX: Final = 32
"""Longest reaction in UTF-8 bytes."""

ACTIONS_WAITING_MAX: Final = 1_000
"""Edits, deletions and reactions of one person that wait for messages which are not here; more do nothing."""

TIMER_MIN: Final = 5
"""Least seconds after which messages disappear, if they do."""

TIMER_MAX: Final = 4 * 7 * 24 * 3600
"""Most seconds after which messages disappear, if they do."""

TYPING_EVERY: Final = 3.0
"""How often the other side is told that somebody goes on typing."""

TYPING_SHOWN: Final = 6.0
"""How long somebody counts as typing after they said so."""
