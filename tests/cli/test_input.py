"""Wrong input: one clear sentence each, an exit code, no traceback, and nothing is lost."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from messenger.cli.exits import Exit
from messenger.core.errors import (
    AddressError,
    ConnectError,
    DiskFull,
    DiskReadOnly,
    InputError,
    InputProblem,
    Reason,
    WrongPassphrase,
)
from messenger.core.ids import format_fingerprint
from messenger.storage.lock import ProfileLock
from messenger.text import PROTECTION, explain
from messenger.text import terminal as words
from tests.helpers.engines import Person, fresh_port, people_in, prepare
from tests.helpers.keys import identity
from tests.helpers.namespaces import OWN_NAMESPACE
from tests.helpers.servers import Service, serving, shell, silence, web
from tests.helpers.terminal import PATIENT, Program, Result, limited, run


@pytest.fixture
def alice(tmp_path: Path) -> Path:
    return prepare(tmp_path / "alice", "alice")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    port = fresh_port()
    with socket.create_server(("", port)):
        yield port


def chat(folder: Path, target: str, *arguments: str, extra: Mapping[str, str] | None = None) -> Result:
    return run("chat", target, "--profile", str(folder), *arguments, extra=extra)


@pytest.mark.parametrize("port", ["0", "99999", "-1", "65536"])
def test_a_port_that_is_none(port: str, tmp_path: Path) -> None:
    done = run("listen", f"--port={port}", "--profile", str(tmp_path / "new"))
    assert done.code == Exit.USAGE
    assert done.sentence() == explain(InputError(InputProblem.BAD_PORT, port))
    assert not (tmp_path / "new").exists()


def test_a_port_that_is_taken(alice: Path, taken: int) -> None:
    done = run("listen", "--port", str(taken), "--profile", str(alice))
    assert done.code == Exit.FAILED
    assert done.sentence() == explain(ConnectError(Reason.PORT_TAKEN, str(taken)))


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("two words", AddressError(InputProblem.BAD_ADDRESS, "two words")),
        ("127.0.0.1:0", AddressError(InputProblem.BAD_PORT, "0")),
        ("127.0.0.1:99999", AddressError(InputProblem.BAD_PORT, "99999")),
        ("sotto://invite/broken", AddressError(InputProblem.BAD_INVITE)),
    ],
)
def test_an_address_that_is_none(target: str, error: AddressError, alice: Path) -> None:
    done = chat(alice, target)
    assert done.code == Exit.USAGE
    assert done.sentence() == explain(error)


@pytest.mark.parametrize("target", ["two words", "sotto://invite/AQID", "sotto:nobody", ""])
def test_no_profile_is_made_for_an_address_that_is_none(target: str, tmp_path: Path) -> None:
    done = chat(tmp_path / "new", target, "--name", "Alice")
    assert done.code == Exit.USAGE
    assert not (tmp_path / "new").exists()


def test_a_name_that_does_not_resolve(alice: Path) -> None:
    done = chat(alice, "no-such-host.invalid")
    assert done.code == Exit.UNREACHABLE
    assert done.sentence() == explain(ConnectError(Reason.UNRESOLVED, "no-such-host.invalid"))


def test_a_port_where_nobody_answers(alice: Path) -> None:
    where = f"127.0.0.1:{fresh_port()}"
    done = chat(alice, where)
    assert done.code == Exit.UNREACHABLE
    assert done.sentence() == explain(ConnectError(Reason.NOBODY, where))


@pytest.mark.parametrize(
    ("service", "reason"), [(web, Reason.NOT_SOTTO), (shell, Reason.NOT_SOTTO), (silence, Reason.SILENT)]
)
async def test_something_else_at_that_port(service: Service, reason: Reason, alice: Path) -> None:
    hurry = limited(**PATIENT | ({"HANDSHAKE_FIRST": 1.0} if reason is Reason.SILENT else {}))
    async with serving(service) as port:
        where = f"127.0.0.1:{port}"
        done = await asyncio.to_thread(chat, alice, where, extra=hurry)
    assert done.code == Exit.UNREACHABLE
    assert done.sentence() == explain(ConnectError(reason, where))


def test_the_own_address(alice: Path) -> None:
    port = fresh_port()
    with Program("listen", "--port", str(port), "--profile", str(alice)) as waiting:
        waiting.expect(words.LISTENING_HINT)
        twin = prepare(alice.parent / "twin", "alice")
        where = f"127.0.0.1:{port}"
        done = chat(twin, where)
        assert done.code == Exit.UNREACHABLE
        assert done.sentence() == explain(ConnectError(Reason.OWN_KEY, where))


def test_a_profile_that_another_program_uses(alice: Path) -> None:
    with ProfileLock(alice):
        done = run("listen", "--profile", str(alice))
    assert done.code == Exit.FAILED
    assert done.sentence() == words.in_use("listen", window=False)


def test_a_profile_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("listen", "--name", "Alice", "--profile", str(tmp_path / "file"))
    assert done.code == Exit.FAILED
    assert done.sentence() == explain(DiskReadOnly())


def test_a_folder_that_is_read_only(alice: Path) -> None:
    mount = f'mount --bind {alice} {alice} && mount -o remount,ro,bind {alice} && exec "$@"'
    prefix = (*OWN_NAMESPACE, "sh", "-c", mount, "sh")
    if shutil.which(prefix[0]) is None or subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("needs a mount of its own")
    before = {path.name: path.read_bytes() for path in alice.iterdir() if path.is_file()}
    done = run("listen", "--profile", str(alice), prefix=prefix)
    assert done.code == Exit.FAILED
    assert done.sentence() == explain(DiskReadOnly())
    assert {path.name: path.read_bytes() for path in alice.iterdir() if path.is_file()} == before


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = run("listen", "--name", "Alice", "--profile", str(tmp_path / "new"))
    tmp_path.chmod(0o700)
    assert done.code == Exit.FAILED
    assert done.sentence() == explain(DiskReadOnly())


@pytest.mark.parametrize("name", ["~nobody-has-this-name/profile", os.fsdecode(b"/tmp/\xff")])
def test_a_folder_that_cannot_be_named(name: str) -> None:
    done = run("listen", "--name", "Alice", "--profile", name)
    assert done.code == Exit.USAGE
    assert words.NO_SUCH_PLACE in done.err
    assert not Path(name).exists()


def test_a_folder_beside_one_that_is_gone(tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    prefix = ("sh", "-c", f'cd {away} && rmdir {away} && exec "$@"', "sh")
    done = run("listen", "--name", "Alice", "--profile", "profile", prefix=prefix)
    assert done.code == Exit.USAGE
    assert words.NO_SUCH_PLACE in done.err


def test_a_disk_without_room_for_a_profile(tmp_path: Path) -> None:
    """Nothing of it stays, and with room on the disk the next start sets everything up."""
    mount = f'mount -t tmpfs -o size=64k none {tmp_path} && "$@"; code=$?; '
    mount += f'mount -o remount,size=8m {tmp_path} && "$@"; exit $code$?'
    prefix = (*OWN_NAMESPACE, "sh", "-c", mount, "sh")
    if shutil.which(prefix[0]) is None or subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("needs a mount of its own")
    target = f"127.0.0.1:{fresh_port()}"
    done = run("chat", target, "--name", "Alice", "--profile", str(tmp_path / "profile"), prefix=prefix)
    assert done.err.splitlines() == [
        *(words.welcome("Alice"), explain(DiskFull())),
        *(words.welcome("Alice"), PROTECTION["file"], explain(ConnectError(Reason.NOBODY, target))),
    ]  # fmt: skip
    assert done.code == int(f"{Exit.FAILED}{Exit.UNREACHABLE}")


def test_nobody_is_there_to_be_asked_for_a_new_passphrase(tmp_path: Path) -> None:
    done = run("listen", "--name", "Alice", "--ask-passphrase", "--profile", str(tmp_path / "new"))
    assert done.code == Exit.USAGE
    assert done.sentence() == words.NEEDS_NEW_PASSPHRASE


def test_nobody_is_there_to_be_asked_for_a_name(tmp_path: Path) -> None:
    done = run("listen", "--profile", str(tmp_path / "new"))
    assert done.code == Exit.USAGE
    assert done.sentence() == words.NEEDS_NAME


def test_a_name_that_nobody_can_have(tmp_path: Path) -> None:
    done = run("listen", "--name", "x" * 65, "--profile", str(tmp_path / "new"))
    assert done.code == Exit.USAGE
    assert done.sentence() == explain(InputError(InputProblem.TOO_LONG, "64"))


def test_nobody_is_there_to_be_asked_for_the_passphrase(tmp_path: Path) -> None:
    locked = prepare(tmp_path / "locked", "alice", "correct horse")
    done = run("listen", "--profile", str(locked))
    assert done.code == Exit.USAGE
    assert done.sentence() == words.NEEDS_PASSPHRASE


def test_the_wrong_passphrase_three_times_and_then_the_right_one(tmp_path: Path) -> None:
    locked = str(prepare(tmp_path / "locked", "alice", "correct horse"))
    with Program("listen", "--profile", locked) as program:
        for _ in range(3):
            program.expect(words.ASK_PASSPHRASE.strip())
            program.answer("wrong")
            program.expect(explain(WrongPassphrase()))
        assert program.wait() == Exit.FAILED
    with Program("listen", "--profile", locked) as program:
        program.expect(words.ASK_PASSPHRASE.strip())
        program.answer("correct horse")
        program.expect(words.LISTENING)
        assert "correct" not in program.text
        program.press("\x03")
        assert program.wait() == Exit.INTERRUPTED


async def test_a_stranger_is_not_told_anything_when_nobody_can_be_asked(tmp_path: Path, alice: Path) -> None:
    async with people_in(tmp_path) as people:
        bob = await people("bob")
        done = await asyncio.to_thread(chat, alice, await bob.address())
        assert done.code == Exit.DECLINED
        assert words.fingerprint_lines(identity("bob").fingerprint) in done.err
        assert done.err.splitlines()[-1] == words.CANNOT_ASK
        await _nobody_came(bob)


async def test_another_fingerprint_than_the_expected_one(tmp_path: Path, alice: Path) -> None:
    carol = format_fingerprint(identity("carol").fingerprint)
    async with people_in(tmp_path) as people:
        bob = await people("bob")
        where = await bob.address()
        done = await asyncio.to_thread(chat, alice, where, "--expect", carol)
        assert done.code == Exit.DECLINED
        assert done.err.splitlines()[-1] == explain(ConnectError(Reason.WRONG_PERSON, where))
        await _nobody_came(bob)


async def _nobody_came(bob: Person) -> None:
    assert not await bob.engine.conversations()
