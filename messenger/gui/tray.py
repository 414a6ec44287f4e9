"""The picture in the tray of the desktop: a mark while something is unread, the way back to the window."""

from typing import Final

from PySide6.QtCore import QObject, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from messenger.gui import icons
from messenger.gui.theme import Theme
from messenger.text import _
from messenger.text.notices import tray_words

_SIZES: Final = (16, 22, 24, 32, 48, 64)
_LOOK_MS: Final = 3_000
"""A tray can go, as when a panel is removed; no desktop tells it, so it is looked for now and then."""


def available() -> bool:
    """Whether this desktop has a tray now."""
    return QSystemTrayIcon.isSystemTrayAvailable()


class Tray(QObject):
    """One picture in the tray, for one window; it comes and goes with the tray itself.

    Args:
        theme: Colours.
        window: Owner.
    """

    raised = Signal()
    """The person wants to see the window."""
    quit_asked = Signal()
    clicked = Signal()
    """The person clicked a notification that `show_notice` made."""
    gone = Signal()
    """There is no tray any more: a window that is hidden must be shown."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme, self._unread, self._there = theme, 0, False
        self.icon = QSystemTrayIcon(self)
        self.icon.activated.connect(self._on_activated)
        self.icon.messageClicked.connect(self.clicked)
        self._menu = QMenu(window)
        self._menu.setAccessibleName("Sotto")
        self._menu.addAction(_("Show Sotto"), self.raised.emit)
        self._menu.addAction(_("Quit"), self.quit_asked.emit)
        self.icon.setContextMenu(self._menu)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        theme.changed.connect(self._dress)
        self._dress()
        self.look()
        self._timer.start()

    @property
    def there(self) -> bool:
        """Whether the picture can be seen."""
        return self._there

    def show_unread(self, count: int) -> None:
        """Mark that so many messages are unread."""
        marked = bool(count) != bool(self._unread)
        self._unread = count
        self.icon.setToolTip(tray_words(count))
        if marked:
            self._dress()

    def show_notice(self, title: str, text: str) -> None:
        """Show a notification, where the desktop itself takes none."""
        self.icon.showMessage(title, text, icons.app_icon())

    def stop(self) -> None:
        """Leave the tray."""
        self._timer.stop()
        self.icon.hide()
        self._there = False

    @Slot()
    def look(self) -> None:
        """Look whether there is a tray, and be in it."""
        there = available()
        if there == self._there:
            return
        self._there = there
        self.icon.setVisible(there)
        if not there:
            self.gone.emit()

    @Slot()
    def _dress(self) -> None:
        self.icon.setIcon(marked_icon(self._theme) if self._unread else icons.app_icon())
        self.icon.setToolTip(tray_words(self._unread))

    @Slot(QSystemTrayIcon.ActivationReason)
    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is not QSystemTrayIcon.ActivationReason.Context:
            self.raised.emit()


def marked_icon(theme: Theme) -> QIcon:
    """The picture of the program with the mark of something unread."""
    result = QIcon()
    for size in _SIZES:
        picture = QPixmap(icons.logo(size, 1.0))
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = size * 0.5
        spot = QRectF(size - edge, 0, edge, edge)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(Qt.GlobalColor.black)
        painter.drawEllipse(spot.adjusted(-size / 16, -size / 16, size / 16, size / 16))
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        painter.setBrush(theme.colors["danger"])
        painter.drawEllipse(spot)
        painter.end()
        result.addPixmap(picture)
    return result
