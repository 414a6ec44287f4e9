"""Public vectors of RSA-PSS and RSA-OAEP, and keys that must be refused."""

import hashlib
import itertools
from typing import Any

import pytest
from Crypto.PublicKey import RSA

from messenger.core.errors import CryptoError
from messenger.crypto import rsa
from messenger.crypto.rsa import PrivateKey, PublicKey
from tests.helpers.vectors import cases, fields, wycheproof


def number(text: str) -> int:
    return int(text, 16)


def public_key(group: dict[str, Any]) -> RSA.RsaKey:
    """The library's key, of any size, below our strict import."""
    return RSA.construct(
        (number(group["publicKey"]["modulus"]), number(group["publicKey"]["publicExponent"]))
    )


def private_key(group: dict[str, Any]) -> RSA.RsaKey:
    part = group["privateKey"]
    names = ("modulus", "publicExponent", "privateExponent", "prime1", "prime2")
    n, e, d, p, q = (number(part[name]) for name in names)
    return RSA.construct((n, e, d, p, q), consistency_check=False)


def verifies(key: RSA.RsaKey, test: dict[str, Any]) -> bool:
    message, signature = fields(test, "msg", "sig")
    try:
        rsa._verify(key, message, signature)
    except CryptoError:
        return False
    return True


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_pss(bits: int) -> None:
    for group, test in cases(f"rsa_pss_{bits}_sha256_mgf1_32"):
        assert verifies(public_key(group), test) == (test["result"] == "valid"), test["tcId"]


def test_pss_without_salt_is_refused() -> None:
    results = [
        (test, verifies(public_key(group), test)) for group, test in cases("rsa_pss_2048_sha256_mgf1_0")
    ]
    assert sum(test["result"] == "valid" for test, _ in results) == 61
    accepted = [test for test, verified in results if verified]
    assert [test["result"] for test in accepted] == ["invalid"]
    assert "32" in accepted[0]["comment"]


def test_pss_with_other_hashes_and_salts_is_refused() -> None:
    accepted = [
        (group["sha"], group["mgfSha"], group["sLen"])
        for group, test in cases("rsa_pss_misc")
        if verifies(public_key(group), test)
    ]
    assert accepted == [("SHA-256", "SHA-256", 32)]


def test_pkcs1_v15_signatures_are_refused() -> None:
    tests = list(cases("rsa_signature_3072_sha256"))
    accepted = [test for group, test in tests if verifies(public_key(group), test)]
    assert len(tests) == 259
    assert {test["comment"] for test in accepted} == {
        "RSASSA-PSS signature"
    }  # put there as the wrong primitive


def opens(key: RSA.RsaKey, test: dict[str, Any]) -> bool:
    message, ciphertext, label = fields(test, "msg", "ct", "label")
    try:
        return rsa._open(key, label, ciphertext) == message
    except CryptoError:
        return False


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_oaep(bits: int) -> None:
    count = 0
    for group in wycheproof(f"rsa_oaep_{bits}_sha256_mgf1sha256"):
        key = private_key(group)
        for test in group["tests"]:
            assert opens(key, test) == (test["result"] == "valid"), test["tcId"]
            count += 1
    assert count == 37


def test_oaep_with_other_hashes_is_refused() -> None:
    count = {True: 0, False: 0}
    for group in wycheproof("rsa_oaep_misc"):
        key = private_key(group)
        ours = group["sha"] == group["mgfSha"] == "SHA-256"
        for test in group["tests"]:
            assert opens(key, test) == ours, test["tcId"]
            count[ours] += 1
    assert count == {True: 34, False: 361}


@pytest.mark.parametrize("bits", [3072, 4096])
def test_oaep_through_our_own_key(bits: int) -> None:
    """The same vectors through PrivateKey.unwrap, with its strict loading and implicit rejection."""
    for group in wycheproof(f"rsa_oaep_{bits}_sha256_mgf1sha256"):
        part, size = group["privateKey"], (bits // 16).to_bytes(2, "big")
        primes = (number(part[name]).to_bytes(bits // 16, "big") for name in ("prime1", "prime2"))
        key = PrivateKey.from_bytes(b"".join(size + prime for prime in primes))
        assert key.public.modulus == number(part["modulus"]).to_bytes(bits // 8, "big")
        for test in group["tests"]:
            message, ciphertext, label = fields(test, "msg", "ct", "label")
            if len(message) >= 16:
                assert (key.unwrap(label, ciphertext, len(message)) == message) == (test["result"] == "valid")
            assert len(key.unwrap(label, ciphertext, 32)) == 32


def test_keys_of_three_primes_are_not_loaded() -> None:
    (group,) = wycheproof("rsa_three_primes_oaep_4096_sha256_mgf1sha256")
    part = group["privateKey"]
    primes = [number(part["prime1"]), number(part["prime2"]), number(part["otherPrimeInfos"][0][0])]
    assert primes[0] * primes[1] * primes[2] == number(part["modulus"])
    for p, q in itertools.permutations((*primes, primes[0] * primes[1], primes[1] * primes[2]), 2):
        for half in (192, 256):
            if max(p, q) < 1 << half * 8:
                data = b"".join(half.to_bytes(2, "big") + prime.to_bytes(half, "big") for prime in (p, q))
                with pytest.raises(CryptoError):
                    PrivateKey.from_bytes(data)
    with pytest.raises(CryptoError):
        PrivateKey.from_bytes(bytes.fromhex(group["privateKeyPkcs8"]))


POSITIVE = ["rsa_pss_3072_sha256_mgf1_32", "rsa_pss_4096_sha256_mgf1_32", "rsa_signature_3072_sha256"]


@pytest.mark.parametrize("name", POSITIVE)
def test_our_encoding_of_a_key_is_theirs(name: str) -> None:
    for group in wycheproof(name):
        modulus = number(group["publicKey"]["modulus"]).to_bytes(group["keySize"] // 8, "big")
        der = bytes.fromhex(group["publicKeyDer"])
        key = PublicKey.from_modulus(modulus)
        same = number(group["publicKey"]["publicExponent"]) == 65537
        assert (key.spki == der) == same  # the group with exponent 3 is another key, and ours never have that
        assert (key.fingerprint == hashlib.sha256(der).digest()) == same


REFUSED_SIZES = ["rsa_pss_2048_sha256_mgf1_32", "rsa_pss_2048_sha256_mgf1_0", "rsa_pss_misc"]


@pytest.mark.parametrize("name", REFUSED_SIZES)
def test_keys_of_other_sizes_are_refused(name: str) -> None:
    for group in wycheproof(name):
        with pytest.raises(CryptoError):
            PublicKey.from_modulus(number(group["publicKey"]["modulus"]).to_bytes(256, "big"))


PARAMETERS = [
    "rsa_pss_2048_sha256_mgf1_32_params",
    "rsa_pss_3072_sha256_mgf1_32_params",
    "rsa_pss_misc_params",
]


@pytest.mark.parametrize("name", PARAMETERS)
def test_encodings_with_pss_parameters_are_never_what_we_hash(name: str) -> None:
    for group in wycheproof(name):
        der = bytes.fromhex(group["publicKeyDer"])
        with pytest.raises(CryptoError):
            PublicKey.from_modulus(der)
        if group["keySize"] == 3072:
            modulus = number(group["publicKey"]["modulus"]).to_bytes(384, "big")
            assert PublicKey.from_modulus(modulus).spki != der


def test_keys_of_the_oaep_files() -> None:
    """Only 3072 and 4096 bits with exponent 65537 are keys to us."""
    for group in wycheproof("rsa_oaep_misc"):
        modulus = number(group["privateKey"]["modulus"])
        data = modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")
        if group["keySize"] in {3072, 4096}:
            assert PublicKey.from_modulus(data).modulus == data
        else:
            with pytest.raises(CryptoError):
                PublicKey.from_modulus(data)


def test_numbers_of_the_primality_file_are_no_moduli() -> None:
    values = [bytes.fromhex(test["value"]) for _, test in cases("primality")]
    assert len(values) == 317
    for value in values:
        for modulus in (
            value,
            value.rjust(384, b"\x00"),
            value.rjust(512, b"\x00"),
            value.ljust(384, b"\x00"),
        ):
            with pytest.raises(CryptoError):
                PublicKey.from_modulus(modulus)
