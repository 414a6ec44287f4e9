"""The window among the other things on the desktop: tray, notifications, how it begins, when it hides."""

import asyncio
import logging
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

from messenger.core.settings import Settings
from messenger.engine.events import Event, SettingsChanged
from messenger.gui import autostart
from messenger.gui.bridge import Bridge
from messenger.gui.conversations_page import ConversationsPage
from messenger.gui.notifier import Notifier, show_badge
from messenger.gui.remembered import Remembered
from messenger.gui.tasks import Tasks
from messenger.gui.theme import Theme
from messenger.gui.tray import Tray

_log = logging.getLogger(__name__)

_ON = "yes"
_HIDES, _BEGINS = "close_to_tray", "start_minimised"
"""What is remembered of the settings: it must be known while the profile is locked or not open yet."""


class Outside(QObject):
    """Of one window.

    Args:
        window: The window.
        theme: Colours.
        bridge: The way to the engine.
        folder: The profile folder.
        remembered: What must be known before the profile is open.
    """

    raised = Signal()
    """The person wants to see the window."""
    opened = Signal(object)
    """The person wants to see this conversation."""
    quit_asked = Signal()

    def __init__(
        self, window: QMainWindow, theme: Theme, bridge: Bridge, folder: Path, remembered: Remembered
    ) -> None:
        super().__init__(window)
        self._window, self._bridge, self._folder, self._remembered = window, bridge, folder, remembered
        self._autostart: bool | None = None
        self._tasks = Tasks(self._on_error)
        self.tray = Tray(theme, window)
        self.tray.raised.connect(self.raised)
        self.tray.quit_asked.connect(self.quit_asked)
        self.tray.gone.connect(self._on_tray_gone)
        self.notifier = Notifier(window, bridge, self.tray, self._tasks)
        self.notifier.opened.connect(self._on_opened)
        bridge.events.connect(self._on_events)

    def begin(self, page: ConversationsPage, settings: Settings) -> None:
        """The conversations can be seen from now on."""
        self.notifier.begin(page, settings)
        self._use(settings)
        self._tasks.start(self._look_at_autostart(settings), name="look whether the desktop starts Sotto")

    def end(self) -> None:
        """The conversations cannot be seen any more."""
        self.notifier.end()

    def show_first(self) -> None:
        """Show the window for the first time, as the person wants to have it."""
        if self._remembered.text(_BEGINS) != _ON:
            self._window.show()
        elif not self.tray.there:
            self._window.showMinimized()

    def hides(self) -> bool:
        """Whether closing the window only hides it: where there is a tray, and the session goes on."""
        app = QGuiApplication.instance()
        ends = isinstance(app, QGuiApplication) and app.isSavingSession()
        return self._remembered.text(_HIDES) == _ON and self.tray.there and not ends

    def stop(self) -> None:
        """The window closes."""
        self.tray.stop()
        show_badge(0)
        self._tasks.close()

    async def close(self) -> None:
        """After `stop`: take back what the desktop shows of us."""
        await self.notifier.close()

    def _use(self, settings: Settings) -> None:
        for name in (_HIDES, _BEGINS):
            self._remembered.remember(name, _ON if getattr(settings, name) else "")
        before, self._autostart = self._autostart, settings.autostart
        if before is not None and before != settings.autostart:
            self._tasks.start(self._set_autostart(on=settings.autostart), name="start with the session")

    async def _set_autostart(self, *, on: bool) -> None:
        await asyncio.to_thread(autostart.apply, self._folder, on=on)

    async def _look_at_autostart(self, settings: Settings) -> None:
        """The setting says what the desktop really does, which may have been changed there."""
        if settings.autostart and not await asyncio.to_thread(autostart.applied, self._folder):
            self._autostart = False
            await self._bridge.call(self._bridge.engine.change_settings, {"autostart": False})

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, SettingsChanged):
                self._use(event.settings)

    @Slot(object)
    def _on_opened(self, conversation: object) -> None:
        self.raised.emit()
        self.opened.emit(conversation)

    @Slot()
    def _on_tray_gone(self) -> None:
        if self._window.isHidden() and self._remembered.text(_HIDES) + self._remembered.text(_BEGINS):
            self._window.show()

    @staticmethod
    def _on_error(error: BaseException) -> None:
        _log.info("the desktop refused: %s", type(error).__name__)
