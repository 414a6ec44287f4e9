"""Deleting a contact with all messages: unseen at once, overwritten in steps that others can come between.

`hide` takes a short transaction, however much there is: the contact loses everything that says who it was,
and its row becomes one of nobody (`GONE`), which no query shows. `step` deletes the rest, and the row at the
very end; a program that is killed in between goes on where it was. What was deleted is overwritten in the
database and in the index, and taken out of the log.
"""

from enum import IntEnum
from typing import Final

from messenger.core import store_limits
from messenger.core.ids import ConversationId
from messenger.storage.database import Database
from messenger.storage.search import merge_more, merge_start, overwriting

GONE: Final = 0
"""In place of a `Standing`: what is left of a contact that is being deleted."""

_NOBODY: Final = """
UPDATE contacts SET fingerprint = randomblob(32), name = '', alias = '', standing = 0, awaiting = ?2,
    verified = 0, addresses = x'90', created_ms = 0, seen_ms = NULL, peer_not_before = 0, peer_version = 0,
    knock = zeroblob(0), last_hash = zeroblob(32), told = 0, key_news = 0, timer = 0, timer_key = NULL,
    note = '', pinned = 0, muted = 0, archived = 0, news = 0, news_told = 0,
    portrait = x'', portrait_wanted = x'', portrait_asked = 0
WHERE id = ?1
"""
_AT_ONCE: Final = (
    "sealed_outbox WHERE position IN (SELECT position FROM outbox WHERE conversation = ?)",
    "outbox WHERE conversation = ?",
    "sealed_sessions WHERE conversation = ?",
    "sealed_receipts WHERE conversation = ?",
    "retired_keys WHERE contact = ?",
    "actions WHERE conversation = ?",
    "drafts WHERE conversation = ?",
    "retention WHERE conversation = ?",
    "heard WHERE conversation = ?",
    "calendar WHERE conversation = ?",
    "places WHERE conversation = ?",
    "first_places WHERE conversation = ?",
    "transfers WHERE conversation = ?",
    "endings WHERE conversation = ?",
    "portraits WHERE conversation = ?",
)
"""What says more than a text of a message; all of it is bounded."""

_SOME: Final = "SELECT position FROM messages WHERE conversation = ? ORDER BY position LIMIT ?"
_DELETE: Final = f"DELETE FROM messages WHERE position IN ({_SOME})"  # noqa: S608 -- constants only
_FORGET: Final = """
DELETE FROM forgotten WHERE conversation = ?1
    AND id IN (SELECT id FROM forgotten WHERE conversation = ?1 LIMIT ?2)
"""


class _Index(IntEnum):
    """What the index still needs, where a contact that is nobody any more has no use for the column."""

    OVERWRITTEN = 0
    """Nothing: each deletion overwrites its terms."""
    MARKED = 1
    """Deletions only mark their terms, since they are many; afterwards all of it is written anew."""
    MERGING = 2
    """It is being written anew."""


def hide(database: Database, conversation: ConversationId) -> None:
    """Let a contact and its messages vanish; `step` deletes them. Nothing happens if it is not there."""
    held = "SELECT sum(messages) FROM calendar WHERE conversation = ?"
    with database.write():
        many = database.number(held, (conversation,)) >= store_limits.SEARCH_BULK
        for each in _AT_ONCE:
            database.rows(f"DELETE FROM {each}", (conversation,))  # noqa: S608 -- constants only
        database.rows("UPDATE queues SET conversation = NULL WHERE conversation = ?", (conversation,))
        database.rows(_NOBODY, (conversation, int(_Index.MARKED if many else _Index.OVERWRITTEN)))


def step(database: Database) -> bool:
    """Delete a part of what is hidden, in one transaction; False if there was nothing.

    Raises:
        StorageError: Or one of its kinds; nothing was deleted in this step.
    """
    row = database.row("SELECT id, awaiting FROM contacts WHERE standing = 0 ORDER BY id LIMIT 1")
    if row is None:
        return False
    conversation, index = ConversationId(row[0]), _Index(row[1])
    with database.write():
        done = not _delete_some(database, conversation, index) and _index_done(database, conversation, index)
        if done:
            database.rows("DELETE FROM contacts WHERE id = ?", (conversation,))
    if done:
        database.shred()
    return True


def _delete_some(database: Database, conversation: ConversationId, index: _Index) -> bool:
    """Delete messages, or what is remembered of them; False if there are none."""
    if index is _Index.OVERWRITTEN:
        found = database.change(_DELETE, (conversation, store_limits.REMOVE_STEP_FEW)) > 0
    else:
        with overwriting(database, later=True):
            found = database.change(_DELETE, (conversation, store_limits.REMOVE_STEP)) > 0
    return found or database.change(_FORGET, (conversation, store_limits.REMOVE_STEP)) > 0


def _index_done(database: Database, conversation: ConversationId, index: _Index) -> bool:
    """Write a part of the index anew; whether it holds nothing any more of what was deleted."""
    if index is _Index.MARKED:
        merge_start(database)
        database.rows("UPDATE contacts SET awaiting = ? WHERE id = ?", (int(_Index.MERGING), conversation))
        return False
    return index is _Index.OVERWRITTEN or not merge_more(database)
