"""Reading the profile database from another thread than the one that writes it."""

from pathlib import Path
from typing import Self

from messenger.core.ids import ConversationId
from messenger.core.models import Conversation, Message
from messenger.storage import rows
from messenger.storage.database import Database


class Reader:
    """A connection of one's own that only reads, for the thread of the window.

    Each method is one short query that sees everything committed before it began; writers never
    make it wait. All may raise StorageError or one of its kinds.
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

    def first_unread(self, conversation: ConversationId) -> int | None:
        """The position of the first message of theirs that was not seen, or None."""
        return rows.first_unread(self._database, conversation)
