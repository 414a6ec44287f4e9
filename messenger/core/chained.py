"""What two people write to each other in one unbroken chain: texts, and what is done to texts.

Every one of them counts, names the one before by its hash, waits in the outbox and is acknowledged
(SPEC.md sections 7 and 8).
"""

from enum import IntEnum

import msgspec

from messenger.core.ids import MessageId


class ChainKind(IntEnum):
    """What a chained message is; the number of its packet. Numbers are stored: never reuse one."""

    TEXT = 2
    """A text, perhaps in reply to another."""
    EDIT = 11
    """Another text in place of one of the same author."""
    DELETE = 12
    """One text of the same author is to be gone."""
    REACTION = 13
    """One emoji at a text of either person, or none any more."""
    TIMER = 15
    """From now on texts and offers of the conversation disappear after a time, or do not any more."""
    OFFER = 16
    """Files that the other person may have."""


class Chained(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a chain, whatever way it takes."""

    kind: ChainKind
    id: MessageId
    seq: int
    """Number among its author's messages of the conversation, from 1 without gaps."""
    prev: bytes
    """Hash of its author's message before, 32 bytes; zeros for the first."""
    sent_ms: int
    """When it was written by its author's clock, Unix milliseconds."""
    order: int
    """Where it stands between the messages of both; see `messenger.protocol.packets.Text`."""
    about: bytes = b""
    """Id of the text that it is about; may be empty for a text."""
    content: str = ""
    """Text or emoji; empty for a deletion, a timer and an offer."""
    timer: int = 0
    """Seconds after which a text or offer disappears once its time runs, or that a timer sets; 0: never."""
    body: bytes = b""
    """Of an offer: the encoded `messenger.core.offering.Offering`; empty for all others."""

    @property
    def key(self) -> bytes:
        """Of two that say different things, that with the greater key holds: order (8 bytes), then id."""
        return self.order.to_bytes(8, "big") + self.id

    def __repr__(self) -> str:
        return f"Chained({self.kind.name}, {self.seq}, {len(self.content)} characters)"
