"""Section 7: packets."""

import hashlib
from dataclasses import astuple, dataclass
from typing import Any, ClassVar, Final, Protocol

import msgspec

from tests.independent.files import DONE, OF_SENDER, read_body
from tests.independent.primitives import Refused, check, number
from tests.independent.relays import read_place

PACKET_MAX: Final = 196608
ID: Final = 16
UNKNOWN_IS_IGNORED: Final = 0x80


def _whole(x: object, least: int, most: int) -> None:
    check(type(x) is int and least <= x <= most, "number")


def _bytes(x: object, size: int) -> None:
    check(type(x) is bytes and len(x) == size, "bytes")


def _ids(x: object) -> None:
    check(isinstance(x, list) and 1 <= len(x) <= 512, "ids")
    for each in x if isinstance(x, list) else []:
        _bytes(each, ID)


@dataclass(frozen=True)
class Hello:
    """Kind 1."""

    KIND: ClassVar = 1
    FIELDS: ClassVar = 4
    name: str
    port: int
    accepted: bool
    read_seq: int

    def check(self) -> None:
        """Refuse what is out of bounds."""
        check(type(self.name) is str and len(self.name) <= 64, "name")
        _whole(self.port, 0, 65535)
        check(type(self.accepted) is bool, "accepted")
        _whole(self.read_seq, 0, 2**63 - 1)


@dataclass(frozen=True)
class Text:
    """Kind 2."""

    KIND: ClassVar = 2
    FIELDS: ClassVar = 8
    id: bytes
    seq: int
    prev: bytes
    sent_ms: int
    text: str
    order: int
    reply: bytes
    timer: int

    def check(self) -> None:
        """Refuse what is out of bounds."""
        _head(self)
        check(type(self.text) is str and 1 <= len(self.text.encode()) <= 65536, "text")
        check(type(self.reply) is bytes and len(self.reply) in (0, ID), "reply")
        _timer(self.timer)

    def hash(self) -> bytes:
        """What `prev` of the next message is."""
        return _hash(self, self.reply, self.text, self.timer)


class Chained(Protocol):
    """What all of one chain have."""

    @property
    def KIND(self) -> int: ...  # noqa: N802 -- as the classes say it
    @property
    def id(self) -> bytes: ...
    @property
    def seq(self) -> int: ...
    @property
    def prev(self) -> bytes: ...
    @property
    def sent_ms(self) -> int: ...
    @property
    def order(self) -> int: ...


def _head(chained: Chained) -> None:
    _bytes(chained.id, ID)
    _whole(chained.seq, 1, 2**63 - 1)
    _bytes(chained.prev, 32)
    _whole(chained.sent_ms, 0, 2**53)
    _whole(chained.order, 0, 2**42 - 1)


def _timer(seconds: object) -> None:
    _whole(seconds, 0, 2419200)
    check(seconds == 0 or (isinstance(seconds, int) and seconds >= 5), "timer")


def _hash(chained: Chained, about: bytes, content: str | bytes, timer: int = 0) -> bytes:
    digest = hashlib.sha256(number(chained.KIND, 1) + chained.prev + chained.id)
    for each in (chained.seq, chained.sent_ms, chained.order):
        digest.update(number(each, 8))
    digest.update(number(timer, 4))
    digest.update(number(len(about), 2) + about)
    digest.update(content.encode() if isinstance(content, str) else content)
    return digest.digest()


@dataclass(frozen=True)
class Edit:
    """Kind 11."""

    KIND: ClassVar = 11
    FIELDS: ClassVar = 7
    id: bytes
    seq: int
    prev: bytes
    sent_ms: int
    target: bytes
    text: str
    order: int

    def check(self) -> None:
        """Refuse what is out of bounds."""
        _head(self)
        _bytes(self.target, ID)
        check(type(self.text) is str and 1 <= len(self.text.encode()) <= 65536, "text")

    def hash(self) -> bytes:
        """What `prev` of the next message is."""
        return _hash(self, self.target, self.text)


@dataclass(frozen=True)
class Delete:
    """Kind 12."""

    KIND: ClassVar = 12
    FIELDS: ClassVar = 6
    id: bytes
    seq: int
    prev: bytes
    sent_ms: int
    target: bytes
    order: int

    def check(self) -> None:
        """Refuse what is out of bounds."""
        _head(self)
        _bytes(self.target, ID)

    def hash(self) -> bytes:
        """What `prev` of the next message is."""
        return _hash(self, self.target, "")


@dataclass(frozen=True)
class React:
    """Kind 13."""

    KIND: ClassVar = 13
    FIELDS: ClassVar = 7
    id: bytes
    seq: int
    prev: bytes
    sent_ms: int
    target: bytes
    emoji: str
    order: int

    def check(self) -> None:
        """Refuse what is out of bounds."""
        _head(self)
        _bytes(self.target, ID)
        check(type(self.emoji) is str and len(self.emoji.encode()) <= 32, "emoji")

    def hash(self) -> bytes:
        """What `prev` of the next message is."""
        return _hash(self, self.target, self.emoji)


@dataclass(frozen=True)
class Timer:
    """Kind 15."""

    KIND: ClassVar = 15
    FIELDS: ClassVar = 6
    id: bytes
    seq: int
    prev: bytes
    sent_ms: int
    timer: int
    order: int

    def check(self) -> None:
        """Refuse what is out of bounds."""
        _head(self)
        _timer(self.timer)

    def hash(self) -> bytes:
        """What `prev` of the next message is."""
        return _hash(self, b"", "", self.timer)


@dataclass(frozen=True)
class Typing:
    """Kind 14."""

    KIND: ClassVar = 14
    FIELDS: ClassVar = 0

    def check(self) -> None:
        """There is nothing in it."""


@dataclass(frozen=True)
class Delivered:
    """Kind 3."""

    KIND: ClassVar = 3
    FIELDS: ClassVar = 1
    ids: list[bytes]

    def check(self) -> None:
        """Refuse what is out of bounds."""
        _ids(self.ids)


@dataclass(frozen=True)
class Read:
    """Kind 4."""

    KIND: ClassVar = 4
    FIELDS: ClassVar = 1
    ids: list[bytes]

    def check(self) -> None:
        """Refuse what is out of bounds."""
        _ids(self.ids)


@dataclass(frozen=True)
class Seed:
    """Kind 7."""

    KIND: ClassVar = 7
    FIELDS: ClassVar = 2
    pk: bytes
    rank: int

    def check(self) -> None:
        """Refuse what is out of bounds."""
        _bytes(self.pk, 1216)
        _whole(self.rank, 0, 2**53)


@dataclass(frozen=True)
class SeedAck:
    """Kind 8."""

    KIND: ClassVar = 8
    FIELDS: ClassVar = 0

    def check(self) -> None:
        """There is nothing in it."""


@dataclass(frozen=True)
class LaneTicket:
    """Kind 9."""

    KIND: ClassVar = 9
    FIELDS: ClassVar = 4
    id: bytes
    secret: bytes
    by_initiator: bool
    port: int

    def check(self) -> None:
        """Refuse what is out of bounds."""
        _bytes(self.id, ID)
        _bytes(self.secret, 32)
        check(type(self.by_initiator) is bool, "by_initiator")
        _whole(self.port, 0, 65535)


@dataclass(frozen=True)
class Mailboxes:
    """Kind 10."""

    KIND: ClassVar = 10
    FIELDS: ClassVar = 1
    places: list[bytes]

    def check(self) -> None:
        """Refuse what is out of bounds."""
        check(isinstance(self.places, list) and len(self.places) <= 4, "places")
        check(all(type(each) is bytes and 1 <= len(each) <= 381 for each in self.places), "place")
        relays = {read_place(each).relay for each in self.places}
        check(len(relays) == len(self.places), "two at one relay")


@dataclass(frozen=True)
class Offer:
    """Kind 16."""

    KIND: ClassVar = 16
    FIELDS: ClassVar = 7
    id: bytes
    seq: int
    prev: bytes
    sent_ms: int
    body: bytes
    order: int
    timer: int

    def check(self) -> None:
        """Refuse what is out of bounds."""
        _head(self)
        check(type(self.body) is bytes, "body")
        read_body(self.body)
        _timer(self.timer)

    def hash(self) -> bytes:
        """What `prev` of the next message is."""
        return _hash(self, b"", self.body, self.timer)


@dataclass(frozen=True)
class Wish:
    """Kind 17."""

    KIND: ClassVar = 17
    FIELDS: ClassVar = 8
    id: bytes
    own: bool
    wish: int
    reason: int
    count: int
    heard: int
    proof: bytes
    busy: bool

    def check(self) -> None:
        """Refuse what is out of bounds."""
        _bytes(self.id, ID)
        check(type(self.own) is bool and type(self.busy) is bool, "bool")
        _whole(self.wish, 1, 7)
        check(not self.own or self.wish in OF_SENDER, "not the sender's")
        _whole(self.reason, 0, 255)
        _whole(self.count, 0, 2**32 - 1)
        _whole(self.heard, 0, 2**32 - 1)
        _bytes(self.proof, 32 if self.wish == DONE else 0)


@dataclass(frozen=True)
class Addresses:
    """Kind 30."""

    KIND: ClassVar = 30
    FIELDS: ClassVar = 1
    addresses: list[str]

    def check(self) -> None:
        """Refuse what is out of bounds."""
        check(isinstance(self.addresses, list) and len(self.addresses) <= 8, "addresses")
        check(all(type(each) is str and 1 <= len(each) <= 64 for each in self.addresses), "address")


@dataclass(frozen=True)
class PortraitNews:
    """Kind 31."""

    KIND: ClassVar = 31
    FIELDS: ClassVar = 1
    hash: bytes

    def check(self) -> None:
        """Refuse what is out of bounds."""
        check(type(self.hash) is bytes and len(self.hash) in (0, 32), "hash")


@dataclass(frozen=True)
class PortraitWanted:
    """Kind 32."""

    KIND: ClassVar = 32
    FIELDS: ClassVar = 1
    hash: bytes

    def check(self) -> None:
        """Refuse what is out of bounds."""
        _bytes(self.hash, 32)


@dataclass(frozen=True)
class Portrait:
    """Kind 33."""

    KIND: ClassVar = 33
    FIELDS: ClassVar = 1
    content: bytes

    def check(self) -> None:
        """Refuse what is out of bounds."""
        check(type(self.content) is bytes and 1 <= len(self.content) <= 24576, "content")


Packet = (
    PortraitNews
    | PortraitWanted
    | Portrait
    | Hello
    | Text
    | Delivered
    | Read
    | Seed
    | SeedAck
    | LaneTicket
    | Mailboxes
    | Edit
    | Delete
    | React
    | Typing
    | Timer
    | Offer
    | Wish
    | Addresses
)
Chain = Text | Edit | Delete | React | Timer | Offer
"""The messages, each of which names the one before."""

_KINDS: Final[dict[int, Any]] = {
    kind.KIND: kind
    for kind in (
        Hello, Text, Delivered, Read, Seed, SeedAck, LaneTicket, Mailboxes, Edit, Delete, React, Typing,
        Timer, Offer, Wish, Addresses, PortraitNews, PortraitWanted, Portrait,
    )
}  # fmt: skip


def write_packet(packet: Packet) -> bytes:
    """The content of a PACKET record."""
    packet.check()
    return number(packet.KIND, 1) + msgspec.msgpack.encode(astuple(packet))


def read_packet(content: bytes) -> Packet | None:
    """The packet, or None for an unknown one that is to be ignored."""
    check(0 < len(content) <= PACKET_MAX, "size")
    kind = _KINDS.get(content[0])
    if kind is None:
        check(bool(content[0] & UNKNOWN_IS_IGNORED), "unknown kind")
        return None
    try:
        raw = msgspec.msgpack.decode(content[1:], type=list[msgspec.Raw])
        fields = [msgspec.msgpack.decode(field) for field in raw[: kind.FIELDS]]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused("no MessagePack") from error
    check(len(fields) == kind.FIELDS, "a field is missing")
    packet: Packet = kind(*fields)
    packet.check()
    return packet
