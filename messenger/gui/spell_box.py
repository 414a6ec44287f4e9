"""The spelling of what stands in a text box: words that may be wrong are marked, a menu has better ones."""

import functools
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QSyntaxHighlighter, QTextBlock, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QMenu, QPlainTextEdit

from messenger.core import window_limits as limits
from messenger.gui.spell_text import checkable
from messenger.gui.speller import Speller
from messenger.gui.theme import Theme
from messenger.text import spelling as words

_FENCED: Final = 1
"""The bit of a line's state that says: the next one begins within code. Above it is the number of marks."""
_REST_MS: Final = 300
"""Screen readers are told how many words are marked when nothing was typed for so long."""
_LAST_OF_BMP: Final = "\uffff"


class Spot(NamedTuple):
    """A word in the document."""

    start: int
    """UTF-16 units before it."""
    end: int
    word: str


class SpellMarks(QSyntaxHighlighter):
    """Underlines what may be misspelt.

    Args:
        document: Whose text.
        speller: Knows the words.
        typing: Tells where somebody is typing, in UTF-16 units, or None; the word there is not marked.
    """

    def __init__(self, document: QTextDocument, speller: Speller, typing: Callable[[], int | None]) -> None:
        super().__init__(document)
        self._speller, self._typing = speller, typing
        self.look = QTextCharFormat()
        """How a misspelt word looks."""

    def highlightBlock(self, text: str) -> None:  # noqa: N802 -- Qt's name
        """Mark what is known to be wrong in one line, and have the rest looked up."""
        block, marks, fenced = self.currentBlock(), 0, False
        if self._speller.awake and self.document().characterCount() <= limits.SPELLED_TEXT_MAX:
            spots, fenced = _spots(block, text, max(0, self.previousBlockState()))
            typing = self._typing()
            for spot in spots:
                if typing is not None and spot.start <= typing <= spot.end:
                    continue
                if self._speller.is_wrong(spot.word) and marks < limits.SPELLED_MARKS_MAX:
                    marks += 1
                    self.setFormat(spot.start - block.position(), spot.end - spot.start, self.look)
        self.setCurrentBlockState(marks << _FENCED | fenced)


class SpellBox(QObject):
    """Binds a text box to what is known of words. Nothing happens before `wake`.

    Args:
        box: The text box; whoever has it calls `open_menu` when its menu is asked for.
        theme: Colours.
        speller: Knows the words.
    """

    def __init__(self, box: QPlainTextEdit, theme: Theme, speller: Speller) -> None:
        super().__init__(box)
        self._box, self._theme, self._speller = box, theme, speller
        self._marks: SpellMarks | None = None
        self._typing: int | None = None
        self._asked: tuple[Spot, QPoint, bool] | None = None
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(limits.SUGGESTIONS_WAIT_MS)
        self._late.timeout.connect(lambda: self._suggested(()))
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._tell)

    @Slot()
    def wake(self) -> None:
        """Somebody has typed something: check it from now on, if spelling is checked at all."""
        if not self._box.toPlainText():
            return
        self._speller.wake()
        if self._marks is None and self._speller.awake:
            document = self._box.document()
            document.contentsChange.connect(self._on_contents)  # before the marks listen to it
            self._marks = SpellMarks(document, self._speller, self._typed_at)
            self._box.cursorPositionChanged.connect(self._on_moved)
            self._speller.checked.connect(self._mark)
            self._theme.changed.connect(self._dress)
            self._typing = self._box.textCursor().position()
            self._dress()

    @Slot(int, QPoint, bool)
    def open_menu(self, place: int, at: QPoint, by_key: bool) -> None:
        """Open the menu of the box, with better words first if the word there is marked.

        They are asked for, so that it opens a moment later.

        Args:
            place: In the document, UTF-16 units.
            at: Where on the screen.
            by_key: The first suggestion is chosen already.
        """
        spot = self._spot_at(place)
        if spot is None or not self._speller.awake:
            self._open(at)
        elif self._speller.is_own(spot.word):
            act = self._action(words.REMOVE, lambda: self._speller.remove_asked.emit(spot.word))
            self._open(at, [act])
        elif not self._speller.is_wrong(spot.word):
            self._open(at)
        else:
            self._asked = (spot, at, by_key)
            self._late.start()
            self._speller.suggest(spot.word, lambda found: self._answered(spot, found))

    @Slot()
    def go_on(self) -> None:
        """Go to the next word that is marked, after the last one to the first, and open its menu."""
        if self._marks is None:
            return
        place = self._box.textCursor().position()
        spots = list(self._marked())
        spot = next((spot for spot in spots if spot.end > place), spots[0] if spots else None)
        if spot is None:
            return
        cursor = self._box.textCursor()
        cursor.setPosition(spot.end)
        self._box.setTextCursor(cursor)
        self._box.ensureCursorVisible()
        corner = self._box.cursorRect().bottomLeft()
        self.open_menu(spot.end, self._box.viewport().mapToGlobal(corner), by_key=True)

    def _answered(self, spot: Spot, found: tuple[str, ...]) -> None:
        if self._asked is not None and self._asked[0] is spot:
            self._suggested(found)

    def _suggested(self, found: tuple[str, ...]) -> None:
        """Open the menu that was asked for, if it is still wanted."""
        self._late.stop()
        asked, self._asked = self._asked, None
        if asked is None or not self._box.isVisible():
            return
        spot, at, by_key = asked
        if "’" in spot.word:
            found = tuple(one.replace("'", "’") for one in found)
        better = [self._action(one, functools.partial(self._replace, spot, one)) for one in found]
        if not better:
            better.append(self._action(words.NONE, lambda: None))
            better[0].setEnabled(False)
        add = self._action(words.ADD, lambda: self._speller.add_asked.emit(spot.word))
        menu = self._open(at, better, [add])
        menu.setAccessibleName(words.MENU.format(word=spot.word))
        if by_key:
            menu.setActiveAction(better[0] if found else add)

    def _open(self, at: QPoint, *groups: list[QAction]) -> QMenu:
        """Open the menu of every text box, with groups of actions above; it deletes itself when closed."""
        menu = self._box.createStandardContextMenu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for action in menu.actions():
            if action.objectName() in words.USUAL:  # Qt has no words of ours
                _text, tab, keys = action.text().partition("\t")
                action.setText(words.USUAL[action.objectName()] + tab + keys)
        usual = menu.actions()[0]
        for group in groups:
            for action in group:
                action.setParent(menu)
            menu.insertActions(usual, group)
            menu.insertSeparator(usual)
        menu.popup(at)
        return menu

    def _action(self, text: str, act: Callable[[], object]) -> QAction:
        action = QAction(text.replace("&", "&&"), self)
        action.triggered.connect(lambda _checked=False: act())
        return action

    def _replace(self, spot: Spot, better: str) -> None:
        """Put a better word in the place of one, if that still stands there; it can be undone."""
        cursor = QTextCursor(self._box.document())
        cursor.setPosition(spot.start)
        cursor.setPosition(spot.end, QTextCursor.MoveMode.KeepAnchor)
        if cursor.selectedText() == spot.word:
            cursor.insertText(better)
        self._box.setFocus()

    def _marked(self) -> Iterator[Spot]:
        """All words that are marked, in their order."""
        block, state = self._box.document().begin(), 0
        while block.isValid():
            if block.userState() >> _FENCED > 0:
                spots, _fenced = _spots(block, block.text(), state)
                yield from (spot for spot in spots if self._speller.is_wrong(spot.word))
            state = max(0, block.userState())
            block = block.next()

    def _spot_at(self, place: int) -> Spot | None:
        if self._marks is None:
            return None
        block = self._box.document().findBlock(place)
        spots, _fenced = _spots(block, block.text(), max(0, block.previous().userState()))
        return next((spot for spot in spots if spot.start <= place <= spot.end), None)

    def _typed_at(self) -> int | None:
        return self._typing if self._typing == self._box.textCursor().position() else None

    @Slot(int, int, int)
    def _on_contents(self, place: int, removed: int, added: int) -> None:
        self._typing = place + added
        self._asked = None  # a menu would be about what stands there no more
        self._rest.start()
        before = self._box.document().characterCount() - added + removed
        if before > limits.SPELLED_TEXT_MAX or before + added - removed > limits.SPELLED_TEXT_MAX:
            QTimer.singleShot(0, self, self._mark)  # another part of it is to be marked, or none

    @Slot()
    def _on_moved(self) -> None:
        if self._typing is not None and self._typed_at() is None:
            block = self._box.document().findBlock(self._typing)
            self._typing = None
            if self._marks is not None and block.isValid():
                self._marks.rehighlightBlock(block)
                self._rest.start()

    @Slot()
    def _mark(self) -> None:
        if self._marks is not None:
            self._marks.rehighlight()
            self._rest.start()

    @Slot()
    def _dress(self) -> None:
        if self._marks is not None:
            self._marks.look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            self._marks.look.setUnderlineColor(self._theme.colors["misspelt"])
            self._mark()

    @Slot()
    def _tell(self) -> None:
        """Say to screen readers how many words are marked."""
        block, count = self._box.document().begin(), 0
        while block.isValid():
            count += max(0, block.userState()) >> _FENCED
            block = block.next()
        self._box.setAccessibleDescription(words.count(count))


def _spots(block: QTextBlock, text: str, state: int) -> tuple[list[Spot], bool]:
    """The words of a line that have a spelling, and whether the next line begins within code.

    Args:
        block: The line.
        text: What stands in it.
        state: Of the line before.
    """
    found = checkable(text, fenced=bool(state & _FENCED))
    # Letters that take two of Qt's units.
    wide = [] if text.isascii() else [place for place, sign in enumerate(text) if sign > _LAST_OF_BMP]
    begin = block.position()
    spots = [
        Spot(begin + start + bisect_left(wide, start), begin + end + bisect_left(wide, end), text[start:end])
        for start, end in found.spans
    ]
    return spots, found.fenced
