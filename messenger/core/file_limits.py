"""The numbers of `limits` that are about files. Sizes in bytes, times in seconds."""

from typing import Final

# --- what one transfer may be ---

ENTRIES_MAX: Final = 100_000
"""Files and folders of one transfer."""

DEPTH_MAX: Final = 32
"""Names in one path: twice as deep as the trees that people have; what a folder of programs has."""

WIRE_NAME_MAX: Final = 1024
"""Longest name in UTF-8 as it is told: 255 characters of any system and then some; it is cut on arrival."""

MANIFEST_MAX: Final = 32 * 1024 * 1024
"""Longest encoded list of files."""

FILE_SIZE_MAX: Final = 2**53
"""Largest file, and the most of one transfer: what every implementation can count exactly."""

MODIFIED_MAX: Final = 253_402_300_799_999
"""Latest time of change in Unix milliseconds: the end of the year 9999."""

# --- names on this computer ---

FILE_NAME_MAX: Final = 200
"""Longest name in UTF-8 that is given to a file: room below 255 for " (2)" and what systems append."""

SUFFIX_MAX: Final = 32
"""A suffix longer than this, in UTF-8 and with its dot, may be cut like the rest of the name."""

# --- the disk ---

FILES_OPEN: Final = 32
"""Files, and folders, that one transfer keeps open."""

SYNC_EACH: Final = 16
"""Up to so many changed files are made durable one by one; with more it is the whole file system at once."""

ROOM_KEPT: Final = 1024 * 1024 * 1024
"""Room that transfers leave on a disk …"""

ROOM_KEPT_PART: Final = 20
"""… or this part of a disk, if that is less."""
