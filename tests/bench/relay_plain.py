"""A client of the relay that is as small as those of the other servers, for the benchmark of the relay.

What it says is sealed before anybody looks, and what it hears is opened afterwards.
"""

import socket
import time
from typing import Any

from messenger.core.ids import Fingerprint
from messenger.protocol.initiator import Initiator
from messenger.protocol.link import ContentReceived, Link, LinkUp
from messenger.protocol.records import OUTER_HEADER
from messenger.protocol.relay_answers import answer_bounds, decode_answer
from messenger.protocol.relay_client import RelayClient
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_wire import EXPORT, Messages
from messenger.protocol.relay_word import FromRelay
from tests.helpers.links import NOW


class Plain:
    """A client that does one thing after the other, and may do most of it before and after.

    Args:
        port: Of the relay, on this computer.
        fingerprint: Whom the relay has to be.
    """

    def __init__(self, port: int, fingerprint: Fingerprint) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._link = Link(Initiator(None, NOW, expected=fingerprint), raw=True)
        self._came, self._at = bytearray(), 0
        self.client: RelayClient | None = None
        while not self._welcomed():
            self.take()

    def _welcomed(self) -> bool:
        return self.client is not None and self.client.welcome is not None

    def send(self) -> None:
        """Send what is to be said."""
        if self.client is not None:
            self._link.advance(time.monotonic())
            for content in self.client.data_to_send():
                self._link.send_content(content)
        if data := self._link.data_to_send():
            self._sock.sendall(data)

    def take(self) -> list[FromRelay]:
        """Wait for what comes next."""
        self.send()
        self._link.advance(time.monotonic())
        self._link.receive_data(self._sock.recv(1 << 18))
        said: list[FromRelay] = []
        for event in self._link.events():
            match event:
                case ContentReceived(content):
                    assert self.client is not None
                    said += self.client.receive(content)
                case LinkUp():
                    self.client = RelayClient(self._link.export(EXPORT, b""))
                case _:
                    self._link.accept()
        self.send()
        return said

    def ask(self, request: Request, key: bytes = b"") -> Any:  # noqa: ANN401 -- whatever the relay says
        """Make a request and wait for its answer."""
        assert self.client is not None
        tag = self.client.request(request, key)
        while True:
            for word in self.take():
                if getattr(word, "tag", None) == tag:
                    return word

    def export(self) -> bytes:
        """What proofs are bound to."""
        return self._link.export(EXPORT, b"")

    def sealed(self, *requests: Request) -> bytes:
        """Requests in a record of their own, for later; nothing else may be sent before it."""
        self._link.send_content(b"".join(request.encode() for request in requests))
        return bytes(self._link.data_to_send())

    def give(self, record: bytes) -> None:
        """Send what was `sealed`."""
        self._sock.sendall(record)

    def wait(self, size: int) -> None:
        """Wait for a record of so many bytes; what comes is kept for `opened`."""
        while self.record() != size:
            pass

    def record(self) -> int:
        """Wait for a record; it is kept for `opened`. Returns how long it is."""
        while True:
            begin = self._at + OUTER_HEADER
            end = begin + (int.from_bytes(self._came[self._at : begin], "big") & 0xFFFFFF)
            if max(begin, end) > len(self._came):
                came = self._sock.recv(1 << 18)
                assert came, "the relay has hung up"
                self._came += came
                continue
            size, self._at = end - self._at, end
            return size

    def opened(self) -> list[FromRelay]:
        """What the relay has said in the records that were kept; they are not kept any longer."""
        self._link.receive_data(bytes(self._came[: self._at]))
        del self._came[: self._at]
        self._at = 0
        messages, said = Messages(answer_bounds), list[FromRelay | None]()
        for event in self._link.events():
            if isinstance(event, ContentReceived):
                said += [decode_answer(*each) for each in messages.feed(event.content)]
        return [word for word in said if word is not None]

    def close(self) -> None:
        """Hang up."""
        self._sock.close()
