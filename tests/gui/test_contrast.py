"""What is really painted can be read: texts of every dialog against what is behind them, in both schemes.

The pairs that painting code uses stand in resources/tokens.json and are checked in test_theme.py.
"""

import re
from collections import Counter

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget

from messenger import assets
from messenger.core.settings import Theme as Choice
from messenger.gui.theme import Theme
from tests.gui.conftest import Desks
from tests.gui.test_access import MORE, close_all
from tests.gui.test_chat import meet, write
from tests.gui.test_keyboard import PLACES
from tests.gui.test_theme import LEGIBLE, TOKENS, contrast

SCHEMES = (Choice.LIGHT, Choice.DARK)


def faint(root: QWidget, name: str) -> list[str]:
    """Texts that do not stand out from what is behind them, as they are on the screen."""
    picture = root.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    found = []
    parts: list[QLabel | QPushButton | QLineEdit] = [
        *root.findChildren(QLabel),
        *root.findChildren(QPushButton),
    ]
    for part in [*parts, *root.findChildren(QLineEdit)]:
        text = part.text() or (part.placeholderText() if isinstance(part, QLineEdit) else "")
        seen = QRect(part.mapTo(root, QPoint()), part.size()).intersected(root.rect())
        inside = part.visibleRegion().boundingRect().size() == part.size()
        if not (part.isVisible() and part.isEnabled() and inside and text.strip() and part.window() is root):
            continue
        if (best := _most(picture, seen.adjusted(2, 2, -2, -2))) < LEGIBLE:
            found.append(f"{name}: {text[:40]!r} has {best:.1f}")
    return found


def _most(picture: QImage, spot: QRect) -> float:
    """The greatest contrast in a part of a picture against its most frequent colour."""
    colors: Counter[int] = Counter()
    for y in range(spot.top(), spot.bottom() + 1):
        for x in range(spot.left(), spot.right() + 1):
            colors[picture.pixel(x, y)] += 1
    (behind, _count), *_others = colors.most_common(1)
    return max(contrast(QColor(color), QColor(behind)) for color in colors)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_of_every_dialog_can_be_read(desks: Desks, theme: Theme, scheme: Choice) -> None:
    alice, bob = desks("alice", theme=scheme), desks("bob", theme=scheme)
    meet(alice, bob)
    write(bob.front(), "Hello Alice")
    alice.hands.until(lambda: alice.texts() == ["Hello Alice"])
    theme.choose(scheme)
    wrong: list[str] = []
    try:
        for name, opener in {**PLACES, **MORE}.items():
            root = opener(alice.front())
            wrong += faint(root, name)
            close_all(alice)
            if alice.page.panel.isVisible():
                alice.page.panel.closed.emit()
    finally:
        theme.choose(Choice.LIGHT)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_faint_text_is_found(desks: Desks, theme: Theme, scheme: Choice) -> None:
    alice = desks("alice", theme=scheme)
    theme.choose(scheme)
    try:
        text = QLabel("hard to read", alice.window)
        text.setStyleSheet(f"color: {theme.colors['line'].name()}")
        text.move(20, 300)
        text.show()
        assert [said for said in faint(alice.window, "here") if "hard to read" in said]
    finally:
        theme.choose(Choice.LIGHT)


def test_every_pair_of_the_style_sheet_is_checked() -> None:
    """A rule that has both a text and a background names a pair that the design sheet checks."""
    tokens = set(TOKENS["colors"]["light"])
    pairs = set()
    text = re.sub(r"/\*.*?\*/", "", assets.read_text("style.qss"), flags=re.DOTALL)
    for selectors, body in re.findall(r"([^{}]+)\{((?:[^{}]|\$\{[^}]*\})*)\}", text):
        if ":disabled" in selectors:
            continue
        front = re.search(r"(?:^|[;\s])color:\s*\$(\w+)", body)
        behind = re.search(r"(?:^|[;\s])background(?:-color)?:\s*\$(\w+)", body)
        if front and behind and {front[1], behind[1]} <= tokens:
            pairs.add((front[1], behind[1]))
    assert len(pairs) > 5
    assert not pairs - set(map(tuple, TOKENS["contrast"]))
