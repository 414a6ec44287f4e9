"""The numbers of `limits` that are about search, history and backups. Sizes in bytes, times in seconds."""

from typing import Final

# --- the database ---

WAL_PAGES: Final = 1000
"""Pages of 4 KiB in the write-ahead log before they are moved into the database."""

WAL_KEPT: Final = 8 * 1024 * 1024
"""The write-ahead log is cut to this size when it could be emptied."""

GROUP_COMMIT_MAX: Final = 256
"""Writes in one transaction; more would make the first of them wait for long."""

# --- search and history ---

SEARCH_TERM_MAX: Final = 64
"""Characters of a word that search looks at; part of the index, see `messenger.core.words`."""

SEARCH_QUERY_MAX: Final = 256
"""Characters of a search that are looked at."""

SEARCH_PHRASES_MAX: Final = 16
"""Words and quoted phrases of one search."""

SEARCH_PAGE: Final = 50
"""Hits read at once for a view."""

SEARCH_PAGE_MAX: Final = 500
"""Most hits read at once."""

SEARCH_SAMPLE: Final = 200
"""So many of the newest messages are read before the index is asked for the beginning of a word: what is in
many messages is found sooner by reading them (20 µs each, measured) than by joining lists (0.1 µs for each
message that has it)."""

SEARCH_COMMON: Final = 100
"""Reading goes on if the part of the messages that fit, times the sum of the parts in which each beginning
occurs, is at least one in so many: there both ways take the same time in a million messages."""

SEARCH_FREQUENT: Final = 8
"""The beginning of a word that is in at least one of so many messages is looked for in those that have the
rest of what is asked for."""

SEARCH_NEWEST: Final = 1_400
"""Most messages that are read before the index is asked all the same."""

SEARCH_BULK: Final = 1_000
"""So many messages are taken out of the index together: 10 µs each and 1 µs for each that stays, against
50 µs to 2 ms for one alone (measured)."""

SEARCH_MERGE: Final = 50
"""Pages of 4 KiB of the index written anew in one transaction; ten times as many are read if most of what was
in them is deleted: some 100 ms."""

REMOVE_STEP: Final = 250
"""Messages of a deleted conversation taken away in one transaction, if they are many: some 50 ms among a
million others."""

REMOVE_STEP_FEW: Final = 50
"""The same if they are fewer than `SEARCH_BULK`, and each one is overwritten in the index by itself."""

KEEP_DAYS_MAX: Final = 36_500
"""Days for which messages may be kept, if not for ever."""

EXPIRE_BATCH: Final = 20_000
"""Messages deleted in one transaction because they are too old; a second or two for a large database."""

FORGOTTEN_KEPT: Final = 90 * 24 * 3600
"""Ids of deleted messages are remembered for this long: twice as long as anything may be on its way."""

# --- locking and backups ---

LOCK_MINUTES_MAX: Final = 24 * 60
"""Longest time without use after which a profile locks itself."""

IDLE_LOOK: Final = 15.0
"""How often it is looked whether anybody is there: a machine that slept is locked so soon after it woke."""

TIDY_AFTER: Final = 30.0
"""What is too old is deleted, and a backup made, not before a profile has been open for this long: starting
comes first."""

NOTE_MAX: Final = 4 * 1024
"""Longest note about somebody in UTF-8 bytes."""

BACKUPS_MAX: Final = 30
"""Most daily backups that are kept."""

BACKUP_INTERVAL: Final = 24 * 3600
"""A backup is made when the newest is this old."""

BACKUP_STEP: Final = 1_000
"""Pages of 4 KiB copied between two looks whether the program ends: some 20 ms."""

COPY_KEPT: Final = 30 * 24 * 3600
"""How long the copy is kept that was made before a database left an old version, or of a damaged log."""

LOGS_KEPT: Final = 3
"""Most copies of damaged logs that are kept."""

LOGS_BEFORE: Final = 2**20
"""Frames of so many earlier logs may stand in the file of the log; the salt of each log counts one more."""

# --- chains, and databases that were put back (SPEC.md 8.5) ---

PART_BITS: Final = 30
"""Bits of a message's number that count within one part of its author's chain: a thousand million."""

EPOCH_MAX: Final = 2 ** (63 - PART_BITS) - 1
"""Largest number of a part, which is a time in seconds: the year 2242."""

GENERATION_MAX: Final = 256
"""Bytes that are read of the file which counts how often a database was opened."""

COUNT_MAX: Final = 2**62
"""Largest count in it."""

STATEMENTS_MAX: Final = 1024 * 1024
"""Bytes that are read of the file with our statements of succession."""

PLACE_SLACK: Final = 2
"""Seconds by which the time of a file may differ when its disk was taken out and put in again."""
