"""Single boxes of the handshake: `box(secret, label, transcript, plaintext)` of SPEC.md section 1.

Key and nonce both come from the secret, the label and the transcript hash, so a box is
bound to everything said before it, and a (secret, label, transcript) is sealed once.
"""

from messenger.crypto import aead
from messenger.crypto.hkdf import expand


def seal_box(secret: bytes, label: str, transcript: bytes, plaintext: bytes) -> bytes:
    """Encrypt a part of a handshake message.

    Args:
        secret: 32-byte secret of this stage.
        label: Which box this is, from SPEC.md's registry.
        transcript: Hash of everything before, 32 bytes; also the additional data.
        plaintext: Content.

    Returns:
        AES-256-GCM ciphertext and 16-byte tag under key = expand(secret, label + " key", transcript, 32)
        and nonce = expand(secret, label + " iv", transcript, 12).
    """
    key, nonce = _key_and_nonce(secret, label, transcript)
    return aead.seal_once(key, nonce, plaintext, transcript)


def open_box(secret: bytes, label: str, transcript: bytes, sealed: bytes) -> bytes:
    """Decrypt what `seal_box` made with the same secret, label and transcript.

    Raises:
        CryptoError: Any of them differs, or the box was changed.
    """
    key, nonce = _key_and_nonce(secret, label, transcript)
    return aead.open_once(key, nonce, sealed, transcript)


def _key_and_nonce(secret: bytes, label: str, transcript: bytes) -> tuple[bytes, bytes]:
    key = expand(secret, f"{label} key", transcript, aead.KEY_SIZE)
    return key, expand(secret, f"{label} iv", transcript, aead.IV_SIZE)
