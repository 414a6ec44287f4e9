"""Names of things: fingerprints, messages, conversations."""

import base64
import binascii
import hashlib
from typing import Final, NewType

from messenger.core.errors import AddressError, InputProblem

Fingerprint = NewType("Fingerprint", bytes)
"""SHA-256 of the SubjectPublicKeyInfo of a person's signing key: 32 bytes. This *is* the person."""

MessageId = NewType("MessageId", bytes)
"""16 random bytes, chosen by the author of a message."""

ConversationId = NewType("ConversationId", int)
"""Number of a conversation in this profile's database; never leaves it."""

AttemptId = NewType("AttemptId", int)
"""Number of one attempt to connect, chosen by whoever asked for it."""

FINGERPRINT_SIZE: Final = 32
MESSAGE_ID_SIZE: Final = 16
_CHECKSUM_CHARS: Final = 4
_BODY_CHARS: Final = 52
_GROUP: Final = 4


def format_fingerprint(fingerprint: Fingerprint) -> str:
    """Write a fingerprint for people: 14 groups of four letters and digits.

    The text is the base32 (RFC 4648, lower case, unpadded) of the 32 bytes, 52 characters,
    followed by four characters of checksum: the base32 of the first 20 bits of the
    SHA-256 of ``b"sotto fingerprint" + fingerprint``.
    """
    text = _base32(fingerprint) + _checksum(fingerprint)
    return " ".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def short_fingerprint(fingerprint: Fingerprint) -> str:
    """The first two groups, to tell rows of a list apart; never a basis for trust."""
    return format_fingerprint(fingerprint)[: 2 * _GROUP + 1]


def parse_fingerprint(text: str) -> Fingerprint:
    """Read what `format_fingerprint` wrote; spaces and hyphens do not matter, nor does case.

    Raises:
        AddressError: It is not 56 base32 characters, or the checksum does not fit.
    """
    compact = "".join(text.split()).replace("-", "").lower()
    if len(compact) != _BODY_CHARS + _CHECKSUM_CHARS or not compact.isascii():
        raise AddressError(InputProblem.BAD_ADDRESS)
    body, checksum = compact[:_BODY_CHARS], compact[_BODY_CHARS:]
    try:
        fingerprint = Fingerprint(base64.b32decode(body.upper() + "===="))
    except binascii.Error as e:
        raise AddressError(InputProblem.BAD_ADDRESS) from e
    if checksum != _checksum(fingerprint) or _base32(fingerprint) != body:
        raise AddressError(InputProblem.BAD_ADDRESS)
    return fingerprint


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()


def _checksum(fingerprint: bytes) -> str:
    return _base32(hashlib.sha256(b"sotto fingerprint" + fingerprint).digest())[:_CHECKSUM_CHARS]
