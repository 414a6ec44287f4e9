"""Names of files from elsewhere, made safe on one road.

What no system can have (``..``, a slash, a NUL) has been refused with the whole list by
`messenger.core.file_entries.check`. What some system takes and another does not (``a:b``, ``CON``,
a trailing dot, 255 bytes) is replaced here, so that the files of honest people always arrive.
Whatever is done is done the same way again, so that a transfer finds its files after a restart.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NewType

from messenger.core import file_limits
from messenger.core.file_entries import Entry

LocalName = NewType("LocalName", str)
"""The name of a file that is safe on every system, made by `safe_name`."""

_UNSAFE: Final = re.compile(
    r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*'
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"  # unseen, turning
    "\ud800-\udfff\ufff0-\ufffb\ufffe\uffff"  # no characters at all
    "\uf000-\uf07f"  # what some file systems keep for the forbidden ones
    "\U000e0000-\U000e007f]"
)
_ORDINARY: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_ .()+,-]{0,150}[A-Za-z0-9_)+-])?")
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(?:\..*)?"  # devices of Windows
    r"|desktop\.ini|thumbs\.db|autorun\.inf",  # what Windows reads when it shows a folder
    re.IGNORECASE | re.DOTALL,
)
_SPACES: Final = "".join(c for c in map(chr, range(0x3001)) if c.isspace())
_UNSEEN: Final = re.compile("[\u034f\u200c\u200d\ufe00-\ufe0f]")
_JOINER: Final = "\u200d"
_SKIN: Final = range(0x1F3FB, 0x1F400)
_FLAG: Final = range(0x1F1E6, 0x1F200)
_NOTHING: Final = "_"
_DOT: Final = "."
_ARCHIVE: Final = ".tar"

_RUNNABLE: Final = re.compile(
    r"app|appimage|appinstaller|application|applescript|appref-ms|appx|appxbundle|bash|bat|chm|cmd|com|command"
    r"|cpl|csh|deb|deskthemepack|desktop|diagcab|dll|dmg|exe|fileloc|flatpak|flatpakref|flatpakrepo|gadget|hta"
    r"|img|inetloc|inf|iso|jar|jnlp|js|jse|ksh|library-ms|lnk|mpkg|ms[cipt]|msix|msixbundle|msu|pif|pkg|pl"
    r"|prefpane|ps1|psm1|pyw?|pyzw?|rb|reg|rpm|run|scf|scptd?|scr|sct|searchconnector-ms|settingcontent-ms|sh"
    r"|snap|sys|terminal|theme|themepack|tool|url|vb|vb[es]|vhdx?|webloc|website|workflow|ws[cfh]?|xll|zsh"
)
"""What some desktop runs, installs, mounts or follows when it is opened. What it only shows, or knows nothing
of, is not among them, or people would learn to press the button: documents whose programs ask themselves
before they run what is in them, archives, and ``.bin``, which is any data and opened by no desktop."""


def safe_name(name: str) -> LocalName:
    """Make a name that every system takes, and that leads nowhere else; never fails.

    Normalises to NFC; puts ``_`` for separators, ``<>:"|?*``, controls, and format characters that
    are not seen or change the direction; drops white space around it and dots behind it; puts ``_``
    before the names of devices; cuts to `file_limits.FILE_NAME_MAX` bytes of UTF-8 between whole
    characters, out of what is before the suffix.

    Args:
        name: One name of a path, as anybody may have told it.
    """
    if _ORDINARY.fullmatch(name) and not _RESERVED.fullmatch(name):
        return LocalName(name)
    if len(name) > file_limits.WIRE_NAME_MAX:  # normalising takes long when there is much to sort
        name = name[: file_limits.WIRE_NAME_MAX] + name[-file_limits.SUFFIX_MAX :]
    plain = _UNSAFE.sub(_NOTHING, unicodedata.normalize("NFC", name))
    plain = plain.strip(_SPACES).rstrip(_SPACES + _DOT) or _NOTHING
    if _RESERVED.fullmatch(plain):
        plain = _NOTHING + plain
    stem, suffix = _parted(plain)
    return _joined(stem, "", suffix)


def local_paths(entries: Sequence[Entry]) -> list[tuple[LocalName, ...]]:
    """Where the entries of a checked list go below the folder that they come into; always the same.

    No two have the same path, whatever case or form of Unicode the system distinguishes; and no
    outermost one begins with a dot.
    """
    folders: dict[tuple[str, ...], tuple[LocalName, ...]] = {(): ()}
    taken: dict[tuple[tuple[LocalName, ...], str], int] = {}
    paths: list[tuple[LocalName, ...]] = []
    for entry in entries:
        parent = folders[entry.path[:-1]]
        name = safe_name(entry.path[-1])
        if not parent and name.startswith(_DOT):  # hidden, and read by programs if that folder is a home
            name = LocalName(_NOTHING + name[1:])
        path = (*parent, _free(name, parent, taken, folder=entry.folder))
        if entry.folder:
            folders[entry.path] = path
        paths.append(path)
    return paths


def _free(
    name: LocalName,
    parent: tuple[LocalName, ...],
    taken: dict[tuple[tuple[LocalName, ...], str], int],
    *,
    folder: bool,
) -> LocalName:
    """A name that is not taken in its folder yet, and take it; a taken one keeps the number it got to."""
    key = parent, folded(name)
    number, free = taken.get(key, 0), name
    while number:
        number += 1
        free = numbered(name, number, folder=folder)
        if (parent, folded(free)) not in taken:
            taken[key] = number
            break
    taken[parent, folded(free)] = 1
    return free


def numbered(name: LocalName, number: int, *, folder: bool = False) -> LocalName:
    """Another name for something whose name is taken: ``report (2).pdf``, for a folder ``v1.0 (2)``."""
    stem, suffix = (name, "") if folder else _parted(name)
    return _joined(stem, f" ({number})", suffix)


def folded(name: str) -> str:
    """What two names share that some system takes for one: case, forms of Unicode, characters unseen."""
    if name.isascii():
        return name.lower()
    plain = _UNSEEN.sub("", unicodedata.normalize("NFC", name)).casefold().upper().casefold()
    return unicodedata.normalize("NFC", plain)


def runnable_suffix(name: str) -> str:
    """The suffix by which a system would run a file, with its dot and in lower case; empty for none."""
    _, dot, suffix = safe_name(name).lower().rpartition(_DOT)
    return dot + suffix if dot and _RUNNABLE.fullmatch(suffix) else ""


def shown_name(name: str, most: int = 60) -> str:
    """A name in one line for people; what is cut is cut out of the middle, so that the real suffix shows.

    Args:
        name: Of anybody.
        most: Characters.
    """
    line = " ".join(safe_name(name).split())
    if len(line) <= most:
        return line
    tail = min(most // 2, max(len(_parted(line)[1]) + 4, most // 3))
    return f"{line[: most - tail - 1]}…{line[-tail:]}"


def _parted(name: str) -> tuple[str, str]:
    """What is before the suffix, and the suffix with its dot; a long one, or a whole name, is none."""
    stem, dot, suffix = name.rpartition(_DOT)
    if not stem or len(suffix.encode()) >= file_limits.SUFFIX_MAX:
        return name, ""
    if stem.lower().endswith(_ARCHIVE) and len(stem) > len(_ARCHIVE):
        stem, dot = stem[: -len(_ARCHIVE)], stem[-len(_ARCHIVE) :] + dot
    return stem, dot + suffix


def _joined(stem: str, number: str, suffix: str) -> LocalName:
    """Put a name together; the stem is cut to what fits, before a whole character."""
    room = file_limits.FILE_NAME_MAX - len((number + suffix).encode())
    if len(stem.encode()) > room:
        stem = _cut(stem, room).rstrip(_SPACES + _DOT) or _NOTHING
    return LocalName(f"{stem}{number}{suffix}")


def _cut(text: str, most: int) -> str:
    """The beginning of a text that has at most so many bytes, and does not end inside of a character."""
    short = text.encode()[:most].decode(errors="ignore")
    end = len(short)
    while end and _joins(text, end):
        end -= 1
    return text[:end] if end else short


def _joins(text: str, at: int) -> bool:
    """Whether what stands before and behind a place makes one character for people."""
    before, behind = text[at - 1], text[at]
    if _JOINER in (before, behind) or ord(behind) in _SKIN or unicodedata.category(behind)[0] == "M":
        return True
    if ord(before) not in _FLAG or ord(behind) not in _FLAG:
        return False
    start = at
    while start and ord(text[start - 1]) in _FLAG:
        start -= 1
    return (at - start) % 2 == 1
