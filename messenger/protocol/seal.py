"""Envelopes: what a relay sees of a sealed message (SPEC.md section "Sealed messages").

An envelope is nonce[12] and AES-256-GCM, without additional data, of u8 kind, u24 length,
content and zero padding, under a key made of the queue's. It has one of four sizes, so the
relay learns neither whose session it belongs to nor how long the message is.
"""

import os
from enum import IntEnum
from typing import Final

from messenger.core import limits
from messenger.core.errors import CryptoError, LocalProtocolError, RemoteProtocolError
from messenger.crypto import aead
from messenger.crypto.hkdf import expand
from messenger.protocol.handshake import Entropy

_INNER_HEADER: Final = 4

ENVELOPE_OVERHEAD: Final = aead.IV_SIZE + _INNER_HEADER + limits.TAG_SIZE
"""Bytes of an envelope that are neither content nor padding."""

CONTENT_MAX: Final = max(limits.ENVELOPE_BUCKETS) - ENVELOPE_OVERHEAD
"""Longest content."""


class Kind(IntEnum):
    """What an envelope holds."""

    MESSAGE = 1
    """A message of a session."""
    OPENING = 2
    """A first contact."""


def enclose(queue_key: bytes, kind: Kind, content: bytes, entropy: Entropy = os.urandom) -> bytes:
    """Put a message into an envelope of the smallest size that holds it.

    Args:
        queue_key: 32-byte key of the queue that it goes to, known to its owner and to those who
            may write to it.
        kind: What it is.
        content: The message.
        entropy: Source of the nonce.

    Raises:
        LocalProtocolError: It is longer than CONTENT_MAX.
    """
    size = ENVELOPE_OVERHEAD + len(content)
    bucket = next((bucket for bucket in limits.ENVELOPE_BUCKETS if size <= bucket), None)
    if bucket is None:
        raise LocalProtocolError("too long for an envelope")
    nonce = entropy(aead.IV_SIZE)
    inner = bytes((kind,)) + len(content).to_bytes(3, "big") + content + bytes(bucket - size)
    return nonce + aead.seal_once(_key(queue_key), nonce, inner, b"")


def disclose(queue_key: bytes, envelope: bytes) -> tuple[Kind, bytes]:
    """Take a message out of an envelope.

    Raises:
        RemoteProtocolError: It has none of the four sizes, was changed or made for another queue,
            or holds something unknown.
    """
    if len(envelope) not in limits.ENVELOPE_BUCKETS:
        raise RemoteProtocolError("an envelope of another size")
    nonce, sealed = envelope[: aead.IV_SIZE], envelope[aead.IV_SIZE :]
    try:
        inner = aead.open_once(_key(queue_key), nonce, sealed, b"")
        kind = Kind(inner[0])
    except CryptoError as e:
        raise RemoteProtocolError("an envelope does not open") from e
    except ValueError as e:
        raise RemoteProtocolError("an envelope of an unknown kind") from e
    end = _INNER_HEADER + int.from_bytes(inner[1:_INNER_HEADER], "big")
    if end > len(inner) or any(inner[end:]):
        raise RemoteProtocolError("bad padding of an envelope")
    return kind, inner[_INNER_HEADER:end]


def _key(queue_key: bytes) -> bytes:
    return expand(queue_key, "envelope", b"", aead.KEY_SIZE)
