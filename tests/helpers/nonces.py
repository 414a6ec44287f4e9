"""A witness for the rule that no AES-GCM key meets the same nonce twice."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messenger.crypto.aead import Aes, Buffer


class NonceOracle:
    """Stands in for `Aes.factory`: real ciphers, each encryption of which is written down.

    Encrypting the very same plaintext again (a deterministic test run twice, a fixed vector)
    gives the same ciphertext and tells nobody anything, so only different content counts.
    """

    def __init__(self) -> None:
        self.seen: dict[tuple[bytes, bytes], bytes] = {}
        self.violations: list[str] = []

    def __call__(self, key: bytes) -> "_Witnessed":
        return _Witnessed(self, key)

    def note(self, name: bytes, nonce: bytes, plaintext: Buffer, aad: Buffer) -> None:
        """Write one encryption down; a repeated nonce fails at once, and again in `watching`."""
        content = hashlib.blake2b(len(aad).to_bytes(8, "big") + bytes(aad) + bytes(plaintext)).digest()
        if self.seen.setdefault((name, bytes(nonce)), content) != content:
            self.violations.append(f"nonce {bytes(nonce).hex()} used twice with one key")
            raise AssertionError(self.violations[-1])


class _Witnessed:
    def __init__(self, oracle: NonceOracle, key: bytes) -> None:
        self._oracle = oracle
        self._name = hashlib.blake2b(key).digest()
        self._cipher = AESGCM(key)

    def encrypt(self, nonce: bytes, data: Buffer, associated_data: Buffer) -> bytes:
        self._oracle.note(self._name, nonce, data, associated_data)
        return self._cipher.encrypt(nonce, data, associated_data)

    def decrypt(self, nonce: bytes, data: Buffer, associated_data: Buffer) -> bytes:
        return self._cipher.decrypt(nonce, data, associated_data)

    def encrypt_into(self, nonce: bytes, data: Buffer, associated_data: Buffer, buf: memoryview) -> int:
        self._oracle.note(self._name, nonce, data, associated_data)
        return self._cipher.encrypt_into(nonce, data, associated_data, buf)

    def decrypt_into(self, nonce: bytes, data: Buffer, associated_data: Buffer, buf: memoryview) -> int:
        return self._cipher.decrypt_into(nonce, data, associated_data, buf)


@contextmanager
def watching() -> Iterator[NonceOracle]:
    """Watch every encryption in this process; at the end fail if a nonce was used twice."""
    oracle = NonceOracle()
    before, Aes.factory = Aes.factory, oracle
    try:
        yield oracle
    finally:
        Aes.factory = before
    assert not oracle.violations, oracle.violations
