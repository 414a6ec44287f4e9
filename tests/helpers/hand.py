"""A hand and an eye inside a real window of another process.

Run as ``python -m tests.helpers.hand PROFILE``: shows the window as the program does, and obeys
commands, one JSON object a line on standard input, by real key strokes and clicks on the
widgets that carry a name for the screen reader. Each is answered by one JSON line. `Person` is the
end of it that tests use.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, QPoint, QSocketNotifier, Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QLabel, QLineEdit, QWidget

from messenger.gui import app

POLL_MS: Final = 20


class Hand(QObject):
    """Obeys one command after the other; one that waits is tried again until it succeeds or is too late."""

    def __init__(self, source: int, sink: int) -> None:
        super().__init__()
        self._sink = sink
        self._source = source
        self._pending = b""
        self._tries = 0
        self._command: dict[str, Any] | None = None
        self._notifier = QSocketNotifier(source, QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_input)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._try)

    @Slot()
    def _on_input(self) -> None:
        data = os.read(self._source, 1 << 20)
        if not data:
            self._notifier.setEnabled(False)
            return
        self._pending += data
        self._next()

    def _next(self) -> None:
        if self._command is None and b"\n" in self._pending:
            line, _, self._pending = self._pending.partition(b"\n")
            self._command = json.loads(line)
            self._tries = int(self._command["patience"] * 1000 / POLL_MS)
            self._timer.start()

    @Slot()
    def _try(self) -> None:
        command = self._command
        if command is None:
            return
        try:
            result: object = getattr(self, f"do_{command['do']}")(*command["args"])
        except LookupError as e:
            self._tries -= 1
            if self._tries > 0:
                return
            result = {"error": str(e), "seen": self.do_texts()}
        self._timer.stop()
        self._command = None
        os.write(self._sink, json.dumps({"result": result}).encode() + b"\n")
        self._next()

    def do_click(self, name: str) -> None:
        """Click a button by what it says or is called."""
        widget = self._find(name, QAbstractButton)
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def do_write(self, name: str, text: str) -> None:
        """Click a field and type; what no key can make is pasted."""
        field = self._find(name, QWidget)
        QTest.mouseClick(field, Qt.MouseButton.LeftButton)
        field.setFocus()
        if text.isascii() and len(text) < 200:
            QTest.keyClicks(field, text)
        else:
            QGuiApplication.clipboard().setText(text)
            QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)

    def do_press(self, name: str, key: str) -> None:
        """Press a key in a widget."""
        QTest.keyClick(self._find(name, QWidget), getattr(Qt.Key, f"Key_{key}"))

    def do_choose(self, name: str, text: str) -> None:
        """Click the row of a list whose spoken sentence holds a text."""
        view = self._find(name, QAbstractItemView)
        model = view.model()
        for row in range(model.rowCount()):
            index = model.index(row, 0)
            if text in str(index.data(Qt.ItemDataRole.AccessibleTextRole)):
                place: QPoint = view.visualRect(index).center()
                QTest.mouseClick(
                    view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place
                )
                return
        raise LookupError(f"no row with {text!r} in {name!r}")

    def do_rows(self, name: str, *texts: str) -> list[str]:
        """The spoken sentences of all rows of a list, once each of some texts is in one of them."""
        model = self._find(name, QAbstractItemView).model()
        rows = [
            str(model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole))
            for row in range(model.rowCount())
        ]
        for text in texts:
            if not any(text in row for row in rows):
                raise LookupError(f"no row with {text[:40]!r} among {[row[:80] for row in rows]}")
        return rows

    def do_read(self, *texts: str) -> list[str]:
        """Everything that can be read now, once each of some texts is there."""
        seen = self.do_texts()
        for text in texts:
            if not any(text in one for one in seen):
                raise LookupError(f"nowhere {text!r}")
        return seen

    def do_texts(self) -> list[str]:
        """Everything that can be read now."""
        return [text for widget in self._visible() if (text := _words(widget))]

    def do_value(self, name: str) -> str:
        """What stands in a field."""
        widget = self._find(name, QWidget)
        return widget.text() if isinstance(widget, QLineEdit) else str(widget.property("plainText"))

    def do_close(self) -> None:
        """Close the window by its frame."""
        for widget in QApplication.topLevelWidgets():
            if widget.isVisible():
                widget.close()

    def _find(self, name: str, kind: type[Any]) -> Any:  # noqa: ANN401 -- of the kind asked for
        for widget in self._visible():
            if isinstance(widget, kind) and widget.isEnabled() and name in _names(widget):
                return widget
        raise LookupError(f"no {kind.__name__} called {name!r}")

    @staticmethod
    def _visible() -> list[QWidget]:
        return [w for w in QApplication.allWidgets() if w.isVisible()]


def _words(widget: QWidget) -> str:
    return widget.text() if isinstance(widget, QLabel | QAbstractButton | QLineEdit) else ""


def _names(widget: QWidget) -> tuple[str, str]:
    return widget.accessibleName(), _words(widget).replace("&", "")


def main() -> int:
    """Show the window of a profile with a hand in it; standard output is for answers alone."""
    sink = os.dup(1)
    os.dup2(2, 1)
    make: Callable[[int], QApplication] = app.make_application
    hands: list[Hand] = []

    def make_with_hand(zoom: int = 100) -> QApplication:
        application = make(zoom)
        hands.append(Hand(0, sink))
        return application

    app.make_application = make_with_hand
    return app.run_window(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
