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
