"""What is in a payload of a sealed message (SPEC.md 10.8): packets, one after the other.

Each is u24 size and the content of a PACKET record.
"""

from collections.abc import Sequence
from typing import Final

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol import packets
from messenger.protocol.packets import (
    Delete,
    Delivered,
    Edit,
    Hello,
    Mailboxes,
    Offer,
    React,
    Read,
    Text,
    Timer,
)
from messenger.protocol.portraits import Portrait, PortraitNews, PortraitWanted
from messenger.protocol.wire import Fields

Sealable = (
    Hello
    | Text
    | Delivered
    | Read
    | Mailboxes
    | Edit
    | Delete
    | React
    | Timer
    | Offer
    | PortraitNews
    | PortraitWanted
    | Portrait
)
"""The packets that mean something without a link."""

_SIZE: Final = 3


def encode(content: Sequence[Sealable]) -> bytes:
    """Write packets as one payload.

    Raises:
        LocalProtocolError: There are none, or more than `limits.SEALED_PACKETS_MAX`, or they are longer
            than `limits.SEALED_PAYLOAD_MAX`.
    """
    raw = [packets.encode(packet) for packet in content]
    data = b"".join(len(one).to_bytes(_SIZE, "big") + one for one in raw)
    if not 0 < len(raw) <= limits.SEALED_PACKETS_MAX or len(data) > limits.SEALED_PAYLOAD_MAX:
        raise LocalProtocolError("not a payload that could be sealed")
    return data


def decode(data: bytes) -> list[Sealable]:
    """Read what `encode` wrote; unknown packets that may be ignored are left out.

    Raises:
        RemoteProtocolError: It has another form, too many packets or none, or one that is refused or
            belongs into a link.
    """
    fields, rest, found = Fields(data), len(data), list[Sealable]()
    for _ in range(limits.SEALED_PACKETS_MAX):
        if not rest:
            break
        raw = fields.fixed(fields.number(_SIZE))
        rest -= _SIZE + len(raw)
        packet = packets.decode(raw)
        if isinstance(packet, Sealable):
            found.append(packet)
        elif packet is not None:
            raise RemoteProtocolError("a packet that belongs into a link")
    fields.finish()
    if not data:
        raise RemoteProtocolError("an empty payload")
    return found
