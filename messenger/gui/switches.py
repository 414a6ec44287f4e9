"""On or off, and one of a few."""

from enum import StrEnum

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QCheckBox, QHBoxLayout, QWidget

from messenger.gui.theme import Theme
from messenger.gui.widgets import button

_WIDTH = 40
_HEIGHT = 24
_KNOB = 16
_FAINT = 0.4
"""How much is left of a switch that cannot be used."""


class Switch(QCheckBox):
    """A check box that looks like a switch; to keyboard and screen reader it is a check box.

    Args:
        theme: Where its colours come from.
        title: What it switches.
    """

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(title)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """The size of the switch."""
        return QSize(_WIDTH, _HEIGHT)

    def hitButton(self, pos: QPoint) -> bool:  # noqa: N802 -- Qt's name
        """The whole switch can be pressed."""
        return self.rect().contains(pos)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Draw track and knob."""
        colors = self._theme.colors
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1 if self.isEnabled() else _FAINT)
        track = QRectF(1, (self.height() - _HEIGHT) / 2 + 1, _WIDTH - 2, _HEIGHT - 2)
        focused = colors["text"] if self.hasFocus() else None
        edge = focused or (colors["accent"] if self.isChecked() else colors["muted"])
        painter.setPen(QPen(edge, 1.4))
        painter.setBrush(colors["accent"] if self.isChecked() else colors["field"])
        painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors["on_accent"] if self.isChecked() else colors["muted"])
        at_right = self.isChecked() != (self.layoutDirection() == Qt.LayoutDirection.RightToLeft)
        left = track.right() - _KNOB - 3 if at_right else track.left() + 3
        painter.drawEllipse(QRectF(left, track.center().y() - _KNOB / 2, _KNOB, _KNOB))


class Segments(QWidget):
    """One of a few choices, all in sight.

    Args:
        title: What is chosen.
        choices: The choices with their words, in order.
    """

    chosen = Signal(object)
    """The choice a person made."""

    def __init__(self, title: str, choices: dict[StrEnum, str]) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self._buttons: dict[StrEnum, QAbstractButton] = {}
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        ends = {0: "first", len(choices) - 1: "last"}
        if QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            ends = {0: "last", len(choices) - 1: "first"}  # the style sheet rounds corners by left and right
        for place, (choice, words) in enumerate(choices.items()):
            part = button(words, "segment")
            part.setProperty("place", ends.get(place, "middle"))
            part.setCheckable(True)
            part.setAccessibleName(f"{title}: {words}")
            self._group.addButton(part)
            self._buttons[choice] = part
            row.addWidget(part)
        row.addStretch(1)
        self._group.buttonClicked.connect(self._on_clicked)

    def show_choice(self, choice: StrEnum) -> None:
        """Mark the choice that holds, without emitting `chosen`; Tab leads to it, arrows from there."""
        for one, part in self._buttons.items():
            part.setChecked(one == choice)
            part.setFocusPolicy(Qt.FocusPolicy.StrongFocus if one == choice else Qt.FocusPolicy.ClickFocus)

    @Slot(QAbstractButton)
    def _on_clicked(self, clicked: QAbstractButton) -> None:
        self.chosen.emit(next(choice for choice, part in self._buttons.items() if part is clicked))
