"""Prosody and mosquitto with TLS, for the benchmark of the relay: started here, on loopback, and ended here.

Each gets its configuration, certificate and data in a temporary folder. Their clients are as small as they
can be: one blocking socket each, and no library. Neither server writes a message to the disk for somebody
who is there.
"""

import base64
import contextlib
import getpass
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.bench.certificates import certificate
from tests.bench.processes import Watched, files_for, one_at_a_time
from tests.bench.report import Sample
from tests.helpers.engines import fresh_port

TEXT: Final = b"m" * 200
"""What a message says."""
_WARM: Final = 20
"""Clients who come before memory is counted."""
_UP: Final = 20.0
"""Seconds within which a server takes its first client."""
_PATIENCE: Final = 3.0
"""Seconds that a server has to end."""


class Load(NamedTuple):
    """How much is asked of a server: the same of each of them."""

    alone: int
    """Messages one at a time."""
    stream: int
    """Messages in a stream."""
    ahead: int
    """Of them without an answer, where there are answers."""
    clients: tuple[int, ...]
    """Counts of those who say nothing."""

    def idle_figure(self, clients: int) -> str:
        """What the memory for each of so many is called."""
        return "kib_idle" if clients == self.clients[0] else f"kib_idle_{clients}"


class Peer:
    """A client of one of the servers, on a TLS socket that waits."""

    def __init__(self, server: Watched, tls: ssl.SSLContext, name: str) -> None:
        self.name = name
        sock = socket.create_connection(("127.0.0.1", server.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(_UP)
        self._sock = tls.wrap_socket(sock)
        self._buffer = bytearray()
        self.come_in()

    @abstractmethod
    def come_in(self) -> None:
        """Log in."""

    @abstractmethod
    def write(self, reader: str, count: int) -> None:
        """Send messages, in one piece."""

    @abstractmethod
    def written(self) -> int | None:
        """Wait for answers; returns how many messages they are about, None if none ever come."""

    @abstractmethod
    def read(self) -> int:
        """Wait for messages, and acknowledge them; returns how many came."""

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    def _say(self, data: bytes) -> None:
        self._sock.sendall(data)

    def _more(self) -> None:
        data = self._sock.recv(1 << 16)
        assert data, "the server has hung up"
        self._buffer += data


class Mqtt(Peer):
    """MQTT 3.1.1: what is published has quality 1, which is acknowledged on both ways."""

    def come_in(self) -> None:
        """CONNECT and CONNACK, SUBSCRIBE to the topic of one's name and SUBACK."""
        self._number = 0
        name = _text(self.name)
        self._say(_mqtt(0x10, _text("MQTT") + b"\x04\x02\x00\x00" + name))
        assert self._packet()[1] == b"\x00\x00"
        self._say(_mqtt(0x82, b"\x00\x01" + name + b"\x01"))
        assert self._packet()[0] == 0x90

    def write(self, reader: str, count: int) -> None:
        """PUBLISH."""
        packets = []
        for _ in range(count):
            self._number = self._number % 0xFFFF + 1
            packets.append(_mqtt(0x32, _text(reader) + self._number.to_bytes(2, "big") + TEXT))
        self._say(b"".join(packets))

    def written(self) -> int:
        """PUBACK."""
        return sum(kind == 0x40 for kind, _ in self._packets())

    def read(self) -> int:
        """PUBLISH, answered by PUBACK."""
        answers = []
        for kind, body in self._packets():
            if kind & 0xF0 == 0x30:
                topic = 2 + int.from_bytes(body[:2], "big")
                answers.append(_mqtt(0x40, body[topic : topic + 2]))
        if answers:
            self._say(b"".join(answers))
        return len(answers)

    def _packets(self) -> list[tuple[int, bytes]]:
        """What has come, but at least one."""
        packets = [self._packet()]
        while (packet := self._whole()) is not None:
            packets.append(packet)
        return packets

    def _packet(self) -> tuple[int, bytes]:
        while (packet := self._whole()) is None:
            self._more()
        return packet

    def _whole(self) -> tuple[int, bytes] | None:
        buffer, size, at = self._buffer, 0, 1
        while True:
            if at >= len(buffer):
                return None
            size |= (buffer[at] & 0x7F) << 7 * (at - 1)
            at += 1
            if buffer[at - 1] < 0x80:
                break
        if len(buffer) < at + size:
            return None
        packet = buffer[0], bytes(buffer[at : at + size])
        del buffer[: at + size]
        return packet


class Xmpp(Peer):
    """XMPP, TLS from the first byte; a message has no answer."""

    def come_in(self) -> None:
        """Log in with one's name for a password, and take the resource `r`."""
        secret = base64.b64encode(f"\0{self.name}\0{self.name}".encode())
        self._open()
        self._say(b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + secret + b"</auth>")
        self._until(b"<success")
        self._open()
        bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind>"
        self._say(f"<iq type='set' id='b'>{bind}</iq>".encode())
        self._until(b"</iq>")

    def write(self, reader: str, count: int) -> None:
        """Send stanzas."""
        start = f"<message to='{reader}@localhost/r' type='chat'><body>".encode()
        self._say((start + TEXT + b"</body></message>") * count)

    def written(self) -> None:
        """Nothing comes."""

    def read(self) -> int:
        """Count the ends of stanzas."""
        self._more()
        count = self._buffer.count(b"</message>")
        if count:
            del self._buffer[: self._buffer.rindex(b"</message>") + 10]
        return count

    def _open(self) -> None:
        space = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
        self._say(f"<stream:stream to='localhost' version='1.0' {space}>".encode())
        self._until(b"</stream:features>")

    def _until(self, what: bytes) -> None:
        while what not in self._buffer:
            self._more()
        self._buffer.clear()


def mosquitto(load: Load) -> Sample:
    """All figures of mosquitto; what may be on its way to one client at once is not limited."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), fresh_port()
        pem = certificate(folder, "server")
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\ncertfile {pem}\nkeyfile {pem}\nuser {getpass.getuser()}\n"
            "allow_anonymous true\npersistence false\nmax_inflight_messages 0\nmax_queued_messages 0\n"
            "set_tcp_nodelay true\nlog_dest none\n"
        )
        return _measured(["mosquitto", "-c", str(config)], port, Mqtt, load)


def prosody(load: Load) -> Sample:
    """All figures of Prosody, with an account for each client."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), fresh_port()
        pem = certificate(folder, "server")
        accounts = folder / "data" / "localhost" / "accounts"
        accounts.mkdir(parents=True)
        for who in ("writer", "reader", *(f"idle{number}" for number in range(max(load.clients) + _WARM))):
            (accounts / f"{who}.dat").write_text(f'return {{ ["password"] = "{who}"; }};\n')
        config = folder / "prosody.cfg.lua"
        config.write_text(
            f'data_path = "{folder / "data"}"\npidfile = "{folder / "pid"}"\nrun_as_root = true\n'
            'modules_enabled = { "saslauth", "tls" }\nmodules_disabled = { "s2s" }\n'
            'authentication = "internal_plain"\nnetwork_backend = "epoll"\nlog = { error = "/dev/null" }\n'
            f'interfaces = {{ "127.0.0.1" }}\nc2s_ports = {{}}\nc2s_direct_tls_ports = {{ {port} }}\n'
            f's2s_ports = {{}}\nssl = {{ certificate = "{pem}"; key = "{pem}" }}\nVirtualHost "localhost"\n'
        )
        return _measured(["prosody", "--config", str(config), "-F"], port, Xmpp, load)


def _measured(command: list[str], port: int, kind: type[Peer], load: Load) -> Sample:
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE  # the certificate was made a moment ago, for this one run
    with _running(command, port) as server:
        reader, writer = _first(lambda: kind(server, tls, "reader")), kind(server, tls, "writer")
        try:
            sample = _alone(server, reader, writer, load)
            sample.update(_streamed(server, reader, writer, load))
        finally:
            reader.close()
            writer.close()
    for clients in load.clients:
        files_for(clients)
        with _running(command, port) as server:
            _first(lambda: kind(server, tls, "reader")).close()
            sample[load.idle_figure(clients)] = _idle(server, lambda name: kind(server, tls, name), clients)
    return sample


@contextlib.contextmanager
def _running(command: list[str], port: int) -> Iterator[Watched]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield Watched(process, port)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:  # Prosody waits for goodbyes of clients that are gone
            process.kill()
            process.wait()


def _first(make: Callable[[], Peer]) -> Peer:
    """The first client, as soon as the server is up."""
    end = time.monotonic() + _UP
    while True:
        try:
            return make()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _alone(server: Watched, reader: Peer, writer: Peer, load: Load) -> Sample:
    def exchange() -> None:
        writer.write(reader.name, 1)
        while not reader.read():
            pass
        writer.written()

    return one_at_a_time(server, exchange, load.alone)


def _streamed(server: Watched, reader: Peer, writer: Peer, load: Load) -> Sample:
    def take() -> None:
        left = load.stream
        while left:
            left -= reader.read()

    taking = threading.Thread(target=take)
    before, start = server.cpu(), time.perf_counter()
    taking.start()
    sent = done = 0
    while done < load.stream:
        room = min(load.ahead - (sent - done), load.stream - sent)
        if room:
            writer.write(reader.name, room)
            sent += room
        answered = writer.written()
        done = sent if answered is None else done + answered
    taking.join()
    wall = time.perf_counter() - start
    return {
        "cpu_us_stream": (server.cpu() - before) / load.stream * 1e6,
        "per_s_stream": load.stream / wall,
    }


def _idle(server: Watched, come: Callable[[str], Peer], clients: int) -> float:
    """KiB for each of so many clients, after the first few."""
    there: list[Peer] = []
    try:
        there += [come(f"idle{number}") for number in range(_WARM)]
        before = server.rss_kib()
        there += [come(f"idle{number}") for number in range(_WARM, _WARM + clients)]
        return (server.rss_kib() - before) / clients
    finally:
        for each in there:
            each.close()


def _text(text: str) -> bytes:
    """A text as MQTT writes it."""
    return len(text).to_bytes(2, "big") + text.encode()


def _mqtt(kind: int, body: bytes) -> bytes:
    """A packet of MQTT; the length in groups of seven bits, the lowest first."""
    size, length = len(body), bytearray()
    while True:
        size, low = size >> 7, size & 0x7F
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes((kind,)) + length + body
