"""The vault's ciphers and those of the rest of the program are the same cipher."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from messenger.core.errors import CryptoError
from messenger.crypto import aead, vault_cipher
from messenger.crypto.vault_cipher import VaultCipher

KEY = bytes(range(32))
NONCE = bytes(range(12))

keys = st.binary(min_size=32, max_size=32)
nonces = st.binary(min_size=12, max_size=12)


@pytest.fixture
def in_the_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aead.Aes, "box_factory", None)
    vault_cipher.use()
    assert aead.Aes.box_factory is VaultCipher


@given(keys, nonces, st.binary(max_size=3000), st.binary(max_size=200))
def test_each_opens_what_the_other_sealed(key: bytes, nonce: bytes, data: bytes, aad: bytes) -> None:
    sealed = VaultCipher(key).encrypt(nonce, data, aad)
    assert sealed == AESGCM(key).encrypt(nonce, data, aad)
    assert VaultCipher(key).decrypt(nonce, sealed, aad) == data


@pytest.mark.usefixtures("in_the_vault")
def test_a_box_that_was_changed_does_not_open() -> None:
    sealed = aead.seal_once(KEY, NONCE, b"content", b"head")
    assert aead.open_once(KEY, NONCE, sealed, b"head") == b"content"
    changed = [sealed[:n] + bytes((sealed[n] ^ 1,)) + sealed[n + 1 :] for n in range(len(sealed))]
    cut = [sealed[:n] for n in range(len(sealed))]
    for other in (*changed, *cut, sealed + b"\0"):
        with pytest.raises(CryptoError):
            aead.open_once(KEY, NONCE, other, b"head")
    for key, nonce, aad in (
        (bytes(32), NONCE, b"head"),
        (KEY, bytes(12), b"head"),
        (KEY, NONCE, b"heads"),
    ):
        with pytest.raises(CryptoError):
            aead.open_once(key, nonce, sealed, aad)


@pytest.mark.usefixtures("in_the_vault")
@pytest.mark.parametrize("size", [0, 16, 24, 31, 33])
def test_other_keys_than_of_32_bytes_are_refused(size: int) -> None:
    with pytest.raises(CryptoError):
        aead.seal_once(bytes(size), NONCE, b"", b"")
    with pytest.raises(CryptoError):
        aead.open_once(bytes(size), NONCE, bytes(16), b"")


@pytest.mark.usefixtures("in_the_vault")
@pytest.mark.parametrize("size", [0, 8, 11, 13, 16])
def test_other_nonces_than_of_12_bytes_are_refused(size: int) -> None:
    with pytest.raises(CryptoError):
        aead.seal_once(KEY, bytes(size), b"", b"")
    with pytest.raises(CryptoError):
        aead.open_once(KEY, bytes(size), bytes(16), b"")
