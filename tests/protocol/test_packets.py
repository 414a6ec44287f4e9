"""Application packets: bounds, versions, and nothing but one error."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import deed_limits, file_limits, limits, offering, relay_limits, transfer_limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.core.offering import Offering
from messenger.core.portraits import PORTRAIT_MAX
from messenger.crypto.hkdf import expand, extract
from messenger.protocol import packets
from messenger.protocol.handshake import Role
from messenger.protocol.lane import ticket_key
from messenger.protocol.packets import (
    Delete,
    Delivered,
    Edit,
    Hello,
    LaneTicket,
    Mailboxes,
    Offer,
    Packet,
    React,
    Read,
    Seed,
    SeedAck,
    Succession,
    SuccessionSeen,
    Text,
    Timer,
    Typing,
    Wish,
    decode,
    encode,
)
from messenger.protocol.places import PLACE_MAX
from messenger.protocol.portraits import Portrait, PortraitNews, PortraitWanted
from tests.protocol.strategies import packets as any_packet
from tests.protocol.strategies import plainly

ID, HASH, PUBLIC = bytes(16), bytes(32), bytes(limits.XWING_PUBLIC_SIZE)
PLACE = bytes(120) + b"\0\x0b192.0.2.7:1"
OTHER_PLACE = b"other relay".ljust(120, b"-") + b"\0\x0b192.0.2.7:1"
LONG_PLACE = bytes(119) + b"\x01\x03" + (b"b" * 63 + b".") * 3 + b"a" * 61 + b":65535"
"""All of the longest place but its first byte."""

OFFERED = Offering(names=("a",), tops=1, files=1, folders=0, size=9, root=HASH, manifest=9, media=0)
OFFER = offering.encode(OFFERED)

GOOD: dict[int, list[Any]] = {
    1: ["Alice", 42000, True, 7],
    2: [ID, 1, HASH, 1_700_000_000_000, "hello", 1_700_000_000_001, ID, 60],
    3: [[ID]],
    4: [[ID, ID]],
    5: [b"a statement"],
    6: [1],
    7: [PUBLIC, 2**53],
    8: [],
    9: [ID, HASH, True, 0],
    10: [[PLACE, OTHER_PLACE]],
    11: [ID, 2, HASH, 1_700_000_000_000, bytes(16), "hello!", 1_700_000_000_001],
    12: [ID, 3, HASH, 1_700_000_000_000, bytes(16), 1_700_000_000_001],
    13: [ID, 4, HASH, 1_700_000_000_000, bytes(16), "👍", 1_700_000_000_001],
    14: [],
    15: [ID, 5, HASH, 1_700_000_000_000, 3600, 5],
    16: [ID, 5, HASH, 1_700_000_000_000, OFFER, 1_700_000_000_001, 60],
    17: [ID, True, 3, 1, 2, 3, b"", True],
    30: [["192.0.2.1:42000", "[2001:db8::1]:42000"]],
    31: [HASH],
    32: [HASH],
    33: [b"a picture"],
}
"""The fields of a packet of each kind."""


def packed(kind: int, fields: object) -> bytes:
    return bytes((kind,)) + msgspec.msgpack.encode(fields)


def refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(data)


@plainly
@given(any_packet)
def test_what_was_written_is_read(packet: Packet) -> None:
    data = encode(packet)
    assert decode(data) == packet
    assert len(data) <= limits.PACKET_MAX


@plainly
@given(st.binary(max_size=400))
def test_garbage_is_one_error(data: bytes) -> None:
    for candidate in (data, *(bytes((kind,)) + data for kind in GOOD)):
        try:
            packet = decode(candidate)
        except RemoteProtocolError:
            continue
        assert packet is None or decode(encode(packet)) == packet


@pytest.mark.parametrize("kind", GOOD)
def test_fields_in_order(kind: int) -> None:
    packet = decode(packed(kind, GOOD[kind]))
    assert packet is not None
    assert list(msgspec.structs.astuple(packet)) == GOOD[kind]
    assert encode(packet) == packed(kind, GOOD[kind])


@pytest.mark.parametrize("kind", GOOD)
def test_fields_of_a_later_version_are_ignored(kind: int) -> None:
    later = [*GOOD[kind], {"some": ["thing", {"new": 1}]}, None]
    assert decode(packed(kind, later)) == decode(packed(kind, GOOD[kind]))


@pytest.mark.parametrize("kind", GOOD)
def test_a_missing_field_or_something_else_altogether(kind: int) -> None:
    fields = GOOD[kind]
    for end in range(len(fields)):
        refused(packed(kind, fields[:end]))
    for other in ({"fields": fields}, None, 5, "text", b"bytes"):
        refused(packed(kind, other))
    refused(packed(kind, fields) + b"\0")
    refused(packed(kind, fields)[:-1])


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (1, 0, "x" * (limits.NAME_MAX + 1)),
        (30, 0, ["x" * 65]),
        (30, 0, [""]),
        (30, 0, ["192.0.2.1:1"] * (limits.INVITE_ADDRESSES_MAX + 1)),
        (1, 0, b"bytes"),
        (1, 1, -1),
        (1, 1, 65536),
        (1, 2, 1),
        (1, 3, -1),
        (1, 3, 2**63),
        (1, 3, 1.0),
        (2, 0, bytes(15)),
        (2, 0, bytes(17)),
        (2, 0, "x" * 16),
        (2, 1, 0),
        (2, 1, 2**63),
        (2, 1, True),
        (2, 2, bytes(31)),
        (2, 3, -1),
        (2, 3, 2**53 + 1),
        (2, 3, "1"),
        (2, 4, ""),
        (2, 4, None),
        (2, 4, "x" * (limits.TEXT_MAX + 1)),
        (2, 4, "ä" * (limits.TEXT_MAX // 2 + 1)),
        (2, 5, -1),
        (2, 5, 2**42),
        (2, 6, bytes(1)),
        (2, 6, bytes(15)),
        (2, 6, bytes(17)),
        (2, 6, None),
        (2, 6, "x" * 16),
        *(
            (kind, field, wrong)
            for kind, field in ((2, 7), (15, 4))
            for wrong in (-1, 1, 4, 2419201, 5.0, True, None)
        ),
        (15, 0, bytes(15)),
        (15, 1, 0),
        (15, 2, bytes(31)),
        (15, 3, 2**53 + 1),
        (15, 5, 2**42),
        *((kind, 0, bytes(15)) for kind in (11, 12, 13)),
        *((kind, 1, 0) for kind in (11, 12, 13)),
        *((kind, 2, bytes(31)) for kind in (11, 12, 13)),
        *((kind, 3, 2**53 + 1) for kind in (11, 12, 13)),
        *((kind, 4, wrong) for kind in (11, 12, 13) for wrong in (b"", bytes(15), bytes(17), None)),
        *((kind, 6, wrong) for kind in (11, 13) for wrong in (-1, 2**42, 1.0)),
        (11, 5, ""),
        (11, 5, "x" * (limits.TEXT_MAX + 1)),
        (11, 5, "ä" * (limits.TEXT_MAX // 2 + 1)),
        (12, 5, -1),
        (12, 5, 2**42),
        (13, 5, "x" * 33),
        (13, 5, "👍" * 9),
        (13, 5, b"x"),
        (3, 0, []),
        (3, 0, [bytes(15)]),
        (3, 0, [ID] * (limits.RECEIPTS_PER_PACKET + 1)),
        (4, 0, []),
        (4, 0, [ID, "x" * 16]),
        (4, 0, ID),
        (5, 0, b""),
        (5, 0, "text"),
        (5, 0, bytes(limits.SUCCESSION_MAX + 1)),
        (6, 0, 0),
        (6, 0, 2**32),
        (6, 0, "1"),
        (7, 0, PUBLIC[:-1]),
        (7, 0, PUBLIC + b"\0"),
        (7, 0, "x" * limits.XWING_PUBLIC_SIZE),
        (7, 1, -1),
        (7, 1, limits.SESSION_RANK_MAX + 1),
        (7, 1, 1.0),
        (9, 0, bytes(15)),
        (9, 1, bytes(31)),
        (9, 1, bytes(33)),
        (9, 2, 1),
        (9, 2, "I"),
        (9, 3, -1),
        (9, 3, 65536),
        (10, 0, [b""]),
        (10, 0, ["text"]),
        (10, 0, [bytes(PLACE_MAX + 1)]),
        (10, 0, [bytes((relay,)) + PLACE[1:] for relay in range(relay_limits.PLACES_MAX + 1)]),
        (10, 0, [PLACE, PLACE]),
        (10, 0, [PLACE, OTHER_PLACE[:-1]]),
        (10, 0, PLACE),
        (16, 0, b"x" * 15),
        (16, 1, 0),
        (16, 2, bytes(31)),
        (16, 3, -1),
        (16, 4, b""),
        (16, 4, OFFER[:-1]),
        (16, 4, OFFER.replace(b"\x09", b"\xcf" + (10**18).to_bytes(8, "big"), 1)),
        (16, 4, bytes(transfer_limits.OFFER_MAX + 1)),
        (16, 5, limits.ORDER_MAX + 1),
        (17, 0, b""),
        (17, 1, 1),
        (17, 2, 0),
        (17, 2, 8),
        (17, 2, 1),
        (17, 2, 5),
        (17, 2, 7),
        (17, 3, 256),
        (17, 4, 2**32),
        (17, 5, -1),
        (17, 6, HASH),
        (17, 6, b"x"),
        (17, 7, None),
        (31, 0, b"x"),
        (31, 0, bytes(33)),
        (32, 0, b""),
        (33, 0, b""),
        (33, 0, bytes(PORTRAIT_MAX + 1)),
    ],
)
def test_out_of_bounds(kind: int, field: int, value: object) -> None:
    fields = list(GOOD[kind])
    fields[field] = value
    refused(packed(kind, fields))


LARGEST = Offering(
    names=("\U0001f600" * transfer_limits.NAME_CHARS_MAX,) * transfer_limits.NAMES_MAX,
    tops=file_limits.ENTRIES_MAX,
    files=file_limits.ENTRIES_MAX,
    folders=0,
    size=2**53,
    root=HASH,
    manifest=file_limits.MANIFEST_MAX,
    media=255,
    thumbnail=bytes(transfer_limits.THUMBNAIL_MAX),
)


def test_the_largest_of_each() -> None:
    for packet in (
        Hello("x" * limits.NAME_MAX, 65535, accepted=False, read_seq=2**63 - 1),
        Text(ID, 2**63 - 1, HASH, 2**53, "ä" * (limits.TEXT_MAX // 2), 0, b"", 0),
        Delivered([ID] * limits.RECEIPTS_PER_PACKET),
        Read([ID] * limits.RECEIPTS_PER_PACKET),
        Succession(bytes(limits.SUCCESSION_MAX)),
        SuccessionSeen(2**32 - 1),
        Seed(PUBLIC, limits.SESSION_RANK_MAX),
        SeedAck(),
        LaneTicket(ID, HASH, by_initiator=False, port=65535),
        Mailboxes([bytes((relay,)) + LONG_PLACE for relay in range(relay_limits.PLACES_MAX)]),
        Mailboxes([]),
        Edit(ID, 2**63 - 1, HASH, 2**53, ID, "ä" * (limits.TEXT_MAX // 2), limits.ORDER_MAX),
        Delete(ID, 2**63 - 1, HASH, 2**53, ID, limits.ORDER_MAX),
        React(ID, 2**63 - 1, HASH, 2**53, ID, "👍" * (deed_limits.EMOJI_MAX // 4), limits.ORDER_MAX),
        React(ID, 1, HASH, 0, ID, "", 0),
        Typing(),
        Timer(ID, 2**63 - 1, HASH, 2**53, deed_limits.TIMER_MAX, limits.ORDER_MAX),
        Timer(ID, 1, HASH, 0, deed_limits.TIMER_MIN, 0),
        Text(ID, 1, HASH, 0, "x", 0, b"", deed_limits.TIMER_MAX),
        Offer(ID, 2**63 - 1, HASH, 2**53, offering.encode(LARGEST), limits.ORDER_MAX, deed_limits.TIMER_MAX),
        Wish(ID, own=False, wish=7, reason=255, count=2**32 - 1, heard=2**32 - 1, proof=HASH, busy=True),
        PortraitNews(b""),
        PortraitNews(HASH),
        PortraitWanted(HASH),
        Portrait(bytes(PORTRAIT_MAX)),
    ):
        assert decode(encode(packet)) == packet


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80"])
def test_text_that_is_not_utf8(text: bytes) -> None:
    good = packed(2, [*GOOD[2][:4], "x" * len(text), *GOOD[2][5:]])
    assert decode(good) is not None
    refused(good.replace(b"x" * len(text), text))


@pytest.mark.parametrize("kind", [0, 64, 127])
def test_an_unknown_kind_is_refused(kind: int) -> None:
    refused(packed(kind, []))


@pytest.mark.parametrize("kind", [0x80, 0x84, 0xFF])
def test_an_ignorable_kind_is_ignored_whatever_is_in_it(kind: int) -> None:
    assert decode(packed(kind, [])) is None
    assert decode(bytes((kind,)) + b"\xc1 not even MessagePack") is None


def test_empty_or_too_long() -> None:
    refused(b"")
    refused(packed(3, [[ID], bytes(limits.PACKET_MAX)]))
    refused(b"\xff" + bytes(limits.PACKET_MAX))


def test_we_do_not_send_what_nobody_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PACKET_MAX", 100)
    with pytest.raises(LocalProtocolError):
        encode(Text(ID, 1, HASH, 0, "x" * 100, 0, b"", 0))


def test_every_kind_has_a_number_of_its_own() -> None:
    numbers = packets._NUMBERS
    assert len(set(numbers.values())) == len(numbers)
    assert set(numbers.values()) == set(GOOD), "every kind is tested here"
    assert all(0 < number < packets.IGNORABLE for number in numbers.values())


def test_a_text_does_not_show_its_words() -> None:
    assert repr(Text(ID, 3, HASH, 0, "meet me at nine", 0, b"", 0)) == "Text(3, 15 characters)"
    assert repr(Timer(ID, 3, HASH, 0, 60, 0)) == "Timer(3, 60 s)"
    assert repr(Edit(ID, 3, HASH, 0, ID, "meet me at ten", 0)) == "Edit(3, 14 characters)"
    assert repr(React(ID, 3, HASH, 0, ID, "👍", 0)) == "React(3)"
    assert repr(Delete(ID, 3, HASH, 0, ID, 0)) == "Delete(3)"


def test_a_ticket_and_places_do_not_show_their_secrets() -> None:
    ticket = LaneTicket(ID, b"s" * 32, by_initiator=True, port=0)
    assert repr(ticket) == f"LaneTicket({ID.hex()})"
    assert repr(Mailboxes([b"a place with keys"])) == "Mailboxes(1 places)"
    assert repr(Portrait(b"a face")) == "Portrait(6 bytes)"
    assert repr(Seed(PUBLIC, 7)) == "Seed(7)"


def test_a_ticket_becomes_one_key_at_both_ends() -> None:
    """What `lane` makes of the packet does not depend on the side that sent it."""
    packet = decode(encode(LaneTicket(ID, b"s" * 32, by_initiator=False, port=5)))
    assert isinstance(packet, LaneTicket)
    people = Fingerprint(bytes(32)), Fingerprint(b"r" * 32)
    keys = {role: ticket_key(HASH, packet.secret, packet.id, *people, role) for role in Role}
    assert len(set(keys.values())) == 2
    opener = Role.INITIATOR if packet.by_initiator else Role.RESPONDER
    assert keys[opener] == expand(extract(HASH, b"s" * 32), "lane", ID + bytes(32) + b"r" * 32 + b"R", 32)
