"""Everything that a client can ask of a relay, and how it is read (SPEC.md section "Relays")."""

from typing import ClassVar, Final, Self

from messenger.core import relay_limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol.relay_finding import Browse, LookUp, Publish, SetStatus, Withdraw
from messenger.protocol.relay_queues import (
    Acknowledge,
    AskPuzzle,
    Connect,
    Delete,
    GetPrekey,
    NewQueue,
    PutPrekeys,
    Send,
    Subscribe,
)
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_wire import TAG_SIZE
from messenger.protocol.wire import Fields

_ALL: Final[tuple[type[Request], ...]] = (
    NewQueue,
    Subscribe,
    Send,
    Acknowledge,
    Delete,
    AskPuzzle,
    PutPrekeys,
    GetPrekey,
    Connect,
    Publish,
    SetStatus,
    Withdraw,
    LookUp,
    Browse,
)
REQUESTS: Final[dict[int, type[Request]]] = {each.KIND: each for each in _ALL}
"""Every request by its type."""

_LAST_REQUEST: Final = 0x3F
"""Types from 1 to here are requests, of later versions too."""


class Unknown(Request, frozen=True):
    """A request that only later versions know: answer `Code.UNKNOWN`."""

    BOUNDS: ClassVar = (TAG_SIZE, relay_limits.UNKNOWN_MAX)

    def body(self) -> bytes:
        """Nobody writes one.

        Raises:
            LocalProtocolError: Always.
        """
        raise LocalProtocolError("a request that is not known")

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag."""
        fields.rest()
        return cls(tag)


_BOUNDS: Final = {kind: REQUESTS.get(kind, Unknown).BOUNDS for kind in range(1, _LAST_REQUEST + 1)}


def request_bounds(kind: int) -> tuple[int, int]:
    """The least and the greatest length of a request of a type.

    Raises:
        RemoteProtocolError: It is not the type of a request, of this version or a later one.
    """
    bounds = _BOUNDS.get(kind)
    if bounds is None:
        raise RemoteProtocolError("not a request")
    return bounds


def decode_request(kind: int, body: bytes) -> Request:
    """Read a request.

    Args:
        kind: Its type, for which `request_bounds` raised nothing.
        body: Of a length within those bounds.

    Raises:
        RemoteProtocolError: It is not one.
    """
    return REQUESTS.get(kind, Unknown).decode(body)
