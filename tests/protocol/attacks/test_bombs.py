"""Lengths and structures that promise much: refused before anything is kept or built."""

import ast
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import messenger
from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.crypto.hkdf import expand, vec
from messenger.protocol import packets
from messenger.protocol.handshake import TRANSITIONS, Step
from messenger.protocol.invite import PREFIX, read_invite
from messenger.protocol.lane import LaneMessage
from messenger.protocol.messages import M1, M2, M3, M4, Caps, MessageType, frame
from messenger.protocol.packets import Text
from messenger.protocol.prekeys import PrekeyList
from messenger.protocol.records import RecordType
from messenger.protocol.seal import disclose
from tests.helpers.links import End, handshake, linked, refused
from tests.protocol.channels import Pair
from tests.protocol.forge import Caller, record_of, sealed_record
from tests.protocol.steps import session
from tests.protocol.tickets import Book, lanes, ticket

MEBIBYTE = 2**20


def cheaply(act: Callable[[], object], bound: int) -> None:
    """Run something that must fail, and that must not take more memory than this on the way."""
    tracemalloc.start()
    try:
        with pytest.raises(RemoteProtocolError):
            act()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < bound


@pytest.mark.parametrize("kind", MessageType, ids=lambda kind: kind.name)
@pytest.mark.parametrize("size", [2**24 - 1, 2**16, 5000])
def test_a_length_of_a_handshake_message(kind: MessageType, size: int) -> None:
    step = next(step for step, given in TRANSITIONS if given is kind)
    end = session("puzzle").at(step)
    refused(end, bytes((kind,)) + size.to_bytes(3, "big"))
    assert len(handshake(end)._buffer) == 0


@pytest.mark.parametrize("kind", LaneMessage, ids=lambda kind: kind.name)
def test_a_length_of_a_lane_message(kind: LaneMessage) -> None:
    shown = ticket()
    for lane in lanes(Book(shown), shown):
        lane.data_to_send()
        with pytest.raises(RemoteProtocolError):
            lane.receive_data(bytes((kind,)) + b"\xff\xff\xff" + bytes(100_000))
        assert len(lane._buffer) == 0


@pytest.mark.parametrize("size", [2**24 - 1, limits.RECORD_CIPHERTEXT_MAX + 256])
def test_a_length_of_a_record(size: int) -> None:
    pair = Pair()
    with pytest.raises(RemoteProtocolError):
        pair.two.receive(b"\x17" + size.to_bytes(3, "big"))
    assert len(pair.two.channel._reader._buffer) == 0


@pytest.mark.parametrize("size", [0, 16, 255, 256, 271])
def test_a_record_of_no_length(size: int) -> None:
    pair = Pair()
    with pytest.raises(RemoteProtocolError, match="not a record"):
        pair.two.receive(b"\x17" + size.to_bytes(3, "big") + bytes(size))


def test_a_content_that_says_it_is_longer_than_its_record() -> None:
    for size in (253, 2**24 - 1, limits.RECORD_CONTENT_MAX + 1):
        pair = Pair()
        inside = b"\x01" + size.to_bytes(3, "big") + bytes(252)
        with pytest.raises(RemoteProtocolError, match="bad record content"):
            pair.two.receive(sealed_record(pair.one.own_secret, 0, inside))


@pytest.mark.parametrize("kind", [M1, M2, M3, M4, Caps], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("size", [0xFFFF, 4000])
def test_a_length_of_a_field(kind: type[M1 | M2 | M3 | M4 | Caps], size: int) -> None:
    start = {M1: 1, M2: 1 + 2 + 32 + limits.XWING_CIPHERTEXT_SIZE, M3: 0, M4: 0, Caps: 2}[kind]
    data = (b"\x01" + bytes(start))[:start] if kind in (M1, M2) else b"\x01\x01"[:start]
    for rest in (b"", bytes(100)):
        with pytest.raises(RemoteProtocolError):
            kind.decode(data + size.to_bytes(2, "big") + rest)


def test_suites_without_end() -> None:
    caller = Caller("alice", "bob")
    unsigned = b"\x01" + vec(b"\0\x01" * (limits.SUITES_MAX + 1)) + caller.hello.unsigned()[5:]
    refused(End.answering("bob"), caller.m1(unsigned=unsigned))


ARRAY_32 = b"\xdd\xff\xff\xff\xff"
BIN_32 = b"\xc6\xff\xff\xff\xff"
STR_32 = b"\xdb\xff\xff\xff\xff"
MAP_32 = b"\xdf\xff\xff\xff\xff"
EXT_32 = b"\xc9\xff\xff\xff\xff\x01"


@pytest.mark.parametrize("kind", sorted(packets._KINDS))
@pytest.mark.parametrize("claim", [ARRAY_32, BIN_32, STR_32, MAP_32, EXT_32])
@pytest.mark.parametrize("before", [b"", b"\x91", b"\x95", b"\xdc\xff\xff"])
def test_a_packet_that_claims_four_gigabytes(kind: int, claim: bytes, before: bytes) -> None:
    cheaply(lambda: packets.decode(bytes((kind,)) + before + claim), MEBIBYTE)


@pytest.mark.parametrize("nesting", [b"\x91", b"\x81\xa1x", b"\x92\xc0"])
@pytest.mark.parametrize("known", [b"\x93\x00", b"\x96\xa1n\x00\xc3\x00\x00", b""])
def test_a_packet_nested_without_end(nesting: bytes, known: bytes) -> None:
    depth = (limits.PACKET_MAX - 20) // len(nesting)
    cheaply(lambda: packets.decode(b"\x01" + known + nesting * depth), 16 * MEBIBYTE)


def test_a_packet_over_the_maximum_in_one_record() -> None:
    one, other = linked()
    content = b"\x02" + bytes(limits.PACKET_MAX)
    channel = one.link._channel
    assert channel is not None
    refused(other, bytes(channel._writer.seal(RecordType.PACKET, content)))


def test_empty_records_without_end() -> None:
    pair = Pair()
    stream = b"".join(record_of(pair.one.own_secret, n, RecordType.PADDING) for n in range(40))
    with pytest.raises(RemoteProtocolError, match="empty"):
        pair.two.receive(stream)


def test_pings_without_end_are_answered_one_for_one() -> None:
    pair = Pair()
    stream = b"".join(record_of(pair.one.own_secret, n, RecordType.PING) for n in range(500))
    pair.two.receive(stream)
    assert len(pair.two.sent()) == len(stream), "no answer is longer than its question"


def test_an_invite_without_end() -> None:
    for text in (PREFIX + "A" * 10 * MEBIBYTE, PREFIX + "A" * 2000):
        with pytest.raises(Exception, match="bad invite"):
            read_invite(text)


def test_garbage_behind_a_header_that_is_allowed_is_kept_up_to_its_length_only() -> None:
    for step, kind in TRANSITIONS:
        if not isinstance(kind, MessageType):
            continue
        end = session("puzzle").at(step)
        size = limits.HANDSHAKE_MESSAGE_MAX[kind]
        end.receive(frame(kind, bytes(size))[:-1])
        assert handshake(end).step is step
        refused(end, bytes(MEBIBYTE))
        assert handshake(end).step is Step.FAILED
        assert len(handshake(end)._buffer) == 0


def test_the_largest_text_there_is() -> None:
    one, other = linked()
    packet = Text(bytes(16), 1, bytes(32), 0, "\U0001f600" * (limits.TEXT_MAX // 4), 0, b"", 0)
    one.link.send(packet)
    other.receive(one.sent())
    assert other.packets == [packet]


DECOMPRESSORS = {"zlib", "gzip", "bz2", "lzma", "zipfile", "tarfile", "zstandard", "brotli", "compression"}


def test_decompression_bombs_have_nothing_to_go_off_in() -> None:
    """Nothing in the program decompresses: what arrives is as long as it says."""
    found = {
        f"{path.name}: {name}"
        for path in Path(messenger.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
        if name.split(".")[0] in DECOMPRESSORS
    }
    assert found == set()


@pytest.mark.parametrize("size", [2**24 - 1, limits.ENVELOPE_BUCKETS[-1], limits.ENVELOPE_BUCKETS[0]])
def test_an_envelope_that_says_it_holds_more_than_it_has(size: int) -> None:
    key = bytes(32)
    inside = b"\x01" + size.to_bytes(3, "big") + bytes(4096 - 12 - 16 - 4)
    nonce = os.urandom(12)
    envelope = nonce + AESGCM(expand(key, "envelope", b"", 32)).encrypt(nonce, inside, b"")
    cheaply(lambda: disclose(key, envelope), 64 * 1024)


def test_an_envelope_of_a_megabyte_is_not_opened() -> None:
    envelope = bytes(MEBIBYTE)
    cheaply(lambda: disclose(bytes(32), envelope), 64 * 1024)


@pytest.mark.parametrize("count", [0, 66, 255])
def test_a_prekey_list_with_more_hashes_than_allowed_or_none(count: int) -> None:
    start = b"\x01" + vec(bytes(1176)) + bytes(16) + bytes((count,))
    for data in (start, start + bytes(32 * count) + vec(bytes(384))):
        with pytest.raises(RemoteProtocolError, match="too many prekeys or none"):
            PrekeyList.decode(data)
