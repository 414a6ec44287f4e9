"""Links that people paste: how the bytes of an invite or of a relay's link become text, and the way back.

A prefix and the unpadded base64url (RFC 4648) of: u8 version = 1, a body, and 4 bytes of checksum, the
beginning of SHA-256 over a label and everything before.
"""

import base64
import binascii
from typing import Final

from messenger.core import limits
from messenger.core.errors import AddressError, InputProblem
from messenger.crypto.hkdf import digest
from messenger.protocol.wire import Fields

AROUND: Final = 5
"""Bytes of version and checksum."""

_VERSION: Final = 1
_CHECKSUM: Final = 4


def is_link(text: str, prefix: str) -> bool:
    """Whether a text is meant as a link with this prefix, readable or not."""
    return text.strip().lower().startswith(prefix)


def write_link(prefix: str, label: bytes, body: bytes) -> str:
    """The link for a body.

    Args:
        prefix: What it begins with, in lower case.
        label: What the checksum begins with: it tells kinds of links apart.
        body: Bytes.
    """
    whole = bytes((_VERSION,)) + body
    return prefix + _encoded(whole + _checksum(label, whole))


def read_link(prefix: str, label: bytes, text: str) -> Fields:
    """The body of a link. White space anywhere in it does not matter: mail programs break long lines.

    Args:
        prefix: As for `write_link`.
        label: As for `write_link`.
        text: Of anybody.

    Raises:
        AddressError: BAD_INVITE (damaged, cut off or longer than `limits.INVITE_TEXT_MAX` characters), or
            INVITE_VERSION (made by a later program).
    """
    compact = "".join(text.split())
    if len(compact) > limits.INVITE_TEXT_MAX or not is_link(compact, prefix):
        raise AddressError(InputProblem.BAD_INVITE)
    encoded = compact[len(prefix) :]
    try:
        data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as e:
        raise AddressError(InputProblem.BAD_INVITE) from e
    whole, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    if not whole or checksum != _checksum(label, whole) or _encoded(data) != encoded:
        raise AddressError(InputProblem.BAD_INVITE)
    if whole[0] != _VERSION:
        raise AddressError(InputProblem.INVITE_VERSION)
    return Fields(whole[1:])


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _checksum(label: bytes, whole: bytes) -> bytes:
    return digest(label + whole)[:_CHECKSUM]
