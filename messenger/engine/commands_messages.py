"""The commands of `Engine` about single messages."""

from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Contact, Draft, Message
from messenger.engine.commands import Commands


class MessageCommands(Commands):
    """Send, edit, delete, react; timers, drafts and typing."""

    async def send_text(
        self, conversation: ConversationId, text: str, reply_to: MessageId | None = None
    ) -> Message:
        """Store a text for somebody and return it; it leaves when they can be reached. The draft is dropped.

        Args:
            conversation: For whom.
            text: As it was typed.
            reply_to: The message of the conversation that it answers.

        Raises:
            InputError: EMPTY, TOO_LONG, BAD_VALUE, UNKNOWN (no such conversation, or no such message in it),
                or NOT_ALLOWED (they are blocked or not accepted yet).
            StorageError: It could not be stored.
        """
        return await self._now().chats.send_text(conversation, text, reply_to)

    async def retry(self, conversation: ConversationId, message: MessageId) -> None:
        """Put a failed message back into the queue; one that was deleted stays as it is."""
        await self._now().chats.retry(conversation, message)

    async def edit(self, conversation: ConversationId, message: MessageId, text: str) -> Message:
        """Put another text in place of one of ours, here at once and there when they can be reached.

        Returns:
            The message as it is now; `MessageChanged` tells it too.

        Raises:
            InputError: EMPTY, TOO_LONG, BAD_VALUE, UNKNOWN (no such message), or NOT_ALLOWED (it is not ours,
                or deleted, or they are blocked or not accepted yet).
            StorageError: It could not be stored.
        """
        return await self._now().deeds.edit(conversation, message, text)

    async def delete_message(
        self, conversation: ConversationId, message: MessageId, *, for_both: bool
    ) -> None:
        """Delete a message. What was deleted is overwritten on the disk, also in the search index.

        Args:
            conversation: Where it stands.
            message: Which.
            for_both: Also there, as soon as they can be reached; for messages of ours. A place without text
                is left, as `MessageChanged` tells. Otherwise it is gone from here alone, as
                `MessagesRemoved` tells.

        Raises:
            InputError: UNKNOWN (no such message), or NOT_ALLOWED: for both, as `edit`; here alone, it is ours
                and waits to be sent.
            StorageError: It could not be stored.
        """
        await self._now().deeds.delete(conversation, message, for_both=for_both)

    async def react(self, conversation: ConversationId, message: MessageId, emoji: str) -> Message:
        """Say with one emoji how we feel about a message, in place of what we said before.

        Args:
            conversation: Where it stands.
            message: Which, ours or theirs.
            emoji: At most `deed_limits.EMOJI_MAX` bytes of UTF-8; empty takes back what we said.

        Returns:
            The message as it is now; `MessageChanged` tells it too.

        Raises:
            InputError: TOO_LONG, BAD_VALUE, UNKNOWN (no such message), or NOT_ALLOWED (it is deleted, or they
                are blocked or not accepted yet).
            StorageError: It could not be stored.
        """
        return await self._now().deeds.react(conversation, message, emoji)

    async def set_timer(self, conversation: ConversationId, seconds: int) -> Contact:
        """Let what both write from now on disappear after a time; a line in the conversation of both says so.

        The time of a message runs here from when it was seen or, if it is ours, has arrived. When it is over,
        the message is gone from the disk, as `MessagesVanished` tells. What was written before stays.

        Args:
            conversation: Which.
            seconds: 0 for never, else `deed_limits.TIMER_MIN` to `deed_limits.TIMER_MAX`.

        Returns:
            The contact, with the timer that holds now; `MessageAdded` and `ContactChanged` tell it too.

        Raises:
            InputError: BAD_VALUE (no such time), UNKNOWN (no such conversation), or NOT_ALLOWED (they are
                blocked or not accepted yet).
            StorageError: It could not be stored.
        """
        return await self._now().deeds.set_timer(conversation, seconds)

    async def set_typing(self, conversation: ConversationId) -> None:
        """Something is being written to somebody: to be called with every change of it.

        They are told now and then while there is a link with them, if the settings allow it; nothing of it is
        stored.
        """
        await self._now().deeds.tell_typing(conversation)

    async def draft(self, conversation: ConversationId) -> Draft:
        """What was written to somebody and not sent; empty if there is nothing."""
        return await self._now().deeds.draft(conversation)

    async def set_draft(self, conversation: ConversationId, draft: Draft) -> None:
        """Keep what was written to somebody and not sent; an empty draft is forgotten.

        Raises:
            InputError: UNKNOWN (no such conversation), TOO_LONG, or BAD_VALUE.
            StorageError: It could not be stored.
        """
        await self._now().deeds.set_draft(conversation, draft)

    async def mark_read(self, conversation: ConversationId, position: int) -> None:
        """Everything up to and including a position has been seen."""
        await self._now().chats.mark_read(conversation, position)
