"""What both roles of the handshake share: steps, framing, and the questions to the caller.

A handshake is a value. Feed it what arrived (`receive_data`), send what `data_to_send`
returns, and answer its `events`: a signature and an opened OAEP ciphertext come from the
vault process, acceptance of a peer from whoever knows the contacts. It ends by publishing
`Established`, or by raising RemoteProtocolError, after which it must be thrown away.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Final

import msgspec

from messenger.core.errors import CryptoError, LocalProtocolError, ProtocolError, Reason, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto.identity import Bundle
from messenger.crypto.rsa import Label
from messenger.protocol.keyschedule import LinkSecrets
from messenger.protocol.messages import HEADER_SIZE, SOLUTION_SIZE, Caps, MessageType, frame, read_header

Entropy = Callable[[int], bytes]
"""Source of random bytes; `os.urandom` except where test vectors are made."""


class Role(Enum):
    """The two sides of a link."""

    INITIATOR = "I"
    RESPONDER = "R"


class Step(Enum):
    """What a handshake waits for."""

    AWAIT_M2 = auto()
    I_SOLVING = auto()
    AWAIT_M2_AGAIN = auto()
    I_DECIDING = auto()
    I_SIGNING = auto()
    AWAIT_M4 = auto()
    I_UNWRAPPING = auto()
    AWAIT_M1 = auto()
    AWAIT_M1_AGAIN = auto()
    AWAIT_M3 = auto()
    R_UNWRAPPING = auto()
    R_DECIDING = auto()
    R_SIGNING = auto()
    AWAIT_M5 = auto()
    DONE = auto()
    FAILED = auto()


class Answer(Enum):
    """What the caller gives to a handshake."""

    ACCEPTED = auto()
    SIGNED = auto()
    UNWRAPPED = auto()
    SOLVED = auto()


Input = MessageType | Answer

TRANSITIONS: Final[dict[tuple[Step, Input], tuple[Step, ...]]] = {
    (Step.AWAIT_M2, MessageType.RETRY): (Step.I_SOLVING,),
    (Step.I_SOLVING, Answer.SOLVED): (Step.AWAIT_M2_AGAIN,),
    (Step.AWAIT_M2, MessageType.M2): (Step.I_DECIDING,),
    (Step.AWAIT_M2_AGAIN, MessageType.M2): (Step.I_DECIDING,),
    (Step.I_DECIDING, Answer.ACCEPTED): (Step.I_SIGNING, Step.AWAIT_M4),
    (Step.I_SIGNING, Answer.SIGNED): (Step.AWAIT_M4,),
    (Step.AWAIT_M4, MessageType.M4): (Step.I_UNWRAPPING, Step.DONE),
    (Step.I_UNWRAPPING, Answer.UNWRAPPED): (Step.DONE,),
    (Step.AWAIT_M1, MessageType.M1): (Step.AWAIT_M3, Step.AWAIT_M1_AGAIN),
    (Step.AWAIT_M1_AGAIN, MessageType.M1): (Step.AWAIT_M3,),
    (Step.AWAIT_M3, MessageType.M3): (Step.R_UNWRAPPING,),
    (Step.R_UNWRAPPING, Answer.UNWRAPPED): (Step.R_DECIDING,),
    (Step.R_DECIDING, Answer.ACCEPTED): (Step.R_SIGNING,),
    (Step.R_SIGNING, Answer.SIGNED): (Step.AWAIT_M5,),
    (Step.AWAIT_M5, MessageType.M5): (Step.DONE,),
}
"""Everything that may happen; every other pair is refused.

Where there are two ways on, the second is that of an anonymous initiator, who neither signs
nor unwraps, or that of a responder under load, who asks for a puzzle first.
"""


class SignNeeded(msgspec.Struct, frozen=True):
    """The vault must sign; give the signature to `signed`."""

    label: Label
    fields: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"SignNeeded({self.label.value}, {len(self.fields)} fields)"


class UnwrapNeeded(msgspec.Struct, frozen=True):
    """The vault must open an OAEP ciphertext; give the 32 bytes to `unwrapped`."""

    label: bytes
    ciphertext: bytes


class PuzzleNeeded(msgspec.Struct, frozen=True):
    """The responder is busy; solve this (`puzzle.solve`) away from the loop and call `solved`."""

    material: bytes
    bits: int


class PeerIdentified(msgspec.Struct, frozen=True):
    """The other side has named itself; decide and call `accept`, or close.

    At the initiator nothing has left yet that tells who is calling. At the responder the
    signature has been checked.
    """

    bundle: Bundle
    caps: Caps
    transcript: bytes
    """th3 at the responder, over which `caps.invite_proof` was computed; th2 at the initiator."""
    by_address: bool
    """The initiator knew an address only (open door)."""

    @property
    def fingerprint(self) -> Fingerprint:
        """Who it is."""
        return self.bundle.fingerprint


class PeerAnonymous(msgspec.Struct, frozen=True):
    """A client of a relay: it has proved nothing but that it knows us; decide and call `accept`, or close."""

    caps: Caps


class Established(msgspec.Struct, frozen=True):
    """Both sides have proved what they must; records follow."""

    peer: Bundle | None
    """Who it is; None for an anonymous initiator."""
    secrets: LinkSecrets


HandshakeEvent = SignNeeded | UnwrapNeeded | PuzzleNeeded | PeerIdentified | PeerAnonymous | Established


class Handshake(ABC):
    """Steps and framing; the roles derive from it.

    Args:
        role: Which side this is.
        first: The step that it begins with.
        bundle: Our own identity; None for an anonymous initiator.
        caps: What we can do.
        now: Unix time in seconds, for certificates.
        entropy: Source of random bytes.
    """

    def __init__(
        self,
        role: Role,
        first: Step,
        bundle: Bundle | None,
        caps: Caps,
        now: int,
        entropy: Entropy = os.urandom,
    ) -> None:
        self.role = role
        self.step = first
        self._bundle = bundle
        self._caps = caps
        self._now = now
        self._entropy = entropy
        self._buffer = bytearray()
        self._out: list[bytes] = []
        self._events: list[HandshakeEvent] = []

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer. After this, send `data_to_send()` and handle `events()`.

        Raises:
            RemoteProtocolError: They break the rules; close the stream without a word.
        """
        self._buffer += data
        while self.step is not Step.DONE and len(self._buffer) >= HEADER_SIZE:
            with self._judging():
                kind, size = read_header(bytes(self._buffer[:HEADER_SIZE]))
                self._expect(kind)
            if len(self._buffer) < HEADER_SIZE + size:
                return
            body = bytes(self._buffer[HEADER_SIZE : HEADER_SIZE + size])
            del self._buffer[: HEADER_SIZE + size]
            self._take(kind, body)

    def receive_eof(self) -> None:
        """The stream has ended.

        Raises:
            RemoteProtocolError: Always, for a handshake that is not done has been cut short.
        """
        self.step = Step.FAILED
        reason = Reason.INTERRUPTED if self._buffer else Reason.REFUSED
        raise RemoteProtocolError("closed during the handshake", reason)

    def data_to_send(self) -> bytes:
        """Bytes for the peer; each is returned once."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def events(self) -> list[HandshakeEvent]:
        """What happened and what is needed; each is returned once."""
        events, self._events = self._events, []
        return events

    def trailing(self) -> bytes:
        """Bytes after the last handshake message: the first records."""
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def accept(self) -> None:
        """Go on with the peer that `PeerIdentified` named."""
        self._take(Answer.ACCEPTED, b"")

    def signed(self, signature: bytes) -> None:
        """Give the signature that `SignNeeded` asked for."""
        self._take(Answer.SIGNED, signature)

    def unwrapped(self, secret: bytes) -> None:
        """Give the 32 bytes that `UnwrapNeeded` asked for."""
        self._take(Answer.UNWRAPPED, secret)

    def solved(self, counter: int) -> None:
        """Give the counter that `PuzzleNeeded` asked for."""
        self._take(Answer.SOLVED, counter.to_bytes(SOLUTION_SIZE, "big"))

    def _take(self, given: Input, data: bytes) -> None:
        with self._judging():
            ways = self._expect(given)
            second = self._handle(given, data)
            self.step = ways[1] if second else ways[0]

    def _expect(self, given: Input) -> tuple[Step, ...]:
        ways = TRANSITIONS.get((self.step, given))
        if ways is not None:
            return ways
        if isinstance(given, Answer):
            raise LocalProtocolError(f"{given.name} at {self.step.name}")
        early = self.step in (Step.AWAIT_M1, Step.AWAIT_M2)
        reason = Reason.NOT_SOTTO if early else Reason.BROKEN
        raise RemoteProtocolError(f"{given.name} at {self.step.name}", reason)

    @abstractmethod
    def _handle(self, given: Input, data: bytes) -> bool | None:
        """Do the work of one step; True to take the second way of TRANSITIONS."""

    def _send(self, kind: MessageType, body: bytes) -> None:
        self._out.append(frame(kind, body))

    def _ask(self, event: HandshakeEvent) -> None:
        self._events.append(event)

    def _read_bundle(self, data: bytes) -> Bundle:
        bundle = Bundle.decode(data)
        bundle.verify(self._now)
        return bundle

    @contextmanager
    def _judging(self) -> Iterator[None]:
        """Any failure inside ends the handshake; a cryptographic one leaves as RemoteProtocolError."""
        try:
            yield
        except CryptoError as e:
            self._fail()
            raise RemoteProtocolError(str(e)) from e
        except ProtocolError:
            self._fail()
            raise

    def _fail(self) -> None:
        """Whoever is refused hears nothing more, whatever was about to be said."""
        self.step = Step.FAILED
        self._buffer.clear()
        self._out.clear()
