"""Nothing readable in any file that ever appears in a profile, nor where SQLite keeps what does not fit.

Every file is read again and again while the profile is worked with: its log, copies before a migration, what
waits to be put in place, the copies on their way in and out of an export, the backups.
"""

import asyncio
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from messenger.core.errors import DatabaseDamaged, WrongPassphrase
from messenger.core.models import Draft, SearchQuery
from messenger.crypto import keystore
from messenger.crypto.protection import Protection
from messenger.storage import backup
from messenger.storage.database import Database
from messenger.storage.schema import MIGRATIONS, open_current
from tests.helpers.engines import DATABASE, People, Person, friends
from tests.helpers.keys import identity, make_profile

WORDS = ("rendezvous", "Bartholomew", "marginalia", "192.0.2.77", "words to forget")
PASSPHRASE = "correct horse battery"
SURNAME = "Featherstone"
"""First names are too short: the five bytes of "Alice" would stand here by chance once in 100,000 runs."""


class Watcher:
    """Reads all files below some folders as fast as it can, and remembers where something readable stood.

    What the program itself removes or renames is read before, however short its life was.

    Args:
        folders: Where.
        forbidden: What must not be read anywhere.
        patch: Puts itself before what removes and renames.
    """

    def __init__(self, folders: list[Path], forbidden: set[bytes], patch: pytest.MonkeyPatch) -> None:
        self.names: set[str] = set()
        self.found: set[tuple[str, bytes]] = set()
        self._folders, self._forbidden = folders, forbidden
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        for name in ("unlink", "replace", "rename"):
            patch.setattr(Path, name, self._before(getattr(Path, name)))

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()
        self.look()

    def look(self) -> None:
        """Read everything once."""
        for folder in self._folders:
            for root, _, names in os.walk(folder):
                for name in names:
                    self._read(Path(root) / name)

    def _before(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def read_first(path: Path, *arguments: object, **named: object) -> object:
            self._read(path)
            return act(path, *arguments, **named)

        return read_first

    def _read(self, path: Path) -> None:
        try:
            content = path.read_bytes()
        except OSError:  # it was there for a moment
            return
        self.names.add(path.name)
        content += path.name.encode()
        self.found |= {(path.name, word) for word in self._forbidden if word in content}

    def _watch(self) -> None:
        while not self._over.is_set():
            self.look()


def forbidden(*people: Person) -> set[bytes]:
    """Words, names, addresses and fingerprints, in the forms in which they could be written."""
    texts = [*WORDS, *(f"{person.name} {SURNAME}" for person in people), PASSPHRASE]
    raw = {encoded for text in texts for encoded in (text.encode(), text.encode("utf-16-le"))}
    prints = [identity(person.who).signing.public.fingerprint for person in people]
    raw |= {form for each in prints for form in (bytes(each), each.hex().encode())}
    return raw | {b"SQLite format", b"CREATE TABLE", b"messages_by_id"}


async def work(alice: Person, bob: Person, out: Path) -> None:
    """All that writes."""
    here, _ = await friends(alice, bob)
    engine, running = alice.engine, alice.engine._running
    assert running is not None
    store = running.context.store
    for number in range(60):
        message = await engine.send_text(here, f"rendezvous {number} at 192.0.2.77 with Bartholomew " * 20)
    await engine.edit(here, message.id, "marginalia")
    await engine.rename(here, "Bartholomew")
    await engine.set_draft(here, Draft("words to forget"))
    await engine.find(SearchQuery(text="rendez barth"))
    made = await engine.back_up()
    await engine.export_profile(out, "other words")

    def rewrite() -> None:
        store._database.rows("INSERT INTO search (search) VALUES ('rebuild')")
        store._database.rows("SELECT text, count(*) FROM messages GROUP BY text ORDER BY text DESC")
        store._database.rows("REINDEX; VACUUM")

    await running.context.stored(rewrite)
    key = engine._profile.db_key
    await engine.stop()
    later = (*MIGRATIONS, "CREATE TABLE later (a INTEGER) STRICT")
    await asyncio.to_thread(lambda: open_current(alice.folder / DATABASE, key, later).close())
    await engine.restore(made.name, PASSPHRASE)
    await engine.open(PASSPHRASE)
    await engine.set_passphrase("others", PASSPHRASE)
    await engine.delete_conversation(here)
    await engine.stop()


async def test_no_file_ever_shows_anything(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("SQLITE_TMPDIR", str(temporary))
    alice, bob = people.asleep("alice", PASSPHRASE), await people("bob")
    new = people.in_folder(tmp_path / "new", "alice")
    await alice.start(PASSPHRASE)
    for person in (alice, bob):
        await person.engine.set_name(f"{person.name} {SURNAME}")
    out = tmp_path / "out" / "alice.sotto"
    out.parent.mkdir()
    folders = [alice.folder, new.folder, out.parent, temporary]
    with Watcher(folders, forbidden(alice, bob), monkeypatch) as watcher:
        await work(alice, bob, out)
        await new.engine.import_profile(out, "other words", PASSPHRASE)
        await new.engine.stop()
    assert watcher.found == set()
    seen = {name for name in watcher.names if not name.startswith(".")}
    assert {"root.key", "identity.key", DATABASE, f"{DATABASE}-wal", out.name} <= seen
    for part in (".version-", ".aside-"):
        assert any(part in name for name in seen), part
    assert any(name.startswith((".export-", ".import-")) for name in watcher.names)
    assert list(temporary.iterdir()) == []


async def test_a_stolen_folder_needs_the_passphrase(people: People, tmp_path: Path) -> None:
    """All files of a profile, in other hands: each passphrase but the right one is refused."""
    alice = people.asleep("alice", PASSPHRASE)
    await alice.start(PASSPHRASE)
    await alice.engine.back_up()
    await alice.engine.stop()
    stolen = tmp_path / "stolen"
    shutil.copytree(alice.folder, stolen)
    for folder in (stolen, stolen / backup.FOLDER):
        for wrong in ("", "correct horse", PASSPHRASE.upper()):
            with pytest.raises(WrongPassphrase):
                keystore.unlock(folder, wrong)
    with pytest.raises(DatabaseDamaged):
        Database.open(stolen / DATABASE, bytes(32), read_only=True)


async def test_without_a_passphrase_the_key_lies_beside_the_database(tmp_path: Path) -> None:
    """As `Me.protection` says: no file shows a word by itself, but who has all of them can open them."""
    key = make_profile(tmp_path / "profile", "alice", protection=Protection.FILE).db_key
    assert keystore.unlock(tmp_path / "profile").db_key == key
    for file in (tmp_path / "profile").iterdir():
        assert not [word for word in (key, identity("alice").fingerprint) if word in file.read_bytes()]
