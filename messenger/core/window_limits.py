"""Numbers that bound what the window shows."""

from typing import Final

ZOOM_MIN: Final = 80
ZOOM_MAX: Final = 200
"""Sizes of the window, in percent."""

NOTICE_TEXT_MAX: Final = 200
"""Characters of a message that a notification shows."""
