"""Key schedule: HKDF-SHA256, HMAC and the two ways of joining fields (SPEC.md section 1).

Every key in the program comes out of `expand`, whose label and context say what it is
for. The label registry is SPEC.md's; a label is used in one place only.

HKDF is a composition of HMAC with published shape and vectors, written here over the HMAC of the
standard library, so that the vault process need not load `cryptography` for it (7 MiB).
"""

import hashlib
import hmac
from typing import Final

from messenger.core.errors import CryptoError

PREFIX: Final = b"sotto/1 "
"""Begins every label of this application, so that no other protocol's keys or signatures can be ours."""

HASH_SIZE: Final = 32
"""Bytes of SHA-256, HMAC-SHA-256 and of every extracted secret."""

_U16_MAX: Final = 0xFFFF
_U32_MAX: Final = 0xFFFF_FFFF


def lp(*fields: bytes) -> bytes:
    """Join fields so that no two lists of fields give the same bytes: each as u32 length and content.

    Raises:
        CryptoError: A field is longer than 2**32 - 1 bytes.
    """
    parts: list[bytes] = []
    for field in fields:
        if len(field) > _U32_MAX:
            raise CryptoError("field too long")
        parts += (len(field).to_bytes(4, "big"), field)
    return b"".join(parts)


def vec(data: bytes) -> bytes:
    """Write one field as u16 length and content.

    Raises:
        CryptoError: The field is longer than 65535 bytes.
    """
    if len(data) > _U16_MAX:
        raise CryptoError("field too long")
    return len(data).to_bytes(2, "big") + data


def digest(data: bytes) -> bytes:
    """SHA-256 of the data, 32 bytes."""
    return hashlib.sha256(data).digest()


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256 of the data, 32 bytes; compare it with `equal` only."""
    return hmac.digest(key, data, "sha256")


class Mac:
    """HMAC-SHA-256 under a key that is used for many messages: what the key alone costs is paid once.

    Args:
        key: As for `mac`.
    """

    __slots__ = ("_begun",)

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.hmac import HMAC

        self._begun = HMAC(key, SHA256())

    def of(self, data: bytes) -> bytes:
        """The same as `mac` of the key and the data."""
        made = self._begun.copy()
        made.update(data)
        return made.finalize()


def equal(a: bytes, b: bytes) -> bool:
    """Compare two byte strings in time that depends on their lengths only."""
    return hmac.compare_digest(a, b)


def extract(salt: bytes, ikm: bytes) -> bytes:
    """HKDF-Extract of RFC 5869 with SHA-256: a 32-byte secret out of key material of any shape."""
    return mac(salt, ikm)


def expand(secret: bytes, label: str, context: bytes, length: int) -> bytes:
    """Derive a key: HKDF-Expand of RFC 5869 with info = PREFIX + label + 0x00 + lp(context) + u16 length.

    Args:
        secret: 32 bytes from `extract` or from this function.
        label: What the key is for, ASCII.
        context: What it is bound to, usually a transcript hash; may be empty.
        length: Bytes wanted, 1 to 8160 (255 blocks of SHA-256).

    Raises:
        CryptoError: The length is outside those bounds.
    """
    if not 1 <= length <= 255 * HASH_SIZE:
        raise CryptoError("key length out of bounds")
    info = PREFIX + label.encode("ascii") + b"\x00" + lp(context) + length.to_bytes(2, "big")
    return _expand(secret, info, length)


def _expand(secret: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand of RFC 5869 with SHA-256."""
    made = block = mac(secret, info + b"\x01")
    for number in range(2, -(-length // HASH_SIZE) + 1):
        block = mac(secret, block + info + bytes((number,)))
        made += block
    return made[:length]
