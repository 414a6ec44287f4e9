"""The conversation list as a model: rows from the database, kept up to date by events."""

import time
from typing import Any, Final

import msgspec
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)

from messenger.core.ids import ConversationId, format_fingerprint
from messenger.core.models import Contact, Conversation, Message, Offline, Presence
from messenger.text import conversation_sentence

ROW: Final = Qt.ItemDataRole.UserRole
"""Role of the `Row`."""
ACTIVITY: Final = Qt.ItemDataRole.UserRole + 1
"""Role of the time by which the list is sorted, Unix milliseconds."""
SOUGHT: Final = Qt.ItemDataRole.UserRole + 2
"""Role of the text that the search field looks through."""

_PINNED: Final = 1 << 50
"""More than any time: what is pinned stands above the rest."""

Index = QModelIndex | QPersistentModelIndex


class Row(msgspec.Struct, frozen=True):
    """What one row shows."""

    conversation: Conversation
    presence: Presence
    draft: str = ""
    """What was begun and not sent."""
    typing: bool = False
    """They are writing right now."""


class ConversationModel(QAbstractListModel):
    """All conversations, in no order; `ConversationOrder` sorts and filters them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []

    def load(self, conversations: list[Conversation]) -> None:
        """Show these conversations; what is known of their presence is kept."""
        known = {row.conversation.id: row for row in self._rows}
        self.beginResetModel()
        self._rows = [
            msgspec.structs.replace(known[item.id], conversation=item)
            if item.id in known
            else Row(item, Offline())
            for item in conversations
        ]
        self.endResetModel()

    def show_rows(self, rows: list[Row]) -> None:
        """Show these rows in this order."""
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rows(self) -> list[Row]:
        """All rows, in no order."""
        return list(self._rows)

    def latest_first(self) -> list[Row]:
        """All rows, also those of the archive, the latest first."""

        def moment(row: Row) -> int:
            last, contact = row.conversation.last, row.conversation.contact
            return contact.created_ms if last is None else last.stored_ms

        return sorted(self._rows, key=moment, reverse=True)

    def row(self, conversation: ConversationId) -> Row | None:
        """What the row of a conversation shows."""
        place = self._place(conversation)
        return None if place is None else self._rows[place]

    def contacts(self) -> list[Contact]:
        """Everybody in it."""
        return [row.conversation.contact for row in self._rows]

    def contact_changed(self, contact: Contact, unread: int) -> None:
        """A contact is new or changed."""
        place = self._place(contact.id)
        if place is None:
            self._append(Row(Conversation(contact=contact, unread=unread), Offline()))
            return
        old = self._rows[place].conversation
        self._replace(place, conversation=msgspec.structs.replace(old, contact=contact, unread=unread))

    def message_added(self, message: Message, unread: int) -> None:
        """A message is on disk."""
        place = self._place(message.conversation)
        if place is not None:
            old = self._rows[place].conversation
            self._replace(place, conversation=msgspec.structs.replace(old, last=message, unread=unread))

    def message_changed(self, message: Message) -> None:
        """The state of a message changed."""
        place = self._place(message.conversation)
        if place is None:
            return
        old = self._rows[place].conversation
        if old.last is not None and old.last.id == message.id:
            self._replace(place, conversation=msgspec.structs.replace(old, last=message))

    def chain_changed(self, conversation: ConversationId, missing: int, *, forked: bool) -> None:
        """Messages are known to be missing, or not any more, or contradict each other."""
        place = self._place(conversation)
        if place is not None:
            old = self._rows[place].conversation
            self._replace(place, conversation=msgspec.structs.replace(old, missing=missing, forked=forked))

    def reread(self, conversation: Conversation | None) -> None:
        """A conversation has changed as a whole, as the database has it now."""
        place = None if conversation is None else self._place(conversation.id)
        if conversation is not None and place is not None:
            self._replace(place, conversation=conversation)

    def draft_changed(self, conversation: ConversationId, draft: str) -> None:
        """Something was begun and not sent, or is not any more."""
        place = self._place(conversation)
        if place is not None:
            self._replace(place, draft=draft)

    def typing_changed(self, conversation: ConversationId, typing: bool) -> None:
        """Somebody is writing, or not any more."""
        place = self._place(conversation)
        if place is not None:
            self._replace(place, typing=typing)

    def presence_changed(self, conversation: ConversationId, presence: Presence) -> None:
        """Somebody can or cannot be reached any more."""
        place = self._place(conversation)
        if place is not None:
            self._replace(place, presence=presence)

    def removed(self, conversation: ConversationId) -> None:
        """A conversation is gone."""
        place = self._place(conversation)
        if place is not None:
            self.beginRemoveRows(QModelIndex(), place, place)
            del self._rows[place]
            self.endRemoveRows()

    def unread(self) -> int:
        """Unread messages in all conversations that may call for attention."""
        return sum(row.conversation.unread for row in self._rows if not row.conversation.contact.muted)

    def archived(self) -> list[Row]:
        """The conversations of the archive."""
        return [row for row in self._rows if row.conversation.contact.archived]

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802 -- Qt's name
        """How many conversations there are."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401 -- Qt's signature
        """One aspect of a row."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        contact, last = row.conversation.contact, row.conversation.last
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return contact.title
            case Qt.ItemDataRole.AccessibleTextRole:
                now = time.time_ns() // 1_000_000
                return conversation_sentence(
                    row.conversation, row.presence, now, draft=row.draft, typing=row.typing
                )
            case other if other == ROW:
                return row
            case other if other == ACTIVITY:
                moment = last.stored_ms if last is not None else contact.created_ms
                return moment + (_PINNED if contact.pinned else 0)
            case other if other == SOUGHT:
                fingerprint = format_fingerprint(contact.fingerprint)
                return f"{contact.title}\n{contact.name}\n{contact.note}\n{fingerprint}".casefold()
        return None

    def _place(self, conversation: ConversationId) -> int | None:
        return next((n for n, row in enumerate(self._rows) if row.conversation.id == conversation), None)

    def _append(self, row: Row) -> None:
        place = len(self._rows)
        self.beginInsertRows(QModelIndex(), place, place)
        self._rows.append(row)
        self.endInsertRows()

    def _replace(self, place: int, **changes: object) -> None:
        self._rows[place] = msgspec.structs.replace(self._rows[place], **changes)
        index = self.index(place)
        self.dataChanged.emit(index, index)


class ConversationOrder(QSortFilterProxyModel):
    """The list as it is shown: pinned, then newest first; only what is sought, or without the archive."""

    def __init__(self, model: ConversationModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sought = ""
        self._archive = False
        self.setSortRole(ACTIVITY)
        self.setDynamicSortFilter(True)
        self.setSourceModel(model)
        self.sort(0, Qt.SortOrder.DescendingOrder)

    def seek(self, text: str) -> None:
        """Show only conversations that contain every word of a text in their names or fingerprint."""
        self.beginFilterChange()
        self._sought = text.casefold()
        self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def show_archive(self, *, on: bool) -> None:
        """Show the archive, or everything else."""
        self.beginFilterChange()
        self._archive = on
        self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def rows(self) -> list[Row]:
        """What is shown, from top to bottom."""
        return [self.index(place, 0).data(ROW) for place in range(self.rowCount())]

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:  # noqa: N802 -- Qt's name
        """Whether a row is shown."""
        index = self.sourceModel().index(source_row, 0, source_parent)
        if not self._sought:
            row: Row = index.data(ROW)
            return row.conversation.contact.archived == self._archive
        text = index.data(SOUGHT)
        return all(word in text for word in self._sought.split())
