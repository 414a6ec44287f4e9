"""The Host dialog."""

import socket
from contextlib import closing

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from messenger.core.ids import format_fingerprint
from messenger.core.settings import OpenDoor
from messenger.gui.host_sheet import HostSheet
from messenger.gui.widgets import IconButton
from tests.gui.conftest import Desks
from tests.helpers.engines import fresh_port
from tests.helpers.gui import Desk
from tests.helpers.keys import identity


def host(desk: Desk) -> HostSheet:
    desk.front()
    desk.hands.press(Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier, desk.window)
    sheet = desk.sheet(HostSheet)
    desk.hands.until(lambda: bool(sheet.port.text()) and bool(sheet._fingerprint.text()))
    return sheet


def copy_button(sheet: HostSheet, address: str) -> IconButton:
    return next(part for part in sheet.findChildren(IconButton) if part.toolTip() == f"Copy {address}")


def test_it_tells_where_and_who_we_are(desks: Desks) -> None:
    alice = desks("alice")
    sheet = host(alice)
    assert alice.address() in sheet.addresses()
    assert sheet.switch.isChecked()
    assert " ".join(sheet._fingerprint.text().split()) == format_fingerprint(identity("alice").fingerprint)
    press = copy_button(sheet, alice.address())
    alice.hands.click(press)
    assert QGuiApplication.clipboard().text() == alice.address()
    assert press.accessibleName() == "Copied"


def test_switching_off_and_on_again(desks: Desks) -> None:
    alice = desks("alice")
    sheet = host(alice)
    alice.hands.click(sheet.switch)
    alice.hands.until(lambda: sheet.addresses() == [])
    assert alice.call(alice.bridge.engine.listening) is None
    alice.hands.press(Qt.Key.Key_Space, widget=sheet.switch)
    alice.hands.until(lambda: bool(sheet.addresses()))
    assert alice.call(alice.bridge.engine.settings).listen


def test_another_port_is_used_at_once(desks: Desks) -> None:
    alice = desks("alice")
    sheet, port = host(alice), fresh_port()
    sheet.port.selectAll()
    alice.hands.type(str(port), sheet.port)
    alice.hands.press(Qt.Key.Key_Return, widget=sheet.port)
    alice.hands.until(lambda: f"127.0.0.1:{port}" in sheet.addresses())
    assert alice.address() == f"127.0.0.1:{port}"
    assert sheet.isVisible(), "Enter in the field does not close the dialog"


def test_a_taken_port_is_said_and_the_next_one_used(desks: Desks) -> None:
    alice = desks("alice")
    sheet = host(alice)
    with closing(socket.create_server(("", fresh_port()))) as taken:
        port = taken.getsockname()[1]
        sheet.port.selectAll()
        alice.hands.type(str(port), sheet.port)
        alice.hands.press(Qt.Key.Key_Return, widget=sheet.port)
        alice.hands.until(sheet._hint.isVisible)
        assert str(port) in sheet._hint.text()
        assert f"127.0.0.1:{port}" not in sheet.addresses()
        assert sheet.addresses()
        alice.hands.click(sheet.find_button)
        alice.hands.until(lambda: sheet.port.value() != port)
        alice.hands.until(lambda: f"127.0.0.1:{sheet.port.value()}" in sheet.addresses())
        assert not sheet._hint.isVisible()


def test_who_may_connect(desks: Desks) -> None:
    alice = desks("alice")
    sheet = host(alice)
    assert sheet.door._buttons[OpenDoor.LOCAL].isChecked()
    alice.hands.click(sheet.door._buttons[OpenDoor.NOBODY])
    alice.hands.until(lambda: alice.call(alice.bridge.engine.settings).open_door is OpenDoor.NOBODY)


def test_an_invite_is_copied(desks: Desks) -> None:
    alice = desks("alice")
    sheet = host(alice)
    QGuiApplication.clipboard().clear()
    alice.hands.click(sheet.invite_button)
    alice.hands.until(lambda: "copied" in sheet.notice.text())
    assert QGuiApplication.clipboard().text().startswith("sotto://invite/")


def test_closing_it_while_it_loads_leaves_nothing_behind(desks: Desks) -> None:
    alice = desks("alice").front()
    for _turn in range(5):
        alice.window.commands.actions["host"].trigger()
        for sheet in alice.window.findChildren(HostSheet):
            sheet.reject()
    alice.hands.until(lambda: not alice.window.findChildren(HostSheet))
    assert alice.page.notice.text() == ""


def test_nothing_is_cut_off(desks: Desks) -> None:
    sheet = host(desks("alice"))
    for part in sheet.findChildren(QWidget):
        if part.isVisibleTo(sheet) and part.parentWidget() is sheet:
            assert sheet.rect().contains(part.geometry()), part
