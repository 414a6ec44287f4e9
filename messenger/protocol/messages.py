"""The handshake messages as values, written and read in pairs (SPEC.md section 4).

A message travels as u8 type, u24 body length, body. Sizes and field order are fixed;
anything missing, too long or left over is refused.
"""

from enum import IntEnum
from typing import Final, Self

import msgspec

from messenger.core import limits
from messenger.core.errors import Reason, RemoteProtocolError
from messenger.core.ids import FINGERPRINT_SIZE
from messenger.crypto.hkdf import vec
from messenger.protocol.wire import Fields

VERSION: Final = 1
"""The only protocol version so far."""

SUITE: Final = 0x0001
"""X-Wing, RSA-3072/4096 PSS and OAEP, AES-256-GCM, HKDF-SHA256."""

HEADER_SIZE: Final = 4
MAC1_SIZE: Final = 16
TAG_SIZE: Final = 16
FINISHED_SIZE: Final = 32
SOLUTION_SIZE: Final = 8
SEED_SIZE: Final = 32

_BUNDLE_MAX: Final = 3 * 520 + 32
"""Two moduli and a signature of at most 512 bytes each, validity times, and lengths."""

_BOX_MAX: Final = 3600


class MessageType(IntEnum):
    """First byte of every handshake message."""

    M1 = 1
    M2 = 2
    M3 = 3
    M4 = 4
    M5 = 5
    RETRY = 6


def frame(kind: MessageType, body: bytes) -> bytes:
    """A message as it travels: u8 type, u24 length, body."""
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def read_header(header: bytes) -> tuple[MessageType, int]:
    """Read the four bytes before a body.

    Returns:
        The type and the length of the body, within the limit for that type.

    Raises:
        RemoteProtocolError: The type is unknown or the length is over its limit; the
            reason is NOT_SOTTO, since no version of this protocol sends such a header.
    """
    try:
        kind = MessageType(header[0])
    except ValueError as e:
        raise RemoteProtocolError("unknown message type", Reason.NOT_SOTTO) from e
    size = int.from_bytes(header[1:HEADER_SIZE], "big")
    if size > limits.HANDSHAKE_MESSAGE_MAX[kind]:
        raise RemoteProtocolError("handshake message too long", Reason.NOT_SOTTO)
    return kind, size


class M1(msgspec.Struct, frozen=True):
    """Initiator's greeting: offer, ephemeral key, and proof of knowing whom it calls."""

    suites: tuple[int, ...]
    nonce: bytes
    public: bytes
    tag: bytes
    """Shows a known contact to a busy responder; random bytes from everybody else."""
    solution: bytes
    """Empty, or after a RETRY the counter that solves its puzzle, u64."""
    mac1: bytes

    def unsigned(self) -> bytes:
        """The body without `mac1`, which is computed over it."""
        suites = b"".join(suite.to_bytes(2, "big") for suite in self.suites)
        return bytes((VERSION,)) + vec(suites) + self.nonce + self.public + self.tag + vec(self.solution)

    def encode(self) -> bytes:
        """The body as it travels."""
        return self.unsigned() + self.mac1

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a body.

        Raises:
            RemoteProtocolError: It is not an M1 of version 1.
        """
        fields = Fields(body)
        _version(fields)
        raw = fields.vector(2 * limits.SUITES_MAX)
        if not raw or len(raw) % 2:
            raise RemoteProtocolError("bad suite list")
        suites = tuple(int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2))
        message = cls(
            suites,
            fields.fixed(limits.NONCE_SIZE),
            fields.fixed(limits.XWING_PUBLIC_SIZE),
            fields.fixed(TAG_SIZE),
            fields.vector(SOLUTION_SIZE),
            fields.fixed(MAC1_SIZE),
        )
        fields.finish()
        if len(message.solution) not in (0, SOLUTION_SIZE):
            raise RemoteProtocolError("bad solution")
        return message


class M2(msgspec.Struct, frozen=True):
    """Responder's answer: choice, encapsulated secret, and its identity in a box."""

    suite: int
    nonce: bytes
    ciphertext: bytes
    box0: bytes = b""

    def header(self) -> bytes:
        """The fields before the box, as the transcript takes them."""
        return bytes((VERSION,)) + self.suite.to_bytes(2, "big") + self.nonce + self.ciphertext

    def encode(self) -> bytes:
        """The body as it travels."""
        return self.header() + vec(self.box0)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a body.

        Raises:
            RemoteProtocolError: It is not an M2 of version 1.
        """
        fields = Fields(body)
        _version(fields)
        message = cls(
            fields.number(2),
            fields.fixed(limits.NONCE_SIZE),
            fields.fixed(limits.XWING_CIPHERTEXT_SIZE),
            fields.vector(_BOX_MAX),
        )
        fields.finish()
        return message


class M3(msgspec.Struct, frozen=True):
    """Initiator's identity: an OAEP secret in one box, bundle and signature in the other."""

    boxa: bytes
    boxb: bytes

    def encode(self) -> bytes:
        """The body as it travels."""
        return vec(self.boxa) + vec(self.boxb)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a body.

        Raises:
            RemoteProtocolError: It is not an M3.
        """
        fields = Fields(body)
        message = cls(fields.vector(_BOX_MAX), fields.vector(_BOX_MAX))
        fields.finish()
        return message


class M4(msgspec.Struct, frozen=True):
    """Responder's OAEP secret and signature in a box, and its finished MAC."""

    boxc: bytes
    finished: bytes

    def encode(self) -> bytes:
        """The body as it travels."""
        return vec(self.boxc) + self.finished

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a body.

        Raises:
            RemoteProtocolError: It is not an M4.
        """
        fields = Fields(body)
        message = cls(fields.vector(_BOX_MAX), fields.fixed(FINISHED_SIZE))
        fields.finish()
        return message


class Retry(msgspec.Struct, frozen=True):
    """A busy responder's puzzle: find a counter, then send M1 again with it."""

    bits: int
    seed: bytes

    def encode(self) -> bytes:
        """The body as it travels: u8 bits, seed[32]."""
        return bytes((self.bits,)) + self.seed

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a body.

        Raises:
            RemoteProtocolError: It is not a RETRY, or asks for too much work.
        """
        fields = Fields(body)
        message = cls(fields.number(1), fields.fixed(SEED_SIZE))
        fields.finish()
        if message.bits > limits.PUZZLE_BITS_MAX:
            raise RemoteProtocolError("too much work asked for", Reason.BUSY)
        return message


class Caps(msgspec.Struct, frozen=True, kw_only=True):
    """What a side can do and how it believes to be reached; inside the boxes."""

    least_version: int = VERSION
    most_version: int = VERSION
    relay: bytes = b""
    """Fingerprint of the relay whose circuit carries the link; empty for a direct link."""
    features: int = 0
    """Bit set of optional abilities; unknown bits are ignored."""
    invite_proof: bytes = b""
    """Initiator only: HMAC under an invite's secret over th3, 32 bytes, or empty."""
    continues: bytes = b""
    """Initiator only: `Link.export("continue", b"")` of the link that this one replaces, or empty."""

    def __repr__(self) -> str:
        given = [name for name in ("relay", "invite_proof", "continues") if getattr(self, name)]
        return f"Caps(versions {self.least_version} to {self.most_version}, given={given})"

    def encode(self) -> bytes:
        """u8 least version, u8 most version, v(relay), u32 features, v(invite proof), v(continues)."""
        head = bytes((self.least_version, self.most_version)) + vec(self.relay)
        return head + self.features.to_bytes(4, "big") + vec(self.invite_proof) + vec(self.continues)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote.

        Raises:
            RemoteProtocolError: It does not follow that order and those sizes.
        """
        fields = Fields(data)
        caps = cls(
            least_version=fields.number(1),
            most_version=fields.number(1),
            relay=fields.vector(FINGERPRINT_SIZE),
            features=fields.number(4),
            invite_proof=fields.vector(FINISHED_SIZE),
            continues=fields.vector(FINISHED_SIZE),
        )
        fields.finish()
        if any(len(field) not in (0, 32) for field in (caps.relay, caps.invite_proof, caps.continues)):
            raise RemoteProtocolError("bad capabilities")
        if not caps.least_version <= VERSION <= caps.most_version:
            raise RemoteProtocolError("no version in common", Reason.VERSION)
        return caps


def encode_identity(bundle: bytes, caps: bytes) -> bytes:
    """The plaintext of a box that names a side, but for the initiator's v(signature): v(bundle) v(caps)."""
    return vec(bundle) + vec(caps)


def decode_identity(data: bytes) -> tuple[bytes, bytes]:
    """Read the plaintext of the responder's box: bundle and capabilities, each still encoded.

    Raises:
        RemoteProtocolError: It does not follow that order and those sizes.
    """
    fields = Fields(data)
    bundle, caps = fields.vector(_BUNDLE_MAX), fields.vector(limits.CAPS_MAX)
    fields.finish()
    return bundle, caps


def decode_signed_identity(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Read the plaintext of the initiator's box: bundle, capabilities and signature.

    Raises:
        RemoteProtocolError: It does not follow that order and those sizes.
    """
    fields = Fields(data)
    bundle, caps = fields.vector(_BUNDLE_MAX), fields.vector(limits.CAPS_MAX)
    signature = fields.vector(max(limits.RSA_SIZES))
    fields.finish()
    return bundle, caps, signature


def _version(fields: Fields) -> None:
    if fields.number(1) != VERSION:
        raise RemoteProtocolError("unknown version", Reason.VERSION)
