"""Section 11: links of relays."""

import base64
import re
from dataclasses import dataclass
from typing import Final

from tests.independent.invites import ADDRESS, LINK_MAX, decode
from tests.independent.primitives import H, Reader, check, number

PREFIX: Final = "sotto://relay/"
ADDRESSES_MAX: Final = 8


@dataclass(frozen=True)
class RelayLink:
    """Who a relay is, and where."""

    fingerprint: bytes
    addresses: tuple[bytes, ...] = ()


def write_relay_link(link: RelayLink) -> str:
    """The link."""
    told = b"".join(number(len(each), 1) + each for each in link.addresses)
    return checked(b"\x01" + link.fingerprint + number(len(link.addresses), 1) + told)


def checked(start: bytes) -> str:
    """A link with these bytes and the right check after them."""
    raw = start + H(b"sotto relay" + start)[:4]
    return PREFIX + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_relay_link(text: str) -> RelayLink:
    """What a link says, if every byte of it is right."""
    text = "".join(text.split())
    check(len(text) <= LINK_MAX, "length")
    check(text[: len(PREFIX)].lower() == PREFIX, "prefix")
    raw = decode(text[len(PREFIX) :])
    check(len(raw) >= 38 and raw[0] == 1, "version")
    check(H(b"sotto relay" + raw[:-4])[:4] == raw[-4:], "check")
    reader = Reader(raw[1:-4])
    fingerprint, count = reader.take(32), reader.number(1)
    check(count <= ADDRESSES_MAX, "number of addresses")
    addresses = tuple(reader.take(reader.number(1)) for _ in range(count))
    reader.done()
    for each in addresses:
        check(each.isascii(), "ASCII")
        found = re.fullmatch(ADDRESS, each.decode("ascii"))
        check(found is not None and 0 < int(found[2]) <= 65535, "address")
    return RelayLink(fingerprint, addresses)
