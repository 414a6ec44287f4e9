"""In which direction words run."""

import unicodedata

from PySide6.QtCore import Qt


def runs_left(text: str) -> bool:
    """Whether a paragraph runs from right to left: its first strong character decides (UAX 9, P2 and P3)."""
    for character in text:
        match unicodedata.bidirectional(character):
            case "L":
                return False
            case "R" | "AL":
                return True
    return False


def direction_of(text: str) -> Qt.LayoutDirection:
    """How words run by themselves, wherever the window begins."""
    return Qt.LayoutDirection.RightToLeft if runs_left(text) else Qt.LayoutDirection.LeftToRight
