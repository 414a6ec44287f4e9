"""More about one person: who they are, our own words about them, and what can be done."""

import time
from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from messenger.core import store_limits
from messenger.core.ids import ConversationId, format_fingerprint
from messenger.core.models import Contact, Offline, Standing
from messenger.gui.bridge import Bridge
from messenger.gui.chat_files import ChatFiles
from messenger.gui.chat_header import HEADER, AvatarLabel
from messenger.gui.conversation_model import Row
from messenger.gui.long_buttons import RowButton
from messenger.gui.orders import Orders
from messenger.gui.sheet import Sheet
from messenger.gui.switches import Switch
from messenger.gui.theme import SPACE, Theme
from messenger.gui.transfer_list import TransferList
from messenger.gui.widgets import IconButton, IconLabel, button, label
from messenger.text import _, presence_words, timer_words

_WIDTH = 300
_AVATAR = 80
_FILES = 220
_FILES_MOST = 100
"""Files that are listed, the newest; all of them are in the conversation."""
_REST_MS = 500
"""A note is stored when nothing was typed for so long."""


class ContactInfo(QWidget):
    """The contents, for the panel and for the sheet.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
        orders: What can be done.
        files: The files of all conversations.
    """

    def __init__(self, theme: Theme, bridge: Bridge, orders: Orders, files: ChatFiles) -> None:
        super().__init__()
        self.setObjectName("scrolled")
        self._bridge, self._orders, self._files = bridge, orders, files
        self._row: Row | None = None
        self._unsaved: ConversationId | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE["l"], SPACE["l"], SPACE["l"], SPACE["l"])
        column.setSpacing(SPACE["m"])
        self._avatar = AvatarLabel(theme, _AVATAR)
        self.title = label("", "title", wrap=True)
        self._called = label("", "small", wrap=True)
        self._presence = label("", "small", wrap=True)
        for part in (self.title, self._called, self._presence):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._avatar, 0, Qt.AlignmentFlag.AlignHCenter)
        for part in (self.title, self._called, self._presence):
            column.addWidget(part)
        column.addLayout(self._trust(theme))
        self._add_note(column)
        self._add_files(column, theme)
        self._add_switches(column, theme)
        self._add_buttons(column, theme)
        column.addStretch(1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MS)
        self._timer.timeout.connect(self.flush)

    def show_row(self, row: Row) -> None:
        """Show a person as they are now."""
        contact = row.conversation.contact
        before = None if self._row is None else self._row.conversation
        if before is not None and before.id != contact.id:
            self.flush()
        if (
            before is None
            or before.id != contact.id
            or (before.contact.note != contact.note and not self.note.hasFocus())
        ):
            quiet = QSignalBlocker(self.note)
            self.note.setPlainText(contact.note)
            quiet.unblock()
        self._row = row
        self._show_files()
        self._avatar.show_person(contact)
        self.title.setText(contact.title)
        named = contact.alias and contact.name and contact.alias != contact.name
        self._called.setText(_("calls themselves {name}").format(name=contact.name) if named else "")
        self._called.setVisible(bool(named))
        self._presence.setText(self._reached(row))
        self.fingerprint.setText(format_fingerprint(contact.fingerprint))
        verified = contact.verified
        self._trust_icon.show_icon("shield" if verified else "unverified", "success" if verified else "muted")
        self._trust_words.setText(_("Verified") if verified else _("Not verified"))
        self.pin.setChecked(contact.pinned)
        self.mute.setChecked(contact.muted)
        self.archive.setChecked(contact.archived)
        blocked = contact.standing is Standing.BLOCKED
        self.block_button.setText(_("Unblock") if blocked else _("Block"))
        words = _("Disappearing messages: {time}").format(time=timer_words(contact.timer))
        self.timer_button.setText(words)
        self.timer_button.setToolTip(words)
        self.timer_button.setVisible(contact.standing is Standing.ACCEPTED)

    @staticmethod
    def _reached(row: Row) -> str:
        """Whether they can be reached; without the countdown to the next try, which nobody turns here."""
        presence = Offline() if isinstance(row.presence, Offline) else row.presence
        return presence_words(presence, time.time_ns() // 1_000_000, row.conversation.contact.seen_ms)

    @Slot()
    def flush(self) -> None:
        """Store the note, without waiting for it."""
        self._timer.stop()
        if self._unsaved is not None:
            note = self.note.toPlainText()
            while len(note.encode("utf-8", "replace")) > store_limits.NOTE_MAX:
                note = note[:-1]
            self._bridge.post(self._bridge.engine.arrange, self._unsaved, note=note)
            self._unsaved = None

    def _trust(self, theme: Theme) -> QVBoxLayout:
        self._trust_icon = IconLabel(theme, "unverified", "muted", 20)
        self._trust_words = label("", "strong")
        self.verify_button = button(_("Compare safety number…"))
        self.verify_button.clicked.connect(lambda: self._with(self._orders.verify))
        self.fingerprint = label("", "smallMono", wrap=True, select=True, title=_("Their fingerprint"))
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        row.addStretch(1)
        row.addWidget(self._trust_icon)
        row.addWidget(self._trust_words)
        row.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(SPACE["s"])
        column.addLayout(row)
        column.addWidget(self.fingerprint)
        column.addWidget(self.verify_button)
        return column

    def _add_note(self, column: QVBoxLayout) -> None:
        self.note = QPlainTextEdit()
        self.note.setPlaceholderText(_("Your note; only you see it"))
        self.note.setAccessibleName(_("Your note; only you see it"))
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(72)
        self.note.textChanged.connect(self._on_note)
        column.addWidget(self.note)

    def _add_files(self, column: QVBoxLayout, theme: Theme) -> None:
        self.files_title = label(_("Shared files"), "strong")
        self.files = TransferList(theme, self._name, _("Shared files"), headed=False)
        self.files.show_pictures(self._files.pictures.get)
        self.files.setFixedHeight(_FILES)
        self.files.deed_asked.connect(self._files.deeds.do)
        self.files.chosen.connect(self._files.show)
        self._files.book.changed.connect(self._show_files)
        column.addWidget(self.files_title)
        column.addWidget(self.files)

    def _name(self, _conversation: ConversationId) -> str:
        return "" if self._row is None else self._row.conversation.contact.title

    @Slot()
    def _show_files(self) -> None:
        found = [] if self._row is None else self._files.book.all(self._row.conversation.id)
        self.files.show_rows(list(found[:_FILES_MOST]))
        self.files.setVisible(bool(found))
        self.files_title.setVisible(bool(found))

    def _add_switches(self, column: QVBoxLayout, theme: Theme) -> None:
        made = []
        for name, words in (
            ("pinned", _("Pinned above the others")),
            ("muted", _("Muted")),
            ("archived", _("In the archive")),
        ):
            switch = Switch(theme, words)
            switch.clicked.connect(lambda on, name=name: self._arrange(name, on))
            row = QHBoxLayout()
            row.addWidget(label(words), 1)
            row.addWidget(switch)
            column.addLayout(row)
            made.append(switch)
        self.pin, self.mute, self.archive = made

    def _add_buttons(self, column: QVBoxLayout, theme: Theme) -> None:
        orders = self._orders
        self.rename_button = RowButton(theme, "edit", _("Rename…"))
        self.timer_button = RowButton(theme, "timer", "")
        self.keep_button = RowButton(theme, "clock", _("Keep messages…"))
        self.export_button = RowButton(theme, "save", _("Export conversation…"))
        self.block_button = RowButton(theme, "block", _("Block"))
        self.delete_button = RowButton(
            theme, "trash", _("Delete conversation…"), color="danger", kind="dangerRow"
        )
        rows = QVBoxLayout()
        rows.setSpacing(2)
        rows.setContentsMargins(-SPACE["s"], 0, -SPACE["s"], 0)  # so that icons stand below the other parts
        for part, act in (
            (self.rename_button, orders.rename),
            (self.timer_button, self._ask_timer),
            (self.keep_button, orders.keep),
            (self.export_button, orders.export),
            (self.block_button, self._block),
            (self.delete_button, orders.delete),
        ):
            part.clicked.connect(lambda _checked=False, act=act: self._with(act))
            rows.addWidget(part)
        column.addLayout(rows)

    def _block(self, contact: Contact) -> None:
        blocked = contact.standing is Standing.BLOCKED
        (self._orders.unblock if blocked else self._orders.block)(contact)

    def _ask_timer(self, contact: Contact) -> None:
        menu = self._orders.timers(self, contact)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.timer_button.mapToGlobal(self.timer_button.rect().bottomLeft()))

    def _arrange(self, name: str, on: bool) -> None:
        if self._row is not None:
            self._orders.arrange(self._row.conversation.contact, **{name: on})

    @Slot()
    def _on_note(self) -> None:
        if self._row is not None:
            self._unsaved = self._row.conversation.id
            self._timer.start()

    def _with(self, act: Callable[[Contact], object]) -> None:
        if self._row is not None:
            act(self._row.conversation.contact)


class ContactPanel(QWidget):
    """The third column.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
        orders: What can be done.
        files: The files of all conversations.
    """

    closed = Signal()

    def __init__(self, theme: Theme, bridge: Bridge, orders: Orders, files: ChatFiles) -> None:
        super().__init__()
        self.setObjectName("contactPanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(_("Contact info"))
        self.setMinimumWidth(_WIDTH)
        self.info = ContactInfo(theme, bridge, orders, files)
        self.close_button = IconButton(theme, "close", _("Close the contact info"), size=18)
        self.close_button.clicked.connect(self.closed)
        self.area = area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self.info)
        bar = QWidget()
        bar.setObjectName("chatHeader")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        bar.setFixedHeight(HEADER)
        head = QHBoxLayout(bar)
        head.setContentsMargins(SPACE["l"], 0, SPACE["m"], 0)
        head.addWidget(label(_("Contact info"), "title"), 1)
        head.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(area, 1)
        self.setFocusProxy(self.close_button)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """As wide as a fingerprint."""
        return QSize(_WIDTH, 600)

    def show_row(self, row: Row) -> None:
        """Show a person as they are now."""
        self.info.show_row(row)

    def stop(self) -> None:
        """The window closes: store what was begun."""
        self.info.flush()


class PanelSheet(Sheet):
    """The same over the window, where there is no room beside the chat.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        orders: What can be done.
        files: The files of all conversations.
        row: Who.
    """

    def __init__(
        self, parent: QWidget, theme: Theme, bridge: Bridge, orders: Orders, files: ChatFiles, row: Row
    ) -> None:
        super().__init__(parent, theme, _("Contact info"), fills=True)
        self.info = ContactInfo(theme, bridge, orders, files)
        self.info.show_row(row)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self.info)
        self.body.addWidget(area)
        self.add_button(_("Close"), "primary").clicked.connect(self.accept)
        self.finished.connect(self.info.flush)
        self._shown = row.conversation.id
        self.resize(400, 600)

    def refresh(self, row: Row) -> None:
        """Something about a conversation changed; show it, if it is the one with this person."""
        if row.conversation.id == self._shown:
            self.info.show_row(row)
