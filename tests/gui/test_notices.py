"""Notifications, tray, badge: what others see of what comes, and when."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from messenger.core.ids import AttemptId, ConversationId
from messenger.core.settings import Notify
from messenger.gui import autostart, tray
from messenger.gui.chime import Chime
from messenger.gui.theme import Theme
from messenger.gui.tray import Tray, marked_icon
from tests.gui.conftest import Desks
from tests.helpers.desktop import Bus, Screen
from tests.helpers.gui import Desk, Hands
from tests.helpers.keys import identity


@pytest.fixture
def screen(
    hands: Hands, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Screen]:
    if shutil.which("dbus-daemon") is None:
        pytest.skip("this system has no dbus-daemon, and so no desktop that is asked over D-Bus")
    bus = Bus(tmp_path_factory.mktemp("bus"))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
    screen = Screen("body", "body-markup", "actions")
    hands.run(screen.begin())
    yield screen
    hands.run(screen.end())
    bus.stop()


class Two:
    """Alice at her window, and Bob who writes to her."""

    def __init__(self, desks: Desks, **settings: object) -> None:
        self.alice, self.bob = desks("alice", **settings), desks("bob")
        self.hands = self.alice.hands
        who = identity("bob").fingerprint
        contact = self.alice.call(self.alice.bridge.engine.connect, self.bob.address(), AttemptId(1), who)
        self.at_alice: ConversationId = contact.id
        self.hands.until(lambda: self.bob.contact("Alice") is not None)
        them = self.bob.contact("Alice")
        assert them is not None
        self.bob.call(self.bob.bridge.engine.accept, them.id)
        self.at_bob: ConversationId = them.id
        self.bob.front()  # so that what comes to Alice comes behind

    def write(self, text: str) -> None:
        before = self.unread()
        self.bob.call(self.bob.bridge.engine.send_text, self.at_bob, text)
        self.hands.until(lambda: self.unread() == before + 1)

    def unread(self) -> int:
        row = self.alice.page.model.row(self.at_alice)
        assert row is not None
        return row.conversation.unread


def settle(desk: Desk) -> None:
    """Wait until everything that was begun for the desktop is over."""
    desk.hands.until(lambda: not desk.window.outside._tasks._running)


def test_a_message_behind_is_shown_and_a_click_opens_it(desks: Desks, screen: Screen) -> None:
    two = Two(desks)
    two.write("between us: 1 < 2 & <b>bold</b>")
    two.hands.until(lambda: bool(screen.shown))
    (number, notice), *others = screen.shown.items()
    assert not others
    assert notice.title == "Bob"
    assert notice.text == "between us: 1 &lt; 2 &amp; &lt;b&gt;bold&lt;/b&gt;"
    assert notice.actions[0] == "default"
    assert two.alice.chat.conversation is None
    two.hands.run(screen.click(number))
    two.hands.until(lambda: two.alice.chat.conversation == two.at_alice)
    two.hands.until(two.alice.window.isActiveWindow)
    two.hands.until(lambda: not screen.shown)  # it was read


def test_the_next_one_takes_the_place_of_the_first(desks: Desks, screen: Screen) -> None:
    two = Two(desks)
    two.write("one")
    two.hands.until(lambda: bool(screen.shown))
    two.write("two")
    two.hands.until(lambda: [notice.text for notice in screen.shown.values()] == ["two\n2 new messages"])
    two.hands.run(screen.put_away(next(iter(screen.shown))))
    two.hands.until(lambda: not two.alice.window.outside.notifier._numbers)
    two.write("three")
    two.hands.until(lambda: bool(screen.shown))


@pytest.mark.parametrize(
    ("how", "title", "text"), [(Notify.NAME, "Bob", "1 new message"), (Notify.BARE, "Sotto", "1 new message")]
)
def test_the_text_and_the_name_can_be_hidden(
    desks: Desks, screen: Screen, how: Notify, title: str, text: str
) -> None:
    two = Two(desks, notify=how)
    two.write("between us")
    two.hands.until(lambda: bool(screen.history))
    assert [(notice.title, notice.text) for notice in screen.history] == [(title, text)]


def test_what_disappears_is_not_shown(desks: Desks, screen: Screen) -> None:
    two = Two(desks)
    two.bob.call(two.bob.bridge.engine.set_timer, two.at_bob, 3600)
    two.write("for an hour")
    two.hands.until(lambda: bool(screen.history))
    assert not any("hour" in notice.text for notice in screen.history)


def test_a_request_shows_nothing_of_the_stranger(desks: Desks, screen: Screen) -> None:
    alice, bob = desks("alice"), desks("bob")
    who = identity("alice").fingerprint
    contact = bob.call(bob.bridge.engine.connect, alice.address(), AttemptId(1), who)
    bob.front()
    bob.call(bob.bridge.engine.send_text, contact.id, "buy now")
    bob.hands.until(lambda: bool(screen.history))
    assert [notice.title for notice in screen.history] == ["Sotto"]
    assert "buy" not in screen.history[0].text
    assert "Bob" not in screen.history[0].text


@pytest.mark.parametrize("why", ["muted", "off", "looked at"])
def test_nothing_is_shown_where_nothing_shall_call(desks: Desks, screen: Screen, why: str) -> None:
    two = Two(desks, **({"notify": Notify.NONE} if why == "off" else {}))
    if why == "muted":
        two.alice.call(two.alice.bridge.engine.arrange, two.at_alice, muted=True)
        two.hands.until(lambda: bool(two.alice.page.model.contacts()[0].muted))
    if why == "looked at":
        two.alice.front()
        two.alice.open_chat("Bob")
    two.bob.call(two.bob.bridge.engine.send_text, two.at_bob, "hello")
    two.hands.until(lambda: two.alice.page.model.rows()[0].conversation.last is not None)
    settle(two.alice)
    assert not screen.history
    assert not two.alice.window.outside.notifier._counts


def test_locking_takes_back_what_was_shown(desks: Desks, screen: Screen) -> None:
    two = Two(desks)
    two.write("between us")
    two.hands.until(lambda: bool(screen.shown))
    two.alice.window._lock()
    two.hands.until(lambda: not screen.shown)


def test_without_a_desktop_bus_nothing_breaks(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
    two = Two(desks)
    two.write("hello")
    settle(two.alice)
    assert two.alice.window.outside.notifier._bus_works is False


def test_the_bell_rings_once_in_a_while(qapp: QApplication) -> None:
    chime = Chime(qapp)
    assert chime.play()
    assert not chime.play()


def test_the_mark_of_the_tray_can_be_seen(theme: Theme) -> None:
    from messenger.gui import icons

    for size in (16, 22, 32, 64):
        plain = icons.app_icon().pixmap(size).toImage()
        marked = marked_icon(theme).pixmap(size).toImage()
        assert plain.pixelColor(int(size * 0.75), int(size * 0.25)) != theme.colors["danger"]
        assert marked.pixelColor(int(size * 0.75), int(size * 0.25)) == theme.colors["danger"]


def with_tray(desk: Desk, monkeypatch: pytest.MonkeyPatch, *, there: bool = True) -> Tray:
    """As on a desktop that has a tray, or loses it."""
    monkeypatch.setattr(tray, "available", lambda: there)
    desk.window.outside.tray.look()
    return desk.window.outside.tray


def test_without_a_tray_closing_ends(desks: Desks) -> None:
    alice = desks("alice", close_to_tray=True)
    ended: list[bool] = []
    alice.window.closing.connect(lambda: ended.append(True))
    alice.window.close()
    assert ended


def test_with_a_tray_closing_hides_and_the_tray_leads_back(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = desks("alice", close_to_tray=True)
    ended: list[bool] = []
    alice.window.closing.connect(lambda: ended.append(True))
    there = with_tray(alice, monkeypatch)
    alice.window.close()
    assert alice.window.isHidden()
    assert not ended
    there.raised.emit()
    assert alice.window.isVisible()
    alice.window.close()
    with_tray(alice, monkeypatch, there=False)
    assert alice.window.isVisible(), "nobody could get it back"
    with_tray(alice, monkeypatch)
    there.quit_asked.emit()
    assert ended


def test_the_tray_says_what_is_unread(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    two = Two(desks)
    there = with_tray(two.alice, monkeypatch)
    two.write("hello")
    two.hands.until(lambda: "1" in there.icon.toolTip())
    two.alice.front()
    two.alice.open_chat("Bob")
    two.hands.until(lambda: there.icon.toolTip() == "Sotto")


@pytest.mark.parametrize("there", [True, False])
def test_it_can_begin_minimised(
    desks: Desks, theme: Theme, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    alice = desks("alice", start_minimised=True)
    alice.close()
    monkeypatch.setattr(tray, "available", lambda: there)
    again = Desk(alice.hands, theme, alice.folder)
    try:
        again.window.outside.show_first()
        assert again.window.isVisible() is not there
        assert again.window.isMinimized() is not there
    finally:
        again.close()


def test_autostart_is_a_file_of_the_person(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    alice = desks("alice")
    file = tmp_path / "config" / "autostart" / "sotto.desktop"
    alice.call(alice.bridge.engine.change_settings, {"autostart": True})
    alice.hands.until(file.exists)
    text = file.read_text()
    assert text.startswith("[Desktop Entry]\n")
    assert f'"{alice.folder}"' in text
    assert "MimeType" not in text
    assert autostart.applied(alice.folder)
    alice.call(alice.bridge.engine.change_settings, {"autostart": False})
    alice.hands.until(lambda: not file.exists())


def test_autostart_that_was_removed_elsewhere_is_off(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    alice = desks("alice", autostart=True)
    alice.hands.until(lambda: not alice.call(alice.bridge.engine.settings).autostart)
    autostart.apply(alice.folder, on=True)
    file = tmp_path / "config" / "autostart" / "sotto.desktop"
    file.write_text(file.read_text() + "Hidden=true\n")
    assert not autostart.applied(alice.folder)


@pytest.mark.parametrize(
    ("word", "quoted"),
    [("a b", '"a b"'), ('"', r'"\\""'), ("$`", r'"\\$\\`"'), ("100%", '"100%%"'), ("\\", r'"\\\\"')],
)
def test_words_of_a_command_are_quoted(word: str, quoted: str) -> None:
    assert autostart._quoted(word) == quoted
