"""Key schedule."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from messenger.core.errors import CryptoError
from messenger.crypto import hkdf


@given(
    st.binary(min_size=32, max_size=32), st.sampled_from(["mac1", "ap I", "r0 key"]), st.binary(max_size=80)
)
def test_expand_is_rfc_5869_over_our_info(secret: bytes, label: str, context: bytes) -> None:
    for length in (1, 12, 32, 64, 8160):
        info = b"sotto/1 " + label.encode() + b"\x00" + len(context).to_bytes(4, "big") + context
        library = HKDFExpand(SHA256(), length, info + length.to_bytes(2, "big"))
        assert hkdf.expand(secret, label, context, length) == library.derive(secret)


def test_extract_is_rfc_5869() -> None:
    # RFC 5869 appendix A.1
    secret = hkdf.extract(bytes.fromhex("000102030405060708090a0b0c"), b"\x0b" * 22)
    assert secret.hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"


@pytest.mark.parametrize("length", [-1, 0, 8161, 65536, 10**9])
def test_impossible_lengths_are_refused(length: int) -> None:
    with pytest.raises(CryptoError):
        hkdf.expand(b"k" * 32, "db key", b"", length)


def test_different_lengths_labels_and_contexts_share_no_prefix() -> None:
    secret = b"k" * 32
    made = [
        hkdf.expand(secret, "a", b"b", 32),
        hkdf.expand(secret, "a", b"b", 33)[:32],
        hkdf.expand(secret, "ab", b"", 32),
        hkdf.expand(secret, "", b"ab", 32),
        hkdf.expand(secret, "a", b"b\x00", 32),
    ]
    assert len(set(made)) == len(made)


@given(st.lists(st.binary(max_size=40)), st.lists(st.binary(max_size=40)))
def test_lp_is_injective(a: list[bytes], b: list[bytes]) -> None:
    assert (hkdf.lp(*a) == hkdf.lp(*b)) == (a == b)


def test_lp_and_vec_to_the_byte() -> None:
    assert hkdf.lp() == b""
    assert hkdf.lp(b"", b"ab") == b"\x00\x00\x00\x00\x00\x00\x00\x02ab"
    assert hkdf.vec(b"") == b"\x00\x00"
    assert hkdf.vec(b"ab") == b"\x00\x02ab"
    assert hkdf.vec(b"x" * 65535)[:2] == b"\xff\xff"


def test_fields_too_long_are_refused() -> None:
    with pytest.raises(CryptoError):
        hkdf.vec(b"x" * 65536)

    class Endless(bytes):
        """Four gigabytes without having them."""

        def __len__(self) -> int:
            return 2**32

    with pytest.raises(CryptoError):
        hkdf.lp(b"", Endless())


def test_digest_mac_and_equal() -> None:
    assert hkdf.digest(b"abc") == hashlib.sha256(b"abc").digest()
    assert hkdf.mac(b"key", b"abc") == hmac.new(b"key", b"abc", "sha256").digest()


def test_a_key_that_is_taken_in_once_gives_the_same() -> None:
    kept = hkdf.Mac(b"k" * 32)
    for data in (b"abc", b"", b"d" * 1000, b"abc"):
        assert kept.of(data) == hkdf.mac(b"k" * 32, data)
    assert kept.of(b"abc") != hkdf.Mac(b"K" * 32).of(b"abc")
    assert hkdf.equal(b"abc", b"abc")
    assert not hkdf.equal(b"abc", b"abd")
    assert not hkdf.equal(b"abc", b"ab")
