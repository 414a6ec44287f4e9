"""What a message, an idle client and a circuit cost the relay: ``python -m tests.bench.relay``.

The relay is a process of its own with its usual options, but for limits on what comes from one network,
as everybody here is on one computer. Its CPU time is what the system counted for all of its threads.

A message has 200 bytes of text, which the relay sees as an envelope of 4096. One at a time (`cpu_us_rtt`):
sent, brought to its receiver, acknowledged, and its writer told, before the next one, with all on one
processor. `cpu_us_rtt_apart` is the same wherever the system puts them: it has in it what it costs to wake a
processor that sleeps, which for virtual ones can be more than the work. Streamed (`cpu_us_stream`): as fast
as the relay takes them, on one link to one receiver. The clients of both seal before and open after, as what
else they do would turn the relay out of the caches of the processor. `stored` is a stream to people who are
away, and fetched later. `kib_idle` is the memory for each of a thousand clients that say nothing;
``--clients 1000 5000`` adds `kib_idle_5000`.

Prosody and mosquitto (quality 1), both with TLS, do the same in the same run: 200 bytes of text, one at a
time and streamed. They keep nothing durably and pad nothing. What is not installed is named as missing.
`bare` is a server that opens and seals records as long as ours and does nothing else: the least that the
system, the loop and the cipher cost.
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from messenger.core import limits
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import digest
from messenger.net.dial import wrap
from messenger.protocol.circuits import CircuitEnd
from messenger.protocol.records import OUTER_HEADER
from messenger.protocol.relay_answers import Arrived, Done, Pass, Ring
from messenger.protocol.relay_queues import Acknowledge, Connect, NewQueue, QueueKind, Send, Subscribe
from messenger.protocol.relay_wire import HEADER_SIZE, TAG_SIZE
from tests.bench.processes import Watched, files_for, one_at_a_time
from tests.bench.relay_bare import bare
from tests.bench.relay_peers import Load, mosquitto, prosody
from tests.bench.relay_plain import Plain
from tests.bench.report import Case, Sample, measure
from tests.helpers.engines import fresh_port
from tests.helpers.keys import identity
from tests.helpers.relays import SMALL, Box, Visitor, envelope, prepare

ALONE: Final = 2_000
"""Messages one at a time."""
STREAM: Final = 20_000
"""Messages in a stream."""
AHEAD: Final = 60
"""Of them without an answer."""
TOGETHER: Final = 15
"""Of them in a record."""
_AROUND: Final = OUTER_HEADER + limits.RECORD_INNER_HEADER + limits.TAG_SIZE
_ARRIVED: Final = HEADER_SIZE + TAG_SIZE + SMALL
"""Bytes of an envelope that arrives; what pads a record is less."""
CIRCUIT: Final = 1 << 30
"""Bytes through a circuit."""
PER_NETWORK: Final = 50
_FREE: Final = (
    "--connections-per-network", "1000000", "--handshakes-per-network", "4096", "--requests-per-network",
    "1000000000", "--bytes-per-network", "1000000000000", "--queues-per-network", "1000000000",
    "--connections", "19000", "--circuits", "8", "--queue-messages", "100000",
)  # fmt: skip


class Server(Watched):
    """The relay in its process."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        super().__init__(process, port)
        self.fingerprint: Fingerprint = identity("bob").fingerprint
        self._callers = 0

    async def visitor(self) -> Visitor:
        """A client; each from another address, so that many look like many."""
        self._callers += 1
        net, host = divmod(self._callers, PER_NETWORK)
        sock = socket.socket()
        sock.setblocking(False)  # noqa: FBT003 -- the name of the method says it
        sock.bind((f"127.{1 + net // 250}.{net % 250}.{1 + host}", 0))
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        return await Visitor(await wrap(sock), self.fingerprint).up()


@contextlib.contextmanager
def relay() -> Iterator[Server]:
    """A relay that is up."""
    with tempfile.TemporaryDirectory() as folder:
        place, port = prepare(Path(folder) / "relay"), fresh_port()
        command = [sys.executable, "-m", "messenger.relay", "--data", str(place), "--host", "127.0.0.1"]
        process = subprocess.Popen(
            [*command, "--port", str(port), *_FREE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if b"sotto://relay/" in line:
                    break
            yield Server(process, port)
        finally:
            process.terminate()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


@contextlib.asynccontextmanager
async def two(server: Server) -> AsyncIterator[tuple[Visitor, Visitor, Box]]:
    """An owner, a writer, and a queue."""
    owner, writer = await server.visitor(), await server.visitor()
    try:
        yield owner, writer, await owner.make()
    finally:
        await owner.close()
        await writer.close()


def messages() -> Sample:
    """Messages through the relay."""
    with relay() as server:
        one = _alone(server)
        streamed, wall = _streamed(server)
        return {
            **one,
            "cpu_us_stream": streamed * 1e6,
            "per_s_stream": STREAM / wall,
            "cpu_us_stored": asyncio.run(_stored(server)) * 1e6,
        }


class Prepared:
    """An owner and a writer, with all that they will say: envelopes in order, and what acknowledges them.

    While the relay is looked at they do as little as the clients of the other servers.

    Args:
        server: The relay.
        count: Envelopes.
        together: How many of them share a record.
    """

    def __init__(self, server: Server, count: int, together: int = 1) -> None:
        self.owner, self.writer = (Plain(server.port, server.fingerprint) for _ in range(2))
        keys = bytes(31) + b"r", bytes(31) + b"s"
        made = self.owner.ask(NewQueue(0, QueueKind.CONTACT, *keys))
        tag, exported = self.owner.ask(Subscribe(0, made.recv_id), keys[0]).tag, self.writer.export()
        self.sends, self.acknowledgements = list[bytes](), list[bytes]()
        for start in range(0, count, together):
            envelopes = {number: envelope(number) for number in range(start, min(start + together, count))}
            sends = (Send(number + 1, made.send_id, each) for number, each in envelopes.items())
            self.sends.append(self.writer.sealed(*(send.signed(keys[1], exported) for send in sends)))
            hashes = tuple(digest(each) for each in envelopes.values())
            self.acknowledgements.append(self.owner.sealed(Acknowledge(tag, hashes)))

    def done(self) -> int:
        """How many envelopes the relay has called durable since this was asked last."""
        return sum(isinstance(word, Done) for word in self.writer.opened())

    def close(self) -> None:
        """Hang up."""
        self.owner.close()
        self.writer.close()


def _alone(server: Server) -> Sample:
    """CPU of a message, one after the other."""
    said = 2 * (ALONE + ALONE // 10)
    both = Prepared(server, said)
    words = zip(both.sends, both.acknowledgements, strict=True)

    def exchange() -> None:
        send, acknowledgement = next(words)
        both.writer.give(send)
        both.owner.wait(len(send))
        both.owner.give(acknowledgement)
        both.writer.wait(len(both.acknowledgements[0]))

    figures = one_at_a_time(server, exchange, ALONE)
    came = [word.envelope for word in both.owner.opened() if isinstance(word, Arrived)]
    assert came == [envelope(number) for number in range(said)]
    assert both.done() == said
    both.close()
    return figures


def _streamed(server: Server) -> tuple[float, float]:
    """CPU seconds of a message, and seconds of all, as fast as the relay takes them."""
    both = Prepared(server, STREAM, TOGETHER)

    def take() -> None:
        came = said = 0
        while said < len(both.acknowledgements):
            came += (both.owner.record() - _AROUND) // _ARRIVED
            while said < len(both.acknowledgements) and came >= min((said + 1) * TOGETHER, STREAM):
                both.owner.give(both.acknowledgements[said])
                said += 1

    taking = threading.Thread(target=take)
    before, start = server.cpu(), time.perf_counter()
    taking.start()
    done = 0
    for number, send in enumerate(both.sends):
        while number * TOGETHER - done > AHEAD - TOGETHER:
            both.writer.record()
            done += both.done()
        both.writer.give(send)
    while done < STREAM:
        both.writer.record()
        done += both.done()
    taking.join()
    used, wall = (server.cpu() - before) / STREAM, time.perf_counter() - start
    assert [word.envelope for word in both.owner.opened() if isinstance(word, Arrived)] == [
        envelope(number) for number in range(STREAM)
    ]
    both.close()
    return used, wall


async def _stored(server: Server) -> float:
    """CPU seconds of a message to somebody who is away, until it was fetched."""
    async with two(server) as (owner, writer, _):
        before = server.cpu()
        boxes = [await owner.make() for _ in range(STREAM // 10 // 100)]
        for each in boxes:
            await _stream(writer, each, 100)
        for each in boxes:
            await _take(owner, await owner.subscribe(each), 100)
        return (server.cpu() - before) / (len(boxes) * 100)


async def _take(owner: Visitor, tag: int, count: int) -> None:
    """Acknowledge all that comes."""
    while count:
        await owner.changed(lambda: any(isinstance(word, Arrived) for word in owner.said))
        hashes = [digest(word.envelope) for word in owner.said if isinstance(word, Arrived)]
        owner.said.clear()
        owner.client.acknowledge(tag, *hashes)
        owner.write()
        count -= len(hashes)


async def _stream(writer: Visitor, box: Box, count: int) -> None:
    """Send as fast as answers come."""
    sent = done = 0
    while done < count:
        while sent < count and sent - done < AHEAD:
            writer.client.request(Send(0, box.send_id, envelope(sent)), box.send_key)
            sent += 1
        writer.write()
        await writer.changed(lambda: any(isinstance(word, Done) for word in writer.said))
        done += len(writer.said)
        writer.said.clear()


def idle(clients: int) -> Sample:
    """Clients with a subscription each, who say nothing."""
    files_for(clients)
    with relay() as server:
        return asyncio.run(_idle(server, clients))


async def _idle(server: Server, clients: int) -> Sample:
    visitors: list[Visitor] = []

    async def come() -> None:
        visitor = await server.visitor()
        await visitor.subscribe(await visitor.make())
        visitors.append(visitor)

    for _ in range(20):
        await come()
    before = server.rss_kib()
    start = len(visitors)
    while len(visitors) < start + clients:
        await asyncio.gather(*(come() for _ in range(min(20, start + clients - len(visitors)))))
    await asyncio.sleep(12)  # a round of signs of life, and of fresh keys: these belong to being there
    each = (server.rss_kib() - before) / clients
    cpu = server.cpu()
    await asyncio.sleep(10)
    share = (server.cpu() - cpu) / 10 * 100
    there = sum(visitor.there for visitor in visitors)
    for visitor in visitors:
        await visitor.close()
    return {"kib_idle": each, "cpu_percent_idle": share, "clients": there}


def circuit() -> Sample:
    """Bytes through a circuit, from one thread to another."""
    with relay() as server:
        return asyncio.run(_circuit(server))


async def _circuit(server: Server) -> Sample:
    async with two(server) as (owner, writer, box):
        await owner.subscribe(box, calls=True)
        given = await writer.ask(Connect(0, box.send_id), box.send_key)
        assert isinstance(given, Pass)
        ring = await owner.word(Ring)
        ends = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
        for end, secret in zip(ends, (given.secret, ring.secret), strict=True):
            end.sendall(CircuitEnd(secret).data_to_send())
        for end in ends:
            assert len(await asyncio.to_thread(end.recv, 17, socket.MSG_WAITALL)) == 17
        size = CIRCUIT - (1 << 20)
        before, start = server.cpu(), time.perf_counter()
        taking = threading.Thread(target=_receive, args=(ends[1], size))
        taking.start()
        await asyncio.to_thread(_pour, ends[0], size)
        await asyncio.to_thread(taking.join)
        used, wall = server.cpu() - before, time.perf_counter() - start
        for end in ends:
            end.close()
        return {"circuit_cpu_s_per_gb": used / size * 1e9, "circuit_mb_s": size / wall / 1e6}


def _pour(end: socket.socket, size: int) -> None:
    block = bytes(1 << 18)
    for _ in range(size >> 18):
        end.sendall(block)


def _receive(end: socket.socket, size: int) -> None:
    buffer = bytearray(1 << 18)
    while size:
        size -= end.recv_into(buffer)


def sotto(load: Load) -> Sample:
    """All figures of ours."""
    sample = messages()
    for clients in load.clients:
        found = idle(clients)
        sample[load.idle_figure(clients)] = found["kib_idle"]
        if clients == load.clients[0]:
            sample.update({name: found[name] for name in ("cpu_percent_idle", "clients")})
    return {**sample, **circuit()}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--runs", type=int, default=3, help="how often each case runs")
    parser.add_argument(
        "--clients", type=int, nargs="+", default=[1000], help="idle clients, one or more counts"
    )
    chosen = parser.parse_args()
    if chosen.runs < 1 or min(chosen.clients) < 1:
        parser.error("--runs and --clients must be at least 1")
    load = Load(ALONE, STREAM, AHEAD, tuple(chosen.clients))
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"  # mosquitto is there
    peers = {"prosody": prosody, "mosquitto": mosquitto}
    cases = [Case("sotto", partial(sotto, load)), Case("bare", partial(bare, load))]
    cases += [Case(name, partial(run, load) if shutil.which(name) else None) for name, run in peers.items()]
    units = {
        "cpu_us_rtt": "µs", "cpu_us_rtt_apart": "µs", "cpu_us_stream": "µs", "per_s_stream": "/s",
        "cpu_us_stored": "µs",
        **{load.idle_figure(clients): "KiB" for clients in load.clients},
        "cpu_percent_idle": "%", "clients": "", "circuit_cpu_s_per_gb": "s/GB", "circuit_mb_s": "MB/s",
    }  # fmt: skip
    measure(cases, units, runs=chosen.runs, as_json=chosen.json)


if __name__ == "__main__":
    main()
