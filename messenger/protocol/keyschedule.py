"""From the transcript and the exchanged secrets to the keys of a link (SPEC.md sections 4.2 and 4.3).

th0..th6 are the transcript hashes after each part of the handshake. Both roles call the
same functions in the same order, so that there is one place to compare with the text.
"""

from typing import Final

import msgspec

from messenger.core import limits
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import digest, expand, extract, lp, mac

OPEN_DOOR_KEY: Final = bytes(32)
"""Stands for the responder's fingerprint when the initiator knows an address only."""

NOTHING_WRAPPED: Final = bytes(32)
"""Stands for the responder's wrapped secret where the initiator is anonymous and has no key to wrap for."""

_SECRET: Final = 32


class LinkSecrets(msgspec.Struct, frozen=True):
    """What a finished handshake leaves behind: one secret per direction, and three for later."""

    from_initiator: bytes
    from_responder: bytes
    rekey: bytes
    exporter: bytes

    def __repr__(self) -> str:
        return "LinkSecrets()"


def mac1(fingerprint: Fingerprint | bytes, unsigned: bytes) -> bytes:
    """Proof of knowing whom one calls: the first 16 bytes of an HMAC over M1 before this field."""
    return mac(expand(fingerprint, "mac1", b"", _SECRET), unsigned)[:16]


def knock_tag(knock: bytes, nonce: bytes) -> bytes:
    """Shows a busy responder that we know each other: 16 bytes of an HMAC over the initiator's nonce."""
    return mac(knock, nonce)[:16]


def after_hello(m1: bytes, header: bytes, earlier: bytes = b"") -> bytes:
    """th1: the body of M1 and the fields of M2 before its box.

    Args:
        m1: Body of the M1 that M2 answers.
        header: Fields of M2 before its box.
        earlier: After a RETRY, `retried` of the first M1; else empty.
    """
    return digest(lp(b"LINK", earlier, m1, header) if earlier else lp(b"LINK", m1, header))


def retried(m1: bytes, retry: bytes) -> bytes:
    """What the transcript keeps of a first M1 and the RETRY that answered it (bodies)."""
    return digest(lp(m1, retry))


def after(transcript: bytes, part: bytes) -> bytes:
    """th2..th6: the hash so far and the next part."""
    return digest(lp(transcript, part))


def first_secret(transcript: bytes, shared: bytes) -> bytes:
    """hs0: from the ephemeral exchange alone."""
    return extract(transcript, shared)


def next_secret(secret: bytes, wrapped: bytes, transcript: bytes) -> bytes:
    """hs1 and ms: the secret so far, and the one that only the owner of an exchange key could unwrap."""
    return extract(expand(secret, "derived", b"", _SECRET), wrapped + transcript)


def finished(master: bytes, role: str, transcript: bytes) -> bytes:
    """The finished MAC of a role, ``"R"`` over th5 or ``"I"`` over th6."""
    return mac(expand(master, f"fin {role}", b"", _SECRET), transcript)


def link_secrets(master: bytes, transcript: bytes) -> LinkSecrets:
    """The secrets of the link, from ms and th6."""
    return LinkSecrets(
        expand(master, "ap I", b"", _SECRET),
        expand(master, "ap R", b"", _SECRET),
        expand(master, "rekey", b"", _SECRET),
        expand(master, "exporter", transcript, _SECRET),
    )


def record_key(secret: bytes) -> tuple[bytes, bytes]:
    """Key (32 bytes) and iv (12 bytes) of the records of one direction and epoch."""
    return expand(secret, "key", b"", _SECRET), expand(secret, "iv", b"", 12)


def export(exporter: bytes, label: str, context: bytes) -> bytes:
    """A 32-byte secret bound to this link, for another protocol that runs inside or beside it."""
    return expand(exporter, f"exp {label}", context, _SECRET)


def invite_proof(secret: bytes, transcript: bytes) -> bytes:
    """Proof of holding an invite: HMAC under its secret over th3, 32 bytes.

    Args:
        secret: `limits.INVITE_SECRET_SIZE` bytes from the invite link.
        transcript: th3 of this handshake.
    """
    if len(secret) != limits.INVITE_SECRET_SIZE:
        raise ValueError("an invite secret has 16 bytes")
    return mac(secret, transcript)
