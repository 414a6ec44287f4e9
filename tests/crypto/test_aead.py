"""Record cipher."""

import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import CryptoError
from messenger.crypto import aead
from messenger.crypto.aead import Opener, Sealer
from tests.helpers.nonces import NonceOracle, watching


def pair() -> tuple[Sealer, Opener]:
    key, iv = os.urandom(32), os.urandom(12)
    return Sealer(key, iv), Opener(key, iv)


@given(st.lists(st.tuples(st.binary(max_size=300), st.binary(max_size=20)), max_size=12))
def test_what_is_sealed_in_order_opens_in_order(records: list[tuple[bytes, bytes]]) -> None:
    sealer, opener = pair()
    for number, (plaintext, aad) in enumerate(records):
        if number % 2:
            sealed = sealer.seal(plaintext, aad)
        else:
            out = bytearray(len(plaintext) + 16)
            assert sealer.seal_into(plaintext, aad, out) == len(out)
            sealed = bytes(out)
        if number % 3:
            assert opener.open(sealed, aad) == plaintext
        else:
            into = bytearray(len(plaintext) + 5)
            assert opener.open_into(sealed, aad, into) == len(plaintext)
            assert into == plaintext + bytes(5)
    for direction in (sealer, opener):
        assert (direction.count, direction.bytes) == (len(records), sum(len(p) for p, _ in records))


def test_the_nonce_is_iv_xor_sequence_number() -> None:
    key, iv = os.urandom(32), bytes.fromhex("00112233445566778899aabb")
    sealer = Sealer(key, iv)
    for number in range(300):
        nonce = bytes(a ^ b for a, b in zip(iv, bytes(4) + number.to_bytes(8, "big"), strict=True))
        assert AESGCM(key).decrypt(nonce, sealer.seal(b"text", b"head"), b"head") == b"text"


def test_in_place_both_ways() -> None:
    sealer, opener = pair()
    content = os.urandom(256 * 1024)
    buffer = bytearray(content + bytes(16))
    view = memoryview(buffer)
    assert sealer.seal_into(view[: len(content)], b"", view) == len(buffer)
    assert content not in buffer
    assert opener.open_into(view, b"", view) == len(content)
    assert view[: len(content)] == content


Damage = Callable[[bytes], bytes]
DAMAGES: dict[str, Damage] = {
    "first bit": lambda sealed: bytes([sealed[0] ^ 0x80]) + sealed[1:],
    "last bit": lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
    "shorter": lambda sealed: sealed[:-1],
    "longer": lambda sealed: sealed + b"\x00",
    "only a tag": lambda sealed: sealed[-16:],
    "less than a tag": lambda sealed: sealed[:15],
    "nothing": lambda sealed: sealed[:0],
}


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.parametrize("into", [False, True])
def test_one_failure_ends_the_opener(name: str, into: bool) -> None:
    sealer, opener = pair()
    good = sealer.seal(b"first " * 9, b"aad")
    buffer = bytearray(b"\xee" * 100)

    def attempt(sealed: bytes) -> None:
        if into:
            opener.open_into(sealed, b"aad", buffer)
        else:
            opener.open(sealed, b"aad")

    with pytest.raises(CryptoError):
        attempt(DAMAGES[name](good))
    with pytest.raises(CryptoError):
        attempt(good)
    assert opener.count == 0
    assert b"first" not in buffer


def test_unverified_plaintext_never_stays_in_the_buffer() -> None:
    sealer, opener = pair()
    secret = b"attack at dawn! " * 1000
    damaged = bytearray(sealer.seal(secret, b""))
    damaged[-1] ^= 1
    buffer = bytearray(len(secret) + 7)
    buffer[-7:] = b"outside"
    with pytest.raises(CryptoError):
        opener.open_into(damaged, b"", buffer)
    assert buffer == bytes(len(secret)) + b"outside"


def test_in_place_failure_leaves_zeros() -> None:
    sealer, opener = pair()
    buffer = bytearray(sealer.seal(b"attack at dawn", b""))
    buffer[0] ^= 1
    with pytest.raises(CryptoError):
        opener.open_into(buffer, b"", buffer)
    assert buffer[:14] == bytes(14)


@pytest.mark.parametrize(
    "what", ["reordered", "repeated", "dropped", "other aad", "other key", "other iv", "reflected"]
)
def test_only_the_next_record_of_that_sealer_opens(what: str) -> None:
    key, iv = os.urandom(32), os.urandom(12)
    sealer = Sealer(key, iv)
    opener = Opener(
        os.urandom(32) if what == "other key" else key,
        os.urandom(12) if what in {"other iv", "reflected"} else iv,
    )
    first, second = sealer.seal(b"one", b"a"), sealer.seal(b"two", b"a")
    if what == "repeated":
        assert opener.open(first, b"a") == b"one"
    with pytest.raises(CryptoError):
        opener.open(
            second if what in {"reordered", "dropped"} else first, b"b" if what == "other aad" else b"a"
        )


def test_short_output_buffers_are_refused_before_anything_happens() -> None:
    sealer, opener = pair()
    with pytest.raises(CryptoError):
        sealer.seal_into(b"12345", b"", bytearray(20))
    assert sealer.count == 0
    sealed = sealer.seal(b"12345", b"")
    with pytest.raises(CryptoError):
        opener.open_into(sealed, b"", bytearray(4))
    assert opener.open(sealed, b"") == b"12345"  # our own mistake, not a forgery: it lives


def test_a_key_ends_after_so_many_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECORDS_PER_KEY", 3)
    sealer, opener = pair()
    sealed = [sealer.seal(b"x", b"") for _ in range(3)]
    for refused in (lambda: sealer.seal(b"x", b""), lambda: sealer.seal_into(b"x", b"", bytearray(17))):
        with pytest.raises(CryptoError):
            refused()
    for record in sealed:
        assert opener.open(record, b"") == b"x"
    with pytest.raises(CryptoError):
        opener.open(sealed[0], b"")


def test_a_key_ends_after_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BYTES_PER_KEY", 10)
    sealer, opener = pair()
    assert opener.open(sealer.seal(b"123456", b""), b"") == b"123456"
    with pytest.raises(CryptoError):
        sealer.seal(b"12345", b"")
    assert opener.open(sealer.seal(b"1234", b""), b"") == b"1234"
    with pytest.raises(CryptoError):
        sealer.seal(b"1", b"")
    assert (sealer.bytes, opener.bytes) == (10, 10)


def test_the_limits_are_stricter_than_tls() -> None:
    assert limits.RECORDS_PER_KEY <= 2**24
    assert limits.RECORDS_PER_KEY < 2**48
    assert limits.BYTES_PER_KEY <= 2**36


@pytest.mark.parametrize("size", [0, 16, 24, 31, 33])
def test_only_256_bit_keys(size: int) -> None:
    for kind in (Sealer, Opener):
        with pytest.raises(CryptoError):
            kind(bytes(size), bytes(12))
    with pytest.raises(CryptoError):
        aead.seal_once(bytes(size), bytes(12), b"", b"")


@pytest.mark.parametrize("size", [0, 8, 11, 13, 16])
def test_only_12_byte_nonces(size: int) -> None:
    for kind in (Sealer, Opener):
        with pytest.raises(CryptoError):
            kind(bytes(32), bytes(size))
    with pytest.raises(CryptoError):
        aead.seal_once(bytes(32), bytes(size), b"", b"")
    with pytest.raises(CryptoError):
        aead.open_once(bytes(32), bytes(size), bytes(16), b"")


def test_single_messages() -> None:
    key, nonce = os.urandom(32), os.urandom(12)
    sealed = aead.seal_once(key, nonce, b"text", b"aad")
    assert aead.open_once(key, nonce, sealed, b"aad") == b"text"
    for wrong in (
        (nonce, sealed[:-1], b"aad"),
        (nonce, sealed, b""),
        (bytes(12), sealed, b"aad"),
        (nonce, b"", b"aad"),
    ):
        with pytest.raises(CryptoError):
            aead.open_once(key, *wrong)


def test_repr_shows_progress_and_nothing_secret() -> None:
    key, iv = b"\xabSECRETKEY" + bytes(22), b"\xcdSECRETIV" + bytes(3)
    for direction in (Sealer(key, iv), Opener(key, iv)):
        text = repr(direction) + str(direction)
        assert text.startswith(type(direction).__name__)
        assert "SECRET" not in text
        assert key.hex() not in text


def test_the_witness_notices_a_repeated_nonce() -> None:
    key, iv = os.urandom(32), os.urandom(12)

    def repeat() -> None:
        with watching():
            Sealer(key, iv).seal(b"one", b"")
            Sealer(key, iv).seal(b"one", b"")  # the very same: nothing learnt
            with pytest.raises(AssertionError, match="twice"):
                Sealer(key, iv).seal_into(b"two", b"", bytearray(19))

    with pytest.raises(AssertionError, match="twice"):
        repeat()


def test_everything_that_seals_goes_past_the_witness(nonce_oracle: NonceOracle) -> None:
    before = len(nonce_oracle.seen)
    pair()[0].seal(b"", b"")
    aead.seal_once(os.urandom(32), bytes(12), b"", b"")
    assert len(nonce_oracle.seen) == before + 2
