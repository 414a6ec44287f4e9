"""The icons of the design: line drawings in resources/icons/, coloured by the theme."""

from functools import lru_cache
from typing import Final

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from messenger import assets

_SCALES: Final = (1.0, 2.0)
"""An icon carries its picture for ordinary and for dense screens."""


@lru_cache(maxsize=256)
def pixmap(name: str, color: str, size: int, scale: float) -> QPixmap:
    """Draw an icon.

    Args:
        name: A file of resources/icons/ without its ending.
        color: ``#rrggbb``.
        size: Edge in device-independent pixels.
        scale: Device pixels per device-independent pixel.
    """
    svg = assets.read_text(f"icons/{name}.svg").replace("currentColor", color)
    return _render(svg.encode(), size, scale)


def icon(name: str, color: QColor, size: int = 20, disabled: QColor | None = None) -> QIcon:
    """An icon for a button or menu.

    Args:
        name: A file of resources/icons/ without its ending.
        color: Its colour.
        size: Edge in device-independent pixels.
        disabled: Its colour while nothing can be pressed; None for a paler one.
    """
    result = QIcon()
    for scale in _SCALES:
        result.addPixmap(pixmap(name, color.name(), size, scale))
        if disabled is not None:
            result.addPixmap(pixmap(name, disabled.name(), size, scale), QIcon.Mode.Disabled)
    return result


def app_icon() -> QIcon:
    """The picture of the program itself."""
    svg = assets.read_text("sotto.svg").encode()
    result = QIcon()
    for size in (16, 32, 48, 128):
        result.addPixmap(_render(svg, size, 1.0))
    return result


@lru_cache(maxsize=8)
def logo(size: int, scale: float) -> QPixmap:
    """The picture of the program for the inside of a window.

    Args:
        size: Edge in device-independent pixels.
        scale: Device pixels per device-independent pixel.
    """
    return _render(assets.read_text("sotto.svg").encode(), size, scale)


def _render(svg: bytes, size: int, scale: float) -> QPixmap:
    edge = round(size * scale)
    picture = QPixmap(QSize(edge, edge))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg)).render(painter, QRectF(0, 0, edge, edge))
    painter.end()
    picture.setDevicePixelRatio(scale)
    return picture
