"""The frozen values about relays that pass between storage, engine, window and terminal."""

from enum import IntEnum

import msgspec

from messenger.core.errors import Reason, RelayProblem
from messenger.core.ids import ConversationId, Fingerprint


class RelayUse(IntEnum):
    """What a relay is to this profile. Numbers are stored: never reuse one."""

    UNASKED = 1
    """A contact is reached there; the person here has not decided whether to connect to it."""
    ALLOWED = 2
    """A contact is reached there, and it may be connected to."""
    REFUSED = 3
    """A contact is reached there, and it must not be connected to."""
    OWN = 4
    """Ours: people write to us there."""
    LEAVING = 5
    """Was ours: what is still written to us there is fetched, and nobody new is told of it."""

    @property
    def connects(self) -> bool:
        """Whether it may be connected to."""
        return self not in (RelayUse.UNASKED, RelayUse.REFUSED)


class RelayConnecting(msgspec.Struct, frozen=True, tag="connecting"):
    """A link with the relay is being set up."""


class RelayOnline(msgspec.Struct, frozen=True, tag="online"):
    """A link with the relay is up."""

    since_ms: int
    refused: RelayProblem | None = None
    """Why nobody can write to us there: it does not make queues for us; None if it does, or did not say."""


class RelayUnreachable(msgspec.Struct, frozen=True, tag="unreachable"):
    """There is no link with the relay; perhaps another try at a known time."""

    reason: Reason | None = None
    """Why; None if nothing was tried."""
    retry_ms: int | None = None


RelayState = RelayConnecting | RelayOnline | RelayUnreachable
"""Whether a relay can be reached right now."""


class PersonStatus(IntEnum):
    """How somebody in the directory of a relay wants to be seen; the numbers are those of SPEC.md 13."""

    OFFLINE = 0
    ONLINE = 1
    AWAY = 2
    BUSY = 3


class Listing(msgspec.Struct, frozen=True):
    """How we can be found in the directory of a relay."""

    status: PersonStatus = PersonStatus.ONLINE
    """Whenever we have a link with the relay; otherwise it shows us as offline."""
    about: str = ""
    """Words about ourselves."""


class Relay(msgspec.Struct, frozen=True, kw_only=True):
    """A relay that this profile knows."""

    fingerprint: Fingerprint
    addresses: tuple[str, ...]
    """``host:port`` of each, at least one; contacts are told the first."""
    use: RelayUse
    state: RelayState = RelayUnreachable()
    listing: Listing | None = None
    """How we can be found in its directory; None if we cannot."""

    @property
    def address(self) -> str:
        """Where it is."""
        return self.addresses[0]


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in the directory of a relay, as they describe themselves there; names prove nothing."""

    fingerprint: Fingerprint
    relay: Fingerprint
    name: str
    about: str
    status: PersonStatus
    conversation: ConversationId | None = None
    """Of the contact who this is."""


class DirectoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the people in the directory of a relay."""

    people: tuple[Listed, ...]
    next: bytes
    """What to ask for the next page with; empty if there is none."""


class OwnQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue that we have at a relay, or are about to make."""

    id: int
    relay: Fingerprint
    conversation: ConversationId | None
    """For which contact; None: for requests, or for a contact who is gone."""
    requests: bool
    """Whether it is one for requests."""
    recv_id: bytes
    """24 bytes, and so is `send_id`; both empty until the relay has made the queue."""
    send_id: bytes
    recv_key: bytes
    """32 bytes each, and so are the other keys."""
    send_key: bytes
    queue_key: bytes
    made_ms: int
    used_ms: int
    """When something last came, or when it was retired; Unix milliseconds."""
    known: bool
    """The contact has shown to know of it."""
    retired: bool
    """Nobody is told of it any more; what still comes is taken."""

    @property
    def unwanted(self) -> bool:
        """Whether nobody may write to it any more, so that it can go at once."""
        return not self.requests and self.conversation is None

    def __repr__(self) -> str:
        return f"OwnQueue({self.id}, {self.relay.hex()[:8]}, {self.conversation})"
