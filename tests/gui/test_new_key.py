"""What a window shows of new keys: a word, a stop, namesakes, and how one's own is made."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from messenger.core.ids import AttemptId
from messenger.core.models import KeyNews
from messenger.gui.new_key_sheet import NewKeySheet
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.sheet import ConfirmSheet
from messenger.gui.verify_sheet import VerifySheet
from messenger.text import keys
from tests.gui.conftest import Desks
from tests.gui.test_chat import meet, write
from tests.helpers import spare_keys
from tests.helpers.gui import Desk
from tests.helpers.keys import identity


@pytest.fixture(autouse=True)
def new_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vaults of these tests are handed their new keys."""
    spare_keys.use(monkeypatch, tmp_path / "taken")


def news(desk: Desk) -> KeyNews:
    row = desk.chat._row
    assert row is not None
    return row.conversation.contact.key_news


def moved(alice: Desk, bob: Desk, *, verified: bool) -> None:
    """They are friends, alice has a new key, and bob's window knows."""
    meet(alice, bob)
    conversation = bob.chat.conversation
    assert conversation is not None
    bob.call(bob.bridge.engine.set_verified, conversation, verified)
    alice.call(alice.bridge.engine.move_to_new_identity)
    bob.hands.until(lambda: news(bob) is (KeyNews.STOP if verified else KeyNews.NOTICE))


def test_a_calm_word_that_can_be_dismissed(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    moved(alice, bob, verified=False)
    bob.front()
    assert "Alice" in bob.chat.keys.text()
    assert bob.chat.composer.isEnabled()
    write(bob, "it goes on")
    alice.hands.until(lambda: alice.texts() == ["it goes on"])
    bob.hands.click(bob.chat.keys.compare_button)
    sheet = bob.sheet(VerifySheet)
    bob.hands.press(Qt.Key.Key_Escape, widget=sheet)
    bob.hands.click(bob.chat.keys.trust_button)
    bob.hands.until(lambda: bob.chat.keys.text() == "")


def test_a_stop_that_comparing_ends(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    moved(alice, bob, verified=True)
    bob.front()
    assert "Nothing is sent" in bob.chat.keys.text()
    assert not bob.chat.composer.isEnabled()
    bob.hands.click(bob.chat.keys.compare_button)
    sheet = bob.sheet(VerifySheet)
    bob.hands.until(lambda: "·" not in sheet.number())
    bob.hands.click(sheet.confirm_button)
    bob.hands.until(bob.chat.composer.isEnabled)
    assert bob.chat.keys.text() == ""
    bob.hands.press(Qt.Key.Key_Escape, widget=sheet)
    write(bob, "compared")
    alice.hands.until(lambda: alice.texts() == ["compared"])


def test_a_stop_that_trust_ends_after_a_question(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    moved(alice, bob, verified=True)
    bob.front()
    bob.hands.click(bob.chat.keys.trust_button)
    question = bob.sheet(ConfirmSheet)
    bob.hands.click(question.cancel_button)
    assert not bob.chat.composer.isEnabled()
    bob.hands.click(bob.chat.keys.trust_button)
    bob.hands.click(bob.sheet(ConfirmSheet).action_button)
    bob.hands.until(bob.chat.composer.isEnabled)
    row = bob.chat._row
    assert row is not None
    assert not row.conversation.contact.verified


def test_a_namesake_with_another_key_is_pointed_out(desks: Desks) -> None:
    alice, bob, mallory = desks("alice"), desks("bob"), desks("mallory")
    meet(alice, bob)
    mallory.call(mallory.bridge.engine.set_name, "ALICE")
    _knock_as(mallory, bob)
    assert bob.chat.keys.text() == keys.namesake("ALICE")
    assert not bob.chat.keys.compare_button.isVisible()
    bob.open_chat("Alice")
    bob.hands.until(lambda: bob.chat.keys.text() == "")


def _knock_as(stranger: Desk, bob: Desk) -> None:
    """Somebody calls, whose request bob opens."""
    expected = identity("bob").signing.public.fingerprint
    stranger.call(stranger.bridge.engine.connect, bob.address(), AttemptId(7), expected)
    bob.front().open_chat("ALICE")


def test_making_a_new_key_in_the_settings(desks: Desks) -> None:
    alice = desks("alice")
    before = alice.call(alice.bridge.engine.me).fingerprint
    alice.front()
    alice.hands.press(Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier, alice.window)
    settings = alice.sheet(SettingsSheet)
    alice.hands.until(lambda: bool(settings.name.text()))
    alice.hands.click(settings.new_key_button)
    sheet = alice.sheet(NewKeySheet)
    alice.hands.click(sheet.cancel_button)
    assert alice.call(alice.bridge.engine.me).fingerprint == before
    alice.hands.click(settings.new_key_button)
    sheet = alice.sheet(NewKeySheet)
    alice.hands.click(sheet.go_button)
    alice.hands.until(lambda: sheet.words.text() == keys.NEW_KEY_DONE)
    assert alice.call(alice.bridge.engine.me).fingerprint != before
    alice.hands.click(sheet.cancel_button)
