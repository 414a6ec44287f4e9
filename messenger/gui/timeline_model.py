"""The messages of one conversation as a model: a window of a few hundred rows that slides over the database.

QListView lays out every row that a model has, so the model never has more than `KEPT`; older and newer
pages are read when the view comes near an end, and the far end is dropped.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Any, Final

import msgspec
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt

from messenger.core import limits
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Message, MessageState
from messenger.core.transfers import Transfer
from messenger.gui.conversation_model import Index
from messenger.gui.timeline_parts import Part, Quotes, first_page, last_page, page_around
from messenger.storage.reader import Reader
from messenger.text import _, file_sentence, local, message_sentence, shown_text

ROW: Final = Qt.ItemDataRole.UserRole
"""Role of the `Row`."""

KEPT: Final = 2 * limits.PAGE
"""Most rows at a time."""

_TOGETHER_MS: Final = 5 * 60 * 1000
"""Messages of one person closer than this stand together."""


class Row(msgspec.Struct, frozen=True):
    """A message and its place among its neighbours."""

    message: Message
    new_day: bool
    """The date stands above it."""
    unread_line: bool
    """It is the first that was unread when the conversation was opened."""
    joins_above: bool
    """It stands together with the one above."""
    joins_below: bool
    """It stands together with the one below."""


class TimelineModel(QAbstractListModel):
    """The rows of one conversation, oldest first.

    Args:
        reader: Where messages are read.
        parent: Owner, if any.
    """

    def __init__(self, reader: Reader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader = reader
        self._conversation: ConversationId | None = None
        self._title = ""
        self._rows: list[Row] = []
        self.quotes = Quotes(reader, self.author)
        """What messages answer."""
        self._unread_from: int | None = None
        self.at_start = self.at_end = True
        self.transfer: Callable[[Message], Transfer | None] = lambda _message: None
        """Tells what a message offers; None if it offers nothing, or was deleted."""

    @property
    def conversation(self) -> ConversationId | None:
        """The conversation that is shown."""
        return self._conversation

    def open(self, conversation: ConversationId | None, title: str = "") -> None:
        """Show a conversation from its first unread message, or from its end if all is read.

        Args:
            conversation: Which; None for none.
            title: The name that is shown for the other person.
        """
        self.beginResetModel()
        self._conversation, self._title = conversation, title
        self._unread_from = None
        self._rows = []
        self.quotes.clear()
        self.at_start = self.at_end = True
        if conversation is not None:
            self._unread_from = self._reader.first_unread(conversation)
            part = first_page(self._reader, conversation, self._unread_from)
            self._rows, self.at_start, self.at_end = _framed(part, self._unread_from)
        self.endResetModel()

    def to_end(self) -> None:
        """Show the end of the conversation if it is not there already."""
        if self._conversation is None or self.at_end:
            return
        self.beginResetModel()
        part = last_page(self._reader, self._conversation)
        self._rows, self.at_start, self.at_end = _framed(part, self._unread_from)
        self.endResetModel()

    def show_around(self, position: int) -> None:
        """Show the part of the conversation that has a position in its middle."""
        if self._conversation is None:
            return
        self.beginResetModel()
        part = page_around(self._reader, self._conversation, position)
        self._rows, self.at_start, self.at_end = _framed(part, self._unread_from)
        self.endResetModel()

    def reread(self) -> None:
        """Messages may be gone from the database: take those away that are."""
        self.quotes.clear()
        if self._conversation is None or not self._rows:
            return
        start, end = self._rows[0].message.position - 1, self._rows[-1].message.position + 1
        held = self._reader.messages(self._conversation, after=start, before=end, count=KEPT)
        left = {message.position for message in held}
        for place in range(len(self._rows) - 1, -1, -1):
            if self._rows[place].message.position not in left:
                self._remove(place, place)
        self._reframe(0, len(self._rows) - 1)

    def set_title(self, title: str) -> None:
        """The other person is called differently from now on."""
        if title == self._title:
            return
        self._title = title
        self.quotes.clear()
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def clear_unread_line(self) -> None:
        """Take the divider of unread messages away."""
        if self._unread_from is not None:
            self._unread_from = None
            self._reframe(0, len(self._rows) - 1)

    def load_older(self) -> bool:
        """Read the page before the first row; whether there was one."""
        if self.at_start or self._conversation is None or not self._rows:
            return False
        page = self._reader.messages(
            self._conversation, before=self._rows[0].message.position, count=limits.PAGE
        )
        self.at_start = len(page) < limits.PAGE
        if not page:
            self._reframe(0, 0)
            return False
        self.beginInsertRows(QModelIndex(), 0, len(page) - 1)
        self._rows[:0] = frames(page, self._unread_from)
        self.endInsertRows()
        self._reframe(len(page) - 1, len(page))
        if len(self._rows) > KEPT:
            self._remove(KEPT, len(self._rows) - 1)
            self.at_end = False
        return True

    def load_newer(self) -> bool:
        """Read the page after the last row; whether there was one."""
        if self.at_end or self._conversation is None or not self._rows:
            return False
        page = self._reader.messages(
            self._conversation, after=self._rows[-1].message.position, count=limits.PAGE
        )
        self.at_end = len(page) < limits.PAGE
        self._append(page)
        self._drop_oldest()
        return bool(page)

    def add(self, messages: list[Message]) -> None:
        """Messages are on disk; those of this conversation appear if the part where they belong is shown.

        Most belong at the end. One that was long on its way belongs between those that are there.
        """
        last = self._rows[-1].message.position if self._rows else -1
        ours = sorted((m for m in messages if m.conversation == self._conversation), key=_place)
        if self.at_end:
            self._append([m for m in ours if m.position > last])
        for message in ours:
            if message.position <= last:
                self._insert(message)
        self._drop_oldest()

    def change(self, message: Message) -> None:
        """A message changed: its state, or what was done to it."""
        self.quotes.forget({message.id})
        place = self.place(message.position)
        before = None if place is None else self._rows[place].message
        if place is not None and before is not None and before.id == message.id:
            self._rows[place] = msgspec.structs.replace(self._rows[place], message=message)
            self._reframe(place - 1, place + 1)
        if before is None or (before.text, before.deleted) != (message.text, message.deleted):
            for row in _answering(self._rows, {message.id}):
                self._reframe(row, row)

    def vanish(self, ids: Collection[MessageId]) -> None:
        """Messages have disappeared; what answered them shows that something was there."""
        self.quotes.forget(ids)
        for place in reversed(range(len(self._rows))):
            if self._rows[place].message.id in ids:
                self._remove(place, place)
        for place in _answering(self._rows, ids):
            self._reframe(place, place)
        if not self._rows and not (self.at_start and self.at_end):
            self.open(self._conversation, self._title)

    def place(self, position: int) -> int | None:
        """The row of the message at a position of the conversation."""
        place = bisect_left(self._rows, position, key=_position)
        found = place < len(self._rows) and self._rows[place].message.position == position
        return place if found else None

    def row(self, place: int) -> Row:
        """What a row shows."""
        return self._rows[place]

    def author(self, message: Message) -> str:
        """The name that is shown for the author of a message."""
        return _("You") if message.outgoing else self._title

    def quote(self, message: Message) -> str:
        """What a message answers, as one line; nothing if it answers none, or if that is not here."""
        return self.quotes.lines(message).replace("\n", ": ")

    def unread_place(self) -> int | None:
        """The row with the divider of unread messages."""
        return next((n for n, row in enumerate(self._rows) if row.unread_line), None)

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802 -- Qt's name
        """How many rows are held."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401 -- Qt's signature
        """One aspect of a row."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return shown_text(row.message, self._title)
            case Qt.ItemDataRole.AccessibleTextRole:
                now, quote = time.time_ns() // 1_000_000, self.quote(row.message)
                if (transfer := self.transfer(row.message)) is not None:
                    return file_sentence(row.message, transfer, self.author(row.message), self._title, now)
                return message_sentence(row.message, self.author(row.message), now, quote)
            case other if other == ROW:
                return row
        return None

    def _append(self, messages: list[Message]) -> None:
        if not messages:
            return
        first = len(self._rows)
        self.beginInsertRows(QModelIndex(), first, first + len(messages) - 1)
        self._rows += frames(messages, self._unread_from)
        self.endInsertRows()
        self._reframe(first - 1, first)

    def _insert(self, message: Message) -> None:
        """Put a message between those that are held, unless it is among them or further up than all."""
        place = bisect_left(self._rows, message.position, key=_position)
        if self._rows[place].message.position == message.position or (place == 0 and not self.at_start):
            return
        self.beginInsertRows(QModelIndex(), place, place)
        self._rows[place:place] = frames([message], self._unread_from)
        self.endInsertRows()
        self._reframe(place - 1, place + 1)

    def _drop_oldest(self) -> None:
        if len(self._rows) > KEPT:
            self._remove(0, len(self._rows) - KEPT - 1)
            self.at_start = False
            self._reframe(0, 0)

    def _remove(self, first: int, last: int) -> None:
        self.beginRemoveRows(QModelIndex(), first, last)
        del self._rows[first : last + 1]
        self.endRemoveRows()
        self._reframe(first - 1, first)

    def _reframe(self, first: int, last: int) -> None:
        """Look again at how rows stand to their neighbours."""
        first, last = max(first, 0), min(last, len(self._rows) - 1)
        if first > last:
            return
        # one row more at each side, whose own frame may be wrong and is not taken
        low, high = max(first - 1, 0), min(last + 1, len(self._rows) - 1)
        framed = frames([row.message for row in self._rows[low : high + 1]], self._unread_from)
        for place in range(first, last + 1):
            self._rows[place] = framed[place - low]
        self.dataChanged.emit(self.index(first), self.index(last))


def frames(messages: list[Message], unread_from: int | None) -> list[Row]:
    """Say of messages in a row how each stands to its neighbours.

    Args:
        messages: Oldest first.
        unread_from: The position of the first that was unread, if any.
    """
    if not messages:
        return []
    lines = [message.position == unread_from for message in messages]
    days = [True, *(_day(a) != _day(b) for a, b in pairwise(messages))]
    pairs = zip(pairwise(messages), days[1:], lines[1:], strict=True)
    joins = [not day and not line and _together(a, b) for (a, b), day, line in pairs]
    above, below = [False, *joins], [*joins, False]
    return [Row(*fields) for fields in zip(messages, days, lines, above, below, strict=True)]


def _framed(part: Part, unread_from: int | None) -> tuple[list[Row], bool, bool]:
    return frames(part.messages, unread_from), part.at_start, part.at_end


def _answering(rows: list[Row], ids: Collection[MessageId]) -> list[int]:
    """The rows of messages that answer some of these."""
    return [place for place, row in enumerate(rows) if row.message.reply_to in ids]


def _position(row: Row) -> int:
    return row.message.position


def _place(message: Message) -> int:
    return message.position


def _day(message: Message) -> int:
    return local(message.sent_ms).toordinal()


def _together(first: Message, second: Message) -> bool:
    failed = first.state is MessageState.FAILED
    return (
        first.outgoing == second.outgoing
        and abs(second.sent_ms - first.sent_ms) < _TOGETHER_MS
        and not failed
        and not (first.notice or second.notice)
    )
