"""Whether a window can be opened here."""

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Final

from messenger.text import terminal as words

_X11: Final = frozenset({"", "xcb"})
_WAYLAND: Final = frozenset({"", "wayland", "wayland-egl", "wayland-brcm"})
"""Qt platforms that need a display server; the empty name takes whichever there is."""

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
    """Whether a display server answers; Qt itself would end the process if none does."""
    wanted = {name.partition(":")[0] for name in os.environ.get("QT_QPA_PLATFORM", "").split(";")}
    if wanted - _X11 - _WAYLAND:
        return True
    return bool(wanted & _WAYLAND and _wayland_answers()) or bool(wanted & _X11 and _x11_answers())


def _x11_answers() -> bool:
    """Whether the X server of DISPLAY lets us in, asked in the way in which Qt asks."""
    if not os.environ.get("DISPLAY"):
        return False
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:  # loading Qt will say what is missing
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not failed


def _wayland_answers() -> bool:
    """Whether there is a compositor at WAYLAND_DISPLAY, or one that has given us a connection already."""
    if os.environ.get("WAYLAND_SOCKET"):  # good for one connection, which is Qt's
        return True
    socket = os.environ.get("WAYLAND_DISPLAY", "")
    if not (socket.startswith("/") or (socket and os.environ.get("XDG_RUNTIME_DIR"))):
        return False
    try:
        wayland = ctypes.CDLL("libwayland-client.so.0")
    except OSError:
        return True
    wayland.wl_display_connect.restype = ctypes.c_void_p
    display = ctypes.c_void_p(wayland.wl_display_connect(None))
    if display:
        wayland.wl_display_disconnect(display)
    return bool(display)


def _missing(error: ImportError) -> str:
    """What could not be loaded: a library, which the loader names first, or a module."""
    library = str(error).partition(":")[0]
    return library if ".so" in library else (error.name or str(error))
