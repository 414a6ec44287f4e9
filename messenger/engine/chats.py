"""What a person does with conversations: write, read, accept, block, rename, delete."""

import contextlib
import secrets
from collections.abc import Callable
from typing import TypedDict, Unpack

from messenger.core import limits, store_limits
from messenger.core.errors import InputError, InputProblem, ProtocolError
from messenger.core.ids import MESSAGE_ID_SIZE, ConversationId, MessageId
from messenger.core.models import (
    Contact,
    Conversation,
    Draft,
    FailReason,
    KeyNews,
    Message,
    MessageState,
    Standing,
)
from messenger.core.names import clean_name, clean_text
from messenger.crypto.identity import safety_number
from messenger.engine.context import Context
from messenger.engine.events import ConversationRemoved, MessageAdded
from messenger.engine.history import History
from messenger.engine.peers import Peers
from messenger.engine.reconnect import Reconnector
from messenger.engine.talk import Talk
from messenger.protocol.link import CloseCode


def check_writable(contact: Contact) -> None:
    """See that something may be put into the outbox for somebody.

    Raises:
        InputError: NOT_ALLOWED, they are not accepted. NEW_KEY, nobody has decided about their new key.
    """
    if contact.standing is not Standing.ACCEPTED:
        raise InputError(InputProblem.NOT_ALLOWED)
    if contact.held:
        raise InputError(InputProblem.NEW_KEY)


class Arrangement(TypedDict, total=False):
    """How a conversation is kept in order here; see `messenger.core.models.Contact`."""

    note: str
    pinned: bool
    muted: bool
    archived: bool


class Chats:
    """Commands about conversations; each returns when its effect is on disk.

    Args:
        context: The open profile.
        peers: The live sessions.
        reconnector: Reaches contacts again.
        history: Overwrites what was deleted.
    """

    def __init__(self, context: Context, peers: Peers, reconnector: Reconnector, history: History) -> None:
        self._context = context
        self._store = context.store
        self._peers = peers
        self._reconnector = reconnector
        self._history = history

    async def send_text(
        self, conversation: ConversationId, text: str, reply_to: MessageId | None = None
    ) -> Message:
        """Store a text for somebody; it leaves when they can be reached."""
        cleaned = clean_text(text)
        contact, added, unread = await self._context.written(self._queue, conversation, cleaned, reply_to)
        *lines, message = added
        for each in added:
            self._context.publish(MessageAdded(each, unread))
        if lines:
            await self._context.publish_contact(conversation)
        self.hurry(contact)
        return message

    async def retry(self, conversation: ConversationId, message: MessageId) -> None:
        """Put a failed message back into the queue."""
        contact = await self._contact(conversation)
        check_writable(contact)
        await _advance(self._context, conversation, [message], MessageState.QUEUED)
        self.hurry(contact, again=True)

    async def mark_read(self, conversation: ConversationId, position: int) -> None:
        """The person has seen everything up to a position."""
        seen = await self._context.stored(self._store.messages.mark_seen, conversation, position)
        if not seen:
            return
        self._context.timing.set()
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
        await _advance(self._context, conversation, ids, MessageState.FAILED, FailReason.BLOCKED)

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

    async def arrange(self, conversation: ConversationId, **changes: Unpack[Arrangement]) -> None:
        """Pin, mute, archive, or write a note; none of it leaves this computer."""
        if "note" in changes and len(changes["note"].encode("utf-8", "replace")) > store_limits.NOTE_MAX:
            raise InputError(InputProblem.TOO_LONG, str(store_limits.NOTE_MAX))
        await self._context.stored(self._store.contacts.update, conversation, **changes)
        await self._context.publish_contact(conversation)

    async def delete(self, conversation: ConversationId) -> None:
        """Say goodbye and forget a contact with every message; the messages go in the background."""
        self._hang_up(conversation)
        await self._context.files.forget(conversation)
        await self._context.stored(self._store.contacts.hide, conversation)
        self._context.publish(ConversationRemoved(conversation))
        self._history.removed.set()
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
        """Remember that the safety number was compared, or take that back; the first settles a new key."""
        if verified:
            await self.settle_key(conversation, verified=True)
            return
        await self._context.stored(self._store.contacts.update, conversation, verified=False)
        await self._context.publish_contact(conversation)

    async def settle_key(self, conversation: ConversationId, *, verified: bool = False) -> None:
        """The person has decided about somebody's key, having compared it or not: send what was held up."""
        update, news = self._store.contacts.update, KeyNews.NONE
        if verified:
            await self._context.stored(update, conversation, key_news=news, verified=True)
        else:
            await self._context.stored(update, conversation, key_news=news)
        await self._context.publish_contact(conversation)
        await self._greet(conversation)  # by which `Talk` learns it
        contact = await self._contact(conversation)
        if contact.standing is Standing.ACCEPTED:
            self.hurry(contact)

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
    ) -> tuple[Contact, list[Message], int]:
        """Put a text into the outbox; on the storage thread, so that nobody is blocked in between.

        Returns:
            To whom, what (before the text perhaps a line that a timer was set), and how many messages are
            unread.
        """
        contact = self._store.contacts.get(conversation)
        if contact is None:
            raise InputError(InputProblem.UNKNOWN)
        check_writable(contact)
        now = self._context.now_ms()
        id_ = MessageId(secrets.token_bytes(MESSAGE_ID_SIZE))
        if reply_to is not None:
            answered = self._store.messages.get(conversation, reply_to)
            if answered is None or answered.deleted or answered.notice:
                raise InputError(InputProblem.UNKNOWN)
        added, timer = begin_timer(self._context, contact, now)
        add = self._store.messages.add_outgoing
        added.append(add(conversation, id_, text, now, now, reply_to, timer).message)
        self._store.drafts.set(conversation, Draft())
        return contact, added, self._store.messages.unread(conversation)

    async def _contact(self, conversation: ConversationId) -> Contact:
        contact = await self._context.stored(self._store.contacts.get, conversation)
        if contact is None:
            raise InputError(InputProblem.UNKNOWN)
        return contact

    async def _set_standing(self, conversation: ConversationId, standing: Standing) -> None:
        await self._context.stored(self._store.contacts.update, conversation, standing=standing)
        await self._context.publish_contact(conversation)

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


async def _advance(
    context: Context,
    conversation: ConversationId,
    ids: list[MessageId],
    state: MessageState,
    reason: FailReason = FailReason.NONE,
) -> None:
    advance = context.store.messages.advance
    context.publish_changed(await context.stored(advance, conversation, ids, state, reason))


def begin_timer(context: Context, contact: Contact, now_ms: int) -> tuple[list[Message], int | None]:
    """Something is about to be written to somebody: set the timer of the settings if there never was one.

    On the storage thread.

    Returns:
        Perhaps a line that says so, and the timer of what is written; None for that of the conversation.
    """
    first, timers = context.settings.new_timer.seconds, context.store.timers
    if not first or not timers.never_set(contact.id):
        return [], None
    if contact.awaiting:  # they hear of it once they have accepted
        return [], first
    line_id = MessageId(secrets.token_bytes(MESSAGE_ID_SIZE))
    return [timers.change(contact.id, line_id, first, now_ms)], first
