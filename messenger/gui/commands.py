"""What a person can do from anywhere in the window: the actions, their keys, and the dialogs they open."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QWidget

from messenger.core.models import Contact, Me
from messenger.gui.bridge import Bridge
from messenger.gui.conversations_page import ConversationsPage
from messenger.gui.page_commands import PageCommands
from messenger.gui.relay_dialogs import RelayDialogs
from messenger.gui.tasks import Tasks
from messenger.gui.theme import Theme
from messenger.gui.widgets import IconButton
from messenger.gui.zoom import NORMAL, step
from messenger.text import _, finding

_SCHEME: Final = "sotto:"
_ALWAYS: Final = "profiles"
"""What works before this profile is opened or made, and while it is locked: it may be the wrong one."""


class Commands(QObject):
    """The actions of one window; they work once `enable` was called.

    Args:
        window: The window that the dialogs belong to.
        theme: Colours and fonts.
        bridge: The way to the engine.
        tasks: Runs what is begun, and reports errors.
        folder: The profile folder.
    """

    restore_asked = Signal(str, str)
    """The profile shall go back to a backup: its name, and the passphrase."""

    def __init__(self, window: QWidget, theme: Theme, bridge: Bridge, tasks: Tasks, folder: Path) -> None:
        super().__init__(window)
        self._window, self._theme, self._bridge, self._tasks = window, theme, bridge, tasks
        self._folder = folder
        self._page: ConversationsPage | None = None
        self._here = PageCommands(window, theme, bridge)
        self._relays = RelayDialogs(window, theme, bridge)
        self._lock_button: IconButton | None = None
        self.actions: dict[str, QAction] = {}
        """All actions by name."""
        for name, words, keys, slot in (
            ("connect", _("Connect…"), "Ctrl+N", self._on_connect),
            ("paste", _("Paste invite"), "Ctrl+I", self._on_paste),
            ("invite", _("Copy my invite"), "Ctrl+Shift+I", self._on_invite),
            ("show", _("Show my invite…"), "Ctrl+Shift+M", self._on_show_invite),
            ("people", finding.ACTION, "Ctrl+P", self._relays.find_people),
            ("host", _("Host…"), "Ctrl+H", self._on_host),
            ("relay", _("Host a relay…"), "Ctrl+Shift+H", self._on_relay),
            ("settings", _("Settings…"), "Ctrl+,", self._on_settings),
            ("search", _("Search people and messages"), "Ctrl+Shift+F", self._here.search),
            ("find", _("Search in this conversation"), "Ctrl+F", self._here.find),
            ("switch", _("Go to conversation…"), "Ctrl+K", self._here.switch),
            ("date", _("Jump to a date…"), "Ctrl+G", self._here.ask_date),
            ("unread", _("Jump to the first unread message"), "Ctrl+U", self._here.to_unread),
            ("info", _("Contact info"), "Alt+Return", self._here.show_info),
            ("transfers", _("Transfers…"), "Ctrl+J", self._here.show_transfers),
            ("keys", _("Keyboard shortcuts"), "Ctrl+/", self._on_keys),
            ("apart", _("Open in a window of its own"), "Ctrl+Shift+O", self._here.take_apart),
            ("next", _("Next conversation"), "Alt+Down", lambda: self._here.step(+1)),
            ("previous", _("Previous conversation"), "Alt+Up", lambda: self._here.step(-1)),
            ("leave", _("Leave what was begun, then the conversation"), "Esc", self._here.leave),
            ("larger", _("Everything larger"), "Ctrl++", lambda: self._zoom(+1)),
            ("smaller", _("Everything smaller"), "Ctrl+-", lambda: self._zoom(-1)),
            ("normal", _("Everything in its normal size"), "Ctrl+0", lambda: self._zoom(0)),
            ("lock", _("Lock"), "Ctrl+L", self._on_lock),
            ("profiles", _("Profiles…"), "Ctrl+Shift+P", self.show_profiles),
        ):
            action = self.actions[name] = QAction(words, self)
            action.setShortcut(keys)
            action.setEnabled(name == _ALWAYS)
            action.triggered.connect(slot)
            window.addAction(action)
        larger = self.actions["larger"]
        larger.setShortcuts([larger.shortcut(), QKeySequence("Ctrl+=")])

    def enable(self, page: ConversationsPage) -> None:
        """The conversations can be seen: everything works from now on."""
        self._page = self._here.page = self._relays.page = page
        page.chat.deeds.invite_clicked.connect(self.open_connect)
        page.windows.invite_clicked.connect(self.open_connect)
        page.windows.shared = [self.actions[name] for name in ("larger", "smaller", "normal", "lock", "keys")]
        page.transfers.clicked.connect(self._here.show_transfers)
        for action in self.actions.values():
            action.setEnabled(True)

    def disable(self) -> None:
        """The conversations cannot be seen any more."""
        self._page = self._here.page = self._relays.page = self._lock_button = None
        for name, action in self.actions.items():
            action.setEnabled(name == _ALWAYS)

    def entries(self) -> list[tuple[str, QAction, str]]:
        """The New menu: picture, action, and one line for those that the empty pane offers as well."""
        return [
            ("connect", self.actions["connect"], _("Type the address of somebody who runs Sotto")),
            ("invite", self.actions["paste"], ""),
            ("qr", self.actions["show"], ""),
            ("copy", self.actions["invite"], _("Send the link to somebody; it leads them to you")),
            ("transfers", self.actions["transfers"], ""),
            ("relay", self.actions["people"], ""),
            ("host", self.actions["host"], _("See the addresses under which others can reach you")),
            ("globe", self.actions["relay"], ""),
        ]

    def tools(self) -> list[IconButton]:
        """Buttons beside the New button; the lock is seen where a passphrase opens it again."""
        result = []
        for name, words in (
            ("host", _("Host: how others reach you")),
            ("settings", _("Settings")),
            ("lock", _("Lock")),
        ):
            tool = IconButton(self._theme, name, words, size=22)
            tool.clicked.connect(self.actions[name].trigger)
            result.append(tool)
        self._lock_button = result[-1]
        self._lock_button.hide()
        return result

    def show_me(self, me: Me) -> None:
        """Offer what fits how the keys are kept now."""
        if self._lock_button is not None:
            self._lock_button.setVisible(me.protection == "passphrase")

    def open_connect(self, target: str = "") -> None:
        """Open the Connect dialog.

        Args:
            target: An address, invite link or link of a relay to begin with, or nothing.
        """
        from messenger.gui.add_relay_sheet import is_relay_link
        from messenger.gui.connect_sheet import ConnectSheet

        if is_relay_link(target):
            self._relays.add(target)
            return
        history = [] if self._page is None else self._page.addresses()
        sheet = ConnectSheet(self._window, self._theme, self._bridge, history, target)
        sheet.connected.connect(self._on_connected)
        sheet.relay_given.connect(self._relays.add)
        sheet.left.connect(self._relays.say_left)
        sheet.open()

    @Slot()
    def _on_connect(self) -> None:
        self.open_connect()

    @Slot(object)
    def _on_connected(self, contact: Contact) -> None:
        if self._page is not None:
            self._page.show_conversation(contact.id)

    @Slot()
    def _on_paste(self) -> None:
        text = QGuiApplication.clipboard().text().strip()
        if text.lower().startswith(_SCHEME):
            self.open_connect(text)
        elif self._page is not None:
            self._page.notice.say(_("There is no invite link in the clipboard. Copy one first."), "warning")

    @Slot()
    def _on_invite(self) -> None:
        self._tasks.start(self._copy_invite(), name="make an invite")

    async def _copy_invite(self) -> None:
        QGuiApplication.clipboard().setText(await self._bridge.call(self._bridge.engine.make_invite))
        if self._page is not None:
            words = _("Invite link copied. Send it to one person; it works once, within seven days.")
            self._page.notice.say(words)

    @Slot()
    def _on_show_invite(self) -> None:
        from messenger.gui.invite_sheet import InviteSheet

        InviteSheet(self._window, self._theme, self._bridge).open()

    @Slot()
    def _on_host(self) -> None:
        from messenger.gui.host_sheet import HostSheet

        HostSheet(self._window, self._theme, self._bridge).open()

    @Slot()
    def _on_relay(self) -> None:
        from messenger.gui.relay_sheet import RelaySheet

        RelaySheet(self._window, self._theme, self._bridge, self._folder).open()

    @Slot()
    def _on_settings(self) -> None:
        from messenger.gui.settings_sheet import SettingsSheet

        sheet = SettingsSheet(self._window, self._theme, self._bridge)
        sheet.restore_asked.connect(self.restore_asked)
        sheet.advanced.profiles_asked.connect(sheet.accept)
        sheet.advanced.profiles_asked.connect(self.show_profiles)
        sheet.advanced.keys_asked.connect(sheet.accept)
        sheet.advanced.keys_asked.connect(self._on_keys)
        sheet.open()

    @Slot()
    def _on_keys(self) -> None:
        from messenger.gui.shortcuts_sheet import ShortcutsSheet

        ShortcutsSheet(self._window, self._theme, self._window.actions()).open()

    @Slot()
    def show_profiles(self) -> None:
        """List the other profiles; possible at any time."""
        from messenger.gui.profiles import ProfilesSheet

        ProfilesSheet(self._window, self._theme, self._folder).open()

    def _zoom(self, by: int) -> None:
        now = self._theme.zoom.percent
        wanted = step(now, by) if by else NORMAL
        if wanted != now:
            work = self._bridge.call(self._bridge.engine.change_settings, {"zoom": wanted})
            self._tasks.start(work, name="change the size")

    @Slot()
    def _on_lock(self) -> None:
        self._tasks.start(self._bridge.call(self._bridge.engine.lock), name="lock the profile")
