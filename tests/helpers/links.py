"""Two links, their keys, and no sockets: what one sends the other takes, whole or chopped.

`record` writes down every message of a handshake together with a `Moment` of its receiver just
before it arrived, so that a test can let it arrive otherwise, as often as it likes.
"""

import io
import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Generic, Self, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messenger.core.errors import RemoteProtocolError
from messenger.crypto.identity import Bundle
from messenger.crypto.rsa import PublicKey
from messenger.crypto.xwing import KeyPair
from messenger.protocol.handshake import Handshake
from messenger.protocol.initiator import Initiator
from messenger.protocol.link import (
    Link,
    LinkEvent,
    LinkState,
    LinkUp,
    PacketReceived,
    PeerAnonymous,
    PeerIdentified,
    PuzzleNeeded,
    SignNeeded,
    UnwrapNeeded,
)
from messenger.protocol.messages import HEADER_SIZE, Caps, MessageType
from messenger.protocol.packets import Packet
from messenger.protocol.puzzle import solve
from messenger.protocol.responder import Responder
from tests.helpers.keys import Identity, identity

T = TypeVar("T")

Question = SignNeeded | UnwrapNeeded | PuzzleNeeded | PeerIdentified | PeerAnonymous
Admit = Callable[[PeerIdentified | PeerAnonymous], bool]

NOW: Final = int(time.time())
"""One time for all, so that a bundle is made once."""


def everybody(_: PeerIdentified | PeerAnonymous) -> bool:
    """Let everybody in."""
    return True


def bundle(who: str) -> Bundle:
    """What a test identity hands to others."""
    found = _BUNDLES.get(who)
    if found is None:
        found = _BUNDLES[who] = identity(who).bundle(NOW - 60)
    return found


_BUNDLES: Final[dict[str, Bundle]] = {}


class End:
    """One end of a link, which answers its questions as the program would.

    Args:
        link: A fresh link.
        keys: What it signs and unwraps with; None for an anonymous end.
        admit: Decides about the peer; False leaves the question open.
    """

    def __init__(self, link: Link, keys: Identity | None, admit: Admit = everybody) -> None:
        self.link = link
        self.events: list[LinkEvent] = []
        """What happened, without the questions."""
        self.asked: list[Question] = []
        """The questions, in order."""
        self._keys = keys
        self._admit = admit

    @classmethod
    def calling(cls, who: str, whom: str | None, *, admit: Admit = everybody, **more: Any) -> Self:  # noqa: ANN401 -- passed on
        """An initiator: `who` calls `whom`, or whoever is there."""
        expected = identity(whom).signing.public.fingerprint if whom else None
        return cls(Link(Initiator(bundle(who), NOW, expected=expected, **more)), identity(who), admit)

    @classmethod
    def anonymous(cls, whom: str, *, admit: Admit = everybody) -> Self:
        """An initiator who does not say who it is."""
        expected = identity(whom).signing.public.fingerprint
        return cls(Link(Initiator(None, NOW, expected=expected)), None, admit)

    @classmethod
    def answering(
        cls,
        who: str,
        *,
        open_door: bool = False,
        admit: Admit = everybody,
        caps: Caps | None = None,
        **more: Any,  # noqa: ANN401 -- passed on
    ) -> Self:
        """A responder."""
        responder = Responder(bundle(who), NOW, open_door=open_door, caps=caps, **more)
        return cls(Link(responder), identity(who), admit)

    def receive(self, data: bytes) -> None:
        """Take bytes, then answer what is asked."""
        try:
            self.link.receive_data(data)
        finally:
            self.settle()

    def settle(self) -> None:
        """Answer the questions of the link until there are none."""
        while events := self.link.events():
            for event in events:
                self.take(event)

    def take(self, event: LinkEvent) -> None:
        """Answer one event of the link, or note it."""
        if isinstance(event, Question):
            self.asked.append(event)
            self._answer(event)
        else:
            self.events.append(event)

    def _answer(self, question: Question) -> None:
        match question:
            case SignNeeded(label, fields):
                self.link.signed(self._own.signing.sign(label, fields))
            case UnwrapNeeded(label, ciphertext):
                self.link.unwrapped(self._own.exchange.unwrap(label, ciphertext))
            case PuzzleNeeded(material, bits):
                self.link.solved(solve(material, bits))
            case _:
                if self._admit(question):
                    self.link.accept()

    @property
    def _own(self) -> Identity:
        assert self._keys is not None, "nobody has no keys"
        return self._keys

    def sent(self) -> bytes:
        """What it wants to send now."""
        self.settle()
        return bytes(self.link.data_to_send())

    def count(self, kind: type[Question]) -> int:
        """How many questions of a kind were asked."""
        return sum(isinstance(question, kind) for question in self.asked)

    @property
    def private_operations(self) -> int:
        """How many RSA private operations it was made to do."""
        return self.count(SignNeeded) + self.count(UnwrapNeeded)

    @property
    def up(self) -> bool:
        """Whether the link ever came up."""
        return any(isinstance(event, LinkUp) for event in self.events)

    @property
    def packets(self) -> list[Packet]:
        """The packets that arrived."""
        return [event.packet for event in self.events if isinstance(event, PacketReceived)]


Chop = Callable[[bytes], Iterable[bytes]]


def whole(data: bytes) -> Iterator[bytes]:
    """Bytes as they were sent, in one piece."""
    yield data


def single(data: bytes) -> Iterator[bytes]:
    """Bytes one by one."""
    for at in range(len(data)):
        yield data[at : at + 1]


def cut_at(cuts: Iterable[int]) -> Chop:
    """Cut whatever is sent at these places, each counted from the beginning of the piece."""
    places = sorted(set(cuts))

    def chop(data: bytes) -> Iterator[bytes]:
        bounds = [0, *(place for place in places if 0 < place < len(data)), len(data)]
        for start, end in pairwise(bounds):
            yield data[start:end]

    return chop


def exchange(one: End, other: End, chop: Chop = whole) -> list[tuple[End, bytes]]:
    """Carry bytes both ways until neither has more to say; returns what was sent, and by whom."""
    carried: list[tuple[End, bytes]] = []
    moved = True
    while moved:
        moved = False
        for sender, receiver in ((one, other), (other, one)):
            if data := sender.sent():
                moved = True
                carried.append((sender, data))
                for piece in chop(data):
                    receiver.receive(piece)
    return carried


def linked(one: End | None = None, other: End | None = None) -> tuple[End, End]:
    """Two ends whose link is up: alice, who called, and bob, unless others are given."""
    one, other = one or End.calling("alice", "bob"), other or End.answering("bob")
    exchange(one, other)
    assert one.link.state is other.link.state is LinkState.OPEN
    return one, other


def refused(end: End, data: bytes) -> RemoteProtocolError:
    """Give bytes to an end, then the end of the stream; returns the one error in which that ends."""
    try:
        end.receive(data)
        end.link.receive_eof()
    except RemoteProtocolError as e:
        assert end.link.state is LinkState.CLOSED
        assert end.sent() == b"", "whoever is refused hears nothing"
        end.receive(data)
        assert end.sent() == b""
        assert end.link.state is LinkState.CLOSED
        return e
    raise AssertionError("not refused")


_SHARED: Final = (AESGCM, Bundle, PublicKey, KeyPair)
"""What a copy of a link shares with the original: keys, which do not change."""


class Still(Generic[T]):
    """A protocol value as it is now, of which any number of copies can be made.

    A copy must not seal anything but what the original seals: their nonces are the same.
    """

    def __init__(self, value: T) -> None:
        self._shared: list[object] = []
        file = io.BytesIO()
        _Pickler(file, self._shared).dump(value)
        self._data = file.getvalue()

    def again(self) -> T:
        """A copy."""
        copy: T = _Unpickler(io.BytesIO(self._data), self._shared).load()
        return copy


class Moment:
    """An end of a link as it is now; see `Still`."""

    def __init__(self, end: End) -> None:
        self._keys = end._keys
        self._answers: dict[tuple[bytes, bytes], bytes] = {}
        self._link = Still(end.link)

    def again(self) -> End:
        """An end that is at this moment; RSA operations that were done before are remembered."""
        return _Remembering(self._link.again(), self._keys, self._answers)


class _Remembering(End):
    def __init__(self, link: Link, keys: Identity | None, answers: dict[tuple[bytes, bytes], bytes]) -> None:
        super().__init__(link, keys)
        self._answers = answers

    def _answer(self, question: Question) -> None:
        if not isinstance(question, UnwrapNeeded):
            super()._answer(question)
            return
        key = (question.label, question.ciphertext)
        if key not in self._answers:
            self._answers[key] = self._own.exchange.unwrap(*key)
        self.link.unwrapped(self._answers[key])


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, shared: list[object]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_id(self, obj: object) -> int | None:
        if isinstance(obj, _SHARED) or type(obj).__module__ == "tests.helpers.nonces":
            self._shared.append(obj)
            return len(self._shared) - 1
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, shared: list[object]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, pid: int) -> object:
        return self._shared[pid]


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of a recorded exchange.

    Attributes:
        kind: Which message of the handshake it is; None for the records after them.
        data: The message with its header, or the records.
        sender: Who sent it.
        before: The receiver just before it arrived.
    """

    kind: MessageType | None
    data: bytes
    sender: End
    before: Moment

    @property
    def name(self) -> str:
        """How a failing test calls it."""
        return self.kind.name if self.kind is not None else "records"


def messages(data: bytes) -> list[tuple[MessageType | None, bytes]]:
    """The handshake messages in what was sent, each with its header, and last the records, if any."""
    found: list[tuple[MessageType | None, bytes]] = []
    while data and data[0] in set(MessageType):
        end = HEADER_SIZE + int.from_bytes(data[1:HEADER_SIZE], "big")
        found.append((MessageType(data[0]), data[:end]))
        data = data[end:]
    return [*found, (None, data)] if data else found


def record(one: End, other: End, packets: Iterable[Packet] = ()) -> list[Sent]:
    """Carry a handshake, message by message, and then some packets from `one`; returns what was sent."""
    recorded: list[Sent] = []

    def carry() -> bool:
        before = len(recorded)
        for sender, receiver in ((one, other), (other, one)):
            for kind, data in messages(sender.sent()):
                recorded.append(Sent(kind, data, sender, Moment(receiver)))
                receiver.receive(data)
        return len(recorded) > before

    while carry():
        pass
    for packet in packets:
        one.link.send(packet)
    carry()
    return recorded


def handshake(end: End) -> Handshake:
    """The handshake inside a link."""
    return end.link._handshake
