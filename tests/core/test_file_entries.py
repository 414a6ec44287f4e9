"""Lists of files: one form, hard bounds, and nothing that no real tree has."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import file_limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.core.file_entries import Entry, check, decode, encode, spans, starts, total


def file(*path: str, size: int = 0, executable: bool = False) -> Entry:
    return Entry(path, size, 0, executable=executable, folder=False)


def folder(*path: str) -> Entry:
    return Entry(path, 0, 0, executable=False, folder=True)


names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=20
).filter(lambda name: name not in (".", ".."))


@st.composite
def trees(draw: st.DrawFn) -> list[Entry]:
    entries: dict[tuple[str, ...], Entry] = {}
    folders: list[tuple[str, ...]] = [()]
    for name in draw(st.lists(names, min_size=1, max_size=20)):
        path = (*draw(st.sampled_from(folders)), name)
        if path in entries or len(path) > file_limits.DEPTH_MAX:
            continue
        is_folder = draw(st.booleans())
        size = 0 if is_folder else draw(st.integers(0, 1000))
        modified = draw(st.integers(0, file_limits.MODIFIED_MAX))
        runs = not is_folder and draw(st.booleans())
        entries[path] = Entry(path, size, modified, executable=runs, folder=is_folder)
        if is_folder:
            folders.append(path)
    return list(entries.values())


@given(trees())
def test_what_is_encoded_is_decoded(entries: list[Entry]) -> None:
    data = encode(entries)
    assert decode(data) == tuple(entries)
    assert decode(memoryview(data)) == tuple(entries)


@given(trees(), st.data())
def test_there_is_one_form_and_one_error(entries: list[Entry], data: st.DataObject) -> None:
    good = bytearray(encode(entries))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode(bytes(good))
    except RemoteProtocolError:
        return
    assert encode(decoded) == good


@given(st.binary(max_size=200))
def test_garbage_gives_one_error(data: bytes) -> None:
    try:
        decode(data)
    except RemoteProtocolError:
        return
    assert encode(decode(data)) == data


def deep(names: int) -> list[Entry]:
    path = tuple("d" for _ in range(names))
    return [folder(*path[:depth]) for depth in range(1, names + 1)]


WRONG = {
    "nothing": [],
    "up": [file("..")],
    "here": [file(".")],
    "no name": [file("")],
    "slash": [file("a/b")],
    "absolute": [file("/etc")],
    "nul": [file("a\0")],
    "up in a folder": [folder("a"), file("a", "..")],
    "up as a folder": [folder(".."), file("..", "a")],
    "no path": [file()],
    "too deep": deep(file_limits.DEPTH_MAX + 1),
    "ten thousand names": [folder(*("a" for _ in range(10_000)))],
    "twice": [file("a"), file("a")],
    "file and folder": [file("a"), folder("a")],
    "in a file": [file("a"), file("a", "b")],
    "in nothing": [file("a", "b")],
    "before its folder": [file("a", "b"), folder("a")],
    "folder with size": [Entry(("a",), 1, 0, executable=False, folder=True)],
    "folder that runs": [Entry(("a",), 0, 0, executable=True, folder=True)],
    "too much": [file("a", size=file_limits.FILE_SIZE_MAX), file("b", size=1)],
    "long name": [file("é" * (file_limits.WIRE_NAME_MAX // 2 + 1))],
    "long ascii name": [file("a" * (file_limits.WIRE_NAME_MAX + 1))],
}


@pytest.mark.parametrize("entries", WRONG.values(), ids=WRONG)
def test_what_no_real_tree_has_is_refused(entries: list[Entry]) -> None:
    with pytest.raises(RemoteProtocolError):
        check(entries)
    with pytest.raises(RemoteProtocolError):
        decode(msgspec.msgpack.encode(entries))
    with pytest.raises(LocalProtocolError):
        encode(entries)


def test_a_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        check([file("\ud800")])
    with pytest.raises(LocalProtocolError):
        encode([file("\ud800")])


@pytest.mark.parametrize(
    "fields",
    [
        [["a"], -1, 0, False, False],
        [["a"], file_limits.FILE_SIZE_MAX + 1, 0, False, False],
        [["a"], 0, -1, False, False],
        [["a"], 0, file_limits.MODIFIED_MAX + 1, False, False],
        [["a"], 0, 0, 1, False],
        [["a"], 0, 0, False],
        [["a"], 0, 0, False, False, 0],
        [["a"], 0.0, 0, False, False],
        [[b"a"], 0, 0, False, False],
    ],
    ids=str,
)
def test_fields_outside_of_their_bounds_are_refused(fields: list[object]) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(msgspec.msgpack.encode([fields]))


def test_another_form_is_refused() -> None:
    data = encode([file("a", size=5)])
    assert data.count(b"\x05") == 1  # the size
    longer = data.replace(b"\x05", b"\xcc\x05")
    assert msgspec.msgpack.decode(longer) == msgspec.msgpack.decode(data)
    for wrong in (longer, data + b"\0", b""):
        with pytest.raises(RemoteProtocolError):
            decode(wrong)


def test_a_short_text_cannot_ask_for_much_memory() -> None:
    for wrong in (
        b"\xdd\xff\xff\xff\xff",
        b"\x91\x95\xdd\xff\xff\xff\xff",
        b"\x91\x95\x91\xdb\xff\xff\xff\xff",
    ):
        with pytest.raises(RemoteProtocolError):
            decode(wrong)


def test_the_most_that_a_list_may_have() -> None:
    entries = [file(f"{number}") for number in range(file_limits.ENTRIES_MAX)]
    assert len(decode(encode(entries))) == file_limits.ENTRIES_MAX
    with pytest.raises(LocalProtocolError):
        encode([*entries, file("more")])
    long = "x" * (file_limits.WIRE_NAME_MAX - 8)
    with pytest.raises(LocalProtocolError, match="too long"):
        encode([file(f"{long}{number}") for number in range(file_limits.MANIFEST_MAX // len(long))])
    with pytest.raises(RemoteProtocolError, match="too long"):
        decode(bytes(file_limits.MANIFEST_MAX + 1))
    assert len(decode(encode(deep(file_limits.DEPTH_MAX)))) == file_limits.DEPTH_MAX


def test_no_name_shows_in_logs() -> None:
    assert "secret" not in repr(file("secret", size=3))
    with pytest.raises(RemoteProtocolError) as caught:
        check([file("secret/plan")])
    assert "secret" not in f"{caught.value!r}"


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.data())
def test_spans_cover_a_part_exactly(sizes: list[int], data: st.DataObject) -> None:
    entries = [file(str(number), size=size) for number, size in enumerate(sizes)]
    stream = [(number, at) for number, size in enumerate(sizes) for at in range(size)]
    begins = starts(sizes)
    assert begins[-1] == total(entries) == len(stream)
    offset = data.draw(st.integers(0, len(stream)))
    length = data.draw(st.integers(0, len(stream) - offset))
    covered: list[tuple[int, int]] = []
    for span in spans(begins, offset, length):
        assert span.begin == len(covered) < span.end
        covered += [(span.entry, span.inside + at) for at in range(span.end - span.begin)]
    assert covered == stream[offset : offset + length]
