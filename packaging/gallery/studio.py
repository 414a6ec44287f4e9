"""Takes pictures of windows: opens one on a profile, waits until it has settled, and saves what it shows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMenu, QWidget

from messenger.core.ids import ConversationId
from messenger.core.models import Presence
from messenger.core.settings import Theme as Choice
from messenger.engine.events import PresenceChanged
from messenger.gui.bridge import Bridge
from messenger.gui.chat_pane import ChatPane
from messenger.gui.conversations_page import ConversationsPage
from messenger.gui.engine_thread import EngineThread
from messenger.gui.entries import Entry
from messenger.gui.sheet import Sheet
from messenger.gui.theme import Theme
from messenger.gui.window import MainWindow
from messenger.text import _


class Stage:
    """A window with its engine, while it is open.

    Args:
        window: The window.
        bridge: The way to its engine.
        folder: The profile folder.
    """

    def __init__(self, window: MainWindow, bridge: Bridge, folder: Path) -> None:
        self.window, self.bridge, self.folder = window, bridge, folder

    @property
    def page(self) -> ConversationsPage:
        """The conversations.

        Raises:
            RuntimeError: They cannot be seen.
        """
        if self.window.conversations is None:
            raise RuntimeError("the profile does not open")
        return self.window.conversations

    @property
    def chat(self) -> ChatPane:
        """The conversation that is shown."""
        return self.page.chat

    def person(self, name: str) -> ConversationId:
        """The conversation with somebody."""
        rows = self.page.sidebar.order.rows()
        return next(row.conversation.id for row in rows if row.conversation.contact.name == name)

    def pretend(self, name: str, presence: Presence) -> None:
        """Show somebody as if they could be reached."""
        self.bridge.publish(PresenceChanged(self.person(name), presence))

    def choose(self, words: str) -> None:
        """Choose an entry of the menu of the conversation."""
        entries = self.chat.entries()
        next(entry for entry in entries if isinstance(entry, Entry) and entry.words == _(words)).act()

    def act(self, name: str) -> None:
        """Do what a key does anywhere in the window."""
        self.window.commands.actions[name].trigger()


@asynccontextmanager
async def opened(theme: Theme, folder: Path) -> AsyncIterator[Stage]:
    """A window on a profile, with its engine."""
    bridge = Bridge()
    window = MainWindow(theme, bridge, folder)
    thread = EngineThread(folder, bridge)
    window.show()
    try:
        await thread.begin()
        await window.start()
        yield Stage(window, bridge, folder)
    finally:
        window.quit()
        await thread.end()
        await window.outside.close()
        window.deleteLater()


class Studio:
    """Takes the pictures.

    Args:
        out: Where they go.
        theme: Colours and fonts.
        choice: Light or dark.
        tag: What the names of the files end in, beside scheme and scale.
    """

    def __init__(self, out: Path, theme: Theme, choice: Choice, tag: str = "") -> None:
        self._out, self.theme, self.choice, self._tag = out, theme, choice, tag

    async def take(self, widget: QWidget, name: str) -> QImage:
        """Take one picture once everything has settled."""
        await settled()
        scheme = "dark" if self.theme.dark else "light"
        image = widget.grab().toImage()
        scale = round(widget.devicePixelRatioF() * 100)
        image.save(str(self._out / f"{name}-{scheme}-{scale}{self._tag}.png"))
        return image

    async def sheets(self, stage: Stage, ask: Callable[[], object], name: str) -> None:
        """Take every dialog that something opens, and close it."""
        before = set(stage.window.findChildren(Sheet))
        ask()
        await settled()
        for sheet in [sheet for sheet in stage.window.findChildren(Sheet) if sheet not in before]:
            await self.take(sheet, name)
            sheet.reject()
        await settled()

    async def menu(self, menu: QMenu, home: QWidget, name: str) -> None:
        """Take a menu."""
        menu.popup(home.mapToGlobal(home.rect().topLeft()))
        await self.take(menu, name)
        menu.close()


async def until(true: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    while not true():  # noqa: ASYNC110 -- widgets have no events to wait for
        await asyncio.sleep(0.02)


async def settled() -> None:
    """Let everything that waits be laid out and painted."""
    for _turn in range(8):
        await asyncio.sleep(0.02)
