"""The profile database as the engine uses it: the only one who writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from messenger.core.errors import DiskReadOnly, StorageError
from messenger.core.ids import ConversationId
from messenger.core.models import Conversation, ConversationSize, Found, SearchQuery
from messenger.storage import calendar, rows, search
from messenger.storage.actions import ActionTable
from messenger.storage.carried import CarriedTable
from messenger.storage.chain import begin_anew
from messenger.storage.contacts import ContactTable
from messenger.storage.database import Database
from messenger.storage.drafts import DraftTable
from messenger.storage.endings import EndingTable
from messenger.storage.invites import InviteTable
from messenger.storage.messages import MessageTable
from messenger.storage.meta import MetaTable
from messenger.storage.own_queues import QueueTable
from messenger.storage.places import PlaceTable
from messenger.storage.portraits import PortraitTable
from messenger.storage.prekeys import PrekeyTable
from messenger.storage.relays import RelayTable
from messenger.storage.retention import RetentionTable
from messenger.storage.schema import discard, open_current
from messenger.storage.sealed import SealedTable
from messenger.storage.spelling import SpellingTable
from messenger.storage.successions import SuccessionTable
from messenger.storage.timers import TimerTable
from messenger.storage.told import Tell
from messenger.storage.traffic import Arrival, Outgoing
from messenger.storage.transfers import TransferTable

_EPOCH: Final = "epoch"
"""Name of a single value."""

__all__ = ["Arrival", "Outgoing", "Store"]


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
        self.timers = TimerTable(database)
        """When messages disappear."""
        self.messages = MessageTable(database, self.timers)
        """Messages and outbox."""
        self.actions = ActionTable(database)
        """What is done to messages."""
        self.drafts = DraftTable(database)
        """What was written and not sent."""
        self.invites = InviteTable(database)
        """Invites that were given out."""
        self.successions = SuccessionTable(database)
        """Our own changes of identity."""
        self.sealed = SealedTable(database)
        """Sessions of sealed messages."""
        self.carried = CarriedTable(database)
        """What relays have."""
        self.prekeys = PrekeyTable(database)
        """What people who know nobody here yet seal to."""
        self.endings = EndingTable(database)
        """How transfers ended whose messages are gone."""
        self.transfers = TransferTable(database)
        """Files that are offered, on their way, or have come."""
        self.relays = RelayTable(database)
        """Relays, ours and those of contacts."""
        self.queues = QueueTable(database)
        """Our queues at relays."""
        self.places = PlaceTable(database)
        """Where contacts are written to through relays."""
        self.retention = RetentionTable(database)
        """How long messages are kept."""
        self.portraits = PortraitTable(database)
        """Profile pictures."""
        self.spelling = SpellingTable(database, self.meta)
        """Languages that are written in, and the personal dictionary."""

    @classmethod
    def open(cls, path: Path, key: bytes, tell: Tell | None = None) -> Self:
        """Open the database of a profile, made or brought up to date if need be.

        The profile must be locked (`messenger.storage.lock.ProfileLock`).

        Args:
            path: The file; its folder exists.
            key: 32 bytes.
            tell: Told how far it is in percent, if it has to be brought up to date.

        Raises:
            DatabaseTooNew: A later version of the program wrote it; it was not touched.
            DatabaseDamaged: It is damaged, or the key does not fit; it was not touched.
            DiskFull, DiskReadOnly, StorageError: The disk refused.
        """
        return cls(open_current(path, key, tell=tell))

    def close(self) -> None:
        """Close the database; nothing else may be called afterwards."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make one transaction of all methods that are called in the block: all of it is on disk, or nothing.

        Raises:
            StorageError: Or one of its kinds; nothing was written.
        """
        with self._database.write():
            yield

    def find(self, query: SearchQuery, before: int | None, count: int) -> Found:
        """Find the newest messages that fit; see `messenger.storage.search.find`."""
        return search.find(self._database, query, before, count)

    def position_at(self, conversation: ConversationId, at_ms: int) -> int | None:
        """The position of the first message that stands at a time (Unix milliseconds) or later, or None."""
        return calendar.position_at(self._database, conversation, at_ms)

    def sizes(self) -> list[ConversationSize]:
        """How large each conversation is that has messages, the largest first."""
        return calendar.sizes(self._database)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Within `transaction`: what the block writes is taken back if it fails, and nothing else.

        Raises:
            StorageError: Or one of its kinds.
        """
        with self._database.attempt():
            yield

    def conversations(self) -> list[Conversation]:
        """All conversations, the one with the latest message (or the newest contact) first."""
        return rows.conversations(self._database)

    def conversation(self, id_: ConversationId) -> Conversation | None:
        """One conversation, or None."""
        return rows.conversation(self._database, id_)

    def first_unread(self, id_: ConversationId) -> int | None:
        """The position of the first unread message of theirs, or None."""
        return rows.first_unread(self._database, id_)

    def begin_chains(self, epoch: int) -> int:
        """Begin a new part of all our chains; see `messenger.storage.chain.begin_anew`."""
        with self._database.write():
            chosen = begin_anew(self._database, max(epoch, self.epoch() + 1))
            self.meta.put(_EPOCH, str(chosen).encode())
            return chosen

    def epoch(self) -> int:
        """The part that our chains begin with now; 0 until they have begun anew."""
        return int(self.meta.get(_EPOCH) or b"0")

    def shred(self) -> None:
        """After a deletion: take what was deleted out of the log of the database too."""
        self._database.shred()

    def integrity_check(self) -> None:
        """Read and check the whole database; takes as long as reading the file.

        Raises:
            DatabaseDamaged: Something does not hold.
        """
        self._database.integrity_check()


def make_store(path: Path, key: bytes, name: str) -> None:
    """Make the database of somebody new, whole or not at all.

    Args:
        path: The file; there must be nothing.
        key: 32 bytes.
        name: Of the person.

    Raises:
        DiskFull, DiskReadOnly, StorageError: The disk refused; nothing was made.
    """
    if path.exists():
        raise DiskReadOnly("something stands where the database shall be")
    try:
        store = Store.open(path, key)
        try:
            store.meta.set_name(name)
        finally:
            store.close()
    except StorageError:
        discard(path)
        raise
