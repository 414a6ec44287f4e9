"""Several people on one computer, or several sides of one person: each profile has windows of its own."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QProcess, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from messenger.core import limits
from messenger.core.errors import InputError
from messenger.core.profiles import DATABASE, default_folder, folder_for, others_folder
from messenger.gui.autostart import command
from messenger.gui.pictures import surroundings
from messenger.gui.sheet import Sheet
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import button, label
from messenger.text import _, explain

_MOST: Final = 20
"""Profiles that are listed; more can be opened by their names."""


def known(present: Path) -> list[tuple[str, Path]]:
    """The profiles that are found, by what they are called; blocking, run it in a thread.

    Args:
        present: The folder of the profile that is open: it is left out.
    """
    found = [(_("Usual profile"), Path(default_folder()))]
    with contextlib.suppress(OSError):  # there are no others
        found += [(folder.name, folder) for folder in sorted(Path(others_folder()).iterdir())]
    return [(name, folder) for name, folder in found if folder != present and (folder / DATABASE).is_file()]


def open_in_another(folder: Path) -> bool:
    """Start the program on a profile; it lives on when this one ends. Returns whether it could be started.

    If it runs there already, its window comes to the front.
    """
    process = QProcess()
    process.setProcessEnvironment(surroundings())
    program, *arguments = command(folder)
    process.setProgram(program)
    process.setArguments(arguments)
    started = process.startDetached()
    return started[0] if isinstance(started, tuple) else bool(started)


class ProfilesSheet(Sheet):
    """Opens another profile in windows of its own, or makes one.

    Args:
        parent: The window.
        theme: Colours and fonts.
        present: The folder of the profile that is open here.
        opener: As `open_in_another`.
    """

    opened = Signal(object)
    """The folder of a profile that was opened."""

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        present: Path,
        opener: Callable[[Path], bool] = open_in_another,
    ) -> None:
        super().__init__(parent, theme, _("Profiles"))
        self._present, self._opener = present, opener
        self.buttons: list[QWidget] = []
        words = _("Each profile is another person to others, with keys, contacts and messages of its own.")
        self.body.addWidget(label(_("Profiles"), "title"))
        self.body.addWidget(label(words, "muted", wrap=True))
        self._found = QVBoxLayout()
        self._found.setSpacing(SPACE["s"])
        self.body.addLayout(self._found)
        self.name = QLineEdit()
        self.name.setMaxLength(limits.NAME_MAX)
        self.name.setPlaceholderText(_("Name of the profile, for example Work"))
        self.name.setAccessibleName(_("Name of another profile"))
        self.name.returnPressed.connect(self._on_name)
        self.go_button = button(_("Open or make"))
        self.go_button.clicked.connect(self._on_name)
        self.error = label("", "error", wrap=True)
        self.error.hide()
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        row.addWidget(self.name, 1)
        row.addWidget(self.go_button)
        self.body.addLayout(row)
        self.body.addWidget(self.error)
        self.add_button(_("Close")).clicked.connect(self.reject)
        self.setMinimumWidth(420)
        self.name.setFocus()
        self.run(self._load(), "list the profiles")

    async def _load(self) -> None:
        for name, folder in (await asyncio.to_thread(known, self._present))[:_MOST]:
            one = button(name)
            one.setAccessibleDescription(str(folder))
            one.clicked.connect(lambda _checked=False, folder=folder: self._open(folder))
            self._found.addWidget(one)
            self.buttons.append(one)
        self.fit()

    @Slot()
    def _on_name(self) -> None:
        self.error.hide()
        try:
            folder = Path(folder_for(self.name.text()))
        except InputError as e:
            self._refuse(explain(e))
            return
        if folder == self._present:
            self._refuse(_("This profile is open here."))
            return
        self._open(folder)

    def _open(self, folder: Path) -> None:
        if not self._opener(folder):
            self._refuse(_("The program could not be started once more."))
            return
        self.opened.emit(folder)
        self.accept()

    def _refuse(self, words: str) -> None:
        self.error.setText(words)
        self.error.show()
        self.name.setFocus()
