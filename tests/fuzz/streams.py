"""The targets behind a cipher: handshakes of both roles, records, lanes.

The first byte of an input says at which step it arrives, and whether it arrives as it is or
sealed as a malicious peer would seal it.
"""

import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.crypto import xwing
from messenger.crypto.hkdf import digest, expand, mac, vec
from messenger.crypto.rsa import oaep_label
from messenger.protocol.channel import Channel, ChannelState
from messenger.protocol.handshake import PuzzleNeeded, Step, UnwrapNeeded
from messenger.protocol.lane import Lane, LaneAcceptor, LaneMessage, LaneOpener, LaneStep
from messenger.protocol.link import LinkState
from messenger.protocol.messages import Caps, MessageType, encode_identity, frame
from messenger.protocol.records import RecordType
from messenger.protocol.rekey import Epoch
from tests.helpers.keys import identity
from tests.helpers.links import End, Moment, Question, Still, handshake
from tests.protocol.forge import Answerer, Caller, body, record_of, sealed_record
from tests.protocol.steps import session
from tests.protocol.tickets import Book, lanes, ticket

Seeds = dict[str, bytes]
Wrap = Callable[[bytes], bytes]

GREETING_MOST = 4 + max(limits.HANDSHAKE_MESSAGE_MAX.values())
RECORD_MOST = 4 + limits.RECORD_CIPHERTEXT_MAX


@dataclass(frozen=True)
class Stage:
    """Where in a handshake an input arrives.

    Attributes:
        before: The end that it arrives at.
        wrap: Makes the bytes on the wire of an input.
        completes: Whether an input can bring the link up.
    """

    before: Moment
    wrap: Wrap
    completes: bool = False


def raw(data: bytes) -> bytes:
    """An input as it is."""
    return data


def _cut(data: bytes) -> Iterator[bytes]:
    """Pieces whose sizes depend on the content, so that the fuzzer can choose them."""
    at = 0
    while at < len(data):
        size = 1 + data[at] * 3
        yield data[at : at + size]
        at += size


def _arrive(stages: list[Stage], data: bytes) -> None:
    """Let an input arrive at a stage and check every duty of a handshake."""
    stage = stages[data[0] % len(stages)] if data else stages[0]
    end = stage.before.again()
    _answer_nothing_but_rsa(end)
    step = handshake(end).step
    try:
        for piece in _cut(stage.wrap(data[1:])):
            end.receive(piece)
            assert _kept(end) <= (RECORD_MOST if end.up else GREETING_MOST)
    except RemoteProtocolError:
        assert end.link.state is LinkState.CLOSED
        assert end.sent() == b""
        assert _kept(end) == 0 or end.up
    else:
        now = handshake(end).step
        assert now is not Step.FAILED
        assert now is not step or end.sent() == b""
    assert stage.completes or not end.up


def _answer_nothing_but_rsa(end: End) -> None:
    """Nobody is let in, no puzzle is solved, and what RSA opened before is remembered."""
    answer = end._answer

    def reluctantly(question: Question) -> None:
        if isinstance(question, UnwrapNeeded):
            answer(question)
        elif isinstance(question, PuzzleNeeded):
            end.link.solved(0)

    end._answer = reluctantly  # type: ignore[method-assign]


def _kept(end: End) -> int:
    channel = end.link._channel
    return len(handshake(end)._buffer) + (len(channel._reader._buffer) if channel else 0)


@functools.cache
def _responder_stages() -> list[Stage]:
    knowing, listening = Caller("mallory", "bob"), Moment(End.answering("bob"))
    called = Caller("mallory", "bob")
    bob = End.answering("bob")
    bob.receive(called.m1())
    called.take_m2(bob.sent())
    greeted, secret = Moment(bob), os.urandom(32)
    assert called.peer is not None
    wrapped = called.peer.exchange.wrap(oaep_label("oaep I>R", called.th2), secret)
    puzzled = session("puzzle").steps[Step.AWAIT_M1_AGAIN]
    return [
        Stage(listening, raw),
        Stage(listening, lambda data: knowing.m1(unsigned=data)),
        Stage(puzzled, lambda data: knowing.m1(unsigned=data)),
        Stage(greeted, raw),
        Stage(greeted, lambda data: called.m3(secret=secret, ciphertext=wrapped, plaintext=data)),
        Stage(session().steps[Step.AWAIT_M5], raw, completes=True),
    ]


def run_responder(data: bytes) -> None:
    """A responder at every step."""
    _arrive(_responder_stages(), data)


def seeds_responder() -> Seeds:
    """An M1, and what belongs into the box of M3."""
    m1 = Caller("mallory", "bob").hello.unsigned()
    mallory = Answerer("mallory")
    plaintext = encode_identity(mallory.bundle, Caps().encode()) + vec(bytes(384))
    m5 = session().message(MessageType.M5).data
    return {
        "m1": b"\0" + frame(MessageType.M1, m1 + bytes(16)),
        "m1-sealed": b"\x01" + m1,
        "m1-again": b"\x02" + m1[:-2] + vec(bytes(8)),
        "m3": b"\x03" + frame(MessageType.M3, vec(bytes(400)) + vec(bytes(50))),
        "m3-sealed": b"\x04" + plaintext,
        "anonymous": b"\x04" + encode_identity(b"", Caps().encode()) + vec(b""),
        "m5": b"\x05" + frame(MessageType.M5, bytes(32)),
        "m5-good": b"\x05" + m5 + b"\x17\0\x01\x10",
    }


@dataclass(frozen=True)
class _Told:
    """Alice, who has named herself to mallory and waits for M4."""

    before: Moment
    mallory: Answerer
    secret: bytes
    wrapped: bytes

    def m4(self, plaintext: bytes) -> bytes:
        return self.mallory.m4("alice", secret=self.secret, ciphertext=self.wrapped, plaintext=plaintext)

    def plaintext(self) -> bytes:
        """What belongs into the box."""
        mallory = self.mallory
        signature = mallory.sign(mallory.th4, self.wrapped, mallory.own.fingerprint, mallory.peer)
        return vec(self.wrapped) + vec(signature)


@functools.cache
def _told() -> _Told:
    alice, mallory, secret = End.calling("alice", "mallory"), Answerer("mallory"), os.urandom(32)
    alice.receive(mallory.m2(alice.sent()))
    mallory.take_m3(alice.sent())
    label = oaep_label("oaep R>I", mallory.th4)
    return _Told(Moment(alice), mallory, secret, identity("alice").exchange.public.wrap(label, secret))


@functools.cache
def _initiator_stages() -> list[Stage]:
    alice, answering, told = End.calling("alice", "mallory"), Answerer("mallory"), _told()
    m1, called = alice.sent(), Moment(alice)
    return [
        Stage(called, raw),
        Stage(called, lambda data: answering.m2(m1, plaintext=data)),
        Stage(session("puzzle").steps[Step.AWAIT_M2_AGAIN], raw),
        Stage(told.before, raw),
        Stage(told.before, told.m4, completes=True),
    ]


def run_initiator(data: bytes) -> None:
    """An initiator at every step."""
    _arrive(_initiator_stages(), data)


def seeds_initiator() -> Seeds:
    """A RETRY, an M2, and what belongs into the boxes."""
    shown = encode_identity(Answerer("mallory").bundle, Caps().encode())
    m2 = body(session().message(MessageType.M2).data)
    return {
        "retry": b"\0" + frame(MessageType.RETRY, b"\x08" + bytes(32)),
        "m2": b"\0" + frame(MessageType.M2, m2),
        "m2-sealed": b"\x01" + shown,
        "m2-again": b"\x02" + frame(MessageType.M2, m2[: 3 + 32 + 1120] + vec(bytes(40))),
        "m4": b"\x03" + frame(MessageType.M4, vec(bytes(50)) + bytes(32)),
        "m4-sealed": b"\x04" + _told().plaintext(),
        "m4-empty": b"\x04" + vec(b"") + vec(bytes(384)),
    }


def handshake_bodies() -> Seeds:
    """The bodies of a recorded handshake with a puzzle."""
    return {f"body-{sent.name}-{n}": body(sent.data) for n, sent in enumerate(session("puzzle").sent)}


class _Peer:
    """A malicious peer with all keys, who plays a script of records to a channel."""

    def __init__(self) -> None:
        self.secret = os.urandom(32)
        self.number = 0
        self.now = 0.0
        self.piece = 1 << 20
        self.expected: list[bytes] = []
        self.found: list[bytes] = []
        self.honest = True
        epoch = Epoch(self.secret, os.urandom(32))
        self.channel = Channel(epoch, os.urandom(32), initiator=False)
        self.channel.begin(self.now)

    def deliver(self, data: bytes) -> None:
        piece = max(self.piece, len(data) // 200)  # a longest record byte by byte takes too long here
        for at in range(0, len(data), piece):
            for content in self.channel.receive_data(data[at : at + piece]):
                self.found.append(bytes(content))
            assert len(self.channel._reader._buffer) <= RECORD_MOST

    def record(self, kind: int, content: bytes) -> None:
        if kind == RecordType.PACKET and self.honest and self.channel.state is not ChannelState.CLOSED:
            self.expected.append(content)
        number, self.number = self.number, self.number + 1
        self.deliver(record_of(self.secret, number, kind, content))

    def done(self, generation: int) -> None:
        following = self.channel._rekey._next
        self.record(RecordType.DONE, generation.to_bytes(4, "big"))
        if following is not None and self.channel._rekey._next is None:
            self.secret, self.number = following.from_initiator, 0

    def step(self, code: int, data: bytes) -> None:
        """One step of the script; `data` is its argument."""
        match code % 8:
            case 0:
                self.honest = False
                self.deliver(data)
            case 1:
                self.record(data[0] if data else 0, data[1:])
            case 2:
                self.honest = False
                number, self.number = self.number, self.number + 1
                self.deliver(sealed_record(self.secret, number, data + bytes(-len(data) % 256)))
            case 3:
                generation = data[0] if data else self.channel.generation + 1
                public = xwing.KeyPair.generate().public
                self.record(RecordType.OFFER, generation.to_bytes(4, "big") + public)
            case 4:
                self.done(data[0] if data else self.channel.generation + 1)
            case 5:
                self.piece = 1 + (data[0] if data else 0) * 8
            case 6:
                self.record(RecordType.PACKET, bytes(int.from_bytes(data[:2], "big") * 4))
            case _:
                self.now += (data[0] if data else 8) / 4
                self.channel.advance(self.now)


def run_records(data: bytes) -> None:
    """A channel under a script of records: each step is a code, a length and that many bytes."""
    peer, at = _Peer(), 0
    try:
        while at + 2 <= len(data):
            end = at + 2 + data[at + 1]
            peer.step(data[at], data[at + 2 : end])
            at = end
    except RemoteProtocolError:
        assert peer.channel.state is ChannelState.CLOSED
        assert peer.channel.data_to_send() == b""
    else:
        assert not peer.honest or peer.found == peer.expected
    assert peer.found[: len(peer.expected)] == peer.expected[: len(peer.found)] or not peer.honest


def _script_step(code: int, data: bytes = b"") -> bytes:
    return bytes((code, len(data))) + data


def seeds_records() -> Seeds:
    """Records of every type, exchanges of keys, pieces of all sizes."""
    step = _script_step
    every = {f"kind-{kind}": step(1, bytes((kind, 0))) for kind in range(9)}
    exchange = step(1, b"\x01a") + step(3) + step(1, b"\x01b") + step(4) + step(1, b"\x01c")
    return every | {
        "exchange": exchange,
        "exchanges": exchange + step(7, b"\x20") + exchange,
        "pieces": step(5, b"\x05") + exchange + step(1, b"\x04\0"),
        "goodbye": step(1, b"\x04\0") + step(0, b"junk"),
        "packet": step(1, b"\x01content"),
        "inside": step(2, b"\x01\0\0\x05hello"),
        "large": step(6, b"\xff\xff") + step(6, b"\x10\0"),
        "raw": step(0, b"\x17\0\x01\x10"),
    }


@dataclass(frozen=True)
class LaneStage:
    """Where in the opening of a lane an input arrives; see `Stage`."""

    before: Still[Lane]
    wrap: Wrap


@functools.cache
def _lane_stages() -> list[LaneStage]:
    shown = ticket()
    book = Book(shown)
    opener, acceptor = lanes(book, shown)
    fresh, called = Still[Lane](LaneAcceptor(Book(shown))), Still[Lane](opener)
    b1 = opener.data_to_send()
    acceptor.receive_data(b1)
    acceptor.data_to_send()
    answered = Still[Lane](acceptor)

    def sealed_b1(data: bytes) -> bytes:
        start = shown.id + bytes(32) + data[:1216].ljust(1216, b"\0")
        return _lane_frame(LaneMessage.B1, start + mac(expand(shown.key, "b1", b"", 32), start)) + data[1216:]

    def sealed_b2(data: bytes) -> bytes:
        start = bytes(32) + data[:1120].ljust(1120, b"\0")
        proof = mac(expand(shown.key, "b2", b"", 32), digest(body(b1) + start))
        return _lane_frame(LaneMessage.B2, start + proof) + data[1120:]

    return [
        LaneStage(fresh, raw),
        LaneStage(fresh, sealed_b1),
        LaneStage(called, raw),
        LaneStage(called, sealed_b2),
        LaneStage(answered, raw),
    ]


def _lane_frame(kind: LaneMessage, content: bytes) -> bytes:
    return bytes((kind,)) + len(content).to_bytes(3, "big") + content


def run_lanes(data: bytes) -> None:
    """The opening of a lane, both ends."""
    stages = _lane_stages()
    stage = stages[data[0] % len(stages)] if data else stages[0]
    lane = stage.before.again()
    sealed = stage.wrap is not raw
    try:
        for piece in _cut(stage.wrap(data[1:])):
            if lane.step is LaneStep.OPEN:
                break
            lane.receive_data(piece)
            assert len(lane._buffer) <= 4 + 1296 + len(piece)
    except RemoteProtocolError:
        assert lane.step is LaneStep.FAILED
        assert lane.data_to_send() == b""
        assert lane.channel is None or isinstance(lane, LaneOpener)
        assert len(lane._buffer) == 0
    assert sealed or lane.channel is None


def seeds_lanes() -> Seeds:
    """Keys and ciphertexts that are good, and messages that are not."""
    pair = xwing.KeyPair.generate()
    return {
        "b1": b"\0" + _lane_frame(LaneMessage.B1, bytes(1296)),
        "b1-sealed": b"\x01" + pair.public,
        "b2": b"\x02" + _lane_frame(LaneMessage.B2, bytes(1184)),
        "b2-sealed": b"\x03" + xwing.encapsulate(pair.public)[0],
        "b3": b"\x04" + _lane_frame(LaneMessage.B3, bytes(32)) + b"\x17\0\x01\x10",
    }
