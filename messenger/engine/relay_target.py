"""How a relay is named when somebody wants to use it."""

from messenger.core.address import parse_address
from messenger.core.errors import AddressError, InputProblem
from messenger.core.ids import parse_fingerprint
from messenger.protocol.relay_invite import RelayInvite, is_relay_invite


def read_relay(text: str) -> RelayInvite:
    """Read the link of a relay, or its address and fingerprint with a blank between.

    Returns:
        Who it is, and at least one address.

    Raises:
        AddressError: BAD_RELAY, it is neither; BAD_INVITE, INVITE_VERSION: a link that cannot be read.
    """
    if is_relay_invite(text):
        invite = RelayInvite.decode(text)
        if not invite.addresses:
            raise AddressError(InputProblem.BAD_INVITE)
        return invite
    address, _, fingerprint = text.strip().partition(" ")
    try:
        return RelayInvite(parse_fingerprint(fingerprint), (parse_address(address),))
    except AddressError as e:
        raise AddressError(InputProblem.BAD_RELAY) from e
