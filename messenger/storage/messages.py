"""The messages of all conversations, and the outbox of those that are not delivered yet."""

import json
from collections.abc import Sequence
from typing import Final

import msgspec

from messenger.core import limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import FailReason, Message, MessageState
from messenger.storage import transfers
from messenger.storage.actions import ActionTable
from messenger.storage.chain import append, free_position, hear, order_here
from messenger.storage.database import Database, Row
from messenger.storage.moves import (
    ADVANCE,
    ADVANCE_THROUGH,
    ARRIVED,
    BEFORE,
    FORGET_ORIGINAL,
    INTO_OUTBOX,
    MARK_SEEN,
    OUT_OF_OUTBOX,
    SEEN_SEQ,
)
from messenger.storage.rows import IS_THERE, MESSAGE_COLUMNS, by_id, message_from, page
from messenger.storage.timers import TimerTable
from messenger.storage.traffic import (
    Arrival,
    Outgoing,
    OutgoingAction,
    all_waiting,
    has_come,
    texts_waiting,
)

_INSERT: Final = """
INSERT INTO messages
    (position, conversation, id, outgoing, seq, prev, state, reason, text, sent_ms, stored_ms, reply, timer,
    transfer, body)
VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?)
"""
_INSERTED: Final = f"{_INSERT} RETURNING {MESSAGE_COLUMNS}"
_PENDING_CONVERSATIONS: Final = """
SELECT c.id FROM contacts AS c
WHERE c.standing > 0 AND (
    EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation = c.id AND m.outgoing = 1 AND m.state = 1)
    OR EXISTS (SELECT 1 FROM actions AS a WHERE a.conversation = c.id AND a.outgoing = 1 AND a.state = 1)
)
ORDER BY c.id
"""


class MessageTable:
    """Messages by conversation. A conversation that is not there gets an InputError(UNKNOWN) on adding."""

    def __init__(self, database: Database, timers: TimerTable) -> None:
        self._database = database
        self._timers = timers
        self._actions = ActionTable(database)

    def add_outgoing(
        self,
        conversation: ConversationId,
        id_: MessageId,
        text: str,
        sent_ms: int,
        now_ms: int,
        reply_to: MessageId | None = None,
        timer: int | None = None,
    ) -> Outgoing:
        """Store a message of ours and put it into the outbox.

        Args:
            conversation: Where it belongs.
            id_: 16 random bytes, new.
            text: As `messenger.core.names.clean_text` returned it.
            sent_ms: When it was sent, Unix milliseconds.
            now_ms: When it is stored, Unix milliseconds.
            reply_to: The message that it answers.
            timer: Seconds after which it disappears, 0 for never; None for as in the conversation.

        Raises:
            InputError: UNKNOWN, there is no such conversation.
        """
        with self._database.write():
            reply = reply_to or b""
            timer = self._timers.get(conversation) if timer is None else timer
            chained, position = append(
                self._database,
                conversation,
                ChainKind.TEXT,
                id_,
                sent_ms,
                about=reply,
                content=text,
                timer=timer,
            )
            values = (position, conversation, id_, 1, chained.seq, chained.prev, int(MessageState.QUEUED))
            last = (text, sent_ms, now_ms, reply_to, timer, None, None)
            row = self._database.rows(_INSERTED, (*values, *last))[0]
        return Outgoing(message=message_from(row), seq=chained.seq, prev=chained.prev, reply=reply)

    def add_offer(
        self,
        conversation: ConversationId,
        id_: MessageId,
        body: bytes,
        now_ms: int,
        *,
        paths: Sequence[str],
        manifest: bytes,
        sources: bytes,
        timer: int | None = None,
    ) -> Message:
        """Store an offer of files of ours with its transfer, and put it into the outbox.

        Args:
            conversation: To whom.
            id_: 16 random bytes, new.
            body: The encoded offering.
            now_ms: Unix milliseconds.
            paths: What was chosen.
            manifest: The encoded list of files.
            sources: Where they are, encoded.
            timer: As of `add_outgoing`.

        Raises:
            InputError: UNKNOWN, there is no such conversation.
        """
        with self._database.write():
            timer = self._timers.get(conversation) if timer is None else timer
            chained, position = append(
                self._database, conversation, ChainKind.OFFER, id_, now_ms, timer=timer, body=body
            )
            transfer = transfers.insert(
                self._database,
                conversation,
                id_,
                body,
                now_ms,
                outgoing=True,
                placed=paths,
                manifest=manifest,
                sources=sources,
            )
            values = (position, conversation, id_, 1, chained.seq, chained.prev, int(MessageState.QUEUED))
            last = (transfers.title(body), now_ms, now_ms, None, timer, transfer, body)
            return message_from(self._database.rows(_INSERTED, (*values, *last))[0])

    def add_incoming(
        self,
        conversation: ConversationId,
        id_: MessageId,
        seq: int,
        prev: bytes,
        text: str,
        sent_ms: int,
        now_ms: int,
        order: int = 0,
        reply: bytes = b"",
    ) -> Message | None:
        """Store a message of theirs as unread; it may be acknowledged once this returned.

        Args:
            conversation: Where it belongs.
            id_: 16 bytes, chosen by its author.
            seq: Its author's count, from 1, at most 2^63 - 1.
            prev: `chain_hash` of its author's message before, 32 bytes.
            text: At most `limits.TEXT_MAX` bytes of UTF-8.
            sent_ms: When it was sent by its author's clock, Unix milliseconds.
            now_ms: When it is stored, Unix milliseconds.
            order: Where its author has put it; 0 for the end.
            reply: Id of the message that it answers, or empty.

        Returns:
            The message, or None if it is or was here already (it should be acknowledged again).

        Raises:
            InputError: UNKNOWN, there is no such conversation.
        """
        chained = Chained(
            kind=ChainKind.TEXT,
            id=id_,
            seq=seq,
            prev=prev,
            sent_ms=sent_ms,
            order=order,
            about=reply,
            content=text,
        )
        return self.take(conversation, chained, now_ms).added

    def take(self, conversation: ConversationId, chained: Chained, now_ms: int) -> Arrival:
        """Store what they wrote or did; it may be acknowledged once this returned, new or not.

        Args:
            conversation: Where it belongs.
            chained: What came; the bounds of its packet hold.
            now_ms: When it is stored, Unix milliseconds.

        Raises:
            InputError: UNKNOWN, there is no such conversation.
        """
        with self._database.write():
            if self._database.row(IS_THERE, (conversation,)) is None:
                raise InputError(InputProblem.UNKNOWN)
            if has_come(self._database, conversation, chained.id):
                return Arrival()
            noticed = hear(self._database, conversation, chained)
            if chained.kind is ChainKind.TIMER:
                line = self._timers.take(conversation, chained, now_ms)
                return Arrival(new=True, added=line, chain=noticed)
            if chained.kind not in (ChainKind.TEXT, ChainKind.OFFER):
                changed = self._actions.take(conversation, chained, now_ms)
                return Arrival(new=True, changed=changed, chain=noticed)
            order = order_here(self._database, conversation, chained.order, now_ms)
            position = free_position(self._database, order, chained.id)
            start = (
                position,
                conversation,
                chained.id,
                0,
                chained.seq,
                chained.prev,
                int(MessageState.UNREAD),
            )
            text, transfer = chained.content, None
            if chained.kind is ChainKind.OFFER:
                text, id_, body = transfers.title(chained.body), chained.id, chained.body
                transfer = transfers.insert(self._database, conversation, id_, body, now_ms, outgoing=False)
            last = (chained.sent_ms, now_ms, chained.about or None, chained.timer, transfer, None)
            values = (*start, text, *last)
            message = message_from(self._database.rows(_INSERTED, values)[0])
            return Arrival(new=True, added=self._actions.catch_up(conversation, message), chain=noticed)

    def pending(self, conversation: ConversationId, after_seq: int, count: int) -> list[Outgoing]:
        """Our messages that wait to be sent, oldest first.

        Args:
            conversation: To whom.
            after_seq: Only those with a larger number.
            count: At most so many.
        """
        return texts_waiting(self._database, conversation, after_seq, count)

    def to_send(
        self, conversation: ConversationId, after_seq: int, count: int, *, carried: bool = False
    ) -> list[Outgoing | OutgoingAction]:
        """All that waits to be sent, texts and what was done to them, as `pending`.

        Args:
            conversation: To whom.
            after_seq: Only those with a larger number.
            count: At most so many.
            carried: Also what a relay has taken and what has no receipt.
        """
        return all_waiting(self._database, conversation, after_seq, count, carried=carried)

    def pending_conversations(self) -> list[ConversationId]:
        """The conversations in which messages wait to be sent."""
        return [ConversationId(row[0]) for row in self._database.rows(_PENDING_CONVERSATIONS)]

    def advance(
        self,
        conversation: ConversationId,
        ids: Sequence[MessageId],
        state: MessageState,
        reason: FailReason = FailReason.NONE,
    ) -> list[Message]:
        """Move messages of ours to a state, each if `messenger.core.models.AFTER` allows it.

        Others stay as they are, unknown ones do not matter: receipts come twice.

        Args:
            conversation: Whose messages.
            ids: Which messages.
            state: Where they go. FAILED, DELIVERED and READ leave the outbox, and the time of those that
                disappear runs; QUEUED comes back.
            reason: Why they FAILED; without meaning for other states.

        Returns:
            Those that were changed, as they are now, oldest first.
        """
        with self._database.write():
            bounds = _bounds(conversation, state, reason)
            moved, others = list[Row](), list[MessageId]()
            for id_ in ids:
                rows = self._database.rows(ADVANCE, (*bounds, id_))
                moved += rows
                if not rows:
                    others.append(id_)
            self._actions.advance(conversation, others, state)
            return self._settled(moved, state)

    def advance_through(
        self,
        conversation: ConversationId,
        seq: int,
        state: MessageState,
        reason: FailReason = FailReason.NONE,
    ) -> list[Message]:
        """As `advance`, for all messages of ours up to and including a number.

        READ is for those alone that are known to have arrived: a number proves nothing about a
        message that waits, or that failed before it was sent.
        """
        with self._database.write():
            target, kept, whose, before = _bounds(conversation, state, reason)
            before = ARRIVED if state is MessageState.READ else before
            moved = self._database.rows(ADVANCE_THROUGH, (target, kept, whose, before, seq))
            return self._settled(moved, state)

    def mark_seen(self, conversation: ConversationId, position: int) -> list[tuple[MessageId, int]]:
        """Turn unread messages up to and including a position into seen ones, whose time runs.

        Returns:
            Id and number of each that was unread, oldest first, for the receipt.
        """
        with self._database.write():
            rows = self._database.rows(MARK_SEEN, (conversation, position))
            if timed := [row[0] for row in rows if row[3]]:
                self._timers.start(timed)
        return [(MessageId(id_), seq) for _, id_, seq, _ in sorted(rows)]

    def seen_seq(self, conversation: ConversationId) -> int:
        """The highest number up to which all messages of theirs were seen; 0 if none was.

        If they have deleted the conversation and count from 1 again, the new count is what matters.
        """
        return self._database.number(SEEN_SEQ, (conversation,))

    def incoming_count(self, conversation: ConversationId) -> int:
        """How many messages of theirs are stored; counts them one by one, so it is meant for requests."""
        return self._database.number(
            "SELECT count(*) FROM messages WHERE conversation = ? AND outgoing = 0", (conversation,)
        )

    def unread(self, conversation: ConversationId) -> int:
        """How many messages of theirs were not seen yet."""
        return self._database.number(
            "SELECT count(*) FROM messages WHERE conversation = ? AND state = 6", (conversation,)
        )

    def last(self, conversation: ConversationId) -> Message | None:
        """The latest message, or None."""
        messages = self.page(conversation, None, 1)
        return messages[0] if messages else None

    def get(self, conversation: ConversationId, id_: MessageId) -> Message | None:
        """A message by its id, or None; ours if they chose the id of one of ours for theirs."""
        return by_id(self._database, conversation, id_)

    def page(
        self,
        conversation: ConversationId,
        before: int | None = None,
        count: int = limits.PAGE,
        after: int | None = None,
    ) -> list[Message]:
        """Messages next to a position, oldest first.

        Args:
            conversation: Whose messages.
            before: Only those at smaller positions; None for no bound.
            count: At most so many: those right after `after` if it is given, else the latest.
            after: Only those at larger positions; None for no bound.
        """
        return page(self._database, conversation, before=before, after=after, count=count)

    def _settled(self, moved: list[Row], state: MessageState) -> list[Message]:
        """Bring the outbox in line with messages that were moved, and return them in order."""
        messages = sorted((message_from(row) for row in moved), key=lambda message: message.position)
        positions = json.dumps([message.position for message in messages])
        timed = [message.position for message in messages if message.timer]
        if state is MessageState.QUEUED:
            self._database.rows(INTO_OUTBOX, (positions,))
            self._timers.stop(timed)
            return [msgspec.structs.replace(message, expires_ms=None) for message in messages]
        if state is not MessageState.SENT:
            self._database.rows(OUT_OF_OUTBOX, (positions,))
            self._database.rows(FORGET_ORIGINAL, (positions, int(state is not MessageState.FAILED)))
            if timed:
                ends = self._timers.start(timed)
                messages = [
                    msgspec.structs.replace(each, expires_ms=ends.get(each.position, each.expires_ms))
                    for each in messages
                ]
        return messages


def _bounds(
    conversation: ConversationId, state: MessageState, reason: FailReason
) -> tuple[int, str, ConversationId, str]:
    kept = reason if state is MessageState.FAILED else FailReason.NONE
    return int(state), kept.value, conversation, BEFORE[state]
