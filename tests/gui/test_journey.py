"""A whole life by keyboard alone: from the first start to the next one, with somebody at the other end."""

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from messenger.core.models import MessageState
from messenger.core.settings import Settings
from messenger.core.transfers import TransferState
from messenger.gui.connect_sheet import ConnectSheet
from messenger.gui.send_sheet import SendSheet
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.switcher import Switcher
from messenger.gui.switches import Switch
from messenger.gui.unlock import UnlockPage
from messenger.gui.verify_sheet import VerifySheet
from tests.gui.conftest import Desks
from tests.gui.test_access import told
from tests.gui.test_files import file, newest, stands
from tests.gui.test_first_run import arrived, first_run
from tests.helpers.gui import Desk

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
PASSPHRASE = "ladder rope"
WAIT = 60
"""Most steps to anything."""


def tab_to(desk: Desk, name: str) -> QWidget:
    """Press Tab until something is reached that is told by this name."""
    for _step in range(WAIT):
        if told(desk.hands.focus()).startswith(name):
            return desk.hands.focus()
        desk.hands.press(Qt.Key.Key_Tab)
    raise AssertionError(f"Tab does not lead to {name!r}")


def begin(desk: Desk) -> None:
    """Name, passphrase, and the passphrase again."""
    page = first_run(desk)
    for typed in ("Alice", PASSPHRASE, PASSPHRASE):
        desk.hands.type(typed)
        desk.hands.press(Qt.Key.Key_Return)
    desk.hands.until(lambda: arrived(desk))
    assert page is not None


def connect(alice: Desk, bob: Desk) -> None:
    """Alice calls, looks at the fingerprint and goes on; Bob accepts."""
    alice.hands.press(Qt.Key.Key_N, CONTROL)
    sheet = alice.sheet(ConnectSheet)
    alice.hands.type(bob.address())
    alice.hands.press(Qt.Key.Key_Return)
    alice.hands.until(lambda: sheet.stage() == "question")
    tab_to(alice, "It is them, go on")
    alice.hands.press(Qt.Key.Key_Return)
    alice.hands.until(lambda: alice.chat.conversation is not None and alice.no_sheet(ConnectSheet))
    bob.front().hands.until(lambda: bob.contact("Alice") is not None)
    tab_to(bob, "Conversations")
    bob.hands.press(Qt.Key.Key_Down)
    bob.hands.until(bob.chat.gate.isVisible)
    tab_to(bob, "Accept")
    bob.hands.press(Qt.Key.Key_Space)
    bob.hands.until(bob.chat.composer.isVisible)


def talk(alice: Desk, bob: Desk) -> None:
    alice.front()
    tab_to(alice, "Write a message")
    alice.hands.type("the boat is ready")
    alice.hands.press(Qt.Key.Key_Return)
    bob.hands.until(lambda: bob.texts() == ["the boat is ready"])
    tab_to(bob.front(), "Write a message")
    bob.hands.type("so am I")
    bob.hands.press(Qt.Key.Key_Return)
    alice.hands.until(lambda: alice.texts()[-1:] == ["so am I"])
    alice.hands.until(lambda: alice.chat.model.row(0).message.state is MessageState.READ)


def send_file(alice: Desk, bob: Desk, path: Path) -> None:
    """Alice pastes a file and confirms; Bob accepts it at its card."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    QGuiApplication.clipboard().setMimeData(mime)
    tab_to(alice.front(), "Write a message")
    alice.hands.press(Qt.Key.Key_V, CONTROL)
    sheet = alice.sheet(SendSheet)
    alice.hands.until(sheet.send_button.isEnabled)
    tab_to(alice, "Send")
    alice.hands.press(Qt.Key.Key_Return)
    bob.front().hands.until(lambda: stands(bob, TransferState.OFFERED))
    tab_to(bob, "Messages")
    bob.hands.press(Qt.Key.Key_End)
    bob.hands.press(Qt.Key.Key_Tab)
    assert bob.chat.view.accessibleDescription().startswith("Accept")
    bob.hands.press(Qt.Key.Key_Return)
    for desk in (alice, bob):
        desk.hands.until(lambda desk=desk: stands(desk, TransferState.DONE))  # type: ignore[misc]


def verify(alice: Desk) -> None:
    tab_to(alice.front(), "Not verified")
    alice.hands.press(Qt.Key.Key_Space)
    sheet = alice.sheet(VerifySheet)
    alice.hands.until(lambda: "·" not in sheet.number())
    tab_to(alice, "They are the same")
    alice.hands.press(Qt.Key.Key_Return)
    alice.hands.until(lambda: (found := alice.contact("Bob")) is not None and found.verified)
    alice.hands.press(Qt.Key.Key_Escape)
    alice.hands.until(lambda: alice.no_sheet(VerifySheet))


def search(alice: Desk) -> None:
    alice.front().hands.press(Qt.Key.Key_F, CONTROL | SHIFT)
    alice.hands.type("boat")
    alice.hands.until(alice.page.sidebar.found.isVisible)
    tab_to(alice, "Messages found")
    alice.hands.press(Qt.Key.Key_Down)
    alice.hands.press(Qt.Key.Key_Return)
    alice.hands.until(lambda: alice.chat.view.currentIndex().isValid() or bool(alice.texts()))
    alice.hands.press(Qt.Key.Key_F, CONTROL)
    alice.hands.type("ready")
    alice.hands.until(lambda: "1" in alice.chat.search._count.text())
    alice.hands.press(Qt.Key.Key_Escape)


def change_a_setting(alice: Desk) -> None:
    alice.hands.press(Qt.Key.Key_Comma, CONTROL)
    sheet = alice.sheet(SettingsSheet)
    alice.hands.until(lambda: bool(sheet.storage.sizes.text()))
    pages = tab_to(alice, "Pages of the settings")
    for _page in range(2):
        alice.hands.press(Qt.Key.Key_Down, widget=pages)
    switch = tab_to(alice, "Tell others when you have read their messages")
    assert isinstance(switch, Switch)
    alice.hands.press(Qt.Key.Key_Space)
    alice.hands.until(lambda: not sheet._settings.read_receipts)
    assert not stored(alice).read_receipts
    alice.hands.press(Qt.Key.Key_Escape)
    alice.hands.until(lambda: alice.no_sheet(SettingsSheet))


def stored(desk: Desk) -> Settings:
    return desk.call(desk.bridge.engine.settings)


def unlock(desk: Desk) -> None:
    page = desk.window.pages.currentWidget()
    assert isinstance(page, UnlockPage)
    desk.hands.until(page.field.hasFocus)
    desk.hands.type(PASSPHRASE)
    desk.hands.press(Qt.Key.Key_Return)
    desk.hands.until(lambda: arrived(desk))


def choose(desk: Desk, name: str) -> None:
    desk.front().hands.press(Qt.Key.Key_K, CONTROL)
    sheet = desk.sheet(Switcher)
    desk.hands.until(sheet.field.hasFocus)
    desk.hands.type(name)
    desk.hands.press(Qt.Key.Key_Return)
    desk.hands.until(lambda: desk.chat.conversation is not None and desk.no_sheet(Switcher))


def test_from_the_first_start_to_the_next_one_by_keyboard(desks: Desks, tmp_path: Path) -> None:
    alice, bob = desks(None), desks("bob")
    bob.call(bob.bridge.engine.set_download_folder, tmp_path / "got")
    begin(alice.front())
    connect(alice, bob)
    talk(alice, bob)
    send_file(alice, bob, file(tmp_path / "plan.bin", 1000))
    assert (tmp_path / "got" / "plan.bin").stat().st_size == 1000
    verify(alice)
    search(alice)
    change_a_setting(alice)
    alice.front().hands.press(Qt.Key.Key_L, CONTROL)
    alice.hands.until(lambda: isinstance(alice.window.pages.currentWidget(), UnlockPage))
    unlock(alice)
    choose(alice, "bob")
    alice.hands.until(lambda: alice.texts()[:2] == ["the boat is ready", "so am I"])
    alice.front().hands.press(Qt.Key.Key_Q, CONTROL)
    alice.hands.until(lambda: not alice.window.isVisible())
    alice.close()
    again = Desk(alice.hands, alice.window._theme, alice.folder)
    try:
        again.start().front()
        unlock(again)
        choose(again, "bob")
        again.hands.until(lambda: again.texts()[:2] == ["the boat is ready", "so am I"])
        contact = again.contact("Bob")
        assert contact is not None
        assert contact.verified
        assert newest(again) is not None
        assert not stored(again).read_receipts
    finally:
        again.close()
