"""How a relay is named when somebody wants to use it."""

import msgspec

from messenger.core.address import Address, parse_address
from messenger.core.errors import AddressError, InputProblem
from messenger.core.ids import Fingerprint, parse_fingerprint
from messenger.protocol.invite import is_invite, read_invite


class RelayTarget(msgspec.Struct, frozen=True):
    """A relay as it is told from person to person."""

    address: Address
    fingerprint: Fingerprint
    token: bytes = b""
    """What its owner asks for; may be empty."""

    def __repr__(self) -> str:
        return f"RelayTarget({self.address}, {self.fingerprint.hex()[:8]})"


def read_relay(text: str) -> RelayTarget:
    """Read the link of a relay, or its address and fingerprint with a blank between.

    Raises:
        AddressError: It is neither.
    """
    if is_invite(text):
        invite = read_invite(text)
        if not invite.addresses:
            raise AddressError(InputProblem.BAD_INVITE)
        return RelayTarget(invite.addresses[0], invite.fingerprint)
    address, _, fingerprint = text.strip().partition(" ")
    return RelayTarget(parse_address(address), parse_fingerprint(fingerprint))
