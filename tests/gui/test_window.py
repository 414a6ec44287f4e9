"""The window as a whole: what it says when a profile cannot be opened, what it remembers, how it ends."""

import asyncio
import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog

from messenger.control import raise_running
from messenger.core.ids import AttemptId
from messenger.core.settings import Theme as Choice
from messenger.crypto import keystore
from messenger.engine.events import EngineFault
from messenger.gui import attendance
from messenger.gui.connect_sheet import ConnectSheet
from messenger.gui.empty import Tile
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.theme import Theme
from messenger.gui.timeline_view import TimelineView
from messenger.gui.unlock import UnlockPage
from messenger.gui.widgets import IconButton
from messenger.gui.window import MainWindow
from messenger.text import log_damaged
from tests.conftest import LogGuard
from tests.gui.conftest import Desks
from tests.gui.test_keyboard import EVERYWHERE
from tests.helpers.engines import DATABASE
from tests.helpers.gui import Desk, Hands
from tests.helpers.keys import identity
from tests.helpers.mouse import Mouse
from tests.helpers.storage import leave_damaged_log
from tests.helpers.watchdog import Watchdog


def test_it_is_painted_before_the_engine_starts(desks: Desks) -> None:
    alice = desks("alice", start=False)
    painted: list[bool] = []
    alice.window.painted.connect(lambda: painted.append(alice.thread.isRunning()))
    alice.window.show()
    alice.hands.until(lambda: bool(painted))
    assert painted == [False]
    assert alice.window.pages.currentWidget() is alice.window.start_page


def test_a_profile_in_use_is_said_and_can_be_tried_again(desks: Desks, theme: Theme) -> None:
    first = desks("alice")
    second = Desk(first.hands, theme, first.folder)
    try:
        second.start()
        assert "already running" in second.window.start_page.error()
        first.close()
        second.hands.click(second.window.start_page.again_button)
        second.hands.until(lambda: second.window.conversations is not None)
        second.hands.until(lambda: second.window.pages.currentWidget() is second.window.conversations)
    finally:
        second.close()


def test_a_damaged_database_is_said_and_not_touched(desks: Desks) -> None:
    alice = desks("alice", start=False)
    database = alice.folder / "sotto.db"
    database.write_bytes(b"no database at all" * 1_000)
    alice.start()
    assert "damaged" in alice.window.start_page.error()
    assert alice.window.start_page.again_button.isVisible()
    assert database.read_bytes() == b"no database at all" * 1_000


def test_a_damaged_log_is_told_when_the_conversations_can_be_seen(desks: Desks) -> None:
    alice = desks("alice", start=False)
    leave_damaged_log(alice.folder / DATABASE, keystore.unlock(alice.folder, "").db_key)
    alice.start()
    (kept,) = alice.folder.glob(f"{DATABASE}.log.aside-*")
    assert alice.page.notice.text() == log_damaged(kept.name)
    assert kept.name in log_damaged(kept.name)
    assert kept.name not in log_damaged("")


def test_a_damaged_key_file_is_said(desks: Desks) -> None:
    alice = desks("alice", start=False)
    for path in alice.folder.iterdir():
        if path.suffix != ".db":
            path.write_bytes(b"nonsense")
    alice.start()
    assert alice.window.start_page.error().endswith(".")
    assert alice.window.conversations is None


def test_a_second_start_raises_the_window(desks: Desks) -> None:
    alice = desks("alice")
    alice.hands.run(alice.thread.answer_second_starts())
    alice.window.showMinimized()
    assert alice.window.isMinimized()
    raised: list[bool] = []

    async def start_again() -> None:
        raised.append(await asyncio.to_thread(raise_running, alice.folder))

    alice.call(start_again)
    assert raised == [True]
    alice.hands.until(lambda: not alice.window.isMinimized())


def test_it_remembers_its_size_and_nothing_private(desks: Desks, hands: Hands, theme: Theme) -> None:
    alice = desks("alice", theme=Choice.LIGHT)
    alice.window.resize(700, 560)
    alice.page._splitter.setSizes([280, 420])
    width = alice.page.sidebar.width()
    alice.close()
    stored = json.loads((alice.folder / "window.json").read_text())
    assert set(stored) == {"geometry", "splitter", "theme", "zoom", "log", "close_to_tray", "start_minimised"}
    again = Desk(hands, theme, alice.folder)
    try:
        again.start()
        assert (again.window.width(), again.window.height()) == (700, 560)
        hands.until(lambda: again.page.sidebar.width() == width)
    finally:
        again.close()


@pytest.mark.parametrize("gone", [(30_000, 200), (-30_000, 200), (200, 30_000), (200, -30_000)])
def test_it_is_in_sight_when_the_screen_it_stood_on_is_gone(
    desks: Desks, hands: Hands, theme: Theme, gone: tuple[int, int]
) -> None:
    alice = desks("alice")
    alice.window.resize(700, 560)
    alice.window.move(*gone)
    hands.until(lambda: (alice.window.x(), alice.window.y()) == gone)
    alice.close()
    again = Desk(hands, theme, alice.folder)
    try:
        again.start()
        seen = again.window.screen().availableGeometry()
        assert seen.contains(again.window.geometry()), "all of it"
        assert again.window.width() == min(700, seen.width())
    finally:
        again.close()


def test_it_is_as_large_as_the_screen_again(desks: Desks, hands: Hands, theme: Theme) -> None:
    alice = desks("alice")
    alice.window.showMaximized()
    hands.until(alice.window.isMaximized)
    alice.close()
    again = Desk(hands, theme, alice.folder)
    try:
        again.start()
        assert again.window.isMaximized()
    finally:
        again.close()


@pytest.mark.parametrize(
    "spoiled", ["", "[]", "{", '{"geometry": "AAAA", "splitter": 5, "theme": "pink"}', "\x00" * 100_000]
)
def test_spoiled_memory_does_no_harm(desks: Desks, theme: Theme, spoiled: str) -> None:
    alice = desks("alice", start=False)
    (alice.folder / "window.json").write_text(spoiled)
    window = MainWindow(theme, alice.bridge, alice.folder)
    assert window.size().width() >= 640
    window.deleteLater()


@pytest.mark.parametrize("way", ["close", "quit"])
def test_closing_hides_at_once_ends_dialogs_and_stops_the_engine(desks: Desks, way: str) -> None:
    alice = desks("alice").front()
    closing: list[bool] = []
    alice.window.closing.connect(lambda: closing.append(True))
    if way == "quit":
        alice.hands.press(Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier, alice.window)
    else:
        alice.window.commands.actions["host"].trigger()
        alice.window.commands.actions["settings"].trigger()
        alice.window.close()
    assert not alice.window.isVisible()
    assert closing == [True]
    assert not [dialog for dialog in alice.window.findChildren(QDialog) if dialog.isVisible()]
    alice.window.close()
    assert closing == [True], "closing twice is closing once"
    with Watchdog() as watchdog:
        assert alice.hands.run(alice.thread.end())
    assert watchdog.worst <= 0.05


def test_closing_while_the_profile_is_opened(desks: Desks) -> None:
    alice = desks("alice", start=False)
    alice.window.show()
    alice.hands.run(alice.thread.begin())
    alice.window.tasks.start(alice.window.start(), name="start")
    alice.hands.until(alice.window.start_page.isVisible)
    alice.close()


def test_a_part_of_the_engine_that_fails_is_said(desks: Desks) -> None:
    alice = desks("alice")
    alice.bridge.publish(EngineFault(where="test", error="KeyError"))
    alice.hands.until(lambda: "KeyError" in alice.page.notice.text())


def test_an_order_that_fails_is_said(desks: Desks, logs: LogGuard) -> None:
    logs.expect("test failed")
    alice = desks("alice")

    async def fail() -> None:
        raise OSError("gone")

    alice.window.tasks.start(fail(), name="test")
    alice.hands.until(lambda: "OSError" in alice.page.notice.text())


def test_escape_ends_the_nearest_thing(desks: Desks) -> None:
    alice = desks("alice").front()
    page = alice.page
    alice.hands.press(Qt.Key.Key_F, EVERYWHERE, alice.window)
    assert page.sidebar.search.hasFocus()
    alice.hands.type("x", page.sidebar.search)
    page.notice.say("hello")
    alice.hands.press(Qt.Key.Key_Escape)
    assert page.sidebar.search.text() == ""
    assert page.notice.text() == "hello"
    alice.hands.press(Qt.Key.Key_Escape)
    assert page.notice.text() == ""


def test_without_conversations_it_says_what_to_do(desks: Desks) -> None:
    alice = desks("alice")
    assert alice.page.empty.isVisible()
    assert "Alice" in alice.page.empty._title.text()
    titles = [tile.accessibleName() for tile in alice.page.empty.findChildren(Tile)]
    assert titles == ["Connect", "Copy my invite", "Host"]
    alice.hands.click(alice.page.empty.findChildren(Tile)[0])
    alice.sheet(ConnectSheet).reject()


def unlock(desk: Desk, passphrase: str) -> None:
    """Type the passphrase and wait for the conversations."""
    page = desk.window.pages.currentWidget()
    assert isinstance(page, UnlockPage)
    desk.hands.type(passphrase, page.field)
    desk.hands.press(Qt.Key.Key_Return, widget=page.field)
    desk.hands.until(lambda: desk.window.pages.currentWidget() is desk.window.conversations)


def test_a_locked_window_shows_nothing_and_opens_again(desks: Desks) -> None:
    alice, bob = desks("alice", passphrase="correct horse"), desks("bob")
    unlock(alice, "correct horse")
    who = identity("bob").fingerprint
    contact = alice.call(alice.bridge.engine.connect, bob.address(), AttemptId(1), who)
    alice.call(alice.bridge.engine.send_text, contact.id, "between us")
    alice.front()
    alice.open_chat("Bob")
    alice.hands.until(lambda: alice.texts() == ["between us"])
    alice.hands.press(Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier, alice.window)
    alice.sheet(SettingsSheet)
    alice.call(alice.bridge.engine.lock)
    alice.hands.until(lambda: isinstance(alice.window.pages.currentWidget(), UnlockPage))
    assert alice.no_sheet(SettingsSheet)
    assert alice.window.conversations is None
    assert alice.window.windowTitle() == "Alice · Sotto"
    works = [name for name, action in alice.window.commands.actions.items() if action.isEnabled()]
    assert works == ["profiles"]
    assert not alice.window.findChildren(TimelineView)
    unlock(alice, "correct horse")
    alice.open_chat("Bob")
    assert alice.texts() == ["between us"]


def test_the_keys_that_lock(desks: Desks) -> None:
    alice = desks("alice", passphrase="correct horse")
    unlock(alice, "correct horse")
    alice.front()
    alice.hands.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier, alice.window)
    alice.hands.until(lambda: isinstance(alice.window.pages.currentWidget(), UnlockPage))
    unlock(alice, "correct horse")


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_the_lock_is_in_sight_as_long_as_a_passphrase_opens_it(desks: Desks, way: str) -> None:
    alice = desks("alice").front()
    press = next(one for one in alice.page.findChildren(IconButton) if one.accessibleName() == "Lock")
    assert not press.isVisible()
    alice.call(alice.bridge.engine.set_passphrase, "correct horse")
    alice.hands.until(press.isVisible)
    alice.call(alice.bridge.engine.remove_passphrase, "correct horse", keyring=False)
    alice.hands.until(lambda: not press.isVisible())
    alice.call(alice.bridge.engine.set_passphrase, "correct horse")
    alice.hands.until(press.isVisible)
    if way == "mouse":
        Mouse(alice.hands).click(press)
    else:
        press.setFocus()
        alice.hands.press(Qt.Key.Key_Return)
    alice.hands.until(lambda: isinstance(alice.window.pages.currentWidget(), UnlockPage))
    unlock(alice, "correct horse")
    again = next(one for one in alice.page.findChildren(IconButton) if one.accessibleName() == "Lock")
    assert again.isVisible()


def test_without_a_passphrase_there_is_nothing_to_lock(desks: Desks) -> None:
    alice = desks("alice").front()
    alice.hands.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier, alice.window)
    alice.hands.until(lambda: bool(alice.page.notice.text()))
    assert "passphrase" in alice.page.notice.text()


def test_it_does_not_lock_under_somebodys_hands(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attendance, "_PAUSE_MS", 0)
    alice = desks("alice").front()
    running = alice.bridge.engine._running
    assert running is not None
    housekeeping = running.housekeeping
    long_ago = housekeeping._used_ms = housekeeping._used_ms - 3_600_000
    alice.hands.press(Qt.Key.Key_Escape, widget=alice.window)
    alice.hands.until(lambda: housekeeping._used_ms > long_ago)
