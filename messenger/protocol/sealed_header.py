"""Ratchet messages on the wire (SPEC.md section "Sealed messages").

A message is sid[32], the header, and the sealed payload with its tag. The header is five
u32 (epoch, key id, number, previous, ack), xw_pk[1216], ct[1120] and nonce[12].
"""

import struct
from typing import Final, Self

import msgspec

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.crypto.aead import IV_SIZE

SID_SIZE: Final = 32

_COUNTERS: Final = struct.Struct(">5I")
_PUBLIC: Final = _COUNTERS.size
_CIPHERTEXT: Final = _PUBLIC + limits.XWING_PUBLIC_SIZE
_NONCE: Final = _CIPHERTEXT + limits.XWING_CIPHERTEXT_SIZE

HEADER_SIZE: Final = _NONCE + IV_SIZE
OVERHEAD: Final = SID_SIZE + HEADER_SIZE + limits.TAG_SIZE
"""Bytes of a message besides its payload."""


class Header(msgspec.Struct, frozen=True):
    """What the receiver needs to find the key of a message, whichever others they have."""

    epoch: int
    """Number of the sender's epoch, from 1."""
    key_id: int
    """Which key of the receiver this epoch was made with: 0 for the first, else the epoch that brought it."""
    number: int
    """Number of the message in its epoch, from 0."""
    previous: int
    """How many messages the sender's epoch before this one had."""
    ack: int
    """The receiver's newest epoch that the sender has; 0 for none."""
    public: bytes
    """The sender's new public key, whose id is `epoch`."""
    ciphertext: bytes
    """What opens the epoch."""
    nonce: bytes

    def encode(self) -> bytes:
        """The header as it travels."""
        counters = _COUNTERS.pack(self.epoch, self.key_id, self.number, self.previous, self.ack)
        return counters + self.public + self.ciphertext + self.nonce


class Message(msgspec.Struct, frozen=True):
    """A message taken apart; nothing in it has been authenticated yet."""

    sid: bytes
    header: Header
    raw: bytes
    """The header as it arrived, for the additional data."""
    body: bytes
    """The sealed payload and its tag."""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Take a message apart.

        Raises:
            RemoteProtocolError: It is too short or too long, a counter is over
                `limits.RATCHET_COUNTER_MAX`, the epoch is 0, or has more messages than
                `limits.RATCHET_EPOCH_MESSAGES`.
        """
        if not OVERHEAD <= len(data) <= OVERHEAD + limits.SEALED_PAYLOAD_MAX:
            raise RemoteProtocolError("a sealed message of impossible size")
        raw = data[SID_SIZE : SID_SIZE + HEADER_SIZE]
        epoch, key_id, number, previous, ack = _COUNTERS.unpack_from(raw)
        if not epoch or max(epoch, key_id, ack) > limits.RATCHET_COUNTER_MAX:
            raise RemoteProtocolError("counters of a sealed message out of bounds")
        if number >= limits.RATCHET_EPOCH_MESSAGES or previous > limits.RATCHET_EPOCH_MESSAGES:
            raise RemoteProtocolError("a sealed message that overtakes too many")
        keys = raw[_PUBLIC:_CIPHERTEXT], raw[_CIPHERTEXT:_NONCE], raw[_NONCE:]
        header = Header(epoch, key_id, number, previous, ack, *keys)
        return cls(data[:SID_SIZE], header, raw, data[SID_SIZE + HEADER_SIZE :])
