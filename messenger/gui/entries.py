"""Entries of a menu as values, so that one list serves every place that offers it."""

from collections.abc import Callable, Iterable

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from messenger.gui.theme import Theme
from messenger.gui.widgets import menu_icon


class Entry(msgspec.Struct, frozen=True):
    """One entry."""

    icon: str
    words: str
    act: Callable[[], object]
    color: str = "muted"
    """The token of the picture's colour."""


class Submenu(msgspec.Struct, frozen=True):
    """A menu in a menu."""

    make: Callable[[QMenu], QMenu]
    """Makes it, given the one that it belongs to."""


Item = Entry | Submenu


def menu_of(parent: QWidget, theme: Theme, title: str, entries: Iterable[Item | None]) -> QMenu:
    """Make a menu, which deletes itself when closed.

    Args:
        parent: Over what it opens.
        theme: Colours and fonts.
        title: What a screen reader says.
        entries: From top to bottom; None for a line between groups.
    """
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setAccessibleName(title)
    for entry in entries:
        if entry is None:
            menu.addSeparator()
        elif isinstance(entry, Submenu):
            menu.addMenu(entry.make(menu))
        else:
            action = menu.addAction(menu_icon(theme, entry.icon, entry.color), entry.words)
            action.triggered.connect(lambda _checked=False, act=entry.act: act())
    return menu
