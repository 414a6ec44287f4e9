"""Invite links: whom to call, where, and a secret that opens the door once (SPEC.md section 3).

``sotto://invite/`` and the unpadded base64url of: u8 version, fingerprint[32], secret[16],
u8 number of hints, each hint as u8 kind, u8 length, content; then 4 bytes of checksum, the
beginning of SHA-256 over ``b"sotto invite"`` and everything before.
"""

from typing import Final

import msgspec

from messenger.core import limits, relay_limits
from messenger.core.address import Address, parse_address
from messenger.core.errors import AddressError, InputProblem, RemoteProtocolError
from messenger.core.ids import FINGERPRINT_SIZE, Fingerprint
from messenger.protocol.pasted import AROUND, is_link, read_link, write_link
from messenger.protocol.places import Place
from messenger.protocol.wire import Fields

PREFIX: Final = "sotto://invite/"
_LABEL: Final = b"sotto invite"
_HINT_ADDRESS: Final = 1
_HINT_PLACE: Final = 3
_WITHOUT_HINTS: Final = AROUND + FINGERPRINT_SIZE + limits.INVITE_SECRET_SIZE + 1
_U8_MAX: Final = 255


NO_SECRET: Final = bytes(limits.INVITE_SECRET_SIZE)
"""Stands in a link that opens no door: whoever follows it is a stranger."""


class Invite(msgspec.Struct, frozen=True):
    """What an invite link says."""

    fingerprint: Fingerprint
    secret: bytes
    addresses: tuple[Address, ...] = ()
    places: tuple[Place, ...] = ()
    """Request queues of theirs, where a first contact can be left."""

    def __repr__(self) -> str:
        return f"Invite({self.fingerprint.hex()[:8]}, {len(self.addresses)} addresses)"


def is_invite(text: str) -> bool:
    """Whether a text is meant as an invite link, readable or not."""
    return is_link(text, PREFIX)


def write_invite(invite: Invite) -> str:
    """The link for an invite; places, then addresses, for which there is no room are left out.

    There is room for `relay_limits.PLACES_MAX` and `limits.INVITE_ADDRESSES_MAX` of at most 255 bytes
    each, and for `limits.INVITE_TEXT_MAX` characters in all.
    """
    room = (limits.INVITE_TEXT_MAX - len(PREFIX)) * 3 // 4 - _WITHOUT_HINTS
    hints: list[bytes] = []
    places = [place.encode() for place in invite.places]
    addresses = [str(address).encode("ascii") for address in invite.addresses]
    for kind, most, wanted in (
        (_HINT_PLACE, relay_limits.PLACES_MAX, places),
        (_HINT_ADDRESS, limits.INVITE_ADDRESSES_MAX, addresses),
    ):
        left = most
        for content in wanted:
            size = 2 + len(content)
            if len(content) <= _U8_MAX and size <= room and left:
                hints.append(bytes((kind, len(content))) + content)
                room, left = room - size, left - 1
    body = invite.fingerprint + invite.secret + bytes((len(hints),)) + b"".join(hints)
    return write_link(PREFIX, _LABEL, body)


def read_invite(text: str) -> Invite:
    """Read a link. White space anywhere in it does not matter: mail programs break long lines.

    Hints of an unknown kind are passed over.

    Raises:
        AddressError: BAD_INVITE (damaged, cut off or too long), or INVITE_VERSION (made by a later
            program).
    """
    fields = read_link(PREFIX, _LABEL, text)
    try:
        return _read_body(fields)
    except (RemoteProtocolError, UnicodeDecodeError, AddressError) as e:
        raise AddressError(InputProblem.BAD_INVITE) from e


def _read_body(fields: Fields) -> Invite:
    fingerprint = Fingerprint(fields.fixed(FINGERPRINT_SIZE))
    secret = fields.fixed(limits.INVITE_SECRET_SIZE)
    addresses: list[Address] = []
    places: list[Place] = []
    for _ in range(fields.number(1)):
        kind, content = fields.number(1), fields.fixed(fields.number(1))
        if kind == _HINT_ADDRESS:
            text = content.decode("ascii")
            addresses.append(parse_address(text))
            if str(addresses[-1]) != text:
                raise AddressError(InputProblem.BAD_INVITE)
        elif kind == _HINT_PLACE:
            places.append(Place.decode(content))
    fields.finish()
    found = tuple(addresses[: limits.INVITE_ADDRESSES_MAX]), tuple(places[: relay_limits.PLACES_MAX])
    return Invite(fingerprint, secret, *found)
