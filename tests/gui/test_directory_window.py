"""Finding people in the directory of a relay, and being found there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from messenger.core import relay_limits
from messenger.core.relays import PersonStatus
from messenger.gui.directory_parts import Shown
from messenger.gui.directory_sheet import DirectorySheet
from messenger.gui.relays_sheet import RelaysSheet
from messenger.text import finding
from tests.gui.conftest import Desks
from tests.gui.test_chat import write
from tests.gui.test_relays_window import known, use
from tests.helpers.gui import Desk
from tests.helpers.relay_thread import ThreadedRelay, threaded_relay


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[ThreadedRelay]:
    with threaded_relay(tmp_path / "relay", directory="open") as made:
        yield made


def directory(desk: Desk) -> DirectorySheet:
    """Open it by keyboard."""
    desk.front()
    desk.hands.press(Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier, desk.window)
    return desk.sheet(DirectorySheet)


def listed(sheet: DirectorySheet) -> list[str]:
    """What the list says, each as one sentence."""
    role = Qt.ItemDataRole.AccessibleTextRole
    return [sheet.list.item(place).data(role) for place in range(sheet.list.count())]


def test_one_is_found_and_a_conversation_begins(desks: Desks, relay: ThreadedRelay) -> None:
    alice, bob = desks("alice", listen=False), desks("bob", listen=False)
    for desk in (alice, bob):
        use(desk, relay)
    there = directory(bob)
    bob.hands.until(lambda: there.words.text() == finding.NOBODY)
    assert "“Bob”" in there.listing.switch.accessibleDescription()
    bob.hands.until(there.listing.switch.isVisible)
    there.listing.switch.setFocus()
    bob.hands.press(Qt.Key.Key_Space)
    bob.hands.until(lambda: len(listed(there)) == 1)
    assert listed(there)[0].startswith("Bob (you), free")
    assert not there.talk_button.isEnabled()
    here = directory(alice)
    alice.hands.until(lambda: len(listed(here)) == 1)
    assert listed(here)[0].startswith("Bob, free")
    alice.hands.type("nobody of that name", here.search)
    assert here.words.text() == finding.NO_MATCH
    assert not here.talk_button.isEnabled()
    here.search.clear()
    alice.hands.type("bo", here.search)
    assert len(listed(here)) == 1
    here.list.setFocus()
    alice.hands.press(Qt.Key.Key_Return)
    alice.hands.until(lambda: alice.no_sheet(DirectorySheet))
    alice.hands.until(lambda: alice.chat.conversation is not None)
    write(alice, "found you")
    bob.hands.until(lambda: bob.page.model.rowCount() == 1)
    again = directory(alice)
    alice.hands.until(lambda: len(listed(again)) == 1)
    assert "in your conversations" in listed(again)[0]
    alice.hands.click(again.talk_button)
    alice.hands.until(lambda: alice.no_sheet(DirectorySheet))
    assert alice.page.model.rowCount() == 1


def test_status_words_and_leaving(
    desks: Desks, relay: ThreadedRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_limits, "STATUS_INTERVAL", 0.0)
    bob = desks("bob")
    use(bob, relay)
    sheet = directory(bob)
    bob.hands.until(sheet.listing.switch.isVisible)
    bob.hands.click(sheet.listing.switch)
    bob.hands.until(lambda: len(listed(sheet)) == 1)
    bob.hands.click(sheet.listing.status._buttons[Shown.BUSY])
    bob.hands.until(lambda: listed(sheet)[0].startswith("Bob (you), busy"))
    bob.hands.type("on the third floor", sheet.listing.about)
    bob.hands.press(Qt.Key.Key_Return, widget=sheet.listing.about)
    bob.hands.until(lambda: "on the third floor" in listed(sheet)[0])
    (entry,) = known(bob)
    assert entry.listing is not None
    assert (entry.listing.status, entry.listing.about) == (PersonStatus.BUSY, "on the third floor")
    assert sheet.isVisible(), "Enter in the field does not close the dialog"
    bob.hands.click(sheet.listing.switch)
    bob.hands.until(lambda: listed(sheet) == [] and sheet.words.text() == finding.NOBODY)
    assert known(bob)[0].listing is None


def test_a_relay_without_a_directory_says_so(desks: Desks, tmp_path: Path) -> None:
    with threaded_relay(tmp_path / "other") as relay:
        bob = desks("bob")
        use(bob, relay)
        sheet = directory(bob)
        bob.hands.until(lambda: sheet.words.text() == finding.CLOSED)
        bob.hands.until(sheet.listing.switch.isVisible)
        bob.hands.click(sheet.listing.switch)
        bob.hands.until(lambda: sheet.notice.text() == finding.NOT_TAKEN)
        bob.hands.until(lambda: not sheet.listing.switch.isChecked())
        assert known(bob)[0].listing is None
        bob.close()


def test_without_a_relay_it_leads_to_the_relays(desks: Desks) -> None:
    bob = desks("bob")
    sheet = directory(bob)
    assert sheet.words.text() == finding.NO_RELAY
    assert not sheet.list.isVisible()
    sheet._manage()
    assert bob.sheet(RelaysSheet)
