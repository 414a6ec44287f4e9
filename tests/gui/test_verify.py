"""Verifying by code: what is painted, and what the other device shows put in here."""

import pytest
import segno
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication

from messenger.gui.invite_sheet import InviteSheet
from messenger.gui.qr import QrCode
from messenger.gui.verify_sheet import VerifySheet
from tests.gui.conftest import Desks
from tests.gui.test_chat_window import meet
from tests.helpers.gui import Desk


def read(code: QrCode) -> list[bytes]:
    """The modules as a camera sees them: the middle of each."""
    image = code.grab().toImage()
    rows = len(code._rows)
    module = image.width() // (rows + 8)
    start = (image.width() - module * rows) // 2
    spots = [start + place * module + module // 2 for place in range(rows)]
    black = QColor("black")
    assert image.pixelColor(QPoint(start // 2, start // 2)) == QColor("white")
    return [bytes(image.pixelColor(x, y) == black for x in spots) for y in spots]


def verify(desk: Desk) -> VerifySheet:
    desk.front()
    desk.open_chat(desk.page.model.contacts()[0].title)
    desk.hands.click(desk.chat.header._verify)
    sheet = desk.sheet(VerifySheet)
    desk.hands.until(lambda: sheet.number().isdigit())
    return sheet


def test_the_code_holds_the_digits(desks: Desks) -> None:
    alice, *_rest = meet(desks)
    sheet = verify(alice)
    expected = segno.make_qr(sheet.number(), error="m", boost_error=False)
    assert read(sheet.code) == [bytes(row) for row in expected.matrix]


def test_what_the_other_device_shows_is_compared(desks: Desks) -> None:
    alice, bob, *_rest = meet(desks)
    theirs = verify(bob).number()
    sheet = verify(alice)
    sheet.field.setText(" ".join(theirs[at : at + 5] for at in range(0, 60, 5)))
    alice.hands.press(Qt.Key.Key_Return, widget=sheet.field)
    alice.hands.until(lambda: "have verified" in sheet._state.text())
    assert "new key" in sheet._meaning.text()
    alice.hands.until(lambda: bool(alice.page.model.contacts()[0].verified))


def test_other_digits_take_the_mark_back_and_warn(desks: Desks) -> None:
    alice, *_rest = meet(desks)
    sheet = verify(alice)
    alice.hands.click(sheet.confirm_button)
    alice.hands.until(lambda: bool(alice.page.model.contacts()[0].verified))
    wrong = ("1" if sheet.number()[0] == "0" else "0") + sheet.number()[1:]
    sheet.field.setText(wrong)
    alice.hands.click(sheet.compare_button)
    alice.hands.until(lambda: "listening" in sheet.notice.text())
    assert not alice.page.model.contacts()[0].verified


@pytest.mark.parametrize("text", ["", "12345", "x" * 60, "1" * 61, "١" * 60])
def test_what_is_no_safety_number_decides_nothing(desks: Desks, text: str) -> None:
    alice, *_rest = meet(desks)
    sheet = verify(alice)
    sheet.field.setText(text)
    alice.hands.click(sheet.compare_button)
    assert "sixty digits" in sheet.notice.text()
    assert not alice.page.model.contacts()[0].verified


def test_an_invite_is_shown_as_a_code_and_a_link(desks: Desks) -> None:
    alice = desks("alice").front()
    alice.window.commands.actions["show"].trigger()
    sheet = alice.sheet(InviteSheet)
    alice.hands.until(lambda: sheet.link.text().startswith("sotto://invite/"))
    expected = segno.make_qr(sheet.link.text(), error="m", boost_error=False)
    assert read(sheet.code) == [bytes(row) for row in expected.matrix]
    alice.hands.click(sheet.copy_button)
    assert QGuiApplication.clipboard().text() == sheet.link.text()
    assert not sheet.lasting_button.isVisible(), "nobody can write to her at a relay"
