"""What a person chose becomes a list and a stream, and nothing else does."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import file_limits
from messenger.core.errors import (
    FileError,
    SourceChanged,
    SourceGone,
    SourceUnreadable,
    StorageBug,
    TooManyFiles,
)
from messenger.core.file_choice import LeftOut, WhyNot
from messenger.core.file_entries import check
from messenger.storage.outgoing import (
    Outgoing,
    OutgoingReader,
    decode_sources,
    encode_sources,
    gather,
)

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files, or not for everybody")


def listed(outgoing: Outgoing) -> list[str]:
    if outgoing.entries:
        check(outgoing.entries)
    assert len(outgoing.entries) == len(outgoing.sources)
    return ["/".join(entry.path) + ("/" if entry.folder else "") for entry in outgoing.entries]


def stream(outgoing: Outgoing) -> bytes:
    with OutgoingReader(outgoing.sources) as reader:
        content = bytearray(reader.size)
        reader.read_into(0, memoryview(content))
    return bytes(content)


def test_files_and_folders_in_a_steady_order(tmp_path: Path) -> None:
    for name in ("tree/b.txt", "tree/a/deep.txt", "tree/a/empty.txt", "tree/c/d.txt", "alone.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("" if "empty" in name else name)
    (tmp_path / "tree/none").mkdir()
    os.utime(tmp_path / "alone.txt", ns=(0, 1_700_000_000_123_456_789))
    outgoing = gather([tmp_path / "tree", tmp_path / "alone.txt", tmp_path / "tree"])
    assert listed(outgoing) == [
        "tree/",
        "tree/a/",
        "tree/a/deep.txt",
        "tree/a/empty.txt",
        "tree/b.txt",
        "tree/c/",
        "tree/c/d.txt",
        "tree/none/",
        "alone.txt",
    ]
    assert stream(outgoing) == b"tree/a/deep.txttree/b.txttree/c/d.txtalone.txt"
    assert outgoing.entries[-1].modified_ms == 1_700_000_000_123
    assert outgoing.stored == len(stream(outgoing))
    assert not outgoing.left_out


def test_nothing(tmp_path: Path) -> None:
    assert gather([]).entries == ()
    assert gather([tmp_path / "missing"]).left_out == (LeftOut("missing", WhyNot.GONE),)


def test_same_names_from_different_folders(tmp_path: Path) -> None:
    for name in ("a/x.txt", "b/x.txt", "c/x.txt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(name)
    (tmp_path / "d/v1.0").mkdir(parents=True)
    (tmp_path / "e/v1.0").mkdir(parents=True)
    chosen = ["a/x.txt", "b/x.txt", "c/x.txt", "d/v1.0", "e/v1.0"]
    outgoing = gather([tmp_path / name for name in chosen])
    assert listed(outgoing) == ["x.txt", "x (2).txt", "x (3).txt", "v1.0/", "v1.0 (2)/"]
    assert stream(outgoing) == b"a/x.txtb/x.txtc/x.txt"


@posix
def test_links(tmp_path: Path) -> None:
    """Followed where a person chose them, and nowhere else."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/file").write_text("file")
    (tmp_path / "tree/out").symlink_to(tmp_path / "secret")
    (tmp_path / "tree/round").symlink_to(tmp_path / "tree")
    (tmp_path / "tree/broken").symlink_to("nowhere")
    (tmp_path / "chosen").symlink_to("secret")
    (tmp_path / "chosen tree").symlink_to("tree")
    (tmp_path / "circle").symlink_to("circle")
    outgoing = gather([tmp_path / "chosen", tmp_path / "chosen tree", tmp_path / "circle"])
    assert listed(outgoing) == ["chosen", "chosen tree/", "chosen tree/file"]
    assert outgoing.left_out == (
        LeftOut("chosen tree/broken", WhyNot.LINK),
        LeftOut("chosen tree/out", WhyNot.LINK),
        LeftOut("chosen tree/round", WhyNot.LINK),
        LeftOut("circle", WhyNot.UNREADABLE),
    )
    assert stream(outgoing) == b"secretfile"


@posix
def test_special_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(tmp_path)  # the path of a socket has at most some hundred bytes
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
        outgoing = gather([tmp_path, Path("/dev/null")])
    assert listed(outgoing) == [f"{tmp_path.name}/"]
    assert outgoing.left_out == (
        LeftOut(f"{tmp_path.name}/pipe", WhyNot.SPECIAL),
        LeftOut(f"{tmp_path.name}/socket", WhyNot.SPECIAL),
        LeftOut("null", WhyNot.SPECIAL),
    )


@pytest.fixture
def ordinary_user(tmp_path: Path) -> Callable[[Callable[[], None]], None]:
    """Runs something as somebody who may not read everything."""
    if os.name != "posix":
        pytest.skip("rights are others on Windows")

    def run(deed: Callable[[], None]) -> None:
        if os.geteuid():
            deed()
            return
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_uid == 0 and not folder.stat().st_mode & 1:
                folder.chmod(folder.stat().st_mode | 0o011)
        os.seteuid(65534)
        try:
            deed()
        finally:
            os.seteuid(0)

    return run


def test_what_cannot_be_read(tmp_path: Path, ordinary_user: Callable[[Callable[[], None]], None]) -> None:
    tree = tmp_path / "tree"
    (tree / "folder").mkdir(parents=True)
    (tree / "file").write_text("x")
    (tree / "later").write_text("x")
    for path, mode in ((tree, 0o755), (tree / "folder", 0), (tree / "file", 0), (tree / "later", 0o644)):
        path.chmod(mode)
    found: list[Outgoing] = []
    ordinary_user(lambda: found.append(gather([tree])))
    assert listed(found[0]) == ["tree/", "tree/later"]
    assert found[0].left_out == (
        LeftOut("tree/file", WhyNot.UNREADABLE),
        LeftOut("tree/folder", WhyNot.UNREADABLE),
    )
    (tree / "later").chmod(0)
    refused = pytest.raises(SourceUnreadable)

    def read() -> None:
        with refused:
            stream(found[0])

    ordinary_user(read)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have names that are text")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    for number, name in enumerate((b"caf\xe9.txt", b"caf\xe8.txt", b"\xff")):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text(str(number))
    outgoing = gather([tmp_path])
    assert [entry.path[-1] for entry in outgoing.entries[1:]] == [
        "caf\ufffd.txt",
        "caf\ufffd (2).txt",
        "\ufffd",
    ]
    assert stream(outgoing) == b"102"
    assert stream(Outgoing((), decode_sources(encode_sources(outgoing.sources)), (), 0)) == b"102"


@posix
def test_what_may_be_run(tmp_path: Path) -> None:
    (tmp_path / "program").write_text("x")
    (tmp_path / "program").chmod(0o755)
    (tmp_path / "text").write_text("x")
    (tmp_path / "text").chmod(0o644)
    runs = {entry.path[-1]: entry.executable for entry in gather([tmp_path]).entries}
    assert runs == {tmp_path.name: False, "program": True, "text": False}


def test_a_tree_that_is_too_deep(tmp_path: Path) -> None:
    deepest = tmp_path.joinpath(*["d"] * file_limits.DEPTH_MAX)
    deepest.mkdir(parents=True)
    assert len(gather([tmp_path / "d"]).entries) == file_limits.DEPTH_MAX
    (deepest / "more").touch()
    with pytest.raises(TooManyFiles):
        gather([tmp_path / "d"])


def test_a_tree_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        (tmp_path / f"{number}").write_text("12")
    monkeypatch.setattr(file_limits, "ENTRIES_MAX", 7)
    assert len(gather([tmp_path]).entries) == 7
    monkeypatch.setattr(file_limits, "FILE_SIZE_MAX", 11)
    with pytest.raises(TooManyFiles):
        gather([tmp_path])
    monkeypatch.setattr(file_limits, "FILE_SIZE_MAX", 12)
    gather([tmp_path])
    monkeypatch.setattr(file_limits, "MANIFEST_MAX", 50)
    with pytest.raises(TooManyFiles):
        gather([tmp_path])
    monkeypatch.setattr(file_limits, "ENTRIES_MAX", 6)
    with pytest.raises(TooManyFiles):
        gather([tmp_path])
    monkeypatch.setattr(file_limits, "ENTRIES_MAX", 5)
    with pytest.raises(TooManyFiles):
        gather([tmp_path])


@pytest.mark.skipif(not hasattr(os, "SEEK_DATA"), reason="this system does not tell where holes are")
def test_holes_are_not_counted(tmp_path: Path) -> None:
    size = 20 * 1024**3
    with (tmp_path / "image").open("wb") as file:
        file.truncate(size)
        file.seek(size // 2)
        file.write(b"x" * 4096)
    outgoing = gather([tmp_path / "image"])
    assert outgoing.entries[0].size == size
    assert 4096 <= outgoing.stored <= 1024 * 1024
    piece = bytearray(10)
    with OutgoingReader(outgoing.sources) as reader:
        reader.read_into(size // 2 - 5, memoryview(piece))
    assert piece == bytes(5) + b"xxxxx"


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=50), st.data())
def test_any_part_of_the_stream(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("source")
    for number, content in enumerate(contents):
        (folder / f"{number:03}").write_bytes(content)
    outgoing = gather([folder])
    whole = b"".join(contents)
    with OutgoingReader(outgoing.sources) as reader:
        assert reader.size == len(whole)
        for _ in range(5):
            begin = data.draw(st.integers(0, len(whole)))
            end = data.draw(st.integers(begin, len(whole)))
            buffer = bytearray(b"?" * (end - begin))
            reader.read_into(begin, memoryview(buffer))
            assert buffer == whole[begin:end]
        assert len(reader._open) <= file_limits.FILES_OPEN


def test_few_files_are_open_and_none_in_the_end(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number:03}").write_bytes(b"ab")
    reader = OutgoingReader(gather([tmp_path]).sources)
    buffer = memoryview(bytearray(1))
    for number in range(100):
        reader.read_into(2 * number, buffer)
    files = list(reader._open.values())
    assert len(files) == file_limits.FILES_OPEN
    reader.close()
    for file in files:
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(file)
    reader.read_into(0, buffer)
    reader.close()


def test_only_the_stream_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with OutgoingReader(gather([tmp_path]).sources) as reader:
        for offset, length in ((-1, 1), (0, 4), (3, 1)):
            with pytest.raises(StorageBug):
                reader.read_into(offset, memoryview(bytearray(length)))


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def rewrite(path: Path) -> None:
    path.write_bytes(b"z" * 1000)
    os.utime(path, ns=(0, 1_800_000_000_123_456_789))


def swap(path: Path) -> None:
    """Another file with the same size and time."""
    state = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"z" * 1000)
    os.utime(other, ns=(0, state.st_mtime_ns))
    other.replace(path)


def link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES: dict[str, tuple[Callable[[Path], object], type[FileError]]] = {
    "grown": (grow, SourceChanged),
    "cut": (lambda path: os.truncate(path, 500), SourceChanged),
    "rewritten": (rewrite, SourceChanged),
    "swapped": (swap, SourceChanged),
    "link": (link, SourceChanged),
    "pipe": (fifo, SourceChanged),
    "folder": (folder, SourceChanged),
    "gone": (Path.unlink, SourceGone),
    "folder gone": (lambda path: path.parent.rename(path.parent.with_name("elsewhere")), SourceGone),
}


@posix
@pytest.mark.parametrize(("change", "error"), CHANGES.values(), ids=CHANGES)
def test_a_changed_source_is_noticed_at_opening(
    tmp_path: Path, change: Callable[[Path], object], error: type[FileError]
) -> None:
    path = tmp_path / "folder" / "secret"
    path.parent.mkdir()
    path.write_bytes(b"x" * 1000)
    os.utime(path, ns=(0, 1_700_000_000_123_456_789))
    outgoing = gather([path])
    change(path)
    with pytest.raises(error) as caught:
        stream(outgoing)
    assert "secret" not in f"{caught.value} {outgoing.sources!r}"


@pytest.mark.parametrize("change", [grow, rewrite, lambda path: os.truncate(path, 500)])
def test_a_source_that_changes_while_it_is_read_is_noticed(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    os.utime(path, ns=(0, 1_700_000_000_123_456_789))
    with OutgoingReader(gather([path]).sources) as reader:
        reader.read_into(0, memoryview(bytearray(400)))
        change(path)
        with pytest.raises(SourceChanged):
            reader.read_into(400, memoryview(bytearray(600)))


def test_new_numbers_on_a_stick_are_no_change(tmp_path: Path) -> None:
    """Its file system makes them up whenever it looks; its times are whole seconds."""
    path = tmp_path / "file"
    path.write_bytes(b"z" * 1000)
    os.utime(path, ns=(0, 1_700_000_000_000_000_000))
    outgoing = gather([path])
    swap(path)
    assert stream(outgoing) == b"z" * 1000


def test_sources_that_cannot_be_read() -> None:
    with pytest.raises(StorageBug):
        decode_sources(b"nonsense")
