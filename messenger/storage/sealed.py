"""Sealed messages: sessions, what was sealed in them, receipts that are due (SPEC.md section 10).

The sessions of a contact are one value that only the engine can read and change. Whatever changes
them is one transaction (`Store.transaction`) with what it was done for: the message that was
opened, or the bytes that may leave.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from messenger.core.ids import ConversationId, Fingerprint, MessageId
from messenger.core.models import Message, MessageState
from messenger.storage.database import Database
from messenger.storage.rows import ACTION_COLUMNS, MESSAGE_COLUMNS, chained_from, columns_of, message_from
from messenger.storage.traffic import OUTGOING_COLUMNS, Outgoing, OutgoingAction, outgoing_from

KIND_MESSAGE: Final = 1
"""Kind of an envelope that holds a message of a session; 2 is a first contact."""

_RESTORED: Final = "restored"
"""Name of a single value: the database is a copy that was made of another one."""

_MARK: Final = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, x'01')"
_WAITING: Final = f"""
SELECT {columns_of("m", OUTGOING_COLUMNS)} FROM outbox AS o JOIN messages AS m USING (position)
WHERE m.conversation = ? AND m.outgoing = 1 AND m.id = ?
"""  # noqa: S608 -- constants only
_REQUEUE: Final = f"""
UPDATE messages SET state = {MessageState.QUEUED:d}
WHERE conversation = ? AND outgoing = 1 AND state = {MessageState.SENT:d} RETURNING {MESSAGE_COLUMNS}
"""  # noqa: S608
_WAITING_ACTION: Final = f"""
SELECT position, {ACTION_COLUMNS} FROM actions WHERE conversation = ? AND outgoing = 1 AND id = ?
"""  # noqa: S608
_REQUEUE_ACTIONS: Final = f"""
UPDATE actions SET state = {MessageState.QUEUED:d} WHERE conversation = ? AND outgoing = 1
"""  # noqa: S608
_DROP_OUTBOX: Final = """
DELETE FROM sealed_outbox WHERE position IN (SELECT position FROM outbox WHERE conversation = ?)
"""
_DROP_OLDEST: Final = """
DELETE FROM sealed_outbox WHERE position IN (
    SELECT s.position FROM sealed_outbox AS s JOIN outbox AS o USING (position)
    WHERE o.conversation = ? AND s.kind = ? ORDER BY s.position LIMIT ?
)
"""
_LET_ALL_GO: Final = """
UPDATE sealed_outbox SET until_ms = 0
WHERE until_ms > 0 AND position IN (SELECT position FROM outbox WHERE conversation = ?)
"""


class SealedCopy(msgspec.Struct, frozen=True):
    """A message of ours as it was sealed: the same bytes are sent until its session is replaced."""

    sid: bytes
    """Id of the session, 32 bytes."""
    kind: int
    """Kind of the envelope that it belongs into."""
    content: bytes

    def __repr__(self) -> str:
        return f"SealedCopy({self.kind}, {len(self.content)} bytes)"


def mark_copy(copy: Database) -> None:
    """Make a copy of a database fit to be kept: without prekeys, and marked.

    Whoever opens it must not seal in its sessions any more, for the other database has gone on
    (see `SealedTable.restored`).

    Args:
        copy: Open for writing.
    """
    with copy.write():
        copy.rows("DELETE FROM prekeys")
        copy.rows("DELETE FROM prekey_lists")
        copy.rows("DELETE FROM sealed_outbox")
        copy.rows(_MARK, (_RESTORED,))


def forget_sessions(database: Database, conversation: ConversationId) -> list[Message]:
    """Drop the sessions with a contact and what was sealed in them; in a transaction of the caller.

    Returns:
        Messages that were with a carrier, and wait again.
    """
    database.rows("DELETE FROM sealed_sessions WHERE conversation = ?", (conversation,))
    database.rows(_DROP_OUTBOX, (conversation,))
    return _requeued(database, conversation)


def _requeued(database: Database, conversation: ConversationId) -> list[Message]:
    """Let all that is with a carrier wait again; returns the texts among it."""
    database.rows(_LET_ALL_GO, (conversation,))
    database.rows(_REQUEUE_ACTIONS, (conversation,))
    return [message_from(row) for row in database.rows(_REQUEUE, (conversation,))]


class SealedTable:
    """Sessions by conversation, and the messages and receipts that travel in them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self, conversation: ConversationId, own: Fingerprint) -> bytes | None:
        """The sessions with a contact, or None.

        Args:
            conversation: With whom.
            own: Who we are; sessions from before we moved are not those of today.
        """
        sql = "SELECT state FROM sealed_sessions WHERE conversation = ? AND own = ?"
        row = self._database.row(sql, (conversation, own))
        return bytes(row[0]) if row else None

    def with_sid(self, sid: bytes) -> ConversationId | None:
        """With whom there is a session of this id, or None."""
        row = self._database.row("SELECT conversation FROM sealed_ids WHERE sid = ?", (sid,))
        return ConversationId(row[0]) if row else None

    def put(
        self, conversation: ConversationId, own: Fingerprint, state: bytes, sids: Iterable[bytes]
    ) -> None:
        """Store the sessions with a contact in place of those before.

        Args:
            conversation: With whom.
            own: Who we are in them.
            state: As the engine wrote them.
            sids: The id of each of them.
        """
        with self._database.write():
            self._database.rows(
                "INSERT INTO sealed_sessions (conversation, own, state) VALUES (?, ?, ?)"
                " ON CONFLICT (conversation) DO UPDATE SET own = excluded.own, state = excluded.state",
                (conversation, own, state),
            )
            known, new = set(self._sids(conversation)), set(sids)
            for sid in known - new:
                self._database.rows("DELETE FROM sealed_ids WHERE sid = ?", (sid,))
            for sid in new - known:
                self._database.rows(
                    "INSERT INTO sealed_ids (sid, conversation) VALUES (?, ?)", (sid, conversation)
                )

    def conversations(self) -> list[ConversationId]:
        """With whom there are sessions."""
        rows = self._database.rows("SELECT conversation FROM sealed_sessions ORDER BY conversation")
        return [ConversationId(row[0]) for row in rows]

    def keep_only(self, own: Fingerprint) -> list[Message]:
        """Forget the sessions and prekeys of everybody that we were before.

        Returns:
            Messages that were with a carrier, and wait again.
        """
        with self._database.write():
            sql = "SELECT conversation FROM sealed_sessions WHERE own <> ?"
            old = [ConversationId(row[0]) for row in self._database.rows(sql, (own,))]
            moved = [message for each in old for message in forget_sessions(self._database, each)]
            gone = self._database.change("DELETE FROM prekeys WHERE own <> ?", (own,))
            self._database.rows("DELETE FROM prekey_lists WHERE own <> ?", (own,))
        if old or gone:
            self._database.shred()
        return moved

    def restored(self) -> bool:
        """Whether this is a copy that was made of another database, and opened now for the first time."""
        return self._database.row("SELECT 1 FROM meta WHERE name = ?", (_RESTORED,)) is not None

    def mark_restored(self) -> None:
        """Treat the database as such a copy: it is an older one that somebody has put here."""
        self._database.rows(_MARK, (_RESTORED,))

    def settle_restored(self) -> None:
        """All sessions have been changed so that a copy may go on."""
        with self._database.write():
            self._database.rows("DELETE FROM meta WHERE name = ?", (_RESTORED,))

    def waiting(self, conversation: ConversationId, id_: MessageId) -> Outgoing | OutgoingAction | None:
        """A message or action of ours that has no receipt, or None if it has one or has failed."""
        row = self._database.row(_WAITING, (conversation, id_))
        if row is not None:
            return outgoing_from(row)
        row = self._database.row(_WAITING_ACTION, (conversation, id_))
        return OutgoingAction(position=row[0], chained=chained_from(row[1:])) if row else None

    def copy(self, position: int) -> SealedCopy | None:
        """What a waiting message was sealed to, or None."""
        row = self._database.row(
            "SELECT sid, kind, content FROM sealed_outbox WHERE position = ?", (position,)
        )
        return SealedCopy(bytes(row[0]), row[1], bytes(row[2])) if row else None

    def keep_copy(self, position: int, copy: SealedCopy) -> None:
        """Keep what a waiting message was sealed to, until it has a receipt or has failed."""
        with self._database.write():
            self._database.rows(
                "INSERT OR REPLACE INTO sealed_outbox (position, sid, kind, content) VALUES (?, ?, ?, ?)",
                (position, copy.sid, copy.kind, copy.content),
            )

    def replaced(self, conversation: ConversationId, sid: bytes) -> list[Message]:
        """Another session is the one for sending now: what was sealed in others must be sealed anew.

        Args:
            conversation: With whom.
            sid: The id of that session.

        Returns:
            Messages that were with a carrier, and wait again.
        """
        with self._database.write():
            self._database.rows(f"{_DROP_OUTBOX} AND sid <> ?", (conversation, sid))
            return _requeued(self._database, conversation)

    def requeue(
        self, conversation: ConversationId, *, anew: bool = False, most: int | None = None
    ) -> list[Message]:
        """Let what is with a carrier wait again: the same sealed bytes are handed over anew.

        Args:
            conversation: For whom it is.
            anew: Forget the bytes, so that it is sealed anew and acknowledged again by whoever has it; of
                first contacts they stay, for a copy would be another first contact.
            most: Forget those of so many messages, the oldest first; None for all.

        Returns:
            The texts among it.
        """
        with self._database.write():
            if anew:
                self._database.rows(_DROP_OLDEST, (conversation, KIND_MESSAGE, -1 if most is None else most))
            return _requeued(self._database, conversation)

    def add_receipts(self, conversation: ConversationId, ids: Sequence[MessageId]) -> None:
        """Note that receipts are due."""
        with self._database.write():
            for id_ in ids:
                self._database.rows(
                    "INSERT OR IGNORE INTO sealed_receipts (conversation, id) VALUES (?, ?)",
                    (conversation, id_),
                )

    def receipts(self, conversation: ConversationId, count: int) -> list[MessageId]:
        """For which messages of a contact receipts are due, at most so many."""
        sql = "SELECT id FROM sealed_receipts WHERE conversation = ? LIMIT ?"
        return [MessageId(bytes(row[0])) for row in self._database.rows(sql, (conversation, max(count, 0)))]

    def all_receipts(self, conversation: ConversationId) -> list[MessageId]:
        """For which messages of a contact receipts are due."""
        sql = "SELECT id FROM sealed_receipts WHERE conversation = ?"
        return [MessageId(bytes(row[0])) for row in self._database.rows(sql, (conversation,))]

    def receipts_waiting(self) -> list[ConversationId]:
        """To whom receipts are due."""
        rows = self._database.rows("SELECT DISTINCT conversation FROM sealed_receipts ORDER BY conversation")
        return [ConversationId(row[0]) for row in rows]

    def drop_receipts(self, conversation: ConversationId, ids: Sequence[MessageId]) -> None:
        """These receipts have been handed over."""
        with self._database.write():
            for id_ in ids:
                self._database.rows(
                    "DELETE FROM sealed_receipts WHERE conversation = ? AND id = ?", (conversation, id_)
                )

    def taken(self, sender: Fingerprint, id_: MessageId) -> bool:
        """Whether a first contact has been taken before."""
        sql = "SELECT 1 FROM first_contacts WHERE fingerprint = ? AND id = ?"
        return self._database.row(sql, (sender, id_)) is not None

    def take(self, sender: Fingerprint, id_: MessageId, until: int) -> None:
        """Remember a first contact until a time in Unix seconds."""
        with self._database.write():
            self._database.rows(
                "INSERT INTO first_contacts (fingerprint, id, until) VALUES (?, ?, ?)", (sender, id_, until)
            )

    def purge(self, now: int) -> None:
        """Forget first contacts that cannot come again, at a time in Unix seconds."""
        with self._database.write():
            self._database.rows("DELETE FROM first_contacts WHERE until < ?", (now,))

    def serial(self, conversation: ConversationId) -> int:
        """Number of the newest list of prekeys that was seen of a contact; 0 if none was."""
        return self._database.number("SELECT prekey_serial FROM contacts WHERE id = ?", (conversation,))

    def pin_serial(self, conversation: ConversationId, serial: int) -> None:
        """Raise the number of the newest list of prekeys that was seen of a contact; it never falls."""
        with self._database.write():
            self._database.rows(
                "UPDATE contacts SET prekey_serial = max(prekey_serial, ?) WHERE id = ?",
                (serial, conversation),
            )

    def _sids(self, conversation: ConversationId) -> list[bytes]:
        sql = "SELECT sid FROM sealed_ids WHERE conversation = ?"
        return [bytes(row[0]) for row in self._database.rows(sql, (conversation,))]
