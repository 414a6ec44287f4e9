"""Application packets: what travels inside PACKET records (SPEC.md section 7).

A packet is one byte of kind and a MessagePack array of its fields in order. Versions
differ by this rule: fields may be added at the end of an array and are ignored by those
who do not know them; an unknown kind is ignored if its top bit is set, refused otherwise.
"""

from typing import Annotated, Final

import msgspec

from messenger.core import deed_limits, limits, offering, relay_limits, transfer_limits, transfers
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.core.ids import MESSAGE_ID_SIZE, Fingerprint
from messenger.protocol.places import PLACE_MAX, Place
from messenger.protocol.portraits import Portrait, PortraitNews, PortraitWanted

IGNORABLE: Final = 0x80
"""Kinds with this bit set may be ignored by those who do not know them."""

_HASH_SIZE: Final = 32
ADDRESS_MAX: Final = 64
"""Characters of an IP address with a port, and room."""

LANE_SECRET_SIZE: Final = 32
"""Secret of a lane's ticket."""

_TIME_MAX: Final = 2**53
"""Largest time in Unix milliseconds that every implementation can hold exactly."""

IdField = Annotated[bytes, msgspec.Meta(min_length=MESSAGE_ID_SIZE, max_length=MESSAGE_ID_SIZE)]
HashField = Annotated[bytes, msgspec.Meta(min_length=_HASH_SIZE, max_length=_HASH_SIZE)]
PublicField = Annotated[
    bytes, msgspec.Meta(min_length=limits.XWING_PUBLIC_SIZE, max_length=limits.XWING_PUBLIC_SIZE)
]
SecretField = Annotated[bytes, msgspec.Meta(min_length=LANE_SECRET_SIZE, max_length=LANE_SECRET_SIZE)]
PlaceField = Annotated[bytes, msgspec.Meta(min_length=1, max_length=PLACE_MAX)]
ReplyField = Annotated[bytes, msgspec.Meta(max_length=MESSAGE_ID_SIZE)]
SeqField = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
TextField = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.TEXT_MAX)]
TimerField = Annotated[int, msgspec.Meta(ge=0, le=deed_limits.TIMER_MAX)]
OrderField = Annotated[int, msgspec.Meta(ge=0, le=limits.ORDER_MAX)]
CountField = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
TimeField = Annotated[int, msgspec.Meta(ge=0, le=_TIME_MAX)]


class Hello(msgspec.Struct, frozen=True, array_like=True):
    """Kind 1. The first packet of each side, and again whenever something in it changes."""

    name: Annotated[str, msgspec.Meta(max_length=limits.NAME_MAX)]
    """The name that the sender gives themselves; clean it before it is shown."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    """Port on which the sender can be reached at the address of this link, or 0."""
    accepted: bool
    """Whether the sender has accepted the receiver; if not, they see a message request."""
    read_seq: CountField
    """The receiver's messages up to this sequence number have been read, or 0."""


class Text(msgspec.Struct, frozen=True, array_like=True):
    """Kind 2. A text message."""

    id: IdField
    seq: SeqField
    """Number of this message among the sender's in this conversation, from 1 without gaps."""
    prev: HashField
    """Hash of the sender's message before this one; zeros for the first."""
    sent_ms: TimeField
    """When it was written, Unix milliseconds by the sender's clock."""
    text: TextField
    order: OrderField
    """Where it stands between the messages of both (a hybrid logical clock in milliseconds); 0 for last."""
    reply: ReplyField
    """Id of the text that it answers, of either person; empty for none."""
    timer: TimerField
    """Seconds after which it disappears at either end, once its time runs there; 0 for never."""

    def __repr__(self) -> str:
        return f"Text({self.seq}, {len(self.text)} characters)"


class Delivered(msgspec.Struct, frozen=True, array_like=True):
    """Kind 3. The messages with these ids are on the sender's disk."""

    ids: Annotated[list[IdField], msgspec.Meta(min_length=1, max_length=limits.RECEIPTS_PER_PACKET)]


class Read(msgspec.Struct, frozen=True, array_like=True):
    """Kind 4. The messages with these ids have been read."""

    ids: Annotated[list[IdField], msgspec.Meta(min_length=1, max_length=limits.RECEIPTS_PER_PACKET)]


class Succession(msgspec.Struct, frozen=True, array_like=True):
    """Kind 5. The sender has had another key; the first packets of a side, if it sends any."""

    statement: Annotated[bytes, msgspec.Meta(min_length=1, max_length=limits.SUCCESSION_MAX)]
    """The wire form of `messenger.crypto.succession.Succession`."""


class SuccessionSeen(msgspec.Struct, frozen=True, array_like=True):
    """Kind 6. The sender knows the receiver by the key of this link, and need not be told again."""

    serial: Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)]
    """Of the last statement that they were told."""


class Seed(msgspec.Struct, frozen=True, array_like=True):
    """Kind 7. One half of what a new sealed session is made of; at most one of each side in a link."""

    public: PublicField
    """Fresh X-Wing key of the sender; see `messenger.protocol.ratchet.seeded`."""
    rank: Annotated[int, msgspec.Meta(ge=0, le=limits.SESSION_RANK_MAX)]
    """The session gets the greater rank of both sides."""

    def __repr__(self) -> str:
        return f"Seed({self.rank})"


class SeedAck(msgspec.Struct, frozen=True, array_like=True):
    """Kind 8. The sender has stored the session of this link, so it may be sealed in."""


class LaneTicket(msgspec.Struct, frozen=True, array_like=True):
    """Kind 9. The right to open one lane, once, within 60 s of being made."""

    id: IdField
    """Random; other packets name the lane by it."""
    secret: SecretField
    """Random; see `messenger.protocol.lane.ticket_key`."""
    by_initiator: bool
    """Whether the initiator of this link opens the lane's stream, or the responder."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    """Where the sender listens for it, if it does not open the stream; 0 for the port of its Hello."""

    def __repr__(self) -> str:
        return f"LaneTicket({self.id.hex()})"


class Mailboxes(msgspec.Struct, frozen=True, array_like=True):
    """Kind 10. Where the sender can be written to from now on; it takes the place of the one before."""

    places: Annotated[list[PlaceField], msgspec.Meta(max_length=relay_limits.PLACES_MAX)]
    """Encoded `messenger.protocol.places.Place`, the best first, each at another relay."""

    def relays(self) -> list[Fingerprint]:
        """Whose relays they are at.

        Raises:
            RemoteProtocolError: One is not a place.
        """
        return [Place.decode(place).relay for place in self.places]

    def __repr__(self) -> str:
        return f"Mailboxes({len(self.places)} places)"


class Addresses(msgspec.Struct, frozen=True, array_like=True):
    """Kind 30. Where the sender can be called without a relay; only on a link through one."""

    addresses: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=ADDRESS_MAX)]],
        msgspec.Meta(max_length=limits.INVITE_ADDRESSES_MAX),
    ]
    """IP addresses with ports, in the form of an invite's."""

    def __repr__(self) -> str:
        return f"Addresses({len(self.addresses)})"


class Edit(msgspec.Struct, frozen=True, array_like=True):
    """Kind 11. Another text in place of that of a text of the sender's."""

    id: IdField
    seq: SeqField
    prev: HashField
    sent_ms: TimeField
    target: IdField
    """Which text."""
    text: TextField
    order: OrderField
    """As of a text; of two edits of one text the one with the greater order, then id, holds."""

    def __repr__(self) -> str:
        return f"Edit({self.seq}, {len(self.text)} characters)"


class Delete(msgspec.Struct, frozen=True, array_like=True):
    """Kind 12. A text of the sender's is to be gone at both ends, for good."""

    id: IdField
    seq: SeqField
    prev: HashField
    sent_ms: TimeField
    target: IdField
    order: OrderField

    def __repr__(self) -> str:
        return f"Delete({self.seq})"


class React(msgspec.Struct, frozen=True, array_like=True):
    """Kind 13. What the sender feels about a text of either person, in place of what they said before."""

    id: IdField
    seq: SeqField
    prev: HashField
    sent_ms: TimeField
    target: IdField
    emoji: Annotated[str, msgspec.Meta(max_length=deed_limits.EMOJI_MAX)]
    """Whatever the sender calls one; clean it before it is shown. Empty for nothing any more."""
    order: OrderField

    def __repr__(self) -> str:
        return f"React({self.seq})"


class Timer(msgspec.Struct, frozen=True, array_like=True):
    """Kind 15. From now on texts of both disappear after a time; the newest of both people's holds."""

    id: IdField
    seq: SeqField
    prev: HashField
    sent_ms: TimeField
    timer: TimerField
    """Seconds; 0 for never."""
    order: OrderField

    def __repr__(self) -> str:
        return f"Timer({self.seq}, {self.timer} s)"


class Typing(msgspec.Struct, frozen=True, array_like=True):
    """Kind 14. The sender is writing a text just now; good for some seconds."""


class Offer(msgspec.Struct, frozen=True, array_like=True):
    """Kind 16. Files that the receiver may have; good until one of both ends it."""

    id: IdField
    """Also of the transfer."""
    seq: SeqField
    prev: HashField
    sent_ms: TimeField
    body: Annotated[bytes, msgspec.Meta(min_length=1, max_length=transfer_limits.OFFER_MAX)]
    """The encoded `messenger.core.offering.Offering`."""
    order: OrderField
    timer: TimerField
    """As of a text; files that were received stay."""

    def __repr__(self) -> str:
        return f"Offer({self.seq}, {len(self.body)} bytes)"


class Wish(msgspec.Struct, frozen=True, array_like=True):
    """Kind 17. What its sender wants of a transfer; the newest counts, and it is told on every link anew."""

    id: IdField
    """Of the transfer."""
    own: bool
    """Whether the sender of this packet has offered it."""
    wish: Annotated[int, msgspec.Meta(ge=1, le=7)]
    """A `messenger.core.transfers.Wish`."""
    reason: Annotated[int, msgspec.Meta(ge=0, le=255)]
    """A `messenger.core.transfers.Trouble`; unknown ones mean OTHER."""
    count: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
    """Rises with every change of the wish."""
    heard: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
    """The greatest count of the receiver's wishes that the sender knows."""
    proof: Annotated[bytes, msgspec.Meta(max_length=offering.ROOT_SIZE)]
    """Of DONE: the hash over all content. Empty for the others."""
    busy: bool
    """As many lanes as its sender allows are running; it says so again when there is room."""

    def __repr__(self) -> str:
        return f"Wish({self.wish}, {self.count})"


Packet = (
    Hello
    | Text
    | Delivered
    | Read
    | Succession
    | SuccessionSeen
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
    | PortraitNews
    | PortraitWanted
    | Portrait
)

ChainedPacket = Text | Edit | Delete | React | Timer | Offer
"""Those that count, name the one before, and are acknowledged."""

_KINDS: Final[dict[int, type[Packet]]] = {
    1: Hello,
    2: Text,
    3: Delivered,
    4: Read,
    5: Succession,
    6: SuccessionSeen,
    7: Seed,
    8: SeedAck,
    9: LaneTicket,
    10: Mailboxes,
    11: Edit,
    12: Delete,
    13: React,
    14: Typing,
    15: Timer,
    16: Offer,
    17: Wish,
    30: Addresses,
    31: PortraitNews,
    32: PortraitWanted,
    33: Portrait,
}
_NUMBERS: Final = {kind: number for number, kind in _KINDS.items()}
_DECODERS: Final = {number: msgspec.msgpack.Decoder(kind) for number, kind in _KINDS.items()}
_ENCODER: Final = msgspec.msgpack.Encoder()


def encode(packet: Packet) -> bytes:
    """The content of a PACKET record.

    Raises:
        LocalProtocolError: It is longer than `limits.PACKET_MAX`.
    """
    data = bytes((_NUMBERS[type(packet)],)) + _ENCODER.encode(packet)
    if len(data) > limits.PACKET_MAX:
        raise LocalProtocolError("packet too long")
    return data


def decode(data: bytes) -> Packet | None:
    """Read what `encode` wrote.

    Returns:
        The packet, or None for an unknown kind that may be ignored.

    Raises:
        RemoteProtocolError: The kind is unknown and not ignorable, or a field is missing,
            of the wrong type or outside its bounds.
    """
    if not data or len(data) > limits.PACKET_MAX:
        raise RemoteProtocolError("empty or too long packet")
    decoder = _DECODERS.get(data[0])
    if decoder is None:
        if data[0] & IGNORABLE:
            return None
        raise RemoteProtocolError("unknown packet")
    try:
        packet: Packet = decoder.decode(memoryview(data)[1:])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise RemoteProtocolError("malformed packet") from e
    _check_content(packet)
    if isinstance(packet, PortraitNews) and len(packet.hash) not in (0, _HASH_SIZE):
        raise RemoteProtocolError("news of no picture")
    if isinstance(packet, Mailboxes) and len(set(packet.relays())) < len(packet.places):
        raise RemoteProtocolError("two places at one relay")
    return packet


def _check_content(packet: Packet) -> None:
    """Refuse what types cannot: lengths in bytes of UTF-8, too short a timer, what must fit together."""
    match packet:
        case Text(text=text) | Edit(text=text):
            if len(text.encode()) > limits.TEXT_MAX:
                raise RemoteProtocolError("text too long")
        case React(emoji=emoji):
            if len(emoji.encode()) > deed_limits.EMOJI_MAX:
                raise RemoteProtocolError("reaction too long")
        case Offer(body=body):
            offering.decode(body)
        case Wish(proof=proof, wish=wish):
            if len(proof) != (offering.ROOT_SIZE if wish == transfers.Wish.DONE else 0):
                raise RemoteProtocolError("a proof of nothing, or none of what is done")
            if packet.own and wish not in transfers.OF_SENDER:
                raise RemoteProtocolError("a wish that is not the sender's")
    if isinstance(packet, Text) and len(packet.reply) not in (0, MESSAGE_ID_SIZE):
        raise RemoteProtocolError("a reply to no id")
    if isinstance(packet, Text | Timer | Offer) and 0 < packet.timer < deed_limits.TIMER_MIN:
        raise RemoteProtocolError("timer too short")
