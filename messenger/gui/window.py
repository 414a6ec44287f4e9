"""The main window of one profile: start, first run or unlock, then the conversations; and how it closes."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QDialog, QStackedWidget, QWidget

from messenger.core.errors import SottoError
from messenger.core.ids import ConversationId
from messenger.core.models import ProfileStatus
from messenger.core.settings import Settings
from messenger.engine.events import (
    Event,
    Locked,
    LogDamaged,
    MeChanged,
    RaiseWindow,
    SettingsChanged,
    UpdateProgress,
)
from messenger.gui.attendance import Attendance
from messenger.gui.bridge import Bridge
from messenger.gui.card_page import CardPage
from messenger.gui.chat_pane import ChatPane
from messenger.gui.commands import Commands
from messenger.gui.contact_panel import ContactPanel
from messenger.gui.conversation_model import ConversationModel
from messenger.gui.conversations_page import ConversationsPage
from messenger.gui.empty import EmptyPane
from messenger.gui.outside import Outside
from messenger.gui.remembered import Remembered
from messenger.gui.sidebar import Sidebar
from messenger.gui.start_page import StartPage
from messenger.gui.tasks import Tasks
from messenger.gui.theme import Choice, Theme
from messenger.gui.widgets import Window
from messenger.text import _, log_damaged

_SIZE: Final = (1040, 700)
_LEAST: Final = (420, 480)


class MainWindow(Window):
    """One window on one engine. Show it, then await `start` (or `enter`, if the engine is open already).

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine; attached before `start` or `enter` is awaited.
        folder: The profile folder, where the window remembers its size and colours.
    """

    painted = Signal()
    """The window can be seen for the first time."""
    closing = Signal()
    """The person closed the window. It is hidden and calls the engine no more; stop the engine now."""
    held = Signal()
    """The profile is locked for this program."""
    settled = Signal(object)
    """The settings are known, or are others from now on."""
    ready = Signal()
    """The conversations can be seen."""

    def __init__(self, theme: Theme, bridge: Bridge, folder: Path) -> None:
        super().__init__()
        self._theme, self._bridge = theme, bridge
        self._remembered = Remembered(folder)
        self._name = self._name_wanted = self._link = ""
        self._painted = self._opened = self._closed = self._quitting = False
        self._lost: LogDamaged | None = None
        self.tasks = Tasks(self._on_error)
        self.commands = Commands(self, theme, bridge, self.tasks, folder)
        self.commands.restore_asked.connect(self._on_restore)
        self.conversations: ConversationsPage | None = None
        leave = QAction(_("Quit"), self)
        leave.setShortcut("Ctrl+Q")
        leave.triggered.connect(self.quit)
        self.addAction(leave)
        self.setWindowTitle("Sotto")
        self.setMinimumSize(*_LEAST)
        self.pages = QStackedWidget()
        self.setCentralWidget(self.pages)
        self.start_page = StartPage(theme)
        self.start_page.again.connect(lambda: self.tasks.start(self.start(), name="open the profile again"))
        self.start_page.profiles_asked.connect(self.commands.show_profiles)
        self._show(self.start_page)
        self.resize(*_SIZE)
        self.restoreGeometry(self._remembered.state("geometry"))
        if (choice := self._remembered.text("theme")) in set(Choice):
            theme.choose(Choice(choice))
        bridge.events.connect(self._on_events)
        self.outside = Outside(self, theme, bridge, folder, self._remembered)
        self.outside.raised.connect(self.bring_to_front)
        self.outside.opened.connect(self._on_conversation_asked)
        self.outside.quit_asked.connect(self.quit)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            Attendance(app, self).noticed.connect(self._on_attended)

    async def start(self) -> None:
        """Look at the profile and show what it needs: first run, unlock, or the conversations."""
        self._show(self.start_page)
        self.start_page.wait()
        try:
            if self._opened:
                await self.enter()
                return
            status = await self._bridge.call(self._bridge.engine.status)
            self.held.emit()
            match status:
                case ProfileStatus.NEW:
                    self._first_run()
                case ProfileStatus.LOCKED:
                    self._unlock()
                case ProfileStatus.READY:
                    await self._bridge.call(self._bridge.engine.open)
                    await self.enter()
        except (SottoError, OSError) as e:
            self.fail(e)

    async def enter(self) -> None:
        """Show the conversations of an engine that is open."""
        self._opened = True
        self.conversations = page = await self._build_page()
        engine = self._bridge.engine
        if not (await self._bridge.call(engine.me)).name and self._name_wanted:
            await self._bridge.call(engine.set_name, self._name_wanted)
        me = await self._bridge.call(engine.me)
        self._name = me.name
        self.commands.show_me(me)
        settings = await self._bridge.call(engine.settings)
        self._remember(settings)
        page.restore_splitter(self._remembered.state("splitter"))
        if (cleared := self._remembered.text("transfers")).isdecimal():
            page.chat.files.book.hide_to(int(cleared))
        before = self.pages.currentWidget()
        self._show(page)
        if before is not None and before is not self.start_page:
            self.pages.removeWidget(before)
            before.deleteLater()
        page.model.dataChanged.connect(self._show_title)
        self._show_title()
        self.commands.enable(page)
        self.outside.begin(page, settings)
        self.follow(self._link)
        page.sidebar.search.setFocus()
        if self._lost is not None:
            page.notice.say(log_damaged(self._lost.kept), "warning")
            self._lost = None
        self.ready.emit()

    async def _build_page(self) -> ConversationsPage:
        """Build it in parts, between which the window lives on, and load it."""
        theme, bridge, reader = self._theme, self._bridge, self._bridge.engine.reader()
        with contextlib.ExitStack() as unless_loaded:
            unless_loaded.callback(reader.close)
            entries, tools = self.commands.entries(), self.commands.tools()
            sidebar = Sidebar(theme, ConversationModel(), [entry[:2] for entry in entries], tools)
            await asyncio.sleep(0)
            chat = ChatPane(theme, bridge, reader)
            await asyncio.sleep(0)
            panel = ContactPanel(theme, bridge, chat.orders, chat.files)
            await asyncio.sleep(0)
            empty = EmptyPane(theme, [entry for entry in entries if entry[2]])
            await asyncio.sleep(0)
            page = ConversationsPage(theme, bridge, reader, sidebar, chat, panel, empty)
            unless_loaded.pop_all()
            unless_loaded.callback(page.stop)
            await page.load()
            unless_loaded.pop_all()
        return page

    @Slot(object)
    def fail(self, error: BaseException) -> None:
        """Say why the profile cannot be opened, and offer to try again."""
        self._show(self.start_page)
        self.start_page.fail(error)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Tell that the first paint happened."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            self.painted.emit()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 -- Qt's name
        """Hide at once; whoever owns the engine stops it meanwhile. Or only hide, if the tray leads back."""
        if not self._quitting and not self._closed and self.outside.hides():
            event.ignore()
            self.hide()
            return
        super().closeEvent(event)
        if self._closed:
            return
        self._closed = True
        self._remembered.remember("geometry", self.saveGeometry())
        if self.conversations is not None:
            self._remembered.remember("splitter", self.conversations.splitter_state())
            self._remember_cleared(self.conversations)
        self._remembered.save()
        for dialog in self.findChildren(QDialog):
            dialog.reject()
        self.hide()
        self.tasks.close()
        self.outside.stop()
        if self.conversations is not None:
            self.conversations.stop()
        self.closing.emit()

    @Slot()
    def quit(self) -> None:
        """End the program, whether or not closing the window would."""
        self._quitting = True
        self.close()

    @Slot()
    def bring_to_front(self) -> None:
        """Show the window above the others, because somebody asked for it."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def follow(self, link: str) -> None:
        """Show where a link from outside leads, now or when the profile is open; the person decides there.

        Args:
            link: As it came; nothing for no link.
        """
        self._link = link
        if link and self.conversations is not None:
            self._link = ""
            self.commands.open_connect(link)

    def _first_run(self) -> None:
        from messenger.gui.first_run import FirstRunPage

        page = FirstRunPage(self._theme, self._bridge)
        page.created.connect(lambda: self.tasks.start(self.enter(), name="show the conversations"))
        page.stranded.connect(self._on_stranded)
        page.profiles_asked.connect(self.commands.show_profiles)
        self.closing.connect(page.stop)
        self._show(page)
        page.name.setFocus()

    def _unlock(self) -> None:
        from messenger.gui.unlock import UnlockPage

        page = UnlockPage(self._theme, self._bridge)
        page.opened.connect(lambda: self.tasks.start(self.enter(), name="show the conversations"))
        page.profiles_asked.connect(self.commands.show_profiles)
        self.closing.connect(page.stop)
        self._show(page)
        page.field.setFocus()

    def _lock(self) -> None:
        """Take everything away that was read, and ask for the passphrase."""
        self.leave_page()
        self._unlock()

    def leave_page(self, why: str = "") -> None:
        """Take away everything that was read of a profile.

        Args:
            why: What to say in its place, if anything.
        """
        self._opened = False
        for dialog in self.findChildren(QDialog):
            dialog.reject()
        self.commands.disable()
        self.outside.end()
        page, self.conversations = self.conversations, None
        if page is not None:
            self._remembered.remember("splitter", page.splitter_state())
            self._remember_cleared(page)
            page.stop()
            self.pages.removeWidget(page)
            page.deleteLater()
        self._show_title()
        if why:
            self._show(self.start_page)
            self.start_page.rest(why)

    def _remember_cleared(self, page: ConversationsPage) -> None:
        """Finished transfers that were cleared away stay away."""
        if last := page.chat.files.book.cleared_to:
            self._remembered.remember("transfers", str(last))

    @Slot(str, str)
    def _on_restore(self, name: str, passphrase: str) -> None:
        self.tasks.start(self._restore(name, passphrase), name="go back to a backup")

    async def _restore(self, name: str, passphrase: str) -> None:
        """Take everything away that was read, put the backup in its place, and open the profile again."""
        from messenger.gui.unlock import UnlockPage

        self.leave_page()
        self._show(self.start_page)
        self.start_page.wait()
        engine, call, failed = self._bridge.engine, self._bridge.call, None
        await call(engine.stop)
        try:
            await call(engine.restore, name, passphrase)
            await call(engine.open, passphrase or None)
            await self.enter()
        except (SottoError, OSError) as e:
            failed = e
        if failed is not None:
            await self.start()  # as it was
            page = self.pages.currentWidget()
            if isinstance(page, UnlockPage):
                page.notice.error(failed)
            else:
                self._on_error(failed)
        elif self.conversations is not None:
            self.conversations.notice.say(_("The profile is as it was then. What came later is set aside."))

    @Slot(object)
    def _on_conversation_asked(self, conversation: ConversationId) -> None:
        if self.conversations is not None:
            self.conversations.show_conversation(conversation)

    @Slot()
    def _on_attended(self) -> None:
        if self._opened and not self._closed:
            self.tasks.start(self._bridge.call(self._bridge.engine.used), name="somebody is there")

    def _remember(self, settings: Settings) -> None:
        """What must be known before the profile is open."""
        self._remembered.remember("theme", settings.theme.value)
        self._remembered.remember("zoom", str(settings.zoom))
        self._remembered.remember("log", settings.log.value)
        self.settled.emit(settings)

    def _show(self, page: QWidget) -> None:
        if self.pages.indexOf(page) < 0:
            self.pages.addWidget(page)
        self.pages.setCurrentWidget(page)

    def _on_error(self, error: BaseException) -> None:
        if self.conversations is not None:
            self.conversations.notice.error(error)
        else:
            self.fail(error)

    @Slot(object, str)
    def _on_stranded(self, error: SottoError, name: str) -> None:
        self._name_wanted = name
        self.fail(error)

    @Slot()
    def _show_title(self) -> None:
        unread = self.conversations.model.unread() if self.conversations is not None else 0
        name = f"{self._name} · Sotto" if self._name else "Sotto"
        self.setWindowTitle(f"({unread}) {name}" if unread else name)

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            match event:
                case RaiseWindow(link=link):
                    self.bring_to_front()
                    self.follow(link)
                case SettingsChanged(settings=settings):
                    self._remember(settings)
                case Locked():
                    self._lock()
                case LogDamaged():
                    self._lost = event  # told when there is something to see
                case UpdateProgress(percent=percent):
                    page = self.pages.currentWidget()
                    if isinstance(page, CardPage):
                        page.show_update(percent)
                case MeChanged(me=me):
                    self._name = me.name
                    self.commands.show_me(me)
                    self._show_title()
                case _:
                    pass
