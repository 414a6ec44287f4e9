"""The client of the vault while the process at the other end is slow, mad, dead, or something else."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import SottoError, VaultError
from messenger.crypto import process, vault_wire
from messenger.crypto.vault import Vault, VaultState
from tests.helpers.patience import PATIENCE

posix = pytest.mark.skipif(sys.platform == "win32", reason="there is no uvloop for Windows")

READY = vault_wire.frame(vault_wire.Ready(0))


def stand_in(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Start this script instead of a vault process; it finds READY, ``say`` and ``hear``."""
    head = (
        "import os, signal, sys, threading\n"
        f"READY = {READY!r}\n"
        "say = lambda data: os.write(1, data)\n"
        "hear = lambda: os.read(0, 1 << 20)\n"
    )
    monkeypatch.setattr(process, "command", lambda *_: [sys.executable, "-c", head + script])


@pytest.mark.parametrize(
    ("script", "match"),
    [
        ("", "ended"),
        ("say(READY[:7])", "ended"),
        ("say(bytes(4)); hear()", "length"),
        ("say(b'HTTP/1.1 400 Bad Request\\r\\n'); hear()", "length"),
        ("say(b'\\x00\\x00\\x00\\x02hi'); hear()", "not a reply"),
        (f"say({vault_wire.frame(vault_wire.Done(0))!r}); hear()", "greet"),
        ("threading.Event().wait()", "says nothing"),
    ],
)
async def test_something_else_is_started(script: str, match: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "VAULT_START", 0.5 if "says nothing" in match else PATIENCE)
    monkeypatch.setattr(limits, "VAULT_STOP", 0.5)
    stand_in(monkeypatch, script)
    with pytest.raises(VaultError, match=match):
        await Vault.start()


async def test_nothing_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "command", lambda *_: ["/does/not/exist"])
    with pytest.raises(VaultError, match="cannot be started"):
        await Vault.start()


async def test_a_start_that_is_given_up_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "VAULT_STOP", 0.1)
    stand_in(monkeypatch, "threading.Event().wait()")
    started: asyncio.Queue[asyncio.subprocess.Process] = asyncio.Queue()
    real = asyncio.create_subprocess_exec

    async def create(*args: str, **kwargs: object) -> asyncio.subprocess.Process:
        child = await real(*args, **kwargs)  # type: ignore[arg-type]
        started.put_nowait(child)
        return child

    monkeypatch.setattr(asyncio, "create_subprocess_exec", create)
    task = asyncio.create_task(Vault.start())
    child = await started.get()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert child.returncode == -signal.SIGKILL


@posix
@pytest.mark.parametrize("turns", [1, 2, 3, 5, 10, 100])
def test_a_start_that_is_given_up_leaves_no_pipe(turns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop of the program warns of one that is open when it closes, which fails this test."""
    import uvloop

    stand_in(monkeypatch, "hear()")

    async def give_up() -> None:
        task = asyncio.create_task(Vault.start())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(give_up())


@pytest.mark.parametrize(
    ("reply", "match"),
    [
        (vault_wire.Done(1), "another question"),
        (vault_wire.Result(2, b""), "ended"),
        (vault_wire.Progress(7, vault_wire.Step.SIGNING_KEY), "ended"),
        (vault_wire.Failed(1, "DiskFull", "full"), "full"),
    ],
    ids=str,
)
async def test_strange_answers(reply: vault_wire.Reply, match: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, f"say(READY); hear(); say({vault_wire.frame(reply)!r}); hear()")
    vault = await Vault.start()
    with pytest.raises(SottoError, match=match):
        await vault.status(Path("/"))
    await vault.close()


async def test_the_progress_of_a_call_that_was_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process cannot stop what it has begun; what it says about that concerns nobody any more."""
    replies: list[vault_wire.Reply] = [
        vault_wire.Progress(1, vault_wire.Step.SIGNING_KEY),
        vault_wire.Failed(1, "DiskFull", "full"),
        vault_wire.State(2, VaultState.NEW),
    ]
    said = b"".join(vault_wire.frame(reply) for reply in replies)
    stand_in(monkeypatch, f"say(READY)\nwhile not hear().endswith(b'end'): pass\nsay({said!r}); hear()")
    vault, steps = await Vault.start(), list[str]()
    task = asyncio.create_task(vault.create(Path("/new"), progress=steps.append))
    await asyncio.sleep(0)
    task.cancel()
    assert await vault.status(Path("/end")) is VaultState.NEW
    assert task.cancelled()
    assert steps == []
    await vault.close()


async def test_a_process_that_does_not_want_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "VAULT_STOP", 0.1)
    stand_in(monkeypatch, "say(READY); threading.Event().wait()")
    vault = await Vault.start()
    await vault.close()
    assert vault._child.returncode == -signal.SIGKILL
