"""Notices that somebody is at the keyboard or mouse, so that the profile does not lock under their hands."""

from typing import Final

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, Signal
from PySide6.QtWidgets import QApplication

_SIGNS: Final = frozenset(
    {
        QEvent.Type.ShortcutOverride,  # before every key, and the only one of keys that are shortcuts
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
    }
)
_PAUSE_MS: Final = 10_000
"""After a sign the next ones are not told for this long."""


class Attendance(QObject):
    """Watches the whole program.

    Args:
        app: The program.
        parent: Owner.
    """

    noticed = Signal()
    """Somebody is there; at most once in ten seconds."""

    def __init__(self, app: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        self._since = QElapsedTimer()
        app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002, N802 -- Qt's name
        """Look at an event and let it pass."""
        if event.type() in _SIGNS and not (self._since.isValid() and self._since.elapsed() < _PAUSE_MS):
            self._since.start()
            self.noticed.emit()
        return False
