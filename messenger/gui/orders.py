"""What can be done with a conversation as a whole, wherever it is offered: chat, list, contact panel."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget

from messenger.core.models import Contact, ExportForm, Offline, Standing
from messenger.gui.bridge import Bridge
from messenger.gui.conversation_model import Row
from messenger.gui.entries import Entry, Item, Submenu
from messenger.gui.files import choose_new_file
from messenger.gui.sheet import ConfirmSheet, RenameSheet
from messenger.gui.tasks import Tasks
from messenger.gui.theme import Theme
from messenger.gui.timer_menu import TimerSheet, timer_menu
from messenger.text import _, ngettext
from messenger.text.export import export_words

Command = Callable[..., Coroutine[Any, Any, object]]


class Orders(QObject):
    """Asks where asking is due, then has the engine do it.

    Args:
        home: A widget of the window that the dialogs belong to.
        theme: Colours and fonts.
        bridge: The way to the engine.
        tasks: Runs what is begun, and reports errors.
    """

    done = Signal(str)
    """A sentence that says what was done, where that cannot be seen."""

    def __init__(self, home: QWidget, theme: Theme, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(home)
        self._home, self._theme, self._bridge, self._tasks = home, theme, bridge, tasks

    def entries(self, row: Row) -> list[Item | None]:
        """The menu of a conversation, for every place that has one."""
        contact = row.conversation.contact
        result: list[Item | None] = [
            Entry("shield", _("Compare safety number…"), lambda: self.verify(contact)),
            Entry("edit", _("Rename…"), lambda: self.rename(contact)),
        ]
        if contact.standing is Standing.ACCEPTED:
            if isinstance(row.presence, Offline):
                result.append(Entry("connect", _("Reach them now"), lambda: self.reconnect(contact)))
            else:
                result.append(Entry("unplug", _("Disconnect"), lambda: self.hang_up(contact)))
            result.append(Submenu(lambda menu: self.timers(menu, contact)))
        result += [None, *self.arranging(contact), None]
        result += [
            Entry("clock", _("Keep messages…"), lambda: self.keep(contact)),
            Entry("save", _("Export conversation…"), lambda: self.export(contact)),
            None,
        ]
        if contact.standing is Standing.BLOCKED:
            result.append(Entry("person", _("Unblock"), lambda: self.unblock(contact)))
        else:
            result.append(Entry("block", _("Block"), lambda: self.block(contact)))
        delete = Entry("trash", _("Delete conversation…"), lambda: self.delete(contact), "danger")
        return [*result, delete]

    def arranging(self, contact: Contact) -> list[Entry]:
        """Entries that pin, mute and archive, or take that back."""
        pin, mute, put = contact.pinned, contact.muted, contact.archived
        return [
            Entry("pin", _("Unpin") if pin else _("Pin"), lambda: self.arrange(contact, pinned=not pin)),
            Entry("mute", _("Unmute") if mute else _("Mute"), lambda: self.arrange(contact, muted=not mute)),
            Entry(
                "archive",
                _("Take out of the archive") if put else _("Archive"),
                lambda: self.arrange(contact, archived=not put),
            ),
        ]

    def arrange(self, contact: Contact, **changes: object) -> None:
        """Pin, mute, archive, or write a note."""
        self._order(self._bridge.engine.arrange, contact.id, **changes)

    def accept(self, contact: Contact) -> None:
        """Let a stranger in."""
        self._order(self._bridge.engine.accept, contact.id)

    def unblock(self, contact: Contact) -> None:
        """Let somebody in again."""
        self._order(self._bridge.engine.unblock, contact.id)

    def hang_up(self, contact: Contact) -> None:
        """Say goodbye until something is sent."""
        self._order(self._bridge.engine.disconnect, contact.id)

    def reconnect(self, contact: Contact) -> None:
        """Call somebody now."""
        self._order(self._bridge.engine.reconnect, contact.id)

    def block(self, contact: Contact) -> None:
        """Ask, then refuse somebody."""
        title = _("Block {name}?").format(name=contact.title)
        words = _("They can no longer reach you, and messages that still wait for them are not sent.")
        sheet = ConfirmSheet(self._home.window(), self._theme, title, words, _("Block"))
        sheet.accepted.connect(lambda: self._order(self._bridge.engine.block, contact.id))
        sheet.open()

    def delete(self, contact: Contact) -> None:
        """Ask, then forget somebody."""
        title = _("Delete the conversation with {name}?").format(name=contact.title)
        words = _("All messages and the contact are removed from this computer. Nobody can bring them back.")
        sheet = ConfirmSheet(self._home.window(), self._theme, title, words, _("Delete"))
        sheet.accepted.connect(lambda: self._order(self._bridge.engine.delete_conversation, contact.id))
        sheet.open()

    def rename(self, contact: Contact) -> None:
        """Ask for a name of our own."""
        sheet = RenameSheet(self._home.window(), self._theme, contact.name, contact.alias)
        sheet.renamed.connect(lambda alias: self._order(self._bridge.engine.rename, contact.id, alias))
        sheet.open()

    def timers(self, parent: QWidget, contact: Contact) -> QMenu:
        """The menu that sets after how long messages disappear."""
        return timer_menu(
            self._theme,
            parent,
            contact.timer,
            lambda seconds: self.set_timer(contact, seconds),
            lambda: self.ask_timer(contact),
        )

    def set_timer(self, contact: Contact, seconds: int) -> None:
        """Set after how many seconds messages disappear; 0 for never."""
        self._order(self._bridge.engine.set_timer, contact.id, seconds)

    def ask_timer(self, contact: Contact) -> None:
        """Ask for a time that the menu does not have."""
        sheet = TimerSheet(self._home.window(), self._theme, contact.timer)
        sheet.chosen.connect(lambda seconds: self.set_timer(contact, seconds))
        sheet.open()

    def trust(self, contact: Contact) -> None:
        """Go on with a new key that nobody has compared."""
        self._order(self._bridge.engine.trust_key, contact.id)

    def verify(self, contact: Contact) -> None:
        """Compare the safety number."""
        from messenger.gui.verify_sheet import VerifySheet

        VerifySheet(self._home.window(), self._theme, self._bridge, contact).open()

    def keep(self, contact: Contact) -> None:
        """Ask for how long messages are kept."""
        from messenger.gui.keep_sheet import KeepSheet

        KeepSheet(self._home.window(), self._theme, self._bridge, contact).open()

    def export(self, contact: Contact) -> None:
        """Ask for a file, then write the conversation into it."""
        kinds = {_("Web page, for people (*.html)"): ".html", _("JSON, for programs (*.json)"): ".json"}
        title = _("Export the conversation with {name}").format(name=contact.title)
        choose_new_file(
            self._home.window(), title, "conversation", kinds, lambda path: self.write(contact, path)
        )

    def write(self, contact: Contact, path: Path) -> None:
        """Write a conversation into a file whose ending says how."""
        self._tasks.start(self._write(contact, path), name="export a conversation")

    async def _write(self, contact: Contact, path: Path) -> None:
        form = ExportForm.JSON if path.suffix.lower() == ".json" else ExportForm.HTML
        call, engine = self._bridge.call, self._bridge.engine
        count = await call(engine.export_conversation, contact.id, path, form, export_words(contact))
        words = ngettext("{count} message written to {path}.", "{count} messages written to {path}.", count)
        self.done.emit(words.format(count=count, path=path))

    def _order(self, command: Command, *args: object, **kwargs: object) -> None:
        self._tasks.start(self._bridge.call(command, *args, **kwargs), name="order to the engine")
