"""The key files of a profile, also when everything goes wrong."""

import json
import os
import shutil
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import (
    InputError,
    KeyFileError,
    KeyringMissing,
    WrongPassphrase,
)
from messenger.crypto import aead, keystore, protection
from messenger.crypto.hkdf import digest, expand, vec
from messenger.crypto.keystore import IDENTITY_NAME, ROOT_NAME, Protection
from messenger.crypto.protection import RootFile
from messenger.crypto.rsa import PrivateKey
from tests.helpers.keys import CHEAP, belongs_to, identity, make_profile

NOW = 1_800_000_000


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Alice's profile under a passphrase; copy it before changing it."""
    folder = tmp_path_factory.mktemp("locked") / "profile"
    make_profile(folder, "alice", "correct horse", now=NOW)
    return folder


@pytest.mark.parametrize("who", ["alice", "dora"])
def test_a_profile_opens_again(who: str, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "profile"
    assert keystore.find(folder) is None
    made = make_profile(folder, who, now=NOW)
    assert keystore.find(folder) is Protection.FILE
    opened = keystore.unlock(folder)
    assert belongs_to(opened, who)
    assert opened.exchange.public == identity(who).exchange.public
    assert opened.bundle == made.bundle
    assert opened.db_key == made.db_key
    assert len(opened.db_key) == 32
    assert opened.bundle.not_before == NOW
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        ROOT_NAME: 0o600,
        IDENTITY_NAME: 0o600,
    }


def test_passphrase(locked: Path) -> None:
    assert keystore.find(locked) is Protection.PASSPHRASE
    assert belongs_to(keystore.unlock(locked, "correct horse"), "alice")
    for wrong in ("", "wrong", "correct horse "):
        with pytest.raises(WrongPassphrase):
            keystore.unlock(locked, wrong)


def test_keyring(kept: Path, tmp_path: Path) -> None:
    folder = tmp_path / "profile"
    make_profile(folder, "bob", protection=Protection.KEYRING, now=NOW)
    assert keystore.find(folder) is Protection.KEYRING
    assert belongs_to(keystore.unlock(folder), "bob")
    kept.unlink()
    with pytest.raises(KeyringMissing):
        keystore.unlock(folder)


def test_root_key_gives_two_independent_keys(tmp_path: Path) -> None:
    keys = make_profile(tmp_path, "alice", now=NOW)
    file = RootFile.decode((tmp_path / ROOT_NAME).read_bytes())
    root = protection.unwrap(file, "")
    assert keys.db_key == expand(root, "db key", b"", 32)
    assert keys.vault_key == expand(root, "vault key", b"", 32)
    assert len({root, keys.db_key, keys.vault_key}) == 3


def test_identity_file_to_the_byte(tmp_path: Path) -> None:
    keys = make_profile(tmp_path, "alice", now=NOW)
    data = (tmp_path / IDENTITY_NAME).read_bytes()
    header, nonce = data[:39], data[27:39]
    assert data[:27] == b"sotto keys\x01" + keys.profile
    content = aead.open_once(keys.vault_key, nonce, data[39:-32], header)
    parts = identity("alice").signing.to_bytes(), identity("alice").exchange.to_bytes(), keys.bundle.encode()
    assert content == b"".join(vec(part) for part in parts)
    assert data[-32:] == digest(data[:-32])


def test_two_profiles_of_one_person_share_no_key(tmp_path: Path) -> None:
    first, second = (make_profile(tmp_path / name, "alice", now=NOW) for name in "ab")
    assert first.db_key != second.db_key
    assert first.vault_key != second.vault_key
    assert first.profile != second.profile


def test_nothing_secret_lies_in_the_open(locked: Path) -> None:
    data = b"".join(path.read_bytes() for path in locked.iterdir())
    keys = keystore.unlock(locked, "correct horse")
    secrets = [keys.signing.to_bytes()[2:194], keys.exchange.to_bytes()[2:194], keys.db_key, keys.vault_key]
    for secret in [*secrets, b"correct horse"]:
        assert secret not in data


def test_an_existing_profile_is_never_overwritten(tmp_path: Path) -> None:
    make_profile(tmp_path, "alice", now=NOW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for refused in (lambda: make_profile(tmp_path, "bob", now=NOW), lambda: keystore.prepare(tmp_path)):
        with pytest.raises(KeyFileError):
            refused()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", [ROOT_NAME, IDENTITY_NAME])
def test_half_a_profile(name: str, locked: Path, tmp_path: Path) -> None:
    shutil.copy(locked / name, tmp_path)
    for refused in (
        lambda: keystore.find(tmp_path),
        lambda: keystore.unlock(tmp_path, "correct horse"),
        lambda: make_profile(tmp_path, "bob"),
    ):
        with pytest.raises(KeyFileError, match="missing"):
            refused()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", [ROOT_NAME, IDENTITY_NAME])
def test_every_damage_is_noticed(name: str, tmp_path: Path) -> None:
    make_profile(tmp_path, "alice", now=NOW)
    good = (tmp_path / name).read_bytes()
    damaged = [b"", good[:1], good[:50], good[:-1], good + b"\x00", bytes(len(good)), good[::-1]]
    damaged += [good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :] for at in range(len(good))]
    for data in damaged:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(KeyFileError):
            keystore.unlock(tmp_path)
    (tmp_path / name).write_bytes(good)
    assert belongs_to(keystore.unlock(tmp_path), "alice")


@pytest.mark.parametrize("position", [0, 10, 11, 27, 39, 500, -33])
def test_damage_with_a_fitting_checksum(position: int, tmp_path: Path) -> None:
    make_profile(tmp_path, "alice", now=NOW)
    data = bytearray((tmp_path / IDENTITY_NAME).read_bytes())
    data[position] ^= 1
    (tmp_path / IDENTITY_NAME).write_bytes(bytes(data[:-32]) + digest(bytes(data[:-32])))
    with pytest.raises(KeyFileError):
        keystore.unlock(tmp_path)


@pytest.mark.parametrize("name", [ROOT_NAME, IDENTITY_NAME])
def test_a_file_of_another_profile(name: str, tmp_path: Path) -> None:
    make_profile(tmp_path / "a", "alice", now=NOW)
    make_profile(tmp_path / "b", "alice", now=NOW)
    shutil.copy(tmp_path / "b" / name, tmp_path / "a")
    with pytest.raises(KeyFileError, match="another profile"):
        keystore.unlock(tmp_path / "a")


def test_a_content_of_another_profile_under_the_right_name(tmp_path: Path) -> None:
    """Somebody copies the header of the one and the ciphertext of the other."""
    ours, theirs = (make_profile(tmp_path / name, "alice", now=NOW) for name in "ab")
    assert ours.vault_key != theirs.vault_key
    data = (tmp_path / "b" / IDENTITY_NAME).read_bytes()
    mixed = (tmp_path / "a" / IDENTITY_NAME).read_bytes()[:27] + data[27:-32]
    (tmp_path / "a" / IDENTITY_NAME).write_bytes(mixed + digest(mixed))
    with pytest.raises(KeyFileError, match="does not open"):
        keystore.unlock(tmp_path / "a")


@pytest.mark.parametrize("what", ["empty", "signing key cut", "foreign certificate"])
def test_strange_content_under_the_right_key(what: str, tmp_path: Path) -> None:
    keys, alice, bob = make_profile(tmp_path, "alice", now=NOW), identity("alice"), identity("bob")
    parts = {
        "empty": [],
        "signing key cut": [alice.signing.to_bytes()[:-1], alice.exchange.to_bytes(), keys.bundle.encode()],
        "foreign certificate": [
            alice.signing.to_bytes(),
            alice.exchange.to_bytes(),
            bob.bundle(NOW).encode(),
        ],
    }[what]
    nonce = os.urandom(12)
    header = b"sotto keys\x01" + keys.profile + nonce
    data = header + aead.seal_once(keys.vault_key, nonce, b"".join(vec(part) for part in parts), header)
    (tmp_path / IDENTITY_NAME).write_bytes(data + digest(data))
    with pytest.raises(KeyFileError):
        keystore.unlock(tmp_path)


def test_changing_the_passphrase(locked: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(locked, tmp_path / "profile")
    before = keystore.unlock(folder, "correct horse")
    identity_file = (folder / IDENTITY_NAME).read_bytes()
    with pytest.raises(WrongPassphrase):
        keystore.change_protection(folder, before, "wrong", Protection.FILE)
    with pytest.raises(InputError):
        keystore.change_protection(folder, before, "correct horse", Protection.PASSPHRASE, "")
    assert keystore.find(folder) is Protection.PASSPHRASE
    after = keystore.change_protection(
        folder, before, "correct horse", Protection.PASSPHRASE, "battery staple", cost=CHEAP
    )
    with pytest.raises(WrongPassphrase):
        keystore.unlock(folder, "correct horse")
    again = keystore.unlock(folder, "battery staple")
    assert belongs_to(again, "alice")
    assert again.db_key == after.db_key == before.db_key
    assert (folder / IDENTITY_NAME).read_bytes() == identity_file


def test_through_all_protections_and_back(kept: Path, tmp_path: Path) -> None:
    folder = tmp_path / "profile"
    keys = make_profile(folder, "carol", now=NOW)
    db_key, current = keys.db_key, ""
    for how in (
        Protection.KEYRING,
        Protection.PASSPHRASE,
        Protection.KEYRING,
        Protection.KEYRING,
        Protection.FILE,
    ):
        passphrase = "tr0ub4dor" if how is Protection.PASSPHRASE else ""
        keys = keystore.change_protection(folder, keys, current, how, passphrase, cost=CHEAP)
        assert keys.protection is how
        assert keystore.find(folder) is how
        opened = keystore.unlock(folder, passphrase)
        assert belongs_to(opened, "carol")
        assert opened.db_key == db_key
        assert len(json.loads(kept.read_text())) == (1 if how is Protection.KEYRING else 0)
        current = passphrase


def test_protection_is_changed_only_of_the_profile_that_is_open(tmp_path: Path) -> None:
    keys = make_profile(tmp_path / "a", "alice", now=NOW)
    make_profile(tmp_path / "b", "bob", now=NOW)
    with pytest.raises(KeyFileError, match="another profile"):
        keystore.change_protection(tmp_path / "b", keys, "", Protection.PASSPHRASE, "mine now", cost=CHEAP)
    assert keystore.find(tmp_path / "b") is Protection.FILE


def test_renewal(tmp_path: Path) -> None:
    keys, fresh = make_profile(tmp_path, "alice", now=NOW), identity("mallory").exchange
    root = (tmp_path / ROOT_NAME).read_bytes()
    later = NOW + limits.KEXCERT_LIFETIME
    renewed = keystore.renew(tmp_path, keys, fresh, now=later)
    opened = keystore.unlock(tmp_path)
    assert opened.bundle == renewed.bundle != keys.bundle
    opened.bundle.verify(later + limits.KEXCERT_LIFETIME)
    assert opened.exchange.public == fresh.public
    assert opened.bundle.fingerprint == keys.bundle.fingerprint
    assert opened.db_key == keys.db_key
    assert (tmp_path / ROOT_NAME).read_bytes() == root


def test_an_exchange_key_is_kept_for_a_while_after_it_was_replaced(tmp_path: Path) -> None:
    """The file has version 2 as long as there is one, and version 1 again afterwards."""
    keys, later = make_profile(tmp_path, "alice", now=NOW), NOW + 1000
    first = identity("mallory").exchange
    assert keystore.forget_old(tmp_path, keys, now=2 * NOW) is keys, "there is none"
    keys = keystore.renew(tmp_path, keys, first, now=later)
    assert keys.older == (keystore.OldKey(later, identity("alice").exchange),)
    opened = keystore.unlock(tmp_path)
    assert [(old.replaced, old.key.public) for old in opened.older] == [
        (later, identity("alice").exchange.public)
    ]
    assert (tmp_path / IDENTITY_NAME).read_bytes()[10] == 2
    last = later + limits.PREKEY_KEPT
    assert keystore.forget_old(tmp_path, opened, now=last) is opened
    left = keystore.forget_old(tmp_path, opened, now=last + 1)
    assert left.older == keystore.unlock(tmp_path).older == ()
    assert (tmp_path / IDENTITY_NAME).read_bytes()[10] == 1
    assert keystore.unlock(tmp_path).exchange.public == first.public


def test_old_exchange_keys_are_few_and_go_with_the_identity(tmp_path: Path) -> None:
    keys = make_profile(tmp_path, "alice", now=NOW)
    fresh = [identity(name).exchange for name in ("bob", "carol", "dora", "mallory")]
    for number, exchange in enumerate(fresh):
        keys = keystore.renew(tmp_path, keys, exchange, now=NOW + number)
    older = [old.key.public for old in keystore.unlock(tmp_path).older]
    assert older == [identity("dora").exchange.public, identity("carol").exchange.public]
    assert len(older) == limits.EXCHANGE_KEYS_OLD
    adopted = keystore.adopt(tmp_path, keys, identity("bob").signing, identity("bob").exchange, now=NOW)
    assert adopted.older == keystore.unlock(tmp_path).older == ()


@pytest.mark.parametrize("old", [b"", b"\x00", b"\x01", b"\x03", b"left over"])
def test_strange_lists_of_old_keys(old: bytes, tmp_path: Path) -> None:
    keys = make_profile(tmp_path, "alice", now=NOW)
    one = NOW.to_bytes(8, "big") + vec(identity("bob").exchange.to_bytes())
    good = b"\x01" + one
    lists = {b"": b"", b"\x00": b"\x00", b"\x01": good[:-1], b"\x03": b"\x03" + one * 3}
    parts = identity("alice").signing.to_bytes(), identity("alice").exchange.to_bytes(), keys.bundle.encode()

    def write(tail: bytes) -> None:
        nonce = os.urandom(12)
        header = b"sotto keys\x02" + keys.profile + nonce
        content = b"".join(vec(part) for part in parts) + tail
        data = header + aead.seal_once(keys.vault_key, nonce, content, header)
        (tmp_path / IDENTITY_NAME).write_bytes(data + digest(data))

    write(good)
    assert keystore.unlock(tmp_path).older[0].replaced == NOW
    write(lists.get(old, good + old))
    with pytest.raises(KeyFileError, match="does not open"):
        keystore.unlock(tmp_path)


def test_a_name_that_cannot_be_looked_for(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        keystore.find(tmp_path / ("x" * 300))


def test_repr_shows_nothing(locked: Path) -> None:
    keys = keystore.unlock(locked, "correct horse")
    text = repr(keys) + str(keys)
    for secret in (keys.db_key, keys.vault_key):
        assert repr(secret) not in text
        assert secret.hex() not in text
    for key in (keys.signing, keys.exchange):
        assert isinstance(key, PrivateKey)
        assert str(key._key.p) not in text
        assert str(key._key.d) not in text
