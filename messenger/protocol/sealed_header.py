"""Ratchet messages on the wire (SPEC.md section "Sealed messages").

A message is sid[32], the header, and the sealed payload with its tag. The header is u8
flags, six u32 (epoch, key id, number, previous, ack epoch, ack number), the step
xw_pk[1216] ct[1120] if the flags say so, and nonce[12].
"""

import struct
from typing import Final, Self

import msgspec

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.crypto.aead import IV_SIZE

SID_SIZE: Final = 32
STEP_SIZE: Final = limits.XWING_PUBLIC_SIZE + limits.XWING_CIPHERTEXT_SIZE

_FIXED: Final = struct.Struct(">B6I")
_WITH_STEP: Final = 1

OVERHEAD: Final = SID_SIZE + _FIXED.size + STEP_SIZE + IV_SIZE + limits.TAG_SIZE
"""Most bytes of a message besides its payload."""


class Header(msgspec.Struct, frozen=True):
    """What the receiver needs to find the key of a message."""

    epoch: int
    """Number of the sender's epoch, from 1."""
    key_id: int
    """Which key of the receiver this epoch was made with: 0 for the first, else the epoch that brought it."""
    number: int
    """Number of the message in its epoch, from 0."""
    previous: int
    """How many messages the sender's epoch before this one had."""
    ack_epoch: int
    """The receiver's newest epoch that the sender has; 0 for none."""
    ack_number: int
    """Number of the message that the sender expects next in that epoch."""
    step: bytes
    """The sender's new public key, whose id is `epoch`, and the ciphertext that opens the epoch; or empty."""
    nonce: bytes

    def encode(self) -> bytes:
        """The header as it travels."""
        flags = _WITH_STEP if self.step else 0
        counters = (self.epoch, self.key_id, self.number, self.previous, self.ack_epoch, self.ack_number)
        return _FIXED.pack(flags, *counters) + self.step + self.nonce


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
            RemoteProtocolError: It is too short or too long, has an unknown flag or epoch 0, or a
                counter over `limits.RATCHET_COUNTER_MAX`.
        """
        if not SID_SIZE + _FIXED.size <= len(data) <= OVERHEAD + limits.SEALED_PAYLOAD_MAX:
            raise RemoteProtocolError("a sealed message of impossible size")
        flags, epoch, key_id, number, previous, ack_epoch, ack_number = _FIXED.unpack_from(data, SID_SIZE)
        if flags not in (0, _WITH_STEP):
            raise RemoteProtocolError("unknown flag in a sealed message")
        counters = (epoch, key_id, number, previous, ack_epoch, ack_number)
        if not epoch or max(counters) > limits.RATCHET_COUNTER_MAX:
            raise RemoteProtocolError("counters of a sealed message out of bounds")
        step = SID_SIZE + _FIXED.size
        nonce = step + (STEP_SIZE if flags else 0)
        end = nonce + IV_SIZE
        if not limits.TAG_SIZE <= len(data) - end <= limits.TAG_SIZE + limits.SEALED_PAYLOAD_MAX:
            raise RemoteProtocolError("a sealed message of impossible size")
        header = Header(*counters, data[step:nonce], data[nonce:end])
        return cls(data[:SID_SIZE], header, data[SID_SIZE:end], data[end:])
