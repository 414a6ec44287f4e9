"""AES-256-GCM for the few boxes that the vault process opens and seals: those of the key files.

They are made with pycryptodome, which is there for RSA. `cryptography`, which the rest of the program uses,
would cost this process another 7 MiB for as long as it runs. `tests/crypto` opens with each of the two what
the other has sealed.
"""

from messenger.core import limits
from messenger.core.errors import CryptoError
from messenger.crypto.aead import Aes, Buffer
from messenger.crypto.pycryptodome import gcm


class VaultCipher:
    """One key of single boxes; see `aead.BoxCipher`.

    Args:
        key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encrypt(self, nonce: bytes, data: Buffer, associated_data: Buffer) -> bytes:
        """Ciphertext and 16-byte tag."""
        cipher = gcm(self._key, nonce)
        cipher.update(associated_data)
        sealed, tag = cipher.encrypt_and_digest(data)
        return sealed + tag

    def decrypt(self, nonce: bytes, data: Buffer, associated_data: Buffer) -> bytes:
        """Plaintext.

        Raises:
            CryptoError: Anything is not what it was sealed with.
        """
        end = max(0, len(data) - limits.TAG_SIZE)
        cipher = gcm(self._key, nonce)
        cipher.update(associated_data)
        try:
            return cipher.decrypt_and_verify(data[:end], data[end:])
        except ValueError as e:
            raise CryptoError("a sealed box does not open") from e


def use() -> None:
    """Have every single box of this process made so from now on."""
    Aes.box_factory = VaultCipher
