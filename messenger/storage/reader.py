"""Reading the profile database from another thread than the one that writes it."""

from pathlib import Path
from typing import Self

from messenger.core import store_limits
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Conversation, ConversationSize, Draft, Found, Message, Moments, SearchQuery
from messenger.core.transfers import Transfer, TransferId
from messenger.storage import calendar, drafts, rows, search
from messenger.storage.database import Database
from messenger.storage.portraits import PortraitTable
from messenger.storage.transfers import TransferTable


class Reader:
    """A connection of one's own that only reads, for the thread of the window.

    Each method is one short query that sees everything committed before it began; writers never
    make it wait. A reader belongs to one thread; each thread opens its own. All methods may raise
    StorageError or one of its kinds.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, path: Path, key: bytes) -> Self:
        """Open a database that a `messenger.storage.store.Store` holds open.

        Args:
            path: The file.
            key: 32 bytes.

        Raises:
            DatabaseDamaged: It is damaged, or the key does not fit.
            StorageError: The disk refused.
        """
        return cls(Database.open(path, key, read_only=True))

    def close(self) -> None:
        """Close the connection; nothing else may be called afterwards."""
        self._database.close()

    def conversations(self) -> list[Conversation]:
        """All conversations, the one with the latest message (or the newest contact) first."""
        return rows.conversations(self._database)

    def conversation(self, id_: ConversationId) -> Conversation | None:
        """One conversation, or None."""
        return rows.conversation(self._database, id_)

    def messages(
        self, conversation: ConversationId, *, before: int | None = None, after: int | None = None, count: int
    ) -> list[Message]:
        """Messages next to a position, oldest first; as quick at the millionth as at the first.

        Args:
            conversation: Whose messages.
            before: Only those at smaller positions; None for no bound.
            after: Only those at larger positions; None for no bound.
            count: At most so many: those right after `after` if it is given, else the latest.
        """
        return rows.page(self._database, conversation, before=before, after=after, count=count)

    def message(self, conversation: ConversationId, id_: MessageId) -> Message | None:
        """A message by its id, or None."""
        return rows.by_id(self._database, conversation, id_)

    def vanished(self, conversation: ConversationId, id_: MessageId) -> bool:
        """Whether a message was here, and is gone for good."""
        return rows.vanished(self._database, conversation, id_)

    def moments(self, conversation: ConversationId, id_: MessageId) -> Moments:
        """When receipts for a message came; what is not known is None."""
        return rows.moments(self._database, conversation, id_)

    def transfer(self, id_: TransferId) -> tuple[Transfer, bytes]:
        """A transfer without its progress, and the small picture of its offer, perhaps empty.

        The picture is a peer's: decode it where hostile ones can do no harm.

        Raises:
            InputError: UNKNOWN.
        """
        held = TransferTable(self._database).get(id_)
        return held.shown(), held.offering.thumbnail

    def transfers(self, conversation: ConversationId) -> set[TransferId]:
        """Which transfers of a conversation are there; quick, however many they are."""
        return TransferTable(self._database).ids(conversation)

    def portrait(self, digest: bytes) -> bytes:
        """The picture with a hash, of a contact or our own; empty if it is not here.

        It is a peer's: decode it where hostile ones can do no harm.

        Args:
            digest: SHA-256, 32 bytes.
        """
        return PortraitTable(self._database).with_hash(digest)

    def around(self, conversation: ConversationId, position: int, count: int) -> list[Message]:
        """The messages on both sides of a position, oldest first, for a view that jumps there.

        Args:
            conversation: Whose messages.
            position: Stands in the middle, if there is a message.
            count: At most so many.
        """
        later = self.messages(conversation, after=position - 1, count=count - count // 2)
        return self.messages(conversation, before=position, count=count - len(later)) + later

    def position_at(self, conversation: ConversationId, at_ms: int) -> int | None:
        """The position of the first message that stands at a time (Unix milliseconds) or later, or None."""
        return calendar.position_at(self._database, conversation, at_ms)

    def find(
        self, query: SearchQuery, before: int | None = None, count: int = store_limits.SEARCH_PAGE
    ) -> Found:
        """Find the newest messages that fit.

        Args:
            query: What is looked for.
            before: `Found.next` of the page before; None for the first.
            count: At most so many, and at most `store_limits.SEARCH_PAGE_MAX`.
        """
        return search.find(self._database, query, before, count)

    def sizes(self) -> list[ConversationSize]:
        """How large each conversation is that has messages, the largest first."""
        return calendar.sizes(self._database)

    def drafts(self) -> dict[ConversationId, Draft]:
        """What was written and not sent, for all conversations where there is something."""
        return drafts.all_drafts(self._database)

    def first_unread(self, conversation: ConversationId) -> int | None:
        """The position of the first message of theirs that was not seen, or None."""
        return rows.first_unread(self._database, conversation)
