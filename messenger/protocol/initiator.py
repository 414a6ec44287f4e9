"""The initiator's side of the handshake (SPEC.md section 4): sends M1, M3, M5."""

import os
from collections.abc import Callable
from typing import Final

import msgspec

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, Reason, RemoteProtocolError
from messenger.core.ids import Fingerprint
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
    PeerIdentified,
    PuzzleNeeded,
    Role,
    SignNeeded,
    Step,
    UnwrapNeeded,
)
from messenger.protocol.messages import (
    M1,
    M2,
    M3,
    M4,
    SUITE,
    TAG_SIZE,
    Caps,
    MessageType,
    Retry,
    decode_identity,
    encode_identity,
)
from messenger.protocol.wire import Fields

_WRAP_SIZE: Final = 32
_SIGNATURE_MAX: Final = max(limits.RSA_SIZES)


class Initiator(Handshake):
    """Opens a link to whoever answers, or to one person only.

    After construction send `data_to_send()`: M1 is in it.

    Args:
        bundle: Our own identity; None to stay anonymous, which only relays accept.
        now: Unix time in seconds.
        expected: Fingerprint of the person who must answer; None for open door, where the
            caller decides on `PeerIdentified`.
        caps: What we can do.
        invite_secret: Secret of the invite that is used, or empty.
        knock: Secret from an earlier link with the same person (`Link.export("knock", b"")`), which
            spares us their puzzles; or empty.
        entropy: Source of random bytes.
    """

    def __init__(
        self,
        bundle: Bundle | None,
        now: int,
        *,
        expected: Fingerprint | None,
        caps: Caps | None = None,
        invite_secret: bytes = b"",
        knock: bytes = b"",
        entropy: Entropy = os.urandom,
    ) -> None:
        super().__init__(Role.INITIATOR, Step.AWAIT_M2, bundle, caps or Caps(), now, entropy)
        self._expected = expected
        self._invite_secret = invite_secret
        self._ephemeral = xwing.KeyPair.from_seed(entropy(xwing.SEED_SIZE))
        self._peer: Bundle | None = None
        self._secret = self._transcript = self._wrapped = self._boxa = self._own_identity = b""
        self._finished = b""
        nonce = entropy(limits.NONCE_SIZE)
        tag = keys.knock_tag(knock, nonce) if knock else entropy(TAG_SIZE)
        self._hello = M1((SUITE,), nonce, self._ephemeral.public, tag, b"", b"")
        self._m1 = b""
        self._retried = b""
        self._call(b"")

    def _call(self, solution: bytes) -> None:
        """Send M1, or send it again with the solution of a puzzle."""
        draft = msgspec.structs.replace(self._hello, solution=solution)
        self._m1 = draft.unsigned() + keys.mac1(self._expected or keys.OPEN_DOOR_KEY, draft.unsigned())
        self._send(MessageType.M1, self._m1)

    def _handle(self, given: Input, data: bytes) -> bool | None:
        handlers: dict[Input, Callable[[bytes], bool | None]] = {
            MessageType.RETRY: self._on_retry,
            Answer.SOLVED: self._call,
            MessageType.M2: self._on_m2,
            Answer.ACCEPTED: self._on_accepted,
            Answer.SIGNED: self._on_signature,
            MessageType.M4: self._on_m4,
            Answer.UNWRAPPED: self._on_secret,
        }
        return handlers[given](data)

    def _on_retry(self, body: bytes) -> None:
        retry = Retry.decode(body)
        self._retried = keys.retried(self._m1, body)
        self._ask(PuzzleNeeded(puzzle.material(retry.seed, self._m1), retry.bits))

    def _on_m2(self, body: bytes) -> None:
        m2 = M2.decode(body)
        if m2.suite != SUITE:
            raise RemoteProtocolError("a suite that was not offered", Reason.VERSION)
        th1 = keys.after_hello(self._m1, m2.header(), self._retried)
        self._secret = keys.first_secret(th1, self._ephemeral.decapsulate(m2.ciphertext))
        raw_bundle, raw_caps = decode_identity(open_box(self._secret, "r0", th1, m2.box0))
        peer = Bundle.decode(raw_bundle)
        if self._bundle is not None and peer.fingerprint == self._bundle.fingerprint:
            raise RemoteProtocolError("own key", Reason.OWN_KEY)
        if self._expected is not None and not equal(peer.fingerprint, self._expected):
            raise RemoteProtocolError("another key than the expected one", Reason.WRONG_PERSON)
        peer.verify(self._now)
        caps = self._check_caps(raw_caps)
        self._peer = peer
        self._transcript = keys.after(th1, m2.box0)
        self._ask(PeerIdentified(peer, caps, self._transcript, self._expected is None))

    def _on_accepted(self, _: bytes) -> bool:
        peer = self._known_peer()
        th2 = self._transcript
        wrapped = self._entropy(_WRAP_SIZE)
        ciphertext = peer.exchange.wrap(oaep_label("oaep I>R", th2), wrapped)
        self._boxa = seal_box(self._secret, "i0", th2, ciphertext)
        th3 = keys.after(th2, self._boxa)
        self._secret = keys.next_secret(self._secret, wrapped, th3)
        self._transcript = th3
        proof = keys.invite_proof(self._invite_secret, th3) if self._invite_secret else b""
        caps = msgspec.structs.replace(self._caps, invite_proof=proof).encode()
        if self._bundle is None:
            self._own_identity = encode_identity(b"", caps)
            self._on_signature(b"")
            return True
        bundle = self._bundle.encode()
        self._own_identity = encode_identity(bundle, caps)
        self._ask(SignNeeded(Label.LINK_I, (th3, bundle, caps, peer.fingerprint)))
        return False

    def _on_signature(self, signature: bytes) -> None:
        th3 = self._transcript
        boxb = seal_box(self._secret, "i1", th3, self._own_identity + vec(signature))
        self._transcript = keys.after(th3, boxb)
        self._send(MessageType.M3, M3(self._boxa, boxb).encode())

    def _on_m4(self, body: bytes) -> bool:
        m4, peer, th4 = M4.decode(body), self._known_peer(), self._transcript
        fields = Fields(open_box(self._secret, "r1", th4, m4.boxc))
        ciphertext, signature = fields.vector(_SIGNATURE_MAX), fields.vector(_SIGNATURE_MAX)
        fields.finish()
        own = self._bundle.fingerprint if self._bundle else b""
        peer.signing.verify(Label.LINK_R, (th4, ciphertext, peer.fingerprint, own), signature)
        self._transcript = keys.after(th4, m4.boxc)
        self._finished = m4.finished
        if self._bundle is not None:
            self._ask(UnwrapNeeded(oaep_label("oaep R>I", th4), ciphertext))
            return False
        if ciphertext:
            raise RemoteProtocolError("a secret wrapped for nobody")
        self._on_secret(keys.NOTHING_WRAPPED)
        return True

    def _on_secret(self, wrapped: bytes) -> None:
        th5 = self._transcript
        master = keys.next_secret(self._secret, wrapped, th5)
        if not equal(self._finished, keys.finished(master, "R", th5)):
            raise RemoteProtocolError("finished MAC of the responder does not hold")
        th6 = keys.after(th5, self._finished)
        self._send(MessageType.M5, keys.finished(master, "I", th6))
        self._ask(Established(self._known_peer(), keys.link_secrets(master, th6)))
        self._secret = b""

    def _check_caps(self, raw: bytes) -> Caps:
        caps = Caps.decode(raw)
        if caps.relay != self._caps.relay or caps.invite_proof or caps.continues:
            raise RemoteProtocolError("capabilities do not fit the path")
        return caps

    def _known_peer(self) -> Bundle:
        if self._peer is None:
            raise LocalProtocolError("no peer yet")
        return self._peer
