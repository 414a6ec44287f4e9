"""What a program says of itself on the local network (SPEC.md section "Nearby").

DNS-SD over multicast DNS: this is the content of the TXT record, RFC 6763 section 6. Nothing in
it is proved; a link shows whether the owner of the fingerprint is there.
"""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from messenger.core import limits, relay_limits
from messenger.core.errors import AddressError, LocalProtocolError, RemoteProtocolError
from messenger.core.ids import Fingerprint, format_fingerprint, parse_fingerprint

SERVICE: Final = "_sotto._tcp.local."
"""The service type, RFC 6763 section 7."""

_INSTANCE_SIZE: Final = 8
_VERSION: Final = b"txtvers=1"
_FINGERPRINT: Final = b"fp"
_NAME: Final = b"name"


def instance(entropy: Callable[[int], bytes]) -> str:
    """A name for one run of a program on the network, which tells nothing: 16 hexadecimal digits."""
    return entropy(_INSTANCE_SIZE).hex()


class Announcement(msgspec.Struct, frozen=True):
    """Somebody who is near."""

    fingerprint: Fingerprint
    name: str = ""
    """Clean it before it is shown; it proves nothing."""

    def encode(self) -> bytes:
        """The data of the TXT record; a name for which there is no room is cut.

        Raises:
            LocalProtocolError: The name has half of a surrogate pair.
        """
        try:
            name = self.name[: limits.NAME_MAX].encode()
        except UnicodeEncodeError as e:
            raise LocalProtocolError("a name that is no text") from e
        name = name[: relay_limits.ANNOUNCED_NAME_MAX].decode(errors="ignore").encode()
        fingerprint = format_fingerprint(self.fingerprint).replace(" ", "").encode()
        strings = _VERSION, _FINGERPRINT + b"=" + fingerprint, _NAME + b"=" + name
        return b"".join(bytes((len(each),)) + each for each in strings)

    @classmethod
    def decode(cls, data: bytes) -> "Announcement":
        """Read the data of a TXT record; what later versions add is passed over.

        Raises:
            RemoteProtocolError: It is not an announcement of this version, and is to be passed over.
        """
        if not 0 < len(data) <= relay_limits.ANNOUNCEMENT_MAX:
            raise RemoteProtocolError("an announcement without content, or too long")
        strings = list(_strings(data))
        if strings[0] != _VERSION:
            raise RemoteProtocolError("an announcement of another version")
        known: dict[bytes, bytes] = {}
        for each in strings:
            key, equals, value = each.partition(b"=")
            if equals:
                known.setdefault(key.lower(), value)
        try:
            written, name = known.get(_FINGERPRINT, b"").decode("ascii"), known.get(_NAME, b"").decode()
            fingerprint = parse_fingerprint(written)
        except (UnicodeDecodeError, AddressError) as e:
            raise RemoteProtocolError("an announcement of nobody") from e
        if format_fingerprint(fingerprint).replace(" ", "") != written or len(name) > limits.NAME_MAX:
            raise RemoteProtocolError("a fingerprint written in another way, or too long a name")
        return cls(fingerprint, name)


def _strings(data: bytes) -> Iterator[bytes]:
    """The strings of TXT data, each after its length.

    Raises:
        RemoteProtocolError: The last is cut short.
    """
    at = 0
    while at < len(data):
        end = at + 1 + data[at]
        if end > len(data):
            raise RemoteProtocolError("a string of an announcement is cut short")
        yield data[at + 1 : end]
        at = end
