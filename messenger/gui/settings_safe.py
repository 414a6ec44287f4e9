"""Parts of the Settings dialog that do something: passphrase, sizes, backups, export."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QVBoxLayout, QWidget

from messenger.core.errors import SottoError
from messenger.core.models import Backup, Conversation, Me, StorageUse
from messenger.gui.bridge import Bridge
from messenger.gui.files import choose_new_file
from messenger.gui.safe_sheets import ExportSheet, PassphraseSheet, RestoreSheet, Wish
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import button, label
from messenger.text import PROTECTION, _, long_moment, ngettext, size_words

_LARGEST: Final = 5
"""Conversations whose size is told."""
_LIST: Final = 120

Run = Callable[[Coroutine[Any, Any, Any], str], None]


class ProtectionPart(QWidget):
    """The passphrase: set, change, remove; and the one for recovery.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
        run: Starts what the dialog ends with.
    """

    def __init__(self, theme: Theme, bridge: Bridge, run: Run) -> None:
        super().__init__()
        self._theme, self._bridge, self._run = theme, bridge, run
        self.words = label("", wrap=True)
        self.recovery_words = label("", "small", wrap=True)
        self.set_button = button(_("Set a passphrase…"))
        self.change_button = button(_("Change…"))
        self.remove_button = button(_("Remove…"))
        self.recovery_button = button(_("Recovery passphrase…"))
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        for part, wish in (
            (self.set_button, Wish.SET),
            (self.change_button, Wish.CHANGE),
            (self.remove_button, Wish.REMOVE),
            (self.recovery_button, Wish.RECOVERY),
        ):
            part.clicked.connect(lambda _checked=False, wish=wish: self._ask(wish))
            row.addWidget(part)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE["s"])
        column.addWidget(label(_("Passphrase"), "strong"))
        column.addWidget(self.words)
        column.addLayout(row)
        column.addWidget(self.recovery_words)

    def show_me(self, me: Me) -> None:
        """Show what protects the profile now."""
        self.words.setText(PROTECTION[me.protection])
        locked, keyring = me.protection == "passphrase", me.protection == "keyring"
        self.set_button.setVisible(not locked)
        self.change_button.setVisible(locked)
        self.remove_button.setVisible(locked)
        self.recovery_button.setVisible(keyring)
        self.recovery_words.setVisible(keyring)
        if keyring:
            self._run(self._look(), "look for a recovery passphrase")

    async def _look(self) -> None:
        there = await self._bridge.call(self._bridge.engine.has_recovery_passphrase)
        self.recovery_words.setText(
            _("A recovery passphrase is set.")
            if there
            else _("Without a recovery passphrase, everything is lost when the keyring is.")
        )

    def _ask(self, wish: Wish) -> None:
        sheet = PassphraseSheet(self.window(), self._theme, self._bridge, wish)
        sheet.accepted.connect(lambda: self._run(self._reload(), "look at what protects the profile"))
        sheet.open()

    async def _reload(self) -> None:
        self.show_me(await self._bridge.call(self._bridge.engine.me))


class StoragePart(QWidget):
    """Sizes, backups and the way back to them, export of the profile.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
        run: Starts what the dialog ends with.
    """

    restore_asked = Signal(str, str)
    """The name of a backup to go back to, and the passphrase."""
    said = Signal(str)
    """A sentence that says what was done."""

    def __init__(self, theme: Theme, bridge: Bridge, run: Run) -> None:
        super().__init__()
        self._theme, self._bridge, self._run = theme, bridge, run
        self._backups: list[Backup] = []
        self.sizes = label("", wrap=True, select=True)
        self.list = QListWidget()
        self.list.setObjectName("backups")
        self.list.setAccessibleName(_("Backups"))
        self.list.setFixedHeight(_LIST)
        self.none = label(_("There is no backup yet."), "muted")
        self.back_up_button = button(_("Back up now"))
        self.restore_button = button(_("Go back to it…"))
        self.export_button = button(_("Export the profile…"))
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        row.addWidget(self.back_up_button)
        row.addWidget(self.restore_button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE["s"])
        column.addWidget(label(_("Backups"), "strong"))
        column.addWidget(self.list)
        column.addWidget(self.none)
        column.addLayout(row)
        column.addSpacing(SPACE["s"])
        column.addWidget(label(_("What it takes on the disk"), "strong"))
        column.addWidget(self.sizes)
        column.addSpacing(SPACE["s"])
        column.addWidget(label(_("Everything in one file"), "strong"))
        words = _("For another computer or for a shelf: identity, contacts and messages, encrypted.")
        column.addWidget(label(words, "small", wrap=True))
        column.addWidget(self.export_button, 0, Qt.AlignmentFlag.AlignLeading)
        self.list.currentRowChanged.connect(self._on_row)
        self.back_up_button.clicked.connect(lambda: run(self._back_up(), "make a backup"))
        self.restore_button.clicked.connect(lambda: run(self._ask_restore(), "ask before a restore"))
        self.export_button.clicked.connect(self._on_export)

    async def load(self) -> None:
        """Ask the engine how things are."""
        engine, call = self._bridge.engine, self._bridge.call
        self._show_backups(await call(engine.backups))
        self._show_use(await call(engine.storage_use), await call(engine.conversations))

    def write_export(self, path: Path) -> None:
        """Ask for a passphrase, then write the profile into a file."""
        sheet = ExportSheet(self.window(), self._theme, self._bridge, path)
        sheet.accepted.connect(lambda: self.said.emit(_("The profile is in {path}.").format(path=path)))
        sheet.open()

    def _show_backups(self, backups: list[Backup]) -> None:
        self._backups = backups
        self.list.clear()
        for backup in backups:
            self.list.addItem(f"{long_moment(backup.made_ms)} · {size_words(backup.bytes)}")
        self.list.setVisible(bool(backups))
        self.none.setVisible(not backups)
        self.list.setCurrentRow(0 if backups else -1)
        self._on_row()

    def _show_use(self, use: StorageUse, conversations: list[Conversation]) -> None:
        titles = {one.id: one.contact.title for one in conversations}
        lines = [
            _("Messages and contacts: {size}").format(size=size_words(use.database)),
            _("Backups: {size}").format(size=size_words(use.backups)),
        ]
        for one in use.conversations[:_LARGEST]:
            count = ngettext("{count} message", "{count} messages", one.messages).format(count=one.messages)
            lines.append(f"{titles.get(one.conversation, '?')}: {count}, {size_words(one.bytes)}")
        self.sizes.setText("\n".join(lines))

    async def _back_up(self) -> None:
        self.back_up_button.setEnabled(False)
        try:
            await self._bridge.call(self._bridge.engine.back_up)
        except SottoError:
            self.back_up_button.setEnabled(True)
            raise
        await self.load()
        self.back_up_button.setEnabled(True)
        self.said.emit(_("The backup is made and checked."))

    async def _ask_restore(self) -> None:
        backup = self._backups[self.list.currentRow()]
        me = await self._bridge.call(self._bridge.engine.me)
        sheet = RestoreSheet(self.window(), self._theme, backup, locked=me.protection == "passphrase")
        sheet.confirmed.connect(self.restore_asked)
        sheet.open()

    @Slot()
    def _on_row(self) -> None:
        self.restore_button.setEnabled(0 <= self.list.currentRow() < len(self._backups))

    @Slot()
    def _on_export(self) -> None:
        kinds = {_("Export of a Sotto profile (*.sotto-profile)"): ".sotto-profile"}
        choose_new_file(self.window(), _("Export the profile"), "profile", kinds, self.write_export)
