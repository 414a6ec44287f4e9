"""The parts of a conversation that a timeline begins with: its end, what was unread, or around a message."""

from typing import NamedTuple

from messenger.core import limits
from messenger.core.ids import ConversationId
from messenger.core.models import Message
from messenger.storage.reader import Reader


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
