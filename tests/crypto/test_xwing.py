"""X-Wing."""

import hashlib
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import CryptoError
from messenger.crypto import xwing
from messenger.crypto.xwing import KeyPair, encapsulate

LOW_ORDER = [
    "00" * 32,
    "01" + "00" * 31,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]
"""Points that give an all-zero secret (RFC 7748 section 6.1; cr.yp.to/ecdh.html)."""


@settings(max_examples=20)
@given(st.binary(min_size=32, max_size=32))
def test_both_ends_agree(seed: bytes) -> None:
    pair = KeyPair.from_seed(seed)
    assert pair.public == KeyPair.from_seed(seed).public
    ciphertext, secret = encapsulate(pair.public)
    assert (len(pair.public), len(ciphertext), len(secret)) == (1216, 1120, 32)
    assert (len(pair.public), len(ciphertext)) == (limits.XWING_PUBLIC_SIZE, limits.XWING_CIPHERTEXT_SIZE)
    assert pair.decapsulate(ciphertext) == secret


def test_every_pair_and_every_encapsulation_is_new() -> None:
    pair = KeyPair.generate()
    assert pair.public != KeyPair.generate().public
    first, second = encapsulate(pair.public), encapsulate(pair.public)
    assert first[0][:1088] != second[0][:1088]
    assert first[0][1088:] != second[0][1088:]
    assert first[1] != second[1]


@pytest.mark.parametrize("point", LOW_ORDER)
def test_points_of_low_order_are_refused(point: str) -> None:
    pair = KeyPair.generate()
    with pytest.raises(CryptoError):
        encapsulate(pair.public[:1184] + bytes.fromhex(point))
    ciphertext, _ = encapsulate(pair.public)
    with pytest.raises(CryptoError):
        pair.decapsulate(ciphertext[:1088] + bytes.fromhex(point))


@pytest.mark.parametrize("change", [-1217, -1216, -1, 1])
def test_public_keys_of_another_length_are_refused(change: int) -> None:
    public = KeyPair.generate().public
    wrong = public[:change] if change < 0 else public + bytes(change)
    with pytest.raises(CryptoError):
        encapsulate(wrong)


@pytest.mark.parametrize("size", [0, 32, 1088, 1119, 1121])
def test_ciphertexts_of_another_length_are_refused(size: int) -> None:
    with pytest.raises(CryptoError):
        KeyPair.generate().decapsulate(bytes(size))


@pytest.mark.parametrize("size", [0, 31, 33, 64, 96])
def test_seeds_of_another_length_are_refused(size: int) -> None:
    with pytest.raises(CryptoError):
        KeyPair.from_seed(bytes(size))


def test_coefficients_outside_the_modulus_are_refused() -> None:
    public = KeyPair.generate().public
    for position in range(0, 1152, 3):  # two coefficients of 12 bits in three bytes; 3329 is the modulus
        with pytest.raises(CryptoError):
            encapsulate(public[:position] + b"\x01\x0d\x00" + public[position + 3 :])


def test_a_changed_ciphertext_gives_another_secret_without_an_error() -> None:
    pair = KeyPair.generate()
    ciphertext, secret = encapsulate(pair.public)
    for position in (0, 500, 1087, 1088, 1119):
        changed = bytearray(ciphertext)
        changed[position] ^= 1
        assert pair.decapsulate(bytes(changed)) != secret


def test_the_secret_depends_on_each_part_of_the_combination() -> None:
    parts = [os.urandom(32) for _ in range(4)]
    expected = hashlib.sha3_256(b"".join(parts) + rb"\.//^" + b"\\").digest()
    assert xwing._combine(*parts) == expected


def test_repr_shows_nothing_of_the_private_key() -> None:
    seed = b"\xabSECRET-SECRET-SECRET-SECRET-abc"
    pair = KeyPair.from_seed(seed)
    text = repr(pair) + str(pair)
    assert text.startswith("KeyPair(")
    assert len(text) < 60
    assert "SECRET" not in text
    assert not hasattr(pair, "__dict__")
