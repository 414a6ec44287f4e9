"""What a person sees of spelling in a text box."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from messenger.gui.composer import Composer
from messenger.gui.speller import Speller
from tests.helpers.gui import Hands

SHIFT = Qt.KeyboardModifier.ShiftModifier
WAVE = QTextCharFormat.UnderlineStyle.WaveUnderline


def marked(composer: Composer) -> list[str]:
    """The words that are underlined, in their order."""
    found, block = [], composer.box.document().begin()
    while block.isValid():
        text = block.text().encode("utf-16-le")
        layout = block.layout()
        assert layout is not None
        for span in sorted(layout.formats(), key=lambda one: one.start):
            if span.format.underlineStyle() is WAVE:
                begin, end = 2 * span.start, 2 * (span.start + span.length)
                found.append(text[begin:end].decode("utf-16-le"))
        block = block.next()
    return found


def held(speller: Speller) -> str:
    """Everything that it remembers of what was typed."""
    return repr((speller._right, speller._queue, speller._own, speller._asked, speller._said))


def popup() -> QMenu | None:
    opened = QApplication.activePopupWidget()
    return opened if isinstance(opened, QMenu) else None


def menu_by_key(hands: Hands, composer: Composer, key: Qt.Key = Qt.Key.Key_Menu) -> QMenu:
    hands.press(key, SHIFT if key == Qt.Key.Key_F10 else Qt.KeyboardModifier.NoModifier, composer.box)
    hands.until(lambda: popup() is not None)
    opened = popup()
    assert opened is not None
    return opened


def entries(menu: QMenu) -> list[str]:
    """Down to the first line between groups that Qt has made."""
    return [action.text() for action in menu.actions() if action.text()]


def words(menu: QMenu) -> list[str]:
    """The suggestions."""
    found: list[str] = []
    for action in menu.actions():
        if action.isSeparator():
            return found
        found.append(action.text())
    return found


def choose(menu: QMenu, text: str) -> None:
    action = next(action for action in menu.actions() if action.text() == text)
    menu.setActiveAction(action)
    QTest.keyClick(menu, Qt.Key.Key_Return)
