"""Spelling while a message is written: real dictionaries, real text boxes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QProcess, Qt
from PySide6.QtGui import QContextMenuEvent, QTextCharFormat
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from messenger.core import window_limits as limits
from messenger.core.spelling import Spelling
from messenger.gui import speller as speller_module
from messenger.gui.composer import Composer
from messenger.gui.spell_process import distance
from messenger.gui.speller import Speller
from messenger.gui.theme import Theme
from tests.helpers.gui import Hands
from tests.helpers.terminal import environment

SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
WAVE = QTextCharFormat.UnderlineStyle.WaveUnderline


@pytest.fixture
def speller(hands: Hands) -> Iterator[Speller]:
    made = Speller()
    made.wanted.connect(lambda: made.use(Spelling(("en_US",))))
    yield made
    made.forget()
    hands.until(lambda: not made.busy)


@pytest.fixture
def composer(qtbot: QtBot, hands: Hands, theme: Theme, speller: Speller) -> Composer:
    made = Composer(theme, lambda: speller)
    qtbot.addWidget(made)
    made.resize(600, made.sizeHint().height())
    made.show()
    made.activateWindow()
    hands.until(made.isActiveWindow)
    made.setFocus()
    return made


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


def test_words_of_ones_own_are_right(hands: Hands, composer: Composer, speller: Speller) -> None:
    asked: list[str] = []
    speller.add_asked.connect(asked.append)
    hands.type("A wrold and Wrold too", composer.box)
    hands.until(lambda: marked(composer) == ["wrold", "Wrold"])
    hands.press(Qt.Key.Key_F7, widget=composer.box)
    hands.until(lambda: popup() is not None)
    menu = popup()
    assert menu is not None
    choose(menu, "Add to dictionary")
    assert asked == ["wrold"]
    speller.use(Spelling(("en_US",), ("wrold",)))
    assert marked(composer) == []
    taken: list[str] = []
    speller.remove_asked.connect(taken.append)
    hands.press(Qt.Key.Key_Home, widget=composer.box)
    for _step in range(4):
        hands.press(Qt.Key.Key_Right, widget=composer.box)
    menu = menu_by_key(hands, composer)
    choose(menu, "Remove from dictionary")
    assert taken == ["wrold"]
    speller.use(Spelling(("en_US",)))
    assert marked(composer) == ["wrold", "Wrold"]


def test_another_language_is_another_dictionary(hands: Hands, composer: Composer, speller: Speller) -> None:
    hands.type("Ein Fehler in the world wrold ", composer.box)
    hands.until(
        lambda: marked(composer) == ["Ein", "wrold"] or marked(composer) == ["Ein", "Fehler", "wrold"]
    )
    speller.use(Spelling(("de_DE", "en_US")))
    hands.until(lambda: marked(composer) == ["wrold"])
    speller.use(Spelling(("de_DE",)))
    hands.until(lambda: marked(composer) == ["the", "world", "wrold"])


def test_switched_off_it_forgets_everything(hands: Hands, composer: Composer, speller: Speller) -> None:
    hands.type("A wrold of mine", composer.box)
    hands.until(lambda: marked(composer) == ["wrold"])
    speller.switch(on=False)
    assert marked(composer) == []
    assert "wrold" not in held(speller)
    hands.until(lambda: not speller.busy)
    hands.type(" is teh best", composer.box)
    assert not speller.busy
    speller.switch(on=True)
    hands.type(" one", composer.box)
    hands.until(lambda: marked(composer) == ["wrold", "teh"])


def test_a_process_that_dies_is_started_again_without_what_killed_it(
    hands: Hands, composer: Composer, speller: Speller
) -> None:
    hands.type("A wrold of mine", composer.box)
    hands.until(lambda: marked(composer) == ["wrold"])
    for failure in range(1, limits.SPELLING_FAILURES_MAX):
        process = speller._process
        assert process is not None
        os.kill(process.processId(), signal.SIGSTOP)
        hands.type(f" wrodl{chr(97 + failure)} ", composer.box)
        hands.until(lambda: bool(speller._asked))
        os.kill(process.processId(), signal.SIGKILL)
        hands.until(lambda count=failure: speller._failures == count)  # type: ignore[misc]
        assert speller.idle
        hands.type("teh ", composer.box)
        hands.type("hlelo" + "o" * failure + " ", composer.box)
        hands.until(lambda count=failure: "hlelo" + "o" * count in marked(composer))  # type: ignore[misc]
        assert not any(word.startswith("wrodl") for word in marked(composer))
    process = speller._process
    assert process is not None
    os.kill(process.processId(), signal.SIGKILL)
    hands.until(lambda: not speller.busy)
    hands.type(" xyzzyz ", composer.box)
    assert not speller.busy, "it does not fail for ever"


@pytest.mark.parametrize(
    "answer",
    [
        "garbage",
        "{}",
        '{"right":[1]}',
        '{"right":[true,false]}',
        '{"words":["a"]}',
        "x" * 200_000,
        "{}\n{}\n{}",
    ],
)
def test_a_process_that_says_something_else_is_ended(
    hands: Hands, composer: Composer, speller: Speller, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    hello = '{"installed":true,"available":["en_US"],"used":["en_US"]}'
    program = f"print({hello!r}, flush=True); input(); print({answer!r}, flush=True); input(); input()"
    monkeypatch.setattr(speller_module, "_command", lambda *_arguments: [sys.executable, "-c", program])
    hands.type("A wrold a ", composer.box)
    hands.until(lambda: speller._failures >= 1)
    assert marked(composer) == []


def test_suggestions_that_take_long_are_not_waited_for(
    hands: Hands, composer: Composer, speller: Speller
) -> None:
    hands.type("A wrold of mine", composer.box)
    hands.until(lambda: marked(composer) == ["wrold"])
    process = speller._process
    assert process is not None
    os.kill(process.processId(), signal.SIGSTOP)
    hands.press(Qt.Key.Key_F7, widget=composer.box)
    assert popup() is None
    hands.until(lambda: popup() is not None)
    menu = popup()
    assert menu is not None
    assert entries(menu)[:2] == ["No suggestions", "Add to dictionary"]
    os.kill(process.processId(), signal.SIGCONT)
    hands.until(lambda: speller.idle)
    assert popup() is menu
    assert entries(menu)[0] == "No suggestions", "a menu that is read does not change"
    menu.close()


def test_a_text_that_changed_meanwhile_opens_no_menu(
    hands: Hands, composer: Composer, speller: Speller
) -> None:
    hands.type("A wrold of mine", composer.box)
    hands.until(lambda: marked(composer) == ["wrold"])
    hands.press(Qt.Key.Key_F7, widget=composer.box)
    hands.type("s", composer.box)
    hands.until(lambda: speller.idle)
    assert popup() is None
    assert composer.spelling._asked is None


def test_ten_thousand_characters_are_checked_in_parts(hands: Hands, composer: Composer) -> None:
    count = limits.SPELLED_AT_ONCE + 200
    text = "".join(
        f"wrold{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)} right\n" for n in range(count)
    )
    assert 9_000 < len(text) < limits.SPELLED_TEXT_MAX
    composer.box.insertPlainText(text)
    hands.until(lambda: len(marked(composer)) == count)
    composer.box.insertPlainText("right " * (limits.SPELLED_TEXT_MAX // 6))
    hands.until(lambda: marked(composer) == [])
    hands.press(Qt.Key.Key_Z, CONTROL, composer.box)
    hands.until(lambda: len(marked(composer)) == count)


def test_one_line_has_no_more_marks_than_can_be_drawn(hands: Hands, composer: Composer) -> None:
    composer.box.insertPlainText("wrold " * (limits.SPELLED_MARKS_MAX + 50))
    hands.until(lambda: len(marked(composer)) == limits.SPELLED_MARKS_MAX)


def test_the_colour_follows_the_theme(hands: Hands, composer: Composer, theme: Theme) -> None:
    hands.type("A wrold of mine", composer.box)
    hands.until(lambda: marked(composer) == ["wrold"])
    assert composer.spelling._marks is not None
    assert composer.spelling._marks.look.underlineColor() == theme.colors["misspelt"]


class Process:
    """The process as the window starts it, and a home that it may write to."""

    def __init__(self, home: Path, *arguments: str, **variables: str) -> None:
        surroundings = {
            **environment(),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            **variables,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "messenger.gui.spell_process", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=surroundings,
            text=True,
        )

    def line(self) -> dict[str, object]:
        assert self._process.stdout is not None
        said: dict[str, object] = json.loads(self._process.stdout.readline())
        return said

    def ask(self, **question: object) -> dict[str, object]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self.line()

    def limits(self) -> str:
        return Path(f"/proc/{self._process.pid}/limits").read_text(encoding="utf-8")

    def end(self) -> tuple[int, str]:
        _output, errors = self._process.communicate(timeout=60)
        return self._process.returncode, errors


def test_nothing_is_left_in_the_home_of_the_person(tmp_path: Path) -> None:
    """Enchant by itself makes ~/.config/enchant with a list of words for each language."""
    process = Process(tmp_path, "en_US,de_DE", "")
    assert process.line()["used"] == ["en_US", "de_DE"]
    assert process.ask(type="Check", words=["wrold", "world", "Fehler", ""]) == {
        "right": [False, True, True, True]
    }
    assert "world" in str(process.ask(type="Suggest", word="wrold")["words"])
    assert process.ask(type="Suggest", word="x" * 1000) == {"words": []}
    assert process.end() == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_the_process_can_open_and_write_nothing(tmp_path: Path) -> None:
    process = Process(tmp_path, "en_US", "")
    process.line()
    bounds = {line[:25].strip(): line[26:].split()[:2] for line in process.limits().splitlines()}
    for name in ("Max open files", "Max file size", "Max processes", "Max core file size"):
        assert bounds[name] == ["0", "0"], name
    process.end()


@pytest.mark.parametrize(
    ("one", "other", "changes"),
    [
        ("", "", 0),
        ("the", "the", 0),
        ("Teh", "the", 1),
        ("redy", "ready", 2),
        ("a", "", 2),
        ("", "ab", 4),
        ("ab", "ba", 1),
    ],
)
def test_two_letters_that_change_places_are_one_slip(one: str, other: str, changes: int) -> None:
    assert distance(one, other) == distance(other, one) == changes


def test_what_is_written_most_alike_is_suggested_first(tmp_path: Path) -> None:
    process = Process(tmp_path, "de_DE,en_US", "")
    process.line()
    process.ask(type="Check", words=["this", "bridge", "tomorrow", "ready"])
    for word, better in (("Teh", "The"), ("teh", "the"), ("wrold", "world"), ("Brükce", "Brücke")):
        assert process.ask(type="Suggest", word=word)["words"][0] == better  # type: ignore[index]
    assert "ready" in str(process.ask(type="Suggest", word="redy")["words"]), "the language that is used most"
    process.end()


def test_without_the_library_it_says_so(tmp_path: Path) -> None:
    process = Process(tmp_path, "", "en_US", PYENCHANT_LIBRARY_PATH=str(tmp_path / "none.so"))
    assert process.line() == {"installed": False, "available": [], "used": []}
    assert process.end() == (0, "")


def test_without_a_dictionary_it_says_which_there_are(tmp_path: Path) -> None:
    process = Process(tmp_path, "", "ja_JP,ja")
    hello = process.line()
    assert hello["installed"]
    assert hello["used"] == []
    assert all(tag in str(hello["available"]) for tag in ("en_US", "de_DE"))
    process.end()


def test_a_command_line_that_is_none_is_refused(tmp_path: Path) -> None:
    assert Process(tmp_path, "en_US").end()[0] == 64


def test_it_ends_with_its_input(hands: Hands, speller: Speller) -> None:
    """A window that is killed leaves nothing behind."""
    speller.wake()
    hands.until(lambda: speller._greeted)
    process = speller._process
    assert process is not None
    ended: list[QProcess.ExitStatus] = []
    process.finished.connect(lambda _code, status: ended.append(status))
    process.closeWriteChannel()
    hands.until(lambda: bool(ended))
    assert ended == [QProcess.ExitStatus.NormalExit]


def test_a_menu_that_nobody_waits_for_is_not_opened(
    hands: Hands, composer: Composer, speller: Speller
) -> None:
    hands.type("A wrold of mine", composer.box)
    hands.until(lambda: marked(composer) == ["wrold"])
    composer.box.menu_asked.emit(4, QPoint(0, 0), False)  # noqa: FBT003 -- Qt's signature
    composer.hide()
    hands.until(lambda: speller.idle)
    assert popup() is None
