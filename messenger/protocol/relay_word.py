"""What everything that a relay says has in common, and its first word (SPEC.md section "Relays")."""

from abc import abstractmethod
from enum import IntEnum, IntFlag
from typing import ClassVar, Final, Self

import msgspec

from messenger.core import limits, relay_limits
from messenger.core.errors import RemoteProtocolError
from messenger.protocol.relay_wire import message, put_number
from messenger.protocol.wire import Fields

VERSION: Final = 1
"""The version of the relay protocol that this is."""

_NUMBERS: Final = (4, 4, 4, 2, 2, 8, 4)
"""Bytes of each number of a WELCOME, from `messages` on."""


class Code(IntEnum):
    """Why a request failed."""

    UNKNOWN = 1
    """This relay knows no such request."""
    DENIED = 2
    """No such queue, or the proof is wrong, or the queue is of the wrong kind: which, is not told."""
    FULL = 3
    BUSY = 4
    LIMIT = 5
    """This link has as many queues or circuits as it may."""
    PUZZLE = 6
    TOKEN = 7
    ABSENT = 8
    """Nobody can be called there, or found by that fingerprint."""
    REFUSED = 9
    """An envelope, a prekey list or an entry that may not be there."""
    TROUBLE = 10
    """The relay could not do it; so do all codes of later versions say."""


class RelayFlag(IntFlag):
    """What a relay asks a token for."""

    QUEUE_TOKEN = 1
    FIND_TOKEN = 2


class DirectoryPolicy(IntEnum):
    """Who may publish an entry."""

    NONE = 0
    """There is no directory."""
    OPEN = 1
    TOKEN = 2
    LISTED = 3


class EndReason(IntEnum):
    """Why a subscription ended."""

    TAKEN = 1
    """A newer subscription has the queue."""
    GONE = 2
    """The queue is no more."""


class FromRelay(msgspec.Struct, frozen=True):
    """Something that a relay says."""

    KIND: ClassVar[int]
    BOUNDS: ClassVar[tuple[int, int]]
    """The least and the greatest length of the body."""

    @abstractmethod
    def body(self) -> bytes:
        """The body as it travels.

        Raises:
            LocalProtocolError: A field is out of bounds.
        """

    @classmethod
    @abstractmethod
    def read(cls, fields: Fields) -> Self:
        """Read a body.

        Raises:
            RemoteProtocolError: It is not what `body` writes.
        """

    def encode(self) -> bytes:
        """The whole message."""
        return message(self.KIND, self.body())


class Tagged(FromRelay, frozen=True):
    """Something about a request or a subscription."""

    tag: int

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.tag})"


class Welcome(FromRelay, frozen=True):
    """WELCOME: the first message of a relay, with its quotas."""

    KIND: ClassVar = 0x40
    BOUNDS: ClassVar = (3 + sum(_NUMBERS), 3 + sum(_NUMBERS))

    version: int = VERSION
    """The latest version that the relay knows."""
    flags: RelayFlag = RelayFlag(0)
    directory: DirectoryPolicy = DirectoryPolicy.NONE
    messages: int = relay_limits.QUEUE_MESSAGES
    octets: int = relay_limits.QUEUE_BYTES
    """Bytes of a queue."""
    ttl: int = limits.MAILBOX_LIFETIME
    """Seconds that a message is kept."""
    queues: int = relay_limits.QUEUES_PER_LINK
    circuits: int = relay_limits.CIRCUITS_PER_LINK
    circuit_bytes: int = relay_limits.CIRCUIT_BYTES
    circuit_seconds: int = relay_limits.CIRCUIT_SECONDS

    def body(self) -> bytes:
        """The body as it travels."""
        numbers = (self.messages, self.octets, self.ttl, self.queues, self.circuits)
        last = self.circuit_bytes, self.circuit_seconds
        start = b"".join(put_number(value, 1) for value in (self.version, self.flags, self.directory))
        pairs = zip((*numbers, *last), _NUMBERS, strict=True)
        return start + b"".join(put_number(value, size) for value, size in pairs)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read a body."""
        version, flags, directory = (fields.number(1) for _ in range(3))
        if version < VERSION or directory not in set(DirectoryPolicy):
            raise RemoteProtocolError("a relay of an unknown version or policy")
        known = RelayFlag(flags & (RelayFlag.QUEUE_TOKEN | RelayFlag.FIND_TOKEN))
        return cls(version, known, DirectoryPolicy(directory), *(fields.number(size) for size in _NUMBERS))
