"""A real database with a conversation of any length, and the reader that a window has."""

from pathlib import Path
from typing import Final

from messenger.core.ids import ConversationId, Fingerprint, MessageId
from messenger.core.models import Contact, Message, MessageState, Standing
from messenger.storage.reader import Reader
from messenger.storage.store import Store

KEY: Final = bytes(range(32))
START: Final = 1_760_000_000_000
"""When the first message was sent, Unix milliseconds."""
APART: Final = 60_000
"""Milliseconds between two messages."""


class History:
    """A database with one contact, and as many messages as are added; theirs and ours take turns in threes.

    Args:
        folder: Where the file goes.
    """

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(folder / "history.db", KEY)
        self.store._database.rows("PRAGMA synchronous = OFF")  # thousands of messages, and no power cut
        self.conversation: ConversationId = self.contact("Bob", b"b").id
        self.reader = Reader.open(folder / "history.db", KEY)
        self._count = 0

    def contact(self, name: str, key: bytes, standing: Standing = Standing.ACCEPTED) -> Contact:
        """Add somebody."""
        return self.store.contacts.add(
            Fingerprint(key * 32), name=name, standing=standing, now_ms=START, addresses=("192.0.2.1:42000",)
        )

    def add(self, count: int, *, text: str = "message {n}", unread: bool = False) -> list[Message]:
        """Add messages.

        Args:
            count: How many.
            text: Of each; ``{n}`` is its number.
            unread: All are theirs and nobody has seen them.
        """
        outgoing = False if unread else None
        return [
            self.one(text.format(n=self._count), outgoing=outgoing, unread=unread) for _number in range(count)
        ]

    def one(self, text: str, *, outgoing: bool | None = None, unread: bool = False) -> Message:
        """Add one message, of whose turn it is unless said otherwise."""
        number, self._count = self._count, self._count + 1
        outgoing = (number // 3) % 2 == 1 if outgoing is None else outgoing
        at, id_ = START + number * APART, MessageId(number.to_bytes(16))
        messages = self.store.messages
        if outgoing:
            messages.add_outgoing(self.conversation, id_, text, at, at)
            return messages.advance(self.conversation, [id_], MessageState.DELIVERED)[0]
        stored = messages.add_incoming(self.conversation, id_, number + 1, bytes(32), text, at, at)
        assert stored is not None
        if not unread:
            messages.mark_seen(self.conversation, stored.position)
        return stored

    def close(self) -> None:
        """Close both connections."""
        self.reader.close()
        self.store.close()
