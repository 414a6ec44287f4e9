"""A keyring that goes away, and the passphrase that opens the profile all the same."""

import json
import os
from pathlib import Path

import pytest

from messenger.core.errors import (
    InputError,
    InputProblem,
    KeyFileError,
    KeyringMissing,
    RecoveryNeeded,
    StorageError,
    WrongPassphrase,
)
from messenger.crypto import keystore, recovery
from messenger.crypto import vault_wire as wire
from messenger.crypto.keystore import Keys
from messenger.crypto.protection import Protection, RootFile
from tests.crypto.test_vault_server import talking
from tests.helpers.keys import CHEAP, belongs_to, make_profile

NOW = 1_800_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "profile"


@pytest.fixture
def keys(folder: Path, kept: Path) -> Keys:
    """A profile in the keyring that can be recovered."""
    made = make_profile(folder, "alice", protection=Protection.KEYRING, now=NOW)
    assert kept.exists()
    keystore.set_recovery(folder, made, "way back", cost=CHEAP)
    return made


def test_while_the_keyring_is_there_nothing_changes(folder: Path, keys: Keys) -> None:
    assert keystore.unlock(folder).db_key == keys.db_key
    assert keystore.unlock(folder, "whatever").db_key == keys.db_key


def test_the_way_back(folder: Path, keys: Keys, kept: Path) -> None:
    kept.write_text("{}")
    with pytest.raises(RecoveryNeeded):
        keystore.unlock(folder)
    with pytest.raises(WrongPassphrase):
        keystore.unlock(folder, "Way back")
    recovered = keystore.unlock(folder, "way back")
    assert recovered.db_key == keys.db_key
    assert belongs_to(recovered, "alice")
    assert (folder / recovery.NAME).exists(), "until it is protected in another way"


def test_without_a_recovery_passphrase_there_is_no_way(folder: Path, kept: Path) -> None:
    make_profile(folder, "alice", protection=Protection.KEYRING, now=NOW)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    kept.write_text("{}")
    for passphrase in ("", "anything"):
        with pytest.raises(KeyringMissing) as caught:
            keystore.unlock(folder, passphrase)
        assert not isinstance(caught.value, RecoveryNeeded)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_new_keyring_after_the_old_one(folder: Path, keys: Keys, kept: Path) -> None:
    kept.write_text("{}")
    keys = keystore.unlock(folder, "way back")
    with pytest.raises(WrongPassphrase):
        keystore.change_protection(folder, keys, "wrong", Protection.KEYRING)
    keystore.change_protection(folder, keys, "way back", Protection.KEYRING)
    assert keystore.unlock(folder).db_key == keys.db_key
    kept.write_text("{}")
    assert keystore.unlock(folder, "way back").db_key == keys.db_key, "it holds for the new keyring too"


@pytest.mark.parametrize("how", [Protection.PASSPHRASE, Protection.FILE])
def test_another_protection_needs_no_second_way(folder: Path, keys: Keys, how: Protection) -> None:
    """An old passphrase must not open what a new one protects."""
    keystore.change_protection(folder, keys, "", how, "new words", cost=CHEAP)
    assert not (folder / recovery.NAME).exists()
    (folder / recovery.NAME).write_bytes(b"left over")
    assert keystore.unlock(folder, "new words").db_key == keys.db_key
    assert not (folder / recovery.NAME).exists()


def test_a_second_recovery_passphrase_replaces_the_first(folder: Path, keys: Keys, kept: Path) -> None:
    keystore.set_recovery(folder, keys, "another way", cost=CHEAP)
    kept.write_text("{}")
    with pytest.raises(WrongPassphrase):
        keystore.unlock(folder, "way back")
    assert keystore.unlock(folder, "another way").db_key == keys.db_key


def test_what_cannot_be_set_up(folder: Path, keys: Keys, kept: Path, tmp_path: Path) -> None:
    before = (folder / recovery.NAME).read_bytes()
    for passphrase, problem in (("", InputProblem.EMPTY), ("x" * 2000, InputProblem.TOO_LONG)):
        with pytest.raises(InputError) as caught:
            keystore.set_recovery(folder, keys, passphrase, cost=CHEAP)
        assert caught.value.problem is problem
    kept.write_text("{}")
    with pytest.raises(KeyringMissing):
        keystore.set_recovery(folder, keys, "too late", cost=CHEAP)
    assert (folder / recovery.NAME).read_bytes() == before
    other = make_profile(tmp_path / "file", "bob", now=NOW)
    with pytest.raises(InputError) as caught:
        keystore.set_recovery(tmp_path / "file", other, "words", cost=CHEAP)
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    with pytest.raises(KeyFileError):
        keystore.set_recovery(folder, other, "words", cost=CHEAP)
    (folder / recovery.NAME).unlink()
    (folder / f"{recovery.NAME}.new").mkdir()
    with pytest.raises(StorageError):
        recovery.set_up(folder, RootFile.decode(_fresh(folder, kept)), "words", CHEAP)


def _fresh(folder: Path, kept: Path) -> bytes:
    """The key file of a profile whose keyring works."""
    make_profile(folder.parent / "third", "carol", protection=Protection.KEYRING, now=NOW)
    assert json.loads(kept.read_text())
    return (folder.parent / "third" / keystore.ROOT_NAME).read_bytes()


def test_a_recovery_file_of_somebody_else_or_damaged(folder: Path, keys: Keys, kept: Path) -> None:
    assert keys
    own = (folder / recovery.NAME).read_bytes()
    other = make_profile(folder.parent / "other", "bob", protection=Protection.KEYRING, now=NOW)
    keystore.set_recovery(folder.parent / "other", other, "way back", cost=CHEAP)
    kept.write_text("{}")
    theirs = (folder.parent / "other" / recovery.NAME).read_bytes()
    plain = (folder.parent / "other" / keystore.ROOT_NAME).read_bytes()
    for content in (theirs, plain, own[:-1], b"", own[:50] + bytes([own[50] ^ 1]) + own[51:]):
        (folder / recovery.NAME).write_bytes(content)
        with pytest.raises(KeyFileError):
            keystore.unlock(folder, "way back")
    (folder / recovery.NAME).write_bytes(own)
    assert belongs_to(keystore.unlock(folder, "way back"), "alice")


def test_through_the_vault(folder: Path, kept: Path) -> None:
    keys = make_profile(folder, "alice", protection=Protection.KEYRING, now=NOW)
    name = os.fsencode(folder)
    with talking() as talk:
        assert isinstance(talk.ask(wire.Open(1, name, b"")), wire.Opened)
        assert talk.ask(wire.SetRecovery(2, b"way back")) == wire.Done(2)
        kept.write_text("{}")
        reply = talk.ask(wire.Open(3, name, b""))
        assert isinstance(reply, wire.Failed)
        assert isinstance(wire.error_of(reply), RecoveryNeeded)
        opened = talk.ask(wire.Open(4, name, b"way back"))
        assert isinstance(opened, wire.Opened)
        assert opened.db_key == keys.db_key
