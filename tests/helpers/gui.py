"""Real windows on real engines in the process of the test: people who click, type and look."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import qasync
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from messenger.core.ids import ConversationId
from messenger.core.models import Contact
from messenger.gui.bridge import Bridge
from messenger.gui.chat_pane import ChatPane
from messenger.gui.conversations_page import ConversationsPage
from messenger.gui.engine_thread import EngineThread
from messenger.gui.theme import Theme
from messenger.gui.window import MainWindow
from tests.helpers.patience import PATIENCE

T = TypeVar("T")
W = TypeVar("W", bound=QWidget)

PATIENCE_MS: Final = int(1000 * PATIENCE)
"""After so many milliseconds something that a test waits for will never happen."""


class Hands:
    """Waits, clicks and types, as a person at the screen does.

    Args:
        bot: Of pytest-qt.
        loop: The loop of asyncio that Qt turns.
    """

    def __init__(self, bot: QtBot, loop: qasync.QEventLoop) -> None:
        self.bot, self._loop = bot, loop

    def until(self, true: Callable[[], bool]) -> None:
        """Let Qt work until something has happened."""
        self.bot.waitUntil(true, timeout=PATIENCE_MS)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Let Qt work until a coroutine of the window's thread has ended."""
        task: asyncio.Task[T] = self._loop.create_task(work)
        self.until(task.done)
        return task.result()

    def click(self, widget: QWidget) -> None:
        """Press and release the left button in the middle of a widget."""
        assert widget.isVisible(), f"{widget} cannot be seen"
        assert widget.isEnabled(), f"{widget} cannot be used"
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint())

    def type(self, text: str, widget: QWidget | None = None) -> None:
        """Type into a widget, or into the one that has the cursor."""
        QTest.keyClicks(widget or self.focus(), text)

    def press(
        self,
        key: Qt.Key,
        modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        widget: QWidget | None = None,
    ) -> None:
        """Press a key where the cursor is, or in a widget."""
        QTest.keyClick(widget or self.focus(), key, modifiers)

    def focus(self) -> QWidget:
        """The widget that has the cursor."""
        widget = QApplication.focusWidget()
        assert widget is not None, "nothing has the cursor"
        return widget


class Desk:
    """One person's window with its engine.

    Args:
        hands: Who uses it.
        theme: Colours and fonts.
        folder: The profile folder.
    """

    def __init__(self, hands: Hands, theme: Theme, folder: Path) -> None:
        self.hands = hands
        self.folder = folder
        self.bridge = Bridge()
        self.window = MainWindow(theme, self.bridge, folder)
        self.thread = EngineThread(folder, self.bridge)
        self._ended = False

    @property
    def page(self) -> ConversationsPage:
        """The conversations."""
        assert self.window.conversations is not None, "the conversations are not there yet"
        return self.window.conversations

    @property
    def chat(self) -> ChatPane:
        """The conversation that is shown."""
        return self.page.chat

    def start(self) -> "Desk":
        """Show the window, then start the engine, as the program does."""
        self.window.show()
        self.hands.bot.waitExposed(self.window)
        self.window.activateWindow()
        self.hands.run(self.thread.begin())
        self.hands.run(self.window.start())
        return self

    def front(self) -> "Desk":
        """Turn to this window: from now on keys go there, and what it shows is seen."""
        self.window.activateWindow()
        self.hands.until(self.window.isActiveWindow)
        return self

    def close(self) -> None:
        """Close the window and stop the engine."""
        if self._ended:
            return
        self._ended = True
        self.window.quit()
        assert self.hands.run(self.thread.end()), "the engine's thread hangs"
        self.hands.run(self.window.outside.close())
        self.window.deleteLater()

    def call(self, method: Callable[..., Coroutine[Any, Any, T]], *args: object, **kwargs: object) -> T:
        """Have the engine do something behind the window's back."""
        return self.hands.run(self.bridge.call(method, *args, **kwargs))

    def address(self) -> str:
        """Where it can be reached from this computer."""
        listening = self.call(self.bridge.engine.listening)
        assert listening is not None
        return f"127.0.0.1:{listening.port}"

    def sheet(self, kind: type[W]) -> W:
        """The dialog of a kind that is open, once keys go there."""
        found = [sheet for sheet in self.window.findChildren(kind) if sheet.isVisible()]
        assert found, f"no {kind.__name__} is open"
        self.hands.until(found[-1].isActiveWindow)
        return found[-1]

    def no_sheet(self, kind: type[QWidget]) -> bool:
        """Whether no dialog of a kind is open."""
        return not any(sheet.isVisible() for sheet in self.window.findChildren(kind))

    def contact(self, name: str) -> Contact | None:
        """How the list shows somebody."""
        rows = self.page.sidebar.order.rows()
        return next(
            (row.conversation.contact for row in rows if row.conversation.contact.title == name), None
        )

    def open_chat(self, name: str) -> ConversationId:
        """Click on somebody in the list."""
        self.hands.until(lambda: self.contact(name) is not None)
        contact = self.contact(name)
        assert contact is not None
        view = self.page.sidebar.list
        rows = self.page.sidebar.order.rows()
        place = next(n for n, row in enumerate(rows) if row.conversation.id == contact.id)
        spot = view.visualRect(self.page.sidebar.order.index(place, 0)).center()
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
        self.hands.until(lambda: self.chat.conversation == contact.id)
        return contact.id

    def texts(self) -> list[str]:
        """The messages that are shown."""
        model = self.chat.model
        return [model.row(place).message.text for place in range(model.rowCount())]
