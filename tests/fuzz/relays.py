"""Links with a relay from both sides, and the readers of places, circuits, the directory and announcements.

An input of the first two is a script: each step is a code, a length and that many bytes.
"""

from collections.abc import Iterator
from typing import Final

from messenger.core import limits, relay_limits
from messenger.core.errors import RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import digest
from messenger.protocol.announcement import Announcement
from messenger.protocol.circuits import CircuitEnd, CircuitEntrance
from messenger.protocol.directory import Entry
from messenger.protocol.places import Place
from messenger.protocol.relay_answers import (
    ANSWERS,
    Arrived,
    Done,
    Ended,
    Page,
    Pass,
    PrekeyGiven,
    QueueMade,
    Ring,
    Subscribed,
    Task,
)
from messenger.protocol.relay_client import ANSWERED_BY, RelayClient
from messenger.protocol.relay_queues import PREKEY_SIZE, Acknowledge, Send
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_service import RelayService
from messenger.protocol.relay_wire import HEADER_SIZE
from messenger.protocol.relay_word import Code, EndReason, FromRelay, Tagged, Welcome
from tests.helpers.links import NOW, bundle
from tests.protocol.relay_words import FP, ID, KEY, REQUESTS, WORDS

Seeds = dict[str, bytes]

X: Final = b"x" * 32
MOST: Final = HEADER_SIZE + 262144 + 70
"""Bytes of the longest message."""


def _steps(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 <= len(data):
        end = at + 2 + data[at + 1]
        yield data[at], data[at + 2 : end]
        at = end


def _step(code: int, data: bytes = b"") -> bytes:
    return bytes((code, len(data))) + data


def _framed(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def _stretched(data: bytes, size: int) -> bytes:
    """A message whose body is filled up to a size, so that a short script can bring an envelope."""
    return _framed(data[0], data[1:].ljust(size, b"e")) if data else b""


def _answer(request: Request) -> Tagged:
    """What answers a request."""
    tag = request.tag
    made: dict[type[Tagged], Tagged] = {
        QueueMade: QueueMade(tag, ID, ID),
        Subscribed: Subscribed(tag, 0),
        Done: Done(tag),
        PrekeyGiven: PrekeyGiven(tag, b"list", bytes(PREKEY_SIZE)),
        Pass: Pass(tag, KEY),
        Page: Page(tag, ()),
        Task: Task(tag, 0, KEY),
    }
    return made[ANSWERED_BY[type(request)]]


class _Relay:
    """A relay that answers whatever it is asked, and what it has to keep to."""

    def __init__(self) -> None:
        self.service = RelayService(X, Welcome(), entropy=bytes)
        self.open: list[Request] = []
        self.subscribed: list[int] = []

    def take(self, content: bytes) -> None:
        """Give it the content of a PACKET."""
        for request in self.service.receive(content):
            if isinstance(request, Acknowledge):
                assert request.hashes
                continue
            self.open.append(request)
            encoded = request.encode()
            assert encoded[0] == request.KIND
            assert len(encoded) <= MOST
            if isinstance(request, Send):
                assert len(request.envelope) in limits.ENVELOPE_BUCKETS
        assert len(self.open) <= relay_limits.REQUESTS_OPEN_MAX
        assert self.service.messages.waiting < MOST

    def step(self, code: int, data: bytes) -> None:
        """Do one step of a script."""
        match code % 8:
            case 0:
                self.take(data)
            case 1:
                self.take(_framed(data[0] if data else 0, data[1:]))
            case 2:
                self.take(_stretched(data, 62 + 4096))
            case 3 if self.open:
                self.reply()
            case 4 if self.open:
                self.service.fail(self.open.pop(0).tag, Code.BUSY, len(data))
            case 5:
                for tag in self.subscribed[-1:]:
                    envelope = data.ljust(4096, b"e")
                    if self.service.room(tag) and digest(envelope) not in self.service._credits[tag].held:
                        self.service.deliver(tag, envelope)
            case 6 if self.subscribed:
                self.service.end(self.subscribed.pop(), EndReason.TAKEN)
            case _:
                self.service.data_to_send()

    def reply(self) -> None:
        """Answer the oldest request."""
        request = self.open.pop(0)
        self.service.answer(_answer(request))
        if ANSWERED_BY[type(request)] is Subscribed:
            self.subscribed.append(request.tag)


def run_requests(data: bytes) -> None:
    """What a client says to a relay."""
    relay = _Relay()
    try:
        for code, piece in _steps(data):
            relay.step(code, piece)
    except RemoteProtocolError:
        assert relay.service.data_to_send() == []
        assert relay.service.receive(b"anything") == []


def seeds_requests() -> Seeds:
    """One of each request, answers between them, envelopes, acknowledgements."""
    short = {type(each).__name__: each for each in REQUESTS if len(each.encode()) < 256}
    subscribe = _step(0, short["Subscribe"].encode()) + _step(3)
    return {name: _step(0, each.encode()) + _step(3) for name, each in short.items()} | {
        "envelope": _step(2, b"\x03\0\0\0\x01" + ID + b"\0\0" + KEY),
        "subscription": subscribe + _step(5, b"one") + _step(0, short["Acknowledge"].encode()) + _step(6),
        "pieces": _step(0, b"\x06\0") + _step(0, b"\0\x04\0\0") + _step(0, b"\0\x07") + _step(4),
        "unknown": _step(1, b"\x3f\0\0\0\x09later"),
        "refused": _step(1, b"\x40\0\0\0\x09"),
        "many": b"".join(_step(1, bytes((6, 0, 0, 1, tag))) for tag in range(66)),
    }


class _Client:
    """A client that has asked everything, and what it has to keep to."""

    def __init__(self) -> None:
        self.client = RelayClient(X)
        self.heard: list[FromRelay] = []

    def hear(self, content: bytes) -> None:
        """Let the relay say something."""
        for word in self.client.receive(content):
            assert type(word) in ANSWERS.values()
            assert len(word.encode()) <= MOST
            self.heard.append(word)
            if isinstance(word, Arrived):
                assert len(word.envelope) in limits.ENVELOPE_BUCKETS
        assert self.client._messages.waiting < MOST
        assert all(len(each.held) <= each.window for each in self.client._subscriptions.values())

    def step(self, code: int, data: bytes) -> None:
        """Do one step of a script."""
        client = self.client
        match code % 8:
            case 0:
                self.hear(data)
            case 1:
                self.hear(_framed(data[0] if data else 0, data[1:]))
            case 2:
                self.hear(_stretched(data, 4 + 4096))
            case 3:
                request = REQUESTS[data[0] % len(REQUESTS) if data else 0]
                if client.ready and type(request) in ANSWERED_BY:
                    client.request(request, KEY)
            case 4:
                client.advance(float(len(data)))
            case 5:
                hashes = [data[at : at + 32] for at in range(0, len(data), 32)]
                client.acknowledge(data[0] if data else 0, *hashes)
            case 6:
                self.hear(Welcome().encode())
            case _:
                client.data_to_send()


def run_answers(data: bytes) -> None:
    """What a relay says to a client."""
    client = _Client()
    try:
        for code, piece in _steps(data):
            client.step(code, piece)
    except RemoteProtocolError:
        assert client.client.data_to_send() == []
        assert client.client.receive(b"anything") == []
        assert not client.client.ready
    assert not client.heard or isinstance(client.heard[0], Welcome)


def seeds_answers() -> Seeds:
    """One of each word in its place, and out of it."""
    asked = b"".join(_step(3, bytes((number,))) for number in range(14))
    short = [each for each in WORDS if len(each.encode()) < 256]
    subscribed = _step(6) + _step(3, b"\x01") + _step(0, Subscribed(1, 3).encode())
    return {type(each).__name__: _step(6) + asked + _step(0, each.encode()) for each in short} | {
        "arrived": subscribed + _step(2, b"\x49\0\0\0\x01one") + _step(2, b"\x49\0\0\0\x01two"),
        "ringing": subscribed + _step(0, Ring(1, KEY, "192.0.2.7:1").encode()),
        "ended": subscribed + _step(0, Ended(1, EndReason.TAKEN).encode()) + _step(2, b"\x49\0\0\0\x01x"),
        "later": _step(6) + _step(1, b"\xf0 later") + _step(1, b"\x42\0\0\0\x01\xff\0\0"),
        "pieces": _step(0, Welcome().encode()[:9]) + _step(0, Welcome().encode()[9:]),
        "late": _step(6) + _step(3, b"\x05") + _step(4, bytes(31)),
        "welcome late": _step(4, bytes(11)),
    }


def _announcement(data: bytes) -> None:
    found = Announcement.decode(data)
    assert Announcement.decode(found.encode()) == found
    assert len(found.name) <= limits.NAME_MAX


def _entry(data: bytes) -> None:
    entry = Entry.decode(data)
    assert entry.encode() == data
    assert len(data) <= relay_limits.ENTRY_MAX


def _place(data: bytes) -> None:
    assert Place.decode(data).encode() == data


def _circuit(data: bytes) -> None:
    entrance, end = CircuitEntrance(), CircuitEnd(KEY)
    try:
        for at in range(0, len(data), 5):
            entrance.receive_data(data[at : at + 5])
            assert len(entrance._buffer) <= 36
    except RemoteProtocolError:
        assert entrance.secret is None
    end.receive_data(data)
    rest = end.trailing()
    assert rest == (data[17:] if end.joined else b"")


def run_finding(data: bytes) -> None:
    """Places, directory entries, announcements, and the beginning of circuits."""
    for read in (_announcement, _entry, _place, _circuit):
        try:
            read(data)
        except RemoteProtocolError:
            continue


def seeds_finding() -> Seeds:
    """One of each."""
    entry = Entry(bundle("alice"), NOW, NOW + 9, "Alice", "here", ID, KEY, KEY, bytes(384))
    place = Fingerprint(FP) + ID + KEY + KEY + b"\0\x13relay.example:42000"
    return {
        "announcement": Announcement(FP, "Alice").encode(),
        "odd": Announcement(FP, "é").encode() + b"\0\x01=\x03a=b",
        "entry": entry.encode(),
        "place": place,
        "pass": CircuitEnd(KEY).data_to_send(),
        "joined": b"\x32\0\0\x0d" + bytes(13) + b"\x01",
    }
