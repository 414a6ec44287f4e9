"""Icons, avatars, and the line that is used up from both ends."""

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QApplication

from messenger import assets
from messenger.core.ids import Fingerprint
from messenger.gui import icons
from messenger.gui.avatar import color, initials, paint_avatar
from messenger.gui.strip import Strip
from messenger.gui.theme import Colors

ICONS = sorted(path.stem for path in assets.path("icons").glob("*.svg"))
GUI = Path(icons.__file__).parent


def painted(picture: QPixmap) -> set[str]:
    """The colours of all pixels that are not transparent."""
    image = picture.toImage().convertToFormat(QImage.Format.Format_ARGB32)
    spots = ((x, y) for x in range(image.width()) for y in range(image.height()))
    return {image.pixelColor(*spot).name() for spot in spots if image.pixelColor(*spot).alpha() == 255}


@pytest.mark.parametrize("name", ICONS)
def test_every_icon_is_drawn_in_the_colour_that_is_asked_for(qapp: QApplication, name: str) -> None:  # noqa: ARG001
    picture = icons.pixmap(name, "#123456", 48, 2.0)
    assert (picture.width(), picture.devicePixelRatio()) == (96, 2.0)
    assert painted(picture) == {"#123456"}


def test_every_icon_that_is_used_exists() -> None:
    source = "\n".join(path.read_text() for path in GUI.glob("*.py"))
    named = re.findall(r"""(?:IconButton|IconLabel|menu_icon|show_icon)\([^"()]*"([a-z-]+)\"""", source)
    used = set(named) - set(Colors("light").names)
    assert len(used) > 8
    assert used <= set(ICONS)


def test_an_icon_carries_a_picture_for_dense_screens(qapp: QApplication) -> None:  # noqa: ARG001
    sizes = {size.width() for size in icons.icon("lock", QColor("black"), 20).availableSizes()}
    assert sizes == {20, 40}
    assert not icons.app_icon().isNull()
    assert icons.logo(64, 2.0).width() == 128


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Bob", "B"),
        ("Bob Example", "BE"),
        ("ada von lovelace", "AL"),
        ("  ", "?"),
        ("🎂 Eve", "E"),
        ("🎂", "🎂"),
    ],
)
def test_initials(title: str, expected: str) -> None:
    assert initials(title) == expected


def test_namesakes_look_different(qapp: QApplication) -> None:  # noqa: ARG001
    one, other = Fingerprint(bytes(32)), Fingerprint(b"\0\0\0\1" + bytes(28))
    assert color(one) != color(other)
    pictures = []
    for fingerprint in (one, other, one):
        picture = QPixmap(40, 40)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        paint_avatar(painter, QRectF(0, 0, 40, 40), "Bob", fingerprint)
        painter.end()
        pictures.append(picture.toImage())
    assert pictures[0] != pictures[1]
    assert pictures[0] == pictures[2]


@pytest.mark.parametrize(("mirrored", "start", "end"), [(False, 10, 90), (True, 90, 10)])
def test_a_strip_is_used_up_from_both_ends(mirrored: bool, start: int, end: int) -> None:
    strip = Strip(QRect(10, 5, 100, 20), mirrored=mirrored)
    assert strip.start(20, 4) == QRect(start, 5, 20, 20)
    assert strip.end(20, 4) == QRect(end, 5, 20, 20)
    assert strip.room == 52
    assert strip.rest() == QRect(34, 5, 52, 20)
