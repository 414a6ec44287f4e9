"""The record layer: one direction, whole or chopped, and nothing that was changed."""

import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol.records import (
    OUTER_HEADER,
    OUTER_TYPE,
    RecordBuffer,
    RecordReader,
    RecordType,
    RecordWriter,
)
from tests.helpers.links import cut_at, single
from tests.protocol.forge import record_of, sealed_record
from tests.protocol.strategies import cuts, plainly

SIZES = [0, 1, 251, 252, 253, 507, 508, 509, 5000, limits.RECORD_CONTENT_MAX - 1, limits.RECORD_CONTENT_MAX]
LARGEST_INNER = limits.RECORD_CIPHERTEXT_MAX - limits.TAG_SIZE


def pair() -> tuple[RecordWriter, RecordReader]:
    secret = os.urandom(32)
    return RecordWriter(secret), RecordReader(secret)


def read(reader: RecordReader, data: bytes | bytearray | memoryview) -> list[tuple[RecordType, bytes]]:
    return [(kind, bytes(content)) for kind, content in reader.feed(data)]


def refused(data: bytes | bytearray, secret: bytes) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        read(RecordReader(secret), data)
    return str(caught.value)


@pytest.mark.parametrize("kind", RecordType)
@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_is_opened(kind: RecordType, size: int) -> None:
    writer, reader = pair()
    content = os.urandom(size)
    assert read(reader, writer.seal(kind, content)) == [(kind, content)]
    assert reader.count == 1
    assert not reader.begun


@pytest.mark.parametrize("size", SIZES)
def test_sizes_are_told_in_steps_of_256(size: int) -> None:
    record = RecordWriter(os.urandom(32)).seal(RecordType.PACKET, bytes(size))
    inner = len(record) - OUTER_HEADER - limits.TAG_SIZE
    assert inner % limits.RECORD_PADDING == 0
    assert 0 <= inner - limits.RECORD_INNER_HEADER - size < limits.RECORD_PADDING
    assert record[0] == OUTER_TYPE
    assert int.from_bytes(record[1:4], "big") == len(record) - OUTER_HEADER


@pytest.mark.parametrize("size", SIZES)
def test_parts_are_sealed_as_if_they_were_joined(size: int) -> None:
    secret, content = os.urandom(32), os.urandom(size)
    parts = content[: size // 3], content[size // 3 :], b""
    sealed = RecordWriter(secret).seal_parts(RecordType.PACKET, parts, size)
    assert sealed == RecordWriter(secret).seal(RecordType.PACKET, content)


@pytest.mark.parametrize("kind", RecordType)
@pytest.mark.parametrize("size", [0, 1, 252, 253, 5000, 16 * 1024 - 4])
def test_one_short_record_is_opened_at_once(kind: RecordType, size: int) -> None:
    writer, reader = pair()
    for _ in range(2):
        content = os.urandom(size)
        assert reader.only(bytes(writer.seal(kind, content))) == (kind, content)
    assert reader.count == 2
    assert reader.waiting == 0


def test_what_is_not_one_short_record_is_left_as_it_is() -> None:
    writer, reader = pair()
    one, two, long = (bytes(writer.seal(RecordType.PACKET, bytes(size))) for size in (1, 300, 20_000))
    for other in (b"", one[:3], one[:-1], one + b"\x17", one + two, one + two + long, long, bytes(len(one))):
        assert reader.only(other) is None
        assert (reader.count, reader.waiting) == (0, 0)
    assert read(reader, one + two[:9]) == [(RecordType.PACKET, bytes(1))]
    assert reader.only(one) is None, "something else has begun"
    assert read(reader, two[9:] + long) == [(RecordType.PACKET, bytes(size)) for size in (300, 20_000)]


@pytest.mark.parametrize("at", [4, 20, -1])
def test_one_record_that_was_changed(at: int) -> None:
    writer, reader = pair()
    record = bytearray(writer.seal(RecordType.PACKET, b"text"))
    record[at] ^= 1
    with pytest.raises(RemoteProtocolError):
        reader.only(bytes(record))


@pytest.mark.parametrize("size", SIZES)
def test_sealing_in_place_gives_the_same_bytes(size: int) -> None:
    secret, content, buffer = os.urandom(32), os.urandom(size), RecordBuffer()
    buffer.data[:] = b"\xaa" * len(buffer.data)
    buffer.content[:size] = content
    there = RecordWriter(secret).seal(RecordType.PACKET, content)
    assert bytes(RecordWriter(secret).seal_in_place(buffer, size)) == there
    assert len(buffer.content) == limits.RECORD_CONTENT_MAX


@plainly
@given(st.lists(st.tuples(st.sampled_from(RecordType), st.binary(max_size=600)), max_size=8), cuts)
def test_chopping_is_invisible(sent: list[tuple[RecordType, bytes]], places: list[int]) -> None:
    writer, reader = pair()
    stream = b"".join(writer.seal(kind, content) for kind, content in sent)
    assert [record for piece in cut_at(places)(stream) for record in read(reader, piece)] == sent
    assert reader.count == len(sent)


def test_byte_by_byte() -> None:
    writer, reader = pair()
    stream = bytes(writer.seal(RecordType.PACKET, b"one") + writer.seal(RecordType.PING, b"two"))
    found = []
    for at, byte in enumerate(single(stream), 1):
        found += read(reader, byte)
        assert reader.begun is (at not in (len(stream) // 2, len(stream)))
    assert found == [(RecordType.PACKET, b"one"), (RecordType.PING, b"two")]


def test_the_buffer_never_holds_more_than_one_record_and_one_piece() -> None:
    writer, reader = pair()
    stream = b"".join(writer.seal(RecordType.PACKET, bytes(limits.RECORD_CONTENT_MAX)) for _ in range(4))
    step = 100_000
    for at in range(0, len(stream), step):
        read(reader, stream[at : at + step])
        assert len(reader._buffer) < limits.RECORD_CIPHERTEXT_MAX + OUTER_HEADER


@pytest.mark.parametrize("size", [0, 1, 16, 20, 271, 273, 256, limits.RECORD_CIPHERTEXT_MAX + 256, 2**24 - 1])
def test_a_length_that_cannot_be_is_refused_at_once(size: int) -> None:
    secret = bytes(32)
    assert refused(bytes((OUTER_TYPE,)) + size.to_bytes(3, "big"), secret) == "not a record"


@pytest.mark.parametrize("size", [272, 528, limits.RECORD_CIPHERTEXT_MAX])
def test_a_length_that_can_be_is_waited_for(size: int) -> None:
    reader = RecordReader(bytes(32))
    assert read(reader, bytes((OUTER_TYPE,)) + size.to_bytes(3, "big")) == []
    assert reader.begun


@pytest.mark.parametrize("first", [0, 1, 6, 0x16, 0x18, 0x21, 255])
def test_something_else_than_a_record(first: int) -> None:
    assert refused(bytes((first, 0, 1, 16)), bytes(32)) == "not a record"


def test_more_padding_than_needed_is_allowed() -> None:
    secret = bytes(32)
    reader = RecordReader(secret)
    assert read(reader, sealed_record(secret, 0, b"\x01\0\0\0" + bytes(508))) == [(RecordType.PACKET, b"")]
    largest = sealed_record(secret, 1, b"\x01\0\0\0" + bytes(LARGEST_INNER - 4))
    assert read(reader, largest) == [(RecordType.PACKET, b"")]


@pytest.mark.parametrize(
    "inside",
    [
        b"\x01\0\0\x01" + b"\0\x01" + bytes(250),
        b"\x01\0\0\0" + bytes(251) + b"\x01",
        b"\x01\0\0\xfd" + bytes(252),
        b"\x01\xff\xff\xff" + bytes(252),
        b"\x01\x04\0\x01" + bytes(LARGEST_INNER - 4),
    ],
    ids=["padding", "last of padding", "content cut short", "content of 16 MiB", "over the maximum"],
)
def test_an_inside_that_does_not_hold_together(inside: bytes) -> None:
    assert refused(sealed_record(bytes(32), 0, inside), bytes(32)) == "bad record content"


@pytest.mark.parametrize("kind", [8, 0x17, 0x80, 255])
def test_an_unknown_type(kind: int) -> None:
    assert refused(record_of(bytes(32), 0, kind), bytes(32)) == "unknown record type"


def test_too_many_empty_records_in_a_row() -> None:
    writer, reader = pair()
    for _ in range(3):
        for _ in range(limits.EMPTY_RECORDS_MAX):
            read(reader, writer.seal(RecordType.PADDING, b""))
        read(reader, writer.seal(RecordType.PONG, b""))
    for _ in range(limits.EMPTY_RECORDS_MAX):
        read(reader, writer.seal(RecordType.PADDING, b""))
    with pytest.raises(RemoteProtocolError, match="empty"):
        read(reader, writer.seal(RecordType.PADDING, b""))


def test_every_key_begins_at_number_zero() -> None:
    writer, reader = pair()
    for secret in (os.urandom(32), os.urandom(32)):
        for number in range(3):
            assert writer.used == (number, number * 256)
            assert read(reader, writer.seal(RecordType.PACKET, b"x")) == [(RecordType.PACKET, b"x")]
        writer.switch(secret)
        reader.switch(secret)
    assert reader.count == 6


def test_content_over_the_maximum_is_not_sealed() -> None:
    writer, buffer = RecordWriter(os.urandom(32)), RecordBuffer()
    with pytest.raises(LocalProtocolError):
        writer.seal(RecordType.PACKET, bytes(limits.RECORD_CONTENT_MAX + 1))
    with pytest.raises(LocalProtocolError):
        writer.seal_in_place(buffer, limits.RECORD_CONTENT_MAX + 1)
    assert writer.used == (0, 0)


@pytest.mark.parametrize(("name", "limit"), [("RECORDS_PER_KEY", 3), ("BYTES_PER_KEY", 3 * 256)])
def test_a_key_ends(name: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, name, limit)
    secret = os.urandom(32)
    writer, buffer = RecordWriter(secret), RecordBuffer()
    records = [bytes(writer.seal(RecordType.PACKET, b"x")) for _ in range(3)]
    seals: list[Callable[[], object]] = [
        lambda: writer.seal(RecordType.PACKET, b""),
        lambda: writer.seal_in_place(buffer, 0),
    ]
    for seal in seals:
        with pytest.raises(LocalProtocolError, match="must not seal more"):
            seal()
    reader = RecordReader(secret)
    read(reader, b"".join(records))
    with pytest.raises(RemoteProtocolError):
        read(reader, record_of(secret, 3, 1, b"x"))
    writer.switch(os.urandom(32))
    writer.seal(RecordType.PACKET, b"x")
