"""Spelling in the window of a profile: the personal dictionary, locking, windows apart, settings."""

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QListWidgetItem

from messenger.core import window_limits as limits
from messenger.core.spelling import Spelling
from messenger.gui import speller as speller_module
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.settings_spelling import SpellingPart
from messenger.gui.unlock import UnlockPage
from tests.gui.conftest import Desks
from tests.gui.test_chat import meet
from tests.helpers.gui import Desk
from tests.helpers.spelling import choose, held, marked, popup

CHECKED, UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


@pytest.fixture
def two(desks: Desks) -> tuple[Desk, Desk]:
    alice, bob = desks("alice", "correct horse", start=False), desks("bob")
    alice.start()
    page = alice.window.pages.currentWidget()
    assert isinstance(page, UnlockPage)
    alice.hands.type("correct horse", page.field)
    alice.hands.press(Qt.Key.Key_Return, widget=page.field)
    alice.hands.until(lambda: alice.window.pages.currentWidget() is alice.window.conversations)
    meet(alice, bob)
    for desk in (alice, bob):
        desk.call(desk.bridge.engine.set_spelling_languages, ("en_US",))
    return alice, bob


def kept(desk: Desk) -> Spelling:
    return desk.call(desk.bridge.engine.spelling)


def spelling_part(desk: Desk) -> SpellingPart:
    desk.front()
    desk.hands.press(Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier, desk.window)
    sheet = desk.sheet(SettingsSheet)
    places = [n for n in range(sheet.pages.count()) if sheet.pages.item(n).text() == "Appearance"]
    sheet.pages.setCurrentRow(places[0])
    desk.hands.until(lambda: sheet.spelling.list.count() > 0 and not sheet.spelling.speller.busy)
    return sheet.spelling


def line(part: SpellingPart, tag: str) -> QListWidgetItem:
    return next(
        part.list.item(row)
        for row in range(part.list.count())
        if part.list.item(row).data(Qt.ItemDataRole.UserRole) == tag
    )


def test_a_word_is_added_to_the_profile_and_holds_everywhere(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    box = alice.front().chat.composer.box
    alice.hands.type("teh wrold of mine", box)
    alice.hands.until(lambda: marked(alice.chat.composer) == ["teh", "wrold"])
    alice.page.windows.take_shown()
    apart = alice.page.windows.panes()[-1]
    assert apart.words is alice.chat.words
    alice.hands.until(lambda: apart.window().isActiveWindow())
    alice.hands.type(" and", apart.composer.box)
    alice.hands.until(lambda: marked(apart.composer) == ["teh", "wrold"])
    alice.hands.press(Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier, apart.composer.box)
    alice.hands.press(Qt.Key.Key_F7, widget=apart.composer.box)
    alice.hands.until(lambda: popup() is not None)
    menu = popup()
    assert menu is not None
    choose(menu, "Add to dictionary")
    alice.hands.until(lambda: marked(apart.composer) == ["wrold"])
    assert kept(alice).words == ("teh",)
    apart.window().close()
    assert alice.chat.words.speller().awake, "the other window goes on"
    alice.hands.until(lambda: marked(alice.front().chat.composer) != [] or alice.chat.composer.text() != "")


def test_typing_is_told_once_and_marks_tell_nothing(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    told: list[bool] = []
    alice.front().chat.composer.typed.connect(lambda: told.append(True))
    alice.hands.type("wrold ", alice.chat.composer.box)
    alice.hands.until(lambda: marked(alice.chat.composer) == ["wrold"])
    assert len(told) == len("wrold ")


def test_a_locked_profile_has_forgotten_every_word(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    alice.call(alice.bridge.engine.add_word, "Xyzzy")
    speller = alice.front().chat.words.speller()
    alice.hands.type("Xyzzy wrold of mine", alice.chat.composer.box)
    alice.hands.until(lambda: marked(alice.chat.composer) == ["wrold"])
    assert "wrold" in held(speller)
    assert "Xyzzy" in held(speller)
    process = speller._process
    assert process is not None
    number = process.processId()
    alice.call(alice.bridge.engine.lock)
    alice.hands.until(lambda: isinstance(alice.window.pages.currentWidget(), UnlockPage))
    assert "wrold" not in held(speller)
    assert "Xyzzy" not in held(speller)
    alice.hands.until(lambda: not Path(f"/proc/{number}").exists())


def test_the_switch_of_the_settings_applies_at_once(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    alice.hands.type("wrold of mine", alice.front().chat.composer.box)
    alice.hands.until(lambda: marked(alice.chat.composer) == ["wrold"])
    alice.call(alice.bridge.engine.change_settings, {"spelling": False})
    alice.hands.until(lambda: marked(alice.chat.composer) == [])
    alice.hands.until(lambda: not alice.chat.words.speller().busy)


def test_languages_are_chosen_in_the_settings(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    box = alice.front().chat.composer.box
    alice.hands.type("Ein Fehler wrold too", box)
    alice.hands.until(lambda: "wrold" in marked(alice.chat.composer) and "Ein" in marked(alice.chat.composer))
    part = spelling_part(alice)
    alice.hands.until(part.list.isVisible)
    assert line(part, "en_US").checkState() is CHECKED
    assert line(part, "").checkState() is UNCHECKED
    assert "English" in line(part, "").text()
    assert "Deutsch" in line(part, "de_DE").text()
    part.list.setCurrentItem(line(part, "de_DE"))
    part.list.setFocus()
    alice.hands.press(Qt.Key.Key_Space, widget=part.list)
    alice.hands.until(lambda: part._spelling.languages == ("de_DE", "en_US"))
    assert kept(alice) == part._spelling
    assert part.list.currentItem() is line(part, "de_DE"), "the cursor stays"
    alice.hands.until(lambda: marked(alice.chat.composer) == ["wrold"])
    alice.hands.until(lambda: not part.speller.busy)
    line(part, "").setCheckState(CHECKED)
    alice.hands.until(lambda: kept(alice).languages == ())
    alice.hands.until(lambda: line(part, "de_DE").checkState() is UNCHECKED)


def test_too_many_languages_are_refused_beside_the_list(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    four = tuple(f"a{sign}" for sign in "abcd")
    assert len(four) == limits.SPELLED_LANGUAGES_MAX
    alice.call(alice.bridge.engine.set_spelling_languages, four)
    part = spelling_part(alice)
    assert "no dictionary for these languages" in part.advice.text()
    line(part, "de_DE").setCheckState(CHECKED)
    alice.hands.until(part.error.isVisible)
    alice.hands.until(lambda: line(part, "de_DE").checkState() is UNCHECKED)
    assert kept(alice).languages == four
    alice.hands.until(lambda: not part.speller.busy)
    line(part, "aa").setCheckState(UNCHECKED)
    alice.hands.until(lambda: kept(alice).languages == four[1:])


def test_without_the_library_all_is_as_before_and_the_settings_say_what_to_install(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYENCHANT_LIBRARY_PATH", str(tmp_path / "none.so"))
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    alice.hands.type("wrold of mine", alice.front().chat.composer.box)
    alice.hands.until(lambda: alice.chat.words.speller()._greeted)
    assert marked(alice.chat.composer) == []
    alice.hands.press(Qt.Key.Key_Menu, widget=alice.chat.composer.box)
    alice.hands.until(lambda: popup() is not None)
    menu = popup()
    assert menu is not None
    menu.close()
    alice.hands.press(Qt.Key.Key_Return, widget=alice.chat.composer.box)
    bob.hands.until(lambda: bob.texts()[-1:] == ["wrold of mine"])
    part = spelling_part(alice)
    assert not part.list.isVisible()
    assert "libenchant-2-2" in part.advice.text()
    assert "hunspell-en-us" in part.advice.text()


def test_where_it_only_fails_the_settings_say_what_to_install(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speller_module, "_command", lambda *_arguments: ["/nowhere/to/be/found"])
    part = spelling_part(desks("alice"))
    assert "libenchant-2-2" in part.advice.text()


def test_closing_the_settings_ends_what_they_asked(
    two: tuple[Desk, Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _bob = two
    waits = [sys.executable, "-c", "input()"]  # it is at work whenever somebody looks
    monkeypatch.setattr(speller_module, "_command", lambda *_arguments: waits)
    alice.front()
    alice.hands.press(Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier, alice.window)
    sheet = alice.sheet(SettingsSheet)
    alice.hands.until(lambda: sheet.spelling.speller.busy)
    speller = sheet.spelling.speller
    sheet.accept()
    assert speller._process is None
    alice.hands.until(lambda: not speller.busy)
    assert QApplication.activeModalWidget() is None
