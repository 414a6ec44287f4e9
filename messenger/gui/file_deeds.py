"""What buttons of transfers do, wherever they stand: accept, pause, open and so on."""

import asyncio
import os
import stat
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, QProcess, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from messenger.core.file_names import runnable_suffix
from messenger.core.transfer_deeds import FileDeed
from messenger.core.transfers import Transfer
from messenger.gui.bridge import Bridge
from messenger.gui.files import choose_folder
from messenger.gui.sheet import ConfirmSheet
from messenger.gui.tasks import Tasks
from messenger.gui.theme import Theme
from messenger.text import _, files_title

_PROGRAMS: Final = (
    b"#!", b"MZ", b"\x7fELF",
    b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf",
)  # fmt: skip
"""How scripts and programs begin: of Windows, of Linux, and of macOS (mach-o/loader.h, mach-o/fat.h)."""


class FileDeeds(QObject):
    """Does what somebody asks for with a transfer.

    Args:
        home: Dialogs belong to its window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        tasks: Runs what is begun, and reports errors.
        say: Tells the person something; given the words and a kind as in `messenger.gui.notice.Notice.say`.
    """

    def __init__(
        self,
        home: QWidget,
        theme: Theme,
        bridge: Bridge,
        tasks: Tasks,
        say: Callable[[str, str], object],
    ) -> None:
        super().__init__(home)
        self.opens: Callable[[QUrl], bool] = QDesktopServices.openUrl
        """Has the system open something; whether there is a program for it."""
        self._home, self._theme, self._bridge, self._tasks, self._say = home, theme, bridge, tasks, say

    def do(self, deed: FileDeed, transfer: Transfer) -> None:
        """Do something with a transfer, after a question where that is due."""
        engine = self._bridge.engine
        match deed:
            case FileDeed.ACCEPT:
                self._run(engine.accept_files, transfer)
            case FileDeed.SAVE_TO:
                self._ask_folder(transfer)
            case FileDeed.DECLINE:
                self._run(engine.decline_files, transfer)
            case FileDeed.PAUSE:
                self._run(engine.pause_transfer, transfer)
            case FileDeed.RESUME:
                self._run(engine.resume_transfer, transfer)
            case FileDeed.FIRST:
                self._run(engine.send_first, transfer)
            case FileDeed.CANCEL:
                self._run(engine.cancel_transfer, transfer)
            case FileDeed.AGAIN:
                self._run(engine.offer_again, transfer)
            case FileDeed.OPEN:
                self._open(transfer)
            case FileDeed.SHOW:
                self._show(transfer)

    def _run(
        self, method: Callable[..., Coroutine[Any, Any, Any]], transfer: Transfer, *more: object
    ) -> None:
        self._tasks.start(self._bridge.call(method, transfer.id, *more), name="order about files")

    def _ask_folder(self, transfer: Transfer) -> None:
        title = _("Where shall {files} go?").format(files=files_title(transfer))
        accept = self._bridge.engine.accept_files
        choose_folder(self._home.window(), title, lambda folder: self._run(accept, transfer, folder))

    def _open(self, transfer: Transfer) -> None:
        path = Path(transfer.placed[0])
        if transfer.outgoing:
            self._open_path(path)
        elif suffix := runnable_suffix(path.name):
            words = _(
                "“{name}” is a program ({suffix}). Opening it lets it do anything that you can do here. Open"
                " it only if you expected it from this person."
            )
            self._ask_to_open(path, words.format(name=path.name, suffix=suffix))
        else:
            self._tasks.start(self._open_after_a_look(path), name="open a file that came")

    async def _open_after_a_look(self, path: Path) -> None:
        """Open what has no suffix of a program; the right to run came with it and may make it one."""
        if not await asyncio.to_thread(is_program, path):
            self._open_path(path)
            return
        words = _(
            "“{name}” is a program, though its name does not say so. Opening it may let it do anything that"
            " you can do here. Open it only if you expected it from this person."
        )
        self._ask_to_open(path, words.format(name=path.name))

    def _ask_to_open(self, path: Path, words: str) -> None:
        sheet = ConfirmSheet(
            self._home.window(),
            self._theme,
            _("Open a program that somebody sent you?"),
            words,
            _("Open anyway"),
        )
        sheet.accepted.connect(lambda: self._open_path(path))
        sheet.open()

    def _show(self, transfer: Transfer) -> None:
        path = Path(transfer.placed[0])
        if sys.platform == "darwin":
            QProcess.startDetached("/usr/bin/open", ["-R", str(path)])
        elif sys.platform == "win32":
            QProcess.startDetached("explorer.exe", ["/select,", str(path)])
        else:
            self._open_path(path.parent)

    def _open_path(self, path: Path) -> None:
        if not self.opens(QUrl.fromLocalFile(str(path))):
            words = _("No program here opens this. It is at {path}.")
            self._say(words.format(path=path), "warning")


def is_program(path: Path) -> bool:
    """Whether a system may run a file though its name does not say so; blocking, run it in a thread.

    That takes the right to run it and a content that can be run: where a whole disk gives that right to all
    that is on it, pictures are opened without a question.

    Args:
        path: Of a file, or of something else, which is none.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 -- of a descriptor: a pipe does not hold us up
            mode = os.fstat(file.fileno()).st_mode
            return bool(stat.S_ISREG(mode) and mode & 0o111 and file.read(4).startswith(_PROGRAMS))
    except OSError:  # a folder, on some systems; or gone
        return False
