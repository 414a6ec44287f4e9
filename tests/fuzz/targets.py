"""What is fuzzed: one function for each parser, which fails if the parser does anything but its duty.

A parser may take an input or refuse it with the one error of its module. It must not keep more
than its bound, must not answer after it has refused, and what it takes must come out the same
when it is written and read again. Behind a cipher a target seals what the fuzzer made, with the
keys that a malicious peer would have, so that the fuzzer gets past the tag.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from messenger.core import limits
from messenger.core.address import parse_address
from messenger.core.errors import AddressError, CryptoError, RemoteProtocolError, SottoError
from messenger.core.ids import format_fingerprint, parse_fingerprint
from messenger.crypto.hkdf import digest, vec
from messenger.crypto.identity import Bundle, KexCert
from messenger.crypto.succession import Succession
from messenger.protocol import packets
from messenger.protocol.invite import PREFIX, Invite, read_invite, write_invite
from messenger.protocol.messages import (
    M1,
    M2,
    M3,
    M4,
    Caps,
    Retry,
    decode_identity,
    decode_signed_identity,
    encode_identity,
)
from messenger.protocol.packets import (
    Delete,
    Delivered,
    Edit,
    Hello,
    LaneTicket,
    Mailboxes,
    React,
    Text,
    Timer,
)
from messenger.protocol.pasted import _encoded
from tests.fuzz import files, relays, sealed, streams
from tests.helpers.keys import identity
from tests.helpers.links import NOW, bundle

S = TypeVar("S")
T = TypeVar("T")
Seeds = dict[str, bytes]


@dataclass(frozen=True)
class Target:
    """One thing to fuzz.

    Attributes:
        run: Takes an input; anything that it raises is a finding.
        seeds: Inputs to begin with, by name.
        longest: Bytes of the longest input that is worth trying.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], Seeds]
    longest: int = 2000


def taken(read: Callable[[S], T], data: S, error: type[SottoError]) -> T | None:
    """What a reader makes of an input, or None if it refuses it with its own error."""
    try:
        return read(data)
    except error:
        return None


def run_packets(data: bytes) -> None:
    """The content of a PACKET."""
    packet = taken(packets.decode, data, RemoteProtocolError)
    if packet is not None:
        again = packets.encode(packet)
        assert packets.decode(again) == packet
        assert len(again) <= limits.PACKET_MAX


def seeds_packets() -> Seeds:
    known = {
        "hello": packets.encode(Hello("Alice", 42000, accepted=True, read_seq=7)),
        "text": packets.encode(Text(bytes(16), 1, bytes(32), 1, "hello \U0001f600", 0, b"", 0)),
        "edit": packets.encode(Edit(bytes(16), 2, bytes(32), 1, bytes(16), "hello again", 0)),
        "delete": packets.encode(Delete(bytes(16), 3, bytes(32), 1, bytes(16), 0)),
        "react": packets.encode(React(bytes(16), 4, bytes(32), 1, bytes(16), "\U0001f600", 0)),
        "timer": packets.encode(Timer(bytes(16), 5, bytes(32), 1, 3600, 0)),
        "delivered": packets.encode(Delivered([bytes(16), bytes(16)])),
        "ticket": packets.encode(LaneTicket(bytes(16), bytes(32), by_initiator=True, port=0)),
        "mailboxes": packets.encode(Mailboxes([bytes(120) + b"\0\x0b192.0.2.7:1"])),
        "later": b"\xf0\x93\xc0\x81\xa1x\xc3\xca\0\0\0\0",
    }
    numbered = {f"kind-{kind}": bytes((kind,)) + b"\x92\xc4\x01x\x01" for kind in packets._NUMBERS.values()}
    return known | numbered


def run_invites(data: bytes) -> None:
    """An invite link: any text, or any body with a checksum that holds."""
    check = digest(b"sotto invite" + data)[:4]
    for text in (data.decode("latin-1"), data.decode("utf-8", "replace"), PREFIX + _encoded(data + check)):
        invite = taken(read_invite, text, AddressError)
        if invite is not None:
            assert len(invite.addresses) <= limits.INVITE_ADDRESSES_MAX
            assert read_invite(write_invite(invite)) == invite


def seeds_invites() -> Seeds:
    places = tuple(map(parse_address, ("192.0.2.7", "[fe80::1%eth0]:1", "host.example:65535")))
    link = write_invite(Invite(identity("bob").fingerprint, bytes(16), places))
    head = b"\x01" + identity("bob").fingerprint + bytes(16)
    return {
        "link": link.encode(),
        "body": head + b"\x02\x01\x0f192.0.2.7:42000\x02\x01x",
        "place": head + b"\x01\x03\x85" + bytes(120) + b"\0\x0b192.0.2.7:1",
        "none": head + b"\0",
        "later": b"\x02",
    }


def run_addresses(data: bytes) -> None:
    """Addresses and fingerprints as people type them."""
    for text in {data.decode("latin-1"), data.decode("utf-8", "replace")}:
        address = taken(parse_address, text, AddressError)
        if address is not None:
            assert parse_address(str(address)) == address
            assert str(address).isascii()
            assert 1 <= address.port <= 65535
        fingerprint = taken(parse_fingerprint, text, AddressError)
        if fingerprint is not None:
            assert parse_fingerprint(format_fingerprint(fingerprint)) == fingerprint


def seeds_addresses() -> Seeds:
    texts = [
        "192.0.2.7",
        "host.example:42000",
        "[::1]:5",
        "fe80::1%eth0",
        "münchen.example",
        "1.2.3",
        "a:b:c",
    ]
    texts.append(format_fingerprint(identity("bob").fingerprint))
    return {f"address-{number}": text.encode() for number, text in enumerate(texts)}


class Encodes(Protocol):
    """A value with a wire form."""

    def encode(self) -> bytes:
        """The wire form."""


_READERS: Final[list[tuple[Callable[[bytes], Encodes], type[SottoError]]]] = [
    (Bundle.decode, CryptoError),
    (KexCert.decode, CryptoError),
    (Succession.decode, CryptoError),
    (M1.decode, RemoteProtocolError),
    (M2.decode, RemoteProtocolError),
    (M3.decode, RemoteProtocolError),
    (M4.decode, RemoteProtocolError),
    (Retry.decode, RemoteProtocolError),
    (Caps.decode, RemoteProtocolError),
]


def run_identities(data: bytes) -> None:
    """Bundles, certificates, capabilities, and the bodies of the handshake messages."""
    for read, error in _READERS:
        value = taken(read, data, error)
        assert value is None or value.encode() == data
    identity_ = taken(decode_identity, data, RemoteProtocolError)
    assert identity_ is None or data == encode_identity(*identity_)
    named = taken(decode_signed_identity, data, RemoteProtocolError)
    assert named is None or data == encode_identity(*named[:2]) + vec(named[2])


def seeds_identities() -> Seeds:
    shown, caps = bundle("alice").encode(), Caps(relay=bytes(32), features=3).encode()
    recorded = streams.handshake_bodies()
    return {
        "bundle": shown,
        "certificate": shown[388 : 388 + 402],
        "caps": caps,
        "succession": Succession.issue(1, identity("alice").signing, identity("carol").signing, NOW).encode(),
        "identity": encode_identity(shown, caps),
    } | recorded


TARGETS: Final[dict[str, Target]] = {
    "packets": Target(run_packets, seeds_packets, 1000),
    "invites": Target(run_invites, seeds_invites, 1100),
    "addresses": Target(run_addresses, seeds_addresses, 320),
    "identities": Target(run_identities, seeds_identities),
    "initiator": Target(streams.run_initiator, streams.seeds_initiator),
    "responder": Target(streams.run_responder, streams.seeds_responder),
    "sealed": Target(sealed.run_sealed, sealed.seeds_sealed, 6000),
    "records": Target(streams.run_records, streams.seeds_records, 1200),
    "offers": Target(files.run_offers, files.seeds_offers, 400),
    "manifests": Target(files.run_manifests, files.seeds_manifests, 400),
    "words": Target(files.run_words, files.seeds_words, 900),
    "lanes": Target(streams.run_lanes, streams.seeds_lanes, 1400),
    "requests": Target(relays.run_requests, relays.seeds_requests, 1500),
    "answers": Target(relays.run_answers, relays.seeds_answers, 1500),
    "finding": Target(relays.run_finding, relays.seeds_finding, 3000),
}
"""Everything there is to fuzz, by the name that `python -m tests.fuzz` takes."""


@functools.cache
def seeds(name: str) -> Seeds:
    """The seeds of a target."""
    return TARGETS[name].seeds()
