"""Every sentence that a person reads, in one language at a time: shared by window and terminal, free of both.

`explain` turns an error into what happened and what to do. The tables are complete by test: every
error class, `Reason`, `InputProblem`, setting and choice has its words. Short labels that belong to
one control only stand at that control and go through the same `_`.
"""

from messenger.text.catalogue import _, ngettext
from messenger.text.errors import explain, too_long, unexpected
from messenger.text.files import (
    DEEDS,
    amount_words,
    choice_words,
    deed_words,
    file_sentence,
    files_title,
    left_out_words,
    left_words,
    percent,
    program_words,
    size_words,
    speed_words,
    state_words,
    total_words,
    transfer_sentence,
)
from messenger.text.settings import ADDRESS_KINDS, CHOICES, PAGES, PROTECTION, SETTINGS
from messenger.text.talk import (
    CONNECT_STEPS,
    GONE,
    SETUP_STEPS,
    STATES,
    chain_words,
    conversation_sentence,
    failure,
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
    "DEEDS",
    "GONE",
    "PAGES",
    "PROTECTION",
    "SETTINGS",
    "SETUP_STEPS",
    "STATES",
    "_",
    "amount_words",
    "chain_words",
    "choice_words",
    "clock",
    "conversation_sentence",
    "day",
    "deed_words",
    "explain",
    "failure",
    "file_sentence",
    "files_title",
    "left_out_words",
    "left_words",
    "line_words",
    "local",
    "long_moment",
    "marks",
    "message_sentence",
    "moment",
    "ngettext",
    "one_line",
    "percent",
    "presence_words",
    "program_words",
    "short_moment",
    "short_timer",
    "shown_text",
    "size_words",
    "speed_words",
    "state_words",
    "timer_words",
    "too_long",
    "total_words",
    "transfer_sentence",
    "typed_timer",
    "typing_words",
    "unexpected",
    "unread_words",
    "updating",
]
