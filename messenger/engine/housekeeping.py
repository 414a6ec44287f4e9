"""What a profile does for itself: deletes what is too old, makes backups, notices that nobody is there."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

from messenger.core import limits, store_limits
from messenger.core.errors import StorageError
from messenger.core.models import Backup
from messenger.crypto.keystore import KEY_FILES
from messenger.crypto.protection import Protection
from messenger.engine.context import Context
from messenger.engine.events import EngineFault
from messenger.engine.history import History
from messenger.engine.tasks import Tasks
from messenger.storage import backup


class Housekeeping:
    """Works in the background of an open profile.

    Args:
        context: The open profile.
        history: Deletes what is too old.
        database: The database file.
        db_key: Its key, 32 bytes.
        lock: Called when nobody has used the profile for as long as the settings say.
    """

    def __init__(
        self, context: Context, history: History, database: Path, db_key: bytes, lock: Callable[[], None]
    ) -> None:
        self._context = context
        self._history = history
        self._database = database
        self._db_key = db_key
        self._lock = lock
        self._tasks = Tasks("housekeeping", context.publish)
        self._stopping = threading.Event()
        self._copying = asyncio.Lock()
        self._copy: asyncio.Future[Backup] | None = None
        self._keys_changed = True  # the program may have ended before the copies followed
        self._used_ms = context.now_ms()

    def start(self) -> None:
        """Begin."""
        self._tasks.start(self._look_after())
        self._tasks.start(self._overwrite())
        self._tasks.start(self._watch())

    async def close(self) -> None:
        """Stop; a backup that is being made is given up."""
        self._stopping.set()
        await self._tasks.close()
        if self._copy is not None:
            await asyncio.gather(self._copy, return_exceptions=True)

    def used(self) -> None:
        """Somebody is there."""
        self._used_ms = self._context.now_ms()

    def idle(self) -> bool:
        """Whether nobody has been there for as long as the settings say."""
        now, after = self._context.now_ms(), self._context.settings.lock_after
        self._used_ms = min(self._used_ms, now)  # the clock was set back
        return after > 0 and now - self._used_ms >= after * 60_000

    async def back_up(self) -> Backup:
        """Make a backup now, check it, and remove those that are too many.

        Raises:
            StorageError: It could not be made; the others are as they were.
        """
        async with self._copying:
            self._copy = asyncio.ensure_future(asyncio.to_thread(self._back_up))
            return await asyncio.shield(self._copy)  # it cannot be interrupted: `close` waits for it

    async def keep_keys(self) -> None:
        """Put the key files as they are now beside the backups; if that fails, it is tried again later."""
        self._keys_changed = True
        try:
            await asyncio.to_thread(backup.keep_keys, self._database, KEY_FILES)
        except StorageError as e:
            self._context.publish(EngineFault("backup", type(e).__name__))
        else:
            self._keys_changed = False

    async def tidy(self) -> None:
        """Delete what is too old, and make the backup of the day; what fails is tried again later."""
        try:
            await self._history.expire()
        except StorageError as e:
            self._context.publish(EngineFault("retention", type(e).__name__))
        if self._keys_changed:
            await self.keep_keys()
        try:
            if self._context.settings.backups_kept and await asyncio.to_thread(self._due):
                await self.back_up()
        except StorageError as e:
            self._context.publish(EngineFault("backup", type(e).__name__))

    def _back_up(self) -> Backup:
        now = self._context.now_ms()
        made = backup.make(self._database, self._db_key, now, lambda: not self._stopping.is_set())
        backup.keep_keys(self._database, KEY_FILES)
        backup.keep(self._database, max(self._context.settings.backups_kept, 1), now)
        return made

    def _due(self) -> bool:
        newest = backup.backups(self._database)[:1]
        age = store_limits.BACKUP_INTERVAL * 1000
        return not newest or not 0 <= self._context.now_ms() - newest[0].made_ms < age

    async def _look_after(self) -> None:
        pause = store_limits.TIDY_AFTER
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._history.due.wait()
            self._history.due.clear()
            await self.tidy()
            pause = limits.UPKEEP_INTERVAL

    async def _overwrite(self) -> None:
        while True:
            await self._history.removed.wait()
            try:
                await self._history.overwrite()
            except StorageError as e:  # it stays hidden; the next deletion or start tries again
                self._context.publish(EngineFault("removal", type(e).__name__))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(store_limits.IDLE_LOOK)
            if self.idle() and self._context.me.protection == Protection.PASSPHRASE.value:
                self._lock()  # which closes all this; until then, or if it fails, it is tried again
