"""A mouse, and nothing else: what is pressed is what lies under it on the screen."""

from typing import Final

from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QMenu, QScrollArea, QWidget

from tests.helpers.gui import Hands

_WHEEL: Final = 120
"""One notch of a wheel, in eighths of a degree."""
_LEFT: Final = Qt.MouseButton.LeftButton
_NONE: Final = Qt.KeyboardModifier.NoModifier


class Mouse:
    """Presses go to the window of the system, which finds out itself what they hit.

    So something that is covered, hidden, out of sight or shut off by a dialog cannot be pressed.

    Args:
        hands: Who holds it; waits.
    """

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    def click(self, widget: QWidget, spot: QPoint | None = None) -> None:
        """Press a widget, once it can be used and seen; what lies further down is scrolled to by the wheel.

        Args:
            widget: What to press.
            spot: Where in it; its middle if nothing is said.
        """

        def at() -> QPoint:
            return widget.mapTo(widget.window(), widget.rect().center() if spot is None else spot)

        self._hands.until(lambda: widget.isVisible() and widget.isEnabled() and self._lies_open(widget, at()))
        QTest.mouseClick(widget.window().windowHandle(), _LEFT, _NONE, at())

    def click_row(self, view: QAbstractItemView, index: QModelIndex) -> None:
        """Press a row of a list."""
        view.scrollTo(index)
        self.click(view.viewport(), view.visualRect(index).center())

    def choose(self, *words: str) -> None:
        """Press an entry of the menu that is open; each further word is an entry of the menu it opens."""
        for word in words:
            menu = self._menu()
            action = next(action for action in menu.actions() if action.text().replace("&", "") == word)
            at = menu.actionGeometry(action).center()
            QTest.mouseMove(menu.windowHandle(), at)
            QTest.mouseClick(menu.windowHandle(), _LEFT, _NONE, at)

    def _menu(self) -> QMenu:
        self._hands.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        return menu

    @staticmethod
    def _lies_open(widget: QWidget, at: QPoint) -> bool:
        """Whether a press there would hit the widget; if not, turn the wheel over what scrolls it."""
        window = widget.window()
        hit = window.childAt(at)
        if hit is not None and (hit is widget or widget.isAncestorOf(hit)):
            return True
        area = widget.parentWidget()
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        if area is not None:
            over = area.viewport().mapTo(window, area.viewport().rect().center())
            turn = -_WHEEL if at.y() > over.y() else _WHEEL
            QTest.wheelEvent(window.windowHandle(), over, QPoint(0, turn))
        return False
