"""A profile that is being made or imported: its keys wait in the vault until all the rest is in its place."""

from pathlib import Path

from messenger.core.errors import VaultError
from messenger.crypto import keyring_access, keystore
from messenger.crypto.keycontent import KeyContent
from messenger.crypto.keystore import Cost, Fresh, Keys
from messenger.crypto.protection import Protection, passphrase_bytes


def check(folder: Path, how: Protection, passphrase: str) -> None:
    """Refuse what could not be installed, while nothing has been done for it; makes the folder.

    Raises:
        InputError: The passphrase is empty or too long.
        KeyFileError: There is a profile in that folder already.
        KeyringMissing: The keyring cannot keep a secret.
        StorageError: The folder cannot be made.
    """
    if how is Protection.PASSPHRASE:
        passphrase_bytes(passphrase)
    keystore.prepare(folder)
    if how is Protection.KEYRING:
        keyring_access.check()


class Incoming:
    """First `hold`, then `prepare`, then `install`; each step that fails may be taken again."""

    def __init__(self) -> None:
        self._content: KeyContent | None = None
        self._made: tuple[Path, Fresh, str] | None = None

    def hold(self, content: KeyContent) -> None:
        """Take the keys of an export that was opened, or new ones."""
        self._content, self._made = content, None

    def prepare(self, folder: Path, how: Protection, passphrase: str) -> bytes:
        """Make a new root key for them; returns the key of the database, 32 bytes.

        Args:
            folder: Where the profile will be.
            how: What shall protect it.
            passphrase: For Protection.PASSPHRASE.

        Raises:
            InputError: The passphrase is empty or too long.
            KeyFileError: There is a profile in that folder already.
            KeyringMissing: The keyring cannot keep a secret.
            VaultError: No keys are held.
        """
        if self._content is None:
            raise VaultError("no export was read")
        check(folder, how, passphrase)
        made = keystore.fresh(self._content, how)
        self._made = folder, made, passphrase
        return made.keys.db_key

    def install(self, *, cost: Cost | None) -> tuple[Path, Keys]:
        """Write the key files.

        Args:
            cost: Of Argon2id; the default of `Cost` unless given.

        Raises:
            KeyFileError, KeyringMissing, StorageError: Nothing was set up.
            VaultError: None was prepared.
        """
        if self._made is None:
            raise VaultError("no import was prepared")
        folder, made, passphrase = self._made
        keystore.prepare(folder)
        keys = keystore.install(folder, made, passphrase, cost=cost)
        self._content = self._made = None
        return folder, keys
