"""Targets about files: offers, lists of files, and what is said on a lane."""

import contextlib

from messenger.core import file_entries, offering, transfer_limits
from messenger.core.errors import RemoteProtocolError
from messenger.core.file_entries import Entry
from messenger.core.offering import Offering
from messenger.core.ranges import Ranges
from messenger.crypto.hashing import chunk_hasher
from messenger.protocol import lane_files
from messenger.protocol.lane_files import ChunkReader, Have, ManifestReader, Refused

_SMALL = Offering(names=("a",), tops=1, files=1, folders=0, size=300, root=bytes(32), manifest=9, media=0)
_LARGE = Offering(
    names=("a",),
    tops=1,
    files=1,
    folders=0,
    size=9 * transfer_limits.CHUNK,
    root=bytes(32),
    manifest=9,
    media=0,
)
_SIZE = 2


def run_offers(data: bytes) -> None:
    """The body of an offer."""
    try:
        offered = offering.decode(data)
    except RemoteProtocolError:
        return
    assert offering.decode(offering.encode(offered)) == offered
    assert offered.size <= 2**53
    assert offered.chunks * transfer_limits.CHUNK >= offered.size


def seeds_offers() -> dict[str, bytes]:
    """Two offers."""
    return {"small": offering.encode(_SMALL), "large": offering.encode(_LARGE)}


def run_manifests(data: bytes) -> None:
    """A list of files."""
    try:
        entries = file_entries.decode(data)
    except RemoteProtocolError:
        return
    assert file_entries.encode(entries) == data


def seeds_manifests() -> dict[str, bytes]:
    """A folder with a file."""
    entries = [
        Entry(("a",), 0, 0, executable=False, folder=True),
        Entry(("a", "b"), 300, 1_700_000_000_000, executable=True, folder=False),
    ]
    return {"folder": file_entries.encode(entries)}


def run_words(data: bytes) -> None:
    """Words of a lane, each with two bytes of length before it: no more is taken than was offered."""
    reader, manifest, taken, at = ChunkReader(_SMALL, Ranges()), ManifestReader(_SMALL.manifest), 0, 0
    while at < len(data):
        size = int.from_bytes(data[at : at + _SIZE], "big")
        word = data[at + _SIZE : at + _SIZE + size]
        at += _SIZE + size
        _read_alone(word, manifest)
        try:
            if reader.left:
                before = reader.left
                offset = reader.data(memoryview(word))
                assert 0 <= offset <= _SMALL.size - len(word)
                assert reader.left == before - len(word)
                taken += len(word)
            else:
                reader.word(word)
        except Refused:
            return
        assert taken <= _SMALL.size
        assert reader.done <= _SMALL.size
        assert reader.root is None or len(reader.held) == _SMALL.chunks


def _read_alone(word: bytes, manifest: ManifestReader) -> None:
    with contextlib.suppress(Refused):
        assert lane_files.begin(lane_files.read_begin(word)) == word
    with contextlib.suppress(Refused):
        assert lane_files.have(lane_files.read_have(word, _LARGE)) == word
    with contextlib.suppress(Refused):
        whole = manifest.take(word)
        assert whole is None or len(whole) == _SMALL.manifest


def seeds_words() -> dict[str, bytes]:
    """A whole transfer, and the words before it."""
    content = bytes(range(150)) * 2
    hasher = chunk_hasher()
    hasher.update(content)
    words = [lane_files.chunk(0, 0), content[:200], content[200:], lane_files.end(hasher.digest())]
    have = lane_files.have(Have(manifest=True, held=Ranges([(0, 2), (4, 9)]), partial=3, begun=77))
    return {
        "transfer": _framed([*words, lane_files.finish(bytes(32))]),
        "before": _framed([lane_files.begin(bytes(16)), have, *lane_files.manifest_pieces(bytes(9))]),
        "have": _framed([have]),
    }


def _framed(words: list[bytes]) -> bytes:
    return b"".join(len(word).to_bytes(_SIZE, "big") + word for word in words)
