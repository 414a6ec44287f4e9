"""Writing a message."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from messenger.core import limits
from messenger.core.errors import InputError, InputProblem
from messenger.gui.composer import Composer
from messenger.gui.speller import Speller
from messenger.gui.theme import Theme

SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def composer(qtbot: QtBot, theme: Theme) -> Composer:
    made = Composer(theme, Speller)
    qtbot.addWidget(made)
    made.resize(500, made.sizeHint().height())
    made.show()
    return made


@pytest.fixture
def submitted(composer: Composer) -> list[str]:
    texts: list[str] = []
    composer.submitted.connect(texts.append)
    return texts


def test_enter_sends_and_the_text_stays_until_it_is_safe(composer: Composer, submitted: list[str]) -> None:
    QTest.keyClicks(composer.box, "Hello")
    QTest.keyClick(composer.box, Qt.Key.Key_Return)
    assert submitted == ["Hello"]
    assert composer.text() == "Hello"
    QTest.keyClick(composer.box, Qt.Key.Key_Return)
    assert submitted == ["Hello"], "it was sent twice"
    composer.sent()
    assert composer.text() == ""


def test_what_is_typed_meanwhile_is_kept(composer: Composer, submitted: list[str]) -> None:
    QTest.keyClicks(composer.box, "Hello")
    QTest.keyClick(composer.box, Qt.Key.Key_Return)
    QTest.keyClicks(composer.box, " again")
    composer.sent()
    assert composer.text() == " again"
    QTest.keyClick(composer.box, Qt.Key.Key_Return)
    assert submitted == ["Hello", " again"]


def test_shift_enter_breaks_the_line(composer: Composer, submitted: list[str]) -> None:
    QTest.keyClicks(composer.box, "a")
    QTest.keyClick(composer.box, Qt.Key.Key_Return, SHIFT)
    QTest.keyClicks(composer.box, "b")
    assert composer.text() == "a\nb"
    assert submitted == []
    QTest.keyClick(composer.box, Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier)
    assert submitted == ["a\nb"]


def test_control_enter_sends_if_that_is_the_setting(composer: Composer, submitted: list[str]) -> None:
    composer.box.enter_sends = False
    QTest.keyClicks(composer.box, "a")
    QTest.keyClick(composer.box, Qt.Key.Key_Return)
    assert submitted == []
    assert composer.text() == "a\n"
    QTest.keyClick(composer.box, Qt.Key.Key_Return, CONTROL)
    assert submitted == ["a\n"]


def test_nothing_is_not_sent(composer: Composer, submitted: list[str]) -> None:
    assert not composer._send.isEnabled()
    for text in ("", "   ", "\n\t"):
        composer.load(text)
        assert not composer._send.isEnabled()
        QTest.keyClick(composer.box, Qt.Key.Key_Return)
    assert submitted == []


def test_the_button_sends_too(composer: Composer, submitted: list[str]) -> None:
    QTest.keyClicks(composer.box, "Hello")
    QTest.mouseClick(composer._send, Qt.MouseButton.LeftButton)
    assert submitted == ["Hello"]


def test_ten_thousand_characters_are_fine(composer: Composer, submitted: list[str]) -> None:
    text = "word " * 2_000
    composer.box.insertPlainText(text)
    QTest.keyClick(composer.box, Qt.Key.Key_Return)
    assert submitted == [text]


def test_a_refusal_is_explained_and_the_text_stays(composer: Composer, submitted: list[str]) -> None:
    QTest.keyClicks(composer.box, "Hello")
    QTest.keyClick(composer.box, Qt.Key.Key_Return)
    composer.refused(InputError(InputProblem.TOO_LONG, str(limits.TEXT_MAX)))
    assert "too long" in composer.error()
    assert composer.text() == "Hello"
    assert composer.focusWidget() is composer.box
    QTest.keyClicks(composer.box, "!")
    assert composer.error() == ""
    QTest.keyClick(composer.box, Qt.Key.Key_Return)
    assert submitted == ["Hello", "Hello!"]


def test_it_grows_to_six_lines(composer: Composer) -> None:
    heights = []
    for lines in range(1, 9):
        composer.load("\n".join("line" for _line in range(lines)))
        heights.append(composer.box.height())
    assert heights[0] < heights[1] < heights[2] < heights[5]
    assert heights[5] == heights[6] == heights[7]
    composer.load("word " * 40)
    assert composer.box.height() > heights[0], "wrapped lines count as lines"


def test_a_hint_takes_room_only_while_there_is_one(composer: Composer) -> None:
    composer.hint("They have not accepted you yet.")
    assert composer._hint.isVisible()
    composer.hint("")
    assert not composer._hint.isVisible()
