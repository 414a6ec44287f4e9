"""Transfers of files: what each side wants, where the files are, and which chunks of them are durable."""

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from messenger.core import offering as offers
from messenger.core import store_limits, transfer_limits
from messenger.core.errors import DatabaseDamaged, InputError, InputProblem, RemoteProtocolError
from messenger.core.file_names import shown_name
from messenger.core.ids import ConversationId, MessageId
from messenger.core.offering import MEDIA, Offering
from messenger.core.ranges import Ranges
from messenger.core.transfers import AFTER, Transfer, TransferId, TransferState, Trouble, Wish, outcome
from messenger.storage.database import Database, Row

HASH_SIZE: Final = 32

_COLUMNS: Final = (
    "id, conversation, message, outgoing, body, mine, my_trouble, my_count, theirs, their_trouble,"
    " their_count, staging, folder, placed, done, root, manifest IS NOT NULL, turn"
)
_GOING_ON: Final = "mine < 4 AND theirs < 4"
_IS_GOING_ON: Final = f"SELECT 1 FROM transfers WHERE id = ? AND {_GOING_ON}"  # noqa: S608
_INSERT: Final = """
INSERT INTO transfers
    (conversation, message, outgoing, body, mine, theirs, placed, manifest, sources, made_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
_GET: Final = f"SELECT {_COLUMNS} FROM transfers WHERE id = ?"  # noqa: S608 -- constants only, here and below
_FIND: Final = f"""
SELECT {_COLUMNS} FROM transfers WHERE conversation = ? AND outgoing = ? AND message = ?
"""  # noqa: S608
_UNFINISHED: Final = f"""
SELECT {_COLUMNS} FROM transfers WHERE {_GOING_ON} AND (? IS NULL OR conversation = ?) ORDER BY id
"""  # noqa: S608
_NEWEST: Final = f"""
SELECT {_COLUMNS} FROM transfers WHERE ? IS NULL OR conversation = ? ORDER BY id DESC LIMIT ?
"""  # noqa: S608
_WISH: Final = "UPDATE transfers SET mine = ?, my_trouble = ?, my_count = my_count + 1 WHERE id = ?"
_HEARD: Final = "UPDATE transfers SET theirs = ?, their_trouble = ?, their_count = ? WHERE id = ?"
_OVERTAKE: Final = "UPDATE transfers SET my_count = max(my_count, ? + 1) WHERE id = ?"
_OFFERED_BY: Final = """
SELECT 1 FROM messages AS m
WHERE m.conversation = t.conversation AND m.outgoing = t.outgoing AND m.id = t.message
"""
_FORGET: Final = f"""
DELETE FROM transfers AS t WHERE NOT ({_GOING_ON}) AND (
    EXISTS ({_OFFERED_BY} AND m.deleted = 1) OR (made_ms < ? AND NOT EXISTS ({_OFFERED_BY}))
)
"""  # noqa: S608
_UNPLACE: Final = """
UPDATE transfers SET placed = NULL
WHERE outgoing = 1 AND instr(placed, ?) AND (theirs IN (4, 7) OR mine = 4) RETURNING id
"""
_FIRST: Final = "UPDATE transfers SET turn = 1 + (SELECT max(turn) FROM transfers) WHERE id = ?"
_TIDY: Final = "UPDATE transfers SET manifest = NULL, sources = NULL WHERE id = ?"


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer as it is stored."""

    id: TransferId
    conversation: ConversationId
    message: MessageId
    outgoing: bool
    offering: Offering
    mine: Wish
    my_trouble: Trouble
    my_count: int
    theirs: Wish
    their_trouble: Trouble
    their_count: int
    staging: bytes
    """Names the place where it grows, 16 random bytes: what its sender chose may name another one too."""
    folder: str
    placed: tuple[str, ...]
    done: int
    root: bytes
    """Empty until all chunks are there."""
    manifest: bool
    """Whether the list of files is here."""
    turn: int
    """Of those of ours that wait for a lane, the one with the greatest goes first, then the oldest."""

    @property
    def state(self) -> TransferState:
        """What comes of the two wishes."""
        sender, receiver = (self.mine, self.theirs) if self.outgoing else (self.theirs, self.mine)
        return outcome(sender, receiver)

    @property
    def trouble(self) -> Trouble:
        """Why it failed, or pauses by itself."""
        return self.my_trouble or self.their_trouble

    def shown(self) -> Transfer:
        """As windows and terminals see it, without what is only known while it runs."""
        offered = self.offering
        return Transfer(
            id=self.id,
            conversation=self.conversation,
            message=self.message,
            outgoing=self.outgoing,
            names=tuple(shown_name(name) for name in offered.names),
            tops=offered.tops,
            files=offered.files,
            folders=offered.folders,
            size=offered.size,
            media=MEDIA[offered.media] if offered.media < len(MEDIA) else MEDIA[0],
            state=self.state,
            mine=self.mine,
            theirs=self.theirs,
            trouble=self.trouble,
            folder=self.folder,
            placed=self.placed,
            done=offered.size if self.state is TransferState.DONE else self.done,
        )


class TransferTable:
    """Transfers. Whoever names one that is not there gets an InputError(UNKNOWN)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, id_: TransferId) -> Held:
        """One transfer.

        Raises:
            InputError: UNKNOWN.
        """
        row = self._database.row(_GET, (id_,))
        if row is None:
            raise InputError(InputProblem.UNKNOWN)
        return _held_from(row)

    def find(self, conversation: ConversationId, message: MessageId, *, outgoing: bool) -> Held | None:
        """The transfer that a message offers, or None."""
        row = self._database.row(_FIND, (conversation, int(outgoing), message))
        return _held_from(row) if row else None

    def unfinished(self, conversation: ConversationId | None = None) -> list[Held]:
        """All that may still go on, oldest first, of one conversation or of all."""
        return [_held_from(row) for row in self._database.rows(_UNFINISHED, (conversation, conversation))]

    def newest(self, conversation: ConversationId | None, count: int) -> list[Held]:
        """The newest, newest first, of one conversation or of all."""
        rows = self._database.rows(_NEWEST, (conversation, conversation, max(count, 0)))
        return [_held_from(row) for row in rows]

    def ids(self, conversation: ConversationId) -> set[TransferId]:
        """All of one conversation; quick, however many there are."""
        rows = self._database.rows("SELECT id FROM transfers WHERE conversation = ?", (conversation,))
        return {TransferId(row[0]) for row in rows}

    def manifest(self, id_: TransferId) -> bytes:
        """The encoded list of files; empty if it is not here."""
        row = self._database.row("SELECT manifest FROM transfers WHERE id = ?", (id_,))
        return (row and row[0]) or b""

    def sources(self, id_: TransferId) -> bytes:
        """The encoded sources of ours; empty if they are not needed any more."""
        row = self._database.row("SELECT sources FROM transfers WHERE id = ?", (id_,))
        return (row and row[0]) or b""

    def wish(self, id_: TransferId, wish: Wish, trouble: Trouble = Trouble.NONE) -> Held:
        """Change our wish, if `messenger.core.transfers.AFTER` allows it; else nothing changes.

        Returns:
            The transfer as it is then.
        """
        with self._database.write():
            held = self.get(id_)
            new = wish in AFTER[held.mine] and held.theirs not in (Wish.DONE, Wish.FAILED)
            why = wish is held.mine and trouble is not held.my_trouble and bool(AFTER[wish])
            if new or why:
                self._database.rows(_WISH, (int(wish), int(trouble), id_))
            return self._tidied(id_)

    def heard(self, id_: TransferId, wish: Wish, trouble: Trouble, count: int) -> Held:
        """Note their wish; an older one than is known changes nothing, nor one after the last.

        Returns:
            The transfer as it is then.
        """
        with self._database.write():
            held = self.get(id_)
            if count >= held.their_count and AFTER[held.theirs]:
                self._database.rows(_HEARD, (int(wish), int(trouble), count, id_))
            return self._tidied(id_)

    def overtake(self, id_: TransferId, count: int) -> Held:
        """They know a later wish of ours than we: this is an old copy of the profile. Go on from theirs."""
        with self._database.write():
            self._database.rows(_OVERTAKE, (count, id_))
            return self.get(id_)

    def accept(self, id_: TransferId, folder: str) -> Held:
        """Take what is offered into a folder."""
        with self._database.write():
            if self.get(id_).mine is Wish.OPEN:
                self._database.rows("UPDATE transfers SET folder = ? WHERE id = ?", (folder, id_))
            return self.wish(id_, Wish.GO)

    def put_first(self, id_: TransferId) -> Held:
        """Let a transfer of ours go before all that wait; which of them waits longest counts no more."""
        with self._database.write():
            self._database.rows(_FIRST, (id_,))
            return self.get(id_)

    def set_manifest(self, id_: TransferId, manifest: bytes) -> None:
        """Keep the list of files that has come."""
        self._database.rows("UPDATE transfers SET manifest = ? WHERE id = ?", (manifest, id_))

    def journal(self, id_: TransferId, chunks: Sequence[tuple[int, bytes]], done: int) -> None:
        """Note chunks that are durable, or of ours were read.

        Args:
            id_: Of the transfer.
            chunks: Number and hash of each, none of which was noted before. Of a transfer that has ended
                nothing is noted.
            done: Bytes that are at the receiver.
        """
        with self._database.write():
            if self._database.row(_IS_GOING_ON, (id_,)) is None:
                return
            runs: list[tuple[int, bytearray]] = []
            ordered = sorted(chunks)
            for before, (index, hash_) in zip([None, *ordered], ordered, strict=False):
                if before is None or before[0] + 1 != index:
                    runs.append((index, bytearray()))
                runs[-1][1].extend(hash_)
            for first, hashes in runs:
                self._database.rows(
                    "INSERT OR REPLACE INTO chunks (transfer, first, hashes) VALUES (?, ?, ?)",
                    (id_, first, bytes(hashes)),
                )
            self._database.rows("UPDATE transfers SET done = ? WHERE id = ?", (done, id_))

    def held_chunks(self, id_: TransferId) -> Ranges:
        """Which chunks were noted."""
        sql = "SELECT first, first + length(hashes) / 32 FROM chunks WHERE transfer = ?"
        return Ranges((first, end) for first, end in self._database.rows(sql, (id_,)))

    def hashes(self, id_: TransferId) -> list[bytes]:
        """The hashes of all noted chunks, joined in order.

        Raises:
            DatabaseDamaged: They overlap.
        """
        sql = "SELECT first, hashes FROM chunks WHERE transfer = ? ORDER BY first"
        rows = self._database.rows(sql, (id_,))
        if any(first + len(hashes) // HASH_SIZE > after for (first, hashes), (after, _) in pairwise(rows)):
            raise DatabaseDamaged("chunks")
        return [hashes for _, hashes in rows]

    def begin_anew(self, id_: TransferId) -> None:
        """Forget which chunks are there: the place where they were is gone."""
        with self._database.write():
            self._database.rows("DELETE FROM chunks WHERE transfer = ?", (id_,))
            self._database.rows("UPDATE transfers SET done = 0, root = NULL WHERE id = ?", (id_,))

    def complete(self, id_: TransferId, root: bytes) -> None:
        """All chunks are there."""
        self._database.rows("UPDATE transfers SET root = ? WHERE id = ?", (root, id_))

    def place(self, id_: TransferId, placed: Sequence[str]) -> Held:
        """All files of theirs are in their place: our wish becomes DONE."""
        with self._database.write():
            packed = _packed(placed)
            self._database.rows("UPDATE transfers SET placed = ? WHERE id = ?", (packed, id_))
            return self.wish(id_, Wish.DONE)

    def unplace_in(self, folder: str) -> list[Held]:
        """What was sent from a folder, or is cancelled, is not kept there: its transfers name it no more.

        Returns:
            Those that did until now.
        """
        return [self.get(id_) for (id_,) in self._database.rows(_UNPLACE, (os.fsencode(folder),))]

    def sources_in(self, folder: str, without: ConversationId | None = None) -> set[str]:
        """The paths below a folder that transfers of ours name, except those of one conversation."""
        sql = "SELECT placed FROM transfers WHERE outgoing = 1 AND instr(placed, ?) AND conversation IS NOT ?"
        rows = self._database.rows(sql, (os.fsencode(folder), without))
        return {path for (placed,) in rows for path in _unpacked(placed)}

    def _tidied(self, id_: TransferId) -> Held:
        """Let go of what is not needed once a transfer has ended; in a transaction of the caller."""
        held = self.get(id_)
        if not AFTER[held.mine] or not AFTER[held.theirs]:
            self._database.rows(_TIDY, (id_,))
            self._database.rows("DELETE FROM chunks WHERE transfer = ?", (id_,))
        return held


def insert(
    database: Database,
    conversation: ConversationId,
    message: MessageId,
    body: bytes,
    now_ms: int,
    *,
    outgoing: bool,
    placed: Sequence[str] = (),
    manifest: bytes | None = None,
    sources: bytes | None = None,
) -> TransferId:
    """Add a transfer, with the message that offers it, in a transaction of the caller."""
    wishes = (Wish.GO, Wish.OPEN) if outgoing else (Wish.OPEN, Wish.GO)
    start = (conversation, message, int(outgoing), body, int(wishes[0]), int(wishes[1]))
    return TransferId(database.rows(_INSERT, (*start, _packed(placed), manifest, sources, now_ms))[0][0])


def forget_deleted(database: Database, now_ms: int) -> None:
    """Forget transfers that have ended after their messages were deleted, in a transaction of the caller.

    One whose message was deleted here alone stays for a while: the other side may still ask how it ended.
    """
    database.rows(_FORGET, (now_ms - store_limits.FORGOTTEN_KEPT * 1000,))


def staged(database: Database) -> list[tuple[bytes, str]]:
    """Where files grow that have been accepted, in a database of any version.

    Returns:
        The name of each place, 16 bytes, and the folder that it is in.
    """
    if not database.number("SELECT count(*) FROM pragma_table_info('transfers') WHERE name = 'staging'"):
        return []
    sql = f"SELECT staging, folder FROM transfers WHERE outgoing = 0 AND folder <> '' AND {_GOING_ON}"  # noqa: S608
    return [(staging, folder) for staging, folder in database.rows(sql)]


def title(body: bytes) -> str:
    """What stands as the text of a message that offers files: names, cleaned, for lists and searches."""
    offered = offers.decode(body)
    names = ", ".join(shown_name(name, transfer_limits.NAME_CHARS_MAX) for name in offered.names)
    return f"{names} …" if offered.tops > len(offered.names) else names


def _packed(paths: Sequence[str]) -> bytes:
    """Paths as they are kept: in the form of `os.fsencode`, since not every name is text."""
    return msgspec.msgpack.encode([os.fsencode(path) for path in paths])


def _unpacked(placed: bytes) -> list[str]:
    return [os.fsdecode(path) for path in msgspec.msgpack.decode(placed, type=list)]


def _held_from(row: Row) -> Held:
    try:
        return Held(
            id=TransferId(row[0]),
            conversation=ConversationId(row[1]),
            message=MessageId(row[2]),
            outgoing=bool(row[3]),
            offering=offers.decode(row[4]),
            mine=Wish(row[5]),
            my_trouble=Trouble(row[6]),
            my_count=row[7],
            theirs=Wish(row[8]),
            their_trouble=Trouble(row[9]),
            their_count=row[10],
            staging=row[11],
            folder=row[12],
            placed=tuple(_unpacked(row[13])) if row[13] else (),
            done=row[14],
            root=row[15] or b"",
            manifest=bool(row[16]),
            turn=row[17],
        )
    except (ValueError, TypeError, msgspec.MsgspecError, RemoteProtocolError) as e:
        raise DatabaseDamaged("transfer") from e
