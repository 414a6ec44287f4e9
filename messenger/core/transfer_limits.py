"""The numbers of `limits` that are about offers and lanes. Sizes in bytes, times in seconds.

Those of files themselves stand in `file_limits`.
"""

from typing import Final

NAMES_MAX: Final = 5
"""Names that an offer tells of those at its top; the rest is in the list of files."""

NAME_CHARS_MAX: Final = 255
"""Longest of these names in characters; longer ones are told by their beginning."""

THUMBNAIL_MAX: Final = 32 * 1024
"""Small picture in an offer."""

OFFER_MAX: Final = THUMBNAIL_MAX + NAMES_MAX * (NAME_CHARS_MAX * 4 + 5) + 128
"""Encoded description in an offer: picture, names in UTF-8, and numbers."""

CHUNK: Final = 4 * 1024 * 1024
"""What is hashed and remembered together: 16 records. With 1 MiB a transfer costs as much, but takes four
times the place in the database."""

PIECE_MAX: Final = 256 * 1024
"""Most file bytes in one record; see `limits.RECORD_CONTENT_MAX`."""

PIECES_AT_ONCE: Final = 4
"""Records of that size that are taken from a lane, and written to the disk, with one call: with more of them
a file costs its receiver no less. Its sender gains nothing by it."""

PIECE_LEAST: Final = 4 * 1024
"""Fewest file bytes in one record of many, on a slow line."""

PIECE_FIRST: Final = 16 * 1024
"""File bytes of the first records of a lane, until it is known how fast the line is."""

PIECE_FAST: Final = 0.1
"""A record that leaves within this time is followed by one of twice the size, up to PIECE_MAX."""

PIECE_SLOW: Final = 1.0
"""A record that takes longer is followed by one of half the size, down to PIECE_LEAST."""

RANGES_MAX: Final = 8_192
"""Runs of chunks that a receiver names; of what lies behind them it says that it is not there."""

LANES_MAX: Final = 16
"""Lanes of one program at once, whatever the settings say."""

TICKETS_MAX: Final = 8
"""Tickets of one side of a link that are neither used nor expired (SPEC.md section 7)."""

TICKET_LIFETIME: Final = 60.0
"""Time in which a ticket can be used."""

TICKET_PATIENCE: Final = 2.0
"""How long who shows a ticket waits for it to come by the link, which may be slower than the stream."""

LANE_STEP: Final = 10.0
"""Deadline for each message of the opening of a lane."""

LANE_SILENCE: Final = 30.0
"""A lane on which nothing can be sent or received for this long has broken."""

LOOK_EVERY: Final = 0.01
"""How often a lane that is busy looks at the clock, and whoever only sends at what has come."""

LANE_WAIT: Final = 20.0
"""How long somebody who gave out a ticket waits for its lane before trying again."""

LANE_RETRY: Final = 0.5
LANE_RETRY_MAX: Final = 30.0
"""Bounds of the pause between attempts to open a lane, while the link is up."""

JOURNAL_EVERY: Final = 1.0
"""How often chunks that have arrived are made durable: a crash costs no more than what came in this time."""

PROGRESS_EVERY: Final = 0.1
"""How often the progress of a transfer is told."""

SPEED_OVER: Final = 5.0
"""Time over which a speed is measured."""

ROOM_EVERY: Final = 10.0
"""How often it is looked at whether a full disk has room again."""

NAMES_SHOWN: Final = 100
"""Names that a person is shown of what they chose to send."""

PASTED_MAX: Final = 256 * 1024 * 1024
"""Largest picture that is pasted."""

# --- pictures that are shown ---

THUMBNAIL_EDGE: Final = 320
"""Longest edge of the small picture in an offer, in pixels."""

PREVIEW_EDGE: Final = 760
"""Longest edge of a picture as it is shown in a conversation, in pixels: a card on a dense screen."""

PICTURE_FILE_MAX: Final = 64 * 1024 * 1024
"""Largest file of which a small picture is made or shown."""

PICTURE_MEMORY_MIB: Final = 256
"""Most memory that the pixels of one picture may take while it is read."""

PICTURE_SECONDS: Final = 10
"""Time in which a picture must be read."""

PICTURES_KEPT: Final = 64 * 1024 * 1024
"""Pixels of pictures that are kept to be shown again, in bytes."""

TRANSFERS_LISTED: Final = 1_000
"""Transfers that are told at once, the newest."""

SPEED_LIMIT_MAX: Final = 10_000_000
"""Largest speed limit in KiB/s; more is none."""

ACCEPT_MIB_MAX: Final = 1_000_000
"""Largest size in MiB up to which files may be accepted without asking."""
