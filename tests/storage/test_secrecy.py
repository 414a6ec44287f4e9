"""Nothing that a person wrote, nor who they know, can be found in the files."""

import os
from pathlib import Path

from messenger.core.ids import Fingerprint, MessageId
from messenger.core.models import Standing
from messenger.core.settings import Settings
from messenger.storage.schema import MIGRATIONS, copy_name, open_current
from messenger.storage.store import Store


def test_the_files_hold_no_readable_word(path: Path, key: bytes) -> None:
    person, message, secret = Fingerprint(os.urandom(32)), MessageId(os.urandom(16)), os.urandom(16)
    store = Store.open(path, key)
    store.meta.set_name("Penelope Featherstone")
    store.meta.save_settings(Settings(port=54321))
    store.meta.put("remark", b"marginalia")
    contact = store.contacts.add(
        person,
        name="Bartholomew",
        standing=Standing.ACCEPTED,
        addresses=["bartholomew.example:42424"],
        now_ms=1,
    )
    store.contacts.update(contact.id, alias="Uncle Barty")
    for _ in range(50):
        outgoing = store.messages.add_outgoing(
            contact.id, MessageId(os.urandom(16)), "meet at midnight", 1, 1
        )
        store.messages.add_incoming(
            contact.id, MessageId(os.urandom(16)), 1, bytes(32), "under the bridge", 1, 1
        )
    store.messages.add_incoming(contact.id, message, 2, bytes(32), "quatre-vingt-dix-neuf élèves", 1, 1)
    store.invites.add(secret, 1, 2)
    while_open = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    store.close()
    open_current(path, key, (*MIGRATIONS, "CREATE TABLE later (a INTEGER) STRICT")).close()
    afterwards = {file.name: file.read_bytes() for file in path.parent.iterdir()}

    assert set(while_open) == {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    assert set(afterwards) == {path.name, copy_name(path, len(MIGRATIONS)).name}
    words = [  # so long that millions of random bytes do not have them by chance
        "Penelope",
        "Bartholomew",
        "Uncle Barty",
        "example:42424",
        '"port":54321',
        "midnight",
        "bridge",
        "élèves",
        "marginalia",
    ]
    words += ["SQLite format", "CREATE", "contacts", "messages", "settings"]
    forbidden = [encoded for word in words for encoded in (word.encode(), word.encode("utf-16-le"))]
    forbidden += [person, message, outgoing.message.id, secret, key, key.hex().encode()]
    for name, content in (*while_open.items(), *afterwards.items()):
        assert len(content) > 4096
        for word in forbidden:
            assert word not in content, (name, word)
