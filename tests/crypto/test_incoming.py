"""Export and import through the server of the vault process."""

import os
from pathlib import Path

import pytest

from messenger.crypto import export, keystore
from messenger.crypto import vault_wire as wire
from messenger.crypto.protection import Protection
from tests.crypto.test_vault_server import failed, talking
from tests.helpers.keys import belongs_to, make_profile

NOW = 1_800_000_000


@pytest.fixture
def exported(tmp_path: Path) -> wire.Exported:
    make_profile(tmp_path / "old", "alice", now=NOW)
    with talking() as talk:
        assert failed(talk.ask(wire.Export(1, b"words"))) == "VaultError", "nothing is open"
        talk.ask(wire.Open(2, os.fsencode(tmp_path / "old"), b""))
        assert failed(talk.ask(wire.Export(3, b""))) == "InputError"
        answer = talk.ask(wire.Export(4, b"words"))
    assert isinstance(answer, wire.Exported)
    return answer


def test_from_one_vault_into_another(exported: wire.Exported, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "new")
    with talking() as talk:
        assert failed(talk.ask(wire.ReadExport(1, exported.head, b"wrong"))) == "WrongPassphrase"
        assert failed(talk.ask(wire.PrepareImport(2, folder, Protection.FILE, b""))) == "VaultError"
        read = talk.ask(wire.ReadExport(3, exported.head, b"words"))
        assert read == wire.Exported(3, b"", exported.stream, exported.db_key)
        assert failed(talk.ask(wire.Import(4))) == "VaultError", "not prepared"
        assert failed(talk.ask(wire.PrepareImport(5, folder, Protection.PASSPHRASE, b""))) == "InputError"
        key = talk.ask(wire.PrepareImport(6, folder, Protection.PASSPHRASE, b"new words"))
        assert isinstance(key, wire.Result)
        assert talk.ask(wire.Status(7, folder)) == wire.State(7, wire.VaultState.NEW), (
            "nothing is written yet"
        )
        opened = talk.ask(wire.Import(8))
        assert isinstance(opened, wire.Opened)
        assert (opened.db_key, opened.protection) == (key.data, Protection.PASSPHRASE)
        assert failed(talk.ask(wire.Import(9))) == "VaultError", "once"
    keys = keystore.unlock(tmp_path / "new", "new words")
    assert belongs_to(keys, "alice")
    assert keys.db_key == key.data != keystore.unlock(tmp_path / "old").db_key


def test_old_exchange_keys_move_too(tmp_path: Path) -> None:
    keys = make_profile(tmp_path / "old", "alice", now=NOW)
    keys = keystore.renew(tmp_path / "old", keys, keys.exchange, now=NOW)
    assert keys.older
    with talking() as talk:
        talk.ask(wire.Open(1, os.fsencode(tmp_path / "old"), b""))
        answer = talk.ask(wire.Export(2, b"words"))
        assert isinstance(answer, wire.Exported)
        assert export.unseal(answer.head, "words").content.encode() == keys.content().encode()


def test_a_folder_that_is_taken(exported: wire.Exported, tmp_path: Path) -> None:
    make_profile(tmp_path / "taken", "bob", now=NOW)
    folder = os.fsencode(tmp_path / "taken")
    with talking() as talk:
        talk.ask(wire.ReadExport(1, exported.head, b"words"))
        assert failed(talk.ask(wire.PrepareImport(2, folder, Protection.FILE, b""))) == "KeyFileError"
        talk.ask(wire.PrepareImport(3, os.fsencode(tmp_path / "later"), Protection.FILE, b""))
        make_profile(tmp_path / "later", "bob", now=NOW)
        assert failed(talk.ask(wire.Import(4))) == "KeyFileError"
    for name in ("taken", "later"):
        assert belongs_to(keystore.unlock(tmp_path / name), "bob")


def test_without_a_keyring(exported: wire.Exported, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "new")
    with talking() as talk:
        talk.ask(wire.ReadExport(1, exported.head, b"words"))
        first = talk.ask(wire.PrepareImport(2, folder, Protection.KEYRING, b""))
        assert failed(first) == "KeyringMissing"
        talk.ask(wire.PrepareImport(3, folder, Protection.FILE, b""))
        assert isinstance(talk.ask(wire.Import(4)), wire.Opened)
