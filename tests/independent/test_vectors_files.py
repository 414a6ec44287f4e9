"""Both implementations against the vectors of section 17: offers, lists, hashes, wishes, lanes."""

from collections.abc import Iterator
from typing import Any

import pytest

from messenger.core import file_entries, offering, transfer_limits, transfers
from messenger.core.errors import RemoteProtocolError
from messenger.core.offering import Offering
from messenger.core.ranges import Ranges
from messenger.core.transfers import TransferState
from messenger.crypto import hashing
from messenger.engine.carrying import checked
from messenger.protocol import lane_files
from messenger.protocol.lane_files import ChunkReader, LaneKind, ManifestReader
from tests.independent import files
from tests.independent.loaded import binary, vectors
from tests.independent.primitives import Refused
from tests.independent.test_vectors import each
from tests.vectors.sotto_files import content

Json = dict[str, Any]
DATA = vectors("files")
CHUNK = transfer_limits.CHUNK


def named(entries: list[Json]) -> pytest.MarkDecorator:
    """One test for each of some entries."""
    ids = [str(entry.get("why") or entry.get("about") or number) for number, entry in enumerate(entries)]
    return pytest.mark.parametrize("entry", entries, ids=ids)


def both_offer(body: bytes) -> tuple[files.Body, Offering]:
    """A body as both read it."""
    return files.read_body(body), offering.decode(body)


def test_numbers_that_stand_in_both() -> None:
    assert (files.CHUNK, files.PIECE) == (CHUNK, transfer_limits.PIECE_MAX)
    assert (files.BODY_MAX, files.RUNS_MAX) == (transfer_limits.OFFER_MAX, transfer_limits.RANGES_MAX)


@named(DATA["hashes"])
def test_hashes(entry: Json) -> None:
    x, hash_ = binary(entry["x"]), binary(entry["hash"])
    assert files.derive(entry["context"], x) == hash_
    match entry["context"]:
        case "sotto/1 manifest":
            assert hashing.manifest_root(x) == hash_
        case "sotto/1 chunk":
            assert digest(hashing.chunk_hasher(), x) == hash_
        case _:
            assert digest(hashing.content_hasher(), x) == hash_


def digest(hasher: hashing.Hasher, *parts: bytes) -> bytes:
    for part in parts:
        hasher.update(part)
    return hasher.digest()


@each("files", "bodies")
def test_bodies(entry: Json) -> None:
    names, *others = entry["fields"]
    others[4], others[7] = binary(others[4]), binary(others[7])
    mine, ours = files.Body(names, *others), Offering(tuple(names), *others)
    assert files.write_body(mine) == offering.encode(ours) == binary(entry["body"])
    assert both_offer(binary(entry["body"])) == (mine, ours)


@each("files", "refused bodies")
def test_bodies_that_are_none(entry: Json) -> None:
    with pytest.raises(Refused):
        files.read_body(binary(entry["body"]))
    with pytest.raises(RemoteProtocolError):
        offering.decode(binary(entry["body"]))


@named(DATA["manifests"]["good"])
def test_manifests(entry: Json) -> None:
    manifest, (body, offered) = binary(entry["manifest"]), both_offer(binary(entry["body"]))
    mine = [files.Entry(*fields) for fields in entry["entries"]]
    ours = tuple(file_entries.Entry(tuple(path), *more) for path, *more in entry["entries"])
    assert files.write_manifest(mine) == file_entries.encode(ours) == manifest
    assert (files.read_manifest(manifest, body), checked(manifest, offered)) == (mine, ours)
    assert files.derive("sotto/1 manifest", manifest) == binary(entry["root"]) == offered.root


@named(DATA["manifests"]["refused"])
def test_manifests_that_are_none(entry: Json) -> None:
    manifest, (body, offered) = binary(entry["manifest"]), both_offer(binary(entry["body"]))
    with pytest.raises(Refused):
        files.read_manifest(manifest, body)
    with pytest.raises(RemoteProtocolError):
        checked(manifest, offered)


@named(DATA["contents"])
def test_contents(entry: Json) -> None:
    data, hashes = content(entry["size"]), [binary(hash_) for hash_ in entry["chunks"]]
    assert files.hashes_of(data) == hashes
    assert [
        digest(hashing.chunk_hasher(), data[at : at + CHUNK]) for at in range(0, len(data), CHUNK)
    ] == hashes
    assert files.content_root(hashes) == digest(hashing.content_hasher(), *hashes) == binary(entry["root"])


@named(DATA["outcomes"])
def test_outcomes(entry: Json) -> None:
    sender, receiver = entry["sender"], entry["receiver"]
    assert files.outcome(sender, receiver) == entry["is"]
    ours = transfers.outcome(transfers.Wish(sender), transfers.Wish(receiver))
    waits = (TransferState.OFFERED, TransferState.PAUSED)
    assert entry["is"] == ("waits" if ours in waits else "goes on" if ours is TransferState.WAITING else ours)


@named(DATA["may become"])
def test_what_a_wish_may_become(entry: Json) -> None:
    assert list(files.MAY_BECOME.get(entry["wish"], ())) == entry["next"]
    assert sorted(transfers.AFTER[transfers.Wish(entry["wish"])]) == sorted(entry["next"])


@named(DATA["HAVE"]["good"])
def test_what_receivers_have(entry: Json) -> None:
    body, offered = both_offer(binary(DATA["HAVE"]["body"]))
    manifest, runs, partial, begun = entry["fields"]
    mine = files.Have(manifest, [(first, end) for first, end in runs], partial, begun)
    ours = lane_files.Have(
        manifest, Ranges(map(tuple, runs)), None if partial == files.NONE else partial, begun
    )
    told = binary(entry["have"])
    assert mine.write() == lane_files.have(ours) == told
    assert files.read_have(told, body) == mine
    read = lane_files.read_have(told, offered)
    assert (read.manifest, list(read.held), read.partial, read.begun) == (
        ours.manifest, list(ours.held), ours.partial, ours.begun,
    )  # fmt: skip


@named(DATA["HAVE"]["refused"])
def test_what_receivers_cannot_have(entry: Json) -> None:
    body, offered = both_offer(binary(DATA["HAVE"]["body"]))
    with pytest.raises(Refused):
        files.read_have(binary(entry["have"]), body)
    with pytest.raises(RemoteProtocolError):
        lane_files.read_have(binary(entry["have"]), offered)


def spoken(lane: Json, data: bytes) -> Iterator[bytes]:
    """All that S says on a lane after HAVE."""
    for word in lane["then"]:
        yield binary(word["content"]) if "content" in word else data[word["from"] :][: word["bytes"]]


class Ours:
    """R as the program is: what the thread of a lane does with what comes, without the disk."""

    def __init__(self, offered: Offering, have: lane_files.Have, data: bytes) -> None:
        self.manifest: bytes | None = None if not have.manifest else b""
        self.placed = bytearray(offered.size)
        self.chunks = ChunkReader(offered, have.held)
        for first, end in have.held:
            at = slice(first * CHUNK, min(end * CHUNK, offered.size))
            self.placed[at] = data[at]
        if have.partial is not None:  # it came on a lane before
            self.take(lane_files.chunk(have.partial, 0))
            self.take(data[have.partial * CHUNK :][: have.begun])
        self._list = ManifestReader(offered.manifest)
        told = self.chunks.resume(manifest=have.manifest)
        assert lane_files.have(told) == lane_files.have(have)

    def take(self, word: bytes) -> None:
        if self.manifest is None:
            self.manifest = self._list.take(word)
        elif self.chunks.left:
            offset = self.chunks.data(memoryview(word))
            self.placed[offset : offset + len(word)] = word
        else:
            self.chunks.word(word)


@named(DATA["lanes"])
def test_lanes(entry: Json) -> None:
    body, offered = both_offer(binary(entry["body"]))
    data, told, manifest = content(body.size), binary(entry["have"]), binary(entry["manifest"])
    have = lane_files.read_have(told, offered)
    giver = files.Giver(binary(entry["begin"])[1:], body, manifest, data)
    assert giver.begin() == lane_files.begin(giver.id) == binary(entry["begin"])
    assert lane_files.read_begin(binary(entry["begin"])) == giver.id
    assert list(giver.answer(told)) == list(spoken(entry, data))

    chunks = {index: data[index * CHUNK :][:CHUNK] for index in range(body.chunks) if index in have.held}
    begun = b"" if have.partial is None else data[have.partial * CHUNK :][: have.begun]
    mine = files.Taker(body, manifest if have.manifest else b"", chunks)
    mine.partial, mine.begun = files.NONE if have.partial is None else have.partial, begun
    assert mine.have() == told
    ours = Ours(offered, have, data)
    for word in spoken(entry, data):
        mine.take(word)
        ours.take(word)
    assert mine.content == ours.placed == data
    assert mine.root == ours.chunks.root == files.content_root(files.hashes_of(data))
    assert mine.manifest == manifest
    assert have.manifest or ours.manifest == manifest


@named(DATA["refused words"]["lists"])
def test_words_that_are_refused(entry: Json) -> None:
    body, offered = both_offer(binary(DATA["refused words"]["body"]))
    data, has = content(body.size), DATA["refused words"]["has"]
    mine = files.Taker(body, b"is here", {index: data[index * CHUNK :][:CHUNK] for index in has})
    mine.have()
    have = lane_files.Have(manifest=True, held=Ranges((index, index + 1) for index in has))
    ours = Ours(offered, have, data)
    *before, last = map(binary, entry["words"])
    for word in before:
        mine.take(word)
        ours.take(word)
    with pytest.raises(Refused):
        mine.take(last)
    with pytest.raises(RemoteProtocolError):
        ours.take(last)


def test_every_word_is_among_the_refused() -> None:
    """None of the kinds of words has only good examples."""
    last = {bytes.fromhex(entry["words"][-1])[:1] for entry in DATA["refused words"]["lists"]}
    assert {bytes([kind]) for kind in LaneKind if kind is not LaneKind.HAVE} <= last
