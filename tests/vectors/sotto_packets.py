"""Vectors of SPEC.md section 7: packets."""

from dataclasses import fields, replace

import msgspec

from tests.independent.packets import (
    Delete,
    Delivered,
    Edit,
    Hello,
    LaneTicket,
    Mailboxes,
    Offer,
    Packet,
    Portrait,
    PortraitNews,
    PortraitWanted,
    React,
    Read,
    Seed,
    SeedAck,
    Text,
    Timer,
    Typing,
    write_packet,
)
from tests.independent.primitives import xwing_public
from tests.independent.relays import Place
from tests.vectors import sotto_files
from tests.vectors.dice import drawn
from tests.vectors.sotto_people import FAR, Json, a_place


def _refused_actions(ids: list[bytes]) -> dict[str, bytes]:
    """Contents that are no edit, deletion, reaction or typing, by what is wrong."""
    pack = msgspec.msgpack.encode
    return {
        "an edit of nothing": b"\x0b" + pack([ids[0], 1, bytes(32), 0, b"", "x", 0]),
        "an edit to no text": b"\x0b" + pack([ids[0], 1, bytes(32), 0, ids[1], "", 0]),
        "an edit to 65537 bytes": b"\x0b" + pack([ids[0], 1, bytes(32), 0, ids[1], "é" * 32768 + "x", 0]),
        "an edit with seq 0": b"\x0b" + pack([ids[0], 0, bytes(32), 0, ids[1], "x", 0]),
        "a deletion of 17 bytes": b"\x0c" + pack([ids[0], 1, bytes(32), 0, bytes(17), 0]),
        "a deletion with order 2^42": b"\x0c" + pack([ids[0], 1, bytes(32), 0, ids[1], 2**42]),
        "a reaction of 33 bytes": b"\x0d" + pack([ids[0], 1, bytes(32), 0, ids[1], "é" * 16 + "x", 0]),
        "a reaction without order": b"\x0d" + pack([ids[0], 1, bytes(32), 0, ids[1], "x"]),
        "typing without an array": b"\x0e",
    }


def _refused_timers(ids: list[bytes]) -> dict[str, bytes]:
    """Contents that are no Text or Timer, because of the timer."""
    pack, refused = msgspec.msgpack.encode, dict[str, bytes]()
    for wrong in (-1, 1, 4, 2419201, 5.0, True, None, "60"):
        text, timer = [ids[0], 1, bytes(32), 0, "x", 0, b"", wrong], [ids[0], 1, bytes(32), 0, wrong, 0]
        refused[f"a text with timer {wrong!r}"] = b"\x02" + pack(text)
        refused[f"timer {wrong!r}"] = b"\x0f" + pack(timer)
    return refused | {"a timer without order": b"\x0f" + pack([ids[0], 1, bytes(32), 0, 60])}


def _refused_portraits() -> dict[str, bytes]:
    """Contents that are no picture of somebody, nor speak of one."""
    pack = msgspec.msgpack.encode
    return {
        "news of 31 bytes": b"\x1f" + pack([bytes(31)]),
        "news of nothing": b"\x1f" + pack([None]),
        "an empty hash is wanted": b"\x20" + pack([b""]),
        "an empty picture": b"\x21" + pack([b""]),
        "a picture of 24577 bytes": b"\x21" + pack([bytes(24577)]),
    }


def _refused_packets(ids: list[bytes], pk: bytes, place: Place) -> dict[str, bytes]:
    """Contents that are no packet, by what is wrong."""
    pack = msgspec.msgpack.encode
    return {
        "an unknown kind": b"\x7f" + pack([]),
        "kind 0": b"\x00" + pack([]),
        "no byte": b"",
        "kind only": b"\x01",
        "a field is missing": b"\x01" + pack(["Alice", 42000, True]),
        "a map": b"\x03" + pack({"ids": ids}),
        "a byte left over": b"\x03" + pack([ids]) + b"\0",
        "name of 65 characters": b"\x01" + pack(["e" * 65, 1, True, 0]),
        "port 65536": b"\x01" + pack(["e", 65536, True, 0]),
        "port -1": b"\x01" + pack(["e", -1, True, 0]),
        "port is a bool": b"\x01" + pack(["e", True, True, 0]),
        "port is a float": b"\x01" + pack(["e", 1.0, True, 0]),
        "accepted is a number": b"\x01" + pack(["e", 1, 1, 0]),
        "read_seq 2^63": b"\x01" + pack(["e", 1, True, 2**63]),
        "name is bin": b"\x01" + pack([b"e", 1, True, 0]),
        "name is no UTF-8": b"\x01\x94\xa1\xff\x01\xc3\x00",
        "id of 15 bytes": b"\x02" + pack([bytes(15), 1, bytes(32), 0, "x", 0, b"", 0]),
        "id is a string": b"\x02" + pack(["x" * 16, 1, bytes(32), 0, "x", 0, b"", 0]),
        "seq 0": b"\x02" + pack([ids[0], 0, bytes(32), 0, "x", 0, b"", 0]),
        "prev of 31 bytes": b"\x02" + pack([ids[0], 1, bytes(31), 0, "x", 0, b"", 0]),
        "sent_ms 2^53 + 1": b"\x02" + pack([ids[0], 1, bytes(32), 2**53 + 1, "x", 0, b"", 0]),
        "order 2^42": b"\x02" + pack([ids[0], 1, bytes(32), 0, "x", 2**42, b"", 0]),
        "no text": b"\x02" + pack([ids[0], 1, bytes(32), 0, "", 0, b"", 0]),
        "a text without reply": b"\x02" + pack([ids[0], 1, bytes(32), 0, "x", 0]),
        "a reply to 15 bytes": b"\x02" + pack([ids[0], 1, bytes(32), 0, "x", 0, bytes(15), 0]),
        "a text without timer": b"\x02" + pack([ids[0], 1, bytes(32), 0, "x", 0, b""]),
        **_refused_timers(ids),
        "a reply to 17 bytes": b"\x02" + pack([ids[0], 1, bytes(32), 0, "x", 0, bytes(17), 0]),
        **_refused_actions(ids),
        "no id": b"\x03" + pack([[]]),
        "513 ids": b"\x04" + pack([[bytes(16)] * 513]),
        "nil among the ids": b"\x04" + pack([[ids[0], None]]),
        "pk of 1215 bytes": b"\x07" + pack([pk[:-1], 0]),
        "pk of 1217 bytes": b"\x07" + pack([pk + b"\0", 0]),
        "no rank": b"\x07" + pack([pk]),
        "rank 2^53 + 1": b"\x07" + pack([pk, 2**53 + 1]),
        "rank -1": b"\x07" + pack([pk, -1]),
        "a SeedAck without an array": b"\x08",
        "a SeedAck that is a map": b"\x08\x80",
        "ticket id of 15 bytes": b"\x09" + pack([bytes(15), bytes(32), True, 0]),
        "ticket secret of 33 bytes": b"\x09" + pack([bytes(16), bytes(33), True, 0]),
        "by_initiator is a number": b"\x09" + pack([bytes(16), bytes(32), 1, 0]),
        "ticket port 65536": b"\x09" + pack([bytes(16), bytes(32), True, 65536]),
        "a ticket without port": b"\x09" + pack([bytes(16), bytes(32), True]),
        "5 places": b"\x0a" + pack([[replace(place, relay=drawn(f"relay {n}")).write() for n in range(5)]]),
        "an empty place": b"\x0a" + pack([[b""]]),
        "a place of 382 bytes": b"\x0a" + pack([[bytes(382)]]),
        "two places at one relay": b"\x0a" + pack([[place.write()] * 2]),
        "a place a byte short": b"\x0a" + pack([[place.write()[:-1]]]),
        "a place that is text": b"\x0a" + pack([["place"]]),
        **_refused_portraits(),
        **sotto_files.refused_packets(),
    }


def _chain(about: bytes, last: Text) -> list[Text | Edit | Delete | React | Timer | Offer]:
    """What follows a text: a reply, edits, reactions, a deletion, timers, and offers."""
    ids = [drawn(f"id in the chain {count}", 16) for count in range(11)]
    at = 1_800_000_001_000
    reply = Text(ids[0], 3, last.hash(), at, "yes", 0, about, 5)
    edit = Edit(ids[1], 4, reply.hash(), at + 1, about, "Hallo", 1)
    react = React(ids[2], 5, edit.hash(), at + 2, about, "👩‍👩‍👧‍👦", at)
    undo = React(ids[3], 6, react.hash(), 0, about, "", at + 1)
    delete = Delete(ids[4], 7, undo.hash(), 2**53, about, 2**42 - 1)
    timer = Timer(ids[6], 8, delete.hash(), at + 3, 2419200, 2**42 - 1)
    timed = Text(ids[7], 9, timer.hash(), at + 4, "gone soon", at + 4, b"", 2419200)
    off = Timer(ids[8], 10, timed.hash(), at + 5, 0, at + 5)
    offers = sotto_files.offers(ids[9:], 11, off.hash(), at + 6)
    last_of_all = Edit(ids[5], 2**63 - 1, offers[1].hash(), 0, ids[0], "é" * 200, 0)
    return [reply, edit, react, undo, delete, timer, timed, off, *offers, last_of_all]


def packets() -> Json:
    """Section 7."""
    ids = [drawn(f"id {count}", 16) for count in range(3)]
    first = Text(ids[0], 1, bytes(32), 1_800_000_000_123, "Hello", 1_800_000_000_124, b"", 0)
    second = Text(ids[1], 2, first.hash(), 2**53, "ünï\n🦉", 2**42 - 1, b"", 0)
    chain = _chain(ids[0], second)
    pk = xwing_public(drawn("key of a Seed"))
    place = a_place()
    good: list[Packet] = [
        Hello("Alice", 42000, True, 0),  # noqa: FBT003
        Hello("", 0, False, 2**63 - 1),  # noqa: FBT003
        Hello("é" * 64, 65535, True, 70000),  # noqa: FBT003
        first,
        second,
        *chain,
        Typing(),
        Seed(pk, 0),
        Seed(pk, 2**53),
        SeedAck(),
        LaneTicket(ids[2], drawn("secret of a ticket"), True, 0),  # noqa: FBT003
        LaneTicket(ids[2], drawn("secret of a ticket"), False, 65535),  # noqa: FBT003
        Mailboxes([]),
        Mailboxes([place.write(), replace(place, relay=drawn("a far relay"), address=FAR).write()]),
        PortraitNews(drawn("a picture")),
        PortraitNews(b""),
        PortraitWanted(drawn("a picture")),
        Portrait(drawn("pixels", 60)),
        Delivered(ids),
        Read(ids[:1]),
        *sotto_files.good_packets(),
    ]
    pack = msgspec.msgpack.encode
    extra = b"\x03" + pack([[ids[0]], "a later field", {"a": 1}])
    wide = b"\x91\x91\xc5\x00\x10" + ids[0]
    return {
        "good": [
            {
                "kind": packet.KIND,
                "fields": [getattr(packet, field.name) for field in fields(packet)],
                "content": write_packet(packet),
            }
            for packet in good
        ],
        "read like a Delivered with the first id": [extra, (b"\x03" + wide)],
        "ignored": [b"\x80", b"\xff\x00", b"\xc1\xc1"],
        "hashes of a chain": [
            {"content": write_packet(each), "hash": each.hash()} for each in (first, second, *chain)
        ],
        "refused": [
            {"why": why, "content": content} for why, content in _refused_packets(ids, pk, place).items()
        ],
    }
