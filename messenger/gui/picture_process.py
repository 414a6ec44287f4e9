"""The process that reads one picture of anybody, and ends: a decoder that is deceived finds nothing here.

Forms of the command, each with what comes on standard input and goes to standard output:

* ``decode EDGE``: a JPEG or PNG; width and height as u32 (big-endian), and that many RGBA pixels.
* ``read EDGE``: the path of a picture file, as bytes; the same.
* ``portrait EDGE``: a portrait (`messenger.core.portraits`) of somebody; the same.
* ``make EDGE MOST``: the path of a picture file; a JPEG of at most MOST bytes, made from the pixels alone.
* ``face EDGE MOST``: the same of the square in its middle.

Before anything hostile is looked at, everything is loaded that is needed, the input is in memory, and the
process gives up what it could do: no file or socket can be opened, no process started, nothing written to
a disk; memory and time are bounded. Windows has no such limits: there the process is one
of its own, with bounds of Qt for memory, and is ended when its time is over.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QColorSpace, QImage, QImageReader, QPainter

from messenger.core import transfer_limits as limits
from messenger.core.portraits import is_portrait
from messenger.gui import confinement

_MAGIC: Final = {b"\xff\xd8\xff": b"jpeg", b"\x89PNG\r\n\x1a\n": b"png", b"GIF8": b"gif", b"RIFF": b"webp"}
_OF_OFFERS: Final = frozenset({b"jpeg", b"png"})
_QUALITIES: Final = (85, 70, 55, 40, 25)
_WARM: Final = 1024
"""Edge of a picture large enough for Qt to use its threads."""
_ROOM: Final = 4
"""How much larger a picture is read before the square is cut out of it: that of a wide one is not small."""
_REFUSED: Final = 1
_USAGE: Final = 64


def kind_of(data: bytes) -> bytes:
    """Which decoder a picture needs, by its first bytes; empty if it is none that is read here."""
    found = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), b"")
    return b"" if found == b"webp" and data[8:12] != b"WEBP" else found


def confine() -> None:
    """Give up everything that reading pixels does not need."""
    confinement.confine(limits.PICTURE_SECONDS)


def load(kind: bytes) -> None:
    """Load the decoder of a kind, and start the thread that Qt scales with, before `confine`.

    A thread cannot begin afterwards: it needs open files. So there is to be one, and it has begun here.
    """
    if sys.platform == "linux":
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})  # Qt has as many threads
    QImageReader.setAllocationLimit(limits.PICTURE_MEMORY_MIB)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.ReadWrite)
    QImage(1, 1, QImage.Format.Format_RGB888).save(buffer, "JPEG")  # type: ignore[call-overload]
    QImageReader(buffer, QByteArray(kind)).canRead()
    large = QImage(_WARM, _WARM, QImage.Format.Format_RGB32)
    large.fill(Qt.GlobalColor.white)
    half = large.scaled(_WARM // 2, _WARM // 2, mode=Qt.TransformationMode.SmoothTransformation)
    half.convertToFormat(QImage.Format.Format_RGBA8888)


def decoded(data: bytes, kind: bytes, edge: int) -> QImage | None:
    """The pixels of a picture, upright, scaled down to fit a square; None if it is not whole.

    Args:
        data: The file.
        kind: As `kind_of` says.
        edge: Of the square, in pixels.
    """
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(kind))
    reader.setAutoDetectImageFormat(False)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > edge:
        reader.setScaledSize(
            size.scaled(QSize(edge, edge), Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(1, 1))
        )
    image = reader.read()
    if image.isNull():
        return None
    if image.colorSpace().isValid():
        image.convertToColorSpace(QColorSpace(QColorSpace.NamedColorSpace.SRgb))
    if max(image.width(), image.height()) > edge:
        image = image.scaled(
            edge, edge, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
    return image.convertToFormat(QImage.Format.Format_RGBA8888)


def middle(image: QImage, edge: int) -> QImage:
    """The largest square in the middle of a picture, scaled down to an edge in pixels."""
    side = min(image.width(), image.height())
    square = image.copy((image.width() - side) // 2, (image.height() - side) // 2, side, side)
    if side <= edge:
        return square
    return square.scaled(edge, edge, mode=Qt.TransformationMode.SmoothTransformation)


def pixels(image: QImage) -> bytes:
    """A picture as this process writes it."""
    head = image.width().to_bytes(4, "big") + image.height().to_bytes(4, "big")
    return head + bytes(image.constBits())


def encoded(image: QImage, most: int) -> bytes:
    """A JPEG of the pixels alone, without anything that the file said beside them; empty if it is too large.

    Args:
        image: The picture.
        most: Bytes.
    """
    bare = QImage(image.size(), QImage.Format.Format_RGB888)  # no text, no profile, no place
    bare.fill(Qt.GlobalColor.white)
    painter = QPainter(bare)
    painter.drawImage(0, 0, image)
    painter.end()
    for quality in _QUALITIES:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        bare.save(buffer, "JPEG", quality)  # type: ignore[call-overload]
        if len(data := bytes(buffer.data().data())) <= most:
            return data
    return b""


def run(arguments: Sequence[str]) -> int:
    """Do what the command line asks; returns the exit code."""
    data = sys.stdin.buffer.read(limits.PICTURE_FILE_MAX)
    match arguments:
        case ["decode", edge]:
            kind, most = kind_of(data), 0
            if kind not in _OF_OFFERS:
                return _REFUSED
        case ["portrait", edge]:
            kind, most = kind_of(data), 0
            if not is_portrait(data):
                return _REFUSED
        case ["read", edge]:
            data, most = _content(data), 0
        case ["make" | "face", edge, bound]:
            data, most = _content(data), int(bound)
        case _:
            return _USAGE
    kind = kind_of(data)
    if not kind:
        return _REFUSED
    load(kind)
    confine()
    square = arguments[0] == "face"
    image = decoded(data, kind, int(edge) * (_ROOM if square else 1))
    if image is None:
        return _REFUSED
    if square:
        image = middle(image, int(edge))
    answer = encoded(image, most) if most else pixels(image)
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    return 0


def _content(path: bytes) -> bytes:
    """A file's content; nothing if it cannot be read, is no file, or is too large."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(os.fsdecode(path), flags), "rb") as file:
            if not Path(os.fsdecode(path)).is_file():
                return b""
            data = file.read(limits.PICTURE_FILE_MAX + 1)
    except OSError:
        return b""
    return data if len(data) <= limits.PICTURE_FILE_MAX else b""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run as a process for one picture, and end it.

    Args:
        arguments: Those after the program name (after ``--picture`` in a packed program); those of
            this process unless given.
    """
    os._exit(run(sys.argv[1:] if arguments is None else arguments))


if __name__ == "__main__":
    main()
