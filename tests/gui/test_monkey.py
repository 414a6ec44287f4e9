"""Somebody who presses anything anywhere, while messages come and lines drop."""

import contextlib
import random
import time

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu, QWidget

from messenger.core.errors import SottoError
from messenger.gui.chat_window import ChatWindow
from messenger.gui.timeline_model import TimelineModel
from tests.gui.conftest import Desks
from tests.gui.test_chat_window import meet
from tests.helpers.gui import Desk

STEPS = 150
LONG_S = 600.0
KEYS = (
    Qt.Key.Key_Tab, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Space, Qt.Key.Key_Backspace,
    Qt.Key.Key_Menu, Qt.Key.Key_A, Qt.Key.Key_F, Qt.Key.Key_K, Qt.Key.Key_N, Qt.Key.Key_G, Qt.Key.Key_U,
    Qt.Key.Key_O, Qt.Key.Key_Slash, Qt.Key.Key_Comma, Qt.Key.Key_E, Qt.Key.Key_R,
)  # fmt: skip
PLAIN = Qt.KeyboardModifier.NoModifier
MODIFIERS = (
    PLAIN, PLAIN, PLAIN, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
)  # fmt: skip
LEFT_ALONE = (
    "Delete",
    "Block",
    "Make a new key",
    "Set a passphrase",
    "Change the passphrase",
    "Quit",
    "Go back",
    "Open the folder",
    "Profiles",
)
"""Buttons that would end what is looked at, or begin other programs."""


class Monkey:
    """Uses the window of one person by chance.

    Args:
        desk: Whose window.
        other: Who writes meanwhile.
        seed: What chance decides.
    """

    def __init__(self, desk: Desk, other: Desk, seed: int) -> None:
        self._desk, self._other, self._dice = desk, other, random.Random(seed)
        self._sent = 0

    def step(self) -> None:
        """Do one thing."""
        do = self._dice.choices(
            [self._click, self._press, self._resize, self._receive, self._drop, self._type],
            weights=[8, 8, 2, 4, 1, 3],
        )[0]
        do()
        QApplication.processEvents()
        self._close_what_blocks()
        self.look()

    def look(self) -> None:
        """Every timeline shows each message once, and none that is blank."""
        for pane in self._desk.page.windows.panes():
            model: TimelineModel = pane.model
            messages = [model.row(place).message for place in range(model.rowCount())]
            assert len({message.id for message in messages}) == len(messages), "a row is doubled"
            assert all(message.text or message.deleted or message.notice for message in messages), (
                "a blank row"
            )
            positions = [message.position for message in messages]
            assert positions == sorted(positions), "rows out of order"

    def _windows(self) -> list[QWidget]:
        mine = [self._desk.window, *self._desk.window.findChildren(QDialog)]
        mine += [one for one in QApplication.topLevelWidgets() if isinstance(one, ChatWindow)]
        return [window for window in mine if window.isVisible()]

    def _target(self) -> QWidget | None:
        window = self._windows()[-1]
        parts = [
            part
            for part in window.findChildren(QWidget)
            if part.isVisible() and part.isEnabled() and part.window() is window and self._may(part)
        ]
        return self._dice.choice(parts) if parts else None

    @staticmethod
    def _may(part: QWidget) -> bool:
        words = f"{part.accessibleName()} {getattr(part, 'text', str)()}" if hasattr(part, "text") else ""
        return not any(word in words for word in LEFT_ALONE)

    def _click(self) -> None:
        part = self._target()
        if part is not None and part.width() > 1 and part.height() > 1:
            spot = QPoint(self._dice.randrange(part.width()), self._dice.randrange(part.height()))
            QTest.mouseClick(part, Qt.MouseButton.LeftButton, PLAIN, spot)

    def _press(self) -> None:
        key, modifiers = self._dice.choice(KEYS), self._dice.choice(MODIFIERS)
        focus = QApplication.focusWidget() or self._windows()[-1]
        if self._may(focus):
            QTest.keyClick(focus, key, modifiers)

    def _type(self) -> None:
        focus = QApplication.focusWidget()
        if focus is not None and focus.inherits("QPlainTextEdit"):
            QTest.keyClicks(focus, self._dice.choice(["hello", "x" * 40, "one two three "]))

    def _resize(self) -> None:
        self._desk.window.resize(self._dice.randrange(420, 1300), self._dice.randrange(480, 900))

    def _receive(self) -> None:
        self._sent += 1
        contact = self._other.page.model.contacts()[0]
        self._other.bridge.post(self._other.bridge.engine.send_text, contact.id, f"message {self._sent}")

    def _drop(self) -> None:
        contact = self._other.page.model.contacts()[0]
        engine = self._other.bridge.engine
        with contextlib.suppress(SottoError):  # it is not there right now, or is being called already
            self._other.call(self._dice.choice([engine.disconnect, engine.reconnect]), contact.id)

    @staticmethod
    def _close_what_blocks() -> None:
        """Menus and file dialogs take the mouse for themselves."""
        popup = QApplication.activePopupWidget()
        if popup is not None and isinstance(popup, QMenu | QWidget):
            popup.close()
        for window in QApplication.topLevelWidgets():
            if isinstance(window, QFileDialog) and window.isVisible():
                window.reject()


def play(desks: Desks, seed: int, steps: int, seconds: float) -> None:
    alice, bob, *_rest = meet(desks)
    alice.open_chat("Bob")
    monkey, end = Monkey(alice, bob, seed), time.monotonic() + seconds
    for _ in range(steps):
        monkey.step()
        if time.monotonic() > end:
            break
    for window in alice.window.findChildren(QDialog):
        window.reject()
    alice.hands.until(lambda: not alice.window.tasks._running)
    monkey.look()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_anything_anywhere(desks: Desks, request: pytest.FixtureRequest) -> None:
    play(desks, request.config.getoption("--seed"), STEPS, LONG_S)


@pytest.mark.long
def test_anything_anywhere_for_ten_minutes(desks: Desks, request: pytest.FixtureRequest) -> None:
    play(desks, request.config.getoption("--seed") + 1, 10**9, LONG_S)
