"""Above the messages: who it is, whether they can be reached and how, and whether they are verified."""

import time
from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from messenger.core.models import Contact, Me, Offline, Online, Presence, Standing
from messenger.core.relays import Relay
from messenger.gui.avatar import paint_avatar, pixels_of
from messenger.gui.entries import Item, menu_of
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import ElidedLabel, IconButton, IconLabel, set_role
from messenger.text import _, presence_words, typing_words
from messenger.text.relaying import path

HEADER = 64
_PATH = 14
_COUNTDOWN_MS = 1000


class AvatarLabel(QWidget):
    """A person's disc.

    Args:
        theme: Colours and fonts.
        size: Edge in pixels.
    """

    def __init__(self, theme: Theme, size: int) -> None:
        super().__init__()
        self._faces = theme.faces
        self._faces.changed.connect(self.update)
        self._person: Contact | Me | None = None
        self.setFixedSize(size, size)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """The size of the disc."""
        return self.minimumSize()

    def show_person(self, person: Contact | Me) -> None:
        """Show a contact, or ourselves."""
        self._person = person
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Draw the disc."""
        person = self._person
        if person is not None:
            painter, disc = QPainter(self), QRectF(self.rect())
            face = self._faces.get(person.portrait, pixels_of(painter, disc))
            title = person.title if isinstance(person, Contact) else person.name
            paint_avatar(painter, disc, title, person.fingerprint, face)


class ChatHeader(QWidget):
    """The line above the messages, and the menu of a conversation.

    Args:
        theme: Colours and fonts.
    """

    back_asked = Signal()
    verify_asked = Signal()
    search_asked = Signal()
    info_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("chatHeader")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEADER)
        self._theme = theme
        self._contact: Contact | None = None
        self._presence: Presence = Offline()
        self._typing = False
        self._relays: list[Relay] = []
        self.entries: Callable[[], list[Item | None]] = list
        """Tells what stands in the menu of the conversation."""
        self.back_button = IconButton(theme, "back", _("Back to the conversations (Esc)"), size=22)
        self.back_button.clicked.connect(self.back_asked)
        self.back_button.hide()
        self._avatar = AvatarLabel(theme, 40)
        self._title = ElidedLabel("title")
        self._lock = IconLabel(theme, "lock", "success", 16)
        self._words = ElidedLabel("small")
        self.path = IconLabel(theme, "connect", "muted", _PATH)
        """By which way messages go; its tool tip says who sees what on it."""
        self._verify = IconButton(theme, "unverified", _("Not verified: compare the safety number"), size=22)
        self._verify.clicked.connect(self.verify_asked)
        self._search = IconButton(theme, "search", _("Search in this conversation (Ctrl+F)"), size=22)
        self._search.clicked.connect(self.search_asked)
        self._info = IconButton(theme, "info", _("Contact info"), size=22)
        self._info.clicked.connect(self.info_asked)
        self._more = IconButton(theme, "more", _("Conversation menu"), size=22)
        self._more.clicked.connect(self._on_more)
        self._timer = QTimer(self)
        self._timer.setInterval(_COUNTDOWN_MS)
        self._timer.timeout.connect(self._show_presence)
        names = QHBoxLayout()
        names.setSpacing(SPACE["s"])
        names.addWidget(self._title)
        names.addWidget(self._lock)
        names.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addStretch(1)
        column.addLayout(names)
        way = QHBoxLayout()
        way.setSpacing(SPACE["xs"])
        way.addWidget(self.path)
        way.addWidget(self._words, 1)
        column.addLayout(way)
        column.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE["l"], 0, SPACE["m"], 0)
        row.setSpacing(SPACE["m"])
        row.addWidget(self.back_button)
        row.addWidget(self._avatar)
        row.addLayout(column, 1)
        for part in (self._verify, self._search, self._info):
            row.addWidget(part)
        row.addWidget(self._more)

    def words(self) -> str:
        """What it says about their presence."""
        return self._words.text()

    def show_contact(self, contact: Contact, presence: Presence) -> None:
        """Show a person.

        Args:
            contact: Who.
            presence: Whether they can be reached.
        """
        self._contact, self._presence = contact, presence
        self._avatar.show_person(contact)
        self._title.setText(contact.title)
        encrypted = _("Everything here is encrypted end to end.")
        self._lock.setToolTip(encrypted)
        self._lock.setAccessibleName(encrypted)
        if contact.verified:
            self._verify.show_icon("shield", _("Verified: you compared the safety number"), "success")
        else:
            self._verify.show_icon("unverified", _("Not verified: compare the safety number"), "muted")
        self._show_presence()

    @Slot(object)
    def show_relays(self, relays: list[Relay]) -> None:
        """These are the relays where the person can be written to."""
        self._relays = relays
        self._show_presence()

    def show_typing(self, typing: bool) -> None:
        """Say that they are writing, or not any more."""
        self._typing = typing
        self._show_presence()

    def menu(self) -> QMenu:
        """The menu of the conversation; deletes itself when closed."""
        entries = [] if self._contact is None else self.entries()
        return menu_of(self, self._theme, _("Conversation menu"), entries)

    @Slot()
    def _on_more(self) -> None:
        corner = self._more.rect().bottomLeft()
        menu = self.menu()
        corner.setX(self._more.width() - menu.sizeHint().width())
        menu.popup(self._more.mapToGlobal(corner))

    @Slot()
    def _show_presence(self) -> None:
        if self._contact is None:
            return
        now = time.time_ns() // 1_000_000
        blocked = self._contact.standing is Standing.BLOCKED
        words = _("Blocked") if blocked else presence_words(self._presence, now, self._contact.seen_ms)
        self._words.setText(typing_words() if self._typing else words)
        icon, meaning = path(self._presence, self._relays)
        self.path.setVisible(bool(icon))
        if icon:
            self.path.show_icon(icon, "muted")
        self.path.setToolTip(meaning)
        self.path.setAccessibleName(meaning)
        online = self._typing or isinstance(self._presence, Online)
        set_role(self._words, "role", "online" if online else "small")
        waits = isinstance(self._presence, Offline) and (self._presence.retry_ms or 0) > now and not blocked
        if waits != self._timer.isActive():
            self._timer.start() if waits else self._timer.stop()
