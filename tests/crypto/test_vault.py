"""The vault process and its client, together."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import CryptoError, KeyFileError, VaultError, WrongPassphrase
from messenger.crypto import process, vault_wire
from messenger.crypto.rsa import Label, oaep_label
from messenger.crypto.vault import OpenedVault, Protection, Vault, VaultState
from tests.helpers.keys import identity, make_profile
from tests.helpers.patience import PATIENCE

ALICE = identity("alice")
LABEL = oaep_label("oaep R>I", bytes(32))
linux = pytest.mark.skipif(sys.platform != "linux", reason="stops and watches processes")


@pytest.fixture
async def vault() -> AsyncIterator[Vault]:
    vault = await Vault.start()
    yield vault
    await vault.close()


@pytest.fixture
async def opened(vault: Vault, tmp_path: Path) -> Vault:
    """A vault with Alice's profile open."""
    make_profile(tmp_path / "alice", "alice")
    await vault.open(tmp_path / "alice")
    return vault


async def gone(pid: int) -> None:
    """Wait until a process that is not our child has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), PATIENCE)
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def wait_for_children(pid: int) -> list[int]:
    """The two processes that a vault starts to make keys, as soon as they are there."""
    while True:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for thread in threads for child in (thread / "children").read_text().split()]
        if len(children) == 2:
            return [int(child) for child in children]


async def test_the_whole_life_of_a_profile(tmp_path: Path) -> None:
    """Made with real keys, opened again by another process, renewed, locked; always the same person."""
    folder, steps = tmp_path / "profile", list[str]()
    vault = await Vault.start()
    assert await vault.status(folder) is VaultState.NEW
    db_key = await vault.create(folder, progress=steps.append)
    assert await vault.status(folder) is VaultState.NEW, "nothing is written yet"
    made = await vault.finish_import()
    assert made.db_key == db_key
    assert steps == [vault_wire.Step.SIGNING_KEY, vault_wire.Step.EXCHANGE_KEY]
    assert (made.protection, made.renewal_due) == (Protection.FILE, False)
    made.bundle.verify(made.bundle.not_before)
    assert len(made.bundle.signing.modulus) == len(made.bundle.exchange.modulus) == 384
    await vault.close()

    vault = await Vault.start()
    assert await vault.status(folder) is VaultState.OPENS
    again = await vault.open(folder)
    assert again == made
    bundle = await vault.renew()
    assert bundle.fingerprint == made.bundle.fingerprint
    assert bundle.exchange != made.bundle.exchange
    await vault.change_protection("", Protection.PASSPHRASE, "correct horse")
    assert await vault.status(folder) is VaultState.LOCKED
    await vault.close()

    vault = await Vault.start()
    last = await vault.open(folder, "correct horse")
    assert (last.bundle, last.db_key, last.protection) == (bundle, made.db_key, Protection.PASSPHRASE)
    bundle.signing.verify(Label.LINK_I, [b"x"], await vault.sign(Label.LINK_I, [b"x"]))
    assert await vault.unwrap(LABEL, bundle.exchange.wrap(LABEL, b"s" * 32)) == b"s" * 32
    await vault.close()


async def test_wrong_passphrase_then_right(tmp_path: Path, vault: Vault) -> None:
    make_profile(tmp_path, "alice", "correct horse")
    for wrong in ("", "wrong", "\ud800"):
        with pytest.raises(WrongPassphrase):
            await vault.open(tmp_path, wrong)
        with pytest.raises(VaultError, match="no profile"):
            await vault.sign(Label.GROUP, [b"x"])
    assert (await vault.open(tmp_path, "correct horse")).bundle.fingerprint == ALICE.fingerprint


async def test_progress_need_not_be_asked_for(tmp_path: Path, vault: Vault) -> None:
    with pytest.raises(VaultError, match="size"):
        await vault.create(tmp_path / "new", 2048)
    with pytest.raises(KeyFileError):
        await vault.open(tmp_path / "new")


async def test_a_folder_name_that_is_not_text(tmp_path: Path, vault: Vault) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    make_profile(folder, "alice")
    assert await vault.status(folder) is VaultState.OPENS
    assert (await vault.open(folder)).bundle.fingerprint == ALICE.fingerprint


async def test_nothing_is_signed_before_a_profile_is_open(vault: Vault) -> None:
    for call in (vault.sign(Label.GROUP, [b"x"]), vault.unwrap(LABEL, bytes(384)), vault.renew()):
        with pytest.raises(VaultError, match="no profile"):
            await call


async def test_labels_and_fields_only(opened: Vault) -> None:
    signature = await opened.sign(Label.GROUP, (b"one", b"two"))
    ALICE.signing.public.verify(Label.GROUP, (b"one", b"two"), signature)
    for label in Label:
        if label is not Label.GROUP:
            with pytest.raises(CryptoError):
                ALICE.signing.public.verify(label, (b"one", b"two"), signature)


async def test_bad_ciphertexts_are_no_errors(opened: Vault) -> None:
    good = ALICE.exchange.public.wrap(LABEL, b"s" * 32)
    answers = [
        await opened.unwrap(LABEL, bad) for bad in (b"", good[:-1], bytes(384), good[::-1], b"\xff" * 384)
    ]
    assert len(set(answers)) == 5
    assert {len(answer) for answer in answers} == {32}


async def test_many_calls_at_once(opened: Vault) -> None:
    fields = [[number.to_bytes(2, "big")] for number in range(limits.VAULT_CALLS_MAX)]
    signatures = await asyncio.gather(*(opened.sign(Label.GROUP, each) for each in fields))
    for each, signature in zip(fields, signatures, strict=True):
        ALICE.signing.public.verify(Label.GROUP, each, signature)


async def test_too_many_calls_are_refused_and_the_rest_answered(opened: Vault) -> None:
    calls = [opened.sign(Label.GROUP, [b"x"]) for _ in range(limits.VAULT_CALLS_MAX)]
    extra = [opened.sign(Label.GROUP, [b"x"]), opened.unwrap(LABEL, bytes(384))]
    answers = await asyncio.gather(*calls, *extra, return_exceptions=True)
    assert all(isinstance(answer, bytes) for answer in answers[: len(calls)])
    assert [str(answer) for answer in answers[len(calls) :]] == ["the vault is busy"] * 2
    await opened.sign(Label.GROUP, [b"x"])


async def test_status_is_asked_while_rsa_is_busy(opened: Vault, tmp_path: Path) -> None:
    calls = [opened.sign(Label.GROUP, [b"x"]) for _ in range(limits.VAULT_CALLS_MAX)]
    states = [opened.status(tmp_path / "new") for _ in range(3)]
    answers = await asyncio.gather(*calls, *states)
    assert answers[len(calls) :] == [VaultState.NEW] * 3


async def test_a_call_that_is_given_up_disturbs_nobody(opened: Vault) -> None:
    given_up = [asyncio.create_task(opened.sign(Label.GROUP, [b"x"])) for _ in range(10)]
    await asyncio.sleep(0)
    for task in given_up:
        task.cancel()
    signature = await opened.sign(Label.GROUP, [b"y"])
    ALICE.signing.public.verify(Label.GROUP, [b"y"], signature)
    assert all(task.cancelled() for task in given_up)


async def test_fields_too_long_for_the_vault(opened: Vault) -> None:
    with pytest.raises(VaultError, match="too long"):
        await opened.sign(Label.GROUP, [bytes(limits.VAULT_MESSAGE_MAX)])
    await opened.sign(Label.GROUP, [bytes(limits.VAULT_MESSAGE_MAX - 100)])


async def test_ctrl_c_is_the_business_of_the_parent(opened: Vault) -> None:
    os.kill(opened._child.pid, signal.SIGINT)
    assert len(await opened.sign(Label.GROUP, [b"x"])) == 384
    if sys.platform != "win32":
        assert os.getsid(opened._child.pid) != os.getsid(0)


@linux
async def test_death_fails_every_waiting_and_later_call(opened: Vault) -> None:
    os.kill(opened._child.pid, signal.SIGSTOP)  # it shall not get anything done
    calls = [asyncio.create_task(opened.sign(Label.GROUP, [b"x"])) for _ in range(limits.VAULT_CALLS_MAX)]
    given_up = calls.pop()
    await asyncio.sleep(0)
    given_up.cancel()
    opened._child.kill()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [(type(end), str(end)) for end in answers] == [(VaultError, "the vault process has ended")] * len(
        calls
    )
    for call in (opened.sign(Label.GROUP, [b"x"]), opened.status(Path("/"))):
        with pytest.raises(VaultError, match="ended"):
            await call


NO_LUCK = """
import sys, threading
from messenger.crypto import process, rsa, vault_process
process.command = lambda *arguments: [sys.executable, "-P", __file__, *arguments]
rsa.PrivateKey.generate = lambda _bits: threading.Event().wait()
vault_process.main()
"""
"""A vault process whose generators never meet a prime."""


@linux
async def test_death_in_the_middle_of_key_generation_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "vault.py"
    script.write_text(NO_LUCK)
    monkeypatch.setattr(process, "command", lambda *_: [sys.executable, "-P", str(script)])
    vault = await Vault.start()
    task = asyncio.create_task(vault.create(tmp_path / "new", 4096))
    pid = vault._child.pid
    children = await asyncio.to_thread(wait_for_children, pid)
    vault._child.kill()
    with pytest.raises(VaultError, match="ended"):
        await task
    for child in children:
        await gone(child)
    assert await asyncio.to_thread(lambda: list((tmp_path / "new").iterdir())) == []
    await vault.close()


@linux
async def test_close_ends_the_process_and_what_waits(opened: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "VAULT_STOP", PATIENCE)  # it ends by itself, however slow the machine is
    pid = opened._child.pid
    os.kill(pid, signal.SIGSTOP)
    calls = [asyncio.create_task(opened.sign(Label.GROUP, [b"x"])) for _ in range(limits.VAULT_CALLS_MAX)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(opened.close())
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGCONT)
    await closing
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert any(isinstance(answer, VaultError) for answer in answers)
    assert opened._child.returncode == 0
    with pytest.raises(VaultError):
        await opened.sign(Label.GROUP, [b"x"])
    await opened.close()


@linux
async def test_the_process_ends_with_its_parent() -> None:
    script = (
        "import asyncio, os\n"
        "from messenger.crypto.vault import Vault\n"
        "async def main():\n"
        "    vault = await Vault.start()\n"
        "    print(vault._child.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", script, env=process.environment(), stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert await parent.wait() == -signal.SIGKILL
    await gone(pid)


def test_it_runs_on_the_loop_of_another_thread(tmp_path: Path) -> None:
    """As in the engine: uvloop where it exists, not on the main thread."""
    make_profile(tmp_path, "alice")
    loops: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop]
    if sys.platform != "win32":
        import uvloop

        loops.append(uvloop.new_event_loop)
    signatures: list[bytes] = []

    async def use() -> None:
        vault = await Vault.start()
        await vault.open(tmp_path)
        signatures.append(await vault.sign(Label.GROUP, [b"x"]))
        await vault.close()

    def run(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(use())

    for factory in loops:
        thread = threading.Thread(target=run, args=(factory,))
        thread.start()
        thread.join(PATIENCE)
    assert len(signatures) == len(loops)
    for signature in signatures:
        ALICE.signing.public.verify(Label.GROUP, [b"x"], signature)


async def test_repr_shows_nothing(tmp_path: Path, vault: Vault) -> None:
    make_profile(tmp_path, "alice", "correct horse")
    found = await vault.open(tmp_path, "correct horse")
    assert isinstance(found, OpenedVault)
    text = repr(found) + str(found) + repr(vault) + str(vault)
    assert repr(found.db_key) not in text
    assert found.db_key.hex() not in text
    assert "correct horse" not in text
    assert repr(vault) == f"Vault(pid={vault._child.pid}, waiting=0)"
