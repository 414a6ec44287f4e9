"""Programs that try what a whole engine does on a disk that is full, at several moments of each command.

``python -m tests.helpers.full_engine PROGRAM FOLDER KEY`` runs one of `PROGRAMS` under ``unshare -rm``: each
mounts a small file system of its own over the folder, and prints one line for each thing that it tried. The
room that is left decides in which step a command meets the end of the disk.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from messenger.core.errors import SottoError
from messenger.core.models import ExportForm, SearchQuery
from messenger.crypto import keystore
from messenger.engine.engine import Engine
from messenger.storage.store import Store
from messenger.text.export import export_words
from tests.helpers import old_databases
from tests.helpers.engines import DATABASE, prepare
from tests.helpers.keys import make_profile
from tests.helpers.storage import add_contact, add_theirs, file_system, report

COUNT: Final = 200
_PAGE: Final = 4096
_OURS: Final = {
    "root.key", "identity.key", "lock", "generation", DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"
}  # fmt: skip


def _leave(folder: Path, room: int) -> None:
    """Take all room but so many bytes."""
    filling = folder / "filling"
    with filling.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(_PAGE))
        except OSError:
            pass
    os.truncate(filling, max(filling.stat().st_size - room, 0))


def _make_room(folder: Path) -> None:
    (folder / "filling").unlink()


def _left(folder: Path) -> list[str]:
    """What lies in a profile besides what belongs there."""
    return sorted(path.name for path in folder.iterdir() if path.is_file() and path.name not in _OURS)


def _engine(folder: Path) -> Engine:
    return Engine(folder, lambda _event: None)


async def _outcome(what: str, command: Awaitable[object]) -> bool:
    """Try something, and say how it went."""
    try:
        await command
    except SottoError as e:
        report(f"{what} {type(e).__name__}")
        return False
    report(f"{what} fine")
    return True


async def _look(folder: Path, passphrase: str | None = None) -> None:
    """Open a profile and say what is in it."""
    engine = _engine(folder)
    await engine.open(passphrase)
    conversations = await engine.conversations()
    held = [len(await engine.messages(each.id, count=COUNT + 1)) for each in conversations]
    found = len((await engine.find(SearchQuery(text="word"), count=COUNT + 1)).messages)
    report(f"{(await engine.me()).name} {held} {found}")
    await engine.stop()


def _history(folder: Path) -> None:
    prepare(folder, "alice")
    store = Store.open(folder / DATABASE, keystore.unlock(folder).db_key)
    contact = add_contact(store)
    with store.transaction():
        for number in range(1, COUNT + 1):
            add_theirs(store, contact.id, number, f"word {number} " + "x" * 500)
    store.close()


async def set_up(folder: Path) -> None:
    """Somebody new."""
    for room in (0, 20):
        _leave(folder, room * _PAGE)
        engine = _engine(folder / "new")
        await _outcome("setting up", engine.create("Alice", "words", keyring=False))
        await _outcome("again", engine.create("Alice", "words", keyring=False))
        report(f"{await engine.status()} {_left(folder / 'new')}")
        _make_room(folder)
        await _outcome("with room", engine.create("Alice", "words", keyring=False))
        await engine.stop()
        await _look(folder / "new", "words")
        shutil.rmtree(folder / "new")


async def protect(folder: Path) -> None:
    """A passphrase is set; the copies of the keys beside the backups follow when there is room."""
    profile = folder / "profile"
    _history(profile)
    engine = _engine(profile)
    await engine.open()
    await engine.back_up()
    _leave(folder, 0)
    await _outcome("setting", engine.set_passphrase("words"))
    report(f"{(await engine.me()).protection} {_left(profile)}")
    _make_room(folder)
    await _outcome("with room", engine.set_passphrase("words"))
    _leave(folder, 0)
    await _outcome("changing", engine.set_passphrase("others", "words"))
    await _outcome("removing", engine.remove_passphrase("words", keyring=False))
    _make_room(folder)
    await engine.stop()
    await _look(profile, "words")


async def export(folder: Path) -> None:
    """A profile, and a conversation, into files that are there already."""
    profile, out, chat = folder / "profile", folder / "out.sotto", folder / "chat.html"
    _history(profile)
    out.write_bytes(b"before")
    chat.write_bytes(b"before")
    engine = _engine(profile)
    await engine.open()
    contact = (await engine.conversations())[0].contact
    for room in (0, 30, 120):
        _leave(folder, room * _PAGE)
        await _outcome("export", engine.export_profile(out, "words"))
        if room == 0:
            words = export_words(contact)
            await _outcome(
                "conversation", engine.export_conversation(contact.id, chat, ExportForm.HTML, words)
            )
        report(f"{out.read_bytes().decode()} {chat.read_bytes().decode()} {_left(profile)} {_left(folder)}")
        _make_room(folder)
    await _outcome("with room", engine.export_profile(out, "words"))
    await engine.stop()
    await _look(profile)


async def import_(folder: Path) -> None:
    """A profile out of a file."""
    profile, new, out = folder / "profile", folder / "new", folder / "out.sotto"
    _history(profile)
    engine = _engine(profile)
    await engine.open()
    await engine.export_profile(out, "words")
    await engine.stop()
    shutil.rmtree(profile)
    for room in (0, 130):
        _leave(folder, room * _PAGE)
        engine = _engine(new)
        await _outcome("import", engine.import_profile(out, "words", "others"))
        report(f"{await engine.status()} {_left(new)}")
        _make_room(folder)
        await _outcome("with room", engine.import_profile(out, "words", "others"))
        await engine.stop()
        await _look(new, "others")
        shutil.rmtree(new)


async def migrate(folder: Path) -> None:
    """A profile of an earlier version, with room for the copy and none for the change."""
    profile = folder / "profile"
    for room in (0, 55):
        key = make_profile(profile, "alice").db_key
        old_databases.make(profile / DATABASE, key, 1)
        _leave(folder, room * _PAGE)
        engine = _engine(profile)
        await _outcome("opening", engine.open())
        await engine.stop()
        report(f"{_left(profile)}")
        _make_room(folder)
        engine = _engine(profile)
        await _outcome("with room", engine.open())
        report(f"{len(await engine.conversations())} {_left(profile)}")
        await engine.stop()
        shutil.rmtree(profile)


PROGRAMS: Final[dict[str, Callable[[Path], Awaitable[None]]]] = {
    function.__name__: function for function in (set_up, protect, export, import_, migrate)
}


async def main() -> None:
    """Run one of them on a small disk."""
    folder = Path(sys.argv[2])
    with file_system(folder, "size=12m"):
        await PROGRAMS[sys.argv[1]](folder)


if __name__ == "__main__":
    asyncio.run(main())
