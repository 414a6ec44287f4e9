"""Tells the person that something came while they look elsewhere: notification, sound, tray, badge."""

import asyncio
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from messenger.core.ids import ConversationId
from messenger.core.models import Contact, Message, Standing
from messenger.core.settings import Notify, Settings
from messenger.engine.events import ConversationRemoved, Event, Locked, MessageAdded, SettingsChanged
from messenger.gui.bridge import Bridge
from messenger.gui.chime import Chime
from messenger.gui.conversations_page import ConversationsPage
from messenger.gui.desktop_bus import DesktopBus
from messenger.gui.tasks import Tasks
from messenger.gui.tray import Tray
from messenger.text.notices import notice_words

_NEW: Final = 0


def show_badge(count: int) -> None:
    """Show a number at the program's picture in the task bar or dock; 0 for none."""
    app = QGuiApplication.instance()
    if isinstance(app, QGuiApplication):
        app.setBadgeNumber(count)


class Notifier(QObject):
    """Watches what comes for one window; `begin` when its conversations can be seen.

    Args:
        window: The window.
        bridge: Where events come from.
        tray: Shows notifications where the desktop itself takes none.
        tasks: Runs what is begun.
    """

    opened = Signal(object)
    """The person clicked the notification of this conversation."""

    def __init__(self, window: QWidget, bridge: Bridge, tray: Tray, tasks: Tasks) -> None:
        super().__init__(window)
        self._window, self._tray, self._tasks = window, tray, tasks
        self._page: ConversationsPage | None = None
        self._settings = Settings()
        self._numbers: dict[ConversationId, int] = {}
        self._counts: dict[ConversationId, int] = {}
        self._last: ConversationId | None = None
        self._ordered = asyncio.Lock()
        self._bus: DesktopBus | None = None
        self._bus_works: bool | None = None
        self.chime = Chime(self)
        tray.clicked.connect(self._on_tray_clicked)
        bridge.events.connect(self._on_events)

    def begin(self, page: ConversationsPage, settings: Settings) -> None:
        """The conversations can be seen from now on."""
        self._page, self._settings = page, settings
        page.model.dataChanged.connect(self.show_unread)
        page.model.modelReset.connect(self.show_unread)
        page.model.rowsRemoved.connect(self.show_unread)
        self.show_unread()

    def end(self) -> None:
        """The conversations cannot be seen any more, nor may what was shown of them."""
        self._page = None
        self.show_unread()
        self._counts.clear()
        self._tasks.start(self._take_back(), name="remove notifications")

    async def close(self) -> None:
        """Remove what is shown and hang up."""
        self._page = None
        self._counts.clear()
        await self._take_back()
        if self._bus is not None:
            await self._bus.close()
            self._bus = None

    @Slot()
    def show_unread(self) -> None:
        """Show everywhere how many messages are unread."""
        unread = self._page.model.unread() if self._page is not None else 0
        self._tray.show_unread(unread)
        show_badge(unread)
        if self._page is not None:
            rows = (self._page.model.row(conversation) for conversation in list(self._counts))
            read = [row.conversation.id for row in rows if row is not None and not row.conversation.unread]
            if read:
                self._tasks.start(self._take_back(read), name="remove notifications")

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        came: dict[ConversationId, tuple[Contact, Message]] = {}
        for event in events:
            match event:
                case MessageAdded(message=message, unread=unread) if not message.outgoing and unread:
                    contact = self._calls(message)
                    if contact is not None:
                        came[message.conversation] = contact, message
                        self._counts[message.conversation] = self._counts.get(message.conversation, 0) + 1
                case SettingsChanged(settings=settings):
                    self._settings = settings
                case ConversationRemoved(conversation=conversation):
                    self._tasks.start(self._take_back([conversation]), name="remove notifications")
                case Locked():
                    self.end()
                case _:
                    pass
        for contact, message in came.values():
            self._tell(contact, message)
        if came:
            QApplication.alert(self._window)
            if self._settings.sound:
                self.chime.play()

    def _calls(self, message: Message) -> Contact | None:
        """Who wrote, if it calls for attention."""
        row = None if self._page is None else self._page.model.row(message.conversation)
        if row is None or self._page is None or self._settings.notify is Notify.NONE or message.notice:
            return None
        contact = row.conversation.contact
        if (
            contact.muted
            or contact.standing is Standing.BLOCKED
            or self._page.windows.is_looked_at(contact.id)
        ):
            return None
        return contact

    def _tell(self, contact: Contact, message: Message) -> None:
        title, text = notice_words(contact, message, self._counts[contact.id], self._settings.notify)
        self._tasks.start(self._show(contact.id, title, text), name="show a notification")

    async def _show(self, conversation: ConversationId, title: str, text: str) -> None:
        async with self._ordered:
            if self._page is None or conversation not in self._counts:
                return  # it was read, or the profile was locked, meanwhile
            if self._bus_works is None:
                self._bus = DesktopBus(self._on_clicked, self._on_gone)
                self._bus_works = await self._bus.open()
            if self._bus is not None and self._bus_works:
                number = await self._bus.show(self._numbers.get(conversation, _NEW), title, text)
                if number:
                    self._numbers[conversation] = number
            elif self._tray.there:
                self._last = conversation
                self._tray.show_notice(title, text)

    async def _take_back(self, conversations: list[ConversationId] | None = None) -> None:
        """Remove what is shown of these conversations, or everything."""
        for conversation in conversations or ():
            self._counts.pop(conversation, None)
        async with self._ordered:  # what is being shown right now has its number afterwards
            for conversation in list(self._numbers) if conversations is None else conversations:
                number = self._numbers.pop(conversation, _NEW)
                if number and self._bus is not None:
                    await self._bus.take_back(number)

    def _on_clicked(self, number: int) -> None:
        for conversation, shown in self._numbers.items():
            if shown == number:
                self.opened.emit(conversation)
                return

    def _on_gone(self, number: int) -> None:
        """It was put away, or is over: the next message of that conversation makes a new one."""
        for conversation, shown in list(self._numbers.items()):
            if shown == number:
                del self._numbers[conversation]

    @Slot()
    def _on_tray_clicked(self) -> None:
        if self._last is not None:
            self.opened.emit(self._last)
