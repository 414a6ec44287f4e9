"""The part of the page about files that is no declared setting: where they go."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from messenger.core.errors import SottoError
from messenger.gui.bridge import Bridge
from messenger.gui.files import choose_folder
from messenger.gui.theme import SPACE
from messenger.gui.widgets import ElidedLabel, button, label
from messenger.text import _, explain


class FilesPart(QWidget):
    """The folder for files that come.

    Args:
        bridge: The way to the engine.
        run: Starts a coroutine whose errors the dialog shows, given its name for the log.
    """

    def __init__(self, bridge: Bridge, run: Callable[[Coroutine[Any, Any, Any], str], None]) -> None:
        super().__init__()
        self._bridge, self._run = bridge, run
        self._path: Path | None = None
        self.folder = ElidedLabel("body")
        self.change_button = button(_("Choose…"))
        self.change_button.setAccessibleName(_("Choose the folder for files that come"))
        self.change_button.clicked.connect(self._on_change)
        self.error = label("", "error", wrap=True)
        self.error.hide()
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        row.addWidget(self.folder, 1)
        row.addWidget(self.change_button)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(label(_("Folder for files that come"), "strong"))
        texts.addWidget(label(_("“Save to…” puts single ones elsewhere."), "small", wrap=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE["s"])
        column.addLayout(texts)
        column.addLayout(row)
        column.addWidget(self.error)

    async def load(self) -> None:
        """Show the folder."""
        self._path = await self._bridge.call(self._bridge.engine.download_folder)
        self.folder.setText(str(self._path))
        self.folder.setAccessibleName(str(self._path))

    def choose(self, folder: Path) -> None:
        """Let files go to another folder from now on."""
        self._run(self._change(folder), "change the folder for downloads")

    async def _change(self, folder: Path) -> None:
        try:
            await self._bridge.call(self._bridge.engine.set_download_folder, folder)
        except SottoError as e:
            self.error.setText(explain(e))
            self.error.show()
            return
        self.error.hide()
        await self.load()

    @Slot()
    def _on_change(self) -> None:
        choose_folder(self.window(), _("Folder for files that come"), self.choose, self._path)
