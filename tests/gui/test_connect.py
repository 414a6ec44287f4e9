"""The Connect dialog: every way in, every way it can fail, and that it can be given up at any moment."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from messenger.core import limits
from messenger.core.ids import format_fingerprint
from messenger.core.models import Standing
from messenger.core.settings import OpenDoor
from messenger.engine.events import ConnectStep
from messenger.gui.connect_sheet import ConnectSheet
from tests.gui.conftest import Desks
from tests.helpers.engines import fresh_port
from tests.helpers.gui import Desk
from tests.helpers.keys import identity
from tests.helpers.watchdog import Watchdog

LONGEST = 0.05


def dial(desk: Desk, target: str) -> ConnectSheet:
    """Open the dialog, type, and press Enter."""
    desk.front()
    desk.hands.press(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier, desk.window)
    sheet = desk.sheet(ConnectSheet)
    assert sheet.field.hasFocus()
    desk.hands.type(target)
    desk.hands.press(Qt.Key.Key_Return)
    return sheet


def failed(desk: Desk, target: str) -> tuple[ConnectSheet, str]:
    """Connect and see it fail; the dialog, and the sentence."""
    sheet = dial(desk, target)
    desk.hands.until(lambda: sheet.stage() == "failed")
    return sheet, sheet.notice.text()


@contextmanager
def silent_server() -> Iterator[str]:
    """Takes calls and says nothing; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def web_server() -> Iterator[str]:
    """A web server, which answers anything that it does not understand; its address."""
    over = threading.Event()

    def answer() -> None:
        while True:
            call, _ = server.accept()
            with call:
                if over.is_set():
                    return
                call.recv(limits.READ_SIZE)
                call.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, name="web server")
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            socket.create_connection(server.getsockname()).close()  # it waits for a call
            thread.join()


def test_somebody_new_is_looked_at_before_anything_is_said(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    sheet = dial(alice, bob.address())
    alice.hands.until(lambda: sheet.stage() == "question")
    shown = " ".join(sheet.fingerprint.text().split())
    assert shown == format_fingerprint(identity("bob").fingerprint)
    assert sheet.cancel_button.hasFocus(), "the careless key says no"
    alice.hands.click(sheet.go_button)
    alice.hands.until(lambda: alice.no_sheet(ConnectSheet))
    alice.hands.until(lambda: alice.contact("Bob") is not None)
    assert alice.chat.conversation is not None
    assert alice.window.focusWidget() is alice.chat.composer.box
    bob.hands.until(lambda: bob.contact("Alice") is not None)
    contact = bob.contact("Alice")
    assert contact is not None
    assert contact.standing is Standing.REQUEST


def test_the_wrong_person_is_declined(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    sheet = dial(alice, bob.address())
    alice.hands.until(lambda: sheet.stage() == "question")
    alice.hands.press(Qt.Key.Key_Space)  # on the button that has the cursor: not them
    alice.hands.until(lambda: sheet.stage() == "failed")
    assert "did not accept" in sheet.notice.text()
    assert alice.page.model.rowCount() == 0
    assert bob.page.model.rowCount() == 0


def test_an_invite_leads_to_its_maker_without_a_question(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    bob.front()
    bob.hands.press(
        Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier, bob.window
    )
    bob.hands.until(lambda: "copied" in bob.page.notice.text())
    assert QGuiApplication.clipboard().text().startswith("sotto://invite/")
    alice.front()
    alice.hands.press(Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier, alice.window)
    sheet = alice.sheet(ConnectSheet)
    assert sheet.field.text().startswith("sotto://invite/")
    alice.hands.click(sheet.go_button)
    alice.hands.until(lambda: alice.contact("Bob") is not None)
    bob.hands.until(lambda: bob.contact("Alice") is not None)


def test_a_clipboard_without_an_invite_is_said(desks: Desks) -> None:
    alice = desks("alice").front()
    QGuiApplication.clipboard().setText("hello")
    alice.hands.press(Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier, alice.window)
    assert alice.no_sheet(ConnectSheet)
    assert "no invite link" in alice.page.notice.text()


def test_nobody_there(desks: Desks) -> None:
    address = f"127.0.0.1:{fresh_port()}"
    sheet, sentence = failed(desks("alice"), address)
    assert f"Nobody answers at {address}" in sentence
    assert ConnectStep.RESOLVING.value in sheet.steps.done()
    assert sheet.go_button.text() == "Try again"


def test_a_web_server_there(desks: Desks) -> None:
    with web_server() as address:
        _sheet, sentence = failed(desks("alice"), address)
    assert "speaks something else" in sentence


def test_a_silent_server_there_and_the_window_stays_responsive(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HANDSHAKE_FIRST", 1.0)
    alice = desks("alice")
    with silent_server() as address, Watchdog() as watchdog:
        _sheet, sentence = failed(alice, address)
    assert "said nothing" in sentence
    assert watchdog.worst <= LONGEST


def test_a_name_that_does_not_exist(desks: Desks) -> None:
    _sheet, sentence = failed(desks("alice"), "no-such-host.invalid")
    assert "no-such-host.invalid" in sentence
    assert "could not be found" in sentence


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("127.0.0.1:0", "not a port"),
        ("127.0.0.1:99999", "not a port"),
        ("not an address", "not an address"),
        ("[::1", "not an address"),
        ("sotto://invite/nonsense", "link is damaged"),
    ],
)
def test_what_cannot_be_an_address(desks: Desks, typed: str, said: str) -> None:
    _sheet, sentence = failed(desks("alice"), typed)
    assert said in sentence


def test_the_own_address(desks: Desks) -> None:
    alice = desks("alice")
    _sheet, sentence = failed(alice, alice.address())
    assert "leads back to yourself" in sentence


def test_somebody_who_lets_nobody_in_by_address(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob", open_door=OpenDoor.NOBODY)
    _sheet, sentence = failed(alice, bob.address())
    assert "invite" in sentence


def test_somebody_else_where_a_friend_was_invited_from(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    invite = bob.call(bob.bridge.engine.make_invite)
    port = bob.address().rpartition(":")[2]
    bob.close()
    desks("carol", port=int(port))
    _sheet, sentence = failed(alice, invite)
    assert sentence.endswith(".")
    assert alice.page.model.rowCount() == 0


def test_after_a_failure_it_can_be_tried_again_and_changed(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    sheet, _sentence = failed(alice, f"127.0.0.1:{fresh_port()}")
    alice.hands.click(sheet.go_button)
    assert sheet.stage() == "running"
    alice.hands.until(lambda: sheet.stage() == "failed")
    alice.hands.click(sheet.back_button)
    assert sheet.stage() == "entry"
    assert sheet.notice.text() == ""
    alice.hands.type(bob.address(), sheet.field)  # takes the place of the selected one
    alice.hands.press(Qt.Key.Key_Return, widget=sheet.field)
    alice.hands.until(lambda: sheet.stage() == "question")


@pytest.mark.parametrize("way", ["button", "escape"])
def test_giving_up_while_it_runs(desks: Desks, way: str) -> None:
    alice = desks("alice")
    with silent_server() as address:
        sheet = dial(alice, address)
        alice.hands.until(lambda: ConnectStep.CONNECTING.value in sheet.steps.done())
        if way == "button":
            alice.hands.click(sheet.cancel_button)
            assert sheet.stage() == "entry"
            assert sheet.field.text() == address
        else:
            alice.hands.press(Qt.Key.Key_Escape, widget=sheet)
            alice.hands.until(lambda: alice.no_sheet(ConnectSheet))
    assert alice.page.model.rowCount() == 0
    assert alice.page.notice.text() == ""


def test_giving_up_at_the_question(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    sheet = dial(alice, bob.address())
    alice.hands.until(lambda: sheet.stage() == "question")
    alice.hands.press(Qt.Key.Key_Escape, widget=sheet)
    alice.hands.until(lambda: alice.no_sheet(ConnectSheet))
    assert alice.page.model.rowCount() == 0


def test_closing_the_window_while_it_runs(desks: Desks) -> None:
    alice = desks("alice")
    with silent_server() as address:
        sheet = dial(alice, address)
        alice.hands.until(lambda: sheet.stage() == "running")
        with Watchdog() as watchdog:
            alice.close()
    assert watchdog.worst <= LONGEST


def test_addresses_used_before_are_offered(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    sheet = dial(alice, bob.address())
    alice.hands.until(lambda: sheet.stage() == "question")
    alice.hands.click(sheet.go_button)
    alice.hands.until(lambda: alice.contact("Bob") is not None)
    alice.hands.until(lambda: alice.no_sheet(ConnectSheet))
    alice.front()
    alice.hands.press(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier, alice.window)
    again = alice.sheet(ConnectSheet)
    assert again.history.item(0).text().startswith("Bob · 127.0.0.1:")
    again.history.setCurrentRow(0)
    alice.hands.press(Qt.Key.Key_Return, widget=again.history)
    assert again.field.text() == bob.address()
    again.reject()
