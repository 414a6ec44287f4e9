"""Pictures that are pasted: files only for as long as they are needed to be sent.

Nobody has chosen a place for them and nobody looks after them, so they lie in the folder of the profile, and
go when the offer is done or cancelled, when it disappears, and with its conversation. One that failed or was
declined can be offered again, and stays until its message goes. What is left over goes at the next start.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from messenger.core import transfer_limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId
from messenger.engine.carrying import Carrier
from messenger.engine.context import Context
from messenger.engine.events import TransferChanged
from messenger.storage.files import made_folder, written
from messenger.storage.transfers import Held

FOLDER: Final = "pasted"
"""In the folder of the profile."""


class Pasted:
    """The pictures that were pasted and are still needed.

    Args:
        context: The open profile.
        folder: Where they lie; nothing else may lie there.
        carrier: Has the threads for what blocks.
    """

    def __init__(self, context: Context, folder: Path, carrier: Carrier) -> None:
        self._context = context
        self._folder = folder.absolute()
        self._carrier = carrier
        self._fresh: set[Path] = set()
        """Those that somebody still thinks about."""

    async def keep(self, content: Callable[[], bytes]) -> Path:
        """Write one to where it can be offered from, until it is offered or dropped.

        Raises:
            InputError: TOO_LONG, or EMPTY if there is nothing.
            StorageError: The disk refused.
        """
        path = self._folder / f"Pasted {self._context.now_ms()} {secrets.token_hex(2)}.png"
        self._fresh.add(path)
        try:
            return await self._carrier.thread(None, _kept, content, path)
        except BaseException:
            self._fresh.discard(path)
            raise

    async def drop(self, path: Path) -> None:
        """One is not to be sent after all; nothing happens if it is another file, or was offered."""
        self._fresh.discard(path)
        await self.sweep()

    def offered(self, paths: Iterable[str]) -> None:
        """Files are offered, which is on disk: from now on their transfer needs them."""
        self._fresh.difference_update(map(Path, paths))

    async def settle(self, held: Held) -> None:
        """A transfer has ended, or is gone."""
        if any(Path(path).parent == self._folder for path in held.placed):
            await self.sweep()

    async def sweep(self, without: ConversationId | None = None) -> None:
        """Remove those that no transfer needs.

        Args:
            without: A conversation that is about to be deleted.
        """
        there = await self._carrier.thread(None, self._listed)
        fresh = frozenset(self._fresh)  # before it is asked what is needed: one may be offered meanwhile
        if there:
            transfers, folder = self._context.store.transfers, str(self._folder)
            for held in await self._context.stored(transfers.unplace_in, folder):
                self._context.publish(TransferChanged(held.shown()))
            needed = await self._context.stored(transfers.sources_in, folder, without)
            gone = [path for path in there if str(path) not in needed and path not in fresh]
            await self._carrier.thread(None, _remove, gone)

    def _listed(self) -> list[Path]:
        try:
            return list(self._folder.iterdir())
        except OSError:  # there never was one
            return []


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):  # somebody has it open; it goes at the next start
            path.unlink()


def _kept(content: Callable[[], bytes], path: Path) -> Path:
    data = content()
    if not data:
        raise InputError(InputProblem.EMPTY)
    if len(data) > transfer_limits.PASTED_MAX:
        raise InputError(InputProblem.TOO_LONG)
    made_folder(path.parent)
    with written(path) as file:
        file.write(data)
    return path
