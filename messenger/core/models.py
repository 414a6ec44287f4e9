"""The frozen values that pass between storage, engine, window and terminal."""

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import Final

import msgspec

from messenger.core.chained import ChainKind
from messenger.core.errors import Reason
from messenger.core.ids import ConversationId, Fingerprint, MessageId, short_fingerprint
from messenger.core.transfers import TransferId


class Standing(IntEnum):
    """How this profile regards another person. Numbers are stored: never reuse one."""

    REQUEST = 1
    """A stranger reached us; the person here has not decided yet."""

    ACCEPTED = 2
    """Somebody we chose to talk to."""

    BLOCKED = 3
    """Somebody whose links are refused."""


class KeyNews(IntEnum):
    """What a person here has to know about a contact's key. Numbers are stored: never reuse one."""

    NONE = 0
    NOTICE = 1
    """They have a new key, and had not been verified before: worth a word."""
    STOP = 2
    """They had been verified, and have a new key: nothing is sent until the person decides."""


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """One other person, as this profile knows them."""

    id: ConversationId
    fingerprint: Fingerprint
    name: str
    """The name that they give themselves, cleaned; may be empty."""
    alias: str = ""
    """The name that we give them; empty for none."""
    standing: Standing
    awaiting: bool = False
    """They have not accepted us yet: they see a message request."""
    verified: bool = False
    """The safety number was compared and confirmed."""
    addresses: tuple[str, ...] = ()
    """Where they were reached, ``host:port``, newest first; hints, never identity."""
    created_ms: int
    seen_ms: int | None = None
    """When a link with them was last up, Unix milliseconds."""
    key_news: KeyNews = KeyNews.NONE
    timer: int = 0
    """Seconds after which messages that are written now disappear; 0 for never. Both hold the same."""
    note: str = ""
    """Our own words about them; nobody else sees them."""
    pinned: bool = False
    """The conversation stands above the others."""
    muted: bool = False
    """Nothing that comes calls for attention."""
    archived: bool = False
    """The conversation stands in a list of its own."""
    portrait: bytes = b""
    """SHA-256 of the picture of themselves that is here; empty for none."""

    @property
    def held(self) -> bool:
        """Nothing is sent to them until the person here has decided about their new key."""
        return self.key_news is KeyNews.STOP

    @property
    def title(self) -> str:
        """The name to show: ours for them, else theirs, else the start of the fingerprint."""
        return self.alias or self.name or short_fingerprint(self.fingerprint)


def is_namesake(contact: Contact, others: Iterable[Contact]) -> bool:
    """Whether somebody whom nobody here has verified is called as an accepted contact with another key is.

    Args:
        contact: Who.
        others: All contacts; the one meant may be among them.
    """
    title = contact.title.casefold()
    return not contact.verified and any(
        other.id != contact.id and other.standing is Standing.ACCEPTED and other.title.casefold() == title
        for other in others
    )


class MessageState(IntEnum):
    """Where a message stands in its life. Numbers are stored: never reuse one."""

    QUEUED = 1
    """Ours: safe on this disk, not yet on its way."""
    SENT = 2
    """Ours: handed to a relay that keeps it; direct links go straight to DELIVERED."""
    DELIVERED = 3
    """Ours: on their disk, by their authenticated receipt."""
    READ = 4
    """Ours: they have seen it and let us know."""
    FAILED = 5
    """Ours: will not be sent unless retried; the message says why."""
    UNREAD = 6
    """Theirs: on this disk, not seen yet."""
    SEEN = 7
    """Theirs: seen here."""


_S = MessageState
AFTER: Final[dict[MessageState, frozenset[MessageState]]] = {
    _S.QUEUED: frozenset({_S.SENT, _S.DELIVERED, _S.READ, _S.FAILED}),
    _S.SENT: frozenset({_S.DELIVERED, _S.READ, _S.FAILED, _S.QUEUED}),
    _S.DELIVERED: frozenset({_S.READ}),
    _S.READ: frozenset(),
    _S.FAILED: frozenset({_S.QUEUED, _S.DELIVERED, _S.READ}),
    _S.UNREAD: frozenset({_S.SEEN}),
    _S.SEEN: frozenset(),
}
"""The states that may follow each state; every other change is refused.

FAILED may still become DELIVERED or READ: a receipt that was on its way tells the truth.
"""


class FailReason(StrEnum):
    """Why a message failed."""

    NONE = ""
    BLOCKED = "blocked"
    """The contact was blocked here while the message waited."""


class Reaction(msgspec.Struct, frozen=True):
    """What somebody feels about a message."""

    outgoing: bool
    """Ours or theirs."""
    emoji: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a conversation."""

    id: MessageId
    conversation: ConversationId
    position: int
    """Place in the conversation: larger is later. Unique in the database."""
    outgoing: bool
    state: MessageState
    reason: FailReason = FailReason.NONE
    text: str
    sent_ms: int
    """When its author sent it, by the author's clock, Unix milliseconds."""
    stored_ms: int
    """When it was stored here, Unix milliseconds."""
    reply_to: MessageId | None = None
    """The message that it answers, of either person; it may not be here."""
    edited_ms: int | None = None
    """When its author changed the text, by the author's clock, Unix milliseconds."""
    deleted: bool = False
    """Its author has deleted it for both: only a place is left."""
    reactions: tuple[Reaction, ...] = ()
    """At most one of each person, theirs first."""
    transfer: TransferId | None = None
    """It offers files; the text is their names."""
    kind: ChainKind = ChainKind.TEXT
    """TEXT, or TIMER for a line that says that somebody has changed the timer."""
    timer: int = 0
    """Seconds after which it disappears, once its time runs; of a TIMER line those that it sets. 0: never."""
    expires_ms: int | None = None
    """When it disappears, Unix milliseconds; None if its time does not run (it waits or is not seen)."""

    @property
    def notice(self) -> bool:
        """It is a line about the conversation, not something that somebody wrote."""
        return self.kind is ChainKind.TIMER


class Moments(msgspec.Struct, frozen=True, kw_only=True):
    """When something became of a message, by the clock here, Unix milliseconds; None if that is not known."""

    delivered_ms: int | None = None
    """Of ours: their receipt came."""
    read_ms: int | None = None
    """Of ours: they said that they have seen it. Of theirs: it was seen here."""


class Draft(msgspec.Struct, frozen=True):
    """What was written and not sent."""

    text: str = ""
    reply_to: MessageId | None = None


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the conversation list."""

    contact: Contact
    last: Message | None = None
    unread: int = 0
    missing: int = 0
    """Messages of theirs that were sent, by the count in later ones, and are not here."""
    forked: bool = False
    """Messages of theirs contradict each other: they may have gone back to an old backup."""

    @property
    def id(self) -> ConversationId:
        """The number of the conversation."""
        return self.contact.id


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody looks for in messages; what is None does not matter."""

    text: str
    """Words, each perhaps the beginning of one, or phrases in double quotes; all must occur."""
    conversation: ConversationId | None = None
    outgoing: bool | None = None
    """Ours or theirs."""
    since_ms: int | None = None
    """Of this time or later, Unix milliseconds."""
    until_ms: int | None = None
    """Before this time, Unix milliseconds."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One page of what a search has found."""

    messages: tuple[Message, ...]
    """Newest first; each says by its position where it stands in its conversation."""
    next: int | None
    """What to ask for the next page with; None if there is none."""


class ConversationSize(msgspec.Struct, frozen=True, kw_only=True):
    """How much a conversation holds."""

    conversation: ConversationId
    messages: int
    bytes: int
    """Of the texts of its messages, in UTF-8."""


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup of the database, in the folder of the profile."""

    name: str
    """Of its file."""
    made_ms: int
    """Unix milliseconds."""
    bytes: int


class StorageUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile takes on the disk."""

    database: int
    """Bytes of the database and its log."""
    backups: int
    """Bytes of all rolling backups and copies."""
    conversations: tuple[ConversationSize, ...]
    """Those that have messages, the largest first."""


class ExportForm(StrEnum):
    """How a conversation is written for people or for other programs."""

    HTML = "html"
    JSON = "json"


class ExportWords(msgspec.Struct, frozen=True, kw_only=True):
    """The words of a written conversation, in the language of whoever asked for it."""

    title: str
    """Of the whole."""
    you: str
    """In place of the name of the person here."""
    language: str
    """As HTML names it, for example ``en``."""
    states: dict[MessageState, str]
    """Beside a message; a state without words is not told."""
    edited: str
    """Beside a message that its author has changed."""
    deleted: str
    """In place of a message that its author has deleted."""


class Route(StrEnum):
    """The way that bytes take."""

    DIRECT = "direct"
    LOCAL = "local network"
    RELAY = "relay"


class Offline(msgspec.Struct, frozen=True, tag="offline"):
    """No link; perhaps another try at a known time."""

    retry_ms: int | None = None
    reason: Reason | None = None


class Connecting(msgspec.Struct, frozen=True, tag="connecting"):
    """A link is being set up."""


class Online(msgspec.Struct, frozen=True, tag="online"):
    """A link is up."""

    since_ms: int
    route: Route
    relay: str = ""
    """Through which, ``host:port``; empty for every other way."""


Presence = Offline | Connecting | Online
"""Whether a contact can be reached right now; safe to show and to log."""


class ProfileStatus(StrEnum):
    """What a profile folder needs before the engine can run on it."""

    NEW = "new"
    LOCKED = "locked"
    READY = "ready"


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The person who uses this profile."""

    name: str
    fingerprint: Fingerprint
    protection: str
    """How the keys are kept: ``passphrase``, ``keyring`` or ``file``."""
    portrait: bytes | None = None
    """SHA-256 of the picture that contacts see; empty if it was taken away, None if there never was one."""


class AddressKind(StrEnum):
    """Who can use an address of this machine."""

    LAN = "local network"
    GLOBAL = "internet"
    LINK_LOCAL = "this cable or Wi-Fi"
    LOOPBACK = "this computer"


class ReachableAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One address that others can type to reach this program."""

    text: str
    """``host:port`` or ``[v6]:port``, ready to copy."""
    kind: AddressKind
    interface: str


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """Where this program can be reached."""

    port: int
    wanted: int
    """The port that was asked for; another one is in `port` when that was taken."""
    addresses: tuple[ReachableAddress, ...]
    """Best first: local network, then internet, link-local, loopback."""
