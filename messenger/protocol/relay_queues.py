"""Requests about queues and their messages, circuits and prekeys (SPEC.md section "Relays")."""

from enum import IntEnum, IntFlag
from struct import Struct
from typing import ClassVar, Final, Self

from messenger.core import limits, relay_limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol.messages import SOLUTION_SIZE
from messenger.protocol.prekeys import PREKEY_ID_SIZE
from messenger.protocol.relay_request import ID_SIZE, PROVED, VECTOR, OfQueue, Proved, Request
from messenger.protocol.relay_wire import (
    HASH_SIZE,
    PROOF_SIZE,
    TAG_MAX,
    TAG_SIZE,
    put,
    put_number,
    put_tag,
    put_vector,
    take_choice,
)
from messenger.protocol.wire import Fields

_KEY: Final = relay_limits.QUEUE_KEY_SIZE

PREKEY_SIZE: Final = PREKEY_ID_SIZE + 1 + limits.XWING_PUBLIC_SIZE
"""An encoded `prekeys.Prekey`."""

_PREKEYS_MAX: Final = limits.PREKEYS_MAX + 1

_UNSOLVED: Final = Struct(f">I{ID_SIZE}sH{PROOF_SIZE}s")
"""What stands before the envelope of a `Send` without a solution: tag, id, 0, proof."""
_BEFORE: Final = Struct(f">I{ID_SIZE}sH")
"""What stands before its proof: tag, id, 0."""
_NO_SOLUTION: Final = bytes(VECTOR)
_ENVELOPES: Final = frozenset(limits.ENVELOPE_BUCKETS)


class QueueKind(IntEnum):
    """What a queue is for."""

    CONTACT = 1
    """One contact, who alone is told of it."""
    REQUESTS = 2
    """First contacts; it has prekeys, and writing to it costs a puzzle."""

    @property
    def envelopes(self) -> tuple[int, ...]:
        """Sizes of the envelopes that it takes."""
        if self is QueueKind.CONTACT:
            return limits.ENVELOPE_BUCKETS
        return tuple(size for size in limits.ENVELOPE_BUCKETS if size <= relay_limits.REQUEST_ENVELOPE_MAX)


class SubscribeFlag(IntFlag):
    """What else a subscription wants."""

    CALLS = 1
    """Circuits may be opened to it."""


class NewQueue(Request, frozen=True):
    """QNEW: make a queue."""

    KIND: ClassVar = 0x01
    BOUNDS: ClassVar = (
        TAG_SIZE + 1 + 2 * _KEY + VECTOR,
        TAG_SIZE + 1 + 2 * _KEY + VECTOR + relay_limits.TOKEN_MAX,
    )

    kind: QueueKind
    recv_key: bytes
    """32 random bytes, never told to anybody else."""
    send_key: bytes
    """32 random bytes for those who may write."""
    token: bytes = b""

    def body(self) -> bytes:
        """The body as it travels."""
        keys = put(self.recv_key, _KEY) + put(self.send_key, _KEY)
        return put_tag(self.tag) + bytes((self.kind,)) + keys + put_vector(self.token, relay_limits.TOKEN_MAX)

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag."""
        try:
            kind = QueueKind(fields.number(1))
        except ValueError as e:
            raise RemoteProtocolError("an unknown kind of queue") from e
        return cls(tag, kind, fields.fixed(_KEY), fields.fixed(_KEY), fields.vector(relay_limits.TOKEN_MAX))


class Subscribe(Proved, frozen=True):
    """QSUB: bring the messages of a queue."""

    KIND: ClassVar = 0x02
    BOUNDS: ClassVar = (PROVED + 2, PROVED + 2)

    recv_id: bytes
    flags: SubscribeFlag = SubscribeFlag(0)
    window: int = relay_limits.WINDOW_MAX
    """Most messages without acknowledgement."""

    def before(self) -> bytes:
        """What stands before the proof."""
        if not 1 <= self.window <= relay_limits.WINDOW_MAX:
            raise LocalProtocolError("a window out of bounds")
        return put_tag(self.tag) + put(self.recv_id, ID_SIZE) + bytes((self.flags, self.window))

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag."""
        recv_id, flags, window = fields.fixed(ID_SIZE), fields.number(1), fields.number(1)
        if flags & ~int(SubscribeFlag.CALLS) or not 1 <= window <= relay_limits.WINDOW_MAX:
            raise RemoteProtocolError("flags or window of a subscription out of bounds")
        return cls(tag, recv_id, SubscribeFlag(flags), window, proof=fields.fixed(PROOF_SIZE))


class Send(Proved, frozen=True):
    """QSEND: put an envelope into a queue."""

    KIND: ClassVar = 0x03
    BOUNDS: ClassVar = (
        PROVED + VECTOR + min(limits.ENVELOPE_BUCKETS),
        PROVED + VECTOR + SOLUTION_SIZE + max(limits.ENVELOPE_BUCKETS),
    )

    send_id: bytes
    envelope: bytes
    solution: bytes = b""
    """For a request queue: the counter that solves the task of this link."""

    def before(self) -> bytes:
        """What stands before the proof."""
        if not self.solution and 0 < self.tag <= TAG_MAX and len(self.send_id) == ID_SIZE:
            return _BEFORE.pack(self.tag, self.send_id, 0)
        if self.solution:
            last = put_number(len(self.solution), VECTOR) + put(self.solution, SOLUTION_SIZE)
        else:
            last = _NO_SOLUTION
        return put_tag(self.tag) + put(self.send_id, ID_SIZE) + last

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a body of a length within the bounds; nearly all that a relay reads are these, unsolved."""
        envelope = body[_UNSOLVED.size :]
        if len(envelope) in _ENVELOPES:
            tag, send_id, solution, given = _UNSOLVED.unpack_from(body)
            if tag and not solution:
                return cls(tag, send_id, envelope, proof=given)
        return super().decode(body)

    def after(self) -> bytes:
        """The envelope."""
        return put(self.envelope, *limits.ENVELOPE_BUCKETS)

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag."""
        send_id, solution = fields.fixed(ID_SIZE), take_choice(fields, (0, SOLUTION_SIZE))
        given, envelope = fields.fixed(PROOF_SIZE), fields.rest()
        if len(envelope) not in _ENVELOPES:
            raise RemoteProtocolError("an envelope of another size")
        return cls(tag, send_id, envelope, solution, proof=given)


class Acknowledge(Request, frozen=True):
    """QACK: forget these messages. It has no answer; its tag is that of the subscription."""

    KIND: ClassVar = 0x04
    BOUNDS: ClassVar = (TAG_SIZE + HASH_SIZE, TAG_SIZE + HASH_SIZE * relay_limits.ACKS_PER_REQUEST)

    hashes: tuple[bytes, ...]

    def body(self) -> bytes:
        """The body as it travels."""
        if not 1 <= len(self.hashes) <= relay_limits.ACKS_PER_REQUEST:
            raise LocalProtocolError("too many acknowledgements at once, or none")
        return put_tag(self.tag) + b"".join(put(each, HASH_SIZE) for each in self.hashes)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a body of a length within the bounds; most have one hash."""
        if len(body) == TAG_SIZE + HASH_SIZE:
            tag = int.from_bytes(body[:TAG_SIZE], "big")
            if tag:
                return cls(tag, (body[TAG_SIZE:],))
        return super().decode(body)

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag."""
        raw = fields.rest()
        if len(raw) % HASH_SIZE:
            raise RemoteProtocolError("an acknowledgement cut short")
        return cls(tag, tuple(raw[at : at + HASH_SIZE] for at in range(0, len(raw), HASH_SIZE)))


class Delete(OfQueue, frozen=True):
    """QDEL: delete the queue with this recv_id and all that is in it."""

    KIND: ClassVar = 0x05


class AskPuzzle(Request, frozen=True):
    """PUZZLE: give me work, so that I may write to strangers."""

    KIND: ClassVar = 0x06
    BOUNDS: ClassVar = (TAG_SIZE, TAG_SIZE)

    def body(self) -> bytes:
        """The body as it travels."""
        return put_tag(self.tag)

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:  # noqa: ARG003 -- nothing stands after the tag
        """Read what stands after the tag."""
        return cls(tag)


class PutPrekeys(Proved, frozen=True):
    """PPUT: replace the prekeys of a request queue and their list."""

    KIND: ClassVar = 0x07
    BOUNDS: ClassVar = (
        PROVED + VECTOR + 1 + PREKEY_SIZE,
        PROVED + VECTOR + relay_limits.PREKEY_LIST_MAX + 1 + _PREKEYS_MAX * PREKEY_SIZE,
    )

    recv_id: bytes
    prekeys: bytes
    """The encoded `prekeys.PrekeyList`."""
    keys: tuple[bytes, ...]
    """Each encoded `prekeys.Prekey`, 1233 bytes."""

    def before(self) -> bytes:
        """What stands before the proof."""
        if not 1 <= len(self.keys) <= _PREKEYS_MAX:
            raise LocalProtocolError("too many prekeys, or none")
        keys = bytes((len(self.keys),)) + b"".join(put(key, PREKEY_SIZE) for key in self.keys)
        head = put_tag(self.tag) + put(self.recv_id, ID_SIZE)
        return head + put_vector(self.prekeys, relay_limits.PREKEY_LIST_MAX) + keys

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag."""
        recv_id, prekeys = fields.fixed(ID_SIZE), fields.vector(relay_limits.PREKEY_LIST_MAX)
        count = fields.number(1)
        if not 1 <= count <= _PREKEYS_MAX:
            raise RemoteProtocolError("too many prekeys, or none")
        keys = tuple(fields.fixed(PREKEY_SIZE) for _ in range(count))
        return cls(tag, recv_id, prekeys, keys, proof=fields.fixed(PROOF_SIZE))


class GetPrekey(Proved, frozen=True):
    """PGET: a prekey of somebody whom I want to write to for the first time."""

    KIND: ClassVar = 0x08
    BOUNDS: ClassVar = (PROVED + SOLUTION_SIZE, PROVED + SOLUTION_SIZE)

    send_id: bytes
    solution: bytes

    def before(self) -> bytes:
        """What stands before the proof."""
        return put_tag(self.tag) + put(self.send_id, ID_SIZE) + put(self.solution, SOLUTION_SIZE)

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag."""
        return cls(tag, fields.fixed(ID_SIZE), fields.fixed(SOLUTION_SIZE), proof=fields.fixed(PROOF_SIZE))


class Connect(OfQueue, frozen=True):
    """CONNECT: a circuit to the owner of the queue with this send_id."""

    KIND: ClassVar = 0x09
