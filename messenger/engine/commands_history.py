"""The commands of `Engine` about what is stored."""

from pathlib import Path

from messenger.core import limits, store_limits
from messenger.core.ids import ConversationId
from messenger.core.models import ExportForm, ExportWords, Found, Message, SearchQuery, StorageUse
from messenger.engine.commands import Commands


class HistoryCommands(Commands):
    """Search, jumps, retention, sizes, readable export; a window that scrolls uses `Engine.reader`."""

    async def find(
        self, query: SearchQuery, before: int | None = None, count: int = store_limits.SEARCH_PAGE
    ) -> Found:
        """Find the newest messages that fit.

        Args:
            query: What is looked for.
            before: `Found.next` of the page before; None for the first.
            count: At most so many, and at most `store_limits.SEARCH_PAGE_MAX`.
        """
        return await self._now().history.find(query, before, count)

    async def messages(
        self,
        conversation: ConversationId,
        before: int | None = None,
        count: int = limits.PAGE,
        *,
        after: int | None = None,
    ) -> list[Message]:
        """Messages next to a position, oldest first.

        Args:
            conversation: Whose messages.
            before: Only those at smaller positions; None for no bound.
            count: At most so many: those right after `after` if it is given, else the latest.
            after: Only those at larger positions; None for no bound.
        """
        return await self._now().history.page(conversation, before, after, count)

    async def first_unread(self, conversation: ConversationId) -> int | None:
        """The position of the first unread message of theirs, or None."""
        return await self._now().history.first_unread(conversation)

    async def position_at(self, conversation: ConversationId, at_ms: int) -> int | None:
        """The position of the first message that stands at a time (Unix milliseconds) or later, or None."""
        return await self._now().history.position_at(conversation, at_ms)

    async def kept_days(self, conversation: ConversationId) -> int | None:
        """For how many days messages are kept, 0 for ever; None for as in the settings."""
        return await self._now().history.kept(conversation)

    async def keep_days(self, conversation: ConversationId, days: int | None) -> None:
        """Change for how many days messages are kept; `MessagesRemoved` tells when some have gone.

        Args:
            conversation: Whose messages.
            days: As `kept_days`, at most `store_limits.KEEP_DAYS_MAX`.

        Raises:
            InputError: UNKNOWN, there is no such conversation. BAD_VALUE: no such number of days.
        """
        await self._now().history.keep(conversation, days)

    async def storage_use(self) -> StorageUse:
        """What the profile takes on the disk."""
        return await self._now().history.use()

    async def export_conversation(
        self, conversation: ConversationId, path: Path, form: ExportForm, words: ExportWords
    ) -> int:
        """Write a conversation into a file that anybody can read; returns how many messages it has.

        Args:
            conversation: Which.
            path: The file; replaced when it is there, once the new one is whole.
            form: HTML for people, JSON for programs.
            words: In the language of the person.

        Raises:
            InputError: UNKNOWN, there is no such conversation.
            DiskFull, DiskReadOnly, StorageError: It could not be written; what was there is as it was.
        """
        return await self._now().history.export(conversation, path, form, words)
