"""What a person does to messages, and before they send one: change, delete, react, draft, type."""

import secrets

from messenger.core import deed_limits, limits
from messenger.core.chained import ChainKind
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import MESSAGE_ID_SIZE, ConversationId, MessageId
from messenger.core.models import Contact, Draft, Message
from messenger.core.names import clean_emoji, clean_text
from messenger.engine.chats import Chats, check_writable
from messenger.engine.context import Context
from messenger.engine.events import MessageAdded, MessageChanged, MessagesRemoved
from messenger.engine.peers import Peers


class Deeds:
    """Commands about single messages; each returns when its effect is on disk.

    Args:
        context: The open profile.
        peers: The live sessions.
        chats: Sends what waits.
    """

    def __init__(self, context: Context, peers: Peers, chats: Chats) -> None:
        self._context = context
        self._store = context.store
        self._peers = peers
        self._chats = chats

    async def edit(self, conversation: ConversationId, message: MessageId, text: str) -> Message:
        """Put another text in place of one of ours, at both ends."""
        return await self._do(conversation, ChainKind.EDIT, message, clean_text(text))

    async def react(self, conversation: ConversationId, message: MessageId, emoji: str) -> Message:
        """Say with one emoji how we feel about a message; an empty one takes it back."""
        try:
            cleaned = clean_emoji(emoji)
            if len(emoji.encode()) > deed_limits.EMOJI_MAX:
                raise InputError(InputProblem.TOO_LONG, str(deed_limits.EMOJI_MAX))
        except UnicodeEncodeError as e:
            raise InputError(InputProblem.BAD_VALUE) from e
        if cleaned != emoji:
            raise InputError(InputProblem.BAD_VALUE)
        return await self._do(conversation, ChainKind.REACTION, message, cleaned)

    async def delete(self, conversation: ConversationId, message: MessageId, *, for_both: bool) -> None:
        """Delete a message, at both ends if it is ours and that is wanted, else here alone."""
        if for_both:
            changed = await self._do(conversation, ChainKind.DELETE, message, "")
            if changed.transfer is not None:
                await self._context.files.withdrawn(changed)
            await self._context.stored(self._store.shred)
            return
        now = self._context.now_ms()
        await self._context.stored(self._store.actions.remove, conversation, message, now)
        self._context.publish(MessagesRemoved(conversation))
        await self._context.publish_contact(conversation)

    async def set_timer(self, conversation: ConversationId, seconds: int) -> Contact:
        """Let what both write from now on disappear after a time, 0 for never."""
        if seconds and not deed_limits.TIMER_MIN <= seconds <= deed_limits.TIMER_MAX:
            raise InputError(InputProblem.BAD_VALUE)
        contact, line = await self._context.written(self._queue_timer, conversation, seconds)
        if line is not None:
            unread = await self._context.stored(self._store.messages.unread, conversation)
            self._context.publish(MessageAdded(line, unread))
            await self._context.publish_contact(conversation)
            self._chats.hurry(contact)
        return contact

    async def draft(self, conversation: ConversationId) -> Draft:
        """What was written to somebody and not sent."""
        return await self._context.stored(self._store.drafts.get, conversation)

    async def set_draft(self, conversation: ConversationId, draft: Draft) -> None:
        """Keep what was written and not sent; an empty draft is forgotten."""
        try:
            if len(draft.text.encode()) > limits.TEXT_MAX:
                raise InputError(InputProblem.TOO_LONG, str(limits.TEXT_MAX))
        except UnicodeEncodeError as e:
            raise InputError(InputProblem.BAD_VALUE) from e
        await self._context.stored(self._store.drafts.set, conversation, draft)

    async def tell_typing(self, conversation: ConversationId) -> None:
        """We are writing to somebody, who is told if they are online and the settings allow it."""
        session = self._peers.session(conversation)
        if self._context.settings.typing and session is not None and session.talk is not None:
            session.talk.tell_typing()

    async def _do(
        self, conversation: ConversationId, kind: ChainKind, target: MessageId, content: str
    ) -> Message:
        contact, changed = await self._context.written(self._queue, conversation, kind, target, content)
        self._context.publish(MessageChanged(changed))
        self._chats.hurry(contact)
        return changed

    def _queue_timer(self, conversation: ConversationId, seconds: int) -> tuple[Contact, Message | None]:
        """Set the timer here and put that into the outbox, unless it is so already; on the storage thread."""
        contact = self._accepted(conversation)
        if contact.timer == seconds:
            return contact, None
        id_ = MessageId(secrets.token_bytes(MESSAGE_ID_SIZE))
        line = self._store.timers.change(conversation, id_, seconds, self._context.now_ms())
        return self._accepted(conversation), line

    def _accepted(self, conversation: ConversationId) -> Contact:
        contact = self._store.contacts.get(conversation)
        if contact is None:
            raise InputError(InputProblem.UNKNOWN)
        check_writable(contact)
        return contact

    def _queue(
        self, conversation: ConversationId, kind: ChainKind, target: MessageId, content: str
    ) -> tuple[Contact, Message]:
        """Do it here and put it into the outbox; on the storage thread, as `Chats` does with texts."""
        contact = self._accepted(conversation)
        id_ = MessageId(secrets.token_bytes(MESSAGE_ID_SIZE))
        now = self._context.now_ms()
        return contact, self._store.actions.add_outgoing(conversation, kind, id_, target, content, now)
