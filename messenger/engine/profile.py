"""Opening and closing a profile: its lock, its vault process, its database."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from messenger.core import limits
from messenger.core.errors import (
    KeyFileError,
    KeyringMissing,
    LocalProtocolError,
    ProfileMissing,
    StorageError,
)
from messenger.core.models import Backup, Me, ProfileStatus
from messenger.core.profiles import DATABASE
from messenger.crypto.keystore import KEY_FILES, RECOVERY_NAME
from messenger.crypto.protection import Protection
from messenger.crypto.vault import OpenedVault, Vault
from messenger.crypto.vault_wire import Step, VaultState
from messenger.engine.context import Context, system_ms
from messenger.engine.events import Event, Locked, LogDamaged, SetupProgress, SetupStep, UpdateProgress
from messenger.engine.importing import Importing, abandonable
from messenger.engine.portable import write_export
from messenger.storage import backup, generation, log
from messenger.storage.lock import ProfileLock
from messenger.storage.schema import discard
from messenger.storage.store import Store, make_store
from messenger.storage.worker import Worker

_STATUS: Final = {
    VaultState.NEW: ProfileStatus.NEW,
    VaultState.LOCKED: ProfileStatus.LOCKED,
    VaultState.OPENS: ProfileStatus.READY,
}
NEXT_STEP: Final = {Step.SIGNING_KEY: SetupStep.EXCHANGE_KEY, Step.EXCHANGE_KEY: SetupStep.SAVING}
"""What begins when the vault has done a step."""

_KEY_BITS: Final = 3072


T = TypeVar("T")


class Closing(Protocol):
    """What runs on an open profile."""

    async def close(self) -> None:
        """End all of it."""


class Profile:
    """A profile folder, and what is held open of it.

    Args:
        folder: Made when it is missing.
        publish: Where events go.
    """

    def __init__(self, folder: Path, publish: Callable[[Event], None]) -> None:
        self._folder = folder
        self._publish = publish
        self._lock: ProfileLock | None = None
        self._vault: Vault | None = None
        self._worker: Worker | None = None
        self._store: Store | None = None
        self._db_key = b""
        self._steps: set[asyncio.Task[Any]] = set()
        self._exporting = asyncio.Lock()

    @property
    def database(self) -> Path:
        """The database file."""
        return self._folder / DATABASE

    @property
    def db_key(self) -> bytes:
        """The key of the database, for further readers."""
        return self._db_key

    async def status(self) -> ProfileStatus:
        """Take the profile for this program and say what it needs.

        Raises:
            ProfileInUse: Another program has it.
            StorageError: The folder cannot be used.
            KeyFileError: The key files are damaged, or gone and there are copies of them.
            VaultError: The vault process does not start.
        """
        vault = await self._hold()
        status = _STATUS[await vault.status(self._folder)]
        if status is ProfileStatus.NEW and await asyncio.to_thread(backup.has_keys, self.database, KEY_FILES):
            # Somebody new would put other keys in the place of those that open the backups.
            raise KeyFileError("the key files are missing, and there are copies")
        return status

    async def create(self, name: str, passphrase: str | None, *, keyring: bool) -> Context:
        """Make keys and database for a new person, and open them.

        Raises:
            KeyringMissing: Never: without a keyring the secret lies in the folder.
            StorageError: The disk cannot take the files.
        """
        if await self.status() is ProfileStatus.NEW:
            await asyncio.to_thread(backup.set_unowned_aside, self.database, system_ms())
        vault = await self._hold()
        self._publish(SetupProgress(SetupStep.SIGNING_KEY))
        wanted = Protection.PASSPHRASE if passphrase else Protection.KEYRING if keyring else Protection.FILE
        try:
            context = await self._make(vault, name, wanted, passphrase or "")
        except KeyringMissing:
            context = await self._make(vault, name, Protection.FILE, "")
        self._publish(SetupProgress(SetupStep.DONE))
        return context

    async def import_(
        self, path: Path, passphrase: str, new_passphrase: str | None, *, keyring: bool
    ) -> Context:
        """Make a profile of an export, and open it.

        Raises:
            InputError, WrongPassphrase, KeyFileError, StorageError: See `messenger.engine.importing`.
        """
        if await self.status() is not ProfileStatus.NEW:
            raise KeyFileError("there is a profile here already")
        vault = await self._hold()
        ways = (
            [Protection.PASSPHRASE] if new_passphrase else [Protection.KEYRING] * keyring + [Protection.FILE]
        )
        incoming = Importing(vault, self._folder, self.database, self._publish)
        opened = await incoming.run(path, passphrase, ways, new_passphrase or "")
        return await self._open_store(vault, opened)

    async def export(self, context: Context, path: Path, passphrase: str) -> None:
        """Write the whole profile into a file.

        Raises:
            InputError, StorageError, VaultError: No file was written.
        """
        async with self._exporting:
            keys = await context.vault.export(passphrase)
            write = partial(write_export, self.database, self._db_key, keys, path)
            await abandonable(self._publish, write)

    async def open(self, passphrase: str | None) -> Context:
        """Open what is there.

        Raises:
            ProfileMissing: Nothing has been set up.
            WrongPassphrase: The passphrase is missing or wrong.
            VaultError: Another reason why the keys cannot be used.
            StorageError: The database cannot be used; nothing was changed.
        """
        if await self.status() is ProfileStatus.NEW:
            raise ProfileMissing(str(self._folder))
        vault = await self._hold()
        return await self._open_store(vault, await vault.open(self._folder, passphrase or ""))

    async def lock(self, running: Closing) -> None:
        """End what runs on the profile and close keys and database; no other program may have it meanwhile.

        Raises:
            StorageError: As for `close`.
        """
        self._publish(Locked())
        await self._whole(self._close_with(running))

    async def backups(self) -> list[Backup]:
        """The rolling backups, the newest first.

        Raises:
            StorageError: The folder cannot be read.
        """
        return await asyncio.to_thread(backup.backups, self.database)

    async def restore(self, name: str, passphrase: str) -> None:
        """Put a backup in the place of the database.

        Raises:
            InputError, VaultError, StorageError: See `messenger.storage.backup.restore`.
        """
        vault = await self._hold()
        opened = await vault.open(self._folder, passphrase)
        put_back = asyncio.to_thread(backup.restore, self.database, opened.db_key, name, system_ms())
        await self._whole(put_back)

    async def restore_keys(self) -> None:
        """Put the copies of the key files in their place.

        Raises:
            InputError, StorageError: See `messenger.storage.backup.restore_keys`.
        """
        await self._hold()
        await self._whole(asyncio.to_thread(backup.restore_keys, self.database, KEY_FILES, system_ms()))

    def has_recovery(self) -> bool:
        """Whether there is a recovery passphrase; blocks."""
        return (self._folder / RECOVERY_NAME).exists()

    async def close(self) -> None:
        """Close everything; the profile may be opened by another program afterwards.

        Raises:
            StorageError: The database could not be closed as it should be; all the rest is closed.
        """
        await asyncio.gather(*self._steps, return_exceptions=True)
        async with contextlib.AsyncExitStack() as each:  # in the reverse order, whatever fails
            if self._lock is not None:
                each.callback(self._lock.release)
            each.push_async_callback(self._close_keys)
            self._lock = None

    async def _close_with(self, running: Closing) -> None:
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limits.STOP_DEADLINE):
                    await running.close()
        finally:
            await self._close_keys()

    async def _close_keys(self) -> None:
        async with contextlib.AsyncExitStack() as each:  # in the reverse order, whatever fails
            if self._vault is not None:
                each.push_async_callback(self._vault.close)
            each.push_async_callback(self._close_store)
            self._vault = None

    async def _close_store(self) -> None:
        self._db_key = b""
        async with contextlib.AsyncExitStack() as each:
            if self._worker is not None:
                each.push_async_callback(asyncio.get_running_loop().run_in_executor, None, self._worker.close)
                if self._store is not None:
                    each.push_async_callback(self._worker.run, self._store.close)
                    each.push_async_callback(self._worker.run, generation.end, self._store, self.database)
            self._worker = self._store = None

    async def _hold(self) -> Vault:
        while self._steps:  # it may just be locked, or taken for somebody else
            await asyncio.gather(*self._steps, return_exceptions=True)
        if self._vault is None:
            return await self._whole(self._take())
        return self._vault

    async def _whole(self, step: Coroutine[Any, Any, T]) -> T:
        """Take something to the end even if nobody waits any more, so that `close` can give it back."""
        task = asyncio.create_task(step)
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)
        return await asyncio.shield(task)

    async def _take(self) -> Vault:
        if self._lock is None:
            self._lock = await asyncio.get_running_loop().run_in_executor(None, ProfileLock, self._folder)
        self._vault = await Vault.start()
        return self._vault

    async def _make(self, vault: Vault, name: str, how: Protection, passphrase: str) -> Context:
        """Make keys, then the database, then the key files: a profile exists when it is whole.

        The database is open then, so that no disk can refuse that any more.
        """
        db_key = await vault.create(self._folder, _KEY_BITS, how, passphrase, self._progress)
        await self._whole(asyncio.to_thread(make_store, self.database, db_key, name))
        try:
            worker, store = await self._whole(self._take_store(db_key, new=True))
            opened = await vault.finish_import()
        except (KeyringMissing, StorageError):  # no key file was written: nobody can open the database
            await self._close_store()
            await self._whole(asyncio.to_thread(discard, self.database))
            raise
        return await self._context(vault, opened, worker, store)

    async def _take_store(self, db_key: bytes, *, new: bool) -> tuple[Worker, Store]:
        worker = self._worker = self._worker or Worker()
        await worker.run(backup.settle, self.database)
        loop = asyncio.get_running_loop()

        def tell(percent: int) -> None:
            loop.call_soon_threadsafe(self._publish, UpdateProgress(percent))

        loss = await worker.run(log.look_after, self.database, db_key, system_ms())
        store = self._store = await worker.run(Store.open, self.database, db_key, tell)
        await worker.run(generation.begin, store, self.database, system_ms(), new=new)
        self._db_key = db_key
        if loss is not None:
            self._publish(LogDamaged(loss.kept))
        return worker, store

    async def _open_store(self, vault: Vault, opened: OpenedVault) -> Context:
        if self._store is not None:
            raise LocalProtocolError("the profile is open already")
        worker, store = await self._whole(self._take_store(opened.db_key, new=False))
        return await self._context(vault, opened, worker, store)

    async def _context(self, vault: Vault, opened: OpenedVault, worker: Worker, store: Store) -> Context:
        me = Me(
            name=await worker.run(store.meta.name),
            fingerprint=opened.bundle.fingerprint,
            protection=opened.protection.value,
            portrait=await worker.run(store.portraits.own_hash),
        )
        settings = await worker.run(store.meta.settings)
        return Context(vault, opened.bundle, store, worker, self._publish, settings, me)

    def _progress(self, step: str) -> None:
        self._publish(SetupProgress(NEXT_STEP[Step(step)]))
