"""Sections 10.2 and 10.8: the envelope, which is all that a relay sees, and what is in a payload."""

from typing import Final

from tests.independent.packets import (
    Delivered,
    Hello,
    Mailboxes,
    Packet,
    Read,
    Text,
    read_packet,
    write_packet,
)
from tests.independent.primitives import Chance, Reader, check, expand, gcm_open, gcm_seal, number

SESSION: Final = 1
FIRST: Final = 2
SIZES: Final = (4096, 16384, 65536, 262144)
NONCE: Final = 12
TAG: Final = 16
HEAD: Final = 4
PACKETS_MAX: Final = 16
IN_PAYLOADS: Final = (Hello, Text, Delivered, Read, Mailboxes)


def write_envelope(queue_key: bytes, kind: int, content: bytes, chance: Chance) -> bytes:
    """The smallest envelope that holds the content."""
    around = NONCE + TAG + HEAD
    fitting = [size for size in SIZES if len(content) + around <= size]
    check(bool(fitting), "too long for an envelope")
    inside = number(kind, 1) + number(len(content), 3) + content
    return seal_inside(queue_key, inside + bytes(fitting[0] - NONCE - TAG - len(inside)), chance)


def seal_inside(queue_key: bytes, inside: bytes, chance: Chance) -> bytes:
    """An envelope around this inside, whatever it is."""
    nonce = chance.random(NONCE)
    return nonce + gcm_seal(expand(queue_key, "envelope"), nonce, inside, b"")


def read_envelope(queue_key: bytes, envelope: bytes) -> tuple[int, bytes]:
    """Kind and content."""
    check(len(envelope) in SIZES, "size of an envelope")
    reader = Reader(gcm_open(expand(queue_key, "envelope"), envelope[:NONCE], envelope[NONCE:], b""))
    kind, content = reader.number(1), reader.take(reader.number(3))
    check(kind in {SESSION, FIRST}, "kind")
    check(not any(reader.rest()), "padding")
    return kind, content


def write_payload(packets: list[Packet]) -> bytes:
    """A payload of these packets."""
    return join([write_packet(packet) for packet in packets])


def join(contents: list[bytes]) -> bytes:
    """A payload of these contents, whatever they are."""
    return b"".join(number(len(content), 3) + content for content in contents)


def read_payload(payload: bytes) -> list[Packet]:
    """The packets that mean something in a payload; unknown ones that are to be ignored are left out."""
    reader, found, count = Reader(payload), list[Packet](), 0
    while reader.left:
        count += 1
        check(count <= PACKETS_MAX, "too many packets")
        packet = read_packet(reader.take(reader.number(3)))
        if packet is not None:
            check(isinstance(packet, IN_PAYLOADS), "not in a payload")
            found.append(packet)
    check(count > 0, "no packet")
    return found
