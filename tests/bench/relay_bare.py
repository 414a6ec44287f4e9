"""The least that a relayed message can cost in Python, for the benchmark of the relay.

A server that passes on what comes on either of two streams to the other, on the same loop as our relay:
each record is opened and sealed anew, and nothing else is done. There is no handshake, no queue, no proof, no
limit and no counter. The records are as long as those of the relay: what our figures are above these is what
all of that costs; what these are above nothing is the system, the loop and the cipher.
"""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from typing import Final, cast

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messenger.relay.main import new_loop
from tests.bench.processes import Watched, one_at_a_time
from tests.bench.relay_peers import Load
from tests.bench.report import Sample

_HEADER: Final = 4
_SMALL: Final = 276 - _HEADER
"""An answer, or an acknowledgement, as our record layer seals it."""
_LARGE: Final = 4372 - _HEADER
"""An envelope of a text of 200 bytes, likewise."""
_TAG: Final = 16
_TOGETHER: Final = 15
"""Envelopes that share a record in a stream."""
_READY: Final = b"\0"
"""Both streams are there."""
_NONCE: Final = bytes(12)
"""Nothing that is secret is sealed here, with a key that everybody knows."""


class _End(asyncio.Protocol):
    """One of the two streams."""

    def __init__(self, ends: "list[_End]", cipher: AESGCM) -> None:
        self._ends = ends
        self._cipher = cipher
        self._begun = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ends.append(self)
        if len(self._ends) == 2:
            self._transport.write(_READY)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._ends.remove(self)

    def data_received(self, data: bytes) -> None:
        data = self._begun + data if self._begun else data
        at, out = 0, []
        while len(data) - at >= _HEADER:
            header = data[at : at + _HEADER]
            end = at + _HEADER + int.from_bytes(header, "big")
            if end > len(data):
                break
            content = self._cipher.decrypt(_NONCE, data[at + _HEADER : end], header)
            out.append(header + self._cipher.encrypt(_NONCE, content, header))
            at = end
        self._begun = data[at:]
        other = self._ends[0] if self._ends[1] is self else self._ends[1]
        other._transport.write(b"".join(out))


async def _serve() -> None:
    ends: list[_End] = []
    server = await asyncio.get_running_loop().create_server(
        lambda: _End(ends, AESGCM(bytes(32))), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def bare(load: Load) -> Sample:
    """CPU of a message, one at a time and streamed."""
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.relay_bare"], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        server = Watched(process, int(process.stdout.readline()))
        with _stream(server.port) as writer, _stream(server.port) as owner:
            assert owner.recv(1) == _READY
            return {**_alone(server, writer, owner, load), **_streamed(server, writer, owner, load)}
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _stream(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _record(size: int) -> bytes:
    header = size.to_bytes(_HEADER, "big")
    return header + AESGCM(bytes(32)).encrypt(_NONCE, bytes(size - _TAG), header)


def _take(sock: socket.socket, size: int) -> None:
    while size:
        came = len(sock.recv(min(size, 1 << 18)))
        assert came, "the server has hung up"
        size -= came


def _alone(server: Watched, writer: socket.socket, owner: socket.socket, load: Load) -> Sample:
    large, small = _record(_LARGE), _record(_SMALL)

    def exchange() -> None:
        writer.sendall(large)
        _take(owner, len(large))
        owner.sendall(small)
        _take(writer, len(small))

    return one_at_a_time(server, exchange, load.alone)


def _streamed(server: Watched, writer: socket.socket, owner: socket.socket, load: Load) -> Sample:
    large, small = _record(_LARGE * _TOGETHER), _record(_SMALL)
    count, ahead = load.stream // _TOGETHER, load.ahead // _TOGETHER

    def take() -> None:
        for _ in range(count):
            _take(owner, len(large))
            owner.sendall(small)

    taking = threading.Thread(target=take)
    before, start = server.cpu(), time.perf_counter()
    taking.start()
    for number in range(count):
        if number >= ahead:
            _take(writer, len(small))
        writer.sendall(large)
    for _ in range(min(ahead, count)):
        _take(writer, len(small))
    taking.join()
    messages, wall = count * _TOGETHER, time.perf_counter() - start
    return {
        "cpu_us_stream": (server.cpu() - before) / messages * 1e6,
        "per_s_stream": messages / wall,
    }


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_serve())
