"""From nothing to the conversations: name, passphrase, keys; and opening again later."""

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from messenger.core import limits
from messenger.core.errors import DiskFull
from messenger.core.models import ProfileStatus
from messenger.engine.events import Event, SetupProgress, SetupStep
from messenger.engine.running import Running
from messenger.gui.first_run import FirstRunPage
from messenger.gui.unlock import UnlockPage
from tests.gui.conftest import Desks
from tests.helpers.gui import Desk, Hands
from tests.helpers.watchdog import Watchdog

LONGEST = 0.05
"""Seconds that the window may be away from its events."""


def first_run(desk: Desk) -> FirstRunPage:
    page = desk.window.pages.currentWidget()
    assert isinstance(page, FirstRunPage)
    return page


def unlock(desk: Desk) -> UnlockPage:
    page = desk.window.pages.currentWidget()
    assert isinstance(page, UnlockPage)
    return page


def arrived(desk: Desk) -> bool:
    return desk.window.conversations is not None and (
        desk.window.pages.currentWidget() is desk.window.conversations
    )


def test_a_person_with_a_passphrase_by_keyboard_while_the_window_stays_responsive(desks: Desks) -> None:
    desk = desks(None)
    hands, page = desk.hands, first_run(desk)
    assert page.name.hasFocus()
    hands.type("Alice")
    hands.press(Qt.Key.Key_Return)
    assert page.stage() == "passphrase"
    assert page.first.hasFocus()
    hands.type("ladder rope")
    assert "Weak" in page.meter.words()
    hands.press(Qt.Key.Key_Return)
    assert page.second.hasFocus()
    hands.type("ladder rope")
    steps: list[SetupStep] = []
    ticked: list[tuple[int, int]] = []

    def look(events: tuple[Event, ...]) -> None:
        steps.extend(event.step for event in events if isinstance(event, SetupProgress))
        if SetupStep.DONE in steps:
            away.append(watchdog.worst)  # what follows is the opening of the first page
        if steps and SetupStep.DONE not in steps:  # afterwards the page is on its way out
            ticked.append((len(page.steps.done()), list(SetupStep).index(steps[-1])))

    away: list[float] = []
    desk.bridge.events.connect(look)
    with Watchdog() as watchdog:
        hands.press(Qt.Key.Key_Return)
        assert page.stage() == "working"
        hands.until(lambda: arrived(desk))
    assert away[0] <= LONGEST
    assert steps == list(SetupStep)
    assert ticked
    assert all(done == before for done, before in ticked), "every step before the one that runs is done"
    me = desk.call(desk.bridge.engine.me)
    assert (me.name, me.protection) == ("Alice", "passphrase")
    assert desk.window.windowTitle() == "Alice · Sotto"


def test_a_person_without_a_passphrase_by_mouse(desks: Desks) -> None:
    desk = desks(None)
    hands, page = desk.hands, first_run(desk)
    assert not page.next_button.isEnabled()
    hands.type("Bob", page.name)
    hands.click(page.next_button)
    assert not page.second.isVisible()
    hands.click(page.back_button)
    assert page.stage() == "name"
    hands.click(page.next_button)
    hands.click(page.create_button)
    hands.until(lambda: arrived(desk))
    assert desk.call(desk.bridge.engine.me).protection == "file"
    assert desk.page.empty.isVisible()


def test_it_is_explained_what_becomes_of_a_passphrase_that_is_forgotten(desks: Desks) -> None:
    desk = desks(None)
    hands, page = desk.hands, first_run(desk)
    hands.type("Bob", page.name)
    hands.press(Qt.Key.Key_Return, widget=page.name)
    shown = " ".join(part.text() for part in page.findChildren(QLabel) if part.isVisible())
    for words in ("Nobody can reset it", "forget it, and they are lost", "Without one, anybody"):
        assert words in shown
    for typed, strength in (("password", "Weak"), ("q7#Lm2!xVw9@", "Strong")):
        page.first.clear()
        hands.type(typed, page.first)
        assert strength in page.meter.words()


def test_nothing_is_cut_off_in_the_smallest_window(desks: Desks) -> None:
    desk = desks(None)
    hands, page = desk.hands, first_run(desk)
    desk.window.resize(desk.window.minimumSize())
    hands.until(lambda: desk.window.size() == desk.window.minimumSize())
    fits(hands, page)
    hands.type("Bob", page.name)
    hands.press(Qt.Key.Key_Return, widget=page.name)
    hands.type("one", page.first)
    hands.type("two", page.second)
    hands.click(page.create_button)
    assert page.pass_error.isVisible()
    fits(hands, page)


def fits(hands: Hands, page: FirstRunPage) -> None:
    """Each part has the height that it needs, and stands inside the window."""
    parts = [part for kind in (QLabel, QPushButton, QLineEdit) for part in page.findChildren(kind)]
    shown = [part for part in parts if part.isVisible()]

    def wrong() -> list[str]:
        return [
            str(part.property("text"))
            for part in shown
            if not page.rect().contains(QRect(part.mapTo(page, QPoint()), part.size()))
            or (part.hasHeightForWidth() and part.height() < part.heightForWidth(part.width()))
        ]

    hands.until(lambda: not wrong())


def test_closing_while_keys_are_made(desks: Desks) -> None:
    desk = desks(None)
    hands, page = desk.hands, first_run(desk)
    hands.type("Bob", page.name)
    hands.click(page.next_button)
    with Watchdog() as watchdog:
        hands.click(page.create_button)
        hands.until(page.steps.isVisible)
        desk.close()
    assert watchdog.worst <= LONGEST


def test_a_name_that_shows_nothing_is_refused(desks: Desks) -> None:
    desk = desks(None)
    hands, page = desk.hands, first_run(desk)
    page.name.setText("\u200b\u200b")
    hands.press(Qt.Key.Key_Return, widget=page.name)
    assert page.stage() == "name"
    assert page.name_error.isVisible()
    hands.type("A", page.name)
    assert not page.name_error.isVisible()
    assert page.name.maxLength() == limits.NAME_MAX


def test_two_different_passphrases_are_refused(desks: Desks) -> None:
    desk = desks(None)
    hands, page = desk.hands, first_run(desk)
    hands.type("Alice", page.name)
    hands.press(Qt.Key.Key_Return, widget=page.name)
    hands.type("one", page.first)
    hands.type("two", page.second)
    hands.click(page.create_button)
    assert page.stage() == "passphrase"
    assert "different" in page.pass_error.text()
    assert page.second.hasFocus()
    assert desk.call(desk.bridge.engine.status) is ProfileStatus.NEW


def test_a_folder_that_cannot_be_written_is_explained_and_can_be_tried_again(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desks(None, start=False)
    publish, seen = desk.bridge.publish, list[Event]()

    def publishing(event: Event) -> None:
        """On the engine's thread, before the keys are made: comes in the way of the database, once."""
        if event == SetupProgress(SetupStep.SIGNING_KEY) and event not in seen:
            (desk.folder / "sotto.db").mkdir()
        seen.append(event)
        publish(event)

    monkeypatch.setattr(desk.bridge, "publish", publishing)
    hands, page = desk.start().hands, first_run(desk)
    hands.type("Alice", page.name)
    hands.press(Qt.Key.Key_Return, widget=page.name)
    hands.click(page.create_button)
    hands.until(page.notice.isVisible)
    assert page.stage() == "passphrase"
    assert desk.call(desk.bridge.engine.status) is ProfileStatus.NEW, "nothing was set up"
    (desk.folder / "sotto.db").rmdir()
    hands.click(page.create_button)
    hands.until(lambda: arrived(desk))
    assert desk.call(desk.bridge.engine.me).name == "Alice"


def test_a_profile_that_was_made_and_did_not_start_is_opened_again(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desks(None)
    hands, page = desk.hands, first_run(desk)
    hands.type("Alice", page.name)
    hands.press(Qt.Key.Key_Return, widget=page.name)
    start = desk.window.start_page

    async def refuse(_running: Running, **_how: bool) -> None:
        raise DiskFull("a fault")

    with monkeypatch.context() as patch:
        patch.setattr(Running, "start", refuse)
        hands.click(page.create_button)
        hands.until(start.again_button.isVisible)
    assert "Try again" in start.again_button.text()
    assert start.error() != ""
    hands.click(start.again_button)
    hands.until(lambda: arrived(desk))
    assert desk.call(desk.bridge.engine.me).name == "Alice"


def test_unlocking_by_keyboard(desks: Desks) -> None:
    desk = desks("alice", "open sesame")
    hands, page = desk.hands, unlock(desk)
    assert page.field.hasFocus()
    assert not page.open_button.isEnabled()
    hands.type("open sesame")
    hands.press(Qt.Key.Key_Return)
    hands.until(lambda: arrived(desk))
    assert desk.window.focusWidget() is desk.page.sidebar.search


@pytest.mark.parametrize("tries", [1, 3])
def test_a_wrong_passphrase_is_said_and_stays_selected(desks: Desks, tries: int) -> None:
    desk = desks("alice", "open sesame")
    hands, page = desk.hands, unlock(desk)
    for number in range(tries):
        page.field.clear()
        hands.type(f"wrong {number}", page.field)
        hands.click(page.open_button)
        hands.until(lambda: page.error.isVisible() and page.field.isEnabled())
        assert "does not open" in page.error.text()
        assert page.field.selectedText() == f"wrong {number}"
    hands.type("open sesame", page.field)  # takes the place of what is selected
    assert not page.error.isVisible()
    hands.click(page.open_button)
    hands.until(lambda: arrived(desk))
