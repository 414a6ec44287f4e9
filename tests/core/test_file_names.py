"""Names of files from elsewhere: whatever they are, what comes out is safe, and honest files arrive."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messenger.core import file_limits
from messenger.core.file_entries import Entry
from messenger.core.file_names import (
    LocalName,
    folded,
    local_paths,
    numbered,
    runnable_suffix,
    safe_name,
    shown_name,
)

any_name = st.text(st.characters(exclude_categories=()), max_size=400)
tricky = st.text(
    st.sampled_from(
        'aA.. /\\:*?"<>|\0\n\u202e\u2066\u200f\u200b\u0301é\u00a0👩\u200d👧🏽🇩🇪ﬁßıK\ud800_con1COM¹$'
    ),
    max_size=300,
)
FORBIDDEN = set('<>:"/\\|?*')
DEVICES = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    "CONIN$",
    "CONOUT$",
    *(f"{d}{n}" for d in ("COM", "LPT") for n in "0123456789¹²³"),
}
TURNING = {*map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])}


def assert_safe(name: str) -> None:
    assert name
    assert name not in (".", "..")
    assert not FORBIDDEN & set(name)
    assert not TURNING & set(name)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name)
    assert name == name.strip()
    assert not name.endswith((".", " "))
    assert name.split(".", maxsplit=1)[0].strip().upper() not in DEVICES
    assert len(name.encode()) <= file_limits.FILE_NAME_MAX
    assert unicodedata.is_normalized("NFC", name)


@given(any_name | tricky)
@example("..")
@example("a" * 10_000)
@example("\u0301" * 1000)
@example("." * 1000 + "x")
@example("👩‍👩‍👧" * 100)
@example("con .tar.gz")
@example("x" * 199 + "é.pdf")
@example("a." + "é" * 300)
@example("a" * 170 + " . . . . . . . . . . . . . . . . . . . . .pdf")
def test_every_name_becomes_a_safe_one(name: str) -> None:
    safe = safe_name(name)
    assert_safe(safe)
    assert safe_name(safe) == safe
    for number in (2, 99_999):
        assert_safe(numbered(safe, number))
        assert_safe(numbered(safe, number, folder=True))
        assert safe_name(numbered(safe, number)) == numbered(safe, number)
    shown = shown_name(name)
    assert 1 <= len(shown) <= 60
    assert shown.lower().endswith(runnable_suffix(name))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Bericht März.pdf", "Bericht März.pdf"),
        ("Ma\u0308rz", "März"),
        ("日本語.txt", "日本語.txt"),
        (".gitignore", ".gitignore"),
        ("a:b", "a_b"),
        ("a.txt:stream", "a.txt_stream"),
        ("C:\\Windows\\x", "C__Windows_x"),
        ("\\\\server\\share", "__server_share"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        (" . ", "_"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("Nul .tar.gz", "_Nul .tar.gz"),
        ("COM¹", "_COM¹"),
        ("CONSOLE", "CONSOLE"),
        ("com10", "com10"),
        ("desktop.ini", "_desktop.ini"),
        ("name. . ", "name"),
        ("what?.doc", "what_.doc"),
        ("a\nb\x00c", "a_b_c"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("\u200fשלום.txt", "_שלום.txt"),
        ("می\u200cخواهم.txt", "می\u200cخواهم.txt"),
        ("👩‍👩‍👧.png", "👩‍👩‍👧.png"),
        ("half \ud83d", "half _"),
        ("10.04\u202fPM.png", "10.04\u202fPM.png"),
    ],
)
def test_names(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("x" * 300 + ".pdf", "x.pdf"),
        ("x" * 300 + ".tar.gz", "x.tar.gz"),
        ("é" * 300 + ".jpeg", "é.jpeg"),
        ("x" * 300 + "." + "y" * 100, "y"),
        ("x" * 300, "x"),
    ],
)
def test_a_long_name_keeps_its_suffix(name: str, end: str) -> None:
    safe = safe_name(name)
    assert len(safe.encode()) in (file_limits.FILE_NAME_MAX - 1, file_limits.FILE_NAME_MAX) or end == "y"
    assert safe.endswith(end) or end == "y"


@pytest.mark.parametrize("whole", ["e\u0323\u0302\u0301", "👩‍👩‍👧", "👍🏽", "🇩🇪", "❤\ufe0f", "क्षि"])
@pytest.mark.parametrize("before", range(4))
def test_a_long_name_is_cut_between_characters(whole: str, before: int) -> None:
    whole = unicodedata.normalize("NFC", whole)
    stem = safe_name("x" * before + whole * 100 + ".txt").removesuffix(".txt")[before:]
    assert stem
    assert stem == whole * (len(stem) // len(whole))


def entry(*path: str, folder: bool = False) -> Entry:
    return Entry(path, 0, 0, executable=False, folder=folder)


@given(st.lists(st.tuples(st.integers(0, 3), tricky.filter(bool), st.booleans()), min_size=1, max_size=30))
def test_local_paths_are_safe_and_each_its_own(wanted: list[tuple[int, str, bool]]) -> None:
    entries: dict[tuple[str, ...], Entry] = {}
    folders: list[tuple[str, ...]] = [()]
    for parent, name, folder in wanted:
        path = (*folders[min(parent, len(folders) - 1)], name)
        if path not in entries:
            entries[path] = entry(*path, folder=folder)
            folders += [path] if folder else []
    paths = local_paths(list(entries.values()))
    assert len({tuple(map(folded, path)) for path in paths}) == len(paths)
    assert paths == local_paths(list(entries.values()))
    where = dict(zip(entries, paths, strict=True))
    for path, local in where.items():
        assert len(path) == len(local)
        assert not local[0].startswith(".")
        assert local[:-1] == where.get(path[:-1], ())
        for name in local:
            assert_safe(name)


def test_clashes_get_numbers() -> None:
    names = [
        "Makefile",
        "makefile",
        "a:b",
        "a?b",
        "a_b",
        "M\u00e4rz.pdf",
        "Ma\u0308rz.pdf",
        "MÄRZ.pdf",
        "ﬁx",
        "FIX",
    ]
    assert [path[0] for path in local_paths([entry(name) for name in names])] == [
        "Makefile",
        "makefile (2)",
        "a_b",
        "a_b (2)",
        "a_b (3)",
        "März.pdf",
        "März (2).pdf",
        "MÄRZ (3).pdf",
        "ﬁx",
        "FIX (2)",
    ]


def test_what_is_in_a_renamed_folder_moves_with_it() -> None:
    entries = [
        entry("a", folder=True),
        entry("A", folder=True),
        entry("A", "x"),
        entry("a", "x"),
        entry("a (2)"),
    ]
    assert local_paths(entries) == [("a",), ("A (2)",), ("A (2)", "x"), ("a", "x"), ("a (2) (2)",)]


def test_nothing_outermost_is_hidden() -> None:
    entries = [entry(".ssh", folder=True), entry(".ssh", ".config"), entry(".profile")]
    assert local_paths(entries) == [("_ssh",), ("_ssh", ".config"), ("_profile",)]


def test_many_clashes_take_no_time_each() -> None:
    """Looking through the numbers from 2 on for each of them would take hours."""
    letters = [(c, c.upper()) for c in "abcdefghijklmnopq"]
    names = ["".join(pair[number >> bit & 1] for bit, pair in enumerate(letters)) for number in range(2**16)]
    paths = local_paths([entry(name) for name in names])
    assert len({folded(path[0]) for path in paths}) == len(names)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("report.pdf", "report (2).pdf"),
        ("a.tar.gz", "a (2).tar.gz"),
        (".profile", ".profile (2)"),
        ("x", "x (2)"),
    ],
)
def test_numbers(name: str, other: str) -> None:
    assert numbered(LocalName(name), 2) == other


def test_the_number_of_a_folder_stands_at_the_end() -> None:
    assert numbered(LocalName("v1.0"), 2, folder=True) == "v1.0 (2)"


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a.exe", ".exe"),
        ("a.pdf.EXE", ".exe"),
        ("a.exe. ", ".exe"),
        ("a.pdf" + " " * 100 + ".scr", ".scr"),
        ("run.sh", ".sh"),
        ("a.lnk", ".lnk"),
        ("a.pdf", ""),
        ("disk.IMG", ".img"),
        ("a.SettingContent-ms", ".settingcontent-ms"),
        ("add on.msixbundle", ".msixbundle"),
        ("report.docm", ""),
        ("things.tar.gz", ""),
        ("firmware.bin", ""),
        ("exe", ""),
        ("gpj\u202eexe.jpg", ""),
    ],
)
def test_what_a_system_would_run(name: str, suffix: str) -> None:
    assert runnable_suffix(name) == suffix


@pytest.mark.parametrize(
    "name", ["x" * 100 + ".exe", "invoice.pdf" + " " * 150 + ".exe", "a\u202efdp" * 20 + ".exe"]
)
def test_the_real_suffix_is_shown(name: str) -> None:
    for most in (20, 60):
        shown = shown_name(name, most)
        assert len(shown) <= most
        assert shown.endswith(".exe")
    assert shown_name("a  b.txt") == "a b.txt"
