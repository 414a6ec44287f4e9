"""Numbers that bound what the window shows."""

from typing import Final

ZOOM_MIN: Final = 80
ZOOM_MAX: Final = 200
"""Sizes of the window, in percent."""

LOG_MAX: Final = 1024 * 1024
"""Bytes after which the log of the program is set aside and begun anew; the one set aside before goes."""

LOG_WAITING_MAX: Final = 1000
"""Lines that wait for the disk; more are left out."""

LOG_END_S: Final = 1.0
"""Seconds that the end of the program waits for the disk to take the last lines."""

LOG_FRAMES_MAX: Final = 12
"""Lines of the source that are told of one error, the innermost ones."""

NOTICE_TEXT_MAX: Final = 200
"""Characters of a message that a notification shows."""

SPELLED_WORD_MAX: Final = 64
"""Characters of a word whose spelling is checked, or that is added to the personal dictionary."""

SPELLED_TEXT_MAX: Final = 20_000
"""Characters of a text whose spelling is checked; in a longer one nothing is marked."""

SPELLED_LANGUAGES_MAX: Final = 4
"""Languages that are checked at once; each takes some 10 MiB in the process that checks."""

SPELLED_TAGS_MAX: Final = 500
"""Dictionaries of the system that are listed."""

SPELLED_WORDS_MAX: Final = 5_000
"""Words of a personal dictionary."""

SPELLED_KEPT: Final = 20_000
"""Words of which the window remembers whether they are right."""

SPELLED_AT_ONCE: Final = 500
"""Words that the process is asked about at once."""

SPELLED_MARKS_MAX: Final = 200
"""Words that are marked at once in one line; more of them mean another language."""

SUGGESTIONS_MAX: Final = 5
"""Words that are suggested in place of one."""

SUGGESTIONS_WAIT_MS: Final = 400
"""After so many milliseconds the menu opens without suggestions."""

SPELLING_SECONDS: Final = 20
"""After so many seconds without an answer the process that checks spelling is ended."""

SPELLING_ANSWER_MAX: Final = 64 * 1024
"""Longest answer of that process in bytes."""

SPELLING_FAILURES_MAX: Final = 3
"""How often that process may fail before spelling is not checked any more until the profile opens again."""
