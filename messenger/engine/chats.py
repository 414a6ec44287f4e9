"""What a person does with conversations: write, read, accept, block, rename, delete."""

import contextlib
import secrets
from collections.abc import Callable

from messenger.core import limits
from messenger.core.errors import InputError, InputProblem, ProtocolError
from messenger.core.ids import MESSAGE_ID_SIZE, ConversationId, MessageId
from messenger.core.models import (
    Contact,
    Conversation,
    Draft,
    FailReason,
    Message,
    MessageState,
    Standing,
)
from messenger.core.names import clean_name, clean_text
from messenger.crypto.identity import safety_number
from messenger.engine.context import Context
from messenger.engine.events import ConversationRemoved, MessageAdded, MessageChanged
from messenger.engine.peers import Peers
from messenger.engine.reconnect import Reconnector
from messenger.engine.talk import Talk
from messenger.protocol.link import CloseCode


class Chats:
    """Commands about conversations; each returns when its effect is on disk.

    Args:
        context: The open profile.
        peers: The live sessions.
        reconnector: Reaches contacts again.
    """

    def __init__(self, context: Context, peers: Peers, reconnector: Reconnector) -> None:
        self._context = context
        self._store = context.store
        self._peers = peers
        self._reconnector = reconnector

    async def send_text(
        self, conversation: ConversationId, text: str, reply_to: MessageId | None = None
    ) -> Message:
        """Store a text for somebody; it leaves when they can be reached."""
        cleaned = clean_text(text)
        contact, message, unread = await self._context.written(self._queue, conversation, cleaned, reply_to)
        self._context.publish(MessageAdded(message, unread))
        self.hurry(contact)
        return message

    async def retry(self, conversation: ConversationId, message: MessageId) -> None:
        """Put a failed message back into the queue."""
        contact = await self._contact(conversation)
        if contact.standing is not Standing.ACCEPTED:
            raise InputError(InputProblem.NOT_ALLOWED)
        await self._advance(conversation, [message], MessageState.QUEUED)
        self.hurry(contact, again=True)

    async def mark_read(self, conversation: ConversationId, position: int) -> None:
        """The person has seen everything up to a position."""
        seen = await self._context.stored(self._store.messages.mark_seen, conversation, position)
        if not seen:
            return
        await self._context.publish_contact(conversation)
        contact = await self._contact(conversation)
        if contact.standing is not Standing.ACCEPTED or not self._context.settings.read_receipts:
            return
        if self._peers.session(conversation) is not None:
            self._with_talk(conversation, lambda talk: talk.tell_read([id_ for id_, _ in seen]))
        else:
            await self._context.stored(self._store.queues.note_news, conversation)
            self._context.to_carry(conversation)

    async def accept(self, conversation: ConversationId) -> None:
        """Accept a request: from now on they are a contact, and learn that their words arrived."""
        await self._set_standing(conversation, Standing.ACCEPTED)
        incoming = await self._context.stored(
            self._store.messages.page, conversation, None, limits.STRANGER_MESSAGES_MAX
        )
        ids = [message.id for message in incoming if not message.outgoing]
        self._with_talk(conversation, lambda talk: talk.tell_delivered(ids))
        await self._greet(conversation)  # says also what has been read of it
        self.hurry(await self._contact(conversation))  # they may have left meanwhile

    async def block(self, conversation: ConversationId) -> None:
        """Refuse somebody's links from now on; what waits for them fails."""
        await self._set_standing(conversation, Standing.BLOCKED)
        self._hang_up(conversation)
        waiting = await self._context.stored(self._store.messages.pending, conversation, 0, limits.OUTBOX_MAX)
        ids = [item.message.id for item in waiting]
        await self._advance(conversation, ids, MessageState.FAILED, FailReason.BLOCKED)

    async def unblock(self, conversation: ConversationId) -> None:
        """Let somebody in again, as a contact."""
        await self._set_standing(conversation, Standing.ACCEPTED)
        self._reconnector.want(await self._contact(conversation), at_once=True)
        self._context.to_carry(conversation)

    async def rename(self, conversation: ConversationId, alias: str) -> None:
        """Give somebody a name of our own; an empty one takes it back."""
        name = clean_name(alias)
        await self._context.stored(self._store.contacts.update, conversation, alias=name)
        await self._context.publish_contact(conversation)

    async def delete(self, conversation: ConversationId) -> None:
        """Say goodbye and forget a contact with every message."""
        self._hang_up(conversation)
        await self._context.stored(self._store.contacts.remove, conversation)
        self._context.publish(ConversationRemoved(conversation))
        self._context.to_carry(conversation)

    async def decline(self, conversation: ConversationId) -> None:
        """Delete a message request."""
        if (await self._contact(conversation)).standing is not Standing.REQUEST:
            raise InputError(InputProblem.NOT_ALLOWED)
        await self.delete(conversation)

    async def disconnect(self, conversation: ConversationId) -> None:
        """Say goodbye, and do not reach them again by ourselves until something is sent."""
        self._hang_up(conversation)

    async def reconnect(self, conversation: ConversationId) -> None:
        """Call somebody now, if they are an accepted contact who is not online."""
        self.hurry(await self._contact(conversation), asked=True)

    async def safety_number(self, conversation: ConversationId) -> str:
        """60 digits that both people see alike."""
        contact = await self._contact(conversation)
        return await self._context.worker.run(safety_number, self._context.fingerprint, contact.fingerprint)

    async def set_verified(self, conversation: ConversationId, *, verified: bool) -> None:
        """Remember that the safety number was compared, or take that back."""
        await self._context.stored(self._store.contacts.update, conversation, verified=verified)
        await self._context.publish_contact(conversation)

    async def all(self) -> list[Conversation]:
        """The conversation list, newest first."""
        return await self._context.stored(self._store.conversations)

    async def greet_everybody(self) -> None:
        """Tell everybody who is online our name and port again."""
        for contact in await self._context.stored(self._store.contacts.all):
            await self._greet(contact.id)

    async def _greet(self, conversation: ConversationId) -> None:
        """Tell somebody our name, port and standing, if they are online; the next link tells it anyway."""
        session = self._peers.session(conversation)
        if session is not None and session.talk is not None:
            with contextlib.suppress(ProtocolError):
                await session.talk.greet()

    def _queue(
        self, conversation: ConversationId, text: str, reply_to: MessageId | None
    ) -> tuple[Contact, Message, int]:
        """Put a text into the outbox; on the storage thread, so that nobody is blocked in between.

        Returns:
            To whom, what, and how many messages of theirs are unread.
        """
        contact = self._store.contacts.get(conversation)
        if contact is None:
            raise InputError(InputProblem.UNKNOWN)
        if contact.standing is not Standing.ACCEPTED:
            raise InputError(InputProblem.NOT_ALLOWED)
        now = self._context.now_ms()
        id_ = MessageId(secrets.token_bytes(MESSAGE_ID_SIZE))
        if reply_to is not None:
            answered = self._store.messages.get(conversation, reply_to)
            if answered is None or answered.deleted:
                raise InputError(InputProblem.UNKNOWN)
        message = self._store.messages.add_outgoing(conversation, id_, text, now, now, reply_to).message
        self._store.drafts.set(conversation, Draft())
        return contact, message, self._store.messages.unread(conversation)

    async def _contact(self, conversation: ConversationId) -> Contact:
        contact = await self._context.stored(self._store.contacts.get, conversation)
        if contact is None:
            raise InputError(InputProblem.UNKNOWN)
        return contact

    async def _set_standing(self, conversation: ConversationId, standing: Standing) -> None:
        await self._context.stored(self._store.contacts.update, conversation, standing=standing)
        await self._context.publish_contact(conversation)

    async def _advance(
        self,
        conversation: ConversationId,
        ids: list[MessageId],
        state: MessageState,
        reason: FailReason = FailReason.NONE,
    ) -> None:
        advance = self._store.messages.advance
        for message in await self._context.stored(advance, conversation, ids, state, reason):
            self._context.publish(MessageChanged(message))

    def _hang_up(self, conversation: ConversationId) -> None:
        self._reconnector.forget(conversation)
        session = self._peers.session(conversation)
        if session is not None:
            session.hung_up = True
            session.close(CloseCode.PARTED)

    def hurry(self, contact: Contact, *, again: bool = False, asked: bool = False) -> None:
        """Send what waits for somebody, or call them.

        Args:
            contact: Whom.
            again: Something came back into the queue.
            asked: The person wants the call itself.
        """
        session = self._peers.session(contact.id)
        if session is not None and session.talk is not None:
            session.talk.wake(again=again)
        else:
            self._reconnector.want(contact, at_once=True, asked=asked, by_relay=True)
            self._context.to_carry(contact.id)

    def _with_talk(self, conversation: ConversationId, act: Callable[[Talk], None]) -> None:
        """Tell somebody something if they are online; if the link is just ending, the next one tells it."""
        session = self._peers.session(conversation)
        if session is not None and session.talk is not None:
            with contextlib.suppress(ProtocolError):
                act(session.talk)
