"""Section 17: what is offered, what both want, and what is said on a lane.

BLAKE3 itself is that of the `blake3` package, as X-Wing's parts are those of other libraries.
"""

from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, field
from typing import Any, Final

import msgspec
from blake3 import blake3

from tests.independent.primitives import Reader, Refused, check, number, same

CHUNK: Final = 4194304
SIZE_MAX: Final = 2**53
BODY_MAX: Final = 38021
MANIFEST_MAX: Final = 33554432
RUNS_MAX: Final = 8192
NONE: Final = 2**32 - 1
PIECE: Final = 262144

BEGIN, HAVE, MANIFEST, CHUNK_OF, END, FINISH = range(1, 7)
OPEN, GO, PAUSED, CANCELLED, DECLINED, FAILED, DONE = range(1, 8)
OF_SENDER: Final = (GO, PAUSED, CANCELLED, FAILED)
MAY_BECOME: Final = {
    OPEN: (GO, CANCELLED, DECLINED, FAILED),
    GO: (PAUSED, CANCELLED, FAILED, DONE),
    PAUSED: (GO, CANCELLED, FAILED, DONE),
}


def derive(context: str, x: bytes) -> bytes:
    """hash(context, x)."""
    return blake3(x, derive_key_context=context).digest()


def _list(x: object) -> list[Any]:
    check(isinstance(x, list), "array")
    return x if isinstance(x, list) else []


def _whole(x: object, most: int, least: int = 0) -> None:
    check(type(x) is int and least <= x <= most, "number")


def _unpacked(data: bytes) -> list[Any]:
    try:
        return _list(msgspec.msgpack.decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("no MessagePack") from error


# --- 17.1


@dataclass(frozen=True)
class Body:
    """`body` of an Offer."""

    names: list[str]
    tops: int
    files: int
    folders: int
    size: int
    root: bytes
    manifest: int
    media: int = 0
    thumbnail: bytes = b""

    def check(self) -> None:
        """Refuse what is out of bounds."""
        names = _list(self.names)
        check(1 <= len(names) <= 5, "names")
        check(all(type(name) is str and 1 <= len(name) <= 255 for name in names), "name")
        for count in (self.files, self.folders, self.tops):
            _whole(count, 100_000)
        check(len(names) <= self.tops <= self.files + self.folders <= 100_000, "numbers that do not fit")
        _whole(self.size, SIZE_MAX)
        check(self.files > 0 or self.size == 0, "bytes of no file")
        check(type(self.root) is bytes and len(self.root) == 32, "root")
        _whole(self.manifest, MANIFEST_MAX, 1)
        _whole(self.media, 255)
        check(type(self.thumbnail) is bytes and len(self.thumbnail) <= 32768, "thumbnail")

    @property
    def chunks(self) -> int:
        """How many there are."""
        return (self.size + CHUNK - 1) // CHUNK

    def chunk(self, index: int) -> int:
        """Bytes of one."""
        return min(CHUNK, self.size - index * CHUNK)


def write_body(body: Body) -> bytes:
    """The body of an Offer."""
    body.check()
    return msgspec.msgpack.encode(astuple(body))


def read_body(data: bytes) -> Body:
    """What `write_body` wrote, perhaps in a later version."""
    check(len(data) <= BODY_MAX, "too long")
    fields = _unpacked(data)[:9]
    check(len(fields) >= 8, "a field is missing")
    body = Body(*fields)
    body.check()
    return body


@dataclass(frozen=True)
class Entry:
    """A file or folder of a manifest."""

    path: list[str]
    size: int = 0
    modified: int = 0
    executable: bool = False
    folder: bool = False

    def check(self) -> None:
        """Refuse what is out of bounds."""
        path = _list(self.path)
        check(1 <= len(path) <= 32, "depth")
        for name in path:
            check(type(name) is str and 1 <= len(name.encode()) <= 1024, "name")
            check(name not in (".", "..") and not set(name) & {"/", "\0"}, "a name that no file has")
        _whole(self.size, SIZE_MAX)
        _whole(self.modified, 253402300799999)
        check(type(self.executable) is bool and type(self.folder) is bool, "bool")
        check(not (self.folder and (self.size or self.executable)), "a folder with content")


def write_manifest(entries: list[Entry]) -> bytes:
    """The one form of a list."""
    check(1 <= len(entries) <= 100_000, "entries")
    places: dict[tuple[str, ...], bool] = {(): True}
    for entry in entries:
        entry.check()
        path = tuple(entry.path)
        check(places.get(path[:-1], False) and path not in places, "in no folder, or twice")
        places[path] = entry.folder
    return msgspec.msgpack.encode([astuple(entry) for entry in entries])


def read_manifest(data: bytes, body: Body) -> list[Entry]:
    """The list of an offer."""
    check(len(data) == body.manifest and derive("sotto/1 manifest", data) == body.root, "another list")
    entries: list[Entry] = []
    for fields in _unpacked(data):
        check(len(_list(fields)) == 5, "fields")
        entries.append(Entry(*fields))
    check(write_manifest(entries) == data, "another form")
    folders = sum(entry.folder for entry in entries)
    told = (len(entries) - folders, folders, sum(entry.size for entry in entries))
    check(told == (body.files, body.folders, body.size), "not what was offered")
    return entries


def offered(entries: list[Entry]) -> tuple[Body, bytes]:
    """What an Offer of files says of them, and their manifest."""
    manifest = write_manifest(entries)
    tops = [entry.path[0][:255] for entry in entries if len(entry.path) == 1]
    folders = sum(entry.folder for entry in entries)
    size = sum(entry.size for entry in entries)
    root = derive("sotto/1 manifest", manifest)
    return (
        Body(tops[:5], len(tops), len(entries) - folders, folders, size, root, len(manifest)),
        manifest,
    )


def chunk_hash(data: bytes) -> bytes:
    """Of one chunk."""
    return derive("sotto/1 chunk", data)


def content_root(hashes: list[bytes]) -> bytes:
    """Of the content, from the hashes of its chunks."""
    return derive("sotto/1 content", b"".join(hashes))


def hashes_of(content: bytes) -> list[bytes]:
    """Of its chunks, in order."""
    return [chunk_hash(content[at : at + CHUNK]) for at in range(0, len(content), CHUNK)]


# --- 17.2


def outcome(sender: int, receiver: int) -> str:
    """What comes of both wishes."""
    for wish, name in ((DONE, "done"), (FAILED, "failed"), (DECLINED, "declined"), (CANCELLED, "cancelled")):
        if wish in (sender, receiver):
            return name
    return "waits" if {OPEN, PAUSED} & {sender, receiver} else "goes on"


# --- 17.3


@dataclass(frozen=True)
class Have:
    """What a receiver has."""

    manifest: bool
    runs: list[tuple[int, int]]
    partial: int = NONE
    begun: int = 0

    def write(self) -> bytes:
        """The word."""
        head = number(HAVE, 1) + number(self.manifest, 1) + number(self.partial, 4) + number(self.begun, 4)
        return head + b"".join(number(first, 4) + number(end, 4) for first, end in self.runs)

    def has(self, index: int) -> bool:
        """Whether a chunk is among them."""
        return any(first <= index < end for first, end in self.runs)


def read_have(content: bytes, body: Body) -> Have:
    """What a receiver has of this offer."""
    reader = Reader(content)
    check(reader.number(1) == HAVE, "no HAVE")
    manifest, partial, begun = reader.number(1), reader.number(4), reader.number(4)
    pairs = reader.rest()
    check(manifest <= 1 and len(pairs) % 8 == 0 and len(pairs) // 8 <= RUNS_MAX, "HAVE")
    numbers = [int.from_bytes(pairs[at : at + 4], "big") for at in range(0, len(pairs), 4)]
    runs = list(zip(numbers[::2], numbers[1::2], strict=True))
    last = -1
    for first, end in runs:
        check(last < first < end <= body.chunks, "runs")
        last = end
    have = Have(bool(manifest), runs, partial, begun)
    if partial == NONE:
        check(begun == 0, "a part of nothing")
    else:
        check(partial < body.chunks and not have.has(partial), "no such part")
        check(1 <= begun <= body.chunk(partial), "more than there is")
    return have


@dataclass(frozen=True)
class Giver:
    """S: has the files."""

    id: bytes
    body: Body
    manifest: bytes
    content: bytes

    def begin(self) -> bytes:
        """The first word."""
        return number(BEGIN, 1) + self.id

    def answer(self, told: bytes, piece: int = PIECE) -> Iterator[bytes]:
        """The contents of all PACKETs after HAVE; CLOSE is next."""
        have = read_have(told, self.body)
        if not have.manifest:
            for at in range(0, len(self.manifest), piece):
                yield number(MANIFEST, 1) + self.manifest[at : at + piece]
        for index in range(self.body.chunks):
            if not have.has(index):
                start = have.begun if index == have.partial else 0
                yield number(CHUNK_OF, 1) + number(index, 4) + number(start, 4)
                data = self.content[index * CHUNK : (index + 1) * CHUNK]
                for at in range(start, len(data), piece):
                    yield data[at : at + piece]
                yield number(END, 1) + chunk_hash(data)
        yield number(FINISH, 1) + content_root(hashes_of(self.content))


@dataclass
class Taker:
    """R: wants the files. It may be given to the next lane; what has come is kept."""

    body: Body
    manifest: bytes = b""
    chunks: dict[int, bytes] = field(default_factory=dict)
    partial: int = NONE
    begun: bytes = b""
    root: bytes = b""
    _next: Callable[[bytes], None] = field(init=False)

    def have(self) -> bytes:
        """A lane begins."""
        self.root = b""
        runs: list[tuple[int, int]] = []
        for index in sorted(self.chunks):
            if runs and runs[-1][1] == index:
                runs[-1] = (runs[-1][0], index + 1)
            else:
                runs.append((index, index + 1))
        if not self.begun:
            self.partial = NONE
        self._next = self._on_word if self.manifest else self._on_manifest
        self._collected = b""
        return Have(bool(self.manifest), runs, self.partial, len(self.begun)).write()

    def take(self, content: bytes) -> None:
        """The content of a PACKET."""
        check(len(content) > 0, "nothing")
        self._next(content)

    @property
    def content(self) -> bytes:
        """All of it."""
        return b"".join(self.chunks[index] for index in range(self.body.chunks))

    def _on_manifest(self, content: bytes) -> None:
        check(content[0] == MANIFEST and len(content) > 1, "no MANIFEST")
        self._collected += content[1:]
        check(len(self._collected) <= self.body.manifest, "too long a list")
        if len(self._collected) == self.body.manifest:
            read_manifest(self._collected, self.body)
            self.manifest = self._collected
            self._next = self._on_word

    def _on_word(self, content: bytes) -> None:
        reader = Reader(content)
        kind = reader.number(1)
        check(not self.root, "after the end")
        if kind == CHUNK_OF:
            index, start = reader.number(4), reader.number(4)
            reader.done()
            check(index < self.body.chunks and index not in self.chunks, "not asked for")
            check(start == 0 or (index, start) == (self.partial, len(self.begun)), "another part")
            self.partial, self.begun = index, self.begun[:start]
            self._next = self._on_data if start < self.body.chunk(index) else self._on_end
            return
        check(kind == FINISH and len(self.chunks) == self.body.chunks, "out of turn")
        root = reader.take(32)
        reader.done()
        check(same(root, content_root(hashes_of(self.content))), "another root")
        self.root = root

    def _on_data(self, content: bytes) -> None:
        self.begun += content
        check(len(self.begun) <= self.body.chunk(self.partial), "beyond its end")
        if len(self.begun) == self.body.chunk(self.partial):
            self._next = self._on_end

    def _on_end(self, content: bytes) -> None:
        reader = Reader(content)
        check(reader.number(1) == END, "no END")
        hash_ = reader.take(32)
        reader.done()
        check(same(hash_, chunk_hash(self.begun)), "another hash")
        self.chunks[self.partial] = self.begun
        self.partial, self.begun, self._next = NONE, b"", self._on_word
