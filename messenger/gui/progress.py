"""What is going on: a spinner, and a list of steps that are ticked off."""

from PySide6.QtCore import QRectF, QSize, Qt, QTimerEvent
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QStackedWidget, QWidget

from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconLabel, label, set_role

_FRAME_MS = 40
_TURN = 16
"""Degrees a frame."""


class Spinner(QWidget):
    """A turning arc; turns only while it can be seen.

    Args:
        theme: Where its colour comes from.
        size: Edge in pixels.
    """

    def __init__(self, theme: Theme, size: int = 20) -> None:
        super().__init__()
        self._theme, self._size = theme, size
        self._angle = 0
        self._timer = 0
        self.setFixedSize(size, size)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """The size of the spinner."""
        return QSize(self._size, self._size)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 -- Qt's name
        """Begin to turn."""
        super().showEvent(event)
        self._timer = self._timer or self.startTimer(_FRAME_MS)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 -- Qt's name
        """Stop turning."""
        super().hideEvent(event)
        if self._timer:
            self.killTimer(self._timer)
            self._timer = 0

    def timerEvent(self, event: QTimerEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Turn a little."""
        self._angle = (self._angle - _TURN) % 360
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Draw the arc."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = max(2.0, self._size / 10)
        pen = QPen(self._theme.colors["accent_text"], width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        edge = self._size - 2 * width
        painter.drawArc(QRectF(width, width, edge, edge), self._angle * 16, 270 * 16)


class StepList(QWidget):
    """Steps in order: done, running, still to come, or failed.

    Args:
        theme: Where its colours come from.
        steps: The words for each step by its name, in order.
    """

    def __init__(self, theme: Theme, steps: dict[str, str]) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE["m"])
        grid.setVerticalSpacing(SPACE["m"])
        grid.setColumnStretch(1, 1)
        self._names = list(steps)
        self._words = steps
        self._marks: list[QStackedWidget] = []
        self._pictures: list[IconLabel] = []
        self._labels: list[QLabel] = []
        for row, words in enumerate(steps.values()):
            picture = IconLabel(theme, "clock", "muted")
            mark = QStackedWidget()
            mark.setFixedSize(20, 20)
            mark.addWidget(picture)
            mark.addWidget(Spinner(theme))
            text = label(words, "muted", wrap=True)
            grid.addWidget(mark, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(text, row, 1)
            self._marks.append(mark)
            self._pictures.append(picture)
            self._labels.append(text)
        self.reset()

    def reset(self) -> None:
        """Show every step as still to come."""
        for place in range(len(self._names)):
            self._show(place, "clock", "scroll", "muted")
            self._labels[place].setText(self._words[self._names[place]])

    def begin(self, name: str, detail: str = "") -> None:
        """A step has begun; those before it are done.

        Args:
            name: The step.
            detail: What it is busy with, or nothing.
        """
        now = self._names.index(name)
        for place in range(now):
            self._show(place, "tick", "success", "body")
        words = self._words[name]
        self._labels[now].setText(f"{words} · {detail}" if detail else words)
        set_role(self._labels[now], "role", "strong")
        self._marks[now].setCurrentIndex(1)
        for place in range(now + 1, len(self._names)):
            self._show(place, "clock", "scroll", "muted")

    def finish(self) -> None:
        """All steps are done."""
        for place in range(len(self._names)):
            self._show(place, "tick", "success", "body")

    def fail(self) -> None:
        """The running step failed; if none ran yet, the first did."""
        running = [place for place, mark in enumerate(self._marks) if mark.currentIndex() == 1]
        self._show(running[0] if running else 0, "alert", "danger", "error")

    def done(self) -> list[str]:
        """The steps that are ticked off."""
        return [
            name
            for name, text in zip(self._names, self._labels, strict=True)
            if text.property("role") == "body"
        ]

    def _show(self, place: int, icon: str, color: str, role: str) -> None:
        self._marks[place].setCurrentIndex(0)
        self._pictures[place].show_icon(icon, color)
        set_role(self._labels[place], "role", role)
