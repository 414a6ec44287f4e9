"""Profile pictures: our own, those of contacts, and who lacks which."""

import hashlib
from typing import Final

from messenger.core.ids import ConversationId
from messenger.core.portraits import is_portrait
from messenger.storage.database import Database
from messenger.storage.meta import MetaTable

_OWN: Final = "portrait"
_STATE: Final = "SELECT portrait, portrait_wanted FROM contacts WHERE id = ? AND standing > 0"
_BY_HASH: Final = """
SELECT content FROM portraits WHERE conversation =
    (SELECT id FROM contacts WHERE portrait = ? AND standing > 0 LIMIT 1)
"""
_WANT: Final = "UPDATE contacts SET portrait_wanted = ? WHERE id = ?"
_HAVE: Final = "UPDATE contacts SET portrait = ?, portrait_wanted = x'' WHERE id = ?"
_ASKED: Final = "UPDATE contacts SET news = news + 1, portrait_asked = news + 1 WHERE id = ?"
_ASKS: Final = "SELECT 1 FROM contacts WHERE id = ? AND portrait_asked > news_told"


class PortraitTable:
    """Portraits by contact, and our own. What is stored has the form of `messenger.core.portraits`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._meta = MetaTable(database)

    def own(self) -> bytes | None:
        """Our own; empty if it was taken away, None if there never was one."""
        return self._meta.get(_OWN)

    def own_hash(self) -> bytes | None:
        """SHA-256 of our own; empty and None as of `own`."""
        content = self.own()
        return hashlib.sha256(content).digest() if content else content

    def set_own(self, content: bytes) -> None:
        """Store our own; empty for none."""
        self._meta.put(_OWN, content)

    def get(self, conversation: ConversationId) -> bytes:
        """The portrait of a contact; empty if there is none."""
        row = self._database.row("SELECT content FROM portraits WHERE conversation = ?", (conversation,))
        return bytes(row[0]) if row else b""

    def with_hash(self, digest: bytes) -> bytes:
        """The portrait of a contact, or our own, by its SHA-256; empty if it is not here."""
        row = self._database.row(_BY_HASH, (digest,))
        if row is not None:
            return bytes(row[0])
        own = self.own()
        return own if own and hashlib.sha256(own).digest() == digest else b""

    def announced(self, conversation: ConversationId, digest: bytes) -> bool:
        """A contact shows this picture from now on.

        Args:
            conversation: Who; nothing happens if they are not there.
            digest: SHA-256 of it; empty for none, then the one that is here is deleted.

        Returns:
            Whether something is different from before.
        """
        with self._database.write():
            row = self._database.row(_STATE, (conversation,))
            if row is None:
                return False
            here, wanted = bytes(row[0]), bytes(row[1])
            if digest == here:
                self._database.rows(_WANT, (b"", conversation))
                return bool(wanted)
            if digest:
                self._database.rows(_WANT, (digest, conversation))
                return digest != wanted
            self._database.rows("DELETE FROM portraits WHERE conversation = ?", (conversation,))
            self._database.rows(_HAVE, (b"", conversation))
            return True

    def wanted(self, conversation: ConversationId) -> bytes:
        """SHA-256 of the picture that a contact shows and that is not here; empty if none is missing."""
        row = self._database.row(_STATE, (conversation,))
        return bytes(row[1]) if row else b""

    def take(self, conversation: ConversationId, content: bytes) -> bool:
        """Store the picture of a contact if it is the one that is missing, and a portrait; whether it was."""
        with self._database.write():
            digest = hashlib.sha256(content).digest()
            if digest != self.wanted(conversation) or not is_portrait(content):
                return False
            sql = "INSERT OR REPLACE INTO portraits (conversation, content) VALUES (?, ?)"
            self._database.rows(sql, (conversation, content))
            self._database.rows(_HAVE, (digest, conversation))
            return True

    def ask(self, conversation: ConversationId) -> None:
        """A contact who is reached by carriers lacks ours: it goes with what is next sealed for them."""
        with self._database.write():
            self._database.rows(_ASKED, (conversation,))

    def asked(self, conversation: ConversationId) -> bool:
        """Whether a contact lacks ours and has not been sent it yet."""
        return self._database.row(_ASKS, (conversation,)) is not None
