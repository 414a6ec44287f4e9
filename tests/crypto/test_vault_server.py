"""The server of the vault process, run in this process over pipes."""

import errno
import os
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

import pytest

from messenger.core import limits
from messenger.core.errors import VaultError
from messenger.crypto import keystore, process
from messenger.crypto import vault_wire as wire
from messenger.crypto.identity import Bundle
from messenger.crypto.keystore import Protection
from messenger.crypto.rsa import Label, oaep_label
from messenger.crypto.vault_server import VaultServer
from tests.helpers.keys import CHEAP, identity, make_profile
from tests.helpers.patience import PATIENCE

NOW = 1_800_000_000


class Talk:
    """The other end of a server that runs in a thread."""

    def __init__(self, now: float = NOW) -> None:
        there, self._sink = os.pipe()
        self._source, back = os.pipe()
        self._reader = os.fdopen(there, "rb", buffering=0)
        self._writer = os.fdopen(back, "wb", buffering=0)
        self.server = VaultServer(self._reader, self._writer, lambda: now, CHEAP)
        self._pool = ThreadPoolExecutor(1)
        self.end = self._pool.submit(self.server.run)
        assert self.receive() == wire.Ready(0)

    def send_bytes(self, data: bytes) -> None:
        os.write(self._sink, data)

    def receive(self) -> wire.Reply:
        size = wire.frame_size(self._exactly(4))
        return wire.read_reply(self._exactly(size))

    def ask(self, request: wire.Request) -> wire.Reply:
        self.send_bytes(wire.frame(request))
        return self.receive()

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += os.read(self._source, size - len(data))
        return data

    def hang_up(self) -> None:
        os.close(self._sink)

    def stop_listening(self) -> None:
        os.close(self._source)

    def close(self) -> None:
        self._pool.shutdown()
        self.server._rsa.shutdown()
        self.server._slow.shutdown()
        self._reader.close()
        self._writer.close()


@contextmanager
def talking(now: float = NOW) -> Iterator[Talk]:
    talk = Talk(now)
    try:
        yield talk
    finally:
        talk.hang_up()
        talk.end.result(PATIENCE)
        talk.close()
        talk.stop_listening()


def failed(reply: wire.Reply) -> str:
    assert isinstance(reply, wire.Failed)
    return reply.kind


def test_status(tmp_path: Path) -> None:
    make_profile(tmp_path / "opens", "alice", now=NOW)
    make_profile(tmp_path / "locked", "alice", "correct horse", now=NOW)
    with talking() as talk:
        for name in ("new", "opens", "locked"):
            assert talk.ask(wire.Status(9, os.fsencode(tmp_path / name))) == wire.State(
                9, wire.VaultState(name)
            )
        (tmp_path / "opens" / keystore.ROOT_NAME).unlink()
        assert failed(talk.ask(wire.Status(10, os.fsencode(tmp_path / "opens")))) == "KeyFileError"


def test_open_sign_unwrap(tmp_path: Path) -> None:
    keys, alice = make_profile(tmp_path, "alice", "correct horse", now=NOW), identity("alice")
    label = oaep_label("oaep I>R", bytes(32))
    with talking() as talk:
        assert failed(talk.ask(wire.Sign(1, Label.GROUP, [b"x"]))) == "VaultError"
        assert failed(talk.ask(wire.Unwrap(2, label, b""))) == "VaultError"
        assert failed(talk.ask(wire.Renew(3))) == "VaultError"
        assert failed(talk.ask(wire.ForgetOld(3))) == "VaultError"
        assert failed(talk.ask(wire.SetRecovery(3, b"x"))) == "VaultError"
        assert failed(talk.ask(wire.ChangeProtection(4, b"", Protection.FILE, b""))) == "VaultError"
        assert failed(talk.ask(wire.Open(5, os.fsencode(tmp_path), b"wrong"))) == "WrongPassphrase"
        opened = talk.ask(wire.Open(6, os.fsencode(tmp_path), b"correct horse"))
        assert opened == wire.Opened(
            6, keys.bundle.encode(), keys.db_key, Protection.PASSPHRASE, renewal_due=False
        )
        signed = talk.ask(wire.Sign(7, Label.GROUP, [b"x", b"y"]))
        assert isinstance(signed, wire.Result)
        alice.signing.public.verify(Label.GROUP, (b"x", b"y"), signed.data)
        wrapped = alice.exchange.public.wrap(label, b"s" * 32)
        assert talk.ask(wire.Unwrap(8, label, wrapped)) == wire.Result(8, b"s" * 32)
        rejected = [
            talk.ask(wire.Unwrap(9, label, ciphertext)) for ciphertext in (wrapped[:-1], b"", wrapped[::-1])
        ]
        contents = {reply.data for reply in rejected if isinstance(reply, wire.Result)}
        assert len(contents) == 3
        assert {len(content) for content in contents} == {32}


def test_change_of_protection(tmp_path: Path) -> None:
    make_profile(tmp_path, "alice", now=NOW)
    folder = os.fsencode(tmp_path)
    with talking() as talk:
        talk.ask(wire.Open(1, folder, b""))
        assert failed(talk.ask(wire.ChangeProtection(2, b"", Protection.PASSPHRASE, b""))) == "InputError"
        assert talk.ask(wire.ChangeProtection(3, b"", Protection.PASSPHRASE, b"new")) == wire.Done(3)
        assert failed(talk.ask(wire.ChangeProtection(4, b"old", Protection.FILE, b""))) == "WrongPassphrase"
        assert talk.ask(wire.Status(5, folder)) == wire.State(5, wire.VaultState.LOCKED)
        assert failed(talk.ask(wire.Open(6, folder, b""))) == "WrongPassphrase"
        opened = talk.ask(wire.Open(7, folder, b"new"))
        assert isinstance(opened, wire.Opened)
        assert opened.protection is Protection.PASSPHRASE


@pytest.mark.parametrize(
    ("protection", "passphrase", "bits", "kind"),
    [
        (Protection.PASSPHRASE, b"", 3072, "InputError"),
        (Protection.PASSPHRASE, b"x" * 1025, 3072, "InputError"),
        (Protection.PASSPHRASE, b"\xed\xa0\x80", 3072, "InputError"),
        (Protection.PASSPHRASE, b"\xff", 3072, "VaultError"),
        (Protection.FILE, b"", 2048, "VaultError"),
        (Protection.FILE, b"", 3073, "VaultError"),
    ],
)
def test_create_refuses_at_once(
    protection: Protection, passphrase: bytes, bits: int, kind: str, tmp_path: Path
) -> None:
    folder = os.fsencode(tmp_path / "new")
    with talking() as talk:
        assert failed(talk.ask(wire.Create(1, folder, bits, protection, passphrase))) == kind
        assert talk.ask(wire.Status(2, folder)) == wire.State(2, wire.VaultState.NEW)


def test_create_refuses_where_a_profile_is(tmp_path: Path) -> None:
    keys = make_profile(tmp_path, "alice", now=NOW)
    with talking() as talk:
        assert (
            failed(talk.ask(wire.Create(1, os.fsencode(tmp_path), 3072, Protection.FILE, b"")))
            == "KeyFileError"
        )
    assert keystore.unlock(tmp_path).db_key == keys.db_key


def test_create(tmp_path: Path) -> None:
    with talking() as talk:
        talk.send_bytes(wire.frame(wire.Create(1, os.fsencode(tmp_path), 3072, Protection.FILE, b"")))
        assert talk.receive() == wire.Progress(1, wire.Step.SIGNING_KEY)
        assert talk.receive() == wire.Progress(1, wire.Step.EXCHANGE_KEY)
        made = talk.receive()
        assert isinstance(made, wire.Result)
        assert keystore.find(tmp_path) is None, "nothing is written yet"
        opened = talk.ask(wire.Import(3))
        assert isinstance(opened, wire.Opened)
        assert opened.db_key == made.data
        bundle = Bundle.decode(opened.bundle)
        bundle.verify(NOW)
        assert bundle.not_before == NOW
        assert not opened.renewal_due
        signed = talk.ask(wire.Sign(2, Label.GROUP, [b"x"]))
        assert isinstance(signed, wire.Result)
        bundle.signing.verify(Label.GROUP, [b"x"], signed.data)
    assert keystore.unlock(tmp_path).db_key == opened.db_key


LAST_DAY = NOW + limits.KEXCERT_LIFETIME - limits.KEXCERT_OVERLAP
"""The last second at which the exchange key need not be replaced."""


@pytest.mark.parametrize("now", [NOW - limits.CLOCK_SKEW, NOW, LAST_DAY])
def test_renewal_is_not_early(now: int, tmp_path: Path) -> None:
    keys = make_profile(tmp_path, "alice", now=NOW)
    with talking(now) as talk:
        opened = talk.ask(wire.Open(1, os.fsencode(tmp_path), b""))
        assert opened == wire.Opened(1, keys.bundle.encode(), keys.db_key, Protection.FILE, renewal_due=False)


def test_renewal_when_it_is_due_and_on_request(tmp_path: Path) -> None:
    """A full disk keeps the old key and says so; then it is made good, durably."""
    keys = make_profile(tmp_path, "alice", now=NOW)
    full = threading.Event()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if full.is_set():
            raise OSError(errno.ENOSPC, "full")
        real(descriptor)

    with pytest.MonkeyPatch.context() as patch, talking(LAST_DAY + 1) as talk:
        patch.setattr(os, "fsync", fsync)
        full.set()
        opened = talk.ask(wire.Open(1, os.fsencode(tmp_path), b""))
        assert opened == wire.Opened(1, keys.bundle.encode(), keys.db_key, Protection.FILE, renewal_due=True)
        full.clear()
        opened = talk.ask(wire.Open(2, os.fsencode(tmp_path), b""))
        assert isinstance(opened, wire.Opened)
        assert (opened.db_key, opened.renewal_due) == (keys.db_key, False)
        bundle = Bundle.decode(opened.bundle)
        bundle.verify(LAST_DAY + 1)
        assert bundle.not_before == LAST_DAY + 1
        assert bundle.fingerprint == keys.bundle.fingerprint
        assert bundle.exchange != keys.bundle.exchange
        assert keystore.unlock(tmp_path).bundle == bundle
        label = oaep_label("oaep I>R", bytes(32))
        assert talk.ask(wire.Unwrap(3, label, bundle.exchange.wrap(label, b"s" * 32))) == wire.Result(
            3, b"s" * 32
        )
        again = talk.ask(wire.Renew(4))
        assert isinstance(again, wire.Result)
        assert keystore.unlock(tmp_path).bundle == Bundle.decode(again.data) != bundle


def test_old_exchange_keys_open_for_42_days(tmp_path: Path) -> None:
    """Each by its number; one that is too old, or was never there, opens nothing, like a wrong ciphertext."""
    alice, label = identity("alice"), oaep_label("oaep seal", bytes(32))
    folder = os.fsencode(tmp_path)
    keys = make_profile(tmp_path, "alice", now=NOW - 1000)
    keystore.renew(tmp_path, keys, identity("bob").exchange, now=NOW)
    before, now = (identity(name).exchange.public.wrap(label, b"s" * 32) for name in ("alice", "bob"))

    def opens(talk: Talk, ciphertext: bytes, older: int) -> bool:
        reply = talk.ask(wire.Unwrap(2, label, ciphertext, older))
        assert isinstance(reply, wire.Result)
        assert len(reply.data) == 32
        return reply.data == b"s" * 32

    end = NOW + limits.PREKEY_KEPT
    with talking(end) as talk:
        talk.ask(wire.Open(1, folder, b""))
        assert [opens(talk, now, older) for older in (-1, 0, 1, 2)] == [False, True, False, False]
        assert [opens(talk, before, older) for older in (-1, 0, 1, 2)] == [False, False, True, False]
        assert talk.ask(wire.ForgetOld(3)) == wire.Done(3)
        assert opens(talk, before, 1)
        talk.server._clock = lambda: end + 1
        assert not opens(talk, before, 1), "even while it is in the file"
        assert keystore.unlock(tmp_path).older
        assert talk.ask(wire.ForgetOld(4)) == wire.Done(4)
        assert keystore.unlock(tmp_path).older == ()
        assert opens(talk, now, 0)
    assert keystore.unlock(tmp_path).signing.public == alice.signing.public


def test_old_exchange_keys_are_forgotten_when_a_profile_is_opened(tmp_path: Path) -> None:
    """Also if the present one is due at the same time; a full disk keeps nobody out."""
    keys = make_profile(tmp_path, "alice", now=NOW - 1000)
    keystore.renew(tmp_path, keys, identity("bob").exchange, now=NOW)
    full = threading.Event()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if full.is_set():
            raise OSError(errno.ENOSPC, "full")
        real(descriptor)

    folder = os.fsencode(tmp_path)
    with pytest.MonkeyPatch.context() as patch, talking(NOW + limits.PREKEY_KEPT + 1) as talk:
        patch.setattr(os, "fsync", fsync)
        full.set()
        assert isinstance(talk.ask(wire.Open(1, folder, b"")), wire.Opened)
        assert len(keystore.unlock(tmp_path).older) == 1
        full.clear()
        assert isinstance(talk.ask(wire.Open(2, folder, b"")), wire.Opened)
        assert keystore.unlock(tmp_path).older == ()


@pytest.mark.parametrize(
    "data",
    [
        bytes(4),
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x01\xc0",
        wire.frame(wire.Ready(0)),
    ],
)
def test_a_mad_program_is_left(data: bytes) -> None:
    talk = Talk()
    talk.send_bytes(data)
    with pytest.raises(VaultError):
        talk.end.result(PATIENCE)
    talk.hang_up()
    talk.close()
    talk.stop_listening()


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00\x09", b"\x00\x00\x00\x09abc"])
def test_the_end_of_the_input_ends_it_wherever_it_comes(data: bytes) -> None:
    with talking() as talk:
        talk.send_bytes(data)


def test_requests_in_pieces(tmp_path: Path) -> None:
    with talking() as talk:
        for byte in wire.frame(wire.Status(1, os.fsencode(tmp_path / "new"))):
            talk.send_bytes(bytes([byte]))
        assert talk.receive() == wire.State(1, wire.VaultState.NEW)


def test_a_program_that_went_away_does_not_matter(tmp_path: Path) -> None:
    talk = Talk()
    talk.stop_listening()
    talk.send_bytes(wire.frame(wire.Status(1, os.fsencode(tmp_path))))
    talk.hang_up()
    talk.end.result(PATIENCE)
    talk.close()


def test_out_of_memory_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_profile(tmp_path, "alice", "correct horse", now=NOW)
    from cryptography.hazmat.primitives.kdf import argon2

    def exhausted(**_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(argon2, "Argon2id", exhausted)
    with talking() as talk:
        assert failed(talk.ask(wire.Open(1, os.fsencode(tmp_path), b"correct horse"))) == "VaultError"
        assert failed(talk.ask(wire.Sign(2, Label.GROUP, []))) == "VaultError"


def test_a_key_made_in_the_future_is_replaced(tmp_path: Path) -> None:
    """The clock was wrong when it was made, and nobody would accept it for years."""
    keys = make_profile(tmp_path, "alice", now=NOW + 10 * limits.KEXCERT_LIFETIME)
    with talking() as talk:
        opened = talk.ask(wire.Open(1, os.fsencode(tmp_path), b""))
    assert isinstance(opened, wire.Opened)
    Bundle.decode(opened.bundle).verify(NOW)
    assert Bundle.decode(opened.bundle).fingerprint == keys.bundle.fingerprint


@pytest.mark.parametrize("command", ["false", "/does/not/exist"])
def test_generators_that_fail(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_profile(tmp_path / "old", "alice", now=NOW - limits.KEXCERT_LIFETIME)
    monkeypatch.setattr(process, "command", lambda *_: [command])
    with talking() as talk:
        opened = talk.ask(wire.Open(2, os.fsencode(tmp_path / "old"), b""))
        assert isinstance(opened, wire.Opened)
        assert opened.renewal_due
        assert failed(talk.ask(wire.Renew(3))) == "VaultError"
        assert (
            failed(talk.ask(wire.Create(1, os.fsencode(tmp_path), 3072, Protection.FILE, b"")))
            == "VaultError"
        )
        assert keystore.find(tmp_path) is None


def by_hand(*requests: bytes) -> "subprocess.CompletedProcess[bytes]":
    """A real vault process, fed with bytes."""
    return subprocess.run(
        process.command(),
        input=b"".join(requests),
        capture_output=True,
        check=False,
        env=process.environment(),
    )


@pytest.mark.parametrize(
    ("garbage", "code"),
    [(b"", 0), (b"\x00\x00", 0), (b"\xff" * 8, 70), (b"\x00\x00\x00\x05hello", 70)],
)
def test_a_real_process_shows_nothing_on_its_standard_error(
    garbage: bytes, code: int, tmp_path: Path
) -> None:
    make_profile(tmp_path, "alice", "correct horse")
    requests = [
        wire.frame(wire.Open(1, os.fsencode(tmp_path), b"hunter2")),
        wire.frame(wire.Create(2, os.fsencode(tmp_path / "b"), 3072, Protection.PASSPHRASE, b"x" * 2000)),
    ]
    done = by_hand(*requests, garbage)
    assert done.returncode == code
    for secret in (b"hunter2", b"correct horse", b"hello", b"x" * 100):
        assert secret not in done.stderr
    assert (done.stderr == b"") == (code == 0)
    assert done.stderr.count(b"\n") <= 12
    assert done.stdout[4:10] == wire.frame(wire.Ready(0))[4:10]


def test_a_bug_ends_a_real_process() -> None:
    """A folder name that no system accepts is nothing that the program itself sends."""
    request = wire.Create(1, b"hunter2\x00", 3072, Protection.FILE, b"")
    with subprocess.Popen(
        process.command(), env=process.environment(), stdin=PIPE, stdout=PIPE, stderr=PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdin.write(wire.frame(request))
        child.stdin.flush()
        assert child.stdout.read() == wire.frame(wire.Ready(0))
        trace = child.stderr.read()
    assert child.returncode == process.BUG_EXIT
    assert trace.endswith(b"ValueError\n")
    assert b"hunter2" not in trace
