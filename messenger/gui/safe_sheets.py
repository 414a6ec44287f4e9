"""Dialogs about what protects a profile, and about taking it elsewhere or back in time."""

from enum import Enum, auto
from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QProgressBar, QWidget

from messenger.core.errors import SottoError
from messenger.core.models import Backup
from messenger.engine.events import ArchiveProgress, Event
from messenger.gui.bridge import Bridge
from messenger.gui.passphrase import PassphraseField, StrengthMeter
from messenger.gui.sheet import Sheet
from messenger.gui.theme import Theme
from messenger.gui.widgets import label
from messenger.text import _, explain, long_moment

_LEAST: Final = 440


class Wish(Enum):
    """What shall be done about a passphrase."""

    SET = auto()
    CHANGE = auto()
    REMOVE = auto()
    RECOVERY = auto()
    """A passphrase for the day on which the keyring is gone."""


_WORDS: Final = {
    Wish.SET: (
        _("Set a passphrase"),
        _(
            "It locks your keys and messages on this computer. Nobody can reset it: forget it, and they are"
            " lost."
        ),
        _("Set"),
    ),
    Wish.CHANGE: (
        _("Change the passphrase"),
        _(
            "Backups open with the new one from then on. Exports, and copies of the profile that you made"
            " yourself, still open with theirs."
        ),
        _("Change"),
    ),
    Wish.REMOVE: (
        _("Remove the passphrase"),
        _("From then on Sotto opens without asking, and anybody at your user account can read it."),
        _("Remove"),
    ),
    Wish.RECOVERY: (
        _("Recovery passphrase"),
        _(
            "It opens the profile when the keyring of this system is gone. Write it down and keep it"
            " elsewhere."
        ),
        _("Set"),
    ),
}


class SafeSheet(Sheet):
    """What dialogs with passphrases share: the fields, the error beside them, and a button that waits.

    Args:
        parent: The window.
        theme: Colours and fonts.
        title: What it is about.
        words: What it means.
        action: What the button says.
        danger: Whether it cannot be taken back easily.
    """

    def __init__(
        self, parent: QWidget, theme: Theme, title: str, words: str, action: str, *, danger: bool = False
    ) -> None:
        super().__init__(parent, theme, title)
        self.fields: list[PassphraseField] = []
        self.body.addWidget(label(title, "title", wrap=True))
        self.body.addWidget(label(words, "muted", wrap=True))
        self.error = label("", "error", wrap=True)
        self.error.hide()
        self.add_button(_("Cancel")).clicked.connect(self.reject)
        self.action_button = self.add_button(action, "danger" if danger else "primary")
        self.action_button.clicked.connect(self._on_action)
        self.first: PassphraseField | None = None
        self.second: PassphraseField | None = None
        self.setMinimumWidth(_LEAST)

    def add_field(self, title: str) -> PassphraseField:
        """Add a field for a passphrase."""
        field = PassphraseField(self.theme, title)
        field.textChanged.connect(self.error.hide)
        self.fields.append(field)
        self.body.addWidget(field)
        return field

    def add_new(self, title: str) -> None:
        """Add two fields for a new passphrase, and how strong it is."""
        self.first = self.add_field(title)
        meter = StrengthMeter()
        self.first.textChanged.connect(meter.rate)
        self.body.addWidget(meter)
        self.second = self.add_field(_("The same passphrase again"))

    def end_fields(self) -> None:
        """All fields are there."""
        self.body.addWidget(self.error)
        if self.fields:
            self.fields[0].setFocus()

    def refuse(self, words: str) -> None:
        """Say beside the fields what is wrong."""
        self.error.setText(words)
        self.error.show()
        self.fit()

    async def act(self) -> None:
        """Do it; what is raised is shown beside the fields.

        Raises:
            SottoError: It was not done.
        """
        raise NotImplementedError

    @Slot()
    def _on_action(self) -> None:
        if self.first is not None and self.second is not None and self.first.text() != self.second.text():
            self.refuse(_("The two passphrases are different. Type the same one twice."))
            self.second.setFocus()
            return
        self.run(self._act(), "do something about a passphrase")

    async def _act(self) -> None:
        self._busy(on=True)
        try:
            await self.act()
        except SottoError as e:  # if the dialog was closed meanwhile, there is nothing to show it in
            self._busy(on=False)
            self.refuse(explain(e))
            return
        for field in self.fields:
            field.clear()
        self.accept()

    def _busy(self, *, on: bool) -> None:
        for part in (*self.fields, self.action_button):
            part.setEnabled(not on)


class PassphraseSheet(SafeSheet):
    """Sets, changes or removes the passphrase, or sets the one for recovery.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        wish: Which.
    """

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge, wish: Wish) -> None:
        super().__init__(parent, theme, *_WORDS[wish], danger=wish is Wish.REMOVE)
        self._bridge, self._wish = bridge, wish
        self.current: PassphraseField | None = None
        if wish in {Wish.CHANGE, Wish.REMOVE}:
            self.current = self.add_field(_("Present passphrase"))
        if wish is not Wish.REMOVE:
            self.add_new(_("New passphrase"))
        self.end_fields()

    async def act(self) -> None:
        """Have the engine do it."""
        engine, call = self._bridge.engine, self._bridge.call
        current = "" if self.current is None else self.current.text()
        new = "" if self.first is None else self.first.text()
        match self._wish:
            case Wish.SET | Wish.CHANGE:
                await call(engine.set_passphrase, new, current)
            case Wish.REMOVE:
                await call(engine.remove_passphrase, current)
            case Wish.RECOVERY:
                await call(engine.set_recovery_passphrase, new)


class ArchiveSheet(SafeSheet):
    """Shows how far an export or import is.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        words: Title, meaning, and what the button says.
    """

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge, words: tuple[str, str, str]) -> None:
        super().__init__(parent, theme, *words)
        self.bridge = bridge
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(_("Progress"))
        self.bar.hide()
        bridge.events.connect(self._on_events)

    def end_fields(self) -> None:
        """All fields are there; below them stands the progress."""
        super().end_fields()
        self.body.addWidget(self.bar)

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, ArchiveProgress) and event.total:
                self.bar.show()
                self.bar.setRange(0, 1000)
                self.bar.setValue(1000 * event.done // event.total)


class ExportSheet(ArchiveSheet):
    """Writes the whole profile into one encrypted file.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        path: The file.
    """

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge, path: Path) -> None:
        meaning = _(
            "{name} will hold your identity, contacts and messages, encrypted. Whoever moves to another"
            " computer with it stops using Sotto here: two that go on from one identity disturb each other."
        )
        words = _("Export the profile"), meaning.format(name=path.name), _("Export")
        super().__init__(parent, theme, bridge, words)
        self._path = path
        self.add_new(_("Passphrase of the file"))
        self.end_fields()

    async def act(self) -> None:
        """Have the engine write it."""
        passphrase = "" if self.first is None else self.first.text()
        await self.bridge.call(self.bridge.engine.export_profile, self._path, passphrase)


class ImportSheet(ArchiveSheet):
    """Makes a new profile of an export.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        path: The export.
    """

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge, path: Path) -> None:
        meaning = _("{name} becomes your profile on this computer. Stop using it where it comes from.")
        words = _("Go on with an exported profile"), meaning.format(name=path.name), _("Import")
        super().__init__(parent, theme, bridge, words)
        self._path = path
        self.passphrase = self.add_field(_("Passphrase of the file"))
        self.add_new(_("New passphrase, or leave empty"))
        self.end_fields()

    async def act(self) -> None:
        """Have the engine read it."""
        new = None if self.first is None else self.first.text() or None
        engine = self.bridge.engine
        await self.bridge.call(engine.import_profile, self._path, self.passphrase.text(), new)


class RestoreSheet(SafeSheet):
    """Asks before the profile goes back to a backup.

    Args:
        parent: The window.
        theme: Colours and fonts.
        backup: Which.
        locked: Whether the profile has a passphrase, which is asked for.
    """

    confirmed = Signal(str, str)
    """The name of the backup, and the passphrase."""

    def __init__(self, parent: QWidget, theme: Theme, backup: Backup, *, locked: bool) -> None:
        title = _("Go back to {when}?").format(when=long_moment(backup.made_ms))
        words = _(
            "Sotto closes its connections and opens as it was then. What came later is not shown any more; it"
            " is set aside in the folder of the profile, without messages that disappear."
        )
        super().__init__(parent, theme, title, words, _("Go back"), danger=True)
        self._backup = backup
        if locked:
            self.add_field(_("Passphrase"))
        self.end_fields()

    async def act(self) -> None:
        """Tell that the person wants it."""
        self.confirmed.emit(self._backup.name, self.fields[0].text() if self.fields else "")
