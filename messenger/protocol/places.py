"""Places: what others have to know of a queue at a relay (SPEC.md section "Relays").

relay's fingerprint[32], send_id[24], send_key[32], queue_key[32], v(address). Contacts tell each
other places inside links; an invite may hold one as a hint.
"""

from typing import Final, Self

import msgspec

from messenger.core import relay_limits
from messenger.core.address import Address, parse_address
from messenger.core.errors import AddressError, LocalProtocolError, RemoteProtocolError
from messenger.core.ids import FINGERPRINT_SIZE, Fingerprint
from messenger.crypto.hkdf import vec
from messenger.protocol.wire import Fields

_WITHOUT_ADDRESS: Final = FINGERPRINT_SIZE + relay_limits.QUEUE_ID_SIZE + 2 * relay_limits.QUEUE_KEY_SIZE + 2

PLACE_MAX: Final = _WITHOUT_ADDRESS + relay_limits.PLACE_ADDRESS_MAX
"""Longest encoded place."""


class Place(msgspec.Struct, frozen=True):
    """A queue to write to."""

    relay: Fingerprint
    """Who the relay must be."""
    send_id: bytes
    """24 bytes."""
    send_key: bytes
    """32 bytes, known to the relay."""
    queue_key: bytes
    """32 bytes, not known to the relay."""
    address: Address
    """Where the relay is."""

    def __repr__(self) -> str:
        return f"Place({self.relay.hex()[:8]}, {self.address})"

    def encode(self) -> bytes:
        """The place as it travels.

        Raises:
            LocalProtocolError: A field is of another size, or the address too long.
        """
        address = str(self.address).encode("ascii")
        data = self.relay + self.send_id + self.send_key + self.queue_key + vec(address)
        if len(data) != _WITHOUT_ADDRESS + len(address) or len(data) > PLACE_MAX:
            raise LocalProtocolError("a field of a place is of another size")
        return data

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote.

        Raises:
            RemoteProtocolError: It is not that, or the address is not written in the one form that it has.
        """
        fields = Fields(data)
        relay, send_id = Fingerprint(fields.fixed(FINGERPRINT_SIZE)), fields.fixed(relay_limits.QUEUE_ID_SIZE)
        send_key, queue_key = (fields.fixed(relay_limits.QUEUE_KEY_SIZE) for _ in range(2))
        raw = fields.vector(relay_limits.PLACE_ADDRESS_MAX)
        fields.finish()
        try:
            address = parse_address(raw.decode("ascii"))
        except (AddressError, UnicodeDecodeError) as e:
            raise RemoteProtocolError("a place without an address") from e
        if str(address).encode("ascii") != raw:
            raise RemoteProtocolError("the address of a place is written in another way")
        return cls(relay, send_id, send_key, queue_key, address)
