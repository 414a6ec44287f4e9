"""What is said on a lane that carries files: every word, and every word that must be refused."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import transfer_limits
from messenger.core.errors import RemoteProtocolError
from messenger.core.offering import Offering
from messenger.core.ranges import Ranges
from messenger.crypto.hashing import chunk_hasher
from messenger.protocol import lane_files
from messenger.protocol.lane_files import ChunkReader, Have, ManifestReader, Refused

CHUNK = transfer_limits.CHUNK
SIZE = 2 * CHUNK + 100
ID = bytes(range(16))


def offering(size: int = SIZE) -> Offering:
    return Offering(names=("a",), tops=1, files=1, folders=0, size=size, root=bytes(32), manifest=10, media=0)


def hashed(data: bytes) -> bytes:
    hasher = chunk_hasher()
    hasher.update(data)
    return hasher.digest()


def give(reader: ChunkReader, data: bytes, piece: int = 256 * 1024) -> list[int]:
    """Give bytes of a chunk in pieces; where each of them belongs."""
    return [reader.data(memoryview(data)[at : at + piece]) for at in range(0, len(data), piece)]


def whole(reader: ChunkReader, index: int) -> None:
    data = bytes([index]) * offering().chunk_size(index)
    reader.word(lane_files.chunk(index, 0))
    give(reader, data)
    reader.word(lane_files.end(hashed(data)))


def test_a_whole_transfer() -> None:
    reader = ChunkReader(offering(), Ranges())
    for index in range(3):
        whole(reader, index)
    assert reader.done == SIZE
    assert [index for index, _ in reader.fresh] == [0, 1, 2]
    reader.word(lane_files.finish(b"r" * 32))
    assert reader.root == b"r" * 32


def test_bytes_belong_where_their_chunk_is() -> None:
    reader = ChunkReader(offering(), Ranges())
    reader.word(lane_files.chunk(2, 0))
    assert give(reader, bytes(100), 40) == [2 * CHUNK, 2 * CHUNK + 40, 2 * CHUNK + 80]


def test_an_empty_transfer_is_finished_at_once() -> None:
    reader = ChunkReader(offering(0), Ranges())
    reader.word(lane_files.finish(bytes(32)))
    assert reader.root is not None


@pytest.mark.parametrize("came", [1, CHUNK - 1, CHUNK])
def test_a_chunk_that_was_cut_goes_on_where_it_was(came: int) -> None:
    reader, data = ChunkReader(offering(), Ranges()), b"x" * CHUNK
    reader.word(lane_files.chunk(0, 0))
    give(reader, data[:came])
    have = reader.resume(manifest=True)
    assert (have.partial, have.begun) == (0, came)
    assert lane_files.read_have(lane_files.have(have), offering()) == have
    reader.word(lane_files.chunk(0, came))
    give(reader, data[came:])
    reader.word(lane_files.end(hashed(data)))
    assert 0 in reader.held


def test_a_cut_chunk_may_begin_anew() -> None:
    reader = ChunkReader(offering(), Ranges())
    reader.word(lane_files.chunk(0, 0))
    give(reader, b"x" * 1000)
    reader.resume(manifest=True)
    whole(reader, 0)
    assert reader.done == CHUNK


def begun(reader: ChunkReader) -> None:
    reader.word(lane_files.chunk(1, 0))


def filled(reader: ChunkReader) -> None:
    begun(reader)
    give(reader, bytes(CHUNK))


def held(reader: ChunkReader) -> None:
    whole(reader, 1)


def cut(reader: ChunkReader) -> None:
    begun(reader)
    give(reader, bytes(500))
    reader.resume(manifest=True)


def finished(reader: ChunkReader) -> None:
    for index in range(3):
        whole(reader, index)
    reader.word(lane_files.finish(bytes(32)))


def fresh(_: ChunkReader) -> None:
    pass


@pytest.mark.parametrize(
    ("before", "word"),
    [
        (fresh, b""),
        (fresh, b"\x00"),
        (fresh, b"\x07"),
        (fresh, lane_files.begin(ID)),
        (fresh, lane_files.have(Have(manifest=True, held=Ranges()))),
        (fresh, lane_files.chunk(3, 0)),
        (fresh, lane_files.chunk(2**32 - 1, 0)),
        (fresh, lane_files.chunk(0, 1)),
        (fresh, lane_files.chunk(0, 0)[:-1]),
        (fresh, lane_files.chunk(0, 0) + b"x"),
        (fresh, lane_files.end(bytes(32))),
        (fresh, lane_files.finish(bytes(32))),
        (held, lane_files.chunk(1, 0)),
        (held, lane_files.end(bytes(32))),
        (held, lane_files.finish(bytes(32))),
        (filled, lane_files.end(bytes(32))),
        (filled, lane_files.end(hashed(bytes(CHUNK)))[:-1]),
        (filled, lane_files.chunk(0, 0)),
        (filled, lane_files.finish(bytes(32))),
        (cut, lane_files.chunk(1, 499)),
        (cut, lane_files.chunk(1, 501)),
        (cut, lane_files.chunk(0, 500)),
        (cut, lane_files.end(bytes(32))),
        (finished, lane_files.chunk(0, 0)),
        (finished, lane_files.finish(bytes(32))),
        (finished, b"x"),
    ],
)
def test_what_may_not_come_is_refused(before: Callable[[ChunkReader], None], word: bytes) -> None:
    reader = ChunkReader(offering(), Ranges())
    before(reader)
    with pytest.raises(Refused):
        reader.word(word)


@pytest.mark.parametrize("size", [0, CHUNK + 1])
def test_bytes_that_the_chunk_does_not_have_are_refused(size: int) -> None:
    reader = ChunkReader(offering(), Ranges())
    begun(reader)
    with pytest.raises(Refused):
        reader.data(memoryview(bytes(size)))


def test_bytes_without_a_chunk_are_refused() -> None:
    with pytest.raises(Refused):
        ChunkReader(offering(), Ranges()).data(memoryview(b"x"))


RUNS = st.lists(st.integers(0, 60), unique=True).map(
    lambda numbers: Ranges((number, number + 1) for number in numbers)
)


@given(st.booleans(), RUNS)
def test_what_is_there_survives_the_wire(manifest: bool, runs: Ranges) -> None:
    have = Have(manifest, runs)
    assert lane_files.read_have(lane_files.have(have), offering(61 * CHUNK)) == have


def test_of_too_many_runs_the_first_are_told() -> None:
    runs = Ranges((2 * n, 2 * n + 1) for n in range(transfer_limits.RANGES_MAX + 5))
    told = lane_files.have(Have(manifest=True, held=runs))
    read = lane_files.read_have(told, offering(2**53))
    assert list(read.held) == list(runs)[: transfer_limits.RANGES_MAX]


def raw_have(flags: int, partial: int, begun: int, *numbers: int) -> bytes:
    return bytes((2, flags)) + b"".join(n.to_bytes(4, "big") for n in (partial, begun, *numbers))


NONE = 2**32 - 1


@pytest.mark.parametrize(
    "word",
    [
        b"",
        b"\x02",
        raw_have(1, NONE, 0)[:-1],
        raw_have(1, NONE, 0, 0),
        raw_have(2, NONE, 0),
        raw_have(1, NONE, 1),
        raw_have(1, NONE, 0, 0, 0),
        raw_have(1, NONE, 0, 1, 0),
        raw_have(1, NONE, 0, 0, 4),
        raw_have(1, NONE, 0, 0, 1, 1, 2),
        raw_have(1, NONE, 0, 2, 3, 0, 1),
        raw_have(1, 3, 1),
        raw_have(1, 0, 0),
        raw_have(1, 0, CHUNK + 1),
        raw_have(1, 2, 101),
        raw_have(1, 0, 1, 0, 1),
        b"\x03" + raw_have(1, NONE, 0)[1:],
    ],
)
def test_chunks_that_cannot_be_there_are_refused(word: bytes) -> None:
    with pytest.raises(Refused):
        lane_files.read_have(word, offering())


@pytest.mark.parametrize(
    "word", [b"", b"\x01", lane_files.begin(ID)[:-1], lane_files.begin(ID) + b"x", bytes(17)]
)
def test_a_bad_beginning_is_refused(word: bytes) -> None:
    assert lane_files.read_begin(lane_files.begin(ID)) == ID
    with pytest.raises(Refused):
        lane_files.read_begin(word)


@given(st.binary(min_size=1, max_size=600_000))
def test_a_list_of_files_comes_in_pieces(data: bytes) -> None:
    reader = ManifestReader(len(data))
    pieces = [reader.take(piece) for piece in lane_files.manifest_pieces(data)]
    assert pieces == [None] * (len(pieces) - 1) + [data]


@pytest.mark.parametrize("piece", [b"", b"\x03", b"\x04xxx", b"\x03" + bytes(11)])
def test_a_bad_piece_of_a_list_is_refused(piece: bytes) -> None:
    with pytest.raises(Refused):
        ManifestReader(10).take(piece)


def test_nothing_comes_after_the_list() -> None:
    reader = ManifestReader(1)
    assert reader.take(b"\x03x") == b"x"
    with pytest.raises(Refused):
        reader.take(b"\x03x")


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_garbage_raises_one_kind_of_error(words: list[bytes]) -> None:
    reader = ChunkReader(offering(), Ranges())
    try:
        for word in words:
            reader.data(memoryview(word)) if reader.left else reader.word(word)
    except RemoteProtocolError:
        pass
