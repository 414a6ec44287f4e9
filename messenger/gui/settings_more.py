"""Parts of the settings that no profile keeps: language, where things are, what the program is made of."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget

from messenger import __version__
from messenger.gui import icons
from messenger.gui.log_file import NAME, OLD
from messenger.gui.theme import SPACE
from messenger.gui.widgets import button, label
from messenger.text import _, catalogue

Run = Callable[[Coroutine[Any, Any, Any], str], None]

_ROOT: Final = "sotto"
_LOGO: Final = 56
_MOST: Final = 80
"""Characters of a licence's name that are shown; some packages give its whole text."""


class LanguagePart(QWidget):
    """Chooses the language of the next start.

    Args:
        run: Runs what is begun, and shows errors.
    """

    said = Signal(str)
    """A sentence about what was done."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self.box = QComboBox()
        self.box.setAccessibleName(_("Language"))
        self.box.addItem(_("As the system"), "")
        self.box.activated.connect(self._on_chosen)
        column = _column(self)
        column.addWidget(label(_("Language"), "strong"))
        column.addWidget(label(_("It holds from the next start of Sotto on."), "small", wrap=True))
        column.addWidget(self.box)
        self.box.setEnabled(False)
        run(self._load(), "list the languages")

    async def _load(self) -> None:
        known = await asyncio.to_thread(catalogue.languages)
        chosen = await asyncio.to_thread(catalogue.chosen)
        for code, name in known.items():
            self.box.addItem(name, code)
        self.box.setCurrentIndex(max(0, self.box.findData(chosen)))
        self.box.setEnabled(True)

    @Slot(int)
    def _on_chosen(self, place: int) -> None:
        self._run(self._choose(self.box.itemData(place)), "choose a language")

    async def _choose(self, code: str) -> None:
        await asyncio.to_thread(catalogue.choose, code)
        self.said.emit(_("Close Sotto and start it again to see it in this language."))


class AdvancedPart(QWidget):
    """Where the profile and its log are, how other profiles are opened, and what keys do.

    Args:
        folder: The profile folder.
    """

    profiles_asked = Signal()
    keys_asked = Signal()
    said = Signal(str, str)
    """A sentence, and how it is meant, as `messenger.gui.notice.Notice.say` wants it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.opens: Callable[[QUrl], bool] = QDesktopServices.openUrl
        """Has the system open something; whether there is a program for it."""
        self._folder = folder
        title = _("Folder of this profile")
        self.folder = label(str(folder), "smallMono", wrap=True, select=True, title=title)
        column = _column(self)
        column.addWidget(label(title, "strong"))
        words = _("Everything is in it. The log is {log}, and {old} is what was written before.")
        column.addWidget(label(words.format(log=NAME, old=OLD), "small", wrap=True))
        column.addWidget(self.folder)
        self.open_button = button(_("Open the folder"))
        self.open_button.clicked.connect(self._on_open)
        column.addWidget(self.open_button, 0, Qt.AlignmentFlag.AlignLeading)
        column.addSpacing(SPACE["s"])
        column.addWidget(label(_("Other profiles"), "strong"))
        words = _("Another profile is another person to others: sotto --profile FOLDER opens one of its own.")
        column.addWidget(label(words, "small", wrap=True))
        self.profiles_button = button(_("Profiles…"))
        self.profiles_button.clicked.connect(self.profiles_asked)
        column.addWidget(self.profiles_button, 0, Qt.AlignmentFlag.AlignLeading)
        column.addSpacing(SPACE["s"])
        self.keys_button = button(_("Keyboard shortcuts"))
        self.keys_button.clicked.connect(self.keys_asked)
        column.addWidget(self.keys_button, 0, Qt.AlignmentFlag.AlignLeading)

    @Slot()
    def _on_open(self) -> None:
        if not self.opens(QUrl.fromLocalFile(str(self._folder))):
            words = _("No program here opens this. It is at {path}.")
            self.said.emit(words.format(path=self._folder), "warning")


class AboutPart(QWidget):
    """Version, and the licences of what is installed with the program.

    Args:
        run: Runs what is begun, and shows errors.
    """

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.licences = label("", "small", wrap=True, select=True, title=_("Licences"))
        column = _column(self)
        picture = QLabel()
        picture.setAccessibleName("Sotto")
        picture.setPixmap(icons.logo(_LOGO, self.devicePixelRatioF()))
        column.addWidget(picture)
        column.addWidget(label(_("Sotto {version}").format(version=__version__), "title"))
        column.addWidget(label(_("Licence: Apache 2.0. It comes without any warranty."), "small", wrap=True))
        column.addWidget(label(_("Made with"), "strong"))
        column.addWidget(self.licences)
        run(self._load(), "read the licences")

    async def _load(self) -> None:
        found = await asyncio.to_thread(licences)
        self.licences.setText("\n".join(f"{name} {version} · {licence}" for name, version, licence in found))


def licences() -> list[tuple[str, str, str]]:
    """Name, version and licence of every package that Sotto needs and that is installed; blocking.

    Read from the metadata of the packages (Core Metadata 2.4), beginning with our own requirements.
    """
    wanted = _required(_ROOT) or list(_SHIPPED)
    seen: dict[str, tuple[str, str, str]] = {}
    while wanted:
        name = wanted.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()  # as PEP 503 compares names
        if key in seen:
            continue
        try:
            found = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        licence = _field(found, "License-Expression") or _field(found, "License") or _classified(found)
        seen[key] = (found["Name"], found["Version"], licence.split("\n")[0][:_MOST])
        wanted += _required(name)
    return sorted(seen.values(), key=lambda entry: entry[0].lower())


_SHIPPED: Final = (
    "PySide6-Essentials",
    "qasync",
    "pycryptodome",
    "cryptography",
    "blake3",
    "msgspec",
    "apsw-sqlite3mc",
    "uvloop",
    "winloop",
    "zeroconf",
    "ifaddr",
    "keyring",
    "platformdirs",
    "pyenchant",
    "segno",
    "typer",
    "rich",
    "prompt_toolkit",
)
"""Where to begin in a checkout, which has no metadata of its own; as in pyproject.toml."""


def _required(name: str) -> list[str]:
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []
    needed = [line for line in lines if "extra ==" not in line]
    return [_until(line) for line in needed]


def _until(line: str) -> str:
    """The name at the beginning of a requirement."""
    end = next((place for place, sign in enumerate(line) if not (sign.isalnum() or sign in "-_.")), len(line))
    return line[:end]


def _field(found: "metadata.PackageMetadata", name: str) -> str:
    return next(iter(found.get_all(name) or []), "")


def _classified(found: "metadata.PackageMetadata") -> str:
    names = found.get_all("Classifier") or []
    return next((name.rpartition(" :: ")[2] for name in names if name.startswith("License ::")), "?")


def _column(part: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(SPACE["s"])
    return column
