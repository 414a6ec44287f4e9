"""The key files of a profile: `root.key` and `identity.key`.

`root.key` (see `protection`) gives 32 random bytes, from which HKDF makes the key of the
database and the vault key. `identity.key` holds the RSA keys under the vault key:

    magic "sotto keys" (10)   version u8   profile id (16)   nonce (12)
    AES-256-GCM(vault key, nonce, content, aad = everything before)
    SHA-256 of everything before (32)

The content is that of `keycontent`; version 2 says that exchange keys which have been replaced stand in it.

Beside them may stand `recovery.key` (see `recovery`). A profile exists when `root.key` does. Each file
is replaced atomically; the old one is there, whole, until the new one is durable.
"""

import contextlib
import secrets
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from messenger.core import limits
from messenger.core.errors import CryptoError, KeyFileError, KeyringMissing, StorageError
from messenger.crypto import aead, keyfiles, protection, recovery
from messenger.crypto.hkdf import HASH_SIZE, digest, equal, expand
from messenger.crypto.identity import Bundle
from messenger.crypto.keycontent import KeyContent, OldKey
from messenger.crypto.protection import Cost, Protection, RootFile
from messenger.crypto.rsa import PrivateKey

__all__ = [
    "IDENTITY_NAME",
    "KEY_FILES",
    "RECOVERY_NAME",
    "ROOT_NAME",
    "Cost",
    "Fresh",
    "Keys",
    "OldKey",
    "Protection",
    "adopt",
    "change_protection",
    "find",
    "forget_old",
    "fresh",
    "install",
    "prepare",
    "renew",
    "set_recovery",
    "unlock",
]

ROOT_NAME: Final = "root.key"
IDENTITY_NAME: Final = "identity.key"
RECOVERY_NAME: Final = recovery.NAME
KEY_FILES: Final = (ROOT_NAME, IDENTITY_NAME, RECOVERY_NAME)
"""Everything that is kept; the last one need not be there."""

_MAGIC: Final = b"sotto keys"
_VERSION: Final = 1
_VERSION_OLD_KEYS: Final = 2
_HEADER: Final = struct.Struct(f">{len(_MAGIC)}sB{protection.PROFILE_ID_SIZE}s{aead.IV_SIZE}s")


@dataclass(frozen=True, slots=True)
class Keys:
    """Everything that an unlocked profile gives; lives in the vault process.

    Attributes:
        signing: The person's signing key.
        exchange: The current exchange key.
        bundle: What others are given, certified.
        protection: What wraps the root key.
        db_key: 32-byte key of the database.
        older: Exchange keys from before, the newest first, at most `limits.EXCHANGE_KEYS_OLD`.
    """

    signing: PrivateKey
    exchange: PrivateKey
    bundle: Bundle
    protection: Protection
    db_key: bytes = field(repr=False)
    vault_key: bytes = field(repr=False)
    profile: bytes = field(repr=False)
    older: tuple[OldKey, ...] = ()

    def content(self) -> KeyContent:
        """The person's keys without those of the profile."""
        return KeyContent(self.signing, self.exchange, self.bundle, self.older)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A profile that is not on disk yet.

    Attributes:
        root: Its root key.
        keys: What `unlock` will give for it.
    """

    root: bytes = field(repr=False)
    keys: Keys


def find(folder: Path) -> Protection | None:
    """Look whether there is a profile and what protects it, without opening it.

    Returns:
        None when nothing has been set up in this folder.

    Raises:
        KeyFileError: A file is missing or damaged.
        StorageError: An interrupted `install` could not be finished.
    """
    _finish_install(folder)
    identity, root = (_exists(folder / name) for name in (IDENTITY_NAME, ROOT_NAME))
    if not identity and not root:
        return None
    if not identity:
        raise KeyFileError(f"{IDENTITY_NAME} is missing")
    return RootFile.decode(keyfiles.read(folder / ROOT_NAME)).protection


def prepare(folder: Path) -> None:
    """Make the folder of a new profile, mode 0700.

    Raises:
        KeyFileError: There is a profile in it already, or a part of one.
        StorageError: It cannot be made.
    """
    if find(folder) is not None:
        raise KeyFileError("there is a profile here already")
    keyfiles.make_folder(folder)


def fresh(content: KeyContent, how: Protection) -> Fresh:
    """Make a new root key for the keys of a person; `install` puts them on disk.

    Args:
        content: The person's keys.
        how: What shall wrap the root key.
    """
    root, profile = secrets.token_bytes(protection.ROOT_SIZE), secrets.token_bytes(protection.PROFILE_ID_SIZE)
    return Fresh(root, _keys(root, profile, how, content))


def install(folder: Path, new: Fresh, passphrase: str, *, cost: Cost | None = None) -> Keys:
    """Write the key files of a new profile into a folder that `prepare` made.

    Args:
        folder: The profile's folder.
        new: What `fresh` gave for it.
        passphrase: For Protection.PASSPHRASE.
        cost: Of Argon2id; the default of `Cost` unless given.

    Raises:
        InputError: The passphrase is empty or too long.
        KeyringMissing: The keyring cannot keep a secret.
        StorageError: The disk cannot take the files; nothing was set up.
    """
    keys = new.keys
    wrapped = protection.wrap(new.root, keys.profile, keys.protection, passphrase, cost or Cost())
    identity, root_file = folder / IDENTITY_NAME, folder / ROOT_NAME
    try:
        # Both are whole on disk before the first gets its name: see _finish_install.
        keyfiles.stage(identity, _seal(keys))
        keyfiles.stage(root_file, wrapped.encode())
        keyfiles.commit(identity)
        keyfiles.commit(root_file)
    except StorageError:
        for path in (root_file, identity):
            keyfiles.remove(path)
        _forget(wrapped)
        raise
    return keys


def unlock(folder: Path, passphrase: str = "") -> Keys:
    """Open a profile.

    Raises:
        WrongPassphrase: It does not open this profile.
        KeyFileError: A file is missing, damaged, or from another profile.
        KeyringMissing: The secret is in the keyring, which cannot be reached; RecoveryNeeded if
            the recovery passphrase (`set_recovery`) opens it all the same.
    """
    _finish_install(folder)
    file = RootFile.decode(keyfiles.read(folder / ROOT_NAME))
    data = keyfiles.read(folder / IDENTITY_NAME)
    keys = _open(data, recovery.unwrap(folder, file, passphrase), file)
    if file.protection is not Protection.KEYRING:
        recovery.remove(folder)  # left over from a change of protection that was cut off
    return keys


def change_protection(
    folder: Path, keys: Keys, current: str, how: Protection, passphrase: str = "", *, cost: Cost | None = None
) -> Keys:
    """Wrap the root key anew; the keys themselves stay as they are.

    Args:
        folder: The profile's folder.
        keys: What `unlock` gave for it.
        current: The passphrase now, if there is one; the recovery passphrase if the keyring is gone.
        how: What shall wrap the root key from now on. The recovery passphrase stays for the keyring alone.
        passphrase: The new one, for Protection.PASSPHRASE.
        cost: Of Argon2id; the default of `Cost` unless given.

    Raises:
        WrongPassphrase: ``current`` does not open this profile.
        InputError: The new passphrase is empty or too long.
        KeyFileError: A file is missing, damaged, or from another profile.
        KeyringMissing: The old or new secret's keyring cannot be reached.
        StorageError: The disk cannot take the file.

    After any error the old protection holds. (One exception: when a disk fails while the renamed
    file's folder is synced, nobody can say which of the two is there after a crash.)
    """
    old = _root_file(folder, keys)
    root = recovery.unwrap(folder, old, current)
    new = protection.wrap(root, old.profile, how, passphrase, cost or Cost())
    path = folder / ROOT_NAME
    try:
        keyfiles.stage(path, new.encode())
    except StorageError:
        _forget(new)
        raise
    keyfiles.commit(path)  # if this fails the new file may be in place already: both keyring entries stay
    _forget(old)
    if how is not Protection.KEYRING:
        recovery.remove(folder)
    return replace(keys, protection=how)


def set_recovery(folder: Path, keys: Keys, passphrase: str, *, cost: Cost | None = None) -> None:
    """Let a passphrase open the profile when its keyring is gone; see `recovery.set_up`."""
    recovery.set_up(folder, _root_file(folder, keys), passphrase, cost or Cost())


def renew(folder: Path, keys: Keys, exchange: PrivateKey, *, now: int) -> Keys:
    """Put a new exchange key in the place of the old one, certified from ``now`` (Unix seconds) on.

    The old one is kept for `limits.PREKEY_KEPT`; see `Keys.older`.

    Raises:
        StorageError: The disk cannot take the file; the old key holds.
    """
    bundle = Bundle.issue(keys.signing, exchange.public, now)
    older = tuple(one for one in (OldKey(now, keys.exchange), *keys.older) if one.kept(now))
    renewed = replace(keys, exchange=exchange, bundle=bundle, older=older[: limits.EXCHANGE_KEYS_OLD])
    keyfiles.replace(folder / IDENTITY_NAME, _seal(renewed))
    return renewed


def forget_old(folder: Path, keys: Keys, *, now: int) -> Keys:
    """Forget the exchange keys replaced more than `limits.PREKEY_KEPT` before ``now`` (Unix seconds).

    The file is written only if there is one.

    Raises:
        StorageError: The disk cannot take the file; they are still in it.
    """
    older = tuple(one for one in keys.older if one.kept(now))
    if older == keys.older:
        return keys
    left = replace(keys, older=older)
    keyfiles.replace(folder / IDENTITY_NAME, _seal(left))
    return left


def adopt(folder: Path, keys: Keys, signing: PrivateKey, exchange: PrivateKey, *, now: int) -> Keys:
    """Put two new keys in the place of the old ones: from now on the owner is somebody else to others.

    The root key, and with it the key of the database, stays. Nobody can write to the old person any more,
    so no exchange key from before is kept.

    Args:
        folder: The profile's folder.
        keys: What it holds now.
        signing: The new signing key.
        exchange: The new exchange key, certified from ``now`` on.
        now: Unix time in seconds.

    Raises:
        StorageError: The disk cannot take the file; the old keys hold.
    """
    bundle = Bundle.issue(signing, exchange.public, now)
    adopted = replace(keys, signing=signing, exchange=exchange, bundle=bundle, older=())
    keyfiles.replace(folder / IDENTITY_NAME, _seal(adopted))
    return adopted


def _root_file(folder: Path, keys: Keys) -> RootFile:
    file = RootFile.decode(keyfiles.read(folder / ROOT_NAME))
    if file.profile != keys.profile:
        raise KeyFileError(f"{ROOT_NAME} belongs to another profile")
    return file


def _finish_install(folder: Path) -> None:
    """Finish an `install` that was cut off between its two renamings, when both files were whole."""
    root, identity = folder / ROOT_NAME, folder / IDENTITY_NAME
    if not _exists(root) and _exists(identity) and _exists(keyfiles.staged(root)):
        keyfiles.commit(root)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as e:
        raise KeyFileError(f"{path.name} cannot be looked for: {e.strerror}") from e


def _forget(file: RootFile) -> None:
    with contextlib.suppress(KeyringMissing):  # an entry that wraps nothing any more harms nobody
        protection.forget(file)


def _keys(root: bytes, profile: bytes, how: Protection, content: KeyContent) -> Keys:
    db_key, vault_key = (expand(root, label, b"", aead.KEY_SIZE) for label in ("db key", "vault key"))
    signing, exchange, bundle = content.signing, content.exchange, content.bundle
    return Keys(signing, exchange, bundle, how, db_key, vault_key, profile, content.older)


def _seal(keys: Keys) -> bytes:
    nonce = secrets.token_bytes(aead.IV_SIZE)
    version = _VERSION_OLD_KEYS if keys.older else _VERSION
    header = _HEADER.pack(_MAGIC, version, keys.profile, nonce)
    data = header + aead.seal_once(keys.vault_key, nonce, keys.content().encode(), header)
    return data + digest(data)


def _open(data: bytes, root: bytes, file: RootFile) -> Keys:
    if len(data) < _HEADER.size + HASH_SIZE or not equal(digest(data[:-HASH_SIZE]), data[-HASH_SIZE:]):
        raise KeyFileError(f"{IDENTITY_NAME} is damaged")
    magic, version, profile, nonce = _HEADER.unpack_from(data)
    if magic != _MAGIC or version not in (_VERSION, _VERSION_OLD_KEYS):
        raise KeyFileError(f"{IDENTITY_NAME} is of another kind or version")
    if profile != file.profile:
        raise KeyFileError(f"{IDENTITY_NAME} belongs to another profile")
    try:
        vault_key = expand(root, "vault key", b"", aead.KEY_SIZE)
        content = aead.open_once(vault_key, nonce, data[_HEADER.size : -HASH_SIZE], data[: _HEADER.size])
        keys = KeyContent.decode(content, with_old=version == _VERSION_OLD_KEYS)
    except CryptoError as e:
        raise KeyFileError(f"{IDENTITY_NAME} does not open") from e
    return _keys(root, file.profile, file.protection, keys)
