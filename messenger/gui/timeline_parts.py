"""What a timeline reads: its end, what was unread, or around a message; and what messages answer."""

from collections.abc import Callable, Collection
from typing import NamedTuple

from messenger.core import limits
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Message
from messenger.storage.reader import Reader
from messenger.text import GONE, one_line, shown_text


class Part(NamedTuple):
    """Messages in a row."""

    messages: list[Message]
    """Oldest first."""
    at_start: bool
    """There are none before these."""
    at_end: bool
    """There are none after these."""


def last_page(reader: Reader, conversation: ConversationId) -> Part:
    """The end of a conversation."""
    page = reader.messages(conversation, count=limits.PAGE)
    return Part(page, len(page) < limits.PAGE, at_end=True)


def first_page(reader: Reader, conversation: ConversationId, unread: int | None) -> Part:
    """What is seen when a conversation is opened.

    Args:
        reader: Where messages are read.
        conversation: Which.
        unread: The position of the first message that was not read, if any.
    """
    part = last_page(reader, conversation)
    if unread is None or not part.messages or part.messages[0].position <= unread:
        return part
    return page_around(reader, conversation, unread)._replace(at_end=False)


def page_around(reader: Reader, conversation: ConversationId, position: int) -> Part:
    """The messages around a position, half of them before it."""
    half = limits.PAGE // 2
    before = reader.messages(conversation, before=position, count=half)
    after = reader.messages(conversation, after=position - 1, count=half)
    return Part(before + after, len(before) < half, len(after) < half)


class Quotes:
    """The beginnings of what messages answer, each read once.

    Args:
        reader: Where messages are read.
        author: Tells the name that is shown for the author of a message.
    """

    def __init__(self, reader: Reader, author: Callable[[Message], str]) -> None:
        self._reader, self._author = reader, author
        self._kept: dict[MessageId, str] = {}

    def lines(self, message: Message) -> str:
        """What a message answers: its author, and below the words as one line.

        Only words if it has disappeared; nothing if it answers none, or if that is not here.
        """
        id_ = message.reply_to
        if id_ is None:
            return ""
        if id_ not in self._kept:
            answered = self._reader.message(message.conversation, id_)
            if answered is not None:
                words = f"{one_line(self._author(answered))}\n{one_line(shown_text(answered))}"
            else:
                words = GONE if self._reader.vanished(message.conversation, id_) else ""
            self._kept[id_] = words
        return self._kept[id_]

    def forget(self, ids: Collection[MessageId]) -> None:
        """These messages are others now, or gone."""
        for id_ in ids:
            self._kept.pop(id_, None)

    def clear(self) -> None:
        """Read everything anew."""
        self._kept.clear()
