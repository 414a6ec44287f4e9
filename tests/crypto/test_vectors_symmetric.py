"""Public vectors of AES-GCM, HKDF and HMAC."""

import hmac

import pytest

from messenger.core.errors import CryptoError
from messenger.crypto import aead, hkdf
from tests.helpers.nonces import watching
from tests.helpers.vectors import cases, fields


def test_aes_gcm() -> None:
    count = {"valid": 0, "invalid": 0, "refused": 0}
    with watching():  # the vectors repeat keys and nonces on purpose; they must not meet our own
        for group, test in cases("aes_gcm"):
            key, nonce, aad, message, ciphertext, tag = fields(test, "key", "iv", "aad", "msg", "ct", "tag")
            if (group["keySize"], group["ivSize"]) != (256, 96):
                count["refused"] += 1
                with pytest.raises(CryptoError):
                    aead.seal_once(key, nonce, message, aad)
                with pytest.raises(CryptoError):
                    aead.open_once(key, nonce, ciphertext + tag, aad)
            elif test["result"] == "valid":
                count["valid"] += 1
                assert aead.open_once(key, nonce, ciphertext + tag, aad) == message
                assert aead.Aes.factory(key).encrypt(nonce, message, aad) == ciphertext + tag
            else:
                count["invalid"] += 1
                with pytest.raises(CryptoError):
                    aead.open_once(key, nonce, ciphertext + tag, aad)
    assert count == {"valid": 39, "invalid": 27, "refused": 250}


def test_hkdf() -> None:
    count = {"valid": 0, "invalid": 0}
    for _, test in cases("hkdf_sha256"):
        ikm, salt, info, okm = fields(test, "ikm", "salt", "info", "okm")
        secret = hkdf.extract(salt, ikm)
        count[test["result"]] += 1
        if test["result"] == "valid":
            assert hkdf._expand(secret, info, test["size"]) == okm
        else:
            with pytest.raises(CryptoError):
                hkdf.expand(secret, "size", info, test["size"])
    assert count == {"valid": 83, "invalid": 3}


def test_hmac() -> None:
    count = {"valid": 0, "invalid": 0}
    for group, test in cases("hmac_sha256"):
        key, message, tag = fields(test, "key", "msg", "tag")
        count[test["result"]] += 1
        ours = hkdf.mac(key, message)[: group["tagSize"] // 8]
        assert hkdf.equal(ours, tag) == hmac.compare_digest(ours, tag) == (test["result"] == "valid")
    assert count == {"valid": 66, "invalid": 108}
