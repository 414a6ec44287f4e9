"""Both ends of a handshake by hand: they say whatever a test wants, and the truth unless it wants otherwise.

The boxes are sealed without the witness of `tests.helpers.nonces`: an attacker uses a key as often
as he likes.
"""

import os
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messenger.core.ids import Fingerprint
from messenger.crypto import xwing
from messenger.crypto.box import open_box
from messenger.crypto.hkdf import expand, vec
from messenger.crypto.identity import Bundle
from messenger.crypto.rsa import Label, oaep_label
from messenger.protocol import keyschedule as keys
from messenger.protocol.keyschedule import LinkSecrets
from messenger.protocol.messages import (
    HEADER_SIZE,
    M1,
    M2,
    M3,
    M4,
    SUITE,
    Caps,
    MessageType,
    encode_identity,
    frame,
)
from messenger.protocol.records import OUTER_HEADER, OUTER_TYPE
from messenger.protocol.wire import Fields
from tests.helpers.keys import Identity, identity
from tests.helpers.links import bundle

PLAIN_CAPS: Final = Caps().encode()

Sign = Callable[..., bytes]


def box(secret: bytes, label: str, transcript: bytes, plaintext: bytes) -> bytes:
    """What `seal_box` makes."""
    key, nonce = expand(secret, f"{label} key", transcript, 32), expand(secret, f"{label} iv", transcript, 12)
    return AESGCM(key).encrypt(nonce, plaintext, transcript)


def body(message: bytes) -> bytes:
    """A message without its header."""
    return message[HEADER_SIZE:]


def sealed_record(secret: bytes, number: int, inside: bytes) -> bytes:
    """A record with this inside, padding and all, under the traffic secret of its direction."""
    key, iv = keys.record_key(secret)
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    header = (OUTER_TYPE << 24 | len(inside) + 16).to_bytes(OUTER_HEADER, "big")
    return header + AESGCM(key).encrypt(nonce, inside, header)


def record_of(secret: bytes, number: int, kind: int, content: bytes = b"") -> bytes:
    """A record as it should be, but with any type."""
    inside = bytes((kind,)) + len(content).to_bytes(3, "big") + content
    return sealed_record(secret, number, inside + bytes(-len(inside) % 256))


class Caller:
    """An initiator.

    Args:
        who: Whose keys and bundle it uses.
        whom: Whom it calls; None for whoever answers.
    """

    def __init__(self, who: str, whom: str | None) -> None:
        self.own: Identity = identity(who)
        self.bundle = bundle(who).encode()
        self.ephemeral = xwing.KeyPair.generate()
        self.hello = M1((SUITE,), os.urandom(32), self.ephemeral.public, os.urandom(16), b"", b"")
        self.key: bytes = identity(whom).fingerprint if whom else keys.OPEN_DOOR_KEY
        self.sent_m1 = b""
        self.retried = b""
        self.peer: Bundle | None = None
        self.hs0 = self.th2 = self.th3 = self.hs1 = self.th4 = b""

    def m1(self, hello: M1 | None = None, unsigned: bytes | None = None) -> bytes:
        """M1 with a good mac1 over any content."""
        content = (hello or self.hello).unsigned() if unsigned is None else unsigned
        self.sent_m1 = content + keys.mac1(self.key, content)
        return frame(MessageType.M1, self.sent_m1)

    def take_m2(self, message: bytes) -> None:
        """Open M2; whose bundle is in it does not matter to us."""
        m2 = M2.decode(body(message))
        th1 = keys.after_hello(self.sent_m1, m2.header(), self.retried)
        self.hs0 = keys.first_secret(th1, self.ephemeral.decapsulate(m2.ciphertext))
        self.peer = Bundle.decode(Fields(open_box(self.hs0, "r0", th1, m2.box0)).vector(2000))
        self.th2 = keys.after(th1, m2.box0)

    def m3(
        self,
        *,
        secret: bytes | None = None,
        label: bytes | None = None,
        ciphertext: bytes | None = None,
        identity_bundle: bytes | None = None,
        caps: bytes = PLAIN_CAPS,
        sign: Sign | None = None,
        plaintext: bytes | None = None,
    ) -> bytes:
        """M3.

        Args:
            secret: s_I.
            label: Of the OAEP ciphertext, if not the right one.
            ciphertext: The content of boxa, if not `secret` wrapped for the responder.
            identity_bundle: The bundle in boxb, if not our own.
            caps: The capabilities in boxb.
            sign: Makes the signature of (th3, bundle, caps, fingerprint of the responder).
            plaintext: The content of boxb instead of all that.
        """
        assert self.peer is not None
        secret = os.urandom(32) if secret is None else secret
        if ciphertext is None:
            ciphertext = self.peer.exchange.wrap(label or oaep_label("oaep I>R", self.th2), secret)
        boxa = box(self.hs0, "i0", self.th2, ciphertext)
        self.th3 = keys.after(self.th2, boxa)
        self.hs1 = keys.next_secret(self.hs0, secret, self.th3)
        if plaintext is None:
            shown = self.bundle if identity_bundle is None else identity_bundle
            fields = (self.th3, shown, caps, self.peer.fingerprint)
            signature = (sign or self.sign)(*fields)
            plaintext = encode_identity(shown, caps) + vec(signature)
        boxb = box(self.hs1, "i1", self.th3, plaintext)
        self.th4 = keys.after(self.th3, boxb)
        return frame(MessageType.M3, M3(boxa, boxb).encode())

    def sign(self, *fields: bytes) -> bytes:
        """The signature that belongs into boxb."""
        return self.own.signing.sign(Label.LINK_I, fields)

    def m5(self, m4_message: bytes) -> tuple[bytes, LinkSecrets]:
        """Read M4 without looking at who signed it; M5, and what the link then has."""
        m4 = M4.decode(body(m4_message))
        ciphertext = Fields(open_box(self.hs1, "r1", self.th4, m4.boxc)).vector(512)
        secret = self.own.exchange.unwrap(oaep_label("oaep R>I", self.th4), ciphertext)
        th5 = keys.after(self.th4, m4.boxc)
        master, th6 = keys.next_secret(self.hs1, secret, th5), keys.after(th5, m4.finished)
        return frame(MessageType.M5, keys.finished(master, "I", th6)), keys.link_secrets(master, th6)


class Answerer:
    """A responder.

    Args:
        who: Whose keys and bundle it uses.
    """

    def __init__(self, who: str) -> None:
        self.own: Identity = identity(who)
        self.bundle = bundle(who).encode()
        self.peer = Fingerprint(bytes(32))
        self.hs0 = self.th2 = self.hs1 = self.th3 = self.th4 = b""

    def m2(
        self,
        m1_message: bytes,
        *,
        version: int = 1,
        suite: int = SUITE,
        ciphertext: bytes | None = None,
        identity_bundle: bytes | None = None,
        caps: bytes = PLAIN_CAPS,
        plaintext: bytes | None = None,
    ) -> bytes:
        """M2 to whoever calls; without a `ciphertext` of its own it encapsulates."""
        made, shared = xwing.encapsulate(M1.decode(body(m1_message)).public)
        header = bytes((version,)) + suite.to_bytes(2, "big") + os.urandom(32) + (ciphertext or made)
        th1 = keys.after_hello(body(m1_message), header)
        self.hs0 = keys.first_secret(th1, shared)
        shown = self.bundle if identity_bundle is None else identity_bundle
        box0 = box(self.hs0, "r0", th1, encode_identity(shown, caps) if plaintext is None else plaintext)
        self.th2 = keys.after(th1, box0)
        return frame(MessageType.M2, header + vec(box0))

    def take_m3(self, message: bytes, exchange: Identity | None = None) -> bytes:
        """Open M3 with our keys, or with somebody else's; the content of boxb."""
        m3 = M3.decode(body(message))
        ciphertext = open_box(self.hs0, "i0", self.th2, m3.boxa)
        secret = (exchange or self.own).exchange.unwrap(oaep_label("oaep I>R", self.th2), ciphertext)
        self.th3 = keys.after(self.th2, m3.boxa)
        self.hs1 = keys.next_secret(self.hs0, secret, self.th3)
        self.th4 = keys.after(self.th3, m3.boxb)
        plaintext = open_box(self.hs1, "i1", self.th3, m3.boxb)
        shown = Fields(plaintext).vector(2000)
        self.peer = Bundle.decode(shown).fingerprint if shown else Fingerprint(b"")
        return plaintext

    def m4(
        self,
        whom: str,
        *,
        secret: bytes | None = None,
        label: bytes | None = None,
        ciphertext: bytes | None = None,
        sign: Sign | None = None,
        finished: bytes | None = None,
        plaintext: bytes | None = None,
    ) -> bytes:
        """M4 for `whom`; see `Caller.m3`. `sign` makes the signature of (th4, ct_R, ours, theirs)."""
        secret = os.urandom(32) if secret is None else secret
        if ciphertext is None:
            theirs = identity(whom).exchange.public
            ciphertext = theirs.wrap(label or oaep_label("oaep R>I", self.th4), secret)
        if plaintext is None:
            fields = (self.th4, ciphertext, self.own.fingerprint, self.peer)
            plaintext = vec(ciphertext) + vec((sign or self.sign)(*fields))
        boxc = box(self.hs1, "r1", self.th4, plaintext)
        th5 = keys.after(self.th4, boxc)
        mac = keys.finished(keys.next_secret(self.hs1, secret, th5), "R", th5)
        return frame(MessageType.M4, M4(boxc, mac if finished is None else finished).encode())

    def sign(self, *fields: bytes) -> bytes:
        """The signature that belongs into boxc."""
        return self.own.signing.sign(Label.LINK_R, fields)
