"""Requests about the directory of a relay (SPEC.md sections "Relays" and "Directory")."""

from enum import IntEnum
from typing import ClassVar, Self

from messenger.core import relay_limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.core.ids import FINGERPRINT_SIZE, Fingerprint
from messenger.protocol.relay_request import ID_SIZE, PROVED, VECTOR, OfQueue, Proved, Request
from messenger.protocol.relay_wire import PROOF_SIZE, TAG_SIZE, put, put_tag, put_vector, take_choice
from messenger.protocol.wire import Fields


class Status(IntEnum):
    """How somebody in the directory wants to be seen."""

    OFFLINE = 0
    ONLINE = 1
    AWAY = 2
    BUSY = 3


def take_status(fields: Fields) -> Status:
    """Read a status.

    Raises:
        RemoteProtocolError: There is none of that number.
    """
    try:
        return Status(fields.number(1))
    except ValueError as e:
        raise RemoteProtocolError("an unknown status") from e


class Publish(Proved, frozen=True):
    """DPUT: show me in the directory."""

    KIND: ClassVar = 0x0A
    BOUNDS: ClassVar = (
        PROVED + 1 + 2 * VECTOR,
        PROVED + 1 + 2 * VECTOR + relay_limits.TOKEN_MAX + relay_limits.ENTRY_MAX,
    )

    recv_id: bytes
    status: Status
    entry: bytes
    """The encoded `directory.Entry`."""
    token: bytes = b""

    def before(self) -> bytes:
        """What stands before the proof."""
        head = put_tag(self.tag) + put(self.recv_id, ID_SIZE) + bytes((self.status,))
        token = put_vector(self.token, relay_limits.TOKEN_MAX)
        return head + token + put_vector(self.entry, relay_limits.ENTRY_MAX)

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag."""
        recv_id, status = fields.fixed(ID_SIZE), take_status(fields)
        token, entry = fields.vector(relay_limits.TOKEN_MAX), fields.vector(relay_limits.ENTRY_MAX)
        return cls(tag, recv_id, status, entry, token, proof=fields.fixed(PROOF_SIZE))


class SetStatus(Proved, frozen=True):
    """DSTAT: how I want to be seen until this link ends."""

    KIND: ClassVar = 0x0B
    BOUNDS: ClassVar = (PROVED + 1, PROVED + 1)

    recv_id: bytes
    status: Status

    def before(self) -> bytes:
        """What stands before the proof."""
        return put_tag(self.tag) + put(self.recv_id, ID_SIZE) + bytes((self.status,))

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag."""
        return cls(tag, fields.fixed(ID_SIZE), take_status(fields), proof=fields.fixed(PROOF_SIZE))


class Withdraw(OfQueue, frozen=True):
    """DDEL: take the entry of the queue with this recv_id out of the directory."""

    KIND: ClassVar = 0x0C


class LookUp(Request, frozen=True):
    """DGET: the entry of one person."""

    KIND: ClassVar = 0x0D
    BOUNDS: ClassVar = (
        TAG_SIZE + FINGERPRINT_SIZE + VECTOR,
        TAG_SIZE + FINGERPRINT_SIZE + VECTOR + relay_limits.TOKEN_MAX,
    )

    fingerprint: Fingerprint
    token: bytes = b""

    def body(self) -> bytes:
        """The body as it travels."""
        token = put_vector(self.token, relay_limits.TOKEN_MAX)
        return put_tag(self.tag) + put(self.fingerprint, FINGERPRINT_SIZE) + token

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag."""
        return cls(tag, Fingerprint(fields.fixed(FINGERPRINT_SIZE)), fields.vector(relay_limits.TOKEN_MAX))


class Browse(Request, frozen=True):
    """DFIND: some entries, in the order of their fingerprints."""

    KIND: ClassVar = 0x0E
    BOUNDS: ClassVar = (
        TAG_SIZE + 2 * VECTOR + 1,
        TAG_SIZE + 2 * VECTOR + 1 + FINGERPRINT_SIZE + relay_limits.TOKEN_MAX,
    )

    after: bytes = b""
    """`Page.next` of the page before, or empty for the first."""
    most: int = relay_limits.PAGE_MAX
    token: bytes = b""

    def body(self) -> bytes:
        """The body as it travels."""
        if not 1 <= self.most <= relay_limits.PAGE_MAX or len(self.after) not in (0, FINGERPRINT_SIZE):
            raise LocalProtocolError("a search of the directory out of bounds")
        after = put_vector(self.after, FINGERPRINT_SIZE)
        token = put_vector(self.token, relay_limits.TOKEN_MAX)
        return put_tag(self.tag) + after + bytes((self.most,)) + token

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag."""
        after, most = take_choice(fields, (0, FINGERPRINT_SIZE)), fields.number(1)
        if not 1 <= most <= relay_limits.PAGE_MAX:
            raise RemoteProtocolError("a search of the directory out of bounds")
        return cls(tag, after, most, fields.vector(relay_limits.TOKEN_MAX))
