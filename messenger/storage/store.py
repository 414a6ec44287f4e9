"""The profile database as the engine uses it: the only one who writes."""

from pathlib import Path
from typing import Self

from messenger.core.models import Conversation
from messenger.storage import rows
from messenger.storage.contacts import ContactTable
from messenger.storage.database import Database
from messenger.storage.invites import InviteTable
from messenger.storage.messages import MessageTable, Outgoing
from messenger.storage.meta import MetaTable
from messenger.storage.schema import open_current
from messenger.storage.successions import SuccessionTable

__all__ = ["Outgoing", "Store"]


class Store:
    """All tables of one profile over one connection.

    Every method that writes is one transaction: what it returns is on disk. Methods block, so the
    engine calls them through `messenger.storage.worker.Worker`, one at a time. All may raise
    StorageError or one of its kinds; then nothing was written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.meta = MetaTable(database)
        """Settings, name, single values."""
        self.contacts = ContactTable(database)
        """The other persons."""
        self.messages = MessageTable(database)
        """Messages and outbox."""
        self.invites = InviteTable(database)
        """Invites that were given out."""
        self.successions = SuccessionTable(database)
        """Our own changes of identity."""

    @classmethod
    def open(cls, path: Path, key: bytes) -> Self:
        """Open the database of a profile, made or brought up to date if need be.

        The profile must be locked (`messenger.storage.lock.ProfileLock`).

        Args:
            path: The file; its folder exists.
            key: 32 bytes.

        Raises:
            DatabaseTooNew: A later version of the program wrote it; it was not touched.
            DatabaseDamaged: It is damaged, or the key does not fit; it was not touched.
            DiskFull, DiskReadOnly, StorageError: The disk refused.
        """
        return cls(open_current(path, key))

    def close(self) -> None:
        """Close the database; nothing else may be called afterwards."""
        self._database.close()

    def conversations(self) -> list[Conversation]:
        """All conversations, the one with the latest message (or the newest contact) first."""
        return rows.conversations(self._database)

    def integrity_check(self) -> None:
        """Read and check the whole database; takes as long as reading the file.

        Raises:
            DatabaseDamaged: Something does not hold.
        """
        self._database.integrity_check()
