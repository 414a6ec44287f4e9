"""Profile pictures in the window: chosen in the settings, painted in place of initials."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from messenger.core.ids import Fingerprint
from messenger.core.portraits import PORTRAIT_EDGE, PORTRAIT_MAX, is_portrait
from messenger.gui.avatar import paint_avatar
from messenger.gui.conversation_delegate import ConversationDelegate
from messenger.gui.settings_sheet import SettingsSheet
from tests.gui.conftest import Desks
from tests.gui.test_files import friends
from tests.gui.test_pictures import SECRET, photograph, process
from tests.helpers.gui import Desk, Hands
from tests.helpers.portraits import portrait, with_segment

RED = QColor(200, 20, 20)


def red(path: Path, wide: int = 900, high: int = 600) -> Path:
    """A picture file with something that says where it was taken."""
    image = QImage(wide, high, QImage.Format.Format_RGB32)
    image.fill(RED)
    image.setText("Comment", SECRET)
    assert image.save(str(path))
    return path


def profile(desk: Desk) -> SettingsSheet:
    desk.front()
    desk.hands.press(Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier, desk.window)
    sheet = desk.sheet(SettingsSheet)
    desk.hands.until(lambda: bool(sheet.name.text()))
    return sheet


def is_red(widget: QWidget, at: QPoint) -> bool:
    """Whether a widget paints the picture there."""
    color = widget.grab().toImage().pixelColor(at * widget.devicePixelRatioF())
    return abs(color.red() - RED.red()) < 12 and color.green() < 40


def in_list(desk: Desk) -> bool:
    """Whether the first row of the list shows the picture."""
    view = desk.page.sidebar.list
    row = view.visualRect(desk.page.sidebar.order.index(0, 0))
    disc = QPoint(row.left() + 40, row.center().y())
    assert isinstance(view.itemDelegate(), ConversationDelegate)
    return is_red(view.viewport(), disc)


def test_what_was_chosen_is_seen_by_both(desks: Desks, tmp_path: Path) -> None:
    alice, bob = friends(desks, tmp_path)
    assert not in_list(bob)
    sheet = profile(alice)
    sheet.portrait.use(red(tmp_path / "me.png"))
    alice.hands.until(lambda: is_red(sheet.portrait.disc, sheet.portrait.disc.rect().center()))
    assert sheet.portrait.remove_button.isVisible()
    alice.hands.until(lambda: not sheet.notice.isHidden())
    alice.hands.until(lambda: in_list(bob))
    header = bob.chat.header._avatar
    alice.hands.until(lambda: is_red(header, header.rect().center()))
    contact = bob.contact("Alice")
    assert contact is not None
    sent = bob.page._reader.portrait(contact.portrait)
    assert is_portrait(sent)
    assert SECRET.encode() not in sent
    alice.hands.click(sheet.portrait.remove_button)
    alice.hands.until(lambda: not in_list(bob))
    alice.hands.until(sheet.portrait.remove_button.isHidden)


def test_a_file_that_is_no_picture(desks: Desks, tmp_path: Path) -> None:
    alice = desks("alice")
    sheet = profile(alice)
    (tmp_path / "words.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    sheet.portrait.use(tmp_path / "words.png")
    alice.hands.until(lambda: not sheet.notice.isHidden())
    assert (alice.call(alice.bridge.engine.me)).portrait is None


@pytest.mark.parametrize(("wide", "high"), [(900, 600), (60, 90), (2, 4000), (3000, 3)])
def test_the_process_cuts_a_square_out_of_the_middle(
    tmp_path: Path,
    wide: int,
    high: int,
    hands: Hands,  # noqa: ARG001 -- Qt must be up
) -> None:
    path = photograph(tmp_path / "a.jpg", wide, high)
    given = str(path).encode()
    done = process("face", str(PORTRAIT_EDGE), str(PORTRAIT_MAX), given=given)
    assert done.returncode == 0, done.stderr
    assert is_portrait(done.stdout)
    assert SECRET.encode() in path.read_bytes()
    image = QImage.fromData(done.stdout)
    assert image.width() == image.height() <= min(PORTRAIT_EDGE, max(wide, high))
    if (wide, high) == (900, 600):
        assert image.width() == PORTRAIT_EDGE
        left, right = image.pixelColor(20, 128), image.pixelColor(236, 128)
        assert left.red() > 200 > 100 > right.red(), "yellow at the left, green at the right: the middle"


@pytest.mark.parametrize(
    "given", [with_segment(0xE1, b"Exif\0\0"), b"", b"\x89PNG\r\n\x1a\n", portrait()[:-2]], ids=len
)
def test_the_process_reads_portraits_only(given: bytes) -> None:
    assert process("portrait", "64", given=given).returncode == 1
    assert process("portrait", "64", given=portrait()).returncode == 0


def test_a_picture_is_painted_round_and_whole(qapp: QApplication) -> None:  # noqa: ARG001
    face = QImage(40, 40, QImage.Format.Format_RGB32)
    face.fill(RED)
    drawn = QPixmap(60, 60)
    drawn.fill(Qt.GlobalColor.white)
    painter = QPainter(drawn)
    paint_avatar(painter, QRectF(10, 10, 40, 40), "Bob", Fingerprint(bytes(32)), face)
    painter.end()
    image = drawn.toImage()
    for x, y in ((30, 30), (12, 30), (48, 30), (30, 12), (30, 48)):
        assert image.pixelColor(x, y) == RED
    for x, y in ((11, 11), (49, 11), (11, 49), (49, 49), (5, 30)):
        assert image.pixelColor(x, y) == QColor(Qt.GlobalColor.white)
