"""Opening and closing a profile: its lock, its vault process, its database."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

from messenger.core.errors import KeyringMissing, LocalProtocolError, ProfileMissing
from messenger.core.models import Me, ProfileStatus
from messenger.crypto.protection import Protection
from messenger.crypto.vault import OpenedVault, Vault
from messenger.crypto.vault_wire import Step, VaultState
from messenger.engine.context import Context
from messenger.engine.events import Event, SetupProgress, SetupStep
from messenger.storage.lock import ProfileLock
from messenger.storage.store import Store
from messenger.storage.worker import Worker

_STATUS: Final = {
    VaultState.NEW: ProfileStatus.NEW,
    VaultState.LOCKED: ProfileStatus.LOCKED,
    VaultState.OPENS: ProfileStatus.READY,
}
NEXT_STEP: Final = {Step.SIGNING_KEY: SetupStep.EXCHANGE_KEY, Step.EXCHANGE_KEY: SetupStep.SAVING}
"""What begins when the vault has done a step."""

_KEY_BITS: Final = 3072
_DATABASE: Final = "sotto.db"


T = TypeVar("T")


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

    @property
    def database(self) -> Path:
        """The database file."""
        return self._folder / _DATABASE

    @property
    def db_key(self) -> bytes:
        """The key of the database, for further readers."""
        return self._db_key

    async def status(self) -> ProfileStatus:
        """Take the profile for this program and say what it needs.

        Raises:
            ProfileInUse: Another program has it.
            StorageError: The folder cannot be used.
            VaultError: The vault process does not start.
        """
        vault = await self._hold()
        return _STATUS[await vault.status(self._folder)]

    async def create(self, name: str, passphrase: str | None, *, keyring: bool) -> Context:
        """Make keys and database for a new person, and open them.

        Raises:
            KeyringMissing: Never: without a keyring the secret lies in the folder.
            StorageError: The disk cannot take the files.
        """
        vault = await self._hold()
        self._publish(SetupProgress(SetupStep.SIGNING_KEY))
        wanted = Protection.PASSPHRASE if passphrase else Protection.KEYRING if keyring else Protection.FILE
        try:
            opened = await vault.create(self._folder, _KEY_BITS, wanted, passphrase or "", self._progress)
        except KeyringMissing:
            opened = await vault.create(self._folder, _KEY_BITS, Protection.FILE, "", self._progress)
        context = await self._open_store(vault, opened, name)
        self._publish(SetupProgress(SetupStep.DONE))
        return context

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
        return await self._open_store(vault, await vault.open(self._folder, passphrase or ""), "")

    async def close(self) -> None:
        """Close everything; the profile may be opened by another program afterwards."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*self._steps, return_exceptions=True)
        if self._worker is not None:
            if self._store is not None:
                await self._worker.run(self._store.close)
                self._store = None
            await loop.run_in_executor(None, self._worker.close)
            self._worker = None
        if self._vault is not None:
            await self._vault.close()
            self._vault = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        self._db_key = b""

    async def _hold(self) -> Vault:
        if self._lock is None:
            await self._whole(self._take_lock())
        if self._vault is None:
            self._vault = await Vault.start()
        return self._vault

    async def _whole(self, step: Coroutine[Any, Any, T]) -> T:
        """Take something to the end even if nobody waits any more, so that `close` can give it back."""
        task = asyncio.create_task(step)
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)
        return await asyncio.shield(task)

    async def _take_lock(self) -> None:
        self._lock = await asyncio.get_running_loop().run_in_executor(None, ProfileLock, self._folder)

    async def _take_store(self, worker: Worker, db_key: bytes) -> Store:
        self._store = await worker.run(Store.open, self.database, db_key)
        self._db_key = db_key
        return self._store

    async def _open_store(self, vault: Vault, opened: OpenedVault, name: str) -> Context:
        if self._store is not None:
            raise LocalProtocolError("the profile is open already")
        worker = self._worker = self._worker or Worker()
        store = await self._whole(self._take_store(worker, opened.db_key))
        if name:
            await worker.run(store.meta.set_name, name)
        me = Me(
            name=await worker.run(store.meta.name),
            fingerprint=opened.bundle.fingerprint,
            protection=opened.protection.value,
        )
        settings = await worker.run(store.meta.settings)
        return Context(vault, opened.bundle, store, worker, self._publish, settings, me)

    def _progress(self, step: str) -> None:
        self._publish(SetupProgress(NEXT_STEP[Step(step)]))
