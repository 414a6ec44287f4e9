"""Invite links: whom to call, where, and a secret that opens the door once (SPEC.md section 3).

``sotto://invite/`` and the unpadded base64url of: u8 version, fingerprint[32], secret[16],
u8 number of hints, each hint as u8 kind, u8 length, content; then 4 bytes of checksum, the
beginning of SHA-256 over ``b"sotto invite"`` and everything before.
"""

import base64
import binascii
from typing import Final

import msgspec

from messenger.core import limits
from messenger.core.address import Address, parse_address
from messenger.core.errors import AddressError, InputProblem, RemoteProtocolError
from messenger.core.ids import FINGERPRINT_SIZE, Fingerprint
from messenger.crypto.hkdf import digest
from messenger.protocol.wire import Fields

PREFIX: Final = "sotto://invite/"
_VERSION: Final = 1
_HINT_ADDRESS: Final = 1
_CHECKSUM: Final = 4
_WITHOUT_HINTS: Final = 1 + FINGERPRINT_SIZE + limits.INVITE_SECRET_SIZE + 1 + _CHECKSUM
_U8_MAX: Final = 255


class Invite(msgspec.Struct, frozen=True):
    """What an invite link says."""

    fingerprint: Fingerprint
    secret: bytes
    addresses: tuple[Address, ...] = ()

    def __repr__(self) -> str:
        return f"Invite({self.fingerprint.hex()[:8]}, {len(self.addresses)} addresses)"


def is_invite(text: str) -> bool:
    """Whether a text is meant as an invite link, readable or not."""
    return text.strip().lower().startswith(PREFIX)


def write_invite(invite: Invite) -> str:
    """The link for an invite; addresses for which there is no room are left out.

    There is room for `limits.INVITE_ADDRESSES_MAX` of at most 255 characters, and for
    `limits.INVITE_TEXT_MAX` characters in all.
    """
    room = (limits.INVITE_TEXT_MAX - len(PREFIX)) * 3 // 4 - _WITHOUT_HINTS
    hints: list[bytes] = []
    for address in invite.addresses:
        content = str(address).encode("ascii")
        size = 2 + len(content)
        if len(content) <= _U8_MAX and size <= room and len(hints) < limits.INVITE_ADDRESSES_MAX:
            hints.append(bytes((_HINT_ADDRESS, len(content))) + content)
            room -= size
    body = bytes((_VERSION,)) + invite.fingerprint + invite.secret + bytes((len(hints),)) + b"".join(hints)
    return PREFIX + _encoded(body + _checksum(body))


def read_invite(text: str) -> Invite:
    """Read a link. White space anywhere in it does not matter: mail programs break long lines.

    Hints of an unknown kind are passed over.

    Raises:
        AddressError: BAD_INVITE (damaged, cut off or too long), or INVITE_VERSION (made by a later
            program).
    """
    compact = "".join(text.split())
    if len(compact) > limits.INVITE_TEXT_MAX or not is_invite(compact):
        raise AddressError(InputProblem.BAD_INVITE)
    encoded = compact[len(PREFIX) :]
    try:
        data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as e:
        raise AddressError(InputProblem.BAD_INVITE) from e
    body, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    if not body or checksum != _checksum(body) or _encoded(data) != encoded:
        raise AddressError(InputProblem.BAD_INVITE)
    if body[0] != _VERSION:
        raise AddressError(InputProblem.INVITE_VERSION)
    try:
        return _read_body(Fields(body[1:]))
    except (RemoteProtocolError, UnicodeDecodeError, AddressError) as e:
        raise AddressError(InputProblem.BAD_INVITE) from e


def _read_body(fields: Fields) -> Invite:
    fingerprint = Fingerprint(fields.fixed(FINGERPRINT_SIZE))
    secret = fields.fixed(limits.INVITE_SECRET_SIZE)
    addresses: list[Address] = []
    for _ in range(fields.number(1)):
        kind, content = fields.number(1), fields.fixed(fields.number(1))
        if kind == _HINT_ADDRESS:
            text = content.decode("ascii")
            addresses.append(parse_address(text))
            if str(addresses[-1]) != text:
                raise AddressError(InputProblem.BAD_INVITE)
    fields.finish()
    return Invite(fingerprint, secret, tuple(addresses[: limits.INVITE_ADDRESSES_MAX]))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _checksum(body: bytes) -> bytes:
    return digest(b"sotto invite" + body)[:_CHECKSUM]
