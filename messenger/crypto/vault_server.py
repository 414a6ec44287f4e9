"""What the vault process does: answer requests, with the RSA keys that only it holds."""

import contextlib
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, assert_never, cast

from messenger.core import limits
from messenger.core.errors import SottoError, StorageError, VaultError
from messenger.crypto import export, keystore, process
from messenger.crypto import vault_wire as wire
from messenger.crypto.identity import Bundle
from messenger.crypto.incoming import Incoming, check
from messenger.crypto.keycontent import KeyContent
from messenger.crypto.protection import Cost, Protection
from messenger.crypto.rsa import PrivateKey
from messenger.crypto.succession import SERIAL_MAX, Succession
from messenger.crypto.vault_workers import Workers

_RSA_THREADS: Final = 2
_WRAPPED_SIZE: Final = 32


class VaultServer:
    """Answers requests until the input ends.

    Args:
        source: Where requests come from.
        sink: Where replies go; unbuffered.
        clock: Unix time in seconds.
        cost: Of Argon2id for new passphrases.
    """

    def __init__(
        self,
        source: BinaryIO,
        sink: BinaryIO,
        clock: Callable[[], float] = time.time,
        cost: Cost | None = None,
    ) -> None:
        self._source = source
        self._sink = sink
        self._clock = clock
        self._cost = cost
        self._sending = threading.Lock()
        self._rsa = Workers(self._answer, _RSA_THREADS, "rsa")
        self._slow = Workers(self._answer, 1, "profile")
        self._keys: keystore.Keys | None = None
        self._next: tuple[PrivateKey, PrivateKey] | None = None
        self._incoming = Incoming()
        self._folder = Path()
        self._over = False

    def run(self) -> None:
        """Serve until the input ends.

        Raises:
            VaultError: What came in is not a request; the program at the other end has gone mad.
        """
        self._send(wire.Ready(0))
        while (head := self._read(wire.LENGTH_SIZE)) and (body := self._read(wire.frame_size(head))):
            request = wire.read_request(body)
            quick = isinstance(request, wire.Sign | wire.Unwrap)
            (self._rsa if quick else self._slow).submit(request)
        with self._sending:
            self._over = True

    def _read(self, size: int) -> bytes:
        """Read that many bytes; none at all when the input has ended."""
        data = b""
        while len(data) < size:
            piece = self._source.read(size - len(data))
            if not piece:
                return b""
            data += piece
        return data

    def _send(self, reply: wire.Reply) -> None:
        data = memoryview(wire.frame(reply))
        # When the program has gone nobody waits for this; the end of the input stops us.
        with self._sending, contextlib.suppress(OSError):
            while data and not self._over:
                data = data[self._sink.write(data) :]

    def _answer(self, request: wire.Request) -> None:
        try:
            reply = self._handle(request)
        except SottoError as e:
            reply = wire.failure(request.call, e)
        except MemoryError:
            reply = wire.failure(request.call, VaultError("not enough memory"))
        self._send(reply)

    def _handle(self, request: wire.Request) -> wire.Reply:
        match request:
            case wire.Sign() | wire.Unwrap():
                return wire.Result(request.call, self._use_key(request))
            case wire.Status():
                return wire.State(request.call, _state(keystore.find(_path(request.folder))))
            case wire.Create():
                return self._create(request)
            case wire.Open():
                return self._open(request)
            case wire.ChangeProtection():
                return self._change_protection(request)
            case wire.SetRecovery(passphrase=passphrase):
                words = wire.read_passphrase(passphrase)
                keystore.set_recovery(self._folder, self._open_keys(), words, cost=self._cost)
                return wire.Done(request.call)
            case wire.Export() | wire.ReadExport() | wire.PrepareImport() | wire.Import():
                return self._export(request)
            case wire.Renew():
                return wire.Result(request.call, self._renew(self._open_keys()).bundle.encode())
            case wire.ForgetOld():
                self._forget_old(self._open_keys())
                return wire.Done(request.call)
            case wire.Succeed():
                return wire.Result(request.call, self._succeed(request).encode())
            case wire.Adopt():
                return wire.Result(request.call, self._adopt().bundle.encode())
            case _:
                assert_never(request)

    def _create(self, request: wire.Create) -> wire.Result:
        folder, passphrase = _path(request.folder), wire.read_passphrase(request.passphrase)
        check(folder, request.protection, passphrase)  # refuse it now, not after seconds of work
        signing, exchange = self._make_keys(request.call, request.bits, request.bits)
        bundle = Bundle.issue(signing, exchange.public, int(self._clock()))
        self._incoming.hold(KeyContent(signing, exchange, bundle))
        return wire.Result(request.call, self._incoming.prepare(folder, request.protection, passphrase))

    def _open(self, request: wire.Open) -> wire.Opened:
        folder = _path(request.folder)
        keys = keystore.unlock(folder, wire.read_passphrase(request.passphrase))
        opened = self._opened(request.call, folder, keys)
        with contextlib.suppress(StorageError):  # they open nothing any more, and go with the next change
            self._forget_old(keys)
        if opened.renewal_due:
            # A full disk must not keep anybody from their messages: the reply still says that it is due.
            with contextlib.suppress(StorageError, VaultError):
                return self._opened(request.call, folder, self._renew(self._open_keys()))
        return opened

    def _use_key(self, request: wire.Sign | wire.Unwrap) -> bytes:
        """Sign, or open with the key that is meant; one that is not there, or too old, opens nothing."""
        keys = self._open_keys()
        if isinstance(request, wire.Sign):
            return keys.signing.sign(request.label, request.fields)
        older = request.older
        if not older:
            return keys.exchange.unwrap(request.label, request.ciphertext)
        if not 0 < older <= len(keys.older) or not keys.older[older - 1].kept(int(self._clock())):
            return secrets.token_bytes(_WRAPPED_SIZE)
        return keys.older[older - 1].key.unwrap(request.label, request.ciphertext)

    def _forget_old(self, keys: keystore.Keys) -> None:
        self._keys = keystore.forget_old(self._folder, keys, now=int(self._clock()))

    def _opened(self, call: int, folder: Path, keys: keystore.Keys) -> wire.Opened:
        self._folder, self._keys, self._next = folder, keys, None
        return wire.Opened(call, keys.bundle.encode(), keys.db_key, keys.protection, self._due(keys.bundle))

    def _due(self, bundle: Bundle) -> bool:
        """Whether others will soon refuse the exchange key, or do already: a clock may have been wrong."""
        now = self._clock()
        return not bundle.not_before - limits.CLOCK_SKEW <= now <= bundle.not_after - limits.KEXCERT_OVERLAP

    def _change_protection(self, request: wire.ChangeProtection) -> wire.Done:
        current, passphrase = (wire.read_passphrase(data) for data in (request.current, request.passphrase))
        self._keys = keystore.change_protection(
            self._folder, self._open_keys(), current, request.protection, passphrase, cost=self._cost
        )
        return wire.Done(request.call)

    def _export(
        self, request: wire.Export | wire.ReadExport | wire.PrepareImport | wire.Import
    ) -> wire.Reply:
        call = request.call
        match request:
            case wire.Export():
                passphrase = wire.read_passphrase(request.passphrase)
                head, opened = export.seal(self._open_keys().content(), passphrase, self._cost or Cost())
                return wire.Exported(call, head, opened.stream, opened.db_key)
            case wire.ReadExport():
                opened = export.unseal(request.head, wire.read_passphrase(request.passphrase))
                self._incoming.hold(opened.content)
                return wire.Exported(call, b"", opened.stream, opened.db_key)
            case wire.PrepareImport():
                passphrase = wire.read_passphrase(request.passphrase)
                key = self._incoming.prepare(_path(request.folder), request.protection, passphrase)
                return wire.Result(call, key)
            case _:
                folder, keys = self._incoming.install(cost=self._cost)
                return self._opened(call, folder, keys)

    def _renew(self, keys: keystore.Keys) -> keystore.Keys:
        with _generate(len(keys.exchange.public.modulus) * 8) as generator:
            exchange = _collect(generator)
        self._keys = keystore.renew(self._folder, keys, exchange, now=int(self._clock()))
        return self._keys

    def _succeed(self, request: wire.Succeed) -> Succession:
        keys = self._open_keys()
        if not 1 <= request.serial <= SERIAL_MAX:  # refuse it now, not after seconds of work
            raise VaultError("no such serial")
        sizes = (len(key.public.modulus) * 8 for key in (keys.signing, keys.exchange))
        signing, exchange = self._make_keys(request.call, *sizes)
        self._next = signing, exchange
        return Succession.issue(request.serial, keys.signing, signing, int(self._clock()))

    def _adopt(self) -> keystore.Keys:
        keys, new, self._next = self._open_keys(), self._next, None
        if new is None:
            raise VaultError("no new identity has been made")
        self._keys = keystore.adopt(self._folder, keys, *new, now=int(self._clock()))
        return self._keys

    def _make_keys(self, call: int, signing_bits: int, exchange_bits: int) -> tuple[PrivateKey, PrivateKey]:
        """Make a signing and an exchange key beside each other, and tell when each is there."""
        with _generate(signing_bits) as first, _generate(exchange_bits) as second:
            signing = _collect(first)
            self._send(wire.Progress(call, wire.Step.SIGNING_KEY))
            exchange = _collect(second)
            self._send(wire.Progress(call, wire.Step.EXCHANGE_KEY))
        return signing, exchange

    def _open_keys(self) -> keystore.Keys:
        if self._keys is None:
            raise VaultError("no profile is open")
        return self._keys


def _path(folder: bytes) -> Path:
    return Path(os.fsdecode(folder))


def _state(protection: Protection | None) -> wire.VaultState:
    if protection is None:
        return wire.VaultState.NEW
    return wire.VaultState.LOCKED if protection is Protection.PASSPHRASE else wire.VaultState.OPENS


def _generate(bits: int) -> "subprocess.Popen[bytes]":
    """Start making a key of that size; `_collect` gets it."""
    if bits // 8 not in limits.RSA_SIZES or bits % 8:
        raise VaultError("no such key size")
    try:
        return subprocess.Popen(  # noqa: S603  (our own program)
            process.command("--generate", str(bits)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=process.environment(),
        )
    except OSError as e:
        raise VaultError(f"the key cannot be made: {e.strerror}") from e


def _collect(generator: "subprocess.Popen[bytes]") -> PrivateKey:
    output = cast("BinaryIO", generator.stdout)  # a pipe, as we asked
    data = output.read()  # its input stays open meanwhile: that is how it knows that we live
    if generator.wait():
        raise VaultError("the key could not be made")
    return PrivateKey.from_bytes(data)
