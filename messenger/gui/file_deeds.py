"""What buttons of transfers do, wherever they stand: accept, pause, open and so on."""

import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

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
        suffix = runnable_suffix(path.name)
        if transfer.outgoing or not suffix:
            self._open_path(path)
            return
        words = _(
            "“{name}” is a program ({suffix}). Opening it lets it do anything that you can do here. Open it"
            " only if you expected it from this person."
        )
        sheet = ConfirmSheet(
            self._home.window(),
            self._theme,
            _("Open a program that somebody sent you?"),
            words.format(name=path.name, suffix=suffix),
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
