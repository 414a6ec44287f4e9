"""X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519 in one key encapsulation.

A composition with published shape and vectors, made of the public classes of
`cryptography` and SHA-3 of the standard library; pycryptodome keeps its own X-Wing
private, so it serves the tests as a second opinion only. `cryptography` is loaded when a key is first made
or used: a window without any link needs none of it.
"""

import hashlib
import secrets
from typing import TYPE_CHECKING, Final, Self

from messenger.core import limits
from messenger.core.errors import CryptoError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

SEED_SIZE: Final = 32
"""A private key is stored as this seed, never expanded."""

_LABEL: Final = bytes.fromhex("5c2e2f2f5e5c")
"""XWingLabel of the draft: the six characters \\.//^\\."""

_MLKEM_PUBLIC: Final = 1184
_MLKEM_CIPHERTEXT: Final = 1088
_MLKEM_SEED: Final = 64


class KeyPair:
    """One X-Wing key pair; forget the object to forget the private key.

    Args:
        seed: 32 random bytes.

    Raises:
        CryptoError: The seed has another length.
    """

    __slots__ = ("_mlkem", "_x25519", "_x25519_public", "public")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_SIZE:
            raise CryptoError("an X-Wing seed has 32 bytes")
        from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        expanded = hashlib.shake_256(seed).digest(_MLKEM_SEED + 32)
        self._mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED])
        self._x25519 = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED:])
        self._x25519_public = self._x25519.public_key().public_bytes_raw()
        self.public: bytes = self._mlkem.public_key().public_bytes_raw() + self._x25519_public
        """The public key, 1216 bytes."""

    @classmethod
    def generate(cls) -> Self:
        """Make a new key pair."""
        return cls(secrets.token_bytes(SEED_SIZE))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Make the key pair of a stored 32-byte seed."""
        return cls(seed)

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Recover the 32-byte secret of a ciphertext.

        A wrong ML-KEM part gives another secret without an error (implicit rejection of
        FIPS 203), which whatever is sealed under the secret then shows.

        Raises:
            CryptoError: It is not 1120 bytes, or its X25519 point is of low order.
        """
        if len(ciphertext) != limits.XWING_CIPHERTEXT_SIZE:
            raise CryptoError("an X-Wing ciphertext has 1120 bytes")
        ephemeral = ciphertext[_MLKEM_CIPHERTEXT:]
        shared = _exchange(self._x25519, ephemeral)
        secret = self._mlkem.decapsulate(ciphertext[:_MLKEM_CIPHERTEXT])
        return _combine(secret, shared, ephemeral, self._x25519_public)

    def __repr__(self) -> str:
        return f"KeyPair({hashlib.sha256(self.public).hexdigest()[:8]})"


def encapsulate(public: bytes) -> tuple[bytes, bytes]:
    """Make a secret for the owner of a public key.

    Args:
        public: X-Wing public key, 1216 bytes.

    Returns:
        Ciphertext to send (1120 bytes) and the secret (32 bytes).

    Raises:
        CryptoError: The key has another length, its ML-KEM part has a coefficient outside
            the modulus, or its X25519 point is of low order.
    """
    if len(public) != limits.XWING_PUBLIC_SIZE:
        raise CryptoError("an X-Wing public key has 1216 bytes")
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    x25519_public = public[_MLKEM_PUBLIC:]
    ephemeral = X25519PrivateKey.generate()
    shared = _exchange(ephemeral, x25519_public)
    try:
        secret, ciphertext = MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC]).encapsulate()
    except ValueError as e:
        raise CryptoError("not an ML-KEM-768 public key") from e
    ephemeral_public = ephemeral.public_key().public_bytes_raw()
    return ciphertext + ephemeral_public, _combine(secret, shared, ephemeral_public, x25519_public)


def _exchange(private: "X25519PrivateKey", public: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    try:
        return private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as e:  # an all-zero result: the other side sent a point of low order
        raise CryptoError("X25519 gives no secret with this point") from e


def _combine(mlkem_secret: bytes, x25519_secret: bytes, ephemeral: bytes, public: bytes) -> bytes:
    """The draft's combiner; it may leave the ML-KEM ciphertext out because ML-KEM binds it itself."""
    return hashlib.sha3_256(mlkem_secret + x25519_secret + ephemeral + public + _LABEL).digest()
