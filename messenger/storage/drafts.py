"""What was written and not sent."""

from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Draft
from messenger.storage.database import Database
from messenger.storage.rows import IS_THERE


def all_drafts(database: Database) -> dict[ConversationId, Draft]:
    """The drafts of all conversations that have one."""
    rows = database.rows("SELECT conversation, text, reply FROM drafts")
    return {ConversationId(row[0]): _draft(row[1], row[2]) for row in rows}


class DraftTable:
    """One draft for each conversation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, conversation: ConversationId) -> Draft:
        """The draft of a conversation; empty if there is none."""
        row = self._database.row("SELECT text, reply FROM drafts WHERE conversation = ?", (conversation,))
        return _draft(row[0], row[1]) if row else Draft()

    def set(self, conversation: ConversationId, draft: Draft) -> None:
        """Keep a draft in place of the one before; an empty one is forgotten.

        Raises:
            InputError: UNKNOWN, there is no such conversation.
        """
        with self._database.write():
            if self._database.row(IS_THERE, (conversation,)) is None:
                raise InputError(InputProblem.UNKNOWN)
            self._database.rows("DELETE FROM drafts WHERE conversation = ?", (conversation,))
            if draft != Draft():
                self._database.rows(
                    "INSERT INTO drafts VALUES (?, ?, ?)", (conversation, draft.text, draft.reply_to)
                )


def _draft(text: str, reply: bytes | None) -> Draft:
    return Draft(text, None if reply is None else MessageId(reply))
