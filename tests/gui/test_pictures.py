"""Small pictures: read by a process that can do nothing else, and never by the window's own."""

import os
import random
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QImage, QPainter

from messenger.core import transfer_limits as limits
from messenger.core.transfer_deeds import FileDeed
from messenger.core.transfers import TransferState
from messenger.gui.pictures import Pictures, image_of
from tests.gui.conftest import Desks
from tests.gui.test_files import both, card, friends, newest, offered, press
from tests.helpers.gui import Desk, Hands
from tests.helpers.terminal import environment

SECRET = "where the photograph was taken"


def process(*arguments: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run the process as the window does."""
    command = [sys.executable, "-P", "-m", "messenger.gui.picture_process", *arguments]
    return subprocess.run(command, input=given, capture_output=True, env=environment(), check=False)


def photograph(path: Path, wide: int = 900, high: int = 600) -> Path:
    """A picture that says more than its pixels do."""
    image = QImage(wide, high, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkGreen)
    painter = QPainter(image)
    painter.fillRect(0, 0, wide // 2, high, Qt.GlobalColor.yellow)
    painter.end()
    image.setText("Comment", SECRET)
    assert image.save(str(path))
    return path


@pytest.fixture
def pictures(hands: Hands) -> Iterator[Pictures]:
    owner = QObject()
    made = Pictures(owner)
    yield made
    made.stop()
    hands.until(lambda: not made.busy)


def test_the_small_picture_is_pixels_and_nothing_else(
    hands: Hands, pictures: Pictures, tmp_path: Path
) -> None:
    source = photograph(tmp_path / "photo.jpg")
    assert SECRET.encode() in source.read_bytes()
    made = hands.run(pictures.thumbnail_of([source]))
    assert made.startswith(b"\xff\xd8\xff")
    assert len(made) <= limits.THUMBNAIL_MAX
    assert SECRET.encode() not in made
    image = QImage.fromData(made)
    assert max(image.width(), image.height()) == limits.THUMBNAIL_EDGE
    assert image.textKeys() == []


def test_noise_is_made_small_enough_too(hands: Hands, pictures: Pictures, tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(600 * 600 * 4)
    image = QImage(noise, 600, 600, QImage.Format.Format_RGB32)
    image.save(str(tmp_path / "noise.png"))
    made = hands.run(pictures.thumbnail_of([tmp_path / "noise.png"]))
    assert len(made) <= limits.THUMBNAIL_MAX


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff garbage", b"\x89PNG\r\n\x1a\n" * 9])
def test_what_is_no_picture_has_none(
    hands: Hands, pictures: Pictures, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert hands.run(pictures.thumbnail_of([tmp_path / "a.png"])) == b""
    assert hands.run(pictures.thumbnail_of([tmp_path / "missing.png"])) == b""
    assert hands.run(pictures.thumbnail_of([tmp_path / "a.txt"])) == b""


def test_a_pipe_does_not_make_it_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert process("read", "64", given=os.fsencode(tmp_path / "pipe.png")).returncode == 1


def test_only_what_our_sender_makes_is_read_from_offers(tmp_path: Path) -> None:
    """A GIF in an offer is refused before a decoder sees it."""
    image = photograph(tmp_path / "a.png", 20, 10).read_bytes()
    assert process("decode", "64", given=image).returncode == 0
    assert process("decode", "64", given=b"GIF89a" + bytes(40)).returncode == 1


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A PNG that says it is 60,000 pixels wide and high would take 14 GB."""
    picture = bytearray(photograph(tmp_path / "a.png", 20, 10).read_bytes())
    picture[16:24] = (60_000).to_bytes(4, "big") * 2
    picture[29:33] = zlib.crc32(bytes(picture[12:29])).to_bytes(4, "big")
    assert process("decode", "64", given=bytes(picture)).stdout == b""


def test_the_process_can_open_nothing_once_it_reads(tmp_path: Path) -> None:
    """What the decoder could do if it were deceived: no file, no socket, no other process."""
    program = f"""
import socket, subprocess, sys
from messenger.gui import picture_process as p
p.load(b"png")
p.confine()
for what in (
    lambda: open({str(tmp_path / "x")!r}, "w"),
    lambda: open("/etc/hostname"),
    lambda: socket.socket(),
    lambda: subprocess.Popen(["true"]),
):
    try:
        what()
    except OSError:
        continue
    print("could")
print("done")
"""
    run = [sys.executable, "-c", program]
    done = subprocess.run(run, capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout == "done\n"


@pytest.mark.parametrize("data", [b"", bytes(8), b"\0\0\0\x01\0\0\0\x01", b"\0\0\1\0\0\0\0\1" + bytes(1024)])
def test_an_answer_of_another_size_is_no_picture(data: bytes) -> None:
    assert image_of(data, 64) is None
    whole = b"\0\0\0\2\0\0\0\1" + bytes(8)
    assert image_of(whole, 64) is not None
    assert image_of(whole, 1) is None


@pytest.fixture
def two(desks: Desks, tmp_path: Path) -> tuple[Desk, Desk]:
    return friends(desks, tmp_path)


def test_a_picture_is_seen_before_and_after_it_came(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    offered(alice, bob, photograph(tmp_path / "photo.png"))
    alice.hands.until(lambda: card(alice)[0].picture is not None)
    bob.hands.until(lambda: card(bob)[0].picture is not None)
    small = card(bob)[0].picture
    assert small is not None
    assert small.width() == limits.THUMBNAIL_EDGE
    assert small.pixelColor(10, 10).green() > 200
    press(bob, FileDeed.ACCEPT)
    both(two, TransferState.DONE)

    def is_large() -> bool:
        picture = card(bob)[0].picture
        return picture is not None and picture.width() == limits.PREVIEW_EDGE

    bob.hands.until(is_large)


def test_a_wrong_picture_leaves_the_plain_card(two: tuple[Desk, Desk], tmp_path: Path) -> None:
    alice, bob = two
    source = photograph(tmp_path / "photo.png")
    conversation = alice.chat.conversation
    alice.call(alice.bridge.engine.offer_files, conversation, [source], b"\xff\xd8\xff no JPEG")
    bob.hands.until(lambda: newest(bob) is not None)
    assert card(bob)[0].picture is None
    pictures = bob.chat.files.pictures
    bob.hands.until(lambda: bool(pictures._kept) and not pictures.busy)
    assert card(bob)[0].picture is None
    assert FileDeed.ACCEPT in [deed for deed, _rect in card(bob)[0].buttons]
