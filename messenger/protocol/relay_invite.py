"""Links of relays: who a relay is and where, for people who want to use it (SPEC.md section "Relays").

``sotto://relay/`` and the unpadded base64url of: u8 version, fingerprint[32], u8 number of addresses, each
as u8 length and text; then 4 bytes of checksum, the beginning of SHA-256 over ``b"sotto relay"`` and
everything before.
"""

from typing import Final, Self

import msgspec

from messenger.core import limits
from messenger.core.address import Address, parse_address
from messenger.core.errors import AddressError, InputProblem, RemoteProtocolError
from messenger.core.ids import FINGERPRINT_SIZE, Fingerprint
from messenger.protocol.pasted import is_link, read_link, write_link
from messenger.protocol.wire import Fields

PREFIX: Final = "sotto://relay/"
_LABEL: Final = b"sotto relay"
_U8_MAX: Final = 255


class RelayInvite(msgspec.Struct, frozen=True):
    """What the link of a relay says."""

    fingerprint: Fingerprint
    addresses: tuple[Address, ...]
    """At most `limits.INVITE_ADDRESSES_MAX`."""

    def encode(self) -> str:
        """The link; addresses for which there is no room are left out."""
        texts = [str(address).encode("ascii") for address in self.addresses]
        told = [text for text in texts if len(text) <= _U8_MAX][: limits.INVITE_ADDRESSES_MAX]
        while True:
            hints = b"".join(bytes((len(text),)) + text for text in told)
            link = write_link(PREFIX, _LABEL, self.fingerprint + bytes((len(told),)) + hints)
            if len(link) <= limits.INVITE_TEXT_MAX:
                return link
            told.pop()

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read a link; white space anywhere in it does not matter.

        Raises:
            AddressError: BAD_INVITE (damaged, cut off or too long), or INVITE_VERSION (made by a later
                program).
        """
        fields = read_link(PREFIX, _LABEL, text)
        try:
            return cls._read(fields)
        except (RemoteProtocolError, UnicodeDecodeError, AddressError) as e:
            raise AddressError(InputProblem.BAD_INVITE) from e

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        fingerprint = Fingerprint(fields.fixed(FINGERPRINT_SIZE))
        addresses: list[Address] = []
        for _ in range(fields.number(1)):
            text = fields.fixed(fields.number(1)).decode("ascii")
            address = parse_address(text)
            if str(address) != text:
                raise AddressError(InputProblem.BAD_INVITE)
            addresses.append(address)
        fields.finish()
        return cls(fingerprint, tuple(addresses[: limits.INVITE_ADDRESSES_MAX]))


def is_relay_invite(text: str) -> bool:
    """Whether a text is meant as the link of a relay, readable or not."""
    return is_link(text, PREFIX)
