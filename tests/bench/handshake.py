"""Cost of a handshake, beside TLS 1.3 with RSA-3072 certificates on both sides, and of a flood.

``cpu_ms_both``: CPU ms of both ends of one handshake. ``stranger_cpu_ms``: CPU ms of a real
listener for each of many strangers who know its fingerprint, greet it properly and go away.
``friend_s``: seconds until a contact is connected while that flood goes on.
"""

import asyncio
import contextlib
import itertools
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from messenger.core import limits
from messenger.core.address import Address
from messenger.net.dial import wrap
from messenger.protocol.handshake import PuzzleNeeded
from messenger.protocol.initiator import Initiator
from messenger.protocol.link import Link, LinkState, LinkUp, PeerIdentified, SignNeeded, UnwrapNeeded
from messenger.protocol.puzzle import solve
from messenger.protocol.responder import Responder
from tests.bench.certificates import mutual_contexts
from tests.bench.report import Case, Sample, measure, options
from tests.helpers.keys import Identity, identity, make_profile

HANDSHAKES = 10
STRANGERS = 600
AT_ONCE = 24


def sotto() -> Sample:
    """Links between two identities in this process, then a flood of a listener in another."""
    alice, bob = identity("alice"), identity("bob")
    hers, his, now = alice.bundle(), bob.bundle(), int(time.time())
    started = time.process_time()
    for _ in range(HANDSHAKES):
        here = Link(Initiator(hers, now, expected=bob.fingerprint))
        there = Link(Responder(his, now, open_door=False))
        while LinkState.GREETING in (here.state, there.state):
            for link, other, who in ((here, there, alice), (there, here, bob)):
                _answer(link, who)
                other.receive_data(bytes(link.data_to_send()))
    both = (time.process_time() - started) / HANDSHAKES * 1000
    return {"cpu_ms_both": both, **asyncio.run(_flood())}


def tls13(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Callable[[], Sample]:
    """The same number of TLS handshakes through memory."""

    def run() -> Sample:
        started = time.process_time()
        for _ in range(HANDSHAKES):
            _tls_handshake(*contexts)
        return {"cpu_ms_both": (time.process_time() - started) / HANDSHAKES * 1000}

    return run


def _tls_handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while ends:
        for end in list(ends):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
                ends.remove(end)


def _answer(link: Link, who: Identity) -> bool:
    """Answer what a link asks; True if it came up."""
    up = False
    while events := link.events():
        for event in events:
            match event:
                case SignNeeded(label, fields):
                    link.signed(who.signing.sign(label, fields))
                case UnwrapNeeded(label, ciphertext):
                    link.unwrapped(who.exchange.unwrap(label, ciphertext))
                case PuzzleNeeded(material, bits):
                    link.solved(solve(material, bits))
                case PeerIdentified():
                    link.accept()
                case LinkUp():
                    up = True
    return up


async def _flood() -> Sample:
    with tempfile.TemporaryDirectory() as folder:
        make_profile(Path(folder), "bob")
        command = [sys.executable, "-m", "tests.bench.listener", folder]
        with subprocess.Popen(  # noqa: ASYNC220 -- nothing else runs yet
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            if child.stdin is None or child.stdout is None:
                raise AssertionError
            read, write = child.stdout.readline, child.stdin

            def cpu() -> float:
                write.write("\n")
                write.flush()
                return float(read())

            address = Address("127.0.0.1", int(read()))
            before = cpu()
            flood = asyncio.create_task(_strangers(address))
            friend_s = await _friend(address)
            greeted = await flood
            spent = cpu() - before
            write.close()
    return {"stranger_cpu_ms": spent / STRANGERS * 1000, "friend_s": friend_s, "greeted": greeted}


async def _strangers(address: Address) -> int:
    """Greet from many networks, take the answer, and leave; returns how many were answered."""
    numbers = iter(range(STRANGERS))
    answered = 0

    async def one() -> None:
        nonlocal answered
        for number in numbers:
            link = Link(Initiator(None, int(time.time()), expected=identity("bob").fingerprint))
            sock = await _connect(address, f"127.{1 + number // 250}.{number % 250}.1")
            stream = await wrap(sock)
            stream.writer.write(link.data_to_send())
            with contextlib.suppress(OSError):
                answered += bool(await stream.reader.read(limits.READ_SIZE))
            stream.abort()

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return answered


async def _friend(address: Address) -> float:
    """Connect as Alice, who was never there before, as often as it takes."""
    alice = identity("alice")
    started = time.perf_counter()
    for attempt in itertools.count():
        link = Link(Initiator(alice.bundle(), int(time.time()), expected=identity("bob").fingerprint))
        stream = await wrap(await _connect(address, f"127.200.{attempt % 250}.1"))
        with contextlib.suppress(OSError):
            while True:
                stream.writer.write(link.data_to_send())
                data = await stream.reader.read(limits.READ_SIZE)
                if not data:
                    break
                link.receive_data(data)
                if _answer(link, alice):
                    stream.writer.write(link.data_to_send())
                    await stream.writer.drain()
                    stream.abort()
                    return time.perf_counter() - started
        stream.abort()
    raise AssertionError


async def _connect(address: Address, source: str) -> socket.socket:
    sock = socket.socket()
    sock.setblocking(False)  # noqa: FBT003 -- the name of the method says it
    sock.bind((source, 0))
    await asyncio.get_running_loop().sock_connect(sock, (address.host, address.port))
    return sock


if __name__ == "__main__":
    chosen = options(__doc__ or "")
    measure(
        [Case("sotto", sotto), Case("tls13", tls13(mutual_contexts()))],
        {"cpu_ms_both": "ms", "stranger_cpu_ms": "ms", "friend_s": "s", "greeted": ""},
        runs=chosen.runs,
        as_json=chosen.json,
    )
