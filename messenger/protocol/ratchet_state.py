"""What one side keeps of a sealed session: a value that storage writes as it is (`encode`, `decode`).

It is replaced, never changed, so that a message that does not open leaves no trace.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from messenger.core import limits
from messenger.core.errors import DatabaseDamaged, DatabaseTooNew, RemoteProtocolError
from messenger.core.ids import FINGERPRINT_SIZE, Fingerprint
from messenger.crypto.hkdf import vec
from messenger.crypto.xwing import SEED_SIZE
from messenger.protocol.sealed_header import SID_SIZE
from messenger.protocol.wire import Fields

T = TypeVar("T")

SECRET_SIZE: Final = 32
"""Roots, chain keys and message keys."""

_VERSION: Final = 1
_RECEIVE_ONLY: Final = 1
_SENDING: Final = struct.Struct(">4IB")
_RECEIVING: Final = struct.Struct(">2I")
_KEY: Final = struct.Struct(f">I{SEED_SIZE}s")
_SKIPPED: Final = struct.Struct(f">IIQ{SECRET_SIZE}s")


@dataclass(frozen=True, slots=True, repr=False)
class OwnKey:
    """A private ratchet key of ours that the peer may still use.

    Attributes:
        id: 0 for the one from the beginning of the session, else our epoch that announced it.
        seed: 32 bytes of `xwing.KeyPair`.
    """

    id: int
    seed: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Skipped:
    """The key of a message that others have overtaken.

    Attributes:
        epoch: The peer's epoch.
        number: Number of the message in it.
        since: When it was overtaken, Unix seconds.
        key: The message key, 32 bytes.
    """

    epoch: int
    number: int
    since: int
    key: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Sending:
    """The chain of our own messages.

    Attributes:
        root: What the next epoch is made from.
        epoch: The present epoch, 0 before the first.
        chain: Chain key of the next message; empty before the first epoch.
        number: Number of the next message.
        previous: Messages in the epoch before.
        key_id: The peer's key that the epoch was made with.
        public: Our public key of the epoch; empty before the first.
        ciphertext: What opens the epoch; empty before the first.
        acknowledged: The peer has shown that they have the epoch.
    """

    root: bytes
    epoch: int = 0
    chain: bytes = b""
    number: int = 0
    previous: int = 0
    key_id: int = 0
    public: bytes = b""
    ciphertext: bytes = b""
    acknowledged: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Receiving:
    """The chain of the peer's messages.

    Attributes:
        root: What their next epoch is made from.
        public: Their newest public key; its id is `epoch`. Empty if none is known yet.
        keys: Our private keys that they may use, oldest first, at most `limits.RATCHET_KEYS_MAX`.
        epoch: Their newest epoch that we have, 0 before the first.
        chain: Chain key of the next message; empty before the first epoch.
        number: Number of the message expected next.
        skipped: Keys of missing messages, oldest first.
    """

    root: bytes
    public: bytes
    keys: tuple[OwnKey, ...]
    epoch: int = 0
    chain: bytes = b""
    number: int = 0
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Session:
    """One side of a sealed session.

    Attributes:
        sid: Its id, 32 bytes, the same at both sides and secret from everybody else.
        own: Our fingerprint.
        peer: The other side's.
        sending: Chain of our messages.
        receiving: Chain of theirs.
        receive_only: It came out of a backup and must not seal any more.
    """

    sid: bytes
    own: Fingerprint
    peer: Fingerprint
    sending: Sending
    receiving: Receiving
    receive_only: bool = False

    @property
    def missing(self) -> tuple[tuple[int, int], ...]:
        """Epoch and number of messages that others have overtaken and that may still arrive."""
        return tuple((skipped.epoch, skipped.number) for skipped in self.receiving.skipped)

    def encode(self) -> bytes:
        """The session for storage; full of secrets."""
        flags = _RECEIVE_ONLY if self.receive_only else 0
        head = bytes((_VERSION, flags)) + self.sid + self.own + self.peer
        return head + _write_sending(self.sending) + _write_receiving(self.receiving)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote.

        Raises:
            DatabaseTooNew: A later version of the program wrote it.
            DatabaseDamaged: It cannot be read.
        """
        return reading(data, _VERSION, cls._read)

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        receive_only = bool(flags_of(fields, _RECEIVE_ONLY))
        return cls(
            fields.fixed(SID_SIZE),
            Fingerprint(fields.fixed(FINGERPRINT_SIZE)),
            Fingerprint(fields.fixed(FINGERPRINT_SIZE)),
            _read_sending(fields),
            _read_receiving(fields),
            receive_only,
        )

    def __repr__(self) -> str:
        sending, receiving = self.sending, self.receiving
        return f"Session({sending.epoch}.{sending.number}, {receiving.epoch}.{receiving.number})"


def reading(data: bytes, version: int, read: Callable[[Fields], T]) -> T:
    """Read a stored value: u8 version, then what `read` takes, and nothing after it.

    Raises:
        DatabaseTooNew: It has another version.
        DatabaseDamaged: It cannot be read.
    """
    fields = Fields(data)
    try:
        if fields.number(1) != version:
            raise DatabaseTooNew("sealed sessions of another version")
        value = read(fields)
        fields.finish()
    except RemoteProtocolError as e:
        raise DatabaseDamaged("a sealed session cannot be read") from e
    return value


def flags_of(fields: Fields, known: int) -> int:
    """Read u8 flags.

    Raises:
        RemoteProtocolError: One is set that is not among the known ones.
    """
    flags = fields.number(1)
    if flags & ~known:
        raise RemoteProtocolError("unknown flag")
    return flags


def _write_sending(chain: Sending) -> bytes:
    state = _SENDING.pack(chain.epoch, chain.number, chain.previous, chain.key_id, chain.acknowledged)
    return chain.root + state + vec(chain.chain) + vec(chain.public) + vec(chain.ciphertext)


def _read_sending(fields: Fields) -> Sending:
    root = fields.fixed(SECRET_SIZE)
    epoch, number, previous, key_id, acknowledged = _SENDING.unpack(fields.fixed(_SENDING.size))
    chain = _optional(fields, SECRET_SIZE)
    public = _optional(fields, limits.XWING_PUBLIC_SIZE)
    ciphertext = _optional(fields, limits.XWING_CIPHERTEXT_SIZE)
    if not bool(epoch) == bool(chain) == bool(public) == bool(ciphertext) or acknowledged > 1:
        raise RemoteProtocolError("a chain that cannot be")
    return Sending(root, epoch, chain, number, previous, key_id, public, ciphertext, bool(acknowledged))


def _write_receiving(chain: Receiving) -> bytes:
    head = chain.root + vec(chain.public) + _RECEIVING.pack(chain.epoch, chain.number) + vec(chain.chain)
    keys = b"".join(_KEY.pack(key.id, key.seed) for key in chain.keys)
    skipped = b"".join(_SKIPPED.pack(one.epoch, one.number, one.since, one.key) for one in chain.skipped)
    return head + bytes((len(chain.keys),)) + keys + len(chain.skipped).to_bytes(2, "big") + skipped


def _read_receiving(fields: Fields) -> Receiving:
    root, public = fields.fixed(SECRET_SIZE), _optional(fields, limits.XWING_PUBLIC_SIZE)
    epoch, number = _RECEIVING.unpack(fields.fixed(_RECEIVING.size))
    chain = _optional(fields, SECRET_SIZE)
    keys = tuple(OwnKey(*_KEY.unpack(fields.fixed(_KEY.size))) for _ in range(fields.number(1)))
    count = fields.number(2)
    if (
        bool(chain) != bool(epoch)
        or len(keys) > limits.RATCHET_KEYS_MAX
        or count > limits.RATCHET_SKIP_SESSION
    ):
        raise RemoteProtocolError("a chain that cannot be")
    skipped = tuple(Skipped(*_SKIPPED.unpack(fields.fixed(_SKIPPED.size))) for _ in range(count))
    return Receiving(root, public, keys, epoch, chain, number, skipped)


def _optional(fields: Fields, size: int) -> bytes:
    value = fields.vector(size)
    if len(value) not in (0, size):
        raise RemoteProtocolError("a value of another size")
    return value
