"""The short sound of a notification: our own where Qt can play one, else the bell of the desktop."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QElapsedTimer, QObject, QUrl
from PySide6.QtWidgets import QApplication

from messenger import assets

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QSoundEffect

_PAUSE_MS: Final = 3_000
"""Shortest time between two sounds."""


class Chime(QObject):
    """Plays it.

    Args:
        parent: Owner.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._since = QElapsedTimer()
        self._effect: QSoundEffect | None = None
        self._looked = False

    def play(self) -> bool:
        """Play it, unless it was played just now; whether it was."""
        if self._since.isValid() and self._since.elapsed() < _PAUSE_MS:
            return False
        self._since.start()
        if not self._looked:
            self._looked = True
            self._effect = _effect(self)
        if self._effect is None:
            QApplication.beep()
        else:
            self._effect.play()
        return True


def _effect(parent: QObject) -> "QSoundEffect | None":
    """Our sound, if QtMultimedia is there: it belongs to the optional PySide6-Addons."""
    try:
        from PySide6.QtMultimedia import QSoundEffect
    except ImportError:
        return None
    effect = QSoundEffect(parent)
    effect.setSource(QUrl.fromLocalFile(str(assets.path("message.wav"))))
    return effect
