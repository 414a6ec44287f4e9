"""The pictures that people chose for themselves: read by processes of their own, kept for a while by hash."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from messenger.core.errors import StorageError
from messenger.gui.pictures import Job, PictureQueue, decoding, image_of

_EDGE: Final = 160
"""Pixels of what is kept: the largest disc, on a dense screen."""
_KEPT: Final = 128
"""Pictures, of at most 100 KiB each."""
_DISCS: Final = 256

Source = Callable[[bytes], bytes]
"""Tells the portrait with a hash; empty if it is not there."""


class Faces(QObject):
    """Portraits for whatever paints people. One for all windows: a hash means the same everywhere.

    Args:
        parent: Owner.
    """

    changed = Signal()
    """A picture can be shown that could not before."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._sources: list[Source] = []
        self._queue = PictureQueue()
        self._kept: OrderedDict[bytes, QImage | None] = OrderedDict()
        self._discs: OrderedDict[tuple[bytes, int], QImage] = OrderedDict()

    def add(self, source: Source) -> None:
        """Ask a profile for pictures from now on."""
        self._sources.append(source)

    def remove(self, source: Source) -> None:
        """Ask it no more, because it is closed; the last one ends what is being read."""
        self._sources.remove(source)
        if not self._sources:
            self._queue.stop()
            self._kept = OrderedDict(item for item in self._kept.items() if item[1] is not None)

    def get(self, digest: bytes | None, pixels: int) -> QImage | None:
        """A square picture; None if there is none, or it is not read yet: `changed` tells when it is.

        Args:
            digest: SHA-256 of the portrait; empty or None for nobody's.
            pixels: Edge, in pixels of the screen.
        """
        if not digest:
            return None
        if digest not in self._kept:
            self._begin(digest)
        image = self._kept.get(digest)
        if image is None:
            return None
        self._kept.move_to_end(digest)
        disc = self._discs.get((digest, pixels))
        if disc is None:
            disc = self._discs[digest, pixels] = image.scaled(
                pixels,
                pixels,
                Qt.AspectRatioMode.KeepAspectRatioByExpanding,
                Qt.TransformationMode.SmoothTransformation,
            ).copy(0, 0, pixels, pixels)
            if len(self._discs) > _DISCS:
                self._discs.popitem(last=False)
        return disc

    def _begin(self, digest: bytes) -> None:
        try:
            content = next(filter(None, (source(digest) for source in self._sources)), b"")
        except StorageError:  # initials stand there; what is wrong with the disk is told elsewhere
            return
        if not content:
            return
        self._kept[digest] = None
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        arguments, most = decoding("portrait", _EDGE)
        self._queue.start(Job(arguments, content, most, partial(self._keep, digest)))

    def _keep(self, digest: bytes, data: bytes) -> None:
        image = image_of(data, _EDGE)
        if image is not None and digest in self._kept:
            self._kept[digest] = image
            self.changed.emit()
