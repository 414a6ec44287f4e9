"""Single boxes."""

import os

import pytest

from messenger.core.errors import CryptoError
from messenger.crypto import aead
from messenger.crypto.box import open_box, seal_box
from messenger.crypto.hkdf import expand

SECRET, TRANSCRIPT = os.urandom(32), os.urandom(32)


def test_a_box_is_aes_gcm_under_derived_key_and_nonce() -> None:
    key, nonce = expand(SECRET, "r0 key", TRANSCRIPT, 32), expand(SECRET, "r0 iv", TRANSCRIPT, 12)
    sealed = seal_box(SECRET, "r0", TRANSCRIPT, b"bundle")
    assert len(sealed) == 6 + 16
    assert aead.open_once(key, nonce, sealed, TRANSCRIPT) == b"bundle"
    assert open_box(SECRET, "r0", TRANSCRIPT, sealed) == b"bundle"


@pytest.mark.parametrize("what", ["secret", "label", "transcript", "truncated", "extended", "empty"])
def test_anything_else_does_not_open(what: str) -> None:
    sealed = seal_box(SECRET, "i0", TRANSCRIPT, b"bundle")
    changed = {"truncated": sealed[:-1], "extended": sealed + b"\x00", "empty": b""}.get(what, sealed)
    with pytest.raises(CryptoError):
        open_box(
            os.urandom(32) if what == "secret" else SECRET,
            "i1" if what == "label" else "i0",
            os.urandom(32) if what == "transcript" else TRANSCRIPT,
            changed,
        )


def test_every_bit_counts() -> None:
    sealed = seal_box(SECRET, "r1", TRANSCRIPT, b"bundle")
    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CryptoError):
            open_box(SECRET, "r1", TRANSCRIPT, bytes(flipped))
