"""The program's side of the vault process: start it, ask it, notice its end."""

import asyncio
import contextlib
import itertools
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeVar, cast

from messenger.core import limits
from messenger.core.errors import VaultError
from messenger.crypto import process
from messenger.crypto import vault_wire as wire
from messenger.crypto.identity import Bundle
from messenger.crypto.protection import Protection
from messenger.crypto.rsa import Label
from messenger.crypto.vault_values import ExportKeys, OpenedVault, exported_from, opened_from
from messenger.crypto.vault_wire import VaultState

__all__ = ["ExportKeys", "OpenedVault", "Protection", "Vault", "VaultState"]

R = TypeVar("R", bound=wire.Message)


_ENDED: Final = "the vault process has ended"


@dataclass(frozen=True, slots=True)
class _Call:
    """One call that has not been answered yet."""

    answer: "asyncio.Future[wire.Reply]"
    progress: Callable[[str], None] | None
    rsa: bool


class Vault:
    """The process that owns the RSA keys. Make one with `start`; end it with `close`.

    All methods are coroutines of one event loop and may be awaited concurrently. When the
    process dies, every waiting and later call raises VaultError.
    """

    def __init__(self, child: Process) -> None:
        self._child = child
        self._source = cast("asyncio.StreamReader", child.stdout)  # pipes, as `start` asked
        self._sink = cast("asyncio.StreamWriter", child.stdin)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Call] = {}
        self._gone = False
        self._listener: asyncio.Task[None]  # from the greeting on

    @classmethod
    async def start(cls) -> Self:
        """Start the process and wait until it answers.

        Raises:
            VaultError: It cannot be started, or says nothing within limits.VAULT_START.
        """
        starting = asyncio.ensure_future(_launch())
        try:
            vault = cls(await asyncio.shield(starting))  # uvloop has no clean way back out of it
            first = await asyncio.wait_for(vault._receive(), limits.VAULT_START)
            if not isinstance(first, wire.Ready):
                raise VaultError("the vault process does not greet")
        except (TimeoutError, VaultError, asyncio.CancelledError) as e:
            await _abandon(await starting)
            if isinstance(e, TimeoutError):
                raise VaultError("the vault process says nothing") from e
            raise
        vault._listener = asyncio.create_task(vault._listen(), name="vault")
        return vault

    async def status(self, folder: Path) -> VaultState:
        """What a profile folder needs before its keys can be used.

        Raises:
            KeyFileError: The key files are incomplete or damaged.
            VaultError: The process has ended.
        """
        return (await self._ask(wire.State, lambda call: wire.Status(call, os.fsencode(folder)))).state

    async def create(
        self,
        folder: Path,
        bits: int = 3072,
        protection: Protection = Protection.FILE,
        passphrase: str = "",
        progress: Callable[[str], None] | None = None,
    ) -> bytes:
        """Make both RSA keys, and a profile of them that is not written yet; returns its database key.

        Takes seconds, in other processes. `finish_import` puts the profile on disk.

        Args:
            folder: Profile folder; made when missing.
            bits: 3072 or 4096.
            protection: What shall protect the key files.
            passphrase: For Protection.PASSPHRASE.
            progress: Called with each `vault_wire.Step` as it is done.

        Raises:
            InputError: The passphrase is empty or too long.
            KeyFileError: There is a profile already; it was not touched.
            KeyringMissing: The keyring cannot keep a secret.
            StorageError: The folder cannot be made.
            VaultError: The size is not offered, or the process has ended.
        """
        name, secret = os.fsencode(folder), wire.write_passphrase(passphrase)
        made = await self._ask(
            wire.Result, lambda call: wire.Create(call, name, bits, protection, secret), progress
        )
        return made.data

    async def open(self, folder: Path, passphrase: str = "") -> OpenedVault:
        """Unlock a profile; replaces its exchange key first if that is due, which takes seconds.

        Raises:
            WrongPassphrase: It does not open this profile.
            KeyFileError: A file is missing, damaged, or from another profile.
            KeyringMissing: The secret is in the keyring, which cannot be reached; RecoveryNeeded if
                the recovery passphrase opens it all the same.
            VaultError: The process has ended.
        """
        name, secret = os.fsencode(folder), wire.write_passphrase(passphrase)
        return opened_from(await self._ask(wire.Opened, lambda call: wire.Open(call, name, secret)))

    async def sign(self, label: Label, fields: Sequence[bytes]) -> bytes:
        """Sign ``rsa.to_be_signed(label, fields)`` with the signing key.

        Raises:
            VaultError: No profile is open, limits.VAULT_CALLS_MAX operations are waiting, the
                fields exceed limits.VAULT_MESSAGE_MAX, or the process has ended.
        """
        return await self._rsa(lambda call: wire.Sign(call, label, list(fields)))

    async def unwrap(self, label: bytes, ciphertext: bytes, older: int = 0) -> bytes:
        """Open an OAEP ciphertext with the exchange key: 32 bytes, random ones if anything is wrong with it.

        Args:
            label: OAEP label.
            ciphertext: As long as the modulus, if it is right.
            older: 0 for the present key; 1 for the one that it replaced, and so on, at most
                `limits.EXCHANGE_KEYS_OLD`. One that is not kept (any more) opens nothing.

        Raises:
            VaultError: As for `sign`; never because of the ciphertext.
        """
        return await self._rsa(lambda call: wire.Unwrap(call, label, ciphertext, older))

    async def change_protection(self, current: str, protection: Protection, passphrase: str = "") -> None:
        """Protect the key files of the open profile in another way.

        Args:
            current: The passphrase now, if there is one; the recovery passphrase if the keyring is gone.
            protection: What shall protect them from now on.
            passphrase: The new one, for Protection.PASSPHRASE.

        Raises:
            WrongPassphrase: ``current`` is wrong.
            InputError: The new passphrase is empty or too long.
            KeyFileError: The files on disk are not those of the open profile any more.
            KeyringMissing: The old or new secret's keyring cannot be reached.
            StorageError: The disk cannot take the file; the old protection holds.
            VaultError: No profile is open, or the process has ended.
        """
        old, new = (wire.write_passphrase(text) for text in (current, passphrase))
        await self._ask(wire.Done, lambda call: wire.ChangeProtection(call, old, protection, new))

    async def set_recovery(self, passphrase: str) -> None:
        """Let a passphrase open the profile when the keyring that protects it is gone.

        Args:
            passphrase: The recovery passphrase, in place of an earlier one.

        Raises:
            InputError: It is empty or too long; NOT_ALLOWED: the keyring does not protect the profile.
            KeyFileError: The files on disk are not those of the open profile any more.
            KeyringMissing: The keyring cannot be reached.
            StorageError: The disk cannot take the file; the one before holds.
            VaultError: No profile is open, or the process has ended.
        """
        secret = wire.write_passphrase(passphrase)
        await self._ask(wire.Done, lambda call: wire.SetRecovery(call, secret))

    async def export(self, passphrase: str) -> ExportKeys:
        """Seal the person's keys under a passphrase, for a file that another machine can import.

        Raises:
            InputError: The passphrase is empty or too long.
            VaultError: No profile is open, or the process has ended.
        """
        secret = wire.write_passphrase(passphrase)
        return exported_from(await self._ask(wire.Exported, lambda call: wire.Export(call, secret)))

    async def read_export(self, head: bytes, passphrase: str) -> ExportKeys:
        """Open the head of an export; the vault holds its keys for `prepare_import`.

        Args:
            head: The first bytes of the file, as many as `export.head_size` says.
            passphrase: The one under which it was made.

        Raises:
            InputError: NOT_EXPORT, EXPORT_VERSION.
            WrongPassphrase: It does not open the export.
            VaultError: The process has ended.
        """
        secret = wire.write_passphrase(passphrase)
        return exported_from(await self._ask(wire.Exported, lambda call: wire.ReadExport(call, head, secret)))

    async def prepare_import(self, folder: Path, protection: Protection, passphrase: str = "") -> bytes:
        """Make a profile of the keys that `read_export` opened, without writing it; returns its database key.

        Args:
            folder: Profile folder; made when missing.
            protection: What shall protect the key files.
            passphrase: For Protection.PASSPHRASE.

        Raises:
            InputError: The passphrase is empty or too long.
            KeyFileError: There is a profile already; it was not touched.
            KeyringMissing: The keyring cannot keep a secret.
            VaultError: No export was read, or the process has ended.
        """
        name, secret = os.fsencode(folder), wire.write_passphrase(passphrase)
        request = await self._ask(
            wire.Result, lambda call: wire.PrepareImport(call, name, protection, secret)
        )
        return request.data

    async def finish_import(self) -> OpenedVault:
        """Write the key files of the profile that `create` or `prepare_import` made, and open it.

        Raises:
            KeyFileError: There is a profile already; it was not touched.
            KeyringMissing: The keyring cannot keep a secret; nothing was set up.
            StorageError: The disk cannot take the files; nothing was set up.
            VaultError: None was prepared, or the process has ended.
        """
        return opened_from(await self._ask(wire.Opened, wire.Import))

    async def renew(self) -> Bundle:
        """Replace the exchange key of the open profile, due or not; returns the new bundle.

        The old one still opens what was sealed to it, for `limits.PREKEY_KEPT`: see `unwrap`.

        Raises:
            StorageError: The disk cannot take the file; the old key holds.
            VaultError: No profile is open, or the process has ended.
        """
        return Bundle.decode((await self._ask(wire.Result, wire.Renew)).data)

    async def forget_old(self) -> None:
        """Erase the exchange keys that were replaced more than `limits.PREKEY_KEPT` ago.

        Raises:
            StorageError: The disk cannot take the file; they are still in it and open nothing.
            VaultError: No profile is open, or the process has ended.
        """
        await self._ask(wire.Done, wire.ForgetOld)

    async def succeed(self, serial: int, progress: Callable[[str], None] | None = None) -> bytes:
        """Make the keys of a new identity for the same person, and the statement that says so; takes seconds.

        The old identity goes on until `adopt`; the new keys are in the vault's memory alone until then.

        Args:
            serial: Of the statement; from 1, greater than that of the one before.
            progress: Called with each `vault_wire.Step` as it is done.

        Returns:
            The wire form of the `Succession`, to be stored durably before `adopt`.

        Raises:
            VaultError: No profile is open, there is no such serial, the keys could not be made, or the
                process has ended.
        """
        return (await self._ask(wire.Result, lambda call: wire.Succeed(call, serial), progress)).data

    async def adopt(self) -> Bundle:
        """Put the keys that `succeed` made in the place of the old ones, durably; returns the new bundle.

        Works once for each `succeed`, whether it succeeds or not.

        Raises:
            StorageError: The disk cannot take the file; the old identity holds.
            VaultError: No profile is open, no new keys have been made, or the process has ended. After
                that last one nobody knows which identity holds before the profile is opened again.
        """
        return Bundle.decode((await self._ask(wire.Result, wire.Adopt)).data)

    async def ended(self) -> None:
        """Wait until the process has ended, in whatever way."""
        await asyncio.wait([self._listener])

    async def close(self) -> None:
        """End the process; calls that are still waiting raise VaultError."""
        await _end(self._child)
        await self._listener

    def __repr__(self) -> str:
        return f"Vault(pid={self._child.pid}, waiting={len(self._waiting)})"

    async def _rsa(self, request: Callable[[int], wire.Request]) -> bytes:
        if sum(call.rsa for call in self._waiting.values()) >= limits.VAULT_CALLS_MAX:
            raise VaultError("the vault is busy")
        return (await self._ask(wire.Result, request, rsa=True)).data

    async def _ask(
        self,
        kind: type[R],
        request: Callable[[int], wire.Request],
        progress: Callable[[str], None] | None = None,
        *,
        rsa: bool = False,
    ) -> R:
        """Send a request and wait for an answer of that kind."""
        if self._gone:
            raise VaultError(_ENDED)
        number = next(self._numbers)
        data = wire.frame(request(number))
        answer: asyncio.Future[wire.Reply] = asyncio.get_running_loop().create_future()
        # The entry stays until the answer is there, even if nobody waits for it any more:
        # the process is still busy with it.
        self._waiting[number] = _Call(answer, progress, rsa)
        self._sink.write(data)
        with contextlib.suppress(ConnectionError):  # then the listener meets the end, and tells us
            await self._sink.drain()
        reply = await answer
        if isinstance(reply, wire.Failed):
            raise wire.error_of(reply)
        if not isinstance(reply, kind):
            raise VaultError("the vault gave an answer to another question")
        return reply

    async def _listen(self) -> None:
        """Hand answers to those who wait for them, until the process ends."""
        try:
            while True:
                reply = await self._receive()
                call = self._waiting.get(reply.call)
                if call is None:
                    raise VaultError("an answer to nothing")
                if isinstance(reply, wire.Progress):
                    if call.progress is not None and not call.answer.done():
                        call.progress(reply.step)
                    continue
                del self._waiting[reply.call]
                if not call.answer.done():
                    call.answer.set_result(reply)
        except VaultError:
            pass  # every waiting call raises it, below
        finally:
            self._gone = True
            for call in self._waiting.values():
                if not call.answer.done():
                    call.answer.set_exception(VaultError(_ENDED))
            self._waiting.clear()

    async def _receive(self) -> wire.Reply:
        try:
            size = wire.frame_size(await self._source.readexactly(wire.LENGTH_SIZE))
            return wire.read_reply(await self._source.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError) as e:
            raise VaultError(_ENDED) from e


async def _launch() -> Process:
    try:
        return await asyncio.create_subprocess_exec(
            *process.command(),
            stdin=PIPE,
            stdout=PIPE,
            env=process.environment(),
            start_new_session=True,  # Ctrl-C in a terminal reaches us only, even while it starts
        )
    except OSError as e:
        raise VaultError(f"the vault process cannot be started: {e.strerror}") from e


async def _end(child: Process) -> None:
    """Let the process end by itself, which it does when its input closes, or else kill it."""
    cast("asyncio.StreamWriter", child.stdin).close()
    try:
        await asyncio.wait_for(child.wait(), limits.VAULT_STOP)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def _abandon(child: Process) -> None:
    """End a process that has not greeted; its pipe too, before the loop that knows of it may close."""
    await _end(child)
    while await cast("asyncio.StreamReader", child.stdout).read(limits.READ_SIZE):
        pass
