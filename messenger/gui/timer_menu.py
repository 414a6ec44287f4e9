"""Choosing after how long messages disappear: a menu with what is common, and a dialog for the rest."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from messenger.core import deed_limits
from messenger.gui.sheet import Sheet
from messenger.gui.switches import Segments
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import NumberField, label, menu_icon
from messenger.text import _, timer_words
from messenger.text.timers import CHOICES, TYPED_UNITS, UNIT_NAMES


class Unit(StrEnum):
    """In what a timer is counted; the letters with which it is typed in a terminal."""

    SECONDS = "s"
    MINUTES = "m"
    HOURS = "h"
    DAYS = "d"
    WEEKS = "w"

    @property
    def seconds(self) -> int:
        """How long one is."""
        return TYPED_UNITS[self.value]


_MOST_DIGITS: Final = 9_999


def timer_menu(
    theme: Theme, parent: QWidget, current: int, choose: Callable[[int], None], ask: Callable[[], None]
) -> QMenu:
    """The menu; what holds is marked.

    Args:
        theme: Colours and fonts.
        parent: Its owner.
        current: Seconds that hold; 0 for never.
        choose: Called with the seconds that are chosen.
        ask: Called when the person wants to type them.
    """
    menu = QMenu(_("Disappearing messages: {time}").format(time=timer_words(current)), parent)
    menu.setIcon(menu_icon(theme, "timer"))
    group = QActionGroup(menu)
    for seconds in CHOICES:
        action = menu.addAction(timer_words(seconds))
        action.triggered.connect(lambda _checked, chosen=seconds: choose(chosen))
        group.addAction(action)
        action.setCheckable(True)
        action.setChecked(seconds == current)
    words = _("Other time…") if current in CHOICES else _("Other time ({time})…")
    other = menu.addAction(words.format(time=timer_words(current)))
    other.triggered.connect(ask)
    group.addAction(other)
    other.setCheckable(True)
    other.setChecked(current not in CHOICES)
    return menu


class TimerSheet(Sheet):
    """Asks for any time.

    Args:
        parent: The window.
        theme: Colours and fonts.
        current: Seconds that hold; 0 for never.
    """

    chosen = Signal(int)
    """Seconds."""

    def __init__(self, parent: QWidget, theme: Theme, current: int) -> None:
        super().__init__(parent, theme, _("Disappearing messages"))
        self._unit = next(
            (unit for unit in reversed(Unit) if current and current % unit.seconds == 0), Unit.DAYS
        )
        self.field = NumberField(_("How long messages stay"), 1, _MOST_DIGITS)
        self.field.show_value(current // self._unit.seconds or 1)
        self.units = Segments(_("Unit"), {unit: UNIT_NAMES[unit.seconds] for unit in Unit})
        self.units.show_choice(self._unit)
        self.units.chosen.connect(self._on_unit)
        self.error = label("", "error", wrap=True)
        self.error.hide()
        self.body.addWidget(label(_("After how long do messages disappear?"), "title"))
        words = _(
            "It holds for both of you, and for what is written from now on. For the one who reads, the time"
            " begins when a message is seen; for the one who writes, when it has arrived. Files that were"
            " received stay."
        )
        self.body.addWidget(label(words, "muted", wrap=True))
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        row.addWidget(self.field)
        row.addWidget(self.units, 1)
        self.body.addLayout(row)
        self.body.addWidget(self.error)
        self.add_button(_("Cancel")).clicked.connect(self.reject)
        self.set_button = self.add_button(_("Set"), "primary")
        self.set_button.clicked.connect(self._on_set)
        self.field.selectAll()
        self.field.setFocus()
        self.setMinimumWidth(440)

    @Slot(object)
    def _on_unit(self, unit: Unit) -> None:
        self._unit = unit
        self.error.hide()

    @Slot()
    def _on_set(self) -> None:
        seconds = self.field.value() * self._unit.seconds
        if deed_limits.TIMER_MIN <= seconds <= deed_limits.TIMER_MAX:
            self.chosen.emit(seconds)
            self.accept()
            return
        self.error.setText(_("Choose at least 5 seconds and at most 4 weeks."))
        self.error.show()
        self.fit()
        self.field.setFocus()
