"""What is known of words, and the process that is asked: real dictionaries, other languages, failures."""

import os
import signal
import sys

import pytest
from PySide6.QtCore import QPoint, QProcess, Qt

from messenger.core import window_limits as limits
from messenger.core.spelling import Spelling
from messenger.gui import speller as speller_module
from messenger.gui.composer import Composer
from messenger.gui.speller import Speller
from tests.helpers.gui import Hands
from tests.helpers.spelling import choose, entries, held, marked, menu_by_key, popup

CONTROL = Qt.KeyboardModifier.ControlModifier


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
    composer.spelling._late.setInterval(limits.SUGGESTIONS_WAIT_MS)
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
