"""The menu of one message, and the names of what can be done with it."""

from enum import StrEnum
from typing import Final

import msgspec
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget, QWidgetAction

from messenger.core.models import FailReason, Message, MessageState
from messenger.core.transfer_deeds import FileDeed
from messenger.gui.emoji import QUICK, name_of
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconButton, menu_icon
from messenger.text import DEEDS, TRY_AGAIN, _, failure, speed_words

_BUTTON: Final = 36
_LIMITS: Final = (100_000, 500_000, 1_000_000, 5_000_000, 20_000_000)
"""Speeds for one transfer, bytes a second; the settings have any number, for all."""

FILE_ICONS: Final[dict[FileDeed, str]] = {
    FileDeed.ACCEPT: "save",
    FileDeed.SAVE_TO: "folder",
    FileDeed.DECLINE: "close",
    FileDeed.PAUSE: "pause",
    FileDeed.RESUME: "play",
    FileDeed.FIRST: "up",
    FileDeed.CANCEL: "close",
    FileDeed.OPEN: "file",
    FileDeed.SHOW: "folder",
    FileDeed.AGAIN: "retry",
}
"""The picture of each thing that can be done with files."""


_LINK: Final = 48
"""Characters of a link that the menu shows; what is asked before it is followed shows all."""


class Deed(StrEnum):
    """What a person asks for with a message."""

    REPLY = "reply"
    REACT = "react"
    """With an emoji; the one that stands takes it back."""
    PICK = "pick"
    """React with an emoji that is still to be chosen."""
    EDIT = "edit"
    DELETE = "delete"
    INFO = "info"
    RETRY = "retry"
    WHOLE = "whole"
    """See all of a message that is cut."""
    COPY = "copy"
    """Copy a text that goes with the deed."""
    LINK = "link"
    """Follow a link that goes with the deed."""
    QUOTE = "quote"
    """Show the message that it answers."""
    FILE = "file"
    """Do something with the files that it offers: a `FileDeed` goes with it."""
    LIMIT = "limit"
    """Bound the speed of the files that it offers: so many bytes a second, 0 for no bound."""


class Given(msgspec.Struct, frozen=True):
    """What the menu has to know beside the message."""

    answerable: bool = True
    """Whether the other person can be written to."""
    picked: str = ""
    """What is selected."""
    link: str = ""
    """The link under the mouse."""
    links: tuple[str, ...] = ()
    """Links that can be followed: the one under the mouse, or for keys the first of the message."""
    cut: bool = False
    """The bubble does not show all of it."""
    deeds: tuple[FileDeed, ...] = ()
    """What can be done with the files that it offers."""
    limit: int | None = None
    """The bound of their speed, bytes a second, 0 for none; None if nothing is to be slowed down."""


class EmojiRow(QWidget):
    """A line of emoji in a menu: arrows to the left and right go through it, Enter chooses.

    Args:
        theme: Colours and fonts.
        chosen: The emoji that stands already, or nothing.
    """

    picked = Signal(str)
    """An emoji; nothing for one that is not here."""

    def __init__(self, theme: Theme, chosen: str) -> None:
        super().__init__()
        self.setAccessibleName(_("React"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE["xs"], SPACE["xs"], SPACE["xs"], SPACE["xs"])
        row.setSpacing(2)
        self.buttons: list[QToolButton] = []
        for emoji in QUICK:
            part = QToolButton()
            part.setText(emoji)
            part.setFont(theme.font("heading"))
            part.setProperty("kind", "emoji")
            part.setCheckable(True)
            part.setChecked(emoji == chosen)
            words = _("Take back {emoji}") if emoji == chosen else _("React with {emoji}")
            part.setAccessibleName(words.format(emoji=name_of(emoji)))
            part.setToolTip(part.accessibleName())
            self._add(part, emoji)
        self._add(IconButton(theme, "plus", _("More emoji")), "")

    def _add(self, part: QToolButton, emoji: str) -> None:
        part.setFixedSize(_BUTTON, _BUTTON)
        part.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        part.clicked.connect(lambda: self.picked.emit(emoji))
        layout = self.layout()
        if layout is not None:
            layout.addWidget(part)
        part.installEventFilter(self)
        self.buttons.append(part)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 -- Qt's name
        """Keys came here: begin at the first."""
        super().focusInEvent(event)
        self._mark(0)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 -- Qt's name
        """Keys went on."""
        super().focusOutEvent(event)
        self._mark(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Go through the line, or choose; everything else is the menu's."""
        place = next((n for n, part in enumerate(self.buttons) if part.property("at")), 0)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        match event.key():
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                by = 1 if (event.key() == Qt.Key.Key_Right) != mirrored else -1
                self._mark((place + by) % len(self.buttons))
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space:
                self.buttons[place].click()
            case _:
                event.ignore()

    def eventFilter(self, watched: QWidget, event: QEvent) -> bool:  # type: ignore[override]  # noqa: N802 -- Qt's name
        """The mouse marks what it is over, as keys do."""
        if event.type() is QEvent.Type.Enter and isinstance(watched, QToolButton):
            self._mark(self.buttons.index(watched))
        return False

    def _mark(self, place: int) -> None:
        for number, part in enumerate(self.buttons):
            if part.property("at") != (number == place):
                part.setProperty("at", number == place)
                part.style().unpolish(part)
                part.style().polish(part)
        if place >= 0:
            self.setAccessibleDescription(self.buttons[place].accessibleName())


def _short(link: str) -> str:
    """A link as an entry of a menu shows it, in which & would be a mark for a key."""
    shown = link if len(link) <= _LINK else f"{link[:_LINK]}…"
    return shown.replace("&", "&&")


def editable(message: Message) -> bool:
    """Whether a message is a text of ours that is still there."""
    return message.outgoing and not message.deleted and not message.notice and message.transfer is None


class MessageMenu(QMenu):
    """What can be done with a message; deletes itself when closed.

    Args:
        parent: Over what it opens.
        theme: Colours and fonts.
        message: The message.
        given: What else matters.
    """

    asked = Signal(object, str)
    """A `Deed`, and the emoji or text that goes with it."""

    def __init__(self, parent: QWidget, theme: Theme, message: Message, given: Given) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(_("Menu of the message"))
        self._theme, self.message = theme, message
        if message.notice:
            return
        alive = not message.deleted
        if alive and given.answerable:
            self._add_emoji(message)
        self._add_files(given)
        if alive and given.answerable:
            self._add("reply", _("Reply"), Deed.REPLY)
        if given.picked and given.picked != message.text:
            self._add("copy", _("Copy selected"), Deed.COPY, given.picked)
        if alive:
            self._add("copy", _("Copy text"), Deed.COPY, message.text)
        if given.link:
            self._add("invite", _("Copy link"), Deed.COPY, given.link)
        for link in given.links:
            self._add("globe", _("Open {link}").format(link=_short(link)), Deed.LINK, link)
        if alive and message.reply_to is not None:
            self._add("up", _("Show what it answers"), Deed.QUOTE)
        if given.cut:
            self._add("chat", _("Show all"), Deed.WHOLE)
        if given.answerable and editable(message):
            self._add("edit", _("Edit"), Deed.EDIT)
        if alive and message.state is MessageState.FAILED:
            self._add_retry(message.reason)
        self._add("info", _("Info"), Deed.INFO)
        self.addSeparator()
        self._add("trash", _("Delete…"), Deed.DELETE, color="danger")

    def _add(self, icon: str, words: str, deed: Deed, extra: str = "", color: str = "muted") -> None:
        action = self.addAction(menu_icon(self._theme, icon, color), words)
        action.triggered.connect(lambda: self.asked.emit(deed, extra))

    def _add_files(self, given: Given) -> None:
        for deed in given.deeds:
            self._add(FILE_ICONS[deed], DEEDS[deed], Deed.FILE, deed)
        if given.limit is not None:
            self._add_limits(given.limit)
        if given.deeds:
            self.addSeparator()

    def _add_limits(self, current: int) -> None:
        menu = self.addMenu(menu_icon(self._theme, "transfers"), _("Speed"))
        menu.setAccessibleName(_("Speed"))
        for limit in (0, *_LIMITS):
            action = menu.addAction(speed_words(limit) if limit else _("No limit of its own"))
            action.setCheckable(True)
            action.setChecked(limit == current)
            action.triggered.connect(lambda _checked, limit=limit: self.asked.emit(Deed.LIMIT, str(limit)))

    def _add_retry(self, reason: FailReason) -> None:
        self.addSeparator()
        self.addAction(failure(reason)).setEnabled(False)
        self._add("retry", TRY_AGAIN, Deed.RETRY)

    def _add_emoji(self, message: Message) -> None:
        mine = next((reaction.emoji for reaction in message.reactions if reaction.outgoing), "")
        row = EmojiRow(self._theme, mine)
        row.picked.connect(lambda emoji: self._react(emoji, mine))
        action = QWidgetAction(self)
        action.setText(_("React"))
        action.setDefaultWidget(row)
        self.addAction(action)
        self.addSeparator()

    def _react(self, emoji: str, mine: str) -> None:
        self.close()
        if emoji:
            self.asked.emit(Deed.REACT, "" if emoji == mine else emoji)
        else:
            self.asked.emit(Deed.PICK, "")
