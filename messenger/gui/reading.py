"""The order in which somebody reads what stands in a window, as its layouts have it."""

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractScrollArea, QLayout, QScrollArea, QWidget


def in_order(part: QWidget) -> Iterator[QWidget]:
    """A widget and everything inside it, in the order of reading.

    Args:
        part: Where to begin. Lists and text boxes are whole; dialogs above it are not inside it.
    """
    yield part
    if isinstance(part, QScrollArea):
        if (inner := part.widget()) is not None:
            yield from in_order(inner)
    elif not isinstance(part, QAbstractScrollArea) and (layout := part.layout()) is not None:
        yield from _laid_out(layout)


def takes_tab(part: QWidget) -> bool:
    """Whether Tab stops at a widget now."""
    wants = bool(part.focusPolicy() & Qt.FocusPolicy.TabFocus)
    return wants and part.isVisible() and part.isEnabled() and part.focusProxy() is None


def _laid_out(layout: QLayout) -> Iterator[QWidget]:
    for place in range(layout.count()):
        item = layout.itemAt(place)
        if item is None:
            continue
        if (widget := item.widget()) is not None:
            yield from in_order(widget)
        elif (inner := item.layout()) is not None:
            yield from _laid_out(inner)
