"""Whether a window can be opened here."""

import os
import sys
from collections.abc import Callable
from typing import Final

from messenger.text import terminal as words

_NEED_A_DISPLAY: Final = ("", "xcb", "wayland", "wayland-egl")
"""Qt platforms that need a display server; any other that is asked for brings its own."""

_OURS: Final = "messenger"


def window_problem(load: Callable[[], None]) -> str:
    """Why no window can be opened here, in a sentence; empty if one can.

    Args:
        load: Loads Qt; raises ImportError where it, or a library that it needs, is missing.
    """
    if sys.platform == "linux" and not _has_display():
        return words.NO_DISPLAY
    try:
        load()
    except ImportError as e:
        if e.name is not None and e.name.partition(".")[0] == _OURS:
            raise
        return words.no_qt(_missing(e))
    return ""


def _has_display() -> bool:
    platform = os.environ.get("QT_QPA_PLATFORM", "").partition(";")[0].partition(":")[0]
    if platform not in _NEED_A_DISPLAY:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _missing(error: ImportError) -> str:
    """What could not be loaded: a library, which the loader names first, or a module."""
    library = str(error).partition(":")[0]
    return library if ".so" in library else (error.name or str(error))
