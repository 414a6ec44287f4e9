"""A program that is killed, or whose display dies, leaves no process behind and loses nothing."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from messenger.control import relay_host
from messenger.crypto import keystore
from messenger.storage.store import Store
from messenger.text import terminal as words
from tests.helpers.engines import DATABASE, fresh_port, prepare
from tests.helpers.family import family_of
from tests.helpers.person import Person
from tests.helpers.relays import prepare as prepare_relay
from tests.helpers.terminal import acquaint, environment
from tests.helpers.xserver import XServer, x_server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at as Linux shows them")

DRAFT: Final = "half a thou"

HOSTS: Final = """
import asyncio, sys
from pathlib import Path
from messenger.control import relay_host

async def main():
    folder, port, *words = sys.argv[1:]
    await relay_host.start(Path(folder), int(port))
    for word in words:
        await relay_host.choose(Path(folder), relay_host.Choice(int(port), word == "keep"))
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

DEMONSTRATES: Final = """
import asyncio, sys
from pathlib import Path
from messenger.demo.relay_process import relay_in

async def main():
    async with relay_in(Path(sys.argv[1])):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""

ASKS_THE_KEYRING: Final = """
import threading
from messenger.crypto import keyring_access

threading.Thread(target=keyring_access.load, args=("entry",), daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""

READS_A_PICTURE: Final = """
import sys, threading
from PySide6.QtCore import QCoreApplication
from messenger.gui.pictures import Job, PictureQueue

app = QCoreApplication([])
queue = PictureQueue()
queue.start(Job(("read", "300"), sys.argv[1].encode(), 1 << 20, lambda answer: None))
print("ready", flush=True)
threading.Event().wait()  # the event loop, which would tell the process what to read, does not run
"""


def started(script: str, *arguments: object, **variables: str) -> "subprocess.Popen[bytes]":
    """A program that is ready to be killed."""
    command = [sys.executable, "-P", "-c", script, *map(str, arguments)]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(variables))
    assert program.stdout is not None
    assert program.stdout.readline() == b"ready\n"
    return program


def kill(program: "subprocess.Popen[bytes]") -> None:
    program.kill()
    program.communicate()


def test_a_relay_ends_with_the_window_that_hosts_it(tmp_path: Path) -> None:
    prepare_relay(tmp_path / "relay")
    program = started(HOSTS, tmp_path, fresh_port())
    with family_of(program.pid) as family:
        kill(program)
        assert len(family.commands) == 2  # and its vault
        assert family.left() == []


@pytest.mark.parametrize("choices", [["keep"], ["keep", "leave", "keep"]])
async def test_a_relay_that_is_to_stay_stays(tmp_path: Path, choices: list[str]) -> None:
    prepare_relay(tmp_path / "relay")
    program = started(HOSTS, tmp_path, fresh_port(), *choices)
    with family_of(program.pid) as family:
        kill(program)
        assert await relay_host.look(tmp_path) is not None
        await relay_host.stop(tmp_path)
        assert family.left() == []


def test_a_relay_that_is_not_to_stay_any_more_ends(tmp_path: Path) -> None:
    prepare_relay(tmp_path / "relay")
    program = started(HOSTS, tmp_path, fresh_port(), "keep", "leave")
    with family_of(program.pid) as family:
        kill(program)
        assert family.left() == []


def test_a_relay_that_was_to_stay_from_the_start_stays(tmp_path: Path) -> None:
    prepare_relay(tmp_path / "relay")
    port = fresh_port()
    asyncio.run(relay_host.choose(tmp_path, relay_host.Choice(port, keep=True)))
    program = started(HOSTS, tmp_path, port)
    with family_of(program.pid) as family:
        kill(program)
        assert asyncio.run(relay_host.look(tmp_path)) is not None
        asyncio.run(relay_host.stop(tmp_path))
        assert family.left() == []


def test_the_relay_of_a_demonstration_ends_with_it(tmp_path: Path) -> None:
    prepare_relay(tmp_path)
    program = started(DEMONSTRATES, tmp_path)
    with family_of(program.pid) as family:
        kill(program)
        assert len(family.commands) == 2
        assert family.left() == []


def test_a_process_that_waits_for_the_keyring_ends_with_who_asked(tmp_path: Path) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    keyring = "tests.helpers.keyrings.HangingKeyring"
    program = started(ASKS_THE_KEYRING, PYTHON_KEYRING_BACKEND=keyring, SOTTO_TEST_WAITING=str(told))
    assert told.read_text() == "waiting"
    with family_of(program.pid) as family:
        kill(program)
        assert len(family.commands) == 1
        assert family.left() == []


def test_pictures_are_not_read_for_somebody_who_is_gone(tmp_path: Path) -> None:
    program = started(READS_A_PICTURE, tmp_path / "none.png")
    with family_of(program.pid) as family:
        kill(program)
        assert len(family.commands) == 1
        assert family.left() == []


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[XServer]:
    with x_server(tmp_path) as server:
        monkeypatch.setenv("DISPLAY", server.display)
        yield server


def test_a_window_ends_with_its_display_and_keeps_what_was_written(tmp_path: Path, server: XServer) -> None:
    alice, bob = (prepare(tmp_path / who, who) for who in ("alice", "bob"))
    acquaint(alice, bob)
    log = tmp_path / "log"
    with Person(alice, log) as person:
        person.do("choose", "Conversations", "")
        person.do("write", "Write a message", DRAFT)
        with family_of(person.pid) as family:
            server.die()
            assert person.ended() == 1
            assert family.left() == []
    said = log.read_text()
    assert "Traceback" not in said
    assert said.splitlines()[-1] == words.DISPLAY_GONE
    store = Store.open(alice / DATABASE, keystore.unlock(alice, "").db_key)
    contact = store.contacts.all()[0]
    kept = store.drafts.get(contact.id).text
    store.close()
    assert kept == DRAFT


@pytest.mark.parametrize("what", ["the display", "the program"])
def test_a_demonstration_in_windows_leaves_no_process(tmp_path: Path, server: XServer, what: str) -> None:
    (tmp_path / "demo").mkdir()
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.demo_windows", str(tmp_path / "demo")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({"QT_QPA_PLATFORM": "xcb", "DISPLAY": server.display}),
    )
    assert program.stdout is not None
    assert program.stdout.readline()
    with family_of(program.pid) as family:
        assert any(" relay " in command for command in family.commands)
        if what == "the display":
            server.die()
        else:
            program.send_signal(signal.SIGKILL)
        _, said = program.communicate()
        assert b"Traceback" not in said
        assert family.left() == []
