"""The responder's side of the handshake (SPEC.md section 4): sends M2, M4.

The order of work is the defence: a stranger who does not know whom it calls costs one
HMAC, a replayed M3 costs no RSA operation, and the signature comes last.
"""

import os
from collections.abc import Callable, Sequence
from typing import Final

from messenger.core import limits
from messenger.core.errors import Reason, RemoteProtocolError
from messenger.crypto import xwing
from messenger.crypto.box import open_box, seal_box
from messenger.crypto.hkdf import equal, vec
from messenger.crypto.identity import Bundle
from messenger.crypto.rsa import Label, oaep_label
from messenger.protocol import keyschedule as keys
from messenger.protocol import puzzle
from messenger.protocol.handshake import (
    Answer,
    Entropy,
    Established,
    Handshake,
    Input,
    PeerAnonymous,
    PeerIdentified,
    Role,
    SignNeeded,
    Step,
    UnwrapNeeded,
)
from messenger.protocol.messages import (
    FINISHED_SIZE,
    M1,
    M2,
    M3,
    M4,
    SEED_SIZE,
    SUITE,
    Caps,
    MessageType,
    Retry,
    decode_signed_identity,
    encode_identity,
)

_WRAP_SIZE: Final = 32


class Responder(Handshake):
    """Answers whoever knows our fingerprint, or our address while the door is open.

    Args:
        bundle: Our own identity.
        now: Unix time in seconds.
        open_door: Whether somebody who knows the address only is answered.
        caps: What we can do.
        anonymous: Whether callers must be anonymous, as at a relay; else they must not be.
        puzzle_bits: Difficulty of the puzzle that strangers get first; 0 for none.
        knocks: Secrets of contacts (`Link.export("knock", b"")`), who get no puzzle.
        entropy: Source of random bytes.
    """

    def __init__(
        self,
        bundle: Bundle,
        now: int,
        *,
        open_door: bool,
        caps: Caps | None = None,
        anonymous: bool = False,
        puzzle_bits: int = 0,
        knocks: Sequence[bytes] = (),
        entropy: Entropy = os.urandom,
    ) -> None:
        super().__init__(Role.RESPONDER, Step.AWAIT_M1, bundle, caps or Caps(), now, entropy)
        self._own = bundle
        self._open_door = open_door
        self._anonymous = anonymous
        self._puzzle_bits = puzzle_bits
        self._knocks = knocks
        self._puzzle = self._retried = b""
        self._by_address = False
        self._peer: Bundle | None = None
        self._secret = self._transcript = self._boxb = self._ciphertext = self._finished = self._master = b""

    def _handle(self, given: Input, data: bytes) -> bool | None:
        handlers: dict[Input, Callable[[bytes], bool | None]] = {
            MessageType.M1: self._on_m1,
            MessageType.M3: self._on_m3,
            Answer.UNWRAPPED: self._on_secret,
            Answer.ACCEPTED: self._on_accepted,
            Answer.SIGNED: self._on_signature,
            MessageType.M5: self._on_m5,
        }
        return handlers[given](data)

    def _on_m1(self, body: bytes) -> bool:
        m1 = M1.decode(body)
        unsigned = m1.unsigned()
        self._by_address = not equal(m1.mac1, keys.mac1(self._own.fingerprint, unsigned))
        admitted = self._open_door and equal(m1.mac1, keys.mac1(keys.OPEN_DOOR_KEY, unsigned))
        if self._by_address and not admitted:
            raise RemoteProtocolError("the caller does not know whom it calls")
        if SUITE not in m1.suites:
            raise RemoteProtocolError("no suite in common", Reason.VERSION)
        if self._puzzle:
            if not m1.solution or not puzzle.holds(self._puzzle, self._puzzle_bits, m1.solution):
                raise RemoteProtocolError("the puzzle is not solved")
        elif m1.solution:
            raise RemoteProtocolError("a solution without a puzzle")
        elif self._puzzle_bits and not self._knocked(m1):
            self._ask_for_work(body)
            return True
        self._answer(m1, body)
        return False

    def _knocked(self, m1: M1) -> bool:
        matches = [equal(m1.tag, keys.knock_tag(knock, m1.nonce)) for knock in self._knocks]
        return any(matches)  # all are tried, so the time does not tell which one it was

    def _ask_for_work(self, body: bytes) -> None:
        retry = Retry(self._puzzle_bits, self._entropy(SEED_SIZE))
        self._puzzle = puzzle.material(retry.seed, body)
        self._retried = keys.retried(body, retry.encode())
        self._send(MessageType.RETRY, retry.encode())

    def _answer(self, m1: M1, body: bytes) -> None:
        ciphertext, shared = xwing.encapsulate(m1.public)
        header = M2(SUITE, self._entropy(limits.NONCE_SIZE), ciphertext)
        th1 = keys.after_hello(body, header.header(), self._retried)
        self._secret = keys.first_secret(th1, shared)
        identity = encode_identity(self._own.encode(), self._caps.encode())
        box0 = seal_box(self._secret, "r0", th1, identity)
        self._transcript = keys.after(th1, box0)
        self._send(MessageType.M2, header.header() + vec(box0))

    def _on_m3(self, body: bytes) -> None:
        m3, th2 = M3.decode(body), self._transcript
        ciphertext = open_box(self._secret, "i0", th2, m3.boxa)
        self._transcript = keys.after(th2, m3.boxa)
        self._boxb = m3.boxb
        self._ask(UnwrapNeeded(oaep_label("oaep I>R", th2), ciphertext))

    def _on_secret(self, wrapped: bytes) -> None:
        th3 = self._transcript
        self._secret = keys.next_secret(self._secret, wrapped, th3)
        opened = open_box(self._secret, "i1", th3, self._boxb)
        raw_bundle, raw_caps, signature = decode_signed_identity(opened)
        self._transcript = keys.after(th3, self._boxb)
        if bool(raw_bundle) == self._anonymous:
            raise RemoteProtocolError("anonymous where it must not be, or named where it need not be")
        caps = Caps.decode(raw_caps)
        if caps.relay != self._caps.relay:
            raise RemoteProtocolError("capabilities do not fit the path")
        if self._anonymous:
            if signature or caps.invite_proof or caps.continues:
                raise RemoteProtocolError("a signature or a proof of nobody")
            self._ask(PeerAnonymous(caps))
            return
        peer = self._read_bundle(raw_bundle)
        if peer.fingerprint == self._own.fingerprint:
            raise RemoteProtocolError("own key", Reason.OWN_KEY)
        peer.signing.verify(Label.LINK_I, (th3, raw_bundle, raw_caps, self._own.fingerprint), signature)
        self._peer = peer
        self._ask(PeerIdentified(peer, caps, th3, self._by_address))

    def _on_accepted(self, _: bytes) -> None:
        peer, th4 = self._peer, self._transcript
        self._master = keys.NOTHING_WRAPPED
        if peer is not None:
            self._master = self._entropy(_WRAP_SIZE)
            self._ciphertext = peer.exchange.wrap(oaep_label("oaep R>I", th4), self._master)
        theirs = peer.fingerprint if peer else b""
        self._ask(SignNeeded(Label.LINK_R, (th4, self._ciphertext, self._own.fingerprint, theirs)))

    def _on_signature(self, signature: bytes) -> None:
        th4 = self._transcript
        boxc = seal_box(self._secret, "r1", th4, vec(self._ciphertext) + vec(signature))
        th5 = keys.after(th4, boxc)
        self._master = keys.next_secret(self._secret, self._master, th5)
        self._finished = keys.finished(self._master, "R", th5)
        self._transcript = keys.after(th5, self._finished)
        self._secret = b""
        self._send(MessageType.M4, M4(boxc, self._finished).encode())

    def _on_m5(self, body: bytes) -> None:
        if len(body) != FINISHED_SIZE or not equal(body, keys.finished(self._master, "I", self._transcript)):
            raise RemoteProtocolError("finished MAC of the initiator does not hold")
        self._ask(Established(self._peer, keys.link_secrets(self._master, self._transcript)))
        self._master = b""
