"""Making a profile of an export: checked before anything is made, and complete before it counts.

The order makes it safe against a crash at any moment: the database has its place before the key files
have theirs, and a profile exists when its key files do. A database without key files is set aside by
the next attempt.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from messenger.core.errors import KeyringMissing, StorageError
from messenger.crypto.protection import Protection
from messenger.crypto.vault import OpenedVault, Vault
from messenger.engine.context import system_ms
from messenger.engine.events import ArchiveProgress, Event
from messenger.engine.portable import Progress, clear_passing, going_on, read_head, unpack
from messenger.storage import backup

T = TypeVar("T")
_PARTS = 100


async def abandonable(publish: Callable[[Event], None], job: Callable[[Progress], T]) -> T:
    """Run a job in a thread; when the caller is cancelled, the job is told to give up, and waited for.

    Args:
        publish: Gets `ArchiveProgress`, in this thread.
        job: Given what it must call now and then, which raises StorageError if it shall give up.
    """
    loop, given_up = asyncio.get_running_loop(), threading.Event()
    told = -1

    def progress(done: int, total: int) -> None:
        nonlocal told
        if given_up.is_set():
            raise StorageError("given up")
        if total and (part := done * _PARTS // total) != told:
            told = part
            loop.call_soon_threadsafe(publish, ArchiveProgress(done, total))

    working = asyncio.ensure_future(asyncio.to_thread(job, progress))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        given_up.set()
        await asyncio.gather(working, return_exceptions=True)
        raise


class Importing:
    """One import into a folder without a profile.

    Args:
        vault: The vault process.
        folder: The profile folder.
        database: Where the database will be, in it.
        publish: Where progress goes.
    """

    def __init__(self, vault: Vault, folder: Path, database: Path, publish: Callable[[Event], None]) -> None:
        self._vault = vault
        self._folder = folder
        self._database = database
        self._publish = publish

    async def run(
        self, path: Path, passphrase: str, ways: Sequence[Protection], new_passphrase: str
    ) -> OpenedVault:
        """Do it.

        Args:
            path: The export.
            passphrase: The one under which it was made.
            ways: How the new profile may be protected, the best first; the last one always works.
            new_passphrase: For Protection.PASSPHRASE.

        Raises:
            InputError: NOT_EXPORT, EXPORT_VERSION; or the new passphrase cannot be used.
            WrongPassphrase: It does not open the export.
            KeyFileError: There is a profile already.
            DatabaseTooNew: A later version of the program made it.
            StorageError: Or one of its kinds: the disk cannot take it.
        """
        head = await asyncio.to_thread(read_head, path)
        keys = await self._vault.read_export(head, passphrase)
        await asyncio.to_thread(clear_passing, self._database)
        try:
            copy = await abandonable(
                self._publish,
                lambda progress: unpack(path, len(head), keys, self._database, progress),
            )
            db_key = await self._prepare(ways, new_passphrase)
            await abandonable(
                self._publish, lambda progress: self._place(copy, keys.db_key, db_key, progress)
            )
            return await self._vault.finish_import()
        finally:
            await asyncio.shield(asyncio.to_thread(clear_passing, self._database))

    async def _prepare(self, ways: Sequence[Protection], passphrase: str) -> bytes:
        *better, last = ways
        for way in better:
            try:
                return await self._vault.prepare_import(self._folder, way, passphrase)
            except KeyringMissing:
                continue
        return await self._vault.prepare_import(self._folder, last, passphrase)

    def _place(self, copy: Path, copy_key: bytes, db_key: bytes, progress: Progress) -> None:
        backup.set_unowned_aside(self._database, system_ms())
        backup.duplicate(copy, copy_key, self._database, db_key, going_on(progress))
