"""Cost of a file: ours between two running engines against a bare pump with the same cipher.

Both move one file over loopback from one process to another, on a memory disk where there is one.
``cpu_s_per_gb``: CPU seconds of both processes for 10^9 bytes. ``wall_mb_s``: 10^6 bytes a second from the
moment when the file may go to the moment when the sender knows that all of it is there. ``rss_mib``: largest
memory of one process. ``chat_rtt_ms``, ``chat_p99_ms``: from the writing of a message to its receipt, while
the file runs; durable at both ends.
"""

import asyncio
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messenger.core.ids import MessageId
from messenger.core.models import MessageState, Standing
from messenger.core.transfers import TransferState
from messenger.engine.events import ContactChanged, MessageChanged, TransferChanged
from tests.bench.report import Case, Sample, measure, options
from tests.helpers.engines import Person, prepare

SIZE: Final = int(os.environ.get("SOTTO_BENCH_MIB", "1024")) * 1024 * 1024
BLOCK: Final = 16 * 1024 * 1024
RECORD: Final = 256 * 1024
TAG: Final = 16
HEADER: Final = 4
ROOM: Final = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())  # noqa: S108


def used() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


def peak() -> float:
    """Most memory that this process has had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(**figures: float) -> None:
    """Tell the process that measures."""
    print(json.dumps(figures), flush=True)


def bare_receiver(folder: Path) -> None:
    """Take records, open them, write them."""
    cipher, buffer = AESGCM(bytes(32)), memoryview(bytearray(HEADER + RECORD + TAG))
    server = socket.create_server(("127.0.0.1", 0))
    say(port=server.getsockname()[1])
    peer, _ = server.accept()
    before = used()
    file = os.open(folder / "copy", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    number = 0
    while True:
        have = 0
        end = HEADER
        while have < end:
            came = peer.recv_into(buffer[have:] if have < HEADER else buffer[have:end])
            if not came:
                break
            have += came
            if have >= HEADER:
                end = HEADER + int.from_bytes(buffer[:HEADER], "big")
        if not have:
            break
        nonce = number.to_bytes(12, "big")
        cipher.decrypt_into(nonce, buffer[HEADER:end], buffer[:HEADER], buffer[HEADER : end - TAG])
        os.write(file, buffer[HEADER : end - TAG])
        number += 1
    os.fsync(file)
    os.close(file)
    peer.sendall(b"!")
    peer.close()
    say(cpu=used() - before, rss=peak())


def bare_sender(folder: Path, port: int) -> None:
    """Read, seal, send."""
    cipher, buffer = AESGCM(bytes(32)), memoryview(bytearray(HEADER + RECORD + TAG))
    before, began = used(), time.monotonic()
    peer = socket.create_connection(("127.0.0.1", port))
    file = os.open(folder / "file", os.O_RDONLY)
    number = 0
    while size := os.readv(file, [buffer[HEADER : HEADER + RECORD]]):
        end = HEADER + size + TAG
        buffer[:HEADER] = (end - HEADER).to_bytes(HEADER, "big")
        nonce = number.to_bytes(12, "big")
        cipher.encrypt_into(nonce, buffer[HEADER : end - TAG], buffer[:HEADER], buffer[HEADER:end])
        peer.sendall(buffer[:end])
        number += 1
    peer.shutdown(socket.SHUT_WR)
    peer.recv(1)
    say(cpu=used() - before, wall=time.monotonic() - began, rss=peak())


async def sotto_receiver(folder: Path) -> None:
    """Be Bob: take what is offered."""
    bob = Person(prepare(folder / "bob", "bob"), "bob")
    await bob.start()
    say(port=await bob.port())
    asked = await bob.wait_for(ContactChanged, lambda e: e.contact.standing is Standing.REQUEST)
    await bob.engine.accept(asked.contact.id)
    offered = await bob.wait_for(TransferChanged, lambda e: e.transfer.state is TransferState.OFFERED)
    before = used()
    await bob.engine.accept_files(offered.transfer.id, folder / "there")
    await bob.wait_for(TransferChanged, lambda e: e.transfer.state is TransferState.DONE)
    say(cpu=used() - before, rss=peak())
    await asyncio.to_thread(sys.stdin.readline)
    await bob.engine.stop()


def arrived(id_: MessageId) -> Callable[[MessageChanged], bool]:
    """Tells whether a message is on their disk."""
    return lambda e: e.message.id == id_ and e.message.state is MessageState.DELIVERED


async def sotto_sender(folder: Path, port: int, *, chat: bool) -> None:
    """Be Alice: offer a file, perhaps chat meanwhile."""
    alice = Person(prepare(folder / "alice", "alice"), "alice")
    await alice.start()
    contact = await alice.connect(f"127.0.0.1:{port}")
    await alice.wait_for(ContactChanged, lambda e: e.contact.id == contact.id and not e.contact.awaiting)
    await alice.engine.offer_files(contact.id, [folder / "file"])
    before, began, trips = used(), time.monotonic(), list[float]()

    async def talk() -> None:
        while True:
            since, at = alice.mark, time.monotonic()
            message = await alice.engine.send_text(contact.id, "ping")
            await alice.wait_for(MessageChanged, arrived(message.id), since=since)
            trips.append((time.monotonic() - at) * 1000)
            await asyncio.sleep(0.02)

    await alice.wait_for(TransferChanged, lambda e: e.transfer.state is TransferState.RUNNING)
    talking = asyncio.create_task(talk()) if chat else None
    await alice.wait_for(TransferChanged, lambda e: e.transfer.state is TransferState.DONE)
    wall = time.monotonic() - began
    if talking is not None:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        trips.sort()
        say(chat_rtt_ms=statistics.median(trips), chat_p99_ms=trips[int(len(trips) * 0.99)])
    else:
        say(cpu=used() - before, wall=wall, rss=peak())
    await alice.engine.stop()


def run(kind: str, *, chat: bool = False) -> Sample:
    """One file from one process to another."""
    folder = Path(tempfile.mkdtemp(dir=ROOM))
    try:
        block = os.urandom(BLOCK)
        with (folder / "file").open("wb") as file:
            for number in range(SIZE // BLOCK):
                file.write(number.to_bytes(8, "big") + block[8:])
        start = [sys.executable, "-m", "tests.bench.files"]
        receiver = subprocess.Popen(
            [*start, f"{kind}-receiver", str(folder)],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
        )
        assert receiver.stdout is not None
        port = json.loads(receiver.stdout.readline())["port"]
        sent = subprocess.run(
            [*start, f"{kind}-sender", str(folder), str(port), "chat" if chat else ""],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        out, _ = receiver.communicate("\n")
        here, there = json.loads(sent.stdout), json.loads(out)
        if chat:
            return {name: here[name] for name in ("chat_rtt_ms", "chat_p99_ms")}
        return {
            "cpu_s_per_gb": (here["cpu"] + there["cpu"]) / SIZE * 1e9,
            "wall_mb_s": SIZE / here["wall"] / 1e6,
            "rss_mib": max(here["rss"], there["rss"]),
        }
    finally:
        shutil.rmtree(folder)


def sotto() -> Sample:
    """Two engines, once alone and once with a conversation beside it."""
    return run("sotto") | run("sotto", chat=True)


def main() -> None:
    """Measure, or be one of the processes that are measured."""
    match sys.argv[1:]:
        case ["bare-receiver", folder]:
            bare_receiver(Path(folder))
        case ["bare-sender", folder, port, _]:
            bare_sender(Path(folder), int(port))
        case ["sotto-receiver", folder]:
            asyncio.run(sotto_receiver(Path(folder)))
        case ["sotto-sender", folder, port, chat]:
            asyncio.run(sotto_sender(Path(folder), int(port), chat=bool(chat)))
        case _:
            chosen = options(__doc__ or "")
            units = {
                "cpu_s_per_gb": "s/GB", "wall_mb_s": "MB/s", "rss_mib": "MiB",
                "chat_rtt_ms": "ms", "chat_p99_ms": "ms",
            }  # fmt: skip
            cases = [Case("sotto", sotto), Case("bare-gcm", lambda: run("bare"))]
            measure(cases, units, runs=chosen.runs, as_json=chosen.json)


if __name__ == "__main__":
    main()
