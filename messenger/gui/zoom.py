"""The size of everything on the screen, sharp at any value: Qt's own scaling, changed while the program runs.

At the start Qt reads it from ``QT_SCALE_FACTOR``. Later it is changed by the function of Qt that reads this
variable, `QHighDpiScaling::setGlobalFactor`. It is no part of Qt's public interface, which has none for this,
so it is looked for by its name; where it is not found the new size holds from the next start on. It must be
called while no window exists on the screen: all are taken away and shown again, with everything in them.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import PySide6
from PySide6.QtCore import QObject, QRect, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication, QWidget

from messenger.core.window_limits import ZOOM_MAX, ZOOM_MIN

STEPS: Final = (80, 90, 100, 110, 125, 150, 175, 200)
"""Sizes that the keys step through, in percent."""
NORMAL: Final = 100

_VARIABLE: Final = "QT_SCALE_FACTOR"
_SYMBOLS: Final = {
    "linux": ("Qt/lib/libQt6Gui.so.6", "_ZN15QHighDpiScaling15setGlobalFactorEd"),
    "darwin": ("Qt/lib/QtGui.framework/Versions/A/QtGui", "_ZN15QHighDpiScaling15setGlobalFactorEd"),
    "win32": ("Qt6Gui.dll", "?setGlobalFactor@QHighDpiScaling@@SAXN@Z"),
}
"""Library, below the folder of PySide6, and name of the function; only Linux is covered by tests."""


def bounded(text: str) -> int:
    """A size that was remembered; 100 if it makes no sense.

    Args:
        text: Percent, as decimal digits.
    """
    value = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else NORMAL
    return value if ZOOM_MIN <= value <= ZOOM_MAX else NORMAL


def step(percent: int, by: int) -> int:
    """The next larger (+1) or smaller (-1) of `STEPS`; the same at the end.

    Args:
        percent: The size now.
        by: Which way.
    """
    if by > 0:
        return next((each for each in STEPS if each > percent), percent)
    return next((each for each in reversed(STEPS) if each < percent), percent)


def before_start(percent: int) -> None:
    """Begin with a size; only before the application is made.

    Args:
        percent: The size.
    """
    if percent != NORMAL:
        os.environ[_VARIABLE] = str(_own_factor() * percent / NORMAL)


class Zoom(QObject):
    """The size of the windows of one application.

    Args:
        app: The application.
        percent: As it was begun with.
    """

    changed = Signal()
    """Everything has another size from now on."""

    def __init__(self, app: QApplication, percent: int = NORMAL) -> None:
        super().__init__(app)
        self._app, self._shown, self._wanted = app, percent, percent
        self._base = _own_factor() * NORMAL / percent
        self._set_factor = _found()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._apply)

    @property
    def percent(self) -> int:
        """The size that everything has."""
        return self._shown

    def choose(self, percent: int) -> None:
        """Give everything a size, as soon as what happens now is over.

        Args:
            percent: 80 to 200.
        """
        self._wanted = percent
        if percent != self._shown and self._set_factor is not None:
            self._timer.start()

    @Slot()
    def _apply(self) -> None:
        if self._set_factor is None or self._wanted == self._shown:
            return
        self._shown = self._wanted
        windows = [widget for widget in self._app.topLevelWidgets() if widget.windowHandle() is not None]
        front, focus = self._app.activeWindow(), self._app.focusWidget()
        popups = [
            widget for widget in windows if widget.isVisible() and widget.windowType() == Qt.WindowType.Popup
        ]
        for widget in popups:
            widget.close()
        shown = [_Shown(widget) for widget in windows if widget.isVisible()]
        for widget in windows:
            widget.destroy()
        self._set_factor(self._base * self._shown / NORMAL)
        for one in sorted(shown, key=lambda one: one.depth):
            one.bring_back()
        if front is not None:
            front.activateWindow()
        if focus is not None:
            focus.setFocus()
        self.changed.emit()


class _Shown:
    """A window that is on the screen, and how it comes back there."""

    def __init__(self, window: QWidget) -> None:
        self._window, self._place, self._state = window, QRect(window.geometry()), window.windowState()
        self.depth, parent = 0, window.parentWidget()
        while parent is not None:
            self.depth, parent = self.depth + 1, parent.parentWidget()
        window.hide()

    def bring_back(self) -> None:
        """Show it; those that others belong to come first."""
        screen = self._window.screen().availableGeometry()
        place = self._place
        if not self._state:
            place = QRect(place.topLeft(), place.size().boundedTo(screen.size()))
            place.moveLeft(max(screen.left(), min(place.left(), screen.right() - place.width() + 1)))
            place.moveTop(max(screen.top(), min(place.top(), screen.bottom() - place.height() + 1)))
            self._window.setGeometry(place)
        self._window.setWindowState(self._state)
        self._window.show()


def _own_factor() -> float:
    """What the person's own environment asks for."""
    try:
        factor = float(os.environ.get(_VARIABLE, "1"))
    except ValueError:
        return 1.0
    return factor if 0.1 <= factor <= 10 else 1.0


def _found() -> Callable[[float], None] | None:
    place, name = _SYMBOLS.get(sys.platform, ("", ""))
    try:
        function = ctypes.CDLL(str(Path(PySide6.__file__).parent / place))[name]
    except (OSError, AttributeError):
        return None
    function.argtypes, function.restype = [ctypes.c_double], None
    result: Callable[[float], None] = function
    return result
