"""Public vectors of X-Wing, ML-KEM-768 and X25519, and pycryptodome as a second opinion."""

import gzip
import json
import os
from functools import partial

import pytest
from Crypto.PublicKey import Hybrid
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from messenger.core.errors import CryptoError
from messenger.crypto import xwing
from messenger.crypto.xwing import KeyPair, encapsulate
from tests.helpers.vectors import FOLDER, cases, fields


def test_xwing_draft_vectors() -> None:
    vectors = json.loads((FOLDER / "drafts" / "xwing_test-vectors.json").read_text())
    assert len(vectors) == 3
    for vector in vectors:
        seed, public, ciphertext, secret = fields(vector, "seed", "pk", "ct", "ss")
        pair = KeyPair.from_seed(seed)
        assert pair.public == public
        assert pair.decapsulate(ciphertext) == secret


def x25519_part() -> bytes:
    return X25519PrivateKey.generate().public_key().public_bytes_raw()


def test_mlkem_encapsulation_keys() -> None:
    count = {"valid": 0, "invalid": 0}
    for _, test in cases("mlkem_768_encaps"):
        (public,) = fields(test, "ek")
        count[test["result"]] += 1
        if test["result"] == "valid":
            ciphertext, secret = encapsulate(public + x25519_part())
            assert (len(ciphertext), len(secret)) == (1120, 32)
        else:
            with pytest.raises(CryptoError):
                encapsulate(public + x25519_part())
    assert count == {"valid": 133, "invalid": 132}


def test_mlkem_keys_with_a_coefficient_outside_the_modulus() -> None:
    lines = gzip.decompress((FOLDER / "drafts" / "cctv_mlkem768_modulus.txt.gz").read_bytes()).split()
    assert len(lines) == 780
    for line in lines:
        with pytest.raises(CryptoError):
            encapsulate(bytes.fromhex(line.decode()) + x25519_part())


def test_mlkem_key_generation() -> None:
    tests = [test for _, test in cases("mlkem_768_keygen_seed")]
    assert len(tests) == 100
    for test in tests:
        seed, public = fields(test, "seed", "ek")
        assert MLKEM768PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw() == public


def test_mlkem_decapsulation() -> None:
    count = {"valid": 0, "invalid": 0}
    for _, test in cases("mlkem_768"):
        seed, ciphertext, secret = fields(test, "seed", "c", "K")
        count[test["result"]] += 1
        if test["result"] == "valid":
            assert MLKEM768PrivateKey.from_seed_bytes(seed).decapsulate(ciphertext) == secret
        elif len(seed) != 64:
            with pytest.raises(ValueError, match="seed"):
                MLKEM768PrivateKey.from_seed_bytes(seed)
        else:
            with pytest.raises(CryptoError):
                KeyPair.generate().decapsulate(ciphertext + os.urandom(32))
    assert count == {"valid": 153, "invalid": 40}


def test_x25519() -> None:
    count = {"same": 0, "refused": 0}
    for _, test in cases("x25519"):
        private, public, shared = fields(test, "private", "public", "shared")
        key = X25519PrivateKey.from_private_bytes(private)
        if "ZeroSharedSecret" in test["flags"]:
            count["refused"] += 1
            with pytest.raises(CryptoError):
                xwing._exchange(key, public)
        else:
            count["same"] += 1
            assert xwing._exchange(key, public) == shared
    assert count == {"same": 487, "refused": 31}


def test_pycryptodome_agrees_both_ways() -> None:
    construct = partial(Hybrid._construct, param_set=Hybrid.ParamSet.MLKEM768_X25519)
    for _ in range(20):
        seed, coins = os.urandom(32), os.urandom(64)
        ours, theirs = KeyPair.from_seed(seed), construct(seed=seed)
        assert ours.public == theirs._pk
        ciphertext, secret = encapsulate(ours.public)
        assert theirs._decaps(ciphertext) == secret
        secret, ciphertext = construct(pk=ours.public)._encaps(coins)
        assert ours.decapsulate(ciphertext) == secret
