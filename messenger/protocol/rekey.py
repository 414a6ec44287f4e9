"""Fresh keys for a running link (SPEC.md section 5.4): OFFER, ACCEPT, DONE.

Each exchange is a new X-Wing encapsulation mixed into the chain of the old keys, so that
neither yesterday's nor tomorrow's thief can read today. Each direction switches at one
exact record: the acceptor's sending after ACCEPT, the offerer's after DONE.
"""

from collections.abc import Callable
from enum import Enum, IntEnum, auto
from typing import Final

import msgspec

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.crypto import xwing
from messenger.crypto.hkdf import digest, expand, extract
from messenger.protocol.wire import Fields

_GENERATION: Final = 4
_SECRET: Final = 32


class RekeyStep(Enum):
    """Where an exchange stands."""

    IDLE = auto()
    OFFERED = auto()
    """We sent OFFER and wait for ACCEPT."""
    ACCEPTED = auto()
    """We sent ACCEPT and wait for DONE."""


class RekeyMessage(IntEnum):
    """The three messages; their numbers are record types."""

    OFFER = 5
    ACCEPT = 6
    DONE = 7


TRANSITIONS: Final[dict[tuple[RekeyStep, RekeyMessage], RekeyStep]] = {
    (RekeyStep.IDLE, RekeyMessage.OFFER): RekeyStep.ACCEPTED,
    (RekeyStep.OFFERED, RekeyMessage.OFFER): RekeyStep.ACCEPTED,
    (RekeyStep.OFFERED, RekeyMessage.ACCEPT): RekeyStep.IDLE,
    (RekeyStep.ACCEPTED, RekeyMessage.DONE): RekeyStep.IDLE,
}
"""What may arrive; every other pair closes the link.

In the second row both have offered: the link initiator ignores the offer and stays OFFERED,
the responder drops its own and accepts.
"""


class Epoch(msgspec.Struct, frozen=True):
    """The traffic secrets of the two directions after an exchange, 32 bytes each."""

    from_initiator: bytes
    from_responder: bytes

    def sent_by(self, *, initiator: bool) -> bytes:
        """The secret under which one of the two sends."""
        return self.from_initiator if initiator else self.from_responder

    def __repr__(self) -> str:
        return "Epoch()"


class Rekey:
    """The exchanges of one link.

    Args:
        secret: The rekey secret of the handshake, 32 bytes.
        initiator: Whether we are the initiator of the link.
        seed: Source of the 32 random bytes of each ephemeral key.
    """

    __slots__ = ("_initiator", "_next", "_own", "_secret", "_seed", "generation", "step")

    def __init__(self, secret: bytes, *, initiator: bool, seed: Callable[[int], bytes]) -> None:
        self._secret = secret
        self._initiator = initiator
        self._seed = seed
        self._own: xwing.KeyPair | None = None
        self._next: Epoch | None = None
        self.step = RekeyStep.IDLE
        self.generation = 0
        """Exchanges completed, as far as our sending direction is concerned."""

    def offer(self) -> bytes:
        """Begin an exchange; returns the content of OFFER.

        Raises:
            LocalProtocolError: One is in progress.
        """
        if self.step is not RekeyStep.IDLE:
            raise LocalProtocolError("a key exchange is in progress")
        self._own = xwing.KeyPair.from_seed(self._seed(xwing.SEED_SIZE))
        self.step = RekeyStep.OFFERED
        return self._number() + self._own.public

    def on_offer(self, content: bytes) -> tuple[bytes, Epoch] | None:
        """Take an OFFER.

        Returns:
            The content of ACCEPT and the new epoch: send ACCEPT under the old key, then switch
            sending. None if both have offered and ours wins.

        Raises:
            RemoteProtocolError: It is malformed or out of turn.
            CryptoError: The key in it is not one.
        """
        step = self._expect(RekeyMessage.OFFER)
        public = self._read(content, limits.XWING_PUBLIC_SIZE)
        if self.step is RekeyStep.OFFERED and self._initiator:
            return None
        self._own = None
        ciphertext, shared = xwing.encapsulate(public)
        self._next = self._derive(shared, public, ciphertext)
        accept = self._number() + ciphertext
        self.step = step
        return accept, self._next

    def on_accept(self, content: bytes) -> tuple[bytes, Epoch]:
        """Take an ACCEPT.

        Returns:
            The content of DONE and the new epoch: switch receiving at once, send DONE under the
            old key, then switch sending.

        Raises:
            RemoteProtocolError: It is malformed or out of turn.
            CryptoError: The ciphertext in it is not one.
        """
        step = self._expect(RekeyMessage.ACCEPT)
        ciphertext = self._read(content, limits.XWING_CIPHERTEXT_SIZE)
        own, self._own = self._own, None
        if own is None:
            raise LocalProtocolError("an offer without a key")
        epoch = self._derive(own.decapsulate(ciphertext), own.public, ciphertext)
        done = self._number()
        self.step = step
        self.generation += 1
        return done, epoch

    def on_done(self, content: bytes) -> Epoch:
        """Take a DONE; switch receiving to the epoch that this returns.

        Raises:
            RemoteProtocolError: It is malformed or out of turn.
        """
        step = self._expect(RekeyMessage.DONE)
        self._read(content, 0)
        epoch, self._next = self._next, None
        if epoch is None:
            raise LocalProtocolError("an acceptance without an epoch")
        self.step = step
        self.generation += 1
        return epoch

    def export(self, label: str, context: bytes) -> bytes:
        """A secret bound to the keys of this generation, 32 bytes."""
        return expand(self._secret, label, context, _SECRET)

    def _derive(self, shared: bytes, public: bytes, ciphertext: bytes) -> Epoch:
        root = extract(self._secret, shared + digest(self._number() + public + ciphertext))
        self._secret = expand(root, "rekey", b"", _SECRET)
        return Epoch(expand(root, "ap I", b"", _SECRET), expand(root, "ap R", b"", _SECRET))

    def _number(self) -> bytes:
        return (self.generation + 1).to_bytes(_GENERATION, "big")

    def _expect(self, message: RekeyMessage) -> RekeyStep:
        step = TRANSITIONS.get((self.step, message))
        if step is None:
            raise RemoteProtocolError(f"{message.name} at {self.step.name}")
        return step

    def _read(self, content: bytes, size: int) -> bytes:
        fields = Fields(content)
        generation, rest = fields.fixed(_GENERATION), fields.fixed(size)
        fields.finish()
        if generation != self._number():
            raise RemoteProtocolError("key exchange of another generation")
        return rest
