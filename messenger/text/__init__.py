"""Every sentence that a person reads, in one language at a time: shared by window and terminal, free of both.

`explain` turns an error into what happened and what to do. The tables are complete by test: every
error class, `Reason`, `InputProblem`, setting and choice has its words. Short labels that belong to
one control only stand at that control and go through the same `_`.
"""

from messenger.text.catalogue import _, ngettext
from messenger.text.errors import explain, too_long, unexpected
from messenger.text.settings import ADDRESS_KINDS, CHOICES, PAGES, PROTECTION, SETTINGS
from messenger.text.talk import (
    CONNECT_STEPS,
    GONE,
    SETUP_STEPS,
    STATES,
    chain_words,
    conversation_sentence,
    failure,
    log_damaged,
    marks,
    message_sentence,
    one_line,
    presence_words,
    shown_text,
    typing_words,
    unread_words,
    updating,
)
from messenger.text.timers import line_words, short_timer, timer_words, typed_timer
from messenger.text.times import clock, day, local, long_moment, moment, short_moment

__all__ = [
    "ADDRESS_KINDS",
    "CHOICES",
    "CONNECT_STEPS",
    "GONE",
    "PAGES",
    "PROTECTION",
    "SETTINGS",
    "SETUP_STEPS",
    "STATES",
    "_",
    "chain_words",
    "clock",
    "conversation_sentence",
    "day",
    "explain",
    "failure",
    "line_words",
    "local",
    "log_damaged",
    "long_moment",
    "marks",
    "message_sentence",
    "moment",
    "ngettext",
    "one_line",
    "presence_words",
    "short_moment",
    "short_timer",
    "shown_text",
    "timer_words",
    "too_long",
    "typed_timer",
    "typing_words",
    "unexpected",
    "unread_words",
    "updating",
]
