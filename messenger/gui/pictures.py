"""Small pictures, read by processes of their own: nothing of anybody is decoded in the window's process."""

import os
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal, Slot
from PySide6.QtGui import QImage

import messenger
from messenger.core import transfer_limits as limits
from messenger.core.portraits import PORTRAIT_EDGE, PORTRAIT_MAX
from messenger.core.transfers import Transfer, TransferState

_PIXEL: Final = 4
_HEAD: Final = 8
_AT_ONCE: Final = 2
_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp"})
"""What the process reads; it looks at the content, whatever the name says."""


class Job(msgspec.Struct, frozen=True):
    """One picture to be read."""

    arguments: tuple[str, ...]
    """Of `messenger.gui.picture_process`."""
    given: bytes
    """Its standard input."""
    most: int
    """Bytes that it may answer."""
    done: Callable[[bytes], object]
    """Called with the answer; empty if there is none."""


class Worker(QObject):
    """One process for one picture, ended when its time is over or it says too much.

    Args:
        job: What it does.
        ended: Called with this worker when it is done.
    """

    def __init__(self, job: Job, ended: Callable[["Worker"], object]) -> None:
        super().__init__()
        self._job, self._ended = job, ended
        self._said = bytearray()
        self._over = False
        self._process = QProcess(self)
        self._process.setProcessEnvironment(surroundings())
        self._process.readyReadStandardOutput.connect(self._on_said)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        self._time = QTimer(self)
        self._time.setSingleShot(True)
        self._time.timeout.connect(self._process.kill)
        program, *arguments = _command(*job.arguments)
        self._process.start(program, arguments)
        self._process.write(job.given)
        self._process.closeWriteChannel()
        self._time.start(2000 * limits.PICTURE_SECONDS)

    def stop(self) -> None:
        """End the process; nobody wants its picture any more."""
        self._job = msgspec.structs.replace(self._job, done=lambda _answer: None)
        self._process.kill()

    @Slot()
    def _on_said(self) -> None:
        self._said += self._process.readAllStandardOutput().data()
        if len(self._said) > self._job.most:
            self._said.clear()
            self._over = True
            self._process.kill()

    @Slot(int, QProcess.ExitStatus)
    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._on_said()
        whole = code == 0 and status is QProcess.ExitStatus.NormalExit and not self._over
        self._end(bytes(self._said) if whole else b"")

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._end(b"")

    def _end(self, answer: bytes) -> None:
        self._time.stop()
        self._job.done(answer)
        self._ended(self)
        self.deleteLater()


class PictureQueue:
    """Pictures that are to be read, two at once."""

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._working: set[Worker] = set()

    def start(self, job: Job) -> None:
        """Read a picture as soon as there is room."""
        self._waiting.append(job)
        self._next()

    async def result(self, arguments: tuple[str, ...], given: bytes, most: int) -> bytes:
        """What a process answers; empty if nothing.

        Args:
            arguments: Of `messenger.gui.picture_process`.
            given: Its standard input.
            most: Bytes that it may answer.
        """
        import asyncio

        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def done(data: bytes) -> None:
            if not answer.done():
                answer.set_result(data)

        self.start(Job(arguments, given, most, done))
        return await answer

    def stop(self) -> None:
        """End what is being read; nobody wants it any more."""
        for job in self._waiting:
            job.done(b"")
        self._waiting.clear()
        for worker in self._working:
            worker.stop()

    @property
    def busy(self) -> bool:
        """Whether a process is at work."""
        return bool(self._working)

    def _next(self) -> None:
        while self._waiting and len(self._working) < _AT_ONCE:
            self._working.add(Worker(self._waiting.popleft(), self._on_ended))

    def _on_ended(self, worker: Worker) -> None:
        self._working.discard(worker)
        self._next()


class Pictures(QObject):
    """The small pictures of transfers, kept for a while.

    Args:
        parent: Owner.
    """

    ready = Signal(object)
    """A transfer whose picture can be shown now."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.thumbnail: Callable[[Transfer], bytes] = lambda _transfer: b""
        """Tells the small picture in an offer, as it came."""
        self.shows = True
        """Whether pictures are shown at all."""
        self._kept: OrderedDict[tuple[str, int], QImage | None] = OrderedDict()
        self._queue = PictureQueue()
        self._size = 0

    def get(self, transfer: Transfer) -> QImage | None:
        """The picture of a transfer; None if it has none, or is not read yet: `ready` tells when it is."""
        if not self.shows or transfer.media != "picture":
            return None
        whole = transfer.state is TransferState.DONE and transfer.files == transfer.tops == 1
        key = ("file" if whole and transfer.placed else "offer", transfer.id)
        if key not in self._kept:
            self._kept[key] = None
            self._begin(key, transfer)
        image = self._kept[key]
        if image is None and key[0] == "file":  # until it is read, or if it cannot be
            return self._kept.get(("offer", transfer.id))
        self._kept.move_to_end(key)
        return image

    async def thumbnail_of(self, paths: Sequence[Path]) -> bytes:
        """The small picture for an offer of files: of the first, if it is a picture; else empty.

        It is made by another process, which reads the file.
        """
        if not paths or paths[0].suffix.lower() not in _SUFFIXES:
            return b""
        arguments = ("make", str(limits.THUMBNAIL_EDGE), str(limits.THUMBNAIL_MAX))
        return await self._queue.result(arguments, os.fsencode(paths[0]), limits.THUMBNAIL_MAX)

    def stop(self) -> None:
        """End what is being read, because the window closes."""
        self._queue.stop()

    @property
    def busy(self) -> bool:
        """Whether a picture is being read."""
        return self._queue.busy

    def _begin(self, key: tuple[str, int], transfer: Transfer) -> None:
        edge = limits.PREVIEW_EDGE if key[0] == "file" else limits.THUMBNAIL_EDGE
        arguments, given = ("read", str(edge)), b""
        if key[0] == "file":
            given = os.fsencode(transfer.placed[0])
        elif given := self.thumbnail(transfer):
            arguments = ("decode", str(edge))
        if not given:
            return
        most = _pixels_most(edge)
        self._queue.start(Job(arguments, given, most, lambda data: self._keep(key, transfer, data, edge)))

    def _keep(self, key: tuple[str, int], transfer: Transfer, data: bytes, edge: int) -> None:
        image = image_of(data, edge)
        if image is None:
            return  # the plain card stays
        self._kept[key] = image
        self._size += image.sizeInBytes()
        while self._size > limits.PICTURES_KEPT:
            _old, gone = self._kept.popitem(last=False)
            self._size -= 0 if gone is None else gone.sizeInBytes()
        self.ready.emit(transfer)


def decoding(form: str, edge: int) -> tuple[tuple[str, ...], int]:
    """The arguments of the process for pixels, and how many bytes it may answer.

    Args:
        form: ``decode``, ``read`` or ``portrait``.
        edge: Most pixels on each side.
    """
    return (form, str(edge)), _pixels_most(edge)


async def portrait_of(queue: PictureQueue, path: Path) -> bytes:
    """A portrait made of a picture file (see `messenger.core.portraits`); empty if it cannot be read.

    Args:
        queue: What starts the process that reads the file.
        path: The file.
    """
    arguments = ("face", str(PORTRAIT_EDGE), str(PORTRAIT_MAX))
    return await queue.result(arguments, os.fsencode(path), PORTRAIT_MAX)


def _pixels_most(edge: int) -> int:
    return _HEAD + edge * edge * _PIXEL


def image_of(data: bytes, edge: int) -> QImage | None:
    """Pixels of the process as a picture; None if they are not what they should be.

    Args:
        data: What it has answered.
        edge: Most pixels on each side.
    """
    wide, high = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:_HEAD], "big")
    whole = len(data) == _HEAD + wide * high * _PIXEL
    if not (0 < wide <= edge and 0 < high <= edge and whole):
        return None
    return QImage(data[_HEAD:], wide, high, wide * _PIXEL, QImage.Format.Format_RGBA8888).copy()


def _command(*arguments: str) -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, "--picture", *arguments]
    return [sys.executable, "-P", "-m", "messenger.gui.picture_process", *arguments]


def surroundings() -> QProcessEnvironment:
    """The environment of another process of this program: ours, and where this very package came from."""
    result = QProcessEnvironment.systemEnvironment()
    paths = [str(Path(messenger.__file__).parent.parent)]
    if inherited := result.value("PYTHONPATH"):
        paths.append(inherited)
    result.insert("PYTHONPATH", os.pathsep.join(paths))
    return result
