"""The commands of `Engine` about locks, passphrases and backups."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from messenger.core.errors import InputError, InputProblem, KeyringMissing, LocalProtocolError
from messenger.core.models import Backup
from messenger.crypto.protection import Protection
from messenger.engine.commands import Commands
from messenger.engine.context import Context
from messenger.engine.profile import Profile
from messenger.engine.running import Running


class SafeCommands(Commands):
    """Passphrase, app lock, rolling backups and the way back from them."""

    _profile: Profile
    _locks_itself: bool
    _locking: "asyncio.Task[None] | None" = None

    async def set_passphrase(self, passphrase: str, current: str = "") -> None:
        """Protect the profile with a passphrase from now on; `MeChanged` tells.

        Args:
            passphrase: The new one.
            current: The one before, if there is one; the recovery passphrase if the keyring is gone.

        Raises:
            WrongPassphrase: ``current`` is wrong.
            InputError: The new one is empty or too long.
            KeyringMissing: The keyring that protected it does not answer.
            StorageError, VaultError: It is protected as before.
        """
        await self._protect(current, Protection.PASSPHRASE, passphrase)

    async def remove_passphrase(self, current: str, *, keyring: bool = True) -> None:
        """Let the profile open by itself from now on; `MeChanged` tells what protects it.

        Args:
            current: The passphrase, or the recovery passphrase if the keyring is gone.
            keyring: Whether the system keyring may be used; without one the secret lies in the folder.

        Raises:
            WrongPassphrase: ``current`` is wrong.
            StorageError, VaultError: It is protected as before.
        """
        if keyring:
            with contextlib.suppress(KeyringMissing):  # there is none that keeps a secret
                await self._protect(current, Protection.KEYRING, "")
                return
        await self._protect(current, Protection.FILE, "")

    async def set_recovery_passphrase(self, passphrase: str) -> None:
        """Let a passphrase open the profile when the system keyring that protects it is gone.

        `open` raises RecoveryNeeded then, and takes it; afterwards `set_passphrase` or
        `remove_passphrase` protects the profile anew.

        Raises:
            InputError: It is empty or too long; NOT_ALLOWED: the keyring does not protect the profile.
            KeyringMissing: The keyring does not answer.
            StorageError, VaultError: The one before holds.
        """
        running = self._now()
        await running.context.vault.set_recovery(passphrase)
        await running.housekeeping.keep_keys()

    async def has_recovery_passphrase(self) -> bool:
        """Whether `set_recovery_passphrase` was used since the keyring protects the profile."""
        return await asyncio.to_thread(self._profile.has_recovery)

    async def lock(self) -> None:
        """Close keys, database and links until `open` gets the passphrase; `Locked` tells it before.

        Nothing is received meanwhile: what others write waits with them or at the relay.

        Raises:
            InputError: NO_PASSPHRASE, there would be nothing to keep anybody out.
        """
        if self._now().context.me.protection != Protection.PASSPHRASE.value:
            raise InputError(InputProblem.NO_PASSPHRASE)
        running, self._running = self._now(), None
        await self._profile.lock(running)

    async def used(self) -> None:
        """Somebody is at the keyboard: the time after which the profile locks itself begins anew."""
        if self._running is not None:
            self._running.housekeeping.used()

    async def back_up(self) -> Backup:
        """Make a backup now, and check it.

        Raises:
            DiskFull, DiskReadOnly, DatabaseDamaged, StorageError: It was not made; the others are there.
        """
        return await self._now().housekeeping.back_up()

    async def backups(self) -> list[Backup]:
        """The rolling backups that are there, the newest first; the profile need not be open."""
        return await self._profile.backups()

    async def restore(self, name: str, passphrase: str | None = None) -> None:
        """Put a backup in the place of the database; `open` then opens it. For a profile that is not open.

        The database that was there is set aside, nothing is deleted. What came after the backup is not in
        it; messages that had been sent by then are sent again, and known to who has them.

        Args:
            name: Of one of `backups`.
            passphrase: As for `open`.

        Raises:
            InputError: UNKNOWN, there is no such backup.
            WrongPassphrase, VaultError: The keys cannot be used; nothing was changed.
            DatabaseDamaged: The backup is damaged, or belongs to other keys; nothing was changed.
            DiskFull, DiskReadOnly, StorageError: The disk refused; nothing was lost.
        """
        self._not_open()
        await self._profile.restore(name, passphrase or "")

    async def restore_keys(self) -> None:
        """Put the copies of the key files in the place of damaged ones, for a profile that is not open.

        What was there is set aside. They are opened as those of the last backup were.

        Raises:
            InputError: UNKNOWN, there are no copies.
            StorageError: The disk refused; nothing was lost.
        """
        self._not_open()
        await self._profile.restore_keys()

    async def export_profile(self, path: Path, passphrase: str) -> None:
        """Write identity, contacts and history into one file under a passphrase; `ArchiveProgress` tells.

        For a new machine, or for a shelf. Two machines that go on from one identity disturb each other:
        whoever moves stops using the old one.

        Args:
            path: The file; replaced when it is there, once the new one is whole.
            passphrase: What will open it; need not be that of the profile.

        Raises:
            InputError: The passphrase is empty or too long.
            DiskFull, DiskReadOnly, StorageError, VaultError: It was not written.
        """
        await self._profile.export(self._now().context, path, passphrase)

    async def import_profile(
        self, path: Path, passphrase: str, new_passphrase: str | None = None, *, keyring: bool = True
    ) -> None:
        """Make this profile, which must be new, of an export, and start; `ArchiveProgress` tells.

        Args:
            path: The export.
            passphrase: The one under which it was made.
            new_passphrase: Protects the profile here; None or empty as for `create`.
            keyring: Whether the system keyring may be used.

        Raises:
            InputError: NOT_EXPORT, EXPORT_VERSION; or the new passphrase cannot be used.
            WrongPassphrase: It does not open the export.
            KeyFileError: There is somebody in this profile already.
            DatabaseTooNew: A later version of the program made it.
            DiskFull, DiskReadOnly, StorageError: The disk cannot take it; nothing was set up.
            ConnectError: STOPPING, `stop` was called meanwhile.
        """
        opened = self._profile.import_
        await self._start(partial(opened, path, passphrase, new_passphrase, keyring=keyring))

    async def _start(self, opened: Callable[[], Awaitable[Context]]) -> None:
        raise NotImplementedError

    async def _protect(self, current: str, how: Protection, passphrase: str) -> None:
        running = self._now()
        await running.context.vault.change_protection(current, how, passphrase)
        running.protected(how.value)
        await running.housekeeping.keep_keys()

    def _not_open(self) -> None:
        if self._running is not None:
            raise LocalProtocolError("the profile is open")

    def _run(self, context: Context) -> Running:
        """What runs on a profile that was opened, and locks it when nobody is there."""

        def lock() -> None:
            if not self._locks_itself:
                return
            self._locking = asyncio.create_task(self._lock_if_possible(), name="locking")

        return Running(context, self._profile.database, self._profile.db_key, lock)

    async def _lock_if_possible(self) -> None:
        if self._running is not None:
            with contextlib.suppress(InputError):  # no passphrase: the setting has no effect
                await self.lock()
