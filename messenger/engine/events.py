"""What the engine tells those who listen to it. All frozen, all safe to log except message text."""

from enum import StrEnum

import msgspec

from messenger.core.errors import Reason
from messenger.core.ids import AttemptId, ConversationId, Fingerprint, MessageId
from messenger.core.models import Contact, Listening, Me, Message, Presence
from messenger.core.relays import Relay
from messenger.core.settings import Settings
from messenger.core.transfers import Transfer


class SetupStep(StrEnum):
    """What happens while a new profile is made."""

    SIGNING_KEY = "signing key"
    EXCHANGE_KEY = "exchange key"
    SAVING = "saving"
    DONE = "done"


class ConnectStep(StrEnum):
    """What happens while a conversation is opened; each step is done when the next begins."""

    RESOLVING = "resolving"
    CONNECTING = "connecting"
    GREETING = "greeting"
    CONFIRMING = "confirming"
    PROVING = "proving"
    SECURED = "secured"
    LEAVING = "leaving"
    """They cannot be called: what is written to them is left at a relay."""


class SetupProgress(msgspec.Struct, frozen=True, tag=True):
    """A step of making a profile has begun."""

    step: SetupStep


class ConnectProgress(msgspec.Struct, frozen=True, tag=True):
    """A step of an attempt has begun."""

    attempt: AttemptId
    step: ConnectStep
    detail: str = ""
    """The address that is being tried, or an empty string."""


class ConfirmPeer(msgspec.Struct, frozen=True, tag=True):
    """An attempt met a key that nobody here has seen; answer with `Engine.confirm_peer`."""

    attempt: AttemptId
    fingerprint: Fingerprint
    address: str


class ContactChanged(msgspec.Struct, frozen=True, tag=True):
    """A contact is new or changed."""

    contact: Contact
    unread: int


class KeyChanged(msgspec.Struct, frozen=True, tag=True):
    """A contact has moved to a new identity, by a statement that both keys have signed.

    What came as a message request by the new key now stands in the same conversation, which should
    be read anew. If they had been verified, they are not any more, and nothing is sent to them until the
    person here decides: `Contact.key_news`.
    """

    contact: Contact
    """As they are now."""
    old_fingerprint: Fingerprint
    was_verified: bool


class ConversationRemoved(msgspec.Struct, frozen=True, tag=True):
    """A conversation and its messages are gone from the database."""

    conversation: ConversationId


class MessageAdded(msgspec.Struct, frozen=True, tag=True):
    """A message, ours or theirs, is now on disk."""

    message: Message
    unread: int
    """Unread messages of the conversation, this one included if it is theirs."""


class MessageChanged(msgspec.Struct, frozen=True, tag=True):
    """A message changed on disk: its state, or what was done to it."""

    message: Message


class PeerTyping(msgspec.Struct, frozen=True, tag=True):
    """Somebody is writing to us. It is over at a time, or as soon as a message of theirs comes."""

    conversation: ConversationId
    until_ms: int
    """Unix milliseconds; told again while they go on."""


class TransferChanged(msgspec.Struct, frozen=True, tag=True):
    """A transfer of files is new, or stands differently; at most ten times a second while it runs."""

    transfer: Transfer


class ChainChanged(msgspec.Struct, frozen=True, tag=True):
    """Messages of somebody are known to be missing, or have come after all, or contradict each other."""

    conversation: ConversationId
    missing: int
    """As in `messenger.core.models.Conversation`, and so is `forked`."""
    forked: bool


class MessagesRemoved(msgspec.Struct, frozen=True, tag=True):
    """Messages of a conversation are gone from the database: too old, or deleted here alone.

    Views of it should be read anew.
    """

    conversation: ConversationId


class MessagesVanished(msgspec.Struct, frozen=True, tag=True):
    """The time of messages is over, and they are gone from the database. Whoever shows one must forget it."""

    conversation: ConversationId
    ids: tuple[MessageId, ...]


class Locked(msgspec.Struct, frozen=True, tag=True):
    """The profile is locked: all links end, and keys and database are closed; `Engine.open` unlocks.

    Whoever holds a reader must close it and show nothing of what was read.
    """


class ArchiveProgress(msgspec.Struct, frozen=True, tag=True):
    """An export or import of the profile is so far."""

    done: int
    """Bytes."""
    total: int


class UpdateProgress(msgspec.Struct, frozen=True, tag=True):
    """A profile that an earlier version wrote is being opened, and its history brought up to date."""

    percent: int
    """Of all of it; 100 when it is done."""


class LogDamaged(msgspec.Struct, frozen=True, tag=True):
    """The profile is open, but something that was written last before an unclean end could not be read."""

    kept: str
    """Name of the file, beside the database, in which what was met is kept; empty if it must not be kept."""


class PresenceChanged(msgspec.Struct, frozen=True, tag=True):
    """A link came up or went down."""

    conversation: ConversationId
    presence: Presence


class ListeningChanged(msgspec.Struct, frozen=True, tag=True):
    """The listener came up, moved or went down."""

    listening: Listening | None
    reason: Reason | None = None
    """Why it could not come up."""


class MeChanged(msgspec.Struct, frozen=True, tag=True):
    """The own profile changed."""

    me: Me


class SettingsChanged(msgspec.Struct, frozen=True, tag=True):
    """One or more settings changed."""

    settings: Settings


class IdentityElsewhere(msgspec.Struct, frozen=True, tag=True):
    """Another computer seems to use our identity now: an old one that was started again, or a copy.

    Nothing is damaged by it; but each contact talks with whichever of the two has called last.
    """


class RelayChanged(msgspec.Struct, frozen=True, tag=True):
    """A relay is new, or something about it or its state has changed."""

    relay: Relay


class RelayRemoved(msgspec.Struct, frozen=True, tag=True):
    """A relay is not known any more."""

    fingerprint: Fingerprint


class RelayAsked(msgspec.Struct, frozen=True, tag=True):
    """A contact is written to at a relay that was not used before; answer with `Engine.allow_relay`.

    The relay, and whoever chose it, would see from where we call. Nothing is sent there before the answer.
    """

    conversation: ConversationId
    relay: Relay


class SpellingChanged(msgspec.Struct, frozen=True, tag=True):
    """Other languages are written in, or the personal dictionary has changed; `Engine.spelling` tells."""


class RaiseWindow(msgspec.Struct, frozen=True, tag=True):
    """Somebody started the program again on the same profile."""

    link: str = ""
    """A link that was opened elsewhere and shall be followed here, as it came: nothing of it is believed."""

    def __repr__(self) -> str:
        return "RaiseWindow()"  # an invite has a secret


class EngineFault(msgspec.Struct, frozen=True, tag=True):
    """A part of the engine failed; the rest goes on. `error` names the kind, without content."""

    where: str
    error: str


Event = (
    SetupProgress
    | ConnectProgress
    | ConfirmPeer
    | ContactChanged
    | KeyChanged
    | ConversationRemoved
    | MessageAdded
    | MessageChanged
    | PeerTyping
    | TransferChanged
    | ChainChanged
    | MessagesRemoved
    | MessagesVanished
    | Locked
    | ArchiveProgress
    | UpdateProgress
    | LogDamaged
    | PresenceChanged
    | ListeningChanged
    | MeChanged
    | SettingsChanged
    | SpellingChanged
    | IdentityElsewhere
    | RelayChanged
    | RelayRemoved
    | RelayAsked
    | RaiseWindow
    | EngineFault
)
"""Everything that the engine publishes."""
