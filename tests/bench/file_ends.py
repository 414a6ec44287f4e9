"""The two processes between which the benchmark of files moves something: ours, a bare pump, a raw one.

``python -m tests.bench.file_ends END FOLDER [...]``. Each says what it used on its standard output, a JSON
object a line. The pumps move one file; ours move a folder of small files too, and a file beside which two
people talk.
"""

import asyncio
import itertools
import json
import os
import resource
import socket
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import MessageState, Standing
from messenger.core.transfers import TransferState
from messenger.engine.events import ContactChanged, MessageChanged, TransferChanged
from tests.helpers import engines
from tests.helpers.engines import Person, prepare

FILE: Final = "file"
SMALL: Final = "small"
TALK: Final = "talk"
SLOW: Final = "slow"

RECORD: Final = 256 * 1024
TAG: Final = 16
HEADER: Final = 4

PAUSE: Final = 0.005
"""Seconds between a receipt and the next message."""

SLOWLY: Final = 15.0
"""Seconds for which two people talk beside a file on a slow line."""

PATIENCE: Final = 900.0
"""Seconds for one file; only a run that hangs takes that long."""

_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")
_PEAK_ANEW: Final = "5"


def used() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


class Cost:
    """What this process uses from now on: CPU, time, and memory above what it has now."""

    def __init__(self) -> None:
        if _CLEAR.exists():
            _CLEAR.write_text(_PEAK_ANEW)
        self._idle = _memory("VmRSS")
        self._used, self._began = used(), time.monotonic()

    def say(self, **more: float) -> None:
        """Tell the process that measures."""
        wall, cpu = time.monotonic() - self._began, used() - self._used
        print(
            json.dumps({"cpu": cpu, "wall": wall, "rss": _memory("VmHWM") - self._idle, **more}), flush=True
        )


def _memory(field: str) -> float:
    """A number of this process in MiB; the most that it ever had where the system does not tell it."""
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(found.split()[1]) / 1024


def receive(folder: Path, *, sealed: bool) -> None:
    """Take records, open them if they are sealed, write them."""
    cipher, buffer = AESGCM(bytes(32)), memoryview(bytearray(HEADER + RECORD + TAG))
    server = socket.create_server(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    peer, _ = server.accept()
    cost, tag = Cost(), TAG if sealed else 0
    file = os.open(folder / "there" / FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in itertools.count():
        have, end = 0, HEADER
        while have < end:
            came = peer.recv_into(buffer[have:] if have < HEADER else buffer[have:end])
            if not came:
                break
            have += came
            if have >= HEADER:
                end = HEADER + int.from_bytes(buffer[:HEADER], "big")
        if not have:
            break
        if sealed:
            nonce = number.to_bytes(12, "big")
            cipher.decrypt_into(nonce, buffer[HEADER:end], buffer[:HEADER], buffer[HEADER : end - tag])
        os.write(file, buffer[HEADER : end - tag])
    os.fsync(file)
    os.close(file)
    peer.sendall(b"!")
    peer.close()
    cost.say()


def send(folder: Path, port: int, *, sealed: bool) -> None:
    """Read, seal if that is wanted, send."""
    cipher, buffer = AESGCM(bytes(32)), memoryview(bytearray(HEADER + RECORD + TAG))
    cost, tag = Cost(), TAG if sealed else 0
    peer = socket.create_connection(("127.0.0.1", port))
    file = os.open(folder / FILE, os.O_RDONLY)
    for number in itertools.count():
        size = os.readv(file, [buffer[HEADER : HEADER + RECORD]])
        if not size:
            break
        end = HEADER + size + tag
        buffer[:HEADER] = (end - HEADER).to_bytes(HEADER, "big")
        if sealed:
            nonce = number.to_bytes(12, "big")
            cipher.encrypt_into(nonce, buffer[HEADER : end - tag], buffer[:HEADER], buffer[HEADER:end])
        peer.sendall(buffer[:end])
    peer.shutdown(socket.SHUT_WR)
    peer.recv(1)
    cost.say()


async def be_bob(folder: Path) -> None:
    """Take what is offered, until the standard input ends."""
    bob = Person(prepare(folder / "bob", "bob"), "bob")
    await bob.start()
    print(await bob.port(), flush=True)
    asked = await bob.wait_for(ContactChanged, lambda e: e.contact.standing is Standing.REQUEST)
    await bob.engine.accept(asked.contact.id)
    taking = asyncio.create_task(_take(bob, folder))
    await asyncio.to_thread(sys.stdin.read)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    await bob.engine.stop()


async def _take(bob: Person, folder: Path) -> None:
    for number in itertools.count():
        since = bob.mark
        offered = (await _stands(bob, TransferState.OFFERED, since)).transfer
        cost = Cost()
        await bob.engine.accept_files(offered.id, folder / f"there {number}")
        await _stands(bob, TransferState.DONE, since)
        cost.say()


async def be_alice(folder: Path, host: str, port: int, tasks: list[str]) -> None:
    """Do what is asked: send FILE or SMALL, "talk" beside a file, or do so on a "slow" line."""
    alice = Person(prepare(folder / "alice", "alice"), "alice")
    await alice.start()
    contact = await alice.connect(f"{host}:{port}")
    await alice.wait_for(ContactChanged, lambda e: e.contact.id == contact.id and not e.contact.awaiting)
    for task in tasks:
        if task in (TALK, SLOW):
            await _talk_beside(alice, contact.id, folder / FILE, SLOWLY if task == SLOW else None)
            continue
        since, cost = alice.mark, Cost()
        await alice.engine.offer_files(contact.id, [folder / task])
        await _stands(alice, TransferState.DONE, since)
        cost.say()
    await alice.engine.stop()


async def _talk_beside(alice: Person, to: ConversationId, file: Path, seconds: float | None) -> None:
    """Measure round trips, durable at both ends, while a file runs: until it is there, or for some time."""
    since, trips = alice.mark, list[float]()
    await alice.engine.offer_files(to, [file])
    await _stands(alice, TransferState.RUNNING, since)
    done = asyncio.create_task(_stands(alice, TransferState.DONE, since))
    until = None if seconds is None else time.monotonic() + seconds
    while not done.done() and (until is None or time.monotonic() < until):
        mark, at = alice.mark, time.monotonic()
        message = await alice.engine.send_text(to, "ping")
        await alice.wait_for(MessageChanged, arrived(message.id), since=mark)
        trips.append((time.monotonic() - at) * 1000)
        await asyncio.sleep(PAUSE)
    if until is None:
        await done
    done.cancel()
    await asyncio.gather(done, return_exceptions=True)
    trips.sort()
    print(json.dumps({"median": statistics.median(trips), "p99": trips[int(len(trips) * 0.99)]}), flush=True)


def arrived(id_: MessageId) -> Callable[[MessageChanged], bool]:
    """Tells whether a message is on their disk."""
    return lambda e: e.message.id == id_ and e.message.state is MessageState.DELIVERED


async def _stands(person: Person, state: TransferState, since: int) -> TransferChanged:
    return await person.wait_for(TransferChanged, lambda e: e.transfer.state is state, since=since)


def main() -> None:
    """Be one of the processes."""
    engines.PATIENCE = PATIENCE  # type: ignore[attr-defined]
    match sys.argv[1:]:
        case ["receive", folder, *sealed]:
            receive(Path(folder), sealed=bool(sealed))
        case ["send", folder, port, *sealed]:
            send(Path(folder), int(port), sealed=bool(sealed))
        case ["bob", folder]:
            asyncio.run(be_bob(Path(folder)))
        case ["alice", folder, host, port, *tasks]:
            asyncio.run(be_alice(Path(folder), host, int(port), tasks))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
