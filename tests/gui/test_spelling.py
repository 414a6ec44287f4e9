"""Spelling while a message is written: what is marked, and the menu of a word."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication

from messenger.core import window_limits as limits
from messenger.gui.composer import Composer
from messenger.gui.speller import Speller
from messenger.gui.theme import Theme
from tests.helpers.gui import Hands
from tests.helpers.spelling import choose, entries, marked, menu_by_key, popup, words

CONTROL = Qt.KeyboardModifier.ControlModifier


def test_a_misspelt_word_is_marked_once_it_is_written(hands: Hands, composer: Composer) -> None:
    hands.type("A wrold", composer.box)
    hands.until(lambda: composer.spelling._speller._greeted and composer.spelling._speller.idle)
    assert marked(composer) == [], "it is still being written"
    hands.type(" of mine", composer.box)
    hands.until(lambda: marked(composer) == ["wrold"])


def test_a_word_is_marked_when_the_cursor_leaves_it(hands: Hands, composer: Composer) -> None:
    hands.type("teh wrold", composer.box)
    hands.until(lambda: marked(composer) == ["teh"])
    hands.press(Qt.Key.Key_Home, widget=composer.box)
    hands.until(lambda: marked(composer) == ["teh", "wrold"])
    hands.press(Qt.Key.Key_End, widget=composer.box)
    assert marked(composer) == ["teh", "wrold"], "who only looks at a word does not write it"
    hands.press(Qt.Key.Key_Backspace, widget=composer.box)
    assert marked(composer) == ["teh"]


def test_where_letters_take_two_places_the_word_is_marked(hands: Hands, composer: Composer) -> None:
    composer.box.insertPlainText("😀👩‍🚀 wrold 😀 is\n𝔘 😀teh fine ")
    hands.until(lambda: marked(composer) == ["wrold", "teh"])


def test_what_is_no_word_is_not_marked(hands: Hands, composer: Composer) -> None:
    composer.box.insertPlainText(
        "https://exmaple.org wrold `vraiable` NAAS 12thg\n```\ncdoe\n``` eend of it "
    )
    hands.until(lambda: marked(composer) == ["wrold", "eend"])


def test_nothing_is_started_before_a_word_is_typed(
    hands: Hands, composer: Composer, speller: Speller
) -> None:
    composer.load("A wrold that was begun yesterday")
    hands.press(Qt.Key.Key_Home, widget=composer.box)
    hands.press(Qt.Key.Key_F7, widget=composer.box)
    assert not speller.awake
    assert not speller.busy
    assert composer.spelling._marks is None
    hands.type("I ", composer.box)
    hands.until(lambda: marked(composer) == ["wrold"])


def test_marks_are_no_typing(hands: Hands, composer: Composer) -> None:
    """The other side is not told, nothing is stored, and an error stays to be read."""
    typed: list[bool] = []
    hands.type("A wrold of", composer.box)
    composer.typed.connect(lambda: typed.append(True))
    composer.refused(OSError())
    error = composer.error()
    assert error
    hands.until(lambda: marked(composer) == ["wrold"])
    composer.spelling._mark()
    assert composer.error() == error
    assert typed == []
    assert composer.text() == "A wrold of"


@pytest.mark.parametrize("key", [Qt.Key.Key_Menu, Qt.Key.Key_F10])
def test_the_menu_has_better_words(hands: Hands, composer: Composer, key: Qt.Key) -> None:
    hands.type("A wrold of mine", composer.box)
    hands.until(lambda: marked(composer) == ["wrold"])
    for _step in range(10):
        hands.press(Qt.Key.Key_Left, widget=composer.box)
    menu = menu_by_key(hands, composer, key)
    assert "world" in words(menu)
    assert len(words(menu)) <= limits.SUGGESTIONS_MAX
    assert "Add to dictionary" in entries(menu)
    assert "wrold" in menu.accessibleName()
    assert menu.activeAction().text() == words(menu)[0], "Enter takes the first, and it is read out"
    choose(menu, "world")
    hands.until(lambda: composer.text() == "A world of mine")
    assert marked(composer) == []
    assert composer.box.hasFocus()
    hands.press(Qt.Key.Key_Z, CONTROL, composer.box)
    assert composer.text() == "A wrold of mine"


def test_the_menu_is_for_the_word_under_the_mouse(hands: Hands, composer: Composer) -> None:
    hands.type("A wrold of mine", composer.box)
    hands.until(lambda: marked(composer) == ["wrold"])
    box = composer.box
    cursor = box.textCursor()
    cursor.setPosition(4)
    spot = box.cursorRect(cursor).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, spot, box.viewport().mapToGlobal(spot))
    QApplication.sendEvent(box.viewport(), event)
    hands.until(lambda: popup() is not None)
    menu = popup()
    assert menu is not None
    assert "world" in words(menu)
    menu.close()


def test_a_right_word_has_the_menu_of_every_text_box(hands: Hands, composer: Composer) -> None:
    hands.type("A wrold of mine", composer.box)
    hands.until(lambda: marked(composer) == ["wrold"])
    menu = menu_by_key(hands, composer)
    assert [text.partition("\t")[0] for text in entries(menu)] == [
        "Undo",
        "Redo",
        "Cut",
        "Copy",
        "Paste",
        "Delete",
        "Select all",
    ]
    menu.close()


def test_f7_goes_from_word_to_word(hands: Hands, composer: Composer) -> None:
    composer.box.insertPlainText("teh first\nline, 😀 wrold of lines ")
    hands.until(lambda: marked(composer) == ["teh", "wrold"])
    hands.until(lambda: "2 words may be misspelt" in composer.box.accessibleDescription())
    for better in ("the", "world"):
        hands.press(Qt.Key.Key_F7, widget=composer.box)
        hands.until(lambda: popup() is not None)
        menu = popup()
        assert menu is not None
        choose(menu, better)
        hands.until(lambda: popup() is None)
    assert composer.text() == "the first\nline, 😀 world of lines "
    hands.until(lambda: composer.box.accessibleDescription() == "")
    hands.press(Qt.Key.Key_F7, widget=composer.box)
    assert popup() is None


def test_a_typographic_apostrophe_stays_one(hands: Hands, composer: Composer) -> None:
    composer.box.insertPlainText("I dosen’t know ")
    hands.until(lambda: marked(composer) == ["dosen’t"])
    hands.press(Qt.Key.Key_F7, widget=composer.box)
    hands.until(lambda: popup() is not None)
    menu = popup()
    assert menu is not None
    assert "doesn’t" in words(menu)
    choose(menu, "doesn’t")
    hands.until(lambda: composer.text() == "I doesn’t know ")


def test_one_line_has_no_more_marks_than_can_be_drawn(hands: Hands, composer: Composer) -> None:
    composer.box.insertPlainText("wrold " * (limits.SPELLED_MARKS_MAX + 50))
    hands.until(lambda: len(marked(composer)) == limits.SPELLED_MARKS_MAX)


def test_the_colour_follows_the_theme(hands: Hands, composer: Composer, theme: Theme) -> None:
    hands.type("A wrold of mine", composer.box)
    hands.until(lambda: marked(composer) == ["wrold"])
    assert composer.spelling._marks is not None
    assert composer.spelling._marks.look.underlineColor() == theme.colors["misspelt"]
