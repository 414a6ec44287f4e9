"""Moving to a new identity: other keys, the same person, the same contacts (SPEC.md section 8.1).

The order makes it safe against a crash at any moment: the statement is on disk before the new
keys are, and a statement whose new key never came into force is forgotten when the profile is
opened. `Talk` tells each contact at the beginning of every link until it has confirmed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from messenger.core import limits
from messenger.core.errors import (
    ConnectError,
    CryptoError,
    InputError,
    InputProblem,
    Reason,
    SottoError,
)
from messenger.crypto.succession import Succession
from messenger.crypto.vault_wire import Step
from messenger.engine.context import Context
from messenger.engine.events import EngineFault, MeChanged, SetupProgress, SetupStep
from messenger.engine.profile import NEXT_STEP
from messenger.engine.tasks import Tasks
from messenger.storage.successions import Kept, read_kept, write_kept

Action = Callable[[], Awaitable[None]]


class Mover:
    """Changes our identity.

    Args:
        context: The open profile; its `bundle` and `me` change.
        pause: Ends every link and attempt, so that nobody meets two identities at once.
        resume: Begins anew, whatever the identity is then.
        kept: The file in which the statements stand beside the key files.
    """

    def __init__(self, context: Context, pause: Action, resume: Action, kept: Path) -> None:
        self._context = context
        self._kept = kept
        self._pause = pause
        self._resume = resume
        self._tasks = Tasks("succession", context.publish)
        self._running: asyncio.Task[None] | None = None
        self._paused = False

    async def settle(self) -> None:
        """After opening: find out by which statement we came to our key, and forget one that led nowhere.

        Statements that an older database does not have are taken from the file beside it.
        """
        context, successions = self._context, self._context.store.successions
        kept = await context.stored(read_kept, self._kept)
        await context.stored(successions.merge, [one for one in kept if self._holds(one)])
        context.succession = 0
        while (last := await context.stored(successions.last)) is not None:
            if Succession.decode(last[1]).new == context.fingerprint:
                context.succession = last[0]
                break
            await context.stored(successions.drop_after, last[0] - 1)
        if await context.stored(successions.newest) != kept:
            await self._keep()

    async def move(self) -> None:
        """Make new keys, adopt them, and tell every contact.

        Given up (cancelled) while keys are being made, it changes nothing; afterwards it is finished.

        Raises:
            InputError: NOT_ALLOWED, a move is going on, or a contact would have to be told more
                statements than `limits.SUCCESSIONS_MAX`.
            StorageError, VaultError: The old identity holds.
            ConnectError: STOPPING, the program is being closed; which identity holds shows when it is
                opened again.
        """
        if self._running is not None and not self._running.done():
            raise InputError(InputProblem.NOT_ALLOWED)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        running = self._running = self._tasks.start(self._move(done))
        try:
            await done
        except asyncio.CancelledError:
            if not self._paused:  # the vault finishes its keys and forgets them with the next ones
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            raise

    async def close(self) -> None:
        """Give up a move that has not come far, or let it finish."""
        await self._tasks.close(limits.STOP_DEADLINE / 2 if self._paused else 0.0)

    async def _move(self, done: "asyncio.Future[None]") -> None:
        try:
            serial, statement = await self._make()
            if done.cancelled():  # they have thought better of it
                return
            try:
                self._paused = True
                await self._pause()
                await self._adopt(serial, statement)
            finally:
                await self._resume()
                self._paused = False
            self._context.publish(SetupProgress(SetupStep.DONE))
        except SottoError as e:
            if done.done():
                self._context.publish(EngineFault("succession", type(e).__name__))
            else:
                done.set_exception(e)
        else:
            if not done.done():
                done.set_result(None)
        finally:
            if not done.done():
                done.set_exception(ConnectError(Reason.STOPPING))

    async def _make(self) -> tuple[int, bytes]:
        context, successions = self._context, self._context.store.successions
        await context.stored(successions.drop_after, context.succession)  # of a move that failed
        if await context.stored(successions.most_untold) >= limits.SUCCESSIONS_MAX:
            raise InputError(InputProblem.NOT_ALLOWED)
        serial = await context.stored(successions.next_serial)
        context.publish(SetupProgress(SetupStep.SIGNING_KEY))
        return serial, await context.vault.succeed(serial, self._progress)

    async def _adopt(self, serial: int, statement: bytes) -> None:
        """Change over; if it fails the statement stays until the next opening shows which keys are there."""
        context = self._context
        await context.stored(context.store.successions.add, serial, statement, context.now_ms())
        await self._keep()
        context.bundle = await context.vault.adopt()
        context.succession = serial
        context.me = msgspec.structs.replace(context.me, fingerprint=context.fingerprint)
        context.publish(MeChanged(context.me))

    async def _keep(self) -> None:
        """Put the statements beside the key files."""
        newest = await self._context.stored(self._context.store.successions.newest)
        await self._context.stored(write_kept, self._kept, newest)

    def _holds(self, kept: Kept) -> bool:
        try:
            statement = Succession.decode(kept.statement)
            statement.verify(self._context.now)
        except CryptoError:
            return False
        return statement.serial == kept.serial

    def _progress(self, step: str) -> None:
        self._context.publish(SetupProgress(NEXT_STEP[Step(step)]))
