"""The second way to a root key that the system keyring keeps: `recovery.key`, under a passphrase.

A keyring goes away with a change of desktop, a new installation, a reset login. The file has the form
of `root.key` (see `protection`) and wraps the same root key for the same profile, always under a
passphrase. It is asked only when the keyring does not answer.
"""

from pathlib import Path
from typing import Final

from messenger.core.errors import InputError, InputProblem, KeyFileError, KeyringMissing, RecoveryNeeded
from messenger.crypto import keyfiles, protection
from messenger.crypto.protection import Cost, Protection, RootFile

NAME: Final = "recovery.key"


def set_up(folder: Path, file: RootFile, passphrase: str, cost: Cost) -> None:
    """Let a passphrase recover a root key that the keyring keeps, in place of an earlier one.

    Args:
        folder: The profile's folder.
        file: Its `root.key`.
        passphrase: The recovery passphrase.
        cost: Of Argon2id.

    Raises:
        InputError: The passphrase is empty or too long; NOT_ALLOWED: the keyring does not protect it.
        KeyFileError: The keyring holds another secret.
        KeyringMissing: The keyring cannot be reached.
        StorageError: The disk cannot take the file; the one before holds.
    """
    if file.protection is not Protection.KEYRING:
        raise InputError(InputProblem.NOT_ALLOWED)
    root = protection.unwrap(file, "")
    wrapped = protection.wrap(root, file.profile, Protection.PASSPHRASE, passphrase, cost)
    keyfiles.replace(folder / NAME, wrapped.encode())


def remove(folder: Path) -> None:
    """Remove the file, as far as the disk allows; nothing happens if there is none."""
    keyfiles.remove(folder / NAME)


def unwrap(folder: Path, file: RootFile, passphrase: str) -> bytes:
    """Recover a root key, from the keyring or else by the recovery passphrase.

    Args:
        folder: The profile's folder.
        file: Its `root.key`.
        passphrase: What protects that file; if the keyring does and is gone, the recovery passphrase.

    Raises:
        WrongPassphrase: It is the wrong one.
        KeyFileError: A file was changed, or is of another profile.
        RecoveryNeeded: The keyring does not answer, and no passphrase was given.
        KeyringMissing: The keyring does not answer, and there is no recovery passphrase.
    """
    try:
        return protection.unwrap(file, passphrase)
    except KeyringMissing as e:
        if not (folder / NAME).exists():
            raise
        if not passphrase:
            raise RecoveryNeeded(str(e)) from e
    second = RootFile.decode(keyfiles.read(folder / NAME))
    if second.profile != file.profile or second.protection is not Protection.PASSPHRASE:
        raise KeyFileError(f"{NAME} belongs to another profile")
    return protection.unwrap(second, passphrase)
