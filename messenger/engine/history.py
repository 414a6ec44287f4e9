"""What a person does with history: search it, jump in it, limit it, write it out."""

import asyncio
from pathlib import Path

from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId
from messenger.core.models import ExportForm, ExportWords, Found, Message, SearchQuery, StorageUse
from messenger.engine.context import Context
from messenger.engine.events import MessagesRemoved
from messenger.engine.readable import write_conversation
from messenger.storage.backup import backups_size, database_size
from messenger.storage.reader import Reader


class History:
    """Commands about what is stored; each returns when its effect is on disk.

    Args:
        context: The open profile.
        database: The database file.
        db_key: Its key, 32 bytes.
    """

    def __init__(self, context: Context, database: Path, db_key: bytes) -> None:
        self._context = context
        self._store = context.store
        self._database = database
        self._db_key = db_key
        self.due = asyncio.Event()
        """Set when messages may have become too old by a decision."""
        self.removed = asyncio.Event()
        """Set while deleted conversations may have to be overwritten; at first, those of the last time."""
        self.removed.set()

    async def find(self, query: SearchQuery, before: int | None, count: int) -> Found:
        """Find the newest messages that fit."""
        return await self._context.stored(self._store.find, query, before, count)

    async def position_at(self, conversation: ConversationId, at_ms: int) -> int | None:
        """The position of the first message that stands at a time or later, or None."""
        return await self._context.stored(self._store.position_at, conversation, at_ms)

    async def first_unread(self, conversation: ConversationId) -> int | None:
        """The position of the first unread message of theirs, or None."""
        return await self._context.stored(self._context.store.first_unread, conversation)

    async def page(
        self, conversation: ConversationId, before: int | None, after: int | None, count: int
    ) -> list[Message]:
        """Messages next to a position, oldest first."""
        return await self._context.stored(self._store.messages.page, conversation, before, count, after)

    async def kept(self, conversation: ConversationId) -> int | None:
        """For how many days messages are kept; None for as in the settings."""
        return await self._context.stored(self._store.retention.get, conversation)

    async def keep(self, conversation: ConversationId, days: int | None) -> None:
        """Change for how many days messages are kept; those that are too old go at once."""
        await self._context.stored(self._store.retention.set, conversation, days)
        self.due.set()

    async def expire(self) -> None:
        """Delete all messages that are too old, in steps that others can come between.

        Raises:
            StorageError: The disk refused; what was deleted by then is deleted.
        """
        context, touched = self._context, set[ConversationId]()
        expire = self._store.retention.expire
        try:
            while (
                one := await context.stored(expire, context.settings.keep_days, context.now_ms())
            ) is not None:
                touched.add(one)
        finally:
            for conversation in touched:
                context.publish(MessagesRemoved(conversation))
                await context.publish_contact(conversation)

    async def overwrite(self) -> None:
        """Overwrite deleted conversations, in short steps that others can come between.

        Raises:
            StorageError: The disk refused; what is left stays hidden.
        """
        self.removed.clear()
        while await self._context.stored(self._store.contacts.remove_more):
            pass

    async def use(self) -> StorageUse:
        """What the profile takes on the disk."""
        sizes = await self._context.stored(self._store.sizes)
        database, backups = await asyncio.to_thread(
            lambda: (database_size(self._database), backups_size(self._database))
        )
        return StorageUse(database=database, backups=backups, conversations=tuple(sizes))

    async def export(
        self, conversation: ConversationId, path: Path, form: ExportForm, words: ExportWords
    ) -> int:
        """Write a conversation into a file; returns how many messages it has."""
        contact = await self._context.stored(self._store.contacts.get, conversation)
        if contact is None:
            raise InputError(InputProblem.UNKNOWN)

        def write() -> int:
            reader = Reader.open(self._database, self._db_key)
            try:
                return write_conversation(reader, contact, self._context.me, path, form, words)
            finally:
                reader.close()

        return await asyncio.to_thread(write)
